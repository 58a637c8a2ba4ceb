package finding

import "github.com/go-json-experiment/json/jsontext"

// Kind is what a value of JSON is, for people: "a text".
func Kind(k jsontext.Kind) string {
	switch k {
	case '"':
		return "a text"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 'n':
		return "null"
	}
	return "true or false"
}
