// Package steps says in Go what the sentences of the features mean, on a site
// for each scenario. It judges nothing itself that features/site can tell.
package steps

import (
	"context"
	"errors"

	"github.com/cucumber/godog"

	"aws-slurm-burst/features/runner"
	"aws-slurm-burst/features/site"
)

type siteKey struct{}

// On returns what registers sentences and hooks for one scenario, each on a
// site of its own of the suite.
func On(s *site.Suite) func(*godog.ScenarioContext) {
	return func(sc *godog.ScenarioContext) { register(s, sc) }
}

func register(s *site.Suite, sc *godog.ScenarioContext) {
	sc.Before(func(ctx context.Context, _ *godog.Scenario) (context.Context, error) {
		w, err := s.New(ctx)
		return context.WithValue(ctx, siteKey{}, w), err
	})
	registerGiven(sc)
	registerWhen(sc)
	registerThen(sc)
	sc.After(func(ctx context.Context, _ *godog.Scenario, failed error) (context.Context, error) {
		w, ok := ctx.Value(siteKey{}).(*site.Site)
		if !ok || w == nil {
			return ctx, nil
		}
		var err error
		if failed == nil { // else the first failure says more than what follows from it
			err = errors.Join(w.Unheard(), w.CheckInvariants(ctx))
		}
		if failed != nil || err != nil {
			for _, line := range w.Story() {
				runner.Logf(ctx, "%s", line)
			}
		}
		return ctx, errors.Join(err, w.Close(ctx))
	})
}

// in finds the scenario's Site again.
func in(ctx context.Context) *site.Site { return ctx.Value(siteKey{}).(*site.Site) }
