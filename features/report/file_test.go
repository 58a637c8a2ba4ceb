package report

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReportsAreWrittenAsideAndAllOfThem(t *testing.T) {
	dir := t.TempDir()
	f := Files{JUnit: filepath.Join(dir, "junit.xml"), Cucumber: filepath.Join(dir, "cucumber.json"), HTML: filepath.Join(dir, "features.html")}
	if err := f.Check(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("the check left %v", left)
	}
	for range 2 { // the second over the first
		if err := f.Write(sample()); err != nil {
			t.Fatal(err)
		}
	}
	for file, says := range map[string]string{f.JUnit: `failures="2"`, f.Cucumber: `"status": "failed"`, f.HTML: "2 instances left"} {
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), says) {
			t.Errorf("%s: %v, does not say %s", file, err, says)
		}
		if info, err := os.Stat(file); err == nil && info.Mode().Perm() != 0o644 {
			t.Errorf("%s: mode %v: a CI job's other users could not read it", file, info.Mode())
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 3 {
		t.Errorf("%d files in the folder, want 3", len(left))
	}
}

func TestAReportThatCannotBeWrittenIsToldBeforeAndAfter(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing", "junit.xml")
	for _, f := range []Files{{JUnit: missing}, {HTML: dir}, {Cucumber: "/dev/null"}, {JUnit: filepath.Join(dir, "r"), HTML: dir + "/./r"}} {
		err := f.Check()
		if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), " report: ") {
			t.Errorf("%+v: check says %v", f, err)
		}
	}
	plan := filepath.Join(dir, "plan.json")
	if err := os.WriteFile(plan, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("plan.json", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{plan, dir + "/../" + filepath.Base(dir) + "/plan.json", filepath.Join(dir, "link")} {
		if err := (Files{HTML: name}).Check("-", "missing.json", plan); err == nil || !strings.Contains(err.Error(), "HTML report: it would take the place of "+plan) {
			t.Errorf("a report over the plan: check says %v", err)
		}
	}
	if err := (Files{HTML: filepath.Join(dir, "new.html")}).Check(plan); err != nil {
		t.Error(err)
	}
	// One that fails does not keep the others from being written.
	f := Files{JUnit: missing, Cucumber: filepath.Join(dir, "cucumber.json")}
	if err := f.Write(sample()); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("write says %v", err)
	}
	if _, err := os.Stat(f.Cucumber); err != nil {
		t.Error(err)
	}
}

func TestALinkToAReportStaysALink(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "there.xml"), filepath.Join(dir, "link.xml")
	if err := errors.Join(os.WriteFile(file, []byte("old"), 0o600), os.Symlink(file, link)); err != nil {
		t.Fatal(err)
	}
	f := Files{JUnit: link}
	if err := errors.Join(f.Check(), f.Write(Summary{})); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(link); err != nil || to != file {
		t.Errorf("the link leads to %q: %v", to, err)
	}
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "<testsuites") {
		t.Errorf("the report is not where it leads to: %q %v", text, err)
	}
	if err := (Files{JUnit: link, HTML: file}).Check(); err == nil {
		t.Error("two reports take one file, by its name and by a link")
	}
}

func TestAReportDoesNotTakeThePlaceOfStdout(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out.txt")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	defer func(was *os.File) { os.Stdout = was }(os.Stdout)
	os.Stdout = out
	if err := (Files{HTML: file}).Check(); err == nil || !strings.Contains(err.Error(), "it would take the place of what is written to") {
		t.Errorf("got %v", err)
	}
}
