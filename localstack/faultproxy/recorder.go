package faultproxy

import (
	"bytes"
	"encoding/xml"
	"maps"
	"net/http"
)

// recorder holds an answer back until it is logged, so that whoever has the
// answer finds the call in the log.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 { // 1xx only announce the answer
		r.status = status
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

// send gives the answer to the client. One that is gone is no concern of ours.
func (r *recorder) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), r.header)
	w.WriteHeader(r.status)
	w.Write(r.body.Bytes())
}

// code is the error code of a refusal, "" where there is none to be found.
func (r *recorder) code() string {
	if r.status < 400 {
		return ""
	}
	var answer struct {
		Code string `xml:"Errors>Error>Code"`
	}
	if xml.Unmarshal(r.body.Bytes(), &answer) != nil {
		return ""
	}
	return answer.Code
}
