// Package nodeless runs scenarios on a machine of processors without nodes: what
// the archives' figures and the theory of queues are about. It opens the
// workload, runs the machine, and tells what happens.
//
// A scenario with nodes, Slurm or a cloud is not for it.
package nodeless

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/processors"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/scenario"
	"aws-slurm-burst/simulator/scenario/jobs"
	"aws-slurm-burst/simulator/workload"
	"aws-slurm-burst/simulator/workload/trace"
)

// Simulator runs scenarios.
type Simulator struct {
	// Open opens the workload's file.
	Open func(path string) (io.ReadCloser, error)
}

// forever is when everything that is to come has come.
const forever = env.Time(math.MaxInt64)

// stretch is how much of the run goes by between two looks at the context: a day
// of a real log takes a millisecond. Where nothing happens it doubles.
const stretch = 24 * time.Hour

// Run runs a scenario of which Cluster.Processors is not 0. It ends with the
// cause of ctx soon after that is done.
func (r Simulator) Run(ctx context.Context, s *scenario.Scenario, sink record.Sink, progress func(scenario.Progress)) (out scenario.Outcome, err error) {
	e := simulator.New(simulator.Options{Seed: s.Seed, Start: record.Begin})
	work, err := jobs.Open(&s.Workload, e, r.Open)
	if err != nil {
		return out, err
	}
	defer func() { _ = work.Close() }() // it was only read
	var at scenario.Progress
	last := record.Begin // when something happened last
	options := processors.Options{
		Processors: s.Cluster.Processors, Policy: processors.EASY, Cut: s.Workload.OverRun == scenario.Kill,
		Sink: func(ev record.Event) {
			switch ev.Kind {
			case record.JobSubmitted:
				at.Submitted++
			case record.JobEnded:
				at.Ended++
			}
			last = ev.At
			sink(ev)
		},
	}
	if s.Cluster.Scheduler == scenario.FIFO {
		options.Policy = processors.FIFO
	}
	// A source that is done, and no job that has not ended: nothing else is to come.
	done := false
	source := work.Source()
	var large leftOut
	if s.Workload.Lenient {
		source = large.from(source, s.Cluster.Processors)
	}
	m := processors.Start(e, func(yield func(workload.Job, error) bool) {
		source(yield)
		done = true
	}, options, nil)
	defer m.Close()
	until := forever
	if s.Until > 0 {
		until = record.Begin.Add(s.Until)
	}
	over := func() bool { return done && at.Submitted == at.Ended }
	now, ahead := record.Begin, stretch
	for !over() && m.Err() == nil && now < until {
		if err := context.Cause(ctx); err != nil {
			return out, err
		}
		before := e.Events()
		now = now.Add(min(ahead, until.Sub(now)))
		if err := e.RunUntil(now); err != nil {
			return out, err
		}
		if ahead *= 2; e.Events() > before {
			ahead = stretch
		}
		at.Simulated, at.Read = last.Sub(record.Begin), work.Share()
		progress(at)
	}
	switch {
	case m.Err() != nil:
		if bad := new(trace.Error); errors.As(m.Err(), &bad) {
			return out, m.Err()
		}
		return out, s.Unfit("/cluster/processors", m.Err())
	case over():
	case s.Until > 0:
		last = until
	default:
		return out, fmt.Errorf("%d jobs never end", at.Submitted-at.Ended)
	}
	return scenario.Outcome{TraceHash: e.Hash(), Simulated: last.Sub(record.Begin), Procs: s.Cluster.Processors, Repairs: append(work.Repairs(), large.repairs()...)}, nil
}

// leftOut counts jobs that are larger than the machine, as a lenient run does
// without them.
type leftOut struct {
	count int
	first string
}

func (l *leftOut) from(source workload.Source, processors int) workload.Source {
	return func(yield func(workload.Job, error) bool) {
		for j, err := range source {
			if err == nil && int(j.Procs) > processors {
				if l.count++; l.count == 1 {
					l.first = fmt.Sprintf("job %d, of %d", j.ID, j.Procs)
				}
				continue
			}
			if !yield(j, err) {
				return
			}
		}
	}
}

func (l *leftOut) repairs() []scenario.Repair {
	if l.count == 0 {
		return nil
	}
	return []scenario.Repair{{Kind: "too_large", Says: fmt.Sprintf("asks for more processors than the machine has: left out (the first: %s)", l.first), Count: l.count}}
}
