// Package body looks at what follows the directives of a batch script for hints of
// MPI, GPUs, threads and well-known applications. They are heuristics: it splits a
// shell's script into commands and follows no control flow, expands nothing and
// runs nothing. docs/JOBSCRIPT.md says what fools it.
package body

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Kind is what a hint is about.
type Kind string

// The kinds of hints.
const (
	MPI     Kind = "mpi"
	GPUs    Kind = "gpu"
	Threads Kind = "threads"
	App     Kind = "application"
)

// Hint is a guess from the body: something that a script with MPI, GPUs or
// threads is likely to hold. The #SBATCH lines are what the job asks for; a hint
// only says what it may be going to do with it.
type Hint struct {
	Kind Kind
	// Word is what gave it away: a command, a module, a variable, an import.
	Word string
	// Value is the number behind it, for threads; 0 where there is none.
	Value int
	// Weak says that it is seen without it as well: srun starts any program.
	Weak bool
	// Line and Column, both from 1, are where the evidence is, and Text is its
	// line, cut to 120 bytes.
	Line, Column int
	Text         string
}

// Max bounds the hints of one script; more would say nothing new.
const Max = 64

// clues are words that give something away.
type clue struct {
	kind Kind
	weak bool
}

// launchers start the tasks of MPI programs.
var launchers = map[string]clue{
	"mpirun": {kind: MPI}, "mpiexec": {kind: MPI}, "mpiexec.hydra": {kind: MPI}, "orterun": {kind: MPI}, "prun": {kind: MPI},
	"prterun": {kind: MPI}, "mpirun_rsh": {kind: MPI}, "mpiexec_mpt": {kind: MPI}, "ibrun": {kind: MPI}, "aprun": {kind: MPI},
	"horovodrun": {kind: MPI}, "srun": {kind: MPI, weak: true},
}

// modules are names of environment modules, without the version.
var modules = map[string]clue{
	"openmpi": {kind: MPI}, "impi": {kind: MPI}, "intelmpi": {kind: MPI}, "intel-mpi": {kind: MPI}, "mpich": {kind: MPI}, "mvapich": {kind: MPI},
	"mvapich2": {kind: MPI}, "hpcx": {kind: MPI}, "cray-mpich": {kind: MPI}, "hpcx-ompi": {kind: MPI}, "ompi": {kind: MPI}, "foss": {kind: MPI, weak: true},
	"libfabric-aws": {kind: MPI}, "cuda": {kind: GPUs}, "cudnn": {kind: GPUs}, "nccl": {kind: GPUs}, "nvhpc": {kind: GPUs}, "cudatoolkit": {kind: GPUs},
	"rocm": {kind: GPUs}, "pytorch": {kind: GPUs}, "tensorflow": {kind: GPUs}, "jax": {kind: GPUs},
}

// tools are commands of GPUs.
var tools = map[string]clue{
	"nvidia-smi": {kind: GPUs}, "nvcc": {kind: GPUs}, "nsys": {kind: GPUs}, "ncu": {kind: GPUs}, "dcgmi": {kind: GPUs}, "rocm-smi": {kind: GPUs},
	"torchrun": {kind: GPUs}, "deepspeed": {kind: GPUs}, "accelerate": {kind: GPUs, weak: true}, "nvidia-cuda-mps-control": {kind: GPUs},
}

// variables set a number of threads, or choose GPUs.
var variables = map[string]Kind{
	"OMP_NUM_THREADS": Threads, "MKL_NUM_THREADS": Threads, "OPENBLAS_NUM_THREADS": Threads, "BLIS_NUM_THREADS": Threads,
	"NUMEXPR_NUM_THREADS": Threads, "JULIA_NUM_THREADS": Threads, "GOMP_CPU_AFFINITY": Threads, "OMP_PROC_BIND": Threads, "OMP_PLACES": Threads,
	"CUDA_VISIBLE_DEVICES": GPUs, "NCCL_DEBUG": GPUs, "NCCL_SOCKET_IFNAME": GPUs, "I_MPI_FABRICS": MPI, "FI_PROVIDER": MPI,
	"I_MPI_PMI_LIBRARY": MPI, "OMPI_MCA_btl": MPI, "UCX_TLS": MPI,
}

// applications are well-known programs by what their names begin with, and what
// a build of that name has in it.
var applications = []struct {
	name  *regexp.Regexp
	app   string
	kinds []Kind
}{
	{regexp.MustCompile(`^(gmx|mdrun)_mpi`), "GROMACS", []Kind{MPI}},
	{regexp.MustCompile(`^(gmx|mdrun)`), "GROMACS", nil},
	{regexp.MustCompile(`^namd[23]$`), "NAMD", nil},
	{regexp.MustCompile(`^lmp(_|$)`), "LAMMPS", []Kind{MPI}},
	{regexp.MustCompile(`^(pmemd|sander)\.cuda\.MPI$`), "Amber", []Kind{MPI, GPUs}},
	{regexp.MustCompile(`^pmemd\.cuda`), "Amber", []Kind{GPUs}},
	{regexp.MustCompile(`^(pmemd|sander)\.MPI$`), "Amber", []Kind{MPI}},
	{regexp.MustCompile(`^vasp(_std|_gam|_ncl)?$`), "VASP", []Kind{MPI}},
	{regexp.MustCompile(`^(pw|ph|cp|neb)\.x$`), "Quantum ESPRESSO", []Kind{MPI}},
	{regexp.MustCompile(`^cp2k\.(psmp|popt)$`), "CP2K", []Kind{MPI}},
	{regexp.MustCompile(`^nwchem$`), "NWChem", []Kind{MPI}},
	{regexp.MustCompile(`^(wrf|real|geogrid)\.exe$`), "WRF", []Kind{MPI}},
	{regexp.MustCompile(`^(simple|pimple|piso|ico|inter|rhoSimple|rhoPimple|potential|buoyant[A-Za-z]*)Foam$`), "OpenFOAM", nil},
	{regexp.MustCompile(`^fluent$`), "Fluent", nil},
	{regexp.MustCompile(`^starccm\+$`), "STAR-CCM+", nil},
	{regexp.MustCompile(`^abaqus$`), "Abaqus", nil},
	{regexp.MustCompile(`^relion_[a-z0-9_]+_mpi$`), "RELION", []Kind{MPI}},
	{regexp.MustCompile(`^(orca|g16|g09)$`), "quantum chemistry", nil},
	{regexp.MustCompile(`^(blast[npx]|tblastn|bwa|bowtie2|STAR|samtools|minimap2)$`), "genomics", []Kind{Threads}},
	{regexp.MustCompile(`^(xhpl|hpcg|xhpcg)$`), "LINPACK or HPCG", []Kind{MPI}},
}

// prefixes are commands that run the command behind them, with the options of
// theirs that take a value in the next word.
var prefixes = map[string][]string{
	"exec": nil, "time": nil, "nohup": nil, "command": nil, "builtin": nil, "eval": nil, "sudo": {"-u"}, "env": {"-u"}, "nice": {"-n"}, "ionice": {"-c", "-n"},
	"timeout": {"-s", "-k"}, "numactl": {"-N", "-m", "-C", "-i"}, "taskset": nil, "stdbuf": {"-o", "-i", "-e"}, "catchsegv": nil, "!": nil,
	"if": nil, "then": nil, "elif": nil, "else": nil, "while": nil, "until": nil, "do": nil,
	"srun":    {"-n", "-N", "-c", "-p", "-A", "-w", "-x", "-t", "-m", "-J", "-o", "-e", "-G", "--mpi", "--ntasks", "--nodes"},
	"mpirun":  {"-n", "-np", "-c", "-N", "-H", "-host", "-hosts", "-hostfile", "-machinefile", "-f", "-ppn", "-perhost", "-x", "-bind-to", "-map-by", "--bind-to", "--map-by", "--hostfile", "--host", "-rmk", "-bootstrap"},
	"mpiexec": {"-n", "-np", "-f", "-hosts", "-ppn", "-bind-to", "-map-by", "--bind-to", "--map-by", "--hostfile"},
}

// pairs are options of launchers with two values behind them.
var pairs = []string{"-mca", "--mca", "-genv", "-env"}

// Hints looks at the body of a script, which begins at offset at and at a line's
// beginning. interpreter is what its first line has behind "#!".
func Hints(interpreter string, script []byte, at int) []Hint {
	h := &hinter{script: script, seen: map[string]bool{}, others: map[string]bool{}}
	switch name := program(interpreter); {
	case IsShell(interpreter):
		commands(script, at, h.command)
	case strings.HasPrefix(name, "python") || strings.HasPrefix(name, "pypy"):
		h.python(at)
	}
	return h.found
}

type hinter struct {
	script []byte
	found  []Hint
	seen   map[string]bool // kind and word: each once
	others map[string]bool // commands that are no application that is known
}

// add keeps a hint, and reports whether there is room for more.
func (h *hinter) add(k Kind, word string, value int, weak bool, line, column int) bool {
	key := string(k) + " " + word
	if !h.seen[key] && len(h.found) < Max {
		h.seen[key] = true
		h.found = append(h.found, Hint{Kind: k, Word: word, Value: value, Weak: weak, Line: line, Column: column})
	}
	return len(h.found) < Max
}

// command looks at one command of a shell script.
func (h *hinter) command(c command) bool {
	before := len(h.found)
	words := c.words
	for len(words) > 0 {
		name, value, assigns := strings.Cut(words[0], "=")
		if assigns && isName(name) {
			h.variable(name, value, c)
			words = words[1:]
			continue
		}
		base := words[0][strings.LastIndexByte(words[0], '/')+1:]
		args := words[1:]
		switch base {
		case "export", "declare", "typeset", "local", "readonly":
			for _, a := range args {
				if name, value, ok := strings.Cut(a, "="); ok {
					h.variable(name, value, c)
				}
			}
			words = nil
			continue
		case "setenv":
			if len(args) > 1 {
				h.variable(args[0], args[1], c)
			}
			words = nil
			continue
		case "module", "ml":
			h.modules(args, c)
			words = nil
			continue
		}
		if l, ok := launchers[base]; ok {
			weak := l.weak && !slices.ContainsFunc(args, func(a string) bool { return a == "--mpi" || strings.HasPrefix(a, "--mpi=") && a != "--mpi=none" })
			h.add(l.kind, base, 0, weak, c.line, c.column)
		}
		h.program(base, args, c)
		words = behind(base, args)
	}
	for i := before; i < len(h.found); i++ {
		h.found[i].Text = h.line(c.line)
	}
	return len(h.found) < Max
}

// behind is the command that a prefix runs, nil for any other command.
func behind(base string, args []string) []string {
	takes, ok := prefixes[base]
	if _, launches := launchers[base]; !ok && launches {
		takes, ok = prefixes["mpirun"], true
	}
	switch base {
	case "singularity", "apptainer":
		ok = len(args) > 0 && (args[0] == "exec" || args[0] == "run")
		if ok {
			args, takes = args[1:], []string{"-B", "--bind", "--env", "--pwd", "-H"}
		}
	}
	if !ok {
		return nil
	}
	for len(args) > 0 && (strings.HasPrefix(args[0], "-") || startsWithDigit(args[0])) {
		n := 1
		switch {
		case slices.Contains(pairs, args[0]):
			n = 3
		case slices.Contains(takes, args[0]):
			n = 2
		}
		args = args[min(n, len(args)):]
	}
	if (base == "singularity" || base == "apptainer" || base == "taskset") && len(args) > 0 {
		args = args[1:] // the image, the mask
	}
	return args
}

func isName(s string) bool {
	return s != "" && !startsWithDigit(s) && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

func (h *hinter) variable(name, value string, c command) {
	if k, ok := variables[name]; ok {
		n := 0
		if k == Threads {
			n, _ = strconv.Atoi(value) // "$SLURM_CPUS_PER_TASK" is no number
		}
		h.add(k, name, max(n, 0), false, c.line, c.column)
	}
}

// modules looks at what module load loads; ml loads where it is told nothing
// else.
func (h *hinter) modules(args []string, c command) {
	for _, a := range args {
		switch a {
		case "unload", "rm", "purge", "swap", "avail", "av", "list", "show", "spider", "use", "help", "whatis", "save", "restore":
			return
		}
		name, _, _ := strings.Cut(strings.ToLower(a), "/")
		if m, ok := modules[name]; ok {
			h.add(m.kind, "module "+name, 0, m.weak, c.line, c.column)
		}
	}
}

// program looks at a command and its arguments.
func (h *hinter) program(base string, args []string, c command) {
	if t, ok := tools[base]; ok {
		h.add(t.kind, base, 0, t.weak, c.line, c.column)
	}
	for i, a := range applications {
		if h.others[base] {
			break
		}
		if !a.name.MatchString(base) {
			h.others[base] = i+1 == len(applications)
			continue
		}
		h.add(App, a.app, 0, false, c.line, c.column)
		for _, k := range a.kinds {
			h.add(k, base, 0, false, c.line, c.column)
		}
		h.arguments(a.app, args, c)
		break
	}
	switch {
	case base == "singularity" || base == "apptainer":
		if slices.Contains(args, "--nv") || slices.Contains(args, "--rocm") {
			h.add(GPUs, base+" --nv", 0, false, c.line, c.column)
		}
	case strings.HasPrefix(base, "python"):
		if i := slices.Index(args, "-m"); i >= 0 && i+1 < len(args) {
			if m := args[i+1]; strings.HasPrefix(m, "torch.distributed") || m == "deepspeed" {
				h.add(GPUs, "python -m "+m, 0, false, c.line, c.column)
			} else if strings.HasPrefix(m, "mpi4py") {
				h.add(MPI, "python -m "+m, 0, false, c.line, c.column)
			}
		}
	}
}

// arguments looks at what well-known programs are told of threads and GPUs.
func (h *hinter) arguments(app string, args []string, c command) {
	for i, a := range args {
		next := ""
		if i+1 < len(args) {
			next = args[i+1]
		}
		n, _ := strconv.Atoi(next)
		switch {
		case app == "GROMACS" && slices.Contains([]string{"-nt", "-ntomp", "-ntmpi"}, a),
			app == "genomics" && slices.Contains([]string{"-t", "-p", "-@", "-num_threads", "--threads", "--runThreadN"}, a):
			h.add(Threads, a, max(n, 0), false, c.line, c.column)
		case app == "GROMACS" && slices.Contains([]string{"-nb", "-pme", "-bonded", "-update"}, a) && next == "gpu",
			app == "GROMACS" && (a == "-gpu_id" || a == "-gputasks"),
			app == "LAMMPS" && a == "-sf" && next == "gpu":
			h.add(GPUs, strings.TrimSpace(a+" "+next), 0, false, c.line, c.column)
		case app == "OpenFOAM" && a == "-parallel":
			h.add(MPI, a, 0, false, c.line, c.column)
		}
	}
}

// line is a line of the script, cut.
func (h *hinter) line(n int) string {
	text := h.script
	for ; n > 1; n-- {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	text, _, _ = bytes.Cut(text, []byte("\n"))
	const most = 120
	text = bytes.TrimSpace(text)
	return strings.ToValidUTF8(string(text[:min(len(text), most)]), "?")
}

// imports are Python modules.
var imports = map[string]clue{
	"mpi4py": {kind: MPI}, "horovod": {kind: MPI}, "torch": {kind: GPUs}, "tensorflow": {kind: GPUs}, "jax": {kind: GPUs}, "cupy": {kind: GPUs},
	"pycuda": {kind: GPUs}, "cudf": {kind: GPUs}, "deepspeed": {kind: GPUs}, "pytorch_lightning": {kind: GPUs}, "lightning": {kind: GPUs},
	"multiprocessing": {kind: Threads}, "joblib": {kind: Threads}, "concurrent": {kind: Threads, weak: true},
}

var environ = regexp.MustCompile(`^os\.environ\[["']([A-Z_a-z]+)["']\]\s*=\s*["']?([0-9]*)`)

// imported are the modules of an import, with commas between them.
func imported(code string) (names string, ok bool) {
	if names, ok = strings.CutPrefix(code, "import "); ok {
		return names, true
	}
	if names, ok = strings.CutPrefix(code, "from "); ok {
		names, _, ok = strings.Cut(names, " import ")
	}
	return names, ok
}

// python looks at imports and os.environ, line by line; a text in three quotes
// is none of the program's lines.
func (h *hinter) python(at int) {
	line := 1 + bytes.Count(h.script[:at], []byte("\n"))
	end := ""
	for ; at < len(h.script); line++ {
		text, _, _ := bytes.Cut(h.script[at:], []byte("\n"))
		at += len(text) + 1
		s := string(text[:min(len(text), 1<<12)])
		if end == "" {
			before := len(h.found)
			code := strings.TrimLeft(s, " \t")
			column := len(s) - len(code) + 1
			if names, ok := imported(code); ok {
				for name := range strings.SplitSeq(names, ",") {
					name, _, _ = strings.Cut(strings.TrimSpace(name), " ")
					name, _, _ = strings.Cut(name, ".")
					if c, ok := imports[name]; ok {
						h.add(c.kind, "import "+name, 0, c.weak, line, column)
					}
				}
			} else if strings.HasPrefix(code, "os.environ") {
				if m := environ.FindStringSubmatch(code); m != nil {
					h.variable(m[1], m[2], command{line: line, column: column})
				}
			}
			for i := before; i < len(h.found); i++ {
				h.found[i].Text = strings.ToValidUTF8(strings.TrimSpace(s[:min(len(s), 120)]), "?")
			}
		}
		end = texts(s, end)
	}
}

// texts follows texts in three quotes over a line: it returns the quotes that
// are open behind it.
func texts(s, open string) string {
	for s != "" {
		if open != "" {
			i := strings.Index(s, open)
			if i < 0 {
				return open
			}
			s, open = s[i+3:], ""
			continue
		}
		i, j := strings.Index(s, `"""`), strings.Index(s, "'''")
		if hash := strings.IndexByte(s, '#'); hash >= 0 && (i < 0 || hash < i) && (j < 0 || hash < j) {
			return ""
		}
		switch {
		case i < 0 && j < 0:
			return ""
		case j < 0 || i >= 0 && i < j:
			s, open = s[i+3:], `"""`
		default:
			s, open = s[j+3:], "'''"
		}
	}
	return open
}
