package faults

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
		"error: VcpuLimitExceeded":                    {Code: "VcpuLimitExceeded", Status: 400, Message: defaultText},
		"error: InsufficientInstanceCapacity":         {Code: ice, Status: 500, Message: iceText},
		"error: X, message: why":                      {Code: "X", Status: 400, Message: "why"},
		"throttle: true":                              {Code: "RequestLimitExceeded", Status: 503, Message: defaultText},
		"status: 500":                                 {Code: "InternalError", Status: 500, Message: defaultText},
		"status: 502":                                 {Status: 502, Message: defaultText},
		"status: 501":                                 {Code: "NotImplemented", Status: 501, Message: defaultText},
		"lost-answer: true":                           {Lost: true},
		"error: UnauthorizedOperation, delay: 1500ms": {Code: "UnauthorizedOperation", Status: 403, Message: defaultText, Delay: 1500 * time.Millisecond},
		"capacity: 0":                                 {Code: ice, Status: 500, Message: iceText},
		"capacity: 0, message: none left":             {Code: ice, Status: 500, Message: "none left"},
	} {
		got, ok := parse(t, "faults:\n- {"+rule+"}").Next(launch(Fact{Size: 1}))
		want.Rule = "f.yaml:2"
		if d := cmp.Diff(want, got); d != "" || !ok {
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
		if e.Grant != c.grant || e.Code != c.code {
			t.Errorf("%d: %+v", n, e)
		}
	}
}

func TestMistakesSayWhereAndWhat(t *testing.T) {
	for text, want := range map[string]string{
		"faults:\n- {thottle: true, delay: 1s}": `f.yaml:2:4: error[FAULT003]: unknown key "thottle" (did you mean throttle?)`,
		"fault: []":                             `f.yaml:1:1: error[FAULT003]: unknown key "fault" (did you mean faults?)`,
		"- a":                                   `f.yaml:1:1: error[FAULT002]: the file is no mapping (begin with 'faults:' and a list of rules)`,
		"faults: {a: b}":                        `f.yaml:1:9: error[FAULT002]: faults is no list (write each rule as '- key: value')`,
		"faults: [x]":                           `f.yaml:1:10: error[FAULT002]: a rule is a mapping (write it as 'key: value' pairs)`,
		"faults: [{type: a}]":                   `f.yaml:1:10: error[FAULT005]: the rule has no effect (add error, throttle, status, lost-answer, capacity or delay)`,
		"faults: [{type: [a], delay: 1s}]":      `f.yaml:1:17: error[FAULT002]: type takes one plain value`,
		"faults: [{delay: 1s, delay: 2s}]":      `f.yaml:1:22: error[FAULT002]: delay is given twice`,
		"faults: [{error: A, status: 500}]":     `f.yaml:1:10: error[FAULT006]: a rule has one effect, this one has error and status (write one rule for each)`,
		"faults: [{error: not a code}]":         `f.yaml:1:18: error[FAULT004]: "not a code" is no error code (one of EC2's codes, such as InsufficientInstanceCapacity)`,
		"faults: [{status: 200}]":               `f.yaml:1:19: error[FAULT004]: status is a number from 400 to 599, not "200"`,
		"faults: [{delay: fast}]":               `f.yaml:1:18: error[FAULT004]: "fast" is no delay (a duration of at most 24h, such as 500ms or 2s)`,
		"faults: [{times: 0, delay: 1s}]":       `f.yaml:1:18: error[FAULT004]: times is a number from 1 to 1048576, not "0"`,
		"faults: [{throttle: sometimes}]":       `f.yaml:1:21: error[FAULT004]: throttle is true or false, not "sometimes"`,
		"faults: [{market: free, delay: 1s}]":   `f.yaml:1:19: error[FAULT004]: market is spot or on-demand, not "free"`,
		"faults: [{message: m, delay: 1s}]":     `f.yaml:1:10: error[FAULT005]: the message is never said (a message belongs to an error)`,
		"faults: [{action: 'D*', capacity: 1}]": `f.yaml:1:10: error[FAULT004]: capacity is of launches, not of D* (leave action away)`,
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

func TestSyntaxErrorsHaveAPlace(t *testing.T) {
	_, err := Parse([]byte("faults:\n- {a: b\n"), "f.yaml")
	if err == nil || !strings.HasPrefix(err.Error(), "f.yaml:") || !strings.Contains(err.Error(), "FAULT001") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
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
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Parse(data, "f")
		if (r == nil) == (err == nil) {
			t.Fatalf("%v and %v", r, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "f") {
			t.Fatalf("no place: %v", err)
		}
		r.Next(Fact{Action: "RunInstances", Size: 1, Max: 2, Token: "t"})
	})
}
