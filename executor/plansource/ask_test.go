package plansource

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/protocol"
	"aws-slurm-burst/executor/env"
)

// dice is an Env of which only the chance is asked.
type dice struct{ env.Env }

func (dice) Rand(string) env.Rand { return dice{} }
func (dice) Uint64() uint64       { return 0x5b1f0a9e3c7d42f6 }
func (dice) Float64() float64     { return 0.5 }

// web answers every post with one response.
type web struct {
	response Response
	err      error
	got      *Post
}

func (w web) Post(_ context.Context, p Post) (Response, error) {
	if w.got != nil {
		*w.got = p
	}
	return w.response, w.err
}

// pipes has one pipe, on which reply answers a question.
type pipes struct {
	findErr error
	info    PipeInfo
	reply   func(line string) (string, error)
	// reads are what is read from the pipe, one after another; at its end the
	// deadline has come.
	reads []string
}

func (p *pipes) Find(string) (Pipe, error) { return p, p.findErr }
func (p *pipes) Info() PipeInfo            { return p.info }

func (p *pipes) Ask(_ context.Context, question func(string) ([]byte, error), _ int64) ([]byte, error) {
	if p.reply == nil {
		return nil, ErrNoReader
	}
	line, err := question("/run/asks/reply")
	if err != nil {
		return nil, err
	}
	text, err := p.reply(string(line))
	return []byte(text), err
}

func (p *pipes) Read(context.Context, int64) ([]byte, error) {
	if len(p.reads) == 0 {
		return nil, context.DeadlineExceeded
	}
	text := p.reads[0]
	p.reads = p.reads[1:]
	if half, cut := strings.CutSuffix(text, "<cut>"); cut {
		return []byte(half), context.DeadlineExceeded
	}
	return []byte(text), nil
}

// programs runs nothing.
type programs struct {
	out  string
	err  error
	args *[]string
}

func (p programs) Run(_ context.Context, name string, args []string, _ int64) ([]byte, error) {
	if p.args != nil {
		*p.args = append([]string{name}, args...)
	}
	return []byte(p.out), p.err
}

const bad = `{"instance_specification":{"instance_types":[]}}`

func answer(p string) string {
	return `{"execution_plan":` + p + `,"analysis_id":"a","confidence":0.5}`
}

// asked is an answer in short: its outcome, its trust, and why there is none.
type asked struct {
	outcome Outcome
	trusted bool
	cause   string
}

func short(a Answer) asked { return asked{a.Outcome, a.Trusted, a.Cause} }

var question = Question{Job: "12", Nodes: 4, Partition: "aws", Script: []byte("#!/bin/sh\n")}

func ask(t *testing.T, a Advisor, w Way) Answer {
	t.Helper()
	got := a.Ask(t.Context(), dice{}, w, question, 5*time.Second)
	if (got.Outcome == Found) != (got.Plan != nil && len(got.Text) > 0 && got.Cause == "") && got.Outcome != Invalid {
		t.Errorf("%v with plan %v, text %q, cause %q", got.Outcome, got.Plan, got.Text, got.Cause)
	}
	if got.Source != w.String() || strings.ContainsAny(got.Cause, "\n\x1b") {
		t.Errorf("source %q, cause %q", got.Source, got.Cause)
	}
	return got
}

func TestOutcomesAndWordsOfAURL(t *testing.T) {
	const at = "http://localhost:8080"
	ok := func(body string) web { return web{response: Response{Status: 200, Body: []byte(body), Local: true}} }
	status := func(n int, body string) web {
		return web{response: Response{Status: n, Body: []byte(body), Local: true}}
	}
	for name, c := range map[string]struct {
		web  web
		want asked
	}{
		"good":              {ok(answer(good)), asked{Found, true, ""}},
		"from another host": {web{response: Response{Status: 200, Body: []byte(answer(good))}}, asked{Found, false, ""}},
		"a bad plan":        {ok(answer(`{"instance_specification":{"max_spot_price":-1}}`)), asked{Invalid, true, ""}},
		"unreachable":       {web{err: errors.New("connection refused")}, asked{Missing, false, "ASBA not reachable at " + at}},
		"late":              {web{err: context.DeadlineExceeded}, asked{Missing, false, "ASBA did not answer within 5s at " + at}},
		"cut on the way":    {web{err: fmt.Errorf("%w: unexpected EOF", ErrCut)}, asked{Missing, false, "ASBA's answer was cut short at " + at}},
		"cut at the source": {ok(answer(good)[:60]), asked{Missing, false, "ASBA's answer was cut short at " + at}},
		"too large":         {web{err: ErrTooLarge}, asked{Missing, false, "ASBA's answer has more than 1052672 bytes at " + at}},
		"no token":          {web{err: fmt.Errorf("%w: token file t can be read by others (chmod 600 it)", ErrNotAsked)}, asked{Missing, false, "ASBA at " + at + " not asked: token file t can be read by others (chmod 600 it)"}},
		"HTTP 500":          {status(500, "oh no"), asked{Missing, false, "ASBA answered HTTP 500 at " + at}},
		"HTTP 400, told":    {status(400, `{"error":"no partition\nx"}`), asked{Missing, false, "ASBA answered HTTP 400 at " + at + ": no partition x"}},
		"HTTP 500, a plan":  {status(500, answer(good)), asked{Missing, false, "ASBA answered HTTP 500 at " + at}},
		"a redirect":        {status(307, ""), asked{Missing, false, "ASBA answered HTTP 307 at " + at + ", a redirect, which is not followed"}},
		"rubbish":           {ok("<html>"), asked{Missing, false, "ASBA's answer is not in the protocol's form at " + at}},
		"a plan alone":      {ok(good), asked{Missing, false, "ASBA's answer is not in the protocol's form at " + at}},
		"200 with an error": {ok(`{"error":"no"}`), asked{Missing, false, "ASBA has no plan at " + at + ": no"}},
		"nothing":           {ok(""), asked{Missing, false, "ASBA's answer was cut short at " + at}},
	} {
		if got := short(ask(t, Advisor{Web: c.web}, Way{URL: at})); got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if a := ask(t, Advisor{Web: web{response: Response{Status: 200, Body: []byte(answer(good))}}}, Way{URL: "https://asba.example"}); !a.Trusted {
		t.Error("over TLS it is not trusted")
	}
}

func TestWhatIsPosted(t *testing.T) {
	for url, want := range map[string]string{
		"http://localhost:8080": "http://localhost:8080/analyze", "http://localhost:8080/": "http://localhost:8080/analyze",
		"https://x/asba/analyze": "https://x/asba/analyze", "https://x/asba": "https://x/asba/analyze",
	} {
		var got Post
		ask(t, Advisor{Web: web{response: Response{Status: 200, Body: []byte(answer(good))}, got: &got}}, Way{URL: url, TokenFile: "t", CAFile: "c"})
		r, err := protocol.DecodeRequest(got.Body)
		if err != nil || r != (protocol.Request{JobScript: "#!/bin/sh\n", JobID: "12", NodeCount: 4, Partition: "aws"}) {
			t.Errorf("%+v, %v", r, err)
		}
		if got.URL != want || got.TokenFile != "t" || got.CAFile != "c" || got.Limit != protocol.MaxAnswer {
			t.Errorf("%s: %+v", url, got)
		}
	}
	// A script that is too long stays here; the job can be looked up.
	var got Post
	q := question
	q.Script = make([]byte, protocol.MaxScript+1)
	Advisor{Web: web{got: &got}}.Ask(t.Context(), dice{}, Way{URL: "http://x"}, q, time.Second)
	if r, err := protocol.DecodeRequest(got.Body); err != nil || r.JobScript != "" || r.JobID != "12" {
		t.Errorf("%.40q %v", r.JobScript, err)
	}
	for _, bad := range []string{"", "localhost:8080", "ftp://x", "http://", "http://u:tango@x", "http://u:tango%zz@x", "http://u:#tango@x", "http://tango@x", "u:tango@x", "http://x?a=tango", "http://x#y", "http://%zz"} {
		if err := CheckURL(bad); err == nil || strings.Contains(err.Error(), "tango") {
			t.Errorf("%q: %v", bad, err)
		}
		if a := (Advisor{}).Ask(t.Context(), dice{}, Way{URL: bad + " "}, question, time.Second); a.Outcome != Missing {
			t.Errorf("%q: %+v", bad, a)
		}
	}
}

// replies answers the question of a line as an advisor would.
func replies(text func(protocol.PipeRequest) string) func(string) (string, error) {
	return func(line string) (string, error) {
		r, err := protocol.ReadRequest([]byte(line))
		if err != nil {
			return "", err
		}
		return text(r), nil
	}
}

func framed(id, p string) string {
	line, err := protocol.Answer{Plan: []byte(p)}.Line(id)
	if err != nil {
		panic(err)
	}
	return string(line)
}

func TestOutcomesAndWordsOfAPipe(t *testing.T) {
	const at = "/run/asba.pipe"
	mine := PipeInfo{OwnedByRootOrSelf: true}
	whole := replies(func(r protocol.PipeRequest) string { return framed(r.ID, good) })
	for name, c := range map[string]struct {
		pipes pipes
		want  asked
	}{
		"good":                 {pipes{info: mine, reply: whole}, asked{Found, true, ""}},
		"a stranger's":         {pipes{reply: whole}, asked{Found, false, ""}},
		"a group's":            {pipes{info: PipeInfo{OwnedByRootOrSelf: true, GroupWritable: true}, reply: whole}, asked{Found, false, ""}},
		"in anyone's folder":   {pipes{info: PipeInfo{OwnedByRootOrSelf: true, Replaceable: true}, reply: whole}, asked{Found, false, ""}},
		"anyone's":             {pipes{info: PipeInfo{OwnedByRootOrSelf: true, WorldWritable: true}, reply: whole}, asked{Invalid, false, ""}},
		"not there":            {pipes{findErr: fmt.Errorf("%w: x", ErrNotFound)}, asked{Missing, false, "ASBA not reachable at " + at}},
		"not a pipe":           {pipes{findErr: ErrNotPipe}, asked{Missing, false, "ASBA not reachable: " + at + " is not a pipe"}},
		"nobody reads":         {pipes{info: mine, reads: []string{good}}, asked{Missing, false, "ASBA not reachable at " + at}},
		"a bad plan":           {pipes{info: mine, reply: replies(func(r protocol.PipeRequest) string { return framed(r.ID, `{"should_burst":1}`) })}, asked{Invalid, true, ""}},
		"another's answer":     {pipes{info: mine, reply: replies(func(protocol.PipeRequest) string { return framed("aaaaaaaaaaaaaaaa", good) })}, asked{Missing, false, "ASBA's answer was to another question at " + at}},
		"cut short":            {pipes{info: mine, reply: replies(func(r protocol.PipeRequest) string { return framed(r.ID, good)[:150] })}, asked{Missing, false, "ASBA's answer was cut short at " + at}},
		"a plan without frame": {pipes{info: mine, reply: replies(func(protocol.PipeRequest) string { return good + "\n" })}, asked{Missing, false, "ASBA's answer is not in the protocol's form at " + at}},
		"no plan": {pipes{info: mine, reply: replies(func(r protocol.PipeRequest) string {
			return string((&protocol.Failure{Text: "no such job"}).Line(r.ID))
		})}, asked{Missing, false, "ASBA has no plan at " + at + ": no such job"}},
		"late":      {pipes{info: mine, reply: func(string) (string, error) { return "asba/1 x", context.DeadlineExceeded }}, asked{Missing, false, "ASBA did not answer within 5s at " + at}},
		"too large": {pipes{info: mine, reply: func(string) (string, error) { return "", ErrTooLarge }}, asked{Missing, false, "ASBA's answer has more than 1052672 bytes at " + at}},
	} {
		a := ask(t, Advisor{Pipes: &c.pipes}, Way{Pipe: at})
		if got := short(a); got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
		if name == "anyone's" && (len(a.Findings) != 1 || !strings.HasPrefix(a.Findings[0].String(), at+": error[SRC001]: the pipe is world-writable")) {
			t.Errorf("%v", a.Findings)
		}
	}
}

func TestWhatIsAskedOverAPipe(t *testing.T) {
	p := &pipes{info: PipeInfo{OwnedByRootOrSelf: true}, reply: replies(func(r protocol.PipeRequest) string {
		want := protocol.PipeRequest{ID: "5b1f0a9e3c7d42f65b1f0a9e3c7d42f6", Reply: "/run/asks/reply", JobID: "12", NodeCount: 4, Partition: "aws"}
		if diff := cmp.Diff(want, r); diff != "" {
			t.Error(diff)
		}
		return framed(r.ID, good)
	})}
	if a := ask(t, Advisor{Pipes: p}, Way{Pipe: "/p"}); a.Outcome != Found {
		t.Errorf("%+v", a)
	}
}

// Where nobody reads a pipe, what somebody writes into it is taken, if that was
// asked for, and only whole.
func TestAPlanThatNobodyAskedFor(t *testing.T) {
	const at = "/run/asba.pipe"
	other := func() string {
		line, err := protocol.PipeRequest{ID: "aaaaaaaaaaaaaaaa", Reply: "/r", NodeCount: 1}.Line()
		if err != nil {
			t.Fatal(err)
		}
		return string(line)
	}()
	noPlan := asked{Missing, false, "ASBA gave no whole plan at " + at} // and which word of it is wrong
	for name, c := range map[string]struct {
		reads []string
		want  asked
	}{
		"good":                             {[]string{good}, asked{Found, true, ""}},
		"with a comment":                   {[]string{"// by hand\n" + good + "\n"}, asked{Found, true, ""}},
		"behind another client's question": {[]string{other, other + other, other + good}, asked{Found, true, ""}},
		"a question and no plan":           {[]string{other}, asked{Missing, false, "ASBA not reachable at " + at}},
		"a bad plan":                       {[]string{`{"should_burst":1}`}, asked{Invalid, true, ""}},
		"nobody writes":                    {nil, asked{Missing, false, "ASBA not reachable at " + at}},
		"half a plan":                      {[]string{good[:40]}, noPlan},
		"half, and no end":                 {[]string{good[:40] + "<cut>"}, asked{Missing, false, "ASBA did not answer within 5s at " + at}},
		"whole, and no end":                {[]string{good + "<cut>"}, asked{Missing, false, "ASBA did not answer within 5s at " + at}},
		"the end of a plan":                {[]string{good[20:]}, noPlan},
		"two plans":                        {[]string{good + good}, noPlan},
		"rubbish":                          {[]string{"plan\n"}, noPlan},
	} {
		a := ask(t, Advisor{Pipes: &pipes{info: PipeInfo{OwnedByRootOrSelf: true}, reads: c.reads}}, Way{Pipe: at, Unasked: true})
		got := short(a)
		got.cause, _, _ = strings.Cut(got.cause, " (")
		if got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// No half of a plan, wherever it is cut, is taken for one.
func TestNoHalfOfAPlanIsAPlan(t *testing.T) {
	text := `{"instance_specification":{"instance_types":["c6i.large"]},"execution_metadata":{"tags":{"a":"{}"}}}`
	for n := range text {
		for _, half := range []string{text[:n], text[n+1:]} {
			p := &pipes{info: PipeInfo{OwnedByRootOrSelf: true}, reads: []string{half}}
			if a := ask(t, Advisor{Pipes: p, Programs: programs{out: half}}, Way{Pipe: "/p", Unasked: true}); a.Outcome != Missing {
				t.Errorf("%s: %+v", half, a)
			}
			if a := ask(t, Advisor{Programs: programs{out: half}}, Way{Command: "asba"}); a.Outcome != Missing {
				t.Errorf("%s: %+v", half, a)
			}
		}
	}
}

func TestOutcomesAndWordsOfACommand(t *testing.T) {
	for name, c := range map[string]struct {
		programs programs
		want     asked
	}{
		"good":       {programs{out: good + "\n"}, asked{Found, true, ""}},
		"a bad plan": {programs{out: `{"should_burst":1}`}, asked{Invalid, true, ""}},
		"not there":  {programs{err: fmt.Errorf("%w: x", ErrNotFound)}, asked{Missing, false, "ASBA not reachable: asba is not in PATH"}},
		"failed":     {programs{out: good, err: &Failed{How: "exit status 4", Said: "ERROR: no such job"}}, asked{Missing, false, "ASBA has no plan: asba failed with exit status 4: ERROR: no such job"}},
		"silent":     {programs{err: &Failed{How: "signal: killed"}}, asked{Missing, false, "ASBA has no plan: asba failed with signal: killed"}},
		"late":       {programs{err: context.DeadlineExceeded}, asked{Missing, false, "ASBA did not answer within 5s at asba"}},
		"too large":  {programs{err: ErrTooLarge}, asked{Missing, false, "ASBA's answer has more than 1052672 bytes at asba"}},
		"not ended":  {programs{err: ErrCut}, asked{Missing, false, "ASBA's answer was cut short at asba"}},
		"no program": {programs{err: errors.New("exec format error")}, asked{Missing, false, "ASBA not reachable at asba"}},
	} {
		if got := short(ask(t, Advisor{Programs: c.programs}, Way{Command: "asba"})); got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if a := ask(t, Advisor{Programs: programs{err: ErrNotFound}}, Way{Command: "/opt/asba"}); a.Cause != "ASBA not reachable: there is no program /opt/asba" {
		t.Error(a.Cause)
	}
}

func TestArgumentsOfTheCommand(t *testing.T) {
	for _, c := range []struct {
		way  Way
		q    Question
		want []string
	}{
		{Way{Command: "asba"}, question, []string{"asba", "analyze", "--format=execution-plan", "--job-id=12"}},
		{Way{Command: "/opt/asba", ConfigPath: "/etc/asba.yaml"}, Question{Nodes: 3, Partition: "aws"}, []string{"/opt/asba", "analyze", "--format=execution-plan", "--config=/etc/asba.yaml", "--nodes=3", "--partition=aws"}},
		{Way{Command: "asba"}, Question{Nodes: 3}, []string{"asba", "analyze", "--format=execution-plan", "--nodes=3"}},
	} {
		var got []string
		Advisor{Programs: programs{out: good, args: &got}}.Ask(t.Context(), dice{}, c.way, c.q, time.Second)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// Who is asked when the time is over is not asked.
func TestNobodyIsAskedAfterTheDeadline(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(context.DeadlineExceeded)
	for _, w := range []Way{{Command: "asba"}, {URL: "http://x"}, {Pipe: "/p"}} {
		if a := (Advisor{}).Ask(ctx, dice{}, w, question, time.Minute); a.Cause != "ASBA did not answer within 1m0s at "+w.String() {
			t.Errorf("%+v", a)
		}
	}
}

func TestAnAnswerIsRecalledAsItWasGiven(t *testing.T) {
	w := Way{URL: "http://x"}
	first := ask(t, Advisor{Web: web{response: Response{Status: 200, Body: []byte(answer(good))}}}, w)
	again := w.Recall(first.Text, first.Trusted)
	if again.Outcome != Found || again.Trusted || again.Source != first.Source || again.Plan.Digest != first.Plan.Digest {
		t.Errorf("%+v", again)
	}
	if a := w.Recall([]byte(bad)[:20], true); a.Outcome != Invalid {
		t.Errorf("%+v", a)
	}
	if int64(len(first.Text)) > plan.MaxSize {
		t.Error("too large to be kept")
	}
}
