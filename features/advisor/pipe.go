package advisor

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Listen makes a pipe and answers the questions that are written into it.
func (a *Advisor) Listen(path string) error {
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0) // so that it never ends
	if err != nil {
		return err
	}
	a.ends = append(a.ends, func() { _ = f.SetReadDeadline(time.Unix(1, 0)) })
	a.doing.Go(func() {
		defer func() { _ = f.Close() }()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			line := lines.Text()
			a.doing.Go(func() { a.reply(line) })
		}
	})
	return nil
}

func (a *Advisor) reply(line string) {
	var q struct {
		Version   int    `json:"asba"`
		ID        string `json:"id"`
		Reply     string `json:"reply"`
		Job       string `json:"job_id"`
		Nodes     int    `json:"node_count"`
		Partition string `json:"partition"`
	}
	if err := json.Unmarshal([]byte(line), &q); err != nil || q.Version != 1 {
		return
	}
	plan, wrong := a.answer(Question{Job: q.Job, Nodes: q.Nodes, Partition: q.Partition})
	text, id := body(plan), q.ID
	switch wrong {
	case Hangs:
		return
	case Late:
		a.pause(later)
	case Other:
		id = "0123456789abcdef"
	case Large:
		text = body(large())
	case Fails:
		text = `{"error":"out of memory"}`
	}
	answer := fmt.Sprintf("asba/1 %s %d %x %s\n", id, len(text), sha256.Sum256([]byte(text)), text)
	switch wrong {
	case Cut:
		answer = answer[:len(answer)-20]
	case Rubbish, Redirects:
		answer = "<html>It works!</html>\n"
	case Drips:
		a.write(q.Reply, answer, 1)
		return
	}
	a.write(q.Reply, answer, len(answer))
}

// write writes to a pipe that somebody reads, so many bytes at a time.
func (a *Advisor) write(path, text string, step int) {
	f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	_ = f.SetWriteDeadline(time.Now().Add(10 * time.Second)) // nobody has to read it all
	for len(text) > 0 {
		n, err := f.WriteString(text[:min(step, len(text))])
		if text = text[n:]; err != nil || step == 1 && !a.pause(drip) {
			return
		}
	}
}

// Leave makes a pipe, and writes the plan of all into it as soon as somebody
// reads: cut short where that is how it goes wrong.
func (a *Advisor) Leave(path string) error {
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		return err
	}
	a.mu.Lock()
	plan, wrong := a.plans[""], a.wrong[""]
	a.mu.Unlock()
	if wrong == Cut {
		plan = plan[:len(plan)/2]
	}
	a.doing.Go(func() {
		for a.pause(5 * time.Millisecond) {
			f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
			if errors.Is(err, syscall.ENXIO) {
				continue
			}
			if err == nil {
				_, _ = f.WriteString(plan + "\n")
				_ = f.Close()
			}
			return
		}
	})
	return nil
}
