package patch

import (
	"strings"

	"aws-slurm-burst/asba/finding"
)

// Describe says in words what a fix does, "" where there is none.
func Describe(fix []finding.Op) string {
	var words []string
	for _, op := range fix {
		switch op.Op {
		case "remove":
			words = append(words, "remove "+op.Path)
		case "replace":
			words = append(words, "write "+string(op.Value)+" at "+op.Path)
		case "add":
			words = append(words, "add "+op.Path+": "+string(op.Value))
		case "move":
			words = append(words, "move "+op.From+" to "+op.Path)
		}
	}
	return strings.Join(words, ", ")
}
