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
)

// Stdin is the argument that stands for stdin, StdinName what it is called.
const (
	Stdin     = "-"
	StdinName = "stdin"
)

// Find returns the files that arguments name, each once, in the order of the
// arguments: a folder stands for its *.json, a pattern (*, **, ?, [a-z], {a,b})
// for the files that match where no file has that very name. An argument that
// names nothing is an error, and the others count all the same.
func Find(args []string) (names []string, errs []error) {
	seen := map[string]bool{}
	for _, arg := range args {
		found, err := find(arg)
		if err != nil {
			errs = append(errs, err)
		}
		for _, name := range found {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names, errs
}

func find(arg string) ([]string, error) {
	if arg == Stdin {
		return []string{arg}, nil
	}
	st, err := os.Stat(arg)
	switch {
	case err == nil && st.IsDir():
		found, err := filesIn(arg)
		if err == nil && len(found) == 0 {
			err = fmt.Errorf("%s has no *.json: name its files, or a pattern such as '%s'", arg, filepath.Join(arg, "**", "*.json"))
		}
		return found, err
	case err == nil || !errors.Is(err, fs.ErrNotExist):
		return []string{arg}, nil // reading it says what is wrong
	case !strings.ContainsAny(arg, "*?[{"):
		return nil, fmt.Errorf("%s: no such file", arg)
	}
	found, err := doublestar.FilepathGlob(arg, doublestar.WithFilesOnly())
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", arg, err)
	case len(found) == 0:
		return nil, fmt.Errorf("%s: no file matches", arg)
	}
	slices.Sort(found)
	return found, nil
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

// Read reads a plan; host.ErrTooLarge is the error of a file of more than
// plan.MaxSize bytes. Of stdin, and of what a shell hands over as /dev/fd/N, it
// returns at most a byte more than that. It ends with ctx, even where nothing
// comes.
func Read(ctx context.Context, name string, stdin io.Reader) ([]byte, error) {
	switch {
	case name == Stdin:
		return readStream(ctx, stdin)
	case strings.HasPrefix(name, "/dev/fd/"):
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		return readStream(ctx, f)
	}
	data, err := host.ReadFile(name, plan.MaxSize)
	var at *fs.PathError
	if errors.As(err, &at) {
		err = fmt.Errorf("%s: %w", name, at.Err) // without the system call
	}
	return data, err
}

func readStream(ctx context.Context, r io.Reader) ([]byte, error) {
	type answer struct {
		data []byte
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		data, err := io.ReadAll(io.LimitReader(r, plan.MaxSize+1))
		done <- answer{data, err}
	}()
	select {
	case a := <-done:
		return a.data, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
