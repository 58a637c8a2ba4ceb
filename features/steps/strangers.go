package steps

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// The ways in which an advisor's other clients are bad clients.
const (
	theyDie      = "die as they ask"
	theyBabble   = "send rubbish"
	theyLinger   = "never end their question"
	theyAskMuch  = "ask for more than anyone takes"
	strangersDo  = "(" + theyDie + "|" + theyBabble + "|" + theyLinger + "|" + theyAskMuch + ")"
	howMany      = 100 // more than daemon and server answer at once
	strangerWait = 10 * time.Second
)

// givenStrangers: who else asks the shipped advisor, before the executor does.
func givenStrangers(sc registrar) {
	sc.Step(`^strangers `+strangersDo+` (`+overPipe+`|`+overHTTP+`)$`, func(ctx context.Context, what, way string) error {
		a, err := asbaOf(ctx)
		if err == nil && a.shipped == nil {
			err = errors.New("it is the shipped advisor that strangers ask")
		}
		if err == nil {
			err = start(ctx, way)
		}
		switch {
		case err != nil:
			return err
		case way == overHTTP:
			return a.pesterServer(ctx, what)
		}
		return pesterPipe(in(ctx).Dir, what)
	})
	sc.Step(`^somebody writes the plan "([^"]+)" into ASBA's pipe$`, func(ctx context.Context, name string) error {
		data, err := planText(ctx, name)
		if err != nil {
			return err
		}
		return writePipe(in(ctx).Dir, string(data))
	})
}

// question is a line for the daemon.
func question(n int, reply string) string {
	return fmt.Sprintf(`{"asba":1,"id":"stranger-%08d","reply":%q,"node_count":1}`+"\n", n, reply)
}

// pesterPipe writes into the daemon's pipe what it can do without.
func pesterPipe(dir, what string) error {
	switch what {
	case theyDie:
		for n := range howMany {
			reply := filepath.Join(dir, fmt.Sprintf("reply-%d", n))
			if err := syscall.Mkfifo(reply, 0o600); err != nil { // which nobody reads
				return err
			}
			if err := writePipe(dir, question(n, reply)); err != nil {
				return err
			}
		}
		return nil
	case theyBabble:
		// Among it the name of a file to answer to, which is no pipe.
		return writePipe(dir, "\x00\xff\n\n"+strings.Repeat("hello\n", 1000)+"GET / HTTP/1.1\r\n\r\n"+question(0, filepath.Join(dir, "config.yaml"))+
			strings.Replace(question(1, "/dev/null"), `"asba":1`, `"asba":2`, 1)+strings.Replace(question(2, "/dev/null"), `"node_count"`, `"node_conut"`, 1))
	case theyLinger:
		return writePipe(dir, strings.TrimSuffix(question(0, filepath.Join(dir, "reply")), "1}\n"))
	}
	return writePipe(dir, strings.Repeat("x", 100<<10)+"\n"+question(0, filepath.Join(dir, strings.Repeat("r/", 4<<10))))
}

// writePipe writes into the advisor's pipe, which is not to keep anybody.
func writePipe(dir, text string) error {
	f, err := os.OpenFile(filepath.Join(dir, pipeName), os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_ = f.SetWriteDeadline(time.Now().Add(strangerWait))
	_, err = f.WriteString(text)
	return err
}

// pesterServer sends the server what it can do without, and expects to be told so.
func (a *asba) pesterServer(ctx context.Context, what string) error {
	const asked = `{"node_count":1}`
	head := "POST /analyze HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
	switch what {
	case theyDie:
		for range howMany {
			if _, err := a.send(head + fmt.Sprint(len(asked)) + "\r\n\r\n" + asked); err != nil {
				return err
			}
		}
		a.leave()
		return nil
	case theyLinger:
		for range howMany {
			if _, err := a.send(head + "1000\r\n\r\n" + asked); err != nil {
				return err
			}
		}
		return nil // they are still there when the executor asks
	case theyBabble:
		for _, text := range []string{"\x16\x03\x01\x00\xff\n\r\n\r\n", "POST /analyze\r\n\r\n", head + "-1\r\n\r\n", head + "5\r\n\r\n\x00{}[]"} {
			c, err := a.send(text)
			if err != nil {
				return err
			}
			_ = c.SetReadDeadline(time.Now().Add(strangerWait))
			answer, err := io.ReadAll(io.LimitReader(c, 20))
			if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.")) || !bytes.Contains(answer, []byte(" 400")) {
				return fmt.Errorf("%q was answered %q, %w", text, answer, err)
			}
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, strangerWait)
	defer cancel()
	large := strings.NewReader(`{"job_script":"` + strings.Repeat("x", 10<<20) + `"}`)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.at+"/analyze", large)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusRequestEntityTooLarge {
		return fmt.Errorf("ten megabytes were answered %s", answer.Status)
	}
	return nil
}

// send sends bytes on a connection of its own, which stays until the strangers
// leave.
func (a *asba) send(text string) (net.Conn, error) {
	c, err := net.DialTimeout("tcp", strings.TrimPrefix(a.at, "http://"), strangerWait)
	if err != nil {
		return nil, err
	}
	a.strangers = append(a.strangers, func() { _ = c.Close() })
	_ = c.SetWriteDeadline(time.Now().Add(strangerWait))
	_, err = io.WriteString(c, text)
	return c, err
}

// leave closes what the strangers have open.
func (s *shipped) leave() {
	for _, end := range s.strangers {
		end()
	}
	s.strangers = nil
}
