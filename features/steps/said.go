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

	"github.com/cucumber/godog"

	"aws-slurm-burst/features/site"
)

func registerThen(sc registrar) {
	thenSaid(sc)
	thenRuns(sc)
	thenCalled(sc)
	thenASBA(sc)
	thenShipped(sc)
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
	sc.Step(`^it suggests to wait longer for machines of node group "([^"]+)"$`, suggestsPatience)
	sc.Step(`^it says nothing$`, func(ctx context.Context) error {
		r, err := in(ctx).LastRun()
		if err == nil && len(r.Stderr) > 0 {
			err = fmt.Errorf("it said:\n%s", r.Text())
		}
		return err
	})
	sc.Step(`^it prints:$`, func(ctx context.Context, text *godog.DocString) error {
		return printed(ctx, text.Content+"\n")
	})
	sc.Step(`^it prints nothing$`, func(ctx context.Context) error { return printed(ctx, "") })
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

// printed expects all of stdout to be a text.
func printed(ctx context.Context, want string) error {
	r, err := in(ctx).LastRun()
	if err == nil && r.Stdout != want {
		err = fmt.Errorf("it printed\n%sand not\n%s; it said:\n%s", r.Stdout, want, r.Text())
	}
	return err
}

// saysLate expects a line about each node, with the id of its instance.
func saysLate(ctx context.Context, list string) error {
	names, err := site.Expand(list)
	for _, n := range names {
		if err == nil {
			err = begins(ctx, "WARN: "+n+" did not register in time: i-")
		}
	}
	return err
}

// suggestsPatience expects what is said of machines that had less time than most
// machines need.
func suggestsPatience(ctx context.Context, group string) error {
	return begins(ctx, "SUGGESTION: Raise ResumeTimeout in slurm.conf: machines of node group "+group+" had ")
}

// begins expects a line that begins like this.
func begins(ctx context.Context, with string) error {
	r, err := in(ctx).LastRun()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(r.Stderr, func(l *site.Line) bool { return strings.HasPrefix(l.Text, with) })
	if i < 0 {
		return fmt.Errorf("it did not say\n%s...\nbut:\n%s", with, r.Text())
	}
	r.Stderr[i].Heard = true
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
