// Package feature reads what sbatch --constraint says of a job's nodes: features
// joined by & and |, with parentheses, where & binds more tightly than |.
//
// Counts ("rack*4") and brackets, which ask for different features of different
// nodes, are refused: every node of a job has to be what its constraint says.
package feature

import (
	"fmt"
	"slices"
	"strings"
)

// Expr is a constraint: alternatives, each of which is features that a node must
// have all of. Nil is no constraint.
type Expr [][]string

// Holds reports whether a node with these features is what is asked for.
func (c Expr) Holds(features []string) bool {
	return len(c) == 0 || slices.ContainsFunc(c, func(all []string) bool {
		return !slices.ContainsFunc(all, func(f string) bool { return !slices.Contains(features, f) })
	})
}

// maxAlternatives bounds what a constraint may unfold into.
const maxAlternatives = 256

// Parse reads a constraint; an empty one is none.
func Parse(text string) (Expr, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	p := parser{rest: text}
	c, err := p.or(0)
	if err == nil && p.peek() != 0 {
		err = fmt.Errorf("%q is left over", p.rest)
	}
	if err != nil {
		return nil, fmt.Errorf("constraint %q: %w: join features by & and |, with parentheses", text, err)
	}
	return c, nil
}

// parser has what is left to read.
type parser struct{ rest string }

// peek returns the next character, 0 at the end.
func (p *parser) peek() byte {
	p.rest = strings.TrimLeft(p.rest, " \t")
	if p.rest == "" {
		return 0
	}
	return p.rest[0]
}

func (p *parser) or(depth int) (Expr, error) {
	all, err := p.and(depth)
	for err == nil && p.peek() == '|' {
		p.rest = p.rest[1:]
		var more Expr
		if more, err = p.and(depth); err == nil {
			all = append(all, more...)
		}
	}
	if err == nil && len(all) > maxAlternatives {
		err = fmt.Errorf("it unfolds into more than %d alternatives", maxAlternatives)
	}
	return all, err
}

func (p *parser) and(depth int) (Expr, error) {
	left, err := p.term(depth)
	for err == nil && p.peek() == '&' {
		p.rest = p.rest[1:]
		var right, both Expr
		if right, err = p.term(depth); err != nil {
			break
		}
		for _, a := range left {
			for _, b := range right {
				both = append(both, slices.Concat(a, b))
			}
		}
		if left = both; len(left) > maxAlternatives {
			err = fmt.Errorf("it unfolds into more than %d alternatives", maxAlternatives)
		}
	}
	return left, err
}

func (p *parser) term(depth int) (Expr, error) {
	if p.peek() == '(' {
		if depth == 16 {
			return nil, fmt.Errorf("parentheses are nested more than %d deep", depth)
		}
		p.rest = p.rest[1:]
		inner, err := p.or(depth + 1)
		if err == nil && p.peek() != ')' {
			err = fmt.Errorf("a parenthesis is not closed")
		}
		if err == nil {
			p.rest = p.rest[1:]
		}
		return inner, err
	}
	end := strings.IndexFunc(p.rest, func(r rune) bool {
		return !(r == '_' || r == '-' || r == '.' || r == ':' || r == '=' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
	})
	if end < 0 {
		end = len(p.rest)
	}
	if end == 0 {
		if p.peek() == 0 {
			return nil, fmt.Errorf("a feature is missing at its end")
		}
		return nil, fmt.Errorf("%q is not modelled", p.rest[:1])
	}
	name := p.rest[:end]
	p.rest = p.rest[end:]
	return Expr{{name}}, nil
}
