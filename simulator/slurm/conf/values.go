package conf

import (
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/asba/finding"
)

// bad notes a value that is none.
func (r *reader) bad(v value, want string) {
	r.add(idValue, v, "write "+want, "%s is not %s", finding.Quote(v.text), want)
}

// endless reports whether a value is one of Slurm's words for no limit.
func endless(s string) bool {
	return strings.EqualFold(s, "INFINITE") || strings.EqualFold(s, "UNLIMITED") || s == "-1"
}

// number reads a whole number from 0 up.
func (r *reader) number(v value, to *int) {
	n, err := strconv.ParseInt(v.text, 10, 32)
	if err != nil || n < 0 {
		r.bad(v, "a number from 0 to 2147483647")
		return
	}
	*to = int(n)
}

// seconds reads a number of seconds, or INFINITE.
func (r *reader) seconds(v value, to *time.Duration) { r.units(v, time.Second, to) }

// minutes reads a number of minutes, or UNLIMITED.
func (r *reader) minutes(v value, to *time.Duration) { r.units(v, time.Minute, to) }

func (r *reader) units(v value, unit time.Duration, to *time.Duration) {
	if endless(v.text) {
		*to = Infinite
		return
	}
	n, err := strconv.ParseInt(v.text, 10, 32)
	if err != nil || n < 0 {
		what := "seconds"
		if unit == time.Minute {
			what = "minutes"
		}
		r.bad(v, "a number of "+what+", or INFINITE")
		return
	}
	*to = time.Duration(n) * unit
}

// span reads a time as Slurm writes limits: minutes, minutes:seconds,
// hours:minutes:seconds, days-hours, days-hours:minutes and
// days-hours:minutes:seconds. Slurm keeps whole minutes, rounded up.
func (r *reader) span(v value, to *time.Duration) {
	if endless(v.text) {
		*to = Infinite
		return
	}
	d, ok := Span(v.text)
	if !ok {
		r.bad(v, "minutes, hours:minutes:seconds, days-hours:minutes:seconds, or UNLIMITED")
		return
	}
	*to = (d + time.Minute - 1).Truncate(time.Minute)
}

// Span reads a time as Slurm writes limits, but for its words for no limit.
func Span(s string) (time.Duration, bool) {
	days, clock, long := strings.Cut(s, "-")
	if !long {
		days, clock = "0", s
	}
	parts := strings.Split(clock, ":")
	units := []time.Duration{time.Minute, time.Second}
	switch {
	case long:
		units = []time.Duration{time.Hour, time.Minute, time.Second}
	case len(parts) == 3:
		units = []time.Duration{time.Hour, time.Minute, time.Second}
	}
	if len(parts) > len(units) {
		return 0, false
	}
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil {
		return 0, false
	}
	total := time.Duration(n) * 24 * time.Hour
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 31)
		if err != nil {
			return 0, false
		}
		total += time.Duration(n) * units[i]
	}
	return total, true
}

// yes reads YES and NO, 1 and 0.
func (r *reader) yes(v value, to *bool) {
	switch strings.ToUpper(v.text) {
	case "YES", "1", "TRUE":
		*to = true
	case "NO", "0", "FALSE":
		*to = false
	default:
		r.bad(v, "YES or NO")
	}
}

// words splits a list at its commas, but for those within brackets.
func words(s string) []string {
	var out []string
	start, depth := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '[':
			depth++
		case ']':
			depth--
		case ',':
			if depth <= 0 {
				out = append(out, s[start:i])
				start = i + 1
			}
		}
	}
	out = append(out, s[start:])
	kept := out[:0]
	for _, w := range out {
		if w = strings.TrimSpace(w); w != "" {
			kept = append(kept, w)
		}
	}
	return kept
}

// options reads a list such as SchedulerParameters: words, and words with a
// value.
func options(v value) []pair {
	var out []pair
	for _, w := range words(v.text) {
		key, text, _ := strings.Cut(w, "=")
		o := v
		o.text = text
		out = append(out, pair{strings.ToLower(key), o})
	}
	return out
}
