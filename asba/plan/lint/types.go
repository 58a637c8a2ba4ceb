package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/rule"
)

// NodeLine is how slurm.conf declares nodes: a machine that is smaller
// registers as invalid, is ended, and is launched again for ever.
type NodeLine struct {
	Name      string // of the nodes, for people: "node group hpc"
	CPUs      int    // 0 is not declared
	MemoryMiB int    // RealMemory; 0 is not declared
	Gres      string // such as gpu:4 or gpu:h100:8,nic:2; "" is not declared
	// Arch is the image's, x86_64 or arm64; "" is any.
	Arch string
}

// gpus returns how many GPUs the line declares.
func (n NodeLine) gpus() int {
	if n.Gres == "" {
		return 0
	}
	sum := 0
	for entry := range strings.SplitSeq(n.Gres, ",") {
		entry, _, _ = strings.Cut(strings.TrimSpace(entry), "(") // the sockets they are on
		parts := strings.Split(entry, ":")
		if parts[0] != "gpu" {
			continue
		}
		count := 1
		if last := parts[len(parts)-1]; len(parts) > 1 {
			if n, err := strconv.Atoi(last); err == nil {
				count = n
			}
		}
		sum += count
	}
	return sum
}

// runs reports whether a type can boot the image.
func (n NodeLine) runs(t catalog.Type) bool { return n.Arch == "" || slices.Contains(t.Archs, n.Arch) }

// Fits reports whether a type can be a node of this line.
func (n NodeLine) Fits(t catalog.Type) bool {
	return t.VCPUs >= n.CPUs && t.MemoryMiB >= n.MemoryMiB && t.GPUs >= n.gpus() && n.runs(t)
}

// Misfit says why a type does not fit, "" where it does.
func (n NodeLine) Misfit(t catalog.Type) string {
	switch {
	case t.VCPUs < n.CPUs:
		return fmt.Sprintf("%s has %s, nodes of %s are declared with %d", t.Name, counted(t.VCPUs, "CPU"), n.Name, n.CPUs)
	case t.MemoryMiB < n.MemoryMiB:
		return fmt.Sprintf("%s has %d MiB of memory, nodes of %s are declared with %d", t.Name, t.MemoryMiB, n.Name, n.MemoryMiB)
	case t.GPUs < n.gpus():
		return fmt.Sprintf("%s has %s, nodes of %s are declared with %s", t.Name, counted(t.GPUs, "GPU"), n.Name, n.Gres)
	case !n.runs(t):
		return fmt.Sprintf("%s is %s, the image of %s is %s", t.Name, strings.Join(t.Archs, " and "), n.Name, n.Arch)
	}
	return ""
}

// Drop is an instance type that can never be launched as the plan wants it.
type Drop struct {
	Type string
	Why  string // a sentence that begins with the type
	At   plan.Place

	id, way string
	fix     []finding.Op
}

// Impossible returns the types of the plan that do not exist, or that can never
// meet what it asks for: a spot market (where nothing but spot will do), EFA, a
// placement group, the size of the node's line. One reason is given for each.
//
// A type that is younger than the catalogue counts as impossible: see
// catalog.Date.
func Impossible(p *plan.Plan, o Options) []Drop {
	if o.Catalog == nil {
		return nil
	}
	l := &linter{Options: o, plan: p}
	return l.impossible()
}

// suggested is for how many types the nearest real one is looked up: nobody
// reads on, and a hostile plan names tens of thousands.
const suggested = 50

func (l *linter) impossible() []Drop {
	p := l.plan
	var out []Drop
	left := len(p.InstanceTypes.Value)
	for i, name := range p.InstanceTypes.Value {
		t, known := l.Catalog.Type(name)
		d := Drop{Type: name, At: p.InstanceTypes.ItemAt(i)}
		if !known {
			l.unknown(&d, len(out) < suggested)
		} else {
			l.unfit(&d, t)
		}
		if d.Why != "" {
			out = append(out, d)
			left--
		}
	}
	for i := range out {
		d := &out[i]
		// Where others are left, those that cannot be had are best left out.
		if d.fix == nil && left > 0 {
			d.fix = remove(d.At)
		}
	}
	return out
}

// likeThis is what to do about a word that is no type's name.
const likeThis = "write family.size, such as c6i.2xlarge"

func noName(word string) string { return finding.Quote(word) + " is not an instance type's name" }

func (l *linter) unknown(d *Drop, suggest bool) {
	d.id, d.Why, d.way = rule.UnknownType, d.Type+" is not an EC2 instance type", "run 'aws-slurm-burst catalog show' for those there are"
	if !typeName.MatchString(d.Type) {
		d.id, d.Why, d.way = rule.TypeName, noName(d.Type), likeThis
	}
	if !suggest {
		return
	}
	near := l.Catalog.NearestTypes(d.Type, 4)
	if len(near) == 0 {
		return
	}
	d.way = ""
	d.Why += fmt.Sprintf(" (did you mean %s?)", near[0])
	if len(near) > 1 {
		d.way = "near it are " + strings.Join(near[:len(near)-1], ", ") + " and " + near[len(near)-1]
	}
	// A name that was made up may stand for a wish that its family cannot meet.
	t, _ := l.Catalog.Type(near[0])
	var first Drop
	l.unfit(&first, t)
	switch {
	case first.Why != "":
		d.way = first.Why
		if first.way != "" {
			d.way += ": " + first.way
		}
	case !slices.Contains(l.plan.InstanceTypes.Value, near[0]):
		d.fix = replace(d.At, near[0])
	}
}

func (l *linter) unfit(d *Drop, t catalog.Type) {
	p := l.plan
	switch {
	case p.SpotOnly() && !t.SpotOK():
		d.id, d.Why, d.way = rule.NoSpot, t.Name+" has no spot market", "write on-demand or mixed as the purchasing_option, or another type"
	case p.RequiresEFA.Value && t.EFA == 0:
		d.id, d.Why = rule.NoEFA, t.Name+" has no EFA"
		d.way = cmp.Or(l.inFamily(t, "has it", func(o catalog.Type) bool { return o.EFA > 0 }), "no size of its family has it: write a type of another, such as c6in.32xlarge")
	case grouped(p.Placement.Value) && !t.Places(p.Placement.Value):
		d.id, d.Why = rule.NoPlacement, fmt.Sprintf("%s cannot join a %s placement group", t.Name, p.Placement.Value)
		d.way = cmp.Or(l.inFamily(t, "can", func(o catalog.Type) bool { return o.Places(p.Placement.Value) }), "write a type of another family, or none as the placement_group_type")
	case l.Line != nil && l.Line.Misfit(t) != "":
		d.id, d.Why, d.way = rule.TooSmall, l.Line.Misfit(t), "it would register as invalid; write a type that is as large"
		if larger := l.inFamily(t, "is large enough", func(o catalog.Type) bool { return l.Line.Misfit(o) == "" }); larger != "" {
			d.way = larger
		} else if !l.Line.runs(t) {
			d.way = "EC2 refuses the image on it; write a type that is " + l.Line.Arch
		}
	}
}

// grouped reports whether a placement group is asked for in a word that EC2
// knows.
func grouped(strategy string) bool {
	return strategy == plan.Cluster || strategy == plan.Partition || strategy == plan.Spread
}

// inFamily names the smallest type of the family that will do.
func (l *linter) inFamily(t catalog.Type, does string, fits func(catalog.Type) bool) string {
	best := catalog.Type{}
	for _, o := range l.Catalog.InFamily(t.Family()) {
		if fits(o) && (best.Name == "" || o.VCPUs < best.VCPUs || o.VCPUs == best.VCPUs && strings.Contains(best.Name, ".metal")) {
			best = o
		}
	}
	if best.Name == "" {
		return ""
	}
	return best.Name + " " + does
}

// types judges the list, each type, and those that are left together.
func (l *linter) types() {
	p := l.plan
	if !p.InstanceTypes.Given {
		at, way := p.InstanceTypes.At, "list at least one in "+plan.InstanceSpecification+"/instance_types"
		if at.File == "" {
			at = p.Section(plan.InstanceSpecification)
		}
		if p.Dialect == plan.DialectEnv {
			way = "list at least one in ASBA_INSTANCE_TYPES"
		}
		l.Add(rule.NoTypes, at, "no instance types specified", way)
		return
	}
	if l.Catalog == nil {
		for i, t := range p.InstanceTypes.Value {
			if !typeName.MatchString(t) {
				l.Add(rule.TypeName, p.InstanceTypes.ItemAt(i), noName(t), likeThis)
			}
		}
		return
	}
	drops := l.impossible()
	for _, d := range drops {
		l.Add(d.id, d.At, d.Why, d.way, d.fix...)
	}
	if f, none := NoneLeft(p, drops); none {
		l.Add(f.ID, rule.Place{File: f.File, Line: f.Line, Column: f.Column, Pointer: f.Pointer}, f.Message, f.Suggestion)
	}
	seen := namesOf(drops)
	for _, name := range p.InstanceTypes.Value {
		if t, known := l.Catalog.Type(name); known && !seen[name] {
			l.possible = append(l.possible, t)
		}
		seen[name] = true
	}
	l.archs()
}

// archs: a gang is one binary on machines that are alike.
func (l *linter) archs() {
	if !l.plan.Gang.Value || len(l.possible) < 2 {
		return
	}
	first := l.possible[0]
	at := l.typesAt()
	for _, t := range l.possible[1:] {
		if !slices.ContainsFunc(t.Archs, func(a string) bool { return slices.Contains(first.Archs, a) }) {
			l.Add(rule.MixedArchs, at[t.Name], fmt.Sprintf("%s is %s, but %s is %s: a gang runs one program on machines that are alike", t.Name, strings.Join(t.Archs, " and "), first.Name, strings.Join(first.Archs, " and ")),
				"write types of one architecture", remove(at[t.Name])...)
		}
	}
}

func namesOf(drops []Drop) map[string]bool {
	names := make(map[string]bool, len(drops))
	for _, d := range drops {
		names[d.Type] = true
	}
	return names
}

// NoneLeft returns the error about a plan all of whose types are impossible,
// whether or not they are off its list already.
func NoneLeft(p *plan.Plan, drops []Drop) (f finding.Finding, none bool) {
	dropped := namesOf(drops)
	for _, name := range p.InstanceTypes.Value {
		if !dropped[name] {
			return f, false
		}
	}
	if len(drops) == 0 {
		return f, false
	}
	at := p.InstanceTypes.At
	if at.File == "" {
		at = p.Section(plan.InstanceSpecification)
	}
	return rule.New(rule.NoneLeft, at, "no possible instance type is left: "+drops[0].Why, "run 'asba recommend-instances' for types that fit"), true
}
