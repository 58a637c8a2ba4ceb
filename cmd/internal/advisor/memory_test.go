package advisor

import (
	"fmt"
	"strings"
	"testing"
)

// Scripts are as long as strangers make them.
func TestNoMoreIsRememberedOfScriptsThanThereIsRoomFor(t *testing.T) {
	var m memory
	for name, c := range map[string]struct {
		script string
		kept   int
	}{
		"usual":          {waveScript, 1},
		"heterogeneous":  {"#!/bin/sh\n" + strings.Repeat("#SBATCH hetjob\n", manyComponents-1), 1},
		"of many":        {"#!/bin/sh\n" + strings.Repeat("#SBATCH hetjob\n", manyComponents), 0},
		"of a long body": {waveScript + strings.Repeat("#", longScript), 0},
	} {
		m.scripts = nil
		first, _ := m.read(c.script)
		again, _ := m.read(c.script)
		if len(m.scripts) != c.kept || (first == again) != (c.kept == 1) {
			t.Errorf("%s: %d kept, the same %v", name, len(m.scripts), first == again)
		}
	}
	for i := range 3 * maxScripts {
		m.read(fmt.Sprintf("#!/bin/sh\n#SBATCH -n %d\n", 1+i))
		if len(m.scripts) > maxScripts {
			t.Fatalf("%d scripts", len(m.scripts))
		}
	}
}
