package advisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"aws-slurm-burst/asba/advise"
	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/jobscript"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/protocol"
	"aws-slurm-burst/asba/scriptjob"
	"aws-slurm-burst/asba/server"
	"aws-slurm-burst/asba/slurmjob"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/host"
	"aws-slurm-burst/executor/report"
)

// reread is how old the configuration and the catalogue may be: what changes
// there counts for serve and daemon so much later.
const reread = 30 * time.Second

// analyst answers questions for as long as serve or daemon runs. It implements
// their ports.
type analyst struct {
	*tool
	site // what the flags say
	log  *slog.Logger

	mu      sync.Mutex
	grounds grounds
	read    time.Time // when it was read; the last attempt's
}

// grounds are what holds for every question.
type grounds struct {
	site    site
	options advise.Options
	memory  *memory
}

var _ server.Analyst = (*analyst)(nil)

// start reads the configuration and the catalogue for the first time: what is
// wrong with them is told before anybody asks.
func (a *analyst) start(ctx context.Context, log *slog.Logger) error {
	a.log = log
	k, err := a.fresh(ctx)
	a.grounds, a.read = k, time.Now()
	return err
}

func (a *analyst) fresh(ctx context.Context) (k grounds, err error) {
	k.site, k.memory = a.site, &memory{}
	k.options, err = k.site.options(ctx, a.quiet(), "", "")
	return k, err
}

// current is what is known, read again where it is old. What can no longer be
// read stays as it was.
func (a *analyst) current(ctx context.Context) grounds {
	a.mu.Lock()
	defer a.mu.Unlock()
	if time.Since(a.read) < reread {
		return a.grounds
	}
	a.read = time.Now()
	if k, err := a.fresh(context.WithoutCancel(ctx)); err != nil { // whose question it is does not matter
		a.log.Error("going on with what was read before", "error", err.Error())
	} else {
		a.grounds = k
	}
	return a.grounds
}

// quiet is the surroundings of a question: what is told to people goes to the
// log.
func (a *analyst) quiet() app.IO {
	std := a.IO
	std.Stderr = logLines{a.log}
	return std
}

// logLines makes warnings of lines.
type logLines struct{ log *slog.Logger }

func (l logLines) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		l.log.Debug(strings.TrimSuffix(strings.TrimPrefix(line, "WARN: "), "\n"))
	}
	return len(p), nil
}

// asked is a question, however it came.
type asked struct {
	job, script, partition string
	nodes                  int
}

// verdict is a question's advice.
type verdict struct {
	advise.Advice
	options  advise.Options
	findings []finding.Finding // about the script
}

// Analyze answers a question that came over HTTP.
func (a *analyst) Analyze(ctx context.Context, q server.Question) (server.Analysis, error) {
	j, err := a.judge(ctx, asked{job: q.JobID, script: q.JobScript, partition: q.Partition, nodes: q.NodeCount})
	if err != nil {
		if errors.Is(err, errTheirs) {
			err = fmt.Errorf("%w: %w", server.ErrQuestion, err)
		}
		return server.Analysis{}, err
	}
	s := server.Analysis{Plan: plan.Write(j.Plan), Confidence: j.Confidence.Value}
	if q.Explain {
		s.Explanation = j.explanation()
	}
	return s, nil
}

// overPipe answers questions that came over a pipe.
type overPipe struct{ *analyst }

// Analyze reads the script, where one is named, and answers.
func (a overPipe) Analyze(ctx context.Context, q protocol.PipeRequest) (protocol.Answer, error) {
	k := asked{job: q.JobID, partition: q.Partition, nodes: q.NodeCount}
	if q.ScriptPath != "" {
		data, err := host.ReadFile(q.ScriptPath, protocol.MaxScript)
		if err != nil {
			return protocol.Answer{}, fmt.Errorf("the script is not readable: %w", err)
		}
		k.script = string(data)
	}
	j, err := a.judge(ctx, k)
	if err != nil {
		return protocol.Answer{}, err
	}
	return protocol.Answer{Plan: plan.Write(j.Plan), AnalysisID: q.ID, Confidence: j.Confidence.Value}, nil
}

// errTheirs marks what is the question's fault. Its words are those of what it
// marks.
var errTheirs = errors.New("theirs")

type theirs struct{ error }

func (theirs) Is(target error) bool { return target == errTheirs }

// judge finds out what the job asks for and advises on it: by Slurm's own
// record, else by its script, else by its nodes alone.
func (a *analyst) judge(ctx context.Context, q asked) (j verdict, err error) {
	k := a.current(ctx)
	of, err := a.subject(ctx, k, q)
	if err != nil {
		return j, err
	}
	job := of.Job
	if q.nodes > 0 { // who asks has seen which nodes Slurm gives it
		job.MinNodes, job.MaxNodes = q.nodes, q.nodes
	}
	j.options, j.findings = k.options, of.findings
	j.options.Now = time.Now()
	if d, err := time.ParseDuration(k.site.deadline); err == nil {
		j.options.Deadline = j.options.Now.Add(d)
	}
	if err := k.site.nodes(&j.options, a.quiet(), cmp.Or(k.site.partition, q.partition, job.Partition), of.nodes); err != nil {
		return j, err
	}
	job.Coupling = k.site.coupling(job.Coupling)
	j.Advice = k.memory.advise(job, j.options)
	return j, nil
}

// subject is what a question is about.
type subject struct {
	advise.Job
	nodes    string            // that the job has, "" where nobody knows
	findings []finding.Finding // about the script
}

// subject finds the job of a question.
func (a *analyst) subject(ctx context.Context, k grounds, q asked) (of subject, err error) {
	var script *jobscript.Job
	if q.script != "" {
		script, of.findings = k.memory.read(q.script)
	}
	if q.job != "" {
		r, err := a.recorded(ctx, k, q.job, script)
		if err == nil {
			of.Job, of.nodes = r.Job, r.Nodes
			of.ID = r.Ref() // a task, a component: by the name that people use
			return of, nil
		}
		if script == nil && q.nodes == 0 {
			return of, err
		}
		// The job may be of a cluster that this advisor does not see.
		a.log.Info("going by the question alone", "job_id", q.job, "error", err.Error())
	}
	if script == nil {
		of.Job = byNodes(q)
		return of, nil
	}
	of.Job, err = a.written(script, of.findings)
	of.ID = q.job
	return of, err
}

// written is the job of a script, of a heterogeneous one its first component.
// What sbatch would refuse is the question's fault.
func (a *analyst) written(script *jobscript.Job, findings []finding.Finding) (advise.Job, error) {
	var wrong []string
	for _, f := range findings {
		if f.Level == finding.Error {
			wrong = append(wrong, f.String())
		}
	}
	if len(wrong) > 0 {
		return advise.Job{}, theirs{errors.New(strings.Join(wrong, "; "))}
	}
	jobs := scriptjob.Jobs(script, "")
	if len(jobs) > 1 {
		a.log.Info("heterogeneous: the answer is for the first component", "components", len(jobs))
	}
	return jobs[0], nil
}

// recorded is the job as Slurm has it. Whether it is MPI only its script may
// tell: the question's, else the one that slurmctld keeps.
func (a *analyst) recorded(ctx context.Context, k grounds, id string, script *jobscript.Job) (r slurmjob.Record, err error) {
	t := tool{a.quiet()}
	program, err := t.scontrol(k.site.cfg, id)
	if err == nil {
		r, err = t.record(ctx, program, id)
	}
	if e := new(app.ExitError); errors.As(err, &e) && e.Code == report.ExitUsage {
		err = theirs{err}
	}
	if err != nil {
		return r, err
	}
	switch {
	case k.site.told("mpi") || r.Tasks <= 1 && r.MinNodes <= 1:
	case script != nil:
		r.Coupling = scriptjob.Coupling(script, r.Job)
	default:
		r.Coupling = t.stored(ctx, program, r)
	}
	return r, nil
}

// byNodes is a job of which nothing is known but its nodes. Whether Slurm may
// start it again nobody has said, so it is not put on spot.
func byNodes(q asked) advise.Job {
	return advise.Job{ID: q.job, Partition: q.partition, MinNodes: q.nodes, Tasks: q.nodes}
}

// explanation is what people see beside the plan.
func (j verdict) explanation() *server.Explanation {
	x := &server.Explanation{
		Region: j.options.Market.Region, Bursts: j.Plan.Bursts(), Nodes: j.Nodes, Reasons: j.Plan.Reasons.Value,
		Excluded: len(j.Excluded()), Findings: j.findings,
	}
	choices := j.Choices()
	for i := range choices {
		c := &choices[i]
		t := server.Type{
			Name: c.Type.Name, Planned: c.Listed, Market: c.Usage, Nodes: c.Nodes, VCPUs: c.Type.VCPUs, Cores: c.Type.Cores, MemoryMiB: c.Type.MemoryMiB,
			GPUs: c.Type.GPUs, GPUModel: c.Type.GPUModel, EFA: c.Type.EFA, HourlyCost: c.HourlyCost, Cost: c.Cost, Dated: c.Price.Date, Reason: c.Reason(),
		}
		if c.Usage == advise.UsageSpot {
			t.Interruption = c.Spot.Interruption.String()
		}
		x.Types = append(x.Types, t)
	}
	return x
}

// newLog is a log in JSON at a level.
func newLog(w io.Writer, level string) (*slog.Logger, error) {
	var l slog.Level
	switch level {
	case "debug", "info", "warn", "error":
		_ = l.UnmarshalText([]byte(level)) // it knows these
	default:
		return nil, app.Exitf(report.ExitUsage, "--log-level %q is not one of debug, info, warn, error", level)
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l})), nil
}
