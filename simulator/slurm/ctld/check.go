package ctld

import (
	"fmt"
	"slices"

	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/slurm/state"
)

// Check looks at everything and returns what is not as it must be at all times,
// nil for nothing: for tests, after each event of a simulation.
func (d *Daemon) Check() error {
	onNode := make([]int, len(d.nodes))
	for _, k := range d.table.Sorted() {
		r, j := d.table.Job(k), d.job(k)
		if r.State.HasNodes() != (j.phase == placed) || r.State.Ended() != (j.phase == finished) {
			return fmt.Errorf("job %d is %s in phase %d", r.ID, r.State, j.phase)
		}
		if j.Pending() != (j.phase == queued) || j.Running() != (j.phase == placed) {
			return fmt.Errorf("job %d is in phase %d, and the scheduler takes it for another", r.ID, j.phase)
		}
		if j.phase != placed {
			continue
		}
		var waits int32
		for _, i := range r.Nodes {
			n := d.table.Node(i)
			if !slices.Contains(n.Jobs, k) {
				return fmt.Errorf("job %d has node %s, which does not know it", r.ID, n.Name)
			}
			if !d.nodes[i].up {
				waits++
			}
			if n.Base == state.Down || n.Has(state.PoweringDown) {
				return fmt.Errorf("job %d has node %s, which is %s", r.ID, n.Name, n.State(n.Base))
			}
			if n.Has(state.PoweredDown) && r.State == state.Running && j.works != 0 {
				return fmt.Errorf("job %d works on node %s, which is %s", r.ID, n.Name, n.State(n.Base))
			}
			onNode[i]++
		}
		if waits != j.waits {
			return fmt.Errorf("job %d waits for %d nodes, of which %d are not up", r.ID, j.waits, waits)
		}
		if r.State == state.Configuring && j.began != 0 || r.State == state.Running && j.began == 0 {
			return fmt.Errorf("job %d is %s, begun at %v", r.ID, r.State, j.began)
		}
	}
	for i := range d.nodes {
		if err := d.checkNode(int32(i), onNode[i]); err != nil {
			return err
		}
	}
	return nil
}

func (d *Daemon) checkNode(i int32, jobs int) error {
	n, x := d.table.Node(i), &d.nodes[i]
	if len(n.Jobs) != jobs {
		return fmt.Errorf("node %s has %d jobs, and %d have it", n.Name, len(n.Jobs), jobs)
	}
	whole := 0
	for _, k := range n.Jobs {
		if !d.conf.Shared || d.job(k).Exclusive {
			whole++
		}
	}
	if whole > 0 && len(n.Jobs) > 1 {
		return fmt.Errorf("node %s has %d jobs, %d of which have it for themselves", n.Name, len(n.Jobs), whole)
	}
	power := 0
	for _, f := range []state.Flags{state.PoweredDown, state.PoweringDown, state.PoweringUp} {
		if n.Has(f) {
			power++
		}
	}
	if power > 1 {
		return fmt.Errorf("node %s is %s", n.Name, n.State(n.Base))
	}
	if x.up && power > 0 {
		return fmt.Errorf("node %s is up, and %s", n.Name, n.State(n.Base))
	}
	a, _, _ := d.sched.Node(i)
	if free := a == sched.Up || a == sched.Booting || a == sched.Off; free && (n.Base == state.Down || n.Any(state.Drain|state.PowerDown|state.PoweringDown)) {
		return fmt.Errorf("node %s is offered to jobs, and %s", n.Name, n.State(n.Base))
	}
	return nil
}
