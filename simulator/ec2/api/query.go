package api

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/simulator/faults"
)

// EC2's bounds of a describe call.
const (
	maxFilterValues = 200
	minPage         = 5
	MaxPage         = 1000
)

// Filter holds where one of its values does. Values may have * and ? as
// wildcards, a backslash before them means themselves.
type Filter struct {
	Name   string
	Values []string
}

// Query is what every describe call can ask: everything named, of that
// everything that all filters let through, in pages of Max (0 for one page).
type Query struct {
	IDs     []string
	Filters []Filter
	Max     int
	Next    string
}

// Whole reports whether everything is asked for at once.
func (q Query) Whole() bool { return len(q.IDs) == 0 && len(q.Filters) == 0 && q.Max == 0 }

// Page is a part of the answer; Next is "" on the last one.
type Page[T any] struct {
	Items []T
	Next  string
}

// Row is a resource that can be described.
type Row interface{ Common() *Resource }

// Fields names the filters of a resource besides its tags. Each function tells
// whether one of the resource's values for it passes the test.
type Fields[R Row] map[string]func(R, func(string) bool) bool

// Named finds a filter by its name; it is nil where there is none.
func (f Fields[R]) Named(name string) func(R, func(string) bool) bool { return f[name] }

// Value makes a filter on a field with one value.
func Value[R Row](get func(R) string) func(R, func(string) bool) bool {
	return func(r R, pass func(string) bool) bool { return pass(get(r)) }
}

// Choose answers a Query over rows, which come in order of creation. notFound
// makes the error for ids that are not among them; keep, which may be nil,
// hides rows.
func Choose[R Row](rows []R, q Query, known func(name string) func(R, func(string) bool) bool, notFound func(ids []string) *Error, keep func(R) bool) (Page[R], error) {
	var out Page[R]
	if err := q.check(); err != nil {
		return out, err
	}
	tests := make([]func(R) bool, 0, len(q.Filters))
	for _, f := range q.Filters {
		t, err := compile(f, known)
		if err != nil {
			return out, err
		}
		tests = append(tests, t)
	}
	after, err := position(q.Next)
	if err != nil {
		return out, err
	}
	var named map[string]bool
	if len(q.IDs) > 0 {
		named = make(map[string]bool, len(q.IDs))
		for _, id := range q.IDs {
			named[id] = false
		}
	}
scan:
	for _, r := range rows {
		t := r.Common()
		if keep != nil && !keep(r) {
			continue
		}
		if named != nil {
			if _, ok := named[t.ID]; !ok {
				continue
			}
			named[t.ID] = true
		}
		if t.Seq <= after {
			continue
		}
		for _, pass := range tests {
			if !pass(r) {
				continue scan
			}
		}
		if q.Max > 0 && len(out.Items) == q.Max {
			out.Next = base64.StdEncoding.EncodeToString([]byte("after " + strconv.FormatUint(out.Items[q.Max-1].Common().Seq, 10)))
			break
		}
		if out.Items == nil {
			out.Items = make([]R, 0, len(rows))
		}
		out.Items = append(out.Items, r)
	}
	if named != nil {
		var lost []string
		for _, id := range q.IDs {
			if !named[id] && !slices.Contains(lost, id) {
				lost = append(lost, id)
			}
		}
		if lost != nil {
			return Page[R]{}, notFound(lost)
		}
	}
	return out, nil
}

func (q Query) check() *Error {
	if q.Max != 0 && len(q.IDs) > 0 {
		return BadCombination("The parameter that names resources cannot be used with the parameter maxResults")
	}
	switch {
	case q.Max > MaxPage:
		return BadValue("Value ( %d ) for parameter maxResults is invalid. Expecting a value less than or equal to %d.", q.Max, MaxPage)
	case q.Max != 0 && q.Max < minPage:
		return BadValue("Value ( %d ) for parameter maxResults is invalid. Expecting a value greater than or equal to %d.", q.Max, minPage)
	}
	return nil
}

// position reads a NextToken: the sequence number of the last row of the page
// before, so that pages neither repeat nor skip what lives through all of them.
func position(token string) (uint64, error) {
	if token == "" {
		return 0, nil
	}
	raw, err := base64.StdEncoding.DecodeString(token)
	if err == nil {
		if digits, ok := strings.CutPrefix(string(raw), "after "); ok {
			if n, err := strconv.ParseUint(digits, 10, 64); err == nil {
				return n, nil
			}
		}
	}
	return 0, Refuse("InvalidNextToken", "The specified NextToken is not valid.")
}

func compile[R Row](f Filter, known func(name string) func(R, func(string) bool) bool) (func(R) bool, error) {
	if len(f.Values) > maxFilterValues {
		return nil, Refuse("FilterLimitExceeded", "The maximum number of filter values specified on a single call is %d", maxFilterValues)
	}
	if len(f.Values) == 0 {
		return nil, BadValue("The filter '%s' has no values", f.Name)
	}
	pass := matcher(f.Values)
	if key, ok := strings.CutPrefix(f.Name, "tag:"); ok {
		return func(r R) bool {
			for _, t := range r.Common().Tags {
				if t.Key == key {
					return pass(t.Value)
				}
			}
			return false
		}, nil
	}
	if f.Name == "tag-key" {
		return func(r R) bool {
			return slices.ContainsFunc(r.Common().Tags, func(t cloud.Tag) bool { return pass(t.Key) })
		}, nil
	}
	field := known(f.Name)
	if field == nil {
		return nil, BadValue("The filter '%s' is invalid", f.Name)
	}
	return func(r R) bool { return field(r, pass) }, nil
}

// matcher tests a string against values with wildcards.
func matcher(values []string) func(string) bool {
	var patterns []string // looked for once, and not for each of thousands of rows
	for _, v := range values {
		if strings.ContainsAny(v, `*?\`) {
			patterns = append(patterns, v)
		}
	}
	if len(values) == 1 && patterns == nil {
		one := values[0]
		return func(s string) bool { return s == one }
	}
	return func(s string) bool {
		return slices.Contains(values, s) || slices.ContainsFunc(patterns, func(v string) bool { return faults.Match(v, s) })
	}
}

// Views copies rows out of the lock.
func Views[R any](p Page[*R], err error) (Page[R], error) {
	out := Page[R]{Next: p.Next}
	if err != nil {
		return Page[R]{}, err
	}
	out.Items = make([]R, len(p.Items))
	for i, r := range p.Items {
		out.Items[i] = *r
	}
	return out, nil
}
