// Package api is what all calls of EC2's API have in common: how they are refused,
// what a resource is called by, its tags, filters and pages.
//
// It knows no kind of resource, holds none, and counts no calls: the EC2 model does.
package api

import (
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
)

// Resource is the part that every resource has.
type Resource struct {
	ID   string
	Kind string // EC2's resource type: instance, subnet, ...
	// Tags is sorted by key and replaced as a whole, so that copies of it that
	// have left the lock stay as they were.
	Tags []cloud.Tag

	Seq  uint64   // order of creation, from 1; pages go by it
	Seen env.Time // by others, from then on
}

// Common returns the part itself: whatever embeds it is a Row.
func (r *Resource) Common() *Resource { return r }

// Register files a new resource under an id with this prefix.
type Register func(r *Resource, prefix, kind string, tags []cloud.Tag)

// WellFormed reports whether id is the prefix with 8 or 17 hex digits.
func WellFormed(id, prefix string) bool {
	digits := len(id) - len(prefix) - 1
	if digits != 8 && digits != 17 || id[:len(prefix)+1] != prefix+"-" {
		return false
	}
	for _, c := range id[len(prefix)+1:] {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// ASCII reports whether a text has printable ASCII characters alone.
func ASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
