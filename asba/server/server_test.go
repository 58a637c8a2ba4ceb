package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/protocol"
)

const aPlan = `{"should_burst":true,"instance_specification":{"instance_types":["c7i.24xlarge"]}}`

// analyst is what a test lets answer.
type analyst func(context.Context, Question) (Analysis, error)

func (a analyst) Analyze(ctx context.Context, q Question) (Analysis, error) { return a(ctx, q) }

// good answers every question, with all that an explanation can have.
func good(_ context.Context, q Question) (Analysis, error) {
	a := Analysis{Plan: []byte(aPlan), Confidence: 0.75}
	if q.Explain {
		a.Explanation = &Explanation{Region: "us-east-1", Bursts: true, Nodes: 4, Reasons: []string{"it fits"}, Excluded: 3,
			Types: []Type{
				{Name: "c7i.24xlarge", Planned: true, Market: "spot", Nodes: 4, VCPUs: 96, Cores: 48, MemoryMiB: 196608, HourlyCost: 17.136, Cost: 34.272, Interruption: "<5%", Dated: "2026-05-01", Reason: "cheapest"},
				{Name: "p5.48xlarge", Market: "on-demand", Nodes: 4, VCPUs: 192, Cores: 96, MemoryMiB: 2097152, GPUs: 8, GPUModel: "H100", EFA: 32, Reason: "unknown price"},
			},
			Findings: []finding.Finding{{ID: "JOB007", Level: finding.Warning, File: "job script", Line: 2, Column: 9, Pointer: "/x", Message: "no time limit", Suggestion: "add --time"}}}
	}
	return a, nil
}

// call is one request and its whole answer.
func call(t *testing.T, h http.Handler, method, path, body string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestAnAnswerIsTheProtocols(t *testing.T) {
	var asked Question
	s := New(analyst(func(ctx context.Context, q Question) (Analysis, error) { asked = q; return good(ctx, q) }), Options{Local: true})
	body, err := protocol.Request{JobScript: "#!/bin/sh\n", JobID: "12_3", NodeCount: 4, Partition: "hpc"}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	r := call(t, s, "POST", "/analyze", string(body))
	a, err := protocol.DecodeAnswer([]byte(text(t, r)))
	if r.StatusCode != 200 || err != nil || string(a.Plan) != aPlan || a.Confidence != 0.75 || len(a.AnalysisID) != 16 {
		t.Errorf("%d, %v, %+v", r.StatusCode, err, a)
	}
	if want := (protocol.Request{JobScript: "#!/bin/sh\n", JobID: "12_3", NodeCount: 4, Partition: "hpc"}); asked.Request != want || asked.Explain {
		t.Errorf("the analyst was asked %+v", asked)
	}
}

// curl -d has the type of a form, and people paste from there.
func TestTheTypeOfABodyDoesNotMatter(t *testing.T) {
	s := New(analyst(good), Options{})
	for _, kind := range []string{"", "application/x-www-form-urlencoded", "application/json; charset=utf-8"} {
		if r := call(t, s, "POST", "/analyze", `{"node_count":1}`, "Content-Type", kind); r.StatusCode != 200 {
			t.Errorf("%q: %d", kind, r.StatusCode)
		}
	}
}

func TestWhatIsNoQuestionIs400AndWhatHasNoAnswerIsNot(t *testing.T) {
	fails := func(err error) http.Handler {
		return New(analyst(func(context.Context, Question) (Analysis, error) { return Analysis{}, err }), Options{})
	}
	slow := New(analyst(func(ctx context.Context, _ Question) (Analysis, error) { <-ctx.Done(); return Analysis{}, ctx.Err() }), Options{Within: time.Millisecond})
	const nodes = `{"node_count":1}`
	for name, c := range map[string]struct {
		h      http.Handler
		body   string
		status int
		words  string
	}{
		"nothing":          {fails(nil), ``, 400, "cut short"},
		"nothing to go by": {fails(nil), `{}`, 400, "neither job_script, job_id nor node_count is given"},
		"a partition":      {fails(nil), `{"partition":"hpc"}`, 400, "neither job_script, job_id nor node_count is given"},
		"no JSON":          {fails(nil), `job_script=x`, 400, "not in the protocol's form"},
		"misspelt":         {fails(nil), `{"job_scrpt":"x","node_count":1}`, 400, "job_scrpt"},
		"two":              {fails(nil), nodes + nodes, 400, "form"},
		"a large script":   {fails(nil), `{"job_script":"` + strings.Repeat("x", protocol.MaxScript+1) + `"}`, 413, "too large"},
		"a large body":     {fails(nil), strings.Repeat(" ", protocol.MaxRequest+1), 413, "more than"},
		"no such job":      {fails(fmt.Errorf("%w: Slurm has no job 4711", ErrQuestion)), nodes, 422, `"Slurm has no job 4711"`},
		"trouble":          {fails(errors.New("slurmctld\nis dead")), nodes, 500, "slurmctld is dead"},
		"no plan":          {New(analyst(func(context.Context, Question) (Analysis, error) { return Analysis{Plan: []byte("[]")}, nil }), Options{}), nodes, 500, "execution_plan is not an object"},
		"late":             {slow, nodes, 504, "no answer within 1ms"},
		"panic":            {New(analyst(func(context.Context, Question) (Analysis, error) { panic("ouch") }), Options{}), nodes, 500, "see its log"},
	} {
		r := call(t, c.h, "POST", "/analyze", c.body)
		body := text(t, r)
		var f *protocol.Failure
		if _, err := protocol.DecodeAnswer([]byte(body)); r.StatusCode != c.status || !errors.As(err, &f) || !strings.Contains(body, c.words) || strings.Contains(body, "\n") {
			t.Errorf("%s: %d %s", name, r.StatusCode, body)
		}
	}
}

func TestATokenIsAskedForWhereThereAreSecrets(t *testing.T) {
	s := New(analyst(good), Options{Token: "secret-word"})
	for _, c := range []struct {
		path, authorization string
		status              int
	}{
		{"/analyze", "", 401}, {"/explain", "", 401}, {"/metrics", "", 401},
		{"/analyze", "Bearer secret-wore", 401}, {"/analyze", "Bearer secret-word2", 401}, {"/analyze", "Basic secret-word", 401}, {"/analyze", "secret-word", 401},
		{"/analyze", "Bearer secret-word", 200}, {"/explain", "bearer secret-word", 200}, {"/metrics", "Bearer secret-word", 200},
		{"/healthz", "", 200}, {"/openapi.yaml", "", 200}, {"/", "", 200},
	} {
		method := "GET"
		if c.path == "/analyze" || c.path == "/explain" {
			method = "POST"
		}
		r := call(t, s, method, c.path, `{"node_count":1}`, "Authorization", c.authorization)
		if r.StatusCode != c.status || (r.StatusCode == 401) != (r.Header.Get("WWW-Authenticate") != "") {
			t.Errorf("%s %q: %d", c.path, c.authorization, r.StatusCode)
		}
	}
}

// A page that a visitor's browser shows must not ask in its place, whether it
// points its own name at this machine or not.
func TestOtherPeoplesPagesMayNotAsk(t *testing.T) {
	s := New(analyst(good), Options{Local: true})
	for host, status := range map[string]int{
		"localhost:8080": 200, "127.0.0.1:8080": 200, "[::1]:8080": 200, "127.0.0.1": 200, "[::1]": 200, "LocalHost": 200, "[::ffff:127.0.0.1]:1": 200,
		"evil.example:8080": 421, "localhost.evil.example": 421, "10.0.0.1": 421, "": 421,
	} {
		if r := call(t, s, "POST", "/analyze", `{"node_count":1}`, "Host", host); r.StatusCode != status {
			t.Errorf("host %q: %d, want %d", host, r.StatusCode, status)
		}
	}
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}} {
		if r := call(t, s, "POST", "/analyze", `{"node_count":1}`, headers...); r.StatusCode != 403 || !strings.Contains(text(t, r), `{"error":`) {
			t.Errorf("%v: %d", headers, r.StatusCode)
		}
	}
	if r := call(t, s, "POST", "/explain", `{"node_count":1}`, "Sec-Fetch-Site", "same-origin"); r.StatusCode != 200 {
		t.Errorf("the page itself: %d", r.StatusCode)
	}
}

func TestEveryAnswerHasTheHeadersThatKeepABrowserIn(t *testing.T) {
	s := New(analyst(good), Options{Local: true})
	for _, path := range []string{"/", "/healthz", "/openapi.yaml", "/nothing", "/analyze"} {
		h := call(t, s, "GET", path, "").Header
		if h.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'; ") || h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

func TestTooManyQuestionsAreTurnedAway(t *testing.T) {
	running, release := make(chan struct{}, 8), make(chan struct{})
	s := New(analyst(func(ctx context.Context, q Question) (Analysis, error) {
		running <- struct{}{}
		<-release
		return good(ctx, q)
	}), Options{Busy: 2, Queue: 1, Wait: time.Minute})
	var wg sync.WaitGroup
	statuses := make(chan int, 8)
	ask := func() {
		wg.Go(func() { statuses <- call(t, s, "POST", "/analyze", `{"node_count":1}`).StatusCode })
	}
	ask()
	ask()
	<-running
	<-running
	ask() // which waits
	for s.turns.waiting.Load() != 1 {
		time.Sleep(time.Millisecond)
	}
	r := call(t, s, "POST", "/analyze", `{"node_count":1}`)
	if r.StatusCode != 503 || r.Header.Get("Retry-After") != "1" {
		t.Errorf("beyond the queue: %d, Retry-After %q", r.StatusCode, r.Header.Get("Retry-After"))
	}
	close(release)
	wg.Wait()
	for range 3 {
		if got := <-statuses; got != 200 {
			t.Errorf("in the queue: %d", got)
		}
	}
	// Whoever waits too long goes as well.
	s = New(analyst(func(ctx context.Context, q Question) (Analysis, error) { return good(ctx, q) }), Options{Busy: 1, Queue: 9, Wait: time.Millisecond})
	s.turns.running <- struct{}{}
	if r := call(t, s, "POST", "/analyze", `{"node_count":1}`); r.StatusCode != 503 || s.turns.waiting.Load() != 0 {
		t.Errorf("after its patience: %d", r.StatusCode)
	}
}

// stuck is a body of which the beginning comes at once.
type stuck struct {
	first io.Reader
	more  chan struct{}
}

func (s stuck) Read(p []byte) (int, error) {
	if n, _ := s.first.Read(p); n > 0 {
		return n, nil
	}
	<-s.more
	return 0, io.EOF
}

func TestOnlyAFewLargeQuestionsAreReadAtOnce(t *testing.T) {
	s := New(analyst(good), Options{})
	more := make(chan struct{})
	var wg sync.WaitGroup
	for range largeAtOnce {
		wg.Go(func() {
			r := httptest.NewRequest("POST", "/analyze", stuck{strings.NewReader(strings.Repeat(" ", smallBody+1)), more})
			s.ServeHTTP(httptest.NewRecorder(), r)
		})
	}
	for len(s.large) < largeAtOnce {
		time.Sleep(time.Millisecond)
	}
	if r := call(t, s, "POST", "/analyze", `{"node_count":1}`+strings.Repeat(" ", smallBody)); r.StatusCode != 503 {
		t.Errorf("one more large one: %d", r.StatusCode)
	}
	if r := call(t, s, "POST", "/analyze", `{"node_count":1}`); r.StatusCode != 200 {
		t.Errorf("a small one: %d", r.StatusCode)
	}
	close(more)
	wg.Wait()
}

func TestTheLogHasALineARequestAndNoSecret(t *testing.T) {
	var log bytes.Buffer
	s := New(analyst(good), Options{Token: "secret-word", Log: slog.New(slog.NewJSONHandler(&log, nil))})
	r := call(t, s, "POST", "/analyze", `{"job_script":"#!/bin/sh\nexport PASSWORD=hunter2\n","job_id":7}`, "Authorization", "Bearer secret-word")
	id, _ := protocol.DecodeAnswer([]byte(text(t, r)))
	call(t, s, "POST", "/analyze?token=secret-word", `{"job_script":"hunter2`, "Authorization", "Bearer secret-word")
	call(t, s, "GET", "/secret-word/hunter2", "", "Authorization", "Bearer secret-word")
	got := log.String()
	if strings.Count(got, "\n") != 3 || strings.Contains(got, "hunter2") || strings.Contains(got, "secret-word") {
		t.Errorf("the log:\n%s", got)
	}
	first, _, _ := strings.Cut(got, "\n")
	for _, want := range []string{`"path":"/analyze"`, `"status":200`, `"script_bytes":34`, `"job_id":"7"`, `"analysis_id":"` + id.AnalysisID + `"`} {
		if !strings.Contains(first, want) {
			t.Errorf("no %s in %s", want, first)
		}
	}
}

func TestMetricsAreReadByPrometheus(t *testing.T) {
	s := New(analyst(good), Options{})
	call(t, s, "POST", "/analyze", `{"node_count":1}`)
	call(t, s, "POST", "/analyze", `{}`)
	for i := range 50 { // strangers' words are no labels
		call(t, s, fmt.Sprintf("M%d", i), fmt.Sprintf("/p%d", i), "")
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(call(t, s, "GET", "/metrics", "").Body)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, m := range families["asba_http_requests_total"].GetMetric() {
		var labels []string
		for _, l := range m.GetLabel() {
			labels = append(labels, l.GetValue())
		}
		got[strings.Join(labels, " ")] = m.GetCounter().GetValue()
	}
	if len(got) != 3 || got["200 POST /analyze"] != 1 || got["400 POST /analyze"] != 1 || got["404 other other"] != 50 {
		t.Errorf("%v", got)
	}
	for _, name := range []string{"asba_http_request_duration_seconds", "asba_analyses_running", "asba_analyses_waiting", "go_goroutines", "process_resident_memory_bytes"} {
		if families[name] == nil {
			t.Errorf("no %s", name)
		}
	}
}

// served is a server on a port of its own, stopped with the test.
func served(t testing.TB, a Analyst, o Options) (address string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- New(a, o).Serve(ctx, l, nil) }()
	var once sync.Once
	stop = func() (err error) {
		once.Do(func() { cancel(); err = <-ended })
		return err
	}
	t.Cleanup(func() { _ = stop() })
	return l.Addr().String(), stop
}

func TestWhatIsUnderWayEndsBeforeTheServerDoes(t *testing.T) {
	running, release := make(chan struct{}), make(chan struct{})
	address, stop := served(t, analyst(func(ctx context.Context, q Question) (Analysis, error) {
		close(running)
		<-release
		return good(ctx, q)
	}), Options{Local: true})
	status := make(chan int)
	go func() {
		r, err := http.Post("http://"+address+"/analyze", "", strings.NewReader(`{"node_count":1}`))
		if err != nil {
			t.Error(err)
			status <- 0
			return
		}
		_ = r.Body.Close()
		status <- r.StatusCode
	}()
	<-running
	stopped := make(chan error)
	go func() { stopped <- stop() }()
	for { // nothing new is taken
		c, err := net.Dial("tcp", address)
		if err != nil {
			break
		}
		_ = c.Close()
		time.Sleep(time.Millisecond)
	}
	close(release)
	if s, err := <-status, <-stopped; s != 200 || err != nil {
		t.Errorf("status %d, %v", s, err)
	}
}

// A browser opens connections ahead of need: nobody waits for those.
func TestConnectionsOnWhichNobodyAsksDoNotKeepTheServer(t *testing.T) {
	address, stop := served(t, analyst(good), Options{Local: true, Grace: time.Hour})
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	r, err := http.Get("http://" + address + "/healthz") // by now it is known
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	began := time.Now()
	if err := stop(); err != nil || time.Since(began) > 3*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}

// Clients that open connections and send a byte now and then hold what they
// hold for a while; the next one is served then.
func TestSlowClientsAreGivenUp(t *testing.T) {
	before := runtime.NumGoroutine()
	address, stop := served(t, analyst(good), Options{Local: true, Connections: 16, ReadWithin: 100 * time.Millisecond})
	var slow []net.Conn
	for i := range 64 {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		if i%2 == 0 {
			_, _ = io.WriteString(c, "POST /analyze HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
		} else {
			_, _ = io.WriteString(c, "POST /ana")
		}
		slow = append(slow, c)
	}
	if n := runtime.NumGoroutine() - before; n > 3*16+10 {
		t.Errorf("%d goroutines for 16 connections", n)
	}
	client := http.Client{Timeout: 20 * time.Second}
	r, err := client.Post("http://"+address+"/analyze", "", strings.NewReader(`{"node_count":1}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	for _, c := range slow { // each has been told or cut off
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.Copy(io.Discard, c); errors.Is(err, context.DeadlineExceeded) {
			t.Error("a slow connection is still open")
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func FuzzAQuestion(f *testing.F) {
	for _, seed := range []string{`{"node_count":1}`, `{"job_script":"#!/bin/sh\n","job_id":12}`, `{}`, ``, `[1]`, `{"job_id":"12_3","partition":"a b"}`} {
		f.Add(seed)
	}
	s := New(analyst(good), Options{})
	f.Fuzz(func(t *testing.T, body string) {
		for _, path := range []string{"/analyze", "/explain"} {
			r := call(t, s, "POST", path, body)
			_, err := protocol.DecodeRequest([]byte(body))
			if (r.StatusCode == 200) != (err == nil) || r.StatusCode >= 500 {
				t.Errorf("%s: %d, and the question: %v", path, r.StatusCode, err)
			}
		}
	})
}
