package steps

import (
	"regexp"
	"testing"
)

func TestNoSentenceIsMeantForTwoKeywords(t *testing.T) {
	seen := map[string]string{}
	for keyword, sentences := range Sentences() {
		if len(sentences) == 0 {
			t.Errorf("%s has no sentence", keyword)
		}
		for _, s := range sentences {
			if _, err := regexp.Compile(s); err != nil {
				t.Errorf("%s %s: %v", keyword, s, err)
			}
			if other, twice := seen[s]; twice {
				t.Errorf("%s is a sentence of %s and of %s", s, other, keyword)
			}
			seen[s] = keyword
		}
	}
}
