package steps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/cucumber/godog"

	"aws-slurm-burst/features/site"
)

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
