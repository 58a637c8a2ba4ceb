package render

import (
	"fmt"
	"strings"

	"aws-slurm-burst/asba/finding"
)

// GitHub is a finding as a workflow command, which GitHub shows beside the line
// of the file ("Workflow commands for GitHub Actions", GitHub Docs). What is
// merely worth knowing is a notice.
func GitHub(f finding.Finding) string {
	command := "notice"
	switch f.Level {
	case finding.Error:
		command = "error"
	case finding.Warning:
		command = "warning"
	}
	var properties []string
	add := func(name, value string) {
		if value != "" {
			properties = append(properties, name+"="+property.Replace(Clean(value)))
		}
	}
	add("file", f.File)
	if f.Line > 0 {
		add("line", fmt.Sprint(f.Line))
		if f.Column > 0 {
			add("col", fmt.Sprint(f.Column))
		}
	}
	add("title", f.ID)
	message := f.Message
	if f.Suggestion != "" {
		message += " (" + f.Suggestion + ")"
	}
	if len(properties) > 0 {
		command += " " + strings.Join(properties, ",")
	}
	return "::" + command + "::" + data.Replace(Clean(message))
}

// What the runner decodes again: %25 and line breaks everywhere, and in
// properties also what ends them. Line breaks never come so far.
var (
	data     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
