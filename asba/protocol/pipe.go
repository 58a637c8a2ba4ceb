package protocol

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// version is that of the lines on a pipe.
const version = 1

// header begins an answer on a pipe.
const header = "asba/1 "

// requestStart begins each question on a pipe, so that who reads a plan from a
// pipe can tell another client's question from it.
var requestStart = []byte(`{"asba":`)

// IsRequest reports whether what was read from a pipe is a question or the
// beginning of one, and so no plan.
func IsRequest(data []byte) bool {
	return len(data) > 0 && bytes.HasPrefix(requestStart, data[:min(len(data), len(requestStart))])
}

// PipeRequest is a question on a pipe: one line of at most MaxLine bytes. It
// never holds the script itself.
type PipeRequest struct {
	// ID correlates the answer: 16 to 64 letters, digits and '-', never used
	// twice.
	ID string
	// Reply is the path of the pipe that the answer is written to: absolute,
	// made by the client before it asks, and read by nobody else.
	Reply string
	// JobID is a job as scontrol takes it, ScriptPath an absolute path that
	// the advisor can read. At least one of them or NodeCount is given.
	JobID, ScriptPath string
	// NodeCount is how many nodes the job has, 0 where it is not told.
	NodeCount int
	Partition string // "" is not told
}

type wireLine struct {
	Version    int            `json:"asba"`
	ID         string         `json:"id"`
	Reply      string         `json:"reply"`
	JobID      jsontext.Value `json:"job_id,omitempty"`
	ScriptPath string         `json:"script_path,omitempty"`
	NodeCount  int            `json:"node_count,omitzero"`
	Partition  string         `json:"partition,omitempty"`
}

var questionID = regexp.MustCompile(`^[0-9A-Za-z-]{16,64}$`)

// Check refuses what no advisor would take: ErrNothing or ErrForm.
func (r PipeRequest) Check() error {
	switch {
	case !questionID.MatchString(r.ID):
		return fmt.Errorf("%w: id %q is not 16 to 64 letters, digits and '-'", ErrForm, shown(r.ID))
	case !clean(r.Reply):
		return fmt.Errorf("%w: reply %q is not a clean absolute path", ErrForm, shown(r.Reply))
	case r.ScriptPath != "" && !clean(r.ScriptPath):
		return fmt.Errorf("%w: script_path %q is not a clean absolute path", ErrForm, shown(r.ScriptPath))
	case r.ScriptPath == "" && r.JobID == "" && r.NodeCount == 0:
		return fmt.Errorf("%w: nor script_path", ErrNothing)
	}
	return checkSubject(r.JobID, r.NodeCount, r.Partition)
}

// clean reports whether a path says where it leads without a detour.
func clean(p string) bool { return path.IsAbs(p) && path.Clean(p) == p && p != "/" && plain(p) }

// Line writes the question with its line break. Errors: those of Check, and
// ErrTooLarge.
func (r PipeRequest) Line() ([]byte, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	data, err := json.Marshal(wireLine{Version: version, ID: r.ID, Reply: r.Reply, JobID: quoted(r.JobID),
		ScriptPath: r.ScriptPath, NodeCount: r.NodeCount, Partition: r.Partition}, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	if data = append(data, '\n'); len(data) > MaxLine {
		return nil, fmt.Errorf("%w: the question has %d bytes, more than the %d that are written at once", ErrTooLarge, len(data), MaxLine)
	}
	return data, nil
}

// ReadRequest reads a question, which is one line with its line break. Errors:
// ErrTooLarge, ErrCut without the line break, ErrForm, and those of Check. Where
// ID and Reply of the result are not empty the client can be told.
func ReadRequest(line []byte) (PipeRequest, error) {
	text, whole := bytes.CutSuffix(line, []byte("\n"))
	switch {
	case len(line) > MaxLine:
		return PipeRequest{}, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxLine)
	case !whole:
		return PipeRequest{}, fmt.Errorf("question %w", ErrCut)
	case !bytes.HasPrefix(text, requestStart) || bytes.ContainsRune(text, '\n'):
		return PipeRequest{}, fmt.Errorf(`%w: it does not begin with %s`, ErrForm, requestStart)
	}
	var w wireLine
	if err := json.Unmarshal(text, &w, json.RejectUnknownMembers(true)); err != nil {
		return PipeRequest{}, formError(err)
	}
	if w.Version != version {
		return PipeRequest{}, fmt.Errorf("%w: version %d, this is %d", ErrForm, w.Version, version)
	}
	job, err := unquoted(w.JobID)
	if err != nil {
		return PipeRequest{}, err
	}
	r := PipeRequest{ID: w.ID, Reply: w.Reply, JobID: job, ScriptPath: w.ScriptPath, NodeCount: w.NodeCount, Partition: w.Partition}
	if err := r.Check(); err != nil {
		if !questionID.MatchString(r.ID) || !clean(r.Reply) {
			r.ID, r.Reply = "", ""
		}
		return r, err
	}
	return r, nil
}

// Line writes the answer to the question with this id: its id, length and
// SHA-256 before it, a line break after it. Errors: ErrForm, ErrTooLarge.
func (a Answer) Line(id string) ([]byte, error) {
	data, err := a.Encode()
	if err != nil {
		return nil, err
	}
	return frame(id, data), nil
}

// Line writes the failure as the answer to the question with this id.
func (f *Failure) Line(id string) []byte { return frame(id, f.Encode()) }

func frame(id string, data []byte) []byte {
	sum := sha256.Sum256(data)
	line := make([]byte, 0, len(header)+len(id)+2*len(sum)+len(data)+16)
	line = append(append(append(line, header...), id...), ' ')
	line = append(strconv.AppendInt(line, int64(len(data)), 10), ' ')
	line = append(hex.AppendEncode(line, sum[:]), ' ')
	return append(append(line, data...), '\n')
}

// ReadAnswer reads what came on the reply pipe of the question with this id.
// Errors: ErrTooLarge; ErrCut where it is not whole, or not as it was written;
// ErrOther; ErrForm; and a *Failure where the advisor says that it has no plan.
func ReadAnswer(line []byte, id string) (Answer, error) {
	if len(line) > MaxAnswerLine {
		return Answer{}, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxAnswerLine)
	}
	text, whole := bytes.CutSuffix(line, []byte("\n"))
	if !bytes.HasPrefix(text, []byte(header)) {
		if !whole && bytes.HasPrefix([]byte(header), text) {
			return Answer{}, ErrCut
		}
		return Answer{}, fmt.Errorf("%w: it does not begin with %q", ErrForm, header)
	}
	fields := strings.SplitN(string(text[len(header):]), " ", 4)
	if len(fields) < 4 {
		if !whole {
			return Answer{}, ErrCut
		}
		return Answer{}, fmt.Errorf("%w: id, length, digest and answer are not all there", ErrForm)
	}
	length, err := strconv.ParseUint(fields[1], 10, 31)
	sum := sha256.Sum256([]byte(fields[3]))
	switch {
	case fields[0] != id:
		return Answer{}, ErrOther
	case err != nil || strconv.FormatUint(length, 10) != fields[1]:
		return Answer{}, fmt.Errorf("%w: %q is no length", ErrForm, shown(fields[1]))
	case !whole || uint64(len(fields[3])) < length:
		return Answer{}, fmt.Errorf("%w: %d of %d bytes", ErrCut, len(fields[3]), length)
	case uint64(len(fields[3])) > length || hex.EncodeToString(sum[:]) != fields[2]:
		return Answer{}, fmt.Errorf("%w: it is not as it was written (length or digest differ)", ErrCut)
	}
	return DecodeAnswer([]byte(fields[3]))
}
