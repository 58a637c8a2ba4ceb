// Package quota is how EC2 counts vCPUs against an account's quotas: by the
// family of an instance type and by how it is bought.
//
// It knows the names and codes of Service Quotas, not an account's values.
package quota

import (
	"strings"

	"aws-slurm-burst/executor/cloud"
)

// Family is what a type's vCPUs are counted by.
type Family uint8

// The families of Service Quotas, each with a quota on demand and most with one
// for spot. P5 is one for spot alone: on demand its types count as P.
const (
	Unknown    Family = iota // of a type that fits no family: it has no quota
	Standard                 // A, C, D, H, I, M, R, T, Z
	F                        // FPGAs
	G                        // G and VT
	P                        // P on demand; P4, P3 and P2 on spot
	P5                       // P5 and later, on spot
	X                        // much memory
	Inf                      // Inferentia
	Trn                      // Trainium
	DL                       // deep learning
	HPC                      // Hpc; no spot
	HighMemory               // U; no spot
	Families                 // how many there are
)

// names are the words of figures and of configurations.
var names = [Families]string{"unknown", "standard", "f", "g-vt", "p", "p5", "x", "inf", "trn", "dl", "hpc", "high-memory"}

// String returns the family's name, such as standard or g-vt.
func (f Family) String() string {
	if f < Families {
		return names[f]
	}
	return names[Unknown]
}

// Parse returns the family with a name.
func Parse(name string) (Family, bool) {
	for f := Standard; f < Families; f++ {
		if names[f] == name {
			return f, true
		}
	}
	return Unknown, false
}

// families tells the family by the letters before a type's generation.
var families = map[string]Family{
	"a": Standard, "c": Standard, "d": Standard, "h": Standard, "i": Standard, "im": Standard, "is": Standard,
	"m": Standard, "r": Standard, "t": Standard, "z": Standard,
	"f": F, "g": G, "gr": G, "vt": G, "p": P, "x": X, "inf": Inf, "trn": Trn, "dl": DL, "hpc": HPC, "u": HighMemory,
}

// Of returns the family that a type counts to in a market, such as Standard for
// c6i.xlarge. Mac types are sold by the host and are Unknown.
func Of(instanceType string, market cloud.Market) Family {
	letters := instanceType
	if i := strings.IndexFunc(instanceType, func(r rune) bool { return r < 'a' || r > 'z' }); i >= 0 {
		letters = instanceType[:i]
	}
	f := families[letters]
	if f == P && market == cloud.Spot {
		if generation := instanceType[len(letters):]; !strings.ContainsAny(generation[:min(1, len(generation))], "234") {
			return P5
		}
	}
	return f
}

// Quota is one quota of an account in a region.
type Quota struct {
	Family Family
	Market cloud.Market
}

// code and name of each quota, as Service Quotas has them ("Amazon EC2 endpoints
// and quotas", AWS General Reference); the codes are the same in every region
// and account.
var quotas = map[Quota][2]string{
	{Standard, cloud.OnDemand}:   {"L-1216C47A", "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"},
	{F, cloud.OnDemand}:          {"L-74FC7D96", "Running On-Demand F instances"},
	{G, cloud.OnDemand}:          {"L-DB2E81BA", "Running On-Demand G and VT instances"},
	{P, cloud.OnDemand}:          {"L-417A185B", "Running On-Demand P instances"},
	{X, cloud.OnDemand}:          {"L-7295265B", "Running On-Demand X instances"},
	{Inf, cloud.OnDemand}:        {"L-1945791B", "Running On-Demand Inf instances"},
	{Trn, cloud.OnDemand}:        {"L-2C3B7624", "Running On-Demand Trn instances"},
	{DL, cloud.OnDemand}:         {"L-6E869C2A", "Running On-Demand DL instances"},
	{HPC, cloud.OnDemand}:        {"L-F7808C92", "Running On-Demand HPC instances"},
	{HighMemory, cloud.OnDemand}: {"L-43DA4232", "Running On-Demand High Memory instances"},

	{Standard, cloud.Spot}: {"L-34B43A08", "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests"},
	{F, cloud.Spot}:        {"L-88CF9481", "All F Spot Instance Requests"},
	{G, cloud.Spot}:        {"L-3819A6DF", "All G and VT Spot Instance Requests"},
	{P, cloud.Spot}:        {"L-7212CCBC", "All P4, P3 and P2 Spot Instance Requests"},
	{P5, cloud.Spot}:       {"L-C4BD4855", "All P5 Spot Instance Requests"},
	{X, cloud.Spot}:        {"L-E3A00192", "All X Spot Instance Requests"},
	{Inf, cloud.Spot}:      {"L-B5D1601B", "All Inf Spot Instance Requests"},
	{Trn, cloud.Spot}:      {"L-6B0D517C", "All Trn Spot Instance Requests"},
	{DL, cloud.Spot}:       {"L-85EED4F7", "All DL Spot Instance Requests"},
}

// Code returns the quota's code, such as L-1216C47A; "" where EC2 has no such
// quota.
func (q Quota) Code() string { return quotas[q][0] }

// Name returns what Service Quotas calls it; "" where EC2 has no such quota.
func (q Quota) Name() string { return quotas[q][1] }
