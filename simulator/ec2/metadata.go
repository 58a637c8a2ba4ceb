package ec2

import "aws-slurm-burst/executor/cloud"

// Metadata returns what an instance can learn of itself at boot, its tags among
// it. It is no call: nobody counts it, nothing delays it.
func (m *Model) Metadata(id string) (cloud.Instance, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.instanceByID[id]
	if i == nil {
		return cloud.Instance{}, false
	}
	return i.seen(m.opt.Clock.Now()), true
}
