package query

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
)

// Node is an element of an answer. EC2's elements hold either text or elements;
// attributes are on the first alone (its namespace). The nil Node is an element
// that is not there.
type Node struct {
	Name  string
	Value string
	Kids  []*Node
	attrs []xml.Attr
}

// Elem is an element of elements, Text one of text.
func Elem(name string, kids ...*Node) *Node { return &Node{Name: name, Kids: kids} }

// Text is an element of text.
func Text(name, value string) *Node { return &Node{Name: name, Value: value} }

// Root is an action's whole answer, with its request id.
func Root(action string, kids ...*Node) *Node {
	n := Elem(action+"Response", append([]*Node{Text("requestId", requestID)}, kids...)...)
	n.attrs = []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: "http://ec2.amazonaws.com/doc/" + Version + "/"}}
	return n
}

// maxDepth bounds the nesting of a document; EC2's deepest are half of it.
const maxDepth = 32

func parse(data []byte) (*Node, error) {
	top := &Node{}
	stack := []*Node{top}
	for d := xml.NewDecoder(bytes.NewReader(data)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && len(top.Kids) == 1 {
			return top.Kids[0], nil
		}
		if err != nil {
			return nil, err
		}
		in := stack[len(stack)-1]
		switch t := token.(type) {
		case xml.StartElement:
			if len(stack) > maxDepth {
				return nil, errors.New("nested too deeply")
			}
			n := &Node{Name: t.Name.Local, attrs: slices.Clone(t.Attr)}
			in.Kids = append(in.Kids, n)
			stack = append(stack, n)
		case xml.EndElement:
			if len(in.Kids) > 0 {
				in.Value = "" // the white space between them
			}
			stack = stack[:len(stack)-1]
		case xml.CharData:
			in.Value += string(t)
		}
	}
}

// Bytes writes the document.
func (n *Node) Bytes() []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	n.write(&b)
	return b.Bytes()
}

func (n *Node) write(b *bytes.Buffer) {
	b.WriteString("<" + n.Name)
	for _, a := range n.attrs {
		if a.Name.Space == "" {
			b.WriteString(" " + a.Name.Local + `="`)
			xml.EscapeText(b, []byte(a.Value)) // a Buffer's writes do not fail
			b.WriteString(`"`)
		}
	}
	b.WriteString(">")
	xml.EscapeText(b, []byte(n.Value))
	for _, k := range n.Kids {
		k.write(b)
	}
	b.WriteString("</" + n.Name + ">")
}

// Clone returns a copy that shares nothing.
func (n *Node) Clone() *Node {
	out := *n
	out.Kids = make([]*Node, len(n.Kids))
	for i, k := range n.Kids {
		out.Kids[i] = k.Clone()
	}
	return &out
}

// At returns the first element at a path of names such as placement>groupName.
func (n *Node) At(path string) *Node {
	for name := range strings.SplitSeq(path, ">") {
		if n = n.kid(name); n == nil {
			return nil
		}
	}
	return n
}

func (n *Node) kid(name string) *Node {
	if n == nil {
		return nil
	}
	i := slices.IndexFunc(n.Kids, func(k *Node) bool { return k.Name == name })
	if i < 0 {
		return nil
	}
	return n.Kids[i]
}

// Get returns the text at a path, "" where there is none.
func (n *Node) Get(path string) string {
	if n = n.At(path); n == nil {
		return ""
	}
	return n.Value
}

// Set puts a text at a path, and makes what is missing of it.
func (n *Node) Set(path, value string) {
	for name := range strings.SplitSeq(path, ">") {
		k := n.kid(name)
		if k == nil {
			k = Elem(name)
			n.Kids = append(n.Kids, k)
		}
		n = k
	}
	n.Value, n.Kids = value, nil
}

// Put puts an element in the place of the first of its name, else at the end.
func (n *Node) Put(kid *Node) {
	if i := slices.IndexFunc(n.Kids, func(k *Node) bool { return k.Name == kid.Name }); i >= 0 {
		n.Kids[i] = kid
		return
	}
	n.Kids = append(n.Kids, kid)
}

// Drop takes the elements of a name away.
func (n *Node) Drop(name string) {
	n.Kids = slices.DeleteFunc(n.Kids, func(k *Node) bool { return k.Name == name })
}

// Items returns the items of the list at a path.
func (n *Node) Items(path string) []*Node {
	if n = n.At(path); n == nil {
		return nil
	}
	return n.Kids
}

// EachInstance has the instances of a DescribeInstances answer changed: fn
// returns what stands in an instance's place, nil for nothing. A launch of which
// nothing is left goes too.
func (n *Node) EachInstance(fn func(*Node) *Node) {
	list := n.At("reservationSet")
	if list == nil {
		return
	}
	list.Kids = slices.DeleteFunc(list.Kids, func(launch *Node) bool {
		set := launch.At("instancesSet")
		if set == nil {
			return false
		}
		kept := set.Kids[:0]
		for _, i := range set.Kids {
			if i = fn(i); i != nil {
				kept = append(kept, i)
			}
		}
		set.Kids = kept
		return len(kept) == 0
	})
}
