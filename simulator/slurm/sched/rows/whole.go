package rows

import "slices"

// Whole appends to a list so many whole nodes, with so many CPUs, as select/linear
// takes them: from the smallest row that is enough, or, where none is, from the
// largest, and then from what is left likewise. nodes are in order and enough; they
// are changed.
func Whole(list, nodes []int32, cpusOf func(node int32) int32, need, cpus int32) []int32 {
	for need > 0 || cpus > 0 {
		var best row
		for from := 0; from < len(nodes); {
			r := row{from: from, end: from}
			left, leftCPUs := need, cpus
			for r.end == from || r.end < len(nodes) && nodes[r.end] == nodes[r.end-1]+1 {
				left, leftCPUs = left-1, leftCPUs-cpusOf(nodes[r.end])
				r.end++
			}
			if r.enough = left <= 0 && leftCPUs <= 0; r.better(best) {
				best = r
			}
			from = r.end
		}
		taken := best.from
		for ; taken < best.end && (need > 0 || cpus > 0); taken++ {
			list = append(list, nodes[taken])
			need, cpus = need-1, cpus-cpusOf(nodes[taken])
		}
		nodes = slices.Delete(nodes, best.from, taken)
	}
	return list
}

// row is nodes that follow each other, and whether they are enough.
type row struct {
	from, end int
	enough    bool
}

func (r row) better(than row) bool {
	switch n, m := r.end-r.from, than.end-than.from; {
	case r.enough != than.enough:
		return r.enough
	case r.enough:
		return n < m
	default:
		return n > m
	}
}
