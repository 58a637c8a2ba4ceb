package wire

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
)

// Memory is an HTTP client (the SDKs' HTTPClient) that calls a handler in the
// caller's own goroutine: no socket, no timer, nothing that outlives Do.
type Memory struct {
	handler http.Handler
	before  func(context.Context) error
	// After, where it is set, runs between the handler and the return of its
	// answer, as before runs ahead of the handler: the two halves of a call's
	// latency. An error of either is what Do returns.
	After func(context.Context) error
}

// Client returns a Memory before the handler; before may be nil.
func Client(h http.Handler, before func(context.Context) error) *Memory {
	return &Memory{handler: h, before: before}
}

// Do sends a request. A done context ends it with the context's cause, as far
// as before, After and the handler heed it; a handler that panics with
// http.ErrAbortHandler closes the connection without an answer.
func (c *Memory) Do(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	if err := step(ctx, c.before); err != nil {
		return nil, err
	}
	in := r.Clone(ctx)
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if in.Host == "" {
		in.Host = in.URL.Host
	}
	in.RemoteAddr, in.RequestURI = "memory", in.URL.RequestURI()
	w := &answer{header: http.Header{}}
	if !serve(c.handler, w, in) {
		return nil, io.ErrUnexpectedEOF
	}
	if err := step(ctx, c.After); err != nil {
		return nil, err
	}
	w.WriteHeader(http.StatusOK) // unless it was written
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

func step(ctx context.Context, fn func(context.Context) error) error {
	if err := context.Cause(ctx); err != nil || fn == nil {
		return err
	}
	if err := fn(ctx); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// serve reports whether the handler answered. Any panic but ErrAbortHandler is
// none of our business and goes on.
func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (answered bool) {
	defer func() {
		if answered {
			return
		}
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			panic(p)
		}
	}()
	h.ServeHTTP(w, r)
	return true
}

// answer is the ResponseWriter of a call in memory.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}
