package host

import (
	"bufio"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/executor/plansource"
)

func soon(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestAQuestionIsPostedAndTheResponseRead(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s %s %s %q", r.Method, r.URL.Path, r.Header.Get("Content-Type"), body, r.Header.Get("Authorization"))
	}))
	defer server.Close()
	r, err := Web{}.Post(soon(t, 5*time.Second), plansource.Post{URL: server.URL + "/analyze", Body: []byte("{}"), Limit: 100})
	if err != nil || r.Status != http.StatusTeapot || string(r.Body) != `POST /analyze application/json {} ""` || !r.Local {
		t.Errorf("%+v %s %v", r, r.Body, err)
	}
}

// respond answers every connection with a text as it is, in parts, after it has
// read the head of the request.
func respond(t *testing.T, pause time.Duration, parts ...string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { close(done); l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				req, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, req.Body)
				for _, p := range parts {
					if p == "wait" {
						<-done
					}
					if _, err := io.WriteString(c, p); err != nil {
						return
					}
					time.Sleep(pause)
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func TestNothingButAWholeResponseIsTaken(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, c := range map[string]struct {
		parts []string
		want  error
		body  string
	}{
		"whole":              {[]string{ok + "Content-Length: 2\r\n\r\n{}"}, nil, "{}"},
		"in chunks":          {[]string{ok + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", "1\r\n}\r\n0\r\n\r\n"}, nil, "{}"},
		"cut":                {[]string{ok + "Content-Length: 9\r\n\r\n{}"}, plansource.ErrCut, ""},
		"chunks without end": {[]string{ok + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"}, plansource.ErrCut, ""},
		"length not told":    {[]string{ok + "\r\n{}"}, plansource.ErrCut, ""},
		"too large":          {[]string{ok + "Content-Length: 101\r\n\r\n" + strings.Repeat("x", 101)}, plansource.ErrTooLarge, ""},
		"endless":            {[]string{ok + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("5\r\nxxxxx\r\n", 50), "wait"}, plansource.ErrTooLarge, ""},
		"says nothing":       {[]string{"wait"}, context.DeadlineExceeded, ""},
		"says no more":       {[]string{ok + "Content-Length: 9\r\n\r\n{}", "wait"}, context.DeadlineExceeded, ""},
		"says half a head":   {[]string{ok + "Content-Le", "wait"}, context.DeadlineExceeded, ""},
		"a redirect":         {[]string{"HTTP/1.1 307 x\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			r, err := Web{}.Post(soon(t, waitFor(c.want)), plansource.Post{URL: respond(t, 0, c.parts...), Limit: 100})
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("%v, want %v", err, c.want)
			}
			if c.want == nil && string(r.Body) != c.body {
				t.Errorf("body %q", r.Body)
			}
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("after %v", d)
			}
		})
	}
}

func TestASlowDripEndsWithTheDeadline(t *testing.T) {
	drip := []string{"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n"}
	for range 60 {
		drip = append(drip, "x")
	}
	start := time.Now()
	_, err := Web{}.Post(soon(t, 300*time.Millisecond), plansource.Post{URL: respond(t, 50*time.Millisecond, drip...), Limit: 100})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 2*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

func TestNobodyThereIsNoDeadline(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	_, err = Web{}.Post(soon(t, 5*time.Second), plansource.Post{URL: "http://" + l.Addr().String(), Limit: 1})
	if err == nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, plansource.ErrCut) {
		t.Error(err)
	}
}

func TestATokenIsSentAndCertificatesAreChecked(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("Authorization"))
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the client that trusts nobody
	defer server.Close()
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ca := write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})), 0o644)
	token := write("token", "abc.def\n", 0o600)
	post := func(p plansource.Post) (string, error) {
		p.URL, p.Limit = server.URL, 100
		r, err := Web{SlurmUser: -1}.Post(soon(t, 5*time.Second), p)
		return string(r.Body), err
	}
	if body, err := post(plansource.Post{TokenFile: token, CAFile: ca}); err != nil || body != "Bearer abc.def" {
		t.Errorf("%q %v", body, err)
	}
	if _, err := post(plansource.Post{TokenFile: token}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody trusts: %v", err)
	}
	for why, p := range map[string]plansource.Post{
		"can be read by others":  {CAFile: ca, TokenFile: write("open", "abc", 0o640)},
		"does not hold one word": {CAFile: ca, TokenFile: write("two", "a\nb: c", 0o600)},
		"not readable":           {CAFile: ca, TokenFile: filepath.Join(dir, "none")},
		"holds no certificate":   {CAFile: token},
	} {
		if _, err := post(p); !errors.Is(err, plansource.ErrNotAsked) || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", why, err)
		}
	}
}

// Where a name leads is known when the connection is there: a token then goes no
// further over plain HTTP than to this machine.
func TestATokenStaysOnThisMachineWithoutTLS(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header.Get("Authorization") })
	local := httptest.NewServer(handler)
	defer local.Close()
	if _, err := (Web{SlurmUser: -1}).Post(soon(t, 5*time.Second), plansource.Post{URL: local.URL, TokenFile: token, Limit: 9}); err != nil || <-got != "Bearer abc" {
		t.Errorf("to this machine: %v", err)
	}
	elsewhere := func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return far{c}, err
	}
	_, err := Web{SlurmUser: -1, dial: elsewhere}.Post(soon(t, 5*time.Second), plansource.Post{URL: local.URL, TokenFile: token, Limit: 9})
	if !errors.Is(err, plansource.ErrNotAsked) || !strings.HasPrefix(err.Error(), "not asked: a token does not go over plain HTTP") {
		t.Errorf("to another machine: %v", err)
	}
	r, err := Web{SlurmUser: -1, dial: elsewhere}.Post(soon(t, 5*time.Second), plansource.Post{URL: local.URL, Limit: 9})
	if err != nil || r.Local || <-got != "" {
		t.Errorf("without a token: %+v, %v", r, err)
	}
}

// far is a connection to another machine, as far as anyone can tell.
type far struct{ net.Conn }

func (far) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80} }
