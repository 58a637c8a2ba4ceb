package enact

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/simulator/slurm/conf"
	"aws-slurm-burst/simulator/workload"
)

func TestThePremisesAloneHaveTheirNodesAndPartitions(t *testing.T) {
	settings := func() conf.Settings {
		return conf.Settings{
			Nodes: []conf.Node{{Names: "local[1-4]"}, {Names: "aws[1-2]", Cloud: true}, {Names: "aws3", Cloud: true}},
			Partitions: []conf.Partition{
				{Name: "all", Nodes: []string{"ALL"}}, {Name: "both", Nodes: []string{"local[1-2],aws1", "aws[2-3]", "local3"}}, {Name: "cloud", Nodes: []string{"aws[1-3]"}},
			},
		}
	}
	whole := settings()
	got := whole
	if err := alone(&got); err != nil {
		t.Fatal(err)
	}
	want := conf.Settings{
		Nodes:      []conf.Node{{Names: "local[1-4]"}},
		Partitions: []conf.Partition{{Name: "all", Nodes: []string{"ALL"}}, {Name: "both", Nodes: []string{"local[1-2]", "local3"}}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(settings(), whole); d != "" {
		t.Errorf("the cluster with its cloud is changed, too:\n%s", d)
	}
	clouds := conf.Settings{Nodes: whole.Nodes[1:]}
	if err := alone(&clouds); !errors.Is(err, errAllCloud) {
		t.Error(err)
	}
}

func TestJobsOfThisClustersPartitionsStayInThem(t *testing.T) {
	jobs := func(yield func(workload.Job, error) bool) {
		for i, p := range []string{"a", "b", "", "elsewhere", "a,b", "c,a", "c,elsewhere", "b,elsewhere"} {
			if !yield(workload.Job{ID: int64(i), Partition: p}, nil) {
				return
			}
		}
	}
	var got []string
	for j, err := range sent(jobs, "a,b,c") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, j.Partition)
	}
	if d := cmp.Diff([]string{"a", "b", "a,b,c", "a,b,c", "a,b", "c,a", "c", "b"}, got); d != "" {
		t.Error(d)
	}
	for range sent(jobs, "a,b,c") {
		break // a source that yields again panics
	}
}
