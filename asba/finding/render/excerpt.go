package render

import (
	"bytes"
	"sort"
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// cursor finds lines of a text, whose findings come in order: it goes on from
// the last one, and reads a text once.
type cursor struct {
	text   []byte
	number int // of the line at offset, from 1; 0 before the first
	offset int
}

// line returns a line by its number, without its end.
func (c *cursor) line(number int) ([]byte, bool) {
	if number < 1 || c.text == nil {
		return nil, false
	}
	if c.number == 0 || number < c.number {
		c.number, c.offset = 1, 0
	}
	for ; c.number < number; c.number++ {
		i := bytes.IndexByte(c.text[c.offset:], '\n')
		if i < 0 {
			return nil, false
		}
		c.offset += i + 1
	}
	line, _, _ := bytes.Cut(c.text[c.offset:], []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), true
}

// tabStop is how far apart tabs stop.
const tabStop = 4

// cut stands where something of a line was left out.
const cut = "..."

// cell is what a terminal shows as one.
type cell struct {
	text  string
	width int
	at    int // where it begins in the line, in bytes
}

// excerpt shows a line as wide as there is room for, with the token at an offset
// in it: how many columns stand before the token, and how many it takes.
func excerpt(line []byte, offset, room int) (shown string, before, under int) {
	offset = min(offset, len(line))
	end := min(offset+token(line[offset:]), len(line))
	// What is far away is not looked at: a line may be as long as the file.
	from, to := max(0, offset-4*room), min(len(line), offset+4*room)
	for from > 0 && line[from]&0xC0 == 0x80 { // within a character
		from--
	}
	for to < len(line) && line[to]&0xC0 == 0x80 {
		to++
	}
	all := cells(line[from:to], from)
	// A cell counts as the token's where it begins in it.
	begins := func(at int) int {
		return sort.Search(len(all), func(i int) bool { return all[i].at >= at })
	}
	first, last := begins(offset), begins(end)
	left, right := 0, len(all)
	cutLeft, cutRight := from > 0, to < len(line)
	width := func(i, j int) (n int) {
		for _, c := range all[i:j] {
			n += c.width
		}
		return n
	}
	if cutLeft || cutRight || width(0, len(all)) > room {
		left, right = window(all, first, last, room-2*len(cut))
		cutLeft, cutRight = cutLeft || left > 0, cutRight || right < len(all)
	}
	var b strings.Builder
	if cutLeft {
		b.WriteString(cut)
		before = len(cut)
	}
	for _, c := range all[left:right] {
		b.WriteString(c.text)
	}
	if cutRight {
		b.WriteString(cut)
	}
	before += width(left, first)
	return b.String(), before, max(1, width(first, max(first, min(last, right))))
}

// window chooses the cells to show: the token, a third of what is left before
// it, the rest behind it.
func window(all []cell, first, last, room int) (left, right int) {
	left, right = first, first
	used := 0
	for right < last && used+all[right].width <= room {
		used += all[right].width
		right++
	}
	lead := (room - used) / 3
	if right == len(all) {
		lead = room - used
	}
	for left > 0 && lead >= all[left-1].width {
		left--
		lead -= all[left].width
		used += all[left].width
	}
	for right < len(all) && used+all[right].width <= room {
		used += all[right].width
		right++
	}
	for left > 0 && used+all[left-1].width <= room {
		left--
		used += all[left].width
	}
	return left, right
}

// cells parts a line into what a terminal shows as one each. base is where the
// line begins.
func cells(line []byte, base int) (all []cell) {
	column := 0
	add := func(text string, width, at int) {
		all = append(all, cell{text, width, base + at})
		column += width
	}
	at := 0
	for g := displaywidth.BytesGraphemes(line); g.Next(); {
		raw := g.Value()
		switch {
		case len(raw) == 1 && raw[0] == '\t':
			n := tabStop - column%tabStop
			add(strings.Repeat(" ", n), n, at)
		default:
			if text := Clean(string(raw)); text == string(raw) {
				add(text, g.Width(), at)
			} else {
				add(text, displaywidth.String(text), at)
			}
		}
		at += len(raw)
	}
	return all
}

// token is how many bytes the token takes that a text begins with: a string
// with its quotes, a bracket, a comment to its end, else a word.
func token(text []byte) int {
	if len(text) == 0 {
		return 0
	}
	switch text[0] {
	case '"':
		for i := 1; i < len(text); i++ {
			switch text[i] {
			case '\\':
				i++
			case '"':
				return i + 1
			}
		}
		return len(bytes.TrimRight(text, " \t"))
	case '{', '}', '[', ']', ',', ':':
		return 1
	}
	if bytes.HasPrefix(text, []byte("//")) {
		return len(bytes.TrimRight(text, " \t"))
	}
	if i := bytes.IndexAny(text, " \t,:{}[]\""); i >= 0 {
		return max(1, i)
	}
	return len(text)
}
