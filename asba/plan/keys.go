package plan

import "cmp"

// Kind is what the value of a key is. Null leaves any of them open.
type Kind int

// Kinds of values.
const (
	KindAny      Kind = iota // any value: the key is known, and decides nothing
	KindObject               // an object of keys
	KindBoolean              // true or false
	KindText                 // a string; a number too, as it is written
	KindCount                // a whole number
	KindUSD                  // a number of USD
	KindHours                // a number of hours, or a string such as "2h30m"
	KindDuration             // a string such as "2h30m", or a whole number of nanoseconds
	KindTime                 // a string such as "2026-01-02T15:04:05Z"; without a zone it is UTC
	KindList                 // an array of strings that are not empty
	KindTags                 // an object of strings, or numbers
)

// Max returns the greatest number that a value of this kind can be, in its own
// unit; 0 where it is no number. The least is always 0.
func (k Kind) Max() float64 {
	switch k {
	case KindCount:
		return maxCount
	case KindUSD:
		return maxUSD
	case KindHours:
		return maxHours
	case KindDuration:
		return maxHours * 3600e9
	}
	return 0
}

// Key is a key of a plan.
type Key struct {
	Name string
	Path string // from the plan: instance_specification/max_spot_price
	Kind Kind
	// Dialect is DialectA or DialectB, where the other does not have the key.
	Dialect string
	// First is, of a second place for something, the path of the first: what
	// both say has to be the same, and what only one says holds.
	First string
	Keys  []Key // of an object
	Meaning
}

// Keys returns every key of both dialects as a tree, in the order in which a
// plan is written.
func Keys() []Key { return keysOf(root, "", "") }

// keysOf: what is in an object belongs to its dialect.
func keysOf(object field, path, dialect string) []Key {
	var out []Key
	for _, f := range object.fields {
		k := Key{Name: f.name, Path: path + f.name, Kind: f.kind, Dialect: cmp.Or(f.in, dialect), First: f.first, Meaning: meanings[path+f.name]}
		if f.fields != nil {
			k.Kind = KindObject
			k.Keys = keysOf(f, k.Path+"/", k.Dialect)
		}
		out = append(out, k)
	}
	return out
}
