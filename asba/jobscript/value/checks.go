package value

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// OneOf checks for one of some words, in any case.
func OneOf(words ...string) func(string) string {
	return func(s string) string {
		if slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, s) }) {
			return ""
		}
		return "not one of " + strings.Join(slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "" }), ", ")
	}
}

// SomeOf checks a list in which sbatch wants at least one word that it knows.
func SomeOf(words ...string) func(string) string {
	known := OneOf(words...)
	return func(s string) string {
		for w := range strings.SplitSeq(s, ",") {
			if known(w) == "" {
				return ""
			}
		}
		return "not of " + strings.Join(words, ", ")
	}
}

// matching checks a form; what says it in words.
func matching(form *regexp.Regexp, what string) func(string) string {
	return func(s string) string {
		if form.MatchString(s) {
			return ""
		}
		return "not " + what
	}
}

// Checks of the options that are called so.
var (
	UserEnv = matching(regexp.MustCompile(`^([0-9]+[sSlL]?|[sSlL])?$`), "a number of seconds, with S or L behind it")
	// sbatch looks at the first letter alone.
	OpenMode = matching(regexp.MustCompile(`^[aAtT]`), "append or truncate")
	Switches = matching(regexp.MustCompile(`^\s*\+?0*[1-9][0-9]*(@.*)?$`), "a number of switches, with @time behind it")
	GPUBind  = matching(regexp.MustCompile(`^(?i:(verbose,|v,)?(closest|single:.+|per_task:.+|map_gpu:[0-9*,x]+|mask_gpu:[0-9a-fx*,]+)|none)$`), "closest, single:N, per_task:N, map_gpu:LIST, mask_gpu:LIST or none")
	GPUFreq  = matching(regexp.MustCompile(`^(?i:(memory=)?(low|medium|high|highm1|[0-9]+)|verbose)(,(?i:(memory=)?(low|medium|high|highm1|[0-9]+)|verbose))*$`), "low, medium, high, highm1 or MHz, with memory= before it")
	MemBind  = matching(regexp.MustCompile(`^(?i:quiet|q|verbose|v|sort|nosort|prefer|p|none|no|rank|local|(map_mem|mask_mem):.+)(,(?i:quiet|q|verbose|v|sort|nosort|prefer|p|none|no|rank|local|(map_mem|mask_mem):.+|[0-9a-fx]+))*$`), "rank, local, map_mem:LIST, mask_mem:LIST or none")
	// A number alone may be followed by anything.
	AcctgFreq    = matching(regexp.MustCompile(`^$|^(([0-9].*|(?i:task|energy|network|filesystem)=[0-9]+)(,|$))+$`), "seconds, or type=seconds with task, energy, network, filesystem")
	Distribution = matching(regexp.MustCompile(`^(?i:((block|cyclic|arbitrary|plane=0*[1-9][0-9]*|\*)(:(block|cyclic|fcyclic|\*|)){0,2}(,(no)?pack)?|(no)?pack))$`), "block, cyclic, plane=N or arbitrary, with :block, :cyclic or :fcyclic for sockets and cores")
)

// Nice checks an adjustment of the priority; sbatch takes what begins with no
// number for 0.
func Nice(s string) string {
	if n, _, ok := whole(strings.TrimPrefix(s, "-")); ok && n > Max32-2 {
		return fmt.Sprintf("%s +/-%d", TooLarge, Max32-2)
	}
	return ""
}

func Priority(s string) string {
	switch n, _, ok := whole(s); {
	case strings.HasPrefix(s, "-"):
		return "less than 0"
	case ok && n >= 1<<32-2:
		return fmt.Sprintf("%s %d", TooLarge, uint32(1<<32-3))
	}
	return ""
}

var limits = []string{"AS", "CORE", "CPU", "DATA", "FSIZE", "MEMLOCK", "NOFILE", "NPROC", "RSS", "STACK"}

// Propagate checks names of resource limits, which Slurm wants in capitals.
func Propagate(s string) string {
	if s == "" || s == "ALL" || s == "NONE" {
		return ""
	}
	for name := range strings.SplitSeq(s, ",") {
		if !slices.Contains(limits, strings.TrimPrefix(name, "RLIMIT_")) {
			return "not ALL, NONE, or a list of " + strings.Join(limits, ", ")
		}
	}
	return ""
}

// signals are those that sbatch knows by name; it takes every number.
var signals = []string{"HUP", "INT", "QUIT", "ABRT", "KILL", "ALRM", "TERM", "USR1", "USR2", "URG", "CONT", "STOP", "TSTP", "TTIN", "TTOU"}

// Signal checks [[R][B]:]signal[@seconds].
func Signal(s string) string {
	const form = "not [R|B:]signal[@seconds], such as B:USR1@60"
	if flags, rest, ok := strings.Cut(s, ":"); ok {
		if !slices.Contains([]string{"", "R", "B", "RB", "BR"}, strings.ToUpper(flags)) {
			return form
		}
		s = rest
	}
	name, seconds, _ := strings.Cut(s, "@")
	if n, rest, ok := whole(name); ok && rest == "" {
		if n == 0 || n > Max16 {
			return form
		}
	} else if !slices.Contains(signals, strings.TrimPrefix(strings.ToUpper(name), "SIG")) {
		return form
	}
	if seconds != "" {
		n, rest, ok := whole(seconds)
		switch {
		case !ok || rest != "":
			return form
		case n > 65535:
			return fmt.Sprintf("%s 65535 seconds", TooLarge)
		}
	}
	return ""
}

var governors = []string{"CONSERVATIVE", "ONDEMAND", "PERFORMANCE", "POWERSAVE", "SCHEDUTIL", "USERSPACE"}

// CPUFreq checks p1[-p2[:governor]]: frequencies in kHz or by name, or a governor
// alone.
func CPUFreq(s string) string {
	const form = "not a frequency, a range of two with a governor, or a governor"
	names := []string{"LOW", "MEDIUM", "HIGHM1", "HIGH"} // from the lowest
	one := func(s string) (kHz uint64, name int, ok bool) {
		if n, rest, ok := whole(s); ok && rest == "" {
			return n, -1, true
		}
		i := slices.Index(names, strings.ToUpper(s))
		return 0, i, i >= 0
	}
	low, rest, ranged := strings.Cut(s, "-")
	a, i, ok := one(low)
	if !ranged {
		if !ok && !slices.Contains(governors, strings.ToUpper(s)) {
			return form
		}
		return ""
	}
	high, governor, has := strings.Cut(rest, ":")
	b, j, ok2 := one(high)
	switch {
	case !ok || !ok2 || has && !slices.Contains(governors, strings.ToUpper(governor)):
		return form
	case i < 0 && j < 0 && a > b || i >= 0 && j >= 0 && i > j || i >= 0 && j < 0:
		return "a range that ends below its beginning"
	}
	return ""
}

// NodeInfo checks sockets[:cores[:threads]]. Of a range the lower end counts.
func NodeInfo(s string) string {
	for part := range strings.SplitSeq(s, ":") {
		part, _, _ = strings.Cut(part, "-")
		if part == "*" {
			continue
		}
		if wrong := Counted(1, Max16)(part); wrong != "" {
			return wrong
		}
	}
	return ""
}

// Extents are the parts of nodeInfo, 0 for *.
func Extents(s string) (e [3]int) {
	for i, part := range strings.SplitN(s, ":", 4) {
		if i < len(e) {
			e[i] = Number(part)
		}
	}
	return e
}

var (
	clock    = regexp.MustCompile(`^([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$`)
	twelve   = regexp.MustCompile(`^(?i)(0?[0-9]|1[0-2]):[0-5][0-9](:[0-5][0-9])?\s*(am|pm)$`)
	calendar = regexp.MustCompile(`^(0?[1-9]|1[0-2])[/.](0?[1-9]|[12][0-9]|3[01])([/.][0-9]{2,4})?$|^(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])([0-9]{2})?$|^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$`)
	// relative is an offset to now; Slurm's units are whole words.
	relative = regexp.MustCompile(`^now(\s*[+-]\s*[0-9]+\s*(seconds?|minutes?|hours?|days?|weeks?)?)?$`)
	instant  = regexp.MustCompile(`^uts[0-9]+$`)
)

// Moment checks a point of time: now and an offset to it, a time of day, a date,
// or both. Whether it has passed depends on the clock, which is not ours.
func Moment(s string) string {
	const form = "not a time such as now+2hours, 16:00, 2030-01-20T12:34:00 or 01/20/30"
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return form
	case relative.MatchString(s), instant.MatchString(s), twelve.MatchString(s):
		return ""
	}
	if date, at, ok := strings.Cut(s, "T"); ok && calendar.MatchString(date) && strings.Contains(date, "-") {
		if at == "" || clock.MatchString(at) {
			return ""
		}
		return form
	}
	for _, w := range strings.Fields(s) {
		switch w {
		case "today", "tomorrow", "midnight", "noon", "fika", "teatime":
			continue
		}
		if !clock.MatchString(w) && !calendar.MatchString(w) {
			return form
		}
	}
	return ""
}

// HintWords are the values of --hint.
var HintWords = OneOf("compute_bound", "memory_bound", "multithread", "nomultithread")

// Features checks the form of a constraint: names joined by & (or a comma) and |,
// counts behind *, parentheses within brackets or none. The names are the site's.
func Features(s string) string {
	const form = "not a list of features joined by & or |"
	depth, bracket := 0, false
	begin := true // an operand has to begin
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '(', '[':
			if !begin || c == '(' && depth > 0 || c == '[' && (bracket || depth > 0) {
				return form
			}
			depth, bracket = depth+b2i(c == '('), bracket || c == '['
		case ')', ']':
			if begin || c == ')' && depth == 0 || c == ']' && (!bracket || depth > 0) {
				return form
			}
			depth, bracket = depth-b2i(c == ')'), bracket && c != ']'
		case '&', '|', ',':
			if begin {
				return form
			}
			begin = true
			continue
		case '*':
			n, rest, ok := whole(s[i+1:])
			if begin || !ok || n == 0 {
				return "without a count of at least 1 behind *"
			}
			i = len(s) - len(rest) - 1
		case ' ', '\t', '!', '"', '\'':
			return form
		default:
			begin = false
		}
	}
	if depth > 0 || bracket {
		return "without the end of a bracket"
	}
	return ""
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Dependency is a list of conditions, all (",") or any ("?") of which are waited
// for.
var Dependency = func() func(string) string {
	const one = `(singleton|(after|afterany|afterok|afternotok|aftercorr|afterburstbuffer)(:[1-9][0-9]*(_[0-9]*|_\*)?(\+[0-9]+)?)+|[1-9][0-9]*)`
	return matching(regexp.MustCompile(`^(?i:`+one+`([,?]`+one+`)*)$`), "a list such as afterok:123:124,singleton")
}()

// Licenses is a list of name[:count].
var Licenses = matching(regexp.MustCompile(`^[,;]*([^\s,;:=|@]+(:[0-9]*)?([,;]+|$))*$`), "a list of name[:count]")
