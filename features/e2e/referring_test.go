package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"aws-slurm-burst/features/slurmtest"
)

// keep puts a plan where jobs refer to it, and returns what a job says to do so.
func (c *Cluster) keep(t testing.TB, plan string) (reference string) {
	t.Helper()
	sum := sha256.Sum256([]byte(plan))
	digest := hex.EncodeToString(sum[:])
	if err := os.WriteFile(filepath.Join(c.dir, "plans", digest+".json"), []byte(plan), 0o644); err != nil {
		t.Fatal(err)
	}
	return "asba:" + digest
}

// markets counts the live instances by type and market.
func (c *Cluster) markets(t testing.TB) map[string]int {
	t.Helper()
	live, err := c.live()
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for _, i := range live {
		n[i.Type+" "+i.Lifecycle]++
	}
	return n
}

// Jobs with and without a reference, an array among them, from sbatch to their
// machines: the comment of the submission is all that connects a job to its plan,
// and a change of it afterwards changes nothing.
func TestAJobIsLaunchedByThePlanThatItRefersTo(t *testing.T) {
	slurmtest.NeedLua(t)
	c := cluster(t, Options{Nodes: 4, Referred: true, SuspendTime: 5 * time.Second})
	ref := c.keep(t, spread)
	script := "while [ ! -e " + c.dir + "/go ]; do sleep 0.2; done"
	one := c.submit(t, script, "--hold", "--nodes=1", "--comment="+ref)
	array := c.submit(t, script, "--hold", "--nodes=1", "--array=1-2", "--comment="+ref+"; my own words")
	none := c.submit(t, script, "--hold", "--nodes=1", "--comment=hello")
	c.must(t, "scontrol", "update", "JobId="+one, "Comment=asba:none")
	c.must(t, "scontrol", "update", "JobId="+none, "Comment="+ref)
	for id, want := range map[string]string{one: ref, array: ref, none: "asba:none"} {
		if r, err := c.Job(id); err != nil || r["AdminComment"] != want {
			c.fail(t, "job %s says %q, want %q: %v", id, r["AdminComment"], want, err)
		}
	}
	for _, id := range []string{one, array, none} {
		c.must(t, "scontrol", "release", id)
	}
	jobs := []string{one, array + "_1", array + "_2", none}
	for _, id := range jobs {
		c.untilJob(t, id, 90*time.Second, "RUNNING")
	}
	if n := c.markets(t); len(n) != 2 || n["c6in.32xlarge spot"] != 3 || n["c5n.18xlarge "] != 1 {
		c.fail(t, "instances: %v", n)
	}
	if strings.Contains(c.log(), "falling back") || !strings.Contains(c.log(), "No execution plan for job "+none+" in ") {
		c.fail(t, "the log tells another story")
	}
	if err := os.WriteFile(filepath.Join(c.dir, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, id := range jobs {
		c.untilJob(t, id, 30*time.Second, "COMPLETED")
	}
	c.settled(t, 60*time.Second)
}

// A file that is not the plan that was submitted with the job launches nothing,
// and the job that is told so keeps its reference: once the plan is there, it
// only has to be released.
func TestAPlanThatWasChangedSinceIsNone(t *testing.T) {
	slurmtest.NeedLua(t)
	c := cluster(t, Options{Nodes: 1, Referred: true, SuspendTime: 5 * time.Second})
	ref := c.keep(t, spread)
	file := filepath.Join(c.dir, "plans", strings.TrimPrefix(ref, "asba:")+".json")
	if err := os.WriteFile(file, []byte(strings.Replace(spread, "c6in.32xlarge", "p5.48xlarge", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	id := c.submit(t, "true", "--nodes=1", "--comment="+ref)
	c.until(t, 60*time.Second, "the job is held", func() (bool, string) {
		r, err := c.Job(id)
		return err == nil && r["JobState"] == "PENDING" && r["Priority"] == "0", fmt.Sprint(r["JobState"], " ", r["Reason"], " ", err)
	})
	if c.launches() != 0 {
		c.fail(t, "something was launched")
	}
	r, err := c.Job(id)
	if err != nil || !strings.HasPrefix(r["AdminComment"], ref+"; Invalid execution plan: the file is not the plan that the job refers to") {
		c.fail(t, "the job says %q, %v", r["AdminComment"], err)
	}
	c.settled(t, 60*time.Second)
	c.keep(t, spread)
	c.must(t, "scontrol", "release", id)
	c.untilJob(t, id, 200*time.Second, "COMPLETED") // Slurm may let a requeued job wait for two minutes
	for _, call := range c.proxy.Calls() {
		if call.Action == "RunInstances" && call.Params.Get("InstanceType") != "c6in.32xlarge" {
			c.fail(t, "%s was launched", call.Params.Get("InstanceType"))
		}
	}
	c.settled(t, 60*time.Second)
}

// as runs a command as a user without rights, in a folder.
func (c *Cluster) as(dir, program string, args ...string) (string, error) {
	return c.Slurm("setpriv", append([]string{"--reuid=65534", "--regid=65534", "--clear-groups", "env", "--chdir=" + dir, "HOME=/", program}, args...)...)
}

// A user knows of a plan that is not for them, and does what a user can so that
// the record of a job without one looks as if it had it.
func TestAUserWhoForgesAReferenceGetsNowhere(t *testing.T) {
	slurmtest.NeedLua(t)
	c := cluster(t, Options{Nodes: 3, Referred: true, SuspendTime: 5 * time.Second})
	ref := c.keep(t, spread)
	forged := "AdminComment=" + ref + "  "
	home, err := os.MkdirTemp(c.room.slurm.Dir, "home")
	if err != nil {
		t.Fatal(err)
	}
	trap := filepath.Join(home, "x "+forged)
	script := filepath.Join(home, "job.sh")
	if err := os.MkdirAll(trap, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(script, []byte("#!/bin/sh\nwhile [ ! -e "+c.dir+"/go ]; do sleep 0.2; done\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(home, 0o755); err != nil {
		t.Fatal(err)
	}
	var jobs []string
	for _, args := range [][]string{
		{},
		{"--comment=x  " + forged + "StdErr=/dev/null"},
		{"--job-name=x UserId=root(0) JobState=CONFIGURING Command=/c WorkDir=/w " + forged},
	} {
		args = append([]string{"--parsable", "--hold", "--nodes=1", "--output=/dev/null"}, args...)
		out, err := c.as(trap, "sbatch", append(args, script)...)
		if err != nil {
			c.fail(t, "%v", err)
		}
		jobs = append(jobs, strings.TrimSpace(out))
	}
	for _, id := range jobs {
		if _, err := c.as(home, "scontrol", "update", "JobId="+id, "AdminComment="+ref); err == nil || !strings.Contains(err.Error(), "denied") {
			c.fail(t, "the AdminComment of job %s can be set: %v", id, err)
		}
	}
	out, err := c.as(trap, "sbatch", "--hold", "--comment=asba:"+strings.ToUpper(ref[5:]), script)
	if err == nil || !strings.Contains(err.Error(), "the comment begins with asba: and names no plan") {
		c.fail(t, "what is no reference is taken: %s %v", out, err)
	}
	for _, id := range jobs {
		c.must(t, "scontrol", "release", id)
	}
	// scontrol's record of a job says whatever its user wants.
	state := func(want string) {
		for _, id := range jobs {
			c.until(t, 90*time.Second, "job "+id+" "+want, func() (bool, string) {
				out, err := c.Slurm("squeue", "-h", "-t", "all", "-j", id, "-o", "%T")
				return err == nil && strings.TrimSpace(out) == want, fmt.Sprint(out, err)
			})
		}
	}
	state("RUNNING")
	if n := c.markets(t); len(n) != 1 || n["c5n.18xlarge "] != 3 {
		c.fail(t, "instances: %v", n)
	}
	if n := strings.Count(c.log(), "does not tell for certain what it refers to, falling back to standalone mode"); n == 0 {
		c.fail(t, "nobody was told")
	}
	if err := os.WriteFile(filepath.Join(c.dir, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	state("COMPLETED")
	c.settled(t, 60*time.Second)
}

// wrapper is sbatch-asba as a user has it in PATH, beside asba.
func (c *Cluster) wrapper(t testing.TB) []string {
	t.Helper()
	file, err := filepath.Abs("../../packaging/sbatch-asba")
	if err != nil {
		t.Fatal(err)
	}
	return []string{"env", "PATH=" + c.room.bin + ":/usr/bin:/bin", "ASBA_PLANS=" + filepath.Join(c.dir, "plans"), file}
}

// From sbatch-asba to the machines: the plan is there before the job can start,
// made by the shipped advisor from Slurm's own record, which knows the options of
// the command line.
func TestTheWrapperHasThePlanThereBeforeTheJobStarts(t *testing.T) {
	c := cluster(t, Options{Nodes: 4})
	script := filepath.Join(c.dir, "mpi.sh")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nmodule load openmpi 2>/dev/null\nsrun --mpi=none hostname\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	// Who submits it has no rights, and may write into a folder that is sticky.
	if err := os.Chmod(filepath.Join(c.dir, "plans"), 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	theirs := filepath.Join(c.dir, "bin")
	if err := os.Mkdir(theirs, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{filepath.Join(c.room.bin, "asba"), "../../packaging/sbatch-asba"} {
		data, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(theirs, filepath.Base(from)), data, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	// With --wait it lasts as long as the job.
	c.must(t, "sh", "-c", fmt.Sprintf("cd %[1]s; { setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/ PATH=%[2]s:/usr/bin:/bin ASBA_PLANS=%[1]s/plans sbatch-asba"+
		" --wait --parsable --output=/dev/null --nodes=4 --time=30 %[3]s; echo $? >code.new; mv code.new code; } >out 2>err </dev/null &", c.dir, theirs, script))
	c.until(t, 120*time.Second, "sbatch-asba ends", func() (bool, string) {
		_, err := os.Stat(filepath.Join(c.dir, "code"))
		return err == nil, "it has not"
	})
	var said [3]string
	for i, name := range []string{"code", "out", "err"} {
		text, err := os.ReadFile(filepath.Join(c.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		said[i] = string(text)
	}
	if said[0] != "3\n" || said[1] != "1\n" || said[2] != "" {
		c.fail(t, "exit code, stdout and stderr: %q", said)
	}
	c.untilJob(t, "1", 5*time.Second, "FAILED") // as its script says
	var st syscall.Stat_t
	if err := syscall.Stat(filepath.Join(c.dir, "plans", "1.json"), &st); err != nil || st.Uid != 65534 || st.Mode&0o777 != 0o644 {
		c.fail(t, "the plan is of user %d, mode %o, %v", st.Uid, st.Mode&0o777, err)
	}
	if strings.Contains(c.log(), "falling back") || strings.Contains(c.log(), "No execution plan") || !strings.Contains(c.log(), `"mode":"asba"`) {
		c.fail(t, "the plan was not used")
	}
	for _, call := range c.proxy.Calls() {
		if call.Action == "RunInstances" && call.Params.Get("DryRun") != "true" && call.Params.Get("MinCount") != "4" {
			c.fail(t, "MPI over four nodes is launched as %s or more", call.Params.Get("MinCount"))
		}
	}
	if n := c.launches(); n != 1 {
		c.fail(t, "%d launches", n)
	}
	c.settled(t, 30*time.Second)
}

// Whatever becomes of the advice, sbatch-asba behaves as sbatch does, and no job
// is held that its user did not want held.
func TestTheWrapperIsSbatchToItsUser(t *testing.T) {
	c := cluster(t, Options{Nodes: 1, NeverBoot: true})
	c.must(t, "scontrol", "update", "PartitionName=aws", "State=DOWN") // nothing starts
	file := func(name, text string) string {
		name = filepath.Join(c.dir, name)
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		return name
	}
	plain, held := file("plain.sh", "#!/bin/sh\ntrue\n"), file("held.sh", "#!/bin/sh\n\n#SBATCH -n1 -H\ntrue\n#SBATCH --hold\n")
	late := file("late.sh", "#!/bin/sh\n#SBATCH --comment --hold\ntrue\n#SBATCH --hold")
	quiet := file("quiet.sh", "#!/bin/sh\n#SBATCH --quiet\n")
	w := c.wrapper(t)
	for _, k := range []struct {
		name, setting string
		args          []string
		stdout        string // {} stands for the job's id
		stderr        string // begins so
		code          int
		plans         []string // of the job's ids, beyond the first
		held, none    bool     // none: there is no plan
	}{
		{name: "a script", args: []string{plain}, stdout: "Submitted batch job {}\n"},
		{name: "its own options", args: []string{plain, "--hold", "-H", "-Q", "--parsable"}, stdout: "Submitted batch job {}\n"},
		{name: "a value that looks like one", args: []string{"--comment", "--hold", "-J", "-H", plain}, stdout: "Submitted batch job {}\n"},
		{name: "behind the first command", args: []string{late}, stdout: "Submitted batch job {}\n"},
		{name: "--parsable", args: []string{"--parsable", plain}, stdout: "{}\n"},
		{name: "--quiet", args: []string{"-Q", plain, "-Q"}, stdout: ""},
		{name: "--wrap", args: []string{"--wrap", "true --hold"}, stdout: "Submitted batch job {}\n"},
		{name: "--hold", args: []string{"--hold", plain}, stdout: "Submitted batch job {}\n", held: true},
		{name: "--hold among letters", args: []string{"-vH", plain}, stdout: "Submitted batch job {}\n", stderr: "sbatch: ", held: true},
		{name: "--hold behind a letter", args: []string{"-sH", plain}, stdout: "Submitted batch job {}\n", held: true},
		{name: "a value in a word with its letter", args: []string{"-JH", plain}, stdout: "Submitted batch job {}\n"},
		{name: "a script that says so", args: []string{held}, stdout: "Submitted batch job {}\n", held: true},
		{name: "an array", args: []string{"--array=1-3", plain}, stdout: "Submitted batch job {}\n"},
		{name: "components", args: []string{"-n1", ":", "-n1", plain}, stdout: "Submitted batch job {}\n", plans: []string{"1"}},
		{name: "no advice", setting: "ASBA_PLANS=/nowhere", args: []string{plain}, stdout: "Submitted batch job {}\n", stderr: "ERROR: /nowhere/", none: true},
		{name: "no advice, held", setting: "ASBA_PLANS=/nowhere", args: []string{"-H", plain}, stdout: "Submitted batch job {}\n", stderr: "ERROR: /nowhere/", held: true, none: true},
		{name: "no asba", setting: "PATH=/usr/bin:/bin", args: []string{plain}, stdout: "Submitted batch job {}\n", stderr: "timeout: ", none: true},
		{name: "refused", args: []string{"--nodes=many", plain}, stderr: "sbatch: error: ", code: 255},
		{name: "no script", args: []string{"/nowhere/job.sh"}, stderr: "sbatch: error: ", code: 1},
		{name: "--version", args: []string{"--version"}, stdout: "slurm-wlm "},
		{name: "quiet by its script", args: []string{quiet}, stdout: "Submitted batch job {}\n"},
		{name: "quiet in one word with others", args: []string{"-QN1", plain}, stderr: "sbatch-asba: sbatch printed no job id: if it submitted a job, that is held", held: true, none: true},
	} {
		before := c.last(t)
		args := append([]string{}, w[1:3]...)
		if k.setting != "" {
			args = append(args, k.setting)
		}
		args = append(append(args, w[3], "--output=/dev/null"), k.args...)
		stdout, stderr, err := c.ctld.Both(w[0], args...)
		id, submitted := c.last(t), false
		if submitted = id != before; submitted != (k.code == 0 && k.name != "--version") {
			c.fail(t, "%s: job %s, then %s", k.name, before, id)
		}
		want := strings.ReplaceAll(k.stdout, "{}", id)
		if k.name == "components" { // the last one is not the first
			id = before[:0] + fmt.Sprint(number(t, id)-1)
			want = strings.ReplaceAll(k.stdout, "{}", id)
		}
		if code := exitCode(err); code != k.code || stdout != want && !(k.name == "--version" && strings.HasPrefix(stdout, want)) || !strings.HasPrefix(stderr, k.stderr) || k.stderr == "" && stderr != "" {
			c.fail(t, "%s: exit %d, %q, %q, want %q", k.name, code, stdout, stderr, want)
		}
		if !submitted {
			continue
		}
		out := c.must(t, "scontrol", "show", "job", "-o", id)
		if isHeld := strings.Contains(out, " Priority=0 "); isHeld != k.held {
			c.fail(t, "%s: held %v: %s", k.name, isHeld, out)
		}
		for _, more := range append([]string{"0"}, k.plans...) {
			plan := filepath.Join(c.dir, "plans", fmt.Sprint(number(t, id)+number(t, more))+".json")
			if _, err := os.Stat(plan); (err == nil) == k.none {
				c.fail(t, "%s: a plan at %s: %v", k.name, plan, err)
			}
		}
		c.must(t, "scancel", id)
	}
}

// sbatch-asba has a table of sbatch's options, of those that take no value of the
// next word. sbatch itself says which these are.
func TestTheWrapperKnowsWhichOptionsTakeAValue(t *testing.T) {
	c := cluster(t, Options{Nodes: 1, NeverBoot: true})
	text, err := os.ReadFile("../../packaging/sbatch-asba")
	if err != nil {
		t.Fatal(err)
	}
	table := regexp.MustCompile(`(?m)^\t\t(--[a-z-]+(?: \| --[a-z-]+)*)\) ;;$`).FindAllStringSubmatch(string(text), -1)
	var flags []string
	for _, m := range table {
		flags = append(flags, strings.Split(m[1], " | ")...)
	}
	flags = append(flags, "--hold", "--parsable", "--quiet")
	seen := 0
	for _, m := range regexp.MustCompile(`(?m)^ +(?:-\w, )?(--[a-z-]+)(\[?=?)`).FindAllStringSubmatch(c.must(t, "sbatch", "--help"), -1) {
		name, value := m[1], m[2] == "="
		if name == "--container" || name == "--export" || name == "--wrap" || name == "--mem" { // whose lines say otherwise than sbatch does, or nothing
			continue
		}
		seen++
		if slices.Contains(flags, name) == value {
			t.Errorf("%s takes a value of the next word: %v, and sbatch-asba says otherwise", name, value)
		}
	}
	if seen < 60 || len(flags) < 20 {
		t.Errorf("%d options, %d flags", seen, len(flags))
	}
}

// last is the id of the newest job that slurmctld has, "0" for none.
func (c *Cluster) last(t testing.TB) string {
	t.Helper()
	out, err := c.Slurm("scontrol", "show", "job", "-o")
	if err != nil {
		c.fail(t, "%v", err)
	}
	most := 0
	for _, r := range slurmtest.Records(out) {
		if id := r["JobId"]; id != "" {
			most = max(most, number(t, id))
		}
	}
	return fmt.Sprint(most)
}

// A Ctrl-C while asba thinks leaves the job held, and says so; a terminal that is
// closed leaves nobody to read that, and the job is released.
func TestAnInterruptedWrapperLeavesNoJobBehindUnsaid(t *testing.T) {
	c := cluster(t, Options{Nodes: 1, NeverBoot: true})
	c.must(t, "scontrol", "update", "PartitionName=aws", "State=DOWN")
	slow := filepath.Join(c.dir, "slow")
	if err := os.Mkdir(slow, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(slow, "asba"), []byte("#!/bin/sh\n: >"+c.dir+"/thinking\nexec sleep 60\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	w := c.wrapper(t)
	for sig, want := range map[syscall.Signal]struct {
		code, says string
		held       bool
	}{
		syscall.SIGINT:  {"130", "is submitted and held (scontrol release", true},
		syscall.SIGTERM: {"143", "is released without a plan", false},
		syscall.SIGHUP:  {"129", "is released without a plan", false},
	} {
		_ = os.Remove(filepath.Join(c.dir, "thinking"))
		// A shell of its own group, all of which a terminal tells.
		script := fmt.Sprintf(`set -m
PATH=%s:/usr/bin:/bin %s %s --output=/dev/null --wrap true >%[4]s/out 2>%[4]s/err &
while [ ! -e %[4]s/thinking ]; do sleep 0.1; done
kill -%d -$!
wait $!
echo $?`, slow, w[2], w[3], c.dir, sig)
		out, err := c.Slurm("bash", "-c", script)
		if err != nil || strings.TrimSpace(out) != want.code {
			c.fail(t, "%v: %q, %v", sig, out, err)
		}
		said, err := os.ReadFile(filepath.Join(c.dir, "err"))
		if err != nil || !strings.Contains(string(said), want.says) {
			c.fail(t, "%v: it says %q, %v", sig, said, err)
		}
		id := c.last(t)
		if r, err := c.Job(id); err != nil || (r["Priority"] == "0") != want.held {
			c.fail(t, "%v: job %s has the priority %s, %v", sig, id, r["Priority"], err)
		}
		c.must(t, "scancel", id)
	}
}

// What TaskProlog prints is read by slurmd: a task sees the plan in its
// environment, and nothing of a plan that is not its own.
func TestATaskSeesThePlanInItsEnvironment(t *testing.T) {
	slurmtest.Need(t)
	asba, err := filepath.Abs(filepath.Join(room.bin, "asba"))
	if err != nil {
		t.Fatal(err)
	}
	prolog := "#!/bin/sh\nPATH=/usr/bin:/bin exec " + asba + " slurm-prolog --export-env\n"
	c := cluster(t, Options{Nodes: 2, TaskProlog: prolog, SuspendTime: 5 * time.Second})
	id := c.submit(t, "export ASBA_MAX_SPOT_PRICE=another\nsrun --mpi=none env", "--nodes=2", "--time=10")
	c.untilJob(t, id, 90*time.Second, "COMPLETED")
	out, err := os.ReadFile(filepath.Join(c.dir, "job-"+id+".out"))
	if err != nil {
		t.Fatal(err)
	}
	for want, n := range map[string]int{"\nASBA_SHOULD_BURST=true\n": 2, "\nASBA_INSTANCE_TYPES=": 2, "ASBA_MAX_SPOT_PRICE=another": 0} {
		if got := strings.Count("\n"+string(out), want); got != n {
			c.fail(t, "%d times %q, want %d, in\n%s", got, want, n, out)
		}
	}
	c.settled(t, 60*time.Second)
}

func number(t testing.TB, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// exitCode is that of a program that ran, -1 for one that did not.
func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}
