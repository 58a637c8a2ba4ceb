package advisor

import (
	"context"
	"math"
	"time"

	"github.com/spf13/cobra"

	"aws-slurm-burst/asba/advise"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/report"
)

// recommendation is one run of recommend-instances.
type recommendation struct {
	*tool
	site
	cpus, nodes, tasks, most                int
	memory, vcpus, gpus, gpuMemory, network string
	gpuModel, format                        string
	memoryMin, memoryMax, gpusMin, gpusMax  string
	vcpusMin, vcpusMax                      string
	limit                                   time.Duration
	threads, requeue, explain               bool
}

func (t *tool) recommend() *cobra.Command {
	n := &recommendation{tool: t}
	c := &cobra.Command{
		Use:   "recommend-instances",
		Short: "Rank the instance types that serve a job, with the reason of each",
		Long: `Rank the instance types that serve a job, by what it costs to finish it, and say
why. Nobody is asked but the catalogue.

Flags with the names of amazon-ec2-instance-selector mean what they mean there: a
type's own size. --vcpus, --memory and --gpus take a number or a range (4-8GiB);
--memory and --gpus with a number alone are what the job needs on a node, which a type
has to have beside what the system takes. --cpus counts physical cores, unless
--threads says that threads will do.`,
		Example: `  asba recommend-instances --cpus=16 --memory=64GB --mpi=true --efa-required
  asba recommend-instances --nodes 8 --cpus 36 --mpi --time 4h --explain
  asba recommend-instances --vcpus 4-8 --memory 16-32GiB --usage-class spot -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return n.run(cmd.Context()) },
	}
	f := c.Flags()
	n.flags(f)
	f.IntVar(&n.cpus, "cpus", 0, "the job needs `N` CPUs on a node; 1 where --vcpus says nothing either")
	f.BoolVar(&n.threads, "threads", false, "a CPU of --cpus may be a thread; else it is a physical core")
	f.IntVar(&n.nodes, "nodes", 0, "the job takes `N` nodes; 1, or as many as --tasks need")
	f.IntVar(&n.tasks, "tasks", 0, "the job has `N` tasks, each of --cpus CPUs, on as many nodes as they need")
	f.StringVarP(&n.memory, "memory", "m", "", "the job needs `SIZE` on a node; of a range: the type has as much (GiB without a unit)")
	f.StringVar(&n.vcpus, "vcpus", "", "the type has `N` vCPUs, or as many as a range")
	f.StringVarP(&n.gpus, "gpus", "g", "", "the job needs `N` GPUs on a node; of a range: the type has as many")
	f.StringVar(&n.gpuModel, "gpu-model", "", "GPUs are of `MODEL`, such as h100")
	f.StringVar(&n.gpuMemory, "gpu-memory-total", "", "the type's GPUs have `SIZE` together, or as much as a range")
	f.StringVar(&n.network, "network-performance", "", "the type's network has `N` Gbit/s, or as many as a range")
	for _, b := range n.bounds() {
		f.StringVar(b.text, b.flag, "", b.usage)
	}
	f.DurationVar(&n.limit, "time", 0, "the job runs for `D` at most, such as 4h")
	f.BoolVar(&n.requeue, "requeue", true, "the job may be started again; =false it may not")
	f.IntVar(&n.most, "max-results", shownTypes, "show at most `N` types")
	f.StringVarP(&n.format, "output", "o", "table", "print the result as table, json, yaml or markdown")
	f.BoolVar(&n.explain, "explain", false, "also say of each type that was left out why")
	return c
}

// bound is one end of a range, as a flag of its own.
type bound struct {
	flag, usage string
	text        *string
	memory      bool
	set         func(b *advise.Bounds, v float64)
}

func (n *recommendation) bounds() []bound {
	return []bound{
		{"vcpus-min", "the type has at least `N` vCPUs", &n.vcpusMin, false, func(b *advise.Bounds, v float64) { b.VCPUs.Least = v }},
		{"vcpus-max", "the type has at most `N` vCPUs", &n.vcpusMax, false, func(b *advise.Bounds, v float64) { b.VCPUs.Most = v }},
		{"memory-min", "the type has at least `SIZE` of memory", &n.memoryMin, true, func(b *advise.Bounds, v float64) { b.MemoryMiB.Least = v }},
		{"memory-max", "the type has at most `SIZE` of memory", &n.memoryMax, true, func(b *advise.Bounds, v float64) { b.MemoryMiB.Most = v }},
		{"gpus-min", "the type has at least `N` GPUs", &n.gpusMin, false, func(b *advise.Bounds, v float64) { b.GPUs.Least = v }},
		{"gpus-max", "the type has at most `N` GPUs", &n.gpusMax, false, func(b *advise.Bounds, v float64) { b.GPUs.Most = v }},
	}
}

func (n *recommendation) run(ctx context.Context) error {
	if err := app.CheckFormat(n.format); err != nil {
		return err
	}
	for flag, v := range map[string]int{"cpus": n.cpus, "nodes": n.nodes, "tasks": n.tasks, "max-results": n.most} {
		if n.told(flag) && (v < 1 || v > 1_000_000) {
			return app.Exitf(report.ExitUsage, "--%s %d: give a number from 1 to 1000000", flag, v)
		}
	}
	if n.told("time") && n.limit <= 0 {
		return app.Exitf(report.ExitUsage, "--time %s: give a time above 0, such as 4h", n.limit)
	}
	j := n.job()
	var b advise.Bounds
	if err := n.sizes(&j, &b); err != nil {
		return err
	}
	o, err := n.options(ctx, n.IO, "", "")
	if err != nil {
		return err
	}
	o.Bounds = b
	a := advise.Advise(j, o)
	if err := n.print(j, a, o); err != nil {
		return err
	}
	if !a.Plan.Bursts() {
		return app.Exitf(report.ExitFailed, "%s", a.Plan.Reasons.Value[0])
	}
	return nil
}

// job is what the flags say of a job.
func (n *recommendation) job() advise.Job {
	j := advise.Job{TimeLimit: n.limit, Requeue: n.requeue, Threads: n.threads, Coupling: n.coupling(advise.CouplingUnknown), CPUsPerTask: n.cpus}
	switch {
	case n.tasks > 0:
		j.Tasks, j.MinNodes = n.tasks, n.nodes
	default:
		j.MinNodes = max(1, n.nodes)
		j.Tasks = j.MinNodes
	}
	// Of MPI each CPU is a process.
	if j.Coupling == advise.Tight && n.tasks == 0 && n.cpus > 0 {
		j.Tasks, j.TasksPerNode, j.CPUsPerTask = j.MinNodes*n.cpus, n.cpus, 0
	}
	return j
}

// sizes reads what the flags say of sizes: a job's needs, and types' own.
func (n *recommendation) sizes(j *advise.Job, b *advise.Bounds) error {
	// A number alone is exact of a type's own size, and a need of the job's.
	read := func(flag, text string, memory bool, need func(float64), own *advise.Range) error {
		if text == "" {
			return nil
		}
		r, one, err := parseRange(text, memory)
		switch {
		case err != nil:
			return app.Exitf(report.ExitUsage, "--%s %v", flag, err)
		case one && need != nil:
			need(r.Least)
		default:
			*own = r
		}
		return nil
	}
	model := func(v float64) {
		j.GPUs = append(j.GPUs, advise.GPU{Model: n.gpuModel, Count: int(math.Ceil(v)), Per: advise.PerNode})
	}
	for _, err := range []error{
		read("vcpus", n.vcpus, false, nil, &b.VCPUs),
		read("memory", n.memory, true, func(v float64) { j.MemoryPerNodeMiB = int(math.Ceil(v)) }, &b.MemoryMiB),
		read("gpus", n.gpus, false, model, &b.GPUs),
		read("gpu-memory-total", n.gpuMemory, true, nil, &b.GPUMemoryMiB),
		read("network-performance", n.network, false, nil, &b.NetworkGbps),
	} {
		if err != nil {
			return err
		}
	}
	for _, x := range n.bounds() {
		if *x.text == "" {
			continue
		}
		v, err := amount(*x.text, "", x.memory)
		if err != nil || v == 0 {
			return app.Exitf(report.ExitUsage, "--%s %q is no number", x.flag, *x.text)
		}
		x.set(b, v)
	}
	if len(j.GPUs) == 0 && (n.gpuModel != "" || b.GPUMemoryMiB.Least > 0 || b.GPUs.Least > 0) {
		j.GPUs = []advise.GPU{{Model: n.gpuModel, Count: 1, Per: advise.PerNode}}
	}
	return nil
}

func (n *recommendation) print(j advise.Job, a advise.Advice, o advise.Options) error {
	if n.format == "json" || n.format == "yaml" {
		_ = app.Print(n.Stdout, n.format, shown(j, a, o, n.most, n.explain)) // stdout remembers what could not be written
		return nil
	}
	if !a.Plan.Bursts() && !n.explain {
		return nil // the reason is the error
	}
	text, err := table(j, a, o, n.format == "markdown", n.most, n.explain)
	if err != nil {
		return err
	}
	_, _ = n.Stdout.Write(text)
	return nil
}
