package container

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"aws-slurm-burst/localstack"
)

// parentEnv makes this test binary a process that starts a container and waits
// to be killed.
const parentEnv = "ASBA_CONTAINER_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(parentEnv) == "" {
		os.Exit(m.Run())
	}
	c, err := Start(context.Background(), localstack.Options{})
	if err != nil {
		fmt.Println("ERROR", err)
		os.Exit(1)
	}
	fmt.Println(c.tc.GetContainerID())
	select {}
}

// onEngine skips where there is no engine or no image, unless the environment
// demands it: a CI that asked for it must not pass without it.
func onEngine(t *testing.T) client.APIClient {
	t.Helper()
	api, err := engine(t.Context())
	if err == nil {
		err = checkImage(t.Context(), api, Image)
	}
	if err != nil {
		if os.Getenv("ASBA_REQUIRE_LOCALSTACK") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return api
}

func startReal(t *testing.T) *Container {
	t.Helper()
	begin := time.Now()
	c, err := Start(t.Context(), localstack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Stop() })
	t.Logf("ready after %.1f s", time.Since(begin).Seconds())
	return c
}

func exists(t *testing.T, api client.APIClient, id string) bool {
	t.Helper()
	_, err := api.ContainerInspect(context.WithoutCancel(t.Context()), id, client.ContainerInspectOptions{})
	if err != nil && !errdefs.IsNotFound(err) {
		t.Fatal(err)
	}
	return err == nil
}

// vpcs asks EC2 of an endpoint for its networks.
func vpcs(t *testing.T, endpoint string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, strings.NewReader("Action=DescribeVpcs&Version=2016-11-15"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/ec2/aws4_request, SignedHeaders=host, Signature=wrong")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b strings.Builder
	for s := bufio.NewScanner(resp.Body); s.Scan(); {
		b.WriteString(s.Text())
	}
	return b.String()
}

func TestRealContainersAnswerOnLoopbackAloneSideBySideAndAreRemoved(t *testing.T) {
	api := onEngine(t)
	first, second := startReal(t), startReal(t)
	if first.URL() == second.URL() {
		t.Errorf("both are at %s", first.URL())
	}
	for _, c := range []*Container{first, second} {
		if got := vpcs(t, c.URL()); !strings.Contains(got, "<isDefault>true</isDefault>") {
			t.Errorf("no default VPC at %s: %.300s", c.URL(), got)
		}
		u, err := url.Parse(c.URL())
		if err != nil || u.Hostname() != "127.0.0.1" {
			t.Fatalf("URL %s, %v", c.URL(), err)
		}
		addrs, err := net.InterfaceAddrs()
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range addrs {
			ip, ok := a.(*net.IPNet)
			if !ok || ip.IP.IsLoopback() || ip.IP.To4() == nil {
				continue
			}
			if conn, err := net.DialTimeout("tcp", net.JoinHostPort(ip.IP.String(), u.Port()), time.Second); err == nil {
				conn.Close()
				t.Errorf("%s answers on %s too", c.URL(), ip.IP)
			}
		}
	}
	for _, c := range []*Container{first, second} {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
		if exists(t, api, c.tc.GetContainerID()) {
			t.Errorf("container %s is left behind", c.tc.GetContainerID())
		}
		if _, err := net.DialTimeout("tcp", strings.TrimPrefix(c.URL(), "http://"), time.Second); err == nil {
			t.Errorf("%s still answers", c.URL())
		}
	}
}

func TestTheRealContainerOfAKilledProcessIsRemovedByTheNextStart(t *testing.T) {
	api := onEngine(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.CommandContext(t.Context(), exe)
	parent.Env = append(os.Environ(), parentEnv+"=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	id := strings.TrimSpace(line)
	if err != nil || len(id) != len(stubID) {
		_ = parent.Process.Kill()
		t.Fatalf("the parent says %q, %v", line, err)
	}
	t.Cleanup(func() {
		_, _ = api.ContainerRemove(context.WithoutCancel(t.Context()), id, client.ContainerRemoveOptions{Force: true})
	})
	if err := sweep(t.Context(), api); err != nil {
		t.Fatal(err)
	}
	if !exists(t, api, id) {
		t.Error("removed while its owner lives")
	}
	_ = parent.Process.Kill()
	_ = parent.Wait()
	if !exists(t, api, id) {
		t.Fatal("gone with its owner: then nothing is tested here")
	}
	c := startReal(t)
	if exists(t, api, id) {
		t.Error("left behind by the next start")
	}
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
}

func TestARealImageThatDoesNotStartLeavesItsLastWordsAndNothingElse(t *testing.T) {
	api := onEngine(t)
	before := ours(t, api)
	c, err := start(t.Context(), localstack.Options{}, spec{image: Image,
		entrypoint: []string{"python3", "-c", "print('first', flush=True); import no_such_module"}})
	died := new(localstack.DiedError)
	if !errors.As(err, &died) || !died.Starting {
		t.Fatalf("got %v, %v", c, err)
	}
	for _, want := range []string{"exit status 1", "first", "No module named 'no_such_module'"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if after := ours(t, api); after > before {
		t.Errorf("%d containers more than before", after-before)
	}
}

// ours counts the containers of this process.
func ours(t *testing.T, api client.APIClient) int {
	t.Helper()
	me, err := self()
	if err != nil {
		t.Fatal(err)
	}
	all, err := api.ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", ownerLabel+"="+me.String())})
	if err != nil {
		t.Fatal(err)
	}
	return len(all.Items)
}

func TestARealContainerThatIsRemovedInMidRunIsToldAsDead(t *testing.T) {
	api := onEngine(t)
	c := startReal(t)
	if _, err := api.ContainerRemove(t.Context(), c.tc.GetContainerID(), client.ContainerRemoveOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("not told within 10 s")
	}
	if died := new(localstack.DiedError); !errors.As(c.Err(), &died) || died.Starting {
		t.Errorf("got %v", c.Err())
	}
	if err := c.Stop(); err != nil {
		t.Errorf("Stop of what is gone: %v", err)
	}
}
