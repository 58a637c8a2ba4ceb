package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/report"
	reports "aws-slurm-burst/features/report"
	"aws-slurm-burst/features/site"
)

// programs is the folder of the programs to try: those beside this one.
func programs() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", app.Exitf(report.ExitFailed, "%v", err)
	}
	bin := filepath.Dir(self)
	if err := site.CheckPrograms(bin); err != nil {
		return "", app.Exitf(report.ExitFailed, "%v", err)
	}
	return bin, nil
}

// bench is what things are tried on: the programs of a folder, on the backend of
// a word. An EC2 of our own is of the region; "" is us-east-1.
type bench struct{ bin, word, region string }

// try has use try things until ctx ends or the backend dies, and leaves nothing
// behind. Where it could not begin, backend.Missing says why. A backend that died
// is the error in place of whatever else went wrong: it is why.
func (l *lab) try(ctx context.Context, on bench, use func(context.Context, reports.Backend, *site.Suite) error) (backend reports.Backend, err error) {
	found, err := find(ctx, on.word, on.region, l.Getenv)
	if err != nil {
		err = oneLine(err)
		return reports.Backend{Name: on.word, Missing: err.Error()}, app.Exitf(report.ExitFailed, "--backend %s: %w", on.word, err)
	}
	defer func() {
		if late := found.Stop(); late != nil {
			err = errors.Join(err, app.Exitf(report.ExitFailed, "%w", late))
		}
	}()
	backend = told(found)
	watched, cancel := found.Watch(ctx)
	defer cancel()
	suite, err := site.Open(watched, site.Options{Bin: on.bin, Endpoint: backend.URL, Price: pricesOf(on.region)})
	if err != nil {
		err = oneLine(app.Exitf(report.ExitFailed, "%w", err))
		backend.Missing = err.Error()
		return backend, err
	}
	err = use(watched, backend, suite)
	// The bystanders go even when the run was interrupted.
	late := suite.Close(context.WithoutCancel(ctx))
	switch died := found.Err(); {
	case died != nil:
		err = app.Exitf(report.ExitFailed, "%w", died)
	case late != nil:
		err = errors.Join(err, app.Exitf(report.ExitFailed, "%w", late))
	}
	return backend, err
}

// reportFlags adds the flags that name reports.
func reportFlags(c *cobra.Command, files *reports.Files) {
	c.Flags().StringVar(&files.JUnit, "junit", "", "write JUnit XML to `FILE`")
	c.Flags().StringVar(&files.Cucumber, "cucumber", "", "write Cucumber JSON to `FILE`")
	c.Flags().StringVar(&files.HTML, "html", "", "write one page for people to `FILE`")
}

// oneLine keeps an error's exit code and puts it on one line.
func oneLine(err error) error {
	code := report.ExitUsage
	if e := new(app.ExitError); errors.As(err, &e) {
		code = e.Code
	}
	return app.Exitf(code, "%s", strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "\n", "; ")), " "))
}
