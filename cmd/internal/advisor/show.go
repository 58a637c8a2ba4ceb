package advisor

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aws-slurm-burst/asba/advise"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/report"
)

// shownAdvice is the JSON form of an advice: a contract (docs/CLI.md).
type shownAdvice struct {
	Job         string            `json:"job,omitzero"`
	Name        string            `json:"name,omitzero"`
	Component   *int              `json:"component,omitzero"` // of a heterogeneous job, from 0
	Region      string            `json:"region"`
	ShouldBurst bool              `json:"should_burst"`
	Reasons     []string          `json:"reasons"`
	Nodes       int               `json:"nodes"`
	Confidence  advise.Confidence `json:"confidence"`
	Choices     []shownChoice     `json:"choices"`
	// Excluded is there where it was asked for.
	Excluded []shownExclusion `json:"excluded,omitempty"`
	Plan     jsontext.Value   `json:"execution_plan"`
}

type shownChoice struct {
	Type         string   `json:"type"`
	Listed       bool     `json:"in_plan"`
	Market       string   `json:"market"`
	Nodes        int      `json:"nodes"`
	TasksPerNode int      `json:"tasks_per_node"`
	VCPUs        int      `json:"vcpus"`
	Cores        int      `json:"cores"`
	MemoryMiB    int      `json:"memory_mib"`
	GPUs         int      `json:"gpus,omitzero"`
	GPUModel     string   `json:"gpu_model,omitzero"`
	EFA          int      `json:"efa_interfaces"`
	HourlyCost   *float64 `json:"hourly_cost"` // null where it is not known
	Cost         *float64 `json:"cost"`
	Hours        float64  `json:"hours"`
	Loss         float64  `json:"loss"`
	Price        *float64 `json:"price"` // on demand, of one
	PriceDate    string   `json:"price_date,omitzero"`
	Interruption string   `json:"interruption,omitzero"`
	Zones        []string `json:"zones"`
	Reason       string   `json:"reason"`
}

type shownExclusion struct {
	Type string `json:"type"`
	Rule string `json:"rule"`
	Why  string `json:"why"`
}

// amountOf is an amount, nil where it is not known.
func amountOf(v float64) *float64 {
	if v == 0 {
		return nil
	}
	v = math.Round(v*1e6) / 1e6
	return &v
}

// shown is an advice with at most so many choices.
func shown(j advise.Job, a advise.Advice, o advise.Options, most int, explain bool) shownAdvice {
	s := shownAdvice{
		Job: j.ID, Name: j.Name, Region: o.Market.Region, ShouldBurst: a.Plan.Bursts(), Reasons: a.Plan.Reasons.Value,
		Nodes: a.Nodes, Confidence: a.Confidence, Choices: []shownChoice{}, Plan: plan.Write(a.Plan),
	}
	choices := a.Choices()
	for i := range choices[:min(most, len(choices))] {
		c := &choices[i]
		x := shownChoice{
			Type: c.Type.Name, Listed: c.Listed, Market: c.Usage, Nodes: c.Nodes, TasksPerNode: c.TasksPerNode,
			VCPUs: c.Type.VCPUs, Cores: c.Type.Cores, MemoryMiB: c.Type.MemoryMiB, GPUs: c.Type.GPUs, GPUModel: c.Type.GPUModel, EFA: c.Type.EFA,
			HourlyCost: amountOf(c.HourlyCost), Cost: amountOf(c.Cost), Hours: c.Hours, Loss: c.Loss, Price: amountOf(c.Price.USD), PriceDate: c.Price.Date,
			Interruption: c.Spot.Interruption.String(), Zones: []string{}, Reason: c.Reason(),
		}
		for _, z := range c.Zones {
			x.Zones = append(x.Zones, z.ID)
		}
		s.Choices = append(s.Choices, x)
	}
	if explain {
		for _, x := range a.Excluded() {
			s.Excluded = append(s.Excluded, shownExclusion{x.Type.Name, x.Rule.String(), x.Why()})
		}
	}
	return s
}

func asJSON(v any) ([]byte, error) {
	data, err := json.Marshal(v, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return nil, app.Exitf(report.ExitFailed, "the advice could not be written: %v", err)
	}
	return append(data, '\n'), nil
}

// table shows the choices, why the first is the first, and how old prices are.
func table(j advise.Job, a advise.Advice, o advise.Options, markdown bool, most int, explain bool) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n\n", headline(j, a, o))
	var rows [][]string
	choices := a.Choices()
	for i := range choices[:min(most, len(choices))] {
		rows = append(rows, row(i+1, &choices[i]))
	}
	if len(rows) > 0 {
		header := []string{"", "type", "nodes", "market", "vCPUs (cores)", "memory", "GPUs", "EFA", "$/h", "$ in all", "interrupted", "in plan"}
		if err := app.Table(&b, markdown, header, rows); err != nil {
			return nil, err
		}
		if more := len(choices) - len(rows); more > 0 {
			fmt.Fprintf(&b, "%d more serve the job\n", more)
		}
		b.WriteByte('\n')
	}
	for _, r := range a.Plan.Reasons.Value {
		fmt.Fprintf(&b, "- %s\n", r)
	}
	if excluded := a.Excluded(); explain && len(excluded) > 0 {
		rows = nil
		for _, x := range excluded {
			rows = append(rows, []string{x.Type.Name, x.Rule.String(), x.Why()})
		}
		b.WriteByte('\n')
		if err := app.Table(&b, markdown, []string{"left out", "rule", "why"}, rows); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// headline says in a line what the advice is about, and what it is.
func headline(j advise.Job, a advise.Advice, o advise.Options) string {
	what := "the job"
	if j.ID != "" {
		what = "job " + j.ID
	}
	if j.Name != "" {
		what += " (" + strings.Map(printable, j.Name) + ")"
	}
	if !a.Plan.Bursts() {
		return fmt.Sprintf("%s in %s: do not burst", what, o.Market.Region)
	}
	nodes := "1 node"
	if a.Nodes != 1 {
		nodes = strconv.Itoa(a.Nodes) + " nodes"
	}
	return fmt.Sprintf("%s in %s: burst to %s, confidence %.2f", what, o.Market.Region, nodes, a.Confidence.Value)
}

// printable keeps a user's text from moving a terminal's cursor.
func printable(r rune) rune {
	if !strconv.IsPrint(r) {
		return '?'
	}
	return r
}

func row(place int, c *advise.Choice) []string {
	gpus, efa, listed := "", "", ""
	if c.Type.GPUs > 0 {
		gpus = fmt.Sprintf("%d %s", c.Type.GPUs, c.Type.GPUModel)
	}
	if c.Type.EFA > 0 {
		efa = strconv.Itoa(c.Type.EFA)
	}
	if c.Listed {
		listed = "yes"
	}
	band := ""
	if c.Usage == advise.UsageSpot {
		band = c.Spot.Interruption.String()
	}
	memory := strconv.FormatFloat(math.Round(float64(c.Type.MemoryMiB)/1024*10)/10, 'f', -1, 64) + " GiB"
	return []string{strconv.Itoa(place), c.Type.Name, strconv.Itoa(c.Nodes), c.Usage, fmt.Sprintf("%d (%d)", c.Type.VCPUs, c.Type.Cores), memory, gpus, efa,
		money(c.HourlyCost), money(c.Cost), band, listed}
}

func money(v float64) string {
	if v == 0 {
		return "unknown"
	}
	return strconv.FormatFloat(v, 'f', 4, 64)
}
