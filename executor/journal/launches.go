package journal

import (
	"slices"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
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
}

// Placed says which instance serves a node.
type Placed struct {
	Node     string `json:"node"`
	Instance string `json:"instance"`
}

func launchName(token string) string { return launchesFolder + "/" + token + ".json" }

// Open writes the intent of a launch, before the call, and returns the record.
func (j *Journal) Open(l Launch) (Launch, error) {
	l.State, l.Endpoint, l.Written = Intent, j.endpoint, j.env.Now()
	l.Updated = l.Written
	return l, put(j.store, launchName(l.Request.Token), l)
}

// Placed records that a launch's instances serve these nodes.
func (j *Journal) Placed(l Launch, placed []Placed) error {
	l.Endpoint = j.endpoint
	l.State, l.Placed, l.Updated = Launched, placed, j.env.Now()
	return put(j.store, launchName(l.Request.Token), l)
}

// Close records that nothing of a launch lives (any more) and why, and moves
// it to the history.
func (j *Journal) Close(l Launch, state State, code string) error {
	l.State, l.Code, l.Updated = state, code, j.env.Now()
	if err := put(j.store, dated(historyFolder, l.Updated, l.Request.Token), l); err != nil {
		return err
	}
	return j.remove(launchName(l.Request.Token))
}

// Launches returns the intents and the launches that may live, by token.
func (j *Journal) Launches() ([]Launch, error) {
	all, err := load[Launch](j, launchesFolder)
	return slices.DeleteFunc(all, func(l Launch) bool { return l.Endpoint != j.endpoint }), err
}

// History returns the launches that have ended or failed, in the order of their
// ends.
func (j *Journal) History() ([]Launch, error) { return load[Launch](j, historyFolder) }

// Prune forgets the history and the calls before t. It goes by the files' names,
// and reads none: there may be thousands.
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
	return nil
}
