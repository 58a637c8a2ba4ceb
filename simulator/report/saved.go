package report

import (
	"maps"
	"slices"

	"aws-slurm-burst/simulator/report/sums"
)

// Saved is what the cloud saved of waiting, against the premises alone.
type Saved struct {
	// Jobs ran in both runs: on the premises alone some may be too large.
	Jobs int `json:"jobs"`
	// AloneMeanWait is what they waited for on the premises alone, MeanWait with the
	// cloud.
	AloneMeanWait float64 `json:"alone_mean_wait_s"`
	MeanWait      float64 `json:"mean_wait_s"`
	// Hours of waiting that the cloud saved them together; less than 0 where it made
	// them wait longer.
	Hours float64 `json:"hours"`
	// PerHour is the whole bill over these hours; nil where none was saved.
	PerHour *sums.USD `json:"usd_per_hour"`
}

// Compare fills in what the cloud saved. Both runs had the same workload, and
// Options.Compared; alone was on the premises alone.
func (r *Report) Compare(alone *Report) {
	s := &Saved{}
	r.Saved = s
	var with, without float64
	for _, id := range slices.Sorted(maps.Keys(r.waitOf)) { // a sum depends on its order
		if w, both := alone.waitOf[id]; both {
			s.Jobs++
			with += float64(r.waitOf[id])
			without += float64(w)
		}
	}
	if s.Jobs == 0 {
		return
	}
	s.AloneMeanWait, s.MeanWait = sums.Round(without/float64(s.Jobs)), sums.Round(with/float64(s.Jobs))
	s.Hours = sums.Round((without - with) / 3600)
	if r.Cloud != nil && s.Hours > 0 {
		each := sums.Dollars(r.Cost.Float() / s.Hours)
		s.PerHour = &each
	}
}
