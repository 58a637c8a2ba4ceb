package features

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aws-slurm-burst/features/runner"
	"aws-slurm-burst/features/steps"
)

var update = flag.Bool("update", false, "write SENTENCES.md anew")

const sentencesHead = `# Sentences

What a scenario may say, each sentence as a shipped scenario says it; words in
quotes and numbers are yours to choose. A colon at the end is followed by a
"""text""" or by a | table |. Sentences are matched whole, and Gherkin takes any of
them after any keyword: And and But go on with the one before.

` + "`aws-slurm-burst features --steps`" + ` prints the regular expressions themselves. This
page is written by ` + "`go test ./features -run Sentences -update`" + `.
`

// A sentence that no scenario says is one that nobody has tried; one that is not
// on the page is one that nobody can know of.
func TestSentencesAreAllTriedAndOnThePage(t *testing.T) {
	all, err := runner.List(runner.Options{FS: Files, Paths: []string{"."}, KnownBackends: Backends})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, f := range all {
		for _, s := range f.Scenarios {
			for _, step := range s.Steps {
				said = append(said, step.Text)
			}
		}
	}
	// The shortest is the plainest.
	slices.SortFunc(said, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })

	var page strings.Builder
	page.WriteString(sentencesHead)
	sentences := steps.Sentences()
	for _, keyword := range []string{"Given", "When", "Then"} {
		fmt.Fprintf(&page, "\n## %s\n\n", keyword)
		for _, sentence := range sentences[keyword] {
			expr := regexp.MustCompile("^(?:" + sentence + ")$")
			i := slices.IndexFunc(said, expr.MatchString)
			if i < 0 {
				t.Errorf("no scenario says: %s %s", keyword, sentence)
				continue
			}
			fmt.Fprintf(&page, "    %s %s\n", keyword, said[i])
		}
	}
	if *update {
		if err := os.WriteFile("SENTENCES.md", []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile("SENTENCES.md"); err != nil || string(have) != page.String() {
		t.Errorf("SENTENCES.md is not what the sentences are (%v): write it anew with -update", err)
	}
}
