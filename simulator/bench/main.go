// Command bench measures the simulator against others and against its goals, on
// one core, and prints a table: each goal is a ratio to something that runs in
// the same minute on the same machine, or a number of jobs.
//
// It is a module of its own, so that what it is measured against (simgo, SimPy,
// AccaSim) is in no program of ours. "make bench-sim" runs it.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// row is one goal with what was measured.
type row struct {
	what, measured, goal string
	met                  bool
}

func main() {
	python := flag.String("python", "", "a Python with simpy and accasim installed; without it those are left out")
	data := flag.String("data", "../../../shared/data", "folder of the traces; without them those goals are left out")
	times := flag.Int("n", 5, "how often each thing is measured: the median counts")
	flag.Parse()
	runtime.GOMAXPROCS(1)

	b := &bench{python: *python, data: *data, times: *times}
	b.engine()
	b.sleep()
	b.easy()
	b.sites()

	unmet := 0
	fmt.Printf("\n%-58s %-34s %-22s\n", "what", "measured", "goal")
	for _, r := range b.rows {
		mark := "met"
		if !r.met {
			mark = "NOT MET"
			unmet++
		}
		fmt.Printf("%-58s %-34s %-22s %s\n", r.what, r.measured, r.goal, mark)
	}
	for _, s := range b.left {
		fmt.Println("left out:", s)
	}
	if unmet > 0 {
		fmt.Printf("%d of %d goals not met\n", unmet, len(b.rows))
		os.Exit(1)
	}
}

type bench struct {
	python, data string
	times        int
	rows         []row
	left         []string
}

func (b *bench) add(what, measured, goal string, met bool) {
	b.rows = append(b.rows, row{what, measured, goal, met})
	fmt.Fprintf(os.Stderr, "%s: %s\n", what, measured)
}

// cpu is the processor time that this process has used. What neighbours on the
// machine do changes it less than the clock's.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// pairs measures two things in turn and returns the medians of each.
func (b *bench) pairs(one, other func() float64) (float64, float64) {
	var a, z []float64
	for range b.times {
		a, z = append(a, one()), append(z, other())
	}
	return median(a), median(z)
}

// median measures one thing.
func (b *bench) median(measure func() float64) float64 {
	var all []float64
	for range b.times {
		all = append(all, measure())
	}
	return median(all)
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}

// trace returns the path of a trace, or says that it is left out.
func (b *bench) trace(name string) (string, bool) {
	path := filepath.Join(b.data, name)
	if _, err := os.Stat(path); err != nil {
		b.left = append(b.left, fmt.Sprintf("all that runs on %s: %v", name, err))
		return "", false
	}
	return path, true
}
