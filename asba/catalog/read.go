package catalog

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Columns are the table's columns, in order. A price may be empty; usage holds
// the letters o (on demand), s (spot), b (capacity block), placement the
// letters c (cluster), p (partition), s (spread).
const Columns = "type\tvcpus\tcores\tmemory_mib\tarchs\tgpus\tgpu_model\tefa\tcards\tusage\tplacement\tusd"

// SourcePrefix begins a line that names a source: its fields, in the order of
// Source, follow it after tabs.
const SourcePrefix = "#source"

// maxTable bounds the decoded table, against a gzip bomb in a refreshed one.
const maxTable = 4 << 20

// Read decodes a table: gzipped lines, the sources first, then Columns, then
// one type a line, sorted by name.
func Read(r io.Reader) (*Catalog, error) {
	zr, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(zr, maxTable+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxTable {
		return nil, fmt.Errorf("the table is larger than %d bytes", maxTable)
	}
	// Names and words are substrings of the one text: no allocation each.
	text := string(raw)
	c := &Catalog{types: make([]Type, 0, strings.Count(text, "\n"))}
	header := false
	for n := 1; text != ""; n++ {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		switch {
		case strings.HasPrefix(line, SourcePrefix+"\t"):
			f := strings.Split(line, "\t")
			if len(f) != 6 {
				return nil, fmt.Errorf("line %d: a source has 5 fields", n)
			}
			c.sources = append(c.sources, Source{Name: f[1], Version: f[2], Date: f[3], Licence: f[4], Holds: f[5]})
		case !header:
			if line != Columns {
				return nil, fmt.Errorf("line %d: these are not the columns of this version", n)
			}
			header = true
		default:
			t, err := parseType(line)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
			if k := len(c.types); k > 0 && c.types[k-1].Name >= t.Name {
				return nil, fmt.Errorf("line %d: %s is out of order", n, t.Name)
			}
			c.types = append(c.types, t)
		}
	}
	if len(c.types) == 0 {
		return nil, errors.New("the table holds no types")
	}
	return c, nil
}

// archLists shares the few lists of architectures among all types.
var archLists = map[string][]string{
	"x86_64": {"x86_64"}, "arm64": {"arm64"}, "i386,x86_64": {"i386", "x86_64"},
	"x86_64_mac": {"x86_64_mac"}, "arm64_mac": {"arm64_mac"},
}

func parseType(line string) (t Type, err error) {
	next := func() (f string) {
		f, line, _ = strings.Cut(line, "\t")
		return f
	}
	number := func() int {
		n, e := strconv.Atoi(next())
		if e != nil && err == nil {
			err = e
		}
		return n
	}
	if strings.Count(line, "\t") != strings.Count(Columns, "\t") {
		return t, errors.New("wrong number of columns")
	}
	t.Name = next()
	t.VCPUs, t.Cores, t.MemoryMiB = number(), number(), number()
	archs := next()
	if t.Archs = archLists[archs]; t.Archs == nil {
		t.Archs = strings.Split(archs, ",")
	}
	t.GPUs, t.GPUModel = number(), next()
	t.EFA, t.NetworkCards = number(), number()
	usage, place, usd := next(), next(), next()
	t.OnDemand, t.Spot, t.CapacityBlock = strings.Contains(usage, "o"), strings.Contains(usage, "s"), strings.Contains(usage, "b")
	t.Cluster, t.Partition, t.Spread = strings.Contains(place, "c"), strings.Contains(place, "p"), strings.Contains(place, "s")
	if usd != "" && err == nil {
		t.usd, err = strconv.ParseFloat(usd, 64)
		t.priced = err == nil
	}
	return t, err
}
