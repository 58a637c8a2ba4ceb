package catalog

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

// maxText bounds a decoded table, against a gzip bomb in a cache.
const maxText = 4 << 20

// table is lines of one kind, sorted by the type's name that each begins with.
// A line is taken apart when it is asked for.
type table struct {
	sources []Source
	zoned   [][2]string // id and name
	rows    []string
}

// unpack decodes what Pack wrote.
func unpack(packed []byte) (string, error) {
	zr, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	var text strings.Builder
	text.Grow(8 * len(packed)) // what the tables come to
	n, err := io.Copy(&text, io.LimitReader(zr, maxText+1))
	if err != nil {
		return "", err
	}
	if n > maxText {
		return "", fmt.Errorf("the table is larger than %d bytes", maxText)
	}
	return text.String(), nil
}

// Pack encodes a table's text. The same text gives the same bytes.
func Pack(text []byte) ([]byte, error) {
	var b bytes.Buffer
	zw, err := gzip.NewWriterLevel(&b, gzip.BestCompression) // no name, no time
	if err != nil {
		return nil, err
	}
	if _, err := zw.Write(text); err != nil {
		return nil, err
	}
	if err := zw.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// readTable reads sources and zones, the columns, then a type a line. Lines are
// checked for their order and the number of their fields alone.
func readTable(text, columns string) (table, error) {
	t := table{rows: make([]string, 0, strings.Count(text, "\n"))}
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
			name := nameOf(line)
			if name <= last {
				return t, fmt.Errorf("line %d: %s is out of order", n, name)
			}
			last = name
			t.rows = append(t.rows, line)
		case strings.HasPrefix(line, sourcePrefix+"\t"):
			f := strings.Split(line, "\t")
			if len(f) != 6 {
				return t, fmt.Errorf("line %d: a source has 5 fields", n)
			}
			t.sources = append(t.sources, Source{Name: f[1], Version: f[2], Date: f[3], Licence: f[4], Holds: f[5]})
		case strings.HasPrefix(line, zonePrefix+"\t"):
			f := strings.Split(line, "\t")
			if len(f) != 3 {
				return t, fmt.Errorf("line %d: a zone has 2 fields", n)
			}
			t.zoned = append(t.zoned, [2]string{f[1], f[2]})
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

func nameOf(row string) string {
	name, _, _ := strings.Cut(row, "\t")
	return name
}

// at is the index of the first row whose name is not below a name.
func (t *table) at(name string) int {
	i, _ := slices.BinarySearchFunc(t.rows, name, func(row, name string) int { return strings.Compare(nameOf(row), name) })
	return i
}

// row finds the line of a type.
func (t *table) row(name string) (string, bool) {
	if i := t.at(name); i < len(t.rows) && nameOf(t.rows[i]) == name {
		return t.rows[i], true
	}
	return "", false
}

// under returns the table with another's lines in the place of its own and
// among them.
func (t table) under(newer table) table {
	out := table{sources: append(slices.Clone(newer.sources), t.sources...)}
	a, b := t.rows, newer.rows
	for len(a) > 0 && len(b) > 0 {
		switch strings.Compare(nameOf(a[0]), nameOf(b[0])) {
		case -1:
			out.rows, a = append(out.rows, a[0]), a[1:]
		case 0:
			a = a[1:]
		default:
			out.rows, b = append(out.rows, b[0]), b[1:]
		}
	}
	out.rows = append(append(out.rows, a...), b...)
	return out
}

// source is the one that holds a kind of fact, the zero Source where none does.
func (t *table) source(holds string) Source {
	for _, s := range t.sources {
		if s.Holds == holds {
			return s
		}
	}
	return Source{}
}

func (t *table) date(holds string) string { return t.source(holds).Date }

func (t *table) zones(region string) []Zone {
	out := make([]Zone, len(t.zoned))
	for i, z := range t.zoned {
		out[i] = Zone{ID: z[0], Name: z[1], Region: region}
	}
	return out
}
