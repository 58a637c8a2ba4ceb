package steps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cucumber/godog"

	"aws-slurm-burst/features/site"
)

func registerThen(sc registrar) {
	thenSaid(sc)
	thenRuns(sc)
	thenCalled(sc)
}

// thenSaid: what the program said of itself.
func thenSaid(sc registrar) {
	sc.Step(`^the exit code is (\d+)$`, func(ctx context.Context, want int) error {
		r, err := in(ctx).LastRun()
		if err == nil && r.Exit != want {
			err = fmt.Errorf("the exit code is %d; it said:\n%s", r.Exit, r.Text())
		}
		return err
	})
	sc.Step(`^it says:$`, func(ctx context.Context, text *godog.DocString) error {
		return in(ctx).Says(strings.Split(text.Content, "\n"))
	})
	sc.Step(`^it says "(.+)"$`, func(ctx context.Context, line string) error {
		return in(ctx).Says([]string{line})
	})
	sc.Step(`^it says of each of "([^"]+)" that it did not register in time, and on which instance$`, saysLate)
	sc.Step(`^it says nothing$`, func(ctx context.Context) error {
		r, err := in(ctx).LastRun()
		if err == nil && len(r.Stderr) > 0 {
			err = fmt.Errorf("it said:\n%s", r.Text())
		}
		return err
	})
	sc.Step(`^it tells of each rung it left for "([^"]+)"$`, leftRungs)
	sc.Step(`^it tells of the rungs it left$`, leftSome)
	sc.Step(`^the nodes are launched (standalone|by the plan)$`, func(ctx context.Context, how string) error {
		r, err := in(ctx).LastRun()
		mode := map[string]string{"standalone": "standalone", "by the plan": "asba"}[how]
		if err == nil && r.Report.Mode != mode {
			err = fmt.Errorf("the mode is %q", r.Report.Mode)
		}
		return err
	})
	sc.Step(`^"([^"]+)" (?:is|are) reported as (\S+)$`, reported)
	sc.Step(`^one call launched "([^"]+)" and the other adopted (?:it|them)$`, oneAdopted)
	sc.Step(`^each of "([^"]+)" was launched by one call$`, launchedOnce)
	sc.Step(`^one call ends with exit code (\d+) and the other with (\d+)$`, exitCodes)
	sc.Step(`^one of the two calls says:$`, oneSays)
	sc.Step(`^it (did|would do):$`, actions)
	sc.Step(`^it did nothing$`, func(ctx context.Context) error {
		r, err := in(ctx).LastRun()
		if err == nil && len(r.Report.Actions) > 0 {
			err = fmt.Errorf("it did: %s", r.Report.Actions[0].Text)
		}
		return err
	})
}

// thenRuns: what EC2 shows.
func thenRuns(sc registrar) {
	sc.Step(`^only "([^"]+)" (?:is|are) running$`, func(ctx context.Context, list string) error {
		names, err := site.Expand(list)
		if err != nil {
			return err
		}
		return in(ctx).Running(ctx, names)
	})
	sc.Step(`^nothing is running$`, func(ctx context.Context) error { return in(ctx).Running(ctx, nil) })
	sc.Step(`^(\d+) of "([^"]+)" are running$`, someRunning)
	sc.Step(`^every node is a (\S+), (spot|on-demand), in (\S+)$`, everyNode)
	sc.Step(`^each of "([^"]+)" is a (\S+), (spot|on-demand), in (\S+)$`, eachNode)
	sc.Step(`^every node is in (\S+)$`, func(ctx context.Context, az string) error {
		return in(ctx).Each(ctx, func(i site.Instance) error {
			if i.AZ != az {
				return fmt.Errorf("%s is in %s", i.ID, i.AZ)
			}
			return nil
		})
	})
	sc.Step(`^every node carries the tags:$`, carriesTags)
	sc.Step(`^every node expires (\d+) minutes after its launch$`, expires)
	sc.Step(`^every node is tagged with its name$`, func(ctx context.Context) error {
		return in(ctx).Each(ctx, func(i site.Instance) error {
			if n, err := i.Node(); err != nil || i.Tag("Name") != n {
				return fmt.Errorf("%s of %s is named %q", i.ID, n, i.Tag("Name"))
			}
			return nil
		})
	})
	sc.Step(`^"([^"]+)" (?:has|have) the same instances? as before$`, func(ctx context.Context, list string) error {
		return compareBefore(in(ctx), list, true)
	})
	sc.Step(`^"([^"]+)" (?:has|have) (?:another instance|other instances) than before$`, func(ctx context.Context, list string) error {
		return compareBefore(in(ctx), list, false)
	})
	sc.Step(`^what runs costs at most ([\d.]+) USD/h$`, func(ctx context.Context, most float64) error {
		cost, err := in(ctx).Cost(ctx)
		if err == nil && cost > most+1e-9 {
			err = fmt.Errorf("what runs costs %.4f USD/h", cost)
		}
		return err
	})
	sc.Step(`^the nodes share a placement group of their own$`, shareGroup)
	sc.Step(`^no placement group is left$`, func(ctx context.Context) error {
		w := in(ctx)
		names, err := w.EC2.GroupsOf(ctx, w.Cluster)
		if err == nil && len(names) > 0 {
			err = fmt.Errorf("there are %s", strings.Join(names, ", "))
		}
		return err
	})
}

// thenCalled: what EC2 was asked.
func thenCalled(sc registrar) {
	sc.Step(`^EC2 is not called$`, func(ctx context.Context) error {
		r, err := in(ctx).LastRun()
		if err == nil && len(r.Calls) > 0 {
			err = fmt.Errorf("there were %d calls, the first is %s", len(r.Calls), r.Calls[0].Action)
		}
		return err
	})
	sc.Step(`^there is no launch$`, func(ctx context.Context) error { return countCalls(ctx, 0, "RunInstances") })
	sc.Step(`^there (?:is|are) (\d+) launch(?:es)?$`, func(ctx context.Context, n int) error { return countCalls(ctx, n, "RunInstances") })
	sc.Step(`^there (?:is|are) (\d+) (\w+) calls?$`, countCalls)
	sc.Step(`^the launch asks for:$`, func(ctx context.Context, table *godog.Table) error { return asks(ctx, "RunInstances", table) })
	sc.Step(`^the last (\w+) asks for:$`, asks)
	sc.Step(`^the launch asks for (\d+) EFA interfaces?, the first of them the instance's own$`, asksForEFA)
	sc.Step(`^no launch asks for more than (\S+) USD an instance-hour on the spot market$`, spotCaps)
	sc.Step(`^the launch is the one that the dead program asked for$`, sameAsBefore)
	sc.Step(`^each of them is the same request$`, func(ctx context.Context) error { return compareLaunches(ctx, true) })
	sc.Step(`^each of them is a request of its own$`, func(ctx context.Context) error { return compareLaunches(ctx, false) })
	sc.Step(`^each of them names a placement group of its own$`, groupEach)
}

// saysLate expects a line about each node, with the id of its instance.
func saysLate(ctx context.Context, list string) error {
	names, err := site.Expand(list)
	if err != nil {
		return err
	}
	r, err := in(ctx).LastRun()
	if err != nil {
		return err
	}
	for _, n := range names {
		begin := "WARN: " + n + " did not register in time: i-"
		i := slices.IndexFunc(r.Stderr, func(l *site.Line) bool { return strings.HasPrefix(l.Text, begin) })
		if i < 0 {
			return fmt.Errorf("it did not say\n%s...\nbut:\n%s", begin, r.Text())
		}
		r.Stderr[i].Heard = true
	}
	return nil
}

// leftRungs expects a line for each rung that was left for another, in the
// order of the launches EC2 was asked for.
func leftRungs(ctx context.Context, code string) error {
	w := in(ctx)
	r, err := w.LastRun()
	if err != nil {
		return err
	}
	zones, err := w.EC2.Zones(ctx)
	if err != nil {
		return err
	}
	var rungs []string
	for _, c := range site.Launches(r.Calls) {
		rung := strings.Join([]string{c.Params.Get("InstanceType"), site.LaunchMarket(c), zones[site.LaunchSubnet(c)]}, " ")
		if len(rungs) == 0 || rungs[len(rungs)-1] != rung {
			rungs = append(rungs, rung)
		}
	}
	if len(rungs) < 2 {
		return fmt.Errorf("no rung was left for another: the launches were for %q", rungs)
	}
	var want []string
	for n, rung := range rungs[1:] {
		want = append(want, fmt.Sprintf("WARN: %s: %s, trying %s", rungs[n], code, rung))
	}
	return w.Says(want)
}

var leftRung = regexp.MustCompile(`^WARN: (\S+ (?:spot|on-demand) \S+): (\S+), trying \S+ (?:spot|on-demand) \S+$`)

// leftSome expects a line for each launch that was refused but the last of each
// group, whichever groups were launched side by side.
func leftSome(ctx context.Context) error {
	w := in(ctx)
	r, err := w.LastRun()
	if err != nil {
		return err
	}
	zones, err := w.EC2.Zones(ctx)
	if err != nil {
		return err
	}
	refused := map[string]string{}
	for _, c := range site.Launches(r.Calls) {
		if c.Code != "" || c.Grant > 0 {
			refused[strings.Join([]string{c.Params.Get("InstanceType"), site.LaunchMarket(c), zones[site.LaunchSubnet(c)]}, " ")] = cmp.Or(c.Code, "InsufficientInstanceCapacity")
		}
	}
	told := 0
	for _, l := range r.Stderr {
		m := leftRung.FindStringSubmatch(l.Text)
		if m == nil {
			continue
		}
		if refused[m[1]] != m[2] {
			return fmt.Errorf("EC2 did not refuse it so: %s", l.Text)
		}
		l.Heard = true
		told++
	}
	if told == 0 {
		return fmt.Errorf("it told of none; it said:\n%s", r.Text())
	}
	return nil
}

func reported(ctx context.Context, list, state string) error {
	r, err := in(ctx).LastRun()
	if err != nil {
		return err
	}
	want, err := site.Expand(list)
	if err != nil {
		return err
	}
	var got []string
	for _, n := range r.Report.Nodes {
		if n.State == state {
			got = append(got, n.Name)
		}
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("%s are: %s", state, strings.Join(got, ", "))
	}
	return nil
}

// oneAdopted looks at two runs that ran side by side.
func oneAdopted(ctx context.Context, list string) error {
	w := in(ctx)
	if len(w.Runs) < 2 {
		return errors.New("there were no two runs")
	}
	var states []string
	for _, r := range w.Runs[len(w.Runs)-2:] {
		var of []string
		for _, n := range r.Report.Nodes {
			of = append(of, n.State)
		}
		slices.Sort(of)
		states = append(states, fmt.Sprint(r.Exit, slices.Compact(of)))
	}
	slices.Sort(states)
	if want := []string{"0 [adopted]", "0 [launched]"}; !slices.Equal(states, want) {
		return fmt.Errorf("the two calls ended as %q", states)
	}
	names, err := site.Expand(list)
	if err != nil {
		return err
	}
	return w.Running(ctx, names)
}

// launchedOnce looks at two runs that ran side by side: each node was launched
// by one of them, and adopted by the other where that wanted it too.
func launchedOnce(ctx context.Context, list string) error {
	w := in(ctx)
	names, err := site.Expand(list)
	if err != nil {
		return err
	}
	if len(w.Runs) < 2 {
		return errors.New("there were no two runs")
	}
	launched := map[string]int{}
	for _, r := range w.Runs[len(w.Runs)-2:] {
		if r.Exit != 0 {
			return fmt.Errorf("an exit code is %d; it said:\n%s", r.Exit, r.Text())
		}
		for _, n := range r.Report.Nodes {
			switch n.State {
			case "launched":
				launched[n.Name]++
			case "adopted":
			default:
				return fmt.Errorf("%s is %s", n.Name, n.State)
			}
		}
	}
	for _, n := range names {
		if launched[n] != 1 {
			return fmt.Errorf("%s was launched by %d calls", n, launched[n])
		}
	}
	return w.Running(ctx, names)
}

func exitCodes(ctx context.Context, a, b int) error {
	w := in(ctx)
	if len(w.Runs) < 2 {
		return errors.New("there were no two runs")
	}
	last := w.Runs[len(w.Runs)-2:]
	if last[0].Exit != a { // which of them came first is chance
		slices.Reverse(last)
	}
	if last[0].Exit != a || last[1].Exit != b {
		return fmt.Errorf("the exit codes are %d and %d; they said:\n%s%s", last[0].Exit, last[1].Exit, last[0].Text(), last[1].Text())
	}
	return nil
}

// oneSays looks for lines in either of two runs that ran side by side.
func oneSays(ctx context.Context, text *godog.DocString) error {
	w := in(ctx)
	lines := strings.Split(text.Content, "\n")
	err := w.Says(lines)
	if err != nil && len(w.Runs) > 1 {
		last := len(w.Runs) - 1
		w.Runs[last-1], w.Runs[last] = w.Runs[last], w.Runs[last-1]
		err = w.Says(lines)
	}
	return err
}

// sameAsBefore compares the last launch with the last one of the run before.
func sameAsBefore(ctx context.Context) error {
	w := in(ctx)
	if len(w.Runs) < 2 {
		return errors.New("nothing ran before the last run")
	}
	before, now := site.Launches(w.Runs[len(w.Runs)-2].Calls), site.Launches(w.Runs[len(w.Runs)-1].Calls)
	if len(before) == 0 || len(now) == 0 {
		return fmt.Errorf("EC2 was asked for %d launches, and for %d before", len(now), len(before))
	}
	if before[len(before)-1].Params.Encode() != now[len(now)-1].Params.Encode() {
		return errors.New("it is another request")
	}
	return nil
}

// actions compares what a reconcile did, kind by kind.
func actions(ctx context.Context, how string, table *godog.Table) error {
	r, err := in(ctx).LastRun()
	if err != nil {
		return err
	}
	got, want := map[string]int{}, map[string]int{}
	var texts []string
	for _, a := range r.Report.Actions {
		if a.Done != (how == "did") {
			return fmt.Errorf("done is %t: %s", a.Done, a.Text)
		}
		got[a.Kind]++
		texts = append(texts, a.Text)
	}
	for _, row := range table.Rows {
		if want[row.Cells[0].Value], err = strconv.Atoi(row.Cells[1].Value); err != nil {
			return err
		}
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("its actions are: %s", strings.Join(texts, "; "))
	}
	return nil
}

func expires(ctx context.Context, minutes int) error {
	return in(ctx).Each(ctx, func(i site.Instance) error {
		born, at, err := i.Life()
		if err == nil && at.Sub(born).Round(time.Minute) != time.Duration(minutes)*time.Minute {
			err = fmt.Errorf("%s expires %s after its launch", i.ID, at.Sub(born))
		}
		return err
	})
}

func someRunning(ctx context.Context, want int, list string) error {
	live, err := in(ctx).Live(ctx)
	if err != nil {
		return err
	}
	names, err := site.Expand(list)
	if err != nil {
		return err
	}
	got := slices.Sorted(maps.Keys(live))
	for _, n := range got {
		if !slices.Contains(names, n) {
			return fmt.Errorf("%s is running too", n)
		}
	}
	if len(got) != want {
		return fmt.Errorf("%d are running: %s", len(got), cmp.Or(strings.Join(got, ", "), "no node"))
	}
	return nil
}

func everyNode(ctx context.Context, typ, market, az string) error {
	return in(ctx).Each(ctx, isA(typ, market, az))
}

// eachNode looks at the instances that served some nodes after the last run.
func eachNode(ctx context.Context, list, typ, market, az string) error {
	r, err := in(ctx).LastRun()
	if err != nil {
		return err
	}
	nodes, err := site.Expand(list)
	if err != nil {
		return err
	}
	want := map[string]bool{}
	for _, n := range nodes {
		if r.After[n] == "" {
			return fmt.Errorf("%s has no instance", n)
		}
		want[r.After[n]] = true
	}
	return in(ctx).Each(ctx, func(i site.Instance) error {
		if !want[i.ID] {
			return nil
		}
		return isA(typ, market, az)(i)
	})
}

func isA(typ, market, az string) func(site.Instance) error {
	return func(i site.Instance) error {
		if i.Type != typ || i.Market() != market || i.AZ != az {
			return fmt.Errorf("%s is a %s, %s, in %s", i.ID, i.Type, i.Market(), i.AZ)
		}
		return nil
	}
}

func carriesTags(ctx context.Context, table *godog.Table) error {
	return in(ctx).Each(ctx, func(i site.Instance) error {
		for _, row := range table.Rows {
			if got := i.Tag(row.Cells[0].Value); got != row.Cells[1].Value {
				return fmt.Errorf("%s has tag %s %q", i.ID, row.Cells[0].Value, got)
			}
		}
		return nil
	})
}

// compareBefore compares the instances of nodes after the last run with those
// before it.
func compareBefore(w *site.Site, list string, same bool) error {
	if len(w.Runs) < 2 {
		return errors.New("nothing ran before the last run")
	}
	names, err := site.Expand(list)
	if err != nil {
		return err
	}
	before, after := w.Runs[len(w.Runs)-2].After, w.Runs[len(w.Runs)-1].After
	for _, n := range names {
		if before[n] == "" || after[n] == "" || (before[n] == after[n]) != same {
			return fmt.Errorf("%s had instance %q, and has %q", n, before[n], after[n])
		}
	}
	return nil
}

// shareGroup expects the cluster to have one placement group, and all nodes in
// it.
func shareGroup(ctx context.Context) error {
	w := in(ctx)
	names, err := w.EC2.GroupsOf(ctx, w.Cluster)
	if err != nil {
		return err
	}
	if len(names) != 1 {
		return fmt.Errorf("the cluster has %d placement groups %s", len(names), strings.Join(names, ", "))
	}
	return w.Each(ctx, func(i site.Instance) error {
		if i.Group != names[0] {
			return fmt.Errorf("%s is in placement group %q, not in %s", i.ID, i.Group, names[0])
		}
		return nil
	})
}

func countCalls(ctx context.Context, want int, action string) error {
	r, err := in(ctx).LastRun()
	if err != nil {
		return err
	}
	got := 0
	for _, c := range r.Calls {
		if c.Action == action {
			got++
		}
	}
	if got != want {
		return fmt.Errorf("there were %d calls of %s", got, action)
	}
	return nil
}

// asksForEFA looks at the interfaces of the last launch: EC2 wants the first on
// device 0 of network card 0, each other on device 1 of a card of its own.
func asksForEFA(ctx context.Context, want int) error {
	r, err := in(ctx).LastRun()
	if err != nil {
		return err
	}
	all := site.Launches(r.Calls)
	if len(all) == 0 {
		return errors.New("EC2 was asked for no launch")
	}
	params := all[len(all)-1].Params
	for n := range want + 1 {
		at := fmt.Sprintf("NetworkInterface.%d.", n+1)
		kind, device, card := params.Get(at+"InterfaceType"), params.Get(at+"DeviceIndex"), cmp.Or(params.Get(at+"NetworkCardIndex"), "0")
		switch {
		case n == want && params.Has(at+"DeviceIndex"):
			return fmt.Errorf("there is an interface %d", n+1)
		case n == want:
		case kind != "efa" && (n == 0 || kind != "efa-only"):
			return fmt.Errorf("interface %d is of type %q", n+1, kind)
		case device != strconv.Itoa(min(n, 1)) || card != strconv.Itoa(n):
			return fmt.Errorf("interface %d is device %s of network card %s", n+1, device, card)
		}
	}
	return nil
}

func spotCaps(ctx context.Context, most float64) error {
	spot := 0
	for _, c := range site.Launches(in(ctx).AllCalls()) {
		if site.LaunchMarket(c) != "spot" {
			continue
		}
		spot++
		if got, err := strconv.ParseFloat(c.Params.Get(site.SpotPrice), 64); err != nil || got > most {
			return fmt.Errorf("a launch has the price %q", c.Params.Get(site.SpotPrice))
		}
	}
	if spot == 0 {
		return errors.New("EC2 was asked for nothing on the spot market")
	}
	return nil
}

func groupEach(ctx context.Context) error {
	r, err := in(ctx).LastRun()
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, c := range site.Launches(r.Calls) {
		name := c.Params.Get("Placement.GroupName")
		if name == "" || seen[name] {
			return fmt.Errorf("a launch names placement group %q", name)
		}
		seen[name] = true
	}
	return nil
}

// asks compares parameters of the last call of an action; an empty value is one
// that must not be there.
func asks(ctx context.Context, action string, table *godog.Table) error {
	r, err := in(ctx).LastRun()
	if err != nil {
		return err
	}
	for _, c := range slices.Backward(r.Calls) {
		if c.Action != action {
			continue
		}
		for _, row := range table.Rows {
			if got := c.Params.Get(row.Cells[0].Value); got != row.Cells[1].Value {
				return fmt.Errorf("its %s is %q", row.Cells[0].Value, got)
			}
		}
		return nil
	}
	return fmt.Errorf("there was no %s", action)
}

func compareLaunches(ctx context.Context, same bool) error {
	r, err := in(ctx).LastRun()
	if err != nil {
		return err
	}
	all := site.Launches(r.Calls)
	if len(all) < 2 {
		return fmt.Errorf("there were %d launches, too few to compare", len(all))
	}
	seen := map[string]bool{}
	for _, c := range all {
		if same {
			seen[c.Params.Encode()] = true
		} else {
			seen[c.Params.Get("ClientToken")] = true
		}
	}
	if same && len(seen) != 1 {
		return fmt.Errorf("the %d launches are %d different requests", len(all), len(seen))
	}
	if !same && len(seen) != len(all) {
		return fmt.Errorf("the %d launches have %d client tokens", len(all), len(seen))
	}
	return nil
}
