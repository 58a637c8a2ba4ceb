package runner

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/cucumber/godog"

	"aws-slurm-burst/features/report"
)

type notesKey struct{}

// notes are what the steps of a scenario leave for the reports. Goroutines that
// a step started may write them.
type notes struct {
	began time.Time
	mu    sync.Mutex
	lines []string
	runs  []report.Run
}

func (n *notes) into(s *report.Scenario) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s.Log, s.Runs = n.lines, n.runs
}

// Logf notes a line for the reports: a failed scenario's are shown on the
// terminal, and all of them are the JUnit file's system-out. Use it instead of
// godog.Log, which prints to stdout. Outside a scenario it does nothing.
func Logf(ctx context.Context, format string, args ...any) {
	if n, ok := ctx.Value(notesKey{}).(*notes); ok {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.lines = append(n.lines, fmt.Sprintf(format, args...))
	}
}

// Note hands the reports a program that the scenario ran. Outside a scenario it
// does nothing.
func Note(ctx context.Context, run report.Run) {
	if n, ok := ctx.Value(notesKey{}).(*notes); ok {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.runs = append(n.runs, run)
	}
}

// Began is when the scenario began, from which the times of a report.Run count;
// outside a scenario it is the zero time.
func Began(ctx context.Context) time.Time {
	if n, ok := ctx.Value(notesKey{}).(*notes); ok {
		return n.began
	}
	return time.Time{}
}

// File is the feature file of a scenario that godog runs.
func File(s *godog.Scenario) string {
	file, _ := splitLine(s.Uri) // godog appends the line of FILE:LINE
	return file
}
