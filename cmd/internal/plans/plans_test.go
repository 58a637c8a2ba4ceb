package plans

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/executor/plansource"
)

func folder(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestArgumentsNameFilesFoldersAndPatterns(t *testing.T) {
	dir := folder(t, "b.json", "a.json", "x.env", "deep/er/c.json", "deep/d.json", "[odd].json", ".hidden.json", "empty/readme")
	for name, c := range map[string]struct {
		args string
		want string
		errs string
	}{
		"a file":              {"a.json", "a.json", ""},
		"a folder":            {".", "[odd].json a.json b.json", ""},
		"a pattern":           {"*.env", "x.env", ""},
		"folders below":       {"**/*.json", ".hidden.json [odd].json a.json b.json deep/d.json deep/er/c.json", ""},
		"one of":              {"{a,b}.json", "a.json b.json", ""},
		"a file like one":     {"[odd].json", "[odd].json", ""},
		"each once":           {"a.json *.json a.json", "a.json .hidden.json [odd].json b.json", ""},
		"stdin":               {"- a.json", "- a.json", ""},
		"nothing there":       {"none.json a.json", "a.json", "none.json: no such file"},
		"nothing matches":     {"*.yaml", "", "*.yaml: no file matches"},
		"no pattern":          {"[a", "", "[a: syntax error in pattern"},
		"a folder of nothing": {"empty", "", "empty: there is no *.json in it: name its files"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(dir)
			got, lost := Find(strings.Fields(c.args))
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if (len(lost) == 0) != (c.errs == "") || len(lost) > 0 && !strings.HasPrefix(lost[0].Error(), c.errs) {
				t.Errorf("%v, want %q", lost, c.errs)
			}
		})
	}
}

func TestReadingNeverWaitsNorSwallowsAll(t *testing.T) {
	dir := folder(t, "a.json")
	fifo, large := filepath.Join(dir, "fifo"), filepath.Join(dir, "large.json")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 1<<40); err != nil { // a hole
		t.Fatal(err)
	}
	ctx := context.Background()
	if _, err := Read(ctx, fifo, nil); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a pipe: %v", err)
	}
	if _, err := Read(ctx, "/dev/zero", nil); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a device: %v", err)
	}
	if _, err := Read(ctx, large, nil); !errors.Is(err, plansource.ErrTooLarge) {
		t.Errorf("a terabyte: %v", err)
	}
	if text, err := Read(ctx, Stdin, endless{}); err != nil || len(text.Data) != plan.MaxSize+1 {
		t.Errorf("endless stdin: %d bytes, %v", len(text.Data), err)
	}
	if text, err := Read(ctx, filepath.Join(dir, "a.json"), nil); err != nil || string(text.Data) != "a.json" || text.WorldWritable {
		t.Errorf("%+v, %v", text, err)
	}
	if err := os.Chmod(filepath.Join(dir, "a.json"), 0o666); err != nil {
		t.Fatal(err)
	}
	if text, err := Read(ctx, filepath.Join(dir, "a.json"), nil); err != nil || !text.WorldWritable {
		t.Errorf("anyone's: %+v, %v", text, err)
	}
	if _, err := Read(ctx, filepath.Join(dir, "none"), nil); err == nil || err.Error() != filepath.Join(dir, "none")+": no such file" {
		t.Errorf("%v", err)
	}
	told, stop := context.WithCancel(ctx)
	stop()
	silent, w := io.Pipe()
	defer func() { _ = w.Close() }()
	if _, err := Read(told, Stdin, silent); !errors.Is(err, context.Canceled) {
		t.Errorf("silent stdin: %v", err)
	}
}

// A shell hands pipes over by name.
func TestPipesOfAShellAreRead(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteString("{}"); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	defer func() { _ = r.Close() }()
	if text, err := Read(t.Context(), fmt.Sprintf("/dev/fd/%d", r.Fd()), nil); err != nil || string(text.Data) != "{}" {
		t.Errorf("%q, %v", text.Data, err)
	}
	// This test's own may be a terminal, at which nobody types.
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := Read(ctx, "/dev/stdin", nil); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("/dev/stdin: %v", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
