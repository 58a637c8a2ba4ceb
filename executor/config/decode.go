package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"aws-slurm-burst/asba/finding/read"
)

// The ids of findings. They are stable: scripts suppress and people look up by
// them.
const (
	idSyntax   = "CFG001" // not readable at all
	idKey      = "CFG002" // unknown key
	idTwice    = "CFG003" // a key given twice
	idType     = "CFG004" // another kind of value is wanted
	idValue    = "CFG005" // out of range or ill-formed
	idWord     = "CFG006" // none of the words
	idHostlist = "CFG007" // a hostlist that does not parse
	idOwner    = "CFG008" // two node groups own one name
	idMissing  = "CFG009" // a needed key is not there
	idConflict = "CFG010" // two settings exclude each other
	idTooMuch  = "CFG011" // more values than any real file has
	idNotUsed  = "CFG012" // accepted, not acted on (info)
	idUnwise   = "CFG013" // legal, but probably not meant (warning)
)

// format bounds files far above real ones: ten thousand node groups fit.
var format = read.Format{
	IDs:       read.IDs{Syntax: idSyntax, Key: idKey, Twice: idTwice, Type: idType, Value: idValue, Word: idWord, TooMuch: idTooMuch, Ignored: idNotUsed},
	MaxBytes:  1 << 20,
	MaxValues: 100_000,
	Empty:     "give it at least slurm.partitions with a node group",
	Ignored:   ignored,
}

// secret reads text that no message may show.
func secret(to *Secret) read.Reader {
	return func(v read.Value) {
		s, ok := v.Lines()
		switch {
		case !ok:
		case strings.TrimSpace(s) == "" || !read.OneLine(s):
			v.Fail(idValue, "write it on one line", "the secret is empty or has a line break")
		default:
			*to = Secret(s)
		}
	}
}

// money reads an amount in USD. Prices in quotes are taken too: AWS's own
// request formats have them so.
func money(to *float64) read.Reader {
	const most = 1e6 // USD an hour; what is above is a slip
	const what = "an amount in USD"
	return func(v read.Value) {
		s, quoted, ok := v.Number(what)
		if !ok {
			return
		}
		n, err := strconv.ParseFloat(s, 64)
		switch {
		case err != nil && quoted:
			v.Wants(what)
		case err != nil || !(n >= 0 && n <= most): // NaN is neither
			v.Fail(idValue, fmt.Sprintf("write an amount in USD from 0 to %.0f, such as 0.25; 0 is no cap", most), "%s is out of range", read.Show(s))
		default:
			*to = n
		}
	}
}

// duration reads whole seconds, or a text such as 90s or 5m.
func duration(to *time.Duration, low, high time.Duration) read.Reader {
	return func(v read.Value) {
		s, quoted, ok := v.Number("a number of seconds")
		if !ok {
			return
		}
		var n time.Duration
		var err error
		if quoted {
			n, err = time.ParseDuration(s)
		} else {
			var seconds int64
			if seconds, err = strconv.ParseInt(s, 10, 32); err == nil { // 32 bits of seconds fit a Duration
				n = time.Duration(seconds) * time.Second
			}
		}
		if err != nil || n < low || n > high {
			v.Fail(idValue, fmt.Sprintf("write whole seconds, or a duration such as 90s or 5m, from %s to %s", low, high), "%s is not a duration in range", read.Show(s))
			return
		}
		*to = n
	}
}

// matches makes a check of a pattern and a length in characters, 0 for any.
// The length is no part of the pattern: a counted repeat compiles to a program
// of that size, at the start of every process.
func matches(re *regexp.Regexp, most int, wrong, instead string) read.Check {
	return func(s string) (string, string) {
		if re.MatchString(s) && (most == 0 || utf8.RuneCountInString(s) <= most) {
			return "", ""
		}
		return wrong, instead
	}
}
