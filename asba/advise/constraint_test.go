package advise

import (
	"slices"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/asba/plan/lint"
)

// AWS ParallelCluster names the features of its nodes so.
func TestFeaturesThatNameTypesAreKept(t *testing.T) {
	for constraint, ok := range map[string]func(c Choice) bool{
		"c6i.4xlarge":               func(c Choice) bool { return c.Type.Name == "c6i.4xlarge" },
		"c6i":                       func(c Choice) bool { return c.Type.Family() == "c6i" },
		"c6i & efa":                 func(c Choice) bool { return c.Type.Family() == "c6i" && c.Type.EFA > 0 },
		"EFA":                       func(c Choice) bool { return c.Type.EFA > 0 },
		"[c6i.4xlarge|c6a.4xlarge]": func(c Choice) bool { return slices.Contains([]string{"c6i.4xlarge", "c6a.4xlarge"}, c.Type.Name) },
		"c6a|m6a.8xlarge":           func(c Choice) bool { return c.Type.Family() == "c6a" || c.Type.Name == "m6a.8xlarge" },
		"t3":                        func(c Choice) bool { return c.Type.Family() == "t3" }, // who names it asks for its kind
	} {
		a := Advise(Job{MinNodes: 1, Tasks: 2, TimeLimit: time.Hour, Constraint: constraint}, options("us-east-1"))
		best(t, a)
		if i := slices.IndexFunc(a.Choices(), func(c Choice) bool { return !ok(c) }); i >= 0 {
			t.Errorf("%s: %s", constraint, a.Choices()[i].Reason())
		}
		if r := strings.Join(a.Plan.Reasons.Value, "\n"); strings.Contains(r, "for Slurm to judge") || !strings.Contains(r, " constraint ") {
			t.Errorf("%s: %s", constraint, r)
		}
	}
	a := Advise(Job{MinNodes: 1, Constraint: "c6i&c6a"}, options("us-east-1"))
	if a.Plan.Bursts() {
		t.Errorf("a type of two families: %v", a.Plan.InstanceTypes.Value)
	}
	a = Advise(Job{MinNodes: 1, Constraint: "c6i"}, options("us-east-1"))
	if why := excluded(a, "c6a.large"); why != "c6a.large is not what the job's nodes have to be (--constraint=c6i)" {
		t.Error(why)
	}
}

func TestWhatNoTypeIsChosenByIsTold(t *testing.T) {
	plain := Advise(Job{MinNodes: 1}, options("us-east-1"))
	for constraint, want := range map[string]string{
		"rack1": "--constraint=rack1", "c6i&rack1&ib": "--constraint=rack1, --constraint=ib", "c6i|rack1": "--constraint=c6i|rack1",
		"[rack1*2&rack2*2]": "--constraint=rack1*2&rack2*2", "(a|b)&c6i": "--constraint=(a|b)&c6i",
		strings.Repeat("x", 500): "--constraint=" + strings.Repeat("x", 44) + "...", "a\nb\x1b[1m": "--constraint=ab?[1m",
	} {
		a := Advise(Job{MinNodes: 1, Constraint: constraint}, options("us-east-1"))
		if !slices.Contains(a.Plan.Reasons.Value, "for Slurm to judge, no type is chosen by it: "+want) {
			t.Errorf("%q: %q", constraint, a.Plan.Reasons.Value)
		}
		if !strings.Contains(constraint, "c6i&") && !slices.Equal(a.Plan.InstanceTypes.Value, plain.Plan.InstanceTypes.Value) {
			t.Errorf("%q: %v", constraint, a.Plan.InstanceTypes.Value)
		}
	}
	many := Advise(Job{MinNodes: 1, Constraint: strings.Repeat("a&", 5000) + "b"}, options("us-east-1"))
	if r := strings.Join(many.Plan.Reasons.Value, ""); !strings.Contains(r, ", and 4989 more") || len(r) > 2000 {
		t.Errorf("%.3000s", r)
	}
	job := Job{MinNodes: 1, Unjudged: []string{"--licenses=ansys:2", "--begin=now+1hour"}}
	const said = "for Slurm to judge, no type is chosen by it: --licenses=ansys:2, --begin=now+1hour"
	if a := Advise(job, options("us-east-1")); !slices.Contains(a.Plan.Reasons.Value, said) {
		t.Errorf("%q", a.Plan.Reasons.Value)
	}
	o := options("us-east-1")
	o.Budget = 0.0001
	if a := Advise(job, o); a.Plan.Bursts() || !slices.Contains(a.Plan.Reasons.Value, said) {
		t.Errorf("against: %q", a.Plan.Reasons.Value)
	}
}

func TestTheShapeOfANodeIsKept(t *testing.T) {
	o := options("us-east-1")
	o.Allow = []string{"c6i.*", "m7a.*"} // m7a has one thread a core
	one := Job{MinNodes: 1, Tasks: 1, TimeLimit: time.Hour}
	for what, c := range map[string]struct {
		change func(*Job)
		ok     func(c Choice) bool
		why    string // of c6i.large, a core of two threads
	}{
		"CPUs":    {func(j *Job) { j.MinCPUs = 12 }, func(c Choice) bool { return c.Type.Cores >= 12 }, "c6i.large has 1 core, the job needs 12 on a node"},
		"cores":   {func(j *Job) { j.MinCores = 12 }, func(c Choice) bool { return c.Type.Cores >= 12 }, "c6i.large has 1 core, the job needs 1 on a node, of 12 cores at least"},
		"threads": {func(j *Job) { j.ThreadsPerCore, j.Threads = 2, true }, func(c Choice) bool { return c.Type.VCPUs == 2*c.Type.Cores }, ""},
		"CPUs that are threads": {func(j *Job) { j.MinCPUs, j.Threads = 12, true },
			func(c Choice) bool { return c.Type.VCPUs >= 12 }, "c6i.large has 2 threads, the job needs 12 on a node"},
	} {
		j := one
		c.change(&j)
		a := Advise(j, o)
		best(t, a)
		if i := slices.IndexFunc(a.Choices(), func(x Choice) bool { return !c.ok(x) }); i >= 0 {
			t.Errorf("%s: %s", what, a.Choices()[i].Reason())
		}
		if why := excluded(a, "c6i.large"); why != c.why {
			t.Errorf("%s: %s", what, why)
		}
	}
	one.ThreadsPerCore = 2
	if why := excluded(Advise(one, o), "m7a.large"); why != "m7a.large has 2 cores, the job needs 1 on a node, of 2 threads each" {
		t.Error(why)
	}
	// Where Slurm's line says how many CPUs a node has, that counts.
	o.Line = &lint.NodeLine{Name: "node group hpc", CPUs: 8}
	one = Job{MinNodes: 1, MinCPUs: 12}
	if a := Advise(one, o); a.Plan.Bursts() {
		t.Errorf("%v", a.Plan.InstanceTypes.Value)
	}
}

// Features are a user's text.
func FuzzConstraint(f *testing.F) {
	for _, s := range []string{"", "c6i.4xlarge", "c6i&efa", "[c6i|c6a]", "rack1*2&rack2*2", "(a|b)&c", "&|[]", "c6i\n|\x00", ".", "c6i."} {
		f.Add(s)
	}
	m := markets["us-east-1"]
	f.Fuzz(func(t *testing.T, features string) {
		c := m.constrained(features)
		for _, w := range c.words {
			if !m.has(w) {
				t.Errorf("%q is no type and no family", w)
			}
		}
		if told := c.efa || len(c.words)+len(c.rest) > 0; told != (len(strings.Fields(features)) > 0) {
			t.Errorf("%q: %+v", features, c)
		}
		a := Advise(Job{MinNodes: 1, Constraint: features}, Options{Market: m})
		if r := strings.Join(a.Plan.Reasons.Value, ""); strings.ContainsFunc(r, func(r rune) bool { return r < ' ' || r > '~' }) || len(r) > 8000 {
			t.Errorf("%q", r)
		}
	})
}
