// Package jsonl reads and writes workloads of one JSON object a line: what other
// formats are converted to, and what a program of one's own can write. The keys
// are those of Line; one that is not known is an error.
package jsonl

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/simulator/workload"
	"aws-slurm-burst/simulator/workload/trace"
)

// Line is a job as a line has it. Times are seconds from the workload's
// beginning, with fractions where there are any; what is not said is 0, "" or
// false.
type Line struct {
	ID     int64   `json:"id"`             // from 1, each once
	Submit float64 `json:"submit"`         // lines are in its order
	Run    float64 `json:"run"`            // how long it works where nothing disturbs it
	Limit  float64 `json:"limit,omitzero"` // the time it asks for
	Begin  float64 `json:"begin,omitzero"` // it must not start before

	Procs int32 `json:"procs,omitzero"` // CPUs in all; 0 is one for each node
	Nodes int32 `json:"nodes,omitzero"` // 0: as many as the CPUs need
	// Memory is in MiB, for a node or for each CPU.
	MemoryPerNode int64 `json:"memory_per_node,omitzero"`
	MemoryPerProc int64 `json:"memory_per_proc,omitzero"`
	GPUsPerNode   int32 `json:"gpus_per_node,omitzero"`

	User       string `json:"user,omitzero"`
	Account    string `json:"account,omitzero"`
	Partition  string `json:"partition,omitzero"`
	QOS        string `json:"qos,omitzero"`
	Name       string `json:"name,omitzero"`
	Constraint string `json:"constraint,omitzero"` // as sbatch --constraint has it

	After   int64   `json:"after,omitzero"` // the job that it waits for, of a line above
	Think   float64 `json:"think,omitzero"` // and how long after that one's end
	AfterOK bool    `json:"after_ok,omitzero"`

	Array int64 `json:"array,omitzero"` // the array's id
	Task  int32 `json:"task,omitzero"`

	Coupled   bool `json:"coupled,omitzero"` // its processes on several nodes need each other all the time
	Exclusive bool `json:"exclusive,omitzero"`
	NoRequeue bool `json:"no_requeue,omitzero"`
}

// Reader reads one workload.
type Reader struct {
	opt     trace.Options
	lines   *trace.Lines
	repairs trace.Repairs
	names   trace.Names
	ids     workload.IDs
	last    time.Duration
	jobs    int
}

var _ trace.Log = (*Reader)(nil)

// NewReader reads a workload, which may be packed by gzip.
func NewReader(r io.Reader, o trace.Options) *Reader {
	return &Reader{opt: o, lines: trace.NewLines(r, o.Name)}
}

// Repairs is what was mended or noted so far.
func (r *Reader) Repairs() *trace.Repairs { return &r.repairs }

// Jobs yields the jobs. It can be ranged over once.
func (r *Reader) Jobs() workload.Source {
	if r.opt.Lenient {
		return workload.Order(r.read, r.opt.Held(), r.lines.Misplaced(r.opt.Held()))
	}
	return r.read
}

func (r *Reader) read(yield func(workload.Job, error) bool) {
	for {
		line, ok := r.lines.Next()
		if !ok {
			break
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		job, use, err := r.job(line)
		if err != nil {
			yield(workload.Job{}, err)
			return
		}
		if !use {
			continue
		}
		r.jobs++
		if !yield(job, nil) {
			return
		}
	}
	if err := r.repairs.End(r.lines, r.opt, r.jobs); err != nil {
		yield(workload.Job{}, err)
	}
}

// mend notes what only a lenient reader passes over, or is the error for it.
func (r *Reader) mend(k trace.Kind, format string, args ...any) error {
	if !r.opt.Lenient {
		return r.lines.Fail(format, args...)
	}
	r.repairs.Add(k, r.lines.Number())
	return nil
}

const leave = "; mend the line, or leave it out with --lenient"

// longest is the longest time, in seconds: about a century.
const longest = 100 * 366 * 24 * 3600

func (r *Reader) job(text []byte) (job workload.Job, use bool, err error) {
	l := Line{Run: math.NaN()} // until it is read
	if err := json.Unmarshal(text, &l, json.RejectUnknownMembers(true)); err != nil {
		if r.lines.Partial() {
			return job, false, r.mend(trace.CutShort, "the workload is cut short in the middle of this line; write it again, or read with --lenient what there is")
		}
		return job, false, r.mend(trace.BadLine, "%s%s", what(err), leave)
	}
	if math.IsNaN(l.Run) {
		return job, false, r.mend(trace.BadLine, "run is not given; say how long the job works%s", leave)
	}
	for _, t := range []struct {
		name  string
		value float64
	}{{"submit", l.Submit}, {"run", l.Run}, {"limit", l.Limit}, {"begin", l.Begin}, {"think", l.Think}} {
		if !(t.value >= 0 && t.value <= longest) {
			return job, false, r.mend(trace.BadLine, "%s is %v, not a time in seconds from 0 to %d%s", t.name, t.value, int64(longest), leave)
		}
	}
	for _, n := range []struct {
		name  string
		value int64
	}{
		{"procs", int64(l.Procs)}, {"nodes", int64(l.Nodes)}, {"gpus_per_node", int64(l.GPUsPerNode)},
		{"memory_per_node", l.MemoryPerNode}, {"memory_per_proc", l.MemoryPerProc}, {"array", l.Array}, {"task", int64(l.Task)}, {"after", l.After},
	} {
		if n.value < 0 {
			return job, false, r.mend(trace.BadLine, "%s is %d; write a number from 0%s", n.name, n.value, leave)
		}
	}
	switch {
	case l.ID < 1:
		return job, false, r.mend(trace.BadLine, "id is %d; number jobs from 1%s", l.ID, leave)
	case l.Procs == 0 && l.Nodes == 0:
		return job, false, r.mend(trace.BadLine, "neither procs nor nodes are given; say how large the job is%s", leave)
	case l.AfterOK && l.After == 0:
		return job, false, r.mend(trace.BadLine, "after_ok without after; say which job it waits for%s", leave)
	case !r.ids.Add(l.ID):
		return job, false, r.mend(trace.Duplicate, "a second job %d; give each its own id, or leave this one out with --lenient", l.ID)
	}
	job = workload.Job{
		ID: l.ID, Submit: seconds(l.Submit), Run: seconds(l.Run), Limit: seconds(l.Limit), Begin: seconds(l.Begin),
		Procs: max(l.Procs, l.Nodes), Nodes: l.Nodes, GPUsPerNode: l.GPUsPerNode, MemoryPerNode: l.MemoryPerNode, MemoryPerProc: l.MemoryPerProc,
		User: r.names.Keep(l.User), Account: r.names.Keep(l.Account), Partition: r.names.Keep(l.Partition),
		QOS: r.names.Keep(l.QOS), Name: r.names.Keep(l.Name), Constraint: r.names.Keep(l.Constraint),
		After: l.After, Think: seconds(l.Think), AfterOK: l.AfterOK, Array: l.Array, Task: l.Task,
		Coupled: l.Coupled, Exclusive: l.Exclusive, NoRequeue: l.NoRequeue,
		Recorded: workload.Recorded{Wait: -1, Status: workload.Unknown},
	}
	if l.After != 0 && (l.After == l.ID || !r.ids.Has(l.After)) {
		job.After, job.Think, job.AfterOK = 0, 0, false
		r.repairs.Add(trace.UnknownAfter, r.lines.Number())
	}
	if job.Limit == 0 {
		r.repairs.Add(trace.NoLimit, r.lines.Number())
	} else if job.Run > job.Limit {
		r.repairs.Add(trace.Overrun, r.lines.Number())
	}
	if job.Submit < r.last {
		if err := r.mend(trace.Unsorted, "job %d was submitted at %s, before the job above it (%s); sort the lines by submit, or read with --lenient", job.ID, job.Submit, r.last); err != nil {
			return job, false, err
		}
	}
	r.last = max(r.last, job.Submit)
	return job, true, nil
}

// what says what is wrong with a line's JSON, on one line.
func what(err error) string {
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.As(err, &syntactic):
		return "no JSON object: " + oneLine(syntactic.Err)
	case errors.As(err, &semantic):
		key := strings.TrimPrefix(string(semantic.JSONPointer), "/")
		switch {
		case errors.Is(err, json.ErrUnknownName):
			said := "a job has no key " + finding.Quote(key)
			if near := finding.Nearest(key, keys()); near != "" {
				said += fmt.Sprintf(" (did you mean %q?)", near)
			}
			return said
		case key == "":
			return "no JSON object"
		}
		said := fmt.Sprintf("%s cannot be %s", finding.Quote(key), finding.Kind(semantic.JSONKind))
		if v := string(semantic.JSONValue); v != "" {
			said += " such as " + v[:min(len(v), 40)]
		}
		return said
	}
	return oneLine(err)
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// keys are what a line can have.
func keys() []string {
	var names []string
	for f := range reflect.TypeFor[Line]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

func seconds(s float64) time.Duration {
	whole, part := math.Modf(s)
	return time.Duration(whole)*time.Second + time.Duration(math.Round(part*1e9))
}

// Write writes the jobs of a source, one a line, and returns how many. What
// became of them on a real cluster is not written.
func Write(w io.Writer, jobs workload.Source) (int, error) {
	out := bufio.NewWriterSize(w, 1<<16)
	n := 0
	for j, err := range jobs {
		if err != nil {
			return n, err
		}
		l := Line{
			ID: j.ID, Submit: j.Submit.Seconds(), Run: j.Run.Seconds(), Limit: j.Limit.Seconds(), Begin: j.Begin.Seconds(),
			Procs: j.Procs, Nodes: j.Nodes, GPUsPerNode: j.GPUsPerNode, MemoryPerNode: j.MemoryPerNode, MemoryPerProc: j.MemoryPerProc,
			User: j.User, Account: j.Account, Partition: j.Partition, QOS: j.QOS, Name: j.Name, Constraint: j.Constraint,
			After: j.After, Think: j.Think.Seconds(), AfterOK: j.AfterOK, Array: j.Array, Task: j.Task,
			Coupled: j.Coupled, Exclusive: j.Exclusive, NoRequeue: j.NoRequeue,
		}
		text, err := json.Marshal(&l)
		if err != nil {
			return n, fmt.Errorf("job %d: %w", j.ID, err)
		}
		if _, err := out.Write(append(text, '\n')); err != nil {
			return n, err
		}
		n++
	}
	return n, out.Flush()
}
