package journal

import (
	"strings"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
)

// State is how far a launch has come.
type State string

// A launch is first an intent; the answer makes it launched or failed. Ended
// means that its instances were terminated. An intent that stays one is a
// crash, or an answer that never came.
//
//	intent ──► launched ──► ended
//	   └─────► failed
const (
	Intent   State = "intent"
	Launched State = "launched"
	Failed   State = "failed"
	Ended    State = "ended"
)

// Launch is the record of one RunInstances call.
type Launch struct {
	State State `json:"state"`
	// Endpoint is where the call went.
	Endpoint string `json:"endpoint,omitempty"`
	// Call is the nonce of the resume call that made it.
	Call string `json:"call,omitempty"`
	// Nodes are the node names in launch order, folded.
	Nodes string `json:"nodes"`
	Job   string `json:"job,omitempty"`
	Plan  string `json:"plan,omitempty"` // the plan's digest
	// Gang says that fewer instances than nodes are worth nothing.
	Gang bool `json:"gang,omitempty"`
	// Request is the call, whole: repeated, it is word for word the same.
	Request cloud.LaunchRequest `json:"request"`
	// Written is when the intent was written, Updated the last change.
	Written env.Time `json:"written"`
	Updated env.Time `json:"updated"`
	// Placed maps nodes to instances, in launch order.
	Placed []Placed `json:"placed,omitempty"`
	// Code is why the launch failed or ended.
	Code string `json:"code,omitempty"`

	// File is the record's name in the store, "" before it is written.
	File string `json:"-"`
}

// Placed says which instance serves a node.
type Placed struct {
	Node     string `json:"node"`
	Instance string `json:"instance"`
}

// maxNodes is how long a list of nodes is that goes into the name of a file: with
// the token, and what a store adds while it writes, a name stays below 255 bytes.
const maxNodes = 150

// launchName names a record by its token and its nodes, which no change of the
// record changes: who asks for some nodes reads the records of no others.
func launchName(l Launch) string {
	name := launchesFolder + "/" + l.Request.Token
	if l.Nodes != "" && len(l.Nodes) <= maxNodes {
		name += "@" + l.Nodes
	}
	return name + ".json"
}

// nodesIn returns the nodes in the name of a launch's file; false where it has none.
func nodesIn(name string) (string, bool) {
	_, nodes, ok := strings.Cut(strings.TrimSuffix(name, ".json"), "@")
	return nodes, ok
}

// Open writes the intent of a launch, before the call, and returns the record.
func (j *Journal) Open(l Launch) (Launch, error) {
	l.State, l.Endpoint, l.Written = Intent, j.endpoint, j.env.Now()
	l.Updated, l.File = l.Written, launchName(l)
	return l, put(j.store, l.File, l)
}

// Placed records that a launch's instances serve these nodes.
func (j *Journal) Placed(l Launch, placed []Placed) error {
	l.Endpoint = j.endpoint
	l.State, l.Placed, l.Updated = Launched, placed, j.env.Now()
	return put(j.store, l.File, l)
}

// Close records that nothing of a launch lives (any more) and why, and moves
// it to the history.
func (j *Journal) Close(l Launch, state State, code string) error {
	l.State, l.Code, l.Updated = state, code, j.env.Now()
	if err := put(j.store, dated(historyFolder, l.Updated, l.Request.Token), l); err != nil {
		return err
	}
	return j.remove(l.File)
}

// Launches returns the intents and the launches that may live, by token.
func (j *Journal) Launches() ([]Launch, error) {
	return j.launches(func(string) bool { return true })
}

// LaunchesOf is Launches for a call that is about some nodes: those that name one
// of them, and maybe others.
func (j *Journal) LaunchesOf(nodes []string) ([]Launch, error) {
	f := hostlist.NewFinder(nodes)
	return j.launches(func(name string) bool {
		list, ok := nodesIn(name)
		return !ok || f.MayBeIn(list)
	})
}

func (j *Journal) launches(wanted func(name string) bool) ([]Launch, error) {
	names, err := j.list(launchesFolder)
	var out []Launch
	for _, name := range names {
		if !wanted(name) {
			continue
		}
		if l, ok := read[Launch](j, name); ok && l.Endpoint == j.endpoint {
			l.File = name
			out = append(out, l)
		}
	}
	return out, err
}

// History returns the launches that have ended or failed, in the order of their
// ends.
func (j *Journal) History() ([]Launch, error) { return load[Launch](j, historyFolder) }

// Prune forgets the history, the calls and the failures before t. It goes by the
// names of the files of the first two, and reads none: there may be thousands.
func (j *Journal) Prune(t env.Time) error {
	for _, folder := range []string{historyFolder, callsFolder} {
		names, err := j.list(folder)
		if err != nil {
			return err
		}
		for _, name := range names {
			if name >= dated(folder, t, "") {
				break
			}
			if err := j.remove(name); err != nil {
				return err
			}
		}
	}
	return j.pruneFailures(t)
}
