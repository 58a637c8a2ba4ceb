// Package features holds the scenarios: what the programs promise, in the words
// of the field, told to the shipped binaries and to EC2 itself. The same text
// runs on every backend; what one cannot express is left out by a tag that says
// why.
package features

import (
	"embed"
	"os"
)

// Files are the feature files.
//
//go:embed *.feature
var Files embed.FS

// Backends are the names that a tag @not-NAME:REASON may use.
var Backends = []string{"embedded", "endpoint", "localstack"}

// NeedsRoot marks scenarios that only root can prepare: they give a file away.
const NeedsRoot = "@needs-root"

// Needs are all such tags.
var Needs = []string{NeedsRoot}

// Tags selects the scenarios that this process can run; empty for all.
func Tags() string {
	if os.Geteuid() != 0 {
		return "~" + NeedsRoot
	}
	return ""
}
