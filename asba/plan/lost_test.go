package plan

import (
	"strings"
	"testing"
)

func TestLostIsWhatNoPlanRemembers(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"all of it is kept":   {`{"$schema": "s", "should_burst": true, "instance_specification": {"instance_types": ["a"], "instance_count": 2, "spot_instance_config": {"enable_spot": true, "max_spot_price": 1}}}`, ""},
		"keys without effect": {`{"asba_version": "1", "confidence_level": 0.5, "network_configuration": {"network_latency_class": "low", "enhanced_networking": true}}`, "/asba_version /confidence_level /network_configuration/network_latency_class"},
		"unknown keys":        {`{"x": {"y": 1}, "mpi_configuration": {"z": 1}}`, "/x /mpi_configuration/z"},
		"waits and latencies": {`{"execution_metadata": {"expected_performance": {"network_latency": "2ms"}, "priority": "high"}}`, "/execution_metadata/expected_performance/network_latency /execution_metadata/priority"},
		"what is left open":   {`{"asba_version": "", "optimization_applied": [], "x": null, "job_metadata": {}}`, ""},
		"no plan":             {`[1]`, ""},
		"no JSON":             {`{"x"`, ""},
	} {
		var got []string
		for _, at := range Lost([]byte(c.text), "plan.json") {
			if at.Line != 1 || at.Column < 2 || at.File != "plan.json" {
				t.Errorf("%s: no place: %+v", name, at)
			}
			got = append(got, at.Pointer)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

// Whatever is read again from what Write wrote has lost nothing.
func TestWhatIsWrittenHasNothingToLose(t *testing.T) {
	for _, name := range []string{"dialect-a.json", "dialect-b.json"} {
		p, _ := Read(load(t, name), name)
		if left := Lost(Write(p), name); len(left) != 0 {
			t.Errorf("%s: %v", name, left)
		}
	}
}
