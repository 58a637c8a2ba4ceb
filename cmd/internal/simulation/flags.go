package simulation

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/host"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/simulator/scenario"
)

// scenarioLimit bounds a scenario file before it is read; its reader has a limit
// of its own, below it.
const scenarioLimit = 2 << 20

// options are the flags of run.
type options struct {
	// made is the scenario that they make, where none is named; its cloud is apart,
	// since there may be none.
	made   *scenario.Scenario
	cloud  *scenario.Cloud
	config string // --cloud
	cores  int    // of every node

	output       string
	check, alone bool
}

// together are the flags that go with a scenario file, and win over it.
var together = []string{"seed", "lenient", "until", "jobs-csv", "swf", "events", "output", "check", "premises-alone"}

// ofClouds are the flags that say what a cloud is like, ofNodes those of machines
// with nodes.
var (
	ofClouds = []string{"boot", "spot", "advise", "premises-alone"}
	ofNodes  = []string{"nodes", "cores-per-node", "slurm-conf", "cloud"}
)

func newOptions(f *pflag.FlagSet) *options {
	o := &options{made: scenario.New(), cloud: scenario.NewCloud()}
	w, c, out := &o.made.Workload, &o.made.Cluster, &o.made.Outputs
	f.StringVar(&w.Trace, "trace", "", "jobs of the SWF `FILE`, gzipped or not")
	f.StringVar(&w.Sacct, "sacct", "", "jobs of the `FILE` that sacct -P wrote")
	f.StringVar(&w.JSONL, "jsonl", "", "jobs of the `FILE` with one a line, as JSON")
	f.Var(oneOf(&c.Scheduler, scenario.FIFO, scenario.EASY, scenario.Slurm), "scheduler", "who decides: `WORD` fifo, easy or slurm; easy where --procs is given")
	f.IntVar(&c.Processors, "procs", 0, "a machine of `P` processors, without nodes")
	f.IntVar(&c.Premises.Nodes, "nodes", 0, "`N` nodes on the premises")
	f.IntVar(&o.cores, "cores-per-node", 0, "`C` cores in each node; stands for the cloud nodes too")
	f.StringVar(&c.SlurmConf, "slurm-conf", "", "nodes, partitions and settings of the slurm.conf `FILE`")
	f.StringVar(&o.config, "cloud", "none", "the node groups of the executor's configuration `CONFIG` behind the premises, powered down; or none")
	f.Var(oneOf(&o.cloud.Boot, scenario.Instant, scenario.Minimal, scenario.HPC, scenario.ParallelCluster), "boot", "how instances boot: `WORD` instant, minimal, hpc or parallelcluster")
	f.Var(oneOf(&o.cloud.Spot, scenario.SpotWords...), "spot", "how often the spot market has what is asked for: `WORD` usual, always, common, scarce, or how much of it the Spot Instance Advisor says is interrupted in a month (\"<5%\", 5-10%, 10-15%, 15-20%, \">20%\")")
	f.BoolVar(&c.Plans.Advise, "advise", false, "have the advisor plan each job's nodes in the cloud")
	f.Var(oneOf(&w.OverRun, scenario.Extend, scenario.Kill), "over-run", "what becomes of a job that runs longer than it asked for: `WORD` extend or kill")
	f.Float64Var(&w.Coupled.Share, "coupled", 0, "`SHARE` of the jobs of more than one processor whose processes need each other all the time (MPI), from 0 to 1: their plans say so")
	f.Float64Var(&w.Load, "load", 1, "divide the times between jobs by `FACTOR`")
	f.Var((*span)(&o.made.Until), "until", "end after a `TIME` such as 12h or 30d; else when the last job has ended")
	f.Uint64Var(&o.made.Seed, "seed", 1, "seed of all chance: the same one gives the same run")
	f.BoolVar(&w.Lenient, "lenient", false, "mend what can be mended in the workload, and count it")
	f.StringVar(&out.JobsCSV, "jobs-csv", "", "write the jobs to `FILE` as Batsim does")
	f.StringVar(&out.SWF, "swf", "", "write the schedule to `FILE` as SWF")
	f.StringVar(&out.Events, "events", "", "write all that happens to `FILE`, each as a line of JSON")
	f.StringVarP(&o.output, "output", "o", "table", "print the figures as table, json, yaml or markdown")
	f.BoolVar(&o.check, "check", false, "only judge the scenario, and look for the files that it names")
	f.BoolVar(&o.alone, "premises-alone", false, "run the premises without the cloud too, and say what an hour of waiting saved has cost")
	return o
}

// scenario is the one that a file or the flags say; text is the file's.
func (o *options) scenario(f *pflag.FlagSet, args []string) (s *scenario.Scenario, text []byte, err error) {
	if len(args) == 1 {
		s, text, err = o.read(f, args[0])
	} else {
		s, err = o.make(f)
	}
	if err != nil {
		return nil, text, err
	}
	if c := s.Cluster; o.alone && (c.Cloud == nil || c.Premises.Nodes == 0 && c.SlurmConf == "") {
		return nil, text, app.Exitf(report.ExitUsage, "--premises-alone is of a cluster that has nodes on the premises and a cloud")
	}
	if info, err := os.Stat(s.Workload.Origin()); o.alone && err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return nil, text, app.Exitf(report.ExitUsage, "--premises-alone reads the workload twice, and %s is no file that can be: write it into one", s.Workload.Origin())
	}
	return s, text, unreadable(s)
}

// read reads a scenario file, and lets the flags win that go with one.
func (o *options) read(f *pflag.FlagSet, file string) (*scenario.Scenario, []byte, error) {
	var others []string
	f.Visit(func(g *pflag.Flag) {
		if !slices.Contains(together, g.Name) {
			others = append(others, "--"+g.Name)
		}
	})
	if others != nil {
		return nil, nil, app.Exitf(report.ExitUsage, "%s beside a scenario: change it in %s", strings.Join(others, ", "), file)
	}
	text, err := host.ReadFile(file, scenarioLimit)
	if err != nil {
		return nil, nil, app.Exitf(report.ExitUsage, "%v", err)
	}
	s, err := scenario.Parse(text, file)
	if err != nil {
		return nil, text, err
	}
	m := o.made
	s.Workload.Lenient = s.Workload.Lenient || m.Workload.Lenient
	if f.Changed("seed") {
		s.Seed = m.Seed
	}
	if f.Changed("until") {
		s.Until = m.Until
	}
	for _, out := range []struct{ to, from *string }{
		{&s.Outputs.JobsCSV, &m.Outputs.JobsCSV}, {&s.Outputs.SWF, &m.Outputs.SWF}, {&s.Outputs.Events, &m.Outputs.Events},
	} {
		if *out.from != "" {
			*out.to = *out.from
		}
	}
	return s, text, nil
}

// make is the scenario that flags say.
func (o *options) make(f *pflag.FlagSet) (*scenario.Scenario, error) {
	s := o.made
	c := &s.Cluster
	if s.Workload.Origin() == "" {
		return nil, app.Exitf(report.ExitUsage, "nothing to simulate: name a scenario, or jobs with --trace, --sacct or --jsonl")
	}
	if l := s.Workload.Load; !(l > 0 && l <= 1000) {
		return nil, app.Exitf(report.ExitUsage, "--load %g is not above 0 and up to 1000", l)
	}
	if c := s.Workload.Coupled.Share; !(c >= 0 && c <= 1) {
		return nil, app.Exitf(report.ExitUsage, "--coupled %g is not from 0 to 1", c)
	}
	for _, flag := range []struct {
		name     string
		n, least int
	}{{"procs", c.Processors, 1}, {"nodes", c.Premises.Nodes, 0}, {"cores-per-node", o.cores, 1}} {
		if f.Changed(flag.name) && flag.n < flag.least {
			return nil, app.Exitf(report.ExitUsage, "--%s %d: give it %d at least", flag.name, flag.n, flag.least)
		}
	}
	if n := c.Premises.Nodes; n > scenario.MaxNodes {
		return nil, app.Exitf(report.ExitUsage, "--nodes %d: give it %d at most", n, scenario.MaxNodes)
	}
	if o.config != "none" {
		c.Cloud = o.cloud
		c.Cloud.Config, c.Cloud.CoresPerNode = o.config, o.cores
	}
	if err := o.together(f); err != nil {
		return nil, err
	}
	if c.Processors == 0 {
		c.Premises.CoresPerNode = o.cores
	} else if !f.Changed("scheduler") {
		c.Scheduler = scenario.EASY
	}
	return s, s.Check()
}

// together looks at what makes sense in one flag and not beside another.
func (o *options) together(f *pflag.FlagSet) error {
	c := &o.made.Cluster
	var from []string
	for _, name := range []string{"trace", "sacct", "jsonl"} {
		if f.Changed(name) {
			from = append(from, "--"+name)
		}
	}
	if len(from) > 1 {
		return app.Exitf(report.ExitUsage, "%s: jobs come from one place", strings.Join(from, " and "))
	}
	for _, name := range ofClouds {
		if f.Changed(name) && c.Cloud == nil {
			return app.Exitf(report.ExitUsage, "--%s is of a cloud: name its configuration with --cloud", name)
		}
	}
	for _, name := range ofNodes {
		if f.Changed(name) && c.Processors > 0 && (name != "cloud" || c.Cloud != nil) {
			return app.Exitf(report.ExitUsage, "--%s is of nodes, and --procs makes a machine without any", name)
		}
	}
	switch {
	case c.Processors > 0 && f.Changed("scheduler") && c.Scheduler == scenario.Slurm:
		return app.Exitf(report.ExitUsage, "--scheduler slurm schedules nodes, and --procs makes a machine without any: take easy or fifo, or give --nodes and --cores-per-node")
	case c.Processors == 0 && c.Premises.Nodes == 0 && c.SlurmConf == "" && c.Cloud == nil:
		return app.Exitf(report.ExitUsage, "no machine for the jobs: give --procs, --nodes and --cores-per-node, --slurm-conf or --cloud")
	case c.Premises.Nodes > 0 && o.cores == 0 && c.SlurmConf == "":
		return app.Exitf(report.ExitUsage, "--nodes %d: give --cores-per-node, too", c.Premises.Nodes)
	case o.made.Workload.Coupled.Share > 0 && !c.Plans.Advise:
		return app.Exitf(report.ExitUsage, "--coupled is told to plans alone: give --advise, too")
	}
	return nil
}

// flagOf are the flags that say what a scenario says at a place.
var flagOf = map[string]string{
	"/workload/trace": "--trace", "/workload/sacct": "--sacct", "/workload/jsonl": "--jsonl",
	"/cluster/processors": "--procs", "/cluster/premises": "--nodes", "/cluster/slurm": "--slurm-conf", "/cluster/slurm/conf": "--slurm-conf",
	"/cluster/cloud/config": "--cloud",
}

// asFlags returns findings in which a scenario that is no file has flags for
// places.
func asFlags(found []finding.Finding) []finding.Finding {
	found = slices.Clone(found)
	for i := range found {
		if flag, ok := flagOf[found[i].Pointer]; ok && found[i].File == "" {
			found[i].Pointer = flag
		}
	}
	return found
}

// unreadable fails where a file that the scenario names cannot be opened: better
// at once than when its turn comes. A pipe is opened then alone, for whoever writes
// into it would find its reader gone.
func unreadable(s *scenario.Scenario) error {
	var bad []finding.Finding
	for _, i := range s.Inputs() {
		info, err := os.Stat(i.Path)
		switch {
		case err == nil && info.IsDir():
			err = fmt.Errorf("%s is a folder", i.Path)
		case err != nil || info.Mode().IsRegular():
			var f *os.File
			if f, err = os.Open(i.Path); err == nil {
				_ = f.Close() // nothing was written
			}
		}
		if err != nil {
			bad = append(bad, s.Unreadable(i, err))
		}
	}
	if bad != nil {
		return &scenario.Invalid{Findings: bad}
	}
	return nil
}

// choice is a flag that takes one of a few words.
type choice[S ~string] struct {
	to    *S
	words []S
}

func oneOf[S ~string](to *S, words ...S) *choice[S] { return &choice[S]{to, words} }

func (c *choice[S]) String() string { return string(*c.to) }

func (c *choice[S]) Type() string { return "word" }

func (c *choice[S]) Set(s string) error {
	if slices.Contains(c.words, S(s)) {
		*c.to = S(s)
		return nil
	}
	var names []string
	for _, w := range c.words {
		names = append(names, string(w))
	}
	if near := finding.Nearest(s, names); near != "" {
		return fmt.Errorf("did you mean %s?", near)
	}
	return fmt.Errorf("it is one of %s", strings.Join(names, ", "))
}

// span is a flag that takes a time such as 12h or 30d.
type span time.Duration

func (d *span) String() string {
	if *d == 0 {
		return ""
	}
	return time.Duration(*d).String()
}

func (d *span) Type() string { return "time" }

func (d *span) Set(s string) error {
	v, err := scenario.ParseDuration(s)
	if err != nil || v <= 0 {
		return fmt.Errorf("it is a time such as 90m, 12h or 30d")
	}
	*d = span(v)
	return nil
}
