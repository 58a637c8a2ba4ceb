package advisor

import (
	"sync"

	"aws-slurm-burst/asba/advise"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/jobscript"
)

// memory is what serve and daemon remember for as long as the same grounds hold:
// the advice on a job's shape, and what was read in a script. Jobs come in
// swarms: of one script with one size each, or of one script a thousand times.
type memory struct {
	mu      sync.Mutex
	advised advise.Memory
	scripts map[string]script
}

// script is a script as it was read. Nobody changes it.
type script struct {
	*jobscript.Job
	findings []finding.Finding
}

// A script of more than longScript bytes or manyComponents is read each time, and
// after maxScripts of them memory begins anew. What was read of a component takes a
// hundred times what its line does.
const (
	longScript     = 16 << 10
	manyComponents = 8
	maxScripts     = 256
)

// advise is advise.Advise.
func (m *memory) advise(j advise.Job, o advise.Options) advise.Advice {
	m.mu.Lock()
	a, ok := m.advised.Recall(j, o)
	m.mu.Unlock()
	if ok {
		return a
	}
	a = advise.Advise(j, o) // others do not wait for it
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advised.Keep(j, o, a)
	return a
}

// read is jobscript.Read.
func (m *memory) read(text string) (*jobscript.Job, []finding.Finding) {
	m.mu.Lock()
	s, ok := m.scripts[text]
	m.mu.Unlock()
	if ok {
		return s.Job, s.findings
	}
	s.Job, s.findings = jobscript.Read([]byte(text), "job script")
	if len(text) > longScript || len(s.Components) > manyComponents {
		return s.Job, s.findings
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.scripts == nil || len(m.scripts) >= maxScripts {
		m.scripts = make(map[string]script, maxScripts)
	}
	m.scripts[text] = s
	return s.Job, s.findings
}
