package hostlist

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// So many expressions are compared with the installed Slurm; the seed makes
// them the same everywhere.
const (
	oracleExpressions = 10_000
	oracleSorted      = 500 // lists that Slurm sorts: a process each
	oracleSeed        = 20260101
)

// The answer of Slurm is right, with two exceptions that are meant. What Expand
// refuses and Slurm takes has one of the reasons of stricter; and text after the
// last bracket is read here, and refused by Slurm before 23.11.
func TestExpandAndFoldAreThoseOfTheInstalledSlurm(t *testing.T) {
	s := installedSlurm(t)
	g := generator{rand.New(rand.NewPCG(oracleSeed, 0))}
	exprs := make([]string, oracleExpressions)
	for i := range exprs {
		exprs[i] = g.expression()
	}

	outcomes := map[string]int{}
	var sorted, folded []string      // of every list of names that came out
	var shuffled, foldedToo []string // of those that Slurm can sort
	for i, answer := range s.ask(t, "hostnames", exprs) {
		want := strings.Split(answer, ",")
		if answer == "" {
			want = nil
		}
		got, err := Expand(exprs[i])
		switch why := reason(exprs[i], err); {
		case err != nil && len(want) == 0:
			outcomes[refusedByBoth]++
			continue
		case why != "":
			outcomes[refusedHere+why]++
			continue
		case err != nil:
			t.Errorf("Expand(%.200q): %v; Slurm says %.200q", exprs[i], err, want)
			continue
		case len(want) == 0 && textAfterBracket.MatchString(exprs[i]):
			outcomes["read here: text after a bracket"]++
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Expand(%.200q), Slurm's -, ours +:\n%.2000s", exprs[i], diff)
			continue
		}
		outcomes[same]++
		if len(strings.Join(got, ",")) > maxText {
			outcomes[same+", too long to fold"]++
			continue
		}
		folded = append(folded, Fold(got))
		Sort(got)
		got = Unique(got)
		sorted = append(sorted, strings.Join(got, ","))
		if len(shuffled) < oracleSorted && slurmSorts(got) {
			g.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
			shuffled, foldedToo = append(shuffled, strings.Join(got, ",")), append(foldedToo, folded[len(folded)-1])
		}
	}

	for i, want := range s.ask(t, "hostlist", sorted) {
		if want != folded[i] {
			t.Errorf("Fold(%.500s)\nSlurm %.500s\nours  %.500s", sorted[i], want, folded[i])
		}
	}
	for i, want := range s.ask(t, "hostlistsorted", shuffled) {
		if want != foldedToo[i] {
			t.Errorf("Fold(%.500s)\nsorted by Slurm %.500s\nours            %.500s", shuffled[i], want, foldedToo[i])
		}
	}
	for i, answer := range s.ask(t, "hostnames", folded) {
		if answer != sorted[i] {
			t.Errorf("Slurm reads %.500s, written for %.500s, as %.500s", folded[i], sorted[i], answer)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(outcomes)) {
		t.Logf("%6d %s", outcomes[what], what)
	}
	// What never came up was not compared.
	if outcomes[same] < oracleExpressions*3/4 || outcomes[refusedByBoth] < oracleExpressions/100 || len(shuffled) < oracleSorted {
		t.Error("the generator makes other expressions than it should")
	}
	for _, why := range stricter {
		if outcomes[refusedHere+why] == 0 {
			t.Errorf("no expression was refused here for %s alone", why)
		}
	}
}

const (
	same          = "the same"
	refusedByBoth = "refused by both"
	refusedHere   = "refused here alone: "
)

// textAfterBracket finds text behind the last bracket of an item.
var textAfterBracket = regexp.MustCompile(`\][^][,\s]+([,\s]|$)`)

// stricter are the reasons for which Expand refuses what Slurm 22.05 takes, by
// a piece of the message: what Slurm made of it starts in each line.
var stricter = map[string]string{
	`"[" without "]"`:              "an open bracket",         // a[1-2 is the node "a]"
	`"]" without "["`:              "a closing bracket alone", // a] is a node
	"cannot stand in a node name":  "a character",             // a;b is a node
	"a name cannot begin with":     "a first character",       // .a is a node
	"is missing before":            "a missing number",        // a[1-] is a1
	"write numbers and ranges":     "blanks or signs",         // a[1, 2] is a1 and a02
	"ends at 18446744073709551615": "a number beyond 64 bits", // a[18446744073709551616] is ...615
	"more than 65536 names":        "more than 64 Ki names",   // a[1-300]b[1-300] is 90,000 nodes
}

// reason returns the reason of stricter for an error, "" for none of them. An
// open bracket may meet another fault first.
func reason(expr string, err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return ""
	}
	msg := e.Msg
	if strings.Count(expr, "[") > strings.Count(expr, "]") {
		msg = `"[" without "]"`
	}
	for _, text := range slices.Sorted(maps.Keys(stricter)) {
		if strings.Contains(msg, text) {
			return stricter[text]
		}
	}
	return ""
}

// slurmSorts reports whether `scontrol show hostlistsorted` has an order for
// names: it subtracts numbers in 32 bits, and where one prefix has numbers with
// and without leading zeros its text depends on the order of the names.
func slurmSorts(names []string) bool {
	zeros := map[string]bool{}
	for _, n := range names {
		h := split(n)
		z := strings.HasPrefix(h.digits, "0") && len(h.digits) > 1
		if before, seen := zeros[h.prefix]; h.n > math.MaxInt32 || seen && before != z {
			return false
		}
		zeros[h.prefix] = z
	}
	return true
}

// slurm is the scontrol of this machine.
type slurm struct{ path, conf string }

// installedSlurm finds scontrol. It needs a slurm.conf, though not a slurmctld:
// without one it looks for a server in DNS for a minute.
func installedSlurm(t *testing.T) slurm {
	t.Helper()
	path, err := exec.LookPath("scontrol")
	if err != nil {
		const missing = "scontrol is not installed (apt-get install slurm-client)"
		if os.Getenv("ASBA_REQUIRE_SLURM") == "1" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	conf := filepath.Join(t.TempDir(), "slurm.conf")
	if err := os.WriteFile(conf, []byte("ClusterName=oracle\nSlurmctldHost=localhost\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return slurm{path, conf}
}

const (
	maxText   = 100 << 10 // bytes, well below what one argument may have
	maxMemory = "300000"  // KiB a scontrol
)

// ask has scontrol answer `show WHAT TEXT` for each of texts: a name a line, or
// a list. A process costs more than a thousand names do, so those that Expand
// takes are asked for together, with a name of ours behind each. Where Slurm
// refuses such a list or sorts it, and for all others, each has its own process.
func (s slurm) ask(t *testing.T, what string, texts []string) []string {
	t.Helper()
	const fence = "zz-fence-%d-zz"
	answers := make([]string, len(texts))
	alone := func(i int) { answers[i] = strings.Join(s.names(t, what, texts[i]), ",") }
	for next := 0; next < len(texts); {
		first, list := next, ""
		for ; next < len(texts) && next < first+200; next++ {
			if _, err := Expand(texts[next]); err != nil || what == "hostlistsorted" || textAfterBracket.MatchString(texts[next]) || len(list)+len(texts[next]) > maxText {
				break
			}
			list += texts[next] + "," + fmt.Sprintf(fence, next) + ","
		}
		if next == first {
			alone(next)
			next++
			continue
		}
		rest := strings.Join(s.names(t, what, list), ",") + ","
		for i := first; i < next; i++ {
			found := false
			if answers[i], rest, found = strings.Cut(rest, ","+fmt.Sprintf(fence, i)+","); !found {
				for ; first < next; first++ {
					alone(first)
				}
				break
			}
		}
	}
	return answers
}

// names runs scontrol; for what it refuses it prints nothing but an error.
func (s slurm) names(t *testing.T, what, text string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	// It takes all memory for what it misreads as a product of large ranges.
	c := exec.CommandContext(ctx, "/bin/sh", "-c", `ulimit -v "$1"; exec "$0" show "$2" "$3"`, s.path, maxMemory, what, text)
	c.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "SLURM_CONF=" + s.conf}
	out, err := c.Output()
	if err != nil && (ctx.Err() != nil || !errors.As(err, new(*exec.ExitError))) {
		t.Fatalf("scontrol show %s %.500q: %v", what, text, err)
	}
	return strings.Fields(string(out))
}

// generator writes hostlists by their grammar, and breaks some.
type generator struct{ *rand.Rand }

func (g generator) oneIn(n int) bool { return g.IntN(n) == 0 }

func pick[T any](g generator, of ...T) T { return of[g.IntN(len(of))] }

// several returns one or more, with a chance of one in two of each more.
func (g generator) several(most int) int {
	n := 1
	for n < most && g.oneIn(2) {
		n++
	}
	return n
}

func (g generator) expression() string {
	var b strings.Builder
	b.WriteString(pick(g, "", "", "", "", "", "", ",", ",,"))
	for n := g.several(8); n > 0; n-- {
		b.WriteString(g.item())
		if n > 1 {
			b.WriteString(pick(g, ",", ",", ",", ",", ",", ",", ",,", ",,,"))
		}
	}
	b.WriteString(pick(g, "", "", "", "", "", "", ",", ",,"))
	e := b.String()
	switch {
	case g.oneIn(5) && !strings.Contains(e, "["): // beside a bracket Slurm takes it for text
		e = strings.ReplaceAll(e, ",", pick(g, " ", "\n", "\t", ", ", " ,"))
	case g.oneIn(20): // its own duplicate
		e += "," + e
	}
	return e
}

// item is a name, or names: text, then brackets with text between them, and
// seldom behind them.
func (g generator) item() string {
	s := g.text()
	switch {
	case g.oneIn(3):
		return s + g.number(1000) // a single name
	case g.oneIn(40):
		return g.broken(s + g.bracket(true))
	}
	if g.oneIn(20) {
		s = "" // names that are numbers
	}
	n := g.several(3)
	for i := range n {
		s += g.bracket(n == 1)
		if i < n-1 && !g.oneIn(4) {
			s += g.text()
		}
	}
	if g.oneIn(25) {
		s += g.text()
	}
	return s
}

func (g generator) text() string {
	return pick(g, "a", "n", "aws-hpc-", "c5n-18xl-", "rack02-", "rack10-", "r9n", "node.site_", "Gpu", "x0", "b00-")
}

// number is one below max, seldom padded with zeros.
func (g generator) number(max int) string {
	n := fmt.Sprint(g.IntN(max))
	if g.oneIn(3) {
		n = strings.Repeat("0", 1+g.IntN(4)) + n
	}
	return n
}

// bracket has large numbers, large ranges and backward ones only where it stands
// alone: in a product of several brackets Slurm bounds none of them, and makes
// names until the memory is full.
func (g generator) bracket(alone bool) string {
	var parts []string
	for n := g.several(5); n > 0; n-- {
		parts = append(parts, g.span(alone))
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// span is a number or a range. Widths change within it and at its ends.
func (g generator) span(alone bool) string {
	if g.oneIn(2) {
		return g.number(120)
	}
	low := pick(g, g.IntN(12), 8+g.IntN(4), 90+g.IntN(12), 990+g.IntN(12))
	size := g.IntN(12)
	switch {
	case alone && g.oneIn(500):
		size = g.IntN(20_000)
	case alone && g.oneIn(1000):
		low, size = 0, 65_530+g.IntN(12) // at the limit
	}
	zeros := func(n int) string { return fmt.Sprintf("%0*d", pick(g, 1, 1, 2, 3, 4, 6), n) }
	if alone && g.oneIn(200) { // at the end of 64 bits
		return pick(g, "18446744073709551612-18446744073709551614", "18446744073709551614-18446744073709551616",
			"18446744073709551615", "18446744073709551616", "99999999999999999999", "00018446744073709551614")
	}
	low2, high := zeros(low), zeros(low+size)
	if alone && g.oneIn(60) {
		low2, high = high, low2 // backwards
	}
	return low2 + "-" + high
}

// broken inserts, removes or doubles a character, or cuts the end off.
func (g generator) broken(e string) string {
	at := g.IntN(len(e))
	switch g.IntN(4) {
	case 0:
		return e[:at] + pick(g, "[", "]", "-", ",", "+", ";", "=", "{", "}", "x", "0", ".", "*", "_", "(", "/", "@", "é") + e[at:]
	case 1:
		return e[:at] + e[at+1:]
	case 2:
		return e[:at] + e[at:at+1] + e[at:]
	}
	return e[:at]
}
