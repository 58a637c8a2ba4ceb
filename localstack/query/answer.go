package query

import (
	"bytes"
	"encoding/xml"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// Answer is an endpoint's answer held back: as an http.ResponseWriter it takes
// one, and Send gives it to the client.
type Answer struct {
	Status int
	header http.Header
	body   bytes.Buffer
}

// NewAnswer returns one that nobody has written yet.
func NewAnswer() *Answer { return &Answer{header: http.Header{}} }

// Document is a good answer made here.
func Document(root *Node) *Answer {
	a := NewAnswer()
	a.header.Set("Content-Type", "text/xml;charset=UTF-8")
	a.Status = http.StatusOK
	a.body.Write(root.Bytes())
	return a
}

// Refusal is a refusal in EC2's form, made here.
func Refusal(status int, code, message string) *Answer {
	a := Document(Elem("Response",
		Elem("Errors", Elem("Error", Text("Code", code), Text("Message", message))),
		Text("RequestID", requestID)))
	a.Status = status
	return a
}

// requestID is that of all answers made here: there is nobody to ask about them.
const requestID = "00000000-0000-4000-8000-000000000000"

// from takes the answer to a request. Only what is not compressed can be read.
func (a *Answer) from(next http.Handler, r *http.Request, body []byte) {
	r.Header.Del("Accept-Encoding")
	Pass(next, a, r, body)
	a.WriteHeader(http.StatusOK) // where the endpoint wrote nothing at all
}

// Header is the answer's.
func (a *Answer) Header() http.Header { return a.header }

// WriteHeader sets the status once.
func (a *Answer) WriteHeader(status int) {
	if a.Status == 0 && status >= 200 { // 1xx only announce the answer
		a.Status = status
	}
}

// Write adds to the body.
func (a *Answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// Send gives the answer to the client. One that is gone is no concern of ours.
func (a *Answer) Send(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.Status)
	w.Write(a.body.Bytes())
}

// OK reports whether the endpoint did what it was asked.
func (a *Answer) OK() bool { return a.Status == http.StatusOK }

// Body is the answer's; it must not be changed.
func (a *Answer) Body() []byte { return a.body.Bytes() }

// Code is the error code of a refusal, "" where there is none to be found.
func (a *Answer) Code() string {
	code, _ := a.refusal()
	return code
}

// Why says in one line why a call was refused.
func (a *Answer) Why() string {
	code, message := a.refusal()
	if code == "" {
		return "HTTP status " + strconv.Itoa(a.Status)
	}
	return code + ": " + strings.ReplaceAll(message, "\n", " ")
}

func (a *Answer) refusal() (code, message string) {
	var answer struct {
		Code    string `xml:"Errors>Error>Code"`
		Message string `xml:"Errors>Error>Message"`
	}
	if a.Status < 400 || xml.Unmarshal(a.body.Bytes(), &answer) != nil {
		return "", ""
	}
	return answer.Code, answer.Message
}

// Edit reads the answer's document, has it changed, and writes it again. A bad
// answer, or one that is no document, stays as it is.
func (a *Answer) Edit(change func(root *Node)) {
	root := a.Read()
	if root == nil {
		return
	}
	change(root)
	a.body.Reset()
	a.body.Write(root.Bytes())
	a.header.Del("Content-Length")
}

// Read returns the document of a good answer, nil for any other.
func (a *Answer) Read() *Node {
	if !a.OK() {
		return nil
	}
	root, err := parse(a.body.Bytes())
	if err != nil {
		return nil
	}
	return root
}

// Instances returns the ids in the answer's instanceId elements, each once.
func (a *Answer) Instances() []string {
	if !a.OK() {
		return nil
	}
	const open, end = "<instanceId>", "</instanceId>"
	var out []string
	seen := map[string]bool{}
	for rest := a.body.Bytes(); ; {
		_, after, found := bytes.Cut(rest, []byte(open))
		if !found {
			return out
		}
		id, after, found := bytes.Cut(after, []byte(end))
		if !found {
			return out
		}
		if rest = after; !seen[string(id)] {
			seen[string(id)] = true
			out = append(out, string(id))
		}
	}
}

var _ http.ResponseWriter = (*Answer)(nil)
