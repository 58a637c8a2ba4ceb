package advisor

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// spill writes lines in the background. A reader of our log that stops reading
// costs lines, which are counted, and never an answer.
type spill struct {
	out   io.Writer
	lines chan []byte
	done  chan struct{}

	mu      sync.Mutex
	dropped int
	closed  bool
}

// spilled is how many lines wait to be written, and leave how long the last of
// them may take once the program ends.
const (
	spilled = 4096
	leave   = time.Second
)

func newSpill(out io.Writer) *spill {
	s := &spill{out: out, lines: make(chan []byte, spilled), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		for line := range s.lines {
			_, _ = s.out.Write(line) // a closed stderr cannot be told
			if n := s.taken(); n > 0 {
				_, _ = fmt.Fprintf(s.out, `{"time":%q,"level":"ERROR","msg":"lines of the log were dropped","count":%d}`+"\n", time.Now().Format(time.RFC3339Nano), n)
			}
		}
	}()
	return s
}

// taken is how many lines were dropped since it was last asked.
func (s *spill) taken() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, s.dropped = s.dropped, 0
	return n
}

// Write implements io.Writer; it never waits.
func (s *spill) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return len(p), nil
	}
	select {
	case s.lines <- append([]byte(nil), p...):
	default:
		s.dropped++
	}
	return len(p), nil
}

// Close writes what waits.
func (s *spill) Close() {
	s.mu.Lock()
	s.closed = true
	close(s.lines)
	s.mu.Unlock()
	select {
	case <-s.done:
	case <-time.After(leave):
	}
}
