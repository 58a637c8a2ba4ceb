package ec2

import "aws-slurm-burst/executor/cloud"

// Metadata returns what an instance can learn of itself at boot, its tags among
// it. It is no call: nobody counts it, nothing delays it.
func (m *Model) Metadata(id string) (cloud.Instance, bool) {
	i, ok := m.Instance(id)
	if !ok {
		return cloud.Instance{}, false
	}
	return i.port(), true
}
