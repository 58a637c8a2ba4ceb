package protocol

import (
	"bytes"
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
)

const id = "5b1f0a9e3c7d42f6"

var good = Answer{Plan: []byte(`{"instance_specification":{"instance_types":["c7i.24xlarge"]}}`), AnalysisID: "a1", Confidence: 0.5}

// examples returns the blocks of docs/PROTOCOL.md by the word after their
// language.
func examples(t testing.TB) map[string]string {
	t.Helper()
	page, err := os.ReadFile("../../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for i, part := range strings.Split(string(page), "```") {
		head, text, _ := strings.Cut(part, "\n")
		if i%2 == 1 {
			if found[head] != "" {
				t.Errorf("two examples are called %q", head)
			}
			found[head] = text
		}
	}
	return found
}

func TestTheExamplesOfThePageAreReadAsTheyAreMeant(t *testing.T) {
	is := examples(t)
	r, err := DecodeRequest([]byte(is["json request"]))
	if diff := cmp.Diff(Request{JobScript: "#!/bin/bash\n#SBATCH --nodes=4 --time=2:00:00\nsrun ./solver\n", JobID: "1234", NodeCount: 4, Partition: "aws-hpc"}, r); err != nil || diff != "" {
		t.Errorf("request: %v\n%s", err, diff)
	}
	a, err := DecodeAnswer([]byte(is["json answer"]))
	if err != nil || a.AnalysisID != "01j9x7-4f2c" || a.Confidence != 0.82 {
		t.Errorf("answer: %+v, %v", a, err)
	}
	if p, fs := plan.Read(a.Plan, "p"); p == nil || finding.Count(fs, finding.Error) > 0 || len(p.InstanceTypes.Value) != 2 {
		t.Errorf("its plan: %v", fs)
	}
	var f *Failure
	if _, err := DecodeAnswer([]byte(is["json failure"])); !errors.As(err, &f) || f.Text != "no partition aws-hcp (did you mean aws-hpc?)" {
		t.Errorf("failure: %v", err)
	}
	line, err := ReadRequest([]byte(is["json line"]))
	if diff := cmp.Diff(PipeRequest{ID: id, Reply: "/run/user/1000/asba-4711/reply", JobID: "1234", NodeCount: 4, Partition: "aws-hpc"}, line); err != nil || diff != "" {
		t.Errorf("line: %v\n%s", err, diff)
	}
	if again, err := line.Line(); err != nil || string(again) != is["json line"] {
		t.Errorf("written again: %s, %v", again, err)
	}
	a, err = ReadAnswer([]byte(is["text answer"]), id)
	if err != nil {
		t.Fatalf("answer on a pipe: %v", err)
	}
	if again, err := a.Line(id); err != nil || string(again) != is["text answer"] {
		t.Errorf("written again: %s, %v", again, err)
	}
	if len(is) != 5 {
		t.Errorf("examples that no test reads: %v", is)
	}
}

func TestQuestionsThatAreRefused(t *testing.T) {
	for text, want := range map[string]error{
		`{}`:                                  ErrNothing,
		`{"partition":"aws"}`:                 ErrNothing,
		`{"job_id":null,"node_count":0}`:      ErrNothing,
		`{"job_id":"12"}`:                     nil,
		`{"job_id":12}`:                       nil,
		`{"job_id":"12_3"}`:                   nil,
		`{"job_id":"12+1"}`:                   nil,
		`{"job_id":"-n"}`:                     ErrForm,
		`{"job_id":1.5}`:                      ErrForm,
		`{"job_id":[12]}`:                     ErrForm,
		`{"job_id":"12; rm"}`:                 ErrForm,
		`{"node_count":-1}`:                   ErrForm,
		`{"node_count":65536}`:                nil,
		`{"node_count":65537}`:                ErrForm,
		`{"node_count":"4"}`:                  ErrForm,
		`{"node_count":4,"node_count":4}`:     ErrForm,
		`{"nodecount":4}`:                     ErrForm,
		`{"node_count":1,"partition":"a b"}`:  ErrForm,
		`{"node_count":1,"partition":"a\n"}`:  ErrForm,
		`{"node_count":1}x`:                   ErrForm,
		`{"node_count":1`:                     ErrCut,
		``:                                    ErrCut,
		`[]`:                                  ErrForm,
		`{"job_script":"` + "\xff" + `"}`:     ErrForm,
		strings.Repeat(" ", MaxRequest+1):     ErrTooLarge,
		`{"job_script":"` + many(MaxScript+1): ErrTooLarge,
	} {
		r, err := DecodeRequest([]byte(text))
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%.60s: %v, want %v", text, err, want)
		}
		if want != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%.60s: not one line: %q", text, err)
		}
		if err == nil {
			data, err := r.Encode()
			if again, _ := DecodeRequest(data); err != nil || again != r {
				t.Errorf("%s: %+v, %v", text, again, err)
			}
		}
	}
}

// Whoever asks need not know in which language the advisor is written.
func TestWhatIsWrongWithAQuestionIsSaidInTheProtocolsWords(t *testing.T) {
	for text, want := range map[string]string{
		`[]`:                                "it is not an object",
		`{"node_count":"4"}`:                "node_count is not a whole number",
		`{"node_count":1.5}`:                "node_count is not a whole number",
		`{"job_script":7}`:                  "job_script is not a text",
		`{"partition":{}}`:                  "partition is not a text",
		`{"job_id":[1]}`:                    "job_id is neither a string nor a number",
		`{"node_count":4,"nodecount":4}`:    `unknown key "nodecount"`,
		`{"node_count":4,"node_count":4}`:   `duplicate object member name "node_count"`,
		`{"node_count":4,"` + "\n" + `":4}`: `invalid character`,
	} {
		_, err := DecodeRequest([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "Go ") {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if _, err := ReadRequest([]byte(`{"asba":1,"id":7}` + "\n")); err == nil || !strings.HasSuffix(err.Error(), "id is not a text") {
		t.Error(err)
	}
}

// many is the rest of a member that is so long.
func many(n int) string { return strings.Repeat("x", n) + `"}` }

// A script in Latin-1 is a script all the same: what cannot be said is replaced.
func TestAScriptThatIsNoUTF8IsSent(t *testing.T) {
	data, err := Request{JobScript: "#!/bin/sh\n# \xfcber\n"}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if r, err := DecodeRequest(data); err != nil || r.JobScript != "#!/bin/sh\n# \uFFFDber\n" {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := (Request{JobScript: strings.Repeat("\x01", MaxScript)}).Encode(); err != nil {
		t.Errorf("the longest script: %v", err)
	}
}

func TestAnswersThatAreRefused(t *testing.T) {
	for text, want := range map[string]error{
		`{"execution_plan":{}}`:                                                  nil,
		`{"execution_plan":{},"later":1}`:                                        nil,
		`{"execution_plan":{"a":1,"a":2}}`:                                       nil, // the plan's own trouble
		"{\"execution_plan\":{\"a\":\"\xff\"}}":                                  nil,
		`{"execution_plan":{},"execution_plan":{}}`:                              ErrForm,
		`{"execution_plan":null}`:                                                ErrForm,
		`{"execution_plan":"x"}`:                                                 ErrForm,
		`{"execution_plan":[]}`:                                                  ErrForm,
		`{"analysis_id":"a"}`:                                                    ErrForm,
		`{"execution_plan":{},"confidence":1.1}`:                                 ErrForm,
		`{"execution_plan":{},"confidence":-0.1}`:                                ErrForm,
		`{"execution_plan":{},"confidence":"high"}`:                              ErrForm,
		`{"execution_plan":{},"analysis_id":7}`:                                  ErrForm,
		`{"execution_plan":{},"analysis_id":"` + strings.Repeat("i", 257) + `"}`: ErrForm,
		`{"execution_plan":{},"error":"x"}`:                                      ErrForm,
		`{"execution_plan":{}}{}`:                                                ErrForm,
		`{"execution_plan":{`:                                                    ErrCut,
		`{"execution_plan":{}`:                                                   ErrCut,
		`{"execution_plan"`:                                                      ErrCut,
		`{`:                                                                      ErrCut,
		``:                                                                       ErrCut,
		`<html>`:                                                                 ErrForm,
		`"x"`:                                                                    ErrForm,
		`{"instance_specification":{"instance_types":["c5.large"]}}`:              ErrForm, // a plan alone
		`{"execution_plan":{"a":"` + strings.Repeat("x", MaxAnswer) + `"}}`:       ErrTooLarge,
		`{"execution_plan":` + strings.Repeat(`{"a":`, 20_000) + `1` + close20k(): ErrForm,
		"{\"execution_plan\":{}\x00}":                                             ErrForm,
		`{"execution_plan":{} "analysis_id":"a"}`:                                 ErrForm,
		`{"error":"asba: ` + "\u2028\u202e" + `out of \n\u001b[31mluck` + `"}`:    &Failure{},
		`{"error":7}`: ErrForm,
	} {
		a, err := DecodeAnswer([]byte(text))
		var f *Failure
		switch {
		case errors.As(err, &f):
			if _, wanted := want.(*Failure); !wanted || f.Text != "asba: out of [31mluck" {
				t.Errorf("%.60s: failure %q", text, f.Text)
			}
			continue
		case want == nil && err != nil, want != nil && !errors.Is(err, want):
			t.Errorf("%.60s: %v, want %v", text, err, want)
		case err != nil && strings.ContainsAny(err.Error(), "\n\x1b"):
			t.Errorf("%.60s: not one plain line: %q", text, err)
		}
		if err == nil {
			data, err := a.Encode()
			again, _ := DecodeAnswer(data)
			if err != nil || !bytes.Equal(bytes.ToValidUTF8(again.Plan, nil), again.Plan) && !bytes.Contains(a.Plan, []byte("\xff")) {
				t.Errorf("%s: %+v, %v", text, again, err)
			}
		}
	}
}

func close20k() string { return strings.Repeat("}", 20_001) }

// What no client would take is not sent.
func TestAnAdvisorRefusesToSendWhatIsNoAnswer(t *testing.T) {
	for name, a := range map[string]Answer{
		"no plan":         {},
		"half a plan":     {Plan: []byte(`{"a":`)},
		"a text":          {Plan: []byte(`"x"`)},
		"two plans":       {Plan: []byte(`{}{}`)},
		"a comment":       {Plan: []byte("// x\n{}")},
		"no confidence":   {Plan: []byte(`{}`), Confidence: math.NaN()},
		"a line of an id": {Plan: []byte(`{}`), AnalysisID: "a\nb"},
	} {
		if data, err := a.Encode(); !errors.Is(err, ErrForm) {
			t.Errorf("%s: %s, %v", name, data, err)
		}
	}
	if _, err := (Answer{Plan: []byte(`{"a":"` + strings.Repeat("x", MaxAnswer) + `"}`)}).Line(id); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a plan that is too large: %v", err)
	}
	if got := string((&Failure{}).Encode()); got != `{"error":"no reason given"}` {
		t.Error(got)
	}
}

// The greatest plan, indented, fits into an answer in both ways.
func TestTheGreatestPlanFits(t *testing.T) {
	a := Answer{Plan: []byte(`{"x":"` + strings.Repeat("y", plan.MaxSize-8) + `"}`), AnalysisID: strings.Repeat("i", maxID), Confidence: 1.0 / 3}
	line, err := a.Line(strings.Repeat("a", 64))
	if err != nil || len(a.Plan) != plan.MaxSize {
		t.Fatalf("%d bytes: %v", len(a.Plan), err)
	}
	again, err := ReadAnswer(line, strings.Repeat("a", 64))
	if diff := cmp.Diff(a, again); err != nil || diff != "" {
		t.Errorf("%v\n%.200s", err, diff)
	}
	if _, err := ReadAnswer(make([]byte, MaxAnswerLine+1), id); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

func TestLinesThatAreRefused(t *testing.T) {
	line := func(more string) string { return `{"asba":1,"id":"` + id + `","reply":"/r/p"` + more + "}\n" }
	for text, want := range map[string]error{
		line(`,"job_id":"7"`):                                             nil,
		line(`,"job_id":7`):                                               nil,
		line(`,"script_path":"/a/b.sh"`):                                  nil,
		line(`,"node_count":3`):                                           nil,
		line(``):                                                          ErrNothing,
		line(`,"job_script":"#!"`):                                        ErrForm, // never the script
		line(`,"script_path":"a.sh"`):                                     ErrForm,
		line(`,"script_path":"/a/../b"`):                                  ErrForm,
		line(`,"node_count":3`)[:30]:                                      ErrCut,
		line(`,"node_count":3`) + line(`,"node_count":3`):                 ErrForm,
		strings.Replace(line(`,"job_id":"7"`), `:1,`, `:2,`, 1):           ErrForm,
		strings.Replace(line(`,"job_id":"7"`), id, "short", 1):            ErrForm,
		strings.Replace(line(`,"job_id":"7"`), id, id+"/../x", 1):         ErrForm,
		strings.Replace(line(`,"job_id":"7"`), `/r/p`, `r/p`, 1):          ErrForm,
		strings.Replace(line(`,"job_id":"7"`), `/r/p`, `/r/\u0000p`, 1):   ErrForm,
		`{"id":"` + id + `","asba":1,"reply":"/r","node_count":1}` + "\n": ErrForm,
		line(`,"partition":"` + strings.Repeat("p", 4096) + `"`):          ErrTooLarge,
		"\n": ErrForm,
		"":   ErrCut,
	} {
		r, err := ReadRequest([]byte(text))
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%.80q: %v, want %v", text, err, want)
		}
		if err == nil {
			again, err := r.Line()
			if back, _ := ReadRequest(again); err != nil || back != r || !IsRequest(again) {
				t.Errorf("%q: %+v, %v", text, back, err)
			}
		}
	}
	// Who can be told is told.
	r, err := ReadRequest([]byte(line(`,"job_id":"x"`)))
	if !errors.Is(err, ErrForm) || r.ID != id || r.Reply != "/r/p" {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := (PipeRequest{ID: id, Reply: "/" + strings.Repeat("r", MaxLine), NodeCount: 1}).Line(); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a line that is too long: %v", err)
	}
}

func TestAPlanIsNoQuestion(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "{": true, `{"as`: true, `{"asba":1,`: true, `{"asba_version":"1"}`: false, "// c\n{}": false, `{"should_burst":true}`: false, " {": false,
	} {
		if IsRequest([]byte(text)) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

// No beginning of an answer is an answer, and no answer with a byte changed.
func TestAnAnswerThatIsNotWholeIsNone(t *testing.T) {
	line, err := good.Line(id)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := ReadAnswer(line, id); err != nil || cmp.Diff(good, a) != "" {
		t.Fatalf("%+v, %v", a, err)
	}
	for n := range line {
		if _, err := ReadAnswer(line[:n], id); !errors.Is(err, ErrCut) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	for n := range line {
		changed := bytes.Clone(line)
		changed[n] ^= 1
		if a, err := ReadAnswer(changed, id); err == nil {
			t.Errorf("byte %d changed: %+v", n, a)
		}
	}
	for _, more := range []string{"x", "\n", string(line)} {
		if _, err := ReadAnswer(append(bytes.Clone(line), more...), id); err == nil {
			t.Errorf("with %.10q after it", more)
		}
	}
	if _, err := ReadAnswer(line, "another-question"); !errors.Is(err, ErrOther) {
		t.Errorf("another's answer: %v", err)
	}
	for _, text := range []string{"asba/1 \n", "asba/1 " + id + " 2 x\n", "asba/1 " + id + " -2 x {}\n", "asba/1 " + id + " 02 x {}\n", "asba/2 " + id + " 2 x {}\n", "{}\n"} {
		if _, err := ReadAnswer([]byte(text), id); !errors.Is(err, ErrForm) {
			t.Errorf("%q: %v", text, err)
		}
	}
	var f *Failure
	if _, err := ReadAnswer((&Failure{Text: "no such job"}).Line(id), id); !errors.As(err, &f) || f.Text != "no such job" {
		t.Errorf("%v", err)
	}
}
