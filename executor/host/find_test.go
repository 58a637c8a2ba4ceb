package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func environ(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

func TestWhereTheConfigurationIsFound(t *testing.T) {
	if _, err := os.Stat(systemConfig); err == nil {
		t.Skip(systemConfig + " exists on this machine")
	}
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"given.yaml", "named.yaml", "slurm/aws-slurm-burst.yaml", "config.yaml"} {
		_ = os.MkdirAll(filepath.Dir(name), 0o700)
		if err := os.WriteFile(name, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, given string
		env         map[string]string
		path, err   string
	}{
		{name: "the flag wins", given: "given.yaml", env: map[string]string{"AWS_SLURM_BURST_CONFIG": "named.yaml"}, path: "given.yaml"},
		{name: "then the variable", env: map[string]string{"AWS_SLURM_BURST_CONFIG": "named.yaml", "SLURM_CONF": dir + "/slurm/slurm.conf"}, path: "named.yaml"},
		{name: "then beside slurm.conf", env: map[string]string{"SLURM_CONF": dir + "/slurm/slurm.conf"}, path: dir + "/slurm/aws-slurm-burst.yaml"},
		{name: "at last the current folder", path: "config.yaml"},
		{name: "never that under Slurm", env: map[string]string{"SLURM_CONF": dir + "/slurm.conf"},
			err: "no configuration found: looked for " + dir + "/aws-slurm-burst.yaml, " + systemConfig + " (name one with --config)"},
		{name: "a given one must be there", given: "missing.yaml", err: "configuration not readable: open missing.yaml: no such file or directory"},
		{name: "a folder is none", given: "slurm", err: "configuration not readable: slurm is not a regular file"},
	} {
		path, data, err := FindConfig(c.given, environ(c.env))
		if c.err != "" {
			if err == nil || err.Error() != c.err {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err != nil || path != c.path || !strings.HasSuffix(path, string(data)) {
			t.Errorf("%s: %s %q %v", c.name, path, data, err)
		}
	}
	if err := os.WriteFile("huge.yaml", make([]byte, configLimit+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := FindConfig("huge.yaml", environ(nil)); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Error(err)
	}
	if os.Chown("config.yaml", 12345, -1) == nil {
		if _, _, err := FindConfig("", environ(nil)); err == nil || !strings.Contains(err.Error(), "belongs to somebody else") {
			t.Error(err)
		}
	}
	_ = os.Remove("config.yaml")
	if _, _, err := FindConfig("", environ(nil)); err == nil || !strings.Contains(err.Error(), "looked for "+systemConfig+", config.yaml") {
		t.Error(err)
	}
}

func TestWhereTheJournalGoes(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "slurm.conf")
	text := "# StateSaveLocation=/no\nClusterName=c\nstatesavelocation=/var/spool/ctld # here\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, conf string
		env        map[string]string
		want       string
	}{
		{name: "beside Slurm's state", conf: conf, env: map[string]string{"HOME": "/root"}, want: "/var/spool/ctld/aws-slurm-burst"},
		{name: "slurm.conf is not there", conf: dir + "/no.conf", env: map[string]string{"HOME": "/home/u"}, want: "/home/u/.local/state/aws-slurm-burst"},
		{name: "the user's state", env: map[string]string{"HOME": "/home/u", "XDG_STATE_HOME": "/state"}, want: "/state/aws-slurm-burst"},
		{name: "a relative one is ignored, as its specification says", env: map[string]string{"HOME": "/home/u", "XDG_STATE_HOME": "state"}, want: "/home/u/.local/state/aws-slurm-burst"},
	} {
		if got, err := StateDir(c.conf, environ(c.env)); got != c.want || err != nil {
			t.Errorf("%s: %s %v", c.name, got, err)
		}
	}
}

func TestASharedFolderForTheJournalIsOursAlone(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	mine := filepath.Join(os.TempDir(), fmt.Sprintf("aws-slurm-burst-%d", os.Geteuid()))
	got, err := privateDir()
	if got != mine || err != nil {
		t.Fatal(got, err)
	}
	if again, err := privateDir(); again != mine || err != nil {
		t.Error(again, err)
	}
	if err := os.Chmod(mine, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := privateDir(); err == nil || !strings.Contains(err.Error(), "not ours alone") {
		t.Error(err)
	}
	_ = os.Remove(mine)
	if err := os.Symlink(t.TempDir(), mine); err != nil {
		t.Fatal(err)
	}
	if _, err := privateDir(); err == nil || !strings.Contains(err.Error(), "not ours alone") {
		t.Error("followed somebody's link:", err)
	}
}
