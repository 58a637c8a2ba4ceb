package report

import (
	"encoding/json"
	"io"
	"strings"
)

// Cucumber's legacy JSON, as its own formatters write it: the Rule is in the id,
// as the part between feature and scenario, and steps carry base64 embeddings.
type cukeFeature struct {
	URI         string        `json:"uri"`
	ID          string        `json:"id"`
	Keyword     string        `json:"keyword"`
	Name        string        `json:"name"`
	Description string        `json:"description"`
	Line        int64         `json:"line"`
	Tags        []cukeTag     `json:"tags,omitempty"`
	Elements    []cukeElement `json:"elements"`
}

type cukeTag struct {
	Name string `json:"name"`
}

type cukeElement struct {
	ID          string     `json:"id"`
	Keyword     string     `json:"keyword"`
	Name        string     `json:"name"`
	Description string     `json:"description"`
	Line        int64      `json:"line"`
	Type        string     `json:"type"`
	Tags        []cukeTag  `json:"tags,omitempty"`
	Steps       []cukeStep `json:"steps"`
}

type cukeStep struct {
	Keyword    string          `json:"keyword"`
	Name       string          `json:"name"`
	Line       int64           `json:"line"`
	DocString  *cukeDocString  `json:"doc_string,omitempty"`
	Rows       []cukeRow       `json:"rows,omitempty"`
	Result     cukeResult      `json:"result"`
	Embeddings []cukeEmbedding `json:"embeddings,omitempty"`
}

type cukeDocString struct {
	Value       string `json:"value"`
	ContentType string `json:"content_type"`
}

type cukeRow struct {
	Cells []string `json:"cells"`
}

type cukeResult struct {
	Status   string `json:"status"`
	Duration int64  `json:"duration"` // nanoseconds
	Error    string `json:"error_message,omitempty"`
}

type cukeEmbedding struct {
	Name     string `json:"name,omitempty"`
	MimeType string `json:"mime_type"`
	Data     []byte `json:"data"` // base64 by encoding/json
}

// WriteCucumberJSON writes runs as Cucumber's legacy JSON. A scenario that was
// left out has its steps skipped: the format has no word for it. Nor has it one
// for a backend: where there are several it stands in the feature's name and id.
func WriteCucumberJSON(w io.Writer, runs ...Summary) error {
	out := []cukeFeature{}
	runs = clean(runs)
	titles := titles(runs)
	for n, s := range runs {
		for _, f := range s.Features {
			if len(runs) > 1 {
				f.Name += " (" + titles[n] + ")"
			}
			out = append(out, newCukeFeature(f))
		}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

func newCukeFeature(f Feature) cukeFeature {
	out := cukeFeature{URI: f.File, ID: cukeID(f.Name), Keyword: "Feature", Name: f.Name,
		Description: f.Description, Line: f.Line, Tags: cukeTags(f.Tags), Elements: []cukeElement{}}
	for _, sc := range f.Scenarios {
		id := out.ID + ";"
		if sc.Rule != "" {
			id += cukeID(sc.Rule) + ";"
		}
		el := cukeElement{ID: id + cukeID(sc.Name), Keyword: sc.Keyword, Name: sc.Name,
			Description: sc.Description, Line: sc.Line, Type: "scenario", Tags: cukeTags(sc.Tags), Steps: []cukeStep{}}
		for _, st := range sc.Steps {
			el.Steps = append(el.Steps, newCukeStep(st))
		}
		if i := sc.blame(); i >= 0 {
			el.Steps[i].Result.Status, el.Steps[i].Result.Error = string(Failed), sc.Problem
		}
		out.Elements = append(out.Elements, el)
	}
	return out
}

// blame is the step that carries a failure which no step owns (a hook's, or a
// scenario that skipped itself): readers of this format look at steps alone.
// It is -1 where there is none to carry.
func (s Scenario) blame() int {
	if s.Status == Passed || s.Status == LeftOut {
		return -1
	}
	for i, st := range s.Steps {
		switch st.Status {
		case Passed:
		case Skipped, NotRun:
			return i
		default:
			return -1
		}
	}
	return len(s.Steps) - 1
}

func newCukeStep(st Step) cukeStep {
	c := cukeStep{Keyword: st.Keyword + " ", Name: st.Text, Line: st.Line,
		Result: cukeResult{Status: string(st.Status), Duration: int64(max(0, st.Elapsed)), Error: st.Problem}}
	if st.Status == NotRun {
		c.Result.Status = "skipped"
	}
	if st.DocString != "" {
		c.DocString = &cukeDocString{Value: st.DocString, ContentType: st.MediaType}
	}
	for _, row := range st.Table {
		c.Rows = append(c.Rows, cukeRow{Cells: row})
	}
	for _, a := range st.Attachments {
		c.Embeddings = append(c.Embeddings, cukeEmbedding{Name: a.Name, MimeType: a.MediaType, Data: a.Body})
	}
	return c
}

func cukeTags(names []string) []cukeTag {
	var tags []cukeTag
	for _, n := range names {
		tags = append(tags, cukeTag{Name: n})
	}
	return tags
}

func cukeID(name string) string { return strings.ReplaceAll(strings.ToLower(name), " ", "-") }
