package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// wireRequest is a question as JSON has it. A job's id may also be a number:
// people write it so.
type wireRequest struct {
	JobScript string         `json:"job_script,omitempty"`
	JobID     jsontext.Value `json:"job_id,omitempty"`
	NodeCount int            `json:"node_count,omitzero"`
	Partition string         `json:"partition,omitempty"`
}

// Encode writes the question as the body of POST /analyze. Errors: those of
// Check.
func (r Request) Encode() ([]byte, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	data, err := json.Marshal(wireRequest{JobScript: r.JobScript, JobID: quoted(r.JobID), NodeCount: r.NodeCount, Partition: r.Partition},
		json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	return data, nil
}

// DecodeRequest reads the body of POST /analyze. A member that is unknown is
// refused: of a question that is misspelt the answer would be wrong. Errors:
// ErrTooLarge, ErrForm, and those of Check.
func DecodeRequest(data []byte) (Request, error) {
	if len(data) > MaxRequest {
		return Request{}, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxRequest)
	}
	var w wireRequest
	if err := json.Unmarshal(data, &w, json.RejectUnknownMembers(true)); err != nil {
		return Request{}, formError(err)
	}
	job, err := unquoted(w.JobID)
	if err != nil {
		return Request{}, err
	}
	r := Request{JobScript: w.JobScript, JobID: job, NodeCount: w.NodeCount, Partition: w.Partition}
	return r, r.Check()
}

// quoted is a job's id as JSON has it, nothing for "".
func quoted(id string) jsontext.Value {
	if id == "" {
		return nil
	}
	return jsontext.Value(strconv.Quote(id)) // of digits and one sign: Check has seen it
}

func unquoted(v jsontext.Value) (string, error) {
	switch v.Kind() {
	case 0, 'n':
		return "", nil
	case '0':
		return string(v), nil
	case '"':
		var s string
		err := json.Unmarshal(v, &s)
		return s, err
	}
	return "", fmt.Errorf("%w: job_id is neither a string nor a number", ErrForm)
}

// formError says on one line that something is not of the protocol's form.
func formError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %w", ErrForm, ErrCut)
	}
	text := err.Error()
	if s := new(json.SemanticError); errors.As(err, &s) && s.GoType != nil {
		text = kindError(s)
	}
	return fmt.Errorf("%w: %s", ErrForm, oneLine(text, maxFailure))
}

// kindError says in the words of the protocol what JSON is of another kind than
// it should be.
func kindError(s *json.SemanticError) string {
	name := s.JSONPointer.LastToken()
	if errors.Is(s, json.ErrUnknownName) {
		return "unknown key " + strconv.Quote(shown(name))
	}
	if name == "" {
		name = "it"
	}
	want, ok := map[reflect.Kind]string{reflect.Int: "a whole number", reflect.String: "a text", reflect.Float64: "a number", reflect.Struct: "an object"}[s.GoType.Kind()]
	if !ok {
		return s.Error()
	}
	return name + " is not " + want
}

// Answer is what the advisor says: a plan, and how sure it is of it.
type Answer struct {
	// Plan is a JSON object: a plan of either dialect, which may be a bad one.
	Plan []byte
	// AnalysisID names the analysis in the advisor's own log; "" for none.
	AnalysisID string
	// Confidence is from 0 to 1.
	Confidence float64
}

// tolerant lets through in an answer what a plan may hold: asba/plan judges it.
var tolerant = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// errPlan is an answer without a plan that can be read.
var errPlan = fmt.Errorf("%w: execution_plan is not an object", ErrForm)

// Check refuses what no client would take: ErrForm or ErrTooLarge.
func (a Answer) Check() error {
	if !jsontext.Value(a.Plan).IsValid(tolerant) {
		return errPlan
	}
	return a.check()
}

// check is Check but for the inside of the plan.
func (a Answer) check() error {
	switch plan := jsontext.Value(a.Plan); {
	case plan.Kind() != '{':
		return errPlan
	case len(a.AnalysisID) > maxID || !plain(a.AnalysisID):
		return fmt.Errorf("%w: analysis_id is not a text of at most %d bytes", ErrForm, maxID)
	case !(a.Confidence >= 0 && a.Confidence <= 1):
		return fmt.Errorf("%w: confidence %v is not from 0 to 1", ErrForm, a.Confidence)
	}
	return nil
}

// Encode writes the answer as the body of a response, on one line. Errors:
// ErrForm, ErrTooLarge.
func (a Answer) Encode() ([]byte, error) {
	if err := a.check(); err != nil { // writing reads the plan itself
		return nil, err
	}
	data, err := written(len(a.Plan)+len(a.AnalysisID)+128,
		jsontext.BeginObject,
		jsontext.String("execution_plan"), jsontext.Value(a.Plan),
		jsontext.String("analysis_id"), jsontext.String(a.AnalysisID),
		jsontext.String("confidence"), jsontext.Float(a.Confidence),
		jsontext.EndObject)
	if err == nil && len(data) > MaxAnswer {
		err = fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxAnswer)
	}
	return data, err
}

// Encode writes the failure as the body of a response, on one line.
func (f *Failure) Encode() []byte {
	text := oneLine(f.Text, maxFailure)
	if text == "" {
		text = "no reason given"
	}
	data, err := written(len(text)+64, jsontext.BeginObject, jsontext.String("error"), jsontext.String(text), jsontext.EndObject)
	if err != nil {
		panic("protocol: " + err.Error()) // tokens in the wrong place: a mistake of this package
	}
	return data
}

// written writes tokens and values one after another, in about so many bytes.
func written(size int, parts ...any) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(size)
	e := jsontext.NewEncoder(&b, tolerant)
	for _, p := range parts {
		var err error
		if v, ok := p.(jsontext.Value); ok {
			err = e.WriteValue(v)
		} else {
			err = e.WriteToken(p.(jsontext.Token))
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrForm, err)
		}
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// DecodeAnswer reads the body of a response. Members that are unknown are
// skipped: later advisors may know more. Errors: ErrTooLarge, ErrForm (with
// ErrCut where the JSON ends too early), and a *Failure where the advisor says
// that it has no plan.
func DecodeAnswer(data []byte) (Answer, error) {
	if len(data) > MaxAnswer {
		return Answer{}, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxAnswer)
	}
	members, err := object(data)
	if err != nil {
		return Answer{}, err
	}
	var a Answer
	var failure string
	for name, to := range map[string]any{"analysis_id": &a.AnalysisID, "confidence": &a.Confidence, "error": &failure} {
		if v, ok := members[name]; ok {
			if err := json.Unmarshal(v, to); err != nil {
				return Answer{}, fmt.Errorf("%w: %s is not what it has to be", ErrForm, name)
			}
		}
	}
	a.Plan = members["execution_plan"]
	_, failed := members["error"]
	switch {
	case failed && a.Plan == nil:
		return Answer{}, &Failure{Text: oneLine(failure, maxFailure)}
	case failed:
		return Answer{}, fmt.Errorf("%w: both execution_plan and error", ErrForm)
	case a.Plan == nil:
		return Answer{}, fmt.Errorf("%w: no execution_plan", ErrForm)
	}
	if err := a.Check(); err != nil {
		return Answer{}, err
	}
	return a, nil
}

// object reads the members of one JSON object, each name once. What is in them
// may be as odd as a plan can be.
func object(data []byte) (map[string]jsontext.Value, error) {
	d := jsontext.NewDecoder(bytes.NewReader(data), tolerant)
	if t, err := d.ReadToken(); err != nil {
		return nil, formError(ended(err, len(bytes.TrimSpace(data)) == 0))
	} else if t.Kind() != '{' {
		return nil, fmt.Errorf("%w: no JSON object", ErrForm)
	}
	members := map[string]jsontext.Value{}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, formError(err)
		}
		key := name.String()
		if _, twice := members[key]; twice {
			return nil, fmt.Errorf("%w: %q twice", ErrForm, shown(key))
		}
		v, err := d.ReadValue()
		if err != nil {
			return nil, formError(err)
		}
		members[key] = v.Clone()
	}
	if _, err := d.ReadToken(); err != nil { // the closing brace
		return nil, formError(ended(err, true))
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something follows the JSON object", ErrForm)
	}
	return members, nil
}

// ended makes of an end of input where something had to come one that is
// unexpected.
func ended(err error, empty bool) error {
	if empty && errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
