package server

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"aws-slurm-burst/asba/protocol"
)

// refuse answers with a failure in the protocol's form.
func refuse(w http.ResponseWriter, status int, format string, args ...any) {
	writeJSON(w, status, (&protocol.Failure{Text: fmt.Sprintf(format, args...)}).Encode())
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone is told nothing
}

// busyFor answers that there is no room now.
func busyFor(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	refuse(w, http.StatusServiceUnavailable, "too many questions at once, ask again in a second")
}

// seen is what the log says of a request beside what every server knows.
type seen struct {
	status, bytes int
	analysis      string
	question      slog.Attr
	err           error // the advisor's own trouble
}

type seenKey struct{}

// noted is where the handlers of a request leave what the log shall say.
func noted(r *http.Request) *seen { return r.Context().Value(seenKey{}).(*seen) }

// watched remembers what was answered.
type watched struct {
	http.ResponseWriter
	*seen
}

func (w watched) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w watched) Write(data []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(data)
	w.bytes += n
	return n, err
}

// Unwrap lets http.ResponseController find the connection.
func (w watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// guarded stands before every route: headers, the log, the metrics, panics, and
// who may ask at all.
func (s *Server) guarded(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusForbidden, "a page of another origin may not ask")
	}))
	next = cross.Handler(next)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		began, note := time.Now(), &seen{}
		w := watched{rw, note}
		r = r.WithContext(context.WithValue(r.Context(), seenKey{}, note))
		defer func() {
			if p := recover(); p != nil {
				s.Log.Error("panic", "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				if note.status == 0 {
					refuse(w, http.StatusInternalServerError, "the advisor failed: see its log")
				}
			}
			s.done(r, note, time.Since(began))
		}()
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if s.Local && s.Token == "" && !localName(r.Host) {
			refuse(w, http.StatusMisdirectedRequest, "this server answers to localhost and its own address alone, not to %q", r.Host)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// localName reports whether a Host header names this machine itself.
func localName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.Unmap().IsLoopback()
}

// done logs and counts a request. Health is asked all the time: it is logged
// for those who debug.
func (s *Server) done(r *http.Request, n *seen, took time.Duration) {
	path := s.metrics.count(r, n.status, took)
	level := slog.LevelInfo
	switch {
	case n.status >= 500:
		level = slog.LevelError
	case path == "/healthz" || path == "/metrics":
		level = slog.LevelDebug
	}
	attrs := []slog.Attr{
		slog.String("remote", r.RemoteAddr), slog.String("method", r.Method), slog.String("path", path), slog.Int("status", n.status),
		slog.Int("bytes", n.bytes), slog.Float64("ms", float64(took.Microseconds())/1e3),
	}
	if n.analysis != "" {
		attrs = append(attrs, slog.String("analysis_id", n.analysis))
	}
	if n.question.Key != "" {
		attrs = append(attrs, n.question)
	}
	if n.err != nil {
		attrs = append(attrs, slog.String("error", n.err.Error()))
	}
	s.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

// authorized lets through who knows the token. Digests are compared, so that
// neither the time nor the length tells anything of it.
func (s *Server) authorized(next http.Handler) http.Handler {
	if s.Token == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, word, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		got := sha256.Sum256([]byte(strings.TrimSpace(word)))
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(got[:], s.token[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="asba"`)
			refuse(w, http.StatusUnauthorized, "a token is needed: Authorization: Bearer TOKEN")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// turns bounds how many analyses run and how many wait.
type turns struct {
	running  chan struct{}
	waiting  atomic.Int64
	queue    int64
	patience time.Duration
}

func newTurns(busy, queue int, patience time.Duration) *turns {
	return &turns{running: make(chan struct{}, busy), queue: int64(queue), patience: patience}
}

// take waits for a turn; it returns nil where there is none to be had.
func (t *turns) take(ctx context.Context) (done func()) {
	done = func() { <-t.running }
	select {
	case t.running <- struct{}{}:
		return done
	default:
	}
	defer t.waiting.Add(-1)
	if t.waiting.Add(1) > t.queue {
		return nil
	}
	timer := time.NewTimer(t.patience)
	defer timer.Stop()
	select {
	case t.running <- struct{}{}:
		return done
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil
}

// newID names an analysis, in the answer and in the log.
func newID() string { return strings.ToLower(rand.Text()[:16]) }
