package advise

import (
	"encoding/binary"
	"math"
	"time"
)

// Memory remembers the advice on jobs of one shape: what differs in no more than
// who asks, under which id and name, and at which time of the day, gets the same
// plan. A job with a deadline is advised anew each time, and so is one of very long
// texts. What it gives is what
// Advise gives, whatever was asked before; it is bounded, and it begins anew with
// another market.
//
// The zero value is ready for use. It takes no locks: who asks from several
// goroutines at once guards it.
type Memory struct {
	market *Market
	// Two generations: what was asked for lately is in the young one. When that is
	// full it becomes the old one, whose place it takes.
	young, old map[string]Advice
}

// shapes is how many a generation has: some kilobytes each, since none is kept of a
// job that has texts of more than longTexts bytes. Slurm takes a nodelist of 64 kB.
const (
	shapes    = 1024
	longTexts = 1024
)

// Advise is Advise, remembered.
func (m *Memory) Advise(j Job, o Options) Advice {
	a, ok := m.Recall(j, o)
	if !ok {
		a = Advise(j, o)
		m.Keep(j, o, a)
	}
	return a
}

// Recall returns the advice where the shape is remembered.
func (m *Memory) Recall(j Job, o Options) (a Advice, ok bool) {
	k, ok := shape(&j, &o)
	if !ok || m.market != o.Market {
		return a, false
	}
	if a, ok = m.young[string(k)]; !ok {
		if a, ok = m.old[string(k)]; !ok {
			return a, false
		}
		m.put(string(k), a)
	}
	p := *a.Plan
	about(&p, &j, o.Now)
	a.Plan = &p
	return a, true
}

// Keep remembers what Advise gave for a job.
func (m *Memory) Keep(j Job, o Options, a Advice) {
	k, ok := shape(&j, &o)
	if !ok {
		return
	}
	if m.market != o.Market {
		*m = Memory{market: o.Market}
	}
	m.put(string(k), a)
}

func (m *Memory) put(k string, a Advice) {
	if len(m.young) >= shapes {
		m.young, m.old = nil, m.young
	}
	if m.young == nil {
		m.young = make(map[string]Advice, shapes)
	}
	m.young[k] = a
}

// shape is what of a job and of what is known beside it decides the advice; ok is
// false where each moment gives another one.
func shape(j *Job, o *Options) (k key, ok bool) {
	if !o.Deadline.IsZero() || texts(j) > longTexts {
		return nil, false
	}
	k = make(key, 0, 256)
	k.ints(j.MinNodes, j.MaxNodes, j.Tasks, j.TasksPerNode, j.CPUsPerTask, j.MemoryPerNodeMiB, j.MemoryPerCPUMiB, j.MemoryPerGPUMiB,
		int(j.TimeLimit), int(j.Coupling), j.ArrayTasks, j.MinCPUs, j.MinCores, j.ThreadsPerCore, len(j.GPUs))
	for _, g := range j.GPUs {
		k.texts(g.Model)
		k.ints(g.Count, int(g.Per))
	}
	k.bools(j.OneThread, j.Threads, j.WholeMemory, j.Requeue, o.Previous, o.Burstable, o.BareMetal, o.EFARequired, o.Policy.NoSpot, o.Policy.UnknownPrice, o.Line != nil)
	k.lists(j.Unjudged, o.Archs, o.Zones, o.Allow, o.Deny)
	k.texts(j.Constraint, o.Usage)
	for _, r := range []Range{o.Bounds.VCPUs, o.Bounds.MemoryMiB, o.Bounds.GPUs, o.Bounds.GPUMemoryMiB, o.Bounds.NetworkGbps} {
		k.floats(r.Least, r.Most)
	}
	if l := o.Line; l != nil {
		k.texts(l.Name, l.Gres, l.Arch)
		k.ints(l.CPUs, l.MemoryMiB)
	}
	k.floats(o.Budget, o.Policy.MaxCostPerHour)
	k.ints(o.Policy.MaxNodes, int(o.Boot), o.Local.Nodes, int(o.Local.Wait), day(o.Now))
	return k, true
}

// texts is how many bytes a shape has of a job's texts.
func texts(j *Job) int {
	n := len(j.Constraint)
	for _, s := range j.Unjudged {
		n += len(s)
	}
	for _, g := range j.GPUs {
		n += len(g.Model)
	}
	return n
}

// day numbers the days of UTC: prices are a day older with each. The zero time,
// at which nobody asks how old they are, is none of them.
func day(t time.Time) int {
	if t.IsZero() {
		return math.MinInt
	}
	return int(math.Floor(float64(t.Unix()) / (24 * 60 * 60)))
}

// key is built of fields one after another, so that no two shapes have the same.
type key []byte

func (k *key) ints(values ...int) {
	for _, v := range values {
		*k = binary.AppendVarint(*k, int64(v))
	}
}

func (k *key) floats(values ...float64) {
	for _, v := range values {
		*k = binary.LittleEndian.AppendUint64(*k, math.Float64bits(v))
	}
}

func (k *key) bools(values ...bool) {
	for _, v := range values {
		b := byte(0)
		if v {
			b = 1
		}
		*k = append(*k, b)
	}
}

func (k *key) texts(values ...string) {
	for _, v := range values {
		k.ints(len(v))
		*k = append(*k, v...)
	}
}

func (k *key) lists(values ...[]string) {
	for _, v := range values {
		k.ints(len(v))
		k.texts(v...)
	}
}
