package plansource

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"aws-slurm-burst/executor/env"
)

// Store keeps small files for this package; it may forget any of them at any
// time. Names are FOLDER/FILE, and List returns those in a folder.
type Store interface {
	Read(name string) ([]byte, error)
	Write(name string, data []byte) error
	Remove(name string) error
	List(folder string) ([]string, error)
}

// Memory remembers what the advisor answered, so that a job that is requeued
// gets its plan at once, and the same one. It is a cache: what it has lost is
// asked again.
type Memory struct {
	store Store
	env   env.Env
	known map[string]string // by key: the file of the newest answer
}

// Bounds of the memory. A job waits in its queue for hours, but what machines
// cost and whether there are any changes from day to day.
const (
	lifetime      = 24 * time.Hour
	maxRemembered = 4096
	askedFolder   = "asked"
)

// Remember opens the memory, and removes from it what is too old.
func Remember(e env.Env, s Store) *Memory {
	m := &Memory{store: s, env: e, known: map[string]string{}}
	names, err := s.List(askedFolder)
	if err != nil {
		env.Debugf(e, "asked", "%v", err)
	}
	for i, name := range names { // sorted: by their time
		at, key, ok := parseName(name)
		if !ok {
			continue
		}
		if age := e.Now().Sub(at); age > lifetime || len(names)-i > maxRemembered {
			if err := s.Remove(name); err != nil {
				env.Debugf(e, "asked", "%v", err)
			}
		} else if age >= 0 { // else another clock's, for whom it may be true
			m.known[key] = name
		}
	}
	return m
}

// remembered is the record of an answer.
type remembered struct {
	// Way and Job are for people who look at the file.
	Way     string `json:"way"`
	Job     string `json:"job"`
	Trusted bool   `json:"trusted"`
	Plan    string `json:"plan"`
}

// Recall returns the answer to a question about a job with a script, if it is
// remembered.
func (m *Memory) Recall(w Way, q Question) (Answer, bool) {
	name, ok := m.known[key(w, q)]
	if !ok || !q.Lasts() {
		return Answer{}, false
	}
	data, err := m.store.Read(name)
	var r remembered
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		env.Debugf(m.env, "asked", "%s: %v", name, err)
		return Answer{}, false
	}
	a := w.Recall([]byte(r.Plan), r.Trusted)
	return a, a.Outcome == Found
}

// Keep remembers a plan that was found for a job whose script is known.
func (m *Memory) Keep(w Way, q Question, a Answer) {
	if a.Outcome != Found || !q.Lasts() {
		return
	}
	data, err := json.Marshal(remembered{w.String(), q.Job, a.Trusted, string(a.Text)}, json.Deterministic(true))
	if err == nil {
		err = m.store.Write(fmt.Sprintf("%s/%016x-%s.json", askedFolder, int64(m.env.Now()), key(w, q)), append(data, '\n'))
	}
	if err != nil { // the next call asks again, no more than that
		env.Debugf(m.env, "asked", "answer not kept: %v", err)
	}
}

// key is what makes two questions one: the way, the job (the array, for a task
// of one), the script, and how many nodes the plan is for.
func key(w Way, q Question) string {
	h := sha256.New()
	for _, s := range []string{w.String(), w.ConfigPath, q.Subject(), q.Partition, strconv.Itoa(q.Nodes), string(q.Script)} {
		_, _ = fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// parseName reads what a file of the memory is called.
func parseName(name string) (at env.Time, key string, ok bool) {
	stem, isJSON := strings.CutSuffix(strings.TrimPrefix(name, askedFolder+"/"), ".json")
	when, key, cut := strings.Cut(stem, "-")
	n, err := strconv.ParseInt(when, 16, 64)
	return env.Time(n), key, isJSON && cut && err == nil
}
