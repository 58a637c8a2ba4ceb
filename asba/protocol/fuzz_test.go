package protocol

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// FuzzDecodeRequest: what is read can be written, and reads as the same.
func FuzzDecodeRequest(f *testing.F) {
	for _, s := range []string{examples(f)["json request"], `{"job_id":12}`, `{"node_count":1e2}`, `{"job_script":"\ud800"}`, "{", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := DecodeRequest(data)
		if err != nil {
			plainError(t, err)
			return
		}
		data, err = r.Encode()
		if again, err2 := DecodeRequest(data); err != nil || err2 != nil || again != r {
			t.Errorf("%+v became %+v: %v, %v", r, again, err, err2)
		}
	})
}

// FuzzDecodeAnswer: what is read can be written, and reads as the same.
func FuzzDecodeAnswer(f *testing.F) {
	for _, s := range []string{examples(f)["json answer"], examples(f)["json failure"], `{"execution_plan":{"a":[1,{"a":1,"a":2}]},"x":{}}`, `{"execution_plan":{}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := DecodeAnswer(data)
		var failure *Failure
		switch {
		case errors.As(err, &failure):
			if again, err := DecodeAnswer(failure.Encode()); !errors.As(err, &failure) {
				t.Errorf("%+v, %v", again, err)
			}
			plainError(t, err)
		case err != nil:
			plainError(t, err)
		default:
			sameAnswer(t, a)
		}
	})
}

// FuzzReadRequest: a line that is read can be written, and reads as the same; no
// beginning of it is one.
func FuzzReadRequest(f *testing.F) {
	for _, s := range []string{examples(f)["json line"], `{"asba":1,"id":"` + id + `","reply":"/r","script_path":"/s"}` + "\n", "{\"asba\":1}\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := ReadRequest(line)
		if err != nil {
			plainError(t, err)
			return
		}
		again, err := r.Line()
		if errors.Is(err, ErrTooLarge) && len(line) > MaxLine/2 {
			return // escapes take more than what they stand for
		}
		if back, err2 := ReadRequest(again); err != nil || err2 != nil || back != r {
			t.Errorf("%+v became %+v: %v, %v", r, back, err, err2)
		}
		if _, err := ReadRequest(line[:len(line)-1]); !errors.Is(err, ErrCut) {
			t.Errorf("without its end: %v", err)
		}
	})
}

// FuzzReadAnswer: an answer is read only under its id, and only whole.
func FuzzReadAnswer(f *testing.F) {
	line, err := good.Line(id)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{examples(f)["text answer"], string(line), string((&Failure{Text: "no"}).Line(id)), "asba/1 " + id + " 2 x {}\n", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		a, err := ReadAnswer(line, id)
		if err != nil {
			plainError(t, err)
			return
		}
		if _, err := ReadAnswer(line, "another-question"); !errors.Is(err, ErrOther) {
			t.Errorf("under another id: %v", err)
		}
		if _, err := ReadAnswer(line[:len(line)-1], id); !errors.Is(err, ErrCut) {
			t.Errorf("without its end: %v", err)
		}
		sameAnswer(t, a)
	})
}

func sameAnswer(t *testing.T, a Answer) {
	t.Helper()
	data, err := a.Encode()
	if err != nil {
		if errors.Is(err, ErrTooLarge) { // what is no UTF-8 grows as it is replaced
			return
		}
		t.Fatalf("%+v: %v", a, err)
	}
	again, err := DecodeAnswer(data)
	if err != nil || again.AnalysisID != a.AnalysisID || again.Confidence != a.Confidence {
		t.Errorf("%+v became %+v: %v", a, again, err)
	}
	twice, err := again.Encode()
	if err != nil || !bytes.Equal(data, twice) {
		t.Errorf("%s became %s: %v", data, twice, err)
	}
}

func plainError(t *testing.T, err error) {
	t.Helper()
	if s := err.Error(); strings.ContainsAny(s, "\n\r\x1b\x00") {
		t.Errorf("an error that a terminal would obey: %q", s)
	}
}
