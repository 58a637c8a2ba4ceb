package site

import (
	"bytes"
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
	Report  Report
	Calls   []faultproxy.Call // made while it ran
	Away    bool              // its calls went nowhere
	After   map[string]string // node -> instance that EC2 showed afterwards
}

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
	// The rest is there in JSON alone.
	Plan struct {
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

// Program runs one program with arguments in the scenario's folder, and reads
// its JSON report.
func (w *Site) Program(ctx context.Context, name string, args ...string) error {
	return w.Run(ctx, strings.Join(append([]string{name}, args...), " "), ReadJSON, Process{Cmd: w.Command(ctx, name, args...)})
}

// Shell runs what a person typed, to the letter; its programs print tables.
func (w *Site) Shell(ctx context.Context, text string) error {
	return w.Run(ctx, text, ReadTable, Process{Cmd: exec.CommandContext(ctx, "/bin/sh", "-euc", text)})
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
	before, began := len(w.AllCalls()), time.Now()
	outs, errs := make([]bytes.Buffer, len(cmds)), make([]bytes.Buffer, len(cmds))
	failures := make([]error, len(cmds))
	var all sync.WaitGroup
	for n, cmd := range cmds {
		cmd.Dir = w.Dir
		// Nothing else: slurmctld has no PATH and no HOME to give. PATH is for
		// the shell of a person alone.
		cmd.Env = append([]string{"AWS_ENDPOINT_URL_EC2=" + w.url, "XDG_STATE_HOME=" + w.State, "PATH=" + w.Bin}, w.Env...)
		cmd.Stdout, cmd.Stderr = &outs[n], &errs[n]
		cmd.WaitDelay = time.Second
		all.Go(func() { failures[n] = cmd.run(ctx) })
	}
	all.Wait()
	took := time.Since(began)
	live, err := w.Live(ctx)
	if err != nil {
		return err
	}
	for n := range cmds {
		r := &Run{Command: command, Began: began, Took: took, Away: w.away, Calls: w.AllCalls()[before:], After: live}
		w.Runs = append(w.Runs, r)
		for text := range strings.Lines(errs[n].String()) {
			l := &Line{Text: strings.TrimSuffix(text, "\n")}
			r.Stderr = append(r.Stderr, l)
			w.said = append(w.said, l)
		}
		var exit *exec.ExitError
		if err := failures[n]; errors.As(err, &exit) {
			r.Exit = exit.ExitCode()
		} else if err != nil {
			return fmt.Errorf("%s: %w", command, err)
		}
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
	for i := range w.gangs {
		w.gangs[i].nodes = slices.DeleteFunc(w.gangs[i].nodes, func(n string) bool { return slices.Contains(ended, n) })
	}
	if len(ended) == 0 && w.isGang(r.Command) {
		var g gang
		for _, n := range r.Report.Nodes {
			g.nodes = append(g.nodes, n.Name)
		}
		w.gangs = append(w.gangs, g)
	}
}

var (
	planArgument = regexp.MustCompile(`--execution-plan=(\S+)`)
	wantsGang    = regexp.MustCompile(`"requires_gang_scheduling":\s*true`)
)

// isGang reads in the plan itself, not in what the program made of it, whether
// a resume is of a gang.
func (w *Site) isGang(command string) bool {
	const variable = "ASBA_GANG_SCHEDULING=true"
	if m := planArgument.FindStringSubmatch(command); m != nil {
		data, err := os.ReadFile(filepath.Join(w.Dir, m[1]))
		return err == nil && wantsGang.Match(data)
	}
	return slices.Contains(w.Env, variable) || strings.Contains(command, variable)
}

// Live maps nodes to the instances that EC2 shows for them.
func (w *Site) Live(ctx context.Context) (map[string]string, error) {
	all, err := w.EC2.OfCluster(ctx, w.Cluster)
	if err != nil {
		return nil, err
	}
	nodes := map[string]string{}
	for _, i := range all {
		if !i.Live() {
			continue
		}
		n, err := i.node()
		if err != nil {
			return nil, err
		}
		if nodes[n] != "" {
			return nil, fmt.Errorf("two instances serve %s: %s and %s", n, nodes[n], i.ID)
		}
		nodes[n] = i.ID
	}
	return nodes, nil
}

// LastRun is the run that the sentences speak of.
func (w *Site) LastRun() (*Run, error) {
	if len(w.Runs) == 0 {
		return nil, errors.New("no program was run yet")
	}
	return w.Runs[len(w.Runs)-1], nil
}
