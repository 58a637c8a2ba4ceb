package rule

import (
	"slices"

	"aws-slurm-burst/asba/finding"
)

// Place is where a value was written. The zero Place means nowhere.
type Place struct {
	File         string // a file's name, or a variable's
	Line, Column int    // from 1, in bytes; 0 in the environment
	Pointer      string // RFC 6901
}

// maxFindings bounds the findings of one id: after fifty of a kind nobody reads
// on, and a hostile document must not cost memory. None is therefore ever lost
// behind others.
const maxFindings = 50

// Report collects the findings about one document.
type Report struct {
	findings []finding.Finding
	count    map[string]int
}

// Add adds a finding at the level of its id.
func (r *Report) Add(id string, at Place, message, suggestion string, fix ...finding.Op) {
	if r.count == nil {
		r.count = map[string]int{}
	}
	if r.count[id]++; r.count[id] <= maxFindings {
		r.findings = append(r.findings, New(id, at, message, suggestion, fix...))
	}
}

// Findings returns what was added, in order of place.
func (r *Report) Findings() []finding.Finding {
	finding.Sort(r.findings)
	return slices.Clip(r.findings)
}

// New makes a finding at the level of its id.
func New(id string, at Place, message, suggestion string, fix ...finding.Op) finding.Finding {
	return finding.Finding{
		ID: id, Level: Level(id), File: at.File, Line: at.Line, Column: at.Column, Pointer: at.Pointer,
		Message: message, Suggestion: suggestion, Fix: fix,
	}
}
