package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"aws-slurm-burst/asba/finding"
)

// Invalid is the error of a scenario that cannot be run.
type Invalid struct {
	// Findings are the errors, by place: all of them, up to a hundred.
	Findings []finding.Finding
}

// Error has one line a finding.
func (e *Invalid) Error() string {
	lines := make([]string, len(e.Findings))
	for i, f := range e.Findings {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// Parse reads a scenario. file is its name, for findings and for the folder that
// relative paths start at. Every error is an *Invalid.
func Parse(data []byte, file string) (*Scenario, error) {
	d := &decoder{file: file, places: map[string]place{}}
	s := New()
	s.File, s.places = file, d.places
	if root := d.document(data); root != nil {
		s.keys()(d, value{node: root})
		if d.errors == 0 { // else they may be of what was not read
			s.together(d, root)
		}
	}
	return s.judged(d)
}

// Check judges a scenario that was made of flags, as Parse does one of a file.
func (s *Scenario) Check() error {
	d := &decoder{file: s.File, places: s.places}
	s.together(d, nil)
	_, err := s.judged(d)
	return err
}

func (s *Scenario) judged(d *decoder) (*Scenario, error) {
	finding.Sort(d.findings)
	if d.errors > 0 {
		return nil, &Invalid{slices.DeleteFunc(d.findings, func(f finding.Finding) bool { return f.Level < finding.Error })}
	}
	s.Notes = d.findings
	return s, nil
}

// keys is the table of all keys.
func (s *Scenario) keys() reader {
	w, c := &s.Workload, &s.Cluster
	return mapping(
		key{"name", text(&s.Name)},
		key{"seed", seed(&s.Seed)},
		key{"workload", mapping(
			key{"trace", path(&w.Trace)},
			key{"sacct", path(&w.Sacct)},
			key{"jsonl", path(&w.JSONL)},
			key{"generator", func(d *decoder, v value) { w.Generator = generator(d, v) }},
			key{"lenient", boolean(&w.Lenient)},
			key{"from", duration(&w.From, 0, longest)},
			key{"to", duration(&w.To, 1, longest)},
			key{"load", number(&w.Load, 0, 1000)},
			key{"shake", duration(&w.Shake, 0, 365*24*time.Hour)},
			key{"missing_limit", duration(&w.MissingLimit, 1, longest)},
			key{"limit_factor", number(&w.LimitFactor, 0, 1e6)},
			key{"over_run", word(&w.OverRun, Extend, Kill)},
		)},
		key{"cluster", mapping(
			key{"scheduler", word(&c.Scheduler, FIFO, EASY, Slurm)},
			key{"processors", whole(&c.Processors, 1, 1<<30)},
			key{"premises", mapping(
				key{"nodes", whole(&c.Premises.Nodes, 0, maxNodes)},
				key{"cores_per_node", whole(&c.Premises.CoresPerNode, 1, 1<<16)},
				key{"memory_mb", whole(&c.Premises.MemoryMB, 0, 1<<40)},
			)},
			key{"slurm", mapping(
				key{"conf", path(&c.SlurmConf)},
				key{"settings", settings(&c.Settings)},
			)},
			key{"failures", mapping(
				key{"mtbf", duration(&c.Failures.MTBF, time.Hour, longest)},
				key{"repair", duration(&c.Failures.Repair, 1, longest)},
			)},
			key{"cloud", func(d *decoder, v value) { c.Cloud = cloud(d, v) }},
			key{"plans", mapping(
				key{"advise", boolean(&c.Plans.Advise)},
				key{"missing", share(&c.Plans.Missing)},
				key{"invalid", share(&c.Plans.Invalid)},
				key{"partial", share(&c.Plans.Partial)},
			)},
		)},
		key{"run", mapping(
			key{"until", duration(&s.Until, 1, longest)},
			key{"jobs_csv", path(&s.Outputs.JobsCSV)},
			key{"swf", path(&s.Outputs.SWF)},
			key{"events", path(&s.Outputs.Events)},
		)},
	)
}

func generator(d *decoder, v value) *Generator {
	g := &Generator{Model: Lublin, Jobs: 10_000, MaxProcs: 128, Interarrival: 5 * time.Minute, Run: time.Hour, Shape: 1}
	mapping(
		key{"model", word(&g.Model, Lublin, Poisson, Weibull)},
		key{"jobs", whole(&g.Jobs, 1, 1<<40)},
		key{"max_procs", whole(&g.MaxProcs, 1, 1<<30)},
		key{"interarrival", duration(&g.Interarrival, 1, longest)},
		key{"run", duration(&g.Run, 1, longest)},
		key{"shape", number(&g.Shape, 0, 100)},
	)(d, v)
	return g
}

func cloud(d *decoder, v value) *Cloud {
	c := NewCloud()
	mapping(
		key{"config", path(&c.Config)},
		key{"cores_per_node", whole(&c.CoresPerNode, 1, 1<<16)},
		key{"boot", word(&c.Boot, Instant, Minimal, HPC, ParallelCluster)},
		key{"spot", word(&c.Spot, Always, Common, Scarce)},
		key{"on_demand", word(&c.OnDemand, Always, Common, Scarce)},
		key{"quotas", list(func(d *decoder, v value) {
			q := Quota{Market: "on-demand", VCPUs: -1}
			mapping(
				key{"family", word(&q.Family, Families...)},
				key{"market", word(&q.Market, "on-demand", "spot")},
				key{"vcpus", whole(&q.VCPUs, 0, 1<<30)},
			)(d, v)
			if q.Family == "" || q.VCPUs < 0 {
				d.fail(idMissing, v, "such as {family: standard, market: spot, vcpus: 640}", "a quota has a family and vcpus")
				return
			}
			c.Quotas = append(c.Quotas, q)
		})},
		key{"throttle", boolean(&c.Throttle)},
		key{"faults", path(&c.Faults)},
		key{"reconcile", duration(&c.Reconcile, 0, longest)},
	)(d, v)
	return c
}

// settings reads lines of slurm.conf, as keys with values.
func settings(to *[]Setting) reader {
	return func(d *decoder, v value) {
		d.pairs(v, func(k, child value) {
			if s, ok := d.scalar(&child, "text"); ok {
				*to = append(*to, Setting{k.node.Value, s})
			}
		})
	}
}

// together looks at what makes sense in one key and not beside another.
func (s *Scenario) together(d *decoder, root *yaml.Node) {
	at := func(pointer string) value {
		v := value{ptr: pointer}
		if p, ok := d.places[pointer]; ok {
			v.node = &yaml.Node{Line: p.line, Column: p.column}
		} else if root != nil {
			v.node = root
		}
		return v
	}
	given := func(pointer string, is bool) bool {
		_, read := d.places[pointer]
		return read || is && root == nil
	}
	var sources []string
	for name, is := range map[string]bool{
		"trace": s.Workload.Trace != "", "sacct": s.Workload.Sacct != "", "jsonl": s.Workload.JSONL != "", "generator": s.Workload.Generator != nil,
	} {
		if given("/workload/"+name, is) {
			sources = append(sources, name)
		}
	}
	slices.Sort(sources)
	switch {
	case len(sources) == 0:
		d.fail(idMissing, at("/workload"), "give workload a trace, sacct, jsonl or generator", "no workload")
	case len(sources) > 1:
		d.fail(idConflict, at("/workload/"+sources[1]), "keep one", "jobs come from one place, not from %s", strings.Join(sources, " and "))
	}
	if w := s.Workload; w.To > 0 && w.To <= w.From {
		d.fail(idValue, at("/workload/to"), "to is later than from", "no job is handed in from %v to %v", w.From, w.To)
	}
	if g := s.Workload.Generator; g != nil && g.Model == Lublin {
		for _, k := range []string{"interarrival", "run", "shape"} {
			if given("/workload/generator/"+k, false) {
				d.note(finding.Warning, idUnwise, at("/workload/generator/"+k), "use load to change how much work there is", "Lublin's model draws its own %s: this one is not used", k)
			}
		}
	}
	c := s.Cluster
	machine := c.Processors > 0 || given("/cluster/processors", false)
	for name, is := range map[string]bool{"premises": c.Premises.Nodes > 0, "slurm": c.SlurmConf != "", "cloud": c.Cloud != nil, "failures": c.Failures.MTBF > 0, "plans": c.Plans != Plans{}} {
		if machine && given("/cluster/"+name, is) {
			d.fail(idConflict, at("/cluster/"+name), "give premises nodes, or leave "+name+" away", "processors make a machine without nodes: it has no %s", name)
		}
	}
	if machine && c.Scheduler == Slurm {
		d.fail(idConflict, at("/cluster/processors"), "write scheduler: easy or fifo, or give premises nodes", "Slurm schedules nodes, not processors alone")
	}
	if c.SlurmConf != "" && c.Premises.Nodes > 0 {
		d.note(finding.Warning, idUnwise, at("/cluster/premises"), "write their NodeName lines there, or leave premises away", "the slurm.conf has all nodes of its cluster: these are not used")
	}
	switch {
	case machine:
	case c.Premises.Nodes == 0 && c.Cloud == nil && c.SlurmConf == "":
		d.fail(idMissing, at("/cluster"), "give cluster processors, premises, slurm.conf or a cloud", "no machine for the jobs")
	case c.Premises.Nodes > 0 && c.Premises.CoresPerNode == 0:
		d.fail(idMissing, at("/cluster/premises"), "such as cores_per_node: 16", "premises without cores_per_node")
	}
	if given("/cluster/failures", false) && c.Failures.MTBF == 0 && !machine {
		d.fail(idMissing, at("/cluster/failures"), "such as mtbf: 180d, the mean time that a node works", "failures without mtbf")
	}
	if c.Failures.MTBF > 0 && c.Premises.Nodes == 0 && c.SlurmConf == "" && !machine {
		d.note(finding.Warning, idUnwise, at("/cluster/failures"), "give cluster premises; what cloud nodes do is cloud's boot, spot and faults", "failures are of nodes on the premises, and there are none")
	}
	if c.Cloud != nil && c.Cloud.Config == "" {
		d.fail(idMissing, at("/cluster/cloud"), "name the executor's configuration: config: FILE", "a cloud without config")
	}
	s.plansTogether(d, at)
}

func (s *Scenario) plansTogether(d *decoder, at func(string) value) {
	p := s.Cluster.Plans
	switch {
	case p.Missing+p.Invalid+p.Partial > 1:
		d.fail(idValue, at("/cluster/plans"), "together they are at most 1", "missing, invalid and partial plans are more than all plans")
	case !p.Advise && p != Plans{}:
		d.note(finding.Warning, idUnwise, at("/cluster/plans"), "write advise: true", "jobs have no plans, so none is missing, invalid or partial")
	case p.Advise && s.Cluster.Cloud == nil && s.Cluster.SlurmConf == "":
		d.note(finding.Warning, idUnwise, at("/cluster/plans"), "give cluster a cloud", "plans are for cloud nodes, and there are none")
	}
}

// Input is a file that a scenario reads.
type Input struct{ Pointer, Path string }

// Inputs are the files that the scenario reads, in the order of its keys.
func (s *Scenario) Inputs() []Input {
	all := []Input{
		{"/workload/trace", s.Workload.Trace}, {"/workload/sacct", s.Workload.Sacct}, {"/workload/jsonl", s.Workload.JSONL},
		{"/cluster/slurm/conf", s.Cluster.SlurmConf},
	}
	if c := s.Cluster.Cloud; c != nil {
		all = append(all, Input{"/cluster/cloud/config", c.Config}, Input{"/cluster/cloud/faults", c.Faults})
	}
	return slices.DeleteFunc(all, func(i Input) bool { return i.Path == "" })
}

// Unreadable is the finding about an input that cannot be opened.
func (s *Scenario) Unreadable(i Input, err error) finding.Finding {
	p := s.places[i.Pointer]
	f := finding.Finding{ID: idFile, Level: finding.Error, File: s.File, Line: p.line, Column: p.column, Pointer: i.Pointer, Message: err.Error()}
	if s.File != "" {
		f.Suggestion = "paths count from the scenario's folder"
	}
	return f
}

// Unwise is a finding about what a value leads to: allowed, and probably not
// meant.
func (s *Scenario) Unwise(level finding.Level, pointer, suggestion, format string, args ...any) finding.Finding {
	p := s.places[pointer]
	return finding.Finding{ID: idUnwise, Level: level, File: s.File, Line: p.line, Column: p.column, Pointer: pointer, Message: fmt.Sprintf(format, args...), Suggestion: suggestion}
}

// Unfit is the error of a run that found out that a value does not fit the
// workload, such as a machine that is too small for a job.
func (s *Scenario) Unfit(pointer string, err error) error {
	p := s.places[pointer]
	return &Invalid{[]finding.Finding{{
		ID: idValue, Level: finding.Error, File: s.File, Line: p.line, Column: p.column, Pointer: pointer, Message: err.Error(),
	}}}
}
