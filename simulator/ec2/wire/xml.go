package wire

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"time"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
)

// doc is an XML answer under construction. EC2's answers are elements without
// attributes, their names begin with a small letter, and each entry of a list
// is an <item>.
type doc struct{ bytes.Buffer }

func (d *doc) open(name string)  { d.WriteString("<" + name + ">") }
func (d *doc) close(name string) { d.WriteString("</" + name + ">") }

// el writes an element with text.
func (d *doc) el(name, text string) {
	d.open(name)
	xml.EscapeText(d, []byte(text)) // a Buffer's writes do not fail
	d.close(name)
}

// opt is el where there is text.
func (d *doc) opt(name, text string) {
	if text != "" {
		d.el(name, text)
	}
}

func (d *doc) num(name string, n int)       { d.el(name, strconv.Itoa(n)) }
func (d *doc) flag(name string, b bool)     { d.el(name, strconv.FormatBool(b)) }
func (d *doc) time(name string, t env.Time) { d.el(name, t.String()) }

// in writes an element around what fn writes.
func (d *doc) in(name string, fn func()) {
	d.open(name)
	fn()
	d.close(name)
}

// items writes a list, empty lists too.
func items[T any](d *doc, name string, list []T, fn func(T)) {
	d.in(name, func() {
		for _, v := range list {
			d.in("item", func() { fn(v) })
		}
	})
}

// texts writes a list of plain texts.
func (d *doc) texts(name string, list []string) {
	d.in(name, func() {
		for _, v := range list {
			d.el("item", v)
		}
	})
}

func (d *doc) tags(list []cloud.Tag) {
	items(d, "tagSet", list, func(t cloud.Tag) {
		d.el("key", t.Key)
		d.el("value", t.Value)
	})
}

// stateCodes are EC2's numbers of the states of an instance.
var stateCodes = map[cloud.State]int{
	cloud.Pending: 0, cloud.Running: 16, cloud.ShuttingDown: 32, cloud.Terminated: 48, cloud.Stopping: 64, cloud.Stopped: 80,
}

func (d *doc) state(name string, s cloud.State) {
	d.in(name, func() {
		d.num("code", stateCodes[s])
		d.el("name", string(s))
	})
}

// gmt is the form of times within EC2's texts.
func gmt(t env.Time) string { return t.Std().Format(time.DateTime) + " GMT" }
