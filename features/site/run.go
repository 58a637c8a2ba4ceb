package site

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"aws-slurm-burst/localstack/faultproxy"
)

// Run is one run of a program.
type Run struct {
	Command string
	Began   time.Time
	Took    time.Duration
	Exit    int
	Stderr  []*Line
	Stdout  string
	Report  Report
	Calls   []faultproxy.Call // made while it ran
	Away    bool              // its calls went nowhere
	After   map[string]string // node -> instance that EC2 showed afterwards

	live   []Instance // that EC2 showed afterwards
	limits []limit    // that it had to keep to
	gangs  [][]string // nodes that were of use to it only together
}

// killed is the exit code of a program that a signal ended.
const killed = -1

// Line is one that a program printed on stderr.
type Line struct {
	Text  string
	Heard bool // a step spoke of it
}

// Report is what a program printed on stdout, as far as its judges need it.
type Report struct {
	Command string `json:"command"`
	Mode    string `json:"mode"`
	Nodes   []Node `json:"nodes"`
	// The rest is there in JSON alone. Actions are what a reconcile did, or would
	// do.
	Actions []Action `json:"actions"`
	Plan    struct {
		Outcome string `json:"outcome"`
		Dialect string `json:"dialect"`
	} `json:"plan"`
	Rungs []struct {
		Outcome string `json:"outcome"`
	} `json:"rungs"`
	Decisions []struct {
		Gang bool `json:"gang"`
	} `json:"decisions"`
	APICalls   map[string]int `json:"api_calls"`
	HourlyCost *float64       `json:"hourly_cost"` // USD an hour at most
	PriceDate  string         `json:"price_date"`  // of the oldest price in it
	ExitCode   *int           `json:"exit_code"`
}

// Node is what a program reported of one.
type Node struct {
	Name     string `json:"name"`
	State    string `json:"state"`
	Instance string `json:"instance_id"`
	Type     string `json:"instance_type"`
	Market   string `json:"market"`
	AZ       string `json:"az"`
	Address  string `json:"private_ip"`
}

// Action is one thing that a reconcile did, or would do.
type Action struct {
	Kind     string `json:"kind"`
	Instance string `json:"instance_id"`
	Text     string `json:"text"`
	Done     bool   `json:"done"`
}

// Program runs one program with arguments in the scenario's folder, and reads
// its JSON report.
func (w *Site) Program(ctx context.Context, name string, args ...string) error {
	return w.Run(ctx, strings.Join(append([]string{name}, args...), " "), ReadJSON, Process{Cmd: w.Command(ctx, name, args...)})
}

// Shell runs what a person typed, to the letter; its programs print tables.
func (w *Site) Shell(ctx context.Context, text string) error {
	return w.Run(ctx, text, ReadTable, Process{Cmd: exec.CommandContext(ctx, "/bin/sh", "-euc", text)})
}

// Ask runs what a person typed to learn of something: what its program prints is
// the answer itself, and no report.
func (w *Site) Ask(ctx context.Context, text string) error {
	none := func([]byte) (Report, error) { return Report{}, nil }
	return w.Run(ctx, text, none, Process{Cmd: exec.CommandContext(ctx, "/bin/sh", "-euc", text)})
}

// Command is a program to run, which prints a JSON report.
func (w *Site) Command(ctx context.Context, program string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, filepath.Join(w.Bin, program), append(args, "-o", "json")...)
}

// Process is a program to run, at once or when a channel is closed, and perhaps
// another channel to close when it has ended.
type Process struct {
	*exec.Cmd
	When <-chan struct{}
	Done chan<- struct{}
}

func (p Process) run(ctx context.Context) error {
	if p.Done != nil {
		defer close(p.Done)
	}
	if p.When != nil {
		select {
		case <-p.When:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return p.Run()
}

// Run runs programs side by side, and notes all that can be known of them.
func (w *Site) Run(ctx context.Context, command string, read func([]byte) (Report, error), cmds ...Process) error {
	if err := w.readyProxy(); err != nil {
		return err
	}
	limits := w.limitsOf(command)
	before, began := len(w.AllCalls()), time.Now()
	w.changed()
	outs, errs := make([]bytes.Buffer, len(cmds)), make([]bytes.Buffer, len(cmds))
	failures := make([]error, len(cmds))
	var all sync.WaitGroup
	for n, cmd := range cmds {
		cmd.Dir = w.Dir
		cmd.Env = w.environment()
		cmd.Stdout, cmd.Stderr = &outs[n], &errs[n]
		if cmd.WaitDelay == 0 {
			cmd.WaitDelay = time.Second
		}
		all.Go(func() { failures[n] = cmd.run(ctx) })
	}
	all.Wait()
	took := time.Since(began)
	if _, err := w.Instances(ctx); err != nil {
		return err
	}
	live, _ := byNode(w.shown) // what is wrong now may be mended by the next run
	for n := range cmds {
		r := &Run{Command: command, Began: began, Took: took, Away: w.away, Calls: w.AllCalls()[before:], After: live, Stdout: outs[n].String(), live: w.shown, limits: limits, gangs: w.gangsOf(command)}
		w.Runs = append(w.Runs, r)
		for text := range strings.Lines(errs[n].String()) {
			l := &Line{Text: strings.TrimSuffix(text, "\n")}
			r.Stderr = append(r.Stderr, l)
			w.said = append(w.said, l)
		}
		if err := failures[n]; err != nil {
			// Who was stopped by its caller has an exit code all the same.
			if cmds[n].ProcessState == nil || ctx.Err() != nil || errors.Is(err, exec.ErrWaitDelay) {
				return fmt.Errorf("%s: %w", command, err)
			}
			r.Exit = cmds[n].ProcessState.ExitCode()
		}
		var err error
		if r.Report, err = read(outs[n].Bytes()); err != nil {
			return fmt.Errorf("%s: exit code %d, and its report: %w", command, r.Exit, err)
		}
		if err := r.truthful(len(cmds) == 1); err != nil {
			return fmt.Errorf("%s: %w", command, err)
		}
		w.claim(r)
	}
	return nil
}

// environment is what programs have of one. slurmctld has no PATH and no HOME to
// give; PATH is for the shell of a person alone.
func (w *Site) environment() []string {
	if w.bare {
		return append([]string{}, w.Env...) // not nil, which would be ours
	}
	return append([]string{"AWS_ENDPOINT_URL_EC2=" + w.url, "XDG_STATE_HOME=" + w.State, "PATH=" + w.Bin}, w.Env...)
}

// truthful compares what a program reports of itself with what was seen of it.
// The calls of runs side by side cannot be told apart.
func (r *Run) truthful(alone bool) error {
	if r.Report.ExitCode == nil {
		return nil // a table, or nothing
	}
	if *r.Report.ExitCode != r.Exit {
		return fmt.Errorf("it reports exit code %d, and has %d", *r.Report.ExitCode, r.Exit)
	}
	seen := map[string]int{}
	for _, c := range r.Calls {
		seen[c.Action]++
	}
	if alone && !r.Away && !maps.Equal(seen, r.Report.APICalls) {
		return fmt.Errorf("it reports the calls %v, and made %v", r.Report.APICalls, seen)
	}
	return nil
}

// ReadJSON reads a report; a program that refused its arguments prints none.
func ReadJSON(out []byte) (Report, error) {
	var r Report
	if len(out) == 0 {
		return r, nil
	}
	return r, json.Unmarshal(out, &r)
}

// ReadTable reads the table of nodes; what follows it (the ladder of a dry run)
// has a header of its own.
func ReadTable(out []byte) (Report, error) {
	var r Report
	if len(out) == 0 {
		return r, nil
	}
	rows := strings.Split(strings.TrimSpace(string(out)), "\n")
	if header := strings.Join(strings.Fields(rows[0]), " "); !strings.HasPrefix(header, "node state instance ") {
		return r, fmt.Errorf("no table of nodes: %q", out)
	}
	for _, row := range rows[1:] {
		cells := strings.Fields(row)
		if len(cells) < 2 || cells[0] == "rung" {
			break
		}
		n := Node{Name: cells[0], State: cells[1]}
		if len(cells) > 2 && strings.HasPrefix(cells[2], "i-") {
			n.Instance = cells[2]
		}
		r.Nodes = append(r.Nodes, n)
	}
	return r, nil
}

// claim notes who claims which instance after a run.
func (w *Site) claim(r *Run) {
	var ended []string
	for _, n := range r.Report.Nodes {
		switch n.State {
		case "launched", "adopted":
			w.claimed[n.Name] = n.Instance
		case "terminated", "absent", "suspended":
			delete(w.claimed, n.Name)
			ended = append(ended, n.Name)
		case "failed":
			// Given back: an instance that it had may have been ended with its
			// gang, or lives until Slurm suspends the node.
			if r.After[n.Name] == "" {
				delete(w.claimed, n.Name)
			}
		}
	}
	for _, a := range r.Report.Actions {
		for node, id := range w.claimed {
			if a.Done && a.Kind != "name" && id == a.Instance {
				delete(w.claimed, node)
				ended = append(ended, node)
			}
		}
	}
	if r.Exit == killed { // it told nothing of what it had ended by then
		maps.DeleteFunc(w.claimed, func(node, _ string) bool { return r.After[node] == "" })
	}
	for i := range w.gangs {
		w.gangs[i].nodes = slices.DeleteFunc(w.gangs[i].nodes, func(n string) bool { return slices.Contains(ended, n) })
	}
	if len(ended) == 0 {
		for _, nodes := range r.gangs {
			w.gangs = append(w.gangs, gang{slices.Clone(nodes)})
		}
	}
}

var (
	resumes      = regexp.MustCompile(`aws-slurm-burst-resume '?([^\s']+)`)
	asksAdvisor  = regexp.MustCompile(`--asba-(pipe|url)=\S|--auto-asba`)
	planArgument = regexp.MustCompile(`--execution-plan=(\S+)`)
	wantsGang    = regexp.MustCompile(`"requires_gang_scheduling":\s*(true|false)|ASBA_GANG_SCHEDULING=(true|false)`)
)

// resumed are the nodes that a command resumes; what the judge cannot read is
// for the program to refuse.
func resumed(command string) []string {
	m := resumes.FindStringSubmatch(command)
	if m == nil {
		return nil
	}
	names, _ := Expand(m[1])
	return names
}

// planText is the plan of a job (of nodes without one where it is ""), as the
// file that the command names has it, the environment, the site's folder, or the
// advisor.
func (w *Site) planText(command, job string) string {
	read := func(name string) string {
		data, _ := os.ReadFile(filepath.Join(w.Dir, name)) // one that is missing asks for nothing
		return string(data)
	}
	if m := planArgument.FindStringSubmatch(command); m != nil {
		return read(m[1])
	}
	if asksAdvisor.MatchString(command) {
		return w.advised(job)
	}
	if text := strings.Join(append(slices.Clone(w.Env), command), " "); strings.Contains(text, "ASBA_") {
		return text
	}
	if dir := w.siteLimits().Plans.Dir; dir != "" && job != "" {
		if text := read(filepath.Join(dir, job+".json")); text != "" {
			return text
		}
	}
	return w.advised(job)
}

// advised is what the advisor has for a job, or else for any.
func (w *Site) advised(job string) string { return cmp.Or(w.Advice[job], w.Advice[""]) }

// gangsOf reads in the plans and the resume file themselves, not in what the
// program made of them, which nodes of a resume are of use only together: those
// of each job, or all where there are no jobs and a plan wants it so.
func (w *Site) gangsOf(command string) [][]string {
	names := resumed(command)
	if names == nil {
		return nil
	}
	planned := func(job string) string {
		m := wantsGang.FindStringSubmatch(w.planText(command, job))
		if m == nil {
			return ""
		}
		return m[1] + m[2]
	}
	if len(w.jobs) == 0 && planned("") == "true" && len(names) > 1 {
		return [][]string{names}
	}
	var gangs [][]string
	for _, j := range w.jobs {
		if len(j.nodes) > 1 && planned(j.id) != "false" {
			gangs = append(gangs, j.nodes)
		}
	}
	return gangs
}

// Instances are the cluster's that cost money, as EC2 shows them. One look
// serves until something has run.
func (w *Site) Instances(ctx context.Context) ([]Instance, error) {
	if w.looked {
		return w.shown, nil
	}
	var err error
	w.shown, err = w.EC2.LiveOf(ctx, w.Cluster)
	w.looked = err == nil
	for _, i := range w.shown {
		w.ours[i.ID] = true
	}
	return w.shown, err
}

// changed makes the next look a new one.
func (w *Site) changed() { w.looked = false }

// Live maps nodes to the instances that EC2 shows for them.
func (w *Site) Live(ctx context.Context) (map[string]string, error) {
	all, err := w.Instances(ctx)
	if err != nil {
		return nil, err
	}
	return byNode(all)
}

// byNode maps nodes to instances, of which each has one at most.
func byNode(live []Instance) (map[string]string, error) {
	nodes := map[string]string{}
	var errs []error
	for _, i := range live {
		switch n, err := i.Node(); {
		case err != nil:
			errs = append(errs, err)
		case nodes[n] != "":
			errs = append(errs, fmt.Errorf("two instances serve %s: %s and %s", n, nodes[n], i.ID))
		default:
			nodes[n] = i.ID
		}
	}
	return nodes, errors.Join(errs...)
}

// LastRun is the run that the sentences speak of.
func (w *Site) LastRun() (*Run, error) {
	if len(w.Runs) == 0 {
		return nil, errors.New("no program was run yet")
	}
	return w.Runs[len(w.Runs)-1], nil
}
