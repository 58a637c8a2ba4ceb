package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// outcome of a call. Each has a colour and a shape of its own in a timeline, and
// a word in a table.
type outcome string

const (
	answered  outcome = "answered"
	launched  outcome = "launched"
	ended     outcome = "ended"
	throttled outcome = "throttled"
	refused   outcome = "refused"
	lost      outcome = "no answer"
)

// outcomes in the order of the legend.
var outcomes = []outcome{answered, launched, ended, throttled, refused, lost}

func (c Call) outcome() outcome {
	switch {
	case c.Status == 0:
		return lost
	case strings.Contains(c.Code, "Throttl") || strings.HasSuffix(c.Code, "LimitExceeded") && strings.HasPrefix(c.Code, "Request"):
		return throttled
	case c.Status >= 400 || c.Code != "":
		return refused
	case c.launches() && len(c.Instances) > 0:
		return launched
	case c.Action == "TerminateInstances":
		return ended
	}
	return answered
}

func (c Call) launches() bool { return c.Action == "RunInstances" || c.Action == "CreateFleet" }

// class is the outcome as a name of a style.
func (o outcome) class() string { return strings.ReplaceAll(string(o), " ", "-") }

// letters stand in the marks of a timeline; any other call has its first one.
var letters = map[string]string{"RunInstances": "L", "CreateFleet": "L", "TerminateInstances": "T"}

func (c Call) letter() string {
	if l := letters[c.Action]; l != "" {
		return l
	}
	if c.Action == "" {
		return "?"
	}
	return strings.ToUpper(string([]rune(c.Action)[:1]))
}

// Measures of a timeline, in units of its view box.
const (
	chartWidth  = 760
	chartGutter = 215 // labels
	chartRight  = 26
	chartMark   = 6  // half of a mark
	chartLane   = 15 // height of a lane of marks
	chartLanes  = 4  // at most, in a row; more overlap
	chartRows   = 14 // of instances, at most
	chartLabel  = 36 // characters of a label
)

// chart is a timeline: a row for each run with a mark for each call, and a row
// for each lot of instances that lived and ended together.
type chart struct {
	Height, Axis int
	Ticks        []chartTick
	Rows         []chartRow
	// More counts the lots of instances that had no room.
	More int
}

type chartTick struct {
	X     string
	Label string
}

type chartRow struct {
	Y, Height   int
	Label, Full string
	LabelY      int
	// Bar is how long the program ran, or the instances lived.
	BarX, BarWidth string
	BarY, BarH     int
	Title          string
	Instances      bool
	Open           bool // they lived on
	Marks          []chartMarker
}

type chartMarker struct {
	X, Y   string
	Class  string
	Letter string
	Title  string
}

// newChart draws a scenario's runs; ok is false where there is nothing to draw.
func newChart(s Scenario) (*chart, bool) {
	end := s.Elapsed
	for _, r := range s.Runs {
		end = max(end, r.Began+r.Took)
		for _, c := range r.Calls {
			end = max(end, c.At+c.Took)
		}
	}
	if len(s.Runs) == 0 || end <= 0 {
		return nil, false
	}
	c := &chart{}
	scale := func(at time.Duration) float64 {
		share := min(1, max(0, at.Seconds()/end.Seconds()))
		return chartGutter + share*(chartWidth-chartGutter-chartRight)
	}
	y := 4
	for _, r := range s.Runs {
		row := runRow(r, y, scale)
		c.Rows = append(c.Rows, row)
		y += row.Height
	}
	lots := lotsOf(s, end)
	if len(lots) > chartRows {
		c.More = len(lots) - chartRows
		lots = lots[:chartRows]
	}
	for _, l := range lots {
		row := l.row(y, scale)
		c.Rows = append(c.Rows, row)
		y += row.Height
	}
	c.Axis, c.Height = y+2, y+20
	step := tickStep(end)
	for at := time.Duration(0); at <= end; at += step {
		c.Ticks = append(c.Ticks, chartTick{X: units(scale(at)), Label: tickLabel(at, step)})
	}
	return c, true
}

// runRow puts each mark into the first lane in which it covers no other.
func runRow(r Run, y int, scale func(time.Duration) float64) chartRow {
	var ends []float64 // of the last mark in each lane
	row := chartRow{Y: y, Full: r.Command, Label: shorten(programOf(r.Command))}
	for _, c := range r.Calls {
		x := scale(c.At)
		lane := slices.IndexFunc(ends, func(end float64) bool { return x-end >= 2*chartMark+2 })
		switch {
		case lane >= 0:
			ends[lane] = x
		case len(ends) < chartLanes:
			lane = len(ends)
			ends = append(ends, x)
		default:
			lane = chartLanes - 1
			ends[lane] = x
		}
		row.Marks = append(row.Marks, chartMarker{
			X: units(x), Y: units(float64(y + 3 + chartLane*lane + chartLane/2)), Class: c.outcome().class(), Letter: c.letter(), Title: c.sentence(),
		})
	}
	row.Height = 6 + chartLane*max(1, len(ends))
	row.place(scale(r.Began), scale(r.Began+r.Took))
	row.BarY, row.BarH = y+2, row.Height-4
	row.Title = fmt.Sprintf("%s, from %s on, %s", r.Command, duration(r.Began), duration(r.Took))
	return row
}

func (row *chartRow) place(from, to float64) {
	row.BarX, row.BarWidth = units(from), units(max(2, to-from))
	row.LabelY = row.Y + row.Height/2 + 4
}

// sentence is a call in words, for those who do not see its mark.
func (c Call) sentence() string {
	text := fmt.Sprintf("%s at %s: %s", c.Action, duration(c.At), c.answer())
	if c.Detail != "" {
		text += " (" + c.Detail + ")"
	}
	return text
}

// answer is what came of a call, in a few words.
func (c Call) answer() string {
	o := c.outcome()
	switch o {
	case launched, ended:
		return fmt.Sprintf("%s %d", o, len(c.Instances))
	case refused, throttled:
		if c.Code != "" {
			return string(o) + ", " + c.Code
		}
		return string(o) + ", HTTP " + strconv.Itoa(c.Status)
	}
	return string(o)
}

// lot is instances of one launch that lived equally long.
type lot struct {
	from, to time.Duration
	open     bool
	ids      []string
	label    string
}

// lotsOf follows every instance from the call that launched it to the one that
// was asked to end it and was not refused.
func lotsOf(s Scenario, end time.Duration) []lot {
	ends := map[string]time.Duration{}
	kinds := map[string]string{}
	for _, r := range s.Runs {
		for _, n := range r.Nodes {
			if n.Instance != "" && n.Type != "" {
				kinds[n.Instance] = strings.TrimSpace(n.Type + " " + n.Market + " " + n.AZ)
			}
		}
		for _, c := range r.Calls {
			if o := c.outcome(); c.Action == "TerminateInstances" && (o == ended || o == lost) {
				for _, id := range c.Instances {
					if at, known := ends[id]; !known || c.At < at {
						ends[id] = c.At
					}
				}
			}
		}
	}
	var lots []lot
	seen := map[string]bool{}
	for _, r := range s.Runs {
		for _, c := range r.Calls {
			if c.outcome() != launched && (c.outcome() != lost || !c.launches()) {
				continue
			}
			first := len(lots)
			for _, id := range c.Instances {
				if seen[id] { // a token used again is answered with the same ones
					continue
				}
				seen[id] = true
				to, known := ends[id]
				if !known {
					to = end
				}
				at := slices.IndexFunc(lots[first:], func(l lot) bool { return l.to == to && l.open == !known && l.kind() == kinds[id] })
				if at < 0 {
					at = len(lots) - first
					lots = append(lots, lot{from: c.At + c.Took, to: to, open: !known, label: kinds[id]})
				}
				lots[first+at].ids = append(lots[first+at].ids, id)
			}
		}
	}
	return lots
}

func (l lot) kind() string { return l.label }

func (l lot) row(y int, scale func(time.Duration) float64) chartRow {
	label := fmt.Sprintf("%d × %s", len(l.ids), l.label)
	if l.label == "" {
		label = plural(len(l.ids), "instance")
	}
	row := chartRow{Y: y, Height: 18, Label: shorten(label), Full: label, Instances: true, Open: l.open, BarY: y + 4, BarH: 10}
	row.place(scale(l.from), scale(l.to))
	until := "ended at " + duration(l.to)
	if l.open {
		until = "still there at the end"
	}
	row.Title = fmt.Sprintf("%s: launched at %s, %s: %s", label, duration(l.from), until, some(l.ids, 8))
	return row
}

// programOf is what a command does, in few words: without the part that all
// programs' names share, and without flags.
func programOf(command string) string {
	first, rest, _ := strings.Cut(strings.TrimSpace(command), "\n")
	words := strings.Fields(strings.ReplaceAll(first, "aws-slurm-burst-", ""))
	words = slices.DeleteFunc(words, func(w string) bool { return strings.HasPrefix(w, "--") })
	if rest != "" {
		words = append(words, "…")
	}
	return strings.Join(words, " ")
}

func shorten(label string) string {
	if r := []rune(label); len(r) > chartLabel {
		return string(r[:chartLabel-1]) + "…"
	}
	return label
}

// some lists the first of many.
func some(list []string, most int) string {
	if len(list) <= most {
		return strings.Join(list, " ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most-1], " "), len(list)-most+1)
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}

// tickStep is 1, 2 or 5 of a power of ten, for four to ten ticks.
func tickStep(end time.Duration) time.Duration {
	step := time.Microsecond
	for {
		for _, times := range []time.Duration{1, 2, 5} {
			if end/(step*times) < 9 {
				return step * times
			}
		}
		step *= 10
	}
}

func tickLabel(at, step time.Duration) string {
	switch {
	case at == 0:
		return "0"
	case step >= time.Second:
		return strconv.FormatInt(int64(at/time.Second), 10) + " s"
	case step >= 100*time.Millisecond && at >= time.Second:
		return strconv.FormatFloat(at.Seconds(), 'f', 1, 64) + " s"
	}
	return duration(at)
}

// duration is a time in the unit that suits it.
func duration(d time.Duration) string {
	switch d = max(0, d); {
	case d == 0:
		return "0"
	case d < time.Millisecond:
		return "<1 ms"
	case d < time.Second:
		return strconv.FormatInt(d.Round(time.Millisecond).Milliseconds(), 10) + " ms"
	case d < time.Minute:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%d m %d s", int(d.Minutes()), int(d.Seconds())%60)
}

func units(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
