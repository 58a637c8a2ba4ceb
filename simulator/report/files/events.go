package files

import (
	"bufio"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/report"
)

// events writes every event as a line of JSON.
type events struct {
	begin env.Time
}

func newEvents(o Options) *events { return &events{begin: o.Begin} }

// eventLine is an event; what it does not have is left out. Times are seconds from
// the workload's beginning.
type eventLine struct {
	At    float64 `json:"at_s"`
	Event string  `json:"event"`

	Job     int64     `json:"job,omitzero"`
	Attempt int       `json:"attempt,omitzero"`
	Spec    *specLine `json:"spec,omitzero"`
	State   string    `json:"state,omitzero"`
	Cause   string    `json:"cause,omitzero"`

	Partition string `json:"partition,omitzero"`

	Node  string   `json:"node,omitzero"`
	Nodes []string `json:"nodes,omitzero"`
	CPUs  int      `json:"cpus,omitzero"`
	Count *int     `json:"count,omitzero"`
	Depth *int     `json:"depth,omitzero"`
	Began *float64 `json:"began_s,omitzero"`
	Exit  *int     `json:"exit_code,omitzero"`

	Instance  string  `json:"instance,omitzero"`
	Type      string  `json:"type,omitzero"`
	AZ        string  `json:"az,omitzero"`
	Market    string  `json:"market,omitzero"`
	Family    string  `json:"family,omitzero"`
	VCPUs     int     `json:"vcpus,omitzero"`
	USD       float64 `json:"usd_per_hour,omitzero"`
	Charged   float64 `json:"charged_usd,omitzero"`
	Operation string  `json:"operation,omitzero"`
	Code      string  `json:"code,omitzero"`
}

type specLine struct {
	User      string  `json:"user,omitzero"`
	Account   string  `json:"account,omitzero"`
	Partition string  `json:"partition,omitzero"`
	Procs     int     `json:"procs"`
	Nodes     int     `json:"nodes,omitzero"`
	Limit     float64 `json:"limit_s,omitzero"`
	Run       float64 `json:"run_s"`
}

func (*events) head(*bufio.Writer) {}

func (f *events) event(w *bufio.Writer, e record.Event) {
	l := eventLine{
		At: e.At.Sub(f.begin).Seconds(), Event: e.Kind.String(), Job: e.Job, Attempt: e.Attempt, State: e.State, Cause: e.Cause,
		Partition: e.Partition, Node: e.Node, Nodes: e.Nodes, CPUs: e.CPUs, Instance: e.Instance, Type: e.Type, AZ: e.AZ, Market: e.Market, Family: e.Family,
		VCPUs: e.VCPUs, USD: e.USD, Charged: e.Charged, Operation: e.Operation, Code: e.Code,
	}
	if s := e.Spec; s != nil {
		l.Spec = &specLine{s.User, s.Account, s.Partition, s.Procs, s.Nodes, s.LimitS, s.RunS}
	}
	switch e.Kind { // whose 0 says something
	case record.Resumed, record.Suspended:
		began := e.Began.Sub(f.begin).Seconds()
		l.Began, l.Exit, l.Count = &began, &e.Exit, &e.Count
	case record.Gang:
		l.Count, l.Depth = &e.Count, &e.Depth
	}
	// Names of a trace may be no UTF-8. The writer keeps its error.
	_ = json.MarshalWrite(w, &l, jsontext.AllowInvalidUTF8(true))
	_ = w.WriteByte('\n')
}

func (*events) job(*bufio.Writer, *report.Job) {}

func (*events) tail(*bufio.Writer) {}
