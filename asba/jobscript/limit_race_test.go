//go:build race

package jobscript

import "time"

// limit is what a hostile script may take, with the race detector in it.
const limit = 15 * time.Second
