package scenario

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"aws-slurm-burst/asba/finding"
)

// The ids of findings. They are stable: docs/SIMULATOR.md has a row for each.
const (
	idSyntax   = "SCN001" // not readable at all
	idKey      = "SCN002" // unknown key
	idTwice    = "SCN003" // a key given twice
	idType     = "SCN004" // another kind of value is wanted
	idValue    = "SCN005" // out of range or ill-formed
	idWord     = "SCN006" // none of the words
	idMissing  = "SCN007" // a needed key is not there
	idConflict = "SCN008" // two settings exclude each other
	idUnwise   = "SCN009" // legal, but probably not meant (warning)
	idFile     = "SCN010" // a file that is named cannot be read
)

const (
	maxBytes    = 1 << 20
	maxValues   = 10_000 // read values; an alias counts each time it is used
	maxFindings = 100
	maxNodes    = 1 << 20
	longest     = 100 * 365 * 24 * time.Hour
)

// place is where a value stands in the file.
type place struct {
	line, column int
	pointer      string
}

// value is a node and the JSON Pointer that leads to it.
type value struct {
	node *yaml.Node
	ptr  string
}

// decoder walks the nodes by tables of keys, notes what is wrong, and goes on: one
// run tells everything. It descends no deeper than its tables.
type decoder struct {
	file     string
	findings []finding.Finding
	errors   int
	values   int
	places   map[string]place // of what was read, by pointer
}

// reader reads one value into its place in the Scenario.
type reader func(d *decoder, v value)

// key is a key of a mapping and how its value is read.
type key struct {
	name string
	read reader
}

func (d *decoder) note(level finding.Level, id string, v value, suggestion, format string, args ...any) {
	if level == finding.Error {
		d.errors++
	}
	if len(d.findings) >= maxFindings {
		return
	}
	f := finding.Finding{ID: id, Level: level, File: d.file, Pointer: v.ptr, Message: fmt.Sprintf(format, args...), Suggestion: suggestion}
	if v.node != nil {
		f.Line, f.Column = v.node.Line, v.node.Column
	}
	d.findings = append(d.findings, f)
}

func (d *decoder) fail(id string, v value, suggestion, format string, args ...any) {
	d.note(finding.Error, id, v, suggestion, format, args...)
}

// document returns the root of the only document, or nil with a finding.
func (d *decoder) document(data []byte) *yaml.Node {
	switch {
	case len(data) > maxBytes:
		d.fail(idSyntax, value{}, "is it the right file?", "the file is larger than %d bytes", maxBytes)
		return nil
	case !utf8.Valid(data):
		d.fail(idSyntax, value{}, "save it as UTF-8", "the file is not UTF-8 text")
		return nil
	}
	var docs []yaml.Node
	if err := yaml.Load(data, &docs, yaml.WithAllDocuments()); err != nil {
		at, text := value{}, err.Error()
		if bad := new(yaml.LoadError); errors.As(err, &bad) {
			at, text = value{node: &yaml.Node{Line: bad.Mark.Line, Column: bad.Mark.Column + 1}}, bad.Message
		}
		d.fail(idSyntax, at, "", "no YAML: %s", strings.Join(strings.Fields(text), " "))
		return nil
	}
	switch {
	case len(docs) > 1:
		d.fail(idSyntax, value{node: &docs[1]}, "keep one", "a second YAML document begins here")
		return nil
	case len(docs) == 0 || len(docs[0].Content) == 0 || docs[0].Content[0].ShortTag() == "!!null":
		d.fail(idSyntax, value{}, "give it a workload and a cluster", "the file is empty")
		return nil
	}
	return docs[0].Content[0]
}

// open follows an alias and counts the value. It returns false for null, which is
// the same as a key not given, and once there is too much.
func (d *decoder) open(v *value) bool {
	if v.node.Kind == yaml.AliasNode {
		v.node = v.node.Alias
	}
	d.values++
	if d.values == maxValues {
		d.fail(idSyntax, *v, "remove aliases that repeat aliases", "more than %d values in one file", maxValues)
	}
	return d.values < maxValues && v.node.ShortTag() != "!!null"
}

// mapping returns a reader of a mapping by its table of keys; nil stands for
// mappings of free keys.
func mapping(keys ...key) reader {
	return func(d *decoder, v value) {
		d.pairs(v, func(k, child value) {
			for _, known := range keys {
				if known.name == k.node.Value {
					d.places[child.ptr] = place{k.node.Line, k.node.Column, child.ptr}
					if child.node.ShortTag() != "!!null" {
						known.read(d, child)
					}
					return
				}
			}
			d.unknown(k, keys)
		})
	}
}

// pairs calls each for the keys of a mapping, and tells of those given twice.
func (d *decoder) pairs(v value, each func(k, child value)) {
	if !d.open(&v) {
		return
	}
	if v.node.Kind != yaml.MappingNode {
		d.wants(v, "keys with values")
		return
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		k := value{v.node.Content[i], v.ptr}
		if !d.open(&k) || k.node.Kind != yaml.ScalarNode {
			d.fail(idType, k, "", "a key must be text")
			continue
		}
		name := k.node.Value
		child := value{v.node.Content[i+1], v.ptr + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(short(name))}
		k.ptr = child.ptr
		if line, ok := lines[name]; ok {
			d.fail(idTwice, k, "remove one of the two", "%s is given twice, first in line %d", finding.Quote(name), line)
			continue
		}
		lines[name] = k.node.Line
		each(k, child)
	}
}

// short keeps a name that somebody wrote from spoiling a finding's line.
func short(name string) string {
	if !oneLine(name) || len(name) > 64 {
		return "?"
	}
	return name
}

func oneLine(s string) bool { return !strings.ContainsFunc(s, unicode.IsControl) }

func (d *decoder) unknown(k value, keys []key) {
	var names []string
	for _, known := range keys {
		names = append(names, known.name)
	}
	hint := "known here: " + strings.Join(names, ", ")
	if near := finding.Nearest(k.node.Value, names); near != "" {
		hint = "did you mean " + near + "?"
	}
	d.fail(idKey, k, hint, "unknown key %s", finding.Quote(k.node.Value))
}

// wants says that another kind of value stands where one was wanted.
func (d *decoder) wants(v value, what string) {
	has := map[string]string{
		"!!map": "keys with values", "!!seq": "a list", "!!int": "the number " + finding.Quote(v.node.Value), "!!float": "the number " + finding.Quote(v.node.Value),
		"!!bool": finding.Quote(v.node.Value), "!!str": "the text " + finding.Quote(v.node.Value),
	}[v.node.ShortTag()]
	if has == "" {
		has = "a value tagged " + finding.Quote(v.node.ShortTag())
	}
	d.fail(idType, v, "", "wants %s, has %s", what, has)
}

// list returns a reader of a sequence, of which each item is read by item.
func list(item reader) reader {
	return func(d *decoder, v value) {
		if !d.open(&v) {
			return
		}
		if v.node.Kind != yaml.SequenceNode {
			d.wants(v, "a list")
			return
		}
		for i, n := range v.node.Content {
			item(d, value{n, v.ptr + "/" + strconv.Itoa(i)})
		}
	}
}

// scalar returns a value as it is written: a number is text where text is wanted.
func (d *decoder) scalar(v *value, what string) (string, bool) {
	if !d.open(v) {
		return "", false
	}
	if v.node.Kind != yaml.ScalarNode {
		d.wants(*v, what)
		return "", false
	}
	if s := v.node.Value; oneLine(s) && strings.TrimSpace(s) != "" {
		return s, true
	}
	d.fail(idValue, *v, "give it a value on one line or remove the key", "%s is empty, or has a line break or a control character", finding.Quote(v.node.Value))
	return "", false
}

func text(to *string) reader {
	return func(d *decoder, v value) {
		if s, ok := d.scalar(&v, "text"); ok {
			*to = s
		}
	}
}

// path reads a file's name, which counts from the scenario's own folder.
func path(to *string) reader {
	return func(d *decoder, v value) {
		if s, ok := d.scalar(&v, "a file's name"); ok {
			*to = s
			if !filepath.IsAbs(s) {
				*to = filepath.Join(filepath.Dir(d.file), s)
			}
		}
	}
}

// word reads one of a few words.
func word[S ~string](to *S, words ...S) reader {
	return func(d *decoder, v value) {
		s, ok := d.scalar(&v, "a word")
		if !ok {
			return
		}
		var names []string
		for _, w := range words {
			if S(s) == w {
				*to = w
				return
			}
			names = append(names, string(w))
		}
		hint := "write " + strings.Join(names, " or ")
		if near := finding.Nearest(strings.ToLower(s), names); near != "" {
			hint = "did you mean " + near + "?"
		}
		d.fail(idWord, v, hint, "%s is not one of %s", finding.Quote(s), strings.Join(names, ", "))
	}
}

func boolean(to *bool) reader {
	return func(d *decoder, v value) {
		switch {
		case !d.open(&v):
		case v.node.ShortTag() == "!!bool" && strings.EqualFold(v.node.Value, "true"):
			*to = true
		case v.node.ShortTag() == "!!bool" && strings.EqualFold(v.node.Value, "false"):
			*to = false
		default:
			d.wants(v, "true or false")
		}
	}
}

// whole reads a whole number in decimal digits.
func whole[I int | int64](to *I, low, high I) reader {
	return func(d *decoder, v value) {
		s, ok := d.scalar(&v, "a whole number")
		if !ok {
			return
		}
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || I(n) < low || I(n) > high {
			d.fail(idValue, v, fmt.Sprintf("write a whole number from %d to %d", low, high), "%s is not a whole number in range", finding.Quote(s))
			return
		}
		*to = I(n)
	}
}

func seed(to *uint64) reader {
	return func(d *decoder, v value) {
		s, ok := d.scalar(&v, "a whole number")
		if !ok {
			return
		}
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			d.fail(idValue, v, "write a whole number", "%s is no seed", finding.Quote(s))
			return
		}
		*to = n
	}
}

// number reads one above low, and up to high.
func number(to *float64, low, high float64) reader {
	return func(d *decoder, v value) {
		s, ok := d.scalar(&v, "a number")
		if !ok {
			return
		}
		n, err := strconv.ParseFloat(s, 64)
		if err != nil || !(n > low && n <= high) { // NaN is neither
			d.fail(idValue, v, fmt.Sprintf("write a number above %g, up to %g", low, high), "%s is not a number in range", finding.Quote(s))
			return
		}
		*to = n
	}
}

// share reads a number from 0 to 1.
func share(to *float64) reader {
	return func(d *decoder, v value) {
		s, ok := d.scalar(&v, "a number from 0 to 1")
		if !ok {
			return
		}
		n, err := strconv.ParseFloat(s, 64)
		if err != nil || !(n >= 0 && n <= 1) {
			d.fail(idValue, v, "0.1 is one job in ten", "%s is not a number from 0 to 1", finding.Quote(s))
			return
		}
		*to = n
	}
}

// duration reads seconds, a text such as 90s or 12h, or days such as 30d.
func duration(to *time.Duration, low, high time.Duration) reader {
	return func(d *decoder, v value) {
		s, ok := d.scalar(&v, "a duration")
		if !ok {
			return
		}
		n, err := ParseDuration(s)
		if err != nil || n < low || n > high {
			d.fail(idValue, v, "write seconds, or a duration such as 90s, 12h or 30d", "%s is not a duration in range", finding.Quote(s))
			return
		}
		*to = n
	}
}

// ParseDuration reads seconds, days such as 30d, or what time.ParseDuration does.
func ParseDuration(s string) (time.Duration, error) {
	unit := time.Second
	digits := s
	if days, ok := strings.CutSuffix(s, "d"); ok {
		unit, digits = 24*time.Hour, days
	}
	if n, err := strconv.ParseFloat(digits, 64); err == nil {
		if d := n * float64(unit); math.Abs(d) <= float64(longest) {
			return time.Duration(d), nil
		}
		return 0, fmt.Errorf("%s is too long", finding.Quote(s))
	}
	return time.ParseDuration(s)
}
