// Package table is the text form of what is known of EC2: tables of types and of
// what a region offers, gzipped lines with tabs, sorted by type, each table with
// the sources of its facts and their dates. docs/CATALOG.md has the columns.
//
// It holds no facts, and does not know which of two tables is to be believed.
package table

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// What begins the lines above a table's columns: the fields of a Source, in
// order, and a zone's id and name.
const (
	sourcePrefix = "#source"
	zonePrefix   = "#zone"
)

// MaxText bounds a decoded table, against a gzip bomb in a cache.
const MaxText = 4 << 20

// Table is lines of one kind, sorted by the type's name that each begins with.
// A line is taken apart when it is asked for.
type Table struct {
	Sources []Source
	Zoned   [][2]string // id and name
	Rows    []string
}

// Unpack decodes what Pack wrote.
func Unpack(packed []byte) (string, error) {
	zr, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	var text strings.Builder
	text.Grow(8 * len(packed)) // what the tables come to
	n, err := io.Copy(&text, io.LimitReader(zr, MaxText+1))
	if err != nil {
		return "", err
	}
	if n > MaxText {
		return "", fmt.Errorf("the table is larger than %d bytes", MaxText)
	}
	return text.String(), nil
}

// readTable reads sources and zones, the columns, then a type a line. Lines are
// checked for their order and the number of their fields alone.
func readTable(text, columns string) (Table, error) {
	t := Table{Rows: make([]string, 0, strings.Count(text, "\n"))}
	fields := strings.Count(columns, "\t")
	header, last := false, ""
	for n := 1; text != ""; n++ {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		switch {
		case header:
			if strings.Count(line, "\t") != fields {
				return t, fmt.Errorf("line %d: wrong number of columns", n)
			}
			name := NameOf(line)
			if name <= last {
				return t, fmt.Errorf("line %d: %s is out of order", n, name)
			}
			last = name
			t.Rows = append(t.Rows, line)
		case strings.HasPrefix(line, sourcePrefix+"\t"):
			f := strings.Split(line, "\t")
			if len(f) != 6 {
				return t, fmt.Errorf("line %d: a source has 5 fields", n)
			}
			t.Sources = append(t.Sources, Source{Name: f[1], Version: f[2], Date: f[3], Licence: f[4], Holds: f[5]})
		case strings.HasPrefix(line, zonePrefix+"\t"):
			f := strings.Split(line, "\t")
			if len(f) != 3 {
				return t, fmt.Errorf("line %d: a zone has 2 fields", n)
			}
			t.Zoned = append(t.Zoned, [2]string{f[1], f[2]})
		case line == columns:
			header = true
		default:
			return t, fmt.Errorf("line %d: these are not the columns of this version", n)
		}
	}
	if !header {
		return t, errors.New("the table has no columns")
	}
	return t, nil
}

// NameOf is the name of the type that a line is about.
func NameOf(row string) string {
	name, _, _ := strings.Cut(row, "\t")
	return name
}

// At is the index of the first row whose name is not below a name.
func (t *Table) At(name string) int {
	i, _ := slices.BinarySearchFunc(t.Rows, name, func(row, name string) int { return strings.Compare(NameOf(row), name) })
	return i
}

// Row finds the line of a type.
func (t *Table) Row(name string) (string, bool) {
	if i := t.At(name); i < len(t.Rows) && NameOf(t.Rows[i]) == name {
		return t.Rows[i], true
	}
	return "", false
}

// Under returns the table with another's lines in the place of its own and
// among them.
func (t Table) Under(newer Table) Table {
	out := Table{Sources: append(slices.Clone(newer.Sources), t.Sources...)}
	a, b := t.Rows, newer.Rows
	for len(a) > 0 && len(b) > 0 {
		switch strings.Compare(NameOf(a[0]), NameOf(b[0])) {
		case -1:
			out.Rows, a = append(out.Rows, a[0]), a[1:]
		case 0:
			a = a[1:]
		default:
			out.Rows, b = append(out.Rows, b[0]), b[1:]
		}
	}
	out.Rows = append(append(out.Rows, a...), b...)
	return out
}

// Source is the one that holds a kind of fact, the zero Source where none does.
func (t *Table) Source(holds string) Source {
	for _, s := range t.Sources {
		if s.Holds == holds {
			return s
		}
	}
	return Source{}
}

// Date is the day of a kind of fact, "" where the table has none.
func (t *Table) Date(holds string) string { return t.Source(holds).Date }

// Zones are those of the table, which is of this region.
func (t *Table) Zones(region string) []Zone {
	out := make([]Zone, len(t.Zoned))
	for i, z := range t.Zoned {
		out[i] = Zone{ID: z[0], Name: z[1], Region: region}
	}
	return out
}
