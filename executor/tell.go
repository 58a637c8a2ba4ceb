package executor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/fleet"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/executor/journal"
	"aws-slurm-burst/executor/ladder"
	"aws-slurm-burst/executor/launch"
	"aws-slurm-burst/executor/program"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/executor/slurm"
)

// tell pushes addresses, gives back what has none, and fills in the report and
// the exit code. Addresses go first: a node that boots without one is lost at
// ResumeTimeout, while telling many jobs that they are refused takes minutes.
func (r *resumption) tell(ctx context.Context) {
	var losses []loss
	total := 0.0
	oldest := "" // of the prices in it
	known := true
	exits := map[int]bool{}
	served, missing := 0, 0
	for _, p := range r.parts {
		for _, at := range p.outcome.Attempts {
			r.Report.Rungs = append(r.Report.Rungs, rungReport(at.Rung, at.Outcome, at.Code, at.Nodes, strings.Join(p.Jobs, ",")))
		}
		r.Report.Excluded = append(r.Report.Excluded, p.ladder.Excluded...)
		placed := append(slices.Clone(p.adopted), p.outcome.Placed...)
		for _, a := range placed {
			n := r.Report.Node(a.Node)
			n.State = report.NodeLaunched
			if a.Adopted {
				n.State = report.NodeAdopted
			}
			n.InstanceID, n.InstanceType, n.Market, n.AZ, n.PrivateIP = a.Instance.ID, a.Instance.Type, a.Instance.Market, a.Instance.AZ, a.Instance.PrivateIP
			n.Job = strings.Join(p.Jobs, ",")
			total += a.Price
			oldest = ladder.Older(oldest, a.PriceDate)
			known = known && a.Price > 0
		}
		served += len(placed)
		for _, n := range p.outcome.Halted {
			rep := r.Report.Node(n)
			rep.State, rep.Error = report.NodeSuspended, "suspended or cancelled while it was launched"
		}
		if lost := p.lost(placed); len(lost) > 0 {
			missing += len(lost)
			g, exit := r.lose(p, lost, len(placed))
			l := loss{nodes: lost, giving: g}
			if e := p.why(); e != nil && e.Class.NextRung() {
				l.release = p.up
			}
			losses = append(losses, l)
			exits[exit] = true
		}
	}
	if known && served > 0 {
		total = float64(int64(total*1e6+0.5)) / 1e6
		r.Report.HourlyCost, r.Report.PriceDate = &total, oldest
	}
	switch {
	case missing > 0 && served > 0:
		r.Report.ExitCode = report.ExitPartly
	case missing > 0:
		r.Report.ExitCode = worst(exits)
	}
	r.push(ctx)
	for _, l := range losses {
		r.giveBack(ctx, l.nodes, l.giving)
		r.release(ctx, l)
	}
}

// loss is nodes of a part that go back.
type loss struct {
	nodes []string
	giving
	// release are members of the gang that were up, and that it is nothing with.
	release []string
}

// release powers down what a gang had from others and what nothing else could be
// launched to match: Slurm would give it the same nodes again each time, and keep
// them from ever being idle for long. Jobs that share them end first.
func (r *resumption) release(ctx context.Context, l loss) {
	if len(l.release) == 0 || r.Slurm.Off() || r.givenUp() {
		return
	}
	env.Infof(r.Env, "release", "powering down %s too, which the gang has from others and cannot use", hostlist.Fold(l.release))
	err := program.First(r.Slurm.PowerDown(ctx, l.release, l.Code, l.Text))
	if r.heard(err); err != nil {
		env.Warnf(r.Env, "release", "nodes %s not powered down: %v", hostlist.Fold(l.release), err)
	}
}

// lost returns the nodes of the part that have neither an instance nor a
// suspend of their own.
func (p *part) lost(placed []launch.Placed) []string {
	var out []string
	for _, n := range p.Nodes {
		if !slices.ContainsFunc(placed, func(a launch.Placed) bool { return a.Node == n }) && !slices.Contains(p.outcome.Halted, n) {
			out = append(out, n)
		}
	}
	return out
}

// lose says why nodes have no instance, and returns how they go back and the
// exit code that their loss alone would have.
func (r *resumption) lose(p *part, lost []string, placed int) (giving, int) {
	e := p.why()
	if e == nil {
		e = cloud.Errorf("RunInstances", cloud.Ambiguous, "no instance, and no reason known")
	}
	g := r.givingFor(e)
	g.Jobs = p.Jobs
	switch {
	case p.ladder.Limited():
		g.Code, g.Hold = launch.CostLimit, true
		g.Text = fmt.Sprintf("No launch within %.2f USD/h for %d nodes: cheapest is %s", p.ladder.MaxHourly, p.Size(), cheapest(p.ladder, p.Size()))
	case e.Code == launch.CostLimit:
		g.Hold = true
		g.Text = fmt.Sprintf("No launch within %.2f USD/h for %s more: %s", p.ladder.MaxHourly, program.Count(len(lost), "node"), program.Message(e))
	case e.Class == cloud.Throttle:
		g.Text = fmt.Sprintf("EC2 throttled for %.0f s", r.Env.Now().Sub(r.Start).Seconds())
	case e.Class.NextRung():
		g.Text = fmt.Sprintf("No capacity for %s: %s", program.Count(len(lost), "node"), codesByCount(p.outcome.Attempts))
		if p.err != nil || len(p.outcome.Attempts) == 0 {
			g.Text = fmt.Sprintf("No capacity for %s: %s", program.Count(len(lost), "node"), program.Message(e))
		}
	default:
		g.Text = r.Explain(e)
	}
	if e.Code == jobGone {
		env.Warnf(r.Env, "lost", "%s", g.Text)
	} else if placed > 0 && !p.Gang { // not an error: best effort is what was asked for
		env.Warnf(r.Env, "partly", "%d of %d nodes launched", placed, placed+len(lost))
		env.Infof(r.Env, "lost", "%s", g.Text)
	} else {
		env.Errorf(r.Env, "lost", "%s", g.Text)
	}
	if p.ladder.Limited() || e.Code == launch.CostLimit {
		r.tellAge(p)
	}
	return g, report.ExitOf(e.Class)
}

// tellAge says how old the prices are by which a limit was judged.
func (r *resumption) tellAge(p *part) {
	if date := p.ladder.PriceDate(); date != "" {
		r.once(env.Info, "price.age", fmt.Sprintf("The limit was judged by an on-demand %s", catalog.Aged("price", date, r.Env.Now().Std())))
	}
}

// codesByCount folds the codes of failed attempts: "InsufficientInstanceCapacity
// (4), VcpuLimitExceeded (1)", most first.
func codesByCount(attempts []launch.Attempt) string {
	var codes []string
	count := map[string]int{}
	for _, a := range attempts {
		if a.Code == "" || a.Outcome == launch.OutcomePartial {
			continue // not EC2's words
		}
		if count[a.Code] == 0 {
			codes = append(codes, a.Code)
		}
		count[a.Code]++
	}
	slices.SortStableFunc(codes, func(a, b string) int { return cmp.Compare(count[b], count[a]) })
	for i, c := range codes {
		codes[i] = fmt.Sprintf("%s (%d)", c, count[c])
	}
	if len(codes) == 0 {
		return "nothing was tried"
	}
	return strings.Join(codes, ", ")
}

func cheapest(l ladder.Ladder, nodes int) string {
	x, ok := l.Cheapest()
	if !ok {
		return "of unknown price (policy.allow_unknown_price lets it pass)"
	}
	return fmt.Sprintf("%s at %.2f USD/h", x.Rung, x.Price*float64(nodes))
}

// worst is the exit code of a call in which nothing worked: the one that needs
// a person first, then a shortage before a quota.
func worst(exits map[int]bool) int {
	for _, code := range []int{report.ExitPermission, report.ExitConfig, report.ExitPlan, report.ExitFailed, report.ExitCapacity, report.ExitQuota} {
		if exits[code] {
			return code
		}
	}
	return report.ExitFailed
}

func rungReport(g ladder.Rung, outcome, code string, nodes int, job string) report.Rung {
	return report.Rung{
		Type: g.Type, Market: g.Market, AZ: g.AZ, SubnetID: g.SubnetID, Outcome: outcome, Code: code, Nodes: nodes,
		Job: job, MaxPrice: g.MaxPrice, Price: g.Price, PriceDate: g.PriceDate, EFA: g.EFA, Group: g.Strategy,
	}
}

// push tells Slurm the addresses of all nodes that have one. What slurmctld
// does not take is written down, and the next call or reconcile repeats it.
func (r *resumption) push(ctx context.Context) {
	if r.Slurm.Off() {
		return
	}
	// One push for all nodes that other jobs may use later, and one a plan for
	// those that may not: their reason names it.
	var pushes []*journal.Push
	addrs := map[*journal.Push][]slurm.Addr{}
	for _, p := range r.parts {
		want := journal.Push{ID: r.nonce + "-shared"}
		if p.SingleUse {
			want = journal.Push{ID: r.nonce + "-" + p.Ask.Plan, SingleUse: true, Reason: "plan " + p.Ask.Plan}
		}
		i := slices.IndexFunc(pushes, func(q *journal.Push) bool { return q.ID == want.ID })
		if i < 0 {
			i = len(pushes)
			pushes = append(pushes, &want)
		}
		q := pushes[i]
		for _, a := range append(slices.Clone(p.adopted), p.outcome.Placed...) {
			if a.Instance.PrivateIP == "" {
				n := r.Report.Node(a.Node)
				n.State, n.Error = report.NodePending, "EC2 has not told its address yet"
			} else {
				addrs[q] = append(addrs[q], slurm.Addr{Node: a.Node, IP: a.Instance.PrivateIP})
			}
			q.Addrs = append(q.Addrs, journal.Addr{Node: a.Node, IP: a.Instance.PrivateIP, Instance: a.Instance.ID})
		}
	}
	for _, q := range pushes {
		if len(q.Addrs) > 0 {
			r.pushSome(ctx, addrs[q], *q)
		}
	}
	r.payOld(ctx)
}

func (r *resumption) pushSome(ctx context.Context, addrs []slurm.Addr, p journal.Push) {
	refused, err := r.Slurm.PushAddresses(ctx, addrs, slurm.Push{SingleUse: p.SingleUse, Reason: p.Reason})
	failed := byNode(refused)
	var left []journal.Addr
	for _, a := range p.Addrs {
		if err != nil || failed[a.Node] != nil || a.IP == "" {
			left = append(left, a)
		}
	}
	if len(left) == 0 {
		return
	}
	p.Addrs = left
	if oweErr := r.Journal.Owe(p); oweErr != nil {
		env.Warnf(r.Env, "journal", "%v", oweErr)
	}
	why := "slurmctld did not take their addresses"
	if err != nil {
		why = err.Error()
		if errors.Is(err, slurm.ErrUnreachable) {
			r.Fail(report.ExitFailed, "push", "slurmctld not reachable, addresses pending for %s", program.Count(len(left), "node"))
		} else {
			r.Fail(report.ExitFailed, "push", "addresses pending for %s: %v", program.Count(len(left), "node"), err)
		}
	} else {
		r.Fail(report.ExitFailed, "push", "addresses pending for %s, first %s: %v", program.Count(len(left), "node"), left[0].Node, cmpErr(failed[left[0].Node], "no address yet"))
	}
	for _, a := range left {
		n := r.Report.Node(a.Node)
		n.State = report.NodePending
		if n.Error == "" {
			n.Error = why
		}
	}
}

func byNode(errs []slurm.NodeError) map[string]error {
	out := map[string]error{}
	for _, e := range errs {
		out[e.Node] = e.Err
	}
	return out
}

func cmpErr(err error, otherwise string) string {
	if err == nil {
		return otherwise
	}
	return err.Error()
}

// giving says why and how nodes are given back.
type giving struct {
	Code, Text string
	// Hold keeps the jobs from coming back by themselves: retrying cannot help.
	Hold bool
	// Jobs want these nodes; nil means every job of the call.
	Jobs []string
	// Against carries out ASBA's advice against bursting.
	Against bool
}

// givingFor is how nodes are given back after an EC2 error: held where only a
// person can help.
func (r *resumption) givingFor(e *cloud.Error) giving {
	hold := false
	switch e.Class {
	case cloud.Config, cloud.Permission, cloud.Credentials, cloud.Unsupported:
		hold = true
	}
	return giving{Code: e.Word(), Text: r.Explain(e), Hold: hold}
}

// giveBack reports nodes as failed and, where there is a Slurm, hands them
// back in one update with the reason, after their jobs were told why.
func (r *resumption) giveBack(ctx context.Context, nodes []string, g giving) {
	r.reportFailed(nodes, g)
	if r.Slurm.Off() || r.request.DryRun != "" {
		return
	}
	jobs := g.Jobs
	if jobs == nil {
		for _, j := range r.jobs {
			jobs = append(jobs, j.ID)
		}
	}
	r.tellRefused(ctx)
	r.handBack(ctx, nodes, g, r.tellJobs(ctx, jobs, nodes, g))
}

func (r *resumption) reportFailed(nodes []string, g giving) {
	for _, n := range nodes {
		rep := r.Report.Node(n)
		rep.State, rep.Error = report.NodeFailed, g.Code+": "+g.Text
	}
}

// tellJobs tells the jobs on some nodes why they lose them, and returns their
// records. It comes before the nodes go: a requeued job has none, and could not
// be told from the other tasks of its array.
func (r *resumption) tellJobs(ctx context.Context, jobs, nodes []string, g giving) []slurm.Record {
	var records []slurm.Record
	for i, id := range jobs {
		if r.givenUp() {
			r.untold += len(jobs) - i
			break
		}
		if rec, ok := r.record(ctx, id, nodes); ok && !slurm.Gone(rec) {
			r.tellJob(ctx, rec, g)
			records = append(records, rec)
		}
	}
	return records
}

// handBack gives nodes back to Slurm; records are those of their jobs.
func (r *resumption) handBack(ctx context.Context, nodes []string, g giving, records []slurm.Record) {
	back := slices.Clone(nodes)
	hostlist.Sort(back)
	if r.givenUp() {
		r.kept = append(r.kept, back...)
		return
	}
	refused, err := r.Slurm.GiveBack(ctx, back, g.Code, g.Text)
	r.heard(err)
	if err != nil {
		env.Errorf(r.Env, "give-back", "nodes %s not given back, Slurm takes them down after ResumeTimeout: %v", hostlist.Fold(back), err)
		return
	}
	failed := byNode(refused)
	for _, n := range nodes {
		if failed[n] == nil {
			r.Report.Node(n).State = report.NodeGivenBack
		} else {
			env.Errorf(r.Env, "give-back", "node %s not given back, Slurm takes it down after ResumeTimeout: %v", n, failed[n])
		}
	}
	switch {
	case g.Against:
		r.keepAway(ctx, records, back)
	case !g.Hold:
		r.comeBack(ctx, records, g.Code)
	}
}

// heard notes whether slurmctld has answered.
func (r *resumption) heard(err error) { r.silent = errors.Is(err, slurm.ErrUnreachable) }

// givenUp reports whether nobody is told anything any more: the deadline has
// passed, and slurmctld did not answer the last question. Of a thousand jobs each
// would take ten seconds, with the nodes locked.
func (r *resumption) givenUp() bool { return r.silent && r.Calls.Late() }

// sayUntold says what was given up.
func (r *resumption) sayUntold() {
	if r.untold > 0 {
		env.Errorf(r.Env, "job", "slurmctld not reachable, %s not told why they lose their nodes", program.Count(r.untold, "job"))
	}
	if len(r.kept) > 0 {
		env.Errorf(r.Env, "give-back", "slurmctld not reachable, nodes %s not given back, Slurm takes them down after ResumeTimeout", hostlist.Fold(r.kept))
	}
}

// payOld repeats the pushes that earlier calls owe, now that slurmctld answers.
func (r *resumption) payOld(ctx context.Context) {
	if r.fleet == nil {
		return // nothing was looked at
	}
	owed, err := r.Journal.Owed()
	if err != nil {
		env.Warnf(r.Env, "journal", "%v", err)
	}
	owed = slices.DeleteFunc(owed, func(p journal.Push) bool { return strings.HasPrefix(p.ID, r.nonce) }) // of this very call
	if len(owed) == 0 {
		return
	}
	launches, err := r.Journal.Launches() // they may be about any nodes
	if err != nil {
		env.Warnf(r.Env, "journal", "%v", err)
		return
	}
	all := fleet.New(r.live, launches)
	for _, p := range owed {
		if err := r.Repay(ctx, p, all); err != nil {
			env.Warnf(r.Env, "push", "addresses of an earlier call still pending: %v", err)
			return
		}
	}
}
