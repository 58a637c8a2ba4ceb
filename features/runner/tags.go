package runner

import (
	"fmt"
	"slices"
	"strings"
)

// expression is a tag filter in the one dialect godog really evaluates: clauses
// joined by && (all must hold) of terms joined by commas (one must hold), each
// @tag or ~@tag. godog also accepts "not @a" and "@a or @b", takes them for
// names of tags, matches nothing, and reports success.
type expression [][]term

type term struct {
	tag    string // with its @
	negate bool
}

// parseTags refuses whatever godog would misread, and tags that no scenario has:
// a typing error must not select nothing, or everything.
func parseTags(text string, known []string) (expression, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var e expression
	for clause := range strings.SplitSeq(text, "&&") {
		var terms []term
		for word := range strings.SplitSeq(clause, ",") {
			word = strings.TrimSpace(word)
			t := term{tag: strings.TrimPrefix(word, "~"), negate: strings.HasPrefix(word, "~")}
			if !strings.HasPrefix(t.tag, "@") || len(t.tag) < 2 || strings.ContainsAny(t.tag[1:], "@~&|() \t\r\n") {
				return nil, usagef("tags %q: cannot read %q: write @tag or ~@tag, joined by && (and) or a comma (or); the words not, and, or are not understood", text, word)
			}
			if !slices.Contains(known, t.tag) {
				return nil, usagef("tags %q: no scenario has %s; there are: %s", text, t.tag, orNone(known))
			}
			terms = append(terms, t)
		}
		e = append(e, terms)
	}
	return e, nil
}

func (e expression) match(tags []string) bool {
	for _, clause := range e {
		if !slices.ContainsFunc(clause, func(t term) bool {
			return slices.Contains(tags, t.tag) != t.negate
		}) {
			return false
		}
	}
	return true
}

// String is the expression as godog reads it.
func (e expression) String() string {
	clauses := make([]string, 0, len(e))
	for _, clause := range e {
		words := make([]string, 0, len(clause))
		for _, t := range clause {
			if t.negate {
				words = append(words, "~"+t.tag)
			} else {
				words = append(words, t.tag)
			}
		}
		clauses = append(clauses, strings.Join(words, ","))
	}
	return strings.Join(clauses, " && ")
}

// exclusionPrefix begins a tag that leaves a scenario out on one backend, and
// says why: @not-localstack:no-placement-groups.
const exclusionPrefix = "@not-"

// exclusion splits such a tag. Any other tag gives ok false; one that begins
// like an exclusion and is none is an error, for it would exclude nothing.
func exclusion(tag string, backends []string) (backend, reason string, ok bool, err error) {
	rest, is := strings.CutPrefix(tag, exclusionPrefix)
	if !is {
		return "", "", false, nil
	}
	backend, reason, _ = strings.Cut(rest, ":")
	if !slices.Contains(backends, backend) {
		return "", "", false, fmt.Errorf("%s: there is no backend %q; there are: %s", tag, backend, orNone(backends))
	}
	if reason == "" {
		return "", "", false, fmt.Errorf("%s: give the reason after a colon, like %s:no-placement-groups", tag, strings.TrimSuffix(tag, ":"))
	}
	return backend, reason, true, nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	names = slices.Clone(names)
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " ")
}
