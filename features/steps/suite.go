// Package steps says in Go what the sentences of the features mean, on a site
// for each scenario. It judges nothing itself that features/site can tell.
package steps

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/cucumber/godog"

	"aws-slurm-burst/features/runner"
	"aws-slurm-burst/features/site"
)

type siteKey struct{}

// On returns what registers sentences and hooks for one scenario, each on a
// site of its own of the suite. What a scenario brings along lies beside its
// file in files; nil means the operating system's files.
func On(s *site.Suite, files fs.FS) func(*godog.ScenarioContext) {
	return func(sc *godog.ScenarioContext) { register(s, files, sc) }
}

func register(s *site.Suite, files fs.FS, sc *godog.ScenarioContext) {
	sc.Before(func(ctx context.Context, p *godog.Scenario) (context.Context, error) {
		w, err := s.New(ctx)
		if err == nil {
			w.Beside = beside(files, runner.File(p))
		}
		return context.WithValue(ctx, siteKey{}, w), err
	})
	withASBA(sc)
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
		for _, run := range w.Told(runner.Began(ctx)) {
			runner.Note(ctx, run)
		}
		if failed != nil || err != nil {
			for _, line := range w.Story() {
				runner.Logf(ctx, "%s", line)
			}
		}
		return ctx, errors.Join(err, w.Close(ctx))
	})
}

// beside reads files of a feature file's own folder.
func beside(files fs.FS, feature string) func(string) ([]byte, error) {
	folder := path.Dir(feature)
	return func(name string) ([]byte, error) {
		if !filepath.IsLocal(name) {
			return nil, fmt.Errorf("%q: name a file beside the feature file, without .. and without a leading /", name)
		}
		if files == nil {
			return os.ReadFile(filepath.Join(folder, name))
		}
		return fs.ReadFile(files, path.Join(folder, name))
	}
}

// in finds the scenario's Site again.
func in(ctx context.Context) *site.Site { return ctx.Value(siteKey{}).(*site.Site) }
