package blackbox

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Whoever has the events of a run can make its figures: a program that shares no
// line with the simulator does, by what docs/SIMULATOR.md says of each. Figures of
// which it knows nothing are what EC2's prices moved by, and what repairs there were.
func TestFiguresCanBeMadeOfTheEventsAgain(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("ASBA_REQUIRE_PYTHON") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	for name, c := range map[string]struct {
		premises int
		least    int // figures that there are
		more     []string
	}{
		"burst": {512, 100, nil}, "scarce-spot": {0, 80, []string{"--seed=2"}}, "bad-plans": {64, 80, nil},
		"quota":           {0, 80, []string{"--until=400000"}}, // in the middle
		"recorded-market": {0, 80, nil},
		"slurm-defaults":  {0, 80, nil}, // no job ends
		"premises":        {512, 50, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := filepath.Join(t.TempDir(), "events.jsonl")
			args := append([]string{name + ".yaml", "-o", "json", "--events", events}, c.more...)
			code, out, errs := simulate(t, filepath.Join(repo, "examples/scenarios"), args...)
			var told map[string]any
			if err := json.Unmarshal([]byte(out), &told); code != 0 || err != nil {
				t.Fatalf("exit %d, %v\n%s", code, err, errs)
			}
			again, err := exec.Command(python, "figures.py", events, fmt.Sprint(c.premises), fmt.Sprint(told["simulated_s"])).Output()
			if err != nil {
				t.Fatal(err)
			}
			var made map[string]any
			if err := json.Unmarshal(again, &made); err != nil {
				t.Fatal(err)
			}
			if n := agree(t, "", made, told); n < c.least {
				t.Errorf("only %d figures were looked at", n)
			}
		})
	}
}

// agree compares what was made with what was told, and counts the numbers.
func agree(t *testing.T, at string, made, told any) (numbers int) {
	t.Helper()
	switch made := made.(type) {
	case map[string]any:
		told, _ := told.(map[string]any)
		for k, v := range made {
			numbers += agree(t, at+"/"+k, v, told[k])
		}
	case []any:
		told, _ := told.([]any)
		for i, v := range made {
			if i >= len(told) {
				t.Errorf("%s has %d, and %d were made", at, len(told), len(made))
				return numbers
			}
			numbers += agree(t, fmt.Sprintf("%s/%d", at, i), v, told[i])
		}
	case float64:
		if told, ok := told.(float64); !ok || !(math.Abs(made-told) <= 2e-6*max(1, math.Abs(made))) {
			t.Errorf("%s is told as %v, and made again it is %v", at, told, made)
		}
		return 1
	default:
		if made != told {
			t.Errorf("%s is told as %v, and made again it is %v", at, told, made)
		}
	}
	return numbers
}
