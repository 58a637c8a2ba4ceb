package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan/rule"
)

// Variables are the names that FromEnv reads.
var Variables = []string{
	"ASBA_SHOULD_BURST", "ASBA_INSTANCE_TYPES", "ASBA_PURCHASING_OPTION", "ASBA_MAX_SPOT_PRICE",
	"ASBA_REQUIRES_EFA", "ASBA_PLACEMENT_GROUP", "ASBA_MPI_PROCESSES", "ASBA_GANG_SCHEDULING",
}

// FromEnv reads a plan from the ASBA_* variables; an empty or blank one says
// nothing. present is false where all are empty: then there is no plan at all.
// Findings name the variable as their File. As with Read, the plan is fit for
// use only where no finding is an error. A job of MPI processes is an MPI job.
func FromEnv(get func(string) string) (p *Plan, fs []finding.Finding, present bool) {
	e := envReader{get: func(name string) string { return strings.TrimSpace(get(name)) }}
	p = &Plan{Dialect: DialectEnv, Source: "environment"}
	sum := sha256.New()
	for _, name := range Variables {
		if v := e.get(name); v != "" {
			present = true
			fmt.Fprintf(sum, "%s=%s\x00", name, v)
		}
	}
	if !present {
		return nil, nil, false
	}
	p.Digest = hex.EncodeToString(sum.Sum(nil)[:8])

	p.ShouldBurst = e.boolean("ASBA_SHOULD_BURST")
	p.InstanceTypes = e.list("ASBA_INSTANCE_TYPES")
	p.Purchasing = e.text("ASBA_PURCHASING_OPTION")
	p.MaxSpotPrice = e.usd("ASBA_MAX_SPOT_PRICE")
	p.RequiresEFA = e.boolean("ASBA_REQUIRES_EFA")
	p.Placement = e.text("ASBA_PLACEMENT_GROUP")
	p.ProcessCount = e.count("ASBA_MPI_PROCESSES")
	if p.ProcessCount.Given {
		p.IsMPI = Opt[bool]{Value: true, Given: true, At: p.ProcessCount.At}
	}
	p.Gang = e.boolean("ASBA_GANG_SCHEDULING")

	if p.InstanceTypes.Given || p.Purchasing.Given || p.MaxSpotPrice.Given {
		p.Sections = append(p.Sections, InstanceSpecification)
	}
	if p.RequiresEFA.Given || p.ProcessCount.Given || p.Gang.Given {
		p.Sections = append(p.Sections, MPIConfiguration)
	}
	if p.Placement.Given {
		p.Sections = append(p.Sections, NetworkConfiguration)
	}
	return p, e.Findings(), true
}

// Variable is what a plan says in one of the Variables.
type Variable struct {
	Name, Value string
	// Set is false where the plan leaves it open: a value that stands there from
	// before would be another plan's.
	Set bool
}

// Environment returns what a plan says as Variables, all of them and in their
// order: FromEnv reads from it what they have names for. Values hold no line
// break, and nothing that a plan can say without a finding needs quotes in a
// shell.
func Environment(p *Plan) []Variable {
	boolean := func(o Opt[bool]) string {
		if !o.Given {
			return ""
		}
		return strconv.FormatBool(o.Value)
	}
	values := []string{boolean(Opt[bool]{Value: p.Bursts(), Given: true}), "", "", "", "", "", "", ""}
	if p.Bursts() {
		values[1] = strings.Join(p.InstanceTypes.Value, ",")
		values[2] = p.Purchasing.Value
		if p.MaxSpotPrice.Given {
			values[3] = formatUSD(p.MaxSpotPrice.Value)
		}
		values[4], values[5] = boolean(p.RequiresEFA), p.Placement.Value
		if p.ProcessCount.Given && p.IsMPI.Or(true) { // who reads it takes the job for MPI
			values[6] = strconv.Itoa(p.ProcessCount.Value)
		}
		values[7] = boolean(p.Gang)
	}
	out := make([]Variable, len(Variables))
	for i, name := range Variables {
		value := strings.Join(strings.Fields(values[i]), " ")
		out[i] = Variable{Name: name, Value: value, Set: value != ""}
	}
	return out
}

type envReader struct {
	rule.Report
	get func(string) string // without blanks around
}

// variable returns a variable's text and its place.
func (e *envReader) variable(name string) (string, Place) {
	return e.get(name), Place{File: name}
}

func (e *envReader) text(name string) Opt[string] {
	v, at := e.variable(name)
	if v == "" {
		return Opt[string]{}
	}
	return Opt[string]{Value: v, Given: true, At: at}
}

// truth takes the words that shell scripts use, in any case.
func truth(word string) (value, ok bool) {
	switch strings.ToLower(word) {
	case "true", "yes", "1", "on":
		return true, true
	case "false", "no", "0", "off":
		return false, true
	}
	return false, false
}

func (e *envReader) boolean(name string) Opt[bool] {
	v, at := e.variable(name)
	if v == "" {
		return Opt[bool]{}
	}
	if on, plain := truth(v); plain {
		return Opt[bool]{Value: on, Given: true, At: at}
	}
	e.Add(rule.Type, at, fmt.Sprintf("%s must be true or false, not %s", name, finding.Quote(v)), "")
	return Opt[bool]{At: at}
}

func (e *envReader) usd(name string) Opt[float64] {
	v, at := e.variable(name)
	if v == "" {
		return Opt[float64]{}
	}
	usd, ok := bounded(&e.Report, at, name, v, "a number of USD", maxUSD)
	return Opt[float64]{Value: usd, Given: ok, At: at}
}

func (e *envReader) count(name string) Opt[int] {
	v, at := e.variable(name)
	if v == "" {
		return Opt[int]{}
	}
	n, ok := bounded(&e.Report, at, name, v, "a whole number", maxCount)
	if ok && n != float64(int(n)) {
		e.Add(rule.Type, at, fmt.Sprintf("%s must be a whole number, not %s", name, shorten(v)), "")
		ok = false
	}
	return Opt[int]{Value: int(n), Given: ok && n > 0, At: at}
}

func (e *envReader) list(name string) (l List) {
	v, at := e.variable(name)
	if v == "" {
		return l
	}
	l.At = at
	for word := range strings.SplitSeq(v, ",") {
		if word = strings.TrimSpace(word); word != "" {
			l.Value = append(l.Value, word)
		}
	}
	l.Items = slices.Repeat([]Place{at}, len(l.Value))
	l.Given = len(l.Value) > 0
	return l
}
