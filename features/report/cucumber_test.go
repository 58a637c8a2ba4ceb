package report

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func cucumber(t *testing.T, runs ...Summary) []cukeFeature {
	t.Helper()
	var b bytes.Buffer
	if err := WriteCucumberJSON(&b, runs...); err != nil {
		t.Fatal(err)
	}
	var got []cukeFeature
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if !utf8.Valid(b.Bytes()) {
		t.Error("not UTF-8")
	}
	return got
}

func TestCucumberJSONKeepsRulesAndFailures(t *testing.T) {
	got := cucumber(t, sample())
	var lines []string
	for _, f := range got {
		for _, el := range f.Elements {
			line := el.ID + ":"
			for _, st := range el.Steps {
				line += " " + st.Result.Status
			}
			lines = append(lines, line)
		}
	}
	want := []string{
		"gangs;whole-or-gone;a-gang-of-2: passed passed passed passed",
		`gangs;whole-or-gone;it-<breaks>-&-"ends": passed failed skipped`,
		"gangs;whole-or-gone;skips-itself: passed failed",
		"gangs;in-a-group: skipped",
		"other;leaves-something-behind: failed",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("scenarios (-want +got):\n%s", diff)
	}
	gang := got[0].Elements[0]
	wantSteps := []cukeStep{
		{Keyword: "When ", Name: `Slurm resumes "n[1-2]" with "gang.json"`, Line: 11, Result: cukeResult{Status: "passed", Duration: 200_000_000},
			Embeddings: []cukeEmbedding{{Name: "calls.txt", MimeType: "text/plain", Data: []byte("RunInstances")}}},
		{Keyword: "Then ", Name: "the launch asks for:", Line: 12, Result: cukeResult{Status: "passed"},
			Rows: []cukeRow{{Cells: []string{"MinCount", "2"}}, {Cells: []string{"InstanceType", "c6i.xlarge"}}}},
		{Keyword: "And ", Name: "it reads", Line: 15, Result: cukeResult{Status: "passed"},
			DocString: &cukeDocString{Value: `{"n": 1}`, ContentType: "json"}},
	}
	if diff := cmp.Diff(wantSteps, gang.Steps[1:]); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if got[0].Description != "Whole or not at all." || got[0].Tags[0].Name != "@gang" {
		t.Errorf("feature %+v", got[0])
	}
	if problem := got[1].Elements[0].Steps[0].Result.Error; problem != "2 instances left" {
		t.Errorf("a failure that no step owns reads %q", problem)
	}
}

func TestCucumberJSONTellsBackendsApart(t *testing.T) {
	ids := map[string]bool{}
	for _, f := range cucumber(t, sample(), wellOn("embedded")) {
		if ids[f.ID] {
			t.Errorf("two features %s: readers merge them", f.ID)
		}
		ids[f.ID] = true
	}
	if !ids["gangs-(localstack-host)"] || !ids["gangs-(embedded)"] {
		t.Errorf("features %v", ids)
	}
	// A run without a feature is a list all the same.
	if got := cucumber(t, Summary{}); got == nil {
		t.Error("no list")
	}
}

func TestWhatProgramsSayDoesNotBreakCucumberJSON(t *testing.T) {
	for _, text := range unfit {
		got := cucumber(t, hostile(text))
		if name := got[0].Elements[0].Name; name != cleanText(text) {
			t.Errorf("%q reads %q", text, name)
		}
	}
}
