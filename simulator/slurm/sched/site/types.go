// Package site is what a cluster has for jobs: partitions, classes of nodes, nodes
// with what is free of them, and the places that jobs name.
//
// It knows no job and chooses nothing. Whoever takes something of a node, or gives
// it back, says so between Leave and Enter.
package site

import (
	"errors"
	"time"
)

// Partition is a queue.
type Partition struct {
	Name string
	// MaxNodes and MaxTime are the most that a job may have, DefaultTime is the
	// limit of one that asked for none; 0 is no limit.
	MaxNodes             int32
	MaxTime, DefaultTime time.Duration
	// Tier is PriorityTier: jobs of a higher one go first, whatever their
	// priority. Factor is PriorityJobFactor.
	Tier, Factor int32
	// Exclusive is OverSubscribe=EXCLUSIVE: whole nodes for each job.
	Exclusive bool
	// Down keeps its jobs waiting (State=DOWN or INACTIVE).
	Down bool
}

// Class is what nodes that differ in nothing but their name have in common.
type Class struct {
	Partitions []string
	Features   []string
	// Weight decides who is taken first: the lowest.
	Weight int32
	CPUs   int32
	// Threads are the CPUs of a core, 1 where it is 0. Where jobs share nodes each
	// gets whole cores.
	Threads int32
	GPUs    int32
	Memory  int64 // MiB
}

// Availability is what can be done with a node now.
type Availability uint8

const (
	// Up takes jobs.
	Up Availability = iota
	// Booting takes jobs, which wait for it. Off is powered down: it takes jobs,
	// and boots for them. Nodes that are Up go first and those that are Off last,
	// whatever the weights (slurm.conf(5), Weight).
	Booting
	Off
	// Back takes no jobs before an instant that is known, such as the end of
	// SuspendTimeout.
	Back
	// Out takes no jobs, and nobody knows until when: down, drained, failed.
	Out
)

// ErrNoPartition is the error of a Place in a partition that there is not.
var ErrNoPartition = errors.New("no such partition")

// Site is a cluster. Partitions and classes come first, then nodes and places.
type Site struct {
	Partitions []Partition
	Classes    []Members
	Nodes      []Node
	CPUs       int64 // of all nodes
	Open       int32 // nodes that are usable and not full
	Unusable   int32 // nodes that are Back or Out
	Coming     int32 // and those that are Back

	// Places and sets have numbers, found by what they are.
	Places      []Place
	Sets        []Set
	placeOf     map[placeKey]int32
	placeNumber map[string]int32
	setOf       map[string]int32
}

// New returns a site with nothing in it.
func New() Site {
	return Site{placeOf: map[placeKey]int32{}, placeNumber: map[string]int32{}, setOf: map[string]int32{}}
}
