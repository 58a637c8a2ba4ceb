package site

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// open gives a Site on an embedded EC2 of its own, with the nodes
// aws-cpu-[001-004] running.
func open(t *testing.T) *Site {
	t.Helper()
	bin := os.Getenv("ASBA_BIN")
	if bin == "" {
		bin = "../../bin"
	}
	if err := CheckPrograms(bin); err != nil {
		t.Fatal(err)
	}
	// The test's own context ends before its clean-up.
	e, err := StartEmbedded(context.WithoutCancel(t.Context()), bin, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Stop)
	s, err := Open(t.Context(), Options{Bin: bin, Endpoint: e.URL})
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := w.Program(t.Context(), "aws-slurm-burst-resume", "aws-cpu-[001-004]"); err != nil {
		t.Fatal(err)
	}
	if err := w.CheckInvariants(t.Context()); err != nil {
		t.Fatalf("before anything was broken: %v", err)
	}
	return w
}

// What the invariants are for, done by hand: each has to be noticed.
func TestInvariantsNoticeWhatIsBroken(t *testing.T) {
	for name, c := range map[string]struct {
		breakIt func(*testing.T, *Site) error
		want    string
	}{
		"a second instance of a node": {func(t *testing.T, w *Site) error {
			_, err := w.EC2.launchOne(t.Context(), map[string]string{clusterTag: w.Cluster, nodesTag: "aws-cpu-002"})
			return err
		}, "two instances serve aws-cpu-002"},
		"an instance that no node claims": {func(t *testing.T, w *Site) error {
			_, err := w.EC2.launchOne(t.Context(), map[string]string{clusterTag: w.Cluster, nodesTag: "aws-cpu-009"})
			return err
		}, "aws-cpu-009="},
		"an instance without a node": {func(t *testing.T, w *Site) error {
			_, err := w.EC2.launchOne(t.Context(), map[string]string{clusterTag: w.Cluster})
			return err
		}, "no node in the hostlist"},
		"a claimed instance that is gone": {func(t *testing.T, w *Site) error {
			return w.EC2.terminate(t.Context(), []string{w.claimed["aws-cpu-001"]})
		}, "as the programs told"},
		"half a gang": {func(t *testing.T, w *Site) error {
			w.gangs = append(w.gangs, gang{nodes: []string{"aws-cpu-004", "aws-cpu-005"}})
			return nil
		}, "of the gang aws-cpu-004,aws-cpu-005 only aws-cpu-004 live"},
		"a bystander ended": {func(t *testing.T, w *Site) error {
			return w.EC2.terminate(t.Context(), w.bystanders[:1])
		}, " with tags "},
		"somebody else's instance named in a call": {func(t *testing.T, w *Site) error {
			through := EC2{url: w.url}
			return through.terminate(t.Context(), w.bystanders[1:])
		}, "TerminateInstances names i-"},
		"a placement group without instances": {func(t *testing.T, w *Site) error {
			return w.EC2.call(t.Context(), map[string][]string{"Action": {"CreatePlacementGroup"}, "GroupName": {"g"}, "Strategy": {"cluster"},
				"TagSpecification.1.ResourceType": {"placement-group"}, "TagSpecification.1.Tag.1.Key": {clusterTag}, "TagSpecification.1.Tag.1.Value": {w.Cluster}}, nil)
		}, "placement group g has no live instance"},
		"a token used twice": {func(t *testing.T, w *Site) error {
			calls := Launches(w.AllCalls()) // their parameters are the log's own
			again := calls[0].Params
			through := EC2{url: w.url}
			form := map[string][]string{}
			for k, v := range again {
				form[k] = v
			}
			form["InstanceType"] = []string{"c5.xlarge"}
			_ = through.call(t.Context(), form, nil) // EC2 refuses it; that it was asked is what counts
			return nil
		}, "was used with different parameters"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t)
			if err := c.breakIt(t, w); err != nil {
				t.Fatal(err)
			}
			if err := w.CheckInvariants(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("noticed %v, not %q", err, c.want)
			}
		})
	}
}

func TestALineThatNoStepSpeaksOfFails(t *testing.T) {
	w := &Site{Runs: []*Run{{Stderr: []*Line{{Text: "WARN: one"}, {Text: "INFO: two"}, {Text: "ERROR: three"}}}}}
	w.said = w.Runs[0].Stderr
	if err := w.Says([]string{"ERROR: three", "WARN: one"}); err == nil {
		t.Error("lines in another order were taken")
	}
	w.said[2].Heard = false
	if err := w.Says([]string{"WARN: on"}); err == nil {
		t.Error("half a line was taken for it")
	}
	if err := w.Says([]string{"WARN: one"}); err != nil {
		t.Error(err)
	}
	if err := w.Unheard(); err == nil || err.Error() != "no step speaks of this line:\nERROR: three" {
		t.Errorf("Unheard: %v", err)
	}
	if err := w.Says([]string{"ERROR: three"}); err != nil || w.Unheard() != nil {
		t.Errorf("%v, %v", err, w.Unheard())
	}
}

func TestHostlistsAreExpanded(t *testing.T) {
	for list, want := range map[string][]string{
		"login":                  {"login"},
		"a-[008-011]":            {"a-008", "a-009", "a-010", "a-011"},
		"a[1,3-4]x,b":            {"a1x", "a3x", "a4x", "b"},
		"a-[01-02],b-[1-2]":      {"a-01", "a-02", "b-1", "b-2"},
		"a[1-2":                  nil,
		"a[x]":                   nil,
		"":                       nil,
		"aws-hpc-[001-002,007]":  {"aws-hpc-001", "aws-hpc-002", "aws-hpc-007"},
		"aws-hpc-001,aws-cpu-01": {"aws-hpc-001", "aws-cpu-01"},
	} {
		got, err := Expand(list)
		if d := cmp.Diff(want, got); d != "" || (err == nil) != (want != nil) {
			t.Errorf("%q: %v (-want +got)\n%s", list, err, d)
		}
	}
}

func TestTablesOfNodesAreRead(t *testing.T) {
	got, err := ReadTable([]byte(` node     state    instance   type  market  az  address  error
 aws-001  adopted  i-1        t3    spot    a   1.2.3.4
 aws-002  failed                                          InvalidPlan: no
 rung  type  market
 1     t3    spot
`))
	want := []Node{{Name: "aws-001", State: "adopted", Instance: "i-1"}, {Name: "aws-002", State: "failed"}}
	if d := cmp.Diff(want, got.Nodes); d != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
	if got, err := ReadTable(nil); err != nil || got.Nodes != nil {
		t.Errorf("nothing: %v, %v", got, err)
	}
	for _, text := range []string{"node\nx", "something else\naltogether and on\n"} {
		if _, err := ReadTable([]byte(text)); err == nil {
			t.Errorf("%q was taken for a table", text)
		}
	}
}

func TestProgramsThatAreMissingSayMakeBuild(t *testing.T) {
	if err := CheckPrograms(t.TempDir()); err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("error %v", err)
	}
}

// A user's configuration must not reach beyond the site: not their cluster, not
// their Slurm, not their credentials, not their journal.
func TestAUsersConfigurationStaysOnTheSite(t *testing.T) {
	w := &Site{Dir: t.TempDir(), Cluster: "here"}
	err := w.Configure([]byte(`# ours
cluster: prod
aws: {region: eu-west-1, profile: admin, config_file: /root/.aws/config, assume_role: {role_arn: "arn:aws:iam::1:role/x"}}
slurm:
  scontrol: /usr/bin/scontrol
  config_path: /etc/slurm/slurm.conf
  resume_timeout: 600
  partitions:
    - partition_name: aws
      node_groups:
        - {node_group_name: g, nodes: "n-[1-4]", user_data_file: boot.sh, max_cost_per_hour: 3}
journal: {dir: /var/spool/slurm/j}
logging: {file: /var/log/slurm/x.log}
policy: {max_nodes: 7}
`), "/site")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(w.Dir + "/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`cluster: "here"`, `scontrol: "off"`, "eu-west-1", `credentials_file: "aws-credentials"`, "/site/boot.sh", "max_nodes: 7", "max_cost_per_hour: 3", "resume_timeout: 600"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("it lacks %s:\n%s", want, got)
		}
	}
	for _, not := range []string{"prod", "profile", "role_arn", "/root", "/usr/bin", "/etc", "/var"} {
		if strings.Contains(string(got), not) {
			t.Errorf("it has %s:\n%s", not, got)
		}
	}
	for _, bad := range []string{"", "- a\n- b\n", "a: [", "text"} {
		if err := w.Configure([]byte(bad), "/"); err == nil {
			t.Errorf("%q was taken for a configuration", bad)
		}
	}
}
