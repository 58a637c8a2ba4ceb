// Package features holds the scenarios: what the programs promise, in the words
// of the field, told to the shipped binaries and to EC2 itself. The same text
// runs on every backend; what one cannot express is left out by a tag that says
// why.
package features

import (
	"embed"
	"os"
	"strings"

	"aws-slurm-burst/features/advisor"
)

// Files are the feature files.
//
//go:embed *.feature
var Files embed.FS

// Backends are the names that a tag @not-NAME:REASON may use.
var Backends = []string{"embedded", "endpoint", "localstack"}

// NeedsRoot marks scenarios that only root can prepare: they give a file away.
// NeedsAddress marks those in which something answers from beyond loopback: at
// another address of this machine.
const (
	NeedsRoot    = "@needs-root"
	NeedsAddress = "@needs-address"
)

// Needs are all such tags.
var Needs = []string{NeedsRoot, NeedsAddress}

// Tags selects the scenarios that this process can run; empty for all.
func Tags() string {
	var without []string
	if os.Geteuid() != 0 {
		without = append(without, "~"+NeedsRoot)
	}
	if advisor.Address() == "" {
		without = append(without, "~"+NeedsAddress)
	}
	return strings.Join(without, "&&")
}
