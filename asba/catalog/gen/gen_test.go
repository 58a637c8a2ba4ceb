package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aws-slurm-burst/asba/catalog"
)

const twoTypes = `{
 "hpc9z.large": {"InstanceType":"hpc9z.large","VCpuInfo":{"DefaultVCpus":4,"DefaultCores":2},"MemoryInfo":{"SizeInMiB":8192},
  "NetworkInfo":{"EfaInfo":{"MaximumEfaInterfaces":2},"MaximumNetworkCards":2},
  "PlacementGroupInfo":{"SupportedStrategies":["partition","cluster"]},
  "ProcessorInfo":{"SupportedArchitectures":["x86_64","i386"]},"SupportedUsageClasses":["on-demand"]},
 "g9.large": {"InstanceType":"g9.large","VCpuInfo":{"DefaultVCpus":2,"DefaultCores":1},"MemoryInfo":{"SizeInMiB":4096},
  "GpuInfo":{"Gpus":[{"Name":"L9","Count":0,"LogicalGpuCount":1}]},
  "NetworkInfo":{"MaximumNetworkCards":1},"ProcessorInfo":{"SupportedArchitectures":["arm64"]},
  "SupportedUsageClasses":["spot","on-demand","capacity-block"]}}`

const somePrices = `package pricing
// generated at 2031-02-03T04:05:06Z for us-east-1
var P = map[string]map[T]float64{
	"us-east-1": { "g9.large": 1.250000, "other.large": 3.0 },
}`

func archive(t *testing.T, name string, files map[string]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
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

func sources(t *testing.T, types, prices string) (string, string) {
	return archive(t, "m.whl", map[string]string{
			"moto-9.8.7.dist-info/METADATA":             "Name: moto\nVersion: 9.8.7\n",
			"moto/ec2/resources/instance_types.json.gz": gz(types)}),
		archive(t, "k.zip", map[string]string{
			"example.org/k@v3.2.1/pkg/providers/pricing/zz_generated.pricing_aws.go": prices})
}

func TestTableIsReproducibleAndReadable(t *testing.T) {
	types, prices := sources(t, twoTypes, somePrices)
	dir := t.TempDir()
	var tables [2][]byte
	for i := range tables {
		out := filepath.Join(dir, "t.gz")
		if err := run(types, prices, out); err != nil {
			t.Fatal(err)
		}
		tables[i], _ = os.ReadFile(out)
	}
	if !bytes.Equal(tables[0], tables[1]) {
		t.Error("two runs, two tables")
	}
	c, err := catalog.Read(bytes.NewReader(tables[0]))
	if err != nil {
		t.Fatal(err)
	}
	hpc, _ := c.Type("hpc9z.large")
	if hpc.EFA != 2 || hpc.Spot || !hpc.Cluster || hpc.Spread || strings.Join(hpc.Archs, ",") != "i386,x86_64" {
		t.Errorf("%+v", hpc)
	}
	if _, known := hpc.Price(); known {
		t.Error("a price from nowhere")
	}
	g, _ := c.Type("g9.large")
	if usd, known := g.Price(); usd != 1.25 || !known || g.GPUs != 1 || g.GPUModel != "L9" || !g.CapacityBlock || g.Places("cluster") {
		t.Errorf("%+v", g)
	}
	s := c.Sources()
	if s[0].Version != "9.8.7" || s[1] != (catalog.Source{Name: "karpenter-provider-aws", Version: "v3.2.1", Date: "2031-02-03", Licence: "Apache-2.0", Holds: "prices us-east-1"}) {
		t.Errorf("%+v", s)
	}
}

func TestChangedFormatIsRefusedAndWritesNothing(t *testing.T) {
	for name, c := range map[string]struct{ types, prices, want string }{
		"no facts":    {`{"a.b":{"InstanceType":"a.b"}}`, somePrices, "a.b lacks its basic facts"},
		"no prices":   {twoTypes, "package p\n// generated at 2031-02-03T04:05:06Z\n", "no prices of us-east-1"},
		"odd price":   {twoTypes, strings.Replace(somePrices, "1.250000", "free", 1), "is not a price"},
		"no date":     {twoTypes, strings.Replace(somePrices, "generated", "made", 1), "does not say its date"},
		"not Go":      {twoTypes, "// generated at 2031-02-03T04:05:06Z\nnonsense", "expected 'package'"},
		"not a table": {"[]", somePrices, "cannot unmarshal"},
	} {
		types, prices := sources(t, c.types, c.prices)
		out := filepath.Join(t.TempDir(), "t.gz")
		if err := run(types, prices, out); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: a table was written", name)
		}
	}
}
