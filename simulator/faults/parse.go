package faults

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"aws-slurm-burst/asba/finding"
)

// The ids of this package's findings.
const (
	notYAML    = "FAULT001"
	wrongShape = "FAULT002"
	unknownKey = "FAULT003"
	badValue   = "FAULT004"
	noEffect   = "FAULT005"
	twoEffects = "FAULT006"
)

// Mistakes is what Parse refuses a file for, in the order of the file.
type Mistakes []finding.Finding

// Error formats one mistake a line.
func (m Mistakes) Error() string {
	return finding.Lines(m)
}

// Parse reads rules; file is named in mistakes. The error is of type Mistakes.
func Parse(data []byte, file string) (*Rules, error) {
	p := &parser{file: file, seed: 1}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		p.syntax(err)
		return nil, p.mistakes
	}
	r := &Rules{}
	if doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 && !isNull(doc.Content[0]) {
		twins := map[string]int{}
		for _, n := range p.document(doc.Content[0]) {
			k, pairs := p.rule(n)
			if k == nil {
				continue
			}
			says := strings.Join(pairs, "\n")
			k.chance = stream(p.seed, says, twins[says])
			twins[says]++
			r.rules = append(r.rules, k)
		}
	}
	if p.mistakes != nil {
		finding.Sort(p.mistakes)
		return nil, p.mistakes
	}
	return r, nil
}

type parser struct {
	file     string
	seed     uint64
	mistakes Mistakes
}

func (p *parser) add(id string, n *yaml.Node, suggestion, format string, args ...any) {
	p.mistakes = append(p.mistakes, finding.Finding{
		ID: id, Level: finding.Error, File: p.file, Line: n.Line, Column: n.Column,
		Message: fmt.Sprintf(format, args...), Suggestion: suggestion,
	})
}

// syntax takes the place of a syntax error out of the library's error.
func (p *parser) syntax(err error) {
	f := finding.Finding{ID: notYAML, Level: finding.Error, File: p.file, Message: err.Error()}
	var e *yaml.LoadError
	if errors.As(err, &e) {
		f.Line, f.Column, f.Message = e.Mark.Line, e.Mark.Column, e.Message
	}
	f.Message = "no YAML: " + strings.ReplaceAll(strings.TrimPrefix(f.Message, "yaml: "), "\n", " ")
	p.mistakes = append(p.mistakes, f)
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// document reads the two keys of a file and returns the rules.
func (p *parser) document(n *yaml.Node) []*yaml.Node {
	if n.Kind != yaml.MappingNode {
		p.add(wrongShape, n, "begin with 'faults:' and a list of rules", "the file is no mapping")
		return nil
	}
	var out []*yaml.Node
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, v := n.Content[i], n.Content[i+1]
		switch {
		case key.Value != "faults" && key.Value != "seed":
			p.unknown(key, []string{"faults", "seed"})
		case seen[key.Value]:
			p.add(wrongShape, key, "", "%s is given twice", key.Value)
		case key.Value == "seed":
			var err error
			if p.seed, err = strconv.ParseUint(v.Value, 10, 64); err != nil {
				p.add(badValue, v, "", "seed is a whole number, not %q", v.Value)
			}
		case v.Kind == yaml.SequenceNode:
			out = v.Content
		case !isNull(v):
			p.add(wrongShape, v, "write each rule as '- key: value'", "faults is no list")
		}
		seen[key.Value] = true
	}
	return out
}

func (p *parser) unknown(key *yaml.Node, known []string) {
	suggestion := "known are " + strings.Join(known, ", ")
	if near := finding.Nearest(key.Value, known); near != "" {
		suggestion = "did you mean " + near + "?"
	}
	p.add(unknownKey, key, suggestion, "unknown key %q", key.Value)
}

func (p *parser) number(key, v *yaml.Node, least, most int) int {
	n, err := strconv.Atoi(v.Value)
	if err != nil || n < least || n > most {
		p.add(badValue, v, "", "%s is a number from %d to %d, not %q", key.Value, least, most, v.Value)
		return least
	}
	return n
}

func (p *parser) truth(key, v *yaml.Node) bool {
	b, err := strconv.ParseBool(v.Value)
	if err != nil {
		p.add(badValue, v, "", "%s is true or false, not %q", key.Value, v.Value)
	}
	return b
}

// duration reads one between least and most, which is written out as limit.
func (p *parser) duration(v *yaml.Node, what string, least, most time.Duration, limit string) time.Duration {
	d, err := time.ParseDuration(v.Value)
	if err != nil || d < least || d > most {
		p.add(badValue, v, "a duration of at most "+limit+", such as 500ms or 2s", "%q is no %s", v.Value, what)
		return least
	}
	return d
}
