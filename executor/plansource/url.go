package plansource

import (
	"context"
	"errors"
	"net/url"

	"aws-slurm-burst/asba/protocol"
)

// Web asks over HTTP for this package.
type Web interface {
	// Post posts a question and returns the response with its whole body. It
	// follows no redirect and uses no proxy. Errors: ErrCut where the body is
	// not whole or does not tell its end, ErrTooLarge, ErrNotAsked; what ended
	// with ctx has its cause; all else means that nobody answers there.
	Post(ctx context.Context, p Post) (Response, error)
}

// Post is a question over HTTP.
type Post struct {
	URL  string
	Body []byte // JSON
	// TokenFile and CAFile are as those of Way.
	TokenFile, CAFile string
	// Limit is how many bytes a body may have.
	Limit int64
}

// Response is what came back.
type Response struct {
	Status int
	Body   []byte
	// Local says that it came from this very machine.
	Local bool
}

// url asks over HTTP. Over plain HTTP from another machine anyone on the way may
// have written the plan.
func (k asking) url(ctx context.Context, web Web, q Question) Answer {
	to, err := address(k.way.URL)
	if err != nil {
		return k.failed(err)
	}
	body, err := protocol.Request{JobScript: script(q), JobID: q.Job, NodeCount: q.Nodes, Partition: q.Partition}.Encode()
	if err != nil {
		return k.missing(err, "ASBA cannot be asked at %s: %v", k.way, err)
	}
	r, err := web.Post(ctx, Post{URL: to, Body: body, TokenFile: k.way.TokenFile, CAFile: k.way.CAFile, Limit: protocol.MaxAnswer})
	switch {
	case err != nil:
		return k.failed(err)
	case r.Status/100 == 3:
		return k.missing(nil, "ASBA answered HTTP %d at %s, a redirect, which is not followed", r.Status, k.way)
	case r.Status != 200:
		var f *protocol.Failure
		if _, err := protocol.DecodeAnswer(r.Body); errors.As(err, &f) {
			return k.missing(nil, "ASBA answered HTTP %d at %s: %s", r.Status, k.way, f.Text)
		}
		return k.missing(nil, "ASBA answered HTTP %d at %s", r.Status, k.way)
	}
	answer, err := protocol.DecodeAnswer(r.Body)
	u, _ := url.Parse(to)
	return k.answered(answer, err, r.Local || u.Scheme == "https")
}

// script is a job's script as it is sent. One that is too long is not: the
// advisor can ask Slurm for it by the job's id.
func script(q Question) string {
	if len(q.Script) > protocol.MaxScript {
		return ""
	}
	return string(q.Script)
}
