package plan

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// tolerant keeps an encoder from refusing what a plan may hold: Read judges it.
var tolerant = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// Write writes a plan as dialect A, which every executor reads, indented and
// with its keys in one order: the same plan gives the same bytes. What only
// dialect B has a key for stands under that key; what is open is left out,
// except should_burst, which some executors insist on. Text that is not UTF-8
// is replaced.
func Write(p *Plan) []byte {
	c := *p
	c.ShouldBurst = Opt[bool]{Value: p.Bursts(), Given: true}
	var b bytes.Buffer
	e := jsontext.NewEncoder(&b, jsontext.WithIndent("  "), tolerant)
	put(e, jsontext.BeginObject)
	writeFields(e, &c, root)
	put(e, jsontext.EndObject)
	return b.Bytes()
}

func writeFields(e *jsontext.Encoder, p *Plan, object field) {
	for _, f := range object.fields {
		switch {
		case f.first != "":
		case f.write != nil:
			f.write(e, p)
		case f.fields != nil && f.says(p):
			put(e, jsontext.String(f.name), jsontext.BeginObject)
			writeFields(e, p, f)
			put(e, jsontext.EndObject)
		}
	}
}

// written reports whether Write has use for a key. One of dialect B then stands
// in plans of dialect A as well, and is no sign of B.
func (f field) written() bool {
	return f.first == "" && (f.write != nil || slices.ContainsFunc(f.fields, field.written))
}

// says reports whether a plan says anything in an object.
func (f field) says(p *Plan) bool {
	var b bytes.Buffer
	e := jsontext.NewEncoder(&b, tolerant)
	put(e, jsontext.BeginObject)
	writeFields(e, p, f)
	put(e, jsontext.EndObject)
	return b.Len() > len("{}\n")
}

func writeTags(e *jsontext.Encoder, p *Plan) {
	if !p.Tags.Given {
		return
	}
	put(e, jsontext.String("tags"), jsontext.BeginObject)
	for _, t := range p.Tags.Value {
		put(e, jsontext.String(t.Key), jsontext.String(t.Value))
	}
	put(e, jsontext.EndObject)
}

// put writes tokens. What fails is a token in the wrong place: a mistake of
// this package, whatever the plan.
func put(e *jsontext.Encoder, tokens ...jsontext.Token) {
	for _, t := range tokens {
		if err := e.WriteToken(t); err != nil {
			panic("plan: " + err.Error())
		}
	}
}
