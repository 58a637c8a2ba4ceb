package site

import (
	"fmt"
	"strconv"
	"strings"
)

// Expand reads a hostlist: names, at most one bracket each, joined by commas.
// It is the judge's own reading, kept apart from the programs'.
func Expand(list string) ([]string, error) {
	var names []string
	for list != "" {
		end, depth := len(list), 0
	scan:
		for i, c := range list {
			switch {
			case c == '[':
				depth++
			case c == ']':
				depth--
			case c == ',' && depth == 0:
				end = i
				break scan
			}
		}
		some, err := expandOne(list[:end])
		if err != nil {
			return nil, err
		}
		names = append(names, some...)
		list = strings.TrimPrefix(list[end:], ",")
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no node in the hostlist")
	}
	return names, nil
}

func expandOne(term string) ([]string, error) {
	prefix, rest, ranged := strings.Cut(term, "[")
	if !ranged {
		return []string{term}, nil
	}
	inside, suffix, closed := strings.Cut(rest, "]")
	if !closed {
		return nil, fmt.Errorf("%q has no closing bracket", term)
	}
	var names []string
	for part := range strings.SplitSeq(inside, ",") {
		low, high, span := strings.Cut(part, "-")
		if !span {
			high = low
		}
		from, err := strconv.Atoi(low)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", term, err)
		}
		to, err := strconv.Atoi(high)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", term, err)
		}
		for n := from; n <= to; n++ {
			names = append(names, fmt.Sprintf("%s%0*d%s", prefix, len(low), n, suffix))
		}
	}
	return names, nil
}
