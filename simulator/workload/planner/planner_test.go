package planner

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"aws-slurm-burst/asba/advise"
	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan/check"
	"aws-slurm-burst/asba/plan/lint"
	"aws-slurm-burst/simulator/workload"
	"aws-slurm-burst/simulator/workload/swf"
)

var (
	today  = time.Date(2026, 11, 25, 14, 0, 0, 0, time.UTC)
	market = advise.NewMarket(catalog.Default(), "us-east-1")
	line   = &lint.NodeLine{Name: "node group cpu", CPUs: 8, MemoryMiB: 15000}
)

func planner(t testing.TB, o Options) *Planner {
	t.Helper()
	o.Advise = advise.Options{Market: market, Now: today}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// judged is how bad the worst finding about a plan is.
func judged(text []byte) (worst finding.Level, said []finding.Finding) {
	r := check.Text(text, "plan.json", check.Options{Options: lint.Options{Catalog: catalog.Default(), Region: "us-east-1", Now: today}})
	for _, f := range r.Findings {
		worst = max(worst, f.Level)
	}
	return worst, r.Findings
}

func job(id int64, procs int32) workload.Job {
	return workload.Job{ID: id, Procs: procs, Limit: 3 * time.Hour, Run: time.Hour}
}

func TestPlansAreSoundOrSpoiltAsToldByJob(t *testing.T) {
	p := planner(t, Options{Missing: 0.1, Partial: 0.2, Invalid: 0.3, Seed: 7})
	const n = 4000
	var count [kinds]int
	for i := range n {
		j := job(int64(i+1), int32(8+i%4*8))
		got := p.Plan(&j, j.NodesOf(8), line)
		if count[got.Kind]++; count[got.Kind] > 20 {
			continue // the like was judged
		}
		worst, said := judged(got.Text)
		switch {
		case got.Kind == Missing && got.Text != nil,
			got.Kind.Invalid() && worst != finding.Error,
			got.Kind == CutShort && jsontext.Value(got.Text).IsValid(),
			got.Kind != CutShort && got.Kind != Missing && !jsontext.Value(got.Text).IsValid(),
			(got.Kind == Whole || got.Kind == Partial) && worst == finding.Error,
			got.Kind == Whole && worst != finding.Info:
			t.Errorf("%s plan: %v\n%s", got.Kind, said, got.Text)
		}
	}
	share := func(k Kind) float64 { return float64(count[k]) / n }
	invalid := share(CutShort) + share(UnknownTypes) + share(NoTypes) + share(WrongKind)
	for what, d := range map[string]float64{"missing": share(Missing) - 0.1, "partial": share(Partial) - 0.2, "invalid": invalid - 0.3} {
		if math.Abs(d) > 0.03 {
			t.Errorf("%s is off by %.3f", what, d)
		}
	}
	for k := CutShort; k < kinds; k++ {
		if share(k) < 0.05 {
			t.Errorf("%s: %.3f of all", k, share(k))
		}
	}
}

func TestAJobHasTheSamePlanWheneverItIsAskedFor(t *testing.T) {
	o := Options{Missing: 0.2, Invalid: 0.4, Partial: 0.2, Seed: 3}
	one, other := planner(t, o), planner(t, o)
	for i := range int64(300) {
		a, b := job(i+1, 16), job(300-i, 16)
		one.Plan(&a, 2, line)
		other.Plan(&b, 2, line)
	}
	for i := range int64(300) {
		j := job(i+1, 16)
		a, b := one.Plan(&j, 2, line), other.Plan(&j, 2, line)
		if a.Kind != b.Kind || !bytes.Equal(a.Text, b.Text) {
			t.Fatalf("job %d: %s and %s", j.ID, a.Kind, b.Kind)
		}
	}
	if one.Advices() != 1 {
		t.Errorf("%d advices for one shape", one.Advices())
	}
}

func TestWhatDecidesAPlanIsInItsShape(t *testing.T) {
	p := planner(t, Options{})
	base := job(1, 16)
	plain := p.Plan(&base, 2, line)
	if again := job(2, 16); !bytes.Equal(plain.Text, p.Plan(&again, 2, line).Text) {
		t.Error("another id has another plan")
	}
	for name, change := range map[string]func(j *workload.Job){
		"size":    func(j *workload.Job) { j.Procs = 32 },
		"limit":   func(j *workload.Job) { j.Limit = 30 * time.Hour },
		"memory":  func(j *workload.Job) { j.MemoryPerProc = 8000 },
		"gpus":    func(j *workload.Job) { j.GPUsPerNode = 1 },
		"coupled": func(j *workload.Job) { j.Coupled = true },
		"requeue": func(j *workload.Job) { j.NoRequeue = true },
	} {
		j := base
		change(&j)
		before := p.Advices()
		got := p.Plan(&j, j.NodesOf(8), line)
		if p.Advices() != before+1 || bytes.Equal(got.Text, plain.Text) {
			t.Errorf("%s makes no difference", name)
		}
	}
	before := p.Advices()
	if small := (&lint.NodeLine{CPUs: 2}); bytes.Equal(p.Plan(&base, 2, small).Text, p.Plan(&base, 2, line).Text) || p.Advices() != before+1 {
		t.Error("the nodes' line makes no difference")
	}
}

// said is what a plan says, as far as these tests go.
type said struct {
	Bursts    bool `json:"should_burst"`
	Instances struct {
		Types []string `json:"instance_types"`
		Count int      `json:"instance_count"`
	} `json:"instance_specification"`
	MPI struct {
		Is        bool `json:"is_mpi_job"`
		Processes int  `json:"process_count"`
		OnNode    int  `json:"processes_per_node"`
	} `json:"mpi_configuration"`
}

func TestAPlanIsOfWhatTheJobNeeds(t *testing.T) {
	p := planner(t, Options{Invalid: 1})
	whole := planner(t, Options{})
	for name, c := range map[string]struct {
		nodes int
		job   workload.Job
		want  func(s said) bool
	}{
		"alone":                   {2, job(1, 16), func(s said) bool { return s.Bursts && !s.MPI.Is && s.Instances.Count == 2 && s.MPI.Processes == 16 }},
		"fewer processors":        {4, job(1, 2), func(s said) bool { return s.Instances.Count == 4 && s.MPI.Processes == 4 && s.MPI.OnNode == 1 }},
		"not shared evenly":       {2, job(1, 9), func(s said) bool { return s.MPI.Processes == 9 && s.MPI.OnNode == 5 }},
		"no nodes told":           {0, job(1, 8), func(s said) bool { return s.Instances.Count == 1 && s.MPI.OnNode == 8 }},
		"coupled":                 {2, workload.Job{ID: 1, Procs: 16, Limit: time.Hour, Coupled: true}, func(s said) bool { return s.MPI.Is }},
		"coupled within one node": {1, workload.Job{ID: 1, Procs: 8, Limit: time.Hour, Coupled: true}, func(s said) bool { return !s.MPI.Is }},
		"GPUs": {1, workload.Job{ID: 1, Procs: 8, Limit: time.Hour, GPUsPerNode: 2}, func(s said) bool {
			return len(s.Instances.Types) > 0 && !slices.ContainsFunc(s.Instances.Types, func(n string) bool { return n[0] != 'g' && n[0] != 'p' })
		}},
		"more memory than EC2 has": {1, workload.Job{ID: 1, Procs: 8, Limit: time.Hour, MemoryPerNode: 1 << 40}, func(s said) bool { return !s.Bursts }},
	} {
		got := whole.Plan(&c.job, c.nodes, nil)
		var s said
		if err := json.Unmarshal(got.Text, &s); err != nil || !c.want(s) || got.Bursts != s.Bursts || got.Kind != Whole {
			t.Errorf("%s: %v\n%s", name, err, got.Text)
		}
		if spoilt := p.Plan(&c.job, c.nodes, nil); spoilt.Kind.Invalid() != s.Bursts || !s.Bursts && !bytes.Equal(spoilt.Text, got.Text) {
			t.Errorf("%s: %s of a plan of which there is nothing to spoil", name, spoilt.Kind)
		}
	}
	one := job(1, 8)
	if whole.Advices() != 8 || whole.Plan(&one, 1, nil).Kind != Whole || whole.Advices() != 8 {
		t.Errorf("%d advices: without nodes told, a job has one", whole.Advices())
	}
}

func TestASpoiltPlanIsSpoiltAsItsKindSays(t *testing.T) {
	j := job(1, 16)
	whole := planner(t, Options{}).Plan(&j, 2, line).Text
	seen := map[Kind]bool{}
	for _, o := range []Options{{Partial: 1}, {Invalid: 1, Seed: 1}} {
		p := planner(t, o)
		for id := range int64(40) {
			j := job(id, 16)
			got := p.Plan(&j, 2, line)
			var s said
			err := json.Unmarshal(got.Text, &s)
			ok := false
			switch got.Kind {
			case Partial:
				ok = err == nil && len(s.Instances.Types) > 0 && !bytes.Contains(got.Text, []byte("cost_constraints")) && s.Instances.Count == 0
			case CutShort:
				ok = err != nil && len(got.Text) > 0 && bytes.HasPrefix(whole, got.Text) && !bytes.HasSuffix(bytes.TrimSpace(got.Text), []byte("\n}"))
			case NoTypes:
				ok = err == nil && len(s.Instances.Types) == 0 && bytes.Contains(got.Text, []byte("cost_constraints"))
			case UnknownTypes:
				ok = err == nil && len(s.Instances.Types) > 0
			case WrongKind:
				ok = err != nil && jsontext.Value(got.Text).IsValid()
			}
			if seen[got.Kind] = true; !ok {
				t.Errorf("%s: %v\n%s", got.Kind, err, got.Text)
			}
		}
	}
	if len(seen) != 5 {
		t.Errorf("kinds %v", seen)
	}
}

func TestShapesThatAreRememberedAreBounded(t *testing.T) {
	p := planner(t, Options{})
	for i := range int32(most) {
		p.known[shape{procs: -1 - i}] = &advised{}
	}
	j := job(1, 8)
	if p.Plan(&j, 1, nil); len(p.known) != 1 {
		t.Errorf("%d shapes are remembered", len(p.known))
	}
}

func TestALimitIsRoundedUpAndNeverDown(t *testing.T) {
	for _, c := range [][2]time.Duration{{0, 0}, {-1, 0}, {time.Second, 5 * time.Minute}, {5 * time.Minute, 5 * time.Minute}, {48 * time.Hour, 48 * time.Hour}, {49 * time.Hour, 72 * time.Hour}, {72 * time.Hour, 72 * time.Hour}, {72*time.Hour + 1, 96 * time.Hour}} {
		if got := Bucket(c[0]); got != c[1] {
			t.Errorf("%s: %s", c[0], got)
		}
	}
}

func TestWrongSharesAreRefused(t *testing.T) {
	for _, o := range []Options{{Missing: -0.1}, {Invalid: 1.1}, {Partial: math.NaN()}, {Missing: 0.5, Invalid: 0.6}} {
		o.Advise.Market = market
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	for _, o := range []Options{{Missing: 1}, {Invalid: 1}, {Missing: 0.1, Invalid: 0.2, Partial: 0.7}} {
		o.Advise.Market = market
		if _, err := New(o); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := New(Options{}); err == nil {
		t.Error("no market is taken")
	}
}

// BenchmarkKTH plans all jobs of a year of a real machine.
func BenchmarkKTH(b *testing.B) {
	packed, err := os.ReadFile("../../../../shared/data/KTH-SP2-1996-2.swf.gz")
	if err != nil {
		b.Skipf("no logs of the archive here: %v", err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		b.Fatal(err)
	}
	log, err := io.ReadAll(z)
	if err != nil {
		b.Fatal(err)
	}
	var jobs []workload.Job
	for j, err := range swf.NewReader(bytes.NewReader(log), swf.Options{}).Jobs() {
		if err != nil {
			b.Fatal(err)
		}
		jobs = append(jobs, j)
	}
	advices := 0
	for b.Loop() {
		p := planner(b, Options{Missing: 0.01, Invalid: 0.01, Partial: 0.02})
		for i := range jobs {
			p.Plan(&jobs[i], jobs[i].NodesOf(8), line)
		}
		advices = p.Advices()
	}
	b.ReportMetric(float64(advices), "advices")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(jobs)), "ns/job")
}
