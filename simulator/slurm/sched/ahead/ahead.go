// Package ahead says when a job could have its nodes, if running jobs end by their
// limits and nodes come back when they are expected: for EASY's promise and for
// Slurm's reservations, on whole nodes and on shared ones.
//
// It keeps who runs until when. Who is promised what is for who asks.
package ahead

import (
	"math"
	"sort"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched/pick"
	"aws-slurm-burst/simulator/slurm/sched/site"
)

// Never is later than every instant that is planned for.
const Never = env.Time(math.MaxInt64)

// Use is what a running job has.
type Use struct {
	Nodes []int32
	CPUs  []int32 // of each of them, where it shares them
	Whole bool    // it has all of them
	// GPUs and Memory are on each node.
	GPUs   int32
	Memory int64 // MiB
}

// GiveBack returns what it has of its i-th node.
func (u *Use) GiveBack(s *site.Site, n *site.Node, i int) {
	n.Jobs--
	if u.Whole {
		n.CPUs = s.Classes[n.Class].CPUs
		return
	}
	n.CPUs += u.CPUs[i]
	n.GPUs += u.GPUs
	n.Memory += u.Memory
}

// Ending is the end of a running job's limit; its ID tells apart those of the same
// instant.
type Ending struct {
	At  env.Time
	ID  int64
	Use *Use
}

// Planner looks ahead from what a site has. Its slices are used again.
type Planner struct {
	Site *site.Site
	Pick *pick.Picker
	// Linear is bf_window_linear, see slots.Ends.
	Linear time.Duration
	// Running are the running jobs by their ends.
	Running []Ending

	counts, offers []int32
	late           []arrival
	ready          []env.Time
	rest           []site.Node
	edges, backs   []edge
}

// Expect enters a running job, and Forget takes it out. Both return its place.
func (p *Planner) Expect(e Ending) int {
	at := p.find(e)
	p.Running = append(p.Running, Ending{})
	copy(p.Running[at+1:], p.Running[at:])
	p.Running[at] = e
	return at
}

func (p *Planner) Forget(e Ending) int {
	at := p.find(e)
	for p.Running[at].Use != e.Use {
		at++
	}
	p.Running = append(p.Running[:at], p.Running[at+1:]...)
	return at
}

func (p *Planner) find(e Ending) int {
	return sort.Search(len(p.Running), func(i int) bool {
		r := &p.Running[i]
		return r.At > e.At || r.At == e.At && r.ID >= e.ID
	})
}
