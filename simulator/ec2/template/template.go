// Package template is EC2's launch templates, and what a launch can ask for: the two
// have the same form.
//
// It launches nothing, and does not judge what a template asks for: EC2 does so when
// one is used. It has no lock and no clock: the EC2 model calls it.
package template

import (
	"slices"
	"strconv"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/ec2/api"
)

// Template is a launch template.
type Template struct {
	api.Resource
	Name            string
	Created         env.Time
	Default, Latest int // version numbers

	versions []Version
}

// Version is one version of a launch template.
type Version struct {
	ID, Name    string // of the template
	Number      int
	Default     bool
	Description string
	Created     env.Time
	Data        Spec
}

// Ref names a template by id or by name, and a version by number,
// $Latest or $Default ("" too).
type Ref struct{ ID, Name, Version string }

// Request is CreateLaunchTemplate, and with a Ref and without a Name
// CreateLaunchTemplateVersion.
type Request struct {
	Name        string
	Ref         Ref // Version is the source version, "" for none
	Description string
	Data        Spec
	Tags        []api.TagSpec
	DryRun      bool
}

// List is all templates of an account in a region.
type List struct {
	list     []*Template
	register api.Register
}

// New returns an empty list.
func New(register api.Register) *List { return &List{register: register} }

// Create makes a template with its version 1.
func (l *List) Create(r Request, now env.Time) (*Template, error) {
	if r.Name == "" {
		return nil, api.Missing("LaunchTemplateName")
	}
	if len(r.Name) < 3 || len(r.Name) > 128 || !api.ASCII(r.Name) {
		return nil, api.Refuse("InvalidLaunchTemplateName.MalformedException", "The launch template name '%s' is not 3 to 128 ASCII characters.", r.Name)
	}
	for _, t := range l.list {
		if t.Name == r.Name {
			return nil, api.Refuse("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.")
		}
	}
	tags, err := api.TagsFor(r.Tags, "launch-template")
	if err != nil {
		return nil, err
	}
	if r.DryRun {
		return nil, api.DryRun()
	}
	t := &Template{Name: r.Name, Created: now, Default: 1, Latest: 1}
	l.register(&t.Resource, "lt", "launch-template", tags)
	t.versions = []Version{{Number: 1, Description: r.Description, Created: now, Data: r.Data}}
	l.list = append(l.list, t)
	return t, nil
}

// CreateVersion adds a version: the data given, over those of a source version where
// one is named.
func (l *List) CreateVersion(r Request, now env.Time) (Version, error) {
	t, err := l.Find(r.Ref)
	if err != nil {
		return Version{}, err
	}
	if r.Ref.Version != "" {
		source, err := t.Version(r.Ref.Version)
		if err != nil {
			return Version{}, err
		}
		r.Data = r.Data.Over(source.Data)
	}
	if r.DryRun {
		return Version{}, api.DryRun()
	}
	t.Latest++
	t.versions = append(t.versions, Version{Number: t.Latest, Description: r.Description, Created: now, Data: r.Data})
	return t.view(t.versions[t.Latest-1]), nil
}

// Delete ends a template and returns what it was.
func (l *List) Delete(ref Ref, dry bool) (*Template, error) {
	t, err := l.Find(ref)
	if err != nil {
		return nil, err
	}
	if dry {
		return nil, api.DryRun()
	}
	l.list = slices.DeleteFunc(l.list, func(u *Template) bool { return u == t })
	return t, nil
}

var fields = api.Fields[*Template]{
	"launch-template-name": api.Value(func(t *Template) string { return t.Name }),
}

// Unknown refuses ids of no template.
func Unknown(ids []string) *api.Error {
	return api.Refuse("InvalidLaunchTemplateId.NotFound", "The specified launch template, with template ID %s, does not exist.", ids[0])
}

// Describe lists templates, by id (q.IDs) or by name.
func (l *List) Describe(q api.Query, names []string) (api.Page[Template], error) {
	for _, n := range names {
		t, err := l.Find(Ref{Name: n})
		if err != nil {
			return api.Page[Template]{}, err
		}
		q.IDs = append(q.IDs[:len(q.IDs):len(q.IDs)], t.ID)
	}
	return api.Views(api.Choose(l.list, q, fields.Named, Unknown, nil))
}

// DescribeVersions lists the named versions of a template, or all of them, newest
// first.
func (l *List) DescribeVersions(ref Ref, versions []string) ([]Version, error) {
	t, err := l.Find(ref)
	if err != nil {
		return nil, err
	}
	var out []Version
	for _, name := range versions {
		v, err := t.Version(name)
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
}

// Find finds a template.
func (l *List) Find(ref Ref) (*Template, error) {
	switch {
	case ref.ID != "" && ref.Name != "":
		return nil, api.BadCombination("Launch template ID and launch template name cannot both be specified.")
	case ref.ID == "" && ref.Name == "":
		return nil, api.Missing("LaunchTemplateId or LaunchTemplateName")
	case ref.ID != "" && !api.WellFormed(ref.ID, "lt"):
		return nil, api.Refuse("InvalidLaunchTemplateId.Malformed", `Invalid id: "%s" (expecting "lt-...")`, ref.ID)
	}
	for _, t := range l.list {
		if t.ID == ref.ID || t.Name == ref.Name {
			return t, nil
		}
	}
	if ref.ID != "" {
		return nil, Unknown([]string{ref.ID})
	}
	return nil, api.Refuse("InvalidLaunchTemplateName.NotFoundException", "The specified launch template, with template name %s, does not exist.", ref.Name)
}

// Version finds a version by its number, $Latest or $Default.
func (t *Template) Version(name string) (Version, error) {
	n := 0
	switch name {
	case "", "$Default":
		n = t.Default
	case "$Latest":
		n = t.Latest
	default:
		var err error
		if n, err = strconv.Atoi(name); err != nil {
			return Version{}, api.BadValue("Invalid launch template version '%s': a number, $Latest or $Default", name)
		}
	}
	if n < 1 || n > len(t.versions) {
		return Version{}, api.Refuse("InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version %s for the launch template with ID %s.", name, t.ID)
	}
	return t.versions[n-1], nil
}

func (t *Template) view(v Version) Version {
	v.ID, v.Name, v.Default = t.ID, t.Name, v.Number == t.Default
	return v
}
