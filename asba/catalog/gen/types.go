package main

import (
	"archive/zip"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"aws-slurm-burst/asba/catalog"
)

// typeData is what the wheel says, sorted by type name.
type typeData struct {
	source catalog.Source
	rows   []typeInfo
}

// typeInfo is the part we keep of an item of EC2's DescribeInstanceTypes.
type typeInfo struct {
	InstanceType string
	VCpuInfo     struct{ DefaultVCpus, DefaultCores int }
	MemoryInfo   struct{ SizeInMiB int }
	GpuInfo      struct {
		Gpus []struct {
			Name                   string
			Count, LogicalGpuCount int
		}
	}
	NetworkInfo struct {
		EfaInfo             struct{ MaximumEfaInterfaces int }
		MaximumNetworkCards int
	}
	PlacementGroupInfo    struct{ SupportedStrategies []string }
	ProcessorInfo         struct{ SupportedArchitectures []string }
	SupportedUsageClasses []string
}

var wheelVersion = regexp.MustCompile(`(?m)^Version: (\S+)`)

func readTypes(path string) (d typeData, err error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return d, err
	}
	defer z.Close()
	_, meta, err := entry(z, ".dist-info/METADATA")
	if err != nil {
		return d, err
	}
	v := wheelVersion.FindSubmatch(meta)
	if v == nil {
		return d, fmt.Errorf("its METADATA has no Version")
	}
	f, packed, err := entry(z, "moto/ec2/resources/instance_types.json.gz")
	if err != nil {
		return d, err
	}
	zr, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return d, err
	}
	text, err := io.ReadAll(zr)
	if err != nil {
		return d, err
	}
	var all map[string]typeInfo
	if err := json.Unmarshal(text, &all); err != nil {
		return d, err
	}
	for name, t := range all {
		if t.InstanceType != name || t.VCpuInfo.DefaultVCpus == 0 || t.MemoryInfo.SizeInMiB == 0 || len(t.SupportedUsageClasses) == 0 {
			return d, fmt.Errorf("%s lacks its basic facts: the format has changed", name)
		}
		d.rows = append(d.rows, t)
	}
	slices.SortFunc(d.rows, func(a, b typeInfo) int { return cmp.Compare(a.InstanceType, b.InstanceType) })
	d.source = catalog.Source{Name: "moto", Version: string(v[1]), Date: f.Modified.Format(time.DateOnly), Licence: "Apache-2.0", Holds: "types"}
	return d, nil
}

// line formats all columns but the price.
func (t typeInfo) line() string {
	gpus, model := 0, ""
	for _, g := range t.GpuInfo.Gpus {
		gpus += max(g.Count, g.LogicalGpuCount)
		model = g.Name
	}
	archs := slices.Sorted(slices.Values(t.ProcessorInfo.SupportedArchitectures))
	return fmt.Sprintf("%s\t%d\t%d\t%d\t%s\t%d\t%s\t%d\t%d\t%s\t%s",
		t.InstanceType, t.VCpuInfo.DefaultVCpus, t.VCpuInfo.DefaultCores, t.MemoryInfo.SizeInMiB,
		strings.Join(archs, ","), gpus, model,
		t.NetworkInfo.EfaInfo.MaximumEfaInterfaces, t.NetworkInfo.MaximumNetworkCards,
		letters(t.SupportedUsageClasses, "o", "on-demand", "s", "spot", "b", "capacity-block"),
		letters(t.PlacementGroupInfo.SupportedStrategies, "c", "cluster", "p", "partition", "s", "spread"))
}

// letters writes the letter of each of the words that is among have.
func letters(have []string, pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if slices.Contains(have, pairs[i+1]) {
			b.WriteString(pairs[i])
		}
	}
	return b.String()
}
