package localstack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The stub is this test binary run as the environment's Python: everything about
// the process (readiness, death, groups, logs) is tested without LocalStack.
const stubEnv = "ASBA_LOCALSTACK_STUB"

func TestMain(m *testing.M) {
	if mode := os.Getenv(stubEnv); mode != "" {
		os.Exit(stub(mode))
	}
	os.Exit(m.Run())
}

func stub(mode string) int {
	listen := os.Getenv("GATEWAY_LISTEN")
	switch mode {
	case "parent": // of a server, to be killed by the test
		s, err := Start(context.Background(), Options{Dir: os.Getenv("STUB_DIR")})
		if err != nil {
			fmt.Println("ERROR", err)
			return 1
		}
		fmt.Println(s.URL())
		select {}
	case "dies":
		fmt.Println("first line")
		fmt.Fprintln(os.Stderr, "ModuleNotFoundError: No module named 'cbor2'")
		return 3
	case "silent": // runs, but never listens
		select {}
	case "stubborn": // outlives TERM and has a child that does too
		signal.Ignore(syscall.SIGTERM)
		child := exec.Command("sh", "-c", "trap '' TERM; while :; do sleep 1; done")
		if err := child.Start(); err != nil {
			return 1
		}
		fmt.Println("child", child.Process.Pid)
	case "orphan": // goes at TERM, its child does not
		child := exec.Command("sh", "-c", "trap '' TERM; while :; do sleep 1; done")
		if err := child.Start(); err != nil {
			return 1
		}
		fmt.Println("child", child.Process.Pid)
	}
	err := http.ListenAndServe(listen, healthy("available"))
	fmt.Println(err)
	return 1
}

// healthy is what of LocalStack's surface this package looks at.
func healthy(ec2 string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_localstack/health", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"services": {"ec2": %q, "sts": "disabled"}, "edition": "unknown", "version": "4.14.0"}`, ec2)
	})
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("Action") != "DescribeVpcs" {
			w.WriteHeader(http.StatusNotImplemented)
			return
		}
		fmt.Fprint(w, `<DescribeVpcsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15"><vpcSet/></DescribeVpcsResponse>`)
	})
	return mux
}

// stubDir is an environment whose Python is the stub in the given mode.
func stubDir(t *testing.T, mode string) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\n%s=%s exec '%s'\n", stubEnv, mode, exe)
	if err := os.WriteFile(filepath.Join(dir, "bin", "python"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	writeStamp(t, dir, lock)
	return dir
}

func writeStamp(t *testing.T, dir string, of []byte) {
	t.Helper()
	sum := sha256.Sum256(of)
	if err := os.WriteFile(filepath.Join(dir, stamp), []byte(hex.EncodeToString(sum[:])+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// gone waits until no process of that id runs; a zombie counts as gone.
func gone(pid int) bool {
	for range 100 {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}
