package catalog

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"aws-slurm-burst/asba/finding"
)

// Nearest returns the type that someone who wrote name most plausibly meant,
// or "".
func (c *Catalog) Nearest(name string) string {
	if near := c.NearestTypes(name, 1); len(near) > 0 {
		return near[0]
	}
	return ""
}

// NearestTypes returns at most n types that someone who wrote name may have
// meant, the likeliest first. A known family is taken at its word, since sizes
// are what people make up; only then is the family itself thought to be
// misspelt. Within the family a size is near by what its word stands for
// (2xlarge is 8 vCPUs), and by its spelling where it stands for nothing.
func (c *Catalog) NearestTypes(name string, n int) []string {
	name = strings.ToLower(strings.TrimSpace(name))
	fam, size, dotted := strings.Cut(name, ".")
	if !dotted { // c6ilarge
		whole := finding.Nearest(name, c.Names())
		if whole == "" {
			return nil
		}
		fam, size, _ = strings.Cut(whole, ".")
	} else if !c.HasFamily(fam) {
		if fam = finding.Nearest(fam, c.families()); fam == "" {
			return nil
		}
	}
	types := c.InFamily(fam)
	want := impliedVCPUs(size)
	if want == 0 {
		// No size at all: the one spelt alike, else the smallest.
		want = impliedVCPUs(sizeOf(types[0]))
		var sizes []string
		for _, t := range types {
			sizes = append(sizes, sizeOf(t))
		}
		if near := finding.Nearest(size, sizes); near != "" {
			size, want = near, impliedVCPUs(near)
		}
	}
	far := func(t Type) int {
		switch vcpus := impliedVCPUs(sizeOf(t)); {
		case sizeOf(t) == size:
			return -1
		case vcpus > want:
			return vcpus - want
		default:
			return want - vcpus
		}
	}
	slices.SortStableFunc(types, func(a, b Type) int { return cmp.Compare(far(a), far(b)) })
	var out []string
	for _, t := range types[:min(n, len(types))] {
		out = append(out, t.Name)
	}
	return out
}

func sizeOf(t Type) string {
	_, size, _ := strings.Cut(t.Name, ".")
	return size
}

// metalVCPUs stands for a whole machine whose size is not said: more than any.
const metalVCPUs = 1 << 20

// impliedVCPUs is how many vCPUs the word of a size stands for in most families,
// 0 for what is no such word. Families differ (hpc7a.12xlarge has 24): it is for
// comparing one word with another.
func impliedVCPUs(size string) int {
	size, machine := strings.CutPrefix(size, "metal-") // metal-24xl
	if machine {
		size += "arge"
	}
	switch size {
	case "nano", "micro", "small", "medium":
		return 1
	case "large":
		return 2
	case "xlarge":
		return 4
	case "metal":
		return metalVCPUs
	}
	times, ok := strings.CutSuffix(size, "xlarge")
	if n, err := strconv.Atoi(times); ok && err == nil && n > 0 && n < 1000 {
		return 4 * n
	}
	return 0
}

// bySize orders the types of a family from small to large, machines after the
// instances of their size.
func bySize(a, b Type) int {
	return cmp.Or(cmp.Compare(a.VCPUs, b.VCPUs), cmp.Compare(a.MemoryMiB, b.MemoryMiB), cmp.Compare(len(a.Name), len(b.Name)), strings.Compare(a.Name, b.Name))
}
