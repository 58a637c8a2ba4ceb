package trace

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

func all(r io.Reader) (lines []string, l *Lines) {
	l = NewLines(r, "f")
	for {
		line, ok := l.Next()
		if !ok {
			return lines, l
		}
		lines = append(lines, string(line))
	}
}

func packed(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.Bytes()
}

func TestLinesOfAnyLengthAreReadWholeAndNumbered(t *testing.T) {
	long := strings.Repeat("x", 1<<16+5)
	want := []string{"a", "", long, "b"}
	text := "a\r\n\n" + long + "\r\nb"
	// One gzip stream after the other is one text.
	double := append(packed(text[:7]), packed(text[7:])...)
	for name, r := range map[string]io.Reader{
		"plain": strings.NewReader(text), "packed": bytes.NewReader(packed(text)), "packed twice": bytes.NewReader(double),
		"byte by byte":      iotest.OneByteReader(bytes.NewReader(packed(text))),
		"with a mark":       strings.NewReader("\ufeff" + text),
		"packed and a mark": bytes.NewReader(packed("\ufeff" + text)),
	} {
		lines, l := all(r)
		if fmt.Sprint(lines) != fmt.Sprint(want) || l.Number() != 4 || !l.Partial() || l.Err() != nil {
			t.Errorf("%s: %d lines, number %d, partial %v, %v", name, len(lines), l.Number(), l.Partial(), l.Err())
		}
	}
}

func TestAStreamThatIsCutOrBrokenSaysWhere(t *testing.T) {
	whole := packed(strings.Repeat("line\n", 1000))
	lines, l := all(bytes.NewReader(whole[:len(whole)-9]))
	if !l.Cut() || l.Err() == nil || !strings.HasPrefix(l.Err().Error(), fmt.Sprintf("f:%d: the packed trace is damaged", len(lines))) {
		t.Errorf("%d lines, %v", len(lines), l.Err())
	}
	_, l = all(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(errors.New("gone"))))
	if l.Cut() || l.Err() == nil || l.Err().Error() != "f:1: reading ended after this line: gone" {
		t.Error(l.Err())
	}
	_, l = all(strings.NewReader("a\n" + strings.Repeat("x", MaxLine+1<<17)))
	if l.Err() == nil || !strings.HasPrefix(l.Err().Error(), "f:2: the line has more than") {
		t.Error(l.Err())
	}
	if _, l = all(strings.NewReader("")); l.Err() != nil || l.Number() != 0 {
		t.Error(l.Err())
	}
}

func TestRepairsAreCountedAndTheFirstListed(t *testing.T) {
	var r Repairs
	for i := range 9 {
		r.Add(Overrun, 10+i)
	}
	r.Add(BadLine, 3)
	want := "bad_line: 1 (line 3): could not be read: left out; overrun: 9 (lines 10, 11, 12, 13, 14, ...): ran longer than its requested time; "
	got := ""
	for _, one := range r.List() {
		got += one.String() + "; "
	}
	if got != want {
		t.Error(got)
	}
	if r.LeftOut() != 1 {
		t.Errorf("%d left out", r.LeftOut())
	}
	seen := map[string]bool{}
	for k := range kinds {
		if k.Says() == "" || k.String() == "" || seen[k.String()] || k.Mended() != (k <= Duplicate) {
			t.Errorf("kind %d: %q %q", k, k, k.Says())
		}
		seen[k.String()] = true
	}
}

func TestNamesAreSharedAndBounded(t *testing.T) {
	var n Names
	for i := range maxNames + 10 {
		if name := fmt.Sprint(i); n.Of([]byte(name)) != name {
			t.Fatal(name)
		}
	}
	if len(n.known) != maxNames || n.Of(nil) != "" {
		t.Errorf("%d names", len(n.known))
	}
	text := []byte("17")
	if a := testing.AllocsPerRun(100, func() { n.Of(text) }); a != 0 {
		t.Errorf("%v allocations for a name that is known", a)
	}
}

func TestThePageHasEveryRepair(t *testing.T) {
	page, err := os.ReadFile("../../../docs/WORKLOADS.md")
	if err != nil {
		t.Fatal(err)
	}
	want := ""
	for k := range kinds {
		want += fmt.Sprintf("| `%s` | %s |\n", k, k.Says())
	}
	if !strings.Contains(string(page), want) {
		t.Errorf("docs/WORKLOADS.md lacks the table\n%s", want)
	}
}
