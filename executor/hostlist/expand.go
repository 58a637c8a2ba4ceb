// Package hostlist reads and writes Slurm's hostlists, such as
// "aws-hpc-[001-008],login1". It is pure: it asks neither slurmctld nor
// scontrol, so a call that cannot reach Slurm still knows its nodes.
//
// The grammar is that of `scontrol show hostnames`, and a test compares the two
// where Slurm is installed. What scontrol silently repairs (an open bracket,
// blanks or signs within one, a number in brackets beyond 64 bits) is an error
// here, because a guessed node name starts a real machine; characters that no
// node name has are one too. White space separates everywhere, beside a bracket
// too, where Slurm takes a line's end for text.
// Slurm's function-like forms (partition{...}) and boxes ([00x11], for machines
// wired as a grid) never reach ResumeProgram and are not read.
package hostlist

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The limits. Slurm refuses a range of more than 64 Ki hosts; the others are
// ours, far above any real list: they bound memory, whoever wrote the text.
// Slurm 22.05 does not bound the product of several brackets: it fills the
// memory.
const (
	MaxHosts = 1 << 16 // names of a range and of a whole expansion
	MaxInput = 1 << 20 // bytes of an expression
	MaxName  = 255     // bytes of a name, as in DNS
)

// Error says what is wrong with a hostlist, and where.
type Error struct {
	Expr   string // the whole expression
	Offset int    // where in it, in bytes from 0
	Msg    string // what is wrong and what to do
}

// Error is one line; a long expression is shown near the fault only.
func (e *Error) Error() string {
	const side = 40
	from, to := max(0, e.Offset-side), min(len(e.Expr), e.Offset+side)
	shown := e.Expr[from:to]
	if from > 0 {
		shown = "..." + shown
	}
	if to < len(e.Expr) {
		shown += "..."
	}
	return fmt.Sprintf("hostlist %q, byte %d: %s", shown, e.Offset+1, e.Msg)
}

// Expand returns the names of a hostlist in the order they are written, with
// duplicates. Items are separated by commas or white space; an item may have
// several brackets, of which the last varies fastest and then, as in Slurm, the
// first, the second and so on; and text after the last (Slurm 23.11). Leading zeros of a range's low end fix the least width:
// [098-102] is 098 099 100 101 102. Every error is an *Error.
func Expand(expr string) ([]string, error) {
	p := parser{expr: expr}
	if len(expr) > MaxInput {
		return nil, p.fail(0, "longer than %d bytes; split it", MaxInput)
	}
	var names []string
	for !p.done() {
		if isSeparator(expr[p.at]) {
			p.at++
			continue
		}
		start := p.at
		if name := p.plain(); name != "" {
			if len(names) == MaxHosts {
				return nil, p.fail(start, "more than %d names in all; split the list", MaxHosts)
			}
			names = append(names, name)
			continue
		}
		item, err := p.folded(), error(nil)
		if item == nil {
			item, err = p.item()
		}
		if err != nil {
			return nil, err
		}
		if len(names)+len(item) > MaxHosts {
			return nil, p.fail(start, "more than %d names in all; split the list", MaxHosts)
		}
		if names == nil {
			names = item // most lists are one item
		} else {
			names = append(names, item...)
		}
	}
	if len(names) == 0 {
		return nil, p.fail(0, "no name in it; name at least one node")
	}
	return names, nil
}

type parser struct {
	expr string
	at   int // the byte to read next
}

func (p *parser) done() bool { return p.at >= len(p.expr) }

// peek returns the next byte, 0 at the end.
func (p *parser) peek() byte {
	if p.done() {
		return 0
	}
	return p.expr[p.at]
}

func (p *parser) fail(at int, format string, args ...any) *Error {
	return &Error{Expr: p.expr, Offset: at, Msg: fmt.Sprintf(format, args...)}
}

func isSeparator(c byte) bool {
	return c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// inName reports whether c may stand in a node name. The set is narrower than
// Slurm's: names become tags, file names and arguments of scontrol.
func inName(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || c == '_' || c == '.'
}

// plain reads an item that is one name, and nothing where the item is anything else.
func (p *parser) plain() string {
	if c := p.peek(); c == '-' || c == '.' {
		return ""
	}
	end := p.at
	for end < len(p.expr) && inName(p.expr[end]) {
		end++
	}
	if end-p.at > MaxName || end < len(p.expr) && !isSeparator(p.expr[end]) {
		return ""
	}
	name := p.expr[p.at:end]
	p.at = end
	return name
}

// folded reads an item as Fold writes it, a prefix and one bracket, all names in one
// piece of memory; and nothing where the item is anything else, right or wrong.
func (p *parser) folded() []string {
	open := strings.IndexByte(p.expr[p.at:], '[') + p.at
	end := strings.IndexByte(p.expr[p.at:], ']') + p.at
	if open <= p.at || end < open || end+1 < len(p.expr) && !isSeparator(p.expr[end+1]) {
		return nil
	}
	prefix, rest := p.expr[p.at:open], p.expr[open+1:end]
	if prefix[0] == '-' || prefix[0] == '.' || strings.ContainsFunc(prefix, func(r rune) bool { return r >= utf8.RuneSelf || !inName(byte(r)) }) {
		return nil
	}
	var all texts
	for more := true; more; {
		low, width, ok := leadingNumber(rest)
		high, digits := low, 0
		rest = rest[width:]
		if ranged := strings.HasPrefix(rest, "-"); ok && ranged {
			high, digits, ok = leadingNumber(rest[1:])
			rest = rest[1+digits:]
		}
		if more = strings.HasPrefix(rest, ","); more {
			rest = rest[1:]
		}
		if !ok || !more && rest != "" || high < low || high-low >= MaxHosts || len(all.ends)+int(high-low) >= MaxHosts || len(prefix)+max(width, digits) > MaxName {
			return nil
		}
		for n := low; n <= high; n++ {
			all.bytes = pad(append(all.bytes, prefix...), n, width)
			all.end()
		}
	}
	p.at = end + 1
	return all.appendTo(nil)
}

// nothing is what brackets are put behind. It is never written to.
var nothing = []string{""}

// item reads up to the next separator outside brackets. names are those of all
// brackets but the last, tails those of the last and of the text around it;
// neither ever shrinks, so the limit holds at every step.
func (p *parser) item() ([]string, error) {
	if c := p.peek(); c == '-' || c == '.' {
		return nil, p.fail(p.at, "a name cannot begin with %q; begin it with a letter or a digit", c)
	}
	start, names, tails := p.at, nothing, nothing
	for !p.done() && !isSeparator(p.peek()) {
		var err error
		switch c := p.peek(); {
		case c == '[':
			if names, err = p.product(start, names, tails, namesFastest); err == nil {
				tails, err = p.bracket()
			}
		case inName(c):
			from := p.at
			for inName(p.peek()) {
				p.at++
			}
			tails, err = p.product(start, tails, []string{p.expr[from:p.at]}, tailsFastest)
		case c == ']':
			err = p.fail(p.at, `"]" without "["; remove it or open the bracket`)
		default:
			err = p.fail(p.at, "%q cannot stand in a node name; use letters, digits, '-', '_' and '.'", p.rune())
		}
		if err != nil {
			return nil, err
		}
	}
	return p.product(start, names, tails, tailsFastest)
}

// rune returns the character at the reading place, whole, for a message.
func (p *parser) rune() rune {
	for _, r := range p.expr[p.at:] {
		return r
	}
	return 0
}

// Which factor of a product varies fastest.
const (
	namesFastest = true
	tailsFastest = false
)

// product appends every tail to every name.
func (p *parser) product(start int, names, tails []string, namesFastest bool) ([]string, error) {
	total := len(names) * len(tails)
	if total > MaxHosts {
		return nil, p.fail(start, "more than %d names; split the list", MaxHosts)
	}
	if longest(names)+longest(tails) > MaxName {
		return nil, p.fail(start, "a name of more than %d bytes; shorten it", MaxName)
	}
	switch {
	case len(names) == 1 && names[0] == "":
		return tails, nil
	case len(tails) == 1 && tails[0] == "":
		return names, nil
	}
	all := texts{ends: make([]int, 0, total)}
	for i := range total {
		n, t := i/len(tails), i%len(tails)
		if namesFastest {
			n, t = i%len(names), i/len(names)
		}
		all.bytes = append(append(all.bytes, names[n]...), tails[t]...)
		all.end()
	}
	return all.appendTo(nil), nil
}

func longest(texts []string) (n int) {
	for _, t := range texts {
		n = max(n, len(t))
	}
	return n
}

// texts are many short texts in one piece of memory.
type texts struct {
	bytes []byte
	ends  []int
}

// end ends a text.
func (t *texts) end() { t.ends = append(t.ends, len(t.bytes)) }

// appendTo appends the texts to a list.
func (t *texts) appendTo(out []string) []string {
	whole, from := string(t.bytes), 0
	out = slices.Grow(out, len(t.ends))
	for _, end := range t.ends {
		out = append(out, whole[from:end])
		from = end
	}
	return out
}

// bracket reads "[" range { "," range } "]" and returns the numbers as text.
func (p *parser) bracket() ([]string, error) {
	open := p.at
	var out []string
	for p.at++; ; p.at++ {
		var err error
		if out, err = p.numbers(open, out); err != nil {
			return nil, err
		}
		switch c := p.peek(); {
		case c == ']':
			p.at++
			return out, nil
		case c != ',' && p.done():
			return nil, p.fail(open, `"[" without "]"; close the bracket`)
		case c != ',':
			return nil, p.fail(p.at, `%q cannot stand in brackets; write numbers and ranges such as [1,3-5]`, p.rune())
		}
	}
}

// numbers reads one number or range and appends its numbers to out.
func (p *parser) numbers(open int, out []string) ([]string, error) {
	from := p.at
	low, err := p.number(open)
	if err != nil {
		return nil, err
	}
	lo, errLo := strconv.ParseUint(low, 10, 64)
	if p.peek() != '-' {
		switch {
		case errLo != nil:
			return nil, p.fail(from, "a number in brackets ends at %d; write larger ones without brackets", uint64(math.MaxUint64))
		case len(out) >= MaxHosts:
			return nil, p.fail(from, "more than %d names; split the list", MaxHosts)
		}
		return append(out, low), nil // as it is written, zeros and all
	}
	p.at++
	high, err := p.number(open)
	if err != nil {
		return nil, err
	}
	hi, errHi := strconv.ParseUint(high, 10, 64)
	switch {
	case errLo != nil || errHi != nil:
		return nil, p.fail(from, "a range ends at %d; write larger numbers without brackets", uint64(math.MaxUint64))
	case lo > hi:
		return nil, p.fail(from, "the range %s-%s runs backwards; write %s-%s", low, high, high, low)
	case hi-lo >= MaxHosts || uint64(len(out))+hi-lo >= MaxHosts:
		return nil, p.fail(from, "more than %d names; split the list", MaxHosts)
	case len(low) > MaxName:
		return nil, p.fail(from, "a name of more than %d bytes; shorten it", MaxName)
	}
	all := texts{ends: make([]int, 0, hi-lo+1)}
	for n := lo; ; n++ {
		all.bytes = pad(all.bytes, n, len(low))
		all.end()
		if n == hi { // before n++, which may not fit
			return all.appendTo(out), nil
		}
	}
}

func (p *parser) number(open int) (string, error) {
	from := p.at
	for isDigit(p.peek()) {
		p.at++
	}
	switch {
	case p.at > from:
		return p.expr[from:p.at], nil
	case p.done():
		return "", p.fail(open, `"[" without "]"; close the bracket`)
	}
	return "", p.fail(from, "a number is missing before %q; write numbers and ranges such as [1,3-5]", p.rune())
}

// pad appends n with leading zeros up to width.
func pad(b []byte, n uint64, width int) []byte {
	var digits [20]byte // of the largest number of 64 bits
	d := strconv.AppendUint(digits[:0], n, 10)
	for range width - len(d) {
		b = append(b, '0')
	}
	return append(b, d...)
}
