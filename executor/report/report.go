// Package report is what a call of a program answers: what became of every
// node, what was tried, and the exit code. Its JSON form is a contract
// (docs/CLI.md, docs/resume.schema.json). It decides nothing and prints nothing.
package report

import (
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/ladder"
)

// The exit codes of the programs (docs/CLI.md). slurmctld ignores them; people
// and CI don't.
const (
	ExitDone        = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitPartly      = 3
	ExitPlan        = 4
	ExitCapacity    = 5
	ExitQuota       = 6
	ExitPermission  = 7
	ExitLocked      = 8
	ExitConfig      = 9
	ExitInterrupted = 130
)

// ExitOf is the exit code of an error's class.
func ExitOf(c cloud.Class) int {
	switch {
	case c == cloud.Throttle || c.AnyQuota():
		return ExitQuota
	case c.NextRung():
		return ExitCapacity
	case c == cloud.Permission || c == cloud.Credentials:
		return ExitPermission
	case c == cloud.Config || c == cloud.Unsupported:
		return ExitConfig
	}
	return ExitFailed
}

// The modes of a resume.
const (
	ModeStandalone = "standalone"
	ModeASBA       = "asba"
)

// The kinds of dry run.
const (
	DryRunClient = "client" // no call at all
	DryRunServer = "server" // EC2 is asked whether it would
)

// The states of a node in a report.
const (
	NodePlanned    = "planned"    // a dry run
	NodeLaunched   = "launched"   // an instance was started for it
	NodeAdopted    = "adopted"    // it had an instance of its power-up already
	NodeGivenBack  = "given-back" // Slurm has it back, with a reason
	NodeFailed     = "failed"     // no instance; without Slurm nobody is told
	NodeSuspended  = "suspended"  // not wanted any more
	NodeTerminated = "terminated" // its instance was ended
	NodeAbsent     = "absent"     // there was nothing to end
	NodePending    = "pending"    // its instance runs, Slurm does not know its address yet
)

// Report says what a call did; its JSON form is a contract (docs/CLI.md).
type Report struct {
	Command string `json:"command"`
	// Mode is standalone or asba.
	Mode string `json:"mode"`
	// Plan tells where the plan of the call came from; null without one, and
	// where each job has its own: Decisions tell those.
	Plan     *PlanInfo         `json:"plan"`
	DryRun   string            `json:"dry_run,omitempty"`
	Nodes    []Node            `json:"nodes"`
	Rungs    []Rung            `json:"rungs"`
	Excluded []ladder.Excluded `json:"excluded,omitempty"`
	// Decisions says for each group of nodes where its settings came from.
	Decisions []Decision `json:"decisions,omitempty"`
	// Actions are what reconcile did, or would do.
	Actions []Action `json:"actions,omitempty"`
	// APICalls counts EC2 calls by operation.
	APICalls map[string]int `json:"api_calls"`
	// ScontrolCalls counts calls of scontrol by verb.
	ScontrolCalls map[string]int    `json:"scontrol_calls,omitempty"`
	Findings      []finding.Finding `json:"findings"`
	// HourlyCost is what the launched and adopted nodes cost at most, in USD
	// an hour; null where a price is not known.
	HourlyCost *float64 `json:"hourly_cost"`
	// PriceDate is the day of the oldest on-demand price in it, YYYY-MM-DD; ""
	// where there is none.
	PriceDate string `json:"price_date,omitempty"`
	Error     string `json:"error,omitempty"`
	ExitCode  int    `json:"exit_code"`

	index map[string]int // of Nodes, by name
}

// PlanInfo identifies a plan.
type PlanInfo struct {
	Source  string `json:"source"`
	Digest  string `json:"digest,omitempty"`
	Dialect string `json:"dialect,omitempty"`
	// Outcome is used, missing, invalid, untrusted (used without what only a
	// trusted plan may set), or advises-against.
	Outcome string `json:"outcome"`
}

// The outcomes of a plan.
const (
	PlanUsed      = "used"
	PlanMissing   = "missing"
	PlanInvalid   = "invalid"
	PlanUntrusted = "untrusted"
	PlanAgainst   = "advises-against"
)

// Node is one node's outcome.
type Node struct {
	Name         string       `json:"name"`
	State        string       `json:"state"`
	InstanceID   string       `json:"instance_id"`
	InstanceType string       `json:"instance_type"`
	Market       cloud.Market `json:"market"`
	AZ           string       `json:"az"`
	PrivateIP    string       `json:"private_ip"`
	Job          string       `json:"job,omitempty"`
	Error        string       `json:"error"`
}

// Rung is one rung that was tried, or, in a dry run, would be.
type Rung struct {
	Type     string       `json:"type"`
	Market   cloud.Market `json:"market"`
	AZ       string       `json:"az"`
	SubnetID string       `json:"subnet_id,omitempty"`
	Outcome  string       `json:"outcome"`
	Code     string       `json:"code"`
	Nodes    int          `json:"nodes"`
	Job      string       `json:"job,omitempty"`
	MaxPrice float64      `json:"max_price,omitempty"`
	Price    float64      `json:"price,omitempty"`
	// PriceDate is the day of the on-demand price, "" where Price is a cap.
	PriceDate string `json:"price_date,omitempty"`
	EFA       int    `json:"efa_interfaces,omitempty"`
	Group     string `json:"placement,omitempty"`
}

// Decision is what a group of nodes was launched by, with the source of each
// setting: plan, config or default. Nodes that were given back because of the
// plan of their jobs have no setting.
type Decision struct {
	Job   string `json:"job,omitempty"`
	Nodes string `json:"nodes"`
	Gang  bool   `json:"gang"`
	// Plan is the one that decided, or that nothing was launched because of;
	// null where the configuration alone did.
	Plan     *PlanInfo `json:"plan"`
	Settings []Source  `json:"settings"`
}

// Source is one setting and where it came from.
type Source struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	From  string `json:"from"`
}

// Action is one thing that reconcile did, or would do.
type Action struct {
	Kind     string `json:"kind"`
	Node     string `json:"node,omitempty"`
	Instance string `json:"instance_id,omitempty"`
	Text     string `json:"text"`
	Done     bool   `json:"done"`
	Error    string `json:"error,omitempty"`
}

// few is how many nodes are looked through faster than an index of them is made.
const few = 16

// Node returns the outcome of a node, adding it at first sight.
func (r *Report) Node(name string) *Node {
	if len(r.Nodes) <= few {
		for i := range r.Nodes {
			if r.Nodes[i].Name == name {
				return &r.Nodes[i]
			}
		}
		r.index = nil
		r.Nodes = append(r.Nodes, Node{Name: name})
		return &r.Nodes[len(r.Nodes)-1]
	}
	if r.index == nil {
		r.index = map[string]int{}
		for i, n := range r.Nodes {
			r.index[n.Name] = i
		}
	}
	i, ok := r.index[name]
	if !ok {
		i = len(r.Nodes)
		r.index[name] = i
		r.Nodes = append(r.Nodes, Node{Name: name})
	}
	return &r.Nodes[i]
}

// New returns the report of a call that has done nothing yet.
func New(command string, nodes []string) *Report {
	r := &Report{Command: command, Mode: ModeStandalone, Nodes: make([]Node, len(nodes)), Rungs: []Rung{}, APICalls: map[string]int{}, Findings: []finding.Finding{}}
	for i, n := range nodes {
		r.Nodes[i].Name = n
	}
	return r
}
