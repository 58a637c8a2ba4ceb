package host

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/executor/env"
)

func TestLinesForPeopleAreOneEach(t *testing.T) {
	for text, want := range map[string]string{
		"3 of 4 nodes launched":        "WARN: 3 of 4 nodes launched\n",
		"one\ntwo\r\nERROR: forged":    "WARN: one two  ERROR: forged\n",
		"\x1b[2Jgone":                  "WARN: \uFFFD[2Jgone\n",
		"right\u202eleft":              "WARN: right\uFFFDleft\n",
		"line\u2028paragraph\u2029end": "WARN: line\uFFFDparagraph\uFFFDend\n",
		"bad \xff bytes":               "WARN: bad \uFFFD bytes\n",
		"größer, 日本":                   "WARN: größer, 日本\n",
	} {
		e, people := newTestEnv(t)
		env.Warnf(e, "w", "%s", text)
		if people.String() != want {
			t.Errorf("%q: %q, want %q", text, people, want)
		}
	}
}

func TestWhoWouldSpeakIsToldWhoListens(t *testing.T) {
	var people bytes.Buffer
	for _, c := range []struct {
		people           *bytes.Buffer
		level            string // of the file, "" for none
		debug, note, own bool   // own: lines for people
	}{
		{&people, "", false, false, true},
		{&people, "info", false, true, true},
		{&people, "debug", true, true, true},
		{&people, "error", false, false, true},
	} {
		l := NewLog(c.people)
		if c.level != "" {
			if err := l.OpenFile(filepath.Join(t.TempDir(), "burst.log"), "json", c.level); err != nil {
				t.Fatal(err)
			}
		}
		e := NewEnv(t.TempDir(), l)
		if e.Hears(env.Debug) != c.debug || e.Hears(env.Note) != c.note || e.Hears(env.Info) != c.own {
			t.Errorf("file %q: debug %v, note %v, info %v", c.level, e.Hears(env.Debug), e.Hears(env.Note), e.Hears(env.Info))
		}
		l.Close()
	}
}

func TestTheLogFileGetsEveryEvent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "burst.log")
	var people bytes.Buffer
	l := NewLog(&people)
	if err := l.OpenFile(path, "json", "debug"); err != nil {
		t.Fatal(err)
	}
	e := NewEnv(t.TempDir(), l)
	for i := range 50 {
		env.Infof(e, "count", "%d", i)
	}
	env.Debugf(e, "quiet", "for the file alone")
	e.Log(env.Event{Level: env.Error, Name: "launch", Text: "a\nb", Attrs: []env.Attr{
		env.A("type", "c6i.large"), env.A("n", 3), env.A("at", env.Time(1e18)), env.A("nodes", []string{"a", "b"}), env.A("took", 1500*time.Millisecond)}})
	l.Close()
	env.Suggestf(e, "late", "after Close")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if len(lines) != 52 {
		t.Fatalf("%d lines", len(lines))
	}
	for i := range 50 {
		if !strings.Contains(lines[i], fmt.Sprintf(`"msg":"%d"`, i)) {
			t.Errorf("line %d: %s", i, lines[i])
		}
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(lines[51]), &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "time")
	want := map[string]any{"level": "ERROR", "msg": "a\nb", "event": "launch", "pid": float64(os.Getpid()), "type": "c6i.large",
		"n": 3.0, "at": "2001-09-09T01:46:40.000Z", "nodes": []any{"a", "b"}, "took": 1.5}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if strings.Contains(people.String(), "for the file alone") || !strings.HasSuffix(people.String(), "ERROR: a b\nSUGGESTION: after Close\n") {
		t.Error(people.String())
	}
	if st, _ := os.Stat(path); st.Mode().Perm()&0o137 != 0 {
		t.Errorf("mode %v", st.Mode())
	}
}

func TestTheLogFileKeepsItsLevel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "burst.log")
	l := NewLog(nil)
	if err := l.OpenFile(path, "text", "warn"); err != nil {
		t.Fatal(err)
	}
	l.Write(1, env.Event{Level: env.Info, Text: "no"})
	l.Write(1, env.Event{Level: env.Warn, Text: "yes"})
	l.Close()
	data, _ := os.ReadFile(path)
	if s := string(data); strings.Contains(s, "no") || !strings.Contains(s, "msg=yes") {
		t.Error(s)
	}
	if err := NewLog(nil).OpenFile(path+"/below", "json", ""); err == nil {
		t.Error("opened a file below a file")
	}
}

func TestAReaderThatStoppedReadingHoldsUpOneLineOnly(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	l := NewLog(w)
	l.wait = 300 * time.Millisecond
	long := strings.Repeat("x", 10_000)
	start := time.Now()
	for range 50 { // 500 kB; a pipe holds 64
		l.Write(1, env.Event{Level: env.Info, Text: long})
	}
	if took := time.Since(start); took < l.wait || took > 10*l.wait { // fifty lines would take fifty times as long
		t.Errorf("took %v", took)
	}
	if _, err := r.Read(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	l.Write(1, env.Event{Level: env.Info, Text: "listening again"})
	got := make([]byte, 1<<20)
	n, err := r.Read(got)
	if err != nil || !strings.Contains(string(got[:n]), "listening again") {
		t.Error(err, n)
	}
}
