package ec2

import (
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/ec2/api"
	"aws-slurm-burst/simulator/ec2/template"
)

// CreateLaunchTemplate makes a template with its version 1.
func (m *Model) CreateLaunchTemplate(r template.Request) (template.Template, error) {
	return call(m, Event{Action: "CreateLaunchTemplate"}, func(now env.Time, ev *Event) (template.Template, error) {
		t, err := m.templates.Create(r, now)
		if err != nil {
			return template.Template{}, err
		}
		ev.IDs = []string{t.ID}
		return *t, nil
	})
}

// CreateLaunchTemplateVersion adds a version: the data given, over those of a
// source version where one is named.
func (m *Model) CreateLaunchTemplateVersion(r template.Request) (template.Version, error) {
	return call(m, Event{Action: "CreateLaunchTemplateVersion"}, func(now env.Time, ev *Event) (template.Version, error) {
		v, err := m.templates.CreateVersion(r, now)
		if err == nil {
			ev.IDs = []string{v.ID}
		}
		return v, err
	})
}

// DeleteLaunchTemplate ends a template and returns what it was.
func (m *Model) DeleteLaunchTemplate(ref template.Ref, dry bool) (template.Template, error) {
	return call(m, Event{Action: "DeleteLaunchTemplate"}, func(_ env.Time, ev *Event) (template.Template, error) {
		t, err := m.templates.Delete(ref, dry)
		if err != nil {
			return template.Template{}, err
		}
		delete(m.byID, t.ID)
		ev.IDs = []string{t.ID}
		return *t, nil
	})
}

// DescribeLaunchTemplates lists templates, by id (q.IDs) or by name.
func (m *Model) DescribeLaunchTemplates(q api.Query, names []string) (api.Page[template.Template], error) {
	return call(m, Event{Action: "DescribeLaunchTemplates"}, func(env.Time, *Event) (api.Page[template.Template], error) {
		return m.templates.Describe(q, names)
	})
}

// DescribeLaunchTemplateVersions lists the named versions of a template, or
// all of them, newest first.
func (m *Model) DescribeLaunchTemplateVersions(ref template.Ref, versions []string) ([]template.Version, error) {
	return call(m, Event{Action: "DescribeLaunchTemplateVersions"}, func(env.Time, *Event) ([]template.Version, error) {
		return m.templates.DescribeVersions(ref, versions)
	})
}
