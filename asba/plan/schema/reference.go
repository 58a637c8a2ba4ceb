package schema

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"aws-slurm-burst/asba/plan"
)

// values says of each kind what a value is, with its unit.
var values = map[plan.Kind]string{
	plan.KindAny:      "any",
	plan.KindBoolean:  "true or false",
	plan.KindText:     "text",
	plan.KindCount:    "whole number",
	plan.KindUSD:      "USD",
	plan.KindHours:    "hours",
	plan.KindDuration: "duration",
	plan.KindTime:     "time",
	plan.KindList:     "list of texts",
	plan.KindTags:     "object of texts",
}

// Reference returns the keys as Markdown: a table for the plan itself, and one
// for each section.
func Reference(keys []plan.Key) string {
	var b strings.Builder
	rows(&b, keys, "")
	for _, k := range keys {
		if k.Kind == plan.KindObject {
			fmt.Fprintf(&b, "\n### %s\n\n%s.%s\n\n", k.Name, upper(k.Means), ofDialect(k))
			rows(&b, k.Keys, "")
		}
	}
	return b.String()
}

func rows(b *strings.Builder, keys []plan.Key, indent string) {
	if indent == "" {
		b.WriteString("| key | dialect | value | meaning | where it is not given |\n|---|---|---|---|---|\n")
	}
	for _, k := range keys {
		switch {
		case k.Kind != plan.KindObject:
			fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", indent+k.Name, dialect(k), value(k), meaning(k), k.Unset)
		case indent != "" || strings.Contains(k.Path, "/"): // an object within a section
			fmt.Fprintf(b, "| `%s` | %s | object | %s | |\n", k.Name, dialect(k), k.Means)
			rows(b, k.Keys, k.Name+"/")
		}
	}
}

func dialect(k plan.Key) string {
	if k.Dialect == "" {
		return "A, B"
	}
	return k.Dialect
}

func ofDialect(k plan.Key) string {
	if k.Dialect == "" {
		return ""
	}
	return " Dialect " + k.Dialect + " alone has it."
}

func value(k plan.Key) string {
	if len(k.Words) > 0 {
		return strings.Join(k.Words, ", ")
	}
	return values[k.Kind]
}

// meaning is what a key means, with the first place of a second one. Neither
// has a character that a table would take for its own.
func meaning(k plan.Key) string {
	if k.First == "" {
		return k.Means
	}
	return fmt.Sprintf("%s; second place for `%s`", k.Means, k.First)
}

// sentence is what an editor shows for a key.
func sentence(k plan.Key) string {
	s := upper(k.Means) + "."
	switch k.Kind {
	case plan.KindHours:
		s += ` In hours; a duration such as "2h30m" will do too.`
	case plan.KindDuration:
		s += ` A duration such as "2h30m", or nanoseconds; at most ten years.`
	case plan.KindTime:
		s += " RFC 3339; without a zone it is UTC."
	}
	if k.First != "" {
		s += " A second place for " + k.First + "."
	}
	if k.Unset != "" {
		s += " Where it is not given: " + k.Unset + "."
	}
	if k.Dialect != "" {
		s += " Dialect " + k.Dialect + "."
	}
	return s
}

func upper(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}
