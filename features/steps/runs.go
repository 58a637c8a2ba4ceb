package steps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cucumber/godog"

	"aws-slurm-burst/features/site"
)

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
