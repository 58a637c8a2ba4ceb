package finding

import (
	"strconv"
	"strings"
)

// Quote makes any word of a document fit to be shown in a message: short, and
// without characters that a terminal would obey.
func Quote(s string) string {
	const limit = 60
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "..."
	}
	return strconv.Quote(s)
}
