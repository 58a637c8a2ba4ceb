package table

import "fmt"

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

// Band is how large a part of the instances of a type was interrupted within a
// month, as EC2's spot advisor tells it.
type Band int

// The bands; BandUnknown where nothing is told.
const (
	BandUnknown Band = iota - 1
	BandUnder5
	Band5To10
	Band10To15
	Band15To20
	BandOver20
)

var bandWords = []string{"<5%", "5-10%", "10-15%", "15-20%", ">20%"}

// String returns the advisor's words, such as "5-10%"; "" where nothing is told.
func (b Band) String() string {
	if b < 0 || int(b) >= len(bandWords) {
		return ""
	}
	return bandWords[b]
}

// MarshalText writes the advisor's words.
func (b Band) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads the advisor's words; no word is BandUnknown.
func (b *Band) UnmarshalText(text []byte) error {
	*b = ParseBand(string(text))
	if *b == BandUnknown && len(text) > 0 {
		return fmt.Errorf("%q is no interruption band", text)
	}
	return nil
}

// ParseBand returns the band that words name, BandUnknown for others.
func ParseBand(words string) Band {
	for i, w := range bandWords {
		if w == words {
			return Band(i)
		}
	}
	return BandUnknown
}
