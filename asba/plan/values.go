package plan

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan/rule"
)

// Limits of what can be meant. Beyond them a number is a mistake of units.
const (
	maxUSD   = 1e9
	maxHours = 10 * 365 * 24
	maxCount = 1_000_000
)

// wrong adds the finding about a value of the wrong kind.
func (r *reader) wrong(n *node, want string, fix ...finding.Op) {
	kinds := map[jsontext.Kind]string{'n': "null", 't': "true", 'f': "false", '"': "a string", '0': "a number", '{': "an object", '[': "an array"}
	r.Add(rule.Type, n.at, fmt.Sprintf("%s must be %s, not %s", subject(n), want, kinds[n.kind]), "", fix...)
}

// subject names a value by the end of its pointer.
func subject(n *node) string {
	if n.at.Pointer == "" {
		return "the plan"
	}
	return n.at.Pointer[strings.LastIndexByte(n.at.Pointer, '/')+1:]
}

func (r *reader) boolean(n *node) (value, ok bool) {
	if n.kind != 't' && n.kind != 'f' {
		r.wrong(n, "true or false", meantBoolean(n)...)
		return false, false
	}
	return n.kind == 't', true
}

// text takes a number too, as it is written: job and user ids are often bare.
func (r *reader) text(n *node) (string, bool) {
	if n.kind != '"' && n.kind != '0' {
		r.wrong(n, "a string", meantText(n)...)
		return "", false
	}
	return n.text, true
}

// number reads a number that is neither negative nor more than limit; whole is
// one without a fraction.
func (r *reader) number(n *node, what string, limit float64, whole bool) (float64, bool) {
	if n.kind != '0' {
		r.wrong(n, what, meantNumber(n, limit, whole)...)
		return 0, false
	}
	v, ok := bounded(r.Report, n.at, subject(n), n.text, what, limit)
	if ok && whole && v != math.Trunc(v) {
		r.Add(rule.Type, n.at, fmt.Sprintf("%s must be %s, not %s", subject(n), what, shorten(n.text)), "")
		return 0, false
	}
	return v, ok
}

// bounded parses a number as JSON and the environment write it.
func bounded(r *rule.Report, at Place, name, text, what string, limit float64) (float64, bool) {
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case math.IsInf(v, 0), v > limit: // also what does not fit a float64
		r.Add(rule.Range, at, fmt.Sprintf("%s is %s, more than any plan can mean", name, shorten(text)), fmt.Sprintf("it must be %s, at most %s", what, strconv.FormatFloat(limit, 'f', -1, 64)))
		return 0, false
	case err != nil, math.IsNaN(v):
		r.Add(rule.Type, at, fmt.Sprintf("%s must be %s, not %s", name, what, finding.Quote(text)), "")
		return 0, false
	case v < 0:
		r.Add(rule.Range, at, fmt.Sprintf("%s is %s, less than nothing", name, shorten(text)), "it must be "+what)
		return 0, false
	}
	return v + 0, true // -0 becomes 0
}

// shorten shows a number, whose text may be as long as the file.
func shorten(text string) string {
	if len(text) > 24 {
		return text[:24] + "..."
	}
	return text
}

func (r *reader) usd(n *node) (float64, bool) {
	return r.number(n, "a number of USD", maxUSD, false)
}

func (r *reader) count(n *node) (int, bool) {
	v, ok := r.number(n, "a whole number", maxCount, true)
	return int(v), ok
}

// hours reads a number of hours; where it is text with units, a duration.
func (r *reader) hours(n *node) (time.Duration, bool) {
	const want = `a number of hours, or a duration such as "2h30m"`
	ms, ok := 0.0, false
	if d, err := time.ParseDuration(n.text); n.kind == '"' && (n.text == "" || err == nil) {
		d, ok = r.span(n, want, d)
		ms = float64(d) / float64(time.Millisecond)
	} else {
		ms, ok = r.number(n, want, maxHours, false)
		ms *= float64(time.Hour / time.Millisecond)
	}
	if ms > 0 {
		ms = max(math.Round(ms), 1) // finer is noise, but the least of limits is still a limit
	}
	return time.Duration(ms) * time.Millisecond, ok
}

// duration reads both spellings in use: Go's, such as 2h30m, and nanoseconds.
func (r *reader) duration(n *node) (time.Duration, bool) {
	const want = "a duration such as \"2h30m\", or nanoseconds"
	switch n.kind {
	case '0':
		v, ok := r.number(n, want, maxHours*float64(time.Hour), true)
		if exact, err := strconv.ParseInt(n.text, 10, 64); err == nil && ok {
			return time.Duration(exact), true // a float64 has no room for every nanosecond
		}
		return time.Duration(v), ok
	case '"':
		d, err := time.ParseDuration(n.text)
		if err == nil || n.text == "" {
			return r.span(n, want, d)
		}
		r.Add(rule.Type, n.at, fmt.Sprintf("%s must be %s, not %s", subject(n), want, finding.Quote(n.text)), "")
		return 0, false
	}
	r.wrong(n, want)
	return 0, false
}

// span judges a duration that was written as text.
func (r *reader) span(n *node, want string, d time.Duration) (time.Duration, bool) {
	switch {
	case d < 0:
		r.Add(rule.Range, n.at, fmt.Sprintf("%s is %s, less than nothing", subject(n), finding.Quote(n.text)), "it must be "+want)
	case d > maxHours*time.Hour:
		r.Add(rule.Range, n.at, fmt.Sprintf("%s is %s, more than any plan can mean", subject(n), finding.Quote(n.text)), fmt.Sprintf("it must be at most %dh", maxHours))
	default:
		return d, true
	}
	return 0, false
}

// instants are the spellings in use: RFC 3339, what Python and date(1) write,
// and the same without a zone, which is UTC.
var instants = []string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04:05Z0700",
	"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02 15:04:05Z0700",
}

// instant reads a moment. The zero that Go writes for a time that was never set
// says nothing.
func (r *reader) instant(n *node) (time.Time, bool) {
	const want = "a time such as \"2026-01-02T15:04:05Z\""
	if n.kind != '"' {
		r.wrong(n, want)
		return time.Time{}, false
	}
	if n.text == "" {
		return time.Time{}, true
	}
	for _, layout := range instants {
		if t, err := time.Parse(layout, n.text); err == nil {
			return t.UTC(), true
		}
	}
	r.Add(rule.Type, n.at, fmt.Sprintf("%s must be %s, not %s", subject(n), want, finding.Quote(n.text)), "")
	return time.Time{}, false
}

// list reads strings; blanks around one are dropped.
func (r *reader) list(n *node) (l List, ok bool) {
	l.At = n.at
	if n.kind != '[' {
		r.wrong(n, "an array of strings", meantList(n)...)
		return l, false
	}
	for _, item := range n.items {
		if item.kind != '"' || strings.TrimSpace(item.text) == "" {
			r.Add(rule.Type, item.at, "each item must be a string that is not empty", "", meantItem(item)...)
			continue
		}
		l.Value = append(l.Value, strings.TrimSpace(item.text))
		l.Items = append(l.Items, item.at)
	}
	l.Given = len(l.Value) > 0
	return l, true
}

// tags reads an object of texts; null says nothing, as everywhere.
func (r *reader) tags(p *Plan, n *node) bool {
	p.Tags.At = n.at
	if n.kind != '{' {
		r.wrong(n, "an object of strings")
		return false
	}
	for _, m := range n.members {
		if m.kind == 'n' {
			continue
		}
		at := m.at
		if m.nameless { // the pointer is that of all tags: who mends one would mend all
			at.Pointer = ""
		}
		if v, ok := r.text(m.node); ok {
			p.Tags.Value = append(p.Tags.Value, Tag{m.name, v, at})
		}
	}
	slices.SortFunc(p.Tags.Value, func(a, b Tag) int { return cmp.Compare(a.Key, b.Key) })
	p.Tags.Given = len(p.Tags.Value) > 0
	return p.Tags.Given
}
