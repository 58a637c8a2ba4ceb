package files

import (
	"bufio"
	"slices"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/report"
)

// columns are those of Batsim's jobs.csv (4.0), in its order; evalys reads them.
const columns = "job_id,workload_name,profile,submission_time,requested_number_of_resources,requested_time,success,final_state,starting_time,execution_time,finish_time,waiting_time,turnaround_time,stretch,allocated_resources,consumed_energy,metadata\n"

// jobs writes jobs.csv. Resources are nodes, by the numbers that report gives
// them; on a machine without nodes they are processors, numbered here.
type jobs struct {
	workload string
	procs    processors
	buf      []byte
}

func newJobs(o Options) *jobs {
	return &jobs{workload: cell(o.Workload), procs: newProcessors()}
}

// cell makes a text one that needs no quotes in CSV.
func cell(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`,"`, r) {
			return '_'
		}
		return r
	}, s)
}

func (*jobs) head(w *bufio.Writer) { _, _ = w.WriteString(columns) }

func (f *jobs) event(_ *bufio.Writer, e record.Event) {
	switch e.Kind {
	case record.JobSubmitted:
		f.procs.submitted(e.Job, e.Spec.Procs)
	case record.JobAllocated:
		if len(e.Nodes) > 0 {
			f.procs.forget(e.Job)
		}
	case record.JobStarted:
		f.procs.start(e.Job)
	case record.JobRequeued:
		f.procs.end(e.Job)
	}
}

// finalStates are Batsim's words for Slurm's.
var finalStates = map[string]string{
	"COMPLETED": "COMPLETED_SUCCESSFULLY", "TIMEOUT": "COMPLETED_WALLTIME_REACHED", "CANCELLED": "COMPLETED_KILLED",
}

func (f *jobs) job(w *bufio.Writer, j *report.Job) {
	held := f.procs.end(j.ID)
	f.procs.forget(j.ID)
	if !j.Started {
		return // Batsim has no line for a job that waited until it was cancelled
	}
	resources := j.Spec.Procs
	if len(j.Nodes) > 0 {
		held = intervals(j.Nodes)
		resources = len(j.Nodes)
	}
	state, success := finalStates[j.State], byte('0')
	if state == "" {
		state = "COMPLETED_FAILED"
	}
	if j.State == "COMPLETED" {
		success = '1'
	}
	run, turnaround := j.Run(), j.End-j.Submit
	b := strconv.AppendInt(f.buf[:0], j.ID, 10)
	b = append(b, ',')
	b = append(append(b, f.workload...), ',')
	b = append(strconv.AppendInt(b, j.ID, 10), ',') // each job is a profile of its own
	b = append(seconds(b, j.Submit), ',')
	b = append(strconv.AppendInt(b, int64(resources), 10), ',')
	b = append(strconv.AppendFloat(b, j.Spec.LimitS, 'f', -1, 64), ',')
	b = append(b, success, ',')
	b = append(append(b, state...), ',')
	b = append(seconds(b, j.Start), ',')
	b = append(seconds(b, run), ',')
	b = append(seconds(b, j.End), ',')
	b = append(seconds(b, j.Start-j.Submit), ',')
	b = append(seconds(b, turnaround), ',')
	if run > 0 { // else there is no stretch
		b = strconv.AppendFloat(b, float64(turnaround)/float64(run), 'f', 6, 64)
	}
	b = append(b, ',')
	for i, h := range held {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, int64(h.first), 10)
		if h.last > h.first {
			b = strconv.AppendInt(append(b, '-'), int64(h.last), 10)
		}
	}
	b = append(b, ",,\n"...)
	_, _ = w.Write(b)
	f.buf = b
}

func (*jobs) tail(*bufio.Writer) {}

// seconds appends a time in seconds, with as many digits as it has. None is less
// than 0.
func seconds(b []byte, d time.Duration) []byte {
	b = strconv.AppendInt(b, int64(d/time.Second), 10)
	rest := int64(d % time.Second)
	if rest == 0 {
		return b
	}
	digits := strconv.FormatInt(int64(time.Second)+rest, 10)
	return append(append(b, '.'), strings.TrimRight(digits[1:], "0")...)
}

// interval is the numbers from first to last.
type interval struct{ first, last int }

// intervals are the fewest that hold these numbers and no other.
func intervals(numbers []int) []interval {
	sorted := slices.Clone(numbers)
	slices.Sort(sorted)
	var out []interval
	for _, n := range sorted {
		if last := len(out) - 1; last >= 0 && n <= out[last].last+1 {
			out[last].last = n
			continue
		}
		out = append(out, interval{n, n})
	}
	return out
}

// processors gives jobs of a machine without nodes the lowest free processors, so
// that a chart has rows to draw them in.
type processors struct {
	free []interval // sorted, apart from each other
	want map[int64]int
	held map[int64][]interval
}

func newProcessors() processors {
	return processors{free: []interval{{0, 1<<62 - 1}}, want: map[int64]int{}, held: map[int64][]interval{}}
}

func (p *processors) submitted(job int64, procs int) { p.want[job] = procs }

func (p *processors) forget(job int64) { delete(p.want, job) }

func (p *processors) start(job int64) {
	var got []interval
	for n := p.want[job]; n > 0; {
		first := p.free[0]
		take := min(n, first.last-first.first+1)
		got = append(got, interval{first.first, first.first + take - 1})
		n -= take
		if first.first += take; first.first > first.last {
			p.free = slices.Delete(p.free, 0, 1)
		} else {
			p.free[0] = first
		}
	}
	p.held[job] = got
}

// end frees what a job held.
func (p *processors) end(job int64) []interval {
	held := p.held[job]
	delete(p.held, job)
	for _, h := range held {
		i, _ := slices.BinarySearchFunc(p.free, h.first, func(f interval, n int) int { return f.first - n })
		before, after := i > 0 && p.free[i-1].last+1 == h.first, i < len(p.free) && h.last+1 == p.free[i].first
		switch {
		case before && after:
			p.free[i-1].last = p.free[i].last
			p.free = slices.Delete(p.free, i, i+1)
		case before:
			p.free[i-1].last = h.last
		case after:
			p.free[i].first = h.first
		default:
			p.free = slices.Insert(p.free, i, h)
		}
	}
	return held
}
