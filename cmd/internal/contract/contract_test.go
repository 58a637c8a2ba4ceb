package contract

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/cmd/internal/app"
)

// told is what a command did.
type told struct {
	code     int
	out, err string
}

// surroundings of a command; the zero value has an empty stdin and environment.
type surroundings struct {
	stdin  io.Reader
	env    map[string]string
	stdout io.Writer // instead of told.out
	stop   context.Context
}

func (s surroundings) run(t *testing.T, args ...string) told {
	t.Helper()
	var out, errs bytes.Buffer
	std := app.IO{Args: args, Getenv: func(name string) string { return s.env[name] }, Stdin: s.stdin, Stdout: s.stdout, Stderr: &errs, Stop: s.stop}
	if std.Stdin == nil {
		std.Stdin = strings.NewReader("")
	}
	if std.Stdout == nil {
		std.Stdout = &out
	}
	if std.Stop == nil {
		std.Stop = t.Context()
	}
	code := 0
	root := &cobra.Command{Use: "aws-slurm-burst", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(Commands(std, &code)...)
	if err := app.Execute(t.Context(), root, std); err != nil {
		code = app.Fail(&errs, err)
	}
	return told{code, out.String(), errs.String()}
}

func run(t *testing.T, args ...string) told {
	t.Helper()
	return surroundings{}.run(t, args...)
}

// in makes a folder of files, and goes there.
func in(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
}

func text(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

const (
	good    = `{"instance_specification": {"instance_types": ["c6i.large"]}}`
	noTypes = `{"instance_specification": {"instance_types": []}}`
	unwise  = `{"instance_specification": {"instance_types": ["c6i.large"]}, "note": 1}`
)

func TestTheExitCodeFollowsTheFindings(t *testing.T) {
	in(t, map[string]string{"good.json": good, "bad.json": noTypes, "unwise.json": unwise, "none/x": ""})
	for _, c := range []struct {
		args string
		code int
	}{
		{"good.json", 0},
		{"bad.json", 4},
		{"bad.json --fail-on never", 0},
		{"bad.json --suppress plan020", 0},
		{"bad.json --suppress PLAN009,PLAN020", 0},
		{"bad.json --suppress PLAN009", 4},
		{"unwise.json", 0},
		{"unwise.json --fail-on warning", 4},
		{"good.json --fail-on warning", 0},
		{"good.json missing.json", 2},
		{"bad.json missing.json", 2},
		{"none", 2},
		{"*.yaml", 2},
		{"good.json --fail-on info", 2},
		{"good.json -o xml", 2},
		{"good.json --nodes -1", 2},
		{"good.json --bogus", 2},
		{"good.json --dry-run", 2},
		{"good.json --diff -o json", 2},
		{"--environment", 2},
		{"- --fix", 2},
		{"good.json --config missing.yaml", 9},
	} {
		for _, output := range []string{"", "-o json", "-o github", "-o table", "-o markdown", "-o yaml", "-o lines", "-o text"} {
			if output != "" && (strings.Contains(c.args, "-o") || strings.Contains(c.args, "--diff")) {
				continue
			}
			got := run(t, append([]string{"validate-plan"}, strings.Fields(c.args+" "+output)...)...)
			if got.code != c.code {
				t.Errorf("%s %s: exit %d, want %d\n%s%s", c.args, output, got.code, c.code, got.out, got.err)
			}
			if errors := strings.Count(got.err, "ERROR: "); (c.code == 2 || c.code == 9) != (errors == 1) {
				t.Errorf("%s: %d error lines\n%s", c.args, errors, got.err)
			}
		}
	}
}

func TestALineAFindingAndPeoplesLinesAside(t *testing.T) {
	in(t, map[string]string{"plans/bad.json": noTypes, "plans/good.json": good, "plans/readme.txt": "no plan", "plans/x.env": "ASBA_INSTANCE_TYPES=c6i.large\n"})
	got := run(t, "validate-plan", "plans", "plans/*.env")
	if want := "plans/bad.json:1:47: error[PLAN020] /instance_specification/instance_types: no instance types specified (list at least one in instance_specification/instance_types)\n"; got.out != want {
		t.Errorf("got  %q\nwant %q", got.out, want)
	}
	want := regexp.MustCompile(`^plans/bad.json: 1 error \(dialect A, catalogue of \d{4}-\d\d-\d\d\)
plans/good.json: no findings \(dialect A, catalogue of .*\)
plans/x.env: no findings \(variables, catalogue of .*\)
3 plans: 1 error
$`)
	if !want.MatchString(got.err) {
		t.Errorf("stderr:\n%s", got.err)
	}
	if quiet := run(t, "validate-plan", "-q", "plans"); quiet.out != got.out || quiet.err != "" {
		t.Errorf("quiet: %+v", quiet)
	}
}

func TestFindingsWithTheirLines(t *testing.T) {
	in(t, map[string]string{"plan.json": "{\n\t\"instance_specification\": {\"instance_types\": [\"c6i.large\", \"c6i.large\"]}\n}\n"})
	got := run(t, "validate-plan", "-o", "text", "plan.json", "--nodes", "8")
	want := regexp.MustCompile(`(?s)^warning\[PLAN058\]: the instance type c6i.large stands twice
 --> plan.json:2:61
  \|
2 \|     "instance_specification": \{"instance_types": \["c6i.large", "c6i.large"\]\}
  \|                                                                \^\^\^\^\^\^\^\^\^\^\^
  = help: remove one of them
  = fix: remove /instance_specification/instance_types/1

plan.json: 1 warning \(dialect A, for 8 nodes, catalogue of .*\)
$`)
	if !want.MatchString(got.out) || got.err != "" {
		t.Errorf("%s%s", got.out, got.err)
	}
}

func TestGitHubReadsAnnotations(t *testing.T) {
	in(t, map[string]string{"a,b.json": noTypes})
	got := run(t, "validate-plan", "-o", "github", "a,b.json")
	if want := "::error file=a%2Cb.json,line=1,col=47,title=PLAN020::no instance types specified ("; !strings.HasPrefix(got.out, want) {
		t.Errorf("%s", got.out)
	}
}

func TestTablesAreForPeopleAndForMarkdown(t *testing.T) {
	in(t, map[string]string{"a|b.json": noTypes})
	if got := run(t, "validate-plan", "-o", "table", "a|b.json").out; !strings.Contains(got, "a|b.json:1:47  error  PLAN020  no instance types specified") || !strings.Contains(got, "1 error") {
		t.Errorf("%s", got)
	}
	if got := run(t, "validate-plan", "-o", "markdown", "a|b.json").out; !strings.Contains(got, `| a\|b.json:1:47 | error | PLAN020 | no instance types specified |`) {
		t.Errorf("%s", got)
	}
}

func TestPlansComeFromStdinAndTheEnvironment(t *testing.T) {
	for text, want := range map[string]string{
		noTypes:                        "stdin:1:47: error[PLAN020]",
		"ASBA_INSTANCE_TYPES=c6i.huge": "stdin:1:21: error[PLAN030]",
	} {
		for _, args := range [][]string{{"validate-plan"}, {"validate-plan", "-"}} {
			if got := (surroundings{stdin: strings.NewReader(text)}).run(t, args...); got.code != 4 || !strings.HasPrefix(got.out, want) {
				t.Errorf("%q, %v: %+v", text, args, got)
			}
		}
	}
	got := surroundings{env: map[string]string{"ASBA_INSTANCE_TYPES": "c6i.huge"}}.run(t, "validate-plan", "--environment")
	if got.code != 4 || !strings.HasPrefix(got.out, "ASBA_INSTANCE_TYPES: error[PLAN030]") || !strings.HasPrefix(got.err, "environment: 2 errors (variables, ") {
		t.Errorf("%+v", got)
	}
}

func TestWhatHasTooManyBytesIsRefusedUnread(t *testing.T) {
	in(t, map[string]string{"large.json": good})
	if err := os.Truncate("large.json", 1<<40); err != nil {
		t.Fatal(err)
	}
	if got := run(t, "validate-plan", "large.json"); got.code != 4 || !strings.HasPrefix(got.out, "large.json:1:1: error[PLAN001]") {
		t.Errorf("%+v", got)
	}
	if got := (surroundings{stdin: io.LimitReader(endless{}, 1<<40)}).run(t, "validate-plan"); got.code != 4 || !strings.HasPrefix(got.out, "stdin:1:1: error[PLAN001]") {
		t.Errorf("%+v", got)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestAFileThatAnyoneMayWriteIsTold(t *testing.T) {
	in(t, map[string]string{"good.json": good})
	if err := os.Chmod("good.json", 0o666); err != nil {
		t.Fatal(err)
	}
	if got := run(t, "validate-plan", "good.json"); got.code != 4 || !strings.HasPrefix(got.out, "good.json: error[SRC001]: the plan file is world-writable") {
		t.Errorf("%+v", got)
	}
	if got := run(t, "validate-plan", "good.json", "--suppress", "SRC001"); got.code != 0 || got.out != "" {
		t.Errorf("%+v", got)
	}
}

// Others are judged where one cannot be read, and each is told.
func TestAFileThatCannotBeReadHasItsLine(t *testing.T) {
	in(t, map[string]string{"bad.json": noTypes, "dir/good.json": good})
	got := run(t, "validate-plan", "missing.json", "bad.json", "none/*.json", "/dev/null", "dir")
	if got.code != 2 || strings.Count(got.out, "\n") != 1 {
		t.Errorf("exit %d\n%s", got.code, got.out)
	}
	for _, line := range []string{"ERROR: missing.json: no such file\n", "ERROR: none/*.json: no file matches\n", "ERROR: /dev/null: not a regular file (pipe it in, as stdin)\n", "dir/good.json: no findings", "2 plans: 1 error\n"} {
		if !strings.Contains(got.err, line) {
			t.Errorf("%q is not said:\n%s", line, got.err)
		}
	}
}

func TestUnknownIDsNameTheNearest(t *testing.T) {
	in(t, map[string]string{"good.json": good})
	for _, args := range [][]string{{"validate-plan", "good.json", "--suppress", "PLAN09"}, {"explain-finding", "PLAN09"}} {
		if got := run(t, args...); got.code != 2 || !strings.Contains(got.err, `"PLAN09" is no finding's id (did you mean PLAN0`) {
			t.Errorf("%v: %+v", args, got)
		}
	}
}

const site = `
cluster: test
aws: {region: us-east-1}
slurm:
  scontrol: off
  partitions:
    - partition_name: aws
      node_groups:
        - {node_group_name: small, cpus: 2, instance_types: [c6i.large]}
        - {node_group_name: big, cpus: 64, instance_types: [c6i.16xlarge]}
policy: {allow_subnets: false}
`

func TestAPlanIsJudgedByItsSite(t *testing.T) {
	in(t, map[string]string{"config.yaml": site, "plan.json": `{"instance_specification": {"instance_types": ["c6i.4xlarge", "c6i.24xlarge"], "subnet_ids": ["subnet-0123456789abcdef0"]}}`})
	for _, c := range []struct{ args, has, hasNot string }{
		{"--region us-east-1", "", "PLAN0"},
		{"--config config.yaml", "warning[PLAN054]", "PLAN037"},
		{"--config config.yaml --partition aws", "error[PLAN037] /instance_specification/instance_types/0: for node group big: c6i.4xlarge has 16 CPUs", "group small"},
		{"--partition aws/big", "error[PLAN037] /instance_specification/instance_types/0: c6i.4xlarge has 16 CPUs", "for node group"},
		{"--partition aws/small", "warning[PLAN054]", "PLAN037"},
	} {
		got := run(t, append([]string{"validate-plan", "plan.json"}, strings.Fields(c.args)...)...)
		if !strings.Contains(got.out, c.has) || strings.Contains(got.out, c.hasNot) {
			t.Errorf("%s: exit %d\n%s%s", c.args, got.code, got.out, got.err)
		}
	}
	if got := run(t, "validate-plan", "plan.json", "--partition", "aws/bgi"); got.code != 2 || !strings.Contains(got.err, "did you mean aws/big?") {
		t.Errorf("%+v", got)
	}
}

const commented = "{\n  // for the night\n  \"instance_specification\": {\n    \"instance_types\": [\"c6i.large\"],  // cheap\n    \"purchasing_option\": \"Spot\"\n  }\n}\n"

func TestFixWritesWhatDiffShows(t *testing.T) {
	in(t, map[string]string{"plan.json": commented, "good.json": good, "large.json": strings.Repeat(" ", plan.MaxSize+1)})
	diff := run(t, "validate-plan", "--diff", "large.json", "plan.json", "good.json")
	if dry := run(t, "validate-plan", "--fix", "--dry-run", "large.json", "plan.json", "good.json"); dry != diff {
		t.Errorf("%+v\n%+v", dry, diff)
	}
	for _, line := range []string{"--- a/plan.json\n+++ b/plan.json\n", "\n-  // for the night\n", "\n-    \"purchasing_option\": \"Spot\"\n", "\n+    \"purchasing_option\": \"spot\"\n"} {
		if !strings.Contains(diff.out, line) {
			t.Errorf("%q is not in the diff:\n%s", line, diff.out)
		}
	}
	if strings.Contains(diff.out, "good.json") || strings.Contains(diff.out, "large.json") || diff.code != 4 || !strings.Contains(diff.err, "plan.json: 1 error, 1 warning (") || text(t, "plan.json") != commented {
		t.Errorf("exit %d\n%s", diff.code, diff.out)
	}
	got := run(t, "validate-plan", "--fix", "plan.json", "good.json")
	want := "{\n  \"instance_specification\": {\n    \"instance_types\": [\"c6i.large\"],\n    \"purchasing_option\": \"spot\"\n  }\n}\n"
	if got.code != 0 || text(t, "plan.json") != want || text(t, "good.json") != good || !strings.HasPrefix(got.err, "plan.json: 2 mended, no findings") {
		t.Errorf("%+v\n%s", got, text(t, "plan.json"))
	}
	if st, err := os.Stat("plan.json"); err != nil || st.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	if again := run(t, "validate-plan", "--diff", "plan.json"); again.out != "" || again.code != 0 {
		t.Errorf("again: %+v", again)
	}
}

func TestConvertedPlansSayTheSame(t *testing.T) {
	b := `{
  "asba_version": "2.0", "confidence_level": 0.9,
  "instance_specification": {"instance_types": ["c6i.large"], "instance_count": 2, "spot_instance_config": {"enable_spot": true, "max_spot_price": 0.05}},
  "job_metadata": {"user": "ada", "workload_type": "mpi"}
}`
	in(t, map[string]string{"b.json": b, "bad.json": `{"should_burst": "so"}`, "plan.env": "ASBA_INSTANCE_TYPES=c6i.huge\nASBA_MPI_PROCESSES=4\n"})
	got := run(t, "convert-plan", "b.json")
	p, _ := plan.Read([]byte(got.out), "a.json")
	if got.code != 0 || p == nil || p.Purchasing.Value != plan.Spot || p.MaxSpotPrice.Value != 0.05 || p.InstanceCount.Value != 2 || p.UserID.Value != "ada" {
		t.Errorf("%+v", got)
	}
	for _, line := range []string{"b.json: no findings (dialect B, for 2 nodes", "WARN: b.json:2:3: /asba_version decides nothing", "/confidence_level", "/job_metadata/workload_type"} {
		if !strings.Contains(got.err, line) {
			t.Errorf("%q is not said:\n%s", line, got.err)
		}
	}
	if got := run(t, "convert-plan", "bad.json", "--output", "out.json"); got.code != 4 || got.out != "" || !strings.Contains(got.err, "PLAN007") {
		t.Errorf("%+v", got)
	}
	if _, err := os.Stat("out.json"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a broken plan was written: %v", err)
	}
	got = run(t, "convert-plan", "plan.env", "--output", "out.json")
	if got.code != 0 || got.out != "" || !strings.Contains(text(t, "out.json"), `"process_count": 4`) || !strings.Contains(got.err, "plan.env:1:21: error[PLAN030]") {
		t.Errorf("%+v", got)
	}
	piped := surroundings{stdin: strings.NewReader(b)}.run(t, "convert-plan")
	if piped.code != 0 || !strings.HasPrefix(piped.err, "stdin: ") {
		t.Errorf("%+v", piped)
	}
	if got := (surroundings{env: map[string]string{"ASBA_INSTANCE_TYPES": "c6i.large"}}).run(t, "convert-plan", "--environment"); got.code != 0 || !strings.Contains(got.out, `"c6i.large"`) {
		t.Errorf("%+v", got)
	}
	for _, args := range []string{"missing.json", "b.json bad.json", "--environment b.json", "--environment", "b.json --output none/x.json"} {
		want := 2
		if strings.Contains(args, "none/") {
			want = 1
		}
		if got := run(t, append([]string{"convert-plan"}, strings.Fields(args)...)...); got.code != want || strings.Count(got.err, "ERROR: ") != 1 {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

func TestFindingsAreExplained(t *testing.T) {
	if got := run(t, "explain-finding", "plan020", "PLAN030"); got.code != 0 || !strings.HasPrefix(got.out, "## PLAN020: ") || !strings.Contains(got.out, "\n\n## PLAN030: ") {
		t.Errorf("%+v", got)
	}
	if got := run(t, "explain-finding"); got.code != 0 || !strings.Contains(got.out, "PLAN020  error") || strings.Count(got.out, "\n") < 40 {
		t.Errorf("%+v", got)
	}
	if got := run(t, "explain-finding", "PLAN020", "-o", "json"); !strings.Contains(got.out, `"level": "error"`) || !strings.Contains(got.out, `"title": "`) {
		t.Errorf("%+v", got)
	}
	if got := withoutMarkdown("## A `b`\n\nsee **this** [page](x.md)\n"); got != "A b\n\nsee this page\n" {
		t.Errorf("%q", got)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("gone") }

func TestOutputThatIsLostIsAFailure(t *testing.T) {
	in(t, map[string]string{"bad.json": noTypes})
	for _, args := range []string{"validate-plan bad.json", "validate-plan bad.json -o json", "validate-plan bad.json -o table", "explain-finding", "explain-finding PLAN020", "convert-plan bad.json"} {
		if got := (surroundings{stdout: broken{}}).run(t, strings.Fields(args)...); got.code != 1 || !strings.Contains(got.err, "could not be written: gone") {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

func TestAStopEndsAWait(t *testing.T) {
	told, stop := context.WithCancel(t.Context())
	stop()
	silent, w := io.Pipe()
	defer func() { _ = w.Close() }()
	for _, args := range []string{"validate-plan", "convert-plan"} {
		if got := (surroundings{stdin: silent, stop: told}).run(t, args); got.code != 130 {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

func TestARegionOfWhichNothingIsKnownIsTold(t *testing.T) {
	in(t, map[string]string{"plan.json": `{"instance_specification": {"instance_types": ["c6i.large"]}}`})
	got := run(t, "validate-plan", "plan.json", "-q", "--region", "us-esat-1")
	if want := "WARN: --region us-esat-1: nothing is known of its zones and prices, which are not judged (did you mean us-east-1?)\n"; got.err != want || got.code != 0 {
		t.Errorf("exit %d: %s", got.code, got.err)
	}
	if got := run(t, "validate-plan", "plan.json", "-q", "--region", "eu-west-1"); got.err != "" {
		t.Error(got.err)
	}
}

func TestWhatIsNoFileIsNotMended(t *testing.T) {
	for name, title := range map[string]string{"-": "stdin", "/dev/stdin": "/dev/stdin"} {
		got := surroundings{stdin: strings.NewReader(`{"instance_specification": {"instance_types": "c6i.large"}}`)}.run(t, "validate-plan", "--fix", name)
		want := "ERROR: --fix: " + title + " cannot be mended, use --diff\n"
		if got.code != 2 || got.err != want || got.out != "" {
			t.Errorf("%s: exit %d: %s%s", name, got.code, got.out, got.err)
		}
	}
}

// A file may be called anything; who reads the answer has to be able to.
func TestANameThatIsNotTextIsTold(t *testing.T) {
	name := "b\xffd.json"
	in(t, map[string]string{name: `{"instance_specification": {"instance_types": ["c6i.large"]}}`})
	for format, want := range map[string]string{"json": `"file": "b` + "\uFFFD" + `d.json"`, "yaml": "file: b\uFFFDd.json"} {
		got := run(t, "validate-plan", name, "-o", format)
		if got.code != 0 || !strings.Contains(got.out, want) {
			t.Errorf("%s: exit %d: %s%s", format, got.code, got.out, got.err)
		}
	}
}
