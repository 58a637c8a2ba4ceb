// Package examples is the examples as data, for whoever shows or tries them
// where this folder is not at hand. It is data alone.
package examples

import "embed"

// Files are all of them, by their paths in this folder.
//
//go:embed config.yaml aws-credentials asba-execution-plan.json faults seed scenarios
var Files embed.FS
