package lint

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/plan"
)

func TestRelaxLetsGoOfWhatNoTypeCanMeet(t *testing.T) {
	env := map[string]string{
		"ASBA_INSTANCE_TYPES": "hpc7a.2xlarge,c6i.2xlarge", "ASBA_PURCHASING_OPTION": "spot",
		"ASBA_REQUIRES_EFA": "true", "ASBA_PLACEMENT_GROUP": "cluster",
	}
	p, fs, ok := plan.FromEnv(func(k string) string { return env[k] })
	if !ok || len(fs) > 0 {
		t.Fatalf("the plan was not read: %v", fs)
	}
	if _, none := NoneLeft(p, Impossible(p, Options{Catalog: catalog.Default()})); !none {
		t.Fatal("hpc7a.2xlarge does not exist and c6i.2xlarge has no EFA: nothing should be left")
	}
	if d := cmp.Diff([]string{"no instance type of the plan has EFA"}, Relax(p, catalog.Default())); d != "" {
		t.Error(d)
	}
	Keep(p, Impossible(p, Options{Catalog: catalog.Default()}))
	if d := cmp.Diff([]string{"c6i.2xlarge"}, p.InstanceTypes.Value); d != "" {
		t.Error(d)
	}
	if p.Purchasing.Value != plan.Spot || p.Placement.Value != plan.Cluster {
		t.Error("wishes that can be met were let go")
	}
}

func TestRelaxKeepsAWishThatSomeTypeMeets(t *testing.T) {
	env := map[string]string{"ASBA_INSTANCE_TYPES": "hpc7a.96xlarge,t3.micro", "ASBA_PURCHASING_OPTION": "spot", "ASBA_PLACEMENT_GROUP": "cluster"}
	p, _, _ := plan.FromEnv(func(k string) string { return env[k] })
	if gone := Relax(p, catalog.Default()); len(gone) > 0 {
		t.Errorf("let go of %v, though t3.micro is sold on spot and hpc7a places clusters", gone)
	}
}
