package lint

import (
	"encoding/json"
	"runtime"
	"testing"

	"aws-slurm-burst/asba/plan"
)

// BenchmarkPlans judges the corpus, from text to findings, with everything that
// an executor knows. The floor is decoding the same JSON into nothing of use;
// 5,000 plans a second and core are 200 us each.
func BenchmarkPlans(b *testing.B) {
	all := specimens(b)
	var texts [][]byte
	for _, s := range all {
		if len(s.data) < 1<<16 { // as real ones are
			texts = append(texts, s.data)
		}
	}
	o := Options{Catalog: all[0].options.Catalog, Now: today, Region: "us-east-1", Nodes: 8, Policy: new(plan.DefaultPolicy), Line: &NodeLine{Name: "hpc", CPUs: 8, MemoryMiB: 1000}}
	b.Run("judge", func(b *testing.B) {
		i := 0
		for b.Loop() {
			p, fs := plan.Read(texts[i%len(texts)], "plan.json")
			All(p, fs, o)
			i++
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)*5000/1e9, "s/5000-plans")
	})
	b.Run("floor", func(b *testing.B) {
		i := 0
		for b.Loop() {
			var v any
			_ = json.Unmarshal(texts[i%len(texts)], &v) // some are broken
			i++
		}
	})
}

// BenchmarkHostile: each must be refused within 100 ms and 64 MB.
func BenchmarkHostile(b *testing.B) {
	for name, text := range hostile() {
		b.Run(name, func(b *testing.B) {
			o := Options{Catalog: specimens(b)[0].options.Catalog, Now: today}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for b.Loop() {
				p, fs := plan.Read([]byte(text), "plan.json")
				All(p, fs, o)
			}
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N)/1e6, "MB/plan")
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/plan")
		})
	}
}
