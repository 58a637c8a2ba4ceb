// Package jobs is the workload of a scenario as a source of jobs: read or drawn,
// then cut, compressed, shaken, coupled and given limits as the scenario says. Whoever
// simulates takes its jobs from here, and so all of them simulate the same.
package jobs

import (
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"time"

	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/scenario"
	"aws-slurm-burst/simulator/workload"
	"aws-slurm-burst/simulator/workload/jsonl"
	"aws-slurm-burst/simulator/workload/models"
	"aws-slurm-burst/simulator/workload/sacct"
	"aws-slurm-burst/simulator/workload/swf"
	"aws-slurm-burst/simulator/workload/trace"
)

// Jobs is a workload that has been opened.
type Jobs struct {
	source workload.Source
	log    trace.Log // nil where jobs are drawn
	file   io.Closer
	// done of all is what was read: bytes of a file, or jobs that were drawn. all is
	// 0 where that is not known.
	done, all int64
}

// Open opens the workload's file with open, where it has one. Draws come from the
// engine's streams of the component "workload". What is wrong with a file's text
// comes out of the Source, as a *trace.Error.
func Open(w *scenario.Workload, e *simulator.Engine, open func(path string) (io.ReadCloser, error)) (*Jobs, error) {
	j := &Jobs{}
	stream := func(name string) rand.Source { return e.Rand("workload", name) }
	if w.Generator != nil {
		j.source, j.all = j.counted(generated(w.Generator, stream)), int64(w.Generator.Jobs)
	} else {
		f, err := open(w.Origin())
		if err != nil {
			return nil, err
		}
		j.file = f
		if known, ok := f.(interface{ Stat() (fs.FileInfo, error) }); ok {
			if info, err := known.Stat(); err == nil && info.Mode().IsRegular() {
				j.all = info.Size()
			}
		}
		r := counter{f, &j.done}
		o := trace.Options{Name: w.Origin(), Lenient: w.Lenient}
		switch {
		case w.Trace != "":
			j.log = swf.NewReader(r, swf.Options{Options: o})
		case w.Sacct != "":
			j.log = sacct.NewReader(r, sacct.Options{Options: o})
		case w.JSONL != "":
			j.log = jsonl.NewReader(r, o)
		default:
			_ = f.Close() // nothing was written
			return nil, fmt.Errorf("the scenario names no workload")
		}
		j.source = j.log.Jobs()
	}
	j.source = workload.Couple(j.source, w.Coupled.Share, coupled(&w.Coupled), e.Rand("workload", "coupled").Uint64())
	if w.From > 0 || w.To > 0 {
		j.source = j.part(w)
	}
	if w.Load != 1 {
		j.source = workload.Load(j.source, w.Load)
	}
	if w.Shake > 0 {
		j.source = workload.Shake(j.source, w.Shake, e.Rand("workload", "shake"))
	}
	j.source = workload.Limits(j.source, w.LimitFactor, w.MissingLimit)
	return j, nil
}

// part is the jobs that are handed in between From and To. That there is none is an
// error: it is not what was meant.
func (j *Jobs) part(w *scenario.Workload) workload.Source {
	whole := j.source
	return func(yield func(workload.Job, error) bool) {
		var last time.Duration
		some := false
		for job, err := range workload.Cut(noted(whole, &last), w.From, w.To) {
			some = true
			if !yield(job, err) {
				return
			}
		}
		if !some {
			yield(workload.Job{}, &trace.Error{File: w.Origin(), Msg: fmt.Sprintf("no job is handed in from %v on and before %v; the last one that was read is, after %v", w.From, end(w.To), last)})
		}
	}
}

// end is an instant before which jobs count, for people.
func end(to time.Duration) string {
	if to == 0 {
		return "the end"
	}
	return to.String()
}

// noted notes when the last job that was read was handed in.
func noted(jobs workload.Source, last *time.Duration) workload.Source {
	return func(yield func(workload.Job, error) bool) {
		for job, err := range jobs {
			*last = job.Submit
			if !yield(job, err) {
				return
			}
		}
	}
}

// coupled names the jobs that may be coupled, nil for all.
func coupled(c *scenario.Coupled) func(*workload.Job) bool {
	if c.Accounts == nil && c.Partitions == nil {
		return nil
	}
	return func(j *workload.Job) bool {
		return slices.Contains(c.Accounts, j.Account) || slices.Contains(c.Partitions, j.Partition)
	}
}

// counter counts what is read.
type counter struct {
	io.Reader
	n *int64
}

func (c counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	*c.n += int64(n)
	return n, err
}

// counted counts the jobs that a source yields.
func (j *Jobs) counted(jobs workload.Source) workload.Source {
	return func(yield func(workload.Job, error) bool) {
		for job, err := range jobs {
			j.done++
			if !yield(job, err) {
				return
			}
		}
	}
}

// Share is how much of the workload has been read, from 0 to 1; 0 where it is not
// known how much there is.
func (j *Jobs) Share() float64 {
	if j.all <= 0 {
		return 0
	}
	return min(1, float64(j.done)/float64(j.all))
}

func generated(g *scenario.Generator, streams models.Streams) workload.Source {
	if g.Model == scenario.Lublin {
		return models.Lublin{Jobs: g.Jobs, MaxProcs: g.MaxProcs}.Source(streams)
	}
	between := models.Exponential(g.Interarrival.Seconds())
	if g.Model == scenario.Weibull {
		between = models.Weibull(g.Interarrival.Seconds(), g.Shape)
	}
	m := models.Renewal{Jobs: g.Jobs, Between: between, Run: models.Exponential(g.Run.Seconds())}
	if g.MaxProcs > 1 {
		m.Procs = models.LogUniform(g.MaxProcs)
	}
	return m.Source(streams)
}

// Source yields the jobs, once.
func (j *Jobs) Source() workload.Source { return j.source }

// Repairs is what was mended or noted in what has been read so far.
func (j *Jobs) Repairs() []scenario.Repair {
	if j.log == nil {
		return nil
	}
	var out []scenario.Repair
	for _, r := range j.log.Repairs().List() {
		out = append(out, scenario.Repair{Kind: r.Kind.String(), Says: r.Kind.Says(), Count: r.Count, Lines: r.Lines})
	}
	return out
}

// Close closes the file.
func (j *Jobs) Close() error {
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}
