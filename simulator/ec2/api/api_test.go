package api

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"aws-slurm-burst/executor/cloud"
)

// thing is a resource with one field.
type thing struct {
	Resource
	color string
}

var thingFields = Fields[*thing]{"color": Value(func(t *thing) string { return t.color })}

func things(n int) (out []*thing) {
	for k := range n {
		t := &thing{Resource{ID: fmt.Sprint("t-", k), Seq: uint64(2*k + 1), Tags: []cloud.Tag{{Key: "n", Value: fmt.Sprint(k % 3)}}}, []string{"red", "re*d"}[k%2]}
		out = append(out, t)
	}
	return out
}

func lost(ids []string) *Error { return Refuse("InvalidThing.NotFound", "%s", Quoted(ids)) }

func shown(p Page[*thing]) string {
	var ids []string
	for _, t := range p.Items {
		ids = append(ids, t.ID)
	}
	return strings.Join(ids, " ")
}

func TestFiltersLetThroughWhatAllOfThemDo(t *testing.T) {
	for want, q := range map[string]Query{
		"t-0 t-1 t-2 t-3 t-4 t-5": {},
		"t-4 t-1":                 {IDs: []string{"t-4", "t-1"}}, // in the order of creation
		"t-0 t-2 t-4":             {Filters: []Filter{{"color", []string{"red"}}}},
		"t-1 t-3 t-5":             {Filters: []Filter{{"color", []string{`re\*d`}}}},
		"t-0 t-3":                 {Filters: []Filter{{"tag:n", []string{"0"}}}},
		"t-0 t-2 t-3 t-5":         {Filters: []Filter{{"tag:n", []string{"0", "2"}}}},
		"t-0":                     {Filters: []Filter{{"tag:n", []string{"0"}}, {"color", []string{"r?d"}}}},
		"":                        {Filters: []Filter{{"tag-key", []string{"m"}}}},
	} {
		got, err := Choose(things(6), q, thingFields.Named, lost, nil)
		ids := strings.Fields(want)
		slices.Sort(ids)
		if err != nil || shown(got) != strings.Join(ids, " ") {
			t.Errorf("%+v: %s, %v, want %s", q, shown(got), err, want)
		}
	}
	for code, q := range map[string]Query{
		"InvalidThing.NotFound":       {IDs: []string{"t-1", "t-9"}},
		"InvalidParameterCombination": {IDs: []string{"t-1"}, Max: 5},
		"InvalidParameterValue":       {Filters: []Filter{{"colour", []string{"red"}}}},
		"InvalidNextToken":            {Next: "x"},
		"FilterLimitExceeded":         {Filters: []Filter{{"color", make([]string, 201)}}},
	} {
		if _, err := Choose(things(6), q, thingFields.Named, lost, nil); err == nil || AsError(err).Code != code {
			t.Errorf("%+v: %v, want %s", q, err, code)
		}
	}
}

// Pages repeat and skip nothing that is there through all of them.
func TestPagesAddUpWhateverComesAndGoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := things(rapid.IntRange(0, 40).Draw(t, "rows"))
		there := map[string]int{}
		for _, r := range rows {
			there[r.ID] = 0
		}
		q := Query{Max: rapid.IntRange(5, 10).Draw(t, "page")}
		for {
			p, err := Choose(rows, q, thingFields.Named, lost, nil)
			if err != nil || len(p.Items) > q.Max {
				t.Fatalf("%d of %d, %v", len(p.Items), q.Max, err)
			}
			for _, r := range p.Items {
				there[r.ID]++
			}
			if p.Next == "" {
				break
			}
			q.Next = p.Next
			if len(rows) > 0 && rapid.Bool().Draw(t, "one goes") {
				k := rapid.IntRange(0, len(rows)-1).Draw(t, "which")
				delete(there, rows[k].ID)
				rows = slices.Delete(slices.Clone(rows), k, k+1)
			}
		}
		for id, n := range there {
			if n != 1 {
				t.Fatalf("%s is there %d times", id, n)
			}
		}
	})
}

func TestTagsAreJudgedAsEC2Does(t *testing.T) {
	many := make([]cloud.Tag, MaxTags+1)
	for k := range many {
		many[k].Key = fmt.Sprint(k)
	}
	for code, tags := range map[string][]cloud.Tag{
		"":                      many[:MaxTags],
		"TagLimitExceeded":      many,
		"InvalidParameterValue": {{Key: "a"}, {Key: "a"}},
	} {
		if err := CheckTags(tags); (err == nil) != (code == "") || err != nil && err.Code != code {
			t.Errorf("%d tags: %v, want %q", len(tags), err, code)
		}
	}
	for _, key := range []string{"", "aws:x", "AWS:x", strings.Repeat("k", 129)} {
		if CheckTags([]cloud.Tag{{Key: key}}) == nil {
			t.Errorf("key %q is taken", key)
		}
	}
	got := Overlay([]cloud.Tag{{Key: "b", Value: "1"}, {Key: "c", Value: "1"}}, []cloud.Tag{{Key: "a", Value: "2"}, {Key: "c", Value: "2"}})
	if fmt.Sprint(got) != "[{a 2} {b 1} {c 2}]" {
		t.Errorf("%v", got)
	}
}
