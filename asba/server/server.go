// Package server answers the advisor's questions over HTTP: POST /analyze as
// asba/protocol has it, POST /explain with the ranked types and the findings
// beside the plan, a page for people, health, metrics, and its own description
// as OpenAPI.
//
// It does not advise: an Analyst does, and so the server is tried without a
// Slurm. It bounds what strangers can make it hold or do, writes a line of log a
// request, and never logs a script or a token.
package server

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/netutil"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/protocol"
)

// Analyst answers questions.
type Analyst interface {
	// Analyze answers before ctx ends. An error that wraps ErrQuestion is the
	// question's fault, every other one the advisor's own trouble; both are told
	// to the client, on one line.
	Analyze(ctx context.Context, q Question) (Analysis, error)
}

// ErrQuestion is why a question that can be read has no answer: there is no such
// job, or sbatch would refuse the script.
var ErrQuestion = errors.New("the question has no answer")

// Question is what a plan is wanted for.
type Question struct {
	protocol.Request
	// Explain asks for Analysis.Explanation too.
	Explain bool
}

// Analysis is what came of a question. The server names it.
type Analysis struct {
	Plan []byte // JSON
	// Confidence is from 0 to 1.
	Confidence float64
	// Explanation is nil where nobody asked for it.
	Explanation *Explanation
}

// Explanation is what a person wants to see beside the plan.
type Explanation struct {
	Region string
	Bursts bool
	// Nodes is how many nodes the plan is for.
	Nodes   int
	Reasons []string
	// Types serve the job, the best first; Excluded counts those that do not.
	Types    []Type
	Excluded int
	// Findings are about the script.
	Findings []finding.Finding
}

// Type is an instance type that serves the job. Costs are in USD, for all nodes
// of the job; 0 is not known.
type Type struct {
	Name                        string
	Planned                     bool // it is in the plan
	Market                      string
	Nodes                       int
	VCPUs, Cores, MemoryMiB     int
	GPUs                        int
	GPUModel                    string
	EFA                         int // interfaces
	HourlyCost, Cost            float64
	Interruption, Reason, Dated string // Dated is the day of the price, "" unknown
}

// Options say how a server guards itself. Zero values are the defaults.
type Options struct {
	// Token is what a client has to know; "" is nothing.
	Token string
	// Local is a server that only this machine reaches: without a token it
	// answers to no other name, or a web page that points its own name here
	// could ask through a visitor's browser.
	Local bool
	// Within is how long an analysis may take; scontrol gives up on a dead
	// slurmctld after 18 s.
	Within time.Duration
	// Busy is how many analyses run at once, Queue how many wait for their turn,
	// for at most Wait.
	Busy, Queue int
	Wait        time.Duration
	// Connections bounds open connections.
	Connections int
	// Grace is how long requests under way may take once the server stops.
	Grace time.Duration
	// ReadWithin is how long a request may take to arrive: its head and its body
	// each.
	ReadWithin time.Duration
	Log        *slog.Logger // none without
}

// Defaults. A client of this project gives up after some seconds by itself, and
// asks with a connection of its own.
const (
	within      = 20 * time.Second
	busy        = 64
	queue       = 256
	wait        = 2 * time.Second
	connections = 512
	grace       = 5 * time.Second
	readWithin  = 10 * time.Second
	idle        = 30 * time.Second
	headLimit   = 16 << 10
)

// Server is the advisor's HTTP server.
type Server struct {
	Options
	analyst Analyst
	token   [sha256.Size]byte // of Options.Token
	turns   *turns
	large   chan struct{}
	metrics *metrics
	handler http.Handler
}

// New returns a server that asks the analyst.
func New(a Analyst, o Options) *Server {
	o.Within, o.Wait = cmp.Or(o.Within, within), cmp.Or(o.Wait, wait)
	o.Busy, o.Queue = cmp.Or(o.Busy, busy), cmp.Or(o.Queue, queue)
	o.Connections, o.Grace = cmp.Or(o.Connections, connections), cmp.Or(o.Grace, grace)
	o.ReadWithin = cmp.Or(o.ReadWithin, readWithin)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{Options: o, analyst: a, token: sha256.Sum256([]byte(o.Token)), turns: newTurns(o.Busy, o.Queue, o.Wait), large: make(chan struct{}, largeAtOnce)}
	s.metrics = newMetrics(s.turns)
	s.handler = s.guarded(s.routes())
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// route is a path that is answered, with one method.
type route struct {
	method, path string
	// open is a route without secrets: it is answered without the token.
	open   bool
	handle http.HandlerFunc
}

// all are the routes. What they are is in openapi.yaml too; a test compares.
func (s *Server) all() []route {
	return []route{
		{http.MethodPost, protocol.Path, false, s.analyze},
		{http.MethodPost, "/explain", false, s.explain},
		{http.MethodGet, "/healthz", true, healthz},
		{http.MethodGet, "/metrics", false, s.metrics.handler.ServeHTTP},
		{http.MethodGet, "/openapi.yaml", true, openAPI},
		{http.MethodGet, "/{$}", true, page},
	}
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	methods := map[string]string{}
	for _, r := range s.all() {
		h := http.Handler(r.handle)
		if !r.open {
			h = s.authorized(h)
		}
		mux.Handle(r.method+" "+r.path, h)
		methods[r.path] = r.method
	}
	// ServeMux would say these in plain text.
	for path, method := range methods {
		allow := method
		if method == http.MethodGet {
			allow = "GET, HEAD"
		}
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", allow)
			refuse(w, http.StatusMethodNotAllowed, "%s is not for %s", r.Method, r.URL.Path)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "no such path (POST %s, or see /openapi.yaml)", protocol.Path)
	})
	return mux
}

// Serve answers on a listener until stop ends; then it takes nothing new, and
// what is under way has the grace to end. With certificates it speaks TLS.
func (s *Server) Serve(stop context.Context, l net.Listener, certs []tls.Certificate) error {
	h := &http.Server{
		Handler: s, ReadHeaderTimeout: s.ReadWithin, ReadTimeout: 2 * s.ReadWithin, IdleTimeout: idle,
		WriteTimeout: 2*s.ReadWithin + s.Wait + s.Within + 10*time.Second, MaxHeaderBytes: headLimit,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug), // strangers' broken handshakes
	}
	silent := &silentConns{}
	h.ConnState = silent.see
	l = netutil.LimitListener(l, s.Connections)
	ended := make(chan error, 1)
	go func() {
		if len(certs) > 0 {
			h.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: certs}
			ended <- h.ServeTLS(l, "", "")
		} else {
			ended <- h.Serve(l)
		}
	}()
	select {
	case err := <-ended:
		return err
	case <-stop.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.Grace)
	defer cancel()
	silent.close()
	err := h.Shutdown(ctx)
	if err != nil { // who was not done by now is cut off
		_ = h.Close()
	}
	<-ended
	return err
}

// silentConns are connections on which nothing has been asked. Browsers open
// them ahead of need, and Shutdown would wait for them.
type silentConns struct {
	mu      sync.Mutex
	conns   map[net.Conn]bool
	stopped bool
}

func (c *silentConns) see(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(c.conns, conn)
	case c.stopped:
		_ = conn.Close()
	case c.conns == nil:
		c.conns = map[net.Conn]bool{conn: true}
	default:
		c.conns[conn] = true
	}
}

func (c *silentConns) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	for conn := range c.conns {
		_ = conn.Close()
	}
}
