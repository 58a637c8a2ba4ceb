package finding

import "testing"

func TestStringNamesPlaceLevelAndWayOut(t *testing.T) {
	f := Finding{ID: "PLAN003", Level: Error, File: "plan.json", Line: 12, Column: 21, Pointer: "/a/0", Message: "no such type", Suggestion: "did you mean c6i.large?"}
	if got, want := f.String(), "plan.json:12:21: error[PLAN003] /a/0: no such type (did you mean c6i.large?)"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := (Finding{Level: Warning, Message: "odd"}).String(), "warning: odd"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNearest(t *testing.T) {
	keys := []string{"region", "profile", "endpoint_url"}
	for word, want := range map[string]string{
		"regoin":        "region", // neighbours swapped
		"endpoint_ur":   "endpoint_url",
		"endpoint-url":  "endpoint_url",
		"something_new": "",
		"":              "",
	} {
		if got := Nearest(word, keys); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestSortIsByPlace(t *testing.T) {
	fs := []Finding{{File: "b"}, {File: "a", Line: 2}, {File: "a", Line: 1, Column: 9}, {File: "a", Line: 1, Column: 2}}
	Sort(fs)
	if fs[0].Column != 2 || fs[1].Column != 9 || fs[2].Line != 2 || fs[3].File != "b" {
		t.Errorf("order: %+v", fs)
	}
	if Count([]Finding{{Level: Error}, {Level: Warning}, {}}, Warning) != 2 {
		t.Error("Count")
	}
}
