// Package check judges the text of an execution plan whole: what it gets wrong
// as a text, and what the plan in it does, against all that is known beside it;
// and mends what has a fix. Whoever has a text, a program or a server, comes
// to the same findings with it.
//
// It opens no file, knows no clock and prints nothing.
package check

import (
	"cmp"
	"slices"
	"strings"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/lint"
)

// Options say what a plan is judged against.
type Options struct {
	lint.Options // its Line is not used

	// Lines are how Slurm declares the nodes that the plan may be for. Of
	// several, a finding that is not about all of them says about which.
	Lines []lint.NodeLine
	// Suppress are the ids of findings that nobody wants to hear of.
	Suppress []string
}

// Result is what is known of a plan.
type Result struct {
	// File is the name of the text.
	File string `json:"file"`
	// Dialect is the plan's (plan.DialectA and its like), "" where the text is
	// none.
	Dialect string `json:"dialect,omitempty"`
	// Digest is of the text, as in plan.Plan.
	Digest string `json:"digest,omitempty"`
	// Nodes is how many nodes the plan was judged for, 0 where nothing says.
	Nodes int `json:"nodes,omitzero"`
	// Findings are in order of place, never nil.
	Findings []finding.Finding `json:"findings"`
	// Plan is nil where the text is none.
	Plan *plan.Plan `json:"-"`
	// Sound: reading found no error, so what the plan says is beyond doubt,
	// however unwise it is.
	Sound bool `json:"-"`
}

// Text judges a text under a name: JSON in either dialect, or lines NAME=VALUE
// of variables. The latter is what a name ends with .env for, and what a text
// holds whose first line is one.
func Text(data []byte, file string, o Options) Result {
	if isVariables(data, file) {
		return o.variables(data, file)
	}
	p, read := plan.Read(data, file)
	return o.result(p, read, file)
}

// Environment judges the plan in the environment; present is false where there
// is none. Findings name the variable as their File.
func Environment(get func(string) string, o Options) (r Result, present bool) {
	p, read, present := plan.FromEnv(get)
	if !present {
		return r, false
	}
	return o.result(p, read, p.Source), true
}

// TooLarge is the result for a text of more than plan.MaxSize bytes, for those
// who notice it before they have read it all.
func TooLarge(file string, o Options) Result {
	return o.result(nil, []finding.Finding{plan.TooLarge(file)}, file)
}

func (o Options) result(p *plan.Plan, read []finding.Finding, file string) Result {
	r := Result{File: file, Plan: p, Findings: o.judge(p, read), Sound: p != nil && finding.Count(read, finding.Error) == 0}
	if p != nil {
		r.Dialect, r.Digest = p.Dialect, p.Digest
		r.Nodes = cmp.Or(o.Nodes, lint.Nodes(p, o.Catalog))
	}
	return r
}

// judge judges a plan against each of the lines, and leaves out what nobody
// wants to hear of.
func (o Options) judge(p *plan.Plan, read []finding.Finding) []finding.Finding {
	known := o.Options
	known.Line = nil
	if len(o.Lines) == 1 {
		known.Line = &o.Lines[0]
	}
	var fs []finding.Finding
	if len(o.Lines) < 2 || p == nil {
		fs = lint.All(p, read, known)
	} else {
		fs = o.each(p, read, known)
	}
	wanted := []finding.Finding{}
	for _, f := range fs {
		if !slices.Contains(o.Suppress, f.ID) {
			wanted = append(wanted, f)
		}
	}
	return wanted
}

// each judges a plan against each line, and brings the findings together. What
// is about some of them alone is not mended: for the others it is as it should
// be.
func (o Options) each(p *plan.Plan, read []finding.Finding, known lint.Options) []finding.Finding {
	var all []finding.Finding
	groups := map[string][]string{}
	for i := range o.Lines {
		known.Line = &o.Lines[i]
		for _, f := range lint.All(p, read, known) {
			key := f.String()
			if groups[key] == nil {
				all = append(all, f)
			}
			groups[key] = append(groups[key], o.Lines[i].Name)
		}
	}
	for i, f := range all {
		if of := groups[f.String()]; len(of) < len(o.Lines) {
			all[i].Message = "for node group " + strings.Join(of, ", ") + ": " + f.Message
			all[i].Fix = nil
		}
	}
	finding.Sort(all)
	return all
}
