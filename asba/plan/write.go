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
	b.Grow(usual)
	w := &writer{Encoder: jsontext.NewEncoder(&b, jsontext.WithIndent("  "), tolerant)}
	w.put(jsontext.BeginObject)
	w.fields(&c, root)
	w.put(jsontext.EndObject)
	return b.Bytes()
}

// usual is what a plan takes in bytes, so that most need no more room.
const usual = 4 << 10

// writer writes an object only when something is said in it.
type writer struct {
	*jsontext.Encoder
	open []string // names of objects that have begun, but say nothing yet
}

func (w *writer) fields(p *Plan, object field) {
	for _, f := range object.fields {
		switch {
		case f.first != "":
		case f.write != nil:
			f.write(w, p)
		case f.fields != nil:
			outer := len(w.open)
			w.open = append(w.open, f.name)
			w.fields(p, f)
			if len(w.open) > outer {
				w.open = w.open[:outer]
			} else {
				w.put(jsontext.EndObject)
			}
		}
	}
}

// written reports whether Write has use for a key. One of dialect B then stands
// in plans of dialect A as well, and is no sign of B.
func (f field) written() bool {
	return f.first == "" && (f.write != nil || slices.ContainsFunc(f.fields, field.written))
}

func writeTags(w *writer, p *Plan) {
	if !p.Tags.Given {
		return
	}
	w.put(jsontext.String("tags"), jsontext.BeginObject)
	for _, t := range p.Tags.Value {
		w.put(jsontext.String(t.Key), jsontext.String(t.Value))
	}
	w.put(jsontext.EndObject)
}

// put writes tokens, the objects that they are in first. What fails is a token in
// the wrong place: a mistake of this package, whatever the plan.
func (w *writer) put(tokens ...jsontext.Token) {
	for _, name := range w.open {
		w.write(jsontext.String(name))
		w.write(jsontext.BeginObject)
	}
	w.open = w.open[:0]
	for _, t := range tokens {
		w.write(t)
	}
}

func (w *writer) write(t jsontext.Token) {
	if err := w.WriteToken(t); err != nil {
		panic("plan: " + err.Error())
	}
}
