// Package protocol is what the advisor and its clients say to each other: over
// HTTP a question and an answer in JSON, over a named pipe a line each. It has
// their form, their limits and their reading, for both ends.
//
// It opens no connection and no pipe, and it does not judge the plan that an
// answer carries: asba/plan reads it, and asba/plan/lint says what is wrong with
// it. docs/PROTOCOL.md shows the protocol by examples.
package protocol

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"aws-slurm-burst/asba/plan"
)

// Path is where a question is posted to, below the advisor's address.
const Path = "/analyze"

// Limits, in bytes but for MaxNodes.
const (
	// MaxScript bounds a job script; sbatch itself takes 4 MB
	// (max_script_size), but what people write takes kilobytes.
	MaxScript = 1 << 20
	// MaxRequest bounds a question over HTTP: a script of control characters
	// takes six times its size in JSON.
	MaxRequest = 6*MaxScript + 4<<10
	// MaxAnswer bounds an answer: the greatest plan, and little beside it.
	MaxAnswer = plan.MaxSize + 4<<10
	// MaxLine bounds a question on a pipe. So much is written at once or not
	// at all, whoever else writes (PIPE_BUF of Linux).
	MaxLine = 4096
	// MaxAnswerLine bounds an answer on a pipe.
	MaxAnswerLine = MaxAnswer + 256
	// MaxNodes is the greatest node count: Slurm has no more nodes.
	MaxNodes = 65536
	// maxName bounds the names of partitions, maxID those of analyses.
	maxName, maxID = 256, 256
	// maxFailure bounds what the advisor says of a failure.
	maxFailure = 512
)

// Errors of reading, each possibly wrapped.
var (
	// ErrNothing: a question says nothing to go by.
	ErrNothing = errors.New("neither job_script, job_id nor node_count is given")
	// ErrTooLarge: it is beyond its limit.
	ErrTooLarge = errors.New("too large")
	// ErrForm: it is not of the protocol's form.
	ErrForm = errors.New("not in the protocol's form")
	// ErrCut: it is not whole.
	ErrCut = errors.New("cut short")
	// ErrOther: it answers another question.
	ErrOther = errors.New("the answer is to another question")
)

// Failure is an answer that says why there is no plan.
type Failure struct{ Text string }

// Error returns the advisor's words.
func (f *Failure) Error() string { return f.Text }

// Request is a question over HTTP: what a plan is wanted for. At least one of
// JobScript, JobID and NodeCount is given.
type Request struct {
	// JobScript is the text of a batch script. JSON holds no other text than
	// UTF-8: what is none is replaced as it is sent.
	JobScript string
	// JobID is a job as scontrol takes it: 12, 12_3 for the task of an array,
	// 12+1 for a component of a heterogeneous job.
	JobID string
	// NodeCount is how many nodes the job has; 0 is not told.
	NodeCount int
	Partition string // "" is not told
}

var jobID = regexp.MustCompile(`^[1-9][0-9]{0,9}([_+][0-9]{1,10})?$`)

// Check refuses what no advisor would take: ErrNothing, ErrTooLarge or ErrForm.
func (r Request) Check() error {
	switch {
	case r.JobScript == "" && r.JobID == "" && r.NodeCount == 0:
		return ErrNothing
	case len(r.JobScript) > MaxScript:
		return fmt.Errorf("%w: job_script has more than %d bytes", ErrTooLarge, MaxScript)
	}
	return checkSubject(r.JobID, r.NodeCount, r.Partition)
}

func checkSubject(job string, nodes int, partition string) error {
	switch {
	case job != "" && !jobID.MatchString(job):
		return fmt.Errorf("%w: job_id %q is not a job's, such as 12 or 12_3", ErrForm, shown(job))
	case nodes < 0 || nodes > MaxNodes:
		return fmt.Errorf("%w: node_count %d is not from 1 to %d", ErrForm, nodes, MaxNodes)
	case len(partition) > maxName || !plain(partition) || strings.ContainsFunc(partition, unicode.IsSpace):
		return fmt.Errorf("%w: partition %q is not the name of one", ErrForm, shown(partition))
	}
	return nil
}

// plain reports whether text has neither control characters nor what is no
// UTF-8.
func plain(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// shown is the beginning of a text that may be anything.
func shown(text string) string {
	const most = 40
	if len(text) <= most {
		return text
	}
	return text[:most] + "..."
}

// oneLine makes a text of a stranger's fit for a line of a log, at most limit
// bytes long.
func oneLine(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	for len(text) > limit {
		text = text[:limit]
		for len(text) > 0 && !utf8.ValidString(text) {
			text = text[:len(text)-1]
		}
	}
	return text
}
