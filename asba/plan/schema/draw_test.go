package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"pgregory.net/rapid"
)

// keywords is a schema, with the keywords that ours is written in.
type keywords struct {
	Schema      string          `json:"$schema"`
	ID          string          `json:"$id"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Default     json.RawMessage `json:"default"`
	Examples    json.RawMessage `json:"examples"`
	Deprecated  bool            `json:"deprecated"`

	Type                 types                `json:"type"`
	Enum                 []any                `json:"enum"`
	Minimum              *float64             `json:"minimum"`
	Maximum              *float64             `json:"maximum"`
	Pattern              string               `json:"pattern"`
	Items                *keywords            `json:"items"`
	Properties           map[string]*keywords `json:"properties"`
	AdditionalProperties *others              `json:"additionalProperties"`
}

// types is one type or several.
type types []string

func (t *types) UnmarshalJSON(text []byte) error {
	if text[0] == '"' {
		*t = []string{""}
		return json.Unmarshal(text, &(*t)[0])
	}
	return json.Unmarshal(text, (*[]string)(t))
}

// others are properties without a name of their own: none, or any of a schema.
type others struct{ keywords *keywords }

func (o *others) UnmarshalJSON(text []byte) error {
	if string(text) == "false" {
		return nil
	}
	return strict(text, &o.keywords)
}

// strict refuses keywords that drawing does not know of.
func strict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// draw draws a value that a schema lets pass.
func (k *keywords) draw(t *rapid.T) any {
	if k.Enum != nil {
		return rapid.SampledFrom(k.Enum).Draw(t, "word")
	}
	if k.Type == nil {
		return anything(t)
	}
	switch typ := rapid.SampledFrom(k.Type).Draw(t, "type"); typ {
	case "null":
		return nil
	case "boolean":
		return rapid.Bool().Draw(t, "boolean")
	case "integer":
		return rapid.Int64Range(int64(*k.Minimum), int64(*k.Maximum)).Draw(t, "integer")
	case "number":
		low, high := -math.MaxFloat64, math.MaxFloat64
		if k.Minimum != nil {
			low, high = *k.Minimum, *k.Maximum
		}
		return rapid.Float64Range(low, high).Draw(t, "number") + 0
	case "string":
		return k.text(t)
	case "array":
		return rapid.SliceOfN(rapid.Custom(k.Items.draw), 0, 3).Draw(t, "array")
	case "object":
		return k.object(t)
	default:
		t.Fatalf("the schema has the type %s, which is not drawn yet", typ)
		return nil
	}
}

// text draws by the pattern. Two of them cannot say all: a duration's length,
// and which months have 31 days.
func (k *keywords) text(t *rapid.T) string {
	switch k.Pattern {
	case "":
		return rapid.String().Draw(t, "text")
	case durationPattern:
		d := time.Duration(rapid.Int64Range(0, 87600*int64(time.Hour)).Draw(t, "duration"))
		return rapid.SampledFrom([]string{"", d.String(), fmt.Sprintf("%dms", d.Milliseconds()), fmt.Sprintf("+%.4fh", d.Hours()*0.99)}).Draw(t, "spelling")
	case timePattern:
		zone := rapid.SampledFrom([]*time.Location{time.UTC, time.FixedZone("", 9000)}).Draw(t, "zone")
		at := time.Unix(rapid.Int64Range(0, 1<<36).Draw(t, "time"), 0).In(zone)
		return at.Format(rapid.SampledFrom([]string{"", time.RFC3339, "2006-01-02T15:04:05.000Z07:00", "2006-01-02T15:04:05"}).Draw(t, "spelling"))
	}
	return rapid.StringMatching(k.Pattern).Draw(t, "pattern")
}

func (k *keywords) object(t *rapid.T) any {
	out := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(k.Properties)) {
		// More often than not, so that whole plans come of it.
		if rapid.IntRange(0, 2).Draw(t, name) > 0 {
			out[name] = k.Properties[name].draw(t)
		}
	}
	if k.AdditionalProperties.keywords != nil {
		for _, name := range rapid.SliceOfNDistinct(rapid.String(), 0, 3, rapid.ID[string]).Draw(t, "names") {
			out[name] = k.AdditionalProperties.keywords.draw(t)
		}
	}
	return out
}

// anything draws a value of which the schema says nothing.
func anything(t *rapid.T) any {
	return rapid.SampledFrom([]any{nil, true, -1.5, "text", []any{}, []any{1, "a"}, map[string]any{"a": map[string]any{"b": nil}}}).Draw(t, "anything")
}
