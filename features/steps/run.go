package steps

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

// run is one run of a program.
type run struct {
	command string
	exit    int
	stderr  []*line
	report  report
	calls   []faultproxy.Call // made while it ran
	away    bool              // its calls went nowhere
	after   map[string]string // node -> instance that EC2 showed afterwards
}

// report is what a program printed on stdout, as far as steps need it.
type report struct {
	Command string       `json:"command"`
	Mode    string       `json:"mode"`
	Nodes   []nodeReport `json:"nodes"`
	// APICalls and ExitCode are there in JSON alone.
	APICalls map[string]int `json:"api_calls"`
	ExitCode *int           `json:"exit_code"`
}

type nodeReport struct {
	Name     string `json:"name"`
	State    string `json:"state"`
	Instance string `json:"instance_id"`
}

// program runs one program with arguments in the scenario's folder, and reads
// its JSON report.
func (w *world) program(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(w.bin, name), append(args, "-o", "json")...)
	return w.run(ctx, strings.Join(append([]string{name}, args...), " "), readJSON, process{Cmd: cmd})
}

// shell runs what a person typed, to the letter; its programs print tables.
func (w *world) shell(ctx context.Context, text string) error {
	return w.run(ctx, text, readTable, process{Cmd: exec.CommandContext(ctx, "/bin/sh", "-euc", text)})
}

// process is a program to run, at once or when a channel is closed, and perhaps
// another channel to close when it has ended.
type process struct {
	*exec.Cmd
	when <-chan struct{}
	done chan<- struct{}
}

func (p process) run(ctx context.Context) error {
	if p.done != nil {
		defer close(p.done)
	}
	if p.when != nil {
		select {
		case <-p.when:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return p.Run()
}

// run runs programs side by side, and notes all that can be known of them.
func (w *world) run(ctx context.Context, command string, read func([]byte) (report, error), cmds ...process) error {
	if err := w.readyProxy(); err != nil {
		return err
	}
	before := len(w.calls())
	outs, errs := make([]bytes.Buffer, len(cmds)), make([]bytes.Buffer, len(cmds))
	failures := make([]error, len(cmds))
	var all sync.WaitGroup
	for n, cmd := range cmds {
		cmd.Dir = w.dir
		// Nothing else: slurmctld has no PATH and no HOME to give. PATH is for
		// the shell of a person alone.
		cmd.Env = append([]string{"AWS_ENDPOINT_URL_EC2=" + w.url, "XDG_STATE_HOME=" + w.state, "PATH=" + w.bin}, w.env...)
		cmd.Stdout, cmd.Stderr = &outs[n], &errs[n]
		cmd.WaitDelay = time.Second
		all.Go(func() { failures[n] = cmd.run(ctx) })
	}
	all.Wait()
	live, err := w.live(ctx)
	if err != nil {
		return err
	}
	for n := range cmds {
		r := &run{command: command, away: w.away, calls: w.calls()[before:], after: live}
		w.runs = append(w.runs, r)
		for text := range strings.Lines(errs[n].String()) {
			l := &line{text: strings.TrimSuffix(text, "\n")}
			r.stderr = append(r.stderr, l)
			w.said = append(w.said, l)
		}
		var exit *exec.ExitError
		if err := failures[n]; errors.As(err, &exit) {
			r.exit = exit.ExitCode()
		} else if err != nil {
			return fmt.Errorf("%s: %w", command, err)
		}
		if r.report, err = read(outs[n].Bytes()); err != nil {
			return fmt.Errorf("%s: exit code %d, and its report: %w", command, r.exit, err)
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
func (r *run) truthful(alone bool) error {
	if r.report.ExitCode == nil {
		return nil // a table, or nothing
	}
	if *r.report.ExitCode != r.exit {
		return fmt.Errorf("it reports exit code %d, and has %d", *r.report.ExitCode, r.exit)
	}
	seen := map[string]int{}
	for _, c := range r.calls {
		seen[c.Action]++
	}
	if alone && !r.away && !maps.Equal(seen, r.report.APICalls) {
		return fmt.Errorf("it reports the calls %v, and made %v", r.report.APICalls, seen)
	}
	return nil
}

// readJSON reads a report; a program that refused its arguments prints none.
func readJSON(out []byte) (report, error) {
	var r report
	if len(out) == 0 {
		return r, nil
	}
	return r, json.Unmarshal(out, &r)
}

// readTable reads the table of nodes; what follows it (the ladder of a dry run)
// has a header of its own.
func readTable(out []byte) (report, error) {
	var r report
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
		n := nodeReport{Name: cells[0], State: cells[1]}
		if len(cells) > 2 && strings.HasPrefix(cells[2], "i-") {
			n.Instance = cells[2]
		}
		r.Nodes = append(r.Nodes, n)
	}
	return r, nil
}

// claim notes who claims which instance after a run.
func (w *world) claim(r *run) {
	var ended []string
	for _, n := range r.report.Nodes {
		switch n.State {
		case "launched", "adopted":
			w.claimed[n.Name] = n.Instance
		case "terminated", "absent", "suspended":
			delete(w.claimed, n.Name)
			ended = append(ended, n.Name)
		case "failed":
			// Given back: an instance that it had may have been ended with its
			// gang, or lives until Slurm suspends the node.
			if r.after[n.Name] == "" {
				delete(w.claimed, n.Name)
			}
		}
	}
	for i := range w.gangs {
		w.gangs[i].nodes = slices.DeleteFunc(w.gangs[i].nodes, func(n string) bool { return slices.Contains(ended, n) })
	}
	if len(ended) == 0 && w.isGang(r.command) {
		var g gang
		for _, n := range r.report.Nodes {
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
func (w *world) isGang(command string) bool {
	const variable = "ASBA_GANG_SCHEDULING=true"
	if m := planArgument.FindStringSubmatch(command); m != nil {
		data, err := os.ReadFile(filepath.Join(w.dir, m[1]))
		return err == nil && wantsGang.Match(data)
	}
	return slices.Contains(w.env, variable) || strings.Contains(command, variable)
}

// live maps nodes to the instances that EC2 shows for them.
func (w *world) live(ctx context.Context) (map[string]string, error) {
	all, err := w.ec2.ofCluster(ctx, w.cluster)
	if err != nil {
		return nil, err
	}
	nodes := map[string]string{}
	for _, i := range all {
		if !i.live() {
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

// last is the run that the sentences speak of.
func (w *world) lastRun() (*run, error) {
	if len(w.runs) == 0 {
		return nil, errors.New("no program was run yet")
	}
	return w.runs[len(w.runs)-1], nil
}
