package site

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"aws-slurm-burst/simulator/slurm/sched/feature"
	"aws-slurm-burst/simulator/slurm/sched/slots"
)

// Place is where a job may be: in one of its options, the first in which it can
// start.
type Place struct{ Options []Option }

// Option is a partition and those of its classes that a constraint leaves, a set.
type Option struct{ Partition, Set int32 }

type placeKey struct{ partition, constraint string }

// Set is a list of classes, by weight, then as they were added. Order is their
// places in the list as they were added.
type Set struct {
	Classes          []int32
	CPUs, Weights    []int32 // of a node of each
	Order            []int32
	MinCPUs, MaxCPUs int32
	members          slots.Nodes // of the first so many nodes
	added            int
}

// Place returns the number by which jobs name a partition together with a
// constraint (see package feature). The same words always give the same number.
// Partitions and classes come before places.
func (s *Site) Place(partition, constraint string) (int32, error) {
	key := placeKey{partition, constraint}
	if i, ok := s.placeOf[key]; ok {
		return i, nil
	}
	p := s.partition(partition)
	if p < 0 {
		return 0, fmt.Errorf("%w: %q", ErrNoPartition, partition)
	}
	e, err := feature.Parse(constraint)
	if err != nil {
		return 0, err
	}
	var classes []int32
	for i := range s.Classes {
		c := &s.Classes[i]
		if slices.Contains(c.In, p) && e.Holds(c.Features) {
			classes = append(classes, int32(i))
		}
	}
	i := s.internPlace([]Option{{p, s.Intern(classes)}})
	s.placeOf[key] = i
	return i, nil
}

// Alternatives returns a place for a job that may be in one of several
// (sbatch --partition=a,b): it starts in the first, in this order, in which it
// can start now, has all of its nodes there, and waits for the one in which it
// can start first. The first place's partition decides its tier and its limit
// where it has none.
func (s *Site) Alternatives(places ...int32) int32 {
	var all []Option
	for _, p := range places {
		for _, o := range s.Places[p].Options {
			if !slices.Contains(all, o) {
				all = append(all, o)
			}
		}
	}
	return s.internPlace(all)
}

// Without returns a place without some of its nodes (scontrol ExcNodeList).
func (s *Site) Without(place int32, nodes []int32) int32 {
	excluded := slots.Of(len(s.Nodes))
	for _, n := range nodes {
		excluded.Add(n)
	}
	var rest []Option
	for _, o := range s.Places[place].Options {
		var classes []int32
		// Dividing a class changes the set: go by what it has now.
		for _, c := range slices.Clone(s.Sets[o.Set].Classes) {
			cl := &s.Classes[c]
			out := 0
			for _, n := range cl.Nodes {
				if excluded.Has(n) {
					out++
				}
			}
			if out == len(cl.Nodes) {
				continue
			}
			if out > 0 {
				s.divide(c, excluded)
			}
			classes = append(classes, c)
		}
		if len(classes) > 0 {
			rest = append(rest, Option{o.Partition, s.Intern(classes)})
		}
	}
	return s.internPlace(rest)
}

// divide makes a class of its own of some nodes of a class. To jobs that do not
// tell them apart nothing changes but the order of nodes.
func (s *Site) divide(c int32, out slots.Nodes) {
	added := int32(len(s.Classes))
	all := s.Classes[c].Nodes
	for _, n := range all {
		s.Leave(n)
	}
	s.Classes = append(s.Classes, newMembers(s.Classes[c].Class, s.Classes[c].In))
	s.Classes[c].Nodes = nil
	for _, n := range all {
		to := c
		if out.Has(n) {
			to = added
		}
		s.Nodes[n].Class, s.Nodes[n].pos = to, int32(len(s.Classes[to].Nodes))
		s.Classes[to].Nodes = append(s.Classes[to].Nodes, n)
		s.Enter(n)
	}
	clear(s.setOf)
	for i := range s.Sets {
		st := &s.Sets[i]
		if k := slices.Index(st.Classes, c); k >= 0 {
			st.Classes = slices.Insert(slices.Clone(st.Classes), k+1, added)
			s.measure(st)
		}
		s.setOf[string(key(st.Classes))] = int32(i)
	}
}

// key is numbers as a key of a map.
func key(numbers []int32) []byte {
	var k []byte
	for _, n := range numbers {
		k = binary.BigEndian.AppendUint32(k, uint32(n))
	}
	return k
}

func (s *Site) internPlace(options []Option) int32 {
	var numbers []int32
	for _, o := range options {
		numbers = append(numbers, o.Partition, o.Set)
	}
	k := string(key(numbers))
	if i, ok := s.placeNumber[k]; ok {
		return i
	}
	i := int32(len(s.Places))
	s.Places = append(s.Places, Place{options})
	s.placeNumber[k] = i
	return i
}

// Intern returns the number of a set of classes.
func (s *Site) Intern(classes []int32) int32 {
	slices.SortStableFunc(classes, func(a, b int32) int { return cmp.Compare(s.Classes[a].Weight, s.Classes[b].Weight) })
	k := string(key(classes))
	if i, ok := s.setOf[k]; ok {
		return i
	}
	st := Set{Classes: classes}
	s.measure(&st)
	i := int32(len(s.Sets))
	s.Sets = append(s.Sets, st)
	s.setOf[k] = i
	return i
}

// measure works out what a set's classes have.
func (s *Site) measure(st *Set) {
	st.CPUs, st.Weights, st.Order = nil, nil, nil
	for i, c := range st.Classes {
		cl := &s.Classes[c]
		st.CPUs, st.Weights, st.Order = append(st.CPUs, cl.CPUs), append(st.Weights, cl.Weight), append(st.Order, int32(i))
		if i == 0 {
			st.MinCPUs = cl.CPUs
		}
		st.MinCPUs, st.MaxCPUs = min(st.MinCPUs, cl.CPUs), max(st.MaxCPUs, cl.CPUs)
	}
	slices.SortFunc(st.Order, func(a, b int32) int { return cmp.Compare(st.Classes[a], st.Classes[b]) })
}

// Members are the nodes of a set's classes.
func (s *Site) Members(k int32) slots.Nodes {
	st := &s.Sets[k]
	if len(st.members) != (len(s.Nodes)+63)/64 || st.added != len(s.Nodes) {
		st.members, st.added = slots.Of(len(s.Nodes)), len(s.Nodes)
		for _, c := range st.Classes {
			for _, i := range s.Classes[c].Nodes {
				st.members.Add(i)
			}
		}
	}
	return st.members
}
