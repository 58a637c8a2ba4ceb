package simulation

import (
	"fmt"
	"io"
	"strings"
	"time"

	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/simulator/scenario"
)

// bar is a progress bar on a terminal, and nothing elsewhere.
type bar struct {
	w      io.Writer // nil where there is no terminal
	now    func() time.Time
	next   time.Time
	last   scenario.Progress
	until  time.Duration // when the run ends; 0: with the last job
	length int           // of the line on the terminal
}

// often is how long a line stays at least.
const often = 100 * time.Millisecond

func newBar(w io.Writer, until time.Duration) *bar {
	b := &bar{now: time.Now, until: until}
	if app.Terminal(w) {
		b.w = w
	}
	return b
}

// show takes how far the run is.
func (b *bar) show(p scenario.Progress) {
	b.last = p
	if b.w == nil {
		return
	}
	if t := b.now(); t.Before(b.next) {
		return
	} else {
		b.next = t.Add(often)
	}
	line := fmt.Sprintf("%s, %d jobs ended, %d under way", days(p.Simulated), p.Ended, p.Submitted-p.Ended)
	share := p.Read
	if b.until > 0 {
		share = max(share, float64(p.Simulated)/float64(b.until))
	}
	if share > 0 {
		const width = 30
		share = min(1, share)
		full := int(share * width)
		line = fmt.Sprintf("[%s%s] %3.0f %%  %s", strings.Repeat("=", full), strings.Repeat(" ", width-full), share*100, line)
	}
	if width := app.Columns(b.w); width > 0 && len(line) >= width {
		line = line[:width-1] // a line that is broken cannot be taken back
	}
	_, _ = fmt.Fprintf(b.w, "\r%-*s", b.length, line) // a closed terminal changes nothing
	b.length = len(line)
}

// clear takes the line off the terminal.
func (b *bar) clear() {
	if b.length > 0 {
		_, _ = fmt.Fprintf(b.w, "\r%*s\r", b.length, "")
		b.length = 0
	}
}

// reached is the simulated time that was last told of.
func (b *bar) reached() string { return days(b.last.Simulated) }

// days writes a long time for people.
func days(d time.Duration) string {
	const day = 24 * time.Hour
	if d < day {
		return d.Round(time.Second).String()
	}
	return fmt.Sprintf("%d d %d h", d/day, d%day/time.Hour)
}
