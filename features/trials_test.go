package features

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// trial removes one safeguard from the executor or the advisor, and names a scenario that has
// to fail then (docs/TESTING.md). It is a patch with two paragraphs before it:
// what the safeguard is, and who notices that it is gone.
type trial struct {
	name, patch       string // the patch's path is absolute
	why               string
	feature, scenario string
	file              string // that it changes first
}

var noticed = regexp.MustCompile(`^Noticed by (\w+\.feature): (.+)$`)

// trials reads all of trials/, in the order of their names.
func trials(t *testing.T) []trial {
	t.Helper()
	files, err := filepath.Glob("trials/*.patch")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d trials: %v", len(files), err)
	}
	var all []trial
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		paragraphs := strings.SplitN(string(data), "\n\n", 3)
		m := noticed.FindStringSubmatch(paragraphs[min(1, len(paragraphs)-1)])
		if m == nil || len(paragraphs) != 3 {
			t.Fatalf("%s: write what the safeguard is, then \"Noticed by FEATURE: SCENARIO\", then the patch", file)
		}
		path, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		_, changed, _ := strings.Cut(paragraphs[2], "+++ b/")
		changed, _, _ = strings.Cut(changed, "\n")
		all = append(all, trial{name: strings.TrimSuffix(filepath.Base(file), ".patch"), patch: path, why: paragraphs[0], feature: m[1], scenario: m[2], file: changed})
	}
	return all
}

// apply applies the trial's patch to a copy of the module, or only tries.
func (tr trial) apply(dir string, flags ...string) error {
	cmd := exec.Command("git", append(append([]string{"apply"}, flags...), tr.patch)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// `make trials` carries the trials out, which takes minutes; that they can be
// is looked at here.
func TestTrialsFitTheCodeAndTheScenarios(t *testing.T) {
	doc, err := os.ReadFile("../docs/TESTING.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range trials(t) {
		if err := tr.apply("..", "--check"); err != nil {
			t.Errorf("%s does not fit the code any more, write it anew: %v", tr.name, err)
		}
		feature, err := Files.ReadFile(tr.feature)
		if err != nil {
			t.Error(err)
		}
		if !namesScenario(string(feature), tr.scenario) {
			t.Errorf("%s: %s has no scenario %q", tr.name, tr.feature, tr.scenario)
		}
		if !strings.Contains(string(doc), "| `"+tr.name+"` | "+tr.why+" ("+tr.file+") |") {
			t.Errorf("docs/TESTING.md does not tell of the trial %s: %s (%s)", tr.name, tr.why, tr.file)
		}
	}
}

// namesScenario looks for a scenario by name; <...> in the name of an outline
// stands for anything.
func namesScenario(feature, name string) bool {
	hole := regexp.MustCompile(`<[^>]+>`)
	for line := range strings.Lines(feature) {
		_, title, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || !strings.HasPrefix(strings.TrimSpace(line), "Scenario") {
			continue
		}
		parts := hole.Split(title, -1)
		for i, p := range parts {
			parts[i] = regexp.QuoteMeta(p)
		}
		if regexp.MustCompile("^" + strings.Join(parts, ".+") + "$").MatchString(name) {
			return true
		}
	}
	return false
}
