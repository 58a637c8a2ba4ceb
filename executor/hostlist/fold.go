package hostlist

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// host is a name taken apart: "c5n-18xl-007" is "c5n-18xl-" and "007".
type host struct {
	name   string
	prefix string
	digits string // the final number as written; "" where there is none
	n      uint64 // its value
}

// split takes a name apart. A number beyond 64 bits counts as plain text.
func split(name string) host {
	at := len(name)
	for at > 0 && isDigit(name[at-1]) {
		at--
	}
	if at < len(name) {
		if n, err := strconv.ParseUint(name[at:], 10, 64); err == nil {
			return host{name, name[:at], name[at:], n}
		}
	}
	return host{name: name, prefix: name}
}

// compare is the order of `scontrol show hostlistsorted`: prefix, then names
// without a number, then by the number's width and value. Width before value
// keeps 1, 2 and 01, 02 apart, and is the numeric order for all else.
func (h host) compare(o host) int {
	if h.prefix == o.prefix && len(h.digits) == len(o.digits) {
		return cmp.Compare(h.n, o.n)
	}
	return cmp.Or(natural(h.prefix, o.prefix), cmp.Compare(len(h.digits), len(o.digits)), cmp.Compare(h.n, o.n))
}

// natural compares texts as Slurm compares prefixes: runs of digits by value
// (rack9- before rack10-), but digit by digit where either begins with a zero
// (rack02- before rack1-), the rest byte by byte.
func natural(a, b string) int {
	for a != "" && b != "" {
		if !isDigit(a[0]) || !isDigit(b[0]) {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		da, db := a[:leadingDigits(a)], b[:leadingDigits(b)]
		byValue := 0
		if da[0] != '0' && db[0] != '0' {
			byValue = cmp.Compare(len(da), len(db))
		}
		if c := cmp.Or(byValue, strings.Compare(da, db)); c != 0 {
			return c
		}
		a, b = a[len(da):], b[len(db):]
	}
	return cmp.Compare(len(a), len(b))
}

func leadingDigits(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

// Compare orders two names as Slurm sorts hostlists. Slurm pairs the names of
// an update with its addresses in this order.
func Compare(a, b string) int { return split(a).compare(split(b)) }

// Sort sorts names by Compare.
func Sort(names []string) {
	if slices.IsSortedFunc(names, Compare) {
		return // as most lists are that Slurm hands over
	}
	for i, h := range sorted(nil, names) {
		names[i] = h.name
	}
}

// sorted takes every name apart once, not once a comparison, and appends them in
// order to hosts, which has none.
func sorted(hosts []host, names []string) []host {
	hosts = slices.Grow(hosts, len(names))
	inOrder := true
	for i, n := range names {
		hosts = append(hosts, split(n))
		inOrder = inOrder && (i == 0 || hosts[i-1].compare(hosts[i]) <= 0)
	}
	if !inOrder {
		slices.SortFunc(hosts, host.compare)
	}
	return hosts
}

// Unique returns sorted names without their repetitions, in a new slice.
func Unique(sorted []string) []string { return slices.Compact(slices.Clone(sorted)) }

// Fold writes names as one hostlist, sorted and without duplicates:
// "aws-hpc-[001-008],login". Only the final number is folded, and only where
// Expand gives the same names back; no names give "". The text depends on the
// set alone, not on its order. Names come from Expand: others are written as
// they are.
func Fold(names []string) string {
	var few [16]host // most lists are short, and need no memory
	hosts := slices.CompactFunc(sorted(few[:0], names), func(a, b host) bool { return a.name == b.name })
	var b strings.Builder
	if len(hosts) > 0 {
		b.Grow(len(hosts[0].name) + 32)
	}
	for len(hosts) > 0 {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		n := 1
		for n < len(hosts) && hosts[0].digits != "" && hosts[n].prefix == hosts[0].prefix {
			n++
		}
		if n == 1 {
			b.WriteString(hosts[0].name)
		} else {
			b.WriteString(hosts[0].prefix + "[")
			writeRanges(&b, hosts[:n])
			b.WriteByte(']')
		}
		hosts = hosts[n:]
	}
	return b.String()
}

// writeRanges writes the numbers of hosts with one prefix, sorted.
func writeRanges(b *strings.Builder, hosts []host) {
	for i := 0; i < len(hosts); {
		last := i
		for last+1 < len(hosts) && hosts[last+1].follows(hosts[last], len(hosts[i].digits)) {
			last++
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(hosts[i].digits)
		if last > i {
			b.WriteString("-" + hosts[last].digits)
		}
		i = last + 1
	}
}

// follows reports whether h comes right after prev in a range whose low end has
// this width: Expand pads to the width, so what is wider has no leading zero.
// 100 follows 99 in [08-100], 0100 does not.
func (h host) follows(prev host, width int) bool {
	return prev.n+1 == h.n && (len(h.digits) == width || h.digits[0] != '0')
}

// Finder looks for nodes in folded hostlists without expanding them: who has
// thousands of lists and a node to look for reads few of them.
type Finder struct{ hosts []host }

// NewFinder returns a Finder of nodes.
func NewFinder(nodes []string) Finder {
	f := Finder{make([]host, len(nodes))}
	for i, n := range nodes {
		f.hosts[i] = split(n)
	}
	return f
}

// MayBeIn reports whether a list that Fold wrote names one of the nodes. False is
// certain, whatever the list; true may be of a list that Fold does not write, which
// is not looked into.
func (f Finder) MayBeIn(list string) bool {
	in := false
	sure := f.look(list, func(int) { in = true })
	return in || !sure
}

// Find calls found for each node that a list names, by its number among those of the
// Finder and maybe more than once; one that is no hostlist names those before the
// fault at most. It expands those lists alone that Fold does not write.
func (f Finder) Find(list string, found func(node int)) {
	if f.look(list, found) {
		return
	}
	names, err := Expand(list)
	if err != nil {
		return
	}
	for i := range f.hosts {
		if slices.Contains(names, f.hosts[i].name) {
			found(i)
		}
	}
}

// look calls found for each node that is in a list for sure, and reports whether
// there can be no other.
func (f Finder) look(list string, found func(node int)) (sure bool) {
	for list != "" {
		at := 0
		for at < len(list) && inName(list[at]) {
			at++
		}
		if at == len(list) || list[at] == ',' {
			name := list[:at]
			list = list[min(at+1, len(list)):]
			for i := range f.hosts {
				if f.hosts[i].name == name {
					found(i)
				}
			}
			continue
		}
		end := strings.IndexByte(list, ']')
		if list[at] != '[' || end < at || end+1 < len(list) && list[end+1] != ',' || !f.among(list[:at], list[at+1:end], found) {
			return false
		}
		list = list[min(end+2, len(list)):]
	}
	return true
}

// among is look for the numbers in one bracket, behind a prefix.
func (f Finder) among(prefix, numbers string, found func(node int)) (sure bool) {
	if prefix == "" || isDigit(prefix[len(prefix)-1]) {
		return false
	}
	for more := true; more; {
		from, width, ok := leadingNumber(numbers)
		if !ok {
			return false
		}
		low := numbers[:width]
		numbers = numbers[width:]
		to, ranged := from, strings.HasPrefix(numbers, "-")
		if ranged {
			var digits int
			if to, digits, ok = leadingNumber(numbers[1:]); !ok {
				return false
			}
			numbers = numbers[1+digits:]
		}
		if more = numbers != ""; more {
			if numbers[0] != ',' {
				return false
			}
			numbers = numbers[1:]
		}
		for i := range f.hosts {
			h := &f.hosts[i]
			if h.digits == "" || h.n < from || h.n > to || h.prefix != prefix {
				continue
			}
			// A range has the width of its low end, and no zeros beyond it.
			if h.digits == low || ranged && (len(h.digits) == width || len(h.digits) > width && h.digits[0] != '0') {
				found(i)
			}
		}
	}
	return true
}

// leadingNumber reads the digits that a text begins with; false where there is none,
// or more than 64 bits hold for sure.
func leadingNumber(s string) (n uint64, digits int, ok bool) {
	for digits < len(s) && isDigit(s[digits]) {
		n = n*10 + uint64(s[digits]-'0')
		digits++
	}
	return n, digits, 0 < digits && digits < 20
}
