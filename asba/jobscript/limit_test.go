//go:build !race

package jobscript

import "time"

// limit is what a hostile script may take.
const limit = 3 * time.Second
