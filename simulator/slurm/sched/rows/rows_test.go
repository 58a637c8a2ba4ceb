package rows

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func nodes(cpus ...int32) []Node {
	var all []Node
	for i, n := range cpus {
		if n > 0 { // 0 is a gap
			all = append(all, Node{ID: int32(i), CPUs: n, Threads: 1})
		}
	}
	return all
}

func TestSharedNodesAreTakenAsFromSlurm(t *testing.T) {
	weighed := nodes(4, 4, 4)
	weighed[0].Weight = 1
	cores := nodes(8, 8)
	cores[0].Threads, cores[1].Threads = 2, 2
	for _, c := range []struct {
		why       string
		nodes     []Node
		ask       Ask
		ids, cpus []int32
	}{
		{"one node, with least to spare", nodes(8, 6, 5, 8), Ask{Nodes: 1, MaxNodes: 5, CPUs: 5}, []int32{2}, []int32{5}},
		{"as they come, where none is enough", nodes(4, 8, 8), Ask{Nodes: 1, MaxNodes: 14, CPUs: 14}, []int32{0, 1, 2}, []int32{4, 8, 2}},
		{"the smallest row that is enough", nodes(4, 4, 4, 0, 4, 4), Ask{Nodes: 2, MaxNodes: 2, CPUs: 2}, []int32{4, 5}, []int32{1, 1}},
		{"the largest, where none is, and then of what is left", nodes(4, 0, 4, 4, 0, 4), Ask{Nodes: 3, MaxNodes: 3, CPUs: 3}, []int32{0, 2, 3}, []int32{1, 1, 1}},
		{"the lowest weight first", weighed, Ask{Nodes: 1, MaxNodes: 1, CPUs: 1}, []int32{1}, []int32{1}},
		{"the lowest weight, though the job does not fit there alone", weighed, Ask{Nodes: 3, MaxNodes: 3, CPUs: 3}, []int32{0, 1, 2}, []int32{1, 1, 1}},
		{"in blocks, but for one each", nodes(8, 8, 8), Ask{Nodes: 3, MaxNodes: 3, CPUs: 12}, []int32{0, 1, 2}, []int32{8, 3, 1}},
		{"a core each for the others", cores, Ask{Nodes: 2, MaxNodes: 2, CPUs: 8}, []int32{0, 1}, []int32{6, 2}},
		{"whole nodes, however few CPUs", nodes(4, 4), Ask{Nodes: 1, MaxNodes: 1, CPUs: 1, Whole: true}, []int32{0}, []int32{4}},
		{"not more nodes than it may have", nodes(2, 2, 4, 4), Ask{Nodes: 2, MaxNodes: 2, CPUs: 8}, []int32{2, 3}, []int32{4, 4}},
		{"too few", nodes(2, 2), Ask{Nodes: 1, MaxNodes: 5, CPUs: 5}, nil, nil},
	} {
		var taker Taker
		ok := taker.Shared(c.nodes, c.ask)
		if ok != (c.ids != nil) || ok && !(slices.Equal(taker.IDs, c.ids) && slices.Equal(taker.CPUs, c.cpus)) {
			t.Errorf("%s: %v %v %v, want %v %v", c.why, ok, taker.IDs, taker.CPUs, c.ids, c.cpus)
		}
	}
}

// Whatever there is and whatever is asked for, what is taken is there, is enough
// and is not too much; and who gets nothing could not be served.
func TestWhatIsTakenServes(t *testing.T) {
	var taker Taker
	rapid.Check(t, func(t *rapid.T) {
		var all []Node
		for id := range rapid.Int32Range(1, 10).Draw(t, "places") {
			if n := rapid.Int32Range(0, 4).Draw(t, "cores"); n > 0 {
				threads := rapid.Int32Range(1, 2).Draw(t, "threads")
				all = append(all, Node{ID: id, CPUs: n * threads, Threads: threads, Weight: rapid.Int64Range(0, 1).Draw(t, "weight")})
			}
		}
		a := Ask{Nodes: rapid.Int32Range(1, 4).Draw(t, "nodes"), CPUs: rapid.Int32Range(1, 20).Draw(t, "cpus"), Whole: rapid.Bool().Draw(t, "whole")}
		a.MaxNodes = a.Nodes + rapid.Int32Range(0, 3).Draw(t, "more")
		most := []int32{}
		for _, n := range all {
			most = append(most, n.CPUs)
		}
		slices.Sort(most)
		slices.Reverse(most)
		sum := int32(0)
		for _, n := range most[:min(len(most), int(a.MaxNodes))] {
			sum += n
		}
		ok := taker.Shared(all, a)
		if possible := int32(len(all)) >= a.Nodes && sum >= a.CPUs; ok != possible {
			t.Fatalf("%+v of %+v: %v", a, all, ok)
		}
		if !ok {
			return
		}
		got := int32(0)
		for i, id := range taker.IDs {
			k := slices.IndexFunc(all, func(n Node) bool { return n.ID == id })
			if k < 0 || taker.CPUs[i] < 1 || taker.CPUs[i] > all[k].CPUs {
				t.Fatalf("%d CPUs of node %d of %+v", taker.CPUs[i], id, all)
			}
			got += taker.CPUs[i]
		}
		if n := int32(len(taker.IDs)); n < a.Nodes || n > a.MaxNodes || got < a.CPUs || !slices.IsSorted(taker.IDs) {
			t.Fatalf("%+v: %v %v", a, taker.IDs, taker.CPUs)
		}
	})
}

func TestWholeNodesAreTakenFromRows(t *testing.T) {
	for _, c := range []struct {
		why        string
		nodes      []int32
		need, cpus int32
		want       []int32
	}{
		{"the smallest row that is enough", []int32{0, 1, 2, 4, 5}, 2, 0, []int32{4, 5}},
		{"the first of those that are as large", []int32{0, 1, 3, 4}, 1, 0, []int32{0}},
		{"the largest and then of the rest", []int32{0, 2, 3, 5}, 3, 0, []int32{2, 3, 0}},
		{"as many as come to the CPUs", []int32{0, 1, 2, 4, 5}, 1, 5, []int32{0, 1, 2}},
	} {
		got := Whole(nil, slices.Clone(c.nodes), func(int32) int32 { return 2 }, c.need, c.cpus)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.why, got, c.want)
		}
	}
}
