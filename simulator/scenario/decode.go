package scenario

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/finding/read"
)

// The ids of findings. They are stable: docs/SIMULATOR.md has a row for each.
const (
	idSyntax   = "SCN001" // not readable at all
	idKey      = "SCN002" // unknown key
	idTwice    = "SCN003" // a key given twice
	idType     = "SCN004" // another kind of value is wanted
	idValue    = "SCN005" // out of range or ill-formed
	idWord     = "SCN006" // none of the words
	idMissing  = "SCN007" // a needed key is not there
	idConflict = "SCN008" // two settings exclude each other
	idUnwise   = "SCN009" // legal, but probably not meant (warning)
	idFile     = "SCN010" // a file that is named cannot be read
)

// format bounds files far above real ones.
var format = read.Format{
	IDs:       read.IDs{Syntax: idSyntax, Key: idKey, Twice: idTwice, Type: idType, Value: idValue, Word: idWord, TooMuch: idSyntax},
	MaxBytes:  1 << 20,
	MaxValues: 10_000,
	Empty:     "give it a workload and a cluster",
}

const longest = 100 * 365 * 24 * time.Hour

func seed(to *uint64) read.Reader {
	return func(v read.Value) {
		s, _, ok := v.Number("a whole number")
		if !ok {
			return
		}
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			v.Fail(idValue, "write a whole number", "%s is no seed", read.Show(s))
			return
		}
		*to = n
	}
}

// number reads one above low, and up to high.
func number(to *float64, low, high float64) read.Reader {
	return float(to, func(n float64) bool { return n > low && n <= high }, fmt.Sprintf("write a number above %g, up to %g", low, high), "a number in range")
}

// share reads a number from 0 to 1.
func share(to *float64) read.Reader {
	return float(to, func(n float64) bool { return n >= 0 && n <= 1 }, "0.1 is one in ten", "a number from 0 to 1")
}

// float reads a number that fits; NaN never does.
func float(to *float64, fits func(n float64) bool, instead, what string) read.Reader {
	return func(v read.Value) {
		s, _, ok := v.Number("a number")
		if !ok {
			return
		}
		n, err := strconv.ParseFloat(s, 64)
		if err != nil || !fits(n) {
			v.Fail(idValue, instead, "%s is not %s", read.Show(s), what)
			return
		}
		*to = n
	}
}

// duration reads seconds, a text such as 90s or 12h, or days such as 30d.
func duration(to *time.Duration, low, high time.Duration) read.Reader {
	return func(v read.Value) {
		s, _, ok := v.Number("a duration")
		if !ok {
			return
		}
		n, err := ParseDuration(s)
		if err != nil || n < low || n > high {
			v.Fail(idValue, "write seconds, or a duration such as 90s, 12h or 30d", "%s is not a duration in range", read.Show(s))
			return
		}
		*to = n
	}
}

// ParseDuration reads seconds, days such as 30d, or what time.ParseDuration does.
func ParseDuration(s string) (time.Duration, error) {
	unit := time.Second
	digits := s
	if days, ok := strings.CutSuffix(s, "d"); ok {
		unit, digits = 24*time.Hour, days
	}
	if n, err := strconv.ParseFloat(digits, 64); err == nil {
		if d := n * float64(unit); math.Abs(d) <= float64(longest) {
			return time.Duration(d), nil
		}
		return 0, fmt.Errorf("%s is too long", finding.Quote(s))
	}
	return time.ParseDuration(s)
}
