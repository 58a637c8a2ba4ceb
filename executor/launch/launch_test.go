package launch

import (
	"testing"

	"aws-slurm-burst/executor/cloud"
)

func TestAssignGoesByLaunchIndexElseByID(t *testing.T) {
	in := func(id string, index int) cloud.Instance { return cloud.Instance{ID: id, LaunchIndex: index} }
	placed, surplus, byIndex := Assign([]string{"n1", "n2"}, []cloud.Instance{in("i-a", 1), in("i-b", 0)})
	if !byIndex || placed[0].Instance.ID != "i-b" || len(surplus) != 0 {
		t.Errorf("by index: %+v", placed)
	}
	placed, surplus, byIndex = Assign([]string{"n1", "n2"}, []cloud.Instance{in("i-c", 0), in("i-b", 0), in("i-a", 0)})
	if byIndex || placed[0].Instance.ID != "i-a" || len(surplus) != 1 || surplus[0].ID != "i-c" {
		t.Errorf("by id: %+v, surplus %+v", placed, surplus)
	}
}

func TestVerdictNamesTheGroundThatWaitingCanMend(t *testing.T) {
	at := func(c cloud.Class, code string) Attempt { return Attempt{Code: code, class: c} }
	quota := &cloud.Error{Class: cloud.Quota, Code: "VcpuLimitExceeded"}
	if v := verdict([]Attempt{at(cloud.Capacity, "InsufficientInstanceCapacity"), at(cloud.Quota, "VcpuLimitExceeded")}, quota); v.Class != cloud.Capacity {
		t.Errorf("shortage and quota: %s", v.Class)
	}
	if v := verdict([]Attempt{at(cloud.Quota, "VcpuLimitExceeded")}, quota); v.Class != cloud.Quota {
		t.Errorf("quota alone: %s", v.Class)
	}
	if v := verdict([]Attempt{at(cloud.Capacity, "x")}, &cloud.Error{Class: cloud.Permission}); v.Class != cloud.Permission {
		t.Errorf("a refusal is not outranked: %s", v.Class)
	}
	if v := verdict(nil, nil); v == nil || v.Class != cloud.Capacity {
		t.Errorf("nothing tried: %v", v)
	}
}
