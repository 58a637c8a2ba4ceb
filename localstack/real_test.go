package localstack

import (
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
)

// installed skips where LocalStack is not installed, unless the environment
// demands it: a CI that asked for it must not pass without it.
func installed(t *testing.T) string {
	t.Helper()
	dir := DefaultDir()
	if err := Installed(dir); err != nil {
		if os.Getenv("ASBA_REQUIRE_LOCALSTACK") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return dir
}

func TestRealLocalStackAnswersEC2OnLoopbackAlone(t *testing.T) {
	s := start(t, Options{Dir: installed(t)})
	h, err := askHealth(t.Context(), http.DefaultClient, s.URL())
	if err != nil {
		t.Fatal(err)
	}
	if h.Version != Version {
		t.Errorf("LocalStack %s, the lock is of %s", h.Version, Version)
	}

	for _, authorization := range []string{
		"", "anything at all",
		"AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/ec2/aws4_request, SignedHeaders=host, Signature=wrong",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/",
			strings.NewReader("Action=DescribeVpcs&Version=2016-11-15"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if authorization != "" {
			req.Header.Set("Authorization", authorization)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "<isDefault>true</isDefault>") {
			t.Errorf("authorization %q: status %d, %v, no default VPC in %.300s", authorization, resp.StatusCode, err, body)
		}
	}

	port := s.URL()[strings.LastIndex(s.URL(), ":"):]
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		ip, ok := a.(*net.IPNet)
		if !ok || ip.IP.IsLoopback() || ip.IP.To4() == nil {
			continue
		}
		if c, err := net.Dial("tcp", ip.IP.String()+port); err == nil {
			c.Close()
			t.Errorf("it answers on %s too", ip.IP)
		}
	}

	pid := s.cmd.Process.Pid
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if !gone(pid) {
		t.Errorf("process %d still runs", pid)
	}
}
