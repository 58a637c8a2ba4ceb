package advisor

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"aws-slurm-burst/asba/protocol"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/host"
	"aws-slurm-burst/executor/plansource"
)

// program is a command that runs until it is told to stop.
type program struct {
	first string // line of stdout
	log   *lockedBuffer
	stop  func() (code int)
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs serve or daemon, and waits for its first line.
func start(t testing.TB, env map[string]string, args ...string) program {
	t.Helper()
	stop, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	p := program{log: &lockedBuffer{}}
	std := app.IO{Args: args, Getenv: func(n string) string { return env[n] }, Stdin: strings.NewReader(""), Stdout: in, Stderr: p.log, Stop: stop}
	root := &cobra.Command{Use: "asba", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(Commands(std)...)
	ended := make(chan int, 1)
	go func() {
		code := 0
		if err := app.Execute(t.Context(), root, std); err != nil {
			code = app.Fail(p.log, err)
		}
		_ = in.Close()
		ended <- code
	}()
	buf := make([]byte, 512)
	n, err := out.Read(buf)
	if err != nil {
		t.Fatalf("%v: exit %d: %s", args, <-ended, p.log)
	}
	p.first = strings.TrimSpace(string(buf[:n]))
	var once sync.Once
	var code int
	p.stop = func() int {
		once.Do(func() { cancel(); code = <-ended })
		return code
	}
	t.Cleanup(func() { p.stop() })
	return p
}

func (s *slurm) start(args ...string) program {
	s.t.Helper()
	return start(s.t, s.env, append(args, "--config", s.config)...)
}

// ask asks as the executor does.
func ask(t *testing.T, w plansource.Way, q plansource.Question) plansource.Answer {
	t.Helper()
	dir := t.TempDir()
	a := plansource.Advisor{Web: host.Web{SlurmUser: -1}, Pipes: host.NewPipes(filepath.Join(dir, "asks"), -1)}
	const within = 10 * time.Second
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	return a.Ask(ctx, host.NewEnv(filepath.Join(dir, "locks"), host.NewLog(io.Discard)), w, q, within)
}

// grouped is a newSlurm whose configuration declares the nodes of aws-hpc, with
// 36 CPUs.
func grouped(t *testing.T) *slurm {
	t.Helper()
	s := newSlurm(t, "")
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	const groups = `partitions: [{partition_name: aws-hpc, node_groups: [{node_group_name: mpi, max_nodes: 8, cpus: 36, memory_mb: 60000, image: {owner: amazon, name: "al2023*"}, subnets: {default_for_az: true}}]}], `
	if err := os.WriteFile(s.config, []byte(strings.Replace(string(text), "slurm: {", "slurm: {"+groups, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// servers start both ways in.
func (s *slurm) servers(more ...string) map[string]plansource.Way {
	s.t.Helper()
	dir := s.t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		s.t.Fatal(err)
	}
	over := s.start(append([]string{"serve", "--port", "0"}, more...)...)
	pipe := s.start(append([]string{"daemon", "--pipe", filepath.Join(dir, "pipe")}, more...)...)
	return map[string]plansource.Way{"HTTP": {URL: over.first}, "pipe": {Pipe: pipe.first}}
}

func TestTheExecutorsClientIsAnsweredOverEachWay(t *testing.T) {
	s := newSlurm(t, "")
	for name, way := range s.servers("--mpi") {
		a := ask(t, way, plansource.Question{Job: "2", Nodes: 8})
		if a.Outcome != plansource.Found || !a.Trusted || a.Plan.JobID.Value != "2" || a.Plan.UserID.Value != "ann" || a.Plan.InstanceCount.Value != 8 || !a.Plan.RequiresEFA.Value {
			t.Errorf("%s: %v %q %s", name, a.Outcome, a.Cause, a.Text)
		}
		judged(t, string(a.Text))
		if a := ask(t, way, plansource.Question{Nodes: 3}); a.Outcome != plansource.Found || a.Plan.InstanceCount.Value != 3 {
			t.Errorf("%s, nodes alone: %v %q %s", name, a.Outcome, a.Cause, a.Text)
		}
		// A job that this Slurm does not have may be another cluster's.
		if a := ask(t, way, plansource.Question{Job: "4711", Nodes: 2}); a.Outcome != plansource.Found || a.Plan.JobID.Value != "4711" {
			t.Errorf("%s, a job that is not known: %v %q %s", name, a.Outcome, a.Cause, a.Text)
		}
		if a := ask(t, way, plansource.Question{Job: "4711"}); a.Outcome != plansource.Missing || !strings.Contains(a.Cause, "Slurm has no job 4711") {
			t.Errorf("%s, that alone: %v %q", name, a.Outcome, a.Cause)
		}
	}
}

func TestManyExecutorsAskAtOnce(t *testing.T) {
	s := newSlurm(t, "")
	for name, way := range s.servers() {
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				if a := ask(t, way, plansource.Question{Nodes: i + 1}); a.Outcome != plansource.Found || a.Plan.InstanceCount.Value != i+1 {
					t.Errorf("%s: %v %q %s", name, a.Outcome, a.Cause, a.Text)
				}
			})
		}
		wg.Wait()
	}
}

func TestAQuestionsPartitionCounts(t *testing.T) {
	s := grouped(t)
	for name, way := range s.servers() {
		// Its nodes are declared with 36 CPUs: nothing smaller will do.
		a := ask(t, way, plansource.Question{Nodes: 4, Partition: "aws-hpc"})
		b := ask(t, way, plansource.Question{Nodes: 4, Partition: "another"})
		if a.Outcome != plansource.Found || b.Outcome != plansource.Found || strings.Contains(string(a.Text), ".medium") || !strings.Contains(string(b.Text), ".medium") {
			t.Errorf("%s: %s\n%s", name, a.Text, b.Text)
		}
	}
}

func post(t testing.TB, url, body string) (status int, answer string) {
	t.Helper()
	r, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(data)
}

func TestAnExplanationIsTheAnalysisInFull(t *testing.T) {
	s := newSlurm(t, "")
	p := s.start("serve", "--port", "0", "--mpi")
	status, body := post(t, p.first+"/explain", `{"job_id":2}`)
	var x struct {
		Region   string
		Bursts   bool `json:"should_burst"`
		Nodes    int
		Reasons  []string
		Excluded int
		Types    []struct {
			Type, Market, Reason string
			Cost                 *float64
			Planned              bool `json:"in_plan"`
		}
		Plan json.RawMessage `json:"execution_plan"`
	}
	if err := json.Unmarshal([]byte(body), &x); err != nil || status != 200 {
		t.Fatalf("%d %v %s", status, err, body)
	}
	if x.Region != "us-east-1" || !x.Bursts || x.Nodes != 8 || len(x.Types) < 5 || x.Excluded < 100 || !x.Types[0].Planned || x.Types[0].Cost == nil || x.Types[0].Reason == "" || len(x.Reasons) == 0 {
		t.Errorf("%.2000s", body)
	}
	if p := judged(t, string(x.Plan)); p.InstanceTypes.Value[0] != x.Types[0].Type {
		t.Errorf("the plan begins with %s, the types with %s", p.InstanceTypes.Value[0], x.Types[0].Type)
	}
	for body, want := range map[string]int{`{"job_id":4711}`: 422, `{"partition":"x"}`: 400} {
		if status, answer := post(t, p.first+"/analyze", body); status != want {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
}

const waveScript = "#!/bin/bash\n#SBATCH --nodes=4 --ntasks-per-node=36 --time=4:00:00\n#SBATCH --job-name=wave\nmpirun ./wave\n"

func TestAScriptIsReadWhereSlurmDoesNotKnowTheJob(t *testing.T) {
	s := newSlurm(t, "")
	for name, way := range s.servers() {
		if name == "pipe" { // which never carries a script
			continue
		}
		for what, q := range map[string]plansource.Question{
			"a script": {Script: []byte(waveScript)}, "a script and a job that is not known": {Script: []byte(waveScript), Job: "4711"},
		} {
			a := ask(t, way, q)
			if a.Outcome != plansource.Found || a.Plan.InstanceCount.Value != 4 || a.Plan.ProcessCount.Value != 144 || !a.Plan.RequiresEFA.Value || a.Plan.JobID.Value != q.Job {
				t.Errorf("%s: %v %q %s", what, a.Outcome, a.Cause, a.Text)
			}
		}
		// Slurm's own record counts, and the script says that it is MPI.
		if a := ask(t, way, plansource.Question{Script: []byte(waveScript), Job: "2"}); a.Outcome != plansource.Found || a.Plan.InstanceCount.Value != 8 || !a.Plan.RequiresEFA.Value {
			t.Errorf("a job that is known: %v %q %s", a.Outcome, a.Cause, a.Text)
		}
		// Who asks has seen which nodes Slurm gives it.
		if a := ask(t, way, plansource.Question{Script: []byte(waveScript), Nodes: 6}); a.Outcome != plansource.Found || a.Plan.InstanceCount.Value != 6 {
			t.Errorf("with its nodes: %v %q %s", a.Outcome, a.Cause, a.Text)
		}
		if a := ask(t, way, plansource.Question{Script: []byte("#!/bin/bash\n#SBATCH --tiem=1\n")}); a.Outcome != plansource.Missing || !strings.Contains(a.Cause, "HTTP 422") || !strings.Contains(a.Cause, "job script:2") {
			t.Errorf("one that sbatch would refuse: %v %q", a.Outcome, a.Cause)
		}
		if status, body := post(t, way.URL+"/explain", `{"job_script":"#!/bin/bash\n#SBATCH --nodes=2\nsrun a\n#SBATCH --time=1\n"}`); status != 200 || !strings.Contains(body, `"level":"warning","file":"job script","line":4`) {
			t.Errorf("%d %.300s ... findings %s", status, body, body[strings.LastIndex(body, `"findings"`):])
		}
	}
}

func TestASlurmThatCannotBeAskedIsOurTrouble(t *testing.T) {
	s := newSlurm(t, "")
	p := s.start("serve", "--port", "0")
	if err := os.WriteFile(filepath.Join(filepath.Dir(s.config), "scontrol"), []byte("#!/bin/sh\necho 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if status, answer := post(t, p.first+"/analyze", `{"job_id":2}`); status != 500 || !strings.Contains(answer, "Unable to contact slurm controller") {
		t.Errorf("%d %s", status, answer)
	}
	if status, answer := post(t, p.first+"/analyze", `{"job_id":2,"node_count":8}`); status != 200 {
		t.Errorf("%d %s", status, answer)
	}
}

// What is read again and is wrong by now does not take the advisor away.
func TestAChangedConfigurationCountsAndABrokenOneDoesNot(t *testing.T) {
	s := grouped(t)
	a := &analyst{tool: &tool{app.IO{Getenv: func(n string) string { return s.env[n] }, Stderr: io.Discard, Stop: t.Context()}}}
	a.flags(new(cobra.Command).Flags())
	a.config = s.config
	var log bytes.Buffer
	l, err := newLog(&log, "info")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.start(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	old := func() { a.read = a.read.Add(-reread) }
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bursts := func() bool {
		t.Helper()
		j, err := a.judge(t.Context(), asked{nodes: 4, partition: "aws-hpc"})
		if err != nil {
			t.Fatal(err)
		}
		return j.Plan.Bursts()
	}
	write(strings.ReplaceAll(string(text), "max_nodes: 8", "max_nodes: 3"))
	if !bursts() {
		t.Error("what was read a moment ago holds")
	}
	old()
	if bursts() {
		t.Error("the new limit does not count")
	}
	write("no: such: thing")
	old()
	if bursts() || !strings.Contains(log.String(), "going on with what was read before") {
		t.Errorf("the broken configuration counts, or nobody is told: %s", log.String())
	}
}

// certificate makes a certificate for this machine, and its key.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	err = errors.Join(os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func TestATokenAndTLSAreForClientsThatHaveThem(t *testing.T) {
	s := newSlurm(t, "")
	cert, key := certificate(t)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("0123456789abcdef0123\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := s.start("serve", "--listen", "127.0.0.1:0", "--token-file", token, "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(p.first, "https://127.0.0.1:") {
		t.Fatal(p.first)
	}
	q := plansource.Question{Nodes: 2}
	if a := ask(t, plansource.Way{URL: p.first, TokenFile: token, CAFile: cert}, q); a.Outcome != plansource.Found || !a.Trusted {
		t.Errorf("%v %q", a.Outcome, a.Cause)
	}
	if a := ask(t, plansource.Way{URL: p.first, CAFile: cert}, q); a.Outcome != plansource.Missing || !strings.Contains(a.Cause, "HTTP 401") {
		t.Errorf("without the token: %v %q", a.Outcome, a.Cause)
	}
	if a := ask(t, plansource.Way{URL: p.first, TokenFile: token}, q); a.Outcome != plansource.Missing || !strings.Contains(a.Cause, "not reachable") {
		t.Errorf("without the certificate: %v %q", a.Outcome, a.Cause)
	}
	if strings.Contains(p.log.String(), "0123456789abcdef") {
		t.Error("the token is in the log")
	}
	if code := p.stop(); code != 0 || !strings.Contains(p.log.String(), `"msg":"stopped"`) {
		t.Errorf("exit %d: %s", code, p.log)
	}
}

func TestWhatServeAndDaemonRefuse(t *testing.T) {
	s := newSlurm(t, "")
	dir := t.TempDir()
	cert, key := certificate(t)
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	token := file("token", "0123456789abcdef", 0o600)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"everyone":           {[]string{"serve", "--listen", "0.0.0.0:0"}, 2, "needs --token-file, --tls-cert and --tls-key"},
		"without TLS":        {[]string{"serve", "--listen", "0.0.0.0:0", "--token-file", token}, 2, "needs --token-file"},
		"without a token":    {[]string{"serve", "--listen", "[::]:0", "--tls-cert", cert, "--tls-key", key}, 2, "needs --token-file"},
		"a name of nobody's": {[]string{"serve", "--listen", "no-such-host.invalid:0"}, 2, "--listen no-such-host.invalid:0: lookup no-such-host.invalid"},
		"no name":            {[]string{"serve", "--listen", ""}, 2, `--listen "": others reach this address`},
		"half of TLS":        {[]string{"serve", "--port", "0", "--tls-cert", cert}, 2, "go together"},
		"no certificate":     {[]string{"serve", "--port", "0", "--tls-cert", token, "--tls-key", key}, 2, "failed to find"},
		"an open token":      {[]string{"serve", "--port", "0", "--token-file", file("open", "0123456789abcdef", 0o640)}, 2, "chmod 600"},
		"a short token":      {[]string{"serve", "--port", "0", "--token-file", file("short", "secret", 0o600)}, 2, "at least 16 characters"},
		"two words":          {[]string{"serve", "--port", "0", "--token-file", file("words", "0123456789abcdef 0123", 0o600)}, 2, "one word"},
		"no token":           {[]string{"serve", "--port", "0", "--token-file", dir}, 2, "no regular file"},
		"two ports":          {[]string{"serve", "--port", "1", "--listen", "127.0.0.1:2"}, 2, "two ports"},
		"a port in use":      {[]string{"serve", "--listen", l.Addr().String()}, 1, "choose another port"},
		"a level":            {[]string{"serve", "--log-level", "loud"}, 2, "is not one of debug"},
		"a region":           {[]string{"serve", "--port", "0", "--region", "us-esat-1"}, 2, "did you mean us-east-1?"},
		"no pipe":            {[]string{"daemon"}, 2, "no pipe given"},
		"a file":             {[]string{"daemon", "--pipe", token}, 1, "not a pipe"},
		"a daemon's level":   {[]string{"daemon", "--pipe", filepath.Join(dir, "p"), "--log-level", "x"}, 2, "is not one of debug"},
	} {
		out, stderr, code := s.run(c.args...)
		if code != c.code || out != "" || !strings.Contains(stderr, c.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit %d, %q, %s", name, code, out, stderr)
		}
	}
	pipe := filepath.Join(s.t.TempDir(), "pipe")
	if err := os.Chmod(filepath.Dir(pipe), 0o700); err != nil {
		t.Fatal(err)
	}
	first := s.start("daemon", "--pipe", pipe)
	if out, stderr, code := s.run("daemon", "--pipe", pipe); code != 8 || out != "" || !strings.Contains(stderr, "another daemon reads the pipe") {
		t.Errorf("a second daemon: exit %d, %s", code, stderr)
	}
	if code := first.stop(); code != 0 {
		t.Errorf("exit %d: %s", code, first.log)
	}
	if _, err := os.Lstat(pipe); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the pipe is still there: %v", err)
	}
}

func TestAScriptOverThePipeIsReadByTheAdvisor(t *testing.T) {
	s := newSlurm(t, "")
	o := overPipe{&analyst{tool: &tool{app.IO{Getenv: func(n string) string { return s.env[n] }, Stderr: io.Discard, Stop: t.Context()}}}}
	o.flags(new(cobra.Command).Flags())
	o.config = s.config
	l, err := newLog(io.Discard, "info")
	if err != nil {
		t.Fatal(err)
	}
	if err := o.start(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "job.sbatch")
	q := protocol.PipeRequest{ID: "0123456789abcdef", Reply: "/r", NodeCount: 2, ScriptPath: script}
	if _, err := o.Analyze(t.Context(), q); err == nil || !strings.Contains(err.Error(), "the script is not readable") {
		t.Error(err)
	}
	if err := os.WriteFile(script, bytes.Repeat([]byte("x"), protocol.MaxScript+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Analyze(t.Context(), q); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Error(err)
	}
	if err := os.WriteFile(script, []byte(waveScript), 0o600); err != nil {
		t.Fatal(err)
	}
	q.NodeCount = 0
	a, err := o.Analyze(t.Context(), q)
	if err != nil || a.AnalysisID != q.ID {
		t.Fatalf("%+v %v", a, err)
	}
	if p := judged(t, string(a.Plan)); p.InstanceCount.Value != 4 || !p.RequiresEFA.Value {
		t.Errorf("%s", a.Plan)
	}
}

// stuckWriter takes nothing until it is let go.
type stuckWriter struct {
	let chan struct{}
	n   int
}

func (w *stuckWriter) Write(p []byte) (int, error) {
	<-w.let
	w.n += bytes.Count(p, []byte("\n"))
	if bytes.Contains(p, []byte(`"count":`)) && !strings.Contains(string(p), fmt.Sprintf(`"count":%d`, 100)) {
		return 0, fmt.Errorf("%s", p)
	}
	return len(p), nil
}

func TestALogThatNobodyReadsKeepsNobody(t *testing.T) {
	w := &stuckWriter{let: make(chan struct{})}
	s := newSpill(w)
	_, _ = s.Write([]byte("first\n"))
	for len(s.lines) > 0 { // until it is being written
		time.Sleep(time.Millisecond)
	}
	for range spilled + 100 {
		if _, err := s.Write([]byte("line\n")); err != nil {
			t.Fatal(err)
		}
	}
	close(w.let)
	s.Close()
	<-s.done
	if _, err := s.Write([]byte("late\n")); err != nil || w.n != 1+spilled+1 {
		t.Errorf("%d lines were written, %v; want all that had room, and one about the rest", w.n, err)
	}
}
