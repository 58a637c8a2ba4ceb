package quota

import (
	"strings"
	"testing"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/cloud"
)

func TestTypesCountToTheirFamilies(t *testing.T) {
	for name, want := range map[string][2]Family{ // on demand, spot
		"c6i.xlarge": {Standard, Standard}, "m1.small": {Standard, Standard}, "im4gn.large": {Standard, Standard},
		"hpc7a.96xlarge": {HPC, HPC}, "h1.2xlarge": {Standard, Standard},
		"g5.xlarge": {G, G}, "gr6.4xlarge": {G, G}, "vt1.3xlarge": {G, G},
		"p4d.24xlarge": {P, P}, "p3dn.24xlarge": {P, P}, "p5.48xlarge": {P, P5}, "p6-b200.48xlarge": {P, P5},
		"inf2.xlarge": {Inf, Inf}, "trn1.2xlarge": {Trn, Trn}, "t3.micro": {Standard, Standard}, "dl2q.24xlarge": {DL, DL}, "d3.xlarge": {Standard, Standard},
		"x2idn.16xlarge": {X, X}, "u7i-12tb.224xlarge": {HighMemory, HighMemory}, "u-6tb1.56xlarge": {HighMemory, HighMemory},
		"mac2.metal": {Unknown, Unknown}, "": {Unknown, Unknown},
	} {
		if got := [2]Family{Of(name, cloud.OnDemand), Of(name, cloud.Spot)}; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestEveryTypeOfTheCatalogueHasAQuota(t *testing.T) {
	for _, name := range catalog.Default().Names() {
		if strings.HasPrefix(name, "mac") {
			continue // sold by the host
		}
		facts, _ := catalog.Default().Type(name)
		for market, sold := range map[cloud.Market]bool{cloud.OnDemand: facts.OnDemand, cloud.Spot: facts.Spot} {
			q := Quota{Of(name, market), market}
			if sold && (!strings.HasPrefix(q.Code(), "L-") || q.Name() == "") {
				t.Errorf("%s %s: %v has no quota", name, market, q.Family)
			}
		}
	}
}

func TestFamiliesAreFoundByTheirNames(t *testing.T) {
	for f := Standard; f < Families; f++ {
		if got, ok := Parse(f.String()); !ok || got != f {
			t.Errorf("%q is %v", f, got)
		}
	}
	for _, name := range []string{"", "unknown", "Standard"} {
		if f, ok := Parse(name); ok {
			t.Errorf("%q is %v", name, f)
		}
	}
}

func TestNoTwoQuotasShareACode(t *testing.T) {
	seen := map[string]Quota{}
	for q := range quotas {
		if other, taken := seen[q.Code()]; taken {
			t.Errorf("%v and %v are both %s", q, other, q.Code())
		}
		seen[q.Code()] = q
	}
}
