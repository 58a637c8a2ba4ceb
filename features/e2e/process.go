package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// marker is the variable by which a machine's processes are known as its own:
// slurmd hands its environment on to slurmstepd.
const marker = "ASBA_E2E_MACHINE"

// process is one of /proc.
type process struct {
	pid, parent int
	name        string
	machine     string // its marker
}

// processes lists what runs in our namespace; what has ended and waits for its
// parent does not run.
func processes() []process {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil
	}
	var all []process
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err != nil {
			continue // it has ended meanwhile
		}
		open, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
		if open < 0 || end < open {
			continue
		}
		rest := strings.Fields(string(stat[end+1:])) // state, parent, ...
		if len(rest) < 2 || rest[0] == "Z" || rest[0] == "X" {
			continue
		}
		p := process{pid: pid, name: string(stat[open+1 : end])}
		p.parent, _ = strconv.Atoi(rest[1])
		env, _ := os.ReadFile(filepath.Join(dir, "environ")) // none of a process that has just ended
		for kv := range strings.SplitSeq(string(env), "\x00") {
			if v, ok := strings.CutPrefix(kv, marker+"="); ok {
				p.machine = v
			}
		}
		all = append(all, p)
	}
	return all
}

// ofMachine returns the processes of a machine: those with its marker, and all
// below them, tasks of jobs with an environment of their own.
func ofMachine(all []process, machine string) []process {
	var out []process
	in := map[int]bool{}
	for changed := true; changed; {
		changed = false
		for _, p := range all {
			if !in[p.pid] && (p.machine == machine || in[p.parent]) {
				in[p.pid], changed = true, true
				out = append(out, p)
			}
		}
	}
	return out
}

// cutPower ends a machine as EC2 does: at once, with all that runs on it.
func cutPower(machine string) {
	for range 10 { // while it still starts more
		left := ofMachine(processes(), machine)
		if len(left) == 0 {
			return
		}
		slices.SortFunc(left, func(a, b process) int { return a.pid - b.pid })
		for _, p := range left {
			_ = syscall.Kill(p.pid, syscall.SIGKILL)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
