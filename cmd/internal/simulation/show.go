package simulation

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"aws-slurm-burst/asba/finding/render"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/simulator/report"
	"aws-slurm-burst/simulator/report/sums"
	"aws-slurm-burst/simulator/scenario"
)

// most is how many groups a table shows; -o json has all.
const most = 10

// show prints the figures of a run in one piece.
func show(w io.Writer, format string, s *scenario.Scenario, r *report.Report) error {
	if format == "json" || format == "yaml" {
		return app.Print(w, format, r)
	}
	p := &page{markdown: format == "markdown", r: r}
	if app.Terminal(w) && !p.markdown {
		p.width = app.Columns(w)
	}
	p.run(s)
	p.times()
	if r.Cloud != nil {
		p.money()
		p.calls()
		p.ask()
	}
	p.groups("partition", r.Partitions)
	p.groups("account", r.Accounts)
	p.groups("user", r.Users)
	p.remarks()
	if p.err != nil {
		return p.err
	}
	_, err := w.Write(p.b.Bytes())
	return err
}

// page is the tables of a run, one after the other.
type page struct {
	b        bytes.Buffer
	markdown bool
	width    int // of the terminal; 0: lines are as long as they are
	r        *report.Report
	err      error
}

// prose is a table of names and what there is to say of each, in as many lines as
// it needs.
func (p *page) prose(header []string, rows [][]string) {
	names := 0
	for _, row := range append(rows, header) {
		names = max(names, utf8.RuneCountInString(row[0]))
	}
	room := p.width - names - 4 // what a table has beside its columns
	if p.width == 0 || room < 20 {
		p.table(header, rows)
		return
	}
	var lines [][]string
	for _, row := range rows {
		for i, line := range wrapped(row[1], room) {
			if i > 0 {
				row = []string{"", ""}
			}
			lines = append(lines, []string{row[0], line})
		}
	}
	p.table(header, lines)
}

// wrapped breaks a text at blanks, where there are any, into lines of so many
// characters.
func wrapped(text string, room int) []string {
	var lines []string
	for _, word := range strings.Fields(text) {
		if n := len(lines); n > 0 && utf8.RuneCountInString(lines[n-1])+1+utf8.RuneCountInString(word) <= room {
			lines[n-1] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	if lines == nil {
		return []string{""}
	}
	return lines
}

// table writes rows; numbers are the columns of such.
func (p *page) table(header []string, rows [][]string, numbers ...int) {
	if len(rows) == 0 || p.err != nil {
		return
	}
	if p.b.Len() > 0 {
		p.b.WriteByte('\n')
	}
	for _, row := range rows {
		for i := range row {
			row[i] = render.Clean(row[i])
		}
	}
	p.err = app.Table(&p.b, p.markdown, header, rows, numbers...)
}

// mark puts a star behind figures, or the title of a table of such, that assumed
// numbers move.
func (p *page) mark(figure string) string {
	if p.r.Cloud == nil || len(p.r.Assumed) == 0 {
		return figure
	}
	return figure + " *"
}

// machine says on what the jobs ran.
func machine(s *scenario.Scenario) string {
	c := s.Cluster
	if c.Processors > 0 {
		return fmt.Sprintf("%s, %s", many(c.Processors, "processor"), c.Scheduler)
	}
	var parts []string
	if c.Premises.Nodes > 0 {
		parts = append(parts, fmt.Sprintf("%s of %s", many(c.Premises.Nodes, "node"), many(c.Premises.CoresPerNode, "core")))
	}
	if c.SlurmConf != "" {
		parts = append(parts, c.SlurmConf)
	}
	if c.Cloud != nil {
		parts = append(parts, "the cloud of "+c.Cloud.Config)
	}
	return strings.Join(append(parts, string(c.Scheduler)), ", ")
}

func (p *page) run(s *scenario.Scenario) {
	r := p.r
	jobs := count(r.Jobs) + " ended"
	for _, more := range []struct {
		n    int
		what string
	}{{r.Unfinished, "unfinished"}, {r.NeverStarted, "never started"}, {r.Held, "held"}} {
		if more.n > 0 {
			jobs += fmt.Sprintf(", %s %s", count(more.n), more.what)
		}
	}
	var states []string
	for _, state := range slices.Sorted(maps.Keys(r.States)) {
		states = append(states, fmt.Sprintf("%s %s", count(r.States[state]), state))
	}
	if len(states) == 0 {
		states = []string{"-"} // as everywhere in the tables
	}
	rows := [][]string{
		{"workload", s.Workload.Origin()},
		{"cluster", machine(s)},
		{"jobs", jobs},
		{"ended as", strings.Join(states, ", ")},
		{"requeues", count(r.Requeues)},
		{p.mark("utilisation"), percent(r.Utilisation)},
		{p.mark("makespan"), fmt.Sprintf("%s s (%.1f days)", count(int(r.Makespan+0.5)), r.Makespan/86400)},
		{"simulated", fmt.Sprintf("%s s in %.2f s", count(int(r.Simulated+0.5)), r.Wall)},
		{"seed, trace hash", fmt.Sprintf("%d, %s", r.Seed, r.TraceHash)},
	}
	if r.Scenario != "" {
		rows = slices.Insert(rows, 0, []string{"scenario", r.Scenario})
	}
	p.prose([]string{"run", ""}, rows)
}

func (p *page) times() {
	r := p.r
	rows := [][]string{
		p.spread("wait s", r.Wait),
		p.spread("wait since submission s", r.WaitSinceSubmit),
		p.spread("response s", r.Response),
		p.spread("bounded slowdown", r.BoundedSlowdown),
	}
	if r.Cloud != nil {
		rows = append(rows, p.spread("time to capacity s", r.TimeToCapacity), p.spread("start to all nodes ready s", r.GangWait))
	}
	p.table([]string{p.mark("jobs"), "mean", "median", "p95", "p99", "most"}, rows, 1, 2, 3, 4, 5)
}

func (p *page) spread(name string, d sums.Distribution) []string {
	if d.Count == 0 {
		return []string{name, "-", "-", "-", "-", "-"}
	}
	return []string{name, figure(d.Mean), figure(d.Median), figure(d.P95), figure(d.P99), figure(d.Max)}
}

// words are the causes for people.
var words = map[string]string{
	"useful": "jobs worked", "boot": "boots", "never_booted": "boots that failed", "waiting_for_others": "ready, waiting for a job's other nodes",
	"idle": "idle", "orphan": "orphaned: no node claims it", "failed_gang": "gangs that did not become whole", "lost_work": "work that was lost",
	"billing": "EC2's whole seconds, 60 at least; moved prices",
}

func (p *page) money() {
	r := p.r
	all := r.NodeHours.Powered()
	var rows [][]string
	for _, s := range r.Spent {
		share := "-"
		if all > 0 && s.Cause != "billing" {
			share = percent(s.NodeHours / all)
		}
		rows = append(rows, []string{words[s.Cause], figure(s.NodeHours), share, usd(s.Cost)})
	}
	rows = append(rows, []string{"all", figure(all), "", usd(r.Cost)})
	p.table([]string{p.mark("cloud nodes' time"), "node-hours", "share", "USD"}, rows, 1, 2, 3)

	each := "-"
	if r.CostPerUsefulNodeHour != nil {
		each = fmt.Sprintf("%.4f", r.CostPerUsefulNodeHour.Float())
	}
	rows = [][]string{
		{"USD for a useful node-hour", each},
		{"goodput", percent(r.Goodput)},
		{"idle, nodes of one job", fmt.Sprintf("%s USD, %s suspended", usd(r.Idle.SingleUse.Cost), count(r.Idle.SingleUse.Suspended))},
		{"idle, nodes that are shared", fmt.Sprintf("%s USD, %s suspended", usd(r.Idle.Shared.Cost), count(r.Idle.Shared.Suspended))},
	}
	if r.Saved != nil {
		rows = append(rows, []string{"waiting saved", saved(r)})
	}
	p.prose([]string{p.mark("cost"), ""}, rows)
}

// saved says what the cloud saved of waiting.
func saved(r *report.Report) string {
	s := r.Saved
	text := fmt.Sprintf("%s hours, of %s jobs that ran on the premises alone too: there they wait %s s in the mean, here %s", figure(s.Hours), count(s.Jobs), figure(s.AloneMeanWait), figure(s.MeanWait))
	if s.PerHour != nil {
		text += fmt.Sprintf("; each hour cost %s USD", usd(*s.PerHour))
	}
	return text
}

func (p *page) calls() {
	r := p.r
	instances := fmt.Sprintf("%s, %s interrupted by EC2", count(r.Instances), count(r.Interruptions))
	if r.Unpriced > 0 {
		instances += fmt.Sprintf(", %s without a known price: in no cost", count(r.Unpriced))
	}
	depth := fmt.Sprintf("%s on the first rung, %s rungs before it in the mean, %d at most", count(r.Fallback.First), figure(r.Fallback.Mean), r.Fallback.Max)
	p.prose([]string{p.mark("executor"), ""}, [][]string{
		{"calls", fmt.Sprintf("%s to resume, %s to suspend", count(r.ResumeCalls), count(r.SuspendCalls))},
		{"gangs", fmt.Sprintf("%s of %s whole", count(r.Gangs.Whole), count(r.Gangs.Asked))},
		{"their ladders", depth},
		{"instances", instances},
	})
	var rows [][]string
	for _, op := range slices.Sorted(maps.Keys(r.APICalls)) {
		var failed []string
		for _, code := range slices.Sorted(maps.Keys(r.APIErrors[op])) {
			failed = append(failed, fmt.Sprintf("%s %s", count(r.APIErrors[op][code]), code))
		}
		rows = append(rows, []string{op, count(r.APICalls[op]), strings.Join(failed, ", ")})
	}
	p.table([]string{p.mark("EC2 call"), "count", "failed with"}, rows, 1)
}

// ask is what a site has to ask AWS for.
func (p *page) ask() {
	rows := [][]string{{"instances, and addresses of subnets", count(p.r.Peaks.Instances)}}
	for _, q := range p.r.Peaks.Quotas {
		rows = append(rows, []string{fmt.Sprintf("vCPUs, %s %s", cmp.Or(q.Family, "unknown family"), q.Market), count(q.VCPUs)})
	}
	p.table([]string{p.mark("at once, at most"), ""}, rows, 1)
}

// groups are those that held most.
func (p *page) groups(what string, all []report.Group) {
	if len(all) < 2 {
		return // it is what the tables above say
	}
	by := slices.SortedStableFunc(slices.Values(all), func(a, b report.Group) int {
		return cmp.Or(cmp.Compare(b.ProcHours, a.ProcHours), cmp.Compare(a.Name, b.Name))
	})
	header := []string{p.mark(what), "jobs", "mean wait s", "slowdown", "core-h"}
	if p.r.Cloud != nil {
		header = append(header, "cloud h", "lost h", "USD")
	}
	var rows [][]string
	for i, g := range by {
		if i == most {
			rows = append(rows, []string{fmt.Sprintf("%s more", count(len(by)-most)), "", "", "", ""})
			break
		}
		wait, slowdown := "-", "-"
		if g.Ran > 0 {
			wait, slowdown = figure(g.MeanWait), figure(g.MeanBoundedSlowdown)
		}
		row := []string{cmp.Or(g.Name, "(none)"), count(g.Jobs), wait, slowdown, figure(g.ProcHours)}
		if p.r.Cloud != nil {
			row = append(row, figure(g.CloudNodeHours), figure(g.LostNodeHours), usd(g.Cost))
		}
		rows = append(rows, row)
	}
	p.table(header, rows, 1, 2, 3, 4, 5, 6, 7)
}

func (p *page) remarks() {
	var rows [][]string
	if p.r.Cloud != nil {
		for _, a := range p.r.Assumed {
			of, what, named := strings.Cut(a, ": ")
			if !named {
				of, what = "", a
			}
			rows = append(rows, []string{of, what})
		}
	}
	p.prose([]string{"* assumed", "nobody has measured it"}, rows)
	rows = nil
	for _, m := range p.r.Repairs {
		rows = append(rows, []string{fmt.Sprintf("%s %s", count(m.Count), m.Kind), m.Says + linesOf(m)})
	}
	p.prose([]string{"in the workload", ""}, rows)
}

// linesOf says in which lines a repair was, as far as that is known.
func linesOf(m report.Repair) string {
	if len(m.Lines) == 0 {
		return ""
	}
	var where []string
	for _, l := range m.Lines {
		where = append(where, strconv.Itoa(l))
	}
	if m.Count > len(m.Lines) {
		where = append(where, "...")
	}
	word := "lines"
	if m.Count == 1 {
		word = "line"
	}
	return fmt.Sprintf(" (%s %s)", word, strings.Join(where, ", "))
}

// figure writes a number with as many digits as people read.
func figure(v float64) string {
	switch a := max(v, -v); {
	case a >= 1000:
		return group(strconv.FormatFloat(v, 'f', 0, 64))
	case a >= 100 || v == 0:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 1:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

func percent(share float64) string { return strconv.FormatFloat(share*100, 'f', 1, 64) + " %" }

func count(n int) string { return group(strconv.Itoa(n)) }

// many counts things, whose plural ends in s.
func many(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return count(n) + " " + what
}

// usd has two digits of cents.
func usd(v sums.USD) string {
	whole, cents, _ := strings.Cut(v.String(), ".")
	return group(whole) + "." + cents
}

// group puts commas between thousands.
func group(digits string) string {
	sign := ""
	if rest, ok := strings.CutPrefix(digits, "-"); ok {
		sign, digits = "-", rest
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}
