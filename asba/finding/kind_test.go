package finding

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestKindsOfJSONHaveAWord(t *testing.T) {
	for value, want := range map[string]string{
		`"x"`: "a text", "-1.5": "a number", "{}": "an object", "[]": "a list", "null": "null", "true": "true or false", "false": "true or false",
	} {
		if got := Kind(jsontext.Value(value).Kind()); got != want {
			t.Errorf("%s is %q, want %q", value, got, want)
		}
	}
}
