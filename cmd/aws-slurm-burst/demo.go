package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/report"
)

// demo plays the main job and its fallbacks through the real programs, each
// act on a fresh embedded EC2.
func (t *tool) demo() *cobra.Command {
	var examples string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Resume, break and suspend an 8-node gang on the embedded EC2",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return t.play(t.Stop, examples)
		},
	}
	c.Flags().StringVar(&examples, "examples", "examples", "the folder with config.yaml and the plans")
	return c
}

// act is one act of the demonstration.
type act struct {
	name, nodes, plan, faults string
	exit                      int
}

func acts(examples string) []act {
	plan := func(name string) string { return filepath.Join(examples, name) }
	gang := plan("asba-execution-plan.json")
	return []act{
		{"whole gang", "aws-hpc-[001-008]", gang, "", report.ExitDone},
		{"plan missing", "aws-cpu-[001-004]", plan("missing.json"), "", report.ExitDone},
		{"plan invalid", "aws-cpu-[001-004]", plan("seed/invalid.json"), "", report.ExitPlan},
		{"plan partial", "aws-cpu-[001-004]", plan("seed/partial.json"), "", report.ExitDone},
		{"shortage in the first zone", "aws-hpc-[001-008]", gang, plan("faults/first-zone-short.yaml"), report.ExitDone},
		{"answer lost", "aws-hpc-[001-008]", gang, plan("faults/answer-lost.yaml"), report.ExitDone},
	}
}

func (t *tool) play(ctx context.Context, examples string) error {
	self, err := os.Executable()
	if err != nil {
		return app.Exitf(report.ExitFailed, "demo: %v", err)
	}
	state, err := os.MkdirTemp("", "aws-slurm-burst-demo-")
	if err != nil {
		return app.Exitf(report.ExitFailed, "demo: %v", err)
	}
	defer func() { _ = os.RemoveAll(state) }()

	stage := stage{bin: filepath.Dir(self), self: self, config: filepath.Join(examples, "config.yaml"), state: state, stderr: t.Stderr}
	var rows [][]string
	var dates []string
	left := 0
	for _, a := range acts(examples) {
		row, date, alive, err := stage.perform(ctx, a)
		if err != nil {
			return app.Exitf(report.ExitFailed, "demo, %s: %v", a.name, err)
		}
		rows, dates = append(rows, row), append(dates, date)
		left += alive
	}
	if _, err := fmt.Fprintln(t.Stdout); err != nil {
		return nil // nobody watches
	}
	header := []string{"act", "nodes", "types", "market", "zone", "rung", "API calls", "$/h at most", "exit"}
	if err := app.Table(t.Stdout, false, header, rows); err != nil {
		return app.Exitf(report.ExitFailed, "demo: %v", err)
	}
	_ = app.Ages(t.Stdout, dates, time.Now())
	_, _ = fmt.Fprintf(t.Stdout, "\n%d instances left\n", left)
	if left > 0 {
		t.code = report.ExitFailed
	}
	return nil
}

// stage is where an act is performed.
type stage struct {
	bin, self, config, state string
	stderr                   io.Writer
}

// perform resumes, checks what lives, suspends, and counts what is left.
func (s stage) perform(ctx context.Context, a act) (row []string, priceDate string, left int, err error) {
	args := []string{"ec2", "--listen", "127.0.0.1:0"}
	if a.faults != "" {
		args = append(args, "--faults", a.faults)
	}
	server := exec.CommandContext(ctx, s.self, args...)
	server.Cancel = func() error { return server.Process.Signal(syscall.SIGTERM) }
	out, err := server.StdoutPipe()
	if err != nil {
		return nil, "", 0, err
	}
	if err := server.Start(); err != nil {
		return nil, "", 0, err
	}
	defer func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait()
	}()
	endpoint, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, "", 0, fmt.Errorf("the embedded EC2 did not start: %w", err)
	}
	endpoint = strings.TrimSpace(endpoint)

	_, _ = fmt.Fprintf(s.stderr, "\n== %s\n$ aws-slurm-burst-resume '%s' --execution-plan=%s\n", a.name, a.nodes, a.plan)
	r, err := s.run(ctx, endpoint, "aws-slurm-burst-resume", a.nodes, "--execution-plan="+a.plan)
	if err != nil {
		return nil, "", 0, err
	}
	if r.ExitCode != a.exit {
		return nil, "", 0, fmt.Errorf("exit code %d, expected %d", r.ExitCode, a.exit)
	}
	launched := 0
	for _, n := range r.Nodes {
		if n.InstanceID != "" {
			launched++
		}
	}
	if alive, err := s.alive(ctx, endpoint); err != nil || alive != launched {
		return nil, "", 0, fmt.Errorf("EC2 has %d live instances, the report %d (%v)", alive, launched, err)
	}
	if _, err := s.run(ctx, endpoint, "aws-slurm-burst-suspend", a.nodes); err != nil {
		return nil, "", 0, err
	}
	left, err = s.alive(ctx, endpoint)
	return rowOf(a, r, launched), r.PriceDate, left, err
}

// run runs a program with nothing in its environment but the endpoint and a
// state folder, as bare as slurmctld's.
func (s stage) run(ctx context.Context, endpoint, program string, args ...string) (*report.Report, error) {
	c := exec.CommandContext(ctx, filepath.Join(s.bin, program), append(args, "--config="+s.config, "-o", "json")...)
	c.Env = []string{"AWS_ENDPOINT_URL_EC2=" + endpoint, "XDG_STATE_HOME=" + s.state}
	c.Stderr = s.stderr
	var out bytes.Buffer
	c.Stdout = &out
	err := c.Run()
	var r report.Report
	if jerr := json.Unmarshal(out.Bytes(), &r); jerr != nil {
		return nil, fmt.Errorf("%s: %v, and no report: %w", program, err, jerr)
	}
	return &r, nil
}

// alive counts the live instances over the wire, as any EC2 client would.
func (s stage) alive(ctx context.Context, endpoint string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	form := url.Values{"Action": {"DescribeInstances"}, "Version": {"2016-11-15"},
		"Filter.1.Name": {"instance-state-name"}, "Filter.1.Value.1": {"pending"}, "Filter.1.Value.2": {"running"}}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, err
	}
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		IDs []string `xml:"reservationSet>item>instancesSet>item>instanceId"`
	}
	if err := xml.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return 0, err
	}
	return len(answer.IDs), nil
}

func rowOf(a act, r *report.Report, launched int) []string {
	var types, markets, zones []string
	add := func(to *[]string, s string) {
		if s != "" && !slices.Contains(*to, s) {
			*to = append(*to, s)
		}
	}
	for _, n := range r.Nodes {
		add(&types, n.InstanceType)
		add(&markets, string(n.Market))
		add(&zones, n.AZ)
	}
	rung, cost := "-", "-"
	for i, g := range r.Rungs {
		if g.Outcome == "launched" {
			rung = fmt.Sprint(i + 1)
			break
		}
	}
	if r.HourlyCost != nil {
		cost = fmt.Sprintf("%.2f", *r.HourlyCost)
	}
	var ops []string
	for op, n := range r.APICalls {
		ops = append(ops, fmt.Sprintf("%s %d", op, n))
	}
	slices.Sort(ops)
	dash := func(list []string) string {
		if len(list) == 0 {
			return "-"
		}
		return strings.Join(list, " ")
	}
	return []string{a.name, fmt.Sprintf("%d of %d", launched, len(r.Nodes)), dash(types), dash(markets), dash(zones), rung, dash([]string{strings.Join(ops, ", ")}), cost, fmt.Sprint(r.ExitCode)}
}
