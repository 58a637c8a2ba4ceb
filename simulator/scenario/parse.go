package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/finding/read"
)

// Invalid is the error of a scenario that cannot be run.
type Invalid struct {
	// Findings are the errors, by place: all of them, up to a hundred.
	Findings []finding.Finding
}

// Error has one line a finding.
func (e *Invalid) Error() string {
	return finding.Lines(e.Findings)
}

// Parse reads a scenario. file is its name, for findings and for the folder that
// relative paths start at. Every error is an *Invalid.
func Parse(data []byte, file string) (*Scenario, error) {
	s := New()
	s.File, s.doc = file, read.New(file, &format)
	if root, ok := s.doc.Load(data); ok {
		s.keys()(root)
		if !s.doc.Failed() { // else they may be of what was not read
			s.together()
		}
	}
	if err := s.judged(); err != nil {
		return nil, err
	}
	return s, nil
}

// Check judges a scenario that was made of flags, as Parse does one of a file.
func (s *Scenario) Check() error {
	s.doc = read.New(s.File, &format)
	s.together()
	return s.judged()
}

func (s *Scenario) judged() error {
	wrong, notes := s.doc.Findings()
	if wrong != nil {
		return &Invalid{wrong}
	}
	s.Notes = notes
	return nil
}

// keys is the table of all keys.
func (s *Scenario) keys() read.Reader {
	w, c := &s.Workload, &s.Cluster
	return read.Mapping(
		read.Key("name", read.Text(&s.Name, read.NotEmpty)),
		read.Key("seed", seed(&s.Seed)),
		read.Key("workload", read.Mapping(
			read.Key("trace", read.Path(&w.Trace)),
			read.Key("sacct", read.Path(&w.Sacct)),
			read.Key("jsonl", read.Path(&w.JSONL)),
			read.Key("generator", func(v read.Value) { w.Generator = generator(v) }),
			read.Key("lenient", read.Boolean(&w.Lenient)),
			read.Key("from", duration(&w.From, 0, longest)),
			read.Key("to", duration(&w.To, 1, longest)),
			read.Key("load", number(&w.Load, 0, 1000)),
			read.Key("shake", duration(&w.Shake, 0, 365*24*time.Hour)),
			read.Key("missing_limit", duration(&w.MissingLimit, 1, longest)),
			read.Key("limit_factor", number(&w.LimitFactor, 0, 1e6)),
			read.Key("over_run", read.Word(&w.OverRun, Extend, Kill)),
			read.Key("coupled", func(v read.Value) { coupled(v, &w.Coupled) }),
		)),
		read.Key("cluster", read.Mapping(
			read.Key("scheduler", read.Word(&c.Scheduler, FIFO, EASY, Slurm)),
			read.Key("processors", read.Whole(&c.Processors, 1, 1<<30)),
			read.Key("premises", read.Mapping(
				read.Key("nodes", read.Whole(&c.Premises.Nodes, 0, MaxNodes)),
				read.Key("cores_per_node", read.Whole(&c.Premises.CoresPerNode, 1, 1<<16)),
				read.Key("memory_mb", read.Whole(&c.Premises.MemoryMB, 0, 1<<40)),
			)),
			read.Key("slurm", read.Mapping(
				read.Key("conf", read.Path(&c.SlurmConf)),
				read.Key("settings", settings(&c.Settings)),
			)),
			read.Key("failures", read.Mapping(
				read.Key("mtbf", duration(&c.Failures.MTBF, time.Hour, longest)),
				read.Key("repair", duration(&c.Failures.Repair, 1, longest)),
			)),
			read.Key("cloud", func(v read.Value) { c.Cloud = cloud(v) }),
			read.Key("plans", read.Mapping(
				read.Key("advise", read.Boolean(&c.Plans.Advise)),
				read.Key("missing", share(&c.Plans.Missing)),
				read.Key("invalid", share(&c.Plans.Invalid)),
				read.Key("partial", share(&c.Plans.Partial)),
			)),
		)),
		read.Key("run", read.Mapping(
			read.Key("until", duration(&s.Until, 1, longest)),
			read.Key("jobs_csv", read.Path(&s.Outputs.JobsCSV)),
			read.Key("swf", read.Path(&s.Outputs.SWF)),
			read.Key("events", read.Path(&s.Outputs.Events)),
		)),
	)
}

func generator(v read.Value) *Generator {
	g := &Generator{Model: Lublin, Jobs: 10_000, MaxProcs: 128, Interarrival: 5 * time.Minute, Run: time.Hour, Shape: 1}
	read.Mapping(
		read.Key("model", read.Word(&g.Model, Lublin, Poisson, Weibull)),
		read.Key("jobs", read.Whole(&g.Jobs, 1, 1<<40)),
		read.Key("max_procs", read.Whole(&g.MaxProcs, 1, 1<<30)),
		read.Key("interarrival", duration(&g.Interarrival, 1, longest)),
		read.Key("run", duration(&g.Run, 1, longest)),
		read.Key("shape", number(&g.Shape, 0, 100)),
	)(v)
	return g
}

func coupled(v read.Value, c *Coupled) {
	c.Share = 1
	read.Mapping(
		read.Key("share", share(&c.Share)),
		read.Key("accounts", read.Texts(&c.Accounts, read.NotEmpty)),
		read.Key("partitions", read.Texts(&c.Partitions, read.NotEmpty)),
	)(v)
}

func cloud(v read.Value) *Cloud {
	c := NewCloud()
	read.Mapping(
		read.Key("config", read.Path(&c.Config)),
		read.Key("cores_per_node", read.Whole(&c.CoresPerNode, 1, 1<<16)),
		read.Key("boot", read.Word(&c.Boot, Instant, Minimal, HPC, ParallelCluster)),
		read.Key("launch_failures", share(&c.Dies)),
		read.Key("boot_failures", share(&c.Never)),
		read.Key("shutting_down", duration(&c.ShuttingDown, 0, time.Hour)),
		read.Key("visibility_lag", duration(&c.VisibilityLag, 0, time.Minute)),
		read.Key("spot", read.Word(&c.Spot, SpotWords...)),
		read.Key("on_demand", read.Word(&c.OnDemand, OnDemandWords...)),
		read.Key("types", types(&c.Types)),
		read.Key("recorded", read.List(recorded(&c.Recorded))),
		read.Key("quotas", read.List(func(v read.Value) {
			q := Quota{Market: "on-demand", VCPUs: -1}
			read.Mapping(
				read.Key("family", read.Word(&q.Family, Families...)),
				read.Key("market", read.Word(&q.Market, "on-demand", "spot")),
				read.Key("vcpus", read.Whole(&q.VCPUs, 0, 1<<30)),
			)(v)
			if q.Family == "" || q.VCPUs < 0 {
				v.Fail(idMissing, "such as {family: standard, market: spot, vcpus: 640}", "a quota has a family and vcpus")
				return
			}
			c.Quotas = append(c.Quotas, q)
		})),
		read.Key("throttle", read.Boolean(&c.Throttle)),
		read.Key("limits", read.List(limit(&c.Limits))),
		read.Key("faults", read.Path(&c.Faults)),
		read.Key("reconcile", duration(&c.Reconcile, 0, longest)),
	)(v)
	return c
}

// types reads what instance types have, by their names. Whether there are such types
// is for those who have a catalogue.
func types(to *[]TypeCapacity) read.Reader {
	return func(v read.Value) {
		v.Each(read.NotEmpty, func(name string, _, child read.Value) {
			t := TypeCapacity{Type: name}
			child.Mapping(
				read.Key("spot", read.Word(&t.Spot, SpotWords...)),
				read.Key("on_demand", read.Word(&t.OnDemand, OnDemandWords...)),
			)
			*to = append(*to, t)
		})
	}
}

// recorded reads a file's name, or one with the pool that it is of.
func recorded(to *[]Recorded) read.Reader {
	return func(v read.Value) {
		var r Recorded
		if !v.IsMapping() {
			read.Path(&r.Path)(v)
		} else if v.Mapping(
			read.Key("file", read.Path(&r.Path)),
			read.Key("type", read.Text(&r.Type, read.NotEmpty)),
			read.Key("zone", read.Text(&r.Zone, read.NotEmpty)),
			read.Key("market", read.Word(&r.Market, "on-demand", "spot")),
		); r.Path == "" {
			v.Fail(idMissing, "such as {file: a.json, type: c6i.xlarge, zone: us-east-1a}", "a recording has a file")
		}
		*to = append(*to, r)
	}
}

// limit reads one of an account's own token buckets.
func limit(to *[]Limit) read.Reader {
	return func(v read.Value) {
		l := Limit{Of: Calls, Holds: -1, PerSecond: -1}
		v.Mapping(
			read.Key("action", read.Word(&l.Action, Actions...)),
			read.Key("of", read.Word(&l.Of, Calls, Instances)),
			read.Key("holds", read.Whole(&l.Holds, 0, 1<<30)),
			read.Key("per_second", number(&l.PerSecond, 0, 1e6)),
		)
		switch {
		case l.Action == "" || l.Holds < 0 || l.PerSecond < 0:
			v.Fail(idMissing, "such as {action: RunInstances, of: calls, holds: 5, per_second: 2}", "a limit has an action, holds and per_second")
		case l.Of == Instances && l.Action != "RunInstances" && l.Action != "TerminateInstances":
			v.Fail(idConflict, "write of: calls, or limit RunInstances or TerminateInstances", "%s neither launches nor ends instances", l.Action)
		default:
			*to = append(*to, l)
		}
	}
}

// settings reads lines of slurm.conf, as keys with values.
func settings(to *[]Setting) read.Reader {
	return func(v read.Value) {
		v.Pairs(read.NotEmpty, read.NotEmpty, func(_ read.Value, name, val string) {
			*to = append(*to, Setting{name, val})
		})
	}
}

// at is where a pointer leads, for findings.
func (s *Scenario) at(pointer string) read.Value {
	v, _ := s.doc.At(pointer)
	return v
}

// together looks at what makes sense in one key and not beside another.
func (s *Scenario) together() {
	at := s.at
	// A key may be given with what makes nothing, such as premises without nodes.
	given := func(pointer string, is bool) bool {
		_, written := s.doc.At(pointer)
		return written || is
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
		at("/workload").Fail(idMissing, "give workload a trace, sacct, jsonl or generator", "no workload")
	case len(sources) > 1:
		at("/workload/"+sources[1]).Fail(idConflict, "keep one", "jobs come from one place, not from %s", strings.Join(sources, " and "))
	}
	if w := s.Workload; w.To > 0 && w.To <= w.From {
		at("/workload/to").Fail(idValue, "to is later than from", "no job is handed in from %v to %v", w.From, w.To)
	}
	if g := s.Workload.Generator; g != nil && g.Model == Lublin {
		for _, k := range []string{"interarrival", "run", "shape"} {
			if given("/workload/generator/"+k, false) {
				at("/workload/generator/"+k).Note(finding.Warning, idUnwise, "use load to change how much work there is", "Lublin's model draws its own %s: this one is not used", k)
			}
		}
	}
	c := s.Cluster
	machine := c.Processors > 0 || given("/cluster/processors", false)
	for name, is := range map[string]bool{"premises": c.Premises.Nodes > 0, "slurm": c.SlurmConf != "", "cloud": c.Cloud != nil, "failures": c.Failures.MTBF > 0, "plans": c.Plans != Plans{}} {
		if machine && given("/cluster/"+name, is) {
			at("/cluster/"+name).Fail(idConflict, "give premises nodes, or leave "+name+" away", "processors make a machine without nodes: it has no %s", name)
		}
	}
	if machine && c.Scheduler == Slurm {
		at("/cluster/processors").Fail(idConflict, "write scheduler: easy or fifo, or give premises nodes", "Slurm schedules nodes, not processors alone")
	}
	if c.SlurmConf != "" && c.Premises.Nodes > 0 {
		at("/cluster/premises").Note(finding.Warning, idUnwise, "write their NodeName lines there, or leave premises away", "the slurm.conf has all nodes of its cluster: these are not used")
	}
	switch {
	case machine:
	case c.Premises.Nodes == 0 && c.Cloud == nil && c.SlurmConf == "":
		at("/cluster").Fail(idMissing, "give cluster processors, premises, slurm.conf or a cloud", "no machine for the jobs")
	case c.Premises.Nodes > 0 && c.Premises.CoresPerNode == 0:
		at("/cluster/premises").Fail(idMissing, "such as cores_per_node: 16", "premises without cores_per_node")
	}
	if c.Cloud != nil && c.Cloud.Config == "" {
		at("/cluster/cloud").Fail(idMissing, "name the executor's configuration: config: FILE", "a cloud without config")
	}
	if c.Cloud != nil && !c.Cloud.Throttle && len(c.Cloud.Limits) > 0 {
		at("/cluster/cloud/limits").Note(finding.Warning, idUnwise, "leave throttle away", "nothing is throttled, so limits have no use")
	}
	if c.Cloud != nil && c.Cloud.Boot == Instant && (c.Cloud.Dies > 0 || c.Cloud.Never > 0) {
		at("/cluster/cloud/boot").Note(finding.Warning, idUnwise, "write boot: minimal", "with boot: instant no instance fails to come up")
	}
	switch f := c.Failures; {
	case machine:
	case f.MTBF == 0 && given("/cluster/failures", false):
		at("/cluster/failures").Fail(idMissing, "such as mtbf: 180d, the mean time that a node works", "failures without mtbf")
	case f.MTBF > 0 && c.Premises.Nodes == 0 && c.SlurmConf == "":
		at("/cluster/failures").Note(finding.Warning, idUnwise, "give cluster premises; what cloud nodes do is cloud's boot, spot and faults", "failures are of nodes on the premises, and there are none")
	}
	s.plansTogether()
}

func (s *Scenario) plansTogether() {
	at, p := s.at, s.Cluster.Plans
	if s.Workload.Coupled.Share > 0 && !p.Advise {
		at("/workload/coupled").Note(finding.Warning, idUnwise, "write plans: {advise: true} below cluster", "what is coupled is in the plans alone, and jobs have none")
	}
	switch {
	case p.Missing+p.Invalid+p.Partial > 1:
		at("/cluster/plans").Fail(idValue, "together they are at most 1", "missing, invalid and partial plans are more than all plans")
	case !p.Advise && p != Plans{}:
		at("/cluster/plans").Note(finding.Warning, idUnwise, "write advise: true", "jobs have no plans, so none is missing, invalid or partial")
	case p.Advise && s.Cluster.Cloud == nil && s.Cluster.SlurmConf == "":
		at("/cluster/plans").Note(finding.Warning, idUnwise, "give cluster a cloud", "plans are for cloud nodes, and there are none")
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
		for i, r := range c.Recorded {
			all = append(all, Input{fmt.Sprintf("/cluster/cloud/recorded/%d", i), r.Path})
		}
	}
	return slices.DeleteFunc(all, func(i Input) bool { return i.Path == "" })
}

// Unreadable is the finding about an input that cannot be opened.
func (s *Scenario) Unreadable(i Input, err error) finding.Finding {
	suggestion := ""
	if s.File != "" {
		suggestion = "paths count from the scenario's folder"
	}
	return s.at(i.Pointer).Finding(finding.Error, idFile, suggestion, "%v", err)
}

// Unwise is a finding about what a value leads to: allowed, and probably not
// meant.
func (s *Scenario) Unwise(level finding.Level, pointer, suggestion, format string, args ...any) finding.Finding {
	return s.at(pointer).Finding(level, idUnwise, suggestion, format, args...)
}

// NoSuch is the error of a name in the scenario that nothing has.
func (s *Scenario) NoSuch(pointer, suggestion, format string, args ...any) error {
	return &Invalid{[]finding.Finding{s.at(pointer).Finding(finding.Error, idWord, suggestion, format, args...)}}
}

// Broken is the error of a file that a scenario names and that does not say what it
// should, at a line of it; 0 is the whole file.
func (s *Scenario) Broken(path string, line int, suggestion, message string) error {
	return &Invalid{[]finding.Finding{{ID: idFile, Level: finding.Error, File: path, Line: line, Message: message, Suggestion: suggestion}}}
}

// Unfit is the error of a run that found out that a value does not fit the
// workload, such as a machine that is too small for a job.
func (s *Scenario) Unfit(pointer string, err error) error {
	return &Invalid{[]finding.Finding{s.at(pointer).Finding(finding.Error, idValue, "", "%v", err)}}
}
