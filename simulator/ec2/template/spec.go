package template

import (
	"cmp"
	"slices"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/simulator/ec2/api"
)

// Spec is what RunInstances and a launch template's data have in common. A
// zero field was not given.
type Spec struct {
	Type, ImageID, SubnetID, AZ string
	Group                       string // placement group's name
	GroupID                     string
	Market                      cloud.Market
	MaxPrice                    string // USD an hour, as written
	SecurityGroups              []string
	SecurityGroupNames          []string
	Interfaces                  []Interface
	KeyName, InstanceProfile    string
	UserData                    string // base64, as sent
	Tags                        []api.TagSpec
}

// Interface asks for a network interface.
type Interface struct {
	Device, Card int
	SubnetID     string
	Groups       []string
	Kind         string // "", interface, efa or efa-only
}

// Over puts a request's spec over a template's: field by field, interfaces as
// a whole, tags key by key.
func (s Spec) Over(t Spec) Spec {
	s.Type = cmp.Or(s.Type, t.Type)
	s.ImageID = cmp.Or(s.ImageID, t.ImageID)
	s.SubnetID = cmp.Or(s.SubnetID, t.SubnetID)
	s.AZ = cmp.Or(s.AZ, t.AZ)
	if s.Group == "" && s.GroupID == "" {
		s.Group, s.GroupID = t.Group, t.GroupID
	}
	if s.Market == "" {
		s.Market, s.MaxPrice = t.Market, t.MaxPrice
	}
	if len(s.SecurityGroups)+len(s.SecurityGroupNames) == 0 {
		s.SecurityGroups, s.SecurityGroupNames = t.SecurityGroups, t.SecurityGroupNames
	}
	if len(s.Interfaces) == 0 {
		s.Interfaces = t.Interfaces
	}
	s.KeyName = cmp.Or(s.KeyName, t.KeyName)
	s.InstanceProfile = cmp.Or(s.InstanceProfile, t.InstanceProfile)
	s.UserData = cmp.Or(s.UserData, t.UserData)
	if len(t.Tags) > 0 {
		var merged []api.TagSpec
		for _, spec := range slices.Concat(t.Tags, s.Tags) {
			at := slices.IndexFunc(merged, func(m api.TagSpec) bool { return m.Kind == spec.Kind })
			if at < 0 {
				merged = append(merged, spec)
				continue
			}
			merged[at].Tags = api.Overlay(merged[at].Tags, spec.Tags)
		}
		s.Tags = merged
	}
	return s
}
