package sacct

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/simulator/workload"
	"aws-slurm-burst/simulator/workload/trace"
)

// job makes a job of the fields, or says what is wrong with them. Without an ID
// it is to be left out, and that was noted.
func (r *Reader) job(id, raw []byte) (rec record, what string) {
	j := &rec.job
	if what = r.identify(j, id, raw); what != "" || j.ID == 0 {
		return rec, what
	}
	var eligible, end time.Duration
	for _, at := range []struct {
		name string
		to   *time.Duration
	}{{"submit", &j.Submit}, {"eligible", &eligible}, {"start", &rec.start}, {"end", &end}} {
		t, ok := r.instant(r.field(at.name))
		if !ok {
			return rec, fmt.Sprintf("%s is %s, neither seconds nor a date such as 2026-10-01T12:00:00; print the account with SLURM_TIME_FORMAT=%%s", at.name, quoted(r.field(at.name)))
		}
		*at.to = t
	}
	if j.Submit == 0 {
		return rec, "it is not known when the job was submitted"
	}
	eligible = max(j.Submit, eligible)
	state := r.field("state")
	word, _, _ := strings.Cut(strings.ToUpper(string(state)), " ") // CANCELLED by 1000
	word = strings.TrimSuffix(word, "+")                           // cut by sacct without -P

	// What never began has no run: it was cancelled, or is still to come.
	run, known, what := r.run(rec.start, end)
	if what != "" {
		return rec, what
	}
	_, hasStart := r.columns["start"]
	switch {
	case !known, hasStart && rec.start == 0, word == "PENDING", !hasStart && run == 0 && (word == "CANCELLED" || word == "PENDING"):
		r.note(trace.NoRun)
		j.ID = 0
		return rec, ""
	case word == "RUNNING", word == "SUSPENDED", word == "COMPLETING":
		r.note(trace.Unfinished)
	}
	j.Run = run
	if what = r.size(j); what != "" || j.ID == 0 {
		return rec, what
	}
	if j.Limit, what = r.limit(); what != "" {
		return rec, what
	}
	switch {
	case j.Limit == 0:
		r.note(trace.NoLimit)
	case j.Run > j.Limit:
		r.note(trace.Overrun)
	}

	partition, _, _ := bytes.Cut(r.field("partition"), []byte(",")) // of several, the first
	j.User, j.Account, j.Partition = r.names.Of(r.field("user")), r.names.Of(r.field("account")), r.names.Of(partition)
	j.QOS, j.Name = r.names.Of(r.field("qos")), r.names.Of(r.field("jobname"))
	if c := r.field("constraints"); !missing(c) {
		j.Constraint = r.names.Of(c)
	}
	r.command(j, string(r.field("submitline")))
	if eligible > j.Submit && j.After == 0 {
		j.Begin = eligible
	}
	j.Recorded = workload.Recorded{Wait: -1, Status: status(word)}
	if rec.start > 0 {
		j.Recorded.Wait = max(0, rec.start-eligible)
	}
	if n, ok := integer(r.field("alloccpus")); ok {
		j.Recorded.Procs = int32(n)
	}
	return rec, ""
}

// identify reads the job's number, and which array or heterogeneous job it is
// of. JobID is as people have it (12, 12_3, 12_[1-5], 12+0), JobIDRaw the number
// that is unique.
func (r *Reader) identify(j *workload.Job, id, raw []byte) string {
	number := raw
	if len(raw) == 0 {
		number = id
	}
	if i := bytes.IndexAny(number, "_+"); i >= 0 {
		return fmt.Sprintf("job %s has no number of its own; print JobIDRaw, too", quoted(number))
	}
	n, ok := integer(number)
	if !ok || n < 1 {
		return fmt.Sprintf("%s is no job's number", quoted(number))
	}
	if array, task, ok := bytes.Cut(id, []byte("_")); ok {
		a, ok := integer(array)
		if !ok {
			return fmt.Sprintf("%s is no job's number", quoted(id))
		}
		if bytes.HasPrefix(task, []byte("[")) { // tasks that have not begun
			r.note(trace.NoRun)
			return ""
		}
		t, ok := integer(task)
		if !ok || t > math.MaxInt32 {
			return fmt.Sprintf("%s is no task of an array", quoted(id))
		}
		j.Array, j.Task = a, int32(t)
	} else if bytes.IndexByte(id, '+') >= 0 {
		r.note(trace.HetPart)
	}
	j.ID = n
	return ""
}

// size reads how large the job is: what it asked for, else what it was given.
func (r *Reader) size(j *workload.Job) string {
	tres, what := parseTRES(r.field("reqtres"))
	if what != "" {
		return what
	}
	first := func(known int64, columns ...string) int64 {
		for _, c := range columns {
			if known == 0 {
				known, _ = integer(r.field(c))
			}
		}
		return known
	}
	asked, _ := integer(r.field("reqcpus"))
	procs := max(asked, tres.cpus)
	if procs == 0 {
		if procs = first(0, "alloccpus", "ncpus"); procs > 0 {
			r.note(trace.Allocated)
		}
	}
	nodes := first(max(tres.nodes, first(0, "reqnodes")), "nnodes")
	switch {
	case procs == 0:
		r.note(trace.NoSize)
		j.ID = 0
		return ""
	case procs > math.MaxInt32 || nodes > math.MaxInt32 || tres.gpus > math.MaxInt32:
		return "the job has more processors, nodes or GPUs than any machine"
	}
	j.Procs, j.Nodes = int32(procs), int32(nodes)
	each := max(1, nodes)
	j.GPUsPerNode = int32((tres.gpus + each - 1) / each)
	j.MemoryPerNode = (tres.mib + each - 1) / each
	if mem := r.field("reqmem"); tres.mib == 0 && !missing(mem) {
		of := mem[len(mem)-1]
		if of == 'c' || of == 'n' {
			mem = mem[:len(mem)-1]
		}
		mib, ok := mebibytes(mem)
		if !ok {
			return fmt.Sprintf("ReqMem is %s, not a size such as 4000M", quoted(r.field("reqmem")))
		}
		switch of {
		case 'c':
			j.MemoryPerProc = mib
		case 'n':
			j.MemoryPerNode = mib
		default: // since 21.08 of the whole job
			j.MemoryPerNode = (mib + each - 1) / each
		}
	}
	return ""
}

// tres is what of ReqTRES counts here.
type tres struct{ cpus, nodes, gpus, mib int64 }

// parseTRES reads billing=4,cpu=4,gres/gpu:a100=2,mem=16000M,node=2. GPUs that
// are counted in all and by type are counted once.
func parseTRES(text []byte) (t tres, what string) {
	var typed int64
	for item := range strings.SplitSeq(string(text), ",") {
		name, value, _ := strings.Cut(item, "=")
		ok := true
		switch {
		case name == "cpu":
			t.cpus, ok = integer([]byte(value))
		case name == "node":
			t.nodes, ok = integer([]byte(value))
		case name == "mem":
			t.mib, ok = mebibytes([]byte(value))
		case name == "gres/gpu":
			t.gpus, ok = integer([]byte(value))
		case strings.HasPrefix(name, "gres/gpu:"):
			var n int64
			n, ok = integer([]byte(value))
			typed += min(n, math.MaxInt32)
		}
		if !ok {
			return t, fmt.Sprintf("ReqTRES has %s, which is no number", finding.Quote(item))
		}
	}
	if t.gpus == 0 {
		t.gpus = typed
	}
	return t, ""
}

// run reads how long the job ran.
func (r *Reader) run(start, end time.Duration) (run time.Duration, known bool, what string) {
	if text := r.field("elapsedraw"); !missing(text) {
		s, ok := integer(text)
		if !ok || s > longest {
			return 0, false, fmt.Sprintf("ElapsedRaw is %s, not a number of seconds", quoted(text))
		}
		return time.Duration(s) * time.Second, true, ""
	}
	if text := r.field("elapsed"); !missing(text) {
		d, ok := clock(string(text))
		if !ok {
			return 0, false, fmt.Sprintf("Elapsed is %s, not a time such as 1-02:03:04", quoted(text))
		}
		return d, true, ""
	}
	return max(0, end-start), start > 0 && end > 0, ""
}

// limit reads the time that the job asked for, 0 for none of its own.
func (r *Reader) limit() (time.Duration, string) {
	if text := r.field("timelimitraw"); !missing(text) && !words(text) {
		m, ok := integer(text)
		if !ok || m > longest/60 {
			return 0, fmt.Sprintf("TimelimitRaw is %s, not a number of minutes", quoted(text))
		}
		return time.Duration(m) * time.Minute, ""
	}
	if text := r.field("timelimit"); !missing(text) && !words(text) {
		d, ok := clock(string(text))
		if !ok {
			return 0, fmt.Sprintf("Timelimit is %s, not a time such as 1-02:03:04", quoted(text))
		}
		return d, ""
	}
	return 0, ""
}

// words reports whether a limit is one of Slurm's words for none of its own.
func words(b []byte) bool {
	return bytes.EqualFold(b, []byte("UNLIMITED")) || bytes.EqualFold(b, []byte("Partition_Limit"))
}

// command takes from the sbatch line what accounting has no column for. What is
// behind the script is the script's own.
func (r *Reader) command(j *workload.Job, line string) {
	args := strings.Fields(line)
	for i := 1; i < len(args); i++ {
		if !strings.HasPrefix(args[i], "-") {
			return
		}
		name, value, joined := strings.Cut(args[i], "=")
		switch {
		case joined || len(name) > 2 && name[1] != '-': // --name=value, -nVALUE
		case valueless[name]:
		case i+1 < len(args):
			i++
			value = args[i]
		}
		switch name {
		case "--exclusive":
			j.Exclusive = true
		case "--no-requeue":
			j.NoRequeue = true
		case "--dependency", "-d":
			kind, id, _ := strings.Cut(value, ":")
			after, ok := integer([]byte(id))
			if ok && after != j.ID && r.ids.Has(after) && (kind == "afterok" || kind == "afterany") {
				j.After, j.AfterOK = after, kind == "afterok"
			}
		}
	}
}

// valueless are the options of sbatch(1) that take no value beside them.
var valueless = map[string]bool{
	"--contiguous": true, "--exclusive": true, "--hold": true, "-H": true, "--ignore-pbs": true,
	"--no-kill": true, "-k": true, "--no-requeue": true, "--overcommit": true, "-O": true, "--oversubscribe": true, "-s": true,
	"--parsable": true, "--quiet": true, "-Q": true, "--reboot": true, "--requeue": true, "--spread-job": true, "--test-only": true,
	"--use-min-nodes": true, "--verbose": true, "-v": true, "--wait": true, "-W": true,
}

func status(word string) workload.Status {
	switch word {
	case "COMPLETED":
		return workload.Completed
	case "CANCELLED":
		return workload.Cancelled
	case "FAILED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE", "PREEMPTED":
		return workload.Failed
	}
	return workload.Unknown
}

// longest is the longest time, in seconds: about a century.
const longest = 100 * 366 * 24 * 3600

// missing reports whether a field says nothing.
func missing(b []byte) bool {
	return len(b) == 0 || bytes.EqualFold(b, []byte("Unknown")) || bytes.EqualFold(b, []byte("None")) || bytes.EqualFold(b, []byte("INVALID"))
}

// instant reads a time since the Unix epoch, 0 for none.
func (r *Reader) instant(b []byte) (time.Duration, bool) {
	if missing(b) {
		return 0, true
	}
	if s, ok := integer(b); ok {
		return time.Duration(s) * time.Second, s < 1<<33
	}
	t, err := time.ParseInLocation("2006-01-02T15:04:05", string(b), r.opt.Zone)
	if err != nil || t.Unix() < 0 || t.Unix() >= 1<<33 {
		return 0, false
	}
	return time.Duration(t.Unix()) * time.Second, true
}

// clock reads days-hours:minutes:seconds, of which days and hours may be
// missing, and seconds may have a fraction.
func clock(s string) (time.Duration, bool) {
	days, rest, long := strings.Cut(s, "-")
	if !long {
		days, rest = "0", s
	}
	n, err := strconv.ParseUint(days, 10, 15)
	parts := strings.Split(rest, ":")
	if err != nil || len(parts) < 2 || len(parts) > 3 {
		return 0, false
	}
	total := time.Duration(n) * 24 * time.Hour
	unit := time.Second
	for i := len(parts) - 1; i >= 0; i-- {
		whole, _, _ := strings.Cut(parts[i], ".")
		n, err := strconv.ParseUint(whole, 10, 20)
		if err != nil {
			return 0, false
		}
		total += time.Duration(n) * unit
		unit *= 60
	}
	return total, true
}

// mebibytes reads a size such as 16000M, 4G, 2.5G, rounded up. Without a unit it
// is MiB.
func mebibytes(b []byte) (int64, bool) {
	if len(b) == 0 {
		return 0, false
	}
	unit := 1.0
	switch b[len(b)-1] {
	case 'K':
		unit = 1.0 / 1024
	case 'M':
	case 'G':
		unit = 1024
	case 'T':
		unit = 1024 * 1024
	case 'P':
		unit = 1024 * 1024 * 1024
	default:
		b = append(bytes.Clone(b), 'M')
	}
	v, err := strconv.ParseFloat(string(b[:len(b)-1]), 64)
	if err != nil || !(v >= 0 && v*unit < 1<<40) {
		return 0, false
	}
	return int64(math.Ceil(v * unit)), true
}

// integer reads a number from 0 up; of an empty field it is 0.
func integer(b []byte) (int64, bool) {
	if len(b) == 0 {
		return 0, true
	}
	if len(b) > 18 {
		return 0, false
	}
	var n int64
	for _, c := range b {
		if !digit(c) {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

func quoted(b []byte) string { return finding.Quote(string(b)) }
