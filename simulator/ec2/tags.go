package ec2

import (
	"cmp"
	"slices"
	"strings"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/ec2/api"
	"aws-slurm-burst/simulator/ec2/network"
	"aws-slurm-burst/simulator/ec2/template"
)

// CreateTags puts the tags on every resource, or on none.
func (m *Model) CreateTags(ids []string, tags []cloud.Tag, dry bool) error {
	return do(m, Event{Action: "CreateTags", IDs: ids}, func(now env.Time, _ *Event) error {
		if len(tags) == 0 {
			return api.Missing("tags")
		}
		if err := api.CheckTags(tags); err != nil {
			return err
		}
		found, err := m.taggables(ids, now)
		if err != nil {
			return err
		}
		after := make([][]cloud.Tag, len(found))
		for i, t := range found {
			if after[i] = api.Overlay(t.Tags, tags); len(after[i]) > api.MaxTags {
				return api.TooManyTags()
			}
		}
		if dry {
			return api.DryRun()
		}
		for i, t := range found {
			t.Tags = after[i]
		}
		return nil
	})
}

// TagMatch names a tag to delete: any value, or only this one.
type TagMatch struct {
	Key   string
	Value *string
}

// DeleteTags takes the tags off every resource; without tags, all of them.
func (m *Model) DeleteTags(ids []string, tags []TagMatch, dry bool) error {
	return do(m, Event{Action: "DeleteTags", IDs: ids}, func(now env.Time, _ *Event) error {
		found, err := m.taggables(ids, now)
		if err != nil {
			return err
		}
		if dry {
			return api.DryRun()
		}
		for _, t := range found {
			t.Tags = slices.DeleteFunc(slices.Clone(t.Tags), func(have cloud.Tag) bool {
				return len(tags) == 0 || slices.ContainsFunc(tags, func(d TagMatch) bool {
					return d.Key == have.Key && (d.Value == nil || *d.Value == have.Value)
				})
			})
		}
		return nil
	})
}

func (m *Model) taggables(ids []string, now env.Time) ([]*api.Resource, error) {
	if len(ids) == 0 {
		return nil, api.Missing("resourceIdSet")
	}
	if len(ids) > api.MaxResources {
		return nil, api.BadValue("The maximum number of resources of one call is %d", api.MaxResources)
	}
	out := make([]*api.Resource, len(ids))
	for i, id := range ids {
		t := m.byID[id]
		if t == nil || !m.visible(t, now) {
			return nil, unknownID(id)
		}
		out[i] = t
	}
	return out, nil
}

// unknownID is EC2's error for an id that a tag call does not find; its code
// depends on the kind that the prefix claims.
func unknownID(id string) *api.Error {
	prefix, _, _ := strings.Cut(id, "-")
	switch prefix {
	case "i":
		return noInstances([]string{id})
	case "subnet":
		return network.NoSubnets([]string{id})
	case "vpc":
		return network.NoVPCs([]string{id})
	case "sg":
		return network.NoSecurityGroups([]string{id})
	case "ami":
		return noImages([]string{id})
	case "lt":
		return template.Unknown([]string{id})
	case "vol":
		return api.Refuse("InvalidVolume.NotFound", "The volume '%s' does not exist.", id)
	}
	return api.Refuse("InvalidID", "The ID '%s' is not valid", id)
}

// TagDescription is one line of DescribeTags.
type TagDescription struct{ ResourceID, Kind, Key, Value string }

// tagRow is a resource seen as one of its tags. DescribeTags filters it by its
// own fields, of which tag:KEY is one.
type tagRow struct {
	api.Resource
	TagDescription
}

var tagFields = api.Fields[*tagRow]{
	"key":           api.Value(func(r *tagRow) string { return r.Key }),
	"value":         api.Value(func(r *tagRow) string { return r.Value }),
	"resource-id":   api.Value(func(r *tagRow) string { return r.ResourceID }),
	"resource-type": api.Value(func(r *tagRow) string { return r.TagDescription.Kind }),
}

// DescribeTags lists tags, a line each, ordered by resource and key.
func (m *Model) DescribeTags(q api.Query) (api.Page[TagDescription], error) {
	return call(m, Event{Action: "DescribeTags"}, func(now env.Time, _ *Event) (api.Page[TagDescription], error) {
		var resources []*api.Resource
		for _, t := range m.byID {
			if m.visible(t, now) {
				resources = append(resources, t)
			}
		}
		slices.SortFunc(resources, func(a, b *api.Resource) int { return cmp.Compare(a.Seq, b.Seq) })
		var rows []*tagRow
		for _, r := range resources {
			for i, t := range r.Tags {
				rows = append(rows, &tagRow{
					Resource:       api.Resource{ID: r.ID, Tags: r.Tags[i : i+1], Seq: r.Seq*(api.MaxTags+1) + uint64(i) + 1},
					TagDescription: TagDescription{r.ID, r.Kind, t.Key, t.Value},
				})
			}
		}
		p, err := api.Choose(rows, q, tagFields.Named, nil, nil)
		out := api.Page[TagDescription]{Next: p.Next}
		for _, r := range p.Items {
			out.Items = append(out.Items, r.TagDescription)
		}
		return out, err
	})
}
