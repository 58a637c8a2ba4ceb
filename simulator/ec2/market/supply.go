package market

import (
	"fmt"
	"math"
	"strings"
	"time"

	"aws-slurm-burst/executor/cloud"
)

// Supply is how the capacity of a pool comes and goes.
type Supply struct {
	Name string
	// Up and Down are the times for which the pool has anything, and nothing.
	Up, Down Weibull
	// InRegion is the share of time in which the pool is up and down with its
	// region, InWorld that in which a region is with all others; 0 is never.
	InRegion, InWorld float64
	// While it is up, the pool has n instances or more with the chance n^-Tail,
	// and Most at most; the number holds for LevelFor on average.
	Tail     float64
	Most     int
	LevelFor time.Duration
	// A new cluster placement group finds n of them side by side with the chance
	// n^-GroupTail; that holds for GroupFor on average.
	GroupTail float64
	GroupFor  time.Duration
	// Spot is taken back in parts, too: after PartEvery on average EC2 takes a part
	// of what an account runs, and gives no more for PartFor on average. With 0 it
	// never does.
	PartEvery, PartFor time.Duration

	measured bool // Up, Down, Tail and PartEvery are, as spot
}

// Available is the share of time in which the pool has anything.
func (s Supply) Available() float64 {
	return s.Up.Mean.Seconds() / (s.Up.Mean + s.Down.Mean).Seconds()
}

// Correlations of zones, measured as phi of p3.2xlarge spot in nine zones over 45
// days (SkyPilot's spot traces, NSDI 2024): 0.43 within a region, 0.14 across.
const (
	PhiInRegion = 0.43
	PhiInWorld  = 0.14
)

// The shares of time that make them: both zones follow the region, both regions
// the world.
var (
	inRegion = math.Sqrt(PhiInRegion)
	inWorld  = math.Sqrt(PhiInWorld / PhiInRegion)
)

// presets. The spot series are SkyPilot's, as above; up and down are means and
// Weibull shapes of its zones. Gangs of 16: all 16 were there in 0.73 to 0.94 of
// the time in which any was, which Tail repeats; a 16-node drop lost everything
// in 36 to 72 % of cases, which LevelFor does. These series are of what could have
// been launched. Four instances that ran were lost all at once in 23 to 43 % of
// the drops: mostly one or two went, and came back soon. A part taken once in a
// time up, beside the drops of the pool, repeats that.
var presets = []Supply{
	{
		// p3.2xlarge: up 0.7 to 10.4 h on average (shape 0.50 to 0.93), down 0.8 to
		// 3.6 h (0.58 to 0.97), there 17 to 91 % of the time. All 16: 0.73. Most is
		// assumed.
		Name: "scarce", measured: true,
		Up: Weibull{4 * time.Hour, 0.7}, Down: Weibull{2 * time.Hour, 0.75},
		InRegion: inRegion, InWorld: inWorld,
		Tail: 0.1135, Most: 64, LevelFor: 50 * time.Minute,
		GroupTail: 0.25, GroupFor: groupFor,
		PartEvery: 4 * time.Hour, PartFor: partFor,
	}, {
		// r5.16xlarge, a large type with CPUs alone (6 days): up 0.75 to 5.1 h, down
		// 0.33 to 0.42 h, there 64 to 94 %. All 16: 0.94. Shapes as above; Most is
		// assumed.
		Name: "common", measured: true,
		Up: Weibull{3 * time.Hour, 0.7}, Down: Weibull{23 * time.Minute, 0.75},
		InRegion: inRegion, InWorld: inWorld,
		Tail: 0.0223, Most: 2000, LevelFor: 18 * time.Minute,
		GroupTail: 0.038, GroupFor: groupFor,
		PartEvery: 3 * time.Hour, PartFor: partFor,
	}, {
		// On demand, of types that are sold out now and then. Assumed.
		Name: "scarce-on-demand",
		Up:   Weibull{24 * time.Hour, 0.7}, Down: Weibull{4 * time.Hour, 0.75},
		InRegion: inRegion, InWorld: inWorld,
		Tail: 0.1135, Most: 64, LevelFor: 5 * time.Hour,
		GroupTail: 0.25, GroupFor: groupFor,
	}, {
		// On demand, of what almost never is. Assumed.
		Name: "common-on-demand",
		Up:   Weibull{90 * 24 * time.Hour, 0.7}, Down: Weibull{30 * time.Minute, 0.75},
		InRegion: inRegion, InWorld: inWorld,
		Tail: 0.0223, Most: 2000, LevelFor: 24 * time.Hour,
		GroupTail: 0.038, GroupFor: groupFor,
	},
}

// groupFor is how long the room for groups stays as it is: AWS's advice after a
// shortage is to try again after minutes. Assumed, as GroupTail is.
const groupFor = 15 * time.Minute

// partFor is how long an account gets no more than what a part taken back left it:
// in the series of four instances that ran, the missing ones were away for 10 to 18
// minutes, counted in ticks of 5.
const partFor = 10 * time.Minute

// bands are how often the Spot Instance Advisor says that instances of a type are
// interrupted in a month, in its own words, each with the share that stands for it:
// the band's end. For the last, which has none, it is assumed.
var bands = []struct {
	word  string
	share float64
}{{"<5%", 0.05}, {"5-10%", 0.10}, {"10-15%", 0.15}, {"15-20%", 0.20}, {">20%", 0.30}}

// unknownBand is what stands for a type of which nobody tells anything: the worst, as
// the advisor guesses (asba/advise). Assumed.
const unknownBand = ">20%"

// Named returns a supply by its word: scarce and common are spot as measured,
// scarce-on-demand and common-on-demand are assumed, and <5%, 5-10%, 10-15%, 15-20%
// and >20% are spot as the Spot Instance Advisor tells it.
func Named(name string) (Supply, error) {
	var names []string
	for _, s := range presets {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	for _, b := range bands {
		if b.word == name {
			s, err := Interrupted(b.share)
			s.Name = name
			return s, err
		}
		names = append(names, b.word)
	}
	return Supply{}, fmt.Errorf("supply %q: there are %s", name, strings.Join(names, ", "))
}

// Interrupted returns a spot supply that is the common one, but for how often it
// drops: that share of instances that run alone for a month is interrupted, and of
// those of a gang half as many more. That the Spot Instance Advisor's months are
// such is assumed: it does not say how long its instances run.
func Interrupted(share float64) (Supply, error) {
	if !(share > 0 && share < 1) {
		return Supply{}, fmt.Errorf("supply interrupted %v a month: want a share between 0 and 1, such as 0.05", share)
	}
	s, err := Named("common")
	s.Name, s.measured = fmt.Sprintf("interrupted %.3g a month", share), false
	const month = 30 * 24 * time.Hour
	s.Up.Mean = seconds(month.Seconds() / -math.Log(1-share))
	// Shortages are as long as in the preset, and as much rarer as drops are.
	s.Tail *= s.PartEvery.Seconds() / s.Up.Mean.Seconds()
	s.PartEvery = s.Up.Mean
	return s, err
}

// scarce are the families, by the letters before the generation, that accounts
// wait for: accelerators, HPC and the largest memories. Assumed, by what AWS sells
// in capacity blocks or by the quota.
var scarce = map[string]bool{"p": true, "g": true, "gr": true, "trn": true, "inf": true, "dl": true, "hpc": true, "f": true, "vt": true, "u": true}

// Scarce reports whether a type is of one of the families that accounts wait for:
// accelerators, HPC and the largest memories.
func Scarce(kind string) bool {
	i := strings.IndexFunc(kind, func(r rune) bool { return r < 'a' || r > 'z' })
	return scarce[kind[:max(0, i)]]
}

// Default is the Supplies of an account without better numbers. What is Scarce is
// so, on spot as p3.2xlarge was measured. All other types are common on demand, and
// on spot interrupted as in the worst of the Spot Instance Advisor's bands: whoever
// has the band of a type knows better.
func Default(p Pool) (Supply, bool) {
	name := "common"
	switch {
	case Scarce(p.Type):
		name = "scarce"
	case p.Market == cloud.Spot:
		name = unknownBand
	}
	if p.Market != cloud.Spot {
		name += "-on-demand"
	}
	s, err := Named(name)
	return s, err == nil
}

// Assumed returns the numbers of the supply that nobody has measured, each with
// its name.
func (s Supply) Assumed() []string {
	out := []string{
		fmt.Sprintf("supply %s: an account has at most %d instances of a pool", s.Name, s.Most),
		fmt.Sprintf("supply %s: a cluster placement group finds n side by side with the chance n^-%.3g, for %v", s.Name, s.GroupTail, s.GroupFor),
	}
	if !s.measured {
		out = append(out, fmt.Sprintf("supply %s: up for %v (shape %.3g), down for %v (shape %.3g), n or more with the chance n^-%.3g, for %v",
			s.Name, s.Up.Mean.Round(time.Minute), s.Up.Shape, s.Down.Mean, s.Down.Shape, s.Tail, s.LevelFor))
	}
	return out
}
