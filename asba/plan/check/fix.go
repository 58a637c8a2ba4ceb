package check

import (
	"bytes"
	"slices"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/finding/patch"
	"aws-slurm-burst/asba/plan/rule"
)

// maxRounds bounds how often a text is mended and judged again: what is mended
// may show something else, and two fixes may undo each other.
const maxRounds = 10

// Fix mends a text as far as findings have fixes, and judges what comes of it.
// It keeps whatever no fix is about. out is the text itself where nothing was
// mended; n is how many findings were.
func Fix(data []byte, file string, o Options) (out []byte, r Result, n int) {
	out, r = data, Text(data, file, o)
	seen := [][]byte{data}
	for range maxRounds {
		next, done := round(out, file, r, o)
		if done == 0 || slices.ContainsFunc(seen, func(b []byte) bool { return bytes.Equal(b, next) }) {
			break
		}
		after := Text(next, file, o)
		if after.Plan == nil && r.Plan != nil {
			break // no fix may break a text
		}
		out, r, n = next, after, n+done
		seen = append(seen, next)
	}
	return out, r, n
}

// round mends what can be mended at once. Comments and trailing commas go
// first: no fix is about them.
func round(data []byte, file string, r Result, o Options) (out []byte, n int) {
	if isVariables(data, file) {
		return data, 0
	}
	if slices.ContainsFunc(r.Findings, func(f finding.Finding) bool { return f.ID == rule.Comment || f.ID == rule.Syntax }) {
		if out, changed := patch.Plain(data); changed {
			// What is still no plan was broken by more than that.
			if after := Text(out, file, o); after.Plan != nil || r.Plan != nil {
				return out, 1
			}
		}
	}
	out, applied := patch.Round(data, r.Findings)
	return out, len(applied)
}

// Mend says in words what Fix does about a finding, "" where it does nothing.
func Mend(f finding.Finding) string {
	if f.ID == rule.Comment {
		return "remove the comments"
	}
	return patch.Describe(f.Fix)
}
