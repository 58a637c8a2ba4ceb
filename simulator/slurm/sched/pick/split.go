package pick

import "aws-slurm-burst/simulator/slurm/sched/site"

// SplitWant is split for an option of a job, where so many of each class are free.
func (p *Picker) SplitWant(w *Want, cpus int32, free []int32) bool {
	set := &p.Site.Sets[w.Set]
	p.have = p.have[:0]
	for _, c := range set.Classes {
		p.have = append(p.have, max(free[c], 0))
	}
	return p.split(set, p.have, w.Need, cpus) > 0
}

// split says how many nodes of each class of a set are taken, into work, where it
// Has so many of each: from no more weights than it must, and from the classes of
// these in their order. It returns how many classes those are, 0 where all are not
// enough.
func (p *Picker) split(set *site.Set, have []int32, need, cpus int32) int {
	p.Work = append(p.Work[:0], have...)
	lack, lackCPUs, weights := need, cpus, 0
	for ; weights < len(have); weights++ {
		if lack <= 0 && lackCPUs <= 0 && set.Weights[weights] > set.Weights[weights-1] {
			break
		}
		lack -= have[weights]
		lackCPUs -= have[weights] * set.CPUs[weights]
	}
	if lack > 0 || lackCPUs > 0 {
		return 0
	}
	p.fill(set, have, weights, need, cpus)
	return weights
}

// fill takes nodes of the first classes of a set, in their order, into work.
func (p *Picker) fill(set *site.Set, have []int32, classes int, need, cpus int32) {
	for _, i := range set.Order {
		n := int32(0)
		if int(i) < classes {
			n = min(have[i], max(need, ceil(cpus, set.CPUs[i]), 0))
		}
		p.Work[i] = n
		need -= n
		cpus -= n * set.CPUs[i]
	}
}

// Any says how many nodes of each class of an option's set are taken, into Work,
// from any weights, where so many of each class are free.
func (p *Picker) Any(w *Want, cpus int32, free []int32) {
	set := &p.Site.Sets[w.Set]
	p.have, p.Work = p.have[:0], p.Work[:0]
	for _, c := range set.Classes {
		p.have, p.Work = append(p.have, free[c]), append(p.Work, 0)
	}
	p.fill(set, p.have, len(p.have), w.Need, cpus)
}
