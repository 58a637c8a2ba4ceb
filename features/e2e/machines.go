package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"aws-slurm-burst/features/site"
	"aws-slurm-burst/features/slurmtest"
)

const (
	pollEvery = 150 * time.Millisecond
	// bootTime is how long a machine takes from running to slurmd: longer than
	// the resume program takes from EC2's answer to the addresses in slurmctld.
	bootTime = time.Second
)

// machines boots what EC2 launches for a cluster, as user data would: each
// instance finds its node's name in its tags and launch index, and starts slurmd
// for it. It ends what EC2 ends.
type machines struct {
	c    *Cluster
	stop context.CancelFunc
	done chan struct{}

	mu      sync.Mutex
	never   bool                         // they do not boot at all
	seen    map[string]time.Time         // when an instance was first seen running
	booted  map[string]*slurmtest.Daemon // by instance
	every   map[string]string            // node of every instance there ever was
	doubles []string                     // nodes with two live instances, once
}

func (c *Cluster) watch() *machines {
	ctx, stop := context.WithCancel(context.Background())
	m := &machines{
		c: c, stop: stop, done: make(chan struct{}), never: c.opt.NeverBoot,
		seen: map[string]time.Time{}, booted: map[string]*slurmtest.Daemon{}, every: map[string]string{},
	}
	go func() {
		defer close(m.done)
		for tick := time.NewTicker(pollEvery); ; {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if all, err := c.room.ec2.OfCluster(ctx, c.Name); err == nil {
					m.look(all)
				}
			}
		}
	}()
	return m
}

// look takes one look at EC2.
func (m *machines) look(all []site.Instance) {
	m.mu.Lock()
	defer m.mu.Unlock()
	live := map[string]string{} // node to instance
	for _, i := range all {
		node, err := i.Node()
		if err != nil {
			node = "?" // told by whoever counts
		}
		m.every[i.ID] = node
		d := m.booted[i.ID]
		if !i.Live() {
			if d != nil {
				cutPower(i.ID)
				delete(m.booted, i.ID)
			}
			continue
		}
		if other, twice := live[node]; twice {
			m.doubles = append(m.doubles, fmt.Sprintf("%s: %s and %s", node, other, i.ID))
		}
		live[node] = i.ID
		if i.State != "running" || d != nil || m.never {
			continue
		}
		if m.seen[i.ID].IsZero() {
			m.seen[i.ID] = time.Now()
		}
		if time.Since(m.seen[i.ID]) < bootTime {
			continue
		}
		if d, err = m.boot(i.ID, node); err == nil {
			m.booted[i.ID] = d
		}
	}
}

// boot starts slurmd on a machine.
func (m *machines) boot(id, node string) (*slurmtest.Daemon, error) {
	if err := os.MkdirAll(filepath.Join(m.c.dir, "spool", node), 0o755); err != nil {
		return nil, err
	}
	return slurmtest.StartDaemon(filepath.Join(m.c.dir, "slurmd.out"), []string{marker + "=" + id},
		"slurmd", "-D", "-b", "-N", node, "-f", m.c.conf)
}

// running counts the slurmds and steps of the cluster that run.
func (m *machines) running() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := processes()
	for id := range m.every {
		n += len(ofMachine(all, id))
	}
	return n
}

// launched returns the node of every instance that there was so far.
func (m *machines) launched() map[string]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]string{}
	for id, node := range m.every {
		out[id] = node
	}
	return out
}

func (m *machines) twice() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.doubles
}

// close stops booting and ends every machine.
func (m *machines) close() {
	m.stop()
	<-m.done
	m.mu.Lock()
	defer m.mu.Unlock()
	for id := range m.every {
		cutPower(id)
	}
}
