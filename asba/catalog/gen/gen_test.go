package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aws-slurm-burst/asba/catalog/table"
)

const twoTypes = `{
 "hpc9z.large": {"InstanceType":"hpc9z.large","VCpuInfo":{"DefaultVCpus":4,"DefaultCores":2},"MemoryInfo":{"SizeInMiB":8192},
  "NetworkInfo":{"EfaInfo":{"MaximumEfaInterfaces":2},"MaximumNetworkCards":2,"NetworkPerformance":"200 Gigabit","NetworkCards":[{"BaselineBandwidthInGbps":200.0},{"BaselineBandwidthInGbps":200.0}]},
  "PlacementGroupInfo":{"SupportedStrategies":["partition","cluster"]},
  "ProcessorInfo":{"SupportedArchitectures":["x86_64","i386"]},"SupportedUsageClasses":["on-demand"]},
 "g9.large": {"InstanceType":"g9.large","VCpuInfo":{"DefaultVCpus":2,"DefaultCores":1},"MemoryInfo":{"SizeInMiB":4096},
  "GpuInfo":{"Gpus":[{"Name":"L9","Count":0,"LogicalGpuCount":1,"MemoryInfo":{"SizeInMiB":1024}}]},
  "NetworkInfo":{"MaximumNetworkCards":1,"NetworkPerformance":"Moderate"},"ProcessorInfo":{"SupportedArchitectures":["arm64"]},
  "SupportedUsageClasses":["spot","on-demand","capacity-block"]}}`

const somePrices = `package pricing
// generated at 2031-02-03T04:05:06Z for us-east-1
var P = map[string]map[T]float64{
	"us-east-1": { "g9.large": 1.250000, "other.large": 3.0 },
}`

const govPrices = `package pricing
// generated at 2020-02-03T04:05:06Z for us-east-1
var P = map[string]map[T]float64{
	"us-gov-east-1": { "g9.large": 9 },
}`

// The dump is older than somePrices and newer than govPrices.
const someDump = `[
 {"instance_type":"g9.large","pricing":{
   "us-east-1":{"linux":{"ondemand":"1.5","pct_interrupt":"5-10%","pct_savings_od":60},"mswin":{"ondemand":"7"}},
   "us-gov-east-1":{"linux":{"ondemand":"2","pct_interrupt":"<5%","pct_savings_od":0}},
   "us-east-1-bos-1":{"linux":{"ondemand":"4"}}}},
 {"instance_type":"hpc9z.large","pricing":{"us-east-1":{"linux":{"ondemand":"7.2"}},"us-east-2":{"mswin":{"ondemand":"9"}}}},
 {"instance_type":"gone.large","pricing":{"us-east-1":{"linux":{"ondemand":"1"}}}}]`

// The names are those of an account that calls use1-az2 us-east-1a.
const (
	byID   = `[{"InstanceType":"g9.large","Location":"use1-az1"},{"InstanceType":"g9.large","Location":"use1-az2"},{"InstanceType":"hpc9z.large","Location":"use1-az2"}]`
	byName = `[{"InstanceType":"hpc9z.large","Location":"us-east-1a"},{"InstanceType":"g9.large","Location":"us-east-1a"},{"InstanceType":"g9.large","Location":"us-east-1b"}]`
)

func archive(t *testing.T, files map[string]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.zip")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	for n, text := range files {
		w, err := z.Create(n)
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(text))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func gz(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b.String()
}

// parts are the texts of the sources, by what they are.
type parts struct{ types, byID, byName, prices, gov, dump string }

func whole() parts { return parts{twoTypes, byID, byName, somePrices, govPrices, someDump} }

func (p parts) packages(t *testing.T) packages {
	return packages{
		moto: archive(t, map[string]string{
			motoTypes: gz(p.types),
			motoOfferings + "availability-zone-id/us-east-1.json.gz": gz(p.byID),
			motoOfferings + "availability-zone/us-east-1.json.gz":    gz(p.byName),
		}),
		karpenter: archive(t, map[string]string{
			"k@v3" + karpenterFolder + "aws.go":        p.prices,
			"k@v3" + karpenterFolder + "aws_us_gov.go": p.gov,
		}),
		dump: archive(t, map[string]string{"d@v0" + dumpFile: p.dump}),
	}
}

func made(t *testing.T) map[string]string {
	t.Helper()
	files, err := tables(&strings.Builder{}, whole().packages(t))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range files {
		text, err := gunzip(f.data)
		if err != nil {
			t.Fatal(err)
		}
		out[f.name] = string(text)
	}
	return out
}

func TestTablesHoldWhatTheSourcesSay(t *testing.T) {
	got := made(t)
	if len(got) != 3 {
		t.Fatalf("tables %v", got)
	}
	types := strings.Split(got["types.tsv.gz"], "\n")
	for i, want := range map[int]string{
		2: "g9.large\t2\t1\t4096\tarm64\t1\tL9\t1024\tModerate\t\t\t1\tosb\t",
		3: "hpc9z.large\t4\t2\t8192\ti386,x86_64\t\t\t\t200 Gigabit\t200\t2\t2\to\tcp", // two cards, one limit
	} {
		if types[i] != want {
			t.Errorf("%q, want %q", types[i], want)
		}
	}
	east := got["us-east-1.tsv.gz"]
	for _, want := range []string{
		"\tv1.15.1\t2031-02-03\tApache-2.0\tprices\n", "\t2025-05-28\tMIT\tspot\n",
		"#zone\tuse1-az1\tus-east-1b\n#zone\tuse1-az2\tus-east-1a\n",
		"\ng9.large\t++\t1.25\t40\t1\t\n",
		"\nhpc9z.large\t-+\t\t\t\t\n", // the newer list no longer sells it
	} {
		if !strings.Contains(east, want) {
			t.Errorf("no %q in\n%s", want, east)
		}
	}
	if strings.Contains(east, "gone.large") || strings.Contains(east, "other.large") {
		t.Errorf("types of which only a price is known:\n%s", east)
	}
	gov := got["us-gov-east-1.tsv.gz"]
	if !strings.Contains(gov, "\t2025-05-28\tMIT\tprices\n") || !strings.Contains(gov, "\ng9.large\t\t2\t100\t0\t\n") {
		t.Errorf("the older list has won:\n%s", gov)
	}
}

func TestTablesReproduce(t *testing.T) {
	from := whole().packages(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "moon-base-1.tsv.gz"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		files, err := tables(&strings.Builder{}, from)
		if err != nil {
			t.Fatal(err)
		}
		if err := write(dir, files); err != nil {
			t.Fatal(err)
		}
		if err := compare(&strings.Builder{}, dir, files); err != nil {
			t.Error(err)
		}
	}
}

func TestChangedTableIsToldWithItsLine(t *testing.T) {
	files, err := tables(&strings.Builder{}, whole().packages(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		break_ func(dir string) error
		want   string
	}{
		"a price": {func(dir string) error {
			packed, err := table.Pack([]byte(strings.Replace(made(t)["us-east-1.tsv.gz"], "1.25", "1.26", 1)))
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, "us-east-1.tsv.gz"), packed, 0o600)
		}, `us-east-1.tsv.gz: line 7 is "g9.large\t++\t1.26\t40\t1\t", the sources give "g9.large\t++\t1.25\t40\t1\t"`},
		"packed otherwise": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "us-east-1.tsv.gz"), []byte(gz(made(t)["us-east-1.tsv.gz"])), 0o600)
		}, "us-east-1.tsv.gz: the same text, packed otherwise"},
		"one too many": {func(dir string) error { return os.WriteFile(filepath.Join(dir, "moon-base-1.tsv.gz"), nil, 0o600) }, "moon-base-1.tsv.gz: no source gives it"},
		"one missing":  {func(dir string) error { return os.Remove(filepath.Join(dir, "types.tsv.gz")) }, "types.tsv.gz: open"},
	} {
		dir := t.TempDir()
		if err := write(dir, files); err != nil {
			t.Fatal(err)
		}
		if err := c.break_(dir); err != nil {
			t.Fatal(err)
		}
		if err := compare(&strings.Builder{}, dir, files); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestChangedFormatIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*parts)
		want   string
	}{
		"no facts":        {func(p *parts) { p.types = `{"a.b":{"InstanceType":"a.b"}}` }, "a.b lacks its basic facts"},
		"odd words":       {func(p *parts) { p.types = strings.Replace(twoTypes, "Moderate", "a\\tb", 1) }, "the new table types: line 3: wrong number of columns"},
		"odd model":       {func(p *parts) { p.types = strings.Replace(twoTypes, `"L9"`, `"L\u00e9"`, 1) }, "the new table types: g9.large: g9.large has words"},
		"not a table":     {func(p *parts) { p.types = "[]" }, "cannot unmarshal"},
		"other zone ids":  {func(p *parts) { p.byID = strings.ReplaceAll(byID, "use1-", "zone-") }, "the form of ids has changed"},
		"no zones":        {func(p *parts) { p.byID = "[]" }, "no zones"},
		"no prices":       {func(p *parts) { p.prices = "package p\n// generated at 2031-02-03T04:05:06Z\n" }, "no prices of a region"},
		"odd price":       {func(p *parts) { p.prices = strings.Replace(somePrices, "1.250000", "free", 1) }, "is not a price"},
		"no date":         {func(p *parts) { p.prices = strings.Replace(somePrices, "generated", "made", 1) }, "does not say its date"},
		"not Go":          {func(p *parts) { p.gov = "// generated at 2031-02-03T04:05:06Z\nnonsense" }, "expected 'package'"},
		"no list":         {func(p *parts) { p.dump = `{"a":1}` }, "no list of types"},
		"empty list":      {func(p *parts) { p.dump = "[]" }, "no prices in it"},
		"cut short":       {func(p *parts) { p.dump = someDump[:len(someDump)-1] }, "unexpected EOF"},
		"odd type":        {func(p *parts) { p.dump = strings.Replace(someDump, "gone.large", "gone", 1) }, "is no instance type"},
		"odd dump price":  {func(p *parts) { p.dump = strings.Replace(someDump, `"1.5"`, `"free"`, 1) }, `g9.large in us-east-1: "free" is not a price`},
		"odd savings":     {func(p *parts) { p.dump = strings.Replace(someDump, `:60`, `:160`, 1) }, "spot saves 160 %"},
		"odd interrupted": {func(p *parts) { p.dump = strings.Replace(someDump, `5-10%`, `often`, 1) }, "no interruption band"},
	} {
		p := whole()
		c.change(&p)
		if _, err := tables(&strings.Builder{}, p.packages(t)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// A name that two zones could have is nobody's; what matches neither is left out.
func TestZoneWithoutAMatchHasNoName(t *testing.T) {
	p := whole()
	p.byName = strings.ReplaceAll(byName, `{"InstanceType":"hpc9z.large","Location":"us-east-1a"},`, "")
	d, err := readMoto(p.packages(t).moto)
	if err != nil {
		t.Fatal(err)
	}
	zones := d.regions["us-east-1"].zones
	if zones[0].Name != "us-east-1a" || zones[1].Name != "" {
		t.Errorf("%+v", zones)
	}
}

func TestCheckWithoutSourcesIsLeftOutUnlessRequired(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // neither go nor pip
	var said strings.Builder
	t.Setenv(requireEnv, "")
	if err := run(&said, t.TempDir(), t.TempDir(), true); err != nil || !strings.Contains(said.String(), "LEFT OUT: ") {
		t.Errorf("%v, said %q", err, said.String())
	}
	t.Setenv(requireEnv, "1")
	if err := run(&said, t.TempDir(), t.TempDir(), true); err == nil || !strings.Contains(err.Error(), "moto 5.2.5 could not be fetched with pip") {
		t.Error(err)
	}
	t.Setenv(requireEnv, "")
	if err := run(&said, t.TempDir(), t.TempDir(), false); err == nil {
		t.Error("tables made of nothing")
	}
}

func TestVersionThatNamesNoDayIsRefused(t *testing.T) {
	for _, v := range []string{"", "v1.2.3", "v0.0.0-20251328091325-32acf84f42eb"} {
		if day, err := versionDate(v); err == nil {
			t.Errorf("%q is of %s", v, day)
		}
	}
}
