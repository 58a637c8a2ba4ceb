// Package house_test keeps the architecture: which package may import which,
// what every package has to have, and where things are.
package house_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "aws-slurm-burst"

// rule says what the packages at from may import of only; patterns are paths
// in this module, "x/..." is x and all below it, and a pattern with a dot in
// its first element is of another module.
type rule struct {
	why  string
	from []string
	// Of the imports that match about, only may imports those that match allow.
	about, allow []string
}

var leaves = []string{"executor/env", "executor/cloud", "executor/hostlist", "executor/identity", "asba/finding", "asba/catalog", "asba/catalog/table", "simulator/faults"}

// rooms lists every room of the executor but its leaves, with the other rooms
// that it may import beside the leaves. A room is understood, tested and
// simulated alone; each exception is a layer that several rooms stand on.
var rooms = map[string][]string{
	"executor/config":     {"asba/plan", "asba/finding/read"},
	"executor/plansource": {"asba/plan", "asba/plan/rule", "asba/protocol"},
	"executor/slurm":      nil,
	"executor/calls":      nil,
	"executor/journal":    nil,
	"executor/fleet":      {"executor/journal"},                                      // whose instance is whose is in the journal
	"executor/lookup":     {"executor/calls"},                                        // look-ups are calls that are repeated
	"executor/launch":     {"executor/calls", "executor/journal", "executor/ladder"}, // a rung is an intent, calls, an outcome
	"executor/survey":     {"executor/calls"},                                        // what EC2 sells is asked page by page
	"executor/ladder":     nil,
	"executor/report":     {"executor/ladder"},                                                                                         // rungs that were ruled out are launch's
	"executor/decide":     {"executor/config", "asba/plan", "asba/plan/lint", "executor/ladder", "executor/launch", "executor/report"}, // plan and configuration become a wish
	"executor/host":       {"executor/plansource"},                                                                                     // implements its port
	"executor/awscloud":   nil,

	// Programs stand on what each of them has while it runs, and on the rooms that
	// they need beside it: reconcile reads what a launch left as launch does.
	"executor/program":   {"executor/calls", "executor/config", "executor/fleet", "executor/journal", "executor/lookup", "executor/plansource", "executor/report", "executor/slurm"},
	"executor/comeback":  {"executor/program", "executor/journal", "executor/slurm"}, // a job's failures are in the journal, its delay is Slurm's
	"executor/suspend":   {"executor/program", "executor/calls", "executor/comeback", "executor/config", "executor/fleet", "executor/journal", "executor/report", "executor/slurm"},
	"executor/reconcile": {"executor/program", "executor/calls", "executor/fleet", "executor/journal", "executor/launch", "executor/report", "executor/slurm"},
}

var rules = []rule{
	{
		why:   "the seam is what everything stands on, and stands on nothing",
		from:  []string{"executor/env"},
		about: []string{"./..."},
	}, {
		why:   "a diagnosis, the catalogue, hostlists and fault rules are leaves: anyone may have them without anything else",
		from:  []string{"asba/finding", "asba/catalog", "asba/catalog/table", "executor/hostlist", "executor/cloud", "executor/identity", "simulator/faults"},
		about: []string{"./..."},
		allow: leaves,
	}, {
		why:   "reading with findings, showing and mending them is for every document: none of the three knows a format of ours",
		from:  []string{"asba/finding/read", "asba/finding/render", "asba/finding/patch"},
		about: []string{"./..."},
		allow: []string{"asba/finding"},
	}, {
		why:   "the execution plan is the contract with the advisor: it must not depend on who carries it out",
		from:  []string{"asba/plan"},
		about: []string{"./..."},
		allow: []string{"asba/finding", "asba/plan/rule"},
	}, {
		why:   "what can be wrong with a plan is a list of words",
		from:  []string{"asba/plan/rule"},
		about: []string{"./..."},
		allow: []string{"asba/finding"},
	}, {
		why:   "a plan is judged by what it says and by the catalogue: whoever has no executor must come to the same findings",
		from:  []string{"asba/plan/lint"},
		about: []string{"./..."},
		allow: []string{"asba/plan", "asba/plan/rule", "asba/finding", "asba/catalog"},
	}, {
		why:   "what is published about a plan's keys is made from the keys alone",
		from:  []string{"asba/plan/schema"},
		about: []string{"./..."},
		allow: []string{"asba/plan"},
	}, {
		why:   "random plans are for tests: what draws them is in no program",
		from:  []string{"..."},
		about: []string{"asba/plan/plantest", "pgregory.net/rapid"},
		allow: []string{"in asba/plan/plantest"},
	}, {
		why:   "whoever has a plan's text, the programs or the advisor's server, comes to the same findings: it takes no executor",
		from:  []string{"asba/plan/check"},
		about: []string{"./..."},
		allow: []string{"asba/plan", "asba/plan/rule", "asba/plan/lint", "asba/finding", "asba/finding/patch", "asba/catalog"},
	}, {
		why:   "a batch script is read by whoever advises, from its bytes alone; names of nodes are hostlists wherever they stand",
		from:  []string{"asba/jobscript"},
		about: []string{"./..."},
		allow: []string{"asba/finding", "asba/jobscript/body", "asba/jobscript/value", "executor/hostlist"},
	}, {
		why:   "hints are read from a script's text, and know of no directive",
		from:  []string{"asba/jobscript/body"},
		about: []string{"./..."},
	}, {
		why:   "a value is read by its own form, whatever option has it",
		from:  []string{"asba/jobscript/value"},
		about: []string{"./..."},
	}, {
		why:   "an advice is a plan made from a job and the catalogue: servers, simulations and programs share it, and none of them is in it",
		from:  []string{"asba/advise"},
		about: []string{"./..."},
		allow: []string{"asba/plan", "asba/plan/lint", "asba/catalog"}, // lint has the node's line in Slurm
	}, {
		why:   "what a script asks for becomes what is advised on; reading it is jobscript's, advising on it advise's",
		from:  []string{"asba/scriptjob"},
		about: []string{"./..."},
		allow: []string{"asba/advise", "asba/jobscript", "asba/jobscript/body"},
	}, {
		why:   "what slurmctld tells of a job becomes what is advised on; neither script nor program is needed to read it",
		from:  []string{"asba/slurmjob"},
		about: []string{"./..."},
		allow: []string{"asba/advise"},
	}, {
		why:   "the protocol is what others import to talk to us: it is the plan and little more",
		from:  []string{"asba/protocol"},
		about: []string{"./..."},
		allow: []string{"asba/plan", "asba/finding"},
	}, {
		why:   "server and daemon speak the protocol; who answers is handed to them, and so each is tried without a Slurm and without the other",
		from:  []string{"asba/server", "asba/daemon"},
		about: []string{"./..."},
		allow: []string{"asba/protocol", "asba/finding"},
	}, {
		why:   "what is measured of a server is the server's own: no program but the advisor carries the client of Prometheus",
		from:  []string{"..."},
		about: []string{"github.com/prometheus/..."},
		allow: []string{"in asba/server"},
	}, {
		why:   "the advisor advises; it launches nothing, and a site may run it alone",
		from:  []string{"asba/..."},
		about: []string{"executor/...", "simulator/...", "localstack/...", "features/...", "cmd/..."},
		allow: []string{"executor/env", "executor/hostlist", "executor/host"},
	}, {
		why:   "production code that knows of its simulation or its tests is no longer what was simulated and tested",
		from:  []string{"executor/..."},
		about: []string{"simulator/...", "localstack/...", "features/...", "fixtures/...", "cmd/..."},
	}, {
		why:   "the executor takes its adapters as ports, or it could not run in virtual time",
		from:  []string{"executor", "executor/program", "executor/comeback", "executor/suspend", "executor/reconcile"},
		about: []string{"executor/host", "executor/awscloud"},
	}, {
		why:   "the EC2 client takes minutes to compile, and its types would spread: all of it is behind one port",
		from:  []string{"..."},
		about: []string{"github.com/aws/aws-sdk-go-v2/service/ec2/..."},
		allow: []string{"in executor/awscloud"},
	}, {
		why:   "the AWS SDK is for the adapter; a simulation builds in seconds without it",
		from:  []string{"executor", "executor/program", "executor/comeback", "executor/suspend", "executor/reconcile", "executor/calls", "executor/fleet", "executor/launch", "executor/lookup", "executor/journal", "simulator", "simulator/ec2", "simulator/slurm/...", "simulator/faults", "asba/..."},
		about: []string{"github.com/aws/..."},
	}, {
		why:   "the scenario runner is for scenarios; no shipped room needs it",
		from:  []string{"..."},
		about: []string{"github.com/cucumber/..."},
		allow: []string{"in features/..."},
	}, {
		why:   "an engine's client is three dozen modules: one package has it, and who wants containers hands that to localstack",
		from:  []string{"..."},
		about: []string{"github.com/testcontainers/...", "github.com/moby/...", "github.com/docker/...", "github.com/containerd/..."},
		allow: []string{"in localstack/container"},
	}, {
		why:   "the ladder is for everyone: a program that wants no container links no client of an engine",
		from:  []string{"localstack", "localstack/faultproxy"},
		about: []string{"localstack/container"},
	}, {
		why:   "scenarios run the shipped binaries: a step that calls a package proves nothing of the program",
		from:  []string{"features/..."},
		about: []string{"executor/...", "simulator/...", "asba/...", "cmd/..."},
		allow: []string{"simulator/faults"}, // the words of the rules that they give to the proxy
	}, {
		why:   "a site is for whoever tries the programs, with sentences or without",
		from:  []string{"features/site"},
		about: []string{"features/...", "github.com/cucumber/..."},
		allow: []string{"features/site", "features/report"}, // what it hands to reports
	}, {
		why:   "godog runs `go` as it starts, and a container engine's client is large: both are the lab's alone",
		from:  []string{"cmd/..."},
		about: []string{"features/...", "localstack/..."},
		allow: []string{"in cmd/aws-slurm-burst-lab", "in cmd/internal/blackbox", "localstack/faultproxy", "localstack/standin", "localstack/query"},
	}, {
		why:   "what is made for tests is imported by tests alone",
		from:  []string{"..."},
		about: []string{"localstack/localstacktest"},
	}, {
		why:   "a slurmctld for tests starts daemons and namespaces: tests of the programs and of what is read as Slurm reads it have it, nothing that is shipped",
		from:  []string{"..."},
		about: []string{"features/slurmtest"},
		allow: []string{"in features/e2e"}, // which is all tests
	}, {
		why:   "it is Slurm and nothing of ours that a slurmctld for tests shows",
		from:  []string{"features/slurmtest"},
		about: []string{"./..."},
		allow: []string{"localstack/scratch"},
	}, {
		why:   "a browser is driven by tests, never by what is shipped",
		from:  []string{"..."},
		about: []string{"github.com/chromedp/...", "features/browsertest"},
		allow: []string{"in features/browsertest"}, // which tests alone import
	}, {
		why:   "pages are opened as readers have them, whoever made them",
		from:  []string{"features/browsertest"},
		about: []string{"./..."},
	}, {
		why:   "what is tried under a real slurmctld is the programs, as slurmctld calls them: no steps, no runner, no model",
		from:  []string{"features/e2e"},
		about: []string{"./...", "github.com/cucumber/..."},
		allow: []string{"features/site", "features/slurmtest", "features/advisor", "fixtures", "localstack/faultproxy", "localstack/scratch", "simulator/faults"},
	}, {
		why:   "a stand-in that read and wrote the protocol with the programs' own code would agree with their mistakes",
		from:  []string{"features/advisor"},
		about: []string{"./...", "github.com/cucumber/..."},
	}, {
		why:   "reports are written from plain values, whoever ran what they tell of",
		from:  []string{"features/report"},
		about: []string{"./...", "github.com/cucumber/..."},
	}, {
		why:   "LocalStack is a process to find or start: it and its proxy need nothing of ours but the rules of faults, and their time",
		from:  []string{"localstack/..."},
		about: []string{"./..."},
		allow: []string{"localstack/...", "simulator/faults", "asba/finding", "executor/env"},
	}, {
		why:   "the protocol's shapes are what proxy and stand-ins share; neither needs the other, and any endpoint can have one without the other",
		from:  []string{"localstack/query", "localstack/faultproxy", "localstack/standin"},
		about: []string{"localstack/..."},
		allow: []string{"localstack/query"},
	}, {
		why:   "the engine is below every model, and touches no machine",
		from:  []string{"simulator"},
		about: []string{"./..."},
		allow: []string{"executor/env"},
	}, {
		why:   "figures are made of what was told: who simulated, and how, is nothing to them",
		from:  []string{"simulator/report"},
		about: []string{"./..."},
		allow: []string{"executor/env", "simulator/record", "simulator/report/sums"},
	}, {
		why:   "sums are of numbers, whatever they count",
		from:  []string{"simulator/report/sums"},
		about: []string{"./..."},
	}, {
		why:   "files are written of what was told, and of the jobs that report makes of it",
		from:  []string{"simulator/report/files"},
		about: []string{"./..."},
		allow: []string{"executor/env", "simulator/record", "simulator/report", "simulator/workload", "simulator/workload/swf"},
	}, {
		why:   "a scenario is what is to be simulated: who reads and judges one needs no simulator",
		from:  []string{"simulator/scenario"},
		about: []string{"./..."},
		allow: []string{"asba/finding", "asba/finding/read"},
	}, {
		why:   "the command reads, runs and shows; who simulates a cluster is handed to it",
		from:  []string{"cmd/internal/simulation"},
		about: []string{"simulator/..."},
		allow: []string{"simulator/record", "simulator/scenario", "simulator/report", "simulator/report/files", "simulator/report/sums", "simulator/workload/trace"},
	}, {
		why:   "a scenario's jobs are the same whoever simulates them: what opens them knows workloads, and the engine for its chances",
		from:  []string{"simulator/scenario/jobs"},
		about: []string{"./..."},
		allow: []string{"simulator", "simulator/scenario", "simulator/workload/..."},
	}, {
		why:   "a scenario without nodes needs a machine of processors and its jobs: nothing of Slurm, EC2 or the executor",
		from:  []string{"simulator/nodeless"},
		about: []string{"./..."},
		allow: []string{"executor/env", "simulator", "simulator/processors", "simulator/record", "simulator/scenario", "simulator/scenario/jobs", "simulator/workload", "simulator/workload/trace"},
	}, {
		why:   "models stand for the world outside: they know the ports, never the executor that uses them",
		from:  []string{"simulator/ec2/...", "simulator/slurm/..."},
		about: []string{"executor/...", "cmd/...", "features/...", "localstack/..."},
		allow: []string{"executor/env", "executor/cloud", "executor/hostlist"},
	}, {
		why:   "who starts when is decided from numbers: neither clock nor engine nor Slurm's texts, so that it can be held against queueing theory",
		from:  []string{"simulator/slurm/sched"},
		about: []string{"./..."},
		allow: []string{
			"executor/env", "simulator/slurm/sched/ahead", "simulator/slurm/sched/pick", "simulator/slurm/sched/queue", "simulator/slurm/sched/share",
			"simulator/slurm/sched/site", "simulator/slurm/sched/slots",
		},
	}, {
		why:   "when nodes could be had is a question about who runs: for whom they are kept is decided above",
		from:  []string{"simulator/slurm/sched/ahead"},
		about: []string{"./..."},
		allow: []string{"executor/env", "simulator/slurm/sched/pick", "simulator/slurm/sched/site", "simulator/slurm/sched/slots"},
	}, {
		why:   "nodes are found for what is asked for: who is next, and for whom something is kept, is decided above",
		from:  []string{"simulator/slurm/sched/pick"},
		about: []string{"./..."},
		allow: []string{"executor/env", "simulator/slurm/sched/rows", "simulator/slurm/sched/site", "simulator/slurm/sched/slots"},
	}, {
		why:   "what there is knows nobody who wants it",
		from:  []string{"simulator/slurm/sched/site"},
		about: []string{"./..."},
		allow: []string{"executor/env", "simulator/slurm/sched/feature", "simulator/slurm/sched/slots"},
	}, {
		why:   "a constraint is words, shares are sums, rows and slots are sets of numbers: whoever shows, checks or tries them needs no scheduler",
		from:  []string{"simulator/slurm/sched/feature", "simulator/slurm/sched/queue", "simulator/slurm/sched/rows", "simulator/slurm/sched/share", "simulator/slurm/sched/slots"},
		about: []string{"./..."},
		allow: []string{"executor/env"},
	}, {
		why:   "tables are below whoever reads and changes them",
		from:  []string{"simulator/slurm/state"},
		about: []string{"simulator/..."},
	}, {
		why:   "slurmctld knows no cloud: whoever composes a cluster boots machines and runs its programs",
		from:  []string{"simulator/slurm/ctld"},
		about: []string{"simulator/...", "asba/..."},
		allow: []string{"simulator", "simulator/record", "simulator/workload", "simulator/slurm", "simulator/slurm/conf", "simulator/slurm/sched", "simulator/slurm/state"},
	}, {
		why:   "scontrol's face is of the tables, whether a daemon schedules over them or not",
		from:  []string{"simulator/slurm"},
		about: []string{"simulator/..."},
		allow: []string{"simulator/slurm/state"},
	}, {
		why:   "settings are below whoever goes by them, and slurm.conf is read without a Slurm",
		from:  []string{"simulator/slurm/conf"},
		about: []string{"./..."},
		allow: []string{"asba/finding", "executor/hostlist"},
	}, {
		why:   "a machine of processors is what theory and published figures are about: nothing of Slurm or of clouds is in it",
		from:  []string{"simulator/processors"},
		about: []string{"./..."},
		allow: []string{"executor/env", "simulator", "simulator/record", "simulator/workload"},
	}, {
		why:   "how often EC2 may be called, by what it counts, how instances come up, when others see them, what its markets have, what it charges and what is to come: each is known by the model, and knows neither it nor the others",
		from:  []string{"simulator/ec2/throttle", "simulator/ec2/quota", "simulator/ec2/boot", "simulator/ec2/lag", "simulator/ec2/market", "simulator/ec2/billing", "simulator/ec2/agenda"},
		about: []string{"./..."},
		allow: []string{"executor/env", "executor/cloud", "simulator"}, // the engine's streams of chance
	}, {
		why:   "what all calls have in common is below every call: it knows no resource and no model",
		from:  []string{"simulator/ec2/api"},
		about: []string{"./..."},
		allow: []string{"executor/env", "executor/cloud", "simulator/faults"}, // codes and patterns are theirs, too
	}, {
		why:   "networks and templates are made, found and described without a model around them",
		from:  []string{"simulator/ec2/network", "simulator/ec2/template"},
		about: []string{"./..."},
		allow: []string{"asba/catalog/table", "executor/cloud", "executor/env", "simulator/ec2/api"}, // the table has regions' short names
	}, {
		why:   "the model knows neither the executor's port nor the wire: they are doors to it, each alone",
		from:  []string{"simulator/ec2", "simulator/ec2/port", "simulator/ec2/wire"},
		about: []string{"simulator/ec2/port", "simulator/ec2/wire"},
	}, {
		why:   "what somebody saw of markets is read into what a market replays: neither the model nor a scenario is in it",
		from:  []string{"simulator/ec2/recording"},
		about: []string{"./..."},
		allow: []string{"asba/finding", "executor/cloud", "simulator/ec2/market"},
	}, {
		why:   "a workload is jobs, and a record is what became of them: neither knows who simulates",
		from:  []string{"simulator/workload", "simulator/record"},
		about: []string{"./..."},
		allow: []string{"executor/env", "asba/finding"},
	}, {
		why:   "jobs get their plans as from an advisor: neither a scheduler nor EC2 is in it",
		from:  []string{"simulator/workload/planner"},
		about: []string{"./..."},
		allow: []string{"simulator/workload", "asba/advise", "asba/plan", "asba/plan/lint"}, // lint has the node's line in Slurm
	}, {
		why:   "a model draws jobs, by chances that it is handed",
		from:  []string{"simulator/workload/models"},
		about: []string{"./..."},
		allow: []string{"simulator/workload"},
	}, {
		why:   "a format of traces knows no other format, and none of them who simulates",
		from:  []string{"simulator/workload/trace", "simulator/workload/swf", "simulator/workload/jsonl", "simulator/workload/sacct"},
		about: []string{"./..."},
		allow: []string{"simulator/workload", "simulator/workload/trace", "asba/finding"},
	}, {
		why:   "a site is composed of models and of the executor: what is wrong between them is seen here, so nothing of a scenario's or of a program's is",
		from:  []string{"simulator/cluster"},
		about: []string{"./..."},
		allow: []string{"executor", "executor/config", "executor/env", "executor/hostlist", "executor/identity", "executor/plansource", "executor/report", "executor/slurm", "asba/catalog",
			"simulator", "simulator/ec2", "simulator/ec2/port", "simulator/faults", "simulator/record", "simulator/slurm/conf", "simulator/slurm/ctld", "simulator/slurm/sched", "simulator/workload", "simulator/workload/models"},
	}, {
		why:   "scenarios are carried out by what stands below them, whichever program asks",
		from:  []string{"simulator/enact"},
		about: []string{"cmd/...", "features/...", "localstack/...", "executor/host", "executor/awscloud", "simulator/report/..."},
	}, {
		why:   "programs are where everything meets: nothing imports them",
		from:  []string{"asba/...", "executor/...", "simulator/...", "localstack/...", "features/...", "fixtures/..."},
		about: []string{"cmd/..."},
	}, {
		why:   "fixtures and examples are data: whoever embeds them gets nothing else",
		from:  []string{"fixtures/...", "examples/..."},
		about: []string{"./..."},
	},
}

func init() {
	for room, more := range rooms {
		rules = append(rules, rule{
			why:   "rooms do not import each other: what two of them share is a leaf, or the executor's to hand over",
			from:  []string{room},
			about: []string{"./..."},
			allow: append(append([]string{}, leaves...), more...),
		})
	}
}

// pkg is what go list says of a package.
type pkg struct {
	Dir, ImportPath, Name, Doc string
	GoFiles                    []string
	TestGoFiles, XTestGoFiles  []string
	Imports                    []string
}

// path is the package's path in the module, "." for the module itself.
func (p pkg) path() string {
	if p.ImportPath == module {
		return "."
	}
	return strings.TrimPrefix(p.ImportPath, module+"/")
}

func packages(t *testing.T) []pkg {
	t.Helper()
	// -e: a package that does not compile today has imports all the same.
	cmd := exec.Command("go", "list", "-e", "-json=Dir,ImportPath,Name,Doc,GoFiles,TestGoFiles,XTestGoFiles,Imports", "./...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list shows %d packages", len(all))
	}
	return all
}

// matches reports whether a path is one of the patterns'. "./..." is this
// module, "..." everything.
func matches(path string, ours bool, patterns []string) bool {
	for _, p := range patterns {
		if p == "..." || p == "./..." && ours || p == path {
			return true
		}
		if base, ok := strings.CutSuffix(p, "/..."); ok && (path == base || strings.HasPrefix(path, base+"/")) {
			return true
		}
	}
	return false
}

// breaks returns the rule that an import breaks. Allowed are imports that match
// allow, and all imports of packages that match it with "in " before.
func breaks(from, imported string) (rule, bool) {
	short, ours := strings.CutPrefix(imported, module+"/")
	for _, r := range rules {
		if !matches(from, true, r.from) || !matches(short, ours, r.about) || matches(short, ours, r.allow) {
			continue
		}
		var in []string
		for _, a := range r.allow {
			if p, ok := strings.CutPrefix(a, "in "); ok {
				in = append(in, p)
			}
		}
		if !matches(from, true, in) {
			return r, true
		}
	}
	return rule{}, false
}

func TestArrows(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			if r, broken := breaks(p.path(), imported); broken {
				t.Errorf("%s imports %s: %s", p.path(), imported, r.why)
			}
		}
	}
}

// TestTheRulesForbidWhatTheyShould keeps a slip in a pattern from opening a
// door unseen.
func TestTheRulesForbidWhatTheyShould(t *testing.T) {
	for _, c := range []struct {
		from, to string
		broken   bool
	}{
		{"executor/env", "executor/cloud", true},
		{"executor/env", "time", false},
		{"executor/cloud", "executor/env", false},
		{"executor/cloud", "executor/config", true},
		{"executor/launch", "executor/calls", false},
		{"executor/launch", "executor/slurm", true},
		{"executor/config", "asba/plan", false},
		{"executor/calls", "asba/plan", true},
		{"executor/launch", "executor", true},
		{"executor/launch", "executor/program", true},
		{"executor/reconcile", "executor/suspend", true},
		{"executor/suspend", "executor", true},
		{"executor/slurm", "simulator/slurm", true},
		{"executor", "simulator", true},
		{"executor", "executor/host", true},
		{"executor", "executor/launch", false},
		{"executor", "localstack", true},
		{"executor/awscloud", "github.com/aws/aws-sdk-go-v2/service/ec2", false},
		{"executor", "github.com/aws/aws-sdk-go-v2/service/ec2/types", true},
		{"cmd/aws-slurm-burst", "github.com/aws/aws-sdk-go-v2/service/ec2", true},
		{"simulator/ec2/wire", "github.com/aws/aws-sdk-go-v2/service/ec2", true},
		{"simulator/ec2", "github.com/aws/smithy-go", true},
		{"features/runner", "github.com/cucumber/godog", false},
		{"cmd/aws-slurm-burst", "github.com/cucumber/godog", true},
		{"executor", "github.com/cucumber/gherkin/go/v26", true},
		{"features/steps", "executor", true},
		{"features/site", "github.com/cucumber/godog", true},
		{"features/site", "features/runner", true},
		{"features/advisor", "asba/protocol", true},
		{"features/steps", "features/advisor", false},
		{"features/report", "github.com/cucumber/godog", true},
		{"features/report", "localstack/faultproxy", true},
		{"features/site", "features/report", false},
		{"features/e2e", "features/site", false},
		{"features/e2e", "features/steps", true},
		{"features/e2e", "features/slurmtest", false},
		{"features/steps", "features/slurmtest", true},
		{"features/slurmtest", "features/site", true},
		{"asba/jobscript", "features/slurmtest", true},
		{"asba/jobscript", "executor/hostlist", false},
		{"asba/jobscript", "executor/slurm", true},
		{"asba/jobscript", "asba/plan", true},
		{"asba/jobscript/body", "asba/jobscript", true},
		{"asba/jobscript/value", "asba/jobscript", true},
		{"asba/jobscript/value", "asba/finding", true},
		{"features/e2e", "executor/slurm", true},
		{"features/e2e", "simulator/slurm", true},
		{"features/report", "github.com/chromedp/chromedp", true},
		{"features/browsertest", "github.com/chromedp/chromedp", false},
		{"asba/server", "features/browsertest", true},
		{"features/browsertest", "features/report", true},
		{"cmd/aws-slurm-burst", "features", true},
		{"cmd/aws-slurm-burst", "localstack/faultproxy", false},
		{"cmd/aws-slurm-burst", "localstack", true},
		{"cmd/aws-slurm-burst-lab", "features/runner", false},
		{"cmd/aws-slurm-burst-lab", "localstack/container", false},
		{"examples", "asba/plan", true},
		{"features/steps", "localstack/faultproxy", false},
		{"simulator", "executor/env", false},
		{"simulator", "simulator/ec2", true},
		{"simulator/ec2/wire", "simulator/ec2", false},
		{"simulator/ec2", "simulator/ec2/market", false},
		{"simulator/ec2", "simulator/record", false},
		{"simulator/ec2/market", "simulator", false},
		{"simulator/ec2/market", "simulator/ec2", true},
		{"simulator/ec2/billing", "simulator/ec2/market", true},
		{"simulator/ec2/boot", "simulator/record", true},
		{"simulator/ec2/lag", "simulator/ec2/boot", true},
		{"simulator/ec2/api", "simulator/ec2", true},
		{"simulator/ec2/network", "simulator/ec2/quota", true},
		{"simulator/ec2/template", "simulator/ec2/network", true},
		{"simulator/ec2/port", "simulator/ec2", false},
		{"simulator/ec2", "simulator/ec2/port", true},
		{"simulator/ec2/recording", "simulator/ec2/market", false},
		{"simulator/ec2/recording", "simulator/scenario", true},
		{"simulator/slurm", "executor/slurm", true},
		{"simulator/slurm/sched", "simulator", true},
		{"simulator/processors", "simulator/workload", false},
		{"simulator/processors", "simulator/slurm/sched", true},
		{"simulator/slurm/sched", "executor/env", false},
		{"simulator/slurm", "simulator/slurm/ctld", true},
		{"simulator/slurm/ctld", "simulator/slurm", false},
		{"simulator/slurm/ctld", "executor/slurm", true},
		{"simulator/slurm/ctld", "simulator/ec2", true},
		{"simulator/slurm/state", "simulator", true},
		{"simulator/slurm/conf", "simulator/slurm/state", true},
		{"simulator/slurm/sched/share", "simulator/slurm/sched", true},
		{"simulator/slurm/sched/rows", "simulator/slurm/sched", true},
		{"simulator/slurm/sched/slots", "simulator/slurm/sched/rows", true},
		{"simulator/slurm/sched/site", "simulator/slurm/sched/rows", true},
		{"simulator/slurm/sched/site", "simulator/slurm/sched/pick", true},
		{"simulator/slurm/sched/pick", "simulator/slurm/sched/ahead", true},
		{"simulator/slurm/sched", "simulator/slurm/sched/rows", true},
		{"simulator/slurm/sched/site", "simulator/slurm/sched/slots", false},
		{"simulator/slurm/sched", "simulator/slurm/sched/queue", false},
		{"simulator/chaos", "executor", false},
		{"asba/plan", "asba/protocol", true},
		{"asba/plan", "asba/plan/schema", true},
		{"asba/plan/schema", "asba/plan", false},
		{"asba/plan/schema", "asba/plan/lint", true},
		{"asba/plan/plantest", "pgregory.net/rapid", false},
		{"asba/plan/lint", "asba/plan/plantest", true},
		{"asba/plan/check", "asba/plan/lint", false},
		{"asba/plan/check", "executor/config", true},
		{"asba/finding/render", "asba/finding", false},
		{"asba/finding/patch", "asba/plan", true},
		{"asba/finding/read", "asba/finding", false},
		{"asba/finding/read", "executor/config", true},
		{"executor/config", "asba/finding/read", false},
		{"executor/slurm", "asba/finding/read", true},
		{"simulator/scenario", "asba/finding/read", false},
		{"simulator/scenario", "executor/config", true},
		{"asba/protocol", "asba/plan", false},
		{"asba/protocol", "asba/plan/lint", true},
		{"executor/plansource", "asba/protocol", false},
		{"executor/host", "asba/protocol", true},
		{"asba/server", "executor", true},
		{"asba/advise", "asba/plan/lint", false},
		{"asba/advise", "asba/jobscript", true},
		{"asba/advise", "executor/hostlist", true},
		{"asba/scriptjob", "asba/jobscript", false},
		{"asba/scriptjob", "asba/slurmjob", true},
		{"asba/slurmjob", "asba/advise", false},
		{"asba/slurmjob", "executor/slurm", true},
		{"localstack", "executor/host", true},
		{"localstack/faultproxy", "simulator/faults", false},
		{"localstack/container", "github.com/testcontainers/testcontainers-go", false},
		{"localstack/container", "localstack", false},
		{"localstack", "localstack/container", true},
		{"localstack/standin", "localstack/localstacktest", true},
		{"localstack", "github.com/moby/moby/client", true},
		{"features/steps", "github.com/testcontainers/testcontainers-go", true},
		{"cmd/aws-slurm-burst", "localstack/container", true},
		{"cmd/aws-slurm-burst-lab", "localstack/container", false},
		{"localstack/faultproxy", "localstack/query", false},
		{"localstack/faultproxy", "localstack/standin", true},
		{"localstack/standin", "localstack", true},
		{"simulator/report", "cmd/internal/app", true},
		{"cmd/asba", "asba/server", false},
		{"asba/server", "asba/protocol", false},
		{"asba/server", "asba/advise", true},
		{"asba/daemon", "asba/server", true},
		{"asba/daemon", "executor/host", true},
		{"cmd/asba", "github.com/prometheus/client_golang/prometheus", true},
		{"simulator/slurm/conf", "executor/hostlist", false},
		{"simulator/slurm/conf", "simulator/slurm", true},
		{"simulator/workload", "simulator/workload/swf", true},
		{"simulator/workload/swf", "simulator/workload/trace", false},
		{"simulator/workload/swf", "simulator/slurm", true},
		{"simulator/workload/swf", "simulator/workload/jsonl", true},
		{"simulator/workload/models", "simulator", true},
		{"simulator/workload/planner", "asba/advise", false},
		{"simulator/workload/planner", "simulator/workload/swf", true},
		{"fixtures", "asba/plan", true},
	} {
		to := c.to
		if !strings.Contains(strings.Split(to, "/")[0], ".") && to != "time" {
			to = module + "/" + to
		}
		if _, broken := breaks(c.from, to); broken != c.broken {
			t.Errorf("%s -> %s: forbidden %v", c.from, c.to, broken)
		}
	}
}

// What slurmctld and operators run carries no runner of scenarios, at any depth:
// it would run `go` at every start, and grow several times over.
func TestTheLabAloneCarriesTheScenarioRunner(t *testing.T) {
	programs, err := filepath.Glob("cmd/aws-slurm-burst*")
	if err != nil || len(programs) < 5 {
		t.Fatalf("programs %v, %v", programs, err)
	}
	for _, p := range programs {
		out, err := exec.Command("go", "list", "-deps", "./"+p).Output()
		if err != nil {
			t.Fatalf("go list -deps %s: %v", p, err)
		}
		heavy := strings.Contains(string(out), "github.com/cucumber/godog\n") || strings.Contains(string(out), "github.com/testcontainers/")
		if lab := p == "cmd/aws-slurm-burst-lab"; heavy != lab {
			t.Errorf("%s carries the scenario runner or containers: %v", p, heavy)
		}
	}
}

// TestEveryRoomHasARule: a new room of the executor says in the table above what
// it stands on.
func TestEveryRoomHasARule(t *testing.T) {
	for _, p := range packages(t) {
		path := p.path()
		if !strings.HasPrefix(path, "executor/") || strings.HasPrefix(path, "executor/env/") {
			continue
		}
		if _, ok := rooms[path]; !ok && !matches(path, true, leaves) {
			t.Errorf("%s is neither a leaf nor a room of house_test.go: enter it there", path)
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) > 0 && p.Doc == "" {
			t.Errorf("%s has no package comment: say what it is and what it does not do", p.path())
		}
	}
}

// TestContributingListsEveryPackage: a row has a package by its path, and those
// below it by the rest of theirs.
func TestContributingListsEveryPackage(t *testing.T) {
	page, err := os.ReadFile("CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| package | what it is |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := strings.Split(strings.TrimSpace(table), "\n")
	listed := func(path string) bool {
		for _, row := range rows {
			if strings.Contains(row, "`"+path+"`") {
				return true
			}
			first, _, _ := strings.Cut(strings.TrimPrefix(row, "| `"), "`")
			if rest, below := strings.CutPrefix(path, first); below && strings.Contains(row, "`"+strings.TrimPrefix(rest, "/")+"`") {
				return true
			}
		}
		return strings.Contains(rows[1], "`"+strings.TrimPrefix(path, "cmd/aws-slurm-burst")+"`") // those that slurmctld calls
	}
	for _, p := range packages(t) {
		if p.path() != "." && !listed(p.path()) {
			t.Errorf("CONTRIBUTING.md has no word on %s: enter it in the table", p.path())
		}
	}
	for _, row := range rows[1:] {
		path, _, _ := strings.Cut(strings.TrimPrefix(row, "| `"), "`")
		if _, err := os.Stat(path); err != nil {
			t.Errorf("CONTRIBUTING.md: %v", err)
		}
	}
}

// topLevel are the folders of the house and what is in them.
var topLevel = map[string]string{
	"asba": "the advisor", "cmd": "the programs", "docs": "documents", "examples": "configurations to begin with",
	"executor": "what Slurm calls", "features": "behaviour scenarios", "fixtures": "data of tests and scenarios",
	"localstack": "LocalStack, found or started", "packaging": "packages and services", "simulator": "virtual time",
	"bin": "what `make build` builds, ignored by git",
}

func TestTheHouseHasNoOtherFolders(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && topLevel[e.Name()] == "" {
			t.Errorf("folder %s has no place in the house: put it into one of the rooms, or enter it here with its reason", e.Name())
		}
	}
}

// TestLargePackagesHaveTests: a package that nobody can read in one sitting has
// at least tests to say what it does.
func TestLargePackagesHaveTests(t *testing.T) {
	const large = 900 // lines
	for _, p := range packages(t) {
		lines := 0
		for _, name := range p.GoFiles {
			data, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			lines += strings.Count(string(data), "\n")
		}
		if lines <= large {
			continue
		}
		// The steps are tests themselves: every scenario runs them.
		if len(p.TestGoFiles)+len(p.XTestGoFiles) == 0 && p.path() != "features/steps" {
			t.Errorf("%s has %d lines and no test", p.path(), lines)
		}
		t.Logf("%s has %d lines", p.path(), lines)
	}
}
