// Package localstacktest gives tests a real LocalStack on this host, one for all
// of a test binary. It is for tests alone.
package localstacktest

import (
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"

	"aws-slurm-burst/localstack"
)

var started struct {
	sync.Once
	server *localstack.Server
	err    error
}

// Main runs the tests of a binary, stops the LocalStack that they started, and
// ends the process. It is called from TestMain.
func Main(m *testing.M) {
	code := m.Run()
	if started.server != nil {
		if err := started.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// URL is where LocalStack answers EC2; the first test that asks starts it. It
// skips the test where LocalStack is not installed, unless the environment
// demands it (ASBA_REQUIRE_LOCALSTACK=1): a CI that asked for it must not pass
// without it.
func URL(t *testing.T) *url.URL {
	t.Helper()
	if err := localstack.Installed(localstack.DefaultDir()); err != nil {
		if os.Getenv("ASBA_REQUIRE_LOCALSTACK") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	started.Do(func() { started.server, started.err = localstack.Start(t.Context(), localstack.Options{}) })
	if started.err != nil {
		t.Fatal(started.err)
	}
	target, err := url.Parse(started.server.URL())
	if err != nil {
		t.Fatal(err)
	}
	return target
}
