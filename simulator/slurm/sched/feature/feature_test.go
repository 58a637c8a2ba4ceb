package feature

import (
	"strings"
	"testing"
)

func TestConstraintsAreReadAsSbatchReadsThem(t *testing.T) {
	nodes := []string{"intel,ib", "intel", "amd,ib", "arm"}
	for _, c := range []struct {
		constraint string
		nodes      int
	}{
		{"", 4}, {" ", 4}, {"intel", 2}, {"intel&ib", 1}, {"intel|amd", 3}, {"intel&ib|arm", 2}, {"arm|intel&ib", 2},
		{"(intel|amd)&ib", 2}, {" ( intel | arm ) & (ib|arm) ", 2}, {"riscv", 0}, {"intel&amd", 0},
	} {
		e, err := Parse(c.constraint)
		if err != nil {
			t.Error(err)
		}
		n := 0
		for _, features := range nodes {
			if e.Holds(strings.Split(features, ",")) {
				n++
			}
		}
		if n != c.nodes {
			t.Errorf("%q: %d nodes, want %d", c.constraint, n, c.nodes)
		}
	}
}

func TestWhatIsNotAConstraintIsAnErrorOfOneLine(t *testing.T) {
	for _, bad := range []string{"rack*4", "[a|b]", "a&", "|a", "(a", "a)", "a b", "a\n", strings.Repeat("(", 17) + "a", strings.Repeat("(a|b)&", 9) + "c", strings.Repeat("a|", 300) + "a"} {
		if _, err := Parse(bad); err == nil || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "constraint ") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a", "a&b|c", "(a|b)&c", "[a|b]", "a*2", "((a)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := Parse(s)
		if err != nil {
			return
		}
		// Every feature that it speaks of is enough for it.
		var all []string
		for _, and := range e {
			all = append(all, and...)
		}
		if !e.Holds(all) {
			t.Errorf("%q does not hold with all of %q", s, all)
		}
	})
}
