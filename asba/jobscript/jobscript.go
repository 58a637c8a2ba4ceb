// Package jobscript reads a batch script as the sbatch of Slurm 22.05 does: what
// its #SBATCH lines ask for, and what sbatch would refuse. Of the script's body it
// has the hints of package body (MPI, GPUs, threads), which are guesses.
//
// It is bytes in, a job and findings out: it opens no file, runs nothing, knows
// no partition, no node and no clock. What depends on these (whether a feature,
// a license or a type of GPU exists, whether a deadline has passed) is for the
// site to say. Variables such as SBATCH_ACCOUNT and sbatch's own command line,
// which come before and after the script's lines, are not read either.
//
// What it says of options and numbers was observed on Slurm 22.05.8. The tests
// in oracle submit every script of the fixtures to a real slurmctld and compare;
// docs/JOBSCRIPT.md lists where the two differ on purpose.
package jobscript

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/jobscript/body"
	"aws-slurm-burst/asba/jobscript/value"
)

// MaxSize is the largest script that is read, in bytes: what slurmctld takes by
// default (max_script_size).
const MaxSize = 4 << 20

// maxComponents bounds a heterogeneous job.
const maxComponents = 1000

// maxFindings bounds what is said of one script; a line tells how many more
// there were.
const maxFindings = 100

// The values of requests, as package value reads them.
type (
	Memory = value.Memory
	Time   = value.Time
	GPU    = value.GPU
	Gres   = value.Gres
	Array  = value.Array
)

// Job is what a script asks for.
type Job struct {
	// Interpreter is the line behind "#!", without the blanks around it.
	Interpreter string
	// Components are what is asked for: one, or each part of a heterogeneous
	// job in its order. There is always one.
	Components []Request
	// Hints are what the body gives away, in its order.
	Hints []body.Hint
}

// Heterogeneous reports whether the job has several components.
func (j *Job) Heterogeneous() bool { return len(j.Components) > 1 }

// Has reports whether the body has a hint of a kind that is not weak.
func (j *Job) Has(k body.Kind) bool {
	return slices.ContainsFunc(j.Hints, func(h body.Hint) bool { return h.Kind == k && !h.Weak })
}

// Option is an option as it was written.
type Option struct {
	// Name is the long name, without dashes: "nodes" for -N.
	Name string
	// Value is as sbatch takes it, without quotes.
	Value string
	// Line and Column are where the option begins, both from 1, in bytes.
	Line, Column int
}

// Request is what one component asks for. A number of 0 and an empty text mean
// that nothing was said.
type Request struct {
	// Options are the options of this component, each name once, as it counts:
	// the last of its name, in the order of these. They say where each value
	// comes from, and hold the options that have no field here.
	Options []Option

	// MinNodes is at least 1. MaxNodes is 0 where only Slurm decides.
	MinNodes, MaxNodes int
	// Tasks is the number of tasks of all nodes, told or concluded as sbatch
	// does (from nodes, tasks a node, sockets or GPUs); at least 1.
	Tasks int
	// TasksPerNode and the others are limits where Tasks was told.
	TasksPerNode, TasksPerCore, TasksPerSocket, TasksPerGPU int
	CPUsPerTask                                             int // at least 1
	CPUsPerGPU                                              int
	MinCPUsPerNode                                          int
	SocketsPerNode, CoresPerSocket, ThreadsPerCore          int
	Overcommit                                              bool // tasks share CPUs

	Memory Memory
	TmpMiB int64 // temporary disk a node

	// TimeLimit is what the job may take, TimeMin what it is content with.
	TimeLimit, TimeMin Time

	// GPUs are asked for by job, by node (--gpus-per-node, or gpu in --gres),
	// by task and by socket. Gres is what else --gres asks for, by node.
	GPUs, GPUsPerNode, GPUsPerTask, GPUsPerSocket []GPU
	Gres                                          []Gres

	// Array is nil for a job that is none.
	Array *Array

	Constraint, Prefer       string
	Partition, Account       string
	QOS, Reservation         string
	Name, Comment            string
	Licenses, Dependency     string
	NodeList, Exclude        string
	Begin, Deadline          string
	Distribution, Signal     string
	Hint, Network            string
	Switches                 string
	Sharing                  Sharing
	Requeue                  Switch
	Contiguous, Hold, Reboot bool
}

// Sharing says who else may be on the job's nodes.
type Sharing string

// The partition decides where nothing was said.
const (
	SharingDefault Sharing = ""
	SharingNone    Sharing = "no"   // --exclusive
	SharingUser    Sharing = "user" // with jobs of the same user
	SharingMCS     Sharing = "mcs"  // with jobs of the same label
	SharingAny     Sharing = "yes"  // --oversubscribe
)

// Switch is a yes, a no, or nothing said.
type Switch int8

// Nothing said is the zero value.
const (
	Unset Switch = iota
	Yes
	No
)

// Option returns the option of a name.
func (r *Request) Option(name string) (Option, bool) {
	for _, o := range r.Options {
		if o.Name == name {
			return o, true
		}
	}
	return Option{}, false
}

// value is an option's value, "" without one.
func (r *Request) value(name string) string {
	o, _ := r.Option(name)
	return o.Value
}

// CPUs is the number of CPUs of all nodes, as slurmctld counts them for a job
// that waits. With --overcommit that is one a node; CPUs by GPU are not counted.
func (r *Request) CPUs() int {
	if r.Overcommit {
		return r.MinNodes
	}
	return r.Tasks * r.CPUsPerTask
}

// LeastNodes is the smallest number of nodes that the job can start on: told, or
// what its tasks need where no more than TasksPerNode fit one.
func (r *Request) LeastNodes() int {
	if r.TasksPerNode > 0 && !r.Overcommit {
		return max(r.MinNodes, (r.Tasks+r.TasksPerNode-1)/r.TasksPerNode)
	}
	return r.MinNodes
}

// TotalGPUs is the number of GPUs of all types on LeastNodes.
func (r *Request) TotalGPUs() int {
	switch {
	case len(r.GPUs) > 0:
		return value.Count(r.GPUs)
	case len(r.GPUsPerNode) > 0:
		return value.Count(r.GPUsPerNode) * r.LeastNodes()
	case len(r.GPUsPerTask) > 0:
		return value.Count(r.GPUsPerTask) * r.Tasks
	}
	return value.Count(r.GPUsPerSocket) * max(1, r.SocketsPerNode) * r.LeastNodes()
}

// Read reads a script. file is what findings call it. The job is as far as it
// could be read; whether sbatch would take it, finding.Count(fs, finding.Error)
// says.
func Read(script []byte, file string) (*Job, []finding.Finding) {
	rd := &reader{file: file}
	job := &Job{}
	if rd.whole(script) {
		first, _, _ := bytes.Cut(script, []byte("\n"))
		job.Interpreter = strings.TrimSpace(string(bytes.TrimPrefix(first, []byte("#!"))))
		parts, begin := rd.directives(script)
		var before *Request
		for _, words := range parts {
			r := rd.request(words, before)
			rd.settle(r)
			if len(parts) > 1 && r.Array != nil {
				rd.at(r, "array", Conflict, "an array of heterogeneous jobs is refused by Slurm", "leave out --array, or hetjob")
			}
			job.Components = append(job.Components, *r)
			before = r
			if _, ok := r.Option("ignore-pbs"); ok {
				rd.found = slices.DeleteFunc(rd.found, func(f finding.Finding) bool { return f.ID == Foreign.id })
			}
		}
		job.Hints = body.Hints(job.Interpreter, script, begin)
		rd.afterwards(script, begin, body.IsShell(job.Interpreter))
	} else {
		job.Components = []Request{{MinNodes: 1, Tasks: 1, CPUsPerTask: 1}}
	}
	if rd.more > 0 {
		rd.found = append(rd.found, finding.Finding{ID: More.id, Level: More.level, File: file,
			Message: fmt.Sprintf("%d more findings", rd.more), Suggestion: "see to these first"})
	}
	finding.Sort(rd.found)
	return job, rd.found
}

// reader is the state of one Read.
type reader struct {
	file  string
	found []finding.Finding
	more  int // findings that were not kept
}

func (rd *reader) report(d Diagnosis, line, column int, message, suggestion string) {
	if len(rd.found) >= maxFindings {
		rd.more++
		return
	}
	rd.found = append(rd.found, finding.Finding{ID: d.id, Level: d.level, File: rd.file,
		Line: line, Column: column, Message: message, Suggestion: suggestion})
}

// at reports at an option.
func (rd *reader) at(r *Request, name string, d Diagnosis, message, suggestion string) {
	o, _ := r.Option(name)
	rd.report(d, o.Line, o.Column, message, suggestion)
}

// whole looks at the script as a whole. It reports whether there is anything to
// read.
func (rd *reader) whole(script []byte) bool {
	const begin = "let the first line be #!/bin/bash, or another interpreter"
	switch {
	case len(script) > MaxSize:
		rd.report(NoScript, 0, 0, fmt.Sprintf("a script of %d bytes; slurmctld takes %d", len(script), MaxSize), "keep data in a file of its own")
		return false
	case len(bytes.TrimSpace(script)) == 0:
		rd.report(NoScript, 1, 1, "the script is empty", begin)
		return false
	case bytes.HasPrefix(script, []byte("\xef\xbb\xbf#!")):
		rd.report(NoScript, 1, 1, "the script begins with a byte order mark, not with #!", "save it as UTF-8 without one")
		return false
	case !bytes.HasPrefix(script, []byte("#!")):
		rd.report(NoScript, 1, 1, "the first line does not begin with #!", begin)
		return false
	}
	if i := bytes.IndexByte(script, 0); i >= 0 {
		line, column := place(script, i)
		rd.report(NotText, line, column, "a NUL character, which slurmctld does not take", "keep binary data in a file of its own")
	}
	if i := bytes.Index(script, []byte("\r\n")); i >= 0 {
		line, column := place(script, i)
		rd.report(DOS, line, column, "a line ends as on DOS (CR LF), which sbatch refuses", "convert it: dos2unix SCRIPT")
	}
	return true
}

// place is the line and column of a byte, both from 1.
func place(script []byte, i int) (line, column int) {
	return bytes.Count(script[:i], []byte("\n")) + 1, i - bytes.LastIndexByte(script[:i], '\n')
}
