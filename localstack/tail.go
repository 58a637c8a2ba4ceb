package localstack

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"sync"
)

const (
	tailLines = 20
	tailWidth = 4096 // bytes of one line that are kept
)

// tail passes on what is written and keeps the last lines of it.
type tail struct {
	mu   sync.Mutex
	to   io.Writer
	kept []string
	part []byte // the line that has no end yet
}

func newTail(to io.Writer) *tail {
	if to == nil {
		to = io.Discard
	}
	return &tail{to: to}
}

// Write never fails: a log that cannot be written must not stop the server.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = t.to.Write(p)
	rest := p
	for {
		line, after, ended := bytes.Cut(rest, []byte("\n"))
		if room := tailWidth - len(t.part); room > 0 {
			t.part = append(t.part, line[:min(room, len(line))]...)
		}
		if !ended {
			return len(p), nil
		}
		t.keep()
		rest = after
	}
}

// keep moves the finished line to the kept ones. Blank lines say nothing.
func (t *tail) keep() {
	if line := strings.TrimSpace(string(t.part)); line != "" {
		t.kept = append(t.kept, line)
		if len(t.kept) > tailLines {
			t.kept = slices.Delete(t.kept, 0, 1)
		}
	}
	t.part = t.part[:0]
}

// lines returns the last lines, oldest first.
func (t *tail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := slices.Clone(t.kept)
	if line := strings.TrimSpace(string(t.part)); line != "" {
		out = append(out, line)
	}
	return out
}
