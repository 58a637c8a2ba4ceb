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
	notYAML     = "FAULT001"
	wrongShape  = "FAULT002"
	unknownKey  = "FAULT003"
	badValue    = "FAULT004"
	noEffect    = "FAULT005"
	twoEffects  = "FAULT006"
	manyIDs     = 1 << 20 // the largest count a rule takes
	ice         = "InsufficientInstanceCapacity"
	iceText     = "There is no capacity for this request (a fault rule says so)."
	defaultText = "A fault rule answers this call."
)

// Mistakes is what Parse refuses a file for, in the order of the file.
type Mistakes []finding.Finding

// Error formats one mistake a line.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, f := range m {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// Parse reads rules; file is named in mistakes. The error is of type Mistakes.
func Parse(data []byte, file string) (*Rules, error) {
	p := &parser{file: file}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		p.syntax(err)
		return nil, p.mistakes
	}
	r := &Rules{}
	if doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 && !isNull(doc.Content[0]) {
		for _, n := range p.list(doc.Content[0]) {
			if k := p.rule(n); k != nil {
				r.rules = append(r.rules, k)
			}
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
		f.Line, f.Column, f.Message = e.Mark.Line, e.Mark.Column+1, e.Message
	}
	f.Message = "no YAML: " + strings.ReplaceAll(strings.TrimPrefix(f.Message, "yaml: "), "\n", " ")
	p.mistakes = append(p.mistakes, f)
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// list finds the rules: the value of the one key, faults.
func (p *parser) list(n *yaml.Node) []*yaml.Node {
	if n.Kind != yaml.MappingNode {
		p.add(wrongShape, n, "begin with 'faults:' and a list of rules", "the file is no mapping")
		return nil
	}
	var out []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, v := n.Content[i], n.Content[i+1]
		switch {
		case key.Value != "faults":
			p.unknown(key, []string{"faults"})
		case v.Kind == yaml.SequenceNode:
			out = append(out, v.Content...)
		case !isNull(v):
			p.add(wrongShape, v, "write each rule as '- key: value'", "faults is no list")
		}
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

var keys = []string{"action", "type", "az", "market", "size", "after", "times",
	"error", "message", "throttle", "status", "lost-answer", "capacity", "delay"}

// rule reads one rule, or returns nil after a mistake in its shape.
func (p *parser) rule(n *yaml.Node) *rule {
	if n.Kind != yaml.MappingNode {
		p.add(wrongShape, n, "write it as 'key: value' pairs", "a rule is a mapping")
		return nil
	}
	k := &rule{where: p.file + ":" + strconv.Itoa(n.Line), action: "RunInstances", granted: map[string]int{}}
	var effects []string
	seen := map[string]bool{}
	message, before := "", len(p.mistakes)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, v := n.Content[i], n.Content[i+1]
		if v.Kind != yaml.ScalarNode || isNull(v) {
			p.add(wrongShape, v, "", "%s takes one plain value", key.Value)
			continue
		}
		if seen[key.Value] {
			p.add(wrongShape, key, "", "%s is given twice", key.Value)
			continue
		}
		seen[key.Value] = true
		effect := true
		switch key.Value {
		case "error":
			k.code, k.status = v.Value, StatusOf(v.Value)
			if v.Value == "" || strings.ContainsAny(v.Value, " \t\n<>&") {
				p.add(badValue, v, "one of EC2's codes, such as "+ice, "%q is no error code", v.Value)
			}
		case "throttle":
			if effect = p.truth(key, v); effect {
				k.code, k.status = "RequestLimitExceeded", StatusOf("RequestLimitExceeded")
			}
		case "status":
			k.status = p.number(key, v, 400, 599)
			k.code = map[int]string{500: "InternalError", 501: "NotImplemented", 503: "Unavailable"}[k.status]
		case "lost-answer":
			effect = p.truth(key, v)
			k.lost = effect
		case "capacity":
			k.capacity, k.limited = p.number(key, v, 0, manyIDs), true
			k.code, k.status = ice, StatusOf(ice)
		default:
			effect = false
			p.condition(k, key, v, &message)
		}
		if effect {
			effects = append(effects, key.Value)
		}
	}
	switch {
	case len(p.mistakes) > before: // one mistake is enough to mend at a time
	case len(effects) > 1:
		p.add(twoEffects, n, "write one rule for each", "a rule has one effect, this one has %s", strings.Join(effects, " and "))
	case len(effects) == 0 && k.delay == 0:
		p.add(noEffect, n, "add error, throttle, status, lost-answer, capacity or delay", "the rule has no effect")
	case message != "" && k.status == 0:
		p.add(noEffect, n, "a message belongs to an error", "the message is never said")
	}
	if k.limited && len(p.mistakes) == before && k.action != "RunInstances" {
		p.add(badValue, n, "leave action away", "capacity is of launches, not of %s", k.action)
	}
	if k.message = message; message == "" {
		if k.message = defaultText; k.code == ice {
			k.message = iceText
		}
	}
	return k
}

// condition reads a key that is no effect of its own.
func (p *parser) condition(k *rule, key, v *yaml.Node, message *string) {
	switch key.Value {
	case "action":
		k.action = v.Value
	case "type":
		k.typ = v.Value
	case "az":
		k.az = v.Value
	case "market":
		if k.market = v.Value; v.Value != "spot" && v.Value != "on-demand" {
			p.add(badValue, v, "", "market is spot or on-demand, not %q", v.Value)
		}
	case "size":
		k.size = p.number(key, v, 1, manyIDs)
	case "after":
		k.after = p.number(key, v, 0, manyIDs)
	case "times":
		k.times = p.number(key, v, 1, manyIDs)
	case "message":
		*message = v.Value
	case "delay":
		d, err := time.ParseDuration(v.Value)
		if err != nil || d <= 0 || d > 24*time.Hour {
			p.add(badValue, v, "a duration of at most 24h, such as 500ms or 2s", "%q is no delay", v.Value)
			return
		}
		k.delay = d
	default:
		p.unknown(key, keys)
	}
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
