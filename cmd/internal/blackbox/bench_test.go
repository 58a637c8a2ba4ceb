package blackbox

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkStart measures from the start of the process to its first API call,
// with warm caches, as the median over all runs, and compares it to starting a
// process that does nothing (true).
func BenchmarkStart(b *testing.B) {
	var first atomic.Int64
	e := newEndpoint(b, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			first.CompareAndSwap(0, time.Now().UnixNano())
			h.ServeHTTP(w, r)
		})
	})
	e.resume("aws-hpc-[001-008]") // warms the cache of look-ups
	var starts, nothing []float64
	for range max(b.N, 20) {
		first.Store(0)
		begin := time.Now()
		if r := e.resume("aws-hpc-[001-008]"); r.code != 0 {
			b.Fatalf("exit %d\n%s", r.code, r.stderr)
		}
		starts = append(starts, float64(first.Load()-begin.UnixNano())/1e6)
		begin = time.Now()
		if err := exec.Command("/bin/true").Run(); err != nil {
			b.Fatal(err)
		}
		nothing = append(nothing, float64(time.Since(begin).Nanoseconds())/1e6)
	}
	slices.Sort(starts)
	slices.Sort(nothing)
	start, floor := starts[len(starts)/2], nothing[len(nothing)/2]
	b.ReportMetric(start, "ms-to-first-call")
	b.ReportMetric(floor, "ms-of-true")
	b.ReportMetric(start/floor, "x-true")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkFloor counts the API calls of a gang on a healthy pool against the
// floor: one describe, one launch.
func BenchmarkFloor(b *testing.B) {
	for _, n := range []int{8, 500} {
		b.Run(fmt.Sprintf("gang=%d", n), func(b *testing.B) {
			e := newEndpoint(b, nil)
			e.resume("aws-hpc-512") // warms the cache of look-ups
			e.suspend("aws-hpc-512")
			nodes := fmt.Sprintf("aws-hpc-[001-%03d]", n)
			file := filepath.Join(b.TempDir(), "plan.json")
			if err := os.WriteFile(file, []byte(`{"instance_specification": {"instance_types": ["c5n.18xlarge"]}, "mpi_configuration": {"requires_gang_scheduling": true}}`), 0o600); err != nil {
				b.Fatal(err)
			}
			plan := "--execution-plan=" + file
			var calls, took float64
			for range b.N {
				r := e.resume(nodes, plan)
				if r.code != 0 {
					b.Fatalf("exit %d\n%s", r.code, r.stderr)
				}
				total := 0
				for _, c := range r.report.APICalls {
					total += c
				}
				calls += float64(total)
				took += float64(r.took.Microseconds()) / 1e3
				e.suspend(nodes)
			}
			b.ReportMetric(calls/float64(b.N), "calls")
			b.ReportMetric(calls/float64(b.N)/2, "x-floor")
			b.ReportMetric(took/float64(b.N), "ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}
