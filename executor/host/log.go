package host

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/sys/unix"

	"aws-slurm-burst/executor/env"
)

// Log writes events: lines for people to one writer, and every event as JSON
// or text to a file. What cannot be written is dropped: slurmctld closes our
// output, disks fill, and the work goes on.
type Log struct {
	mu     sync.Mutex
	people io.Writer
	fd     int           // of people where that is a file, else -1
	stuck  bool          // people did not take a line for too long
	wait   time.Duration // the patience with them
	file   *os.File
	logger *slog.Logger
}

// NewLog returns a Log that speaks to people alone.
func NewLog(people io.Writer) *Log {
	l := &Log{people: people, fd: -1, wait: patience}
	if f, ok := people.(*os.File); ok {
		l.fd = int(f.Fd())
	}
	return l
}

// patience is how long a line waits for a reader that takes nothing, once. The
// executor holds locks while it speaks, and slurmctld may have stopped reading.
const patience = 5 * time.Second

// pipeBuf is PIPE_BUF: a pipe that poll calls writable takes as much at once.
const pipeBuf = 4096

// say writes a line for people, or drops it.
func (l *Log) say(line string) {
	if l.fd < 0 {
		_, _ = io.WriteString(l.people, line)
		return
	}
	for line != "" {
		wait := l.wait
		if l.stuck {
			wait = 0
		}
		ready := []unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLOUT}}
		n, err := unix.Poll(ready, int(wait.Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		// An error is for the write to find, which then fails at once.
		if l.stuck = err == nil && n == 0; l.stuck {
			return
		}
		part := line[:min(len(line), pipeBuf)]
		if _, err := io.WriteString(l.people, part); err != nil {
			return
		}
		line = line[len(part):]
	}
}

// OpenFile adds the log file: opened to append, made with mode 0640, its
// folder with 0755. format is json or text, level debug, info, warn or error.
func (l *Log) OpenFile(path, format, level string) error {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		if err := os.MkdirAll(path[:i], 0o755); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	options := &slog.HandlerOptions{Level: levels[level]}
	var h slog.Handler = slog.NewJSONHandler(f, options)
	if format == "text" {
		h = slog.NewTextHandler(f, options)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.file, l.logger = f, slog.New(h).With("pid", os.Getpid())
	return nil
}

var levels = map[string]slog.Level{"debug": slog.LevelDebug, "": slog.LevelInfo, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}

var slogLevels = map[env.Level]slog.Level{env.Debug: slog.LevelDebug, env.Note: slog.LevelInfo, env.Info: slog.LevelInfo, env.Suggestion: slog.LevelInfo, env.Warn: slog.LevelWarn, env.Error: slog.LevelError}

// Takes reports whether people or the file are told of events of a level.
func (l *Log) Takes(level env.Level) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return level >= env.Info && l.people != nil || l.logger != nil && l.logger.Enabled(context.Background(), slogLevels[level])
}

// Write records one event.
func (l *Log) Write(at env.Time, e env.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.Level >= env.Info && l.people != nil {
		// One write a line, so that lines of several processes do not mix.
		l.say(e.Level.String() + ": " + oneLine(e.Text) + "\n")
	}
	if l.logger == nil {
		return
	}
	r := slog.NewRecord(at.Std(), slogLevels[e.Level], e.Text, 0)
	r.AddAttrs(slog.String("event", e.Name))
	for _, a := range e.Attrs {
		r.AddAttrs(slog.Any(a.Key, value(a.Value)))
	}
	if h := l.logger.Handler(); h.Enabled(context.Background(), r.Level) {
		_ = h.Handle(context.Background(), r)
	}
}

func value(v any) any {
	switch v := v.(type) {
	case env.Time:
		return v.String()
	case time.Duration:
		return v.Seconds()
	case fmt.Stringer:
		return v.String()
	}
	return v
}

// Close closes the log file.
func (l *Log) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		_ = l.file.Close()
		l.file, l.logger = nil, nil
	}
}

// oneLine makes control characters harmless: what EC2 or a plan says must not
// forge a line, reach a terminal's controls or turn the direction of writing.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
			return unicode.ReplacementChar
		}
		return r // bytes that are no UTF-8 come as ReplacementChar
	}, s)
}
