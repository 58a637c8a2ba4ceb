package sched

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// place is a partition with a constraint: where jobs may be.
type place struct {
	partition int32
	set       int32
}

type placeKey struct{ partition, constraint string }

// set is a list of classes that can serve a job, in the order in which their
// nodes are taken: by weight, then as they were added.
type set struct {
	classes          []int32
	minCPUs, maxCPUs int32
}

// Place returns the number by which jobs name a partition together with a
// constraint (sbatch --constraint): features joined by & and |, where & binds
// more tightly, with parentheses. Counts ("rack*4") and brackets, which ask for
// different features of different nodes, are refused. The same words always
// give the same number.
func (s *Scheduler) Place(partition, constraint string) (int32, error) {
	key := placeKey{partition, constraint}
	if i, ok := s.placeOf[key]; ok {
		return i, nil
	}
	p := s.partition(partition)
	if p < 0 {
		return 0, fmt.Errorf("%w: %q", ErrNoPartition, partition)
	}
	e, err := parseConstraint(constraint)
	if err != nil {
		return 0, err
	}
	var classes []int32
	for i := range s.classes {
		c := &s.classes[i]
		if slices.Contains(c.partitions, p) && e.holds(c.Features) {
			classes = append(classes, int32(i))
		}
	}
	i := int32(len(s.places))
	s.places = append(s.places, place{p, s.intern(classes)})
	s.placeOf[key] = i
	return i, nil
}

// intern returns the number of a set of classes.
func (s *Scheduler) intern(classes []int32) int32 {
	slices.SortStableFunc(classes, func(a, b int32) int { return cmp.Compare(s.classes[a].Weight, s.classes[b].Weight) })
	var key []byte
	for _, c := range classes {
		key = binary.BigEndian.AppendUint32(key, uint32(c))
	}
	if i, ok := s.setOf[string(key)]; ok {
		return i
	}
	st := set{classes: classes}
	for k, c := range classes {
		cpus := s.classes[c].CPUs
		if k == 0 {
			st.minCPUs = cpus
		}
		st.minCPUs, st.maxCPUs = min(st.minCPUs, cpus), max(st.maxCPUs, cpus)
	}
	i := int32(len(s.sets))
	s.sets = append(s.sets, st)
	s.setOf[string(key)] = i
	return i
}

// constraint is an expression over features: alternatives of conjunctions.
type constraint [][]string

// holds reports whether a node with these features is what is asked for.
func (c constraint) holds(features []string) bool {
	return len(c) == 0 || slices.ContainsFunc(c, func(all []string) bool {
		return !slices.ContainsFunc(all, func(f string) bool { return !slices.Contains(features, f) })
	})
}

// maxAlternatives bounds what a constraint may unfold into.
const maxAlternatives = 256

// parseConstraint reads an expression and unfolds it.
func parseConstraint(text string) (constraint, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	p := constraintParser{rest: text}
	c, err := p.or(0)
	if err == nil && p.peek() != 0 {
		err = fmt.Errorf("%q is left over", p.rest)
	}
	if err != nil {
		return nil, fmt.Errorf("constraint %q: %w: join features by & and |, with parentheses", text, err)
	}
	return c, nil
}

type constraintParser struct{ rest string }

// peek returns the next character, 0 at the end.
func (p *constraintParser) peek() byte {
	p.rest = strings.TrimLeft(p.rest, " \t")
	if p.rest == "" {
		return 0
	}
	return p.rest[0]
}

func (p *constraintParser) or(depth int) (constraint, error) {
	all, err := p.and(depth)
	for err == nil && p.peek() == '|' {
		p.rest = p.rest[1:]
		var more constraint
		if more, err = p.and(depth); err == nil {
			all = append(all, more...)
		}
	}
	if err == nil && len(all) > maxAlternatives {
		err = fmt.Errorf("it unfolds into more than %d alternatives", maxAlternatives)
	}
	return all, err
}

func (p *constraintParser) and(depth int) (constraint, error) {
	left, err := p.term(depth)
	for err == nil && p.peek() == '&' {
		p.rest = p.rest[1:]
		var right, both constraint
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

func (p *constraintParser) term(depth int) (constraint, error) {
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
	f := p.rest[:end]
	p.rest = p.rest[end:]
	return constraint{{f}}, nil
}
