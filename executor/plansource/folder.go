package plansource

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"aws-slurm-burst/asba/plan"
)

// Job is what the file of a job's plan can be named after.
type Job struct {
	// ID is the job's own id.
	ID string
	// ArrayID and Task are those of a task of an array, HetID is the id of a
	// heterogeneous job's first component; empty elsewhere.
	ArrayID, Task, HetID string
	// UID is the job's user, whose plans are trusted for it; -1 where it is
	// not known for certain.
	UID int
	// Comment is the job's AdminComment. Known says that it is certainly the
	// job's; else it is empty.
	Comment string
	Known   bool
}

// FromFolder reads the plan of a job: the first that there is of
// ARRAY_TASK.json, JOB.json, ARRAY.json and HET.json. A file that is there and
// cannot be used is never passed over for a less specific one.
func FromFolder(ctx context.Context, files Files, dir string, j Job) Answer {
	for _, name := range j.names() {
		if a, ok := read(ctx, files, filepath.Join(dir, name), j.UID); ok {
			return a
		}
	}
	return Answer{Outcome: Missing, Source: dir}
}

// NoFolder reports whether there is nothing where a folder of plans should be, in
// which no job has a plan either.
func NoFolder(ctx context.Context, files Files, dir string) bool {
	_, _, err := files.ReadPlan(ctx, dir, plan.MaxSize) // a folder is not a regular file
	return errors.Is(err, ErrNotFound)
}

// names returns the names that the file of the plan may have, the most specific
// first. Only numbers become names, so that no record leads out of the folder.
func (j Job) names() []string {
	var names []string
	add := func(parts ...string) {
		if slices.ContainsFunc(parts, func(p string) bool { return p == "" || strings.Trim(p, "0123456789") != "" }) {
			return
		}
		if name := strings.Join(parts, "_") + ".json"; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	add(j.ArrayID, j.Task)
	add(j.ID)
	add(j.ArrayID)
	add(j.HetID)
	return names
}
