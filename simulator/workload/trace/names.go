package trace

// maxNames bounds what Names keeps: a trace whose every job has a name of its
// own must not fill the memory.
const maxNames = 1 << 16

// Names keeps each name once, so that jobs share them.
type Names struct{ known map[string]string }

// Of returns the name that b spells.
func (n *Names) Of(b []byte) string {
	if s, ok := n.known[string(b)]; ok { // no copy is made for the look-up
		return s
	}
	return n.Keep(string(b))
}

// Keep returns the name, as it was kept the first time.
func (n *Names) Keep(s string) string {
	if s == "" {
		return ""
	}
	if k, ok := n.known[s]; ok {
		return k
	}
	if n.known == nil {
		n.known = map[string]string{}
	}
	if len(n.known) < maxNames {
		n.known[s] = s
	}
	return s
}
