package journal

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

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
	// Request is the call, whole: repeated, it is word for word the same. Nobody
	// repeats a launch that was answered: Launches and LaunchesOf tell of its
	// request the token alone, while the record keeps all of it.
	Request cloud.LaunchRequest `json:"-"`
	// Written is when the intent was written, Updated the last change; of an intent
	// given up in doubt, when it was last asked for.
	Written env.Time `json:"written"`
	Updated env.Time `json:"updated"`
	// Placed maps nodes to instances, in launch order.
	Placed []Placed `json:"placed,omitempty"`
	// Code is why the launch failed or ended.
	Code string `json:"code,omitempty"`

	// File is the record's name in the store, "" before it is written.
	File string `json:"-"`

	kept []byte // the request as the record has it
}

// record is the first line of a launch's file; its request is the second. Most who
// read one look for a node's instance, and the request is the longer part by far: it
// is written once, and from then on passed on unread.
type record struct {
	Launch
	Token string `json:"token,omitempty"`
	// Serves is Placed in one text: "n1=i-0a n2=i-0b". Files that were once written
	// have "placed" instead, and the request beside it.
	Serves string         `json:"serves,omitempty"`
	Old    jsontext.Value `json:"request,omitempty"`
}

// serves writes nodes and instances, neither of which has a blank or a "=".
func serves(placed []Placed) string {
	var b strings.Builder
	for i, p := range placed {
		if i == 0 {
			b.Grow(len(placed) * (len(p.Node) + len(p.Instance) + len("= ")))
		} else {
			b.WriteByte(' ')
		}
		b.WriteString(p.Node)
		b.WriteByte('=')
		b.WriteString(p.Instance)
	}
	return b.String()
}

// placedIn reads what serves writes.
func placedIn(text string) ([]Placed, error) {
	placed := make([]Placed, 0, strings.Count(text, " ")+1)
	for more := true; more; {
		var pair string
		pair, text, more = strings.Cut(text, " ")
		node, instance, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, fmt.Errorf("serves: %q is not NODE=INSTANCE", pair)
		}
		placed = append(placed, Placed{node, instance})
	}
	return placed, nil
}

// put writes a record under a name.
func (l *Launch) put(s Store, name string) error {
	if l.kept == nil {
		var err error
		if l.kept, err = json.Marshal(l.Request, json.Deterministic(true)); err != nil {
			return fmt.Errorf("journal %s: %w", name, err)
		}
	}
	var f flat
	f.text("state", string(l.State))
	f.text("endpoint", l.Endpoint)
	f.text("call", l.Call)
	f.text("nodes", l.Nodes)
	f.text("job", l.Job)
	f.text("plan", l.Plan)
	f.yes("gang", l.Gang)
	f.number("written", int64(l.Written))
	f.number("updated", int64(l.Updated))
	f.text("code", l.Code)
	f.text("token", l.Request.Token)
	f.text("serves", serves(l.Placed))
	return write(s, name, append(append(f.line(), l.kept...), '\n'))
}

// read reads the first line of a file.
func (r *record) read(line []byte) error {
	if flatten(line, r.member) {
		return nil
	}
	*r = record{}
	return json.Unmarshal(line, r)
}

// member takes one member of what put writes.
func (r *record) member(key, value string, quoted bool) bool {
	var to *string
	switch key {
	case "state":
		r.State = State(value)
		return quoted
	case "gang":
		r.Gang = true
		return !quoted && value == "true"
	case "written":
		return !quoted && instant(value, &r.Written)
	case "updated":
		return !quoted && instant(value, &r.Updated)
	case "endpoint":
		to = &r.Endpoint
	case "call":
		to = &r.Call
	case "nodes":
		to = &r.Nodes
	case "job":
		to = &r.Job
	case "plan":
		to = &r.Plan
	case "code":
		to = &r.Code
	case "token":
		to = &r.Token
	case "serves":
		to = &r.Serves
	default:
		return false
	}
	*to = value
	return quoted
}

var errCut = errors.New("the request is missing: the file was cut short")

// readLaunch reads a record, and of its request as much as is of use: all, of one
// that may be repeated, or where whole is asked for.
func (j *Journal) readLaunch(name string, whole bool) (Launch, bool) {
	return decode(j, name, func(data []byte) (Launch, error) {
		var r record
		line, rest, _ := bytes.Cut(data, []byte{'\n'})
		if err := r.read(line); err != nil {
			return Launch{}, err
		}
		l := r.Launch
		l.File = name
		if r.Serves != "" {
			var err error
			if l.Placed, err = placedIn(r.Serves); err != nil {
				return Launch{}, err
			}
		}
		request, ended := bytes.CutSuffix(rest, []byte{'\n'})
		switch {
		case r.Old != nil:
			l.kept, whole = r.Old, true
		case !ended:
			return Launch{}, errCut
		default:
			l.kept, l.Request.Token = request, r.Token
		}
		if !whole && l.State != Intent {
			return l, nil
		}
		err := json.Unmarshal(l.kept, &l.Request)
		return l, err
	})
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
	err := l.put(j.store, l.File)
	return l, err
}

// Placed records that a launch's instances serve these nodes.
func (j *Journal) Placed(l Launch, placed []Placed) error {
	l.State, l.Placed, l.Updated = Launched, placed, j.env.Now()
	return l.put(j.store, l.File)
}

// Doubt records that a launch, last asked for at an instant, was given up without
// knowing what lives of it, but for the instances that EC2 has named. It stays an
// intent.
func (j *Journal) Doubt(l Launch, named []Placed, asked env.Time) (Launch, error) {
	l.State, l.Placed, l.Updated = Intent, named, max(asked, l.Written+1)
	err := l.put(j.store, l.File)
	return l, err
}

// Close records that nothing of a launch lives (any more) and why, and moves
// it to the history.
func (j *Journal) Close(l Launch, state State, code string) error {
	l.State, l.Code, l.Updated = state, code, j.env.Now()
	if err := l.put(j.store, dated(historyFolder, l.Updated, l.Request.Token)); err != nil {
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
	names = slices.DeleteFunc(names, func(name string) bool { return !wanted(name) })
	if len(names) == 0 {
		return nil, err
	}
	out := make([]Launch, 0, len(names))
	for _, name := range names {
		if l, ok := j.readLaunch(name, false); ok && l.Endpoint == j.endpoint {
			out = append(out, l)
		}
	}
	return out, err
}

// History returns the launches that have ended or failed, in the order of their
// ends, with their requests.
func (j *Journal) History() ([]Launch, error) {
	return loadWith(j, historyFolder, func(name string) (Launch, bool) { return j.readLaunch(name, true) })
}

// Prune forgets the history, the calls and the failures before t. It goes by the
// names of the files of the first two, and reads none: there may be thousands.
func (j *Journal) Prune(t env.Time) error {
	for _, folder := range []string{historyFolder, callsFolder} {
		names, err := j.list(folder)
		if err != nil {
			return err
		}
		until := dated(folder, t, "")
		for _, name := range names {
			if name >= until {
				break
			}
			if err := j.remove(name); err != nil {
				return err
			}
		}
	}
	return j.pruneFailures(t)
}
