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

// Tail passes on what is written and keeps the last lines of it. It is safe for
// concurrent use.
type Tail struct {
	mu   sync.Mutex
	to   io.Writer
	kept []string
	part []byte // the line that has no end yet
}

// NewTail passes on to to; nil discards.
func NewTail(to io.Writer) *Tail {
	if to == nil {
		to = io.Discard
	}
	return &Tail{to: to}
}

// Write never fails: a log that cannot be written must not stop the server.
func (t *Tail) Write(p []byte) (int, error) {
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
func (t *Tail) keep() {
	if line := strings.TrimSpace(string(t.part)); line != "" {
		t.kept = append(t.kept, line)
		if len(t.kept) > tailLines {
			t.kept = slices.Delete(t.kept, 0, 1)
		}
	}
	t.part = t.part[:0]
}

// Lines returns the last lines, oldest first.
func (t *Tail) Lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := slices.Clone(t.kept)
	if line := strings.TrimSpace(string(t.part)); line != "" {
		out = append(out, line)
	}
	return out
}
