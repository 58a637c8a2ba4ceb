package faults

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

const (
	manyIDs  = 1 << 20 // the largest count a rule takes
	ice      = "InsufficientInstanceCapacity"
	describe = "DescribeInstances"
)

// launches are the actions that have a type, a zone, a market and a size.
var launches = []string{"RunInstances", "CreateFleet"}

var (
	// ofLaunches are the conditions that only launches can meet.
	ofLaunches = []string{"type", "az", "market", "size"}
	// effects are in the order in which people are told of them.
	effects = []string{"error", "throttle", "status", "lost-answer", capacity, quota, grant, "stale", "delay"}
	keys    = slices.Concat([]string{"action"}, ofLaunches, []string{"from", "until", "after", "probability", "times"}, effects, []string{"message"})
)

// textOf is what an error says where the rule does not.
func textOf(code string) string {
	if code == ice {
		return "There is no capacity for this request (a fault rule says so)."
	}
	return "A fault rule answers this call."
}

// rule reads one rule, and returns what it says, sorted. It returns nil after
// a mistake in its shape.
func (p *parser) rule(n *yaml.Node) (k *rule, pairs []string) {
	if n.Kind != yaml.MappingNode {
		p.add(wrongShape, n, "write it as 'key: value' pairs", "a rule is a mapping")
		return nil, nil
	}
	k = &rule{where: p.file + ":" + strconv.Itoa(n.Line)}
	given, before := map[string]bool{}, len(p.mistakes)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, v := n.Content[i], n.Content[i+1]
		switch {
		case !slices.Contains(keys, key.Value):
			p.unknown(key, keys)
		case v.Kind != yaml.ScalarNode || isNull(v):
			p.add(wrongShape, v, "", "%s takes one plain value", key.Value)
		case given[key.Value]:
			p.add(wrongShape, key, "", "%s is given twice", key.Value)
		default:
			given[key.Value] = true
			pairs = append(pairs, key.Value+": "+v.Value)
			if !p.effect(k, key, v) && !p.condition(k, key, v) {
				p.count(k, key, v)
			}
		}
	}
	if k.action == "" {
		if k.action = launches[0]; k.stale > 0 {
			k.action = describe
		}
	}
	if len(p.mistakes) == before { // one mistake is enough to mend at a time
		p.check(k, n, given)
	}
	if k.message == "" && k.limit.kind == "" {
		k.message = textOf(k.code)
	}
	slices.Sort(pairs)
	return k, pairs
}

// effect reads what a rule does, and reports whether the key says that.
func (p *parser) effect(k *rule, key, v *yaml.Node) bool {
	switch key.Value {
	case "error":
		k.code, k.status = v.Value, StatusOf(v.Value)
		if v.Value == "" || strings.ContainsAny(v.Value, " \t\n<>&") {
			p.add(badValue, v, "one of EC2's codes, such as "+ice, "%q is no error code", v.Value)
		}
	case "message":
		k.message = v.Value
	case "throttle":
		if p.truth(key, v) {
			k.code, k.status = "RequestLimitExceeded", StatusOf("RequestLimitExceeded")
		}
	case "status":
		k.status = p.number(key, v, 400, 599)
		k.code = map[int]string{500: "InternalError", 501: "NotImplemented", 503: "Unavailable"}[k.status]
	case "lost-answer":
		k.lost = p.truth(key, v)
	case capacity, quota, grant:
		least := 0
		if key.Value == grant {
			least = 1 // none at all is an error, not a grant
		}
		k.limit = limit{kind: key.Value, amount: p.number(key, v, least, manyIDs), tokens: map[string]int{}, alive: map[string]bool{}}
	case "stale":
		k.stale = p.duration(v, "age", 1, time.Hour, "1h")
	case "delay":
		k.delay = p.duration(v, "delay", 1, 24*time.Hour, "24h")
	default:
		return false
	}
	return true
}

// condition reads what a call has to be like, and reports whether the key says
// that.
func (p *parser) condition(k *rule, key, v *yaml.Node) bool {
	switch key.Value {
	case "action":
		k.action = v.Value
	case "type":
		k.typ = v.Value
	case "az":
		k.az = v.Value
	case "market":
		if k.market = v.Value; v.Value != "spot" && v.Value != "on-demand" {
			p.add(badValue, v, "", "market is spot or on-demand, not %q", v.Value)
		}
	case "size":
		p.sizes(k, v)
	case "from":
		k.from = p.duration(v, "time", 0, 24*time.Hour, "24h")
	case "until":
		k.until = p.duration(v, "time", 1, 24*time.Hour, "24h")
	default:
		return false
	}
	return true
}

// sizes reads a size, at least N, or a range N-M.
func (p *parser) sizes(k *rule, v *yaml.Node) {
	least, most, ranged := strings.Cut(v.Value, "-")
	var err error
	if k.size, err = strconv.Atoi(least); err == nil && ranged {
		k.sizeMost, err = strconv.Atoi(most)
	}
	if err != nil || k.size < 1 || k.size > manyIDs || ranged && (k.sizeMost < k.size || k.sizeMost > manyIDs) {
		p.add(badValue, v, "8 is eight and more, 2-8 two to eight", "%q is no size from 1 to %d", v.Value, manyIDs)
	}
}

// count reads how often a rule acts.
func (p *parser) count(k *rule, key, v *yaml.Node) {
	switch key.Value {
	case "after":
		k.after = p.number(key, v, 0, manyIDs)
	case "times":
		k.times = p.number(key, v, 1, manyIDs)
	case "probability":
		var err error
		if k.probability, err = strconv.ParseFloat(v.Value, 64); err != nil || !(k.probability > 0 && k.probability <= 1) {
			p.add(badValue, v, "0.3 is three calls in ten", "probability is a number above 0 and up to 1, not %q", v.Value)
		}
	}
}

// check looks at what makes sense in one key and not beside another.
func (p *parser) check(k *rule, n *yaml.Node, given map[string]bool) {
	var has []string
	for _, e := range effects {
		switch {
		case !given[e] || e == "delay",
			e == "throttle" && k.status == 0, e == "lost-answer" && !k.lost, // false
			e == "error" && k.limit.kind != "": // it is the limit's
		default:
			has = append(has, e)
		}
	}
	launch := slices.ContainsFunc(launches, func(a string) bool { return Match(k.action, a) })
	switch {
	case len(has) > 1:
		p.add(twoEffects, n, "write one rule for each", "a rule has one effect, this one has %s", strings.Join(has, " and "))
	case len(has) == 0 && k.delay == 0:
		last := len(effects) - 1
		p.add(noEffect, n, "add "+strings.Join(effects[:last], ", ")+" or "+effects[last], "the rule has no effect")
	case k.message != "" && k.status == 0 && k.limit.kind == "":
		p.add(noEffect, n, "a message belongs to an error", "the message is never said")
	case k.until > 0 && k.from >= k.until:
		p.add(badValue, n, "until is later than from", "the rule never holds: from %v until %v", k.from, k.until)
	case k.limit.kind != "" && !slices.Contains(launches, k.action):
		p.add(badValue, n, "leave action away", "%s is of launches, not of %s", k.limit.kind, k.action)
	case k.stale > 0 && k.action != describe:
		p.add(badValue, n, "leave action away", "stale is of %s, not of %s", describe, k.action)
	case !launch:
		for _, c := range ofLaunches {
			if given[c] {
				p.add(badValue, n, "leave "+c+" away", "the rule never holds: only launches have %s, and %s is none", c, k.action)
				return
			}
		}
	}
}
