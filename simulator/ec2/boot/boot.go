// Package boot is how an instance comes up: when EC2 has it running, when the
// slurmd on it answers, or that it never does. Each instance's fate is drawn from
// a stream of its own, so that one instance more or less changes no other's.
//
// It draws and schedules nothing: the EC2 model has an instance run or die, a
// cluster has its slurmd register.
package boot

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"aws-slurm-burst/simulator"
)

// Lognormal is a distribution of times: half are shorter than Median, and two
// thirds within a factor of e^Sigma of it.
type Lognormal struct {
	Median time.Duration
	Sigma  float64
}

func (l Lognormal) draw(r *rand.Rand) time.Duration {
	return time.Duration(float64(l.Median) * math.Exp(l.Sigma*r.NormFloat64()))
}

// Profile is how the instances of an image come up.
type Profile struct {
	Name string
	// Running is from the launch until the instance is running: from then it is
	// billed. Ready is from the launch until its slurmd answers.
	Running, Ready Lognormal
	// Dies is the chance that an instance ends instead of running, as
	// Server.InternalError or Client.InternalError; Never that one runs and its
	// slurmd never answers.
	Dies, Never float64
}

// clientShare is the share of those that die which die as Client.InternalError:
// that is mostly a disk whose key may not be used, which is rarely right for some
// instances and wrong for others. Assumed.
const clientShare = 0.25

// running is what EC2 itself takes. Cold launches of AL2023 in 2026 were running
// after 16.4 to 17.8 s, whatever the family (t3 to r7i) and in five regions
// (brevdev/ec2-coldboot-research); one c5.xlarge took 4.9 s in 2021
// (daemonology.net). The spread is assumed.
var running = Lognormal{17 * time.Second, 0.05}

// Chances that nobody has published figures of. Assumed.
const (
	dies  = 0.002
	never = 0.01
)

// presets, in the order of their speed.
var presets = []Profile{
	{
		// Launch to an open SSH port of a plain AL2023: 22 to 26 s in all, the same
		// source; slurmd of such an image is as fast as its sshd.
		Name: "minimal", Running: running, Ready: Lognormal{25 * time.Second, 0.05}, Dies: dies, Never: never,
	}, {
		// An image with Slurm, MPI, EFA and a file system's client in it. Between the
		// two others, which were measured; assumed.
		Name: "hpc", Running: running, Ready: Lognormal{75 * time.Second, 0.25}, Dies: dies, Never: never,
	}, {
		// Chef runs at boot: 180 to 290 s, here at 5 % and 95 %. ParallelCluster 3.1.1
		// took 283 to 312 s from submit to start (quartiles of 100 jobs), 24 to 42 s of
		// them Slurm's own (aws-samples; its issues 148, 4236 and 6479 tell of 4 to 5
		// minutes).
		Name: "parallelcluster", Running: running, Ready: Lognormal{228 * time.Second, 0.145}, Dies: dies, Never: never,
	},
}

// Named returns a preset: minimal, hpc or parallelcluster.
func Named(name string) (Profile, error) {
	var names []string
	for _, p := range presets {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Profile{}, fmt.Errorf("boot profile %q: there are %s", name, strings.Join(names, ", "))
}

// Assumed returns the numbers of the profile that nobody has measured, each with
// its name.
func (p Profile) Assumed() []string {
	out := []string{
		fmt.Sprintf("boot %s: %.3g of instances die before they run (a quarter of them as Client.InternalError)", p.Name, p.Dies),
		fmt.Sprintf("boot %s: slurmd of %.3g never answers", p.Name, p.Never),
		fmt.Sprintf("boot %s: running after %v, sigma %.3g assumed", p.Name, p.Running.Median, p.Running.Sigma),
	}
	if p.Name != "minimal" && p.Name != "parallelcluster" {
		out = append(out, fmt.Sprintf("boot %s: slurmd answers after %v, sigma %.3g", p.Name, p.Ready.Median, p.Ready.Sigma))
	}
	return out
}

// Fate is how one instance comes up. Times are since its launch.
type Fate struct {
	// Running is when it is running, or ends instead where Dies is set.
	Running time.Duration
	// Ready is when its slurmd answers, never before it runs; 0 where it never
	// does.
	Ready time.Duration
	// Dies is EC2's state reason for an instance that never runs, such as
	// Server.InternalError; "" for one that runs.
	Dies string
}

// Fate draws how an instance comes up: the same for the same seed and id.
func (p Profile) Fate(seed uint64, instance string) Fate {
	r := rand.New(simulator.NewStream(seed, "ec2.boot", instance))
	// Drawn in any case, so that a chance more shifts nothing.
	f := Fate{Running: p.Running.draw(r), Ready: p.Ready.draw(r)}
	f.Ready = max(f.Ready, f.Running+time.Second)
	dies, client, never := r.Float64(), r.Float64(), r.Float64()
	switch {
	case dies < p.Dies && client < clientShare:
		f.Dies, f.Ready = "Client.InternalError", 0
	case dies < p.Dies:
		f.Dies, f.Ready = "Server.InternalError", 0
	case never < p.Never:
		f.Ready = 0
	}
	return f
}
