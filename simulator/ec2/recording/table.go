package recording

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/simulator/ec2/market"
)

// columns are the names that a table's first line may have; the first four it must.
var columns = []string{"time", "type", "zone", "capacity", "market"}

// table reads lines of a pool's capacity at an instant, in order of time.
func (s *source) table(in *bufio.Reader) error {
	r := csv.NewReader(in)
	r.Comment, r.TrimLeadingSpace, r.ReuseRecord = '#', true, true
	head, err := s.row(r)
	if err == io.EOF {
		return s.wrong(0, "write the columns time,type,zone,capacity", "there is nothing but comments in the file")
	}
	if err != nil {
		return err
	}
	line, _ := r.FieldPos(0)
	at := map[string]int{}
	for k, name := range head {
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		if !slices.Contains(columns, name) {
			hint := "the first line names the columns time,type,zone,capacity and perhaps market"
			if near := finding.Nearest(name, columns); near != "" {
				hint = "did you mean " + near + "?"
			}
			return s.wrong(line, hint, "%s is no column", finding.Quote(name))
		}
		if _, twice := at[name]; twice {
			return s.wrong(line, "remove one of the two", "column %s is there twice", name)
		}
		at[name] = k
	}
	for _, name := range columns[:4] {
		if _, ok := at[name]; !ok {
			return s.wrong(line, "write the columns time,type,zone,capacity", "there is no column %s", name)
		}
	}
	var clock clock
	for {
		row, err := s.row(r)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		line, _ := r.FieldPos(0)
		field := func(name string) string {
			k, ok := at[name]
			if !ok {
				return ""
			}
			return strings.TrimSpace(row[k])
		}
		when, ok := clock.parse(field("time"))
		if !ok {
			return s.wrong(line, "write seconds, or a time such as 2026-11-23T12:00:00Z, and one of both in all lines", "%s is no time", finding.Quote(field("time")))
		}
		if when < s.end {
			return s.wrong(line, "sort the lines by time", "%s is before the line above it", finding.Quote(field("time")))
		}
		s.end = when
		p := market.Pool{Type: strings.Clone(field("type")), AZ: strings.Clone(field("zone"))}
		if p.Type == "" || p.AZ == "" {
			return s.wrong(line, "such as c6i.xlarge and us-east-1a", "type and zone are not both there")
		}
		if p.Market, ok = marketOf(strings.Clone(field("market"))); !ok {
			return s.wrong(line, "write spot or on-demand", "%s is no market", finding.Quote(field("market")))
		}
		n, ok := capacity(field("capacity"))
		if !ok {
			return s.wrong(line, "write how many instances there were, or up or down", "%s is no capacity", finding.Quote(field("capacity")))
		}
		see(s.capacity, p, when, n)
	}
}

func (s *source) row(r *csv.Reader) ([]string, error) {
	row, err := r.Read()
	if bad := new(csv.ParseError); errors.As(err, &bad) {
		return nil, s.wrong(bad.Line, "each line has as many values as the first has columns", "no line of the table: %s", bad.Err)
	}
	return row, err
}

func capacity(text string) (int, bool) {
	switch strings.ToLower(text) {
	case "up":
		return plenty, true
	case "down":
		return 0, true
	}
	n, err := strconv.ParseUint(text, 10, 31)
	return int(n), err == nil
}

// clock turns the times of a file into times since its first.
type clock struct {
	known, seconds bool
	first          float64
	begin          time.Time
}

func (c *clock) parse(text string) (time.Duration, bool) {
	if n, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(n) {
		if !c.known {
			*c = clock{known: true, seconds: true, first: n}
		}
		d := (n - c.first) * float64(time.Second)
		return time.Duration(d), c.seconds && math.Abs(d) < float64(longest)
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || c.seconds {
		return 0, false
	}
	if !c.known {
		*c = clock{known: true, begin: t}
	}
	d := t.Sub(c.begin)
	return d, d.Abs() < longest
}

// longest is how much time a file can span.
const longest = 100 * 365 * 24 * time.Hour
