package journal

import (
	"encoding/base64"
	"iter"
	"slices"
	"strings"

	"aws-slurm-burst/executor/env"
)

// Call is the record of one resume call: what Slurm asked for, with the copy
// of its resume file, which disappears when the program ends.
type Call struct {
	Nonce string   `json:"nonce"`
	At    env.Time `json:"at"`
	Nodes string   `json:"nodes"` // folded
	// ResumeFile is the file as it was, byte for byte (a user's --extra need
	// not be UTF-8); empty where there was none.
	ResumeFile []byte `json:"resume_file,omitempty"`
	// Exit is the exit code once the call has ended, -1 before.
	Exit int `json:"exit"`
}

// Begin records that a resume call has begun, and returns the record.
func (j *Journal) Begin(c Call) (Call, error) {
	c.At, c.Exit = j.env.Now(), -1
	return c, c.put(j.store)
}

func (c *Call) put(s Store) error {
	var f flat
	f.text("nonce", c.Nonce)
	f.number("at", int64(c.At))
	f.text("nodes", c.Nodes)
	f.text("resume_file", base64.StdEncoding.EncodeToString(c.ResumeFile))
	f.number("exit", int64(c.Exit))
	return write(s, dated(callsFolder, c.At, c.Nonce), f.line())
}

// End records how a resume call ended.
func (j *Journal) End(c Call, exit int) error {
	c.Exit = exit
	return c.put(j.store)
}

// Calls returns the resume calls, the first one first.
func (j *Journal) Calls() ([]Call, error) { return load[Call](j, callsFolder) }

// Latest yields the resume calls, the last one first.
func (j *Journal) Latest() iter.Seq[Call] {
	return func(yield func(Call) bool) {
		names, err := j.list(callsFolder)
		if err != nil {
			env.Warnf(j.env, "journal", "%v", err)
		}
		for _, name := range slices.Backward(names) {
			if c, ok := read[Call](j, name); ok && !yield(c) {
				return
			}
		}
	}
}

// CallOf returns the resume call with a nonce; false where it is not on record.
func (j *Journal) CallOf(nonce string) (Call, bool) {
	names, err := j.list(callsFolder)
	if err != nil {
		return Call{}, false
	}
	for _, name := range names {
		if strings.HasSuffix(name, "-"+nonce+".json") {
			return read[Call](j, name)
		}
	}
	return Call{}, false
}

// Push is a set of addresses that slurmctld has not taken yet.
type Push struct {
	ID    string   `json:"id"`
	At    env.Time `json:"at"`
	Addrs []Addr   `json:"addrs"`
	// SingleUse and Reason repeat what the push was to set with the addresses.
	SingleUse bool   `json:"single_use,omitempty"`
	Reason    string `json:"reason,omitempty"`
}

// Addr is a node's address.
type Addr struct {
	Node     string `json:"node"`
	IP       string `json:"ip"`
	Instance string `json:"instance"`
}

// Owe records a push that has to be repeated.
func (j *Journal) Owe(p Push) error {
	p.At = j.env.Now()
	return put(j.store, pushesFolder+"/"+p.ID+".json", p)
}

// Owed returns the pushes that have to be repeated, by id.
func (j *Journal) Owed() ([]Push, error) { return load[Push](j, pushesFolder) }

// Paid forgets a push.
func (j *Journal) Paid(p Push) error { return j.remove(pushesFolder + "/" + p.ID + ".json") }

// Group is a placement group we have made (or were about to make).
type Group struct {
	Name string   `json:"name"`
	At   env.Time `json:"at"`
}

// AddGroup records a placement group before it is made.
func (j *Journal) AddGroup(name string) error {
	return put(j.store, groupsFolder+"/"+name+".json", Group{name, j.env.Now()})
}

// Groups returns the placement groups on record, by name.
func (j *Journal) Groups() ([]Group, error) { return load[Group](j, groupsFolder) }

// DropGroup forgets a placement group that is gone.
func (j *Journal) DropGroup(name string) error {
	return j.remove(groupsFolder + "/" + name + ".json")
}
