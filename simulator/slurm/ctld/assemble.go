package ctld

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/simulator/slurm/conf"
	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/slurm/state"
)

// addPartitions adds all partitions; the first is that of jobs that name none,
// where none is the default.
func (d *Daemon) addPartitions() error {
	for i := range d.conf.Partitions {
		p := &d.conf.Partitions[i]
		if d.partitions[p.Name] != nil || p.Name == "" {
			return fmt.Errorf("%w: partition %q: each needs a name of its own", ErrConf, p.Name)
		}
		d.partitions[p.Name] = &partition{d.conf.OverTimeLimit}
		if p.OverTimeLimit != nil {
			d.partitions[p.Name].overTimeLimit = *p.OverTimeLimit
			d.ownOverTimeLimits = true
		}
		if p.Default || d.fallback == "" && i == 0 {
			d.fallback = p.Name
		}
		d.sched.AddPartition(sched.Partition{
			Name: p.Name, MaxNodes: int32(p.MaxNodes), MaxTime: max(p.MaxTime, 0), DefaultTime: max(p.DefaultTime, 0),
			Tier: int32(p.Tier), Factor: int32(p.JobFactor), Exclusive: p.Exclusive, Down: !p.Up,
		})
	}
	if len(d.partitions) == 0 {
		return fmt.Errorf("%w: no partition: jobs need one", ErrConf)
	}
	return nil
}

// addNodes adds all nodes, to the table and to the scheduler under the same
// numbers, in the order of slurm.conf.
func (d *Daemon) addNodes() error {
	var names []string
	type line struct {
		conf  *conf.Node
		addrs []string
		at    int
	}
	var lines []line
	for i := range d.conf.Nodes {
		n := &d.conf.Nodes[i]
		list, err := hostlist.Expand(n.Names)
		if err != nil {
			return fmt.Errorf("%w: NodeName=%s: %w", ErrConf, n.Names, err)
		}
		addrs := list
		if n.Addr != "" {
			if addrs, err = hostlist.Expand(n.Addr); err != nil {
				return fmt.Errorf("%w: NodeAddr=%s: %w", ErrConf, n.Addr, err)
			}
			if len(addrs) == 1 {
				addrs = slices.Repeat(addrs, len(list))
			}
			if len(addrs) != len(list) {
				return fmt.Errorf("%w: NodeName=%s has %d nodes and %d addresses", ErrConf, n.Names, len(list), len(addrs))
			}
		}
		lines = append(lines, line{n, addrs, len(names)})
		names = append(names, list...)
	}
	member, err := d.membership(names)
	if err != nil {
		return err
	}
	classes := map[string]int32{}
	for k, l := range lines {
		end := len(names)
		if k+1 < len(lines) {
			end = lines[k+1].at
		}
		for i := l.at; i < end; i++ {
			if err := d.addNode(l.conf, names[i], l.addrs[i-l.at], member[i], classes, k); err != nil {
				return err
			}
		}
	}
	return nil
}

// membership returns each node's partitions.
func (d *Daemon) membership(names []string) ([][]string, error) {
	at := make(map[string]int, len(names))
	for i, name := range names {
		if _, twice := at[name]; twice {
			return nil, fmt.Errorf("%w: node %s is there twice", ErrConf, name)
		}
		at[name] = i
	}
	member := make([][]string, len(names))
	for i := range d.conf.Partitions {
		p := &d.conf.Partitions[i]
		for _, list := range p.Nodes {
			nodes := names
			if list != "ALL" {
				var err error
				if nodes, err = hostlist.Expand(list); err != nil {
					return nil, fmt.Errorf("%w: PartitionName=%s: %w", ErrConf, p.Name, err)
				}
			}
			for _, name := range nodes {
				k, ok := at[name]
				if !ok {
					return nil, fmt.Errorf("%w: PartitionName=%s: no NodeName has %s", ErrConf, p.Name, name)
				}
				if !slices.Contains(member[k], p.Name) {
					member[k] = append(member[k], p.Name)
				}
			}
		}
	}
	return member, nil
}

func (d *Daemon) addNode(c *conf.Node, name, addr string, partitions []string, classes map[string]int32, line int) error {
	parts := strings.Join(partitions, ",")
	key := strconv.Itoa(line) + " " + parts
	class, ok := classes[key]
	if !ok {
		var err error
		class, err = d.sched.AddClass(sched.Class{
			Partitions: partitions, Features: c.Feature, Weight: int32(c.Weight),
			CPUs: int32(c.CPUs), Threads: int32(c.Threads), GPUs: int32(c.GPUs), Memory: c.Memory,
		})
		if err != nil {
			return fmt.Errorf("%w: NodeName=%s: %w", ErrConf, c.Names, err)
		}
		classes[key] = class
	}
	r := state.Node{
		Name: name, Addr: addr, Hostname: name, Partitions: parts, Features: strings.Join(c.Feature, ","),
		Gres: c.Gres, Memory: c.Memory, CPUs: int32(max(c.CPUs, 1)), Weight: int32(c.Weight),
	}
	n := node{up: true}
	if c.Cloud {
		r.Flags = state.Cloud | state.PoweredDown
		n.up = false
	}
	if c.Down {
		r.Base, r.Reason = state.Down, "slurm.conf"
	}
	i := d.table.SetNode(r)
	if j := d.sched.AddNode(class); i != j || int(i) != len(d.nodes) {
		return fmt.Errorf("%w: node %s is there twice", ErrConf, name)
	}
	n.busy = d.idleSince()
	d.nodes = append(d.nodes, n)
	d.offer(i)
	return nil
}
