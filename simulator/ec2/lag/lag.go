// Package lag is how long EC2 takes to show what it has done: an instance that was
// just launched may not be found for a while, and one that is ended is not gone at
// once.
//
// It draws times; what is not seen meanwhile, and what still counts, is the model's.
package lag

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"aws-slurm-burst/simulator"
)

// Sight is how long a new resource stays hidden from calls that describe or use it.
// Times are lognormal, each resource's from a stream of its own. The zero Sight hides
// nothing.
type Sight struct {
	Median time.Duration
	Sigma  float64
}

// AWS says that a describe may not find what a call has just made, and to wait a
// couple of seconds at first and minutes at last ("Ensuring idempotency", "Eventual
// consistency" in the EC2 developer guide); it gives no distribution, and nobody
// else has published one. Assumed: half are seen after 0.3 s, 99 in 100 after 5 s.
const usualMedian = 300 * time.Millisecond

var usualSigma = math.Log(5/0.3) / 2.3263 // the 99th percentile of a normal distribution

// Usual returns the Sight that is assumed of EC2.
func Usual() Sight { return Around(usualMedian) }

// Around returns one with another median: the times are as spread.
func Around(median time.Duration) Sight { return Sight{median, usualSigma} }

// Of draws how long one resource stays hidden: the same for the same seed and id.
func (s Sight) Of(seed uint64, id string) time.Duration {
	if s.Median <= 0 {
		return 0
	}
	r := rand.New(simulator.NewStream(seed, "ec2.lag", id))
	return time.Duration(min(float64(s.Median)*math.Exp(s.Sigma*r.NormFloat64()), float64(longest)))
}

// longest bounds a drawn time: AWS speaks of minutes.
const longest = 5 * time.Minute

// Assumed returns the numbers that nobody has measured; nil where nothing is hidden.
func (s Sight) Assumed() []string {
	if s.Median <= 0 {
		return nil
	}
	return []string{fmt.Sprintf("EC2 shows what is new after %v in the median, sigma %.3g", s.Median, s.Sigma)}
}

// ShuttingDown is how long an instance takes from shutting-down to terminated, where
// nothing else is known: until then it counts against quotas and holds its address.
// AWS calls more than a few minutes delayed (EC2 User Guide, troubleshooting), and
// nobody has published times. Assumed.
const ShuttingDown = 40 * time.Second
