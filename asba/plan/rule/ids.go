// Package rule names what can be wrong with an execution plan: the ids of its
// findings, the level of each, and what there is to say about it. It judges
// nothing: asba/plan finds what a text gets wrong, asba/plan/lint what a plan
// does.
package rule

import "aws-slurm-burst/asba/finding"

// Ids of findings. They are stable: an id is never used for something else. A
// finding's level belongs to its id: an error is what EC2 or Slurm would
// refuse, or what contradicts itself; a warning is what is merely unwise.
//
// The text.
const (
	TooLarge  = "PLAN001"
	Empty     = "PLAN002"
	Encoding  = "PLAN003"
	Syntax    = "PLAN004"
	Nesting   = "PLAN005"
	Duplicate = "PLAN006"
	Type      = "PLAN007"
	Range     = "PLAN008"
	Unknown   = "PLAN009"
	Comment   = "PLAN010"
	Disagree  = "PLAN011"
	Stale     = "PLAN012"
	TooMany   = "PLAN013"
)

// What is asked for, whatever the instance types.
const (
	NoTypes      = "PLAN020"
	Purchasing   = "PLAN021"
	Placement    = "PLAN022"
	TypeName     = "PLAN023"
	Zone         = "PLAN024"
	Tag          = "PLAN025"
	Budget       = "PLAN026"
	IdleCap      = "PLAN027"
	Spread       = "PLAN028"
	Count        = "PLAN029"
	Times        = "PLAN046"
	Alert        = "PLAN047"
	Regions      = "PLAN048"
	Templates    = "PLAN049"
	ResourceID   = "PLAN056"
	UserDataSize = "PLAN057"
	Twice        = "PLAN058"
	OwnTag       = "PLAN059"
)

// Instance types, as the catalogue has them.
const (
	UnknownType = "PLAN030"
	NoneLeft    = "PLAN031"
	NoSpot      = "PLAN032"
	NoEFA       = "PLAN033"
	NoPlacement = "PLAN034"
	ZoneID      = "PLAN035"
	ZoneName    = "PLAN036"
	TooSmall    = "PLAN037"
	MixedArchs  = "PLAN038"
	EFAZones    = "PLAN039"
)

// Processes and prices.
const (
	NoProcesses   = "PLAN040"
	Processes     = "PLAN041"
	TooFewNodes   = "PLAN042"
	SpotCap       = "PLAN043"
	HourlyCap     = "PLAN044"
	UsualSpot     = "PLAN045"
	TotalTooSmall = "PLAN060"
	Interrupted   = "PLAN061"
	NotInRegion   = "PLAN062"
	IdleTotal     = "PLAN063"
	SpotCounted   = "PLAN064"
)

// What a site's policy keeps for itself.
const (
	PolicyUserData  = "PLAN050"
	PolicyProfile   = "PLAN051"
	PolicyTemplate  = "PLAN052"
	PolicyGroups    = "PLAN053"
	PolicySubnets   = "PLAN054"
	PolicyGroupName = "PLAN055"
)

// What is about the file of a plan, whatever it says.
const (
	WorldWritable = "SRC001"
	OtherPlan     = "SRC002"
)

// warnings are the ids that are not errors.
var warnings = map[string]bool{
	Unknown: true, Comment: true, Stale: true,
	IdleCap: true, Count: true, Alert: true, Twice: true, OwnTag: true,
	ZoneName:    true,
	IdleTotal:   true,
	SpotCounted: true,
	NoProcesses: true, TooFewNodes: true, UsualSpot: true, TotalTooSmall: true, Interrupted: true,
	PolicyUserData: true, PolicyProfile: true, PolicyTemplate: true,
	PolicyGroups: true, PolicySubnets: true, PolicyGroupName: true,
}

// Level returns the level that belongs to an id.
func Level(id string) finding.Level {
	if warnings[id] {
		return finding.Warning
	}
	return finding.Error
}

// ForAuthors reports whether a finding of this id is for those who write plans
// alone: whoever carries one out, on the nodes that Slurm has chosen, has
// nothing to do about it.
func ForAuthors(id string) bool {
	return id == NoProcesses || id == TooFewNodes || id == Alert || id == Twice
}

// Foretold reports whether a launch finds out what a finding of this id says,
// by offers and prices that are newer than the catalogue's: an executor goes on
// and lets EC2 decide.
func Foretold(id string) bool {
	switch id {
	case ZoneID, ZoneName, NotInRegion, SpotCap, UsualSpot, HourlyCap, SpotCounted, TotalTooSmall, Interrupted:
		return true
	}
	return false
}

// DropsType reports whether a finding of this id is about one instance type of
// several: an executor drops that type and goes on with the others.
func DropsType(id string) bool {
	switch id {
	case TypeName, UnknownType, NoSpot, NoEFA, NoPlacement, TooSmall:
		return true
	}
	return false
}
