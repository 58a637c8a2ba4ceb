package conf

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/executor/hostlist"
)

// at is where a parameter is given; the file as a whole where it is not.
func (r *reader) at(key string) value { return r.given[strings.ToLower(key)] }

// judge says what is hostile to cloud nodes, where there are any: most of it is
// what Slurm does where nothing is said.
func (r *reader) judge() {
	s := &r.settings
	var clouds, premises []Node
	for _, n := range s.Nodes {
		if n.Cloud {
			clouds = append(clouds, n)
		} else {
			premises = append(premises, n)
		}
	}
	if len(clouds) == 0 {
		return
	}
	r.programs()
	r.times()
	if s.ResumeRate > 0 {
		r.add(idRate, r.at("ResumeRate"), "write ResumeRate=0", "ResumeRate %d: slurmctld asks for a job's nodes in several calls, and no call knows the whole gang", s.ResumeRate)
	}
	switch {
	case s.ReturnToService == 0:
		r.add(idReturn, r.at("ReturnToService"), "write ReturnToService=2", "ReturnToService 0: a node that came too late once stays DOWN until somebody resumes it")
	case !s.IdleOnNodeSuspend:
		r.add(idIdle, r.at("SlurmctldParameters"), "add idle_on_node_suspend to SlurmctldParameters", "without idle_on_node_suspend a node that is DOWN stays so when it is powered down")
	}
	if !s.JobRequeue {
		r.add(idRequeue, r.at("JobRequeue"), "write JobRequeue=1, or submit with --requeue", "JobRequeue 0: a job ends with NODE_FAIL where its nodes do not come, or spot takes one away")
	}
	if w := r.count("TreeWidth", 50); w < 65533 {
		r.add(idTree, r.at("TreeWidth"), "write TreeWidth=65533", "TreeWidth %d: up to release 23.02 slurmds hand messages on by each other's names, which no DNS knows of cloud nodes", w)
	}
	if !slices.ContainsFunc(words(r.at("PrivateData").text), func(w string) bool { return strings.EqualFold(w, "cloud") }) {
		r.add(idPrivate, r.at("PrivateData"), "add cloud to PrivateData", "without PrivateData=cloud releases before 23.02 do not show nodes that are powered down")
	}
	if n := r.count("BatchStartTimeout", 10); n < 60 {
		r.add(idBatch, r.at("BatchStartTimeout"), "write BatchStartTimeout=60", "BatchStartTimeout %d s: the first start on a new machine, which fetches all its files, can take longer", n)
	}
	r.memory(clouds)
	r.addresses(clouds)
	r.weights(premises, clouds)
}

// programs judges who powers nodes up and down.
func (r *reader) programs() {
	s := &r.settings
	saving := s.SuspendTime != Infinite
	for _, p := range s.Partitions {
		saving = saving || p.SuspendTime != nil && *p.SuspendTime != Infinite
	}
	if !saving {
		r.add(idSuspendTime, r.at("SuspendTime"), "write SuspendTime=600", "SuspendTime is INFINITE: power saving is off, and no cloud node is ever powered up")
	}
	for _, p := range []struct{ name, path string }{{"ResumeProgram", s.ResumeProgram}, {"SuspendProgram", s.SuspendProgram}} {
		if p.path == "" {
			r.add(idProgram, r.at(p.name), "name aws-slurm-burst's", "no %s: power saving is off, and no cloud node is ever powered up", p.name)
		}
	}
	if s.ResumeFailProgram == "" {
		r.add(idFailProgram, r.at("ResumeFailProgram"), "name aws-slurm-burst-resume-fail", "no ResumeFailProgram: slurmctld calls no SuspendProgram for nodes that do not come in time, and their instances run on")
	}
}

// Limits of what is wise. A machine is a node after 1 to 5 minutes, as sites
// report it: ParallelCluster's samples have a median of 292 s from submission to
// start, a prepared image some 75 s.
const (
	shortBoot = 3 * time.Minute
	shortDead = 30 * time.Second
	longDead  = 15 * time.Minute
)

// times judges how long slurmctld waits for what.
func (r *reader) times() {
	s := &r.settings
	resume, suspend := s.ResumeTimeout, s.SuspendTimeout
	for _, p := range s.Partitions {
		// Of several partitions the longest counts.
		if p.ResumeTimeout != nil {
			resume = longer(resume, *p.ResumeTimeout)
		}
		if p.SuspendTimeout != nil {
			suspend = longer(suspend, *p.SuspendTimeout)
		}
	}
	if resume != Infinite && resume < shortBoot {
		r.add(idResumeTimeout, r.at("ResumeTimeout"), "write ResumeTimeout=600", "ResumeTimeout %s: machines take one to five minutes to be nodes, and one that comes later is DOWN while it is paid for", resume)
	}
	if idle := s.SuspendTime; idle != Infinite && resume != Infinite && suspend != Infinite && idle < suspend+resume {
		r.add(idSuspendShort, r.at("SuspendTime"), "write at least "+strconv.Itoa(int((suspend+resume)/time.Second)), "SuspendTime %s is shorter than a power-down and a power-up together (%s): nodes are ended that the next job waits for again", idle, suspend+resume)
	}
	switch {
	case s.SlurmdTimeout == 0 || s.SlurmdTimeout == Infinite:
		r.add(idSlurmd, r.at("SlurmdTimeout"), "write SlurmdTimeout=300", "SlurmdTimeout is off: a node that spot took away is never DOWN, and its job never ends")
	case s.SlurmdTimeout < shortDead:
		r.add(idSlurmd, r.at("SlurmdTimeout"), "write SlurmdTimeout=300", "SlurmdTimeout %s: a busy machine is taken for dead, and its job is lost", s.SlurmdTimeout)
	case s.SlurmdTimeout > longDead:
		r.add(idSlurmd, r.at("SlurmdTimeout"), "write SlurmdTimeout=300", "SlurmdTimeout %s: for so long a job waits on a node that spot took away", s.SlurmdTimeout)
	}
}

func longer(a, b time.Duration) time.Duration {
	if a == Infinite || b == Infinite {
		return Infinite
	}
	return max(a, b)
}

// count is a parameter's number, or what Slurm has where there is none.
func (r *reader) count(key string, standard int) int {
	if v := r.at(key); v.text != "" {
		r.number(v, &standard)
	}
	return standard
}

// nodeAt is where the line of a node is.
func (r *reader) nodeAt(n Node) value {
	names, err := hostlist.Expand(n.Names)
	if err != nil || len(names) == 0 {
		return value{}
	}
	return r.nodes.at[names[0]]
}

func (r *reader) memory(clouds []Node) {
	for _, n := range clouds {
		if n.Memory == 1 && r.settings.SelectMemory {
			r.add(idMemory, r.nodeAt(n), "write RealMemory= with some 95 % of what the type has", "%s has no RealMemory: jobs that ask for memory never fit", finding.Quote(n.Names))
		}
	}
}

func (r *reader) addresses(clouds []Node) {
	dns := slices.ContainsFunc(options(r.at("SlurmctldParameters")), func(o pair) bool { return o.key == "cloud_dns" })
	if dns {
		r.add(idDNS, r.at("SlurmctldParameters"), "remove cloud_dns, unless DNS knows each node as it boots", "cloud_dns: srun and slurmd look cloud nodes up in DNS instead of taking the addresses that the executor gives")
		return
	}
	for _, n := range clouds {
		if n.Addr == "" {
			r.add(idAddress, r.nodeAt(n), "write a NodeAddr= that resolves, such as 127.0.0.1", "%s has no NodeAddr: slurmctld looks the names up, and stands still for 10 s a node where DNS does not know them", finding.Quote(n.Names))
		}
	}
}

func (r *reader) weights(premises, clouds []Node) {
	if len(premises) == 0 {
		return
	}
	most := slices.MaxFunc(premises, func(a, b Node) int { return a.Weight - b.Weight }).Weight
	for _, n := range clouds {
		if n.Weight <= most {
			r.add(idWeight, r.nodeAt(n), "write Weight="+strconv.Itoa(most+1), "%s has weight %d, and nodes on the premises up to %d: jobs go to the cloud while there is room at home", finding.Quote(n.Names), n.Weight, most)
			return
		}
	}
}
