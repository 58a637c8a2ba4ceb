package ec2

import (
	"testing"

	"aws-slurm-burst/asba/catalog"
)

func TestZonesHaveTheIDsOfTheirNames(t *testing.T) {
	c := catalog.Default()
	n, ids := Zones(c, "us-east-1")
	if n != 6 || len(ids) != 6 {
		t.Fatalf("%d zones, ids %v", n, ids)
	}
	for _, z := range c.Zones("us-east-1") {
		if ids[z.Name] != z.ID {
			t.Errorf("%s has the id %q, and the catalogue %q", z.Name, ids[z.Name], z.ID)
		}
	}
	// There is no ap-northeast-1b for new accounts.
	if n, ids := Zones(c, "ap-northeast-1"); n == 0 || ids != nil {
		t.Errorf("zones with gaps in their names: %d, ids %v", n, ids)
	}
	if n, ids := Zones(c, "xx-nowhere-1"); n != 0 || len(ids) != 0 {
		t.Errorf("an unknown region: %d, ids %v", n, ids)
	}
}
