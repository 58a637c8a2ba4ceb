package plan

import "testing"

func TestEveryMeaningIsOfAKey(t *testing.T) {
	paths := map[string]bool{}
	var walk func(keys []Key)
	walk = func(keys []Key) {
		for _, k := range keys {
			paths[k.Path] = true
			walk(k.Keys)
		}
	}
	walk(Keys())
	for path := range meanings {
		if !paths[path] {
			t.Errorf("%s is no key", path)
		}
	}
}
