package ec2

import (
	"slices"
	"strconv"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/ec2/api"
)

// Template is a launch template.
type Template struct {
	api.Resource
	Name            string
	Created         env.Time
	Default, Latest int // version numbers

	versions []TemplateVersion
}

// TemplateVersion is one version of a launch template.
type TemplateVersion struct {
	ID, Name    string // of the template
	Number      int
	Default     bool
	Description string
	Created     env.Time
	Data        Spec
}

// TemplateRef names a template by id or by name, and a version by number,
// $Latest or $Default ("" too).
type TemplateRef struct{ ID, Name, Version string }

// TemplateRequest is CreateLaunchTemplate, and with a Ref and without a Name
// CreateLaunchTemplateVersion.
type TemplateRequest struct {
	Name        string
	Ref         TemplateRef // Version is the source version, "" for none
	Description string
	Data        Spec
	Tags        []api.TagSpec
	DryRun      bool
}

// CreateLaunchTemplate makes a template with its version 1.
func (m *Model) CreateLaunchTemplate(r TemplateRequest) (Template, error) {
	return call(m, Event{Action: "CreateLaunchTemplate"}, func(now env.Time, ev *Event) (Template, error) {
		if r.Name == "" {
			return Template{}, api.Missing("LaunchTemplateName")
		}
		if len(r.Name) < 3 || len(r.Name) > 128 || !ascii(r.Name) {
			return Template{}, api.Refuse("InvalidLaunchTemplateName.MalformedException", "The launch template name '%s' is not 3 to 128 ASCII characters.", r.Name)
		}
		for _, t := range m.templates {
			if t.Name == r.Name {
				return Template{}, api.Refuse("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.")
			}
		}
		tags, err := api.TagsFor(r.Tags, "launch-template")
		if err != nil {
			return Template{}, err
		}
		if r.DryRun {
			return Template{}, api.DryRun()
		}
		t := &Template{Name: r.Name, Created: now, Default: 1, Latest: 1}
		m.register(&t.Resource, m.id("lt"), "launch-template", tags, now)
		t.versions = []TemplateVersion{{Number: 1, Description: r.Description, Created: now, Data: r.Data}}
		m.templates = append(m.templates, t)
		ev.IDs = []string{t.ID}
		return *t, nil
	})
}

// CreateLaunchTemplateVersion adds a version: the data given, over those of a
// source version where one is named.
func (m *Model) CreateLaunchTemplateVersion(r TemplateRequest) (TemplateVersion, error) {
	return call(m, Event{Action: "CreateLaunchTemplateVersion"}, func(now env.Time, ev *Event) (TemplateVersion, error) {
		t, err := m.template(r.Ref)
		if err != nil {
			return TemplateVersion{}, err
		}
		if r.Ref.Version != "" {
			source, err := t.version(r.Ref.Version)
			if err != nil {
				return TemplateVersion{}, err
			}
			r.Data = r.Data.over(source.Data)
		}
		if r.DryRun {
			return TemplateVersion{}, api.DryRun()
		}
		t.Latest++
		t.versions = append(t.versions, TemplateVersion{Number: t.Latest, Description: r.Description, Created: now, Data: r.Data})
		ev.IDs = []string{t.ID}
		return t.view(t.versions[t.Latest-1]), nil
	})
}

// DeleteLaunchTemplate ends a template and returns what it was.
func (m *Model) DeleteLaunchTemplate(ref TemplateRef, dry bool) (Template, error) {
	return call(m, Event{Action: "DeleteLaunchTemplate"}, func(_ env.Time, ev *Event) (Template, error) {
		t, err := m.template(ref)
		if err != nil {
			return Template{}, err
		}
		if dry {
			return Template{}, api.DryRun()
		}
		m.templates = slices.DeleteFunc(m.templates, func(u *Template) bool { return u == t })
		delete(m.byID, t.ID)
		ev.IDs = []string{t.ID}
		return *t, nil
	})
}

var templateFields = api.Fields[*Template]{
	"launch-template-name": api.Value(func(t *Template) string { return t.Name }),
}

func noTemplates(ids []string) *api.Error {
	return api.Refuse("InvalidLaunchTemplateId.NotFound", "The specified launch template, with template ID %s, does not exist.", ids[0])
}

// DescribeLaunchTemplates lists templates, by id (q.IDs) or by name.
func (m *Model) DescribeLaunchTemplates(q api.Query, names []string) (api.Page[Template], error) {
	return call(m, Event{Action: "DescribeLaunchTemplates"}, func(env.Time, *Event) (api.Page[Template], error) {
		for _, n := range names {
			t, err := m.template(TemplateRef{Name: n})
			if err != nil {
				return api.Page[Template]{}, err
			}
			q.IDs = append(q.IDs[:len(q.IDs):len(q.IDs)], t.ID)
		}
		return api.Views(api.Choose(m.templates, q, templateFields.Named, noTemplates, nil))
	})
}

// DescribeLaunchTemplateVersions lists the named versions of a template, or
// all of them, newest first.
func (m *Model) DescribeLaunchTemplateVersions(ref TemplateRef, versions []string) ([]TemplateVersion, error) {
	return call(m, Event{Action: "DescribeLaunchTemplateVersions"}, func(env.Time, *Event) ([]TemplateVersion, error) {
		t, err := m.template(ref)
		if err != nil {
			return nil, err
		}
		var out []TemplateVersion
		for _, name := range versions {
			v, err := t.version(name)
			if err != nil {
				return nil, err
			}
			out = append(out, t.view(v))
		}
		if len(versions) == 0 {
			for _, v := range slices.Backward(t.versions) {
				out = append(out, t.view(v))
			}
		}
		return out, nil
	})
}

func (m *Model) template(ref TemplateRef) (*Template, error) {
	switch {
	case ref.ID != "" && ref.Name != "":
		return nil, api.BadCombination("Launch template ID and launch template name cannot both be specified.")
	case ref.ID == "" && ref.Name == "":
		return nil, api.Missing("LaunchTemplateId or LaunchTemplateName")
	case ref.ID != "" && !wellFormed(ref.ID, "lt"):
		return nil, api.Refuse("InvalidLaunchTemplateId.Malformed", `Invalid id: "%s" (expecting "lt-...")`, ref.ID)
	}
	for _, t := range m.templates {
		if t.ID == ref.ID || t.Name == ref.Name {
			return t, nil
		}
	}
	if ref.ID != "" {
		return nil, noTemplates([]string{ref.ID})
	}
	return nil, api.Refuse("InvalidLaunchTemplateName.NotFoundException", "The specified launch template, with template name %s, does not exist.", ref.Name)
}

func (t *Template) version(name string) (TemplateVersion, error) {
	n := 0
	switch name {
	case "", "$Default":
		n = t.Default
	case "$Latest":
		n = t.Latest
	default:
		var err error
		if n, err = strconv.Atoi(name); err != nil {
			return TemplateVersion{}, api.BadValue("Invalid launch template version '%s': a number, $Latest or $Default", name)
		}
	}
	if n < 1 || n > len(t.versions) {
		return TemplateVersion{}, api.Refuse("InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version %s for the launch template with ID %s.", name, t.ID)
	}
	return t.versions[n-1], nil
}

func (t *Template) view(v TemplateVersion) TemplateVersion {
	v.ID, v.Name, v.Default = t.ID, t.Name, v.Number == t.Default
	return v
}

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

// over puts a request's spec over a template's: field by field, interfaces as
// a whole, tags key by key.
func (s Spec) over(t Spec) Spec {
	s.Type = orDefault(s.Type, t.Type)
	s.ImageID = orDefault(s.ImageID, t.ImageID)
	s.SubnetID = orDefault(s.SubnetID, t.SubnetID)
	s.AZ = orDefault(s.AZ, t.AZ)
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
	s.KeyName = orDefault(s.KeyName, t.KeyName)
	s.InstanceProfile = orDefault(s.InstanceProfile, t.InstanceProfile)
	s.UserData = orDefault(s.UserData, t.UserData)
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
