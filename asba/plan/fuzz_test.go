package plan

import (
	"strings"
	"testing"

	"aws-slurm-burst/asba/finding"
)

// FuzzRead: nothing panics or hangs, and every finding has its line.
func FuzzRead(f *testing.F) {
	f.Add(load(f, "dialect-a.json"))
	f.Add(load(f, "dialect-b.json"))
	for _, s := range []string{
		"", "{}", "[]", "null", "{\"a\":1,}", "// c\n{\"should_burst\": false}", "{\"a\":{\"a\":{\"a\":[[[1e999]]]}}}",
		`{"instance_specification":{"instance_types":["hpc7a.2xlarge"],"max_spot_price":-0}}`,
		`{"execution_metadata":{"tags":{"aws:x":"1","a/b~":"2"}}}`, "\xef\xbb\xbf{}", "\xff\xfe{\x00}\x00", "{\"\\ud800\":1}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, fs := Read(data, "p")
		for _, x := range fs {
			if x.Line < 1 || x.Column < 1 {
				t.Errorf("no place: %v", x)
			}
			if strings.ContainsAny(x.String(), "\x1b\n\r\x00") {
				t.Errorf("a finding that a terminal would obey: %q", x)
			}
		}
		if p == nil {
			if finding.Count(fs, finding.Error) == 0 {
				t.Error("no plan and no error")
			}
			return
		}
		if finding.Count(fs, finding.Error) == 0 {
			if _, again := Read(Write(p), "p"); finding.Count(again, finding.Error) > 0 {
				t.Errorf("what was written cannot be read: %v", again)
			}
		}
		if p.MaxSpotPrice.Value < 0 || p.MaxDuration.Value < 0 || p.ProcessCount.Value < 0 {
			t.Errorf("negative: %+v", p)
		}
	})
}

// FuzzFromEnv: any text in any variable is read or refused under its name.
func FuzzFromEnv(f *testing.F) {
	f.Add("true", "c6i.large,c6a.large", "spot", "0.5", "false", "cluster", "8", "yes")
	f.Add("", ",", " ", "NaN", "2", "\x1b[31m", "-1", "")
	f.Fuzz(func(t *testing.T, a, b, c, d, e, g, h, i string) {
		values := []string{a, b, c, d, e, g, h, i}
		p, fs, present := FromEnv(func(name string) string {
			for k, v := range Variables {
				if v == name {
					return values[k]
				}
			}
			t.Fatalf("%s is no variable of ours", name)
			return ""
		})
		if present != (p != nil) {
			t.Error("a plan without variables")
		}
		for _, x := range fs {
			if !strings.HasPrefix(x.File, "ASBA_") || strings.ContainsAny(x.String(), "\x1b\n\r\x00") {
				t.Errorf("%q", x)
			}
		}
	})
}
