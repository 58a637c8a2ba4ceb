package host

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"time"

	"aws-slurm-burst/executor/plansource"
)

// Web asks the advisor over HTTP.
type Web struct {
	// SlurmUser may own a token file beside root and us; -1 where it is not
	// known.
	SlurmUser int

	dial func(ctx context.Context, network, address string) (net.Conn, error) // nil: as ever
}

var _ plansource.Web = Web{}

// Limits on what a server may make us hold beside the body.
const (
	headerLimit = 64 << 10
	secretLimit = 64 << 10
	certsLimit  = 1 << 20
)

// Post posts a question. Each one has a connection of its own: no call asks so
// often that it would matter, and none outlives its answer.
func (w Web) Post(ctx context.Context, p plansource.Post) (plansource.Response, error) {
	var local bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { local = isLocal(i.Conn) }})
	req, err := http.NewRequestWithContext(traced, http.MethodPost, p.URL, bytes.NewReader(p.Body))
	if err != nil {
		return plansource.Response{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "aws-slurm-burst")
	t := &http.Transport{
		Proxy:                  nil, // whose environment it would be is not known
		DialContext:            w.dial,
		DisableKeepAlives:      true,
		DisableCompression:     true, // so that the limit is that of what is read
		MaxResponseHeaderBytes: headerLimit,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true, // which a TLSClientConfig of one's own turns off
	}
	defer t.CloseIdleConnections()
	if err := w.secure(t, req, p); err != nil {
		return plansource.Response{}, fmt.Errorf("%w: %w", plansource.ErrNotAsked, err)
	}
	client := &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if errors.Is(err, plansource.ErrNotAsked) {
		return plansource.Response{}, errors.Unwrap(err) // out of the client's own words
	}
	if err != nil {
		return plansource.Response{}, ended(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	r := plansource.Response{Status: resp.StatusCode, Local: local}
	r.Body, err = io.ReadAll(io.LimitReader(resp.Body, p.Limit+1))
	switch {
	case err != nil && ctx.Err() == nil: // io.ErrUnexpectedEOF, a reset, bad chunks
		return r, fmt.Errorf("%w: %w", plansource.ErrCut, err)
	case err != nil:
		return r, ended(ctx, err)
	case int64(len(r.Body)) > p.Limit:
		return r, plansource.ErrTooLarge
	case resp.ContentLength < 0 && resp.ProtoMajor < 2 && !slices.Contains(resp.TransferEncoding, "chunked"):
		return r, fmt.Errorf("%w: its length is not told", plansource.ErrCut)
	}
	return r, nil
}

// secure adds the token and the certificates to a question. A token over plain
// HTTP is everyone's on the way, so it goes no further than to this machine.
func (w Web) secure(t *http.Transport, req *http.Request, p plansource.Post) error {
	if p.CAFile != "" {
		pem, err := ReadFile(p.CAFile, certsLimit)
		if err != nil {
			return fmt.Errorf("certificates not readable: %w", err)
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("%s holds no certificate in PEM", p.CAFile)
		}
	}
	if p.TokenFile == "" {
		return nil
	}
	token, err := w.token(p.TokenFile)
	if err != nil {
		return err
	}
	if req.URL.Scheme != "https" {
		dial := w.dial
		if dial == nil {
			dial = (&net.Dialer{}).DialContext
		}
		t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			if !isLocal(c) {
				_ = c.Close()
				return nil, fmt.Errorf("%w: a token does not go over plain HTTP to another host (use https)", plansource.ErrNotAsked)
			}
			return c, nil
		}
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return nil
}

// isLocal reports whether a connection leads to this very machine: what a name
// stands for is known only then.
func isLocal(c net.Conn) bool {
	a, ok := c.RemoteAddr().(*net.TCPAddr)
	return ok && a.IP.IsLoopback()
}

// token reads a token that nobody but its owner can read.
func (w Web) token(path string) (string, error) {
	f, st, err := openRegular(path)
	if err != nil {
		return "", fmt.Errorf("token not readable: %w", err)
	}
	defer func() { _ = f.Close() }()
	switch {
	case !owned(st) && !(w.SlurmUser >= 0 && ownerOf(st) == w.SlurmUser):
		return "", fmt.Errorf("token file %s belongs to somebody else", path)
	case st.Mode().Perm()&0o077 != 0:
		return "", fmt.Errorf("token file %s can be read by others (chmod 600 it)", path)
	}
	data, err := readAtMost(f, secretLimit)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(data))
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("token file %s does not hold one word", path)
	}
	return token, nil
}

// ended returns why ctx has ended, else the error itself. An error that says it
// was time is one even a moment before ctx notices.
func ended(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	}
	var net net.Error
	if deadline, ok := ctx.Deadline(); ok && errors.As(err, &net) && net.Timeout() && time.Until(deadline) <= 0 {
		return context.DeadlineExceeded
	}
	return err
}
