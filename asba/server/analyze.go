package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/protocol"
)

// A question of more than smallBody is one of at most largeAtOnce that are read
// at a time, so that all connections together cannot fill the memory with
// scripts.
const (
	smallBody   = 64 << 10
	largeAtOnce = 8
)

// statusGone is what a log says of a client that did not wait for its answer.
const statusGone = 499

var errBusy = errors.New("too many questions at once")

// body reads a question's body. Errors: errBusy, protocol.ErrTooLarge, or what
// the connection has.
func (s *Server) body(w http.ResponseWriter, r *http.Request) (data []byte, err error) {
	if r.ContentLength > protocol.MaxRequest {
		return nil, protocol.ErrTooLarge
	}
	in := http.MaxBytesReader(w, r.Body, protocol.MaxRequest)
	data, err = io.ReadAll(io.LimitReader(in, smallBody+1))
	if err == nil && len(data) > smallBody {
		select {
		case s.large <- struct{}{}:
			defer func() { <-s.large }()
		default:
			return nil, errBusy
		}
		var rest []byte
		rest, err = io.ReadAll(in)
		data = append(data, rest...)
	}
	if large := new(http.MaxBytesError); errors.As(err, &large) {
		err = protocol.ErrTooLarge
	}
	return data, err
}

// answered reads a question and has it answered; where there is no answer the
// client has been told why.
func (s *Server) answered(w http.ResponseWriter, r *http.Request, explain bool) (a Analysis, id string, ok bool) {
	note := noted(r)
	data, err := s.body(w, r)
	switch {
	case errors.Is(err, errBusy):
		busyFor(w)
		return a, "", false
	case errors.Is(err, protocol.ErrTooLarge):
		w.Header().Set("Connection", "close") // the rest of it is not read
		refuse(w, http.StatusRequestEntityTooLarge, "the question has more than %d bytes", protocol.MaxRequest)
		return a, "", false
	case err != nil:
		refuse(w, http.StatusBadRequest, "the question did not arrive whole")
		return a, "", false
	}
	q, err := protocol.DecodeRequest(data)
	note.question = slog.Group("question", "script_bytes", len(q.JobScript), "job_id", q.JobID, "node_count", q.NodeCount, "partition", q.Partition)
	switch {
	case errors.Is(err, protocol.ErrTooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, "%v", err)
		return a, "", false
	case err != nil:
		note.question = slog.Attr{} // it may be anything
		refuse(w, http.StatusBadRequest, "%v", err)
		return a, "", false
	}
	done := s.turns.take(r.Context())
	if done == nil {
		busyFor(w)
		return a, "", false
	}
	defer done()
	id = newID()
	note.analysis = id
	ctx, cancel := context.WithTimeout(r.Context(), s.Within)
	defer cancel()
	a, err = s.analyst.Analyze(ctx, Question{Request: q, Explain: explain})
	switch {
	case err == nil:
		return a, id, true
	case errors.Is(err, ErrQuestion):
		refuse(w, http.StatusUnprocessableEntity, "%s", words(err))
	case r.Context().Err() != nil:
		note.status = statusGone // nobody is there to be told
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		note.err = err
		refuse(w, http.StatusGatewayTimeout, "no answer within %s: %s", s.Within, words(err))
	default:
		note.err = err
		refuse(w, http.StatusInternalServerError, "%s", words(err))
	}
	return a, "", false
}

// words is an error as a client is told, without the mark that says whose fault
// it is.
func words(err error) string {
	return strings.TrimPrefix(err.Error(), ErrQuestion.Error()+": ")
}

func (s *Server) analyze(w http.ResponseWriter, r *http.Request) {
	a, id, ok := s.answered(w, r, false)
	if !ok {
		return
	}
	data, err := protocol.Answer{Plan: a.Plan, AnalysisID: id, Confidence: a.Confidence}.Encode()
	if err != nil {
		noted(r).err = err
		refuse(w, http.StatusInternalServerError, "the answer cannot be sent: %v", err)
		return
	}
	writeJSON(w, http.StatusOK, data)
}

// shownExplanation is the JSON form of an explanation; docs/PROTOCOL.md and
// openapi.yaml have its keys.
type shownExplanation struct {
	Plan       jsontext.Value    `json:"execution_plan"`
	ID         string            `json:"analysis_id"`
	Confidence float64           `json:"confidence"`
	Region     string            `json:"region"`
	Bursts     bool              `json:"should_burst"`
	Nodes      int               `json:"nodes"`
	Reasons    []string          `json:"reasons"`
	Types      []shownType       `json:"types"`
	Excluded   int               `json:"excluded"`
	Findings   []finding.Finding `json:"findings"`
}

type shownType struct {
	Name         string   `json:"type"`
	Planned      bool     `json:"in_plan"`
	Market       string   `json:"market"`
	Nodes        int      `json:"nodes"`
	VCPUs        int      `json:"vcpus"`
	Cores        int      `json:"cores"`
	MemoryMiB    int      `json:"memory_mib"`
	GPUs         int      `json:"gpus"`
	GPUModel     string   `json:"gpu_model"`
	EFA          int      `json:"efa_interfaces"`
	HourlyCost   *float64 `json:"hourly_cost"` // null where it is not known
	Cost         *float64 `json:"cost"`
	Interruption string   `json:"interruption"`
	PriceDate    string   `json:"price_date"`
	Reason       string   `json:"reason"`
}

// amount is a cost to a millionth of a dollar, nil where it is not known.
func amount(v float64) *float64 {
	if v == 0 {
		return nil
	}
	v = math.Round(v*1e6) / 1e6
	return &v
}

func (s *Server) explain(w http.ResponseWriter, r *http.Request) {
	a, id, ok := s.answered(w, r, true)
	if !ok {
		return
	}
	x := a.Explanation
	shown := shownExplanation{Plan: a.Plan, ID: id, Confidence: a.Confidence, Region: x.Region, Bursts: x.Bursts, Nodes: x.Nodes, Reasons: x.Reasons, Types: []shownType{}, Excluded: x.Excluded, Findings: x.Findings}
	for _, t := range x.Types {
		shown.Types = append(shown.Types, shownType{
			Name: t.Name, Planned: t.Planned, Market: t.Market, Nodes: t.Nodes, VCPUs: t.VCPUs, Cores: t.Cores, MemoryMiB: t.MemoryMiB,
			GPUs: t.GPUs, GPUModel: t.GPUModel, EFA: t.EFA, HourlyCost: amount(t.HourlyCost), Cost: amount(t.Cost),
			Interruption: t.Interruption, PriceDate: t.Dated, Reason: t.Reason,
		})
	}
	data, err := json.Marshal(shown, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		noted(r).err = err
		refuse(w, http.StatusInternalServerError, "the answer cannot be sent: %v", err)
		return
	}
	writeJSON(w, http.StatusOK, data)
}

func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n")
}
