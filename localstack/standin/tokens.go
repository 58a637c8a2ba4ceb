package standin

import (
	"net/http"
	"net/url"
	"sync"

	"aws-slurm-burst/localstack/query"
)

// tokens are the client tokens of launches, for as long as the Handler lives;
// EC2 forgets one a day after its instances are gone.
type tokens struct {
	mu    sync.Mutex
	known map[tokenKey]*attempt
}

// tokenKey is a token's scope: a launch that names a zone, or a subnet in one,
// shares its tokens with that zone only.
type tokenKey struct{ action, token, az string }

// attempt is what came of a token's first call; answer is set once done is
// closed.
type attempt struct {
	params string
	done   chan struct{}
	answer *query.Answer
}

// once makes a call that has a client token, unless it was made before: then
// again makes its answer from the first one's. A call that finds the first one
// under way waits for it. What was refused is not remembered.
func (t *tokens) once(r *http.Request, form url.Values, az string, call func() *query.Answer, again func(*http.Request, *query.Answer) *query.Answer) *query.Answer {
	key := tokenKey{form.Get("Action"), form.Get("ClientToken"), az}
	if key.token == "" || form.Get("DryRun") == "true" {
		return call()
	}
	params := form.Encode()
	for {
		l, first := t.claim(key, params)
		if first {
			defer t.settle(key, l)
			l.answer = call()
			return l.answer
		}
		if l.params != params {
			return bad("IdempotentParameterMismatch", "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).")
		}
		select {
		case <-l.done:
		case <-r.Context().Done():
			return query.Refusal(http.StatusServiceUnavailable, "Unavailable", "the caller left before the first call with this token was answered")
		}
		if l.answer != nil && l.answer.OK() {
			return again(r, l.answer)
		}
	}
}

// claim returns the attempt of a token, and whether it is the caller's to make.
func (t *tokens) claim(key tokenKey, params string) (l *attempt, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l = t.known[key]; l != nil {
		return l, false
	}
	l = &attempt{params: params, done: make(chan struct{})}
	t.known[key] = l
	return l, true
}

// settle ends the waiting for a token's first call, and frees the token where
// nothing came of it.
func (t *tokens) settle(key tokenKey, l *attempt) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l.answer == nil || !l.answer.OK() {
		delete(t.known, key)
	}
	close(l.done)
}
