package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"aws-slurm-burst/asba/protocol"
)

const aPlan = `{"should_burst":true,"instance_specification":{"instance_types":["c7i.24xlarge"]}}`

// analyst is what a test lets answer.
type analyst func(context.Context, protocol.PipeRequest) (protocol.Answer, error)

func (a analyst) Analyze(ctx context.Context, q protocol.PipeRequest) (protocol.Answer, error) {
	return a(ctx, q)
}

// good tells in the answer what was asked.
func good(_ context.Context, q protocol.PipeRequest) (protocol.Answer, error) {
	return protocol.Answer{Plan: []byte(aPlan), AnalysisID: "of-" + q.JobID, Confidence: 0.75}, nil
}

// log is a log that a test reads while it is written.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// running is a daemon that is stopped with its test.
type running struct {
	*Daemon
	log  *log
	stop func() error
}

func run(t testing.TB, path string, a Analyst, o Options) running {
	t.Helper()
	r := running{log: &log{}}
	o.Log = slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	d, err := Open(path, a, o)
	if err != nil {
		t.Fatal(err)
	}
	r.Daemon = d
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Serve(ctx) }()
	var once sync.Once
	var result error
	r.stop = func() error {
		once.Do(func() { cancel(); result = <-ended })
		return result
	}
	t.Cleanup(func() { _ = r.stop() })
	return r
}

// folder is one that only we can write.
func folder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// client is a client with a reply pipe of its own, written from the protocol's
// words alone.
type client struct {
	id, path string
	from     *os.File
}

var count atomic.Int64

func newClient(t testing.TB) *client {
	t.Helper()
	c := &client{id: fmt.Sprintf("question-%010d", count.Add(1)), path: filepath.Join(t.TempDir(), "reply")}
	if err := syscall.Mkfifo(c.path, 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if c.from, err = os.OpenFile(c.path, os.O_RDONLY|syscall.O_NONBLOCK, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.from.Close() })
	return c
}

func (c *client) line(job string) string {
	return fmt.Sprintf(`{"asba":1,"id":%q,"reply":%q,"job_id":%q}`+"\n", c.id, c.path, job)
}

// write writes into the daemon's pipe at once.
func write(t testing.TB, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	_ = f.SetWriteDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(f, text); err != nil {
		t.Fatal(err)
	}
}

// answer waits for the answer's line.
func (c *client) answer(t testing.TB) (protocol.Answer, error) {
	t.Helper()
	var got []byte
	buf := make([]byte, 64<<10)
	for end := time.Now().Add(10 * time.Second); !bytes.HasSuffix(got, []byte("\n")); {
		n, err := c.from.Read(buf)
		got = append(got, buf[:n]...)
		if err == nil || errors.Is(err, io.EOF) && n == 0 && time.Now().Before(end) {
			if n == 0 {
				time.Sleep(time.Millisecond) // no writer yet
			}
			continue
		}
		t.Fatalf("%s: %d bytes, %v", c.id, len(got), err)
	}
	return protocol.ReadAnswer(got, c.id)
}

func (c *client) wantAnswer(t *testing.T, job string) {
	t.Helper()
	if a, err := c.answer(t); err != nil || a.AnalysisID != "of-"+job || string(a.Plan) != aPlan {
		t.Errorf("job %s: %+v, %v", job, a, err)
	}
}

func (c *client) wantFailure(t *testing.T, words string) {
	t.Helper()
	var f *protocol.Failure
	if a, err := c.answer(t); !errors.As(err, &f) || !strings.Contains(f.Text, words) {
		t.Errorf("want a failure with %q, got %+v, %v", words, a, err)
	}
}

// eventually waits for the log to have words.
func (r running) eventually(t *testing.T, words string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !strings.Contains(r.log.String(), words); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the log has no %q:\n%s", words, r.log)
		}
	}
}

func TestManyClientsAreAnsweredEachOnItsOwnPipe(t *testing.T) {
	path := filepath.Join(folder(t), "p")
	r := run(t, path, analyst(good), Options{})
	st, err := os.Lstat(path)
	if err != nil || st.Mode() != os.ModeNamedPipe|0o600 || r.Path() != path {
		t.Fatalf("%v %v", st.Mode(), err)
	}
	var wg sync.WaitGroup
	for i := range 64 {
		c := newClient(t)
		wg.Go(func() {
			job := fmt.Sprint(i + 1)
			write(t, path, c.line(job))
			c.wantAnswer(t, job)
		})
	}
	wg.Wait()
}

func TestALineThatIsNoQuestionCostsItselfAlone(t *testing.T) {
	path := filepath.Join(folder(t), "p")
	r := run(t, path, analyst(good), Options{})
	long := strings.Repeat("x", 20<<10)
	for name, before := range map[string]string{
		"garbage":               "hello\n\x00\xff\n\n",
		"overlong":              long + "\n",
		"overlong, not ended":   long,
		"cut short":             `{"asba":1,"id":"0123456789abcdef","rep`,
		"another version":       `{"asba":2,"id":"0123456789abcdef","reply":"/r","job_id":"1"}` + "\n",
		"a plan":                `{"should_burst":true}` + "\n",
		"a reply path too long": `{"asba":1,"id":"0123456789abcdef","reply":"/` + strings.Repeat("r", 4000) + `","job_id":"1"}` + "\n",
	} {
		c := newClient(t)
		write(t, path, before)
		write(t, path, c.line("7"))
		c.wantAnswer(t, "7")
		if t.Failed() {
			t.Fatal(name)
		}
	}
	r.eventually(t, "broken question")
	c := newClient(t)
	write(t, path, strings.Replace(c.line("7"), `"job_id":"7"`, `"job_id":"seven"`, 1))
	c.wantFailure(t, `"seven" is not a job's`)
}

func TestWhatIsNotTheClientsOwnPipeIsNotWrittenTo(t *testing.T) {
	dir := folder(t)
	path := filepath.Join(dir, "p")
	r := run(t, path, analyst(good), Options{})
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	good, open := newClient(t), newClient(t)
	link := filepath.Join(dir, "link")
	if err := errors.Join(os.Symlink(good.path, link), os.Chmod(open.path, 0o622)); err != nil {
		t.Fatal(err)
	}
	replies := map[string]string{
		file: "not a pipe", dir: "not a pipe", "/dev/null": "not a pipe", link: "not a pipe",
		open.path: "can be opened by others", filepath.Join(dir, "nothing"): "the client has gone", file + "/x": "not a directory",
	}
	if os.Geteuid() == 0 { // nobody else can give a file away
		other := newClient(t)
		if err := os.Chown(other.path, 12345, 12345); err != nil {
			t.Fatal(err)
		}
		replies[other.path] = "belongs to somebody else"
	}
	for to, want := range replies {
		id := fmt.Sprintf("hostile-%010d", count.Add(1))
		write(t, path, fmt.Sprintf(`{"asba":1,"id":%q,"reply":%q,"job_id":"1"}`+"\n", id, to))
		r.eventually(t, id)
		r.eventually(t, want)
	}
	if data, err := os.ReadFile(file); err != nil || string(data) != "precious" {
		t.Errorf("the file holds %q, %v", data, err)
	}
	write(t, path, good.line("8"))
	good.wantAnswer(t, "8")
}

func TestClientsThatDieAreForgotten(t *testing.T) {
	path := filepath.Join(folder(t), "p")
	asked := make(chan string, 9)
	release := make(chan struct{})
	r := run(t, path, analyst(func(ctx context.Context, q protocol.PipeRequest) (protocol.Answer, error) {
		asked <- q.JobID
		if q.JobID == "2" {
			<-release
		}
		return good(ctx, q)
	}), Options{})
	before := newClient(t)
	_ = before.from.Close()
	write(t, path, before.line("1"))
	r.eventually(t, "the client has gone")
	during := newClient(t)
	write(t, path, during.line("2"))
	if job := <-asked; job != "2" {
		t.Errorf("job %s was analyzed for the dead", job)
	}
	_ = during.from.Close()
	close(release)
	r.eventually(t, `"not_answered":"the client has gone"`)
	after := newClient(t)
	write(t, path, after.line("3"))
	after.wantAnswer(t, "3")
}

func TestAClientThatDoesNotReadIsGivenUp(t *testing.T) {
	path := filepath.Join(folder(t), "p")
	large := []byte(`{"x":"` + strings.Repeat("x", 200<<10) + `"}`)
	r := run(t, path, analyst(func(ctx context.Context, q protocol.PipeRequest) (protocol.Answer, error) {
		if q.JobID == "1" {
			return protocol.Answer{Plan: large}, nil
		}
		return good(ctx, q)
	}), Options{Workers: 1, Patience: 50 * time.Millisecond})
	slow, next := newClient(t), newClient(t)
	write(t, path, slow.line("1"))
	write(t, path, next.line("2"))
	next.wantAnswer(t, "2")
	r.eventually(t, `"not_answered":"the client does not read"`)
	// What it can read then is no answer.
	if a, err := slow.answerAsFarAsItGoes(); !errors.Is(err, protocol.ErrCut) {
		t.Errorf("%+v, %v", a, err)
	}
	whole := newClient(t)
	write(t, path, whole.line("1"))
	if a, err := whole.answer(t); err != nil || !bytes.Equal(a.Plan, large) {
		t.Errorf("an answer larger than a pipe: %d bytes, %v", len(a.Plan), err)
	}
}

func (c *client) answerAsFarAsItGoes() (protocol.Answer, error) {
	data, err := io.ReadAll(c.from)
	if err != nil {
		return protocol.Answer{}, err
	}
	return protocol.ReadAnswer(data, c.id)
}

func TestMoreThanCanWaitIsTurnedAwayAtOnce(t *testing.T) {
	path := filepath.Join(folder(t), "p")
	asked, release := make(chan struct{}, 9), make(chan struct{})
	run(t, path, analyst(func(ctx context.Context, q protocol.PipeRequest) (protocol.Answer, error) {
		asked <- struct{}{}
		<-release
		return good(ctx, q)
	}), Options{Workers: 1, Queue: 1})
	first, second, third := newClient(t), newClient(t), newClient(t)
	write(t, path, first.line("1"))
	<-asked
	write(t, path, second.line("2"))
	write(t, path, third.line("3"))
	third.wantFailure(t, "too many questions at once")
	close(release)
	first.wantAnswer(t, "1")
	second.wantAnswer(t, "2")
}

func TestTroubleIsToldAndEndsNothing(t *testing.T) {
	path := filepath.Join(folder(t), "p")
	r := run(t, path, analyst(func(ctx context.Context, q protocol.PipeRequest) (protocol.Answer, error) {
		switch q.JobID {
		case "1":
			panic("ouch")
		case "2":
			<-ctx.Done()
			return protocol.Answer{}, ctx.Err()
		case "3":
			return protocol.Answer{Plan: []byte("no JSON")}, nil
		}
		return good(ctx, q)
	}), Options{Within: 10 * time.Millisecond})
	for job, want := range map[string]string{"1": "the advisor failed: see its log", "2": "deadline exceeded", "3": "execution_plan is not an object"} {
		c := newClient(t)
		write(t, path, c.line(job))
		c.wantFailure(t, want)
	}
	r.eventually(t, "ouch")
	c := newClient(t)
	write(t, path, c.line("4"))
	c.wantAnswer(t, "4")
}

func TestWhatHasComeIsAnsweredBeforeTheDaemonEnds(t *testing.T) {
	path := filepath.Join(folder(t), "p")
	asked, release := make(chan struct{}, 9), make(chan struct{})
	r := run(t, path, analyst(func(ctx context.Context, q protocol.PipeRequest) (protocol.Answer, error) {
		asked <- struct{}{}
		<-release
		return good(ctx, q)
	}), Options{Workers: 1})
	first, second := newClient(t), newClient(t)
	write(t, path, first.line("1"))
	<-asked
	write(t, path, second.line("2"))
	ended := make(chan error)
	go func() { ended <- r.stop() }()
	for _, err := os.Lstat(path); err == nil; _, err = os.Lstat(path) { // who comes now sees that nobody is there
		time.Sleep(time.Millisecond)
	}
	close(release)
	first.wantAnswer(t, "1")
	second.wantAnswer(t, "2")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAnAnalysisThatTakesTooLongDoesNotKeepTheDaemon(t *testing.T) {
	path := filepath.Join(folder(t), "p")
	asked := make(chan struct{})
	r := run(t, path, analyst(func(ctx context.Context, _ protocol.PipeRequest) (protocol.Answer, error) {
		close(asked)
		<-ctx.Done()
		return protocol.Answer{}, errors.New("interrupted")
	}), Options{Grace: 10 * time.Millisecond})
	c := newClient(t)
	write(t, path, c.line("1"))
	<-asked
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	c.wantFailure(t, "interrupted")
}

func TestThePipeOfAKilledDaemonIsTakenAndThatOfALiveOneIsNot(t *testing.T) {
	path := filepath.Join(folder(t), "p")
	if err := syscall.Mkfifo(path, 0o600); err != nil { // as a killed one leaves it
		t.Fatal(err)
	}
	r := run(t, path, analyst(good), Options{})
	if _, err := Open(path, analyst(good), Options{}); !errors.Is(err, ErrBusy) {
		t.Errorf("a second daemon: %v", err)
	}
	c := newClient(t)
	write(t, path, c.line("1"))
	c.wantAnswer(t, "1")
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the pipe is still there: %v", err)
	}
	run(t, path, analyst(good), Options{})
}

func TestOnlyAPipeOfOursIsTaken(t *testing.T) {
	dir := folder(t)
	pipe := func(name string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := errors.Join(syscall.Mkfifo(path, 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file, link, open := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "open")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Symlink(pipe("mine", 0o600), link), os.Mkdir(open, 0o700), os.Chmod(open, 0o777)); err != nil {
		t.Fatal(err)
	}
	cases := map[string]error{
		file: ErrNotPipe, link: ErrNotPipe, dir: ErrNotPipe, "/dev/null": ErrNotPipe,
		pipe("group", 0o620): ErrStranger, pipe("world", 0o602): ErrStranger, pipe("readers", 0o640): ErrStranger,
		filepath.Join(open, "p"): ErrStranger, filepath.Join(dir, "no", "p"): os.ErrNotExist,
	}
	if os.Geteuid() == 0 {
		theirs := pipe("theirs", 0o600)
		if err := os.Chown(theirs, 12345, 12345); err != nil {
			t.Fatal(err)
		}
		cases[theirs] = ErrStranger
	}
	for path, want := range cases {
		_, err := os.Lstat(path)
		before := err == nil
		if _, err := Open(path, analyst(good), Options{}); !errors.Is(err, want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
		if _, err := os.Lstat(path); (err == nil) != before {
			t.Errorf("%s: was there before: %v, and now: %v", path, before, err)
		}
	}
	if _, err := Open(link, analyst(good), Options{}); err == nil || !strings.Contains(err.Error(), "name the pipe that it leads to") {
		t.Errorf("a link: %v", err)
	}
}

func TestADaemonThatIsGivenUpLeavesNoPipe(t *testing.T) {
	path := filepath.Join(folder(t), "p")
	d, err := Open(path, analyst(good), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the pipe is still there: %v", err)
	}
}

func TestADaemonWhosePipeIsGoneEnds(t *testing.T) {
	path := filepath.Join(folder(t), "p")
	d, err := Open(path, analyst(good), Options{Look: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := d.Serve(t.Context()); !errors.Is(err, ErrReplaced) {
		t.Error(err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the pipe in its place was removed: %v", err)
	}
}

func TestAPipeThatOthersCanOpenIsLogged(t *testing.T) {
	path := filepath.Join(folder(t), "p")
	r := run(t, path, analyst(good), Options{Look: time.Millisecond})
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	r.eventually(t, "chmod 600 it")
	time.Sleep(10 * time.Millisecond) // some more looks
	if n := strings.Count(r.log.String(), "clients will refuse the pipe"); n != 1 {
		t.Errorf("it was told %d times: %s", n, r.log)
	}
	c := newClient(t) // of the same user: it is answered still
	write(t, path, c.line("7"))
	c.wantAnswer(t, "7")
}

// FuzzLines: whatever comes before a question, and however it arrives, the
// question is found, and no more than a line is held.
func FuzzLines(f *testing.F) {
	const question = `{"asba":1,"id":"0123456789abcdef","reply":"/run/r","job_id":"1"}` + "\n"
	f.Add([]byte("garbage"), 3)
	f.Add([]byte(`{"asba":1,"id":"0123`), 1)
	f.Add([]byte(strings.Repeat("x", 5000)+"\n\n"), 4096)
	f.Add([]byte(question+`{"asba":1,"id":"{\"asba\":`), 7)
	f.Fuzz(func(t *testing.T, before []byte, step int) {
		step = max(1, min(step, 1<<16))
		var l lines
		var last protocol.PipeRequest
		var err error
		emit := func(line []byte) {
			if len(line) > protocol.MaxLine+1 {
				t.Fatalf("a line of %d bytes", len(line))
			}
			last, err = protocol.ReadRequest(line)
		}
		for data := append(before, question...); len(data) > 0; {
			n := min(step, len(data))
			l.feed(data[:n], emit)
			data = data[n:]
		}
		if err != nil || last.JobID != "1" || len(l.rest) != 0 || cap(l.rest) > 1<<18 {
			t.Errorf("%+v, %v; %d bytes are left", last, err, len(l.rest))
		}
	})
}
