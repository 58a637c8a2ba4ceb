package site

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"aws-slurm-burst/examples"
	"aws-slurm-burst/localstack/faultproxy"
	"aws-slurm-burst/simulator/faults"
)

// Site is one scenario's: a folder, a cluster, and a proxy before EC2. What is
// done on it is done one after the other.
type Site struct {
	*Suite
	// Dir is the folder that programs run in, State that of their journal,
	// Cluster the name that their instances are tagged with.
	Dir, State, Cluster string
	// Beside reads a file that lies beside the scenario's own; nil where there
	// are none.
	Beside func(name string) ([]byte, error)
	// Env are variables beyond the endpoint and the state folder.
	Env []string
	// Advice are the plans that an advisor gives for jobs, "" for all others, to
	// judge by where nothing else is a plan.
	Advice map[string]string

	bare    bool        // Env is all there is
	aliases [][2]string // texts of lines that differ from run to run, and words for them

	services []*Service

	server *http.Server
	url    string
	away   bool // url is not the proxy's
	front  atomic.Pointer[faultproxy.Proxy]
	// earlier are proxies with rules that were replaced; their calls count.
	earlier []*faultproxy.Proxy
	rules   []string // list items of the rule language
	file    ruleFile // stands before them
	fresh   bool     // front has these rules
	// Where they are set, beforeCall holds up a call before anything sees it,
	// and onAnswer an answer before its caller has it.
	beforeCall atomic.Pointer[func(action string)]
	onAnswer   atomic.Pointer[func(faultproxy.Call)]
	// editAnswer changes what a caller is answered.
	editAnswer atomic.Pointer[func(action string, body []byte) []byte]

	Runs   []*Run
	said   []*Line
	shown  []Instance      // of the cluster, live, at the last look
	looked bool            // and nothing has run since
	ours   map[string]bool // every instance that was shown
	// claimed says which instance serves a node, as the programs told it.
	claimed map[string]string
	gangs   []gang
	jobs    []job
}

// ruleFile is a whole file of rules.
type ruleFile struct{ name, text string }

// job is one that waits for nodes, as Slurm's resume file has it.
type job struct {
	id    string
	nodes []string
}

// gang is a set of nodes that was resumed as one.
type gang struct{ nodes []string }

// exampleCluster is how the examples name their cluster; every scenario puts
// its own name in its place.
const exampleCluster = "cluster: examples\n"

// New makes a site. Close leaves nothing of it behind.
func (s *Suite) New(ctx context.Context) (*Site, error) {
	dir, err := os.MkdirTemp(s.files.Path, "site-")
	if err != nil {
		return nil, err
	}
	w := &Site{Suite: s, Dir: filepath.Join(dir, "site"), State: filepath.Join(dir, "state"), claimed: map[string]string{}, ours: map[string]bool{},
		Cluster: fmt.Sprintf("%s-%d", s.run, s.last.Add(1))}
	if err := w.Copy(examples.Files, "config.yaml", "aws-credentials"); err != nil {
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
func (w *Site) serve(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller has gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body)) // what is none is the endpoint's business
	action := form.Get("Action")
	if f := w.beforeCall.Load(); f != nil {
		(*f)(action)
	}
	edit := w.editAnswer.Load()
	if edit == nil {
		w.front.Load().ServeHTTP(rw, r)
		return
	}
	a := answer{header: http.Header{}, status: http.StatusOK}
	w.front.Load().ServeHTTP(&a, r)
	out := (*edit)(action, a.body.Bytes())
	maps.Copy(rw.Header(), a.header)
	rw.Header().Del("Content-Length")
	rw.WriteHeader(a.status)
	rw.Write(out) // whoever has gone does not hear it
}

// answer is one that is held back.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// Fault adds a rule, as one item of the list in a file of rules, for what comes.
func (w *Site) Fault(rule string) { w.Rules("  - " + rule + "\n") }

// Rules adds rules as a file of them has them below "faults:".
func (w *Site) Rules(items string) {
	w.rules = append(w.rules, items)
	w.fresh = false
}

// RulesFile puts a whole file of rules before EC2, in place of all others; name
// is how mistakes in it are told.
func (w *Site) RulesFile(text []byte, name string) {
	w.rules, w.file, w.fresh = nil, ruleFile{name, string(text)}, false
}

// Heal takes all rules back.
func (w *Site) Heal() { w.rules, w.file, w.fresh = nil, ruleFile{}, false }

// Unreachable gives the programs an endpoint where nobody listens: port 1 is
// nobody's (it was tcpmux's), and the kernel refuses it.
func (w *Site) Unreachable() { w.url, w.away = "http://127.0.0.1:1", true }

// Bare gives the programs no variable but Env: what they have to know is in the
// configuration, as under slurmctld.
func (w *Site) Bare() error {
	w.bare = true
	return errors.Join(w.Set("aws.endpoint_url", w.url), w.Set("journal.dir", w.State))
}

// Alias lets a word stand in lines for a text that differs from run to run.
func (w *Site) Alias(text, word string) { w.aliases = append(w.aliases, [2]string{text, word}) }

// Job says which nodes a job wants, as Slurm's resume file tells it.
func (w *Site) Job(id string, nodes []string) { w.jobs = append(w.jobs, job{id, nodes}) }

// BeforeCalls has f called before anything sees a call, which it may hold up;
// nil ends that.
func (w *Site) BeforeCalls(f func(action string)) { store(&w.beforeCall, f) }

// BeforeAnswers has f called with each call before its caller gets the answer,
// which it may hold up; nil ends that.
func (w *Site) BeforeAnswers(f func(faultproxy.Call)) { store(&w.onAnswer, f) }

// EditAnswers has f change the answers to calls; nil ends that.
func (w *Site) EditAnswers(f func(action string, body []byte) []byte) {
	if f == nil {
		w.editAnswer.Store(nil)
		return
	}
	w.editAnswer.Store(&f)
}

func store[T any](p *atomic.Pointer[func(T)], f func(T)) {
	if f == nil {
		p.Store(nil)
		return
	}
	p.Store(&f)
}

// readyProxy puts the rules of now before EC2.
func (w *Site) readyProxy() error {
	if w.fresh {
		return nil
	}
	text, name := w.file.text, w.file.name
	if text == "" {
		text, name = "faults:\n"+strings.Join(w.rules, ""), "rules of the scenario"
	}
	rules, err := faults.Parse([]byte(text), name)
	if err != nil {
		return err
	}
	if p := w.front.Load(); p != nil {
		w.earlier = append(w.earlier, p)
	}
	w.front.Store(faultproxy.New(w.endpoint, faultproxy.Options{Rules: rules, Log: func(c faultproxy.Call) {
		if f := w.onAnswer.Load(); f != nil {
			(*f)(c)
		}
	}}))
	w.fresh = true
	return nil
}

// AllCalls are all calls of the scenario, in order.
func (w *Site) AllCalls() []faultproxy.Call {
	var all []faultproxy.Call
	for _, p := range w.earlier {
		all = append(all, p.Calls()...)
	}
	if p := w.front.Load(); p != nil {
		all = append(all, p.Calls()...)
	}
	return all
}

// Launches are the RunInstances calls among calls.
func Launches(calls []faultproxy.Call) []faultproxy.Call {
	var out []faultproxy.Call
	for _, c := range calls {
		if c.Action == "RunInstances" {
			out = append(out, c)
		}
	}
	return out
}

// Story tells what happened on the site, a line each.
func (w *Site) Story() []string {
	var lines []string
	for _, r := range w.Runs {
		lines = append(lines, fmt.Sprintf("$ %s  -> exit %d", r.Command, r.Exit))
		for _, l := range r.Stderr {
			lines = append(lines, "  "+l.Text)
		}
		for _, c := range r.Calls {
			answer := c.Code
			if answer == "" {
				answer = fmt.Sprint(c.Status)
			}
			lines = append(lines, fmt.Sprintf("  > %s %s %s %s", c.Action, c.Params.Get("InstanceType"), c.Params.Get("SubnetId"), answer))
		}
	}
	for _, s := range w.services {
		lines = append(lines, "$ "+strings.Join(s.cmd.Args, " ")+"  -> "+s.First)
		for line := range strings.Lines(s.Log()) {
			lines = append(lines, "  "+strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

// lastCallsWithin is how long EC2 may still be at a call whose caller was killed:
// LocalStack takes 90 ms for a launch of eight.
const lastCallsWithin = 500 * time.Millisecond

// cleanupWithin bounds the end of a scenario, whose own time may be over.
const cleanupWithin = 30 * time.Second

// Close leaves nothing behind, on the endpoint or on disk.
func (w *Site) Close(ctx context.Context) error {
	interrupted := ctx.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupWithin)
	defer cancel()
	errs := []error{w.closeServices()}
	if w.server != nil {
		errs = append(errs, w.server.Close())
	}
	if interrupted && len(w.AllCalls()) > 0 { // programs were killed, and EC2 may be at their last calls
		time.Sleep(lastCallsWithin)
	}
	live, err := w.Instances(ctx)
	errs = append(errs, err)
	var ids []string
	for _, i := range live {
		ids = append(ids, i.ID)
	}
	errs = append(errs, w.EC2.terminate(ctx, ids))
	names, err := w.EC2.GroupsOf(ctx, w.Cluster)
	errs = append(errs, err)
	for _, n := range names {
		errs = append(errs, w.EC2.deleteGroup(ctx, n))
	}
	return errors.Join(append(errs, os.RemoveAll(filepath.Dir(w.Dir)))...)
}
