package cluster

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/identity"
	"aws-slurm-burst/executor/plansource"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/faults"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/workload"
)

// Planner makes the execution plans of jobs, as an advisor does that a site runs.
type Planner interface {
	// Plan returns a job's plan as its file holds it; false where there is none.
	Plan(j *workload.Job) ([]byte, bool)
}

// Cloud is EC2 and what a site has for it.
type Cloud struct {
	// Config is the executor's configuration. Slurm is bound to the simulation's,
	// and plans come from Plans alone, whatever it says of both.
	Config *config.Config
	Types  *catalog.Catalog
	// Plans is nil where no job has a plan.
	Plans Planner
	// EC2 are the model's options. Its clock, types and sink are the run's. Its Boot
	// says, too, when the slurmd of an instance answers: without one, at once.
	EC2 ec2.Options
	// Faults may be nil.
	Faults *faults.Rules
	// Latency is how long a call takes; nil stands for DefaultLatency.
	Latency func(action string) time.Duration
	// Reconcile is how often the site runs `aws-slurm-burst reconcile` while it has
	// instances; 0 is never.
	Reconcile time.Duration
}

// DefaultLatency is how long EC2 takes to answer: a launch 1.5 s (a c5.xlarge in
// 2021, daemonology.net), everything else a third of a second, which is assumed.
func DefaultLatency(action string) time.Duration {
	if action == "RunInstances" {
		return 1500 * time.Millisecond
	}
	return 333 * time.Millisecond
}

// assumed lists the numbers that the run rested on and that nobody has measured.
func (m *machines) assumed() []string {
	out := m.ec2.Assumed()
	if m.usual {
		out = append(out, "EC2 answers after 0.333 s, all calls but RunInstances")
	}
	return out
}

// plansDir is where the executor finds plans in a simulation.
const plansDir = "/plans"

// machines are a site's instances, and the programs that launch and end them.
type machines struct {
	site   *site
	opt    Cloud
	usual  bool // calls take as long as DefaultLatency says
	config *config.Config
	ec2    *ec2.Model
	disk   *simulator.Disk

	jobs    map[int64]*workload.Job // that have not ended, where plans are made
	serves  map[string]string       // instance -> the node that its slurmd has registered
	waiting map[string]string       // node -> the instance whose slurmd waits for slurmctld to have its address
	alive   int                     // instances
	healing bool
	list    string   // the last tag with nodes that was read
	nodes   []string // of it
}

func newMachines(s *site, opt Cloud) (*machines, error) {
	usual := opt.Latency == nil
	if usual {
		opt.Latency = DefaultLatency
	}
	cfg := *opt.Config
	cfg.ASBA = config.ASBA{}
	cfg.Plans.Dir = ""
	if opt.Plans != nil {
		cfg.Plans.Dir = plansDir
	}
	m := &machines{site: s, opt: opt, usual: usual, config: &cfg, disk: simulator.NewDisk(),
		jobs: map[int64]*workload.Job{}, serves: map[string]string{}, waiting: map[string]string{}}
	o := opt.EC2
	o.Region = cmp.Or(o.Region, cfg.AWS.Region)
	o.Clock, o.Types = s.engine.Env(), ec2.Catalog(opt.Types)
	o.Sink, o.At = m.took, func(t env.Time, fn func()) { s.engine.At(t, fn) }
	var err error
	if m.ec2, err = ec2.New(o); err != nil {
		return nil, fmt.Errorf("the EC2 of the simulation: %w", err)
	}
	return m, nil
}

// took hears of what happens to instances, and passes it on.
func (m *machines) took(e record.Event) {
	switch e.Kind {
	case record.InstanceLaunched:
		m.alive++
		id := e.Instance
		e.Nodes = m.namesOf(id)
		var ready time.Duration
		if b := m.opt.EC2.Boot; b != nil {
			if ready = b.Fate(m.opt.EC2.Seed, id).Ready; ready == 0 {
				break // its slurmd never answers
			}
		}
		m.site.engine.After(ready, func() { m.booted(id) })
	case record.InstanceEnding:
		m.alive--
		if node, ok := m.serves[e.Instance]; ok {
			delete(m.serves, e.Instance)
			m.site.take(e)
			m.site.slurm.Lost(node)
			return
		}
	}
	m.site.take(e)
}

// namesOf returns the node that an instance was launched for, as it learns it from
// its tags.
func (m *machines) namesOf(instance string) []string {
	i, ok := m.ec2.Metadata(instance)
	if !ok || i.TagValue(identity.Cluster) != m.config.Cluster {
		return nil // of another cluster's Slurm, or of none
	}
	index := i.LaunchIndex
	if node := i.TagValue(identity.Node); node != "" {
		return []string{node}
	}
	// Each instance of a launch reads the same tag: the last one is remembered.
	list, more, nodes := i.TagValue(identity.Nodes), i.TagValue(identity.MoreNodes) != "", m.nodes
	if list != m.list || more {
		var err error
		if nodes, err = identity.NodesOf(&i); err != nil {
			return nil
		}
		if !more {
			m.list, m.nodes = list, nodes
		}
	}
	if index < 0 || index >= len(nodes) {
		return nil
	}
	return []string{nodes[index]}
}

// booted is the instant at which an instance's slurmd is ready. It learns its name
// from its tags, and registers; slurmctld accepts it when it can talk to the
// address that it has for that node.
func (m *machines) booted(instance string) {
	i, ok := m.ec2.Metadata(instance)
	if !ok || !i.State.Alive() {
		return
	}
	for _, node := range m.namesOf(instance) {
		if m.site.slurm.Addr(node) != i.PrivateIP {
			m.waiting[node] = instance
			continue
		}
		m.register(node, instance)
	}
}

func (m *machines) register(node, instance string) {
	delete(m.waiting, node)
	m.serves[instance] = node
	m.site.slurm.Register(node, instance)
}

// addrChanged lets a slurmd register that waited for it.
func (m *machines) addrChanged(node, addr string) {
	instance, ok := m.waiting[node]
	if !ok {
		return
	}
	if i, ok := m.ec2.Metadata(instance); !ok || !i.State.Alive() {
		delete(m.waiting, node)
	} else if i.PrivateIP == addr {
		// Not within scontrol's call, which may have more to do to this node.
		m.site.engine.After(0, func() { m.booted(instance) })
	}
}

// submitted keeps a job whose plan may be asked for.
func (m *machines) submitted(j *workload.Job) {
	if m.opt.Plans != nil {
		kept := *j
		m.jobs[j.ID] = &kept
	}
}

// planFiles is the folder of the jobs' plans.
type planFiles struct{ m *machines }

// ReadPlan makes the plan of the job that a file is named after.
func (f planFiles) ReadPlan(_ context.Context, name string, limit int64) ([]byte, plansource.FileInfo, error) {
	var info plansource.FileInfo
	if path.Dir(name) == plansDir {
		if j := f.m.jobs[jobNumber(strings.TrimSuffix(path.Base(name), ".json"))]; j != nil {
			if text, ok := f.m.opt.Plans.Plan(j); ok {
				if int64(len(text)) > limit {
					return nil, info, plansource.ErrTooLarge
				}
				return text, plansource.FileInfo{OwnedByRootOrSelf: true}, nil
			}
		}
	}
	return nil, info, fmt.Errorf("%s: %w", name, plansource.ErrNotFound)
}

// jobNumber is the number of a job as Slurm names it; of a task of an array
// ("12_3") none: each has a number of its own.
func jobNumber(id string) int64 {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
