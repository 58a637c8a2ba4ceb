package blackbox

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// rogue is a proxy of another's making: it knows nothing of our fault rules,
// only EC2's wire, and does to calls what networks and proxies do. Every fault
// ends after a while, as outages do.
type rogue struct {
	mu    sync.Mutex
	next  http.Handler
	rng   *rand.Rand
	left  int // faults to come
	did   []string
	fault func(action string) string // "" passes
}

func (g *rogue) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	form, _ := url.ParseQuery(string(body))
	action := form.Get("Action")
	g.mu.Lock()
	what := ""
	if g.left > 0 {
		if what = g.fault(action); what != "" {
			g.left--
			g.did = append(g.did, action+" "+what)
		}
	}
	g.mu.Unlock()
	pass := func() *httptest.ResponseRecorder {
		q := r.Clone(r.Context())
		q.Body = io.NopCloser(bytes.NewReader(body))
		rec := httptest.NewRecorder()
		g.next.ServeHTTP(rec, q)
		return rec
	}
	refuse := func(status int, code string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `<?xml version="1.0"?><Response><Errors><Error><Code>%s</Code><Message>as a proxy says</Message></Error></Errors><RequestID>r</RequestID></Response>`, code)
	}
	switch what {
	case "lose the answer":
		pass()
		panic(http.ErrAbortHandler)
	case "cut the answer":
		rec := pass()
		w.Header().Set("Content-Length", fmt.Sprint(rec.Body.Len()))
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
	case "apply, then 502":
		pass()
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "<html><body>Bad Gateway</body></html>")
	case "apply, then rubbish":
		pass()
		_, _ = io.WriteString(w, "<html><body>Welcome to the hotel's network</body></html>")
	case "apply, then nothing":
		pass()
		w.WriteHeader(http.StatusOK)
	case "drop":
		panic(http.ErrAbortHandler)
	case "rubbish":
		_, _ = io.WriteString(w, "\x00\xff\x17 not XML at all")
	case "throttle":
		refuse(http.StatusServiceUnavailable, "RequestLimitExceeded")
	case "throttle without a word":
		w.WriteHeader(http.StatusTooManyRequests)
	case "unavailable":
		refuse(http.StatusServiceUnavailable, "Unavailable")
	case "no capacity":
		refuse(http.StatusInternalServerError, "InsufficientInstanceCapacity")
	default:
		rec := pass()
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	}
}

// over ends the outage and tells what was done.
func (g *rogue) over() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left = 0
	return slices.Clone(g.did)
}

var (
	anyCall  = []string{"lose the answer", "cut the answer", "apply, then 502", "apply, then rubbish", "apply, then nothing", "drop", "rubbish", "throttle", "throttle without a word", "unavailable"}
	launches = append([]string{"no capacity"}, anyCall...)
)

// A gang is whole or gone, and never doubled, whatever a proxy does.
func TestBehindAStrangersProxyAGangIsWholeOrGone(t *testing.T) {
	check := func(t *testing.T, fault func(rng *rand.Rand, action string) string, seed uint64, faults int) {
		t.Parallel()
		g := &rogue{rng: rand.New(rand.NewPCG(seed, 1)), left: faults}
		g.fault = func(action string) string { return fault(g.rng, action) }
		e := newEndpoint(t, func(h http.Handler) http.Handler { g.next = h; return g })
		r := e.resume("aws-hpc-[001-008]", "--execution-plan=examples/asba-execution-plan.json")
		did := g.over() // the outage is over: the next call heals
		n := len(e.live())
		if n != 0 && n != 8 || n == 8 != (r.code == 0) {
			t.Errorf("%d instances after exit %d; the proxy did %v\n%s", n, r.code, did, r.stderr)
		}
		if strings.Contains(r.stderr, "panic") || strings.Contains(r.stderr, "goroutine ") {
			t.Errorf("a stack trace: %s", r.stderr)
		}
		if r := e.resume("aws-hpc-[001-008]", "--execution-plan=examples/asba-execution-plan.json"); r.code != 0 || len(e.live()) != 8 {
			t.Errorf("healed to %d instances, exit %d; the proxy did %v\n%s", len(e.live()), r.code, did, r.stderr)
		}
		if r := e.suspend("aws-hpc-[001-008]"); r.code != 0 || len(e.live()) != 0 {
			t.Errorf("%d instances after the suspend, exit %d", len(e.live()), r.code)
		}
	}
	for _, what := range launches {
		t.Run(what, func(t *testing.T) {
			check(t, func(_ *rand.Rand, action string) string {
				if action == "RunInstances" {
					return what
				}
				return ""
			}, 0, 2)
		})
	}
	for seed := range uint64(16) {
		t.Run(fmt.Sprintf("at random, seed %d", seed), func(t *testing.T) {
			check(t, func(rng *rand.Rand, action string) string {
				if rng.IntN(2) == 0 {
					return ""
				}
				if action == "RunInstances" {
					return launches[rng.IntN(len(launches))]
				}
				return anyCall[rng.IntN(len(anyCall))]
			}, seed, 6)
		})
	}
}
