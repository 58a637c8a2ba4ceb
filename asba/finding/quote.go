package finding

import (
	"strconv"
	"strings"
)

// Address is a URL as it may be shown, also one that cannot be read: without what
// may be a password or a token.
func Address(s string) string {
	start := 0
	if i := strings.Index(s, "//"); i >= 0 {
		start = i + len("//")
	}
	if at := strings.LastIndexByte(s, '@'); at >= start {
		s = s[:start] + "..." + s[at:]
	}
	if end := strings.IndexAny(s, "?#"); end >= 0 {
		s = s[:end+1] + "..."
	}
	return s
}

// Quote makes any word of a document fit to be shown in a message: short, and
// without characters that a terminal would obey.
func Quote(s string) string {
	const limit = 60
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "..."
	}
	return strconv.Quote(s)
}
