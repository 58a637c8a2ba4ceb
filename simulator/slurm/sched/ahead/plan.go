package ahead

import (
	"sort"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/slurm/sched/pick"
)

// Plan is how many whole nodes of each class are free, from each instant until
// the next one's. Counting is exact: nodes of a class are alike, and jobs that
// never exceed the count at any instant can always be given nodes in order of
// their starts.
type Plan struct {
	// Resolution is what instants are rounded up to.
	Resolution time.Duration
	Classes    int
	At         []env.Time
	Free       []int32 // classes of each instant
	// Least is what Fits found free of each class all the time.
	Least []int32
}

// Round rounds an instant up to the resolution after now.
func (p *Plan) Round(now, t env.Time) env.Time {
	r := p.Resolution
	if r <= 1 {
		return t
	}
	return now.Add((t.Sub(now) + r - 1) / r * r)
}

// LayOut begins a plan: what is free now, and what comes back as running jobs
// end by their limits.
func (a *Planner) LayOut(p *Plan, now env.Time) {
	p.Classes = len(a.Site.Classes)
	p.At = append(p.At[:0], now)
	p.Free = p.Free[:0]
	for c := range a.Site.Classes {
		p.Free = append(p.Free, a.Site.Classes[c].Idle())
	}
	arrive := a.arrivals(now)
	for t, ok := arrive.next(); ok; t, ok = arrive.next() {
		at := p.Round(now, t.at)
		if at > p.At[len(p.At)-1] {
			p.At = append(p.At, at)
			p.Free = append(p.Free, p.Free[len(p.Free)-p.Classes:]...)
		}
		p.Free[len(p.Free)-p.Classes+int(t.class)] += t.n
	}
}

// Fits returns -1 where a job can have its nodes from step from until end: Least
// has what is free of each class of its set all that time, and the
// picker's Work what the job would take of it. Else it returns the first step from which
// there is a chance: a step that is short of nodes by itself is so for every
// window that has it in it.
func (p *Plan) Fits(pk *pick.Picker, k *pick.Ask, w *pick.Want, from int, end env.Time) int {
	set := &pk.Site.Sets[w.Set]
	for len(p.Least) < p.Classes {
		p.Least = append(p.Least, 0)
	}
	if len(set.Classes) == 1 && w.Plain {
		c := int(set.Classes[0])
		for i := from; i < len(p.At) && (i == from || p.At[i] < end); i++ {
			if p.Free[i*p.Classes+c] < w.Need {
				return i + 1
			}
		}
		p.Least[c] = w.Need
		pk.Work = append(pk.Work[:0], w.Need)
		return -1
	}
	for i := from; i < len(p.At) && (i == from || p.At[i] < end); i++ {
		free := p.Free[i*p.Classes : (i+1)*p.Classes]
		var here, always struct{ nodes, cpus int32 }
		for m, c := range set.Classes {
			n := free[c]
			here.nodes += n
			here.cpus += n * set.CPUs[m]
			if i == from || n < p.Least[c] {
				p.Least[c] = n
			}
			always.nodes += p.Least[c]
			always.cpus += p.Least[c] * set.CPUs[m]
		}
		if here.nodes < w.Need || here.cpus < k.CPUs {
			return i + 1
		}
		if always.nodes < w.Need || always.cpus < k.CPUs {
			return from + 1
		}
	}
	// What backfill reserves it takes whatever its weight: so does slurmctld.
	pk.Any(w, k.CPUs, p.Least)
	return -1
}

// Cut makes an instant the beginning of a step and returns which.
func (p *Plan) Cut(t env.Time) int {
	k := sort.Search(len(p.At), func(i int) bool { return p.At[i] >= t })
	if k < len(p.At) && p.At[k] == t {
		return k
	}
	n := p.Classes
	p.At = append(p.At, 0)
	copy(p.At[k+1:], p.At[k:])
	p.At[k] = t
	p.Free = append(p.Free, p.Free[len(p.Free)-n:]...)
	copy(p.Free[(k+1)*n:], p.Free[k*n:len(p.Free)-n])
	copy(p.Free[k*n:(k+1)*n], p.Free[(k-1)*n:k*n])
	return k
}
