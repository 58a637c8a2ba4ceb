package lint

import (
	"fmt"
	"strings"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/rule"
)

// zones judges where the plan wants its nodes: one region, zones that offer its
// types, and one zone for EFA.
func (l *linter) zones() {
	l.regions()
	if l.Catalog != nil {
		l.offers()
	}
	p := l.plan
	if p.RequiresEFA.Value && p.SingleAZ.Given && !p.SingleAZ.Value && len(p.AZs.Value) > 1 {
		l.Add(rule.EFAZones, p.SingleAZ.At, "requires_efa is true, but several zones are given and single_az_required is false: EFA does not reach across zones",
			"write single_az_required true: the zones are then tried one after the other", replace(p.SingleAZ.At, true)...)
	}
}

// regionOf is a zone's region, "" where it is not known.
func (l *linter) regionOf(zone string) string {
	if r := zoneRegion.FindString(zone); r != "" {
		return r
	}
	if l.Catalog != nil {
		if z, ok := l.Catalog.Zone(zone); ok {
			return z.Region
		}
	}
	return ""
}

// region is where the plan is carried out, as far as anything says.
func (l *linter) region() string {
	if l.Region != "" {
		return l.Region
	}
	for _, zone := range l.plan.AZs.Value {
		if r := l.regionOf(zone); r != "" {
			return r
		}
	}
	return ""
}

func (l *linter) regions() {
	want := l.region()
	for i, zone := range l.plan.AZs.Value {
		have := l.regionOf(zone)
		if have == "" || have == want {
			continue
		}
		what := "another zone is in " + want
		if l.Region != "" {
			what = "instances are launched in " + want
		}
		l.Add(rule.Regions, l.plan.AZs.ItemAt(i), fmt.Sprintf("%s is in %s, but %s", zone, have, what), "write zones of one region", l.without(l.plan.AZs, i)...)
	}
}

// offers judges zones and types together: EC2 refuses a type where a zone does
// not offer it.
func (l *linter) offers() {
	p := l.plan
	if region := l.region(); region != "" {
		l.regionOffers(region)
	}
	for i, zone := range p.AZs.Value {
		var not []catalog.Type
		for _, t := range l.possible {
			if offered, known := l.Catalog.Offered(t.Name, zone); known && !offered {
				not = append(not, t)
			}
		}
		if len(not) == 0 {
			continue
		}
		names := make([]string, 0, len(not))
		for _, t := range not[:min(len(not), 5)] {
			names = append(names, t.Name)
		}
		if more := len(not) - len(names); more > 0 {
			names = append(names, fmt.Sprintf("%d more", more))
		}
		way := "name other zones, or types that it offers"
		if in := ids(l.Catalog.Offers(not[0].Name, l.regionOf(zone))); in != "" {
			way = not[0].Name + " is offered in " + in
		}
		fix := l.without(p.AZs, i)
		if len(not) < len(l.possible) { // of use to the other types
			fix = nil
		}
		if zoneRegion.FindString(zone) == "" { // an id
			l.Add(rule.ZoneID, p.AZs.ItemAt(i), fmt.Sprintf("%s does not offer %s", zone, strings.Join(names, ", ")), way, fix...)
		} else {
			l.Add(rule.ZoneName, p.AZs.ItemAt(i), fmt.Sprintf("%s may not offer %s: the zone of that name in the catalogue's account does not", zone, strings.Join(names, ", ")), way+"; zones' ids are the same in every account", fix...)
		}
	}
}

func (l *linter) regionOffers(region string) {
	if len(l.Catalog.Zones(region)) == 0 {
		return // nothing is known of it
	}
	var not []catalog.Type
	for _, t := range l.possible {
		if len(l.Catalog.Offers(t.Name, region)) == 0 {
			not = append(not, t)
		}
	}
	at := l.typesAt()
	for _, t := range not {
		way := ""
		if in := l.offeredIn(t.Name); len(in) > 0 {
			way = "it is offered in " + strings.Join(in, ", ")
		}
		fix := remove(at[t.Name])
		if len(not) == len(l.possible) { // the region is the mistake
			fix = nil
		}
		l.Add(rule.NotInRegion, at[t.Name], fmt.Sprintf("%s is not offered in %s", t.Name, region), way, fix...)
	}
}

// offeredIn returns a few regions that offer a type.
func (l *linter) offeredIn(name string) []string {
	var out []string
	for _, r := range l.Catalog.Regions() {
		if len(l.Catalog.Offers(name, r)) > 0 {
			if out = append(out, r); len(out) == 5 {
				break
			}
		}
	}
	return out
}

func ids(zones []catalog.Zone) string {
	var out []string
	for _, z := range zones {
		out = append(out, z.ID)
	}
	return strings.Join(out, ", ")
}

// typesAt is where each instance type of the plan stands, first.
func (l *linter) typesAt() map[string]plan.Place {
	at := map[string]plan.Place{}
	for i, name := range l.plan.InstanceTypes.Value {
		if _, again := at[name]; !again {
			at[name] = l.plan.InstanceTypes.ItemAt(i)
		}
	}
	return at
}
