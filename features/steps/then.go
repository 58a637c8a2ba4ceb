package steps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cucumber/godog"

	"aws-slurm-burst/features/site"
)

func registerThen(sc *godog.ScenarioContext) {
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
	sc.Step(`^it says of each of "([^"]+)" that it did not register in time, and on which instance$`, saysLate)
	sc.Step(`^it says nothing$`, func(ctx context.Context) error {
		r, err := in(ctx).LastRun()
		if err == nil && len(r.Stderr) > 0 {
			err = fmt.Errorf("it said:\n%s", r.Text())
		}
		return err
	})
	sc.Step(`^it tells of each rung it left for "([^"]+)"$`, leftRungs)
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
	sc.Step(`^every node carries the tags:$`, carriesTags)
	sc.Step(`^"([^"]+)" (?:has|have) the same instances? as before$`, func(ctx context.Context, list string) error {
		return compareBefore(in(ctx), list, true)
	})
	sc.Step(`^"([^"]+)" (?:has|have) (?:another instance|other instances) than before$`, func(ctx context.Context, list string) error {
		return compareBefore(in(ctx), list, false)
	})
	sc.Step(`^the nodes share a placement group of their own, where EC2 has such groups$`, shareGroup)
	sc.Step(`^no placement group is left$`, func(ctx context.Context) error {
		w := in(ctx)
		if !w.HasGroups {
			return nil
		}
		names, err := w.EC2.GroupsOf(ctx, w.Cluster)
		if err == nil && len(names) > 0 {
			err = fmt.Errorf("there are %s", strings.Join(names, ", "))
		}
		return err
	})

	sc.Step(`^EC2 is not called$`, func(ctx context.Context) error {
		r, err := in(ctx).LastRun()
		if err == nil && len(r.Calls) > 0 {
			err = fmt.Errorf("there were %d calls, the first is %s", len(r.Calls), r.Calls[0].Action)
		}
		return err
	})
	sc.Step(`^there is no launch$`, func(ctx context.Context) error { return countLaunches(ctx, 0) })
	sc.Step(`^there (?:is|are) (\d+) launch(?:es)?$`, countLaunches)
	sc.Step(`^the launch asks for:$`, launchAsks)
	sc.Step(`^each of them is the same request$`, func(ctx context.Context) error { return compareLaunches(ctx, true) })
	sc.Step(`^each of them is a request of its own$`, func(ctx context.Context) error { return compareLaunches(ctx, false) })
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

// withoutGroup is what is said on an endpoint that has no placement groups.
const withoutGroup = "WARN: placement group not possible (InternalFailure), launching without one"

// shareGroup is one sentence for two kinds of endpoint: where there are
// placement groups the nodes are in one; where there are none the plan's wish
// is dropped, and the operator told.
func shareGroup(ctx context.Context) error {
	w := in(ctx)
	if !w.HasGroups {
		return w.Says([]string{withoutGroup})
	}
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

func countLaunches(ctx context.Context, want int) error {
	r, err := in(ctx).LastRun()
	if err != nil {
		return err
	}
	if got := len(site.Launches(r.Calls)); got != want {
		return fmt.Errorf("EC2 was asked for %d launches", got)
	}
	return nil
}

// launchAsks compares parameters of the last launch; an empty value is one that
// must not be there.
func launchAsks(ctx context.Context, table *godog.Table) error {
	r, err := in(ctx).LastRun()
	if err != nil {
		return err
	}
	all := site.Launches(r.Calls)
	if len(all) == 0 {
		return errors.New("EC2 was asked for no launch")
	}
	params := all[len(all)-1].Params
	for _, row := range table.Rows {
		if got := params.Get(row.Cells[0].Value); got != row.Cells[1].Value {
			return fmt.Errorf("its %s is %q", row.Cells[0].Value, got)
		}
	}
	return nil
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
