package lint

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
)

// hostile are texts that someone writes to cost us time or memory, or by
// mistake.
func hostile() map[string]string {
	list := func(n int, item func(i int) string) string {
		var b strings.Builder
		b.WriteString(`{"instance_specification":{"instance_types":[`)
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(item(i))
		}
		b.WriteString(`]}}`)
		return b.String()
	}
	zones := func(n int) string {
		var b strings.Builder
		b.WriteString(`{"instance_specification":{"instance_types":["c6i.large"]},"network_configuration":{"availability_zones":["us-east-1a"`)
		for i := range n {
			fmt.Fprintf(&b, `,"usw2-az%d"`, i)
		}
		b.WriteString(`]}}`)
		return b.String()
	}
	tags := func(n int) string {
		var b strings.Builder
		b.WriteString(`{"instance_specification":{"instance_types":["c6i.large"]},"execution_metadata":{"tags":{"k":"v"`)
		for i := range n {
			fmt.Fprintf(&b, `,"aws:%d":""`, i)
		}
		b.WriteString(`}}}`)
		return b.String()
	}
	return map[string]string{
		"10 MB":              strings.Repeat("a", 10<<20),
		"100,000 types":      list(100_000, func(i int) string { return `"a.l"` }),
		"65,000 made up":     list(65_000, func(i int) string { return fmt.Sprintf(`"c%d.xlarge"`, i) }),
		"65,000 real":        list(65_000, func(i int) string { return `"c6i.4xlarge"` }),
		"40,000 zones":       zones(40_000),
		"70,000 tags":        tags(70_000),
		"nested 10,000":      strings.Repeat(`{"a":`, 10_000),
		"lists in 10,000":    strings.Repeat("[", 10_000),
		"300,000 lists":      "[" + strings.Repeat("[],", 300_000) + "1]",
		"170,000 twin keys":  `{"` + strings.Repeat(`a":1,"`, 170_000) + `":0}`,
		"100,000 odd keys":   odd(100_000),
		"not UTF-8":          `{"a":"` + strings.Repeat("\xff", 1_000_000) + `"}`,
		"a number of 1 MB":   `{"cost_constraints":{"max_total_cost":` + strings.Repeat("9", 1_000_000) + `}}`,
		"1e999999999":        `{"cost_constraints":{"max_total_cost":1e999999999}}`,
		"a key of 1 MB":      `{"` + strings.Repeat("k", 1_000_000) + `":1}`,
		"a string never end": `{"` + strings.Repeat("\\", 1_000_000),
		"comments":           strings.Repeat("//x\n", 250_000),
	}
}

func odd(n int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		fmt.Fprintf(&b, `"x%d":1,`, i)
	}
	b.WriteString(`"y":1}`)
	return b.String()
}

// TestHostilePlansCostLittle counts what is allocated: at most 64 MB in all,
// whatever is still held. The time is bench's.
func TestHostilePlansCostLittle(t *testing.T) {
	o := Options{Catalog: catalog.Default(), Now: today, Nodes: 8, Policy: &plan.Policy{}}
	Lint(&plan.Plan{}, o) // the catalogue is read
	for name, text := range hostile() {
		data := []byte(text)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		p, fs := plan.Read(data, "plan.json")
		fs = All(p, fs, o)
		runtime.ReadMemStats(&after)
		if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 64 {
			t.Errorf("%s: %d MB allocated", name, mb)
		}
		if len(fs) == 0 || len(fs) > 100 {
			t.Errorf("%s: %d findings", name, len(fs))
		}
		for _, f := range fs {
			if f.Line < 1 || f.Column < 1 || len(f.String()) > 1000 || strings.ContainsAny(f.String(), "\x1b\n\r\x00") {
				t.Errorf("%s: %.200q", name, f)
			}
		}
		if finding.Count(fs, finding.Error) == 0 && name != "65,000 real" && name != "100,000 odd keys" {
			t.Errorf("%s: no error: %v", name, fs[0])
		}
	}
}
