package main

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"aws-slurm-burst/asba/catalog/table"
)

const (
	motoLicence   = "Apache-2.0"
	motoTypes     = "moto/ec2/resources/instance_types.json.gz"
	motoOfferings = "moto/ec2/resources/instance_type_offerings/"
	packedJSON    = ".json.gz"
)

// motoData is what the wheel says.
type motoData struct {
	date    string
	types   []table.Type
	regions map[string]offerings
}

// offerings are the zones of a region, by id, and the ids of those that offer a
// type.
type offerings struct {
	zones []table.Zone
	zoned map[string][]string
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
			MemoryInfo             struct{ SizeInMiB int }
		}
	}
	NetworkInfo struct {
		EfaInfo             struct{ MaximumEfaInterfaces int }
		MaximumNetworkCards int
		NetworkPerformance  string
		NetworkCards        []struct{ BaselineBandwidthInGbps float64 }
	}
	PlacementGroupInfo    struct{ SupportedStrategies []string }
	ProcessorInfo         struct{ SupportedArchitectures []string }
	SupportedUsageClasses []string
}

func readMoto(file string) (motoData, error) {
	d := motoData{regions: map[string]offerings{}}
	z, err := zip.OpenReader(file)
	if err != nil {
		return d, err
	}
	defer z.Close()
	f, packed, err := entry(z, motoTypes)
	if err != nil {
		return d, err
	}
	d.date = f.Modified.Format(time.DateOnly)
	var all map[string]typeInfo
	if err := unmarshal(packed, &all); err != nil {
		return d, fmt.Errorf("%s: %w", motoTypes, err)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t := all[name]
		if t.InstanceType != name || t.VCpuInfo.DefaultVCpus == 0 || t.MemoryInfo.SizeInMiB == 0 || len(t.SupportedUsageClasses) == 0 {
			return d, fmt.Errorf("%s lacks its basic facts: the format has changed", name)
		}
		d.types = append(d.types, t.ours())
	}
	for _, f := range entries(z, motoOfferings+"availability-zone-id/", packedJSON) {
		region := strings.TrimSuffix(path.Base(f.Name), packedJSON)
		if d.regions[region], err = readOfferings(z, region); err != nil {
			return d, fmt.Errorf("offerings of %s: %w", region, err)
		}
	}
	if len(d.regions) == 0 {
		return d, fmt.Errorf("no offerings in it: the format has changed")
	}
	return d, nil
}

func unmarshal(packed []byte, to any) error {
	text, err := gunzip(packed)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, to)
}

// ours is a type as the catalogue has it.
func (t typeInfo) ours() table.Type {
	have := func(list []string, word string) bool { return slices.Contains(list, word) }
	usage, place := t.SupportedUsageClasses, t.PlacementGroupInfo.SupportedStrategies
	out := table.Type{
		Name: t.InstanceType, VCPUs: t.VCpuInfo.DefaultVCpus, Cores: t.VCpuInfo.DefaultCores, MemoryMiB: t.MemoryInfo.SizeInMiB,
		Archs:   slices.Sorted(slices.Values(t.ProcessorInfo.SupportedArchitectures)),
		Network: t.NetworkInfo.NetworkPerformance, EFA: t.NetworkInfo.EfaInfo.MaximumEfaInterfaces, NetworkCards: t.NetworkInfo.MaximumNetworkCards,
		OnDemand: have(usage, "on-demand"), Spot: have(usage, "spot"), CapacityBlock: have(usage, "capacity-block"),
		Cluster: have(place, "cluster"), Partition: have(place, "partition"), Spread: have(place, "spread"),
	}
	for _, g := range t.GpuInfo.Gpus {
		out.GPUs += max(g.Count, g.LogicalGpuCount)
		out.GPUModel, out.GPUMemoryMiB = g.Name, g.MemoryInfo.SizeInMiB
	}
	for _, c := range t.NetworkInfo.NetworkCards {
		out.BaselineGbps += c.BaselineBandwidthInGbps
	}
	return out.Shared()
}

// offering is an item of EC2's DescribeInstanceTypeOfferings.
type offering struct{ InstanceType, Location string }

// readOfferings reads a region's offerings twice over, by the zones' ids and by
// their names: which name is which id's is what both say of the same zone.
func readOfferings(z *zip.ReadCloser, region string) (offerings, error) {
	var byID, byName []offering
	for kind, to := range map[string]*[]offering{"availability-zone-id/": &byID, "availability-zone/": &byName} {
		_, packed, err := entry(z, motoOfferings+kind+region+packedJSON)
		if err != nil {
			return offerings{}, err
		}
		if err := unmarshal(packed, to); err != nil {
			return offerings{}, err
		}
	}
	ids, names := byLocation(byID), byLocation(byName)
	out := offerings{zoned: map[string][]string{}}
	free := slices.Sorted(maps.Keys(names))
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		if code, _, ok := strings.Cut(id, "-az"); !ok || code != table.RegionCode(region) {
			return out, fmt.Errorf("a zone has the id %s: the form of ids has changed", id)
		}
		zone := table.Zone{ID: id, Region: region}
		// Two zones that offer the same are told apart by nobody: in order.
		if i := slices.IndexFunc(free, func(n string) bool { return slices.Equal(names[n], ids[id]) }); i >= 0 {
			zone.Name = free[i]
			free = slices.Delete(free, i, i+1)
		}
		out.zones = append(out.zones, zone)
		for _, t := range ids[id] {
			out.zoned[t] = append(out.zoned[t], id)
		}
	}
	if len(out.zones) == 0 {
		return out, fmt.Errorf("no zones: the format has changed")
	}
	return out, nil
}

// byLocation sorts offerings into places, each with its types in order.
func byLocation(all []offering) map[string][]string {
	out := map[string][]string{}
	for _, o := range all {
		out[o.Location] = append(out[o.Location], o.InstanceType)
	}
	for place := range out {
		slices.Sort(out[place])
	}
	return out
}
