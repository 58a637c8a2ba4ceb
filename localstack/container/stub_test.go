package container

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"aws-slurm-burst/localstack"
)

// stub is an engine that has one image, and containers that only it knows. The
// few calls of Docker's API that this package leads to are answered; what it was
// asked is kept.
type stub struct {
	t *testing.T
	// socket is where it listens, dockerHost how DOCKER_HOST names it.
	socket, dockerHost string
	// image is the label of the image, "" for one without, "none" for no image.
	image string
	// fails, where set, answers a call "METHOD path" with 500 and these words.
	fails map[string]string
	// hangs are calls "METHOD path" that are never answered.
	hangs []string
	// serves is the handler behind the published port; nil publishes none.
	serves http.Handler
	// logs is what every container printed.
	logs string
	// left are containers that are there already.
	left []map[string]any

	mu       sync.Mutex
	asked    []string
	created  map[string]any
	server   *httptest.Server
	ended    chan struct{} // closed when the container has ended
	exitCode int
	removed  []string
}

const stubID = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// start listens on a socket of its own, which DOCKER_HOST then names.
func (s *stub) start(t *testing.T) *stub {
	t.Helper()
	s.t, s.ended = t, make(chan struct{})
	// A socket's name is short; a test's folder may not be.
	s.socket = filepath.Join(shortDir(t), "docker.sock")
	l, err := net.Listen("unix", s.socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: s}}
	server.Start()
	if s.serves != nil {
		s.server = httptest.NewServer(s.serves)
		t.Cleanup(s.server.Close)
	}
	t.Cleanup(func() {
		s.end(0)
		server.CloseClientConnections()
		server.Close()
	})
	s.dockerHost = "unix://" + s.socket
	t.Setenv("DOCKER_HOST", s.dockerHost)
	return s
}

// end ends the container by itself.
func (s *stub) end(code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.ended:
	default:
		s.exitCode = code
		close(s.ended)
	}
}

func (s *stub) calls(prefix string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, a := range s.asked {
		if strings.HasPrefix(a, prefix) {
			n++
		}
	}
	return n
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Api-Version", "1.41")
	w.Header().Set("Content-Type", "application/json")
	path := strings.TrimPrefix(r.URL.Path, "/v1.41")
	call := r.Method + " " + path
	s.mu.Lock()
	s.asked = append(s.asked, call)
	words, fails := s.fails[call]
	s.mu.Unlock()
	if fails {
		w.WriteHeader(http.StatusInternalServerError)
		_ = json.NewEncoder(w).Encode(map[string]string{"message": words})
		return
	}
	if slices.Contains(s.hangs, call) {
		<-r.Context().Done()
		return
	}
	id, isContainer := strings.CutPrefix(path, "/containers/")
	id, action, _ := strings.Cut(id, "/")
	switch {
	case path == "/_ping":
		fmt.Fprint(w, "OK")
	case path == "/info":
		fmt.Fprint(w, `{"ServerVersion": "20.10.24", "OperatingSystem": "stub"}`)
	case path == "/networks":
		fmt.Fprint(w, `[{"Name": "bridge", "Id": "b"}]`)
	case strings.HasPrefix(path, "/images/") && strings.HasSuffix(path, "/json"):
		s.inspectImage(w)
	case call == "GET /containers/json":
		_ = json.NewEncoder(w).Encode(s.left)
	case call == "POST /containers/create":
		s.mu.Lock()
		_ = json.NewDecoder(r.Body).Decode(&s.created)
		s.mu.Unlock()
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"Id": %q}`, stubID)
	case r.Method == http.MethodDelete && isContainer:
		s.mu.Lock()
		s.removed = append(s.removed, id)
		s.mu.Unlock()
		if id == stubID {
			s.end(137)
		}
		w.WriteHeader(http.StatusNoContent)
	case action == "start", action == "stop":
		w.WriteHeader(http.StatusNoContent)
	case action == "json":
		s.inspect(w)
	case action == "wait":
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-s.ended
		s.mu.Lock()
		defer s.mu.Unlock()
		fmt.Fprintf(w, `{"StatusCode": %d}`, s.exitCode)
	case action == "logs":
		w.Header().Set("Content-Type", "application/vnd.docker.raw-stream")
		n := len(s.logs)
		_, _ = w.Write(append([]byte{1, 0, 0, 0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, s.logs...))
		w.(http.Flusher).Flush()
		<-s.ended
	default:
		s.t.Errorf("the engine was asked %s", call)
		w.WriteHeader(http.StatusNotFound)
	}
}

func (s *stub) inspectImage(w http.ResponseWriter) {
	labels := map[string]string{}
	switch s.image {
	case "none":
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"message": "No such image"}`)
		return
	case "":
	default:
		labels[lockLabel] = s.image
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"Id": "sha256:1", "Config": map[string]any{"Labels": labels}})
}

func (s *stub) inspect(w http.ResponseWriter) {
	ports := map[string]any{}
	if s.server != nil {
		_, port, _ := net.SplitHostPort(s.server.Listener.Addr().String())
		ports[gateway] = []map[string]string{{"HostIp": "127.0.0.1", "HostPort": port}}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"Id": stubID, "HostConfig": map[string]any{"NetworkMode": "default"},
		"State":           map[string]any{"Status": "running", "Running": true},
		"NetworkSettings": map[string]any{"Ports": ports},
	})
}

// healthy is what of LocalStack's surface is looked at.
func healthy() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_localstack/health", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"services": {"ec2": "available"}, "version": "`+localstack.Version+`"}`)
	})
	mux.HandleFunc("POST /", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>`)
	})
	return mux
}
