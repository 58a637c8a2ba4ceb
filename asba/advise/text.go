package advise

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/asba/catalog"
)

// Range is a number between two ends; a Most of 0 is no end.
type Range struct{ Least, Most float64 }

// holds reports whether a number is in the range.
func (r Range) holds(v float64) bool { return v >= r.Least && (r.Most == 0 || v <= r.Most) }

// String writes the range as the command line has it: 4-8, 4-, or -8.
func (r Range) String() string {
	if r.Most == 0 {
		return number(r.Least) + "-"
	}
	if r.Least == r.Most {
		return number(r.Least)
	}
	return number(r.Least) + "-" + number(r.Most)
}

func (b Bounds) each(t catalog.Type) []struct {
	name string
	Range
	value float64
} {
	return []struct {
		name string
		Range
		value float64
	}{
		{"vCPUs", b.VCPUs, float64(t.VCPUs)}, {"MiB of memory", b.MemoryMiB, float64(t.MemoryMiB)}, {"GPUs", b.GPUs, float64(t.GPUs)},
		{"MiB of GPU memory", b.GPUMemoryMiB, float64(t.GPUs * t.GPUMemoryMiB)}, {"Gbit/s", b.NetworkGbps, t.GbpsAtMost()},
	}
}

// outside reports whether a type is not within the bounds.
func (b Bounds) outside(t catalog.Type) bool {
	return !b.VCPUs.holds(float64(t.VCPUs)) || !b.MemoryMiB.holds(float64(t.MemoryMiB)) || !b.GPUs.holds(float64(t.GPUs)) ||
		!b.GPUMemoryMiB.holds(float64(t.GPUs*t.GPUMemoryMiB)) || b.NetworkGbps != Range{} && !b.NetworkGbps.holds(t.GbpsAtMost())
}

// String names the bounds that there are.
func (b Bounds) String() string {
	var out []string
	for _, x := range b.each(catalog.Type{}) {
		if x.Range != (Range{}) {
			out = append(out, x.Range.String()+" "+x.name)
		}
	}
	return strings.Join(out, ", ")
}

// usd is an amount of money for people: cents, and finer where that matters.
func usd(v float64) string {
	if v < 1 {
		return strconv.FormatFloat(v, 'f', 4, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// percent is a chance for people.
func percent(v float64) string {
	if v < 0.001 {
		return "less than 0.1 %"
	}
	return strconv.FormatFloat(100*v, 'f', 1, 64) + " %"
}

func gib(mib int) string {
	return number(math.Round(float64(mib)/1024*10)/10) + " GiB"
}

// counted is a number of things: 1 GPU, 4 GPUs.
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

func times(n int, name string) string {
	if n == 1 {
		return name
	}
	return fmt.Sprintf("%d x %s", n, name)
}

// market says how instances are bought.
func market(usage string) string {
	if usage == UsageSpot {
		return "on spot"
	}
	return "on demand"
}

// span is a time without what nobody reads: 2h, 1h30m, 45s.
func span(d time.Duration) string {
	if d < time.Minute {
		return d.Round(time.Second).String()
	}
	s := strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
