package check

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/rule"
)

// assignment is a line that sets a variable, as a shell, systemd and container
// engines read it.
var assignment = regexp.MustCompile(`^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=`)

// blanks may stand before a line; a byte order mark before the first.
const blanks = " \t\uFEFF"

// isVariables reports whether a text holds variables rather than JSON.
func isVariables(data []byte, file string) bool {
	if filepath.Ext(file) == ".env" {
		return true
	}
	for line := range bytes.Lines(data[:min(len(data), plan.MaxSize)]) {
		if line = bytes.TrimLeft(bytes.TrimSpace(line), blanks); len(line) > 0 && line[0] != '#' {
			return assignment.Match(line)
		}
	}
	return false
}

// set is what a line gives a variable.
type set struct {
	value        string
	quote        int // bytes before the value, of its quotes
	line, column int // in bytes from 1
}

// item is where the item of a list begins that a message speaks of first; 0
// where it speaks of none.
func (s set) item(message string) int {
	word, _, _ := strings.Cut(message, " ")
	at := s.quote
	for item := range strings.SplitSeq(s.value, ",") {
		if name := strings.TrimSpace(item); name != "" && name == word {
			return at + strings.Index(item, name)
		}
		at += len(item) + 1
	}
	return 0
}

// variables judges a text of variables. Its findings stand at the line that sets
// the variable.
func (o Options) variables(data []byte, file string) Result {
	var bad rule.Report
	vars := map[string]set{}
	whole := rule.Place{File: file, Line: 1, Column: 1}
	switch {
	case len(data) > plan.MaxSize:
		return TooLarge(file, o)
	case !utf8.Valid(data):
		bad.Add(rule.Encoding, whole, "the variables are not UTF-8 text", "save the file as UTF-8")
	default:
		vars = assignments(&bad, data, file)
	}
	p, read, present := plan.FromEnv(func(name string) string { return vars[name].value })
	if !present && len(bad.Findings()) == 0 {
		bad.Add(rule.Empty, whole, "no ASBA_* variable is set", "run 'asba analyze' to generate a plan")
	}
	r := o.result(p, append(read, bad.Findings()...), file)
	for i := range r.Findings {
		f := &r.Findings[i]
		if v, ok := vars[f.File]; ok {
			f.Line, f.Column = v.line, v.column+v.item(f.Message)
		}
		f.File = file
	}
	finding.Sort(r.Findings)
	return r
}

// assignments reads lines NAME=VALUE, with export before them or not, the value
// in quotes or not. Comments begin with # at the beginning of a line, or after a
// blank behind a value without quotes. Of the names only those of plans matter.
func assignments(bad *rule.Report, data []byte, file string) map[string]set {
	vars := map[string]set{}
	number := 0
	for text := range bytes.Lines(data) {
		number++
		text = bytes.TrimRight(text, "\r\n")
		line := bytes.TrimLeft(text, blanks)
		at := rule.Place{File: file, Line: number, Column: len(text) - len(line) + 1}
		if len(bytes.TrimSpace(line)) == 0 || line[0] == '#' {
			continue
		}
		m := assignment.FindSubmatch(line)
		if m == nil {
			bad.Add(rule.Syntax, at, "the line is not NAME=VALUE", "write ASBA_INSTANCE_TYPES=c6i.large, or # before a comment")
			continue
		}
		name := string(m[1])
		if !strings.HasPrefix(name, "ASBA_") {
			continue
		}
		if !slices.Contains(plan.Variables, name) {
			way := "nothing reads it"
			if near := finding.Nearest(name, plan.Variables); near != "" {
				way = "did you mean " + near + "?"
			}
			bad.Add(rule.Unknown, at, fmt.Sprintf("the variable %q is not known and has no effect", shorten(name)), way)
			continue
		}
		if first, again := vars[name]; again {
			bad.Add(rule.Duplicate, at, fmt.Sprintf("the variable %s stands twice, first on line %d", name, first.line), "remove one of them")
			continue
		}
		rest := string(line[len(m[0]):])
		value, ok := unquote(rest)
		at.Column += len(m[0])
		if !ok {
			bad.Add(rule.Syntax, at, fmt.Sprintf("the quotes of %s are not closed on its line", name), "close them, or write none")
		}
		vars[name] = set{value, strings.Index(rest, value), at.Line, at.Column}
	}
	return vars
}

// unquote takes the quotes off a value, and the comment behind it.
func unquote(s string) (value string, ok bool) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		for i := range len(s) {
			if s[i] == '#' && i > 0 && (s[i-1] == ' ' || s[i-1] == '\t') {
				s = s[:i]
				break
			}
		}
		return strings.TrimSpace(s), true
	}
	end := strings.IndexByte(s[1:], s[0])
	if end < 0 {
		return strings.TrimSpace(s[1:]), false
	}
	rest := strings.TrimSpace(s[end+2:])
	return s[1 : end+1], rest == "" || rest[0] == '#'
}

// shorten shows a name, which may be as long as the file.
func shorten(name string) string {
	if len(name) > 60 {
		return name[:60] + "..."
	}
	return name
}
