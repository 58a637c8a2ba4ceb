package plan

import (
	"bytes"
	_ "embed"
)

// asba/plan/schema makes the file from Keys.
//
//go:embed plan.schema.json
var schema []byte

// Schema returns the JSON Schema (draft 2020-12) of a plan in either dialect.
// It refuses what Read finds an error in a value, and unknown keys, which Read
// warns of; it knows nothing of what a plan as a whole gets wrong.
func Schema() []byte { return bytes.Clone(schema) }
