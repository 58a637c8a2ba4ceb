// Package journal remembers what the executor meant to do, so that a process
// that dies leaves nothing unclaimed: one small file a launch, written before
// the call and replaced after it; one a suspend, one a resume call, one a push
// of addresses that Slurm has not taken yet, one a placement group, one a job that
// lost its nodes before it could run. The name of a
// launch's file says its nodes: a call reads those of its own nodes, however many
// live beside them.
//
// It is a cache of intent. EC2's tags are the truth: a lost journal launches
// nothing twice, a stale one keeps nothing from launching. It holds no lock
// and runs no daemon; the nodes' locks order its writers.
package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"aws-slurm-burst/executor/env"
)

// Store keeps files by name. Names are "folder/file.json". Write replaces a
// file as a whole or not at all; what was read is not changed by who reads it.
// Read and Remove answer fs.ErrNotExist for a
// missing one; List returns the sorted names in a folder, nil where there is
// none.
type Store interface {
	Read(name string) ([]byte, error)
	Write(name string, data []byte) error
	Remove(name string) error
	List(folder string) ([]string, error)
}

// Journal reads and writes records.
type Journal struct {
	store    Store
	env      env.Env
	endpoint string
}

// New returns a journal on a store. Launches are those at one EC2 endpoint:
// instances of another are not there to be found or ended.
func New(e env.Env, s Store, endpoint string) *Journal {
	return &Journal{store: s, env: e, endpoint: endpoint}
}

// The folders of the journal. Launches holds intents and launches whose
// instances may live; History what has ended.
const (
	callsFolder    = "calls"
	launchesFolder = "launches"
	historyFolder  = "history"
	suspendsFolder = "suspends"
	pushesFolder   = "pushes"
	groupsFolder   = "groups"
	failuresFolder = "failures"
)

// put writes a record.
func put(s Store, name string, record any) error {
	data, err := json.Marshal(record, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("journal %s: %w", name, err)
	}
	return write(s, name, append(data, '\n'))
}

func write(s Store, name string, data []byte) error {
	if err := s.Write(name, data); err != nil {
		return fmt.Errorf("journal %s not written: %w (is journal.dir writable, is the disk full?)", name, err)
	}
	return nil
}

// dated names a record by its instant and something of its own, so that names
// are in the order of time.
func dated(folder string, at env.Time, own string) string {
	digits := strconv.FormatInt(int64(at), 10)
	return folder + "/" + strings.Repeat("0", max(0, 20-len(digits))) + digits + "-" + own + ".json"
}

// load reads every record of a folder in the order of its names.
func load[R any](j *Journal, folder string) ([]R, error) {
	return loadWith(j, folder, func(name string) (R, bool) { return read[R](j, name) })
}

func loadWith[R any](j *Journal, folder string, read func(name string) (R, bool)) ([]R, error) {
	names, err := j.list(folder)
	var out []R
	for _, name := range names {
		if r, ok := read(name); ok {
			out = append(out, r)
		}
	}
	return out, err
}

// list returns the names of a folder's records, in order.
func (j *Journal) list(folder string) ([]string, error) {
	names, err := j.store.List(folder)
	if err != nil {
		return nil, fmt.Errorf("journal %s not readable: %w", folder, err)
	}
	return slices.DeleteFunc(names, func(name string) bool { return !strings.HasSuffix(name, ".json") }), nil
}

// read reads a record. One that cannot be read is set aside as a warning: one
// torn file must not stop a cluster, and EC2 knows what it said.
func read[R any](j *Journal, name string) (R, bool) {
	return decode(j, name, func(data []byte) (r R, err error) {
		err = json.Unmarshal(data, &r)
		return r, err
	})
}

func decode[R any](j *Journal, name string, as func(data []byte) (R, error)) (r R, ok bool) {
	data, err := j.store.Read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return r, false // another process has just finished with it
	}
	if err == nil {
		r, err = as(data)
	}
	if err != nil {
		env.Warnf(j.env, "journal.torn", "journal record %s is not readable, going by EC2's tags: %v", name, err)
	}
	return r, err == nil
}

func (j *Journal) remove(name string) error {
	err := j.store.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
