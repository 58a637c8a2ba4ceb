package standin

import (
	"net/http"
	"net/url"
	"strings"
	"sync"

	"aws-slurm-burst/localstack/query"
)

// images remembers answers about images: LocalStack has hundreds of them, and
// takes a second to look through. A call that may change one forgets all.
type images struct {
	mu      sync.Mutex
	answers map[string]*query.Answer // by the call's parameters
}

// describe is DescribeImages.
func (m *images) describe(next http.Handler, r *http.Request, form url.Values) *query.Answer {
	key := form.Encode()
	m.mu.Lock()
	a := m.answers[key]
	m.mu.Unlock()
	if a != nil {
		return a
	}
	if a = query.Ask(next, r, form); !a.OK() {
		return a
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.answers == nil {
		m.answers = map[string]*query.Answer{}
	}
	m.answers[key] = a
	return a
}

// changed forgets the answers after a call that may have made, changed or
// tagged an image.
func (m *images) changed(form url.Values) {
	action := form.Get("Action")
	if strings.HasPrefix(action, "Describe") || !strings.Contains(action, "Image") && !strings.HasSuffix(action, "Tags") {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.answers)
}

// refusal is that of an image that does not exist, nil for one that does.
func (m *images) refusal(next http.Handler, r *http.Request, id string) *query.Answer {
	if !strings.HasPrefix(id, "ami-") {
		return nil // an alias, or a launch template's
	}
	if a := m.describe(next, r, url.Values{"Action": {"DescribeImages"}, "ImageId.1": {id}}); !a.OK() {
		return a
	}
	return nil
}
