package advisor

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"aws-slurm-burst/asba/protocol"
)

// asker is a client that asks often: over HTTP with a connection of its own, or
// over the pipe with one reply pipe.
type asker interface {
	ask(job int) error
	close()
}

// Jobs that differ have different scripts, for up to eight nodes. There are more
// of them than are remembered at a time.
const (
	oneJob   = 1
	manyJobs = 2560
)

func scriptOf(job int) string {
	return strings.Replace(waveScript, "--time=4:00:00", fmt.Sprintf("--time=%d", 240+job), 1)
}

func nodes(job int) int { return 1 + job%8 }

type webAsker struct {
	client *http.Client
	url    string
}

func newWebAsker(url string) *webAsker {
	return &webAsker{&http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}, url}
}

func (w *webAsker) ask(job int) error {
	body, err := protocol.Request{JobScript: scriptOf(job), NodeCount: nodes(job)}.Encode()
	if err != nil {
		return err
	}
	r, err := w.client.Post(w.url, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer func() { _ = r.Body.Close() }()
	data, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%d %s", r.StatusCode, data)
	}
	return err
}

func (w *webAsker) close() { w.client.CloseIdleConnections() }

type pipeAsker struct {
	to, from *os.File
	reply    string
	scripts  string // their folder
	buf      []byte
	n        int
	echo     bool // the answer is any line
}

func newPipeAsker(t testing.TB, pipe, dir, scripts string, i int) *pipeAsker {
	t.Helper()
	p := &pipeAsker{reply: filepath.Join(dir, fmt.Sprintf("reply-%d", i)), scripts: scripts, buf: make([]byte, 64<<10)}
	err := syscall.Mkfifo(p.reply, 0o600)
	if err == nil {
		p.from, err = os.OpenFile(p.reply, os.O_RDWR|syscall.O_NONBLOCK, 0) // for writing too: reading waits where no writer is there
	}
	if err == nil {
		p.to, err = os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// scripts is a folder with the scripts of all jobs.
func scripts(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for job := range manyJobs {
		if err := os.WriteFile(scriptFile(dir, job), []byte(scriptOf(job)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func scriptFile(dir string, job int) string { return filepath.Join(dir, fmt.Sprintf("%d.sbatch", job)) }

func (p *pipeAsker) ask(job int) error {
	p.n++
	id := fmt.Sprintf("soak-%s-%010d", strings.ReplaceAll(filepath.Base(p.reply), "reply-", ""), p.n)
	line, err := protocol.PipeRequest{ID: id, Reply: p.reply, NodeCount: nodes(job), ScriptPath: scriptFile(p.scripts, job)}.Line()
	if err != nil {
		return err
	}
	_ = errors.Join(p.to.SetWriteDeadline(time.Now().Add(30*time.Second)), p.from.SetReadDeadline(time.Now().Add(30*time.Second)))
	if _, err := p.to.Write(line); err != nil {
		return err
	}
	var got []byte
	for !bytes.HasSuffix(got, []byte("\n")) {
		n, err := p.from.Read(p.buf)
		if err != nil {
			return err
		}
		got = append(got, p.buf[:n]...)
	}
	if p.echo {
		return nil
	}
	_, err = protocol.ReadAnswer(got, id)
	return err
}

func (p *pipeAsker) close() { _ = errors.Join(p.to.Close(), p.from.Close()) }

// rounds has every client ask, all of them so many times together, each at most
// once in every pause and one job after the other of so many, and returns how long
// each question took, sorted.
func rounds(t testing.TB, clients []asker, total int, pause time.Duration, jobs int) []time.Duration {
	t.Helper()
	var asked atomic.Int64
	took := make([][]time.Duration, len(clients))
	var wg sync.WaitGroup
	for i, c := range clients {
		wg.Go(func() {
			if pause > 0 {
				time.Sleep(pause * time.Duration(i) / time.Duration(len(clients)))
			}
			for {
				n := int(asked.Add(1)) - 1
				if n >= total {
					return
				}
				began := time.Now()
				if err := c.ask(n % jobs); err != nil {
					t.Error(err)
					return
				}
				d := time.Since(began)
				took[i] = append(took[i], d)
				time.Sleep(pause - d)
			}
		})
	}
	wg.Wait()
	all := slices.Concat(took...)
	slices.Sort(all)
	return all
}

func quantile(all []time.Duration, q float64) time.Duration {
	return all[min(len(all)-1, int(q*float64(len(all))))]
}

// webClients and pipeClients are so many clients of a server or a daemon.
func webClients(t testing.TB, url string, n int) (clients []asker) {
	for range n {
		c := newWebAsker(url)
		t.Cleanup(c.close)
		clients = append(clients, c)
	}
	return clients
}

func pipeClients(t testing.TB, pipe, scripts string, n int) (clients []asker) {
	dir := t.TempDir()
	for i := range n {
		c := newPipeAsker(t, pipe, dir, scripts, i)
		t.Cleanup(c.close)
		clients = append(clients, c)
	}
	return clients
}

// heap is what is alive after everything dead is gone.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // what finalizers let go
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// brim is the most that is alive while the clients ask of all jobs, and of all once
// more and again: what is remembered grows and is forgotten by turns, and begins anew
// where the configuration is read again, but not twice in so short a time.
func brim(t *testing.T, clients []asker, jobs int) (most uint64, asked int) {
	step := max(100, jobs/10)
	for ; asked < max(200, 3*jobs) && !t.Failed(); asked += step {
		var next []asker
		for _, c := range clients {
			next = append(next, shifted{c, asked, jobs})
		}
		rounds(t, next, step, 0, jobs)
		most = max(most, heap())
	}
	return most, asked
}

// shifted is a client that begins with another job.
type shifted struct {
	asker
	by, jobs int
}

func (s shifted) ask(job int) error { return s.asker.ask((job + s.by) % s.jobs) }

// files is how many file descriptors are open.
func files(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// TestMemoryIsFlat asks each way for as long as ASBA_SOAK says, or so many
// questions, of jobs that differ; without, for half a second of one. What is alive
// afterwards at most, what is open and who runs are what they were once all was
// remembered that ever is.
func TestMemoryIsFlat(t *testing.T) {
	const few = 3000
	within, total, jobs := 500*time.Millisecond, 0, oneJob
	if s := os.Getenv("ASBA_SOAK"); s != "" {
		jobs = manyJobs
		var err error
		if total, err = strconv.Atoi(s); err != nil {
			within, err = time.ParseDuration(s)
			within /= 2 // two ways
		}
		if err != nil {
			t.Fatalf("ASBA_SOAK: %v", err)
		}
	}
	s := newSlurm(t, "")
	ways := s.servers("--log-level", "error")
	for _, way := range []struct {
		name    string
		clients []asker
	}{
		{"HTTP", webClients(t, ways["HTTP"].URL+"/analyze", 8)}, {"pipe", pipeClients(t, ways["pipe"].Pipe, scripts(t), 8)},
	} {
		t.Run(way.name, func(t *testing.T) {
			end := time.Now().Add(within)
			before, _ := brim(t, way.clients, jobs)
			goroutines, open := runtime.NumGoroutine(), files(t)
			asked := 0
			for !t.Failed() && (asked < max(total, few) || total == 0 && time.Now().Before(end)) {
				asked += len(rounds(t, way.clients, max(200, jobs), 0, jobs))
			}
			after, more := brim(t, way.clients, jobs)
			asked += more
			t.Logf("%d questions: %d kB alive, before them %d kB", asked, after>>10, before>>10)
			// A question that left a kilobyte behind shows after few.
			if most := before + 2<<20; after > most {
				t.Errorf("%d kB are alive after %d questions more, %d kB before them", after>>10, asked, before>>10)
			}
			if n := runtime.NumGoroutine(); n > goroutines+16 {
				t.Errorf("%d goroutines, %d before", n, goroutines)
			}
			if n := files(t); n > open+16 {
				t.Errorf("%d files are open, %d were before", n, open)
			}
		})
	}
}

// BenchmarkAnalyze is POST /analyze by 8 clients as fast as they can, beside a
// bare net/http echo of the same bytes, both in this process and with their
// clients in it: of one job, and of jobs that are no more remembered.
func BenchmarkAnalyze(b *testing.B) {
	s := newSlurm(b, "")
	url := s.start("serve", "--port", "0", "--log-level", "error").first + "/analyze"
	status, answer := post(b, url, `{"job_id":2}`)
	if status != 200 {
		b.Fatal(answer)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	bare := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, answer)
	})}
	go func() { _ = bare.Serve(l) }()
	b.Cleanup(func() { _ = bare.Close() })
	const clients = 8
	for name, jobs := range map[string]int{"same": oneJob, "different": manyJobs} {
		b.Run(name, func(b *testing.B) {
			measure := func(url string) load {
				all := webClients(b, url, clients)
				rounds(b, all, 200, 0, jobs)
				return measured(b, all, 200*b.N, 0, jobs)
			}
			echo := measure("http://" + l.Addr().String())
			got := measure(url)
			b.ReportMetric(got.perSecond(), "answers/s")
			b.ReportMetric(echo.perSecond()/got.perSecond(), "x-slower-than-echo")
			compare(b, got, echo)
		})
	}
}

// load is what many questions took.
type load struct {
	each      []time.Duration // sorted
	wall, cpu time.Duration
}

func (l load) perSecond() float64 { return float64(len(l.each)) / l.wall.Seconds() }

func measured(b *testing.B, clients []asker, total int, pause time.Duration, jobs int) load {
	before, began := processor(b), time.Now()
	each := rounds(b, clients, total, pause, jobs)
	return load{each, time.Since(began), processor(b) - before}
}

// processor is the time of processors that this process took.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// compare reports how long questions took, and beside the echo's; and what each
// took of a processor, its client too, which does not depend on who else is busy.
func compare(b *testing.B, got, echo load) {
	for q, name := range map[float64]string{.5: "p50", .99: "p99"} {
		b.ReportMetric(float64(quantile(got.each, q).Microseconds())/1e3, "ms-"+name)
		b.ReportMetric(float64(quantile(got.each, q))/float64(quantile(echo.each, q)), "x-"+name+"-of-echo")
	}
	cpu := func(l load) float64 { return float64(l.cpu.Microseconds()) / float64(len(l.each)) }
	b.ReportMetric(cpu(got), "us-cpu")
	b.ReportMetric(cpu(got)/cpu(echo), "x-cpu-of-echo")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkPipe is a question over the pipe by 64 clients, at 5 questions a
// second each and as fast as they can, beside a bare echo over the same pipes.
func BenchmarkPipe(b *testing.B) {
	const clients = 64
	s := newSlurm(b, "")
	dir := b.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	pipe := s.start("daemon", "--pipe", filepath.Join(dir, "pipe"), "--log-level", "error").first
	dir = scripts(b)
	echoes, all := echoed(b, dir, clients), pipeClients(b, pipe, dir, clients)
	for _, way := range []struct {
		name  string
		pause time.Duration
		jobs  int
	}{{"paced", 200 * time.Millisecond, manyJobs}, {"busy/same", 0, oneJob}, {"busy/different", 0, manyJobs}} {
		b.Run(way.name, func(b *testing.B) {
			times := clients * b.N
			if way.pause == 0 {
				times *= 10
			}
			echo := measured(b, echoes, times, way.pause, way.jobs)
			rounds(b, all, clients, 0, way.jobs)
			compare(b, measured(b, all, times, way.pause, way.jobs), echo)
		})
	}
}

// echoed are clients of a pipe whose reader writes an answer's length of bytes
// to the reply pipe that a line names, and does no more.
func echoed(b *testing.B, scripts string, n int) (clients []asker) {
	dir := b.TempDir()
	path := filepath.Join(dir, "echo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		b.Fatal(err)
	}
	from, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		b.Fatal(err)
	}
	answer := append(bytes.Repeat([]byte("x"), 1400), '\n')
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 64<<10)
		var rest []byte
		for {
			n, err := from.Read(buf)
			if err != nil {
				return
			}
			rest = append(rest, buf[:n]...)
			for {
				line, after, whole := bytes.Cut(rest, []byte("\n"))
				if !whole {
					break
				}
				_, reply, _ := strings.Cut(string(line), `"reply":"`)
				reply, _, _ = strings.Cut(reply, `"`)
				if to, err := os.OpenFile(reply, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
					_, _ = to.Write(answer)
					_ = to.Close()
				}
				rest = after
			}
		}
	}()
	b.Cleanup(func() { _ = from.Close(); <-done })
	clients = pipeClients(b, path, scripts, n)
	for _, c := range clients {
		c.(*pipeAsker).echo = true
	}
	return clients
}
