package daemon

import (
	"bytes"

	"aws-slurm-burst/asba/protocol"
)

// start begins every question.
var start = []byte(`{"asba":`)

// lines makes lines of what is read from a pipe that many write to. It holds no
// more than the longest question has: of a line that is longer its end is kept.
type lines struct{ rest []byte }

// feed adds what was read and calls emit for each line that is whole. A client
// that died while it wrote, or one that never ends its line, leaves text before
// the next one's question: that is a line of its own, without a line break.
func (l *lines) feed(data []byte, emit func(line []byte)) {
	for {
		text, after, whole := bytes.Cut(data, []byte("\n"))
		l.rest = append(l.rest, text...)
		if over := len(l.rest) - protocol.MaxLine; over > 0 {
			l.rest = append(l.rest[:0], l.rest[over:]...)
		}
		if !whole {
			return
		}
		line := append(l.rest, '\n')
		if i := bytes.LastIndex(line, start); i > 0 {
			emit(line[:i])
			line = line[i:]
		}
		emit(line)
		l.rest, data = l.rest[:0], after
	}
}
