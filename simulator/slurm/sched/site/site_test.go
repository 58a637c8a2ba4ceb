package site

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Nodes are found by what is free of them, whatever was taken and given back, and
// wherever a class was divided.
func TestNodesAreFoundByTheirFreeCPUs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := New()
		s.AddPartition(Partition{Name: "batch"})
		for range 2 {
			c, err := s.AddClass(Class{Partitions: []string{"batch"}, CPUs: 3})
			if err != nil {
				t.Fatal(err)
			}
			for range 70 { // more than a word of 64
				s.AddNode(c)
			}
		}
		place, err := s.Place("batch", "")
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 60).Draw(t, "operations") {
			i := rapid.Int32Range(0, 139).Draw(t, "node")
			switch rapid.IntRange(0, 9).Draw(t, "operation") {
			case 0:
				s.Without(place, []int32{i})
			case 1, 2:
				s.SetNode(i, rapid.SampledFrom([]Availability{Up, Booting, Off, Back, Out}).Draw(t, "availability"), 7)
			default:
				s.Leave(i)
				s.Nodes[i].CPUs = rapid.Int32Range(0, 3).Draw(t, "free")
				s.Enter(i)
			}
		}
		var open, unusable, coming int32
		for i := range s.Nodes {
			n := &s.Nodes[i]
			switch {
			case n.Usable() && n.CPUs > 0:
				open++
			case n.Availability == Back:
				coming++
				fallthrough
			case n.Availability == Out:
				unusable++
			}
		}
		if open != s.Open || unusable != s.Unusable || coming != s.Coming {
			t.Fatalf("open %d, unusable %d, coming %d, want %d, %d, %d", s.Open, s.Unusable, s.Coming, open, unusable, coming)
		}
		for c := range s.Classes {
			m := &s.Classes[c]
			for a := Up; a <= Off; a++ {
				for free := int32(1); free <= m.CPUs; free++ {
					var got, want []int32
					l := m.Level(a, free)
					for pos := l.Next(0); pos >= 0; pos = l.Next(pos + 1) {
						got = append(got, m.Nodes[pos])
					}
					for _, i := range m.Nodes {
						if n := &s.Nodes[i]; n.Class != int32(c) {
							t.Fatalf("node %d is of class %d and among those of %d", i, n.Class, c)
						} else if n.Availability == a && n.CPUs == free {
							want = append(want, i)
						}
					}
					if !slices.Equal(got, want) || l.Len() != int32(len(want)) {
						t.Fatalf("class %d, availability %d, %d free: %v, want %v", c, a, free, got, want)
					}
				}
			}
		}
		// Divided or not, the place has them all.
		if n := s.Members(s.Places[place].Options[0].Set).Without(make([]uint64, 3)); n != 140 {
			t.Fatalf("the place has %d nodes", n)
		}
	})
}
