package body

import (
	"bytes"
	"strings"
)

// command is a simple command of a shell script: its words without quotes.
type command struct {
	words        []string
	line, column int
}

// shells are the interpreters whose scripts are split into commands.
var shells = []string{"sh", "bash", "dash", "ksh", "ksh93", "mksh", "zsh", "csh", "tcsh", "ash", "busybox"}

// program is what a #! line runs: "python3" for "/usr/bin/env -S python3 -u".
func program(interpreter string) string {
	words := strings.Fields(interpreter)
	for len(words) > 0 {
		name := words[0][strings.LastIndexByte(words[0], '/')+1:]
		if words = words[1:]; name != "env" {
			return name
		}
		for len(words) > 0 && (strings.HasPrefix(words[0], "-") || strings.Contains(words[0], "=")) {
			words = words[1:]
		}
	}
	return ""
}

// IsShell reports whether an interpreter is a shell, whose scripts are split into
// commands.
func IsShell(interpreter string) bool {
	name := program(interpreter)
	for _, s := range shells {
		if name == s {
			return true
		}
	}
	return false
}

// HereDoc is a here-document that a line begins.
type HereDoc struct {
	end  string
	tabs bool // <<-: tabs before the end do not count
}

// Ends reports whether a line ends it.
func (h HereDoc) Ends(line []byte) bool {
	if h.tabs {
		line = bytes.TrimLeft(line, "\t")
	}
	return string(line) == h.end
}

// HereDocs finds the here-documents that a line begins.
func HereDocs(line []byte) (docs []HereDoc) {
	var quote byte
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quote != 0:
			if c == '\\' && quote == '"' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '\\':
			i++
		case c == '"' || c == '\'':
			quote = c
		case c == '#' && (i == 0 || isSpace(line[i-1])):
			return docs
		case c == '(':
			i = max(i, arithmetic(line, i)-1)
		case c == '<' && i+1 < len(line) && line[i+1] == '<':
			if i+2 < len(line) && line[i+2] == '<' { // a here-string
				i += 2
				continue
			}
			d, n := hereDocAt(line[i+2:])
			if i += n + 1; d.end != "" {
				docs = append(docs, d)
			}
		}
	}
	return docs
}

// arithmetic returns where (( )) at i ends, in which << is a shift; 0 where
// there is none that ends on the line, and soon.
func arithmetic(text []byte, i int) int {
	const soon = 1 << 10
	if !bytes.HasPrefix(text[i:], []byte("((")) {
		return 0
	}
	line, _, _ := bytes.Cut(text[i:min(len(text), i+soon)], []byte("\n"))
	if n := bytes.Index(line, []byte("))")); n >= 0 {
		return i + n + 2
	}
	return 0
}

// hereDocAt reads what follows "<<", on its line. A number is a shift, as in $((1<<2)).
func hereDocAt(text []byte) (d HereDoc, n int) {
	if n < len(text) && text[n] == '-' {
		d.tabs = true
		n++
	}
	for n < len(text) && (text[n] == ' ' || text[n] == '\t') {
		n++
	}
	begin := n
	for n < len(text) && !isSpace(text[n]) && !bytes.ContainsRune([]byte(";&|()<>"), rune(text[n])) {
		n++
	}
	end := strings.Map(func(r rune) rune {
		if r == '"' || r == '\'' || r == '\\' {
			return -1
		}
		return r
	}, string(text[begin:n]))
	if startsWithDigit(end) {
		return HereDoc{}, n
	}
	d.end = end
	return d, n
}

// isSpace is C's isspace.
func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// lexer splits a shell script into simple commands. It knows quotes, comments,
// continued lines, here-documents and command substitution outside of double
// quotes; it expands nothing and follows no control flow.
type lexer struct {
	text    []byte
	i       int
	line    int // of i
	bol     int // where the line begins
	docs    []HereDoc
	current command
}

// maxWords bounds what is kept of one command.
const maxWords = 200

// commands calls each with every command from offset i on, until it returns
// false.
func commands(script []byte, i int, each func(command) bool) {
	line := 1 + bytes.Count(script[:i], []byte("\n"))
	l := &lexer{text: script, i: i, line: line, bol: i}
	flush := func() bool {
		c := l.current
		l.current = command{}
		return len(c.words) == 0 || each(c)
	}
	for l.i < len(l.text) {
		switch c := l.text[l.i]; {
		case c == '\n':
			l.i++
			l.line++
			l.bol = l.i
			if !flush() {
				return
			}
			l.skipDocs()
		case isSpace(c):
			l.i++
		case c == '\\' && l.at(1) == '\n':
			l.i += 2
			l.line++
			l.bol = l.i
		case c == '#':
			l.toLineEnd()
		case c == '<' && l.at(1) == '<' && l.at(2) != '<':
			d, n := hereDocAt(l.text[l.i+2:])
			if l.i += n + 2; d.end != "" {
				l.docs = append(l.docs, d)
			}
		case c == '>' || c == '<':
			l.redirection()
		case strings.IndexByte(";&|(){}`", c) >= 0:
			l.i = max(l.i+1, arithmetic(l.text, l.i))
			if !flush() {
				return
			}
		default:
			line, column := l.line, l.i-l.bol+1
			w, substitutes := l.word()
			if len(l.current.words) == 0 {
				l.current.line, l.current.column = line, column
			}
			if len(l.current.words) < maxWords {
				l.current.words = append(l.current.words, w)
			}
			if substitutes && !flush() { // what is within $( ) is a command too
				return
			}
		}
	}
	flush()
}

func (l *lexer) at(n int) byte {
	if l.i+n < len(l.text) {
		return l.text[l.i+n]
	}
	return 0
}

func (l *lexer) toLineEnd() {
	if n := bytes.IndexByte(l.text[l.i:], '\n'); n >= 0 {
		l.i += n
	} else {
		l.i = len(l.text)
	}
}

// skipDocs skips the here-documents that the line before began.
func (l *lexer) skipDocs() {
	for len(l.docs) > 0 && l.i < len(l.text) {
		text, _, _ := bytes.Cut(l.text[l.i:], []byte("\n"))
		if l.docs[0].Ends(text) {
			l.docs = l.docs[1:]
		}
		l.i = min(l.i+len(text)+1, len(l.text))
		l.line++
		l.bol = l.i
	}
	l.docs = nil
}

// redirection skips an operator such as >, 2>&1 or <; the file behind it is a
// word and does no harm.
func (l *lexer) redirection() {
	for l.i < len(l.text) && strings.IndexByte("<>&|!", l.text[l.i]) >= 0 {
		l.i++
	}
	for l.i < len(l.text) && (l.text[l.i] == ' ' || l.text[l.i] == '\t') {
		l.i++
	}
	if l.i < len(l.text) && strings.IndexByte("\n;|&()#", l.text[l.i]) < 0 {
		l.word()
	}
}

// word reads one word; a part of it in quotes stays together, also over lines.
// It ends within $( and says so.
func (l *lexer) word() (w string, substitutes bool) {
	var b []byte
	for l.i < len(l.text) {
		c := l.text[l.i]
		switch {
		case c == '\\':
			if l.at(1) == '\n' {
				l.line++
				l.bol = l.i + 2
			} else if l.i+1 < len(l.text) {
				b = append(b, l.text[l.i+1])
			}
			l.i += min(2, len(l.text)-l.i)
		case c == '\'' || c == '"':
			b = l.quoted(b, c)
		case c == '$' && l.at(1) == '(':
			if end := arithmetic(l.text, l.i+1); end > 0 {
				b = append(b, l.text[l.i:end]...)
				l.i = end
				continue
			}
			l.i += 2
			return string(b), true
		case c == '$' && l.at(1) == '{':
			end := l.i
			for end < len(l.text) && l.text[end] != '}' && l.text[end] != '\n' {
				end++
			}
			end = min(end+1, len(l.text))
			if l.text[end-1] == '\n' {
				end--
			}
			b = append(b, l.text[l.i:end]...)
			l.i = end
		case isSpace(c) || strings.IndexByte(";&|()<>`", c) >= 0:
			return string(b), false
		default:
			b = append(b, c)
			l.i++
		}
	}
	return string(b), false
}

// quoted reads a part in quotes, at l.i, onto b.
func (l *lexer) quoted(b []byte, quote byte) []byte {
	for l.i++; l.i < len(l.text); l.i++ {
		c := l.text[l.i]
		if c == quote {
			l.i++
			return b
		}
		if c == '\\' && quote == '"' && l.i+1 < len(l.text) {
			l.i++
			c = l.text[l.i]
		}
		if c == '\n' {
			l.line++
			l.bol = l.i + 1
		}
		b = append(b, c)
	}
	return b
}
