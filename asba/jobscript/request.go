package jobscript

import (
	"fmt"
	"slices"
	"strings"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/jobscript/value"
	"aws-slurm-burst/executor/hostlist"
)

// inherited are the options that a component of a heterogeneous job takes over
// from the one before it, unless it has its own.
var inherited = []string{"account", "batch", "begin", "comment", "deadline", "dependency", "exclude", "hint", "job-name", "mem", "nice", "no-requeue", "requeue", "time", "time-min"}

// request reads the words of one component. before is the component before it,
// nil for the first.
func (rd *reader) request(words []word, before *Request) *Request {
	r := &Request{}
	if before != nil {
		for _, o := range before.Options {
			if slices.Contains(inherited, o.Name) {
				r.Options = append(r.Options, o)
			}
		}
	}
	rd.parse(words, func(o Option) {
		r.Options = slices.DeleteFunc(r.Options, func(p Option) bool { return p.Name == o.Name })
		r.Options = append(r.Options, o)
	})
	for _, o := range r.Options {
		r.set(o)
	}
	return r
}

// set takes the value of an option that has been checked. What slurmctld judges,
// and what depends on other options, is left to settle.
func (r *Request) set(o Option) {
	v := o.Value
	switch o.Name {
	case "account":
		r.Account = strings.ToLower(v)
	case "begin":
		r.Begin = v
	case "comment":
		r.Comment = v
	case "constraint":
		r.Constraint = v
	case "contiguous":
		r.Contiguous = true
	case "cores-per-socket":
		r.CoresPerSocket = value.Number(v)
	case "cpus-per-gpu":
		r.CPUsPerGPU = value.Number(v)
	case "cpus-per-task":
		r.CPUsPerTask = value.Number(v)
	case "deadline":
		r.Deadline = v
	case "dependency":
		r.Dependency = v
	case "distribution":
		r.Distribution = v
	case "exclude":
		r.Exclude = v
	case "exclusive":
		r.Sharing = SharingNone
		if v = strings.ToLower(v); v == string(SharingUser) || v == string(SharingMCS) {
			r.Sharing = Sharing(v)
		}
	case "extra-node-info":
		e := value.Extents(v)
		r.SocketsPerNode, r.CoresPerSocket, r.ThreadsPerCore = e[0], e[1], e[2]
	case "hint":
		r.Hint = v
	case "hold":
		r.Hold = true
	case "job-name":
		r.Name = v
	case "licenses":
		r.Licenses = v
	case "mem":
		mib, _ := value.Size(v)
		r.Memory = Memory{PerNode: mib, WholeNode: mib == 0}
	case "mem-per-cpu":
		mib, _ := value.Size(v)
		r.Memory = Memory{PerCPU: mib, Default: mib == 0}
	case "mem-per-gpu":
		mib, _ := value.Size(v)
		r.Memory = Memory{PerGPU: mib, Default: mib == 0}
	case "mincpus":
		r.MinCPUsPerNode = value.Number(v)
	case "network":
		r.Network = v
	case "nodelist":
		r.NodeList = v
	case "nodes":
		r.MinNodes, r.MaxNodes, _ = value.Nodes(v)
	case "ntasks":
		r.Tasks = value.Number(v)
	case "ntasks-per-core":
		r.TasksPerCore = value.Number(v)
	case "ntasks-per-gpu", "ntasks-per-tres":
		r.TasksPerGPU = value.Number(v)
	case "ntasks-per-node":
		r.TasksPerNode = value.Number(v)
	case "ntasks-per-socket":
		r.TasksPerSocket = value.Number(v)
	case "overcommit":
		r.Overcommit = true
	case "oversubscribe":
		r.Sharing = SharingAny
	case "partition":
		r.Partition = v
	case "prefer":
		r.Prefer = v
	case "qos":
		r.QOS = v
	case "reboot":
		r.Reboot = true
	case "requeue":
		r.Requeue = Yes
	case "no-requeue":
		r.Requeue = No
	case "reservation":
		r.Reservation = v
	case "signal":
		r.Signal = v
	case "sockets-per-node":
		r.SocketsPerNode = value.Number(v)
	case "switches":
		r.Switches = v
	case "threads-per-core":
		r.ThreadsPerCore = value.Number(v)
	case "time":
		r.TimeLimit, _ = value.Span(v)
	case "time-min":
		r.TimeMin, _ = value.Span(v)
	case "tmp":
		r.TmpMiB, _ = value.Size(v)
	}
}

// settle judges what sbatch and slurmctld judge only when all options are read,
// and concludes what they conclude.
func (rd *reader) settle(r *Request) {
	rd.texts(r)
	rd.resources(r)
	if r.Reboot {
		r.Sharing = SharingNone // a node is not rebooted under others
	}
	rd.hinted(r)
	told, counted := rd.tasks(r, rd.nodes(r))
	rd.distribution(r)
	rd.gpus(r, told, counted)
	rd.conflicts(r)
	r.MinNodes, r.Tasks, r.CPUsPerTask = max(r.MinNodes, 1), max(r.Tasks, 1), max(r.CPUsPerTask, 1)
}

// hinted applies --hint, which stands for a shape of nodes. Beside an explicit
// one it is as if nobody had said it, in the components behind this one too.
func (rd *reader) hinted(r *Request) {
	if r.Hint == "" {
		return
	}
	for _, name := range []string{"extra-node-info", "ntasks-per-core", "threads-per-core"} {
		if _, ok := r.Option(name); ok {
			rd.at(r, "hint", Ineffect, "--hint does nothing beside --"+name, "leave out one of them")
			r.Hint = ""
			r.Options = slices.DeleteFunc(r.Options, func(o Option) bool { return o.Name == "hint" })
			return
		}
	}
	r.SocketsPerNode, r.CoresPerSocket, r.ThreadsPerCore = 0, 0, 0
	for w := range strings.SplitSeq(strings.ToLower(r.Hint), ",") {
		switch w {
		case "compute_bound":
			r.CoresPerSocket, r.ThreadsPerCore = 0, 1
		case "memory_bound":
			r.CoresPerSocket, r.ThreadsPerCore = 1, 1
		case "nomultithread":
			r.ThreadsPerCore = 1
		case "multithread":
			r.ThreadsPerCore = 0
		}
	}
}

// texts judges the texts of which sbatch reads only the last.
func (rd *reader) texts(r *Request) {
	for _, c := range []struct {
		name, value string
		check       func(string) string
	}{
		{"constraint", r.Constraint, value.Features},
		{"prefer", r.Prefer, value.Features},
		{"dependency", r.Dependency, value.Dependency},
		{"licenses", r.Licenses, value.Licenses},
	} {
		if c.value == "" {
			continue
		}
		if wrong := c.check(c.value); wrong != "" {
			rd.at(r, c.name, BadValue, fmt.Sprintf("--%s: %s is %s", c.name, quoted(c.value), wrong), "")
		}
	}
	if o, ok := r.Option("hint"); ok {
		if o.Value == "help" {
			rd.at(r, "hint", NoJob, "with --hint=help sbatch submits no job", "leave it out")
		} else {
			for w := range strings.SplitSeq(o.Value, ",") {
				if wrong := value.HintWords(w); wrong != "" {
					rd.at(r, "hint", BadValue, fmt.Sprintf("--hint: %s is %s", quoted(w), wrong), "")
				}
			}
		}
	}
	if o, ok := r.Option("partition"); ok && o.Value == "" {
		rd.at(r, "partition", BadValue, "--partition: without a name", "leave it out for the default partition")
	}
}

// resources reads the lists that slurmctld judges.
func (rd *reader) resources(r *Request) {
	bad := func(name, text, wrong string) {
		d := BadValue
		if strings.HasPrefix(wrong, value.TooLarge) {
			d = TooLarge
		}
		rd.at(r, name, d, fmt.Sprintf("--%s: %s is %s", name, quoted(text), wrong), "")
	}
	for _, l := range []struct {
		name string
		into *[]GPU
	}{
		{"gpus", &r.GPUs}, {"gpus-per-node", &r.GPUsPerNode}, {"gpus-per-task", &r.GPUsPerTask}, {"gpus-per-socket", &r.GPUsPerSocket},
	} {
		v := r.value(l.name)
		list, wrong := value.GPUList(v)
		if wrong != "" {
			bad(l.name, v, wrong)
			continue
		}
		*l.into = list
		if i := slices.IndexFunc(list, func(g GPU) bool { return g.Type == "gpu" || strings.ContainsAny(g.Type, "= ") }); i >= 0 {
			rd.at(r, l.name, OddType, "--"+l.name+" takes type:number; this asks for GPUs of a type called "+list[i].Type, "write a number, or a100:4")
		}
	}
	if o, ok := r.Option("gres"); ok {
		gpus, others, wrong := value.GresList(o.Value)
		switch {
		case o.Value == "help":
			rd.at(r, "gres", NoJob, "with --gres=help sbatch submits no job", "leave it out")
		case wrong != "":
			bad("gres", o.Value, wrong)
		default:
			r.Gres = others
			for _, g := range gpus { // slurmctld reads --gres after --gpus-per-node
				r.GPUsPerNode, _ = value.AddGPU(r.GPUsPerNode, g.Type, int64(g.Count))
			}
		}
	}
	if v := r.value("array"); v != "" {
		var wrong string
		if r.Array, wrong = value.ArrayOf(v); wrong != "" {
			bad("array", v, wrong)
		}
	}
}

// nodes concludes the number of nodes and reports whether it was told.
func (rd *reader) nodes(r *Request) (told bool) {
	o, told := r.Option("nodes")
	if told && r.MinNodes == 0 {
		rd.report(NoJob, o.Line, o.Column, "--nodes: a job without nodes, which never runs", "ask for 1 at least")
	}
	r.MinNodes = max(r.MinNodes, 1)
	list, listed := r.Option("nodelist")
	file, filed := r.Option("nodefile")
	switch {
	case filed:
		rd.report(NodeFile, file.Line, file.Column, "--nodefile: sbatch counts the nodes of the file, which is not read here", "name them with --nodelist, or say --nodes")
	case !listed:
	case list.Value == "":
		rd.report(NoJob, list.Line, list.Column, "--nodelist: a job without nodes, which never runs", "leave it out")
	case strings.Contains(list.Value, "/"):
		rd.report(NodeFile, list.Line, list.Column, "--nodelist: sbatch takes a name with / for a file, which is not read here", "name the nodes, or say --nodes")
	default:
		names, err := hostlist.Expand(strings.Join(strings.Fields(list.Value), ","))
		if err != nil {
			rd.report(BadValue, list.Line, list.Column, fmt.Sprintf("--nodelist: %s is not a list of nodes, such as node[1-4],login", quoted(list.Value)), "")
			break
		}
		names = sorted(names)
		n := len(names)
		if shut := r.excluded(); slices.ContainsFunc(names, func(name string) bool { _, ok := slices.BinarySearch(shut, name); return ok }) {
			rd.report(Conflict, list.Line, list.Column, "--nodelist names a node that --exclude shuts out", "leave it out of one of them")
		}
		if r.MaxNodes > 0 && n > r.MaxNodes {
			rd.report(Conflict, list.Line, list.Column, fmt.Sprintf("--nodelist names %d nodes, and --nodes allows %d", n, r.MaxNodes), "leave out one of them")
		} else {
			r.MinNodes = max(r.MinNodes, n)
		}
		told = true
	}
	if r.Tasks > 0 {
		if told && r.Tasks < r.MinNodes {
			name := "nodes"
			if _, ok := r.Option(name); !ok {
				name = "nodelist"
			}
			rd.at(r, name, FewerNodes, fmt.Sprintf("%d tasks on %d nodes: Slurm takes %d nodes", r.Tasks, r.MinNodes, r.Tasks), "ask for as many tasks as nodes at least")
			r.MinNodes, r.MaxNodes = r.Tasks, r.Tasks
		}
		r.MaxNodes = min(r.MaxNodes, r.Tasks)
	}
	return told
}

// excluded are the nodes of --exclude, sorted; none where they cannot be read.
func (r *Request) excluded() []string {
	if r.Exclude == "" {
		return nil
	}
	names, err := hostlist.Expand(strings.Join(strings.Fields(r.Exclude), ","))
	if err != nil {
		return nil
	}
	return sorted(names)
}

func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// tasks concludes the number of tasks where --ntasks does not tell it. told is
// whether it counts as if it did; counted is, besides, whether the nodes are an
// exact number of --nodes, from which slurmctld goes on.
func (rd *reader) tasks(r *Request, nodesTold bool) (told, counted bool) {
	if r.Tasks > 0 {
		return true, true
	}
	_, shaped := r.Option("extra-node-info")
	_, byNumber := r.Option("nodes")
	each := 1
	exact := r.MaxNodes == 0 || r.MaxNodes == r.MinNodes
	switch {
	case r.TasksPerNode > 0:
		each, told = r.TasksPerNode, exact
	case (nodesTold || shaped) && exact:
		for _, n := range []int{r.SocketsPerNode, r.CoresPerSocket, r.ThreadsPerCore} {
			each, told = min(each*max(n, 1), value.Max32), told || n > 0
		}
		counted = byNumber
	}
	if r.Tasks = each * r.MinNodes; r.Tasks > value.Max32 {
		name := "nodes"
		if !nodesTold {
			name = "ntasks-per-node"
		}
		rd.at(r, name, TooLarge, fmt.Sprintf("%d tasks on each of %d nodes are %s %d", each, r.MinNodes, value.TooLarge, value.Max32), "")
		r.Tasks = value.Max32
	}
	return told, told || counted
}

// distribution judges how tasks are laid out, before GPUs change their number.
func (rd *reader) distribution(r *Request) {
	kind := strings.ToLower(r.Distribution)
	if _, listed := r.Option("nodelist"); strings.HasPrefix(kind, "arbitrary") && !listed {
		rd.at(r, "distribution", Conflict, "--distribution=arbitrary needs --nodelist", "name the nodes, one for each task")
	}
	if plane, ok := strings.CutPrefix(kind, "plane="); ok && r.MinNodes > 1 && r.Tasks <= value.Number(plane)*(r.MinNodes-1) {
		rd.at(r, "distribution", Conflict, fmt.Sprintf("--distribution=%s: %d tasks are too few for %d nodes", kind, r.Tasks, r.MinNodes), "make the planes smaller")
	}
}

// conflicts finds what excludes each other.
func (rd *reader) conflicts(r *Request) {
	has := func(name string) bool { _, ok := r.Option(name); return ok }
	both := func(a, b string) {
		if has(a) && has(b) {
			later := a
			x, _ := r.Option(a)
			if y, _ := r.Option(b); y.Line > x.Line || y.Line == x.Line && y.Column > x.Column {
				later = b
			}
			rd.at(r, later, Conflict, "--"+a+" and --"+b+" exclude each other", "leave out one of them")
		}
	}
	both("mem", "mem-per-cpu")
	both("mem", "mem-per-gpu")
	both("mem-per-cpu", "mem-per-gpu")
	both("core-spec", "thread-spec")
	both("cpus-per-gpu", "cpus-per-task")
	for _, name := range []string{"ntasks-per-gpu", "ntasks-per-tres"} {
		both(name, "ntasks-per-node")
		both(name, "gpus-per-task")
		both(name, "gpus-per-socket")
	}
	if value.Number(r.value("ntasks-per-gpu")) != value.Number(r.value("ntasks-per-tres")) {
		both("ntasks-per-gpu", "ntasks-per-tres")
	}

	switch limit := r.TimeLimit; {
	case r.TimeMin.Unlimited:
		rd.at(r, "time-min", BadValue, "--time-min: without an end; slurmctld refuses it", "leave it out")
	case r.TimeMin.Minutes > 0 && limit.Minutes > 0 && r.TimeMin.Minutes > limit.Minutes:
		rd.at(r, "time-min", Conflict, fmt.Sprintf("--time-min of %d minutes is longer than --time, %d minutes", r.TimeMin.Minutes, limit.Minutes), "")
	}
	if has("batch") && !has("constraint") {
		rd.at(r, "batch", Conflict, "--batch names features that --constraint does not", "name them in --constraint too")
	}
	if r.Tasks*max(r.CPUsPerTask, 1) > value.Max32 && finding.Count(rd.found, finding.Error) == 0 {
		name := "ntasks"
		if !has(name) {
			name = "cpus-per-task"
		}
		rd.at(r, name, TooLarge, fmt.Sprintf("%d tasks of %d CPUs are %s %d CPUs", r.Tasks, r.CPUsPerTask, value.TooLarge, value.Max32), "")
	}
}
