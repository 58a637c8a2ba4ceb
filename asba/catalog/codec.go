package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
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

// Offer is one type in one region, as a table has it.
type Offer struct {
	Type string
	// Zones are the ids of those that offer it, of the table's own.
	Zones []string
	// USD an hour on demand, 0 where it is not known.
	USD float64
	// SpotPercent is the usual spot price in percent of the price on demand, 0
	// where it is not known; SpotUSD is one that EC2 told, in USD an hour.
	SpotPercent  int
	SpotUSD      float64
	Interruption Band
}

// TypesText writes the table of types, which are sorted by name here.
func TypesText(sources []Source, types []Type) []byte {
	var b bytes.Buffer
	writeSources(&b, sources)
	writeTypes(&b, types)
	return b.Bytes()
}

// RegionText writes the table of a region.
func RegionText(sources []Source, zones []Zone, offers []Offer) []byte {
	var b bytes.Buffer
	writeSources(&b, sources)
	writeOffers(&b, zones, offers)
	return b.Bytes()
}

func writeSources(b *bytes.Buffer, sources []Source) {
	for _, s := range sources {
		writeLine(b, sourcePrefix, s.Name, s.Version, s.Date, s.Licence, s.Holds)
	}
}

func writeLine(b *bytes.Buffer, fields ...string) {
	b.WriteString(strings.Join(fields, "\t"))
	b.WriteByte('\n')
}

func writeTypes(b *bytes.Buffer, types []Type) {
	writeLine(b, typeColumns)
	types = slices.Clone(types)
	slices.SortFunc(types, func(x, y Type) int { return strings.Compare(x.Name, y.Name) })
	for _, t := range types {
		writeLine(b, t.Name, strconv.Itoa(t.VCPUs), strconv.Itoa(t.Cores), strconv.Itoa(t.MemoryMiB), strings.Join(t.Archs, ","),
			count(t.GPUs), t.GPUModel, count(t.GPUMemoryMiB), t.Network, amount(t.BaselineGbps), count(t.EFA), count(t.NetworkCards),
			letters("osb", t.OnDemand, t.Spot, t.CapacityBlock), letters("cps", t.Cluster, t.Partition, t.Spread))
	}
}

func writeOffers(b *bytes.Buffer, zones []Zone, offers []Offer) {
	for _, z := range zones {
		writeLine(b, zonePrefix, z.ID, z.Name)
	}
	writeLine(b, offerColumns)
	offers = slices.Clone(offers)
	slices.SortFunc(offers, func(x, y Offer) int { return strings.Compare(x.Type, y.Type) })
	for _, o := range offers {
		marks := make([]byte, len(zones))
		for i, z := range zones {
			if marks[i] = absentMark; slices.Contains(o.Zones, z.ID) {
				marks[i] = offeredMark
			}
		}
		band := ""
		if o.Interruption != BandUnknown {
			band = strconv.Itoa(int(o.Interruption))
		}
		writeLine(b, o.Type, string(marks), amount(o.USD), count(o.SpotPercent), band, amount(o.SpotUSD))
	}
}

// count and amount write nothing for 0: it is what is not there, or not known.
func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func amount(x float64) string {
	if x == 0 {
		return ""
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}

func letters(alphabet string, have ...bool) string {
	var b strings.Builder
	for i, h := range have {
		if h {
			b.WriteByte(alphabet[i])
		}
	}
	return b.String()
}

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

// typeOf reads a line of the table of types, which has been checked or is ours.
func typeOf(row string) Type {
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

// offerOf reads a line of a region's table, but not its zones.
func offerOf(row string) Offer {
	o, _ := parseOffer(row)
	return o
}

// offeredIn is the field of a region's line with a sign for each zone.
func offeredIn(row string) string {
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

// Bounds of what a type can be: far above the largest there is, and what keeps a
// hostile answer from growing without end.
const (
	maxName  = 64
	maxWords = 64
	maxArchs = 4
	maxCount = 1 << 30
)

// Check says what no type can be like: bounds of numbers and words far above the
// largest there is.
func (t Type) Check() error {
	switch {
	case !IsTypeName(t.Name):
		return fmt.Errorf("%.70q is no name of an instance type", t.Name)
	case t.VCPUs < 1 || t.MemoryMiB < 1:
		return fmt.Errorf("%s has no vCPUs, or no memory", t.Name)
	case max(t.VCPUs, t.Cores, t.MemoryMiB, t.GPUs, t.GPUMemoryMiB, t.EFA, t.NetworkCards) > maxCount:
		return fmt.Errorf("%s has a number that is out of all reason", t.Name)
	case len(t.Archs) > maxArchs || !plain(strings.Join(t.Archs, ",")) || !plain(t.GPUModel) || !plain(t.Network):
		return fmt.Errorf("%s has words that are no words of EC2's", t.Name)
	}
	return nil
}

// plain reports whether words are short and can stand in a table.
func plain(words string) bool {
	return len(words) <= maxWords && !strings.ContainsFunc(words, func(r rune) bool { return r < ' ' || r > '~' })
}

// IsTypeName reports whether a name could be an instance type's: family, dot,
// size, in small letters, digits and hyphens.
func IsTypeName(name string) bool {
	family, size, ok := strings.Cut(name, ".")
	if !ok || family == "" || size == "" || len(name) > maxName {
		return false
	}
	return !strings.ContainsFunc(family+size, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
}

// gigabits is the number in EC2's words for network performance, 0 for none.
func gigabits(words string) float64 {
	words = strings.TrimPrefix(words, "Up to ")
	words, ok := strings.CutSuffix(words, " Gigabit")
	if !ok {
		return 0
	}
	cards := 1
	if n, each, multiple := strings.Cut(words, "x "); multiple { // 4x 100 Gigabit
		var err error
		if cards, err = strconv.Atoi(n); err != nil {
			return 0
		}
		words = each
	}
	x, err := strconv.ParseFloat(words, 64)
	if err != nil {
		return 0
	}
	return float64(cards) * x
}

// checkTypes reads every line of a table of types.
func (t *table) checkTypes() error {
	if len(t.rows) == 0 {
		return errors.New("the table holds no types")
	}
	for _, row := range t.rows {
		if _, err := parseType(row); err != nil {
			return fmt.Errorf("%s: %w", nameOf(row), err)
		}
	}
	return nil
}

// checkOffers reads every line of a region's table.
func (t *table) checkOffers() error {
	for _, row := range t.rows {
		if _, err := parseOffer(row); err != nil {
			return fmt.Errorf("%s: %w", nameOf(row), err)
		}
		if marks := offeredIn(row); len(marks) != len(t.zoned) || strings.Trim(marks, string([]byte{offeredMark, absentMark})) != "" {
			return fmt.Errorf("%s: %.20q says nothing of %d zones", nameOf(row), marks, len(t.zoned))
		}
	}
	return nil
}
