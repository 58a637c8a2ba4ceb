package steps

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"aws-slurm-burst/features/runner"
	"aws-slurm-burst/fixtures"
	"aws-slurm-burst/localstack/faultproxy"
	"aws-slurm-burst/simulator/faults"
)

// world is one scenario's: a folder, a cluster, and a proxy before EC2. Steps
// of a scenario run one after the other.
type world struct {
	*Suite
	dir, state, cluster string
	env                 []string // beyond the endpoint and the state folder

	server *http.Server
	url    string
	away   bool // url is not the proxy's
	front  atomic.Pointer[faultproxy.Proxy]
	// earlier are proxies with rules that were replaced; their calls count.
	earlier []*faultproxy.Proxy
	rules   []string // lines of the rule language
	fresh   bool     // front has these rules
	// Where they are set, beforeCall holds up a call before anything sees it,
	// and onAnswer an answer before its caller has it.
	beforeCall atomic.Pointer[func(action string)]
	onAnswer   atomic.Pointer[func(faultproxy.Call)]

	runs []*run
	said []*line
	// claimed says which instance serves a node, as the programs told it.
	claimed map[string]string
	gangs   []gang
}

// gang is a set of nodes that was resumed as one.
type gang struct{ nodes []string }

// line is one that a program printed on stderr.
type line struct {
	text  string
	heard bool // a step spoke of it
}

// exampleCluster is how the examples name their cluster; every scenario puts
// its own name in its place.
const exampleCluster = "cluster: examples\n"

func (s *Suite) newWorld(ctx context.Context) (*world, error) {
	dir, err := os.MkdirTemp("", "asba-features-")
	if err != nil {
		return nil, err
	}
	w := &world{Suite: s, dir: filepath.Join(dir, "site"), state: filepath.Join(dir, "state"), claimed: map[string]string{},
		cluster: fmt.Sprintf("%s-%d", s.run, s.last.Add(1))}
	if err := w.copy(s.examples, "config.yaml", "aws-credentials"); err != nil {
		return w, err
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return w, err
	}
	w.url = "http://" + l.Addr().String()
	w.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(w.serve)}
	go w.server.Serve(l) // ends with close
	return w, nil
}

// serve is the endpoint that the programs are given.
func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	if f := w.beforeCall.Load(); f != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the caller has gone
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if form, err := url.ParseQuery(string(body)); err == nil {
			(*f)(form.Get("Action"))
		}
	}
	w.front.Load().ServeHTTP(rw, r)
}

// copy brings files of a folder into the scenario's, with its own cluster.
func (w *world) copy(from string, names ...string) error {
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		if err := w.write(name, bytes.Replace(data, []byte(exampleCluster), []byte("cluster: "+w.cluster+"\n"), 1)); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) write(name string, data []byte) error {
	file := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o600)
}

// plan puts a plan of the fixtures, else of the examples, into the folder.
func (w *world) plan(name string) error {
	data, err := fixtures.Plan(name)
	if err == nil {
		return w.write(name, data)
	}
	if copyErr := w.copy(w.examples, name); copyErr != nil {
		return errors.Join(err, copyErr)
	}
	return nil
}

// fault adds a rule for what comes.
func (w *world) fault(rule string) {
	w.rules = append(w.rules, "  - "+rule+"\n")
	w.fresh = false
}

// readyProxy puts the rules of now before EC2.
func (w *world) readyProxy() error {
	if w.fresh {
		return nil
	}
	rules, err := faults.Parse([]byte("faults:\n"+strings.Join(w.rules, "")), "rules of the scenario")
	if err != nil {
		return err
	}
	if p := w.front.Load(); p != nil {
		w.earlier = append(w.earlier, p)
	}
	w.front.Store(faultproxy.New(faultproxy.Reverse(w.endpoint), faultproxy.Options{Rules: rules, Log: func(c faultproxy.Call) {
		if f := w.onAnswer.Load(); f != nil {
			(*f)(c)
		}
	}}))
	w.fresh = true
	return nil
}

// calls are all calls of the scenario, in order.
func (w *world) calls() []faultproxy.Call {
	var all []faultproxy.Call
	for _, p := range w.earlier {
		all = append(all, p.Calls()...)
	}
	if p := w.front.Load(); p != nil {
		all = append(all, p.Calls()...)
	}
	return all
}

// launches are the RunInstances calls among calls.
func launches(calls []faultproxy.Call) []faultproxy.Call {
	var out []faultproxy.Call
	for _, c := range calls {
		if c.Action == "RunInstances" {
			out = append(out, c)
		}
	}
	return out
}

// tell writes what happened into the report of a failed scenario.
func (w *world) tell(ctx context.Context) {
	for _, r := range w.runs {
		runner.Logf(ctx, "$ %s  -> exit %d", r.command, r.exit)
		for _, l := range r.stderr {
			runner.Logf(ctx, "  %s", l.text)
		}
		for _, c := range r.calls {
			answer := c.Code
			if answer == "" {
				answer = fmt.Sprint(c.Status)
			}
			runner.Logf(ctx, "  > %s %s %s %s", c.Action, c.Params.Get("InstanceType"), c.Params.Get("SubnetId"), answer)
		}
	}
}

// cleanupWithin bounds the end of a scenario, whose own time may be over.
const cleanupWithin = 30 * time.Second

// close leaves nothing behind, on the endpoint or on disk.
func (w *world) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupWithin)
	defer cancel()
	var errs []error
	if w.server != nil {
		errs = append(errs, w.server.Close())
	}
	all, err := w.ec2.ofCluster(ctx, w.cluster)
	errs = append(errs, err)
	var ids []string
	for _, i := range all {
		if i.live() {
			ids = append(ids, i.ID)
		}
	}
	errs = append(errs, w.ec2.terminate(ctx, ids))
	if w.groups {
		names, err := w.ec2.groupsOf(ctx, w.cluster)
		errs = append(errs, err)
		for _, n := range names {
			errs = append(errs, w.ec2.deleteGroup(ctx, n))
		}
	}
	return errors.Join(append(errs, os.RemoveAll(filepath.Dir(w.dir)))...)
}
