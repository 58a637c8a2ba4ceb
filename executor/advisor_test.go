package executor_test

import (
	"context"
	"errors"
	"strings"
	"time"

	"aws-slurm-burst/asba/protocol"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/plansource"
)

// advisor is a model of ASBA behind the executor's ports, in virtual time.
type advisor struct {
	// takes is how long an answer takes, of a job or else of any.
	takes map[string]time.Duration
	// plans are the plans of jobs, "" that of who has none. A text that begins
	// with "!" is a way to go wrong: see wrong.
	plans map[string]string
	// nobody: no pipe has a reader, and Unasked is what somebody writes.
	nobody  bool
	unasked string
	// local is whether it is on this machine, mine whose its pipe is.
	local bool
	pipe  plansource.PipeInfo

	// onAsk is called with each question, if it is set.
	onAsk func()
	asked []protocol.Request // in order
	now   int                // questions under way, and the most there were
	most  int
}

// on returns the ports of a process. A nil advisor is nowhere.
func (a *advisor) on(e env.Env) plansource.Advisor {
	p := advising{a, e}
	return plansource.Advisor{Web: p, Pipes: p, Programs: p}
}

type advising struct {
	*advisor
	env env.Env
}

var errRefused = errors.New("connection refused")

// think takes its time and returns the plan of a job.
func (a advising) think(ctx context.Context, q protocol.Request) (string, error) {
	a.asked = append(a.asked, q)
	if a.onAsk != nil {
		a.onAsk()
	}
	a.now++
	a.most = max(a.most, a.now)
	defer func() { a.now-- }()
	d, ok := a.takes[q.JobID]
	if !ok {
		d = a.takes[""]
	}
	if err := a.env.Sleep(ctx, d); err != nil {
		return "", err
	}
	text, ok := a.plans[q.JobID]
	if !ok {
		text = a.plans[""]
	}
	return text, nil
}

// The ways of an advisor to go wrong.
const (
	wrongFailure = "!failure"
	wrongCut     = "!cut"
	wrongForm    = "!rubbish"
	wrongID      = "!other"
	wrongSize    = "!large"
)

func (a advising) Post(ctx context.Context, p plansource.Post) (plansource.Response, error) {
	if a.advisor == nil {
		return plansource.Response{}, errRefused
	}
	q, err := protocol.DecodeRequest(p.Body)
	if err != nil {
		return plansource.Response{}, err
	}
	text, err := a.think(ctx, q)
	r := plansource.Response{Status: 200, Local: a.local}
	switch {
	case err != nil:
		return r, err
	case text == wrongFailure:
		r.Status, r.Body = 500, []byte(`{"error":"out of memory"}`)
	case text == wrongCut:
		return r, plansource.ErrCut
	case text == wrongForm, text == wrongID:
		r.Body = []byte("<html>")
	case text == wrongSize:
		return r, plansource.ErrTooLarge
	default:
		r.Body = []byte(`{"execution_plan":` + text + `}`)
	}
	return r, nil
}

func (a advising) Find(string) (plansource.Pipe, error) {
	if a.advisor == nil {
		return nil, plansource.ErrNotFound
	}
	return a, nil
}

func (a advising) Info() plansource.PipeInfo { return a.pipe }

func (a advising) Ask(ctx context.Context, question func(string) ([]byte, error), _ int64) ([]byte, error) {
	if a.nobody {
		return nil, plansource.ErrNoReader
	}
	line, err := question("/run/reply")
	if err != nil {
		return nil, err
	}
	q, err := protocol.ReadRequest(line)
	if err != nil {
		return nil, err
	}
	text, err := a.think(ctx, protocol.Request{JobID: q.JobID, NodeCount: q.NodeCount, Partition: q.Partition})
	if err != nil {
		return nil, err
	}
	whole, _ := protocol.Answer{Plan: []byte(`{"should_burst":true}`)}.Line(q.ID)
	switch text {
	case wrongFailure:
		return (&protocol.Failure{Text: "out of memory"}).Line(q.ID), nil
	case wrongCut:
		return whole[:len(whole)-9], nil
	case wrongForm:
		return []byte("<html>\n"), nil
	case wrongID:
		return protocol.Answer{Plan: []byte(`{}`)}.Line("aaaaaaaaaaaaaaaa")
	case wrongSize:
		return nil, plansource.ErrTooLarge
	}
	return protocol.Answer{Plan: []byte(text)}.Line(q.ID)
}

func (a advising) Read(ctx context.Context, _ int64) ([]byte, error) {
	if a.unasked == "" {
		return nil, a.env.Sleep(ctx, time.Hour)
	}
	return []byte(a.unasked), nil
}

func (a advising) Run(ctx context.Context, _ string, args []string, _ int64) ([]byte, error) {
	if a.advisor == nil {
		return nil, plansource.ErrNotFound
	}
	var q protocol.Request
	for _, arg := range args {
		if job, ok := strings.CutPrefix(arg, "--job-id="); ok {
			q.JobID = job
		}
	}
	text, err := a.think(ctx, q)
	switch {
	case err != nil:
		return nil, err
	case text == wrongFailure:
		return nil, &plansource.Failed{How: "exit status 1", Said: "ERROR: out of memory"}
	case text == wrongCut:
		return []byte(`{"should_burst": tr`), nil
	case text == wrongForm, text == wrongID:
		return []byte("<html>"), nil
	case text == wrongSize:
		return nil, plansource.ErrTooLarge
	}
	return []byte(text), nil
}
