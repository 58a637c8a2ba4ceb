package faults

import (
	"hash/fnv"
	"io"
	"math/rand/v2"
	"strconv"
)

// stream returns the random numbers of one rule. They depend on the seed, on
// what the rule says and on how many rules say the same above it: whatever else
// is in the file, and whatever else is drawn, shifts nothing.
func stream(seed uint64, says string, twin int) *rand.Rand {
	h := fnv.New64a()
	io.WriteString(h, says+"\n"+strconv.Itoa(twin))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}
