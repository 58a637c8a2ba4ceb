package advisor

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"aws-slurm-burst/asba/server"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/report"
)

// serving is one run of serve.
type serving struct {
	analyst
	listen, tokenFile, cert, key, level string
	port                                uint16
}

func (t *tool) serve() *cobra.Command {
	s := &serving{analyst: analyst{tool: t}}
	c := &cobra.Command{
		Use:   "serve",
		Short: "Answer questions over HTTP, and show a page; its first line is its URL",
		Long: `Answer questions for plans over HTTP (docs/PROTOCOL.md), from clients of any kind:
POST /analyze, a page for people at /, /healthz, /metrics for Prometheus, and
/openapi.yaml. The log goes to stderr, a line of JSON a request; no script and no
token is in it.

It listens on this machine alone. Elsewhere it needs a token and TLS. A change of the
configuration or of the catalogue counts within half a minute.`,
		Example: `  asba serve --port 8080
  asba serve --listen 10.0.0.5 --token-file /etc/asba/token --tls-cert cert.pem --tls-key key.pem`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.run(cmd.Context()) },
	}
	f := c.Flags()
	s.flags(f)
	f.Uint16Var(&s.port, "port", 8080, "listen on port `N`; 0 is a free one")
	f.StringVar(&s.listen, "listen", "127.0.0.1", "listen on `ADDRESS`, or on ADDRESS:PORT")
	f.StringVar(&s.tokenFile, "token-file", "", "clients have to know the token in `FILE`, which nobody else can read")
	f.StringVar(&s.cert, "tls-cert", "", "speak TLS with the certificates in `FILE` (PEM, the server's own first)")
	f.StringVar(&s.key, "tls-key", "", "and their key in `FILE` (PEM)")
	f.StringVar(&s.level, "log-level", "info", "log at `LEVEL` and above: debug, info, warn, error")
	return c
}

func (s *serving) run(ctx context.Context) error {
	address, err := s.address()
	if err != nil {
		return err
	}
	stderr := newSpill(s.Stderr)
	defer stderr.Close()
	log, err := newLog(stderr, s.level)
	if err != nil {
		return err
	}
	o := server.Options{Log: log}
	if s.tokenFile != "" {
		if o.Token, err = readToken(s.tokenFile); err != nil {
			return app.Exitf(report.ExitUsage, "--token-file: %v", err)
		}
	}
	var certs []tls.Certificate
	switch {
	case s.cert != "" && s.key != "":
		pair, err := tls.LoadX509KeyPair(s.cert, s.key)
		if err != nil {
			return app.Exitf(report.ExitUsage, "--tls-cert %s, --tls-key %s: %v", s.cert, s.key, err)
		}
		certs = append(certs, pair)
	case s.cert != "" || s.key != "":
		return app.Exitf(report.ExitUsage, "--tls-cert and --tls-key go together")
	}
	if err := s.start(ctx, log); err != nil {
		return err
	}
	guarded := o.Token != "" && certs != nil
	if !guarded {
		if err := local(ctx, address); err != nil {
			return app.Exitf(report.ExitUsage, "--listen %s: %v", cmp.Or(s.listen, `""`), err)
		}
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return app.Exitf(report.ExitFailed, "%v (choose another port with --port, 0 for a free one)", err)
	}
	a, ok := l.Addr().(*net.TCPAddr)
	o.Local = ok && a.IP.IsLoopback()
	if !guarded && !o.Local { // its name has changed its meaning in this moment
		_ = l.Close()
		return app.Exitf(report.ExitFailed, "--listen %s: %s is not this machine's own address alone", s.listen, l.Addr())
	}
	scheme := "http"
	if certs != nil {
		scheme = "https"
	}
	if err := s.announce(scheme + "://" + l.Addr().String()); err != nil {
		_ = l.Close()
		return err
	}
	log.Info("serving", "address", l.Addr().String(), "tls", certs != nil, "token", o.Token != "", "region", s.grounds.options.Market.Region)
	err = server.New(&s.analyst, o).Serve(s.Stop, l, certs)
	if errors.Is(err, context.DeadlineExceeded) {
		log.Warn("stopped, and cut off who was not done")
		return nil
	}
	if err != nil {
		return app.Exitf(report.ExitFailed, "%v", err)
	}
	log.Info("stopped")
	return nil
}

// address is what to listen on: --listen may have the port, where --port does
// not say it.
func (s *serving) address() (string, error) {
	if _, _, err := net.SplitHostPort(s.listen); err == nil {
		if s.told("port") {
			return "", app.Exitf(report.ExitUsage, "two ports given: --port %d and --listen %s", s.port, s.listen)
		}
		return s.listen, nil
	}
	return net.JoinHostPort(strings.Trim(s.listen, "[]"), strconv.Itoa(int(s.port))), nil
}

// errReached is why an address needs a guard.
var errReached = errors.New("others reach this address, so it needs --token-file, --tls-cert and --tls-key")

// local refuses an address that not only this machine reaches.
func local(ctx context.Context, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil || host == "" { // which is every address
		return errReached
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err == nil && slices.ContainsFunc(ips, func(a netip.Addr) bool { return !a.Unmap().IsLoopback() }) {
		err = errReached
	}
	return err
}

// tokenLimit bounds a token's file, tokenLeast is what nobody guesses.
const (
	tokenLimit = 4 << 10
	tokenLeast = 16
)

// readToken reads a token that nobody but its owner, who is root or we, can
// read.
func readToken(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	st, err := f.Stat()
	if err != nil {
		return "", err
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	switch {
	case !st.Mode().IsRegular():
		return "", fmt.Errorf("%s is no regular file", path)
	case !ok || sys.Uid != 0 && int64(sys.Uid) != int64(os.Geteuid()):
		return "", fmt.Errorf("%s belongs to somebody else", path)
	case st.Mode().Perm()&0o077 != 0:
		return "", fmt.Errorf("%s can be read by others (chmod 600 it)", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, tokenLimit))
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(data))
	if len(token) < tokenLeast || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("%s does not hold one word of at least %d characters (openssl rand -hex 32 makes one)", path, tokenLeast)
	}
	return token, nil
}
