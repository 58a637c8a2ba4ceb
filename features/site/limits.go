package site

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"aws-slurm-burst/localstack/faultproxy"
)

// onDemand are AWS's prices in us-east-1, Linux, in USD an hour, of the types
// that the shipped scenarios launch under a limit: the judge's own, apart from
// the programs' catalogue. Options.Price takes their place for plans of others.
var onDemand = map[string]float64{
	"c5.xlarge": 0.17, "c6i.xlarge": 0.17, "c6i.2xlarge": 0.34, "m6i.xlarge": 0.192, "t3.medium": 0.0416,
	"c5n.9xlarge": 1.944, "c5n.18xlarge": 3.888, "c6in.32xlarge": 7.2576,
}

// limit is what plan and configuration let some nodes cost: in USD an hour for
// all of them, and in USD an instance-hour of the spot market; 0 is no limit.
type limit struct {
	nodes        []string
	hourly, spot float64
	unpriced     bool               // what has no known price may pass
	own          map[string]float64 // of single types, in place of spot
}

// planLimits are those of a plan, in the words of its file.
type planLimits struct {
	Instances struct {
		Spot  *float64 `json:"max_spot_price"` // 0 is none, whatever the site's
		Types any      `json:"instance_types"` // take the place of the site's
	} `json:"instance_specification"`
	Cost struct {
		Total  float64 `json:"max_total_cost"`
		Hours  float64 `json:"max_duration_hours"`
		Hourly float64 `json:"max_cost_per_hour"`
	} `json:"cost_constraints"`
}

// siteLimits are those of a configuration.
type siteLimits struct {
	Plans struct {
		Dir string `yaml:"dir"`
	} `yaml:"plans"`
	Policy struct {
		Hourly       float64 `yaml:"max_cost_per_hour"`
		UnknownPrice bool    `yaml:"allow_unknown_price"`
	} `yaml:"policy"`
	Slurm struct {
		Partitions []struct {
			Groups []struct {
				Nodes  string  `yaml:"nodes"`
				Spot   float64 `yaml:"max_spot_price"`
				Hourly float64 `yaml:"max_cost_per_hour"`
				Types  []struct {
					Type string  `yaml:"instance_type"`
					Spot float64 `yaml:"spot_price"`
				} `yaml:"launch_template_overrides"`
			} `yaml:"node_groups"`
		} `yaml:"partitions"`
	} `yaml:"slurm"`
}

var spotVariable = regexp.MustCompile(`ASBA_MAX_SPOT_PRICE=([0-9.]+)`)

// siteLimits reads those of the site's configuration. What cannot be read is for
// the program to refuse.
func (w *Site) siteLimits() siteLimits {
	var c siteLimits
	if data, err := os.ReadFile(filepath.Join(w.Dir, "config.yaml")); err == nil {
		_ = yaml.Unmarshal(data, &c)
	}
	return c
}

// limitsOf reads in the plans and the configuration themselves, not in what the
// program made of them, what a resume may spend on its nodes: those of each job
// together, and those that no job wants, together where a plan speaks of them,
// else by node group.
func (w *Site) limitsOf(command string) []limit {
	names := resumed(command)
	if names == nil {
		return nil
	}
	c := w.siteLimits()
	var out []limit
	add := func(nodes []string, text string, together bool) {
		p := readLimits(text)
		whole := lowest(p.hourly(), c.Policy.Hourly)
		if together {
			out = append(out, limit{nodes: nodes, hourly: whole, unpriced: c.Policy.UnknownPrice})
		}
		for _, part := range c.Slurm.Partitions {
			for _, g := range part.Groups {
				owned, _ := Expand(g.Nodes)
				if some := both(nodes, owned); len(some) > 0 {
					spot := g.Spot
					if p.Instances.Spot != nil {
						spot = *p.Instances.Spot
					}
					own := map[string]float64{}
					for _, t := range g.Types {
						if p.Instances.Types == nil && t.Spot > 0 {
							own[t.Type] = t.Spot
						}
					}
					out = append(out, limit{some, lowest(whole, g.Hourly), spot, c.Policy.UnknownPrice, own})
				}
			}
		}
	}
	for _, j := range w.jobs {
		add(j.nodes, w.planText(command, j.id), true)
		names = slices.DeleteFunc(names, func(n string) bool { return slices.Contains(j.nodes, n) })
	}
	text := w.planText(command, "")
	add(names, text, text != "")
	return out
}

// readLimits reads those of a plan, in JSON or in variables.
func readLimits(text string) planLimits {
	var p planLimits
	if strings.Contains(text, "ASBA_INSTANCE_TYPES=") {
		p.Instances.Types = text
	}
	if m := spotVariable.FindStringSubmatch(text); m != nil {
		spot, _ := strconv.ParseFloat(m[1], 64)
		p.Instances.Spot = &spot
		return p
	}
	_ = json.Unmarshal([]byte(text), &p)
	return p
}

// hourly is the budget of the plan in USD an hour, 0 for none.
func (p planLimits) hourly() float64 {
	if p.Cost.Hours == 0 {
		return p.Cost.Hourly
	}
	return lowest(p.Cost.Hourly, p.Cost.Total/p.Cost.Hours)
}

// lowest is the lower of two limits.
func lowest(a, b float64) float64 {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

func both(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(n string) bool { return !slices.Contains(b, n) })
}

// withinLimits: no launch of a run was asked for above its cap on spot or its
// budget, and what lived after it costs no more.
func (w *Site) withinLimits() error {
	caps := w.caps()
	for _, r := range w.Runs {
		for _, l := range r.limits {
			for _, c := range Launches(r.Calls) {
				nodes, _ := Expand(launchTags(c)[nodesTag]) // allClaimed looks at what has none
				if err := w.allows(l, c, len(both(nodes, l.nodes))); err != nil {
					return fmt.Errorf("%s: %w", r.Command, err)
				}
			}
			total := 0.0
			for _, i := range r.live {
				if n, err := i.Node(); err != nil || !slices.Contains(l.nodes, n) || l.hourly == 0 {
					continue
				}
				each, err := w.atMost(i.Type, i.Market(), caps[i.Tag(launchTag)])
				if err != nil && !l.unpriced {
					return err
				}
				total += each
			}
			if over(total, l.hourly) {
				return fmt.Errorf("%s: %s cost %.3f USD/h, more than %.3f", r.Command, strings.Join(l.nodes, ","), total, l.hourly)
			}
		}
	}
	return nil
}

// SpotPrice is the parameter of a launch that caps what it pays on the spot
// market, in USD an instance-hour.
const SpotPrice = "InstanceMarketOptions.SpotOptions.MaxPrice"

// Cost is what the live instances cost at most, in USD an hour.
func (w *Site) Cost(ctx context.Context) (float64, error) {
	all, err := w.Instances(ctx)
	caps, total := w.caps(), 0.0
	for _, i := range all {
		each, perr := w.atMost(i.Type, i.Market(), caps[i.Tag(launchTag)])
		err = errors.Join(err, perr)
		total += each
	}
	return total, err
}

// caps are those on spot of every launch, by client token.
func (w *Site) caps() map[string]float64 {
	caps := map[string]float64{}
	for _, c := range Launches(w.AllCalls()) {
		caps[c.Params.Get("ClientToken")], _ = strconv.ParseFloat(c.Params.Get(SpotPrice), 64)
	}
	return caps
}

// allows judges one request, of which n instances are for the limit's nodes.
func (s *Suite) allows(l limit, c faultproxy.Call, n int) error {
	if n == 0 {
		return nil
	}
	typ, market := c.Params.Get("InstanceType"), LaunchMarket(c)
	highest, _ := strconv.ParseFloat(c.Params.Get(SpotPrice), 64)
	if most := cmp.Or(l.own[typ], l.spot); market == "spot" && most > 0 && (highest == 0 || over(highest, most)) {
		return fmt.Errorf("a launch of %s on the spot market has MaxPrice %q, its cap is %g", typ, c.Params.Get(SpotPrice), most)
	}
	if l.hourly == 0 {
		return nil
	}
	each, err := s.atMost(typ, market, highest)
	if err != nil && l.unpriced {
		return nil
	}
	if cost := float64(n) * each; err == nil && over(cost, l.hourly) {
		err = fmt.Errorf("a launch of %d %s would cost %.3f USD/h, more than %.3f", n, typ, cost, l.hourly)
	}
	return err
}

// atMost is what an instance costs at most, in USD an hour: EC2 never charges
// more for spot than the cap, nor than on demand. Without a known price, or a cap
// in its place, it is an error: a limit that nobody can judge was not kept to.
func (s *Suite) atMost(typ, market string, limit float64) (float64, error) {
	each, known := s.price(typ)
	switch capped := market == "spot" && limit > 0; {
	case known && capped:
		return min(each, limit), nil
	case known:
		return each, nil
	case capped:
		return limit, nil
	}
	return 0, fmt.Errorf("no price of %s is known to judge limits by", typ)
}

// ownPrice is Options.Price by the judge's own table.
func ownPrice(typ string) (usd float64, known bool) {
	usd, known = onDemand[typ]
	return usd, known
}

// over leaves room for the rounding of sums.
func over(cost, limit float64) bool { return limit > 0 && cost > limit*(1+1e-9) }

// launchTags are the tags that a launch gives its instances.
func launchTags(c faultproxy.Call) map[string]string {
	tags := map[string]string{}
	for key := range c.Params {
		spec, last, _ := strings.Cut(key, ".Tag.")
		if n, isKey := strings.CutSuffix(last, ".Key"); isKey && c.Params.Get(spec+".ResourceType") == "instance" {
			tags[c.Params.Get(key)] = c.Params.Get(spec + ".Tag." + n + ".Value")
		}
	}
	return tags
}
