package patch

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/tailscale/hujson"

	"aws-slurm-burst/asba/finding"
)

// Round applies the fixes of findings about a text, as many as can be at once:
// from the last place to the first, so that none moves what another speaks of.
// Fixes that touch each other wait for a round of their own, after the text was
// looked at again. A fix that cannot be applied is left out. It returns the new
// text and the findings whose fix is in it, in order of place; the text itself
// where there are none.
func Round(text []byte, fs []finding.Finding) ([]byte, []finding.Finding) {
	d, err := parse(text)
	if err != nil {
		return text, nil
	}
	type fix struct {
		finding.Finding
		at int
	}
	var fixes []fix
	for _, f := range fs {
		if len(f.Fix) > 0 {
			fixes = append(fixes, fix{f, offset(&d.tree, f.Fix[0].Path)})
		}
	}
	slices.SortStableFunc(fixes, func(a, b fix) int { return cmp.Compare(b.at, a.at) })
	var applied []finding.Finding
	var done []finding.Op
	for _, f := range fixes {
		if slices.ContainsFunc(done, func(before finding.Op) bool {
			return slices.ContainsFunc(f.Fix, func(op finding.Op) bool { return disturbs(before, op) })
		}) {
			continue
		}
		if err := d.apply(f.Fix); err != nil {
			// Begin again, with those that could be applied.
			d, _ = parse(text)
			_ = d.apply(done)
			continue
		}
		applied, done = append(applied, f.Finding), append(done, f.Fix...)
	}
	if len(applied) == 0 {
		return text, nil
	}
	slices.Reverse(applied)
	return d.pack(), applied
}

// offset is where a pointer points at, or where the nearest value around it that
// is there ends.
func offset(tree *hujson.Value, pointer string) int {
	if v := tree.Find(pointer); v != nil {
		return v.StartOffset
	}
	for pointer != "" {
		pointer, _ = split(pointer)
		if v := tree.Find(pointer); v != nil {
			return v.EndOffset
		}
	}
	return 0
}

// disturbs reports whether an operation may mean something else once another
// was applied: where one is about what the other is about, or about a part of
// it, and where the other has moved the items of an array.
func disturbs(before, op finding.Op) bool {
	for _, a := range paths(before) {
		for _, b := range paths(op) {
			if touches(a, b) {
				return true
			}
		}
	}
	return false
}

func paths(op finding.Op) []string {
	if op.Op == "move" {
		return []string{op.Path, op.From}
	}
	return []string{op.Path}
}

// touches: of two items of one array, what was done to the later does not move
// the earlier.
func touches(before, pointer string) bool {
	a, b := strings.Split(before, "/"), strings.Split(pointer, "/")
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		x, xerr := strconv.Atoi(a[i])
		y, yerr := strconv.Atoi(b[i])
		return xerr == nil && yerr == nil && y > x
	}
	return true
}

// Plain takes comments and trailing commas out of a text, whole lines of
// comments with their line breaks. What is no JSON, or has neither, is returned
// as it is, with false.
func Plain(text []byte) ([]byte, bool) {
	d, err := parse(text)
	if err != nil || d.tree.IsStandard() {
		return text, false
	}
	uncomma(&d.tree)
	was := d.tree.Pack()
	d.tree.Standardize() // blanks in the place of each, so that offsets stay
	blanked := d.tree.Pack()
	var b bytes.Buffer
	if d.marked {
		b.Write(bom)
	}
	at := 0
	for line := range bytes.Lines(blanked) {
		old := was[at : at+len(line)]
		at += len(line)
		if bytes.Equal(line, old) {
			b.Write(line)
			continue
		}
		kept := bytes.TrimRight(line, " \t\r\n")
		if len(kept) == 0 {
			continue
		}
		b.Write(kept)
		b.Write(lineEnd(old))
	}
	if d.open {
		return bytes.TrimSuffix(b.Bytes(), []byte("\n")), true
	}
	return b.Bytes(), true
}

// uncomma takes trailing commas out. The reader marks one by blanks behind the
// last entry that are not nil.
func uncomma(tree *hujson.Value) {
	for v := range tree.All() {
		switch c := v.Value.(type) {
		case *hujson.Object:
			if n := len(c.Members); n > 0 {
				prepend(&c.AfterExtra, &c.Members[n-1].Value.AfterExtra)
			}
		case *hujson.Array:
			if n := len(c.Elements); n > 0 {
				prepend(&c.AfterExtra, &c.Elements[n-1].AfterExtra)
			}
		}
	}
}

// prepend moves blanks and comments before others.
func prepend(to, from *hujson.Extra) {
	*to, *from = append(slices.Clone(*from), *to...), nil
}

func lineEnd(line []byte) []byte {
	return line[len(bytes.TrimRight(line, "\r\n")):]
}
