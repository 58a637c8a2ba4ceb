package blackbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/localstack/localstacktest"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/api"
	"aws-slurm-burst/simulator/ec2/wire"
)

var (
	bin  string // where the programs are
	repo string // the repository's root
)

// TestMain uses the programs in bin/ or in $ASBA_BIN, and builds them where
// there are none.
func TestMain(m *testing.M) {
	var err error
	if repo, err = filepath.Abs("../../.."); err != nil {
		panic(err)
	}
	bin = os.Getenv("ASBA_BIN")
	if bin == "" {
		bin = filepath.Join(repo, "bin")
	}
	if _, err := os.Stat(filepath.Join(bin, "aws-slurm-burst-resume")); err != nil {
		tmp, err := os.MkdirTemp("", "blackbox-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(tmp)
		bin = tmp
		build := exec.Command("go", "build", "-trimpath", "-o", bin+"/", "./cmd/...")
		build.Dir, build.Env = repo, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "the programs do not build: %v\n%s", err, out)
			os.Exit(1)
		}
	}
	localstacktest.Main(m)
}

type wallClock struct{}

func (wallClock) Now() env.Time { return env.At(time.Now()) }

// endpoint is an EC2 of a test's own, with what stands before it.
type endpoint struct {
	t     testing.TB
	model *ec2.Model
	url   string
	state string // XDG_STATE_HOME of the programs
}

// newEndpoint serves a model; before may wrap its handler.
func newEndpoint(t testing.TB, before func(http.Handler) http.Handler) *endpoint {
	t.Helper()
	model, err := ec2.New(ec2.Options{Clock: wallClock{}, Types: ec2.Catalog(catalog.Default()), Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	var h http.Handler = wire.New(model)
	if before != nil {
		h = before(h)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return &endpoint{t: t, model: model, url: s.URL, state: t.TempDir()}
}

// live counts the live instances of a node, and all of them, by their tags.
func (e *endpoint) live() []ec2.Instance {
	e.t.Helper()
	page, err := e.model.DescribeInstances(api.Query{})
	if err != nil {
		e.t.Fatal(err)
	}
	var out []ec2.Instance
	for _, i := range page.Items {
		if i.State == cloud.Pending || i.State == cloud.Running {
			out = append(out, i)
		}
	}
	return out
}

// result is what a program did.
type result struct {
	code   int
	stdout string
	stderr string
	report report.Report // where stdout holds one
	took   time.Duration
}

// lines are the lines on stderr.
func (r result) lines() []string {
	text := strings.TrimRight(r.stderr, "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// run runs a program with nothing in its environment but the endpoint and a
// state folder, and env.
func (e *endpoint) run(program string, args []string, environment ...string) result {
	e.t.Helper()
	return e.command(exec.Command(filepath.Join(bin, program), args...), environment...)
}

// sh runs a shell script in the same surroundings.
func (e *endpoint) sh(script string) result {
	e.t.Helper()
	return e.command(exec.Command("/bin/sh", "-c", script))
}

func (e *endpoint) command(c *exec.Cmd, environment ...string) result {
	e.t.Helper()
	c.Dir = repo
	c.Env = append([]string{"AWS_ENDPOINT_URL_EC2=" + e.url, "XDG_STATE_HOME=" + e.state}, environment...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	begin := time.Now()
	err := c.Run()
	r := result{stdout: out.String(), stderr: errs.String(), took: time.Since(begin)}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		r.code = exit.ExitCode()
	} else if err != nil {
		e.t.Fatal(err)
	}
	_ = json.Unmarshal(out.Bytes(), &r.report) // not every call prints one
	return r
}

const exampleConfig = "examples/config.yaml"

func (e *endpoint) resume(nodes string, more ...string) result {
	e.t.Helper()
	return e.run("aws-slurm-burst-resume", append([]string{nodes, "--config=" + exampleConfig, "-o", "json"}, more...))
}

func (e *endpoint) suspend(nodes string) result {
	e.t.Helper()
	return e.run("aws-slurm-burst-suspend", []string{nodes, "--config=" + exampleConfig, "-o", "json"})
}
