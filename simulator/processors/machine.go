package processors

import (
	"sort"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/record"
)

// start gives a job its processors.
func (m *Machine) start(w *waiting) {
	now := m.engine.Now()
	j := &m.jobs[w.job]
	j.started = now
	m.free -= int(w.procs)
	run := max(j.Run, 0)
	if m.cuts(j) {
		run = j.limit
	}
	m.tell(record.JobStarted, j)
	m.expect(running{now.Add(j.limit), j.seq, w.job, w.procs})
	m.pushEnd(ending{now.Add(run), j.seq, w.job})
	m.engine.At(now.Add(run), m.finish)
	w.procs = 0
	m.holes++
}

// cuts reports whether a job does not run to its end.
func (m *Machine) cuts(j *job) bool { return m.opt.Cut && j.Run > j.limit }

// tell says what happened to a job, to the trace and to whoever listens.
func (m *Machine) tell(k record.Kind, j *job) {
	if k == record.JobStarted || k == record.JobEnded {
		m.engine.Trace(k.String(), simulator.Number(uint64(j.ID)))
	}
	if m.opt.Sink == nil {
		return
	}
	e := record.Event{At: m.engine.Now(), Kind: k, Job: j.ID}
	switch k {
	case record.JobSubmitted:
		e.Spec = &record.Spec{
			User: j.User, Account: j.Account, Partition: j.Partition,
			Procs: int(j.Procs), Nodes: int(j.Nodes), LimitS: j.Limit.Seconds(), RunS: j.Run.Seconds(),
		}
	case record.JobEnded:
		e.State = "COMPLETED"
		if m.cuts(j) {
			e.State = "TIMEOUT"
		}
	}
	m.opt.Sink(e)
}

// tidy drops what has started: from the queue's beginning, and from all of it
// where there is more of it than jobs that wait.
func (m *Machine) tidy() {
	for m.gone < len(m.queue) && m.queue[m.gone].procs == 0 {
		m.gone++
		m.holes--
		m.tested = max(m.tested-1, 0)
	}
	if m.gone == len(m.queue) {
		m.queue, m.gone = m.queue[:0], 0
		return
	}
	if len(m.queue) < 128 || 2*(m.gone+m.holes) < len(m.queue) {
		return
	}
	live, tested := 0, 0
	for i, w := range m.queue[m.gone:] {
		if w.procs == 0 {
			continue
		}
		if i < m.tested {
			tested++
		}
		m.queue[live] = w
		live++
	}
	m.queue, m.gone, m.holes, m.tested = m.queue[:live], 0, 0, tested
}

// promise works out when the first waiting job has its processors at the latest,
// and how many it leaves then. All that is due at that instant is there by it.
func (m *Machine) promise(procs int) {
	now := m.engine.Now()
	have := m.free
	for i := range m.runs {
		end := max(m.runs[i].end, now)
		if have >= procs && end > m.shadow {
			break
		}
		have += int(m.runs[i].procs)
		m.shadow = end
	}
	m.extra, m.promised = have-procs, true
}

// running is a job that runs and the end that is expected of it.
type running struct {
	end   env.Time
	seq   int64
	job   int32
	procs int32
}

// expect keeps running jobs in order of their expected ends.
func (m *Machine) expect(r running) {
	i := m.expected(r.end, r.seq)
	m.runs = append(m.runs, running{})
	copy(m.runs[i+1:], m.runs[i:])
	m.runs[i] = r
}

func (m *Machine) expected(end env.Time, seq int64) int {
	return sort.Search(len(m.runs), func(i int) bool {
		r := &m.runs[i]
		return r.end > end || r.end == end && r.seq >= seq
	})
}

// forget drops a running job from what is expected.
func (m *Machine) forget(end env.Time, seq int64) {
	i := m.expected(end, seq)
	m.runs = append(m.runs[:i], m.runs[i+1:]...)
}

// ending is a job that runs and the end that comes.
type ending struct {
	at  env.Time
	seq int64
	job int32
}

func (a *ending) before(b *ending) bool { return a.at < b.at || a.at == b.at && a.seq < b.seq }

// pushEnd and popEnd keep a binary heap: the engine's own queue calls functions,
// and a function for each job would be an allocation for each.
func (m *Machine) pushEnd(e ending) {
	h := append(m.ends, e)
	i := len(h) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !e.before(&h[up]) {
			break
		}
		h[i] = h[up]
		i = up
	}
	h[i] = e
	m.ends = h
}

func (m *Machine) popEnd() int32 {
	h := m.ends
	first, last := h[0].job, h[len(h)-1]
	h = h[:len(h)-1]
	i := 0
	for {
		c := 2*i + 1
		if c >= len(h) {
			break
		}
		if c+1 < len(h) && h[c+1].before(&h[c]) {
			c++
		}
		if !h[c].before(&last) {
			break
		}
		h[i] = h[c]
		i = c
	}
	if len(h) > 0 {
		h[i] = last
	}
	m.ends = h
	return first
}
