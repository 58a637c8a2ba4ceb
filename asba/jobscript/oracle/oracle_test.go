// Package oracle submits scripts to a real slurmctld, held so that none of them
// ever runs, and compares what Slurm made of them with what asba/jobscript reads:
// both have to take them or to refuse them, and to come to the same numbers.
// Where the two differ on purpose is in testdata/differences.txt, and tested too.
package oracle

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/jobscript"
	"aws-slurm-burst/features/slurmtest"
	"aws-slurm-burst/fixtures"
)

// slurm is the slurmctld of this run.
var slurm *slurmtest.Controller

func TestMain(m *testing.M) {
	os.Exit(slurmtest.MainOn(m, &slurm, "oracle", map[string]string{"slurm.conf": slurmConf}, foundation))
}

// foundation submits jobs that stay, for others to depend on: 1, 2 and 3.
func foundation(dir string) error {
	file := filepath.Join(dir, "first.sh")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"), 0o755); err != nil {
		return err
	}
	for range 3 {
		if _, err := slurm.Run("sbatch", "--hold", file); err != nil {
			return err
		}
	}
	return nil
}

// slurmConf has nodes that are large enough for every script, and a default time
// that no script asks for: so "nothing said" and "no limit" differ.
const slurmConf = `# written by a test
ClusterName=oracle
SlurmctldHost=@HOST(127.0.0.1)
SlurmctldPort=6817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=@SOCKET
StateSaveLocation=@DIR/state
SlurmdSpoolDir=@DIR/spool
SlurmctldPidFile=@DIR/slurmctld.pid
SlurmctldLogFile=@DIR/slurmctld.log
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu,nic
Licenses=matlab:100,ansys:10
MaxArraySize=4000001
MaxJobCount=1000000
MinJobAge=2
NodeName=node[001-064] NodeAddr=127.0.0.1 Port=[17001-17064] State=UNKNOWN CPUs=128 Sockets=2 CoresPerSocket=32 ThreadsPerCore=2 RealMemory=1000000 TmpDisk=1000000 Gres=gpu:a100:8,gpu:v100:8,nic:4 Feature=c6i,efa,intel,amd,rack1,rack2
PartitionName=hpc Nodes=ALL Default=YES DefaultTime=77 MaxTime=INFINITE State=UP OverSubscribe=NO
PartitionName=gpu Nodes=ALL DefaultTime=77 MaxTime=INFINITE State=UP OverSubscribe=NO
`

const defaultTime = "01:17:00"

// submit hands a script to sbatch, held, and returns the records of its job; none
// where it made no job.
func submit(t *testing.T, name string, script []byte) (records []slurmtest.Record, refusal string) {
	t.Helper()
	out, refusal := shown(t, name, script)
	return slurmtest.Records(out), refusal
}

// shown is what scontrol shows of a script that was handed to sbatch.
func shown(t *testing.T, name string, script []byte) (out, refusal string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, script, 0o755); err != nil {
		t.Fatal(err)
	}
	id, errs, err := slurm.Both("sbatch", "--hold", "--parsable", file)
	if err != nil {
		return "", strings.TrimSpace(fmt.Sprint(err, " ", errs))
	}
	if id = strings.TrimSpace(id); strings.Trim(id, "0123456789") != "" || id == "" {
		return "", "no job, but: " + first(id+errs)
	}
	defer func() {
		if out, err := slurm.Run("scancel", id); err != nil {
			t.Errorf("scancel: %v %s", err, out)
		}
	}()
	out, err = slurm.Run("scontrol", "show", "job", "-o", id)
	if err != nil {
		t.Fatal(err)
	}
	return out, ""
}

func first(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// errors are the findings with which a script is refused.
func errors(fs []finding.Finding) (out []string) {
	for _, f := range fs {
		if f.Level == finding.Error {
			out = append(out, f.String())
		}
	}
	return out
}

// judge compares one script.
func judge(t *testing.T, name string, script []byte) {
	t.Helper()
	job, fs := jobscript.Read(script, name)
	records, refusal := submit(t, name, script)
	switch errs := errors(fs); {
	case refusal != "" && len(errs) == 0:
		t.Errorf("Slurm refuses it: %s\nand it is read without an error\n%s", refusal, script)
	case refusal == "" && len(errs) > 0:
		t.Errorf("Slurm takes it, and it is read with\n%s\n%s", strings.Join(errs, "\n"), script)
	case refusal != "":
	case len(records) != len(job.Components):
		t.Errorf("%d components, and %d in Slurm\n%s", len(job.Components), len(records), script)
	default:
		for i := range records {
			for _, d := range differences(&job.Components[i], records[i], name) {
				t.Errorf("component %d: %s\n%s", i, d, script)
			}
		}
	}
}

// differences compares what one component asks for with its record.
func differences(r *jobscript.Request, rec slurmtest.Record, file string) (out []string) {
	same := func(field string, ours, slurms any) {
		if fmt.Sprint(ours) != fmt.Sprint(slurms) {
			out = append(out, fmt.Sprintf("%s: read as %v, in Slurm %v", field, ours, slurms))
		}
	}
	or := func(s, instead string) string {
		if s == "" {
			return instead
		}
		return s
	}
	field := func(name string) string { return strings.TrimSuffix(rec[name], "(null)") }
	bit := map[string]bool{"0": false, "1": true}

	tres := map[string]string{}
	for kv := range strings.SplitSeq(rec["TRES"], ",") {
		k, v, _ := strings.Cut(kv, "=")
		tres[k] = v
	}
	same("least nodes", r.MinNodes, tres["node"])
	_, most, ranged := strings.Cut(rec["NumNodes"], "-")
	if !ranged {
		most = "0"
	}
	same("most nodes", r.MaxNodes, most)
	same("tasks", r.Tasks, rec["NumTasks"])
	if cpus, known := waiting(r); known {
		same("CPUs", cpus, rec["NumCPUs"])
	}
	same("CPUs a task", r.CPUsPerTask, rec["CPUs/Task"])
	per := strings.Split(rec["NtasksPerN:B:S:C"], ":")
	same("tasks a node", r.TasksPerNode, per[0])
	same("tasks a socket", r.TasksPerSocket, star(per[2]))
	same("tasks a core", r.TasksPerCore, star(per[3]))
	parts := strings.Split(rec["ReqB:S:C:T"], ":")
	same("cores a socket", r.CoresPerSocket, star(parts[2]))
	same("threads a core", r.ThreadsPerCore, star(parts[3]))

	perNode, perCPU, perGPU := int64(0), int64(0), int64(0)
	switch {
	case rec["MinMemoryCPU"] != "":
		perCPU = mib(rec["MinMemoryCPU"])
	case rec["MinMemoryNode"] != "0":
		perNode = mib(rec["MinMemoryNode"])
	}
	if m := field("MemPerTres"); m != "" {
		perGPU, _ = strconv.ParseInt(strings.TrimPrefix(m, "gres:gpu:"), 10, 64)
	}
	same("memory a node", r.Memory.PerNode, perNode)
	same("memory a CPU", r.Memory.PerCPU, perCPU)
	same("memory a GPU", r.Memory.PerGPU, perGPU)
	same("disk", r.TmpMiB, mib(rec["MinTmpDiskNode"]))

	same("time limit", clock(r.TimeLimit, defaultTime), rec["TimeLimit"])
	same("least time", clock(r.TimeMin, "N/A"), rec["TimeMin"])

	if r.TasksPerGPU == 0 || field("TresPerJob") != "" { // else the number is concluded, and not in the record
		same("GPUs", r.GPUs, gpus(field("TresPerJob")))
	}
	same("GPUs a node", r.GPUsPerNode, gpus(field("TresPerNode")))
	same("GPUs a task", r.GPUsPerTask, gpus(field("TresPerTask")))
	same("GPUs a socket", r.GPUsPerSocket, gpus(field("TresPerSocket")))
	var others []string
	for _, g := range r.Gres {
		others = append(others, fmt.Sprintf("%s %s %d", g.Name, g.Type, g.Count))
	}
	same("other resources", others, gresOf(field("TresPerNode")))
	cpt := ""
	if r.CPUsPerGPU > 0 {
		cpt = fmt.Sprintf("gres:gpu:%d", r.CPUsPerGPU)
	}
	same("CPUs a GPU", cpt, field("CpusPerTres"))

	array, tasks, throttle := rec["ArrayTaskId"], 0, "0"
	if r.Array != nil {
		tasks, throttle = r.Array.Tasks, strconv.Itoa(r.Array.Throttle)
	}
	same("array tasks", tasks, indexes(array))
	same("throttle", throttle, or(rec["ArrayTaskThrottle"], "0"))

	same("sharing", map[jobscript.Sharing]string{jobscript.SharingDefault: "OK", jobscript.SharingNone: "NO", jobscript.SharingUser: "USER",
		jobscript.SharingMCS: "MCS", jobscript.SharingAny: "YES"}[r.Sharing], rec["OverSubscribe"])
	same("requeue", r.Requeue != jobscript.No, bit[rec["Requeue"]])
	same("contiguous", r.Contiguous, bit[rec["Contiguous"]])
	// Slurm writes a comma as &.
	same("constraint", strings.ReplaceAll(r.Constraint, ",", "&"), field("Features"))
	same("partition", or(r.Partition, "hpc"), rec["Partition"])
	same("account", r.Account, field("Account"))
	if _, ok := r.Option("job-name"); ok {
		file = r.Name
	}
	same("name", file, rec["JobName"])
	same("licenses", r.Licenses, field("Licenses"))
	same("comment", r.Comment, rec["Comment"])
	same("network", r.Network, field("Network"))
	same("depends", r.Dependency != "", field("Dependency") != "")
	same("deadline", r.Deadline != "", rec["Deadline"] != "N/A")
	switches, _, _ := strings.Cut(r.Switches, "@")
	inSlurm, _, _ := strings.Cut(rec["Switches"], "@")
	same("switches", switches, inSlurm)
	_, listed := r.Option("nodelist")
	same("names nodes", listed, field("ReqNodeList") != "")
	return out
}

// waiting is NumCPUs of a job that waits, where it can be said: Slurm counts 1 CPU
// as long as the nodes are a range and nobody told the tasks, and leaves to later
// what follows from GPUs.
func waiting(r *jobscript.Request) (cpus int, known bool) {
	has := func(name string) bool { _, ok := r.Option(name); return ok }
	low, high, ranged := strings.Cut(option(r, "nodes"), "-")
	switch {
	case !has("cpus-per-task") && r.CPUsPerTask > 1:
		return r.Tasks, true
	case r.TasksPerGPU > 0 && (has("ntasks") || has("cpus-per-task") || r.ThreadsPerCore+r.CoresPerSocket+r.SocketsPerNode > 0), r.Overcommit && r.TotalGPUs() > 0, ranged && has("nodelist"):
		return 0, false
	case has("ntasks") || has("ntasks-per-node") || r.TasksPerGPU > 0:
		return r.CPUs(), true
	case len(r.GPUs) > 0 && len(r.GPUsPerNode)+len(r.GPUsPerTask) > 0:
		return 0, false
	case ranged && low != high:
		return r.CPUsPerTask, true
	}
	return r.CPUs(), true
}

func option(r *jobscript.Request, name string) string {
	o, _ := r.Option(name)
	return o.Value
}

func star(s string) string {
	if s == "*" {
		return "0"
	}
	return s
}

// mib reads an amount as scontrol writes it.
func mib(s string) int64 {
	n, err := strconv.ParseFloat(strings.TrimRight(s, "MGTP"), 64)
	if err != nil {
		return -1
	}
	for range strings.IndexAny("MGTP", s[len(s)-1:]) {
		n *= 1024
	}
	return int64(n)
}

// clock writes a time as scontrol does.
func clock(t jobscript.Time, none string) string {
	switch {
	case t.Unlimited:
		return "UNLIMITED"
	case !t.Told():
		return none
	}
	days := ""
	if d := t.Minutes / 1440; d > 0 {
		days = fmt.Sprintf("%d-", d)
	}
	return fmt.Sprintf("%s%02d:%02d:00", days, t.Minutes/60%24, t.Minutes%60)
}

// entries splits a list such as gres:gpu:a100:4,gres:nic.
func entries(s string) (out [][]string) {
	for e := range strings.SplitSeq(s, ",") {
		if e != "" {
			out = append(out, strings.FieldsFunc(strings.TrimPrefix(e, "gres:"), func(r rune) bool { return r == ':' }))
		}
	}
	return out
}

// amount reads a number with a unit of 1024s, 1 for a type alone.
func amount(s string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimLeft(strings.TrimRight(s, "kmgKMG"), " "), 10, 64)
	if err != nil {
		return 1, false
	}
	for range 1 + strings.IndexAny("kmg", strings.ToLower(s[len(s)-1:])) {
		n *= 1024
	}
	return n, true
}

func gpus(s string) []jobscript.GPU {
	var out []jobscript.GPU
	for _, e := range entries(s) {
		if e[0] != "gpu" {
			continue
		}
		g := jobscript.GPU{Count: 1}
		for _, part := range e[1:] {
			if n, ok := amount(part); ok {
				g.Count = int(n)
			} else {
				g.Type = part
			}
		}
		// Of two of a type the later counts.
		if i := slices.IndexFunc(out, func(o jobscript.GPU) bool { return o.Type == g.Type }); i >= 0 {
			if g.Count > 0 {
				out[i] = g
			}
		} else {
			out = append(out, g)
		}
	}
	return out
}

func gresOf(s string) (out []string) {
	for _, e := range entries(s) {
		if e[0] == "gpu" {
			continue
		}
		kind, n := "", int64(1)
		for _, part := range e[1:] {
			if m, ok := amount(part); ok {
				n = m
			} else {
				kind = part
			}
		}
		out = append(out, fmt.Sprintf("%s %s %d", e[0], kind, n))
	}
	return out
}

// indexes counts the tasks of an array as scontrol writes them.
func indexes(s string) int {
	if s == "" {
		return 0
	}
	s, _, _ = strings.Cut(s, "%")
	n := 0
	for e := range strings.SplitSeq(s, ",") {
		e, by, stepped := strings.Cut(e, ":")
		low, high, ranged := strings.Cut(e, "-")
		if !ranged {
			high = low
		}
		a, _ := strconv.Atoi(low)
		b, _ := strconv.Atoi(high)
		step := 1
		if stepped {
			step, _ = strconv.Atoi(by)
		}
		n += (b-a)/step + 1
	}
	return n
}

func TestScriptsOfTheFixturesAreReadAsSlurmReadsThem(t *testing.T) {
	slurmtest.Need(t)
	names := fixtures.Scripts()
	if len(names) < 40 {
		t.Fatalf("%d scripts", len(names))
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			script, err := fixtures.Script(name)
			if err != nil {
				t.Fatal(err)
			}
			judge(t, name, script)
		})
	}
}

// cases reads a file of directives: a case a line, with // between directives of
// one script, and comments with ##.
func cases(t *testing.T, file string) (out []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSuffix(line, "\n"); line != "" && !strings.HasPrefix(line, "##") {
			out = append(out, line)
		}
	}
	return out
}

// scriptOf makes a script of a line of such a file.
func scriptOf(line string) []byte {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n")
	for d := range strings.SplitSeq(line, "//") {
		b.WriteString("#SBATCH " + d + "\n")
	}
	b.WriteString("hostname\n")
	return []byte(b.String())
}

func TestDirectivesAreReadAsSlurmReadsThem(t *testing.T) {
	slurmtest.Need(t)
	all := cases(t, "directives.txt")
	if len(all) < 500 {
		t.Fatalf("%d cases", len(all))
	}
	for _, line := range all {
		judge(t, "job.sbatch", scriptOf(line))
	}
}

// Directives together mean what they do not mean alone. Which are put together is
// chance, the same every time; ASBA_ORACLE=COUNT puts together that many.
func TestDirectivesPutTogetherAreReadAsSlurmReadsThem(t *testing.T) {
	slurmtest.Need(t)
	count := 400
	if n, err := strconv.Atoi(os.Getenv("ASBA_ORACLE")); err == nil {
		count = n
	}
	var taken []string // refused ones would hide what the others do
	for _, line := range cases(t, "directives.txt") {
		if _, fs := jobscript.Read(scriptOf(line), "job.sbatch"); len(errors(fs)) == 0 && !strings.Contains(line, "//") && !twice.MatchString(line) {
			taken = append(taken, line)
		}
	}
	r := rand.New(rand.NewPCG(22, 5))
	for range count {
		var lines []string
		for range 2 + r.IntN(3) {
			line := taken[r.IntN(len(taken))]
			if r.IntN(12) == 0 {
				line += "//hetjob"
			}
			lines = append(lines, line)
		}
		both := strings.Join(lines, "//")
		has := func(s string) bool { return strings.Contains(both, s) }
		if has("--deadline") && has("--begin") || // it depends on the hour
			has("--gpus-per-n") && has("--gres=") || has("hetjob") && has("-w ") || // docs/JOBSCRIPT.md
			has("--ntasks-per-gpu") && has("-N 1") { // differences.txt
			continue
		}
		judge(t, "job.sbatch", scriptOf(both))
	}
}

// twice matches GPUs of one type in two entries.
var twice = regexp.MustCompile(`[0-9],(gpu:)?[0-9]|gpu:2,gpu`)

var repeated = regexp.MustCompile(`\{([^{}*]+)\*([0-9]+)\}`)

func TestWholeScriptsAreReadAsSlurmReadsThem(t *testing.T) {
	slurmtest.Need(t)
	for _, line := range cases(t, "scripts.txt") {
		line = repeated.ReplaceAllStringFunc(line, func(s string) string {
			m := repeated.FindStringSubmatch(s)
			n, _ := strconv.Atoi(m[2])
			return strings.Repeat(m[1], n)
		})
		script, err := strconv.Unquote(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		judge(t, "job.sbatch", []byte(script))
	}
}

// What only the site can refuse is read without an error.
func TestWhatTheSiteRefusesIsWellFormed(t *testing.T) {
	slurmtest.Need(t)
	for _, line := range cases(t, "site.txt") {
		script := scriptOf(line)
		if _, fs := jobscript.Read(script, "job.sbatch"); len(errors(fs)) > 0 {
			t.Errorf("%s: %v", line, errors(fs))
		}
		if _, refusal := submit(t, "job.sbatch", script); refusal == "" {
			t.Errorf("%s: Slurm takes it", line)
		}
	}
}

// What is refused here and taken there, each for the reason that is written
// above it.
func TestTheDifferencesAreWhatTheyWere(t *testing.T) {
	slurmtest.Need(t)
	for _, line := range cases(t, "differences.txt") {
		script := scriptOf(line)
		_, fs := jobscript.Read(script, "job.sbatch")
		if _, refusal := submit(t, "job.sbatch", script); refusal != "" {
			t.Errorf("%s: Slurm refuses it too: %s", line, refusal)
		}
		if len(errors(fs)) == 0 {
			t.Errorf("%s: it is read without an error", line)
		}
	}
}
