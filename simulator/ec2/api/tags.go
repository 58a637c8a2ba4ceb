package api

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"aws-slurm-burst/executor/cloud"
)

// EC2's limits: tags a resource, characters a key and a value, resources a
// call.
const (
	MaxTags      = 50
	maxTagKey    = 128
	maxTagValue  = 256
	MaxResources = 1000
)

// TagSpec is a TagSpecification: tags for one kind of resource that the call
// makes.
type TagSpec struct {
	Kind string
	Tags []cloud.Tag
}

// CheckTags refuses tags that EC2 would.
func CheckTags(tags []cloud.Tag) *Error {
	if len(tags) > MaxTags {
		return TooManyTags()
	}
	for i, t := range tags {
		switch {
		case t.Key == "":
			return BadValue("Tag keys must be between 1 and %d characters long", maxTagKey)
		case utf8.RuneCountInString(t.Key) > maxTagKey:
			return BadValue("Tag key exceeds the maximum length of %d characters", maxTagKey)
		case utf8.RuneCountInString(t.Value) > maxTagValue:
			return BadValue("Tag value exceeds the maximum length of %d characters", maxTagValue)
		case len(t.Key) >= 4 && strings.EqualFold(t.Key[:4], "aws:"):
			return BadValue("Tag keys starting with 'aws:' are reserved for internal use")
		case slices.ContainsFunc(tags[:i], func(u cloud.Tag) bool { return u.Key == t.Key }):
			return BadValue("Duplicate tag key '%s' specified.", t.Key)
		}
	}
	return nil
}

// TooManyTags refuses one more.
func TooManyTags() *Error {
	return Refuse("TagLimitExceeded", "The maximum number of Tags for a resource has been reached. Limit: %d", MaxTags)
}

// TagsFor checks all specs, each of which must be of an allowed kind, and
// returns the sorted tags of one kind.
func TagsFor(specs []TagSpec, kind string, allowed ...string) ([]cloud.Tag, error) {
	var out []cloud.Tag
	for _, s := range specs {
		if s.Kind != kind && !slices.Contains(allowed, s.Kind) {
			return nil, BadValue("'%s' is not a valid taggable resource type for this operation.", s.Kind)
		}
		if err := CheckTags(s.Tags); err != nil {
			return nil, err
		}
		if s.Kind == kind {
			out = append(out, s.Tags...)
		}
	}
	// Two specs for one kind are checked together.
	if err := CheckTags(out); err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b cloud.Tag) int { return cmp.Compare(a.Key, b.Key) })
	return out, nil
}

// Overlay returns the tags with others put over them, sorted by key.
func Overlay(tags, over []cloud.Tag) []cloud.Tag {
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
