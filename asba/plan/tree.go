package plan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan/rule"
)

// maxNesting bounds arrays and objects within each other; a plan needs four.
// maxValues bounds all there is in a plan: EC2 has some 1,400 instance types and
// 130 zones, and takes 50 tags.
const (
	maxNesting = 64
	maxValues  = 10_000
)

// node is a JSON value that knows where it stands. (The json package decodes
// into structs, but stops at the first mistake and forgets the places.)
type node struct {
	kind    jsontext.Kind
	at      Place
	text    string   // of a string, without quotes; of a number, as written
	members []member // of an object, in order, each name once
	items   []*node  // of an array
	// nameless values belong to a name that cannot be shown: their pointer is
	// that of the object around them.
	nameless bool
}

type member struct {
	name string
	at   Place // of the name
	*node
}

const blanks = " \t\r\n" // JSON's white space

// errStop ends parsing after a finding was added.
var errStop = errors.New("stop")

type parser struct {
	*document
	dec    *jsontext.Decoder
	values *int
}

// parse reads the one value of a document. Where the text is broken it adds a
// finding, and returns what came before together with false.
func (d *document) parse() (*node, bool) {
	p := parser{d, jsontext.NewDecoder(bytes.NewReader(d.text), jsontext.AllowDuplicateNames(true)), new(int)}
	root := &node{}
	if err := p.value(root, "", 0); err != nil {
		return root, false
	}
	after := p.offset()
	if _, err := p.dec.ReadToken(); err != io.EOF {
		d.Add(rule.Syntax, d.place(after, ""), "text follows the end of the plan", "a file holds one plan: remove the rest")
		return root, false
	}
	return root, true
}

// offset returns where the next token begins.
func (p parser) offset() int {
	i := int(p.dec.InputOffset())
	for i < len(p.text) && strings.IndexByte(blanks+",:", p.text[i]) >= 0 {
		i++
	}
	return i
}

// token reads the next token; its place must be asked for before.
func (p parser) token() (jsontext.Token, error) {
	tok, err := p.dec.ReadToken()
	if err != nil {
		p.syntax(err)
		return tok, errStop
	}
	return tok, nil
}

func (p parser) value(n *node, pointer string, depth int) error {
	n.at = p.place(p.offset(), pointer)
	if depth > maxNesting {
		p.Add(rule.Nesting, n.at, fmt.Sprintf("more than %d values within each other", maxNesting), "a plan needs four levels: is this the right file?")
		return errStop
	}
	if *p.values++; *p.values > maxValues {
		p.Add(rule.TooMany, n.at, fmt.Sprintf("more than %d values", maxValues), "a plan has some dozens: is this the right file?")
		return errStop
	}
	tok, err := p.token()
	if err != nil {
		return err
	}
	switch n.kind = tok.Kind(); n.kind {
	case '"', '0':
		n.text = tok.String()
	case '[':
		return p.array(n, depth)
	case '{':
		return p.object(n, depth)
	}
	return nil
}

func (p parser) array(n *node, depth int) error {
	for p.dec.PeekKind() != ']' {
		item := &node{}
		n.items = append(n.items, item)
		if err := p.value(item, n.at.Pointer+"/"+strconv.Itoa(len(n.items)-1), depth+1); err != nil {
			n.items = n.items[:len(n.items)-1] // not read whole
			return err
		}
	}
	_, err := p.token()
	return err
}

func (p parser) object(n *node, depth int) error {
	var seen map[string]Place
	for p.dec.PeekKind() != '}' {
		offset := p.offset()
		tok, err := p.token()
		if err != nil {
			return err
		}
		name := tok.String()
		m := member{name: name, at: p.place(offset, pointerTo(n.at.Pointer, name)), node: &node{nameless: !showable(name)}}
		first, again := seen[name]
		if again {
			p.Add(rule.Duplicate, m.at, fmt.Sprintf("the key %s stands twice, first on line %d", finding.Quote(name), first.Line), "remove one of them")
		} else {
			if seen == nil {
				seen = map[string]Place{}
			}
			seen[name] = m.at
		}
		err = p.value(m.node, m.at.Pointer, depth+1)
		if !again && (err == nil || m.kind == '{' || m.kind == '[') {
			n.members = append(n.members, m)
		}
		if err != nil {
			return err
		}
	}
	_, err := p.token()
	return err
}

// syntax says in our own words what the decoder stumbled over.
func (p parser) syntax(err error) {
	var s *jsontext.SyntacticError
	if !errors.As(err, &s) { // the reader has no errors of its own but EOF
		p.Add(rule.Syntax, p.place(len(p.text), ""), "the plan ends too early", "it was cut short: write it again")
		return
	}
	offset := min(int(s.ByteOffset), len(p.text))
	pointer := string(s.JSONPointer)
	if !showable(pointer) {
		pointer = ""
	}
	left := len(p.text) - offset
	rest := bytes.TrimLeft(p.text[offset:], blanks)
	offset += left - len(rest)
	next := bytes.TrimLeft(bytes.TrimPrefix(rest, []byte(",")), blanks)
	switch {
	case len(rest) == 0, errors.Is(err, io.ErrUnexpectedEOF):
		p.Add(rule.Syntax, p.place(offset, pointer), "the plan ends too early", "it was cut short: write it again")
	case rest[0] == ',' && len(next) > 0 && (next[0] == '}' || next[0] == ']'):
		p.Add(rule.Syntax, p.place(offset, pointer), "a comma before the closing bracket is not JSON", "remove the comma")
	default:
		p.Add(rule.Syntax, p.place(offset, pointer), "not valid JSON: "+s.Err.Error(), "")
	}
}
