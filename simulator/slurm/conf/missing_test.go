package conf

import (
	"strings"
	"testing"
)

// A figure that rests on a parameter which the simulation passes over would be
// believed: each such parameter is told of, at its place, and once.
func TestWhatSlurmctldGoesByAndTheSimulationDoesNotIsTold(t *testing.T) {
	for key, gap := range missing {
		kind, name, of := strings.Cut(key, " ")
		line := func(value string) string {
			switch {
			case !of:
				return small + key + "=" + value + "\n"
			case kind == "nodename":
				return small + "NodeName=m[1-2] " + name + "=" + value + "\nNodeName=m3 " + name + "=" + value + "\n"
			case kind == "partitionname":
				return small + "PartitionName=DEFAULT " + name + "=" + value + "\nPartitionName=q Nodes=n1\nPartitionName=r Nodes=n1\n"
			}
			return small + kind + "=" + name + "=" + value + "\n"
		}
		memory := "SelectType=select/cons_tres\nSelectTypeParameters=CR_Core_Memory\n"
		if kind == "selecttypeparameters" {
			memory = ""
		}
		f := Read([]byte(memory+line("7")), "c", nil)
		if len(f.Findings) != 1 || f.Findings[0].ID != idNotModelled || f.Findings[0].Line != strings.Count(memory+small, "\n")+1 || !strings.HasSuffix(f.Findings[0].Message, ": "+gap.says) {
			t.Errorf("%s: %q", key, messages(f.Findings))
		}
		if f := Read([]byte(line("7")), "c", nil); gap.memory && len(f.Findings) > 0 {
			t.Errorf("%s: %q, where memory is not handed out", key, messages(f.Findings))
		}
		for _, value := range gap.harmless {
			if f := Read([]byte(memory+line(strings.ToLower(value))), "c", nil); len(f.Findings) > 0 {
				t.Errorf("%s=%s: %q", key, value, messages(f.Findings))
			}
		}
	}
}

func TestASettingTakesAwayWhatTheFileHas(t *testing.T) {
	text := small + "PreemptType=preempt/qos\nSchedulerParameters=bf_max_job_user=9,defer\n"
	if f := Read([]byte(text), "c", nil); len(f.Findings) != 2 {
		t.Errorf("%s", messages(f.Findings))
	}
	f := Read([]byte(text), "c", nil, Line{"preempttype", "preempt/none"}, Line{"SchedulerParameters", "defer"})
	if len(f.Findings) > 0 {
		t.Errorf("%s", messages(f.Findings))
	}
}
