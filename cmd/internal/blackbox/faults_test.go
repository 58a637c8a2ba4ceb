package blackbox

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"aws-slurm-burst/localstack/query"
)

// serving starts a program that serves an endpoint and returns its URL. It ends
// with the test, and has to end well.
func serving(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(bin, "aws-slurm-burst"), args...)
	cmd.Dir, cmd.Stderr = repo, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v", args, err)
		}
	})
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%v: no URL: %v", args, err)
	}
	return strings.TrimSpace(url)
}

// A person who wants faults before an endpoint of theirs puts the proxy there.
func TestTheProxyBreaksCallsAndTellsOfThem(t *testing.T) {
	e := newEndpoint(t, nil)
	proxy := serving(t, "proxy", "--to", e.url, "--listen", "127.0.0.1:0", "--faults", "examples/faults/first-zone-short.yaml")
	e.url = proxy
	r := e.resume("aws-cpu-[001-004]")
	const left = "WARN: c6i.xlarge spot us-east-1a: InsufficientInstanceCapacity, trying "
	if r.code != 0 || len(e.live()) != 4 || !strings.HasPrefix(r.stderr, left) {
		t.Errorf("exit %d, %d instances\n%s", r.code, len(e.live()), r.stderr)
	}
	resp, err := http.Get(proxy + "/_asb/calls")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var log struct {
		Counts map[string]int
		Calls  []struct {
			Action, Code, Rule string
			Params             map[string]string
			Instances          []string
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&log); err != nil {
		t.Fatal(err)
	}
	last := log.Calls[len(log.Calls)-1]
	if log.Counts["RunInstances"] < 2 || last.Action != "RunInstances" || last.Params["MinCount"] != "4" || len(last.Instances) != 4 {
		t.Errorf("%+v", log)
	}
	refused := log.Calls[len(log.Calls)-2]
	if refused.Code != "InsufficientInstanceCapacity" || !strings.HasPrefix(refused.Rule, "examples/faults/first-zone-short.yaml:") {
		t.Errorf("%+v", refused)
	}
}

// The proxy adds placement groups where the endpoint has none, and nothing else.
func TestTheProxyAddsWhatTheEndpointLacks(t *testing.T) {
	made := 0
	poor := newEndpoint(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			form, body, err := query.Read(r)
			if err != nil {
				t.Error(err)
			}
			if strings.HasSuffix(form.Get("Action"), "PlacementGroup") || form.Get("Action") == "DescribePlacementGroups" {
				made++
				query.Refusal(http.StatusNotImplemented, "InternalFailure", "not implemented").Send(w)
				return
			}
			form.Del("Placement.GroupName") // as LocalStack does
			if form.Get("Action") == "RunInstances" {
				query.Ask(h, r, form).Send(w)
				return
			}
			query.Pass(h, w, r, body)
		})
	})
	poor.url = serving(t, "proxy", "--to", poor.url, "--listen", "127.0.0.1:0")
	r := poor.resume("aws-hpc-[001-008]", "--execution-plan=examples/asba-execution-plan.json")
	if r.code != 0 || r.stderr != "" || len(poor.live()) != 8 || made != 1 {
		t.Errorf("exit %d, %d instances, the endpoint was asked %d times for what it lacks\n%s", r.code, len(poor.live()), made, r.stderr)
	}
	if r := poor.suspend("aws-hpc-[001-008]"); r.code != 0 || r.stderr != "" {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}

// Five launches at once, then two a second: whoever asks for more is told so.
func TestTheEmbeddedEC2ThrottlesAsEC2Does(t *testing.T) {
	url := serving(t, "ec2", "--listen", "127.0.0.1:0", "--throttle")
	launch := func() (status int) {
		form := "Action=RunInstances&ImageId=ami-0a120230000086640&InstanceType=c6i.xlarge&MinCount=1&MaxCount=1"
		resp, err := http.Post(url, "application/x-www-form-urlencoded", strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode == 503 && !strings.Contains(string(answer), "RequestLimitExceeded") {
			t.Errorf("%s", answer)
		}
		return resp.StatusCode
	}
	count := map[int]int{}
	for range 50 { // in far less than the 22 s for which tokens would come
		count[launch()]++
	}
	if count[200] < 5 || count[503] == 0 || count[200]+count[503] != 50 {
		t.Errorf("answers by status: %v", count)
	}
}

func TestServersRefuseBadInputInOneLine(t *testing.T) {
	e := newEndpoint(t, nil)
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(rules, []byte("faults:\n- {probability: 2, throttle: true}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	nobody := newEndpoint(t, func(http.Handler) http.Handler { return http.NotFoundHandler() })
	for _, c := range []struct {
		name string
		args []string
		code int
		line string // the beginning of the only one
	}{
		{"no endpoint", []string{"proxy"}, 2, "ERROR: no endpoint given: --to URL"},
		{"no URL", []string{"proxy", "--to=127.0.0.1:4566"}, 2, `ERROR: --to "127.0.0.1:4566" is no URL`},
		{"no URL of HTTP", []string{"proxy", "--to=ftp://x"}, 2, `ERROR: --to "ftp://x" is no URL`},
		{"AWS itself", []string{"proxy", "--to=https://EC2.us-east-1.amazonaws.com./"}, 2, "ERROR: --to https://EC2.us-east-1.amazonaws.com./ is AWS itself, where launches cost money: give a local endpoint, or --allow-aws"},
		{"AWS itself, allowed", []string{"proxy", "--to=https://nowhere.invalid.amazonaws.com", "--allow-aws", "--stand-ins=maybe"}, 2, `ERROR: --stand-ins "maybe"`},
		{"nobody there", []string{"proxy", "--to=http://127.0.0.1:1"}, 1, "ERROR: --to http://127.0.0.1:1: no EC2 there: DescribePlacementGroups: Unavailable: no answer from 127.0.0.1:1"},
		{"not EC2", []string{"proxy", "--to=" + nobody.url}, 1, "ERROR: --to " + nobody.url + ": no EC2 there: DescribePlacementGroups: HTTP status 404"},
		{"unknown word", []string{"proxy", "--to=" + e.url, "--stand-ins=maybe"}, 2, `ERROR: --stand-ins "maybe" is not one of auto, always, never`},
		{"an argument", []string{"proxy", "--to=" + e.url, "more"}, 2, "ERROR: "},
		{"port taken", []string{"proxy", "--to=" + e.url, "--listen=" + strings.TrimPrefix(e.url, "http://")}, 1, "ERROR: --listen "},
		{"no rules", []string{"proxy", "--to=" + e.url, "--faults=none.yaml"}, 2, "ERROR: --faults: "},
		{"bad rules", []string{"proxy", "--to=" + e.url, "--faults=" + rules}, 2, "ERROR: " + rules + ":2:17: error[FAULT004]: probability is a number above 0"},
		{"an image that there is not", []string{"ec2", "--boot=fast"}, 2, `ERROR: --boot: boot profile "fast": there are minimal, hpc, parallelcluster`},
		{"two ways to come up", []string{"ec2", "--boot=hpc", "--pending=1s"}, 2, "ERROR: "},
		{"bad rules of the embedded EC2", []string{"ec2", "--faults=" + rules}, 2, "ERROR: " + rules + ":2:17: error[FAULT004]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := e.run("aws-slurm-burst", c.args)
			if r.code != c.code || len(r.lines()) != 1 || !strings.HasPrefix(r.stderr, c.line) || r.stdout != "" {
				t.Errorf("exit %d, want %d; stdout %q, stderr:\n%s", r.code, c.code, r.stdout, r.stderr)
			}
		})
	}
}
