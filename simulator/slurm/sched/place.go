package sched

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"aws-slurm-burst/simulator/slurm/sched/feature"
	"aws-slurm-burst/simulator/slurm/sched/slots"
)

// place is where a job may be: in one of its options, the first in which it can
// start.
type place struct{ options []option }

// option is a partition and those of its classes that a constraint leaves.
type option struct{ partition, set int32 }

type placeKey struct{ partition, constraint string }

// set is a list of classes, by weight, then as they were added. order is their
// places in the list as they were added.
type set struct {
	classes          []int32
	cpus, weight     []int32 // of a node of each
	order            []int32
	minCPUs, maxCPUs int32
	members          slots.Nodes // of the first so many nodes
	added            int
}

// Place returns the number by which jobs name a partition together with a
// constraint (see package feature). The same words always give the same number.
// Partitions and classes come before places.
func (s *Scheduler) Place(partition, constraint string) (int32, error) {
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
	for i := range s.classes {
		c := &s.classes[i]
		if slices.Contains(c.partitions, p) && e.Holds(c.Features) {
			classes = append(classes, int32(i))
		}
	}
	i := s.internPlace([]option{{p, s.intern(classes)}})
	s.placeOf[key] = i
	return i, nil
}

// Alternatives returns a place for a job that may be in one of several
// (sbatch --partition=a,b): it starts in the first, in this order, in which it
// can start now, has all of its nodes there, and waits for the one in which it
// can start first. The first place's partition decides its tier and its limit
// where it has none.
func (s *Scheduler) Alternatives(places ...int32) int32 {
	var all []option
	for _, p := range places {
		for _, o := range s.places[p].options {
			if !slices.Contains(all, o) {
				all = append(all, o)
			}
		}
	}
	return s.internPlace(all)
}

// Without returns a place without some of its nodes (scontrol ExcNodeList).
func (s *Scheduler) Without(place int32, nodes []int32) int32 {
	excluded := slots.Of(len(s.nodes))
	for _, n := range nodes {
		excluded.Add(n)
	}
	var rest []option
	for _, o := range s.places[place].options {
		var classes []int32
		// Dividing a class changes the set: go by what it has now.
		for _, c := range slices.Clone(s.sets[o.set].classes) {
			cl := &s.classes[c]
			out := 0
			for _, n := range cl.nodes {
				if excluded.Has(n) {
					out++
				}
			}
			if out == len(cl.nodes) {
				continue
			}
			if out > 0 {
				s.divide(c, excluded)
			}
			classes = append(classes, c)
		}
		if len(classes) > 0 {
			rest = append(rest, option{o.partition, s.intern(classes)})
		}
	}
	return s.internPlace(rest)
}

// divide makes a class of its own of some nodes of a class. To jobs that do not
// tell them apart nothing changes but the order of nodes.
func (s *Scheduler) divide(c int32, out slots.Nodes) {
	added := int32(len(s.classes))
	all := s.classes[c].nodes
	for _, n := range all {
		s.leave(n)
	}
	s.classes = append(s.classes, newClass(s.classes[c].Class, s.classes[c].partitions))
	s.caps = append(s.caps, hole)
	s.classes[c].nodes = nil
	for _, n := range all {
		to := c
		if out.Has(n) {
			to = added
		}
		s.nodes[n].class, s.nodes[n].pos = to, int32(len(s.classes[to].nodes))
		s.classes[to].nodes = append(s.classes[to].nodes, n)
		s.enter(n)
	}
	clear(s.setOf)
	for i := range s.sets {
		st := &s.sets[i]
		if k := slices.Index(st.classes, c); k >= 0 {
			st.classes = slices.Insert(slices.Clone(st.classes), k+1, added)
			s.measure(st)
		}
		s.setOf[string(key(st.classes))] = int32(i)
	}
	s.changed()
}

// key is numbers as a key of a map.
func key(numbers []int32) []byte {
	var k []byte
	for _, n := range numbers {
		k = binary.BigEndian.AppendUint32(k, uint32(n))
	}
	return k
}

func (s *Scheduler) internPlace(options []option) int32 {
	var numbers []int32
	for _, o := range options {
		numbers = append(numbers, o.partition, o.set)
	}
	k := string(key(numbers))
	if i, ok := s.placeNumber[k]; ok {
		return i
	}
	i := int32(len(s.places))
	s.places = append(s.places, place{options})
	s.placeNumber[k] = i
	return i
}

// intern returns the number of a set of classes.
func (s *Scheduler) intern(classes []int32) int32 {
	slices.SortStableFunc(classes, func(a, b int32) int { return cmp.Compare(s.classes[a].Weight, s.classes[b].Weight) })
	k := string(key(classes))
	if i, ok := s.setOf[k]; ok {
		return i
	}
	st := set{classes: classes}
	s.measure(&st)
	i := int32(len(s.sets))
	s.sets = append(s.sets, st)
	s.setOf[k] = i
	return i
}

// measure works out what a set's classes have.
func (s *Scheduler) measure(st *set) {
	st.cpus, st.weight, st.order = nil, nil, nil
	for i, c := range st.classes {
		cl := &s.classes[c]
		st.cpus, st.weight, st.order = append(st.cpus, cl.CPUs), append(st.weight, cl.Weight), append(st.order, int32(i))
		if i == 0 {
			st.minCPUs = cl.CPUs
		}
		st.minCPUs, st.maxCPUs = min(st.minCPUs, cl.CPUs), max(st.maxCPUs, cl.CPUs)
	}
	slices.SortFunc(st.order, func(a, b int32) int { return cmp.Compare(st.classes[a], st.classes[b]) })
}
