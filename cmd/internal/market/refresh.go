package market

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/report"
)

// shownRefresh is the JSON form of a refresh (docs/CLI.md).
type shownRefresh struct {
	Region string `json:"region"`
	Date   string `json:"date"`
	File   string `json:"file"`
	Types  int    `json:"types"`
	Zones  int    `json:"zones"`
	Spot   int    `json:"spot_prices"`
	// New are the types that were not known, Changed those with other facts.
	New     []string `json:"new"`
	Changed []string `json:"changed"`
}

// refresh asks EC2, and says what came of it.
func (m *Market) refresh(ctx context.Context, std app.IO, o options) error {
	r, err := m.Refresh(ctx)
	if e := new(cloud.Error); errors.As(err, &e) {
		code := report.ExitOf(e.Class)
		if std.Stop.Err() != nil {
			code = report.ExitInterrupted
		}
		hint := ""
		if e.Hint != "" {
			hint = " (" + e.Hint + ")"
		}
		return app.Exitf(code, "catalogue not refreshed: %v%s", e, hint)
	}
	if err != nil {
		return app.Exitf(report.ExitFailed, "catalogue not refreshed: %v", err)
	}
	s := shownRefresh{Region: r.Region, Date: r.Date(), File: m.Path, New: []string{}, Changed: []string{}}
	s.Types, s.Zones, s.Spot = r.Counts()
	before, now := catalog.Default(), catalog.Default().With(func() *catalog.Refreshed { return r })
	for _, name := range now.Names() {
		is, _ := now.Type(name)
		switch was, ok := before.Type(name); {
		case !ok:
			s.New = append(s.New, name)
		case !reflect.DeepEqual(was, is):
			s.Changed = append(s.Changed, name)
		}
	}
	if o.format == "json" || o.format == "yaml" {
		_ = app.Print(std.Stdout, o.format, s)
		return nil
	}
	rows := [][]string{{s.Region, s.Date, strconv.Itoa(s.Types), strconv.Itoa(s.Zones), strconv.Itoa(s.Spot), strconv.Itoa(len(s.New)), strconv.Itoa(len(s.Changed))}}
	var b bytes.Buffer
	if err := app.Table(&b, o.format == "markdown", []string{"region", "of", "types", "zones", "spot prices", "types new", "types changed"}, rows); err != nil {
		return err
	}
	fmt.Fprintf(&b, "\nkept in %s\n", s.File)
	_, _ = std.Stdout.Write(b.Bytes())
	return nil
}
