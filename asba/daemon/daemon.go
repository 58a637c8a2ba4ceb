// Package daemon answers the advisor's questions over a named pipe, as
// asba/protocol has it: questions come as lines on one pipe, each answer goes to
// the reply pipe that its question names.
//
// It does not advise: an Analyst does. It waits for nobody: a client that died
// is forgotten, one that does not read is given up, and a line that is no
// question costs itself alone. It never reads a script.
package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"aws-slurm-burst/asba/protocol"
)

// Analyst answers questions.
type Analyst interface {
	// Analyze answers before ctx ends. The text of an error is told to the
	// client, on one line.
	Analyze(ctx context.Context, q protocol.PipeRequest) (protocol.Answer, error)
}

// Options bound what a daemon does at once. Zero values are the defaults.
type Options struct {
	// Workers is how many questions are answered at once, Queue how many wait.
	// What comes beyond is answered with a failure at once.
	Workers, Queue int
	// Within is how long an analysis may take; scontrol gives up on a dead
	// slurmctld after 18 s.
	Within time.Duration
	// Patience is how long the answer waits for a client that does not read.
	Patience time.Duration
	// Grace is how long questions that have come may take once the daemon stops.
	Grace time.Duration
	// Look is how often it is seen whether the pipe is still the one there.
	Look time.Duration
	Log  *slog.Logger // none without
}

// Defaults.
const (
	workers  = 16
	queue    = 512
	within   = 20 * time.Second
	patience = 2 * time.Second
	grace    = 5 * time.Second
	look     = 2 * time.Second
)

// ErrReplaced is why a daemon ends by itself: nobody can reach it any more.
var ErrReplaced = errors.New("the pipe was removed, or another one is in its place")

// Daemon answers questions on one pipe.
type Daemon struct {
	Options
	pipe    *pipe
	analyst Analyst
}

// Open makes the pipe with mode 0600, or takes one that is there, and locks it
// for as long as this process lives. Errors: ErrNotPipe, ErrStranger, ErrBusy,
// or what the system says.
func Open(path string, a Analyst, o Options) (*Daemon, error) {
	o.Workers, o.Queue = cmp.Or(o.Workers, workers), cmp.Or(o.Queue, queue)
	o.Within, o.Patience = cmp.Or(o.Within, within), cmp.Or(o.Patience, patience)
	o.Grace, o.Look = cmp.Or(o.Grace, grace), cmp.Or(o.Look, look)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	p, err := open(path)
	if err != nil {
		return nil, err
	}
	return &Daemon{Options: o, pipe: p, analyst: a}, nil
}

// Path is the pipe's absolute path.
func (d *Daemon) Path() string { return d.pipe.path }

// Close gives up a daemon that is not going to serve, and removes its pipe.
func (d *Daemon) Close() error {
	d.pipe.remove()
	return d.pipe.file.Close()
}

// Serve answers until stop ends; then it takes nothing new, and what has come is
// answered within the grace. It removes the pipe and closes it. Errors: ErrReplaced,
// or what reading failed of.
func (d *Daemon) Serve(stop context.Context) error {
	questions := make(chan protocol.PipeRequest, d.Queue)
	work, cut := context.WithCancel(context.Background())
	defer cut()
	var busy sync.WaitGroup
	for range d.Workers {
		busy.Go(func() {
			for q := range questions {
				d.answer(work, q)
			}
		})
	}
	reading, enough := context.WithCancelCause(stop)
	defer enough(nil)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		if d.watch(reading) {
			enough(ErrReplaced)
		}
	}()
	err := d.pipe.read(reading, func(line []byte) { d.take(questions, line) })
	enough(nil)
	<-watching
	close(questions)
	defer time.AfterFunc(d.Grace, cut).Stop()
	busy.Wait()
	if errors.Is(context.Cause(reading), ErrReplaced) {
		return fmt.Errorf("%s: %w", d.pipe.path, ErrReplaced)
	}
	return err
}

// watch returns true once the pipe can no longer be reached by its path. Of one
// that somebody has opened to others the log tells: clients refuse it.
func (d *Daemon) watch(ctx context.Context) bool {
	t := time.NewTicker(d.Look)
	defer t.Stop()
	for told := false; ; {
		select {
		case <-ctx.Done():
			return false
		case <-t.C:
			if !d.pipe.there() {
				return true
			}
			err := d.pipe.still()
			if err != nil && !told {
				d.Log.Error("clients will refuse the pipe", "error", err.Error())
			}
			told = err != nil
		}
	}
}

// take reads a line and hands its question to a worker. It waits for none.
func (d *Daemon) take(questions chan<- protocol.PipeRequest, line []byte) {
	q, err := protocol.ReadRequest(line)
	if err != nil {
		d.Log.Warn("broken question", "bytes", len(line), "error", err.Error())
		if q.Reply != "" {
			d.refuse(q, err)
		}
		return
	}
	select {
	case questions <- q:
	default:
		d.Log.Error("question turned away", "id", q.ID, "waiting", d.Queue)
		d.refuse(q, errors.New("too many questions at once, ask again in a second"))
	}
}

// moment is how long a failure waits: it has room in a pipe that nobody has
// written to.
const moment = 10 * time.Millisecond

// refuse answers with a failure, as good as without waiting.
func (d *Daemon) refuse(q protocol.PipeRequest, err error) {
	to, openErr := openReply(q.Reply)
	if openErr == nil {
		openErr = to.send((&protocol.Failure{Text: err.Error()}).Line(q.ID), time.Now().Add(moment))
		_ = to.Close()
	}
	if openErr != nil {
		d.Log.Debug("client not told", "id", q.ID, "error", openErr.Error())
	}
}

// answer answers a question. Its reply pipe is opened first, so that nothing is
// done for the dead.
func (d *Daemon) answer(work context.Context, q protocol.PipeRequest) {
	began := time.Now()
	to, err := openReply(q.Reply)
	if err != nil {
		level := slog.LevelWarn
		if errors.Is(err, errGone) {
			level = slog.LevelInfo
		}
		d.Log.Log(work, level, "reply pipe not usable", "id", q.ID, "error", err.Error())
		return
	}
	defer func() { _ = to.Close() }()
	ctx, cancel := context.WithTimeout(work, d.Within)
	a, err := d.analyze(ctx, q)
	cancel()
	var line []byte
	if err == nil {
		line, err = a.Line(q.ID)
	}
	if err != nil {
		line = (&protocol.Failure{Text: err.Error()}).Line(q.ID)
	}
	d.note(q, a, err, to.send(line, time.Now().Add(d.Patience)), time.Since(began))
}

// note logs a question: what was answered, and whether it was.
func (d *Daemon) note(q protocol.PipeRequest, a protocol.Answer, failed, unsent error, took time.Duration) {
	level := slog.LevelInfo
	if failed != nil || unsent != nil {
		level = slog.LevelWarn
	}
	ctx := context.Background()
	if !d.Log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("id", q.ID), slog.String("job_id", q.JobID), slog.String("script_path", q.ScriptPath), slog.Int("node_count", q.NodeCount), slog.String("partition", q.Partition),
	}
	if failed != nil {
		attrs = append(attrs, slog.String("error", failed.Error()))
	} else {
		attrs = append(attrs, slog.String("analysis_id", a.AnalysisID))
	}
	if unsent != nil {
		why := "the client has gone"
		if errors.Is(unsent, os.ErrDeadlineExceeded) {
			why = "the client does not read"
		}
		attrs = append(attrs, slog.String("not_answered", why))
	}
	d.Log.LogAttrs(ctx, level, "question", append(attrs, slog.Float64("ms", float64(took.Microseconds())/1e3))...)
}

// analyze asks the analyst; a panic of its is no end of the daemon's.
func (d *Daemon) analyze(ctx context.Context, q protocol.PipeRequest) (a protocol.Answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			d.Log.Error("panic", "id", q.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = errors.New("the advisor failed: see its log")
		}
	}()
	return d.analyst.Analyze(ctx, q)
}
