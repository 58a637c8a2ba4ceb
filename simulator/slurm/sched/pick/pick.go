// Package pick finds nodes for a job that could start now, or on nodes as they will
// be: in one of the options of its place, whole or shared.
//
// What all jobs that ask for the same come to is worked out once, their shape. Who
// is next, and what is kept for whom, is for who asks.
package pick

import (
	"math"

	"aws-slurm-burst/simulator/slurm/sched/rows"
	"aws-slurm-burst/simulator/slurm/sched/site"
)

// Picker finds nodes of a site. Its slices are used again.
type Picker struct {
	Site *site.Site
	// Shared lets jobs share nodes, and Memory makes memory a thing to share.
	Shared, Memory bool

	// Shapes have numbers, found by what they are.
	Shapes  []Shape
	shapeOf map[Ask]int32
	unused  []int32 // numbers of shapes that nobody has

	// Chosen are the nodes that were found last and, where the job shares them, CPUs
	// how many it gets of each.
	Chosen, CPUs []int32
	// Work is how many nodes of each class of a set SplitWant or Any takes.
	Work []int32
	// Member says which classes Belong has marked.
	Member []bool

	have, counts, pool []int32
	taker              rows.Taker
	candidates         []rows.Node
}

// New returns a picker of a site that has its partitions and classes later.
func New(s *site.Site, shared, memory bool) Picker {
	return Picker{Site: s, Shared: shared, Memory: memory, shapeOf: map[Ask]int32{}}
}

// Reform works all shapes out anew, when a partition has changed.
func (p *Picker) Reform() {
	for i := range p.Shapes {
		p.form(&p.Shapes[i])
	}
}

// hole is a number of nodes that there cannot be.
const hole = math.MaxInt32
