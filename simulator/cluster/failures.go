package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/slurm/conf"
	"aws-slurm-burst/simulator/workload/models"
)

// Failures are those of nodes on the premises: each fails by itself, is repaired,
// and is as good as it was. Times between failures have a Weibull distribution whose
// rate falls, repairs a lognormal one, as 23,000 failures of Los Alamos' clusters
// had (Schroeder and Gibson, "A large-scale study of failures in high-performance
// computing systems", DSN 2006; they found means of repairs from less than an hour to
// more than a day).
type Failures struct {
	// MTBF is the mean time that a node works, Repair the mean time that it is away
	// then. A repair takes as long as Slurm needs to notice (SlurmdTimeout) at least.
	MTBF, Repair time.Duration
}

// The shape of a node's times between failures, and the variation of repairs, that
// is their standard deviation by their mean. Both are assumed: sites differ.
const (
	failureShape    = 0.7
	repairVariation = 2
)

// assumed says what nobody has measured at this site.
func (f *Failures) assumed() string {
	return fmt.Sprintf("failures on the premises: times between them Weibull of shape %v, repairs lognormal of variation %v", failureShape, repairVariation)
}

// premises are the nodes that fail.
type premises struct {
	site    *site
	timeout time.Duration // SlurmdTimeout
	names   map[string]struct{}
	// back is when the nodes are back for which jobs may wait: those that failed
	// before the run's patience had come to its end.
	back env.Time
}

// fail has the nodes of a slurm.conf that are not in the cloud fail from now on.
func (s *site) fail(f Failures, c *conf.Settings) error {
	p := &premises{site: s, timeout: c.SlurmdTimeout, names: map[string]struct{}{}}
	for _, n := range c.Nodes {
		if n.Cloud {
			continue
		}
		names, err := hostlist.Expand(n.Names)
		if err != nil {
			return err
		}
		for _, name := range names {
			p.names[name] = struct{}{}
			p.failing(name, f)
		}
	}
	s.premises = p
	return nil
}

// failing has a node fail again and again. It is not new at the beginning: where
// failures are frequent at first, all nodes would fail together, early.
func (p *premises) failing(node string, f Failures) {
	e := p.site.engine
	draw := func(stream string, d models.Distribution) func() time.Duration {
		r := rand.New(e.Rand("premises/"+node, stream))
		return func() time.Duration { return time.Duration(d(r) * float64(time.Second)) }
	}
	works := draw("works", models.Weibull(f.MTBF.Seconds(), failureShape))
	repair := draw("repair", models.Lognormal(f.Repair.Seconds(), repairVariation))

	var fail, repaired func()
	fail = func() {
		p.site.slurm.Lost(node)
		back := e.Now().Add(max(repair(), p.timeout+time.Second))
		if e.Now() < p.site.last.Add(patience) {
			p.back = max(p.back, back)
		}
		e.At(back, repaired)
	}
	repaired = func() {
		if !p.site.slurm.Register(node, "") {
			// ReturnToService leaves it to whoever has repaired it.
			e.Spawn("scontrol", func(ctx context.Context, _ env.Env) {
				_, _ = p.site.slurm.Scontrol(ctx, "update", "NodeName="+node, "State=RESUME")
			})
		}
		e.After(works(), fail)
	}
	first := -10 * f.MTBF
	for first < 0 {
		first += works()
	}
	e.After(first, fail)
}

// its reports whether an event is that of a node which fails by itself: no sign that
// the run goes on.
func (p *premises) its(e *record.Event) bool {
	if p == nil || e.Kind != record.NodeFailed && e.Kind != record.NodeReady {
		return false
	}
	_, ok := p.names[e.Node]
	return ok
}
