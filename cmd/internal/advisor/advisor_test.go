package advisor

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/lint"
	"aws-slurm-burst/cmd/internal/app"
)

// slurm is a machine with a scontrol that answers as slurmctld did.
type slurm struct {
	t      testing.TB
	config string
	env    map[string]string
}

// newSlurm has the records of asba/slurmjob's tests; more is added to the
// configuration.
func newSlurm(t testing.TB, more string) *slurm {
	t.Helper()
	dir := t.TempDir()
	records, err := filepath.Abs("../../../asba/slurmjob/testdata/jobs.txt")
	if err != nil {
		t.Fatal(err)
	}
	// It prints what the id is of: a job, an array or a heterogeneous job.
	script := `#!/bin/sh
id=${4%%_*}
case "$*" in
"write batch_script 2 -") printf '#!/bin/sh\nmodule load openmpi\nmpirun ./waves\n' ;;
"write batch_script "*) echo "job script retrieval failed: Access/permission denied" >&2; exit 1 ;;
"-o show job "*) grep -E "^(JobId=$id |.* ArrayJobId=$id |.* HetJobId=$id )|^JobId=$id " ` + records + ` || { echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1; } ;;
*) echo "unexpected: $*" >&2; exit 64 ;;
esac
`
	scontrol := filepath.Join(dir, "scontrol")
	if err := os.WriteFile(scontrol, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	s := &slurm{t: t, config: filepath.Join(dir, "config.yaml"), env: map[string]string{"XDG_CACHE_HOME": dir, "XDG_STATE_HOME": dir}}
	text := "aws: {region: us-east-1}\njournal: {dir: " + dir + "}\nslurm: {scontrol: " + scontrol + "}\n" + more
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs a command with the configuration.
func (s *slurm) run(args ...string) (stdout, stderr string, code int) {
	s.t.Helper()
	return called(s.t, s.env, append(args, "--config", s.config)...)
}

func called(t testing.TB, env map[string]string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	std := app.IO{Args: args, Getenv: func(n string) string { return env[n] }, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Stop: t.Context()}
	root := &cobra.Command{Use: "asba", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(Commands(std)...)
	if err := app.Execute(t.Context(), root, std); err != nil {
		code = app.Fail(&errs, err)
	}
	return out.String(), errs.String(), code
}

// judged reads a plan and fails on any finding.
func judged(t *testing.T, text string) *plan.Plan {
	t.Helper()
	p, fs := plan.Read([]byte(text), "stdout")
	if fs = lint.All(p, fs, lint.Options{Catalog: catalog.Default(), Region: "us-east-1", Policy: &plan.Policy{}}); len(fs) > 0 {
		t.Fatalf("%v\n%s", fs, text)
	}
	return p
}

func TestAnalyzeTakesSlurmsOwnRecord(t *testing.T) {
	s := newSlurm(t, "")
	out, stderr, code := s.run("analyze", "--job-id", "2") // its stored script has mpirun
	p := judged(t, out)
	if code != 0 || stderr != "" || p.JobID.Value != "2" || p.UserID.Value != "ann" || p.InstanceCount.Value != 8 || p.ProcessCount.Value != 288 || !p.RequiresEFA.Value || p.MaxDuration.Value.Hours() != 4 {
		t.Errorf("exit %d, %s\n%s", code, stderr, out)
	}
	if out, _, _ := s.run("analyze", "--job-id", "2", "--mpi=false"); judged(t, out).RequiresEFA.Value {
		t.Error("MPI, though it is said not to be")
	}
	if out, stderr, _ := s.run("analyze", "--job-id", "14"); judged(t, out).RequiresEFA.Value || stderr != "" { // nobody may see its script
		t.Errorf("MPI, though nothing says so: %s", stderr)
	}
	out, stderr, code = s.run("analyze", "--job-id", "13+1")
	if p := judged(t, out); code != 0 || stderr != "" || p.JobID.Value != "13+1" || p.InstanceCount.Value != 2 {
		t.Errorf("exit %d, %s\n%s", code, stderr, out)
	}
	if _, stderr, _ := s.run("analyze", "--job-id", "13"); stderr != "WARN: job 13 is heterogeneous: this is for its component 13+0, 1 more need plans of their own\n" {
		t.Error(stderr)
	}
	out, stderr, _ = s.run("analyze", "--job-id", "12")
	if p := judged(t, out); p.UserID.Given || stderr != "WARN: job 12 has a text that looks like fields of Slurm's: its user and account are left out\n" {
		t.Errorf("%s\n%s", stderr, out)
	}
}

// The flags are those that a client has which knows no job (docs/PROTOCOL.md).
func TestAnalyzeTakesNodesAlone(t *testing.T) {
	const flags = "analyze --format=execution-plan --nodes=3 --partition="
	s := grouped(t)
	plans := map[string]string{}
	for _, partition := range []string{"aws-hpc", "another", ""} {
		out, stderr, code := s.run(strings.Fields(flags + partition)...)
		if p := judged(t, out); code != 0 || stderr != "" || p.InstanceCount.Value != 3 || p.RequiresEFA.Value {
			t.Errorf("%s: exit %d, %s\n%s", partition, code, stderr, out)
		}
		plans[partition] = out
	}
	// Its nodes are declared with 36 CPUs; what the others' have nobody knows.
	if strings.Contains(plans["aws-hpc"], ".medium") || !strings.Contains(plans["another"], ".medium") {
		t.Errorf("%s\n%s", plans["aws-hpc"], plans["another"])
	}
	// Without any configuration the partition is no more than a word.
	if out, stderr, code := called(t, s.env, strings.Fields(flags+"aws-hpc")...); code != 0 || stderr != "" || judged(t, out).InstanceCount.Value != 3 {
		t.Errorf("exit %d, %s\n%s", code, stderr, out)
	}
}

// file writes a script.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const mpiScript = `#!/bin/bash
#SBATCH --job-name=waves --account=turb
#SBATCH --nodes=8 --ntasks-per-node=36
#SBATCH --mem=100G --time=4:00:00
module load openmpi
mpirun ./waves
`

func TestAnalyzeReadsAScriptAsSlurmWould(t *testing.T) {
	s := newSlurm(t, "")
	of, _, _ := s.run("analyze", "--job-id", "2")
	out, stderr, code := s.run("analyze", file(t, "waves.sbatch", mpiScript))
	p, q := judged(t, out), judged(t, of)
	if code != 0 || stderr != "" || p.ProjectID.Value != "turb" || !slices.Equal(p.InstanceTypes.Value, q.InstanceTypes.Value) || p.InstanceCount != q.InstanceCount || p.RequiresEFA != q.RequiresEFA || p.MaxTotalCost != q.MaxTotalCost {
		t.Errorf("exit %d, %s: the script says\n%s, Slurm's record of it\n%s", code, stderr, out, of)
	}
	if out, _, _ := s.run("analyze", file(t, "waves.sbatch", mpiScript), "--format", "table"); !strings.HasPrefix(out, "the job (waves) in us-east-1: burst to 8 nodes") {
		t.Error(out)
	}
	het := file(t, "het.sbatch", "#!/bin/sh\n#SBATCH -n 1\n#SBATCH hetjob\n#SBATCH -N 2 -n 8\nsrun ./x\n")
	out, stderr, code = s.run("analyze", het, "--component", "1")
	if code != 0 || stderr != "" || judged(t, out).InstanceCount.Value != 2 {
		t.Errorf("exit %d, %s\n%s", code, stderr, out)
	}
	// A plan is one component's; what people look at shows all.
	for _, flags := range [][]string{{}, {"--format", "env"}, {"--export-env"}} {
		out, stderr, code = s.run(append([]string{"analyze", het}, flags...)...)
		if code != 2 || out != "" || !strings.Contains(stderr, "each of its 2 components has a plan of its own: name one with --component 0 to 1, or see all with --format table") {
			t.Errorf("%v: exit %d, %s\n%s", flags, code, stderr, out)
		}
	}
	out, stderr, code = s.run("analyze", het, "--format", "table")
	if code != 0 || stderr != "" || !strings.HasPrefix(out, "component 0 of 2: the job (het.sbatch) in us-east-1: burst to 1 node,") || !strings.Contains(out, "\ncomponent 1 of 2: the job (het.sbatch) in us-east-1: burst to 2 nodes,") {
		t.Errorf("exit %d, %s\n%s", code, stderr, out)
	}
	out, stderr, code = s.run("analyze", het, "--format", "json")
	var all []struct{ Component, Nodes int }
	if err := json.Unmarshal([]byte(out), &all); err != nil || code != 0 || stderr != "" || len(all) != 2 || all[0].Component != 0 || all[0].Nodes != 1 || all[1].Component != 1 || all[1].Nodes != 2 {
		t.Errorf("exit %d, %s %v\n%.300s", code, stderr, err, out)
	}
	if _, stderr, code := s.run("analyze", het, "--component", "2"); code != 2 || !strings.Contains(stderr, "--component 2: ") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

// What is printed is what a job says, and the file is the plan that it means.
func TestAPlanIsKeptUnderTheNameOfItsBytes(t *testing.T) {
	s, dir := newSlurm(t, ""), t.TempDir()
	out, stderr, code := s.run("analyze", file(t, "waves.sbatch", mpiScript), "--store", dir)
	ref, ok, err := plan.ReadReference(strings.TrimSuffix(out, "\n"))
	if code != 0 || stderr != "" || !ok || err != nil {
		t.Fatalf("exit %d, %q, %v: %s", code, out, err, stderr)
	}
	text, err := os.ReadFile(filepath.Join(dir, ref.File()))
	if err != nil || !ref.Names(text) || judged(t, string(text)).InstanceCount.Value != 8 {
		t.Errorf("%v: %s", err, text)
	}
	for _, more := range [][]string{{"--output", filepath.Join(dir, "x")}, {"--export-env"}, {"--format", "table"}} {
		if out, _, code := s.run(append([]string{"analyze", "--job-id", "2", "--store", dir}, more...)...); code != 2 || out != "" {
			t.Errorf("%v: exit %d, %q", more, code, out)
		}
	}
	if out, stderr, code := s.run("analyze", "--job-id", "2", "--store", filepath.Join(dir, "none")); code != 1 || out != "" || !strings.Contains(stderr, "could not be written") {
		t.Errorf("no folder: exit %d, %q, %s", code, out, stderr)
	}
	if all, err := os.ReadDir(dir); err != nil || len(all) != 1 {
		t.Errorf("%v, %v", all, err)
	}
}

func TestAScriptThatSbatchRefusesHasNoPlan(t *testing.T) {
	s := newSlurm(t, "")
	path := file(t, "bad.sbatch", "#!/bin/sh\n#SBATCH --nodes=many\n#SBATCH --tme=1:00\n./x\n")
	out, stderr, code := s.run("analyze", path)
	if code != 2 || out != "" || strings.Count(stderr, "ERROR: "+path+":") != 2 || !strings.Contains(stderr, path+":2:") || !strings.Contains(stderr, path+":3:") {
		t.Errorf("exit %d\n%s%s", code, out, stderr)
	}
	out, stderr, code = s.run("analyze", file(t, "late.sbatch", "#!/bin/sh\n./x\n#SBATCH -N 4\n"))
	if code != 0 || judged(t, out).InstanceCount.Value != 1 || !strings.HasPrefix(stderr, "WARN: ") || !strings.Contains(stderr, "late.sbatch:3:") {
		t.Errorf("exit %d\n%s%s", code, out, stderr)
	}
}

func TestAnalyzeInEachFormat(t *testing.T) {
	s := newSlurm(t, "")
	out, _, _ := s.run("analyze", "--job-id", "2", "--mpi", "--format", "env")
	p, fs, present := plan.FromEnv(func(name string) string {
		for line := range strings.Lines(out) {
			if value, ok := strings.CutPrefix(line, name+"="); ok {
				return strings.TrimSpace(value)
			}
		}
		return ""
	})
	if !present || len(fs) > 0 || !p.RequiresEFA.Value || p.ProcessCount.Value != 288 || !p.Gang.Value || p.Placement.Value != plan.Cluster || len(p.InstanceTypes.Value) == 0 {
		t.Errorf("%v\n%s", fs, out)
	}
	out, _, _ = s.run("analyze", "--job-id", "2", "--mpi", "--format", "table")
	for _, want := range []string{"job 2 (mpi) in us-east-1: burst to 8 nodes, confidence 0.", "c5n.18xlarge", "- MPI over 8 nodes: EFA, one zone and a cluster placement group"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	out, _, _ = s.run("analyze", "--job-id", "2", "--mpi", "--format", "json", "--explain")
	var got struct {
		Job, Name, Region string
		Should            bool `json:"should_burst"`
		Choices           []struct {
			Type, Market, Reason string
			Cost                 *float64
			In                   bool `json:"in_plan"`
		}
		Excluded   []struct{ Type, Rule, Why string }
		Confidence struct{ Value float64 }
		Plan       json.RawMessage `json:"execution_plan"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if got.Job != "2" || got.Name != "mpi" || got.Region != "us-east-1" || !got.Should || got.Confidence.Value == 0 || !got.Choices[0].In || *got.Choices[0].Cost <= 0 || len(got.Choices)+len(got.Excluded) != len(catalog.Default().Names()) {
		t.Errorf("%.2000s", out)
	}
	judged(t, string(got.Plan))
}

func TestAdviceAgainstBurstingIsAnAdvice(t *testing.T) {
	s := newSlurm(t, "policy: {max_nodes: 4}\n")
	out, stderr, code := s.run("analyze", "--job-id", "2")
	if p, _ := plan.Read([]byte(out), ""); code != 0 || stderr != "" || p.Bursts() || p.Reasons.Value[0] != "the job takes 8 nodes, the policy allows 4" {
		t.Errorf("exit %d, %s\n%s", code, stderr, out)
	}
	out, _, _ = s.run("analyze", "--job-id", "2", "--export-env")
	if want := "export ASBA_SHOULD_BURST='false';\nunset ASBA_INSTANCE_TYPES;\n"; !strings.HasPrefix(out, want) || strings.Count(out, "unset ") != 7 {
		t.Error(out)
	}
	if out, _, _ := s.run("analyze", "--job-id", "2", "--format", "table"); !strings.HasPrefix(out, "job 2 (mpi) in us-east-1: do not burst\n") {
		t.Error(out)
	}
}

func TestTheConfigurationsNodesAndPolicyBind(t *testing.T) {
	s := newSlurm(t, "")
	conf, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	const image = `image: {owner: amazon, name: "al2023*"}, subnets: {default_for_az: true}`
	groups := func(groups string) {
		text := strings.Replace(string(conf), "slurm: {", "slurm: {partitions: [{partition_name: hpc, node_groups: ["+groups+"]}], ", 1)
		if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	groups("{node_group_name: mpi, max_nodes: 16, cpus: 72, memory_mb: 180000, " + image + "}")
	out, stderr, code := s.run("analyze", "--job-id", "2", "--format", "json", "--explain")
	if code != 0 || stderr != "" || !strings.Contains(out, "has 64 CPUs, nodes of mpi are declared with 72") || !strings.Contains(out, "72 threads for 36 tasks") {
		t.Errorf("exit %d, %s\n%.3000s", code, stderr, out)
	}
	groups("{node_group_name: mpi, max_nodes: 4, max_cost_per_hour: 3, " + image + "}, {node_group_name: cpu, " + image + "}")
	if _, stderr, code := s.run("analyze", "--job-id", "2"); code != 0 || !strings.HasPrefix(stderr, "WARN: partition hpc has several node groups") {
		t.Errorf("exit %d, %s", code, stderr)
	}
	// Which nodes the job has, or has to have, tells the group.
	groups(`{node_group_name: mpi, nodes: "node[001-004]", cpus: 200, ` + image + `}, {node_group_name: cpu, nodes: "node[005-008]", ` + image + "}")
	out, stderr, code = s.run("analyze", "--job-id", "16", "--format", "json", "--explain")
	if code != 0 || stderr != "" || !strings.Contains(out, "nodes of mpi are declared with 200") {
		t.Errorf("exit %d, %s\n%.3000s", code, stderr, out)
	}
	groups("{node_group_name: mpi, max_nodes: 4, max_cost_per_hour: 3, " + image + "}, {node_group_name: cpu, " + image + "}")
	out, stderr, code = s.run("analyze", "--job-id", "2", "--partition", "hpc/mpi")
	if p, _ := plan.Read([]byte(out), ""); code != 0 || stderr != "" || p.Bursts() || p.Reasons.Value[0] != "the job takes 8 nodes, the policy allows 4" {
		t.Errorf("exit %d, %s\n%s", code, stderr, out)
	}
}

func TestAPlanIsWrittenWholeOrNotAtAll(t *testing.T) {
	s := newSlurm(t, "")
	dir := t.TempDir()
	path := filepath.Join(dir, "plan.json")
	out, stderr, code := s.run("analyze", "--job-id", "2", "-o", path)
	data, err := os.ReadFile(path)
	if code != 0 || out != "" || stderr != "" || err != nil {
		t.Fatalf("exit %d, %v, %s%s", code, err, out, stderr)
	}
	judged(t, string(data))
	if st, _ := os.Stat(path); st.Mode().Perm() != 0o644 {
		t.Errorf("mode %v: the executor refuses what others can write", st.Mode())
	}
	// A job that is not known leaves what was there.
	if _, _, code := s.run("analyze", "--job-id", "99", "-o", path); code != 2 {
		t.Errorf("exit %d", code)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(after, data) {
		t.Error("the plan that was there is gone")
	}
	if _, stderr, code := s.run("analyze", "--job-id", "2", "-o", filepath.Join(dir, "none", "plan.json")); code != 1 || !strings.Contains(stderr, "could not be written") {
		t.Errorf("exit %d, %s", code, stderr)
	}
	if _, stderr, code := s.run("analyze", "--job-id", "2", "-o", dir); code != 1 || !strings.Contains(stderr, "is no regular file") {
		t.Errorf("exit %d, %s", code, stderr)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestSlurmPrologSpeaksAsATaskPrologAndStores(t *testing.T) {
	s := newSlurm(t, "")
	dir := t.TempDir()
	s.env["SLURM_JOB_ID"] = "2"
	out, stderr, code := s.run("slurm-prolog", "--export-env", "--store", dir, "--mpi=false")
	if code != 0 || stderr != "" || !strings.HasPrefix(out, "export ASBA_SHOULD_BURST=true\nexport ASBA_INSTANCE_TYPES=c") || !strings.Contains(out, "\nunset ASBA_MPI_PROCESSES\n") || strings.Contains(out, "'") {
		t.Errorf("exit %d, %s\n%s", code, stderr, out)
	}
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "export ASBA_") && !strings.HasPrefix(line, "unset ASBA_") {
			t.Errorf("%q", line)
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "2.json"))
	if err != nil {
		t.Fatal(err)
	}
	judged(t, string(data))
	if out, _, code := s.run("slurm-prolog", "--job-id", "13+1", "--store", dir); code != 0 || out != "" {
		t.Errorf("exit %d, %s", code, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "14.json")); err != nil { // as plans.dir names a component's
		t.Error(err)
	}
	if out, _, code := s.run("slurm-prolog", "--job-id", "99", "--export-env", "--store", dir); code != 2 || out != "" {
		t.Errorf("exit %d, %s", code, out)
	}
}

func TestRecommendInstancesRanksAndExplains(t *testing.T) {
	out, stderr, code := called(t, nil, "recommend-instances", "--cpus=16", "--memory=64GB", "--mpi=true", "--efa-required", "-o", "json", "--explain", "--region", "us-east-1")
	var got shownAdvice
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 {
		t.Fatalf("exit %d, %v, %s", code, err, stderr)
	}
	last := 0.0
	for _, c := range got.Choices {
		if c.EFA == 0 || c.Cores < 16 || float64(c.MemoryMiB)*0.95 < 64<<10 || *c.Cost < last || c.Reason == "" {
			t.Errorf("%+v", c)
		}
		last = *c.Cost
	}
	if len(got.Choices) != 20 || len(got.Excluded) == 0 {
		t.Errorf("%d choices, %d excluded", len(got.Choices), len(got.Excluded))
	}
	for name, want := range map[string]string{"c6i.16xlarge": "c6i.16xlarge has no EFA", "c5n.4xlarge": "c5n.4xlarge has 8 cores, the job needs 16 on a node"} {
		if i := slices.IndexFunc(got.Excluded, func(x shownExclusion) bool { return x.Type == name }); i < 0 || got.Excluded[i].Why != want {
			t.Errorf("%s: %+v", name, got.Excluded[max(i, 0)])
		}
	}
}

func TestSizesOfTypesAndNeedsOfJobs(t *testing.T) {
	types := func(args ...string) []shownChoice {
		t.Helper()
		out, stderr, code := called(t, nil, append([]string{"recommend-instances", "-o", "json", "--max-results", "1000", "--region", "us-east-1"}, args...)...)
		var got shownAdvice
		if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 {
			t.Fatalf("%v: exit %d, %v, %s", args, code, err, stderr)
		}
		return got.Choices
	}
	for _, c := range []struct {
		args []string
		ok   func(shownChoice) bool
	}{
		{[]string{"--vcpus", "4-8", "--memory", "16-32GiB"}, func(x shownChoice) bool {
			return x.VCPUs >= 4 && x.VCPUs <= 8 && x.MemoryMiB >= 16<<10 && x.MemoryMiB <= 32<<10
		}},
		{[]string{"--vcpus=8"}, func(x shownChoice) bool { return x.VCPUs == 8 }},
		{[]string{"--vcpus-min=8", "--memory-max=64"}, func(x shownChoice) bool { return x.VCPUs >= 8 && x.MemoryMiB <= 64<<10 }},
		{[]string{"--memory=64"}, func(x shownChoice) bool { return float64(x.MemoryMiB)*0.95 >= 64<<10 }},
		{[]string{"--gpus=2", "--gpu-model=l4"}, func(x shownChoice) bool { return x.GPUs >= 2 && x.GPUModel == "L4" }},
		{[]string{"--gpus=1-1"}, func(x shownChoice) bool { return x.GPUs == 1 }},
		{[]string{"--network-performance=100-"}, func(x shownChoice) bool { return x.EFA > 0 || x.VCPUs > 16 }},
		{[]string{"--cpus=16", "--threads"}, func(x shownChoice) bool { return x.VCPUs >= 16 }},
		{[]string{"--cpus=16", "--cpu-architecture=arm64"}, func(x shownChoice) bool {
			return strings.Contains(strings.SplitN(x.Type, ".", 2)[0], "g") && x.Cores >= 16
		}},
		{[]string{"--tasks=100", "--cpus=2", "--nodes=4"}, func(x shownChoice) bool { return x.Nodes == 4 && x.TasksPerNode == 25 && x.Cores >= 50 }},
		{[]string{"--allow-list=c6i.*,m6i.large", "--deny-list=*.metal"}, func(x shownChoice) bool { return strings.HasPrefix(x.Type, "c6i.") || x.Type == "m6i.large" }},
		{[]string{"--usage-class=on-demand"}, func(x shownChoice) bool { return x.Market == "on-demand" }},
	} {
		got := types(c.args...)
		if len(got) == 0 {
			t.Errorf("%v: none", c.args)
		}
		for _, x := range got {
			if !c.ok(x) {
				t.Errorf("%v: %+v", c.args, x)
			}
		}
	}
}

func TestMistakesAreToldInOneLine(t *testing.T) {
	s := newSlurm(t, "")
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no job":          {[]string{"analyze"}, 2, "no job given"},
		"no script":       {[]string{"analyze", "/nonexistent.sbatch"}, 2, "the script is not readable"},
		"two jobs":        {[]string{"analyze", "x.sbatch", "--job-id", "2"}, 2, "two jobs given"},
		"a component":     {[]string{"analyze", "--job-id", "13", "--component", "1"}, 2, "write --job-id 13+1"},
		"no such job":     {[]string{"analyze", "--job-id", "4711"}, 2, "Slurm has no job 4711"},
		"no id":           {[]string{"analyze", "--job-id", "$(id)"}, 2, `"$(id)" is no job's id`},
		"format":          {[]string{"analyze", "--job-id", "2", "--format", "xml"}, 2, `--format "xml" is not one of`},
		"two formats":     {[]string{"analyze", "--job-id", "2", "--format", "json", "--export-env"}, 2, "--export-env prints variables, not json"},
		"explain":         {[]string{"analyze", "--job-id", "2", "--explain"}, 2, "--explain goes with"},
		"nodes, and more": {[]string{"analyze", "--job-id", "2", "--nodes", "4"}, 2, "--nodes 4 is for a job of which no more is known"},
		"no nodes":        {[]string{"analyze", "--nodes", "0"}, 2, "--nodes 0 is not from 1 to 65536"},
		"many nodes":      {[]string{"analyze", "--nodes", "65537"}, 2, "--nodes 65537 is not from 1 to 65536"},
		"region":          {[]string{"analyze", "--job-id", "2", "--region", "us-eest-1"}, 2, `nothing is known of region "us-eest-1" (did you mean us-east-1?)`},
		"partition":       {[]string{"analyze", "--job-id", "2", "--partition", "nope"}, 2, "--partition nope: config.yaml has no such nodes"},
		"arch":            {[]string{"analyze", "--job-id", "2", "-a", "sparc"}, 2, `--cpu-architecture "sparc"`},
		"usage":           {[]string{"analyze", "--job-id", "2", "-u", "free"}, 2, `--usage-class "free"`},
		"glob":            {[]string{"analyze", "--job-id", "2", "--allow-list", "[a"}, 2, `--allow-list: "[a" is no pattern`},
		"deadline":        {[]string{"analyze", "--job-id", "2", "--deadline", "tomorrow"}, 2, `--deadline "tomorrow" is no time`},
		"budget":          {[]string{"analyze", "--job-id", "2", "--budget", "-1"}, 2, "--budget -1"},
		"nothing to do":   {[]string{"slurm-prolog", "--job-id", "2"}, 2, "nothing to do"},
		"prolog, no job":  {[]string{"slurm-prolog", "--export-env"}, 2, "no job given"},
		"memory":          {[]string{"recommend-instances", "--memory", "4-x"}, 2, `--memory "4-x" is no number and no range`},
		"cpus":            {[]string{"recommend-instances", "--cpus", "0"}, 2, "--cpus 0"},
		"time":            {[]string{"recommend-instances", "--time", "-4h"}, 2, "--time -4h"},
		"none":            {[]string{"recommend-instances", "--memory", "90TB"}, 1, "no instance type in us-east-1 will do"},
		"output":          {[]string{"recommend-instances", "-o", "xml"}, 2, `-o "xml"`},
		"an unknown flag": {[]string{"recommend-instances", "--colour"}, 2, "unknown flag: --colour"},
	} {
		stdout, stderr, code := s.run(c.args...)
		if code != c.code || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "ERROR: ") || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit %d\n%s%s", name, code, stdout, stderr)
		}
	}
}

func TestSlurmThatCannotBeAsked(t *testing.T) {
	s := newSlurm(t, "")
	conf, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(t.TempDir(), "scontrol")
	if err := os.WriteFile(dead, []byte("#!/bin/sh\necho 'slurm_load_jobs error: Unable to contact slurm controller' >&2\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		scontrol string
		code     int
		want     string
	}{
		"dead":    {dead, 1, "Slurm could not be asked for job 2: slurm_load_jobs error: Unable to contact slurm controller"},
		"missing": {"/nonexistent/scontrol", 1, "Slurm could not be asked for job 2"},
		"off":     {`"off"`, 2, "slurm.scontrol: off"},
	} {
		i := bytes.Index(conf, []byte("scontrol: "))
		text := append(append([]byte{}, conf[:i]...), []byte("scontrol: "+c.scontrol+"}\n")...)
		if err := os.WriteFile(s.config, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, stderr, code := s.run("analyze", "--job-id", "2"); code != c.code || out != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit %d\n%s%s", name, code, out, stderr)
		}
	}
}

func TestRanges(t *testing.T) {
	for text, want := range map[string]string{
		"8": "8 one", "4-8": "4-8", "4-": "4-", "-8": "0-8", "0.5": "0.5 one",
		"": "", "-": "", "8-4": "", "x": "", "4-x": "", "0": "", "4GB": "", "1-2-3": "", "1e9": "", "NaN": "", "inf": "",
	} {
		check(t, text, false, want)
	}
	for text, want := range map[string]string{
		"64GB": "65536 one", "64": "65536 one", "64gib": "65536 one", "512MiB": "512 one", "1.5T": "1572864 one",
		"4-8GiB": "4096-8192", "512MB-4GB": "512-4096", "4GiB-": "4096-", "-8G": "0-8192",
		"4 GiB": "4096 one", "4X": "", "GB": "", "8GB-4GB": "",
	} {
		check(t, text, true, want)
	}
}

func check(t *testing.T, text string, memory bool, want string) {
	t.Helper()
	r, one, err := parseRange(text, memory)
	got := r.String()
	if one {
		got += " one"
	}
	if err != nil {
		got = ""
	}
	if got != want {
		t.Errorf("%q is %q, want %q (%v)", text, got, want, err)
	}
}

func TestQuotingForAShell(t *testing.T) {
	for text, want := range map[string]string{"c6i.large,c6a.large": "'c6i.large,c6a.large'", "a'b": `'a'\''b'`, "": "''", "$(id) `id`\n": "'$(id) `id`\n'"} {
		if got := quoted(text); got != want {
			t.Errorf("%q is %s", text, got)
		}
	}
}
