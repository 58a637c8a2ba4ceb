package table

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	sources := []Source{{"EC2", "v1", "2030-01-02", "-", HoldsTypes}}
	types := []Type{
		{Name: "zz9.large", VCPUs: 2, Cores: 1, MemoryMiB: 4096, Archs: []string{"x86_64"}, GPUs: 1, GPUModel: "RTX PRO 4500", GPUMemoryMiB: 32768, Network: "Up to 12.5 Gigabit", BaselineGbps: 0.937, EFA: 2, NetworkCards: 1, Spot: true, CapacityBlock: true, Cluster: true},
		{Name: "a1.large", VCPUs: 2, MemoryMiB: 1, Archs: []string{"riscv", "z80"}, OnDemand: true, Partition: true, Spread: true},
	}
	got, err := ReadTypes(string(TypesText(sources, types)))
	if err == nil {
		err = got.CheckTypes()
	}
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]Type{types[1], types[0]}, []Type{TypeOf(got.Rows[0]), TypeOf(got.Rows[1])}); d != "" { // by name
		t.Error(d)
	}
	if d := cmp.Diff(sources, got.Sources); d != "" || got.Date(HoldsTypes) != "2030-01-02" || got.Date(HoldsSpot) != "" {
		t.Error(d)
	}
	zones := []Zone{{ID: "use1-az1", Name: "us-east-1b", Region: "us-east-1"}, {ID: "use1-az2", Region: "us-east-1"}}
	offers := []Offer{
		{Type: "zz9.large", Zones: []string{"use1-az2"}, USD: 0.0255, SpotPercent: 40, Interruption: BandOver20, SpotUSD: 0.000001},
		{Type: "a1.large", Interruption: BandUnknown},
		{Type: "b1.large", Interruption: BandUnder5},
	}
	region, err := ReadRegion(string(RegionText(sources, zones, offers)))
	if err == nil {
		err = region.CheckOffers()
	}
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(zones, region.Zones("us-east-1")); d != "" {
		t.Error(d)
	}
	row, ok := region.Row("zz9.large")
	want := offers[0]
	want.Zones = nil
	if d := cmp.Diff(want, OfferOf(row)); !ok || d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]int{1}, ZonesOf(row)); d != "" {
		t.Error(d)
	}
	if row, _ := region.Row("b1.large"); OfferOf(row).Interruption != BandUnder5 || ZonesOf(row) != nil {
		t.Error(row)
	}
	if _, ok := region.Row("b2.large"); ok {
		t.Error("a row from nowhere")
	}
}

func TestNewerLinesStandInForOlderOnes(t *testing.T) {
	read := func(types ...Type) Table {
		for i := range types {
			types[i].VCPUs, types[i].MemoryMiB = 1, 1
		}
		got, err := ReadTypes(string(TypesText([]Source{{Name: types[0].Network, Holds: HoldsTypes}}, types)))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	older := read(Type{Name: "b.x", Network: "old"}, Type{Name: "d.x", Network: "old"}, Type{Name: "e.x", Network: "old"})
	newer := read(Type{Name: "a.x", Network: "new"}, Type{Name: "d.x", Network: "new"}, Type{Name: "f.x", Network: "new"}, Type{Name: "c.x", Network: "new"})
	both := older.Under(newer)
	var got []string
	for _, row := range both.Rows {
		got = append(got, NameOf(row)+" "+TypeOf(row).Network)
	}
	if d := cmp.Diff([]string{"a.x new", "b.x old", "c.x new", "d.x new", "e.x old", "f.x new"}, got); d != "" {
		t.Error(d)
	}
	if both.Source(HoldsTypes).Name != "new" || len(older.Rows) != 3 {
		t.Errorf("%+v", both.Sources)
	}
}

func TestRegionsAndZonesHaveTheirForms(t *testing.T) {
	for name, want := range map[string]bool{"us-east-1": true, "us-gov-west-1": true, "ap-northeast-2": true, "us-east-1-bos-1": false, "us-east-1a": false, "": false, "../etc": false} {
		if IsRegion(name) != want {
			t.Errorf("region %q: %v", name, !want)
		}
	}
	for name, want := range map[string]string{"us-east-1a": "us-east-1", "us-gov-west-1c": "us-gov-west-1", "us-east-1-bos-1a": "", "use1-az1": "", "": ""} {
		if got := RegionOfName(name); got != want {
			t.Errorf("name %q: %q", name, got)
		}
	}
	for id, want := range map[string]bool{"use1-az4": true, "use1-bos1-az1": false, "us-east-1a": false, "use1-az": false, "": false} {
		if IsZoneID(id) != want {
			t.Errorf("id %q: %v", id, !want)
		}
	}
	for region, want := range map[string]string{"us-gov-west-1": "usgw1", "ap-northeast-2": "apne2", "il-central-1": "ilc1", "ap-southeast-11": "apse11", "": ""} {
		if got := RegionCode(region); got != want {
			t.Errorf("code of %s: %s, want %s", region, got, want)
		}
	}
}

func TestWordsForNetworkPerformanceAreNumbers(t *testing.T) {
	for words, want := range map[string]float64{
		"Up to 12.5 Gigabit": 12.5, "100 Gigabit": 100, "4x 100 Gigabit": 400, "16x 200 Gigabit": 3200,
		"Moderate": 0, "Low to Moderate": 0, "": 0, "fast Gigabit": 0, "ax 3 Gigabit": 0,
	} {
		if got := (Type{Network: words}).GbpsAtMost(); got != want {
			t.Errorf("%q: %v, want %v", words, got, want)
		}
	}
}

func TestBrokenTableIsRefusedWithItsLine(t *testing.T) {
	row := "c6i.large\t2\t1\t4096\tx86_64\t\t\t\t10 Gigabit\t1\t\t1\tos\tcps\n"
	for name, c := range map[string]struct{ text, want string }{
		"nothing":        {"", "the table has no columns"},
		"other columns":  {"type\tvcpus\n", "line 1: these are not the columns of this version"},
		"short source":   {"#source\tmoto\n" + typeColumns + "\n", "line 1: a source has 5 fields"},
		"short zone":     {"#zone\tuse1-az1\n" + typeColumns + "\n", "line 1: a zone has 2 fields"},
		"short row":      {typeColumns + "\nc6i.large\t2\n", "line 2: wrong number of columns"},
		"twice the same": {typeColumns + "\n" + row + row, "line 3: c6i.large is out of order"},
		"no types":       {typeColumns + "\n", "the table holds no types"},
		"not a number":   {typeColumns + "\n" + strings.Replace(row, "4096", "4 GB", 1), `c6i.large: "4 GB" is no count`},
		"below nothing":  {typeColumns + "\n" + strings.Replace(row, "4096", "-1", 1), `c6i.large: "-1" is no count`},
		"no amount":      {typeColumns + "\n" + strings.Replace(row, "t\t1\t", "t\tNaN\t", 1), `c6i.large: "NaN" is no amount`},
		"no CPUs":        {typeColumns + "\n" + strings.Replace(row, "\t2\t1", "\t\t1", 1), `c6i.large has no vCPUs, or no memory`},
		"no name":        {typeColumns + "\n" + strings.Replace(row, "c6i.large", "c6i large", 1), `c6i large: "c6i large" is no name of an instance type`},
		"odd words":      {typeColumns + "\n" + strings.Replace(row, "10 Gigabit", "\x1b[31m", 1), `c6i.large has words that are no words of EC2's`},
		"out of reason":  {typeColumns + "\n" + strings.Replace(row, "4096", "99999999999", 1), `c6i.large has a number that is out of all reason`},
	} {
		tab, err := ReadTypes(c.text)
		if err == nil {
			err = tab.CheckTypes()
		}
		if err == nil || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestABombIsNotUnpacked(t *testing.T) {
	packed, err := Pack(make([]byte, MaxText+1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Unpack(packed); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("%d bytes unpacked: %v", MaxText+1, err)
	}
}

func TestBandsHaveTheAdvisorsWords(t *testing.T) {
	for band := BandUnder5; band <= BandOver20; band++ {
		var back Band
		text, _ := band.MarshalText()
		if err := back.UnmarshalText(text); err != nil || back != band {
			t.Errorf("%d: %q, %d, %v", band, text, back, err)
		}
	}
	var b Band
	if err := b.UnmarshalText(nil); err != nil || b != BandUnknown || b.String() != "" {
		t.Errorf("no words: %v, %d", err, b)
	}
	if err := b.UnmarshalText([]byte("often")); err == nil {
		t.Error("often is a band")
	}
}
