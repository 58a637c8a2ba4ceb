// Package advisor is a stand-in for ASBA in scenarios: it answers questions over
// HTTP, over a pipe and as a program, well or in one of the ways in which a
// service goes wrong. It writes the protocol of docs/PROTOCOL.md on its own, not
// with the code that the programs read it with.
//
// It gives the plans that it was told to give; it advises nothing.
package advisor

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// The ways to go wrong.
const (
	Hangs     = "hangs"                      // says nothing, for ever
	Late      = "answers after a second"     // and well
	Cut       = "cuts its answers short"     // in the middle of the plan
	Rubbish   = "answers rubbish"            // what is of no protocol
	Other     = "answers another question"   // with the other's plan
	Large     = "answers with ten megabytes" // of plan
	Drips     = "answers a byte at a time"   // slower than anyone waits
	Fails     = "fails"                      // and says so
	Redirects = "redirects"                  // to where a good plan is
)

// Question is what the advisor was asked.
type Question struct {
	Job       string
	Nodes     int
	Partition string
	Script    string
}

// Advisor gives plans. Close ends it.
type Advisor struct {
	dir   string
	ctx   context.Context
	stop  context.CancelFunc
	doing sync.WaitGroup
	ends  []func() // what unblocks those who are at it
	tls   *tls.Config
	token string

	mu    sync.Mutex
	plans map[string]string // by job, "" for all others
	wrong map[string]string
	asked []Question
}

// New returns an advisor that has no plan yet, and keeps its files in a folder
// that is made.
func New(dir string) (*Advisor, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	a := &Advisor{dir: dir, plans: map[string]string{}, wrong: map[string]string{}}
	a.ctx, a.stop = context.WithCancel(context.Background())
	return a, nil
}

// Close ends all that answers, and waits for it.
func (a *Advisor) Close() {
	a.stop()
	for _, end := range a.ends {
		end()
	}
	a.doing.Wait()
}

// Give sets the plan of a job, or of all that have none of their own where job is
// "".
func (a *Advisor) Give(job, plan string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.plans[job] = compact(plan)
}

// GoWrong makes answers about a job, or about all, go wrong; "" is well again.
func (a *Advisor) GoWrong(job, how string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wrong[job] = how
}

// Asked are the questions so far. Those to the program are not told apart.
func (a *Advisor) Asked() []Question {
	a.mu.Lock()
	defer a.mu.Unlock()
	asked := append([]Question(nil), a.asked...)
	lines, err := os.ReadFile(filepath.Join(a.dir, "asked"))
	if err == nil {
		for range strings.Lines(string(lines)) {
			asked = append(asked, Question{})
		}
	}
	return asked
}

// answer notes a question, and returns what is answered and how it goes wrong.
func (a *Advisor) answer(q Question) (plan, wrong string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, q)
	return of(a.plans, q.Job), of(a.wrong, q.Job)
}

func of(m map[string]string, job string) string {
	if v, ok := m[job]; ok {
		return v
	}
	return m[""]
}

// compact takes the line breaks out of a plan; what is no JSON stays as it is.
func compact(plan string) string {
	var v json.RawMessage
	if json.Unmarshal([]byte(plan), &v) != nil {
		return plan
	}
	out, err := json.Marshal(v)
	if err != nil {
		return plan
	}
	return string(out)
}

// body is an answer with a plan.
func body(plan string) string {
	if plan == "" {
		return `{"error":"no plan for this job"}`
	}
	return `{"execution_plan":` + plan + `,"analysis_id":"stand-in","confidence":0.5}`
}

// large is a plan of ten megabytes.
func large() string { return `{"execution_metadata":{"x":"` + strings.Repeat("x", 10<<20) + `"}}` }

// pause waits, and reports whether the advisor still lives.
func (a *Advisor) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-a.ctx.Done():
		return false
	}
}

// hang waits for the end of the advisor.
func (a *Advisor) hang() { <-a.ctx.Done() }

// later is how late Late is; drip is how long Drips takes for a byte.
const (
	later = time.Second
	drip  = 20 * time.Millisecond
)

// Program writes the advisor's program at a path: a script that knows no more
// than what it is called with, and is told what to do by its text. It has the
// plans and the ways to go wrong of this moment.
func (a *Advisor) Program(path string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var cases strings.Builder
	jobs := map[string]bool{}
	for job := range a.plans {
		jobs[job] = true
	}
	for job := range a.wrong {
		jobs[job] = true
	}
	for job := range jobs {
		plan := filepath.Join(a.dir, "plan-"+job+".json")
		if err := os.WriteFile(plan, []byte(of(a.plans, job)), 0o600); err != nil {
			return err
		}
		if job != "" {
			fmt.Fprintf(&cases, "%s) %s ;;\n", job, doing(of(a.wrong, job), plan))
		}
	}
	fmt.Fprintf(&cases, "*) %s ;;\n", doing(a.wrong[""], filepath.Join(a.dir, "plan-.json")))
	text := "#!/bin/sh\nPATH=/usr/bin:/bin\njob=\nfor arg; do case $arg in --job-id=*) job=${arg#*=} ;; esac; done\n" +
		"echo \"$*\" >>'" + filepath.Join(a.dir, "asked") + "'\ncase $job in\n" + cases.String() + "esac\n"
	return os.WriteFile(path, []byte(text), 0o755)
}

// doing is what the program does, in the words of a shell.
func doing(wrong, plan string) string {
	switch wrong {
	case Hangs:
		return "sleep 600"
	case Late:
		return "sleep 1; cat '" + plan + "'"
	case Cut:
		return "head -c 40 '" + plan + "'"
	case Rubbish, Other, Redirects:
		return "echo '<html>'"
	case Large:
		return "head -c 10485760 /dev/zero | tr '\\000' x"
	case Drips:
		return "while :; do printf x; sleep 0.02; done"
	case Fails:
		return "echo 'ERROR: out of memory' >&2; exit 1"
	}
	return "cat '" + plan + "'"
}
