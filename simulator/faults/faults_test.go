package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aws-slurm-burst/executor/env"
)

func parse(t *testing.T, text string) *Rules {
	t.Helper()
	r, err := Parse([]byte(text), "f.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func launch(f Fact) Fact {
	f.Action = "RunInstances"
	return f
}

func TestConditions(t *testing.T) {
	spot := launch(Fact{Type: "c6i.xlarge", AZ: "us-east-1a", Market: "spot", Size: 4})
	for rule, hits := range map[string]bool{
		"throttle: true":                         true,
		"action: DescribeInstances, throttle: 1": false,
		"action: 'Run*', throttle: true":         true,
		"type: c6i.*, throttle: true":            true,
		"type: c6i, throttle: true":              false,
		"type: c?i.x*e, throttle: true":          true,
		"az: us-east-1a, throttle: true":         true,
		"az: us-east-1b, throttle: true":         false,
		"market: spot, throttle: true":           true,
		"market: on-demand, throttle: true":      false,
		"size: 4, throttle: true":                true,
		"size: 5, throttle: true":                false,
		"size: 2-4, throttle: true":              true,
		"size: 2-3, throttle: true":              false,
		"size: 5-8, throttle: true":              false,
		"throttle: false, delay: 1s":             true,
	} {
		_, ok := parse(t, "faults: [{"+rule+"}]").Next(spot)
		if ok != hits {
			t.Errorf("%s: %v", rule, ok)
		}
	}
}

func TestEffects(t *testing.T) {
	for rule, want := range map[string]Effect{
		"error: VcpuLimitExceeded":                    {Code: "VcpuLimitExceeded", Status: 400, Message: textOf("")},
		"error: InsufficientInstanceCapacity":         {Code: ice, Status: 500, Message: textOf(ice)},
		"error: X, message: why":                      {Code: "X", Status: 400, Message: "why"},
		"throttle: true":                              {Code: "RequestLimitExceeded", Status: 503, Message: textOf("")},
		"status: 500":                                 {Code: "InternalError", Status: 500, Message: textOf("")},
		"status: 502":                                 {Status: 502, Message: textOf("")},
		"status: 501":                                 {Code: "NotImplemented", Status: 501, Message: textOf("")},
		"lost-answer: true":                           {Lost: true},
		"error: UnauthorizedOperation, delay: 1500ms": {Code: "UnauthorizedOperation", Status: 403, Message: textOf(""), Delay: 1500 * time.Millisecond},
		"capacity: 0":                                 {Code: ice, Status: 500, Message: textOf(ice), Limited: true},
		"capacity: 0, message: none left":             {Code: ice, Status: 500, Message: "none left", Limited: true},
		"quota: 0":                                    {Code: "VcpuLimitExceeded", Status: 400, Message: textOf(""), Limited: true},
		"quota: 0, error: InstanceLimitExceeded":      {Code: "InstanceLimitExceeded", Status: 400, Message: textOf(""), Limited: true},
	} {
		got, ok := parse(t, "faults:\n- {"+rule+"}").Next(launch(Fact{Size: 1}))
		want.Rule = "f.yaml:2"
		if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Effect{})); d != "" || !ok {
			t.Errorf("%s: %s", rule, d)
		}
	}
}

func TestAfterAndTimesMakeAWindow(t *testing.T) {
	r := parse(t, "faults: [{after: 1, times: 2, throttle: true}]")
	var hits []bool
	for range 5 {
		_, ok := r.Next(launch(Fact{}))
		hits = append(hits, ok)
		r.Next(Fact{Action: "DescribeInstances"}) // does not count
	}
	if d := cmp.Diff([]bool{false, true, true, false, false}, hits); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]int{5}, r.Matched()); d != "" {
		t.Error(d)
	}
}

func TestDelaysAddUpAndTheFirstOtherEffectEnds(t *testing.T) {
	r := parse(t, "faults:\n- {delay: 1s}\n- {delay: 2s}\n- {throttle: true, times: 1}\n- {delay: 4s}\n- {status: 500}")
	first, _ := r.Next(launch(Fact{}))
	second, _ := r.Next(launch(Fact{}))
	if first.Code != "RequestLimitExceeded" || first.Delay != 3*time.Second || first.Rule != "f.yaml:4" {
		t.Errorf("%+v", first)
	}
	if second.Code != "InternalError" || second.Delay != 7*time.Second {
		t.Errorf("%+v", second)
	}
	if d := cmp.Diff([]int{2, 2, 2, 1, 1}, r.Matched()); d != "" {
		t.Error(d)
	}
}

// at is a launch so long after the first call.
func at(d time.Duration) Fact {
	return launch(Fact{Time: env.Time(time.Hour + d), Size: 1})
}

func TestAWindowCountsFromTheFirstCall(t *testing.T) {
	r := parse(t, "faults: [{from: 10s, until: 1m, throttle: true}]")
	other := at(0)
	other.Action = "DescribeInstances" // it counts as the first call all the same
	r.Next(other)
	for _, c := range []struct {
		after time.Duration
		hit   bool
	}{{0, false}, {10*time.Second - 1, false}, {10 * time.Second, true}, {time.Minute - 1, true}, {time.Minute, false}} {
		if _, hit := r.Next(at(c.after)); hit != c.hit {
			t.Errorf("after %v: %v", c.after, hit)
		}
	}
	if d := cmp.Diff([]int{2}, r.Matched()); d != "" {
		t.Errorf("calls outside the window count: %s", d)
	}
}

// draws has so many calls meet the rules and tells which were throttled.
func draws(t *testing.T, text string, n int) (hits string) {
	t.Helper()
	r := parse(t, text)
	for range n {
		if e, _ := r.Next(launch(Fact{Size: 1, Type: "a"})); e.Code == "RequestLimitExceeded" {
			hits += "x"
		} else {
			hits += "."
		}
	}
	return hits
}

func TestProbabilityIsOfTheSeedAndTheRuleAlone(t *testing.T) {
	const rule = "{probability: 0.3, throttle: true}"
	plain := draws(t, "faults: ["+rule+"]", 1000)
	if n := strings.Count(plain, "x"); n < 250 || n > 350 {
		t.Errorf("%d of 1000 faulted with a chance of 0.3", n)
	}
	for what, text := range map[string]string{
		"the same again":          "faults: [" + rule + "]",
		"the default seed":        "seed: 1\nfaults: [" + rule + "]",
		"the keys in other order": "faults: [{throttle: true, probability: 0.3}]",
		"rules around it":         "faults: [{delay: 1s}, {probability: 0.5, delay: 1s}, " + rule + ", {type: b, probability: 0.1, throttle: true}]",
	} {
		if got := draws(t, text, 1000); got != plain {
			t.Errorf("%s: other calls are hit:\n%.60s\n%.60s", what, plain, got)
		}
	}
	for what, text := range map[string]string{
		"another seed": "seed: 2\nfaults: [" + rule + "]",
		"another rule": "faults: [{type: a, probability: 0.3, throttle: true}]",
	} {
		if got := draws(t, text, 1000); got == plain {
			t.Errorf("%s: the same calls are hit", what)
		}
	}
	// A second rule of the same words draws for itself.
	if twins := draws(t, "faults: ["+rule+", "+rule+"]", 1000); strings.Count(twins, "x") < 450 {
		t.Errorf("two rules hit %d of 1000 calls, one hits %d", strings.Count(twins, "x"), strings.Count(plain, "x"))
	}
}

func TestTimesCountsFaultsNotDraws(t *testing.T) {
	hits := draws(t, "faults: [{after: 10, probability: 0.3, times: 3, throttle: true}]", 200)
	if strings.Count(hits, "x") != 3 || strings.Contains(hits[:10], "x") {
		t.Errorf("%s", hits)
	}
	if hits := draws(t, "faults: [{probability: 1, times: 2, throttle: true}]", 4); hits != "xx.." {
		t.Errorf("with certainty: %s", hits)
	}
}

func TestAQuotaIsOfWhatLives(t *testing.T) {
	r := parse(t, "faults: [{market: spot, quota: 6}]")
	spot := func(size, most int, token string) Effect {
		e, _ := r.Next(launch(Fact{Market: "spot", Size: size, Max: most, Token: token}))
		return e
	}
	first := spot(4, 4, "a")
	r.Settle(first, []string{"i-1", "i-2", "i-3", "i-4"}, nil)
	if e := spot(3, 3, "b"); e.Code != "MaxSpotInstanceCountExceeded" || !e.Refused() {
		t.Errorf("over the quota: %+v", e)
	}
	if e := spot(4, 4, "a"); e.Refused() || e.Grant != 0 {
		t.Errorf("the first launch again: %+v", e)
	}
	some := spot(1, 3, "c")
	if some.Grant != 2 || some.Refused() {
		t.Errorf("a launch that takes fewer: %+v", some)
	}
	r.Settle(some, nil, nil) // EC2 refused it
	r.Settle(Effect{}, nil, []string{"i-1", "i-2", "i-2", "i-9"})
	if e := spot(4, 4, "d"); e.Refused() {
		t.Errorf("after two ended: %+v", e)
	}
	if e := spot(1, 1, "e"); !e.Refused() {
		t.Errorf("the launch before has no outcome yet, and is not counted: %+v", e)
	}
}

func TestACapacityIsUsedByWhatWasLaunched(t *testing.T) {
	r := parse(t, "faults: [{capacity: 4}]")
	take := func() Effect {
		e, _ := r.Next(launch(Fact{Size: 4}))
		return e
	}
	r.Settle(take(), nil, nil) // refused by EC2: nothing is used
	got := take()
	if got.Refused() {
		t.Errorf("%+v", got)
	}
	r.Settle(got, []string{"i-1", "i-2", "i-3", "i-4"}, nil)
	r.Settle(Effect{}, nil, []string{"i-1", "i-2", "i-3", "i-4"})
	if e := take(); !e.Refused() {
		t.Errorf("a capacity came back: %+v", e)
	}
}

func TestAGrantBoundsEachLaunch(t *testing.T) {
	r := parse(t, "faults: [{grant: 3, times: 1}]")
	ask := func(size, most int, token string) Effect {
		e, _ := r.Next(launch(Fact{Size: size, Max: most, Token: token}))
		return e
	}
	if e := ask(1, 4, "a"); e.Grant != 3 || e.Refused() || e.Code != ice {
		t.Errorf("%+v", e)
	}
	if e := ask(1, 4, "a"); e.Grant != 3 {
		t.Errorf("a retry is another launch: %+v", e)
	}
	if e := ask(1, 4, "b"); e.Grant != 0 {
		t.Errorf("after its times: %+v", e)
	}
	if e, _ := parse(t, "faults: [{grant: 3}]").Next(launch(Fact{Size: 4})); e.Code != ice || e.Status != 500 {
		t.Errorf("a gang of more: %+v", e)
	}
}

func TestAFleetTakesWhatThereIs(t *testing.T) {
	r := parse(t, "faults: [{action: CreateFleet, capacity: 2}]")
	e, _ := r.Next(Fact{Action: "CreateFleet", Max: 5})
	if e.Grant != 2 || e.Refused() || !e.Limited || e.Code != ice {
		t.Errorf("%+v", e)
	}
	if e, _ = r.Next(Fact{Action: "CreateFleet", Max: 5}); !e.Refused() || !e.Limited {
		t.Errorf("with none left: %+v", e)
	}
}

func TestStaleGoesWithOtherEffects(t *testing.T) {
	r := parse(t, "faults:\n- {stale: 2s}\n- {stale: 5s, times: 1}\n- {action: 'Describe*', delay: 1s}")
	if r.Stalest() != 5*time.Second || (*Rules)(nil).Stalest() != 0 {
		t.Errorf("stalest %v", r.Stalest())
	}
	look := Fact{Action: "DescribeInstances"}
	if e, ok := r.Next(look); !ok || e.Stale != 5*time.Second || e.Delay != time.Second || e.Rule != "f.yaml:2" {
		t.Errorf("%+v", e)
	}
	if e, _ := r.Next(look); e.Stale != 2*time.Second {
		t.Errorf("%+v", e)
	}
	if e, ok := r.Next(launch(Fact{Size: 1})); ok {
		t.Errorf("a launch: %+v", e)
	}
}

func TestCapacityIsHandedOutOnce(t *testing.T) {
	r := parse(t, "faults: [{type: a, capacity: 6}]")
	for n, c := range []struct {
		f     Fact
		grant int
		code  string
	}{
		{Fact{Type: "b", Size: 100}, 0, ""},
		{Fact{Type: "a", Size: 4, Max: 4, Token: "x"}, 0, ""},
		{Fact{Type: "a", Size: 4, Max: 4, Token: "x"}, 0, ""}, // a retry
		{Fact{Type: "a", Size: 3, Max: 3, Token: "y"}, 0, ice},
		{Fact{Type: "a", Size: 1, Max: 5, Token: "z"}, 2, ""},
		{Fact{Type: "a", Size: 1, Max: 5, Token: "z"}, 2, ""},
		{Fact{Type: "a", Size: 1, Token: "w"}, 0, ice},
	} {
		e, _ := r.Next(launch(c.f))
		if e.Grant != c.grant || e.Refused() != (c.code != "") || e.Refused() && e.Code != c.code {
			t.Errorf("%d: %+v", n, e)
		}
	}
}

func TestMistakesSayWhereAndWhat(t *testing.T) {
	for text, want := range map[string]string{
		"faults:\n- {thottle: true, delay: 1s}":            `f.yaml:2:4: error[FAULT003]: unknown key "thottle" (did you mean throttle?)`,
		"fault: []":                                        `f.yaml:1:1: error[FAULT003]: unknown key "fault" (did you mean faults?)`,
		"- a":                                              `f.yaml:1:1: error[FAULT002]: the file is no mapping (begin with 'faults:' and a list of rules)`,
		"faults: {a: b}":                                   `f.yaml:1:9: error[FAULT002]: faults is no list (write each rule as '- key: value')`,
		"faults: [x]":                                      `f.yaml:1:10: error[FAULT002]: a rule is a mapping (write it as 'key: value' pairs)`,
		"faults: [{type: a}]":                              `f.yaml:1:10: error[FAULT005]: the rule has no effect (add error, throttle, status, lost-answer, capacity, quota, grant, stale or delay)`,
		"faults: [{type: [a], delay: 1s}]":                 `f.yaml:1:17: error[FAULT002]: type takes one plain value`,
		"faults: [{delay: 1s, delay: 2s}]":                 `f.yaml:1:22: error[FAULT002]: delay is given twice`,
		"faults: [{error: A, status: 500}]":                `f.yaml:1:10: error[FAULT006]: a rule has one effect, this one has error and status (write one rule for each)`,
		"faults: [{error: not a code}]":                    `f.yaml:1:18: error[FAULT004]: "not a code" is no error code (one of EC2's codes, such as InsufficientInstanceCapacity)`,
		"faults: [{status: 200}]":                          `f.yaml:1:19: error[FAULT004]: status is a number from 400 to 599, not "200"`,
		"faults: [{delay: fast}]":                          `f.yaml:1:18: error[FAULT004]: "fast" is no delay (a duration of at most 24h, such as 500ms or 2s)`,
		"faults: [{times: 0, delay: 1s}]":                  `f.yaml:1:18: error[FAULT004]: times is a number from 1 to 1048576, not "0"`,
		"faults: [{throttle: sometimes}]":                  `f.yaml:1:21: error[FAULT004]: throttle is true or false, not "sometimes"`,
		"faults: [{market: free, delay: 1s}]":              `f.yaml:1:19: error[FAULT004]: market is spot or on-demand, not "free"`,
		"faults: [{message: m, delay: 1s}]":                `f.yaml:1:10: error[FAULT005]: the message is never said (a message belongs to an error)`,
		"seed: x\nfaults: []":                              `f.yaml:1:7: error[FAULT004]: seed is a whole number, not "x"`,
		"sede: 3":                                          `f.yaml:1:1: error[FAULT003]: unknown key "sede" (did you mean seed?)`,
		"faults: []\nfaults: []":                           `f.yaml:2:1: error[FAULT002]: faults is given twice`,
		"faults: [{probability: 0, delay: 1s}]":            `f.yaml:1:24: error[FAULT004]: probability is a number above 0 and up to 1, not "0" (0.3 is three calls in ten)`,
		"faults: [{probability: 30, delay: 1s}]":           `f.yaml:1:24: error[FAULT004]: probability is a number above 0 and up to 1, not "30" (0.3 is three calls in ten)`,
		"faults: [{probability: nan, delay: 1s}]":          `f.yaml:1:24: error[FAULT004]: probability is a number above 0 and up to 1, not "nan" (0.3 is three calls in ten)`,
		"faults: [{propability: 0.5, delay: 1s}]":          `f.yaml:1:11: error[FAULT003]: unknown key "propability" (did you mean probability?)`,
		"faults: [{from: 1m, until: 10s, delay: 1s}]":      `f.yaml:1:10: error[FAULT004]: the rule never holds: from 1m0s until 10s (until is later than from)`,
		"faults: [{from: 1s, until: 1s, delay: 1s}]":       `f.yaml:1:10: error[FAULT004]: the rule never holds: from 1s until 1s (until is later than from)`,
		"faults: [{from: -1s, delay: 1s}]":                 `f.yaml:1:17: error[FAULT004]: "-1s" is no time (a duration of at most 24h, such as 500ms or 2s)`,
		"faults: [{until: 30, delay: 1s}]":                 `f.yaml:1:18: error[FAULT004]: "30" is no time (a duration of at most 24h, such as 500ms or 2s)`,
		"faults: [{size: 8-2, delay: 1s}]":                 `f.yaml:1:17: error[FAULT004]: "8-2" is no size from 1 to 1048576 (8 is eight and more, 2-8 two to eight)`,
		"faults: [{size: 0, delay: 1s}]":                   `f.yaml:1:17: error[FAULT004]: "0" is no size from 1 to 1048576 (8 is eight and more, 2-8 two to eight)`,
		"faults: [{quota: many}]":                          `f.yaml:1:18: error[FAULT004]: quota is a number from 0 to 1048576, not "many"`,
		"faults: [{qouta: 4}]":                             `f.yaml:1:11: error[FAULT003]: unknown key "qouta" (did you mean quota?)`,
		"faults: [{quota: 4, capacity: 4}]":                `f.yaml:1:10: error[FAULT006]: a rule has one effect, this one has capacity and quota (write one rule for each)`,
		"faults: [{action: TerminateInstances, quota: 1}]": `f.yaml:1:10: error[FAULT004]: quota is of launches, not of TerminateInstances (leave action away)`,
		"faults: [{grant: 0}]":                             `f.yaml:1:18: error[FAULT004]: grant is a number from 1 to 1048576, not "0"`,
		"faults: [{stale: 2h}]":                            `f.yaml:1:18: error[FAULT004]: "2h" is no age (a duration of at most 1h, such as 500ms or 2s)`,
		"faults: [{stale: 2s, throttle: true}]":            `f.yaml:1:10: error[FAULT006]: a rule has one effect, this one has throttle and stale (write one rule for each)`,
		"faults: [{action: RunInstances, stale: 2s}]":      `f.yaml:1:10: error[FAULT004]: stale is of DescribeInstances, not of RunInstances (leave action away)`,
		"faults: [{az: us-east-1a, stale: 2s}]":            `f.yaml:1:10: error[FAULT004]: the rule never holds: only launches have az, and DescribeInstances is none (leave az away)`,
		"faults: [{action: 'D*', capacity: 1}]":            `f.yaml:1:10: error[FAULT004]: capacity is of launches, not of D* (leave action away)`,
	} {
		r, err := Parse([]byte(text), "f.yaml")
		if err == nil || r != nil {
			t.Errorf("%s: taken", text)
			continue
		}
		if got, _, _ := strings.Cut(err.Error(), "\n"); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", text, got, want)
		}
	}
}

func TestAllMistakesAreToldAtOnceInTheirOrder(t *testing.T) {
	_, err := Parse([]byte("seed: -1\nfaults:\n- {grant: x, probability: 2}\n- {stale: soon}\n- {until: 1s}\n"), "f.yaml")
	if err == nil {
		t.Fatal("taken")
	}
	var places []string
	for line := range strings.Lines(err.Error()) {
		place, _, _ := strings.Cut(line, ": ")
		places = append(places, place)
	}
	if d := cmp.Diff([]string{"f.yaml:1:7", "f.yaml:3:11", "f.yaml:3:27", "f.yaml:4:11", "f.yaml:5:3"}, places); d != "" {
		t.Errorf("%s\n%v", d, err)
	}
}

func TestSyntaxErrorsHaveAPlace(t *testing.T) {
	_, err := Parse([]byte("faults:\n- {error: *x}\n"), "f.yaml")
	if err == nil || err.Error() != "f.yaml:2:11: error[FAULT001]: no YAML: unknown anchor 'x' referenced" {
		t.Errorf("%v", err)
	}
}

func TestAMistakeIsOneLineWhateverTheKey(t *testing.T) {
	for _, text := range []string{`faults: [{"a\nb": []}]`, `faults: [{"a\nb": 1, "a\nb": 1}]`, `{"a\nb": 1, "a\nb": 2}`} {
		_, err := Parse([]byte(text), "f.yaml")
		if err == nil {
			t.Errorf("%s is taken", text)
			continue
		}
		for line := range strings.Lines(err.Error()) {
			if !strings.Contains(line, `error[FAULT003]: unknown key "a\nb"`) {
				t.Errorf("%s: %q", text, err)
			}
		}
	}
}

func TestEmptyFilesAndNilRulesDoNothing(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "faults:\n", "faults: []\n", "---\n"} {
		if _, ok := parse(t, text).Next(launch(Fact{})); ok {
			t.Errorf("%q has an effect", text)
		}
	}
	if _, ok := (*Rules)(nil).Next(Fact{}); ok {
		t.Error("nil rules have an effect")
	}
}

func TestTheExampleFile(t *testing.T) {
	data, err := os.ReadFile("testdata/scarce-spot.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Parse(data, "testdata/scarce-spot.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for range 3 {
		e, _ := r.Next(launch(Fact{Type: "c6i.xlarge", AZ: "us-east-1a", Market: "spot", Size: 8, Max: 8}))
		codes = append(codes, e.Code)
	}
	e, _ := r.Next(launch(Fact{Type: "c6i.xlarge", AZ: "us-east-1a", Market: "on-demand", Size: 8, Max: 8}))
	if d := cmp.Diff([]string{"RequestLimitExceeded", ice, ice, ""}, append(codes, e.Code)); d != "" {
		t.Error(d)
	}
}

// Every example that people are given is a file of rules, and does something.
func TestExamplesAreRulesThatAct(t *testing.T) {
	doc, err := os.ReadFile("../../docs/FAULTS.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := map[string]string{}
	for n, block := range strings.Split(string(doc), "\n```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		examples[fmt.Sprint("docs/FAULTS.md, example ", n+1)] = block
	}
	files, err := filepath.Glob("../../examples/faults/*.yaml")
	if err != nil || len(files) < 5 || len(examples) < 4 {
		t.Fatalf("%d files, %d examples in the document: %v", len(files), len(examples), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(data), "# ") {
			t.Errorf("%s does not say what it is for", file)
		}
		examples[file] = string(data)
	}
	for name, text := range examples {
		r := parse(t, text)
		acted := map[string]bool{}
		for second := range 50 {
			for _, f := range []Fact{
				{Action: "RunInstances", Type: "c6i.xlarge", AZ: "us-east-1a", Market: "spot", Size: 8, Max: 8},
				{Action: "RunInstances", Type: "hpc6a.48xlarge", AZ: "us-east-2b", Market: "on-demand", Size: 8, Max: 8},
				{Action: "RunInstances", Type: "c6i.xlarge", AZ: "us-east-1b", Market: "on-demand", Size: 8, Max: 8},
				{Action: "CreateFleet", Type: "c6i.xlarge", Market: "spot", Max: 8},
				{Action: "DescribeInstances"}, {Action: "TerminateInstances"},
			} {
				f.Time = env.Time(time.Duration(second) * time.Second)
				e, _ := r.Next(f)
				acted[e.Rule] = true
			}
		}
		// A rule that others take all calls away from is no example of anything.
		for _, k := range r.rules {
			if !acted[k.where] && k.delay == 0 {
				t.Errorf("%s: the rule at %s never acts", name, k.where)
			}
		}
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		ok         bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"?", "", false}, {"a*c", "abbc", true}, {"a*c", "abbd", false},
		{"*a*b", "xaxab", true}, {"**", "x", true}, {`\*`, "*", true}, {`\*`, "x", false}, {`a\`, "a", false},
	} {
		if Match(c.pattern, c.s) != c.ok {
			t.Errorf("Match(%q, %q) = %v", c.pattern, c.s, !c.ok)
		}
	}
}

func FuzzParse(f *testing.F) {
	data, err := os.ReadFile("testdata/scarce-spot.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("faults:\n- {type: c6i.*, after: 1, times: 2, error: X, message: y}\n"))
	f.Add([]byte("faults: [&a {throttle: true}, *a]"))
	f.Add([]byte(`{"faults": [{"status": 502}]}`))
	f.Add([]byte("seed: 3\nfaults:\n- {quota: 2, error: X}\n- {grant: 1, from: 1s, until: 2s}\n- {stale: 3s, probability: 0.5}\n- {size: 1-2, delay: 1s}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Parse(data, "f")
		if (r == nil) == (err == nil) {
			t.Fatalf("%v and %v", r, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "f") {
			t.Fatalf("no place: %v", err)
		}
		for _, a := range []string{"RunInstances", "DescribeInstances", "CreateFleet"} {
			e, _ := r.Next(Fact{Action: a, Size: 1, Max: 2, Token: "t"})
			if e.Grant > 2 || e.Delay < 0 || e.Stale > r.Stalest() {
				t.Fatalf("%+v", e)
			}
			r.Settle(e, []string{"i-1"}, []string{"i-1"})
		}
	})
}
