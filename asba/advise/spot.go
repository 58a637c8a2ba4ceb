package advise

import (
	"fmt"
	"math"
	"time"

	"aws-slurm-burst/asba/catalog"
)

// When losing a node is bearable. docs/ADVISE.md has the reasons.
const (
	// shortJob is how long a job may run that nobody starts again: what is lost
	// is at most this.
	shortJob = time.Hour
	// A job that is lost with a higher chance than this is not put on spot: one
	// that starts again would mostly be late, one that does not would be lost
	// too often. bearable is the worst band that EC2's spot advisor names.
	bearable      = 0.20
	bearableShort = 0.01
	// hopeless is where a job does not go even if it asks to.
	hopeless = 0.90
	// largeGang is from how many nodes on a gang is not put on spot: each of them
	// ends all, and all come from one pool. It is what configurations are written
	// with as mpi.hpc_instances_threshold.
	largeGang = 8
)

// hoursOfMonth turns the advisor's month into hours.
const hoursOfMonth = 730

// monthly is which part of its instances a band loses in a month: the band's
// upper end; for the highest, which has none, and for an unknown one, a guess
// that is as far above it as the others are wide, twice.
func monthly(b catalog.Band) float64 {
	switch b {
	case catalog.BandUnder5:
		return 0.05
	case catalog.Band5To10:
		return 0.10
	case catalog.Band10To15:
		return 0.15
	case catalog.Band15To20:
		return 0.20
	}
	return 0.30
}

// hazard is how often an hour takes one of some nodes away, where each of them
// is as likely to be lost in any hour as in any other.
func hazard(b catalog.Band, nodes int) float64 {
	return -math.Log(1-monthly(b)) / hoursOfMonth * float64(nodes)
}

// restart is how long a job that lost a node is away before it computes again:
// Slurm keeps a requeued job from starting for two minutes (cred_expire), then
// its nodes boot.
func restart(boot time.Duration) time.Duration { return 2*time.Minute + boot }

// spotTerms are what the spot market means for a job.
type spotTerms struct {
	loss  float64 // the chance that a run is lost
	hours float64 // that the job is expected to hold its nodes, restarts included
}

// onSpot computes them for a job that starts from its beginning whenever it
// loses a node. The time to get through T hours without a loss, where losses
// come at a rate and each costs r hours, is (1/rate + r)(exp(rate T) - 1).
func onSpot(b catalog.Band, nodes int, hours float64, boot time.Duration) spotTerms {
	rate := hazard(b, nodes)
	return spotTerms{
		loss:  -math.Expm1(-rate * hours),
		hours: (1/rate + restart(boot).Hours()) * math.Expm1(rate*hours),
	}
}

// bands is how many bands of interruption there are, the unknown one first.
const bands = int(catalog.BandOver20-catalog.BandUnknown) + 1

// terms are those of the need's job. Most types take as many nodes as the one
// before, and there are few bands.
func (n *need) terms(b catalog.Band, nodes int) spotTerms {
	last := &n.last[b-catalog.BandUnknown]
	if last.nodes != nodes {
		last.nodes, last.spotTerms = nodes, onSpot(b, nodes, n.hours, n.boot())
	}
	return last.spotTerms
}

// off is why a job is not put on spot.
type off uint8

const (
	allowed off = iota // it may be
	hardlyEnds
	gangAtRisk
	spotForbidden
	gangTooLarge
	onceForUnknown
	onceTooLong
	onceTooRisky
	tooRisky
	noTimeAgain
	spotUnpriced
	spotOverLimit
	spotNoGain
)

// unbearable says why a job is not put on spot. What was asked for is not
// judged, but a gang never goes where the advisor has no figure, or its worst.
func (n *need) unbearable(o *offer, nodes int, loss float64) off {
	gang := nodes > 1
	switch {
	case loss > hopeless:
		return hardlyEnds
	case gang && (o.spot.Interruption == catalog.BandUnknown || o.spot.Interruption == catalog.BandOver20):
		return gangAtRisk
	case n.Usage == UsageSpot:
		return allowed
	case n.Policy.NoSpot:
		return spotForbidden
	case gang && nodes > largeGang:
		return gangTooLarge
	case !n.job.Requeue && n.job.TimeLimit == 0:
		return onceForUnknown
	case !n.job.Requeue && n.job.TimeLimit > shortJob:
		return onceTooLong
	case !n.job.Requeue && loss > bearableShort:
		return onceTooRisky
	case loss > bearable:
		return tooRisky
	case !n.Deadline.IsZero() && n.late(2*n.job.TimeLimit+restart(n.boot())):
		return noTimeAgain
	}
	return allowed
}

// offSpot says why a candidate is not put on spot, "" where it may be.
func (n *need) offSpot(c *candidate) string {
	loss := func() float64 { return n.terms(n.Market.offers[c.offer].spot.Interruption, c.nodes).loss }
	switch c.off {
	case hardlyEnds:
		return fmt.Sprintf("a node would be taken back with a chance of %.0f %%: the job would hardly end", 100*loss())
	case gangAtRisk:
		return "a gang that loses one node loses all, and more than 20 % of the instances may be taken back in a month"
	case spotForbidden:
		return "the policy keeps jobs off spot"
	case gangTooLarge:
		return fmt.Sprintf("a gang of %d nodes is too large for spot (at most %d): each node that is taken back ends all", c.nodes, largeGang)
	case onceForUnknown:
		return "the job may not be started again, and does not say how long it runs"
	case onceTooLong:
		return fmt.Sprintf("the job may not be started again, and runs longer than %s", span(shortJob))
	case onceTooRisky:
		return fmt.Sprintf("the job may not be started again, and would be lost with a chance of %.1f %%", 100*loss())
	case tooRisky:
		return fmt.Sprintf("a node would be taken back with a chance of %.0f %%", 100*loss())
	case noTimeAgain:
		return "after a node is taken back there is no time to start again before the deadline"
	case spotUnpriced:
		return "the price there is not known"
	case spotOverLimit:
		return "with the time that is lost to restarts it would cost too much"
	case spotNoGain:
		return "spot would not be cheaper"
	}
	return ""
}
