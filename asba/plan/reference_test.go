package plan_test

import (
	"strings"
	"testing"

	"aws-slurm-burst/asba/plan"
)

const someDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // of no bytes

func TestWhatACommentSaysOfAPlan(t *testing.T) {
	for comment, want := range map[string]string{
		"asba:" + someDigest: someDigest,
		"asba:" + someDigest + "; Invalid execution plan: x": someDigest,
		"asba:" + someDigest + " ;asba:" + someDigest[:10]:   someDigest,
		"asba:none":                           "",
		"asba:none; no capacity":              "",
		"":                                    "",
		"budget=5":                            "",
		"ASBA:" + someDigest:                  "",
		"no capacity; asba:" + someDigest:     "", // somebody's words, not the plugin's
		"asba:none; asba:" + someDigest:       "",
		"asba:" + strings.ToUpper(someDigest): "error",
		"asba:" + someDigest[:63]:             "error",
		"asba:" + someDigest + "0":            "error",
		"asba:" + someDigest + " and more":    "error",
		"asba:../../" + someDigest[:58]:       "error",
		"asba:":                               "error",
		"asba: " + someDigest:                 "error",
		"asba:" + strings.Repeat("é", 1000):   "error",
		"asba:" + someDigest + "\nJobId=7":    "error",
		"asba:none AdminComment=asba:" + someDigest + "  x; y": "error",
	} {
		r, ok, err := plan.ReadReference(comment)
		switch {
		case want == "error":
			if err == nil || ok || strings.ContainsAny(err.Error(), "\n") || len(err.Error()) > 300 {
				t.Errorf("%q: %q, %v, %v", comment, r, ok, err)
			}
		case err != nil || ok != (want != "") || string(r) != want:
			t.Errorf("%q: %q, %v, %v", comment, r, ok, err)
		}
	}
}

func TestAReferenceIsThatOfItsBytesAlone(t *testing.T) {
	if r := plan.Refer(nil); r != someDigest || r.String() != "asba:"+someDigest || r.File() != someDigest+".json" {
		t.Errorf("%s, %s", r, r.File())
	}
	text := []byte(`{"should_burst": true}`)
	r := plan.Refer(text)
	if !r.Names(text) {
		t.Error("not its own bytes")
	}
	for i := range text {
		if r.Names(text[:i]) {
			t.Errorf("cut after %d bytes, and the same", i)
		}
	}
	p, _ := plan.Read(text, "p")
	if !strings.HasPrefix(string(r), p.Digest) {
		t.Errorf("%s is another digest than %s, which reports show", r, p.Digest)
	}
}

// Whatever a comment says, what is read of it is a file's name in a folder of
// plans, and what is written is read again.
func FuzzReadReference(f *testing.F) {
	f.Add("asba:" + someDigest + "; x")
	f.Add("asba:none")
	f.Add("asba:../x")
	f.Fuzz(func(t *testing.T, comment string) {
		r, ok, err := plan.ReadReference(comment)
		if !ok {
			if r != "" {
				t.Errorf("%q: no reference, and %q", comment, r)
			}
			if err != nil && !strings.HasPrefix(comment, "asba:") && !strings.HasPrefix(strings.Trim(comment, " "), "asba:") {
				t.Errorf("%q: %v", comment, err)
			}
			return
		}
		if err != nil || len(r) != 64 || strings.Trim(string(r), "0123456789abcdef") != "" {
			t.Fatalf("%q: %q, %v", comment, r, err)
		}
		if !strings.HasPrefix(strings.TrimLeft(comment, " "), r.String()) {
			t.Errorf("%q: %s does not begin it", comment, r)
		}
		for _, again := range []string{r.String(), r.String() + "; " + comment} {
			if s, ok, err := plan.ReadReference(again); s != r || !ok || err != nil {
				t.Errorf("%q: %q, %v, %v", again, s, ok, err)
			}
		}
	})
}
