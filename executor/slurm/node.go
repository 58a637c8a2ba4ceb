package slurm

import (
	"bytes"
	"strings"
)

// Node is what the executor asks slurmctld about a node: some of one line of
// "scontrol -o show node".
type Node struct {
	Name, Addr string
	// State is the base state, such as IDLE.
	State string
	flags string // what follows it, such as CLOUD+POWERING_UP, in Slurm's order
}

// Is reports whether the node is in a base state or has a flag. Before 23.02 a
// timed-out node is DOWN, CLOUD, POWERED_DOWN and NOT_RESPONDING, later without
// the last: ask for what matters, never for the whole.
func (n Node) Is(state string) bool {
	if n.State == state {
		return true
	}
	for flags, more := n.flags, true; more; {
		var flag string
		if flag, flags, more = strings.Cut(flags, "+"); flag == state {
			return true
		}
	}
	return false
}

// parseNodes reads "scontrol -o show node". Lines such as "Node x not found"
// are left out: who asked sees that x is missing. A line has some fifty fields, and
// a thousand nodes are asked for at once: three are looked for, where they are.
func parseNodes(out []byte) []Node {
	nodes := make([]Node, 0, bytes.Count(out, []byte{'\n'}))
	var few [128]byte
	for line := range bytes.Lines(out) {
		rest, ok := bytes.CutPrefix(line, []byte("NodeName="))
		name, _, blank := bytes.Cut(rest, []byte{' '})
		if !ok || !blank || len(name) == 0 {
			continue
		}
		addr, rest := value(rest, " NodeAddr=")
		state, _ := value(rest, " State=") // comes after it
		text := string(append(append(append(few[:0], name...), addr...), state...))
		n := Node{Name: text[:len(name)], Addr: text[len(name) : len(name)+len(addr)]}
		n.State, n.flags, _ = strings.Cut(text[len(name)+len(addr):], "+")
		// Symbols such as IDLE* and IDLE~ are sinfo's, and scontrol's up to 20.11.
		n.State = strings.TrimRight(n.State, "*~#%!$@^-")
		nodes = append(nodes, n)
	}
	return nodes
}

// value returns the first value of a key of Slurm's own, and what follows it; "(null)"
// is none.
func value(line []byte, key string) (value, rest []byte) {
	i := bytes.Index(line, []byte(key))
	if i < 0 {
		return nil, line
	}
	line = line[i+len(key):]
	end := bytes.IndexAny(line, " \r\n")
	if end < 0 {
		end = len(line)
	}
	return bytes.TrimSuffix(line[:end], []byte("(null)")), line[end:]
}
