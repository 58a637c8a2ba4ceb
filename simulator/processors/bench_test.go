package processors_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/processors"
	"aws-slurm-burst/simulator/workload"
	"aws-slurm-burst/simulator/workload/swf"
)

// BenchmarkEASY runs EASY on real logs, their reading included: from the packed
// file to the last job's end.
func BenchmarkEASY(b *testing.B) {
	for _, log := range []struct {
		name, file string
		processors int
	}{
		{"KTH", "KTH-SP2-1996-2.swf.gz", 100},
		{"Thunder", "LLNL-Thunder-2007-1.1-cln.swf.gz", 4008},
	} {
		b.Run(log.name, func(b *testing.B) {
			data := archived(b, log.file)
			b.ReportAllocs()
			var m mean
			for b.Loop() {
				m = mean{}
				opt := processors.Options{Processors: log.processors, Policy: processors.EASY, MissingLimit: 12 * time.Hour}
				if err := processors.Run(simulator.New(simulator.Options{}), swf.NewReader(bytes.NewReader(data), swf.Options{}).Jobs(), opt, m.add); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(m.n*float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
		})
	}
}

// BenchmarkJobs shows that a job costs the same in a long workload as in a short
// one: 100 processors under a load of 0.8.
func BenchmarkJobs(b *testing.B) {
	for _, n := range []int{1e4, 1e5, 1e6} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				opt := processors.Options{Processors: 100, Policy: processors.EASY}
				if err := processors.Run(simulator.New(simulator.Options{}), random(n), opt, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/job")
		})
	}
}

// random yields n jobs of 1 to 16 processors, which use 80 of 100.
func random(n int) workload.Source {
	return func(yield func(workload.Job, error) bool) {
		s := simulator.New(simulator.Options{Seed: 3}).Rand("queue", "jobs")
		now := 0.0
		for i := range n {
			procs := 1 + s.Uint64()%16
			run := 1000 * exponential(s)
			now += exponential(s) * 1000 * 8.5 / 80
			j := workload.Job{
				ID: int64(i + 1), Submit: time.Duration(now * 1e9), Procs: int32(procs),
				Run: time.Duration(run * 1e9), Limit: time.Duration((1 + 4*s.Float64()) * run * 1e9),
			}
			if !yield(j, nil) {
				return
			}
		}
	}
}
