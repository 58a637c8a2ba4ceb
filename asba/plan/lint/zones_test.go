package lint

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/catalog"
)

func TestFixesLeaveAListOneItemAtLeast(t *testing.T) {
	for name, c := range map[string]struct {
		text, region string
		fixed        []string // the paths that fixes remove
	}{
		"no type is offered in the region": {`{"instance_specification":{"instance_types":["hpc7a.96xlarge","hpc7a.48xlarge"]}}`, "us-west-2", nil},
		"one is": {`{"instance_specification":{"instance_types":["hpc7a.96xlarge","hpc7a.48xlarge","c6i.large"]}}`, "us-west-2",
			[]string{"/instance_specification/instance_types/0", "/instance_specification/instance_types/1"}},
		"no zone offers the type":            {`{"instance_specification":{"instance_types":["hpc7a.96xlarge"]},"network_configuration":{"availability_zones":["use2-az1","use2-az3"]}}`, "", nil},
		"a zone is of use to another type":   {`{"instance_specification":{"instance_types":["hpc7a.96xlarge","c6i.large"]},"network_configuration":{"availability_zones":["use2-az1","use2-az2"]}}`, "", nil},
		"each zone has a mistake of its own": {`{"instance_specification":{"instance_types":["hpc7a.96xlarge"]},"network_configuration":{"availability_zones":["use1-az1","use2-az1"]}}`, "us-east-2", nil},
		"no zone is in the region": {`{"instance_specification":{"instance_types":["c6i.large"]},"network_configuration":{"availability_zones":["us-east-2a","us-east-2b","us-east-2a"]}}`, "us-east-1",
			[]string{"/network_configuration/availability_zones/2"}}, // it stands twice
	} {
		var fixed []string
		for _, f := range Lint(mustRead(t, c.text), Options{Catalog: catalog.Default(), Region: c.region}) {
			for _, op := range f.Fix {
				fixed = append(fixed, op.Path)
			}
		}
		if diff := cmp.Diff(c.fixed, fixed); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestATypeThatStandsTwiceHasItsFindingsOnce(t *testing.T) {
	p := mustRead(t, `{"instance_specification":{"instance_types":["c6i.large","hpc7g.16xlarge","hpc7g.16xlarge"]},"mpi_configuration":{"requires_gang_scheduling":true,"process_count":8}}`)
	var got []string
	for _, f := range Lint(p, Options{Catalog: catalog.Default(), Region: "us-west-2"}) {
		got = append(got, f.ID+" "+f.Pointer[strings.LastIndexByte(f.Pointer, '/')+1:])
	}
	if diff := cmp.Diff([]string{"PLAN038 1", "PLAN062 1", "PLAN058 2"}, got); diff != "" {
		t.Error(diff)
	}
}
