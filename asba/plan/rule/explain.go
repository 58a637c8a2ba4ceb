package rule

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

//go:embed rules.md
var page string

// Section is what there is to say about an id.
type Section struct {
	ID    string
	Title string // a few words: "A key stands twice"
	Text  string // Markdown, without the heading
}

// Sections returns what there is to say, in the order of the page rules.md.
func Sections() []Section { return slices.Clone(sections()) }

var sections = sync.OnceValue(func() []Section {
	var out []Section
	for _, part := range strings.Split(page, "\n## ")[1:] {
		heading, text, _ := strings.Cut(part, "\n")
		id, title, ok := strings.Cut(heading, ": ")
		if !ok { // of a group of findings
			continue
		}
		title, _, _ = strings.Cut(title, " (")
		out = append(out, Section{ID: id, Title: title, Text: strings.TrimSpace(text)})
	}
	return out
})

// Explain returns the section about an id as Markdown, with its heading.
func Explain(id string) (text string, ok bool) {
	for _, s := range sections() {
		if s.ID == id {
			return "## " + s.ID + ": " + s.Title + " (" + Level(id).String() + ")\n\n" + s.Text + "\n", true
		}
	}
	return "", false
}

// IDs returns every id, sorted.
func IDs() []string {
	var out []string
	for _, s := range sections() {
		out = append(out, s.ID)
	}
	slices.Sort(out)
	return out
}
