package conf

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"aws-slurm-burst/asba/finding"
)

// Open returns the text of a file that a configuration includes.
type Open func(name string) ([]byte, error)

// Line is a parameter that wins over the file's, or a line about nodes or a
// partition beside its own: its Value may go on with further parameters.
type Line struct{ Key, Value string }

// File is a slurm.conf as it was read.
type File struct {
	Settings Settings
	// Ignored are the parameters that a simulation does not go by, sorted, each
	// once, as they are written.
	Ignored []string
	// Findings are what is wrong with it and what is unwise for cloud nodes, in
	// the order of their places. With an Error among them the Settings are of no
	// use.
	Findings []finding.Finding
}

// The limits: far above any real configuration, they bound what a hostile one
// costs.
const (
	maxFiles    = 64
	maxDepth    = 8 // files within files
	maxBytes    = 16 << 20
	maxNames    = 1 << 22 // of nodes, in all hostlists together
	maxFindings = 200
)

// Read reads a slurm.conf as slurmctld does: lines of Key=Value, one of the
// cluster's own or several of a node or a partition, whose keys are of any case;
// a backslash at the end goes on with the next line, a # begins a
// comment; Include names another file, which open returns; a parameter that is
// there twice counts the last time. Lines of over are read after all of it.
func Read(data []byte, name string, open Open, over ...Line) *File {
	r := &reader{open: open, settings: Defaults(), nodes: &nodes{}, partitions: &partitions{}, given: map[string]value{}, ignored: map[string]bool{}, passed: map[string]passed{}}
	r.file(data, name, 0)
	for _, l := range over {
		if pairs, ok := r.pairs(l.Key+"="+l.Value, "settings", 0); ok {
			r.line(pairs)
		}
	}
	r.apply()
	f := &File{Settings: r.settings, Findings: r.findings}
	for k := range r.ignored {
		f.Ignored = append(f.Ignored, k)
	}
	slices.Sort(f.Ignored)
	finding.Sort(f.Findings)
	return f
}

type reader struct {
	open     Open
	files    int
	bytes    int
	names    int
	settings Settings
	findings []finding.Finding

	nodes      *nodes
	partitions *partitions
	given      map[string]value // the cluster's own parameters, by their key in lower case
	order      []string         // the same, as they came
	ignored    map[string]bool
	passed     map[string]passed // of these, what slurmctld does go by, by their key in missing
}

// value is a parameter's text, and where it is.
type value struct {
	text, file   string
	line, column int
}

// pair is Key=Value.
type pair struct {
	key string
	value
}

// add notes a finding at a place.
func (r *reader) add(id string, v value, suggestion, format string, args ...any) {
	if len(r.findings) >= maxFindings {
		return
	}
	r.findings = append(r.findings, finding.Finding{
		ID: id, Level: Level(id), File: v.file, Line: v.line, Column: v.column,
		Message: fmt.Sprintf(format, args...), Suggestion: suggestion,
	})
}

// file reads one file, line by line.
func (r *reader) file(data []byte, name string, depth int) {
	r.files++
	if r.bytes += len(data); r.bytes > maxBytes || r.files > maxFiles {
		r.add(idInclude, value{file: name}, "give the configuration of one cluster", "more than %d files or %d bytes", maxFiles, maxBytes)
		return
	}
	rest := string(data)
	if !utf8.ValidString(rest) {
		rest = strings.ToValidUTF8(rest, "?")
	}
	for number := 1; rest != ""; {
		begin := number
		var text string
		for {
			var one string
			one, rest, _ = strings.Cut(rest, "\n")
			number++
			one = strings.TrimSuffix(one, "\r")
			if at := comment(one); at >= 0 {
				one = one[:at]
			}
			more, goesOn := strings.CutSuffix(one, "\\")
			text += more
			if !goesOn || rest == "" {
				break
			}
		}
		if included, ok := include(text); ok {
			r.include(included, value{file: name, line: begin, column: 1}, depth)
			continue
		}
		if pairs, ok := r.pairs(text, name, begin); ok && len(pairs) > 0 {
			r.line(pairs)
		}
	}
}

// comment is where a line's comment begins, -1 where it has none; \# is no
// comment.
func comment(line string) int {
	for i := range len(line) {
		if line[i] == '#' && (i == 0 || line[i-1] != '\\') {
			return i
		}
	}
	return -1
}

// include is the name in a line "Include NAME".
func include(line string) (string, bool) {
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	if !strings.EqualFold(word, "include") || strings.HasPrefix(strings.TrimSpace(rest), "=") {
		return "", false
	}
	return strings.TrimSpace(rest), true
}

func (r *reader) include(name string, at value, depth int) {
	// %c is the cluster's name in lower case.
	name = strings.ReplaceAll(name, "%c", strings.ToLower(r.given["clustername"].text))
	if !path.IsAbs(name) {
		name = path.Join(path.Dir(at.file), name)
	}
	switch {
	case depth >= maxDepth:
		r.add(idInclude, at, "include each file once", "files include each other %d deep", maxDepth)
		return
	case r.open == nil:
		r.add(idInclude, at, "write its lines here", "%s cannot be included here", finding.Quote(name))
		return
	}
	data, err := r.open(name)
	if err != nil {
		r.add(idInclude, at, "mend the path, or remove the line", "%s", strings.Join(strings.Fields(err.Error()), " "))
		return
	}
	r.file(data, name, depth+1)
}

// pairs takes a line apart: Key=Value, separated by blanks; a value may be in
// double quotes.
func (r *reader) pairs(text, name string, number int) (pairs []pair, ok bool) {
	at := 0
	skip := func() {
		for at < len(text) && (text[at] == ' ' || text[at] == '\t') {
			at++
		}
	}
	for skip(); at < len(text); skip() {
		start := at
		for at < len(text) && isKey(text[at]) {
			at++
		}
		key := text[start:at]
		skip()
		if at+1 < len(text) && text[at] == '+' && text[at+1] == '=' {
			at++ // 22.05 takes it for =
		}
		v := value{file: name, line: number, column: start + 1}
		if key == "" || at == len(text) || text[at] != '=' {
			r.add(idSyntax, v, "write Key=Value", "%s is no parameter", finding.Quote(strings.TrimSpace(text[start:])))
			return nil, false
		}
		at++
		skip()
		if at < len(text) && text[at] == '"' {
			end := strings.IndexByte(text[at+1:], '"')
			if end < 0 {
				r.add(idSyntax, v, "close the quotes", "the value of %s has quotes that do not end", key)
				return nil, false
			}
			v.text = text[at+1 : at+1+end]
			at += end + 2
		} else {
			start := at
			for at < len(text) && text[at] != ' ' && text[at] != '\t' {
				at++
			}
			v.text = strings.ReplaceAll(text[start:at], `\#`, "#")
		}
		pairs = append(pairs, pair{key, v})
	}
	return pairs, true
}

func isKey(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.'
}

// line takes a line's parameters: of nodes, of a partition, or of the cluster.
func (r *reader) line(pairs []pair) {
	switch strings.ToLower(pairs[0].key) {
	case "nodename":
		r.nodes.line(r, pairs)
		return
	case "partitionname":
		r.partitions.line(r, pairs)
		return
	case "nodeset":
		r.nodes.set(r, pairs)
		return
	case "downnodes":
		r.nodes.down(r, pairs)
		return
	case "frontendname":
		r.ignored[pairs[0].key] = true
		return
	}
	for i, p := range pairs {
		if i > 0 {
			r.add(idSyntax, p.value, "write it in a line of its own", "%s is the second parameter of its line: slurmctld does not start", p.key)
			return
		}
		key := strings.ToLower(p.key)
		if _, again := r.given[key]; !again {
			r.order = append(r.order, key)
		} else if p.line > 0 && r.given[key].line > 0 && key != "slurmctldhost" {
			r.add(idTwice, p.value, "remove the other one", "%s is there twice; this one counts", p.key)
		}
		r.given[key] = p.value
		if parameters[key] != nil {
			continue
		}
		if !known(p.key) {
			r.ignored[p.key] = true
			hint := "remove it, or look it up in slurm.conf(5)"
			if near := finding.Nearest(p.key, knownKeys()); near != "" {
				hint = "did you mean " + near + "?"
			}
			r.add(idUnknown, p.value, hint, "%s is no parameter of Slurm that is known here: ignored", p.key)
		} else {
			r.pass("", p)
		}
	}
}

// apply makes settings of what was read: the cluster's parameters first, as
// nodes and partitions go by them.
func (r *reader) apply() {
	for _, key := range r.order {
		if set := parameters[key]; set != nil {
			set(r, r.given[key])
		}
	}
	r.settings.finish(r)
	r.nodes.apply(r)
	r.partitions.apply(r)
	r.tellPassed()
	r.judge()
}
