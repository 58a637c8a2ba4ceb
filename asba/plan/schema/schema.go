// Package schema makes what is published about a plan's keys from the one table
// of them: the JSON Schema, for editors and for programs in other languages, and
// the reference in docs/PLAN.md. Its test writes both.
//
// It judges no plan: a schema is for validators of JSON Schema to apply.
package schema

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"aws-slurm-burst/asba/plan"
)

// ID names the schema. It is no address: plans refer to it by a path, or by
// that of a copy.
const ID = "urn:aws-slurm-burst:plan:1"

const (
	title = "An execution plan for aws-slurm-burst"

	description = "What ASBA says to launch for one job, in either dialect: A, which executors read, or B, which advisors write; " +
		"a plan may mix them, and null is as good as absent. " +
		"An unknown key is refused here, for it is most often misspelt; the executor warns of it and goes on."

	// A duration as Go writes them, or nothing.
	durationPattern = `^(\+?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+))?$`

	// RFC 3339, or the same without a zone, or nothing.
	timePattern = `^([0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])?)?$`

	// At least one character that is no white space as Unicode has it; \s
	// alone is more or less in each engine.
	notBlank = "[^\\s\\v\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
)

// JSON returns the JSON Schema of a plan, of draft 2020-12, for the keys that
// plan.Keys gives.
func JSON(keys []plan.Key) []byte {
	var b bytes.Buffer
	w := writer{jsontext.NewEncoder(&b, jsontext.WithIndent("  "))}
	w.object(func() {
		w.text("$schema", "https://json-schema.org/draft/2020-12/schema")
		w.text("$id", ID)
		w.text("title", title)
		w.text("description", description)
		w.text("type", "object")
		w.properties(keys)
		w.key("examples")
		w.array(func() { w.raw(`{"should_burst": true, "instance_specification": {"instance_types": ["c6i.xlarge"]}}`) })
	})
	return ascii(b.Bytes())
}

// writer writes members of an object. What fails is a token in the wrong place,
// a mistake of this package.
type writer struct{ *jsontext.Encoder }

func (w writer) must(err error) {
	if err != nil {
		panic("schema: " + err.Error())
	}
}

func (w writer) raw(json string)  { w.must(w.WriteValue(jsontext.Value(json))) }
func (w writer) key(name string)  { w.must(w.WriteToken(jsontext.String(name))) }
func (w writer) object(in func()) { w.between(jsontext.BeginObject, in, jsontext.EndObject) }
func (w writer) array(in func())  { w.between(jsontext.BeginArray, in, jsontext.EndArray) }

func (w writer) between(begin jsontext.Token, in func(), end jsontext.Token) {
	w.must(w.WriteToken(begin))
	in()
	w.must(w.WriteToken(end))
}

func (w writer) text(name, value string) {
	w.key(name)
	w.must(w.WriteToken(jsontext.String(value)))
}

func (w writer) is(name string, yes bool) {
	w.key(name)
	w.must(w.WriteToken(jsontext.Bool(yes)))
}

func (w writer) properties(keys []plan.Key) {
	w.key("properties")
	w.object(func() {
		for _, k := range keys {
			w.key(k.Name)
			w.object(func() { w.property(k) })
		}
	})
	w.is("additionalProperties", false)
}

func (w writer) property(k plan.Key) {
	w.text("description", sentence(k))
	switch k.Kind {
	case plan.KindAny:
	case plan.KindObject:
		w.types("object")
		w.properties(k.Keys)
	case plan.KindBoolean:
		w.types("boolean")
	case plan.KindText:
		w.texts(k)
	case plan.KindCount:
		w.types("integer")
		w.limits(k)
	case plan.KindUSD:
		w.types("number")
		w.limits(k)
	case plan.KindHours:
		w.types("number", "string")
		w.limits(k)
		w.text("pattern", durationPattern)
	case plan.KindDuration:
		w.types("string", "integer")
		w.limits(k)
		w.text("pattern", durationPattern)
	case plan.KindTime:
		w.types("string")
		w.text("pattern", timePattern)
	case plan.KindList:
		w.types("array")
		w.key("items")
		w.object(func() {
			w.text("type", "string")
			w.text("pattern", orNotBlank(k.Pattern))
		})
	case plan.KindTags:
		w.types("object")
		w.key("additionalProperties")
		w.object(func() { w.types("string", "number") })
	default:
		panic(fmt.Sprintf("schema: %s is of kind %d, which has no schema yet", k.Path, k.Kind))
	}
	if k.Old {
		w.is("deprecated", true)
	}
	if k.Unset == "true" || k.Unset == "false" { // others depend on the configuration
		w.key("default")
		w.raw(k.Unset)
	}
	if k.Example != "" {
		w.key("examples")
		w.array(func() { w.raw(k.Example) })
	}
}

// texts are strings, or the few words of a key. A text that is empty is as good
// as absent, so no pattern refuses it.
func (w writer) texts(k plan.Key) {
	if len(k.Words) == 0 {
		w.types("string", "number")
		if k.Pattern != "" {
			w.text("pattern", "^$|"+k.Pattern)
		}
		return
	}
	w.key("enum")
	w.array(func() {
		for _, word := range k.Words {
			w.must(w.WriteToken(jsontext.String(word)))
		}
		w.raw(`""`)
		w.raw(`null`)
	})
}

func (w writer) types(names ...string) {
	w.key("type")
	w.array(func() {
		for _, name := range append(names, "null") {
			w.must(w.WriteToken(jsontext.String(name)))
		}
	})
}

func (w writer) limits(k plan.Key) {
	w.key("minimum")
	w.raw("0")
	w.key("maximum")
	w.must(w.WriteToken(jsontext.Float(k.Kind.Max())))
}

func orNotBlank(pattern string) string {
	if pattern == "" {
		return notBlank
	}
	return pattern
}

// ascii escapes what JSON may escape and people cannot see.
func ascii(text []byte) []byte {
	var out []byte
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r < utf8.RuneSelf {
			out = append(out, text[0])
		} else {
			out = fmt.Appendf(out, `\u%04x`, r) // all of ours are in the first plane
		}
		text = text[n:]
	}
	return out
}
