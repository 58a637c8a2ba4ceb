package advisor

import (
	"fmt"
	"strconv"
	"strings"

	"aws-slurm-burst/asba/advise"
)

// units of memory, in MiB. GB and GiB are one thing here, as they are to Slurm
// and to amazon-ec2-instance-selector.
var units = map[string]float64{
	"m": 1, "mb": 1, "mib": 1, "g": 1 << 10, "gb": 1 << 10, "gib": 1 << 10, "t": 1 << 20, "tb": 1 << 20, "tib": 1 << 20,
}

// number splits a text into its number and the letters behind it.
func number(text string) (v float64, unit string, err error) {
	text = strings.TrimSpace(text)
	i := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if i < 0 {
		i = len(text)
	}
	v, err = strconv.ParseFloat(text[:i], 64)
	return v, strings.ToLower(strings.TrimSpace(text[i:])), err
}

// amount reads one number of some unit; outer is the unit where it has none.
func amount(text, outer string, memory bool) (float64, error) {
	v, unit, err := number(text)
	if unit == "" {
		unit = outer
	}
	scale := 1.0
	if memory {
		if unit == "" {
			unit = "gib"
		}
		scale = units[unit]
	}
	if err != nil || scale == 0 || !memory && unit != "" || v*scale > 1e9 {
		return 0, fmt.Errorf("%q", text)
	}
	return v * scale, nil
}

// parseRange reads a number (8, 64GB), or a range (4-8, 4-8GiB, 4GiB-, -8), whose
// ends have the unit of the last where they have none. one is a number alone.
func parseRange(text string, memory bool) (r advise.Range, one bool, err error) {
	form := "write 8, 4-8, 4- or -8"
	if memory {
		form = "write 64GB, 4-8GiB, 4GiB- or -8GiB"
	}
	bad := func() (advise.Range, bool, error) {
		return advise.Range{}, false, fmt.Errorf("%q is no number and no range (%s)", text, form)
	}
	least, most, ranged := strings.Cut(text, "-")
	if !ranged {
		v, err := amount(text, "", memory)
		if err != nil || v == 0 {
			return bad()
		}
		return advise.Range{Least: v, Most: v}, true, nil
	}
	if least, most = strings.TrimSpace(least), strings.TrimSpace(most); least == "" && most == "" {
		return bad()
	}
	outer := ""
	if most != "" {
		if _, outer, err = number(most); err != nil {
			return bad()
		}
		if r.Most, err = amount(most, "", memory); err != nil || r.Most == 0 {
			return bad()
		}
	}
	if least != "" {
		if r.Least, err = amount(least, outer, memory); err != nil {
			return bad()
		}
	}
	if r.Most > 0 && r.Least > r.Most {
		return bad()
	}
	return r, false, nil
}
