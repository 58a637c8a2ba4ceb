package journal

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
)

// tombstone says that nothing that was launched for these nodes before At may serve
// them again.
type tombstone struct {
	At    env.Time `json:"at"`
	Nodes string   `json:"nodes"` // folded
}

// suspend is a file of tombstones.
type suspend struct {
	tombstone
	// Earlier are tombstones that Compact has put into this file, the latest first:
	// "AT NODES;AT NODES". Files that were once written have Others instead.
	Earlier string      `json:"earlier,omitempty"`
	Others  []tombstone `json:"others,omitempty"`
}

// all returns the tombstones of a file, the latest first.
func (s *suspend) all() ([]tombstone, error) {
	all := make([]tombstone, 0, 1+len(s.Others)+strings.Count(s.Earlier, " "))
	all = append(append(all, s.tombstone), s.Others...)
	for rest := s.Earlier; rest != ""; {
		var one string
		one, rest, _ = strings.Cut(rest, ";")
		at, nodes, _ := strings.Cut(one, " ")
		t, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("earlier: %w", err)
		}
		all = append(all, tombstone{env.Time(t), nodes})
	}
	for _, t := range all {
		// Nobody is in what Fold wrote: only what somebody else did is expanded.
		if (hostlist.Finder{}).MayBeIn(t.Nodes) {
			if _, err := hostlist.Expand(t.Nodes); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// suspendName names a file of tombstones. The name of one alone says all that it
// says, where its nodes fit in: there is nothing to be read in it.
func suspendName(s suspend, n int) string {
	own := strconv.Itoa(n)
	if s.Earlier == "" && len(s.Nodes) <= maxNodes {
		own += "@" + s.Nodes
	}
	return dated(suspendsFolder, s.At, own)
}

// tombstoneIn returns the tombstone that a file's name says.
func tombstoneIn(name string) (tombstone, bool) {
	nodes, ok := nodesIn(name)
	if !ok {
		return tombstone{}, false
	}
	digits, _, _ := strings.Cut(strings.TrimPrefix(name, suspendsFolder+"/"), "-")
	at, err := strconv.ParseInt(digits, 10, 64)
	return tombstone{env.Time(at), nodes}, err == nil
}

// Bury writes a tombstone for the nodes, as of now.
func (j *Journal) Bury(nodes []string) error {
	_, err := j.bury(suspend{tombstone: tombstone{j.env.Now(), hostlist.Fold(nodes)}})
	return err
}

// bury writes a file of tombstones and returns its name.
func (j *Journal) bury(s suspend) (string, error) {
	name := suspendName(s, int(j.env.Rand("tombstone").Uint64()%1e6))
	var f flat
	f.number("at", int64(s.At))
	f.text("nodes", s.Nodes)
	f.text("earlier", s.Earlier)
	return name, write(j.store, name, f.line())
}

// Tombstones are the tombstones of an instant.
type Tombstones struct {
	all   []tombstone // the latest first
	names []string    // of their files, sorted
	at    map[string]env.Time
}

// At is when a node was last suspended; zero where it never was, as far as the
// journal knows.
func (t *Tombstones) At(node string) env.Time {
	if len(t.all) == 0 {
		return 0
	}
	if _, ok := t.at[node]; !ok {
		t.Find([]string{node})
	}
	return t.at[node]
}

// Find looks for nodes, so that At has them at hand: it reads each list once for all
// of them. Few of the nodes that have a tombstone are ever asked for.
func (t *Tombstones) Find(nodes []string) {
	if len(t.all) == 0 {
		return
	}
	found, left := make([]env.Time, len(nodes)), len(nodes)
	finder := hostlist.NewFinder(nodes)
	for i := 0; i < len(t.all) && left > 0; i++ {
		one := &t.all[i]
		finder.Find(one.Nodes, func(n int) {
			if found[n] == 0 {
				found[n] = one.At
				left--
			}
		})
	}
	if t.at == nil {
		t.at = make(map[string]env.Time, len(nodes))
	}
	for i, n := range nodes {
		t.at[n] = found[i]
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
	var torn []string
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
		for _, name := range slices.Backward(names) { // the latest first
			if known.has(name) || t.has(name) || slices.Contains(torn, name) {
				continue
			}
			if one, ok := tombstoneIn(name); ok {
				t.all = append(t.all, one)
			} else if several, err := j.tombstones(name); errors.Is(err, fs.ErrNotExist) {
				gone = true
				continue
			} else if err != nil {
				torn = append(torn, name)
				env.Warnf(j.env, "journal.torn", "journal record %s is not readable, going by EC2's tags: %v", name, err)
				continue
			} else {
				t.all = append(t.all, several...)
			}
			fresh = append(fresh, name)
		}
		t.names = append(t.names, fresh...)
		slices.Sort(t.names)
		if !slices.IsSortedFunc(t.all, latestFirst) {
			slices.SortStableFunc(t.all, latestFirst)
		}
		if !gone {
			return t, nil
		}
	}
	return Tombstones{}, fmt.Errorf("journal %s not readable: its files changed each of %d times that it was listed", suspendsFolder, looks)
}

func latestFirst(a, b tombstone) int { return cmp.Compare(b.At, a.At) }

// tombstones reads a file of tombstones.
func (j *Journal) tombstones(name string) ([]tombstone, error) {
	data, err := j.store.Read(name)
	if err != nil {
		return nil, err
	}
	var s suspend
	if !flatten(bytes.TrimSuffix(data, []byte{'\n'}), s.member) {
		s = suspend{}
		if err := json.Unmarshal(data, &s); err != nil {
			return nil, err
		}
	}
	return s.all()
}

// member takes one member of what bury writes.
func (s *suspend) member(key, value string, quoted bool) bool {
	switch key {
	case "at":
		return !quoted && instant(value, &s.At)
	case "nodes":
		s.Nodes = value
		return quoted
	case "earlier":
		s.Earlier = value
		return quoted
	}
	return false
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
		var several []tombstone
		if one, ok := tombstoneIn(name); ok {
			several = []tombstone{one}
		} else if several, err = j.tombstones(name); err != nil {
			continue // torn, or just removed by another process
		}
		for _, one := range several {
			var nodes []string
			if nodes, err = hostlist.Expand(one.Nodes); err != nil {
				break // what is taken of it is true all the same
			}
			for _, n := range nodes {
				latest[n] = max(latest[n], one.At)
			}
		}
		if err == nil {
			merged = append(merged, name)
		}
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

// together is one file of the tombstones of nodes.
func together(latest map[string]env.Time) suspend {
	all := make([]tombstone, 0, len(latest)) // one a node
	for _, n := range slices.Sorted(maps.Keys(latest)) {
		all = append(all, tombstone{latest[n], n})
	}
	slices.SortStableFunc(all, latestFirst)
	var s suspend
	var earlier []byte
	var nodes []string
	for len(all) > 0 {
		at := all[0].At
		nodes = nodes[:0]
		for len(all) > 0 && all[0].At == at {
			nodes, all = append(nodes, all[0].Nodes), all[1:]
		}
		list := hostlist.Fold(nodes)
		if s.Nodes == "" {
			s.tombstone = tombstone{at, list}
			continue
		}
		if len(earlier) > 0 {
			earlier = append(earlier, ';')
		}
		earlier = append(strconv.AppendInt(earlier, int64(at), 10), ' ')
		earlier = append(earlier, list...)
	}
	s.Earlier = string(earlier)
	return s
}
