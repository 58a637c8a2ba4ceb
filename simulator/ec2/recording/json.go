package recording

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/simulator/ec2/market"
)

// quote is an entry of describe-spot-price-history, of what is read of it.
type quote struct {
	Zone    string    `json:"AvailabilityZone"`
	Type    string    `json:"InstanceType"`
	Product string    `json:"ProductDescription"`
	Price   string    `json:"SpotPrice"`
	Time    time.Time `json:"Timestamp"`
}

// change is a quote that is waiting for those before it: EC2 tells the newest first.
type change struct {
	at  time.Time
	usd float64
}

// json reads one of the two forms of JSON, whichever its keys are of.
func (s *source) json(in *bufio.Reader) error {
	d := jsontext.NewDecoder(in)
	if d.PeekKind() != '{' {
		return s.wrong(1, "give the whole of what the AWS CLI printed", "it begins with a list, not with SpotPriceHistory")
	}
	if _, err := d.ReadToken(); err != nil {
		return s.bad(d, err)
	}
	quotes := map[market.Pool][]change{}
	counts := []int(nil)
	var about struct {
		Gap float64 `json:"gap_seconds"`
	}
	known := false
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return s.bad(d, err)
		}
		switch name.String() {
		case "SpotPriceHistory":
			known, err = true, s.list(d, func() error { return s.quote(d, quotes) })
		case "data":
			known, err = true, s.list(d, func() error {
				n, err := s.count(d)
				counts = append(counts, n)
				return err
			})
		case "metadata":
			err = json.UnmarshalDecode(d, &about)
		default:
			err = d.SkipValue()
		}
		if err != nil {
			return s.bad(d, err)
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return s.bad(d, err)
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return s.wrong(s.lines.at(d.InputOffset()), "give each answer a file of its own", "there is more behind the end")
	}
	if !known {
		return s.wrong(1, "give what `aws ec2 describe-spot-price-history --output json` prints, or metadata and data", "there is neither SpotPriceHistory nor data in it")
	}
	s.prices(quotes)
	return s.counts(counts, about.Gap)
}

// bad says where JSON is not what it should be.
func (s *source) bad(d *jsontext.Decoder, err error) error {
	if own := new(Error); errors.As(err, &own) {
		return own
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return s.wrong(s.lines.at(d.InputOffset()), "is it whole?", "the file ends in the middle")
	}
	text := strings.Join(strings.Fields(err.Error()), " ")
	// The library's own words for this differ from run to run.
	if kind := new(json.SemanticError); errors.As(err, &kind) && kind.JSONPointer != "" {
		text = kind.JSONPointer.LastToken()
		if kind.GoType == reflect.TypeFor[time.Time]() {
			text += " is no time such as 2026-01-31T12:00:00Z"
		} else {
			text += " cannot be " + finding.Kind(kind.JSONKind)
		}
	}
	return s.wrong(s.lines.at(d.InputOffset()), "", "%s", text)
}

func (s *source) list(d *jsontext.Decoder, item func() error) error {
	if d.PeekKind() != '[' {
		return s.wrong(s.lines.at(d.InputOffset()), "", "a list is wanted")
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != ']' {
		if err := item(); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

func (s *source) quote(d *jsontext.Decoder, into map[market.Pool][]change) error {
	var q quote
	if err := json.UnmarshalDecode(d, &q); err != nil {
		return err
	}
	line := s.lines.at(d.InputOffset())
	usd, err := strconv.ParseFloat(q.Price, 64)
	switch {
	case q.Type == "" || q.Zone == "" || q.Time.IsZero():
		return s.wrong(line, "each has InstanceType, AvailabilityZone, SpotPrice and Timestamp", "a price without its pool or time ends here")
	case err != nil || !(usd > 0 && usd < 1e6):
		return s.wrong(line, "it is in US dollars an hour", "%s is no price", finding.Quote(q.Price))
	}
	if q.Product == "" || strings.HasPrefix(q.Product, "Linux/UNIX") { // others are of systems that no node here has
		p := market.Pool{Type: q.Type, AZ: q.Zone, Market: cloud.Spot}
		into[p] = append(into[p], change{q.Time, usd})
	}
	return nil
}

// prices puts quotes in order of time. Those of one file begin together, with the
// first of all.
func (s *source) prices(quotes map[market.Pool][]change) {
	var first, last time.Time
	for _, list := range quotes {
		slices.SortStableFunc(list, func(a, b change) int { return a.at.Compare(b.at) })
		if first.IsZero() || list[0].at.Before(first) {
			first = list[0].at
		}
		if list[len(list)-1].at.After(last) {
			last = list[len(list)-1].at
		}
	}
	for p, list := range quotes {
		for _, c := range list {
			see(s.price, p, c.at.Sub(first), c.usd)
		}
	}
	s.end = max(s.end, last.Sub(first))
}

func (s *source) count(d *jsontext.Decoder) (int, error) {
	t, err := d.ReadToken()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(t.String(), 10, 31)
	if t.Kind() != '0' || err != nil {
		return 0, s.wrong(s.lines.at(d.InputOffset()), "data are whole numbers, one a tick", "%s is no count of instances", finding.Quote(t.String()))
	}
	return int(n), nil
}

// counts makes a pool's capacity of a count a tick.
func (s *source) counts(list []int, gap float64) error {
	if len(list) == 0 {
		return nil
	}
	if s.of.Type == "" || s.of.AZ == "" {
		return s.wrong(0, "write {file: FILE, type: c6i.xlarge, zone: us-east-1a}", "a series of counts does not say of which pool it is")
	}
	tick := time.Duration(gap * float64(time.Second))
	if !(gap > 0 && gap*float64(len(list)) < longest.Seconds()) || tick <= 0 {
		return s.wrong(0, "write metadata: {gap_seconds: 300}", "a series of counts does not say how long a tick is")
	}
	p := s.of
	p.Market = cmp.Or(p.Market, cloud.Spot)
	for k, n := range list {
		see(s.capacity, p, time.Duration(k)*tick, n)
	}
	s.end = time.Duration(len(list)) * tick
	return nil
}
