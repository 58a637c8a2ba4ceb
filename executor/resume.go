package executor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/executor/calls"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/decide"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/fleet"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/journal"
	"aws-slurm-burst/executor/ladder"
	"aws-slurm-burst/executor/launch"
	"aws-slurm-burst/executor/lookup"
	"aws-slurm-burst/executor/plansource"
	"aws-slurm-burst/executor/program"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/executor/slurm"
)

// atOnce is how many groups are launched side by side; what one batch learns
// about shortages the next one knows.
const atOnce = 4

// ResumeRequest is what Slurm (or a person) asks for.
type ResumeRequest struct {
	// Nodes are the names from the command line, the authority for what is
	// launched.
	Nodes []string
	// ResumeFile is Slurm's resume file, nil where there is none. It says
	// which job wants which nodes.
	ResumeFile []byte
	// PlanFile names an execution plan, Ask says how the advisor is asked for
	// one; Getenv finds one in the environment.
	PlanFile string
	Ask      Ask
	Getenv   func(string) string
	// DryRun is "", client (no call at all) or server (EC2 is asked whether
	// the calls would be allowed).
	DryRun string
}

// The kinds of dry run.
const (
	DryRunClient = report.DryRunClient
	DryRunServer = report.DryRunServer
)

// resumption is one resume call under way.
type resumption struct {
	*program.Call
	request ResumeRequest
	nonce   string
	nodes   []string // to be launched: sorted, each once
	jobs    []decide.Job
	// records are what slurmctld said when it was asked for the jobs: once.
	records records
	asked   bool
	// plan is the one of the call, nil where each job has its own or none has;
	// plans are all that are launched by.
	plan        *plan.Plan
	plans       map[*plan.Plan]*found
	memory      *plansource.Memory // of what the advisor answered, where it is asked for jobs
	refusals    []*refusal
	refusedTold bool            // their jobs know
	silent      bool            // slurmctld did not answer the last question about a job or a node to give back
	untold      int             // jobs that were given up
	kept        []string        // nodes that were not given back for it
	said        map[string]bool // lines that are said once a call
	parts       []*part
	buried      journal.Tombstones // as this call began
	live        []cloud.Instance   // what lived before this call
	fleet       *fleet.Fleet       // of it what serves nodes of this call, and of its jobs
}

// part is a group on its way through the call.
type part struct {
	decide.Group
	decide.Decision
	ladder  ladder.Ladder
	adopted []launch.Placed
	up      []string // members of a gang that are not in this call and have an instance
	outcome launch.Outcome
	err     *cloud.Error // before the climb; the outcome has its own
}

// Resume powers nodes up: it launches what the plan or the configuration says,
// and tells Slurm about every node.
func (x *Executor) Resume(ctx context.Context, q ResumeRequest) *report.Report {
	nodes := program.InOrder(q.Nodes)
	r := &resumption{
		Call:    program.New((*program.Machine)(x), "resume", nodes, x.Env.Now().Add(x.Config.LaunchDeadline())),
		request: q, nodes: nodes,
	}
	r.nonce = fmt.Sprintf("%016x%016x", x.Env.Rand("nonce").Uint64(), x.Env.Rand("nonce").Uint64())
	r.Report.DryRun = q.DryRun
	r.run(ctx)
	return r.Finish(ctx)
}

func (r *resumption) run(ctx context.Context) {
	if r.request.DryRun == "" {
		// The resume file disappears with slurmctld's patience: first a copy.
		begun, err := r.Journal.Begin(journal.Call{Nonce: r.nonce, Nodes: hostlist.Fold(r.nodes), ResumeFile: r.request.ResumeFile})
		if err != nil {
			env.Warnf(r.Env, "journal", "no copy of this call: %v", err) // an intent that cannot be written stops it
		}
		if r.buried, err = r.Journal.Tombstones(); err != nil {
			r.failNodes(ctx, report.ExitConfig, "JournalNotReadable", err.Error())
			return
		}
		defer func() {
			if err := r.Journal.End(begun, r.Report.ExitCode); err != nil {
				env.Warnf(r.Env, "journal", "%v", err)
			}
		}()
	}
	defer r.sayUntold()
	r.readJobs(ctx) // first, so that whatever fails can be told to its jobs
	for _, n := range r.nodes {
		if _, ok := r.Config.GroupOf(n); !ok {
			r.failNodes(ctx, report.ExitUsage, "UnknownNode", fmt.Sprintf("node %s belongs to no node group of %s (see slurm.partitions[].node_groups[].nodes)", n, r.Config.Base()))
			return
		}
	}
	r.readPlans(ctx)
	if len(r.nodes) > 0 {
		r.launch(ctx)
	}
	r.refuse(ctx)
}

// launch powers up what no plan forbids.
func (r *resumption) launch(ctx context.Context) {
	if !r.decide(ctx) {
		return
	}
	if r.request.DryRun != "" {
		r.dryRun(ctx)
		return
	}
	unlock, ok := r.claim(ctx)
	defer unlock()
	if !ok {
		return
	}
	if !r.look(ctx) {
		return
	}
	r.climb(ctx)
	r.settle(ctx)
	r.tell(ctx)
}

// readJobs learns which job wants which nodes.
func (r *resumption) readJobs(ctx context.Context) {
	if len(r.request.ResumeFile) > 0 {
		f, err := slurm.ReadResumeFile(r.request.ResumeFile)
		if err == nil {
			for _, j := range f.Jobs {
				r.jobs = append(r.jobs, decide.Job{ID: j.ID, Resume: j.Resume, Alloc: j.Alloc})
			}
			r.completeJobs(ctx)
			return
		}
		instead := "asking slurmctld which jobs want these nodes"
		if r.Slurm.Off() || r.request.DryRun == DryRunClient {
			instead = "going on without jobs"
		}
		env.Warnf(r.Env, "resume-file", "%v; %s", err, instead)
	}
	// Without a usable file slurmctld knows; without slurmctld the nodes are
	// launched for nobody in particular, which is better than not at all.
	if r.Slurm.Off() || r.request.DryRun == DryRunClient {
		return
	}
	all, err := r.askRecords(ctx)
	if err != nil {
		env.Warnf(r.Env, "jobs", "jobs not known, launching without: %v", err)
		return
	}
	for _, rec := range all {
		if !rec.Configuring() {
			continue
		}
		mine := overlap(rec.Nodes, r.nodes)
		if len(mine) > 0 {
			r.jobs = append(r.jobs, decide.Job{ID: rec.ID, Resume: mine, Alloc: rec.Nodes})
		}
	}
}

// completeJobs adds the nodes of each job that are not in this call: up to
// 22.05 the resume file does not tell them, and a gang may have members that
// are up already.
func (r *resumption) completeJobs(ctx context.Context) {
	if r.Slurm.Off() || r.request.DryRun == DryRunClient || !slices.ContainsFunc(r.jobs, func(j decide.Job) bool { return j.Alloc == nil }) {
		return
	}
	if _, err := r.askRecords(ctx); err != nil {
		env.Warnf(r.Env, "jobs", "nodes of the jobs not known, going by the resume file: %v", err)
		return
	}
	for i := range r.jobs {
		if rec, ok := slurm.ResolveTask(r.records[r.jobs[i].ID], r.jobs[i].ID, r.jobs[i].Resume); ok {
			r.jobs[i].Alloc = rec.Nodes
		}
	}
}

func overlap(list, with []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(n string) bool { return !slices.Contains(with, n) })
}

// failNodes gives every node back for one reason, launching nothing.
func (r *resumption) failNodes(ctx context.Context, exit int, code, text string) {
	r.Fail(exit, "resume", "%s", text)
	r.Report.Error = text
	r.giveBack(ctx, r.nodes, giving{Code: code, Text: text, Hold: exit != report.ExitFailed})
}

// failAll gives every node back because EC2 would not.
func (r *resumption) failAll(ctx context.Context, err error) {
	r.FailEC2(err)
	r.giveBack(ctx, r.nodes, r.givingFor(cloud.AsError(err)))
}

// claim takes the lock of every node, in order, so that two calls for the same
// nodes never launch side by side: who comes second waits, and then adopts
// what the first one launched.
func (r *resumption) claim(ctx context.Context) (unlock func(), ok bool) {
	var held []func()
	unlock = func() {
		for _, u := range slices.Backward(held) {
			u()
		}
	}
	waiting, cancel := r.Env.WithDeadline(ctx, r.Calls.Deadline)
	defer cancel()
	for _, n := range r.nodes {
		u, err := r.Env.Lock(waiting, "node-"+n)
		if err != nil {
			if !r.Calls.Late() { // interrupted, or locks cannot be had at all
				r.failNodes(ctx, report.ExitFailed, "NotLocked", fmt.Sprintf("node %s not locked: %v", n, err))
				return unlock, false
			}
			r.Report.Error = fmt.Sprintf("node %s is still locked by another call", n)
			r.Fail(report.ExitLocked, "locked", "%s after %.0f s, leaving its nodes to it", r.Report.Error, r.Env.Now().Sub(r.Start).Seconds())
			for i := range r.Report.Nodes {
				r.Report.Nodes[i].State, r.Report.Nodes[i].Error = report.NodeFailed, r.Report.Error
			}
			return unlock, false
		}
		held = append(held, u)
	}
	return unlock, true
}

// look finds what lives already: adopts what may serve, ends what may not.
func (r *resumption) look(ctx context.Context) bool {
	about := slices.Clone(r.nodes)
	for _, p := range r.parts {
		about = append(about, p.Outside...)
	}
	launches, err := r.Journal.LaunchesOf(about)
	if err != nil {
		r.failNodes(ctx, report.ExitConfig, "JournalNotReadable", err.Error())
		return false
	}
	live, err := r.Calls.DescribeAll(ctx, fleet.Query(r.Config.Cluster))
	if err == nil {
		live, err = r.unseen(ctx, launches, live)
	}
	if err == nil {
		var late []cloud.Instance
		late, err = r.repeatIntents(ctx, launches, live)
		live = withLate(live, late)
	}
	if err != nil {
		r.failAll(ctx, err)
		return false
	}
	r.buried.Find(about)
	f := fleet.Of(about, live, launches)
	r.live, r.fleet = live, f
	var end []string
	for _, p := range r.parts {
		for _, n := range p.Nodes {
			keep, ok, ended := f.Adopt(n, r.buried.At(n))
			if ok {
				usd, date := p.price(keep)
				p.adopted = append(p.adopted, launch.Placed{Node: n, Instance: keep, Adopted: true, Price: usd, PriceDate: date})
				if !slices.ContainsFunc(p.Wish.Types, func(t ladder.Type) bool { return t.Name == keep.Type }) {
					env.Infof(r.Env, "adopt", "%s keeps its live %s, which is not among the types asked for", n, keep.Type)
				}
			}
			for _, i := range ended {
				env.Infof(r.Env, "adopt", "%s of %s is from before its power-up, ending it", i.ID, n)
				end = append(end, i.ID)
			}
		}
		end = append(end, r.match(p, f)...)
	}
	if failed := r.Calls.Terminate(ctx, end); len(failed) > 0 {
		r.failAll(ctx, failed[0].Err)
		return false
	}
	return true
}

// repeatIntents repeats, word for word, the launch for our nodes that a dead
// process may or may not have made: the same token gives the same instances.
// Of several it is the last one, and it is repeated only where the nodes have
// nothing else, this call would ask for the same nodes, and its plan still
// allows it. What was suspended since is left to reconcile; what EC2 has not
// shown for minutes was never launched.
func (r *resumption) repeatIntents(ctx context.Context, launches []journal.Launch, live []cloud.Instance) ([]cloud.Instance, error) {
	var got []cloud.Instance
	for _, l := range launches {
		if l.State == journal.Intent && r.Env.Now().Sub(l.Written) > program.IntentLifetime && r.isOurs(l) &&
			!slices.ContainsFunc(live, func(i cloud.Instance) bool { return i.TagValue(identity.Launch) == l.Request.Token }) {
			r.closeIntent(l, "NeverSeen")
		}
	}
	for _, p := range r.parts {
		last := r.lastIntent(p, launches)
		if last == nil || r.occupied(p, live, *last) {
			continue
		}
		env.Infof(r.Env, "intent", "repeating an unfinished launch for %s", last.Nodes)
		climber := &launch.Climber{Calls: r.Calls, Journal: r.Journal}
		found, err := climber.Again(ctx, last.Request)
		switch {
		case err == nil:
			got = append(got, found...)
			placed, _, _ := launch.Assign(p.Nodes, found)
			if err := r.Journal.Placed(*last, launch.Records(placed)); err != nil {
				env.Warnf(r.Env, "journal", "%v", err)
			}
		case errors.Is(err, launch.ErrNothingLives):
			// The record stays: should EC2 show something after all, reconcile
			// or the next call finds it there.
		case errors.Is(err, launch.ErrUnsure), cloud.Is(err, cloud.Ambiguous, cloud.Throttle, cloud.Consistency, cloud.Permission, cloud.Credentials):
			return nil, err // still nobody knows: launching beside it could double the nodes
		default:
			r.closeIntent(*last, cloud.AsError(err).Word())
		}
	}
	return got, nil
}

// isOurs reports whether a launch is for nodes of this call.
func (r *resumption) isOurs(l journal.Launch) bool {
	nodes, err := hostlist.Expand(l.Nodes)
	return err == nil && len(overlap(nodes, r.nodes)) > 0
}

// lastIntent returns the youngest unfinished launch that is what this call would
// ask for, nil where there is none: the part's nodes, none suspended since, and a
// plan that allows it.
func (r *resumption) lastIntent(p *part, launches []journal.Launch) (last *journal.Launch) {
	for _, l := range launches {
		if l.State != journal.Intent || r.Env.Now().Sub(l.Written) > program.IntentLifetime {
			continue
		}
		nodes, err := hostlist.Expand(l.Nodes)
		if err != nil || !slices.Equal(nodes, p.Nodes) || l.Plan != p.Ask.Plan || !p.allows(l.Request) {
			continue
		}
		buried := slices.ContainsFunc(nodes, func(n string) bool { return r.buried.At(n) > l.Written })
		if !buried && (last == nil || l.Written > last.Written) {
			last = &l
		}
	}
	return last
}

// allows reports whether the part's ladder has the rung of a launch: a plan
// that has changed meanwhile rules an old launch out.
func (p *part) allows(q cloud.LaunchRequest) bool {
	return slices.ContainsFunc(p.ladder.Rungs, func(g ladder.Rung) bool {
		return g.Type == q.Type && g.Market == q.Market && g.SubnetID == q.SubnetID && g.MaxPrice == q.MaxPrice
	})
}

// occupied reports whether nodes of the part have live instances: of another
// launch, or all that this one can have.
func (r *resumption) occupied(p *part, live []cloud.Instance, l journal.Launch) bool {
	f := fleet.Of(p.Nodes, live, nil)
	mine := 0
	for _, n := range p.Nodes {
		if keep, ok, _ := f.Adopt(n, r.buried.At(n)); ok {
			if keep.TagValue(identity.Launch) != l.Request.Token {
				return true
			}
			mine++
		}
	}
	return mine >= l.Request.MinCount
}

func (r *resumption) closeIntent(l journal.Launch, code string) {
	if err := r.Journal.Close(l, journal.Failed, code); err != nil {
		env.Warnf(r.Env, "journal", "%v", err)
	}
}

// withLate adds instances that a describe did not show.
func withLate(live, late []cloud.Instance) []cloud.Instance {
	for _, i := range late {
		if !slices.ContainsFunc(live, func(k cloud.Instance) bool { return k.ID == i.ID }) {
			live = append(live, i)
		}
	}
	return live
}

// match makes a gang's ladder fit its live members: new ones join the type,
// the zone and the placement group of the old ones. Members of this call that
// do not match each other are ended, and the gang is launched anew.
func (r *resumption) match(p *part, f *fleet.Fleet) (end []string) {
	if !p.Gang {
		return nil
	}
	var fixed *ladder.Like // from members that are not ours to end
	for _, n := range p.Outside {
		keep, ok, _ := f.Adopt(n, r.buried.At(n))
		if !ok || slices.Contains(r.nodes, n) {
			continue
		}
		p.up = append(p.up, n)
		l := ladder.Like{Type: keep.Type, AZ: keep.AZ, Group: keep.Group}
		if fixed == nil {
			fixed = &l
		} else if *fixed != l && p.err == nil {
			p.err = cloud.Errorf("RunInstances", cloud.Capacity, "nothing matches the live members of the gang: they differ (%s %s %s, %s %s %s)",
				fixed.Type, fixed.AZ, cmp.Or(fixed.Group, "without a placement group"), l.Type, l.AZ, cmp.Or(l.Group, "without a placement group"))
		}
	}
	like := fixed
	for _, a := range p.adopted {
		l := ladder.Like{Type: a.Instance.Type, AZ: a.Instance.AZ, Group: a.Instance.Group}
		if like == nil {
			like = &l
		}
		if *like != l {
			env.Infof(r.Env, "adopt", "live members of the gang do not match (%s %s, %s %s), launching it anew", like.Type, like.AZ, l.Type, l.AZ)
			for _, a := range p.adopted {
				end = append(end, a.Instance.ID)
			}
			p.adopted, like = nil, fixed
			break
		}
	}
	if like != nil && len(p.adopted) < len(p.Nodes) {
		p.Wish.Like = like
		p.ladder = ladder.Build(p.Wish)
	}
	return end
}

// climb launches what is missing, a few groups at a time.
func (r *resumption) climb(ctx context.Context) {
	var short []ladder.Shortage
	for _, batch := range batches(r.parts) {
		known := slices.Clone(short)
		forks, ctls := make([]*calls.Caller, len(batch)), make([]*slurm.Controller, len(batch))
		for i, p := range batch {
			forks[i], ctls[i] = r.Calls.Fork(p.Name()), r.Slurm.Fork()
		}
		results := env.Map(ctx, r.Env, atOnce, indexes(len(batch)), func(ctx context.Context, i int) (launch.Outcome, error) {
			return r.climbPart(ctx, batch[i], forks[i], ctls[i], known), nil
		})
		for i, res := range results {
			batch[i].outcome = res.Value
			short = append(short, res.Value.Short[min(len(known), len(res.Value.Short)):]...)
		}
		r.Calls.Join(forks...)
		r.Slurm.Join(ctls...)
	}
}

// batches puts parts together that are launched side by side. The parts of one
// job come one after the other where they share its budget.
func batches(parts []*part) [][]*part {
	var out [][]*part
	for _, p := range parts {
		at := 0
		for i, b := range out {
			if slices.ContainsFunc(b, p.sharesBudget) {
				at = i + 1
			}
		}
		for at < len(out) && len(out[at]) == atOnce {
			at++
		}
		if at == len(out) {
			out = append(out, nil)
		}
		out[at] = append(out[at], p)
	}
	return out
}

// sharesBudget reports whether two parts are of one job with a limit. A gang's
// rungs are affordable for all of its nodes or ruled out: it has nothing to
// share.
func (p *part) sharesBudget(q *part) bool {
	return p != q && p.ladder.MaxHourly > 0 && !p.Gang && p.Multi && q.Multi && len(overlap(p.Outside, q.Nodes)) > 0
}

// spentBeside is what the job's nodes outside the part cost at most, in USD an
// hour: those of its other parts, and those that are up from an earlier call.
func (r *resumption) spentBeside(p *part) float64 {
	if p.ladder.MaxHourly == 0 || p.Gang || !p.Multi {
		return 0
	}
	total := 0.0
	for _, q := range r.parts {
		if p.sharesBudget(q) {
			total += q.cost()
		}
	}
	for _, n := range p.Outside {
		if keep, ok, _ := r.fleet.Adopt(n, r.buried.At(n)); ok && !slices.Contains(r.nodes, n) {
			usd, _ := p.price(keep)
			total += usd
		}
	}
	return total
}

// cost is what the part's nodes cost at most, in USD an hour.
func (p *part) cost() float64 {
	total := 0.0
	for _, a := range append(slices.Clone(p.adopted), p.outcome.Placed...) {
		total += a.Price
	}
	return total
}

func indexes(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func (r *resumption) climbPart(ctx context.Context, p *part, c *calls.Caller, ctl *slurm.Controller, short []ladder.Shortage) launch.Outcome {
	var missing []string
	for _, n := range p.Nodes {
		if !slices.ContainsFunc(p.adopted, func(a launch.Placed) bool { return a.Node == n }) {
			missing = append(missing, n)
		}
	}
	if len(missing) == 0 || p.err != nil {
		return launch.Outcome{Short: short}
	}
	if len(p.ladder.Rungs) == 0 {
		return launch.Outcome{Short: short, Err: p.noRungs()}
	}
	ask := p.Ask
	ask.Nodes, ask.Call, ask.Nonce, ask.Job = missing, r.nonce, r.nonce, strings.Join(p.Jobs, ",")
	for _, n := range missing {
		ask.After = max(ask.After, r.buried.At(n))
	}
	asked := 0
	ask.Halted = func(ctx context.Context) ([]string, *cloud.Error) {
		asked++
		return r.halted(ctx, ctl, missing, p, asked > 1)
	}
	ask.Spent = p.cost() + r.spentBeside(p)
	climber := &launch.Climber{Calls: c, Journal: r.Journal}
	o := climber.Climb(ctx, ask, p.ladder, short)
	again := func(nonce string) {
		rest := without(ask, o.Placed)
		rest.Nonce = nonce
		for _, a := range o.Placed {
			rest.Spent += a.Price
		}
		next := climber.Climb(ctx, rest, p.ladder, nil)
		next.Placed = append(o.Placed, next.Placed...)
		next.Attempts = append(o.Attempts, next.Attempts...)
		o = next
	}
	if staleLookup(o.Err) && r.lookUpAgain(ctx, p, c) {
		again(r.nonce + "/looked-up")
	}
	for o.Err != nil && o.Err.Class.NextRung() && len(o.Halted) == 0 && !c.Late() && r.mustNotRequeue(ctx, ctl, p) {
		// An interactive job dies when its nodes are given back: try on.
		if !c.Pause(ctx, 6) {
			break
		}
		again(fmt.Sprintf("%s/%d", r.nonce, asked))
	}
	return o
}

// staleLookup reports whether EC2 does not know a subnet or an image that a
// look-up has named: it may have been replaced since.
func staleLookup(e *cloud.Error) bool {
	return e != nil && e.Class == cloud.Config && (strings.HasPrefix(e.Code, "InvalidSubnet") || strings.HasPrefix(e.Code, "InvalidAMIID"))
}

// lookUpAgain forgets what was looked up for a part and makes its ladder anew;
// it reports whether that changes anything.
func (r *resumption) lookUpAgain(ctx context.Context, p *part, c *calls.Caller) bool {
	m := r.maker()
	l := &lookup.Lookup{Calls: c, Cache: r.Store, Endpoint: r.Endpoint}
	p.Decision.Forget(l)
	m.Lookups = l
	d, err := m.For(ctx, p.Group)
	if err != nil {
		env.Warnf(r.Env, "lookup", "%v", err)
		return false
	}
	d.Wish.Like = p.Wish.Like // the live members are where they are
	next := ladder.Build(d.Wish)
	same := slices.EqualFunc(next.Rungs, p.ladder.Rungs, func(a, b ladder.Rung) bool { return a == b })
	p.Wish, p.ladder = d.Wish, next
	return !same
}

func without(a launch.Ask, placed []launch.Placed) launch.Ask {
	a.Nodes = slices.DeleteFunc(slices.Clone(a.Nodes), func(n string) bool {
		return slices.ContainsFunc(placed, func(p launch.Placed) bool { return p.Node == n })
	})
	return a
}

// jobGone is the code of nodes that nobody waits for any more.
const jobGone = "JobGone"

// halted returns those nodes that were suspended since this call began: it goes
// by which tombstones there were then, not by our clock, since another
// controller's may differ. Where every job that wants the nodes has gone and
// none has taken its place, it is an error.
func (r *resumption) halted(ctx context.Context, ctl *slurm.Controller, nodes []string, p *part, askSlurm bool) ([]string, *cloud.Error) {
	fresh, err := r.Journal.Since(r.buried)
	if err != nil {
		env.Warnf(r.Env, "journal", "%v", err)
		return nil, nil
	}
	var out []string
	for _, n := range nodes {
		if fresh.At(n) > r.buried.At(n) {
			out = append(out, n)
		}
	}
	if len(out) > 0 || !askSlurm || ctl.Off() || len(p.Jobs) == 0 {
		return out, nil
	}
	ctx, cancel := r.Env.WithDeadline(ctx, r.Calls.Deadline)
	defer cancel()
	if !jobsGone(ctx, ctl, p.Jobs) {
		return nil, nil
	}
	// Slurm gives the nodes of a cancelled job to the next one at once, without
	// another call of ours: then the launch is for that job, where it has all
	// of them and the same plan. Where it has some, the others would boot for
	// nobody; where it has another plan, it comes back for its own.
	gone := strings.Join(p.Jobs, ",")
	records, err := ctl.Jobs(ctx)
	if err != nil {
		return nil, nil
	}
	for _, rec := range records {
		if rec.Configuring() && len(overlap(nodes, rec.Nodes)) == len(nodes) {
			if !r.samePlan(ctx, ctl, records, rec, p) {
				env.Infof(r.Env, "job", "job %s is gone, its nodes now wait for job %s, which has another plan", gone, rec.Ref())
				break
			}
			env.Infof(r.Env, "job", "job %s is gone, its nodes now wait for job %s", gone, rec.Ref())
			p.Jobs = []string{rec.ID} // who is told, held or delayed from here on
			return nil, nil
		}
	}
	return nil, &cloud.Error{Op: "RunInstances", Class: cloud.Halted, Code: jobGone, Err: fmt.Errorf("job %s has gone", gone)}
}

// settle makes the last corrections before Slurm hears: what was suspended
// meanwhile goes, and so do gangs that are not whole.
func (r *resumption) settle(ctx context.Context) {
	fresh, err := r.Journal.Since(r.buried)
	if err != nil {
		env.Warnf(r.Env, "journal", "%v", err)
	}
	for _, p := range r.parts {
		for _, n := range p.Nodes {
			if fresh.At(n) > r.buried.At(n) && !slices.Contains(p.outcome.Halted, n) {
				p.outcome.Halted = append(p.outcome.Halted, n)
			}
		}
	}
	for _, p := range r.parts {
		for _, q := range r.parts {
			if p != q && p.Gang && q.Gang && len(p.Jobs) > 0 && slices.Equal(p.Jobs, q.Jobs) && p.failed() && !q.failed() {
				e := *p.why() // the job's nodes in another node group
				e.Err = fmt.Errorf("job %s is nothing without its nodes of node group %s (%s)", strings.Join(p.Jobs, ","), p.Site.Name, e.Word())
				q.err = &e
			}
		}
	}
	for _, p := range r.parts {
		var end []string
		goes := func(a launch.Placed) bool {
			return p.Gang && p.failed() || slices.Contains(p.outcome.Halted, a.Node)
		}
		for _, a := range append(slices.Clone(p.adopted), p.outcome.Placed...) {
			if goes(a) {
				end = append(end, a.Instance.ID)
			}
		}
		if len(end) == 0 {
			continue
		}
		if failed := r.Calls.TerminateNew(ctx, end); len(failed) > 0 {
			r.Fail(report.ExitFailed, "settle", "instances of a failed gang are still running, reconcile will end them: %s", calls.FailureText(failed))
		}
		p.adopted = slices.DeleteFunc(p.adopted, goes)
		p.outcome.Placed = slices.DeleteFunc(p.outcome.Placed, goes)
	}
}

// failed reports whether some node of the part has no instance.
func (p *part) failed() bool { return p.why() != nil }

// why returns the reason, nil where every node has an instance.
func (p *part) why() *cloud.Error {
	if p.err != nil {
		return p.err
	}
	if p.outcome.Err == nil && p.Gang && len(p.outcome.Halted) > 0 {
		return cloud.Errorf("RunInstances", cloud.Halted, "%d of its nodes were suspended before it was whole", len(p.outcome.Halted))
	}
	return p.outcome.Err
}
