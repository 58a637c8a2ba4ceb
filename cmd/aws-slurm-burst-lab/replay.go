package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/lint"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/examples"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/host"
	"aws-slurm-burst/executor/hostlist"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/features/replay"
	features "aws-slurm-burst/features/report"
	"aws-slurm-burst/features/site"
	"aws-slurm-burst/localstack"
	"aws-slurm-burst/simulator/faults"
)

const (
	// planLimit bounds what is read of a plan's file. It is more than a plan may
	// have, so that the program itself says what is wrong with a larger one.
	planLimit = 2 * plan.MaxSize
	// textLimit bounds configurations and files of fault rules.
	textLimit = 1 << 20
	// fewNodes are for a plan that does not say how many it is for: the
	// smallest gang.
	fewNodes = 2
	// exampleConfig fills plans in where the user gives no configuration.
	exampleConfig = "config.yaml"
	// replayAtOnce is how many plans are carried out side by side: most of a
	// replay is waiting for processes and for EC2.
	replayAtOnce = 4
	// replayWithin bounds one plan, beyond the deadline of a resume.
	replayWithin = 10 * time.Minute
)

// What --fail-on takes.
const (
	failOnError    = "error"
	failOnFallback = "fallback"
)

// replay carries plans out, and says what happened to each.
func (l *lab) replay() *cobra.Command {
	var o replayOptions
	c := &cobra.Command{
		Use:   "replay PLAN...",
		Short: "Carry execution plans out on a local EC2, and say what happened to each",
		Long: `Carry execution plans out with the programs beside this one, each on a site of
its own: resume the plan's nodes, look at what came of it on EC2 itself, suspend
them, and see that nothing is left. A PLAN is a file, a folder (every *.json
below it) or - for standard input. One that cannot be read does not keep the
others from being carried out.

Nothing reaches AWS: --backend is the embedded EC2, a LocalStack, or the URL of
an endpoint on this machine, and the programs get credentials of their own.

A plan that does not say for how many nodes it is (instance_count, or its
processes) is carried out on two; --nodes gives all plans the same nodes.

The exit code is 0 where every plan did what it is for, 1 where a promise did not
hold, else that of the program that needs a person most: 9, 7, 2, 4, 5, 6, 8, 3.
With --fail-on fallback it is 3 where a plan was carried out otherwise than it
asks.`,
		Example: `  aws-slurm-burst replay plans/
  aws-slurm-burst replay plan.json --nodes 'aws-hpc-[001-016]' --faults shortage.yaml
  aws-slurm-burst replay plans/ --backend localstack --junit replay.xml --html replay.html`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("no execution plan given, such as plan.json or a folder of plans")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return l.replayPlans(l.Stop, args, o) },
	}
	c.Flags().StringVar(&o.nodes, "nodes", "", "carry every plan out on the nodes of `HOSTLIST`")
	c.Flags().StringVar(&o.backend, "backend", "embedded", "where EC2 is: embedded, localstack, localstack-container, localstack-host, auto, or a `URL`")
	c.Flags().StringVar(&o.faults, "faults", "", "break calls of the resume as the rules in `FILE` say, for each plan anew")
	c.Flags().StringVarP(&o.config, "config", "c", "", "fill plans in from the node groups, prices and policy of the configuration in `FILE`; cluster, Slurm and credentials stay the replay's own")
	c.Flags().StringVarP(&o.format, "output", "o", "table", "print the result as table, json, yaml or markdown")
	c.Flags().StringVar(&o.failOn, "fail-on", failOnError, "what makes the exit code other than 0: error or fallback")
	reportFlags(c, &o.files)
	return c
}

type replayOptions struct {
	nodes, backend, faults, config, format, failOn string
	files                                          features.Files
}

// replayed is the JSON form of a replay: a contract (docs/CLI.md).
type replayed struct {
	Backend  string          `json:"backend"`
	Why      string          `json:"why"`
	Plans    []replay.Result `json:"plans"`
	ExitCode int             `json:"exit_code"`
}

func (l *lab) replayPlans(ctx context.Context, args []string, o replayOptions) error {
	run, err := l.prepare(args, o)
	if err != nil {
		return err
	}
	bin, err := programs()
	if err != nil {
		return err
	}
	var results []replay.Result
	var summary features.Summary
	b, err := l.try(ctx, bench{bin, o.backend, run.region}, func(ctx context.Context, b features.Backend, s *site.Suite) error {
		run.Suite = s
		var err error
		if results, summary, err = replay.Run(ctx, run.Options); err != nil {
			return app.Exitf(report.ExitInterrupted, "replay: interrupted")
		}
		return nil
	})
	if b.Missing != "" {
		return err
	}
	summary.Version, summary.Backend, summary.Concurrency = app.Version, b, run.Concurrency
	l.code = o.exitCode(results)
	if e := new(app.ExitError); errors.As(err, &e) {
		l.code = e.Code
	}
	_ = l.printReplay(o.format, replayed{Backend: b.Title(), Why: b.Why, Plans: results, ExitCode: l.code}) // main tells of a failed write
	if failed := o.files.Write(summary); failed != nil {
		err = errors.Join(err, app.Exitf(report.ExitFailed, "replay: %w", failed))
	}
	if err != nil {
		return oneLine(err)
	}
	return nil
}

// exitCode is that of the whole replay.
func (o replayOptions) exitCode(results []replay.Result) int {
	code := replay.ExitCode(results)
	if code == report.ExitDone && o.failOn == failOnFallback && slices.ContainsFunc(results, func(r replay.Result) bool { return len(r.Fallbacks) > 0 }) {
		code = report.ExitPartly
	}
	return code
}

// preparation is a replay before anything is started.
type preparation struct {
	replay.Options
	region string
}

// prepare reads all that a replay needs, so that what is wrong with it is said
// before anything is started.
func (l *lab) prepare(args []string, o replayOptions) (preparation, error) {
	var none preparation
	if err := app.CheckFormat(o.format); err != nil {
		return none, err
	}
	if o.failOn != failOnError && o.failOn != failOnFallback {
		return none, app.Exitf(report.ExitUsage, "--fail-on %q is neither error nor fallback", o.failOn)
	}
	p := preparation{Options: replay.Options{Concurrency: replayAtOnce, Timeout: replayWithin}}
	name := exampleConfig
	text, err := examples.Files.ReadFile(name)
	if o.config != "" {
		if text, err = host.ReadFile(o.config, textLimit); err == nil {
			name, p.Config = o.config, text
			p.ConfigFolder, err = filepath.Abs(filepath.Dir(o.config))
		}
	}
	if err != nil {
		return none, app.Exitf(report.ExitConfig, "configuration not readable: %v", err)
	}
	cfg, err := config.Parse(text, name)
	if err != nil {
		return none, &app.ExitError{Code: report.ExitConfig, Err: err}
	}
	p.region = cfg.AWS.Region
	if o.faults != "" {
		if p.Faults, err = host.ReadFile(o.faults, textLimit); err == nil {
			_, err = faults.Parse(p.Faults, o.faults)
		}
		if err != nil {
			return none, app.Exitf(report.ExitUsage, "--faults: %v", err)
		}
		p.FaultsFile = o.faults
	}
	if _, err := localstack.Parse(o.backend); err != nil {
		return none, app.Exitf(report.ExitUsage, "--backend: %w", err)
	}
	if o.nodes != "" {
		if _, err := hostlist.Expand(o.nodes); err != nil {
			return none, app.Exitf(report.ExitUsage, "--nodes: %v", err)
		}
	}
	files, err := planFiles(args)
	if err != nil {
		return none, app.Exitf(report.ExitUsage, "replay: %v", err)
	}
	reads := []string{o.config, o.faults}
	var unfit []error
	for _, f := range files {
		reads = append(reads, f.name)
		c, err := l.planCase(f, o.nodes, cfg)
		if err != nil {
			unfit = append(unfit, fmt.Errorf("replay: %w", err))
			c.Unfit = err.Error()
		}
		p.Cases = append(p.Cases, c)
	}
	if len(unfit) == len(files) {
		return none, app.Exitf(report.ExitUsage, "%w", errors.Join(unfit...))
	}
	if err := o.files.Check(reads...); err != nil {
		return none, app.Exitf(report.ExitUsage, "replay: %v", err)
	}
	return p, nil
}

// stdin is the name of standard input among plans.
const stdin = "-"

// planFile is a file to look for a plan in.
type planFile struct {
	name string
	err  error // where it is known that it cannot be read
}

// planFiles are the files that arguments name, folders' in order of name. What
// cannot be read below a folder is among them: the others are no worse for it.
func planFiles(args []string) ([]planFile, error) {
	var files []planFile
	for _, arg := range args {
		if arg == stdin {
			files = append(files, planFile{name: arg})
			continue
		}
		st, err := os.Stat(arg)
		if err != nil {
			return nil, fmt.Errorf("execution plan %s: %w", arg, errors.Unwrap(err))
		}
		if !st.IsDir() {
			files = append(files, planFile{name: arg})
			continue
		}
		before := len(files)
		root := arg + "/" // a link to a folder is that folder
		err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
			switch {
			case err != nil && file == root:
				return err
			case err != nil:
				files = append(files, planFile{file, err})
			case d.IsDir() && file != root && strings.HasPrefix(d.Name(), "."):
				return filepath.SkipDir
			case !d.IsDir() && filepath.Ext(file) == ".json":
				files = append(files, planFile{name: file})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(files) == before {
			return nil, fmt.Errorf("folder %s has no *.json: name the plans themselves", arg)
		}
	}
	return files, nil
}

// planCase reads a plan, and finds nodes for it.
func (l *lab) planCase(f planFile, nodes string, cfg *config.Config) (replay.Case, error) {
	c, err := replay.Case{Name: f.name, Nodes: nodes}, f.err
	switch {
	case err != nil:
	case f.name == stdin:
		c.Name = "stdin.json"
		c.Text, err = io.ReadAll(io.LimitReader(l.Stdin, planLimit))
	default:
		c.Text, err = host.ReadFile(f.name, planLimit)
	}
	if err != nil || nodes != "" {
		return c, err
	}
	n := fewNodes
	if p, _ := plan.Read(c.Text, f.name); p != nil {
		if says := lint.Nodes(p, catalog.Default()); says > 0 {
			n = says
		}
	}
	c.Nodes, err = someNodes(cfg, n)
	if err != nil {
		return c, fmt.Errorf("%s: %w", f.name, err)
	}
	return c, nil
}

// someNodes returns the first n nodes of the first node group that has as many.
func someNodes(cfg *config.Config, n int) (string, error) {
	most := 0
	for _, g := range cfg.Groups {
		names := g.Nodes
		if len(names) == 0 { // named by partition and group
			for i := range min(n, cmp.Or(g.MaxNodes, hostlist.MaxHosts)) {
				names = append(names, fmt.Sprintf("%s-%s-%03d", g.Partition, g.Name, i+1))
			}
		}
		if len(names) >= n {
			return hostlist.Fold(names[:n]), nil
		}
		most = max(most, len(names))
	}
	return "", fmt.Errorf("it is for %d nodes, and the largest node group has %d: give it nodes by --nodes", n, most)
}

func (l *lab) printReplay(format string, r replayed) error {
	switch format {
	case "json", "yaml":
		return app.Print(l.Stdout, format, r)
	}
	var dates []string
	rows := make([][]string, len(r.Plans))
	for i, p := range r.Plans {
		rows[i] = replayRow(p)
		dates = append(dates, p.PriceDate)
	}
	header := []string{"plan", "nodes", "plan was", "mode", "gang", "types", "market", "zone", "rung", "fallbacks", "calls", "$/h at most", "exit"}
	var b bytes.Buffer
	if err := app.Table(&b, format == "markdown", header, rows); err != nil {
		return err
	}
	if err := app.Ages(&b, dates, time.Now()); err != nil {
		return err
	}
	// What the programs said stands below, for whoever wonders about a row.
	for _, p := range r.Plans {
		if len(p.Lines) == 0 && p.Problem == "" {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", oneLineName(p.Plan))
		for _, line := range p.Lines {
			fmt.Fprintf(&b, "    %s\n", line)
		}
		if p.Problem != "" {
			fmt.Fprintf(&b, "    PROBLEM: %s\n", p.Problem)
		}
	}
	fmt.Fprintf(&b, "\n%s\n", verdict(r))
	_, err := l.Stdout.Write(b.Bytes())
	return err
}

// verdict is the replay in one line.
func verdict(r replayed) string {
	done := 0
	for _, p := range r.Plans {
		if p.Done() {
			done++
		}
	}
	return fmt.Sprintf("%d of %d plans carried out on %s (%s); exit code %d", done, len(r.Plans), r.Backend, r.Why, r.ExitCode)
}

func replayRow(p replay.Result) []string {
	dash := func(s string) string {
		if s == "" {
			return "-"
		}
		return s
	}
	rung, cost := "", ""
	if p.Rung > 0 {
		rung = fmt.Sprint(p.Rung)
	}
	if p.HourlyCost != nil {
		cost = fmt.Sprintf("%.2f", *p.HourlyCost)
	}
	exit := fmt.Sprint(p.ExitCode)
	if p.Problem != "" {
		exit += " PROBLEM"
	}
	return []string{oneLineName(p.Plan), fmt.Sprintf("%d of %d", p.Launched, p.Wanted), dash(p.Outcome), dash(p.Mode), p.Gang, dash(counted(p.Types, true)),
		dash(counted(p.Markets, false)), dash(counted(p.Zones, false)), dash(rung), fmt.Sprint(len(p.Fallbacks)), fmt.Sprint(sum(p.Calls)), dash(cost), exit}
}

// oneLineName is a file's name as a table has it: what would break its line, or
// speak to the terminal, is escaped.
func oneLineName(name string) string {
	if strings.ContainsFunc(name, unicode.IsControl) {
		return strconv.Quote(name)
	}
	return name
}

func sum(counts map[string]int) int {
	n := 0
	for _, k := range counts {
		n += k
	}
	return n
}

// counted lists the keys of counts in order, each with its number where that
// is told.
func counted(counts map[string]int, tell bool) string {
	keys := make([]string, 0, len(counts))
	for k := range counts {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for i, k := range keys {
		if tell {
			keys[i] = fmt.Sprintf("%s %d", k, counts[k])
		}
	}
	return strings.Join(keys, ", ")
}
