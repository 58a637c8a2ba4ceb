package slurm

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aws-slurm-burst/executor/hostlist"
)

// Limits on a resume file. A record takes about 200 bytes, so that 16 MB hold a
// burst of 80,000 jobs; a cluster has 65,536 nodes at most, and a million names
// leave each of them to 16 jobs.
const (
	maxResumeFile  = 16 << 20
	maxResumeNames = 1 << 20
)

// ResumeFile is what $SLURM_RESUME_FILE says, whatever release wrote it.
type ResumeFile struct {
	// Nodes are all nodes of this call. argv is the authority for them.
	Nodes []string
	// Jobs are those that wait for them. There are none where an operator
	// powered nodes up by hand; several may share a node.
	Jobs []Job
}

// Job is a job that waits for nodes.
type Job struct {
	// ID is the job's own id, that of its task for a task of an array. The
	// last task left of an array has the array's id.
	ID string
	// Resume are its nodes in this call, Alloc all of its nodes: more than
	// Resume where some are up already or ResumeRate spreads them over calls.
	// Alloc is nil up to 22.05, which does not tell.
	Resume, Alloc []string
	// The rest is empty up to 22.05, and where Slurm says null.
	Partition     string
	Extra         string // sbatch --extra: the user's own text
	Features      string
	Oversubscribe string // NO, YES, OK, USER, MCS
}

// wireFile and wireJob hold the keys of all releases side by side: 21.08 and
// 22.05 write all_nodes and nodes, 23.02 and later the others. null leaves a
// field empty, and keys of later releases are skipped.
type wireFile struct {
	AllNodes       string    `json:"all_nodes"`
	AllNodesResume string    `json:"all_nodes_resume"`
	Jobs           []wireJob `json:"jobs"`
}

type wireJob struct {
	ID            uint32  `json:"job_id"`
	Nodes         string  `json:"nodes"`
	NodesResume   string  `json:"nodes_resume"`
	NodesAlloc    *string `json:"nodes_alloc"`
	Partition     string  `json:"partition"`
	Extra         string  `json:"extra"`
	Features      string  `json:"features"`
	Oversubscribe string  `json:"oversubscribe"`
}

// ReadResumeFile reads a resume file of any release. It returns all of it or an
// error: half a file would launch half a gang.
func ReadResumeFile(data []byte) (*ResumeFile, error) {
	if len(data) > maxResumeFile {
		return nil, fmt.Errorf("resume file: %d bytes, more than %d", len(data), maxResumeFile)
	}
	if len(data) == 0 {
		return nil, errors.New("resume file: empty")
	}
	var w wireFile
	// Extra is the user's bytes, which Slurm passes on as they are.
	if err := json.Unmarshal(data, &w, jsontext.AllowInvalidUTF8(true)); err != nil {
		return nil, fmt.Errorf("resume file: %w", placed(err, len(data)))
	}
	r := resumeReader{left: maxResumeNames}
	f := &ResumeFile{Nodes: r.expand("all nodes", either(w.AllNodesResume, w.AllNodes))}
	for i, j := range w.Jobs {
		if j.ID == 0 {
			r.fail(fmt.Errorf("jobs[%d] has no job_id", i))
		}
		id := strconv.FormatUint(uint64(j.ID), 10)
		job := Job{ID: id, Partition: j.Partition, Extra: j.Extra, Features: j.Features, Oversubscribe: j.Oversubscribe}
		job.Resume = r.expand("job "+id, either(j.NodesResume, j.Nodes))
		if j.NodesAlloc != nil {
			job.Alloc = r.expand("job "+id, *j.NodesAlloc)
		}
		f.Jobs = append(f.Jobs, job)
	}
	if r.err != nil {
		return nil, fmt.Errorf("resume file: %w", r.err)
	}
	return f, nil
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// placed adds the offset at which reading ended, where the error has none. It
// is said in bytes: the file is one line.
func placed(err error, size int) error {
	var syntax *jsontext.SyntacticError
	var meaning *json.SemanticError
	switch {
	case errors.As(err, &syntax) && errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("cut short at byte %d: %w", size, err)
	case errors.As(err, &syntax):
		return fmt.Errorf("not JSON at byte %d: %w", syntax.ByteOffset, err)
	case errors.As(err, &meaning):
		return fmt.Errorf("at byte %d: %w", meaning.ByteOffset, err)
	}
	return err
}

// resumeReader expands hostlists up to a number of names, and keeps the first
// error.
type resumeReader struct {
	left int
	err  error
}

func (r *resumeReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *resumeReader) expand(where, list string) []string {
	if r.err != nil || list == "" {
		return nil
	}
	names, err := hostlist.Expand(list)
	if err != nil {
		r.fail(fmt.Errorf("%s: %w", where, err))
		return nil
	}
	if r.left -= len(names); r.left < 0 {
		r.fail(fmt.Errorf("%s: more than %d node names", where, maxResumeNames))
	}
	return names
}
