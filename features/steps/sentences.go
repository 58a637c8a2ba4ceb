package steps

import (
	"fmt"
	"strings"

	"github.com/cucumber/godog"
)

// registrar takes sentences: godog's scenario, or whoever wants to list them.
type registrar interface{ Step(expr, step any) }

var _ registrar = (*godog.ScenarioContext)(nil)

// Sentences are the regular expressions of all sentences that scenarios may
// use, without their anchors, by the keyword that they are meant for: Given, When
// and Then. Gherkin itself takes any sentence after any keyword.
func Sentences() map[string][]string {
	out := map[string][]string{}
	for keyword, register := range map[string]func(registrar){"Given": registerGiven, "When": registerWhen, "Then": registerThen} {
		var l list
		register(&l)
		out[keyword] = l
	}
	return out
}

type list []string

func (l *list) Step(expr, _ any) {
	*l = append(*l, strings.TrimSuffix(strings.TrimPrefix(fmt.Sprint(expr), "^"), "$"))
}
