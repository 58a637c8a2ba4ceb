// Package recording reads what somebody saw of EC2's markets: which instances there
// were to have, pool by pool, and what spot cost. Files are read once, as a stream,
// and kept as changes alone.
//
// There are three forms. A table (CSV) has a line of column names, time, type, zone
// and capacity, and perhaps market; a time is seconds or RFC 3339, a capacity a whole
// number, or up or down. JSON is what `aws ec2 describe-spot-price-history` prints, or
// a series of counts as SkyPilot publishes its own (metadata.gap_seconds and data),
// which has neither type nor zone: whoever names the file says them.
//
// Each file begins with the run, at its own first instant, and begins anew when it
// is over. The package knows neither what types there are nor what a run is.
package recording

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"math"
	"time"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/simulator/ec2/market"
)

// Error says what is wrong with a file, and where.
type Error struct {
	File string
	Line int // from 1; 0 where it is the whole file's
	// Says is one sentence, Hint how to mend it.
	Says, Hint string
}

func (e *Error) Error() string {
	where := e.File
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	if e.Hint == "" {
		return where + ": " + e.Says
	}
	return fmt.Sprintf("%s: %s (%s)", where, e.Says, e.Hint)
}

// Read adds a file to what is recorded. of is the pool of a file that names none;
// a file that names its pools takes no notice of it. Every error about the text is
// an *Error.
func Read(r io.Reader, file string, of market.Pool, into *market.Recorded) error {
	s := &source{file: file, of: of, lines: &lines{from: r}, capacity: map[market.Pool]*market.Series[int]{}, price: map[market.Pool]*market.Series[float64]{}}
	in := bufio.NewReader(s.lines)
	first, err := peek(in)
	switch {
	case err == io.EOF:
		return s.wrong(0, "write the columns time,type,zone,capacity", "the file is empty")
	case err != nil:
		return fmt.Errorf("%s: %w", file, err)
	case first == '{' || first == '[':
		err = s.json(in)
	default:
		err = s.table(in)
	}
	if s.lines.err != nil {
		return fmt.Errorf("%s: %w", file, s.lines.err)
	}
	if err != nil {
		return err
	}
	return s.add(into)
}

// peek returns the first byte that is not blank, and leaves it there.
func peek(in *bufio.Reader) (byte, error) {
	for {
		b, err := in.ReadByte()
		if err != nil {
			return 0, err
		}
		if b != ' ' && b != '\t' && b != '\r' && b != '\n' {
			return b, in.UnreadByte()
		}
	}
}

// source is a file on its way.
type source struct {
	file  string
	of    market.Pool
	lines *lines

	end      time.Duration // its last instant
	capacity map[market.Pool]*market.Series[int]
	price    map[market.Pool]*market.Series[float64]
}

func (s *source) wrong(line int, hint, format string, args ...any) error {
	return &Error{File: s.file, Line: line, Says: fmt.Sprintf(format, args...), Hint: hint}
}

// add hands over what the file has.
func (s *source) add(into *market.Recorded) error {
	if len(s.capacity)+len(s.price) == 0 {
		return s.wrong(0, "it says nothing of any pool", "there is nothing in the file")
	}
	if err := merge(s, &into.Capacity, s.capacity, "capacity"); err != nil {
		return err
	}
	return merge(s, &into.Price, s.price, "price")
}

func merge[T comparable](s *source, into *map[market.Pool]*market.Series[T], from map[market.Pool]*market.Series[T], what string) error {
	if *into == nil && len(from) > 0 {
		*into = map[market.Pool]*market.Series[T]{}
	}
	for p, series := range from {
		if (*into)[p] != nil {
			return s.wrong(0, "name each pool in one file", "the %s of %s in %s (%s) is in another file, too", what, p.Type, p.AZ, p.Market)
		}
		series.Period = s.end
		series.Steps[0].At = 0 // what it had first, it had before
	}
	maps.Copy(*into, from)
	return nil
}

// see adds an instant of a pool.
func see[T comparable](m map[market.Pool]*market.Series[T], p market.Pool, at time.Duration, of T) {
	s := m[p]
	if s == nil {
		s = &market.Series[T]{}
		m[p] = s
	}
	s.Add(at, of)
}

// plenty is the capacity of a pool that is said to be up: more than anybody asks
// for.
const plenty = math.MaxInt32

// marketOf reads a market by EC2's words.
func marketOf(word string) (cloud.Market, bool) {
	switch m := cloud.Market(word); m {
	case "":
		return cloud.Spot, true
	case cloud.Spot, cloud.OnDemand:
		return m, true
	}
	return "", false
}

// lines counts the lines of what was read up to an offset. It remembers where those
// begin that nobody has asked for yet.
type lines struct {
	from   io.Reader
	err    error // of from, but for its end
	read   int64
	breaks []int64 // offsets behind line feeds that are not counted yet
	line   int     // before them, less one
}

func (l *lines) Read(p []byte) (int, error) {
	n, err := l.from.Read(p)
	for k, b := range p[:n] {
		if b == '\n' {
			l.breaks = append(l.breaks, l.read+int64(k)+1)
		}
	}
	l.read += int64(n)
	if err != nil && err != io.EOF {
		l.err = err
	}
	return n, err
}

// at is the line of an offset. Offsets may not go back.
func (l *lines) at(offset int64) int {
	k := 0
	for k < len(l.breaks) && l.breaks[k] <= offset {
		k++
	}
	l.line += k
	l.breaks = append(l.breaks[:0], l.breaks[k:]...)
	return l.line + 1
}
