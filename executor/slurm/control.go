package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aws-slurm-burst/executor/hostlist"
)

// Records returns what "scontrol show job ID" prints: the job, all tasks of an
// array, or all components of a heterogeneous job.
func (c *Controller) Records(ctx context.Context, id string) ([]Record, error) {
	if c.Off() {
		return nil, nil
	}
	out, err := c.call(ctx, "show job", subject{job: id}, "-o", "show", "job", id)
	if err != nil {
		return nil, err
	}
	// A line break in a name can make up records: only this job's count.
	records := slices.DeleteFunc(parseJobs(string(out)), func(r Record) bool {
		return id != r.ID && id != r.ArrayID && id != r.HetID && id != r.Ref()
	})
	if len(records) == 0 {
		return nil, &Error{Op: "show job", Job: id, Kind: ErrNoJob}
	}
	return records, nil
}

// Jobs returns all jobs that slurmctld remembers.
func (c *Controller) Jobs(ctx context.Context) ([]Record, error) {
	if c.Off() {
		return nil, nil
	}
	out, err := c.call(ctx, "show job", subject{}, "-o", "show", "job")
	if err != nil {
		return nil, err
	}
	return parseJobs(string(out)), nil
}

// maxScript bounds a batch script: Slurm itself takes 4 MB by default
// (max_script_size), and one that is larger is nobody's.
const maxScript = 4 << 20

// Script returns the batch script that Slurm keeps for a job (12, or 12_3 for the
// task of an array); nil where it has none, as those of srun and salloc.
func (c *Controller) Script(ctx context.Context, id string) ([]byte, error) {
	if c.Off() {
		return nil, nil
	}
	out, err := c.call(ctx, "write batch_script", subject{job: id}, "write", "batch_script", id, "-")
	switch {
	case err != nil:
		return nil, err
	case len(out) > maxScript:
		return nil, &Error{Op: "write batch_script", Job: id, Kind: ErrRefused, Err: fmt.Errorf("the script has more than %d bytes", maxScript)}
	case !bytes.HasPrefix(out, []byte("#!")):
		// scontrol exits with 0 where there is none; sbatch takes no script
		// that begins with anything else.
		return nil, nil
	}
	return out, nil
}

// showAtOnce bounds the names in one "show node": folded or not, 4096 names
// stay below the 128 kB that Linux allows one argument.
const showAtOnce = 4096

// Nodes returns what slurmctld knows of nodes; those it does not know are
// missing.
func (c *Controller) Nodes(ctx context.Context, names []string) ([]Node, error) {
	if c.Off() {
		return nil, nil
	}
	var nodes []Node
	err := c.showNodes(ctx, names, func(out []byte) {
		if got := parseNodes(out); nodes == nil {
			nodes = got
		} else {
			nodes = append(nodes, got...)
		}
	})
	if err != nil {
		return nil, err
	}
	return nodes, nil
}

// showNodes hands what "show node" prints of nodes to read, some thousand nodes at
// a time.
func (c *Controller) showNodes(ctx context.Context, names []string, read func(out []byte)) error {
	for part := range slices.Chunk(inOrder(names), showAtOnce) {
		out, err := c.call(ctx, "show node", subject{nodes: part}, "-o", "show", "node", hostlist.Fold(part))
		// One unknown name makes it fail, with "Node x not found" on stdout,
		// but it prints the others first.
		if errors.Is(err, ErrUnreachable) {
			return err
		}
		read(out)
	}
	return nil
}

// Hold requeues a job and keeps it from starting again, or holds it where it
// has been requeued meanwhile. It looks once more before: Slurm would revive a
// job that was cancelled in between.
func (c *Controller) Hold(ctx context.Context, r Record) error {
	if c.Off() {
		return nil
	}
	r, err := c.again(ctx, "requeuehold", r)
	if err != nil {
		return err
	}
	_, err = c.call(ctx, "requeuehold", subject{job: r.Ref()}, "requeuehold", r.Ref())
	if errors.Is(err, ErrPending) {
		_, err = c.call(ctx, "hold", subject{job: r.Ref()}, "hold", r.Ref())
	}
	return err
}

// Requeue puts a job back into the queue; one that is there is left there.
func (c *Controller) Requeue(ctx context.Context, r Record) error {
	if c.Off() {
		return nil
	}
	r, err := c.again(ctx, "requeue", r)
	if err != nil {
		return err
	}
	if _, err = c.call(ctx, "requeue", subject{job: r.Ref()}, "requeue", r.Ref()); errors.Is(err, ErrPending) {
		return nil
	}
	return err
}

// again reads the record once more and refuses what Slurm should have refused.
func (c *Controller) again(ctx context.Context, op string, r Record) (Record, error) {
	refuse := func(kind error, hint string) (Record, error) {
		return r, &Error{Op: op, Job: r.Ref(), Kind: kind, Hint: hint}
	}
	records, err := c.Records(ctx, r.ID)
	if err != nil {
		return r, err
	}
	i := slices.IndexFunc(records, func(q Record) bool { return q.ID == r.ID && q.Task == r.Task })
	switch {
	case i < 0:
		return refuse(ErrNoJob, "the array's tasks have changed")
	case Gone(records[i]):
		return refuse(ErrEnded, "")
	case !records[i].single():
		return refuse(ErrRefused, "these are tasks of an array that have not begun")
	case !CanHold(records[i]):
		return refuse(ErrNotHoldable, "it is interactive or was submitted with --no-requeue")
	}
	return records[i], nil
}

// Exclude keeps a pending job off nodes, beside those that it excludes already.
// Slurm refuses this for a job that has nodes: requeue it first.
func (c *Controller) Exclude(ctx context.Context, r Record, nodes []string) error {
	if c.Off() || len(nodes) == 0 {
		return nil
	}
	all := hostlist.Fold(inOrder(slices.Concat(r.ExcNodes, nodes)))
	_, err := c.call(ctx, "update job", subject{job: r.Ref()}, "update", "JobId="+r.Ref(), "ExcNodeList="+all)
	return err
}

// Delay keeps a pending job from starting for so long (whole seconds), beyond
// the two minutes that Slurm itself keeps a requeued job.
func (c *Controller) Delay(ctx context.Context, r Record, d time.Duration) error {
	if c.Off() {
		return nil
	}
	_, err := c.call(ctx, "update job", subject{job: r.Ref()}, "update", "JobId="+r.Ref(), fmt.Sprintf("StartTime=now+%d", int64(d.Seconds())))
	return err
}

// Comment appends text to a job's AdminComment, at most a kilobyte of it. It
// writes nothing where the text is there already, and nothing over a comment
// that cannot be read with certainty.
func (c *Controller) Comment(ctx context.Context, r Record, text string) error {
	if text = clean(text, maxComment); c.Off() || text == "" {
		return nil
	}
	const op = "update job"
	records, err := c.Records(ctx, r.ID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(records, func(q Record) bool { return q.ID == r.ID })
	if i < 0 {
		return &Error{Op: op, Job: r.Ref(), Kind: ErrNoJob}
	}
	r = records[i]
	switch old := r.AdminComment; {
	case r.Doubtful:
		return &Error{Op: op, Job: r.Ref(), Kind: ErrAmbiguous, Hint: "its AdminComment is left as it is"}
	case strings.Contains(old, text):
		return nil
	case old != "":
		text = old + "; " + text
	}
	if len(text) > maxComments {
		return &Error{Op: op, Job: r.Ref(), Kind: ErrRefused,
			Err: fmt.Errorf("AdminComment would exceed %d bytes", maxComments), Hint: "the log has the text"}
	}
	_, err = c.call(ctx, op, subject{job: r.Ref()}, "update", "JobId="+r.Ref(), "AdminComment="+text)
	return err
}

// inOrder returns names sorted as Slurm sorts them, each once.
func inOrder(names []string) []string {
	names = slices.Clone(names)
	hostlist.Sort(names)
	return slices.Compact(names)
}
