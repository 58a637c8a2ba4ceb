package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what a Prometheus scrapes.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	handler  http.Handler
}

// newMetrics has a registry of its own: two servers of one process do not meet.
func newMetrics(t *turns) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "asba_http_requests_total", Help: "Requests that were answered."}, []string{"path", "method", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "asba_http_request_duration_seconds", Help: "How long requests took, from their head to the last byte of the answer.",
			// An analysis takes a tenth of a millisecond, a question to slurmctld up
			// to the seconds that it is waited for.
			Buckets: []float64{.0001, .0005, .001, .0025, .005, .01, .02, .05, .1, .5, 1, 5, 20}}, []string{"path"}),
	}
	r := prometheus.NewRegistry()
	r.MustRegister(m.requests, m.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "asba_analyses_running", Help: "Analyses under way."}, func() float64 { return float64(len(t.running)) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "asba_analyses_waiting", Help: "Questions that wait for their turn."}, func() float64 { return float64(t.waiting.Load()) }))
	m.handler = promhttp.HandlerFor(r, promhttp.HandlerOpts{})
	return m
}

// count counts a request and returns its path as it may be counted and logged:
// strangers' own paths and methods are many.
func (m *metrics) count(r *http.Request, status int, took time.Duration) (path string) {
	path = "other"
	switch r.URL.Path {
	case "/", "/analyze", "/explain", "/healthz", "/metrics", "/openapi.yaml":
		path = r.URL.Path
	}
	method := "other"
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		method = r.Method
	}
	m.requests.WithLabelValues(path, method, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(path).Observe(took.Seconds())
	return path
}
