package awscloud_test

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/executor/awscloud"
	"aws-slurm-burst/executor/cloud"
)

func TestEndpoint(t *testing.T) {
	for _, tt := range []struct {
		name   string
		env    map[string]string
		region string
		given  string
		want   string
		fails  string // part of the error
	}{
		{"AWS's own", nil, "eu-central-1", "", "https://ec2.eu-central-1.amazonaws.com", ""},
		{"AWS in China", nil, "cn-north-1", "", "https://ec2.cn-north-1.amazonaws.com.cn", ""},
		{"the region of the environment", map[string]string{"AWS_REGION": "eu-west-1"}, "", "", "https://ec2.eu-west-1.amazonaws.com", ""},
		{"the older variable", map[string]string{"AWS_DEFAULT_REGION": "eu-west-2"}, "", "", "https://ec2.eu-west-2.amazonaws.com", ""},
		{"as configured", nil, "eu-west-1", "http://localhost:4566/", "http://localhost:4566", ""},
		{"a local endpoint needs no region", nil, "", "http://localhost:4566", "http://localhost:4566", ""},
		{"the environment wins", map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "", "http://localhost:4566", "http://127.0.0.1:1", ""},
		{"the variable for EC2 wins over it", map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_EC2": "http://127.0.0.1:2"}, "", "", "http://127.0.0.1:2", ""},
		{"no region", nil, "", "", "", "no region is set"},
		{"a region nobody can place", nil, "eu west", "", "", "eu west"},
		{"no scheme", nil, "us-east-1", "localhost:4566", "", `aws.endpoint_url "localhost:4566"`},
		{"no host", nil, "us-east-1", "http:///x", "", "aws.endpoint_url"},
		{"not a URL, by the environment", map[string]string{"AWS_ENDPOINT_URL_EC2": "::"}, "us-east-1", "", "", `AWS_ENDPOINT_URL_EC2 "::"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := awscloud.New(context.Background(), awscloud.Options{
				Region: tt.region, EndpointURL: tt.given, Getenv: environ(tt.env),
			})
			if tt.fails != "" {
				e := asError(t, err)
				if c != nil || e.Class != cloud.Config || e.Hint == "" || !strings.Contains(e.Error(), tt.fails) {
					t.Errorf("%v (class %s, hint %q), want config, a hint and %q", e, e.Class, e.Hint, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if c.Endpoint() != tt.want {
				t.Errorf("endpoint %s, want %s", c.Endpoint(), tt.want)
			}
		})
	}
}

// write makes a file in a new folder and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestKeysAreFoundInOrder(t *testing.T) {
	credentials := write(t, "credentials", "[default]\naws_access_key_id = FILE\naws_secret_access_key = s\n[burst]\naws_access_key_id = BURST\naws_secret_access_key = s\n")
	configFile := write(t, "config", "[profile burst]\nregion = eu-north-1\n[profile viaprocess]\nregion = eu-north-1\ncredential_process = /bin/echo '{\"Version\": 1, \"AccessKeyId\": \"PROCESS\", \"SecretAccessKey\": \"s\"}'\n")
	home := filepath.Dir(filepath.Dir(write(t, ".aws/credentials", "[default]\naws_access_key_id = HOME\naws_secret_access_key = s\n")))
	inEnv := map[string]string{"AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s"}
	given := awscloud.AccessKeys{ID: "GIVEN", Secret: "s"}
	for _, tt := range []struct {
		name   string
		env    map[string]string
		o      awscloud.Options
		key    string
		region string
	}{
		{"the environment first", inEnv, awscloud.Options{Region: "us-east-1", AccessKeys: given, CredentialsFile: credentials}, "ENV", "us-east-1"},
		{"the environment, though the profile is not on this machine", inEnv, awscloud.Options{Region: "us-east-1", Profile: "nope", CredentialsFile: "/nonexistent"}, "ENV", "us-east-1"},
		{"then the given pair", map[string]string{"AWS_ACCESS_KEY_ID": "half"}, awscloud.Options{Region: "us-east-1", AccessKeys: given, CredentialsFile: credentials}, "GIVEN", "us-east-1"},
		{"then the named file", nil, awscloud.Options{Region: "us-east-1", CredentialsFile: credentials}, "FILE", "us-east-1"},
		{"the profile in it, with its region", nil, awscloud.Options{Profile: "burst", ConfigFile: configFile, CredentialsFile: credentials}, "BURST", "eu-north-1"},
		{"a profile by environment", map[string]string{"AWS_PROFILE": "burst"}, awscloud.Options{Region: "us-east-1", CredentialsFile: credentials}, "BURST", "us-east-1"},
		{"files by environment", map[string]string{"AWS_SHARED_CREDENTIALS_FILE": credentials}, awscloud.Options{Region: "us-east-1"}, "FILE", "us-east-1"},
		{"the home folder's", map[string]string{"HOME": home}, awscloud.Options{Region: "us-east-1"}, "HOME", "us-east-1"},
		{"a program of the profile", nil, awscloud.Options{Profile: "viaprocess", ConfigFile: configFile}, "PROCESS", "eu-north-1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := &recorder{answers: []answer{ok("DeletePlacementGroup", "")}}
			tt.o.HTTPClient, tt.o.Getenv = rec, environ(tt.env)
			c, err := awscloud.New(context.Background(), tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.DeleteGroup(context.Background(), "pg"); err != nil {
				t.Fatal(err)
			}
			if a := rec.auth[0]; !strings.Contains(a, "Credential="+tt.key+"/") || c.Region() != tt.region || !strings.Contains(a, "/"+tt.region+"/ec2/") {
				t.Errorf("signed %q, want key %s and region %s", a, tt.key, tt.region)
			}
		})
	}
}

func TestMissingFilesAndProfilesAreSaidAtOnce(t *testing.T) {
	credentials := write(t, "credentials", "[default]\naws_access_key_id = FILE\naws_secret_access_key = s\n")
	for _, tt := range []struct {
		name  string
		o     awscloud.Options
		class cloud.Class
		text  string
	}{
		{"no such file", awscloud.Options{Region: "us-east-1", CredentialsFile: "/nonexistent/credentials"}, cloud.Credentials, "aws.credentials_file: open /nonexistent/credentials: no such file"},
		{"no such config", awscloud.Options{Region: "us-east-1", ConfigFile: "/nonexistent/config", CredentialsFile: credentials}, cloud.Credentials, "aws.config_file: open"},
		{"no such profile", awscloud.Options{Region: "us-east-1", Profile: "burst", CredentialsFile: credentials}, cloud.Credentials, `profile "burst" is in none of: ` + credentials},
		{"no file at all", awscloud.Options{Region: "us-east-1", Profile: "burst"}, cloud.Credentials, `profile "burst": no AWS files are named, and HOME is not set`},
		{"no such source profile", awscloud.Options{Region: "us-east-1", ConfigFile: write(t, "config", "[default]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = nope\n")}, cloud.Credentials, "nope"},
		{"a setting nobody can read", awscloud.Options{Region: "us-east-1", ConfigFile: write(t, "config", "[default]\naccount_id_endpoint_mode = perhaps\n")}, cloud.Config, "perhaps"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Getenv = environ(nil)
			c, err := awscloud.New(context.Background(), tt.o)
			e := asError(t, err)
			if c != nil || e.Class != tt.class || e.Hint == "" || !strings.Contains(e.Error(), tt.text) {
				t.Errorf("%v (class %s), want %s and %q", e, e.Class, tt.class, tt.text)
			}
		})
	}
}

func TestTheInstanceRoleIsTheLastResort(t *testing.T) {
	var asked atomic.Int32
	role := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/latest/api/token":
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "300")
			w.Write([]byte("token"))
		case "/latest/meta-data/iam/security-credentials/":
			w.Write([]byte("controller"))
		default:
			w.Write([]byte(`{"Code":"Success","AccessKeyId":"ROLE","SecretAccessKey":"s","Token":"t","Expiration":"2099-01-01T00:00:00Z"}`))
		}
	}))
	defer role.Close()
	rec := &recorder{answers: []answer{refused(400, "ExpiredToken", "too old"), ok("DeletePlacementGroup", "")}}
	c, err := awscloud.New(context.Background(), awscloud.Options{Region: "us-east-1", HTTPClient: rec,
		Getenv: environ(map[string]string{"AWS_EC2_METADATA_SERVICE_ENDPOINT": role.URL})})
	if err != nil {
		t.Fatal(err)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("New asked for keys %d times, want never", n)
	}
	if e := asError(t, c.DeleteGroup(context.Background(), "pg")); e.Class != cloud.Credentials {
		t.Errorf("%v (class %s)", e, e.Class)
	}
	once := asked.Load()
	if err := c.DeleteGroup(context.Background(), "pg"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(rec.auth[0], "Credential=ROLE/") {
		t.Errorf("signed %q", rec.auth[0])
	}
	if asked.Load() == once {
		t.Error("keys that EC2 refused were used again without a look for new ones")
	}
}

func TestWithoutKeysNothingIsSent(t *testing.T) {
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		hold(r)
	}))
	defer silent.Close()
	down := httptest.NewServer(nil)
	down.Close()
	for name, env := range map[string]map[string]string{
		"no metadata service":            {"AWS_EC2_METADATA_SERVICE_ENDPOINT": down.URL},
		"a metadata service that is mum": {"AWS_EC2_METADATA_SERVICE_ENDPOINT": silent.URL},
		"metadata service switched off":  {"AWS_EC2_METADATA_DISABLED": "true"},
	} {
		t.Run(name, func(t *testing.T) {
			rec := &recorder{answers: []answer{ok("DeletePlacementGroup", "")}}
			c, err := awscloud.New(context.Background(), awscloud.Options{Region: "us-east-1", HTTPClient: rec, Getenv: environ(env)})
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			e := asError(t, c.DeleteGroup(context.Background(), "pg"))
			if d := time.Since(start); d > 4*time.Second {
				t.Errorf("it took %s to find no keys", d)
			}
			if e.Class != cloud.Credentials || e.Code != "NoCredentials" || e.Status != 0 || !strings.Contains(e.Hint, "aws.profile") {
				t.Errorf("%v (class %s code %s status %d hint %q)", e, e.Class, e.Code, e.Status, e.Hint)
			}
			if len(rec.forms) != 0 || len(c.Counts()) != 0 {
				t.Errorf("%d calls, counts %v, want none", len(rec.forms), c.Counts())
			}
		})
	}
}

func TestAssumeRole(t *testing.T) {
	const creds = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
		<AccessKeyId>ASSUMED</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>
		</Credentials></AssumeRoleResult></AssumeRoleResponse>`
	newCloud := func(t *testing.T, env map[string]string, answers ...answer) (*awscloud.Cloud, *recorder) {
		rec := &recorder{answers: answers}
		c, err := awscloud.New(context.Background(), awscloud.Options{Region: "us-east-1", EndpointURL: testEndpoint, HTTPClient: rec,
			AccessKeys: awscloud.AccessKeys{ID: "LONGTERM", Secret: "s"}, Getenv: environ(env),
			AssumeRole: awscloud.AssumeRole{RoleARN: "arn:aws:iam::1:role/burst", ExternalID: "x-1", Duration: 30 * time.Minute}})
		if err != nil {
			t.Fatal(err)
		}
		return c, rec
	}
	t.Run("is asked once and signs the calls", func(t *testing.T) {
		c, rec := newCloud(t, nil, answer{status: 200, body: creds}, ok("DeletePlacementGroup", ""))
		for range 2 {
			if err := c.DeleteGroup(context.Background(), "pg"); err != nil {
				t.Fatal(err)
			}
		}
		if len(rec.forms) != 3 {
			t.Fatalf("%d requests, want one for the role and two calls", len(rec.forms))
		}
		got := map[string]string{}
		for k := range rec.forms[0] {
			got[k] = rec.forms[0].Get(k)
		}
		want := map[string]string{"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": "arn:aws:iam::1:role/burst",
			"RoleSessionName": "aws-slurm-burst", "ExternalId": "x-1", "DurationSeconds": "1800"}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("AssumeRole (-want +got):\n%s", d)
		}
		if !strings.Contains(rec.auth[0], "Credential=LONGTERM/") || !strings.Contains(rec.auth[2], "Credential=ASSUMED/") || !strings.HasPrefix(rec.urls[0], testEndpoint) {
			t.Errorf("asked %s, signed %q", rec.urls[0], rec.auth)
		}
		if d := cmp.Diff(map[string]int{"DeletePlacementGroup": 2}, c.Counts()); d != "" {
			t.Errorf("counts (-want +got):\n%s", d)
		}
	})
	t.Run("is asked elsewhere than EC2", func(t *testing.T) {
		c, rec := newCloud(t, map[string]string{"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9"}, answer{status: 200, body: creds}, ok("DeletePlacementGroup", ""))
		if err := c.DeleteGroup(context.Background(), "pg"); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(rec.urls[0], "http://127.0.0.1:9") || !strings.HasPrefix(rec.urls[1], testEndpoint) {
			t.Errorf("asked %q", rec.urls)
		}
	})
	t.Run("refused means no keys", func(t *testing.T) {
		c, rec := newCloud(t, nil, answer{status: 403, body: `<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>`})
		e := asError(t, c.DeleteGroup(context.Background(), "pg"))
		if e.Class != cloud.Credentials || e.Code != "NoCredentials" || !strings.Contains(e.Error(), "not you") || len(rec.forms) != 1 {
			t.Errorf("%v (class %s) after %d requests", e, e.Class, len(rec.forms))
		}
	})
}

// A simulation runs calls in coroutines, on any machine.
func TestGivenCredentialsStayOnTheCallersGoroutineAndReadNothing(t *testing.T) {
	for k, v := range map[string]string{"AWS_CA_BUNDLE": "/nonexistent", "AWS_PROFILE": "nope", "AWS_USE_FIPS_ENDPOINT": "true", "AWS_ACCESS_KEY_ID": "E", "AWS_SECRET_ACCESS_KEY": "s"} {
		t.Setenv(k, v)
	}
	self := func() string { b := make([]byte, 32); return strings.Fields(string(b[:runtime.Stack(b, false)]))[1] }
	home, seen := self(), ""
	client := doer(func(r *http.Request) (*http.Response, error) {
		seen = self() + " " + r.Header.Get("Authorization")
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(ok("DeletePlacementGroup", "").body)), Header: http.Header{}}, nil
	})
	c, err := awscloud.New(context.Background(), awscloud.Options{Region: "us-east-1", HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider("SIM", "s", "")})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.DeleteGroup(context.Background(), "pg"); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(seen, home+" ") || !strings.Contains(seen, "Credential=SIM/") {
		t.Errorf("sent by goroutine %s, want goroutine %s and key SIM", seen, home)
	}
	if c.Endpoint() != "https://ec2.us-east-1.amazonaws.com" {
		t.Errorf("endpoint %s", c.Endpoint())
	}
}

func TestTheEnvironmentCannotTurnTheSDKsRetriesOn(t *testing.T) {
	t.Setenv("AWS_MAX_ATTEMPTS", "5")
	t.Setenv("AWS_RETRY_MODE", "adaptive")
	c, rec := connect(t, refused(503, "RequestLimitExceeded", "slow down"))
	if e := asError(t, c.DeleteGroup(context.Background(), "pg")); e.Class != cloud.Throttle || len(rec.forms) != 1 {
		t.Errorf("%v after %d calls, want throttle after one", e, len(rec.forms))
	}
}

func TestACABundleIsTrusted(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(ok("DeletePlacementGroup", "").body))
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // the refused handshake
	s.StartTLS()
	defer s.Close()
	bundle := write(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	for _, trusted := range []bool{false, true} {
		if trusted {
			t.Setenv("AWS_CA_BUNDLE", bundle)
		}
		c, err := awscloud.New(context.Background(), awscloud.Options{EndpointURL: s.URL,
			AccessKeys: awscloud.AccessKeys{ID: "a", Secret: "b"}, Getenv: environ(nil)})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.DeleteGroup(context.Background(), "pg"); (err == nil) != trusted {
			t.Errorf("trusted %t: %v", trusted, err)
		}
	}
}

// hold answers nothing until the client goes away, which a server notices once
// it has read the request.
func hold(r *http.Request) {
	io.Copy(io.Discard, r.Body)
	select {
	case <-r.Context().Done():
	case <-time.After(10 * time.Second):
	}
}

// Against real sockets: our own transport, timeouts aside.
func TestOwnTransport(t *testing.T) {
	newCloud := func(t *testing.T, url string) *awscloud.Cloud {
		c, err := awscloud.New(context.Background(), awscloud.Options{EndpointURL: url,
			AccessKeys: awscloud.AccessKeys{ID: "a", Secret: "b"}, Getenv: environ(nil)})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	t.Run("nobody listens", func(t *testing.T) {
		down := httptest.NewServer(nil)
		down.Close()
		err := newCloud(t, down.URL).DeleteGroup(context.Background(), "pg")
		e := asError(t, err)
		want := "DeletePlacementGroup: ambiguous: no answer from " + down.URL + ": dial tcp " + strings.TrimPrefix(down.URL, "http://") + ": connect: connection refused"
		if e.Class != cloud.Ambiguous || e.Error() != want || !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("got  %q\nwant %q", e, want)
		}
	})
	t.Run("the answer is shorter than announced", func(t *testing.T) {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.Write([]byte(ok("DeletePlacementGroup", "").body))
		}))
		defer s.Close()
		if e := asError(t, newCloud(t, s.URL).DeleteGroup(context.Background(), "pg")); e.Class != cloud.Ambiguous || !strings.Contains(e.Error(), "broke off") {
			t.Errorf("%v (class %s)", e, e.Class)
		}
	})
	t.Run("the connection is reset, and the call not repeated", func(t *testing.T) {
		var calls atomic.Int32
		s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			calls.Add(1)
			panic(http.ErrAbortHandler)
		}))
		defer s.Close()
		c := newCloud(t, s.URL)
		if e := asError(t, c.DeleteGroup(context.Background(), "pg")); e.Class != cloud.Ambiguous || e.Status != 0 {
			t.Errorf("%v (class %s)", e, e.Class)
		}
		if n := calls.Load(); n != 1 || c.Counts()["DeletePlacementGroup"] != 1 {
			t.Errorf("%d calls arrived, %v counted, want 1", n, c.Counts())
		}
	})
	t.Run("the caller's deadline ends a call", func(t *testing.T) {
		s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			hold(r)
		}))
		defer s.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		e := asError(t, newCloud(t, s.URL).DeleteGroup(ctx, "pg"))
		if e.Class != cloud.Ambiguous || !errors.Is(e, context.DeadlineExceeded) {
			t.Errorf("%v (class %s)", e, e.Class)
		}
	})
	t.Run("connections are kept for many calls at once", func(t *testing.T) {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Write([]byte(ok("DeletePlacementGroup", "").body))
		}))
		defer s.Close()
		c := newCloud(t, s.URL)
		done := make(chan error)
		for range 20 {
			go func() { done <- c.DeleteGroup(context.Background(), "pg") }()
		}
		for range 20 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if n := c.Counts()["DeletePlacementGroup"]; n != 20 {
			t.Errorf("%d calls counted, want 20", n)
		}
	})
}

// A resume starts a process: what counts is the time from nothing to the first
// answer. It must stay below 15 ms.
func BenchmarkNewAndFirstCall(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(ok("DescribeInstances", "<reservationSet/>").body))
	}))
	defer s.Close()
	for b.Loop() {
		c, err := awscloud.New(context.Background(), awscloud.Options{EndpointURL: s.URL,
			AccessKeys: awscloud.AccessKeys{ID: "a", Secret: "b"}, Getenv: environ(nil)})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.Describe(context.Background(), cloud.InstanceQuery{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLaunchOverMemory(b *testing.B) {
	c, rec := connect(b, ok("RunInstances", launched))
	for b.Loop() {
		if _, err := c.Launch(context.Background(), base); err != nil {
			b.Fatal(err)
		}
		rec.forms, rec.urls, rec.auth = nil, nil, nil
	}
}
