package site

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/localstack/faultproxy"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v4"
)

// binDir is where the programs are.
func binDir(t *testing.T) string {
	t.Helper()
	bin := os.Getenv("ASBA_BIN")
	if bin == "" {
		bin = "../../bin"
	}
	if err := CheckPrograms(bin); err != nil {
		t.Fatal(err)
	}
	return bin
}

// open gives a Site on an embedded EC2 of its own, with the nodes
// aws-cpu-[001-004] running.
func open(t *testing.T) *Site {
	t.Helper()
	bin := binDir(t)
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
		"a launch that is content with a part of a gang": {func(t *testing.T, w *Site) error {
			w.Runs[0].gangs = [][]string{{"aws-cpu-001", "aws-cpu-002", "aws-cpu-003", "aws-cpu-004"}}
			for _, c := range Launches(w.AllCalls()) { // their parameters are the log's own
				c.Params.Set("MinCount", "1")
			}
			return nil
		}, "would be content with 1 of 4"},
		"spot above its cap": {func(t *testing.T, w *Site) error {
			w.Runs[0].limits = []limit{{nodes: []string{"aws-cpu-001"}, spot: 0.1}}
			return nil
		}, `has MaxPrice "", its cap is 0.1`},
		"a launch above its budget": {func(t *testing.T, w *Site) error {
			w.Runs[0].limits = []limit{{nodes: []string{"aws-cpu-001", "aws-cpu-002", "aws-cpu-003"}, hourly: 0.5}}
			return nil
		}, "a launch of 3 c6i.xlarge would cost 0.510 USD/h, more than 0.500"},
		"nodes above their budget that were launched one by one": {func(t *testing.T, w *Site) error {
			w.Runs[0].limits = []limit{{nodes: []string{"aws-cpu-001", "aws-cpu-002"}, hourly: 0.3}}
			w.Runs[0].Calls = nil
			return nil
		}, "aws-cpu-001,aws-cpu-002 cost 0.340 USD/h, more than 0.300"},
		"a limit on a type of unknown price": {func(t *testing.T, w *Site) error {
			w.Runs[0].limits = []limit{{nodes: []string{"aws-cpu-001"}, hourly: 9}}
			Launches(w.AllCalls())[0].Params.Set("InstanceType", "x9.huge")
			return nil
		}, "no price of x9.huge"},
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

// An alias repeats what is replaced, or is replaced itself: neither reaches the
// user's Slurm, nor takes its place elsewhere.
func TestAUsersConfigurationMayHaveAliases(t *testing.T) {
	const group = `{partition_name: aws, node_groups: [{node_group_name: a, nodes: a-1, user_data_file: boot.sh}]}`
	for name, text := range map[string]string{
		"of values":               "cluster: &r eu-west-1\naws: {region: *r, profile: admin}\nslurm: {scontrol: /usr/bin/scontrol, partitions: [" + group + "]}\n",
		"of sections":             "asbb: &s {scontrol: /usr/bin/scontrol, partitions: [" + group + "]}\nslurm: *s\nasba: &a {region: eu-west-1, profile: admin}\naws: *a\n",
		"of what is replaced":     "slurm: &s {scontrol: /usr/bin/scontrol, partitions: [" + group + "]}\naws: &a {region: eu-west-1, profile: admin}\nasbb: *s\nasba: *a\n",
		"of parts, in themselves": "asbb: &g " + group + "\nslurm: {scontrol: /usr/bin/scontrol, partitions: &p [*g]}\nasba: *p\naws: {region: eu-west-1, profile: admin}\n",
	} {
		t.Run(name, func(t *testing.T) {
			w := &Site{Dir: t.TempDir(), Cluster: "here"}
			if err := w.Configure([]byte(text), "/site"); err != nil {
				t.Fatal(err)
			}
			var got struct {
				AWS   map[string]string
				Slurm struct {
					Scontrol   string
					Partitions []struct {
						Groups []struct {
							File string `yaml:"user_data_file"`
						} `yaml:"node_groups"`
					}
				}
			}
			data, err := os.ReadFile(w.Dir + "/config.yaml")
			if err == nil {
				err = yaml.Unmarshal(data, &got)
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Slurm.Scontrol != "off" || got.AWS["region"] != "eu-west-1" || got.AWS["profile"] != "" ||
				len(got.Slurm.Partitions) != 1 || got.Slurm.Partitions[0].Groups[0].File != "/site/boot.sh" {
				t.Errorf("%+v of\n%s", got, data)
			}
		})
	}
	bomb := "a: &a [x, x]\n"
	for c := 'a'; c < 'v'; c++ {
		bomb += fmt.Sprintf("%c: &%[1]c [*%[2]c, *%[2]c]\n", c+1, c)
	}
	for _, bad := range []string{"a: &a {b: *a}", bomb} {
		if err := (&Site{Dir: t.TempDir()}).Configure([]byte(bad), "/"); err == nil || !strings.Contains(err.Error(), "alias") {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

// What a run may spend and what of it is a gang is read in the files themselves.
func TestLimitsAndGangsAreReadInPlansAndConfiguration(t *testing.T) {
	w := &Site{Dir: t.TempDir()}
	for name, text := range map[string]string{
		"config.yaml": `
plans: {dir: plans}
policy: {max_cost_per_hour: 9}
slurm:
  partitions:
    - node_groups:
        - {node_group_name: a, nodes: "a-[1-4]", max_spot_price: 0.2, max_cost_per_hour: 3}
        - {node_group_name: b, nodes: "b-[1-4]", launch_template_overrides: [{instance_type: c5.xlarge, spot_price: 0.05}, {instance_type: c6i.xlarge}]}
`,
		"types.json":   `{"instance_specification": {"instance_types": ["c5.xlarge"]}}`,
		"plan.json":    `{"instance_specification": {"max_spot_price": 0.1}, "mpi_configuration": {"requires_gang_scheduling": true}, "cost_constraints": {"max_total_cost": 8, "max_duration_hours": 4}}`,
		"plans/7.json": `{"mpi_configuration": {"requires_gang_scheduling": false}, "cost_constraints": {"max_cost_per_hour": 1}}`,
	} {
		if err := w.Write(name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what string, got, want any) {
		t.Helper()
		if d := cmp.Diff(want, got, cmp.AllowUnexported(limit{}), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s (-want +got)\n%s", what, d)
		}
	}
	const planned, alone = "aws-slurm-burst-resume a-[1-2],b-1 --execution-plan=plan.json", "aws-slurm-burst-resume a-[1-2],b-1"
	all, own := []string{"a-1", "a-2", "b-1"}, map[string]float64{"c5.xlarge": 0.05}
	check("with a plan", w.limitsOf(planned), []limit{{all, 2, 0, false, nil}, {all[:2], 2, 0.1, false, nil}, {all[2:], 2, 0.1, false, own}})
	check("without", w.limitsOf(alone), []limit{{all[:2], 3, 0.2, false, nil}, {all[2:], 9, 0, false, own}})
	check("with types of a plan", w.limitsOf("aws-slurm-burst-resume b-1 --execution-plan=types.json"), []limit{{all[2:], 9, 0, false, nil}, {all[2:], 9, 0, false, nil}})
	check("with types in a variable", w.limitsOf("ASBA_INSTANCE_TYPES=c5.xlarge aws-slurm-burst-resume b-1")[1:], []limit{{all[2:], 9, 0, false, nil}})
	check("a suspend", w.limitsOf("aws-slurm-burst-suspend a-1"), []limit(nil))
	check("a gang by its plan", w.gangsOf(planned), [][]string{all})
	check("no gang", w.gangsOf(alone), [][]string(nil))
	check("a gang by a variable", w.gangsOf("export ASBA_GANG_SCHEDULING=true\n"+alone), [][]string{all})
	w.Job("7", []string{"a-1", "a-2"})
	w.Job("8", []string{"b-1", "b-2"})
	check("jobs, one with a plan", w.limitsOf(alone), []limit{{all[:2], 1, 0, false, nil}, {all[:2], 1, 0.2, false, nil}, {[]string{"b-1", "b-2"}, 9, 0, false, nil}, {[]string{"b-1", "b-2"}, 9, 0, false, own}})
	check("gangs by jobs", w.gangsOf(alone), [][]string{{"b-1", "b-2"}})
}

func TestSettingsOfTheConfigurationAreChanged(t *testing.T) {
	w := &Site{Dir: t.TempDir()}
	if err := w.Write("config.yaml", []byte("slurm:\n  partitions:\n    - node_groups:\n        - {node_group_name: a, image: &i {id: x}}\n        - {node_group_name: b, image: *i}\n")); err != nil {
		t.Fatal(err)
	}
	err := errors.Join(w.Set("policy.max_nodes", "3"), w.Set("policy.max_nodes", "4"), w.SetGroup("b", "tags", "[{key: k, value: v}]"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(w.Dir + "/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"max_nodes: 4", "image: *i, tags: [{key: k, value: v}]"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("it lacks %s:\n%s", want, got)
		}
	}
	if err := w.SetGroup("c", "x", "1"); err == nil {
		t.Error("a node group that is not there was changed")
	}
}

func TestTimesOfRecordsBecomeEarlier(t *testing.T) {
	got, err := earlier([]byte(`{"at":1790000000000000000,"exit":-1,"nodes":"n[1-2]","request":{"MinCount":8,"MaxPrice":2.5,"times":[1790000000000000001]}}
{"written":1790000000000000000}
`), time.Second)
	const want = `{"at":1789999999000000000,"exit":-1,"nodes":"n[1-2]","request":{"MaxPrice":2.5,"MinCount":8,"times":[1789999999000000001]}}
{"written":1789999999000000000}
`
	if string(got) != want || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestWhatDiffersFromRunToRunIsBlurred(t *testing.T) {
	w := &Site{url: "http://127.0.0.1:4711"}
	got := w.blur("ERROR: i-0ffc41f61c22ba44a at http://127.0.0.1:4711: throttled for 12 s, 8 nodes")
	if want := "ERROR: i-... at http://...: throttled for ... s, 8 nodes"; got != want {
		t.Error(got)
	}
}

// parentEnv makes this test binary a run that opens a suite on an embedded EC2,
// makes a site, tells where they are, and waits.
const parentEnv = "ASBA_SITE_PARENT"

func TestMain(m *testing.M) {
	if bin := os.Getenv(parentEnv); bin != "" {
		os.Exit(parent(bin))
	}
	os.Exit(m.Run())
}

func parent(bin string) int {
	ctx := context.Background()
	e, err := StartEmbedded(ctx, bin, os.Stderr)
	if err != nil {
		fmt.Println("ERROR", err)
		return 1
	}
	s, err := Open(ctx, Options{Bin: bin, Endpoint: e.URL})
	if err != nil {
		fmt.Println("ERROR", err)
		return 1
	}
	w, err := s.New(ctx)
	if err != nil {
		fmt.Println("ERROR", err)
		return 1
	}
	fmt.Println(e.URL, w.Dir)
	select {}
}

func TestARunThatIsKilledLeavesNoProcessAndNoFolderBehind(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells children of their parent's death")
	}
	t.Setenv("TMPDIR", t.TempDir())
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), parentEnv+"="+binDir(t))
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	url, dir, ok := strings.Cut(strings.TrimSpace(line), " ")
	_ = c.Process.Kill()
	_ = c.Wait()
	if err != nil || !ok || url == "ERROR" {
		t.Fatalf("the run: %q, %v", line, err)
	}
	dead := false
	for end := time.Now().Add(10 * time.Second); !dead && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(url + "/health")
		if dead = err != nil; !dead {
			resp.Body.Close()
		}
	}
	if !dead {
		t.Errorf("its EC2 still answers at %s", url)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("its site was to be there: %v", err)
	}
	open(t) // the next run
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("its site is still there after the next run: %v", err)
	}
}

// What others' plans launch is priced by who knows: a type of theirs is not a
// limit that was passed.
func TestBudgetsAreJudgedByThePricesThatAreGiven(t *testing.T) {
	s := &Suite{price: func(typ string) (float64, bool) { return map[string]float64{"m5.large": 0.096}[typ], typ == "m5.large" }}
	launch := func(typ, market, most string) faultproxy.Call {
		return faultproxy.Call{Params: map[string][]string{"InstanceType": {typ}, "InstanceMarketOptions.MarketType": {market}, SpotPrice: {most}}}
	}
	for _, c := range []struct {
		name string
		call faultproxy.Call
		l    limit
		want string
	}{
		{"within", launch("m5.large", "", ""), limit{hourly: 0.2}, ""},
		{"over", launch("m5.large", "", ""), limit{hourly: 0.1}, "would cost 0.192 USD/h, more than 0.100"},
		{"of unknown price", launch("x9.huge", "", ""), limit{hourly: 9}, "no price of x9.huge"},
		{"of unknown price, which may pass", launch("x9.huge", "", ""), limit{hourly: 9, unpriced: true}, ""},
		{"of unknown price, with a cap", launch("x9.huge", "spot", "0.5"), limit{hourly: 1, spot: 0.5}, ""},
		{"of unknown price, with a cap over the budget", launch("x9.huge", "spot", "0.6"), limit{hourly: 1, spot: 0.6, unpriced: true}, "would cost 1.200 USD/h"},
		{"without a budget", launch("x9.huge", "", ""), limit{}, ""},
		{"above the cap of its type", launch("m5.large", "spot", "0.05"), limit{spot: 0.2, own: map[string]float64{"m5.large": 0.04}}, "its cap is 0.04"},
		{"within the cap of its type, above the others'", launch("m5.large", "spot", "0.3"), limit{spot: 0.2, own: map[string]float64{"m5.large": 0.3}}, ""},
	} {
		if err := s.allows(c.l, c.call, 2); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// A plan's 0 is no cap, whatever the node group's; what it does not say is the
// group's.
func TestAPlansOwnSpotCapComesFirst(t *testing.T) {
	w := &Site{Suite: &Suite{}, Dir: t.TempDir()}
	for name, text := range map[string]string{
		"config.yaml": "slurm: {partitions: [{node_groups: [{nodes: a-1, max_spot_price: 0.2}]}]}",
		"none.json":   `{"instance_specification": {"max_spot_price": 0}}`,
		"open.json":   `{"instance_specification": {"max_spot_price": null}}`,
	} {
		if err := w.Write(name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for plan, want := range map[string]float64{"none.json": 0, "open.json": 0.2} {
		limits := w.limitsOf("aws-slurm-burst-resume a-1 --execution-plan=" + plan)
		if got := limits[len(limits)-1].spot; got != want {
			t.Errorf("%s: the cap is %v, want %v", plan, got, want)
		}
	}
}
