package ctld

import "cmp"

// before orders nodes by when they are due, then by number.
func before(nodes []node, a, b int32) bool {
	return cmp.Or(cmp.Compare(nodes[a].due, nodes[b].due), cmp.Compare(a, b)) < 0
}

// sift keeps the binary heap of nodes that the thread has to look at: each node
// knows its place in it. It puts a node into the heap at its place, or takes it out.
func (p *powerSave) sift(nodes []node, i int32, in bool) {
	k := int(nodes[i].place) - 1
	switch {
	case in && k < 0:
		k = len(p.queue)
		p.queue = append(p.queue, i)
	case !in && k < 0:
		return
	case !in:
		last := len(p.queue) - 1
		nodes[i].place = 0
		moved := p.queue[last]
		p.queue = p.queue[:last]
		if k == last {
			return
		}
		i = moved
	}
	for k > 0 && before(nodes, i, p.queue[(k-1)/2]) {
		p.queue[k] = p.queue[(k-1)/2]
		nodes[p.queue[k]].place = int32(k) + 1
		k = (k - 1) / 2
	}
	for {
		c := 2*k + 1
		if c >= len(p.queue) {
			break
		}
		if c+1 < len(p.queue) && before(nodes, p.queue[c+1], p.queue[c]) {
			c++
		}
		if !before(nodes, p.queue[c], i) {
			break
		}
		p.queue[k] = p.queue[c]
		nodes[p.queue[k]].place = int32(k) + 1
		k = c
	}
	p.queue[k] = i
	nodes[i].place = int32(k) + 1
}
