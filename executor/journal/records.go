package journal

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
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
	return c, put(j.store, dated(callsFolder, c.At, c.Nonce), c)
}

// End records how a resume call ended.
func (j *Journal) End(c Call, exit int) error {
	c.Exit = exit
	return put(j.store, dated(callsFolder, c.At, c.Nonce), c)
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

// Suspend is a tombstone: nothing that was launched for these nodes before At
// may serve them again.
type Suspend struct {
	At    env.Time `json:"at"`
	Nodes string   `json:"nodes"` // folded
	Job   string   `json:"job,omitempty"`
	// Others are tombstones that Compact has put into this file, earlier ones.
	Others []Suspend `json:"others,omitempty"`
}

// suspendName names a file of tombstones. The name of one alone says all that it
// says, where its nodes fit in: there is nothing to be read in it.
func suspendName(s Suspend, n int) string {
	own := strconv.Itoa(n)
	if len(s.Others) == 0 && len(s.Nodes) <= maxNodes {
		own += "@" + s.Nodes
	}
	return dated(suspendsFolder, s.At, own)
}

// suspendIn returns the tombstone that a file's name says.
func suspendIn(name string) (Suspend, bool) {
	nodes, ok := nodesIn(name)
	if !ok {
		return Suspend{}, false
	}
	digits, _, _ := strings.Cut(strings.TrimPrefix(name, suspendsFolder+"/"), "-")
	at, err := strconv.ParseInt(digits, 10, 64)
	return Suspend{At: env.Time(at), Nodes: nodes}, err == nil
}

// Bury writes a tombstone for the nodes, as of now.
func (j *Journal) Bury(nodes []string) error {
	_, err := j.bury(Suspend{At: j.env.Now(), Nodes: hostlist.Fold(nodes)})
	return err
}

// bury writes a file of tombstones and returns its name.
func (j *Journal) bury(s Suspend) (string, error) {
	name := suspendName(s, int(j.env.Rand("tombstone").Uint64()%1e6))
	return name, put(j.store, name, s)
}

// Tombstones are the tombstones of an instant.
type Tombstones struct {
	all   []Suspend // the latest first
	names []string  // of their files, sorted
	at    map[string]env.Time
}

// At is when a node was last suspended; zero where it never was, as far as the
// journal knows. Few of the nodes that have a tombstone are ever asked for.
func (t *Tombstones) At(node string) env.Time {
	if len(t.all) == 0 {
		return 0
	}
	at, ok := t.at[node]
	if !ok {
		finder := hostlist.NewFinder([]string{node})
		for i := range t.all {
			if finder.In(t.all[i].Nodes) {
				at = t.all[i].At
				break
			}
		}
		if t.at == nil {
			t.at = map[string]env.Time{}
		}
		t.at[node] = at
	}
	return at
}

// add takes the tombstones of a file.
func (t *Tombstones) add(s Suspend) {
	t.all = append(t.all, Suspend{At: s.At, Nodes: s.Nodes})
	for _, o := range s.Others {
		t.add(o)
	}
}

func (t *Tombstones) has(name string) bool {
	_, ok := slices.BinarySearch(t.names, name)
	return ok
}

// Tombstones returns the tombstones that there are.
func (j *Journal) Tombstones() (Tombstones, error) { return j.Since(Tombstones{}) }

// looks bounds how often a folder is listed again that others tidy meanwhile.
const looks = 10

// Since returns the tombstones that are not among those known, and reads no
// other: where nodes are suspended one by one there is a tombstone a node, and
// who climbs a ladder asks before every rung. A tombstone never changes; one that
// has gone since the folder was listed is in a file that Compact wrote before, so
// the folder is listed again.
func (j *Journal) Since(known Tombstones) (Tombstones, error) {
	t := Tombstones{}
	torn := map[string]bool{}
	for range looks {
		names, err := j.list(suspendsFolder)
		if err != nil {
			return Tombstones{}, err
		}
		if slices.Equal(names, known.names) {
			return t, nil // the most frequent answer by far
		}
		gone := false
		fresh := make([]string, 0, len(names))
		t.all = slices.Grow(t.all, len(names))
		for _, name := range names {
			if known.has(name) || t.has(name) || torn[name] {
				continue
			}
			s, inName := suspendIn(name)
			var err error
			if !inName {
				s, err = j.readSuspend(name)
			}
			switch {
			case errors.Is(err, fs.ErrNotExist):
				gone = true
				continue
			case err == nil && !inName:
				err = s.readable()
			}
			if torn[name] = err != nil; err != nil {
				env.Warnf(j.env, "journal.torn", "journal record %s is not readable, going by EC2's tags: %v", name, err)
				continue
			}
			fresh = append(fresh, name)
			t.add(s)
		}
		t.names = append(t.names, fresh...)
		slices.Sort(t.names)
		slices.SortStableFunc(t.all, func(a, b Suspend) int { return cmp.Compare(b.At, a.At) })
		if !gone {
			return t, nil
		}
	}
	return Tombstones{}, fmt.Errorf("journal %s not readable: its files changed each of %d times that it was listed", suspendsFolder, looks)
}

// readable is the error of a file with a list of nodes that is none.
func (s Suspend) readable() error {
	// Nobody is in what Fold wrote: only what somebody else did is expanded.
	if (hostlist.Finder{}).MayBeIn(s.Nodes) {
		if _, err := hostlist.Expand(s.Nodes); err != nil {
			return err
		}
	}
	for _, o := range s.Others {
		if err := o.readable(); err != nil {
			return err
		}
	}
	return nil
}

// each calls fn for each node of a file's tombstones, until a list is none.
func (s Suspend) each(fn func(node string, at env.Time)) error {
	nodes, err := hostlist.Expand(s.Nodes)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		fn(n, s.At)
	}
	for _, o := range s.Others {
		if err := o.each(fn); err != nil {
			return err
		}
	}
	return nil
}

// Compact puts tombstones into one file, without those that later ones cover,
// once there are more than keep files. A tombstone counts as long as an instance
// from before it could live, so each node's latest stays. The file is there before
// the others go. What cannot be read is left alone.
func (j *Journal) Compact(keep int) error {
	names, err := j.list(suspendsFolder)
	if err != nil || len(names) <= max(keep, 1) {
		return err
	}
	latest := map[string]env.Time{}
	var merged []string
	for _, name := range names {
		s, err := j.suspend(name)
		if err == nil {
			// Of a torn one some may be taken: there is nothing untrue in them.
			err = s.each(func(node string, at env.Time) { latest[node] = max(latest[node], at) })
		}
		if err != nil {
			continue // torn, or just removed by another process
		}
		merged = append(merged, name)
	}
	if len(merged) < 2 {
		return nil
	}
	whole, err := j.bury(together(latest))
	for _, name := range merged {
		if err == nil && name != whole {
			err = j.remove(name)
		}
	}
	return err
}

// together is one file's tombstones, the latest first.
func together(latest map[string]env.Time) Suspend {
	at := map[env.Time][]string{}
	for _, n := range slices.Sorted(maps.Keys(latest)) {
		at[latest[n]] = append(at[latest[n]], n)
	}
	var all []Suspend
	for _, t := range slices.Backward(slices.Sorted(maps.Keys(at))) {
		hostlist.Sort(at[t])
		all = append(all, Suspend{At: t, Nodes: hostlist.Fold(at[t])})
	}
	one := all[0]
	one.Others = all[1:]
	return one
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

// suspend returns what a file of tombstones says.
func (j *Journal) suspend(name string) (s Suspend, err error) {
	if s, ok := suspendIn(name); ok {
		return s, nil
	}
	return j.readSuspend(name)
}

func (j *Journal) readSuspend(name string) (s Suspend, err error) {
	data, err := j.store.Read(name)
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	return s, err
}
