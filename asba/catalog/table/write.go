package table

import (
	"bytes"
	"compress/gzip"
	"slices"
	"strconv"
	"strings"
)

// TypesText writes the table of types, which are sorted by name here.
func TypesText(sources []Source, types []Type) []byte {
	var b bytes.Buffer
	writeSources(&b, sources)
	writeLine(&b, typeColumns)
	types = slices.Clone(types)
	slices.SortFunc(types, func(x, y Type) int { return strings.Compare(x.Name, y.Name) })
	for _, t := range types {
		writeLine(&b, t.Name, strconv.Itoa(t.VCPUs), strconv.Itoa(t.Cores), strconv.Itoa(t.MemoryMiB), strings.Join(t.Archs, ","),
			count(t.GPUs), t.GPUModel, count(t.GPUMemoryMiB), t.Network, amount(t.BaselineGbps), count(t.EFA), count(t.NetworkCards),
			letters("osb", t.OnDemand, t.Spot, t.CapacityBlock), letters("cps", t.Cluster, t.Partition, t.Spread))
	}
	return b.Bytes()
}

// RegionText writes the table of a region.
func RegionText(sources []Source, zones []Zone, offers []Offer) []byte {
	var b bytes.Buffer
	writeSources(&b, sources)
	for _, z := range zones {
		writeLine(&b, zonePrefix, z.ID, z.Name)
	}
	writeLine(&b, offerColumns)
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
		writeLine(&b, o.Type, string(marks), amount(o.USD), count(o.SpotPercent), band, amount(o.SpotUSD))
	}
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

// Pack encodes a table's text. The same text gives the same bytes.
func Pack(text []byte) ([]byte, error) {
	var b bytes.Buffer
	zw, err := gzip.NewWriterLevel(&b, gzip.BestCompression) // no name, no time
	if err != nil {
		return nil, err
	}
	if _, err := zw.Write(text); err != nil {
		return nil, err
	}
	if err := zw.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
