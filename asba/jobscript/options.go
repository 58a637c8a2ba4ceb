package jobscript

import (
	"fmt"
	"slices"
	"strings"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/jobscript/value"
)

// argument says whether an option has a value.
type argument int8

const (
	none argument = iota
	needed
	optional // only behind "=", or behind the letter itself
)

// option is one of sbatch's.
type option struct {
	name   string
	letter byte
	arg    argument
	// check judges every value, also one that a later one replaces, as sbatch
	// does while it reads; nil takes all. It says what is wrong, or "".
	check func(string) string
	// as is the name that counts, where this one is an alias.
	as string
}

// options are all of sbatch 22.05's, with those that its help leaves out.
var options = []option{
	{name: "account", letter: 'A', arg: needed},
	{name: "acctg-freq", arg: needed, check: value.AcctgFreq},
	{name: "array", letter: 'a', arg: needed},
	{name: "batch", arg: needed},
	{name: "bb", arg: needed},
	{name: "bbf", arg: needed},
	{name: "begin", letter: 'b', arg: needed, check: value.Moment},
	{name: "chdir", letter: 'D', arg: needed},
	{name: "cluster", arg: needed, as: "clusters"},
	{name: "cluster-constraint", arg: needed},
	{name: "clusters", letter: 'M', arg: needed},
	{name: "comment", arg: needed},
	{name: "constraint", letter: 'C', arg: needed},
	{name: "container", arg: needed},
	{name: "context", arg: needed},
	{name: "contiguous"},
	{name: "core-spec", letter: 'S', arg: needed, check: value.Counted(0, value.Max16)},
	{name: "cores-per-socket", arg: needed, check: value.Counted(1, value.Max16)},
	{name: "cpu-freq", arg: needed, check: value.CPUFreq},
	{name: "cpus-per-gpu", arg: needed, check: value.Counted(1, value.Max32)},
	{name: "cpus-per-task", letter: 'c', arg: needed, check: value.Counted(1, value.Max16)},
	{name: "deadline", arg: needed, check: value.Moment},
	{name: "delay-boot", arg: needed, check: value.Duration},
	{name: "dependency", letter: 'd', arg: needed},
	{name: "distribution", letter: 'm', arg: needed, check: value.Distribution},
	{name: "error", letter: 'e', arg: needed},
	{name: "exclude", letter: 'x', arg: needed},
	{name: "exclusive", arg: optional, check: value.OneOf("", "user", "mcs", "exclusive")},
	{name: "export", arg: needed},
	{name: "export-file", arg: needed},
	{name: "extra-node-info", letter: 'B', arg: needed, check: value.NodeInfo},
	{name: "get-user-env", arg: optional, check: value.UserEnv},
	{name: "gid", arg: needed},
	{name: "gpu-bind", arg: needed, check: value.GPUBind},
	{name: "gpu-freq", arg: needed, check: value.GPUFreq},
	{name: "gpus", letter: 'G', arg: needed},
	{name: "gpus-per-node", arg: needed},
	{name: "gpus-per-socket", arg: needed},
	{name: "gpus-per-task", arg: needed},
	{name: "gres", arg: needed},
	{name: "gres-flags", arg: needed, check: value.OneOf("disable-binding", "enforce-binding")},
	{name: "help", letter: 'h'},
	{name: "hint", arg: needed},
	{name: "hold", letter: 'H'},
	{name: "ignore-pbs"},
	{name: "input", letter: 'i', arg: needed},
	{name: "job-name", letter: 'J', arg: needed},
	{name: "kill-on-invalid-dep", arg: needed, check: value.OneOf("yes", "no")},
	{name: "licenses", letter: 'L', arg: needed},
	{name: "mail-type", arg: needed, check: value.SomeOf("NONE", "BEGIN", "END", "FAIL", "REQUEUE", "ALL", "INVALID_DEPEND", "STAGE_OUT",
		"TIME_LIMIT", "TIME_LIMIT_90", "TIME_LIMIT_80", "TIME_LIMIT_50", "ARRAY_TASKS")},
	{name: "mail-user", arg: needed},
	{name: "mcs-label", arg: needed},
	{name: "mem", arg: needed, check: value.Sized},
	{name: "mem-bind", arg: needed, check: value.MemBind},
	{name: "mem-per-cpu", arg: needed, check: value.Sized},
	{name: "mem-per-gpu", arg: needed, check: value.Sized},
	{name: "mincpus", arg: needed, check: value.Counted(1, value.Max16)},
	{name: "network", arg: needed},
	{name: "nice", arg: optional, check: value.Nice},
	{name: "no-kill", letter: 'k', arg: optional, check: value.OneOf("", "off")},
	{name: "no-requeue"},
	{name: "nodefile", letter: 'F', arg: needed},
	{name: "nodelist", letter: 'w', arg: needed},
	{name: "nodes", letter: 'N', arg: needed, check: value.NodeCount},
	{name: "ntasks", letter: 'n', arg: needed, check: value.Counted(1, value.Max32)},
	{name: "ntasks-per-core", arg: needed, check: value.Counted(1, value.Max16)},
	{name: "ntasks-per-gpu", arg: needed, check: value.Counted(1, value.Max16)},
	{name: "ntasks-per-node", arg: needed, check: value.Counted(1, value.Max16)},
	{name: "ntasks-per-socket", arg: needed, check: value.Counted(1, value.Max16)},
	{name: "ntasks-per-tres", arg: needed, check: value.Counted(1, value.Max16)},
	{name: "open-mode", arg: needed, check: value.OpenMode},
	{name: "output", letter: 'o', arg: needed},
	{name: "overcommit", letter: 'O'},
	{name: "oversubscribe", letter: 's'},
	{name: "parsable"},
	{name: "partition", letter: 'p', arg: needed},
	{name: "power", arg: needed},
	{name: "prefer", arg: needed},
	{name: "priority", arg: needed, check: value.Priority},
	{name: "profile", arg: needed, check: value.SomeOf("ALL", "NONE", "ENERGY", "TASK", "LUSTRE", "NETWORK")},
	{name: "propagate", arg: optional, check: value.Propagate},
	{name: "qos", letter: 'q', arg: needed},
	{name: "quiet", letter: 'Q'},
	{name: "reboot"},
	{name: "requeue"},
	{name: "reservation", arg: needed},
	{name: "signal", arg: needed, check: value.Signal},
	{name: "sockets-per-node", arg: needed, check: value.Counted(1, value.Max16)},
	{name: "spread-job"},
	{name: "switches", arg: needed, check: value.Switches},
	{name: "tasks-per-node", arg: needed, check: value.Counted(1, value.Max16), as: "ntasks-per-node"},
	{name: "test-only"},
	{name: "thread-spec", arg: needed, check: value.Counted(0, value.Max16)},
	{name: "threads-per-core", arg: needed, check: value.Counted(1, value.Max16)},
	{name: "time", letter: 't', arg: needed, check: value.Duration},
	{name: "time-min", arg: needed, check: value.Duration},
	{name: "tmp", arg: needed, check: value.Sized},
	{name: "uid", arg: needed},
	{name: "usage"},
	{name: "use-min-nodes"},
	{name: "verbose", letter: 'v'},
	{name: "version", letter: 'V'},
	{name: "wait", letter: 'W'},
	{name: "wait-all-nodes", arg: needed, check: value.OneOf("0", "1")},
	{name: "wckey", arg: needed},
	{name: "wrap", arg: needed},
}

// byLetter finds an option by its letter.
var byLetter = func() (t [128]*option) {
	for i := range options {
		if l := options[i].letter; l != 0 {
			t[l] = &options[i]
		}
	}
	return t
}()

// byName finds a long option by its name or by the beginning of it that no other
// has. With several candidates it returns none of them and their names.
func byName(name string) (*option, []string) {
	// Sorted by name: all that begin alike are neighbours.
	i, exact := slices.BinarySearchFunc(options, name, func(o option, name string) int { return strings.Compare(o.name, name) })
	if exact {
		return &options[i], nil
	}
	var candidates []string
	for j := i; j < len(options) && strings.HasPrefix(options[j].name, name); j++ {
		candidates = append(candidates, "--"+options[j].name)
	}
	if len(candidates) == 1 {
		return &options[i], nil
	}
	return nil, candidates
}

// nearest finds what an unknown option may have been meant to be, as long as
// somebody will read it.
func (rd *reader) nearest(name string) string {
	if name = strings.ReplaceAll(name, "_", "-"); len(name) > 64 || len(rd.found) >= maxFindings {
		return ""
	}
	names := make([]string, len(options))
	for i, o := range options {
		names[i] = o.name
	}
	return finding.Nearest(name, names)
}

// parse reads words as getopt does: options in any order, the value of one
// behind it, and "--" as the end of them.
func (rd *reader) parse(words []word, take func(Option)) {
	stray := func(w word) {
		rd.report(Stray, w.line, w.column, fmt.Sprintf("%s belongs to no option", quoted(w.text)), "put quotes around a value with blanks; an optional value needs \"=\"")
	}
	for i := 0; i < len(words); i++ {
		w := words[i]
		// next is the value in the next word; getopt does not care what it
		// looks like, nor that it is on the next line.
		next := func(what string) (string, bool) {
			if i+1 == len(words) {
				rd.report(Argument, w.line, w.column, what+" needs a value", "")
				return "", false
			}
			i++
			if words[i].line != w.line {
				rd.report(NextLine, w.line, w.column, fmt.Sprintf("%s takes its value, %s, from the next line", what, quoted(words[i].text)), "write its value on this line")
			}
			return words[i].text, true
		}
		got := func(o *option, text string) { rd.got(o, text, w, take) }
		long, isLong := strings.CutPrefix(w.text, "--")
		switch {
		case w.text == "--":
			for _, w := range words[i+1:] {
				stray(w)
			}
			return
		case w.text == "-" || w.text[0] != '-':
			stray(w)
		case isLong:
			name, text, has := strings.Cut(long, "=")
			o, candidates := byName(name)
			switch {
			case len(candidates) > 0:
				rd.report(Ambiguous, w.line, w.column, fmt.Sprintf("--%s could be %s", name, listed(candidates)), "write the whole name")
			case o == nil:
				rd.unknown(w, "--"+name, rd.nearest(name))
			case has && o.arg == none:
				rd.report(Argument, w.line, w.column, "--"+o.name+" takes no value", "write --"+o.name+" alone")
			case !has && o.arg == needed:
				if text, ok := next("--" + o.name); ok {
					got(o, text)
				}
			default:
				got(o, text)
			}
		default:
			rd.letters(w, next, got)
		}
	}
}

// letters reads a word of short options: several without values, the last one
// with its value.
func (rd *reader) letters(w word, next func(string) (string, bool), got func(*option, string)) {
	for i := 1; i < len(w.text); i++ {
		var o *option
		if c := w.text[i]; c < 128 {
			o = byLetter[c]
		}
		switch {
		case o == nil:
			name := strings.TrimLeft(w.text, "-")
			name, _, _ = strings.Cut(name, "=")
			near := ""
			if i == 1 && len(name) > 1 {
				if long, _ := byName(name); long != nil {
					near = long.name
				}
			}
			rd.unknown(w, "-"+w.text[i:i+1], near)
			if i == 1 && len(w.text) > 2 && near != "" {
				return // one word too few dashes is one finding
			}
		case o.arg == none:
			got(o, "")
		case o.arg == needed && i+1 == len(w.text):
			if text, ok := next("-" + string(o.letter)); ok {
				got(o, text)
			}
			return
		default:
			got(o, w.text[i+1:])
			return
		}
	}
}

func (rd *reader) unknown(w word, name, near string) {
	suggestion := "sbatch --help lists what there is"
	if near != "" {
		suggestion = "did you mean --" + near + "?"
	}
	rd.report(Unknown, w.line, w.column, quoted(name)+" is no option of sbatch 22.05", suggestion)
}

// got takes an option that was read.
func (rd *reader) got(o *option, text string, w word, take func(Option)) {
	if o.check != nil {
		if wrong := o.check(text); wrong != "" {
			d := BadValue
			if strings.HasPrefix(wrong, value.TooLarge) {
				d = TooLarge
			}
			message := fmt.Sprintf("--%s: %s is %s", o.name, quoted(text), wrong)
			near := ""
			if long, _, _ := strings.Cut(strings.TrimLeft(w.text, "-"), "="); !strings.HasPrefix(w.text, "--") && len(long) > 2 {
				if l, _ := byName(long); l != nil {
					near = "a long name has two dashes: --" + l.name
				}
			}
			rd.report(d, w.line, w.column, message, near)
			return
		}
	}
	name := o.name
	if o.as != "" {
		name = o.as
	}
	if i := strings.IndexAny(text, "$`"); i >= 0 && name != "wrap" && name != "comment" {
		rd.report(Unexpanded, w.line, w.column, fmt.Sprintf("--%s=%s: a directive expands nothing; the value has %q in it", name, quoted(text), text[i]),
			"write the value itself; %j and %x stand for the job's id and name in file names")
	}
	switch name {
	case "test-only":
		rd.report(NoJob, w.line, w.column, "with --test-only sbatch submits no job", "leave it out")
	case "help", "usage", "version", "wrap":
		rd.report(Ineffect, w.line, w.column, "--"+name+" is for the command line; in a script it does nothing", "leave it out")
	}
	if len(text) > maxText(name) {
		rd.report(TooLarge, w.line, w.column, fmt.Sprintf("--%s: %d bytes; slurmctld takes %d", name, len(text), maxText(name)), "shorten it")
		return
	}
	take(Option{Name: name, Value: text, Line: w.line, Column: w.column})
}

// maxText is how long slurmctld lets a text be, in bytes.
func maxText(name string) int {
	switch name {
	case "array":
		return 4096
	case "account", "comment", "constraint", "gpus", "gpus-per-node", "gpus-per-socket", "gpus-per-task", "gres", "job-name",
		"licenses", "mail-user", "mcs-label", "network", "partition", "prefer", "qos", "reservation", "wckey", "batch", "cluster-constraint":
		return 1024
	case "chdir", "error", "input", "output":
		return 4096
	case "exclude", "nodelist":
		return 64 << 10
	case "dependency":
		return 128 << 10
	}
	return MaxSize
}

// quoted is a text for a message: in quotes, not longer than a line.
func quoted(text string) string {
	const most = 40
	if len(text) > most {
		text = text[:most] + "..."
	}
	return fmt.Sprintf("%q", text)
}

// listed joins at most a few names.
func listed(names []string) string {
	const most = 6
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " or others"
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
