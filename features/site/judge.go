package site

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Text is what it said, a line each.
func (r *Run) Text() string {
	var b strings.Builder
	for _, l := range r.Stderr {
		b.WriteString(l.Text + "\n")
	}
	return b.String()
}

var (
	anyInstance = regexp.MustCompile(`\bi-[0-9a-f]{8,}\b`)
	anySeconds  = regexp.MustCompile(`\b\d+ s\b`)
)

// blur takes out of a line what differs from run to run.
func (w *Site) blur(line string) string {
	line = anySeconds.ReplaceAllString(anyInstance.ReplaceAllString(line, "i-..."), "... s")
	if w.url != "" {
		line = strings.ReplaceAll(line, w.url, "http://...")
	}
	for _, a := range w.aliases {
		line = strings.ReplaceAll(line, a[0], a[1])
	}
	return line
}

// Says expects whole lines on the last run's stderr, in this order; other lines
// may stand between them. i-... in a line stands for the id of any instance,
// http://... for the endpoint, ... s for any number of seconds.
func (w *Site) Says(want []string) error {
	r, err := w.LastRun()
	if err != nil {
		return err
	}
	at := 0
	for _, text := range want {
		i := slices.IndexFunc(r.Stderr[at:], func(l *Line) bool {
			return l.Text == text || w.blur(l.Text) == text
		})
		if i < 0 {
			return fmt.Errorf("it did not say (or not in this place)\n%s\nbut:\n%s", text, r.Text())
		}
		r.Stderr[at+i].Heard = true
		at += i + 1
	}
	return nil
}

// Running expects exactly one live instance for each of the nodes and none
// beside them.
func (w *Site) Running(ctx context.Context, names []string) error {
	live, err := w.Live(ctx)
	if err != nil {
		return err
	}
	got := slices.Sorted(maps.Keys(live))
	if want := slices.Sorted(slices.Values(names)); !slices.Equal(got, want) {
		return fmt.Errorf("EC2 shows instances of: %s", cmp.Or(strings.Join(got, ", "), "no node"))
	}
	return nil
}

// Each calls f with every live instance; there has to be one.
func (w *Site) Each(ctx context.Context, f func(Instance) error) error {
	all, err := w.Instances(ctx)
	if err != nil {
		return err
	}
	for _, i := range all {
		if err := f(i); err != nil {
			return err
		}
	}
	if len(all) == 0 {
		return errors.New("EC2 shows no live instance")
	}
	return nil
}
