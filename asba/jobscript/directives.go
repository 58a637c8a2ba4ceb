package jobscript

import (
	"bytes"
	"fmt"
	"strings"

	"aws-slurm-burst/asba/jobscript/body"
	"aws-slurm-burst/asba/jobscript/value"
)

const magic = "#SBATCH"

// word is one word of a directive.
type word struct {
	text         string
	line, column int
}

// isSpace is C's isspace: what ends a word.
func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// directives returns the words of all directives, a list for each component, and
// where they end: the first line that is neither blank nor a comment.
func (rd *reader) directives(script []byte) (parts [][]word, end int) {
	parts = [][]word{nil}
	line := 0
	for end < len(script) {
		text, _, _ := bytes.Cut(script[end:], []byte("\n"))
		line++
		if rest, ok := bytes.CutPrefix(text, []byte(magic)); ok {
			words, separates := rd.words(rest, line)
			if separates && len(parts) == maxComponents {
				rd.report(TooLarge, line, 1, fmt.Sprintf("%s %d components", value.TooLarge, maxComponents), "make it several jobs")
			} else if separates {
				parts = append(parts, nil)
			}
			last := len(parts) - 1
			parts[last] = append(parts[last], words...)
		} else if isCommand(text) {
			break
		} else if line > 1 {
			rd.comment(text, line)
		}
		end += len(text) + 1
	}
	return parts, min(end, len(script))
}

// isCommand reports whether a line is neither blank nor a comment.
func isCommand(line []byte) bool {
	for _, c := range line {
		if !isSpace(c) {
			return c != '#'
		}
	}
	return false
}

// comment looks at a comment among the directives.
func (rd *reader) comment(text []byte, line int) {
	trimmed := bytes.TrimLeft(text, "# \t")
	column := len(text) - len(trimmed) + 1
	first := trimmed[:min(len(trimmed), 7)]
	switch {
	case bytes.EqualFold(first, []byte("SBATCH")) || len(first) == 7 && bytes.EqualFold(first[:6], []byte("SBATCH")) && isSpace(first[6]):
		// Without an option behind it, it is a sentence about directives.
		if options := bytes.TrimSpace(trimmed[6:]); len(options) > 0 && options[0] == '-' {
			rd.report(LooksLike, line, column, "a comment to sbatch, since the line does not begin with "+magic, "write "+magic+", or leave it out")
		}
	case bytes.HasPrefix(text, []byte("#PBS")) || bytes.HasPrefix(text, []byte("#BSUB")):
		rd.report(Foreign, line, 1, "sbatch reads lines of PBS and LSF too, and they are not read here", "write them as "+magic+", or add "+magic+" --ignore-pbs")
	}
}

// words splits what follows #SBATCH as sbatch does. A word ends at a blank or at
// a # that is not quoted; the line ends at a word of nothing, as "" is, and at
// hetjob. separates is true where the line begins with hetjob.
func (rd *reader) words(text []byte, line int) (words []word, separates bool) {
	at := len(magic) + 1 // the column of text[0]
	for i := 0; ; {
		for i < len(text) && isSpace(text[i]) {
			i++
		}
		if i == len(text) {
			return words, separates
		}
		begin := i
		if text[i] == ':' {
			rd.report(Quoting, line, at+i, "a colon where an option should begin", "a script has hetjob between components; put quotes around a value with a blank")
			return words, separates
		}
		if name := separator(text[i:]); name != "" {
			if strings.EqualFold(name, "packjob") {
				rd.report(Ineffect, line, at+i, "packjob is the old word for hetjob", "write "+magic+" hetjob")
			}
			if rest := plain(text[i+len(name):]); len(words) > 0 {
				rd.report(CutShort, line, at+i, "sbatch reads no further than "+name+", and makes no component of it", "give "+magic+" hetjob a line of its own")
			} else if separates = true; len(rest) > 0 {
				rd.report(CutShort, line, at+i, "sbatch drops what follows "+name, "write it on the next line")
			}
			return words, separates
		}
		w, end, quote := cutWord(text, i)
		if i = end; quote != 0 {
			rd.report(Quoting, line, at+begin, fmt.Sprintf("a %c that does not end on this line", quote), "end it, or write \\ before it")
			return words, separates
		}
		if w == "" {
			// A comment, or an empty word; sbatch takes either for the line's end.
			if text[begin] != '#' && len(plain(text[i:])) > 0 {
				rd.report(CutShort, line, at+begin, "sbatch reads no further than an empty word", "write --option= for an empty value, and no \\ at a line's end")
			}
			return words, separates
		}
		words = append(words, word{w, line, at + begin})
		if i+1 < len(text) && text[i] == '#' && !isSpace(text[i+1]) {
			rd.report(CutShort, line, at+i, fmt.Sprintf("a # begins a comment, within a word too: %s is read", quoted(w)), "put quotes around the value, or a blank before the comment")
		}
	}
}

// plain is what is left of a line before a comment.
func plain(text []byte) []byte {
	text, _, _ = bytes.Cut(text, []byte("#"))
	return bytes.TrimSpace(text)
}

// separator returns the word that text begins with, where it separates the
// components of a heterogeneous job, as it is written.
func separator(text []byte) string {
	for _, name := range []string{"hetjob", "packjob"} {
		n := len(name)
		if len(text) >= n && (len(text) == n || isSpace(text[n]) || text[n] == '#') && strings.EqualFold(string(text[:n]), name) {
			return string(text[:n])
		}
	}
	return ""
}

// cutWord reads a word from i on and returns where it ends: at a blank, at a # or
// with the line. A backslash keeps
// the next character, in both kinds of quotes too, but no blank outside of them.
// A quote that does not end is returned.
func cutWord(text []byte, i int) (w string, end int, quote byte) {
	var b []byte
	escaped := false
	for ; i < len(text) && (quote != 0 || !isSpace(text[i])); i++ {
		c := text[i]
		switch {
		case escaped:
			escaped = false
			b = append(b, c)
		case c == '\\':
			escaped = true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			b = append(b, c)
		case c == '"' || c == '\'':
			quote = c
		case c == '#':
			return string(b), i, 0
		default:
			b = append(b, c)
		}
	}
	return string(b), i, quote
}

// afterwards looks at the body for directives that sbatch does not read. In a
// here-document they may belong to another script, so that only lines of a
// shell's own count; of other interpreters every line does.
func (rd *reader) afterwards(script []byte, at int, shell bool) {
	line, _ := place(script, at)
	var docs []body.HereDoc
	for ; at < len(script); line++ {
		text, _, _ := bytes.Cut(script[at:], []byte("\n"))
		at += len(text) + 1
		if len(docs) > 0 {
			if docs[0].Ends(text) {
				docs = docs[1:]
			}
			continue
		}
		if bytes.HasPrefix(text, []byte(magic)) && bytes.Contains(text, []byte("-")) {
			rd.report(Late, line, 1, "sbatch reads no directive after the first command", "move it up, before every command")
		}
		if shell && !bytes.HasPrefix(bytes.TrimLeft(text, " \t"), []byte("#")) {
			docs = body.HereDocs(text)
		}
	}
}
