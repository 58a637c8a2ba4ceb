package main

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"aws-slurm-burst/asba/catalog"
)

// Who renews a source and forgets the page that tells of it is told here.
func TestThePageTellsOfTheTablesAsTheyAre(t *testing.T) {
	page, err := os.ReadFile("../../../docs/CATALOG.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(page)), " ")
	c := catalog.Default()
	wants := []string{
		fmt.Sprintf("%d,%03d instance types", len(c.Names())/1000, len(c.Names())%1000),
		fmt.Sprintf("%d regions which zone", len(c.Regions())),
	}
	sources, zoned, dumped := c.Sources(), 0, 0
	for _, region := range c.Regions() {
		of := c.RegionSources(region)
		sources = append(sources, of...)
		if len(c.Zones(region)) > 0 {
			zoned++
		}
		for _, s := range of {
			if s.Holds == "prices" && s.Name == "ec2-instances-info" {
				dumped++
			}
		}
	}
	wants = append(wants, fmt.Sprintf("offerings (%d regions)", zoned), fmt.Sprintf("prices of the other %d regions", dumped))
	for _, s := range sources {
		version, _, _ := strings.Cut(s.Version, "-3") // of a pseudo-version without the commit
		wants = append(wants, s.Name, "| "+version, s.Date, "| "+s.Licence+" |")
	}
	entries, err := os.ReadDir("../data")
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
	}
	wants = append(wants, fmt.Sprintf("(%.0f kB)", math.Round(float64(total)/1000)))
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("docs/CATALOG.md does not say %q", want)
		}
	}
}
