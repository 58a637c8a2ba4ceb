package advise

import (
	"fmt"
	"slices"
	"strings"
)

// constraint is what a job's features mean for its types. Slurm's features are
// words of the site's. One that is the name of an instance type or of a family is
// taken for that, and efa for EFA, as AWS ParallelCluster names the features of its
// nodes; all others say nothing of types.
type constraint struct {
	words []string // of types and families; each of them, or any
	any   bool
	efa   bool
	rest  []string // what says nothing of types
}

// efaFeature is the feature of nodes with EFA.
const efaFeature = "efa"

// constrained reads features: names joined by & or by |. What has counts or
// parentheses, and alternatives of which one is no type, are not looked into.
func (m *Market) constrained(features string) (c constraint) {
	features = strings.Join(strings.Fields(features), "")
	if features == "" {
		return c
	}
	if inner, ok := strings.CutPrefix(features, "["); ok && strings.HasSuffix(inner, "]") { // one of them, for all nodes
		features = strings.TrimSuffix(inner, "]")
	}
	if strings.ContainsAny(features, "[]()*") {
		return constraint{rest: []string{features}}
	}
	if all := strings.Split(features, "|"); len(all) > 1 {
		if slices.ContainsFunc(all, func(w string) bool { return !m.has(w) }) {
			return constraint{rest: []string{features}}
		}
		return constraint{words: all, any: true}
	}
	for w := range strings.SplitSeq(features, "&") {
		switch {
		case strings.EqualFold(w, efaFeature):
			c.efa = true
		case m.has(w):
			c.words = append(c.words, w)
		default:
			c.rest = append(c.rest, w)
		}
	}
	return c
}

// has reports whether a word is the name of a type or of a family.
func (m *Market) has(word string) bool {
	_, family := m.families[word]
	return family || slices.ContainsFunc(m.families[familyOf(word)], func(at int) bool { return m.offers[at].Name == word })
}

func familyOf(name string) string {
	family, _, _ := strings.Cut(name, ".")
	return family
}

// chooses reports whether the features say something of types at all.
func (c *constraint) chooses() bool { return c.efa || len(c.words) > 0 }

// meets reports whether a type has the features that say something of types.
func (c *constraint) meets(o *offer) bool {
	if c.efa && o.EFA == 0 {
		return false
	}
	is := func(w string) bool { return w == o.Name || w == familyOf(o.Name) }
	if c.any {
		return slices.ContainsFunc(c.words, is)
	}
	return !slices.ContainsFunc(c.words, func(w string) bool { return !is(w) })
}

// unjudged says in a sentence what of the job no type was chosen by, "" where
// there is nothing.
func (n *need) unjudged() string {
	all := slices.Clone(n.job.Unjudged)
	for _, w := range n.features.rest {
		all = append(all, "--constraint="+w)
	}
	if len(all) == 0 {
		return ""
	}
	const most = 12 // nobody reads on
	if more := len(all) - most; more > 0 {
		all = append(all[:most], fmt.Sprintf("and %d more", more))
	}
	for i, w := range all {
		all[i] = brief(w)
	}
	return "for Slurm to judge, no type is chosen by it: " + strings.Join(all, ", ")
}

// brief is a user's words for people: on a line, and no longer than they read.
func brief(text string) string {
	const most = 60
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, text)
	if len(text) > most {
		return text[:most-3] + "..."
	}
	return text
}
