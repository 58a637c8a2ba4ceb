// Package wire speaks EC2's query protocol over the EC2 model: a form comes in,
// XML goes out, with EC2's error codes and HTTP statuses. The SDKs and the AWS
// CLI cannot tell it from an endpoint of AWS for the actions it knows.
//
// It looks at no signature and answers for one account and region. It also
// answers STS GetCallerIdentity, since programs ask that first.
package wire

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/api"
)

// The API versions that SDKs ask for.
const (
	ec2Version = "2016-11-15"
	stsVersion = "2011-06-15"
)

// maxBody bounds a request. The largest real one is about 100 KB: a thousand
// ids, or user data of 16 KB with fifty tags.
const maxBody = 1 << 20

// lastCalls is how many calls /_asb/calls remembers.
const lastCalls = 256

// Call is one call in the log of /_asb/calls.
type Call struct {
	Time   string `json:"time"` // RFC 3339, of the model's clock
	Action string `json:"action"`
	Status int    `json:"status"`
	Code   string `json:"code,omitempty"`
}

// Handler is an EC2 endpoint. Besides the API it answers GET /health and
// GET /_asb/calls (JSON: counts by action, and the last calls).
type Handler struct {
	model *ec2.Model

	mu     sync.Mutex
	counts map[string]int
	last   []Call // a ring once it is full
	next   int
}

// New returns an endpoint of the model.
func New(m *ec2.Model) *Handler { return &Handler{model: m, counts: map[string]int{}} }

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && r.URL.RawQuery == "" {
		switch r.URL.Path {
		case "/health":
			writeJSON(w, map[string]string{"status": "ok"})
			return
		case "/_asb/calls":
			h.writeCalls(w)
			return
		}
	}
	form, err := readForm(w, r)
	action := form.Get("Action")
	var answer *doc
	if err == nil {
		answer, err = h.answer(action, form)
	}
	status, code := http.StatusOK, ""
	if err != nil {
		e := api.AsError(err)
		status, code = e.Status, e.Code
		answer = h.refusal(e)
	}
	h.note(action, status, code)
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	w.WriteHeader(status)
	w.Write(answer.Bytes()) // the client may be gone; nobody else would care
}

// readForm takes the parameters from the query and the body.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	bad := func(what string) (url.Values, error) {
		return nil, api.Refuse("MalformedQueryString", "The request cannot be read: %s", what)
	}
	form, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return bad("the query string contains a syntax error")
	}
	switch r.Method {
	case http.MethodGet:
		return form, nil
	case http.MethodPost:
	default:
		return nil, &api.Error{Code: "InvalidRequest", Message: "The method is neither GET nor POST", Status: http.StatusMethodNotAllowed}
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && kind != "application/x-www-form-urlencoded" {
		return bad("the body is no form but " + kind)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooBig := (*http.MaxBytesError)(nil); errors.As(err, &tooBig) {
		return nil, &api.Error{Code: "RequestEntityTooLarge", Message: "The request is larger than 1 MiB", Status: http.StatusRequestEntityTooLarge}
	}
	if err != nil {
		return bad("the body ends early")
	}
	posted, err := url.ParseQuery(string(body))
	if err != nil {
		return bad("the form contains a syntax error")
	}
	for k, v := range posted {
		form[k] = v
	}
	return form, nil
}

func (h *Handler) answer(action string, form url.Values) (*doc, error) {
	version := form.Get("Version")
	if action == "" {
		return nil, api.Refuse("MissingAction", "The request is missing an action or a required parameter.")
	}
	if action == "GetCallerIdentity" && (version == stsVersion || version == "") {
		return h.identity(), nil
	}
	fn := actions[action]
	if fn == nil {
		return nil, api.Refuse("InvalidAction", "The action %.80s is not valid for this web service.", action)
	}
	if version != ec2Version && version != "" {
		return nil, api.Refuse("NoSuchVersion", "The requested version (%.40s) of service AmazonEC2 does not exist", version)
	}
	p, err := parse(form)
	if err != nil {
		return nil, err
	}
	d := &doc{}
	d.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<" + action + `Response xmlns="http://ec2.amazonaws.com/doc/` + ec2Version + `/">`)
	d.el("requestId", h.model.RequestID())
	c := &request{reader: reader{params: p}, model: h.model, doc: d}
	if dry := c.truth("DryRun"); c.err != nil {
		return nil, c.err
	} else if dry && strings.HasPrefix(action, "Describe") {
		return nil, api.Refuse("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
	}
	if err := fn(c); err != nil {
		return nil, err
	}
	d.close(action + "Response")
	return d, nil
}

// refusal writes an error in EC2's form, which is not quite that of the other
// services.
func (h *Handler) refusal(e *api.Error) *doc {
	d := &doc{}
	d.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	d.in("Response", func() {
		d.in("Errors", func() {
			d.in("Error", func() {
				d.el("Code", e.Code)
				d.el("Message", e.Message)
			})
		})
		d.el("RequestID", h.model.RequestID())
	})
	return d
}

// identity is STS's answer to GetCallerIdentity.
func (h *Handler) identity() *doc {
	d := &doc{}
	d.WriteString(`<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/` + stsVersion + `/">`)
	d.in("GetCallerIdentityResult", func() {
		d.el("Arn", "arn:aws:iam::"+h.model.Account()+":root")
		d.el("UserId", h.model.Account())
		d.el("Account", h.model.Account())
	})
	d.in("ResponseMetadata", func() { d.el("RequestId", h.model.RequestID()) })
	d.close("GetCallerIdentityResponse")
	return d
}

// note logs a call. Actions nobody knows are counted together, so that the
// counts stay small.
func (h *Handler) note(action string, status int, code string) {
	if actions[action] == nil && action != "GetCallerIdentity" {
		action = "(unknown)"
	}
	c := Call{Time: h.model.Now().String(), Action: action, Status: status, Code: code}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts[action]++
	if len(h.last) < lastCalls {
		h.last = append(h.last, c)
		return
	}
	h.last[h.next] = c
	h.next = (h.next + 1) % lastCalls
}

func (h *Handler) writeCalls(w http.ResponseWriter) {
	h.mu.Lock()
	defer h.mu.Unlock()
	calls := make([]Call, 0, len(h.last))
	calls = append(append(calls, h.last[h.next:]...), h.last[:h.next]...)
	writeJSON(w, struct {
		Counts map[string]int `json:"counts"`
		Calls  []Call         `json:"calls"`
	}{h.counts, calls})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) // map keys come sorted
}
