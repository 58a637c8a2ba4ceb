package patch

import (
	"strings"

	"aws-slurm-burst/asba/finding"
)

// Describe says in words what a fix does, "" where there is none. Long values
// are cut.
func Describe(fix []finding.Op) string {
	var words []string
	for _, op := range fix {
		switch op.Op {
		case "remove":
			words = append(words, "remove "+op.Path)
		case "replace":
			words = append(words, "write "+short(string(op.Value))+" at "+op.Path)
		case "add":
			words = append(words, "add "+op.Path+": "+short(string(op.Value)))
		case "move":
			words = append(words, "move "+op.From+" to "+op.Path)
		}
	}
	return strings.Join(words, ", ")
}

// short cuts a value, which may be as long as the document.
func short(value string) string {
	const limit = 100
	if len(value) > limit {
		return strings.ToValidUTF8(value[:limit], "") + "..."
	}
	return value
}
