package report

import (
	"maps"
	"slices"

	"aws-slurm-burst/simulator/report/sums"
)

// Group is the jobs of a user, an account or a partition.
type Group struct {
	Name string `json:"name"`
	// Jobs have ended; the means are of the Ran that had run.
	Jobs                int     `json:"jobs"`
	Ran                 int     `json:"ran"`
	MeanWait            float64 `json:"mean_wait_s"`
	MeanBoundedSlowdown float64 `json:"mean_bounded_slowdown"`
	// ProcHours is processors by hours of the attempts that ended, everywhere.
	ProcHours float64 `json:"proc_hours"`
	// CloudNodeHours were of use in the cloud, LostNodeHours were not. Cost is what
	// the cloud nodes cost while the jobs had them.
	CloudNodeHours float64  `json:"cloud_node_hours"`
	LostNodeHours  float64  `json:"lost_node_hours"`
	Cost           sums.USD `json:"cost_usd"`
}

// group is what the jobs of a user, an account or a partition add up to.
type group struct {
	jobs, ran                     int
	waitS, slowdown               float64
	procNS, usefulNS, lostNS, usd float64
}

type groups map[string]*group

func (g groups) of(name string) *group {
	one := g[name]
	if one == nil {
		one = &group{}
		g[name] = one
	}
	return one
}

// list are the groups by name.
func (g groups) list() []Group {
	out := make([]Group, 0, len(g))
	for _, name := range slices.Sorted(maps.Keys(g)) {
		one := g[name]
		r := Group{
			Name: name, Jobs: one.jobs, Ran: one.ran, ProcHours: hours(one.procNS), Cost: sums.Dollars(one.usd),
			CloudNodeHours: hours(one.usefulNS), LostNodeHours: hours(one.lostNS),
		}
		if one.ran > 0 {
			r.MeanWait, r.MeanBoundedSlowdown = sums.Round(one.waitS/float64(one.ran)), sums.Round(one.slowdown/float64(one.ran))
		}
		out = append(out, r)
	}
	return out
}
