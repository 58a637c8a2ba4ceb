package blackbox

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aws-slurm-burst/asba/plan"
)

// advisorSite is a folder with a scontrol that answers as slurmctld did, and a
// configuration that names it.
func advisorSite(t testing.TB) (config string) {
	t.Helper()
	dir := t.TempDir()
	scontrol, config := filepath.Join(dir, "scontrol"), filepath.Join(dir, "config.yaml")
	script := "#!/bin/sh\ngrep \"^JobId=$4 \" " + filepath.Join(repo, "asba/slurmjob/testdata/jobs.txt") + "\n"
	for path, text := range map[string]string{scontrol: script, config: "aws: {region: us-east-1}\nslurm: {scontrol: " + scontrol + "}\njournal: {dir: " + dir + "}\n"} {
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return config
}

// What the advisor says for a job is what the executor launches: the same types
// in the same order, with its market, its EFA and its group, and nothing to say
// against it.
func TestAnAdvisedPlanIsCarriedOutAsItIs(t *testing.T) {
	e := newEndpoint(t, nil)
	file := filepath.Join(t.TempDir(), "plan.json")
	if r := e.run("asba", []string{"analyze", "--job-id", "2", "--mpi", "--config", advisorSite(t), "--output", file}); r.code != 0 || r.stderr != "" {
		t.Fatalf("exit %d: %s", r.code, r.stderr)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p, _ := plan.Read(data, file)
	r := e.resume("aws-hpc-[001-008]", "--execution-plan="+file)
	if r.code != 0 || r.report.Plan.Outcome != "used" || len(r.report.Findings) > 0 {
		t.Fatalf("exit %d, %+v\n%s", r.code, r.report.Findings, r.stderr)
	}
	if strings.Contains(r.stderr, "WARN") || strings.Contains(r.stderr, "Using") {
		t.Errorf("the plan is not whole: %s", r.stderr)
	}
	live := e.live()
	if len(live) != 8 {
		t.Fatalf("%d instances", len(live))
	}
	for _, i := range live {
		if i.Type != p.InstanceTypes.Value[0] {
			t.Errorf("launched %s, advised was %s", i.Type, p.InstanceTypes.Value[0])
		}
	}
}

// A shell takes the advice, and what an earlier one left is gone.
func TestAShellEvaluatesAnAdvice(t *testing.T) {
	e := newEndpoint(t, nil)
	asba := filepath.Join(bin, "asba")
	config := advisorSite(t)
	want := []string{"ASBA_GANG_SCHEDULING=true", "ASBA_INSTANCE_TYPES=c5n.18xlarge", "ASBA_MPI_PROCESSES=288", "ASBA_PLACEMENT_GROUP=cluster",
		"ASBA_PURCHASING_OPTION=on-demand", "ASBA_REQUIRES_EFA=true", "ASBA_SHOULD_BURST=true"}
	for _, evaluated := range []string{`"$(%s)"`, `$(%s)`} { // without quotes its lines are one
		evaluated = fmt.Sprintf(evaluated, asba+" analyze --job-id 2 --mpi --usage-class on-demand --export-env --config "+config)
		r := e.sh("export ASBA_MPI_PROCESSES=99 ASBA_MAX_SPOT_PRICE=9 ASBA_GANG_SCHEDULING=odd\neval " + evaluated + " && env | grep ^ASBA_ | sort")
		got := strings.Fields(r.stdout)
		if r.code != 0 || len(got) != len(want) {
			t.Fatalf("%s: exit %d\n%s%s", evaluated, r.code, r.stdout, r.stderr)
		}
		for i, line := range got {
			if !strings.HasPrefix(line, want[i]) {
				t.Errorf("%s: %s, want %s", evaluated, line, want[i])
			}
		}
	}
	// And the variables are a plan that the executor takes.
	r := e.sh(fmt.Sprintf(`eval "$(%s analyze --job-id 2 --mpi --export-env --config %s)" && %s 'aws-hpc-[001-008]' --config=%s --dry-run -o json`,
		asba, config, filepath.Join(bin, "aws-slurm-burst-resume"), exampleConfig))
	if r.code != 0 || !strings.Contains(r.stdout, `"outcome": "used"`) || !strings.Contains(r.stdout, "c5n.18xlarge") {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

func TestVariablesOfAnAdviceAreConverted(t *testing.T) {
	e := newEndpoint(t, nil)
	r := e.sh(fmt.Sprintf(`%s analyze --job-id 2 --mpi --format env --config %s | %s convert-plan`, filepath.Join(bin, "asba"), advisorSite(t), filepath.Join(bin, "aws-slurm-burst")))
	p, fs := plan.Read([]byte(r.stdout), "")
	if r.code != 0 || len(fs) > 0 || p.ProcessCount.Value != 288 || !p.RequiresEFA.Value {
		t.Errorf("exit %d, %v\n%s%s", r.code, fs, r.stdout, r.stderr)
	}
}

// What EC2 itself said is what is advised by, and its prices are of today.
func TestAdviceIsByTheRefreshedCatalogue(t *testing.T) {
	e := newEndpoint(t, nil)
	type advice struct {
		Confidence struct{ Fresh float64 }
		Choices    []struct {
			Price  float64 `json:"price"`
			Hourly float64 `json:"hourly_cost"`
			Market string
			Zones  []string
		}
	}
	ask := func() (a advice) {
		r := e.run("asba", []string{"recommend-instances", "--cpus", "4", "--allow-list", "c6i.2xlarge", "--usage-class", "spot", "--region", "us-east-1", "-o", "json"}, e.caches()...)
		if err := json.Unmarshal([]byte(r.stdout), &a); err != nil || r.code != 0 || len(a.Choices) != 1 {
			t.Fatalf("exit %d, %v\n%s%s", r.code, err, r.stdout, r.stderr)
		}
		return a
	}
	before := ask()
	if r := e.catalog("refresh"); r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.stderr)
	}
	told := e.known("c6i.2xlarge")[0]
	after := ask()
	if c := after.Choices[0]; before.Confidence.Fresh == 1 || after.Confidence.Fresh != 1 || c.Hourly == before.Choices[0].Hourly || c.Hourly != told.SpotMarket.USD || c.Price != told.Price.USD || len(c.Zones) != len(told.Zones) {
		t.Errorf("before %+v\nafter %+v\nEC2 said %+v", before, after, told)
	}
}

// BenchmarkAnalyze is a whole analysis, from the start of the process to its
// end: of a script, and of a job that scontrol (a process of its own) tells of.
func BenchmarkAnalyze(b *testing.B) {
	e := newEndpoint(b, nil)
	config := advisorSite(b)
	script := filepath.Join(b.TempDir(), "waves.sbatch")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n#SBATCH -N 8 --ntasks-per-node=36 --mem=100G -t 4:00:00\nmpirun ./waves\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	for name, args := range map[string][]string{"script": {script}, "job-id": {"--job-id", "2"}} {
		b.Run(name, func(b *testing.B) {
			var took []float64
			for range max(b.N, 20) {
				r := e.command(exec.Command(filepath.Join(bin, "asba"), append([]string{"analyze", "--config", config}, args...)...))
				if r.code != 0 {
					b.Fatalf("exit %d: %s", r.code, r.stderr)
				}
				took = append(took, float64(r.took.Microseconds())/1e3)
			}
			slices.Sort(took)
			b.ReportMetric(took[len(took)/2], "ms")
			b.ReportMetric(took[len(took)*95/100], "ms-p95")
			b.ReportMetric(0, "ns/op")
		})
	}
}
