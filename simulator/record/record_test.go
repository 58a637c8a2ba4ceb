package record

import "testing"

func TestEachKindHasANameOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for k := range kinds {
		if name := k.String(); name == "" || seen[name] {
			t.Errorf("kind %d is called %q", k, name)
		} else {
			seen[name] = true
		}
	}
	if got := Gang.String(); got != "gang" {
		t.Errorf("Gang is called %q: names and kinds are not in the same order", got)
	}
}
