// Package plans finds the plans that people name on a command line, and reads
// each without trusting it: never more than a plan may have, and nothing that
// would make a program wait. What stands in them is not its concern.
package plans

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/executor/host"
	"aws-slurm-burst/executor/plansource"
)

// Stdin is the argument that stands for stdin, StdinName what it is called.
const (
	Stdin     = "-"
	StdinName = "stdin"
)

// NotFound is an argument that names nothing that can be read.
type NotFound struct{ Arg, Why string }

// Error names the argument first.
func (e *NotFound) Error() string { return e.Arg + ": " + e.Why }

// Find returns the files that arguments name, each once, in the order of the
// arguments: a folder stands for its *.json, a pattern (*, **, ?, [a-z], {a,b})
// for the files that match where no file has that very name. The others count
// all the same where an argument names nothing.
func Find(args []string) (names []string, lost []*NotFound) {
	seen := map[string]bool{}
	for _, arg := range args {
		found, why := find(arg)
		if why != "" {
			lost = append(lost, &NotFound{arg, why})
		}
		for _, name := range found {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names, lost
}

// find returns what an argument names, or why that is nothing.
func find(arg string) (found []string, why string) {
	if arg == Stdin {
		return []string{arg}, ""
	}
	st, err := os.Stat(arg)
	switch {
	case err == nil && st.IsDir():
		found, err = filesIn(arg)
		if err == nil && len(found) == 0 {
			return nil, fmt.Sprintf("there is no *.json in it: name its files, or a pattern such as '%s'", filepath.Join(arg, "**", "*.json"))
		}
	case err == nil || !errors.Is(err, fs.ErrNotExist):
		return []string{arg}, "" // reading it says what is wrong
	case !strings.ContainsAny(arg, "*?[{"):
		return nil, plansource.ErrNotFound.Error()
	default:
		found, err = doublestar.FilepathGlob(arg, doublestar.WithFilesOnly())
		if err == nil && len(found) == 0 {
			return nil, "no file matches"
		}
		slices.Sort(found)
	}
	if err != nil {
		return nil, plain(err).Error()
	}
	return found, ""
}

// plain leaves out the system call that an error came from.
func plain(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// filesIn lists the *.json of a folder, sorted.
func filesIn(dir string) (found []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !e.IsDir() && filepath.Ext(e.Name()) == ".json" && !strings.HasPrefix(e.Name(), ".") {
			found = append(found, filepath.Join(dir, e.Name()))
		}
	}
	return found, nil
}

// Text is a plan's text, and what is to be said of its file.
type Text struct {
	Data []byte
	// WorldWritable: anyone may write the file.
	WorldWritable bool
}

// IsStream reports whether a name is that of stdin, or of what a shell hands over:
// it can be read once, and not be written.
func IsStream(name string) bool {
	return name == Stdin || name == "/dev/stdin" || strings.HasPrefix(name, "/dev/fd/")
}

// Read reads a plan as the executor does; plansource.ErrTooLarge is the error of
// a file of more than plan.MaxSize bytes. Of stdin, and of what a shell hands
// over as /dev/fd/N or /dev/stdin, it returns at most a byte more than that. It
// ends with ctx, even where nothing comes.
func Read(ctx context.Context, name string, stdin io.Reader) (Text, error) {
	switch {
	case name == Stdin:
		return readStream(ctx, stdin)
	case IsStream(name):
		f, err := os.Open(name)
		if err != nil {
			return Text{}, err
		}
		defer func() { _ = f.Close() }()
		return readStream(ctx, f)
	}
	data, info, err := host.PlanFiles{SlurmUser: -1}.ReadPlan(ctx, name, plan.MaxSize)
	switch {
	case errors.Is(err, plansource.ErrTooLarge):
		return Text{}, err
	case errors.Is(err, plansource.ErrNotFound):
		return Text{}, &NotFound{name, plansource.ErrNotFound.Error()}
	case errors.Is(err, plansource.ErrNotRegular):
		return Text{}, &NotFound{name, plansource.ErrNotRegular.Error() + " (pipe it in, as stdin)"}
	case err != nil:
		return Text{}, &NotFound{name, plain(err).Error()}
	}
	return Text{data, info.WorldWritable}, nil
}

func readStream(ctx context.Context, r io.Reader) (Text, error) {
	type answer struct {
		text Text
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		data, err := io.ReadAll(io.LimitReader(r, plan.MaxSize+1))
		done <- answer{Text{Data: data}, err}
	}()
	select {
	case a := <-done:
		return a.text, a.err
	case <-ctx.Done():
		return Text{}, context.Cause(ctx)
	}
}
