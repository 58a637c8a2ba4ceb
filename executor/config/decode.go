package config

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"aws-slurm-burst/asba/finding"
)

// The ids of findings. They are stable: scripts suppress and people look up by
// them.
const (
	idSyntax    = "CFG001" // not readable at all
	idKey       = "CFG002" // unknown key
	idTwice     = "CFG003" // a key given twice
	idType      = "CFG004" // another kind of value is wanted
	idValue     = "CFG005" // out of range or ill-formed
	idWord      = "CFG006" // none of the words
	idHostlist  = "CFG007" // a hostlist that does not parse
	idOwner     = "CFG008" // two node groups own one name
	idMissing   = "CFG009" // a needed key is not there
	idConflict  = "CFG010" // two settings exclude each other
	idTooMuch   = "CFG011" // more values than any real file has
	idNotUsed   = "CFG012" // accepted, not acted on (info)
	idUnwise    = "CFG013" // legal, but probably not meant (warning)
	maxValues   = 100_000  // read values; an alias counts each time it is used
	maxFindings = 100      // told at once, of each level
)

// decoder walks the YAML nodes. It notes what is wrong and goes on, so that
// one run tells everything. It never descends deeper than its tables of keys,
// so neither nesting nor an alias within itself can overflow it.
type decoder struct {
	file     string
	findings []finding.Finding
	errors   int // found so far, told or not
	values   int // read so far
}

// value is a node and the JSON Pointer that leads to it.
type value struct {
	node *yaml.Node
	ptr  string
}

// reader reads one value into its place in the Config.
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
	// Each level has its own hundred: notes must not hide the first error.
	if level == finding.Error && d.errors > maxFindings || level < finding.Error && len(d.findings)-d.errors >= maxFindings {
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

// open follows an alias and counts the value. It returns false for null, which
// is the same as a key not given, and once there is too much.
func (d *decoder) open(v *value) bool {
	if v.node.Kind == yaml.AliasNode {
		v.node = v.node.Alias
	}
	d.values++
	if d.values == maxValues {
		d.fail(idTooMuch, *v, "remove aliases that repeat aliases", "more than %d values in one file", maxValues)
	}
	return d.values < maxValues && v.node.ShortTag() != "!!null"
}

// mapping reads a mapping by its table of keys and returns the values that are
// given, by key; nil where there is no mapping.
func (d *decoder) mapping(v value, keys []key) map[string]value {
	if !d.open(&v) {
		return nil
	}
	if v.node.Kind != yaml.MappingNode {
		d.wants(v, "keys with values")
		return nil
	}
	at, lines := make(map[string]value, len(v.node.Content)/2), map[string]int{}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		k, child := value{v.node.Content[i], v.ptr}, value{v.node.Content[i+1], v.ptr}
		if !d.open(&k) || k.node.Kind != yaml.ScalarNode {
			d.fail(idType, k, "", "a key must be text")
			continue
		}
		name := k.node.Value
		if oneLine(name) && len(name) <= 64 { // else it would spoil the finding's line
			k.ptr += "/" + escape(name)
			child.ptr = k.ptr
		}
		if d.twice(k, name, lines) {
			continue
		}
		read, why := find(keys, name), ""
		if read == nil {
			why = ignored(k.ptr)
		}
		switch {
		case read != nil && child.node.ShortTag() == "!!null": // as if not given
		case read != nil:
			at[name] = child
			read(d, child)
		case why != "":
			d.note(finding.Info, idNotUsed, k, "", "%s is accepted and not acted on: %s", name, why)
		default:
			d.unknown(k, name, keys)
		}
	}
	return at
}

// twice tells of a key that was there before; lines remembers where.
func (d *decoder) twice(k value, name string, lines map[string]int) bool {
	if line, ok := lines[name]; ok {
		d.fail(idTwice, k, "remove one of the two", "%s is given twice, first in line %d", show(name), line)
		return true
	}
	lines[name] = k.node.Line
	return false
}

func find(keys []key, name string) reader {
	for _, k := range keys {
		if k.name == name {
			return k.read
		}
	}
	return nil
}

func (d *decoder) unknown(at value, name string, keys []key) {
	var names []string
	for _, k := range keys {
		names = append(names, k.name)
	}
	hint := "known here: " + strings.Join(names, ", ")
	if near := finding.Nearest(name, names); near != "" {
		hint = "did you mean " + near + "?"
	}
	if name == "<<" {
		hint = "merge keys are not read; repeat the keys"
	}
	d.fail(idKey, at, hint, "unknown key %s", show(name))
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

// isMapping tells a mapping from a list, where both are accepted.
func (d *decoder) isMapping(v value) bool {
	return v.node.Kind == yaml.MappingNode || v.node.Kind == yaml.AliasNode && v.node.Alias.Kind == yaml.MappingNode
}

// pairs reads a mapping of free keys to texts.
func (d *decoder) pairs(v value, keys, values check, each func(at value, key, val string)) {
	if !d.open(&v) {
		return
	}
	if v.node.Kind != yaml.MappingNode {
		d.wants(v, "keys with values")
		return
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		at := value{v.node.Content[i], v.ptr}
		k, ok := d.text(at, keys)
		if !ok || d.twice(at, k, lines) {
			continue
		}
		at.ptr += "/" + escape(k)
		if val, ok := d.text(value{v.node.Content[i+1], at.ptr}, values); ok {
			each(at, k, val)
		}
	}
}

// wants says that another kind of value stands where one was wanted.
func (d *decoder) wants(v value, what string) {
	has := map[string]string{
		"!!map": "keys with values", "!!seq": "a list", "!!int": "the number " + show(v.node.Value), "!!float": "the number " + show(v.node.Value),
		"!!bool": v.node.Value, "!!str": "the text " + show(v.node.Value),
	}[v.node.ShortTag()]
	if has == "" {
		has = "a value tagged " + show(v.node.ShortTag())
	}
	d.fail(idType, v, "", "wants %s, has %s", what, has)
}

// A check says what is wrong with a text and what to write; "" is fine.
type check func(s string) (wrong, instead string)

// text reads text. Bare numbers and dates count as text, as they are written:
// an account id needs no quotes.
func text(to *string, checks ...check) reader {
	return func(d *decoder, v value) {
		if s, ok := d.text(v, checks...); ok {
			*to = s
		}
	}
}

// block reads text of any number of lines.
func block(to *string) reader {
	return func(d *decoder, v value) {
		if s, ok := d.scalar(v); ok {
			*to = s
		}
	}
}

// secret reads text that no message may show.
func secret(to *Secret) reader {
	return func(d *decoder, v value) {
		s, ok := d.scalar(v)
		switch {
		case !ok:
		case strings.TrimSpace(s) == "" || !oneLine(s):
			d.fail(idValue, v, "write it on one line", "the secret is empty or has a line break")
		default:
			*to = Secret(s)
		}
	}
}

// texts reads a list of texts.
func texts(to *[]string, checks ...check) reader {
	return list(func(d *decoder, v value) {
		if s, ok := d.text(v, checks...); ok {
			*to = append(*to, s)
		}
	})
}

func (d *decoder) scalar(v value) (string, bool) {
	if !d.open(&v) {
		return "", false
	}
	switch v.node.ShortTag() {
	case "!!str", "!!int", "!!float", "!!timestamp":
		return v.node.Value, true
	}
	d.wants(v, "text")
	return "", false
}

func (d *decoder) text(v value, checks ...check) (string, bool) {
	s, ok := d.scalar(v)
	if !ok {
		return "", false
	}
	if !oneLine(s) {
		d.fail(idValue, v, "write it on one line", "%s has a line break or a control character", show(s))
		return "", false
	}
	for _, c := range checks {
		if wrong, instead := c(s); wrong != "" {
			d.fail(idValue, v, instead, "%s %s", show(s), wrong)
			return "", false
		}
	}
	return s, true
}

// path reads a file name and resolves it against the configuration's folder,
// because slurmctld's current folder is nobody's intention.
func path(to *string) reader {
	return func(d *decoder, v value) {
		if s, ok := d.text(v, notEmpty); ok {
			*to = d.resolve(s)
		}
	}
}

func (d *decoder) resolve(p string) string {
	if filepath.IsAbs(p) {
		return filepath.Clean(p)
	}
	return filepath.Join(filepath.Dir(d.file), p)
}

// word reads one of a few words.
func word[S ~string](to *S, words ...S) reader {
	return func(d *decoder, v value) {
		s, ok := d.text(v)
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
		d.fail(idWord, v, hint, "%s is not one of %s", show(s), strings.Join(names, ", "))
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

// whole reads a whole number between low and high, in decimal digits: YAML's
// octal and hexadecimal forms are slips more often than wishes.
func whole(to *int, low, high int) reader {
	return func(d *decoder, v value) {
		if !d.open(&v) {
			return
		}
		if tag := v.node.ShortTag(); tag != "!!int" && tag != "!!float" { // YAML takes huge ones for floats
			d.wants(v, "a whole number")
			return
		}
		n, err := strconv.Atoi(v.node.Value)
		if err != nil || n < low || n > high || strconv.Itoa(n) != v.node.Value {
			d.fail(idValue, v, fmt.Sprintf("write a whole number from %d to %d", low, high), "%s is not a whole number in range", show(v.node.Value))
			return
		}
		*to = n
	}
}

// money reads an amount in USD. Prices in quotes are taken too: AWS's own
// request formats have them so.
func money(to *float64) reader {
	const most = 1e6 // USD an hour; what is above is a slip
	return func(d *decoder, v value) {
		if !d.open(&v) {
			return
		}
		n, err := strconv.ParseFloat(v.node.Value, 64)
		tag := v.node.ShortTag()
		switch {
		case tag != "!!int" && tag != "!!float" && (tag != "!!str" || err != nil):
			d.wants(v, "an amount in USD")
		case err != nil || !(n >= 0 && n <= most): // NaN is neither
			d.fail(idValue, v, fmt.Sprintf("write an amount in USD from 0 to %.0f, such as 0.25; 0 is no cap", most), "%s is out of range", show(v.node.Value))
		default:
			*to = n
		}
	}
}

// duration reads whole seconds, or a text such as 90s or 5m.
func duration(to *time.Duration, low, high time.Duration) reader {
	return func(d *decoder, v value) {
		if !d.open(&v) {
			return
		}
		var n time.Duration
		var err error
		switch v.node.ShortTag() {
		case "!!int", "!!float":
			var s int64
			if s, err = strconv.ParseInt(v.node.Value, 10, 32); err == nil { // 32 bits of seconds fit a Duration
				n = time.Duration(s) * time.Second
			}
		case "!!str":
			n, err = time.ParseDuration(v.node.Value)
		default:
			d.wants(v, "a number of seconds")
			return
		}
		if err != nil || n < low || n > high {
			d.fail(idValue, v, fmt.Sprintf("write whole seconds, or a duration such as 90s or 5m, from %s to %s", low, high), "%s is not a duration in range", show(v.node.Value))
			return
		}
		*to = n
	}
}

// matches makes a check of a pattern and a length in characters, 0 for any.
// The length is no part of the pattern: a counted repeat compiles to a program
// of that size, at the start of every process.
func matches(re *regexp.Regexp, most int, wrong, instead string) check {
	return func(s string) (string, string) {
		if re.MatchString(s) && (most == 0 || utf8.RuneCountInString(s) <= most) {
			return "", ""
		}
		return wrong, instead
	}
}

func notEmpty(s string) (string, string) {
	if strings.TrimSpace(s) == "" {
		return "is empty", "give it a value or remove the key"
	}
	return "", ""
}

func oneLine(s string) bool {
	return !strings.ContainsFunc(s, unicode.IsControl)
}

// show quotes what someone wrote, short enough for one line, and of a URL no
// password.
func show(s string) string {
	if strings.Contains(s, "://") {
		s = finding.Address(s)
	}
	if utf8.RuneCountInString(s) > 60 {
		return strconv.Quote(string([]rune(s)[:60]) + "...")
	}
	return strconv.Quote(s)
}

// escape makes a key a JSON Pointer token (RFC 6901).
func escape(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(s)
}
