package ec2

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
)

// EC2's limits: tags a resource, characters a key and a value, resources a
// call.
const (
	maxTags      = 50
	maxTagKey    = 128
	maxTagValue  = 256
	maxTaggables = 1000
)

// TagSpec is a TagSpecification: tags for one kind of resource that the call
// makes.
type TagSpec struct {
	Kind string
	Tags []cloud.Tag
}

// checkTags refuses tags that EC2 would.
func checkTags(tags []cloud.Tag) *Error {
	if len(tags) > maxTags {
		return tooManyTags()
	}
	for i, t := range tags {
		switch {
		case t.Key == "":
			return badValue("Tag keys must be between 1 and %d characters long", maxTagKey)
		case utf8.RuneCountInString(t.Key) > maxTagKey:
			return badValue("Tag key exceeds the maximum length of %d characters", maxTagKey)
		case utf8.RuneCountInString(t.Value) > maxTagValue:
			return badValue("Tag value exceeds the maximum length of %d characters", maxTagValue)
		case len(t.Key) >= 4 && strings.EqualFold(t.Key[:4], "aws:"):
			return badValue("Tag keys starting with 'aws:' are reserved for internal use")
		case slices.ContainsFunc(tags[:i], func(u cloud.Tag) bool { return u.Key == t.Key }):
			return badValue("Duplicate tag key '%s' specified.", t.Key)
		}
	}
	return nil
}

func tooManyTags() *Error {
	return Refuse("TagLimitExceeded", "The maximum number of Tags for a resource has been reached. Limit: %d", maxTags)
}

// tagsFor checks all specs, each of which must be of an allowed kind, and
// returns the sorted tags of one kind.
func tagsFor(specs []TagSpec, kind string, allowed ...string) ([]cloud.Tag, error) {
	var out []cloud.Tag
	for _, s := range specs {
		if s.Kind != kind && !slices.Contains(allowed, s.Kind) {
			return nil, badValue("'%s' is not a valid taggable resource type for this operation.", s.Kind)
		}
		if err := checkTags(s.Tags); err != nil {
			return nil, err
		}
		if s.Kind == kind {
			out = append(out, s.Tags...)
		}
	}
	// Two specs for one kind are checked together.
	if err := checkTags(out); err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b cloud.Tag) int { return cmp.Compare(a.Key, b.Key) })
	return out, nil
}

// overlay returns the tags with others put over them, sorted by key.
func overlay(tags, over []cloud.Tag) []cloud.Tag {
	out := make([]cloud.Tag, 0, len(tags)+len(over))
	for _, t := range tags {
		if !slices.ContainsFunc(over, func(o cloud.Tag) bool { return o.Key == t.Key }) {
			out = append(out, t)
		}
	}
	out = append(out, over...)
	slices.SortFunc(out, func(a, b cloud.Tag) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

// CreateTags puts the tags on every resource, or on none.
func (m *Model) CreateTags(ids []string, tags []cloud.Tag, dry bool) error {
	return do(m, Event{Action: "CreateTags", IDs: ids}, func(now env.Time, _ *Event) error {
		if len(tags) == 0 {
			return missing("tags")
		}
		if err := checkTags(tags); err != nil {
			return err
		}
		found, err := m.taggables(ids, now)
		if err != nil {
			return err
		}
		after := make([][]cloud.Tag, len(found))
		for i, t := range found {
			if after[i] = overlay(t.Tags, tags); len(after[i]) > maxTags {
				return tooManyTags()
			}
		}
		if dry {
			return dryRun()
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
			return dryRun()
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

func (m *Model) taggables(ids []string, now env.Time) ([]*tagged, error) {
	if len(ids) == 0 {
		return nil, missing("resourceIdSet")
	}
	if len(ids) > maxTaggables {
		return nil, badValue("The maximum number of resources of one call is %d", maxTaggables)
	}
	out := make([]*tagged, len(ids))
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
func unknownID(id string) *Error {
	prefix, _, _ := strings.Cut(id, "-")
	switch prefix {
	case "i":
		return noInstances([]string{id})
	case "subnet":
		return noSubnets([]string{id})
	case "vpc":
		return noVPCs([]string{id})
	case "sg":
		return noSecurityGroups([]string{id})
	case "ami":
		return noImages([]string{id})
	case "lt":
		return noTemplates([]string{id})
	case "vol":
		return Refuse("InvalidVolume.NotFound", "The volume '%s' does not exist.", id)
	}
	return Refuse("InvalidID", "The ID '%s' is not valid", id)
}

// TagDescription is one line of DescribeTags.
type TagDescription struct{ ResourceID, Kind, Key, Value string }

// tagRow is a resource seen as one of its tags. DescribeTags filters it by its
// own fields, of which tag:KEY is one.
type tagRow struct {
	tagged
	TagDescription
}

var tagFields = fields[*tagRow]{
	"key":           value(func(r *tagRow) string { return r.Key }),
	"value":         value(func(r *tagRow) string { return r.Value }),
	"resource-id":   value(func(r *tagRow) string { return r.ResourceID }),
	"resource-type": value(func(r *tagRow) string { return r.TagDescription.Kind }),
}

// DescribeTags lists tags, a line each, ordered by resource and key.
func (m *Model) DescribeTags(q Query) (Page[TagDescription], error) {
	return call(m, Event{Action: "DescribeTags"}, func(now env.Time, _ *Event) (Page[TagDescription], error) {
		var resources []*tagged
		for _, t := range m.byID {
			if m.visible(t, now) {
				resources = append(resources, t)
			}
		}
		slices.SortFunc(resources, func(a, b *tagged) int { return cmp.Compare(a.seq, b.seq) })
		var rows []*tagRow
		for _, r := range resources {
			for i, t := range r.Tags {
				rows = append(rows, &tagRow{
					tagged:         tagged{ID: r.ID, Tags: r.Tags[i : i+1], seq: r.seq*(maxTags+1) + uint64(i) + 1},
					TagDescription: TagDescription{r.ID, r.Kind, t.Key, t.Value},
				})
			}
		}
		p, err := choose(rows, q, tagFields.named, nil, nil)
		out := Page[TagDescription]{Next: p.Next}
		for _, r := range p.Items {
			out.Items = append(out.Items, r.TagDescription)
		}
		return out, err
	})
}
