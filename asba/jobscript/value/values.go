// Package value reads the values that sbatch's options have, as the sbatch and the
// slurmctld of Slurm 22.05 read them: counts and ranges of nodes, sizes of memory,
// times, lists of GPUs and of other resources, arrays, features, moments.
//
// A check says in a few words what is wrong with a value, "" where nothing is. It
// knows neither the options that have the values nor the script they stand in.
package value

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// What Slurm's numbers hold. The two highest values of 16 bits mean "none" and
// "infinite" there.
const (
	Max16 = math.MaxUint16 - 2
	Max32 = math.MaxInt32
	// maxMiB is more memory than all machines have; it keeps sums from running
	// over.
	maxMiB = 1 << 42
	// maxMinutes is the longest time, 20000 days; of much longer ones slurmctld
	// loses bits.
	maxMinutes = 20000 * 24 * 60
)

// TooLarge begins what is said of a value that is well formed and cannot be held.
const TooLarge = "more than"

// whole reads digits with blanks and a plus before them, as strtol does. It
// saturates, and returns what follows them.
func whole(s string) (n uint64, rest string, ok bool) {
	s = strings.TrimLeft(s, " \t\n\v\f\r")
	s = strings.TrimPrefix(s, "+")
	end := 0
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	if end == 0 {
		return 0, "", false
	}
	n, err := strconv.ParseUint(s[:end], 10, 64)
	if err != nil {
		n = math.MaxUint64
	}
	return n, s[end:], true
}

// Counted checks a number from least to most.
func Counted(least, most uint64) func(string) string {
	return func(s string) string {
		n, rest, ok := whole(s)
		switch {
		case !ok || rest != "":
			return "not a whole number"
		case n < least:
			return fmt.Sprintf("less than %d", least)
		case n > most:
			return fmt.Sprintf("%s %d, which is what Slurm can hold", TooLarge, most)
		}
		return ""
	}
}

// Number is a value that counted has checked, 0 for none.
func Number(s string) int {
	n, _, _ := whole(s)
	return int(min(n, Max32))
}

// Nodes reads a number of nodes or a range of it; a k stands for 1024, an m for
// 1024 of these.
func Nodes(s string) (low, high int, wrong string) {
	const form = "not a number of nodes, nor a range such as 2-4"
	one := func(s string) (int, string) {
		n, rest, ok := whole(s)
		unit := uint64(1)
		switch rest = strings.TrimRight(rest, " \t\v\f\r"); {
		case !ok:
			return 0, form
		case strings.EqualFold(rest, "k"):
			unit = 1 << 10
		case strings.EqualFold(rest, "m"):
			unit = 1 << 20
		case rest != "":
			return 0, form
		}
		if n > Max32/unit {
			return 0, fmt.Sprintf("%s %d, which is what Slurm can hold", TooLarge, Max32)
		}
		return int(n * unit), ""
	}
	a, b, ranged := strings.Cut(s, "-")
	if !ranged {
		low, wrong = one(a)
		return low, low, wrong
	}
	if low = 1; a != "" { // "-3" is at most 3
		if low, wrong = one(a); wrong != "" {
			return 0, 0, wrong
		}
	}
	if high, wrong = one(b); wrong != "" {
		return 0, 0, wrong
	}
	if high < low {
		return 0, 0, "a range that ends before it begins"
	}
	return low, high, ""
}

func NodeCount(s string) string { _, _, wrong := Nodes(s); return wrong }

// Memory is how much memory a job asks for, and for what. At most one field is
// set.
type Memory struct {
	// PerNode, PerCPU and PerGPU are MiB.
	PerNode, PerCPU, PerGPU int64
	// WholeNode is --mem=0, all that a node has, or a 0 a CPU or GPU, which
	// leaves it to the partition.
	WholeNode, Default bool
}

// Size reads an amount of memory or disk in MiB, rounded up.
func Size(s string) (mib int64, wrong string) {
	const form = "not an amount such as 4G (units K, M, G, T; M without one)"
	n, rest, ok := whole(s)
	if !ok {
		return 0, form
	}
	unit := strings.ToUpper(rest)
	if len(unit) == 2 && unit[1] == 'B' {
		unit = unit[:1]
	}
	per := uint64(1)
	switch unit {
	case "K":
		n = n/1024 + min(n%1024, 1)
	case "", "M":
	case "G":
		per = 1 << 10
	case "T":
		per = 1 << 20
	default:
		return 0, form
	}
	if n > maxMiB/per {
		return 0, fmt.Sprintf("%s %d TiB", TooLarge, maxMiB>>20)
	}
	return int64(n * per), ""
}

func Sized(s string) string { _, wrong := Size(s); return wrong }

// Time is a time limit. The zero Time is none told: the partition decides.
type Time struct {
	Minutes int // rounded up, as Slurm does
	// Unlimited is what INFINITE, UNLIMITED, -1 and 0 ask for: as long as the
	// partition allows.
	Unlimited bool
}

// Told reports whether there is a limit, or the wish for none.
func (t Time) Told() bool { return t != Time{} }

// Span reads a time: minutes, minutes:seconds, hours:minutes:seconds,
// days-hours, days-hours:minutes, days-hours:minutes:seconds.
func Span(s string) (Time, string) {
	const form = "not a time: minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes or days-hours:minutes:seconds"
	if s == "-1" || strings.EqualFold(s, "INFINITE") || strings.EqualFold(s, "UNLIMITED") {
		return Time{Unlimited: true}, ""
	}
	days, clock, hasDays := strings.Cut(s, "-")
	if !hasDays {
		days, clock = "0", s
	}
	if hasDays && clock == "" { // "2-" is two days
		clock = "0"
	}
	var part [4]uint64 // days, hours, minutes, seconds
	fields := strings.Split(clock, ":")
	if len(fields) > 3 {
		return Time{}, form
	}
	at := 1 // where the first field goes
	if !hasDays && len(fields) < 3 {
		at = 2
	}
	for i, f := range append([]string{days}, fields...) {
		if f == "" || strings.Trim(f, "0123456789") != "" {
			return Time{}, form
		}
		n, err := strconv.ParseUint(f, 10, 32)
		if err != nil {
			return Time{}, fmt.Sprintf("%s %d minutes", TooLarge, maxMinutes)
		}
		if i == 0 {
			part[0] = n
		} else {
			part[at+i-1] = n
		}
	}
	minutes := ((part[0]*24+part[1])*60+part[2])*60 + part[3] // seconds so far
	if minutes = (minutes + 59) / 60; minutes > maxMinutes {
		return Time{}, fmt.Sprintf("%s %d minutes", TooLarge, maxMinutes)
	}
	return Time{Minutes: int(minutes), Unlimited: minutes == 0}, ""
}

func Duration(s string) string { _, wrong := Span(s); return wrong }

// GPU is a number of GPUs of a type, "" for any.
type GPU struct {
	Type  string
	Count int
}

// Gres is a number of another generic resource.
type Gres struct {
	Name, Type string
	Count      int64
}

func Count(gpus []GPU) (n int) {
	for _, g := range gpus {
		n += g.Count
	}
	return n
}

// quantity reads the number of a generic resource, with a unit of 1024s.
func quantity(s string) (n int64, ok bool) {
	u, rest, ok := whole(s)
	if !ok {
		return 0, false
	}
	shift := 0
	if rest != "" {
		i := strings.Index("kmgtp", strings.ToLower(rest))
		if i < 0 || len(rest) != 1 {
			return 0, false
		}
		shift = 10 * (i + 1)
	}
	if u > math.MaxInt32 || int64(u) > math.MaxInt64>>shift {
		return 0, false
	}
	return int64(u) << shift, true
}

// typed reads [type:]number, or a type alone for one of it.
func typed(s string) (kind string, n int64, ok bool) {
	kind, num, has := strings.Cut(s, ":")
	if has {
		n, ok = quantity(num)
		return kind, n, ok && kind != "" && !startsWithDigit(kind)
	}
	if startsWithDigit(strings.TrimLeft(s, " +")) {
		n, ok = quantity(s)
		return "", n, ok
	}
	return s, 1, s != "" && s[0] != '-'
}

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// GPUList reads what the --gpus options take. Of two entries of one type the
// later wins, as in slurmctld.
func GPUList(s string) (list []GPU, wrong string) {
	for entry := range strings.SplitSeq(s, ",") {
		if entry == "" {
			continue
		}
		kind, n, ok := typed(entry)
		if !ok {
			return nil, "not [type:]number, such as 4 or a100:4"
		}
		if list, ok = AddGPU(list, kind, n); !ok {
			return nil, fmt.Sprintf("%s %d GPUs", TooLarge, Max16)
		}
	}
	return list, ""
}

func AddGPU(list []GPU, kind string, n int64) ([]GPU, bool) {
	if n > Max16 {
		return nil, false
	}
	for i := range list {
		if list[i].Type == kind {
			if n > 0 { // a later 0 takes nothing back
				list[i].Count = int(n)
			}
			return list, true
		}
	}
	return append(list, GPU{kind, int(n)}), true
}

// GresList reads --gres.
func GresList(s string) (gpus []GPU, others []Gres, wrong string) {
	const form = "not a list of name[:type][:number], such as gpu:a100:4"
	if strings.EqualFold(s, "none") {
		return nil, nil, ""
	}
	for entry := range strings.SplitSeq(s, ",") {
		name, rest, has := strings.Cut(strings.TrimPrefix(entry, "gres:"), ":")
		if name == "" || strings.ContainsAny(name, " =/") || startsWithDigit(name) {
			return nil, nil, form
		}
		kind, n, ok := "", int64(1), true
		if has {
			kind, n, ok = typed(rest)
		}
		if !ok {
			return nil, nil, form
		}
		if name != "gpu" {
			others = append(others, Gres{name, kind, n})
		} else if gpus, ok = AddGPU(gpus, kind, n); !ok {
			return nil, nil, fmt.Sprintf("%s %d GPUs", TooLarge, Max16)
		}
	}
	return gpus, others, ""
}

// Array is which tasks a job array has.
type Array struct {
	Expression string // as written
	Tasks      int    // how many
	Throttle   int    // how many may run at once; 0 for all
}

// maxTask is the highest index that any slurmctld can be set to take; without a
// MaxArraySize it takes 1000.
const maxTask = 4_000_000

// ArrayOf reads --array: indexes and ranges, a step behind a colon, the throttle
// behind a percent sign.
func ArrayOf(s string) (*Array, string) {
	const form = "not a list of indexes and ranges, such as 1-10:2,20%4"
	a := &Array{Expression: s}
	var throttles []string
	var list [][3]uint64
	// A % is taken anywhere, with what follows it up to the next comma; the
	// first counts.
	for entry := range strings.SplitSeq(s, ",") {
		entry, throttle, has := strings.Cut(entry, "%")
		if has {
			throttles = append(throttles, throttle)
		}
		if entry = strings.Trim(entry, "[]"); entry == "" {
			if has {
				list = append(list, [3]uint64{0, 0, 1}) // "%4" is task 0
			}
			continue
		}
		first, rest, ok := whole(entry)
		last, step := first, uint64(1)
		if ok && strings.HasPrefix(rest, "-") {
			if last, rest, ok = whole(rest[1:]); ok && strings.HasPrefix(rest, ":") {
				step, rest, ok = whole(rest[1:])
			}
		}
		switch {
		case !ok || rest != "":
			return nil, form
		case last < first:
			return nil, "a range that ends before it begins"
		case step == 0:
			return nil, "a step of 0"
		case last > maxTask:
			return nil, fmt.Sprintf("%s %d, the highest index of any Slurm", TooLarge, maxTask)
		}
		list = append(list, [3]uint64{first, last, step})
	}
	if len(list) == 0 {
		return nil, form
	}
	if len(throttles) > 0 {
		n, _, _ := whole(throttles[0])
		a.Throttle = int(min(n, maxTask))
	}
	a.Tasks = distinct(list)
	return a, ""
}

// distinct counts the indexes of ranges, each once.
func distinct(list [][3]uint64) int {
	slices.SortFunc(list, func(a, b [3]uint64) int { return slices.Compare(a[:], b[:]) })
	list = slices.Compact(list)
	n, steps := 0, false
	top := int64(-1)
	for _, r := range list {
		steps = steps || r[2] != 1 && r[1] > r[0]
		if int64(r[1]) > top {
			n += int(int64(r[1]) - max(top, int64(r[0])-1))
			top = int64(r[1])
		}
	}
	if !steps {
		return n
	}
	if len(list) == 1 {
		return int((list[0][1]-list[0][0])/list[0][2]) + 1
	}
	// With steps they can mix in any way. A mark each; at most as many as there
	// are indexes, however many ranges there are: a range within one that has
	// been marked with the same step is not marked again.
	marks := make([]uint64, maxTask/64+1)
	n = 0
	type lane struct{ step, rest uint64 }
	marked := map[lane]uint64{} // the index up to which a lane is marked
	for _, r := range list {
		l := lane{r[2], r[0] % r[2]}
		from := r[0]
		if upTo, ok := marked[l]; ok && upTo >= from {
			from = upTo + r[2]
		}
		for i := from; i <= r[1]; i += r[2] {
			if bit := uint64(1) << (i % 64); marks[i/64]&bit == 0 {
				marks[i/64] |= bit
				n++
			}
		}
		if from <= r[1] {
			marked[l] = r[1] - (r[1]-from)%r[2]
		}
	}
	return n
}
