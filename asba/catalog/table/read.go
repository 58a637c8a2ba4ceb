package table

import (
	"fmt"
	"strconv"
	"strings"
)

// The columns of the tables (docs/CATALOG.md). Of types, usage holds the letters
// o (on demand), s (spot), b (capacity block), placement c (cluster), p
// (partition), s (spread). Of a region, zones has a sign for each #zone line, +
// where it offers the type; what is not known is empty.
const (
	typeColumns  = "type\tvcpus\tcores\tmemory_mib\tarchs\tgpus\tgpu_model\tgpu_mib\tnetwork\tbaseline_gbps\tefa\tcards\tusage\tplacement"
	offerColumns = "type\tzones\tusd\tspot_percent\tinterruption\tspot_usd"
)

const (
	offeredMark = '+'
	absentMark  = '-'
)

// ReadTypes reads a table of types. Lines are checked for their order and the
// number of their fields alone; Check reads them all.
func ReadTypes(text string) (Table, error) { return readTable(text, typeColumns) }

// ReadRegion reads the table of a region, checked as little.
func ReadRegion(text string) (Table, error) { return readTable(text, offerColumns) }

// fields takes a line apart and keeps the first mistake.
type fields struct {
	line string
	err  error
}

func (f *fields) text() (s string) {
	s, f.line, _ = strings.Cut(f.line, "\t")
	return s
}

// count reads a number that is not negative.
func (f *fields) count() int {
	s := f.text()
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		f.fail("%.20q is no count", s)
	}
	return n
}

// amount reads a number that is above 0.
func (f *fields) amount() float64 {
	s := f.text()
	if s == "" {
		return 0
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !(x > 0 && x < 1e9) {
		f.fail("%.20q is no amount", s)
	}
	return x
}

func (f *fields) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf(format, args...)
	}
}

// archLists shares the few lists of architectures among all types.
var archLists = map[string][]string{
	"x86_64": {"x86_64"}, "arm64": {"arm64"}, "i386,x86_64": {"i386", "x86_64"},
	"x86_64_mac": {"x86_64_mac"}, "arm64_mac": {"arm64_mac"},
}

// TypeOf reads a line of the table of types, which has been checked or is ours.
func TypeOf(row string) Type {
	t, _ := parseType(row)
	return t
}

func parseType(row string) (Type, error) {
	f := fields{line: row}
	t := Type{Name: f.text(), VCPUs: f.count(), Cores: f.count(), MemoryMiB: f.count()}
	archs := f.text()
	if t.Archs = archLists[archs]; t.Archs == nil {
		t.Archs = strings.Split(archs, ",")
	}
	t.GPUs, t.GPUModel, t.GPUMemoryMiB = f.count(), f.text(), f.count()
	t.Network, t.BaselineGbps = f.text(), f.amount()
	t.EFA, t.NetworkCards = f.count(), f.count()
	usage, place := f.text(), f.text()
	t.OnDemand, t.Spot, t.CapacityBlock = strings.Contains(usage, "o"), strings.Contains(usage, "s"), strings.Contains(usage, "b")
	t.Cluster, t.Partition, t.Spread = strings.Contains(place, "c"), strings.Contains(place, "p"), strings.Contains(place, "s")
	if f.err == nil {
		f.err = t.Check()
	}
	return t, f.err
}

// OfferOf reads a line of a region's table, but not its zones.
func OfferOf(row string) Offer {
	o, _ := parseOffer(row)
	return o
}

// ZonesOf is which of its table's zones offer the type of a region's line, by
// their index.
func ZonesOf(row string) []int {
	var out []int
	for i, mark := range marksOf(row) {
		if mark == offeredMark {
			out = append(out, i)
		}
	}
	return out
}

// marksOf is the field of a region's line with a sign for each zone.
func marksOf(row string) string {
	_, rest, _ := strings.Cut(row, "\t")
	marks, _, _ := strings.Cut(rest, "\t")
	return marks
}

func parseOffer(row string) (Offer, error) {
	f := fields{line: row}
	o := Offer{Type: f.text(), Interruption: BandUnknown}
	f.text() // the zones
	o.USD, o.SpotPercent = f.amount(), f.count()
	if s := f.text(); s != "" {
		band, err := strconv.Atoi(s)
		if err != nil || Band(band).String() == "" {
			f.fail("%.20q is no interruption band", s)
		}
		o.Interruption = Band(band)
	}
	o.SpotUSD = f.amount()
	return o, f.err
}
