package advisor

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Serve answers on a free port of loopback, and returns the URL.
func (a *Advisor) Serve() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /analyze", a.analyze)
	mux.HandleFunc("/elsewhere", func(w http.ResponseWriter, _ *http.Request) { // a redirect's aim
		plan, _ := a.answer(Question{})
		_, _ = io.WriteString(w, body(plan))
	})
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	scheme := "http"
	if a.tls != nil {
		scheme, l = "https", tls.NewListener(l, a.tls)
		s.ErrorLog = log.New(io.Discard, "", 0) // of clients that do not trust it
	}
	a.doing.Go(func() { _ = s.Serve(l) })
	a.ends = append(a.ends, func() { _ = s.Close() })
	return scheme + "://" + l.Addr().String(), nil
}

func (a *Advisor) analyze(w http.ResponseWriter, r *http.Request) {
	if !a.allowed(w, r) {
		return
	}
	var q struct {
		Script    string `json:"job_script"`
		Job       string `json:"job_id"`
		Nodes     int    `json:"node_count"`
		Partition string `json:"partition"`
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		http.Error(w, `{"error":"a question that cannot be read"}`, http.StatusBadRequest)
		return
	}
	plan, wrong := a.answer(Question{q.Job, q.Nodes, q.Partition, q.Script})
	text := body(plan)
	switch wrong {
	case Hangs:
		a.hang()
	case Late:
		a.pause(later)
	case Cut:
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		text = text[:len(text)/2]
	case Rubbish, Other:
		text = "<html>It works!</html>"
	case Large:
		text = body(large())
	case Drips:
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		for i := range len(text) {
			if _, err := io.WriteString(w, text[i:i+1]); err != nil || !a.pause(drip) {
				return
			}
			_ = http.NewResponseController(w).Flush()
		}
		return
	case Fails:
		w.WriteHeader(http.StatusInternalServerError)
		text = `{"error":"out of memory"}`
	case Redirects:
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		return
	}
	_, _ = io.WriteString(w, text) // whoever has gone does not hear it
}
