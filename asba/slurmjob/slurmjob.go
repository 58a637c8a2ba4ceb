// Package slurmjob reads what slurmctld knows of a job, as "scontrol -o show job"
// prints it, into what the advisor asks of a job. What it reads was observed on
// Slurm 22.05.8 (testdata); where later releases are known to write otherwise,
// both are read.
//
// It calls no scontrol and judges nothing. The executor reads the same records
// for other things, the nodes and the states of jobs; neither is in the other.
package slurmjob

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/asba/advise"
)

// ErrNoJob is the error where the records hold no such job.
var ErrNoJob = errors.New("no such job")

// Record is one job of slurmctld's: one line of its answer.
type Record struct {
	advise.Job
	// ArrayID and Task are set for a task of an array, or for those that have
	// not begun; HetID and HetOffset for a component of a heterogeneous job.
	ArrayID, Task    string
	HetID, HetOffset string
	State            string
	// Nodes are those that the job has, else those that it has to have; "" where
	// Slurm chooses them.
	Nodes string
	// Doubtful is a record in which a text of the user's looks like fields. Who
	// the job is of, and for which account, is then left open.
	Doubtful bool
}

// Ref is how Slurm's users name the job: 4711, 2_3 of an array, 4+1 of a
// heterogeneous job.
func (r Record) Ref() string {
	switch {
	case r.ArrayID != "" && r.Task != "" && strings.Trim(r.Task, "0123456789") == "":
		return r.ArrayID + "_" + r.Task
	case r.HetID != "":
		return r.HetID + "+" + r.HetOffset
	}
	return r.ID
}

// A record begins at a line's beginning; a user's text may hold line breaks.
var start = regexp.MustCompile(`(?m)^JobId=[0-9]+ `)

// Parse reads records.
func Parse(out string) []Record {
	var records []Record
	starts := start.FindAllStringIndex(out, -1)
	for i, s := range starts {
		end := len(out)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		records = append(records, parse(out[s[0]:end]))
	}
	return records
}

// Find returns the record of a job by its id or by Ref. Of an array, or of a
// heterogeneous job, by its first id, it is the first, and others counts the
// rest.
func Find(records []Record, id string) (r Record, others int, err error) {
	exact := func(r Record) bool {
		return r.Ref() == id && id != r.ArrayID || r.ID == id && r.ID != r.ArrayID && r.ID != r.HetID
	}
	if i := slices.IndexFunc(records, exact); i >= 0 {
		return records[i], 0, nil
	}
	for i, one := range records {
		if one.ID != id && one.ArrayID != id && one.HetID != id {
			continue
		}
		if r.ID == "" {
			r = records[i]
		} else {
			others++
		}
	}
	if r.ID == "" {
		return r, 0, fmt.Errorf("%w: %s (slurmctld forgets a job MinJobAge after its end)", ErrNoJob, id)
	}
	return r, others, nil
}

// parse reads one record. Slurm quotes nothing, but writes its fields in one
// order: ids, the name (the user's), UserId to Network (Slurm's own), paths and
// comments (the user's), and after Power what the job wants of GPUs.
func parse(text string) Record {
	head, rest := cut(text, "UserId=")
	own, tail := cut(rest, "Command=")
	ids, name := cut(head, "JobName=")
	id, f := fields(ids), fields(own)
	name = strings.TrimSpace(strings.TrimPrefix(name, "JobName="))
	if i := strings.LastIndex(name, " HetJobIdSet="); i >= 0 && id["HetJobId"] != "" {
		name = name[:i]
	}
	r := Record{
		Job: advise.Job{
			ID: id["JobId"], Name: name, Partition: f["Partition"],
			Tasks: number(f["NumTasks"]), CPUsPerTask: number(f["CPUs/Task"]), TimeLimit: span(f["TimeLimit"]), Requeue: f["Requeue"] == "1",
			MemoryPerNodeMiB: mebibytes(f["MinMemoryNode"]), MemoryPerCPUMiB: mebibytes(f["MinMemoryCPU"]),
		},
		ArrayID: id["ArrayJobId"], Task: id["ArrayTaskId"], HetID: id["HetJobId"], HetOffset: id["HetJobOffset"],
		State: f["JobState"], Doubtful: strings.Count(text, "UserId=") > 1,
	}
	if r.Task != "" {
		r.ArrayTasks = tasks(r.Task)
	}
	if user, _, ok := strings.Cut(f["UserId"], "("); ok && !r.Doubtful {
		r.User, r.Account = user, f["Account"]
	}
	r.nodes(f["NumNodes"])
	r.TasksPerNode = number(first(f["NtasksPerN:B:S:C"], ":"))
	sockets := max(1, number(f["Socks/Node"]))
	r.shape(f, sockets)
	r.Nodes, r.Constraint, r.Unjudged = cmp.Or(f["NodeList"], f["ReqNodeList"]), f["Features"], unjudged(f, r.State)
	r.gpus(tail, sockets)
	return r
}

// shape reads what each node has to be like. Of one CPU a node, or one core,
// every node is; what is not told is a star or 0.
func (r *Record) shape(f map[string]string, sockets int) {
	several := func(n int) int {
		if n == 1 {
			return 0
		}
		return n
	}
	r.MinCPUs = several(number(f["MinCPUsNode"]))
	rest, threads := last(f["ReqB:S:C:T"], ":")
	_, cores := last(rest, ":")
	r.OneThread, r.ThreadsPerCore = threads == "1", several(number(threads))
	r.MinCores = several(sockets * max(1, number(cores)))
}

// unjudged are the wishes that no instance type has or lacks, in sbatch's words.
func unjudged(f map[string]string, state string) []string {
	var out []string
	// A job that waits for its time; of one that has begun it is past.
	if begin := f["EligibleTime"]; state == "PENDING" && begin != "Unknown" && begin > f["SubmitTime"] {
		out = append(out, "--begin="+begin)
	}
	if f["Contiguous"] == "1" {
		out = append(out, "--contiguous")
	}
	for _, w := range []struct{ option, field, nothing string }{
		{"deadline", "Deadline", ""}, {"exclude", "ExcNodeList", ""}, {"licenses", "Licenses", ""}, {"network", "Network", ""},
		{"nodelist", "ReqNodeList", ""}, {"reservation", "Reservation", ""}, {"tmp", "MinTmpDiskNode", "0"},
	} {
		if v := f[w.field]; v != "" && v != w.nothing {
			out = append(out, "--"+w.option+"="+v)
		}
	}
	return out
}

// nodes reads NumNodes. Of a job that waits, one number is slurmctld's own
// estimate, and only a range was asked for; one that has nodes has that many.
func (r *Record) nodes(text string) {
	least, most, ranged := strings.Cut(text, "-")
	if ranged {
		r.MinNodes, r.MaxNodes = number(least), number(most)
	} else if r.State != "PENDING" {
		r.MinNodes, r.MaxNodes = number(least), number(least)
	}
}

// gpus reads what stands after Power, the last field before it that is always
// there: a user's comment that looks like this stands further left.
func (r *Record) gpus(tail string, sockets int) {
	i := strings.LastIndex(tail, " Power=")
	if i < 0 {
		return
	}
	f := fields(tail[i:])
	total := 0
	for _, kind := range []struct {
		field string
		per   advise.Per
		times int
	}{{"TresPerNode", advise.PerNode, 1}, {"TresPerSocket", advise.PerNode, sockets}, {"TresPerTask", advise.PerTask, 1}, {"TresPerJob", advise.PerJob, 1}} {
		for entry := range strings.SplitSeq(f[kind.field], ",") {
			g, ok := gpu(entry)
			if !ok {
				continue
			}
			g.Per, g.Count = kind.per, g.Count*kind.times
			r.GPUs = append(r.GPUs, g)
			switch g.Per {
			case advise.PerNode:
				total += g.Count * max(1, r.MinNodes)
			case advise.PerTask:
				total += g.Count * max(1, r.Tasks)
			case advise.PerJob:
				total += g.Count
			}
		}
	}
	if g, ok := gpu(f["MemPerTres"]); ok && r.MemoryPerNodeMiB == 0 && r.MemoryPerCPUMiB == 0 {
		r.MemoryPerGPUMiB = g.Count
	}
	if g, ok := gpu(f["CpusPerTres"]); ok && total > 0 { // then CPUs/Task says nothing
		each := max(1, r.Tasks)
		r.CPUsPerTask = max(r.CPUsPerTask, (g.Count*total+each-1)/each)
	}
}

// gpu reads an entry such as gres:gpu:2, gres:gpu:a100:4, or gres/gpu:a100=4 of
// later releases.
func gpu(entry string) (advise.GPU, bool) {
	entry = strings.TrimPrefix(strings.TrimPrefix(entry, "gres:"), "gres/")
	rest, ok := strings.CutPrefix(entry, "gpu")
	if !ok || rest != "" && !strings.ContainsRune(":=", rune(rest[0])) {
		return advise.GPU{}, false
	}
	g := advise.GPU{Count: 1}
	model, count := last(strings.ReplaceAll(strings.TrimLeft(rest, ":="), "=", ":"), ":")
	if n, err := strconv.Atoi(count); err == nil {
		g.Count = min(max(n, 0), 1<<20) // more than all machines have
	} else if count != "" {
		model = count
	}
	g.Model = model
	return g, g.Count > 0
}

// tasks counts the tasks of an expression such as 3-5,9%2 or 0-15:4.
func tasks(expression string) int {
	set, _, _ := strings.Cut(expression, "%")
	n := 0
	for part := range strings.SplitSeq(set, ",") {
		part, step, stepped := strings.Cut(part, ":")
		from, to, ranged := strings.Cut(part, "-")
		every := 1
		if stepped {
			every = max(1, number(step))
		}
		if ranged && number(to) >= number(from) {
			n += (number(to)-number(from))/every + 1
		} else {
			n++
		}
	}
	return n
}

// span reads 30:00, 04:00:00, 1-12:00:00; what is none, such as UNLIMITED, is no
// limit.
func span(text string) time.Duration {
	days, clock, ok := strings.Cut(text, "-")
	if !ok {
		days, clock = "0", text
	}
	d, err := strconv.Atoi(days)
	seconds := 0
	for part := range strings.SplitSeq(clock, ":") {
		n, e := strconv.Atoi(part)
		if err == nil {
			err = e
		}
		seconds = seconds*60 + n
	}
	if err != nil || d < 0 || seconds < 0 || d > 100_000 {
		return 0
	}
	return time.Duration(d)*24*time.Hour + time.Duration(seconds)*time.Second
}

// mebibytes reads an amount of memory, which has MiB where it has no unit.
func mebibytes(text string) int {
	unit := 1.0
	if i := strings.IndexAny(text, "KMGTP"); i >= 0 {
		unit = map[byte]float64{'K': 1.0 / 1024, 'M': 1, 'G': 1 << 10, 'T': 1 << 20, 'P': 1 << 30}[text[i]]
		text = text[:i]
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= 0 && v*unit < 1<<40) {
		return 0
	}
	return int(v * unit)
}

// fields reads KEY=VALUE words; of two with one key the first counts. (null) and
// N/A are nothing.
func fields(text string) map[string]string {
	out := map[string]string{}
	for word := range strings.FieldsSeq(text) {
		key, value, ok := strings.Cut(word, "=")
		if _, there := out[key]; ok && !there && value != "(null)" && value != "N/A" {
			out[key] = value
		}
	}
	return out
}

// number reads a count, 0 for what is none.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 1<<30 {
		return 0
	}
	return n
}

func first(text, sep string) string {
	before, _, _ := strings.Cut(text, sep)
	return before
}

// last splits at the last sep.
func last(text, sep string) (before, after string) {
	if i := strings.LastIndex(text, sep); i >= 0 {
		return text[:i], text[i+len(sep):]
	}
	return "", text
}

// cut splits before a key that has a blank before it.
func cut(text, key string) (before, from string) {
	if i := strings.Index(text, " "+key); i >= 0 {
		return text[:i+1], text[i+1:]
	}
	return text, ""
}
