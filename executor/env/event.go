package env

import "fmt"

// Level says whom an event is for.
type Level int8

// Info, Warn and Error events are also lines for people on stderr
// ("WARN: ..."); Debug and Note events go to the log file alone, a Note as
// information. Suggestion is the line that follows an error and says what to do.
const (
	Debug Level = iota
	Note
	Info
	Suggestion
	Warn
	Error
)

// String returns the word that begins a line for people.
func (l Level) String() string {
	switch l {
	case Debug:
		return "DEBUG"
	case Note:
		return "NOTE"
	case Info:
		return "INFO"
	case Suggestion:
		return "SUGGESTION"
	case Warn:
		return "WARN"
	case Error:
		return "ERROR"
	}
	return fmt.Sprintf("LEVEL(%d)", int8(l))
}

// Attr is one named value of an event. Values are strings, integers, floats,
// booleans, Times and slices of strings.
type Attr struct {
	Key   string
	Value any
}

// Event is one thing that happened: a line for people (Text), and for machines
// a stable name (Name, such as "launch.rung") with attributes.
type Event struct {
	Level Level
	Name  string
	Text  string
	Attrs []Attr
}

// A builds an Attr.
func A(key string, value any) Attr { return Attr{key, value} }

// Debugf, Infof, Warnf, Errorf and Suggestf log one event with formatted text.

// Debugf logs for the log file alone, where it keeps debug events.
func Debugf(e Env, name, format string, args ...any) { logf(e, Debug, name, format, args) }

// Infof logs an INFO line.
func Infof(e Env, name, format string, args ...any) { logf(e, Info, name, format, args) }

// Warnf logs a WARN line.
func Warnf(e Env, name, format string, args ...any) { logf(e, Warn, name, format, args) }

// Errorf logs an ERROR line.
func Errorf(e Env, name, format string, args ...any) { logf(e, Error, name, format, args) }

// Suggestf logs a SUGGESTION line.
func Suggestf(e Env, name, format string, args ...any) { logf(e, Suggestion, name, format, args) }

func logf(e Env, l Level, name, format string, args []any) {
	if e.Hears(l) {
		e.Log(Event{Level: l, Name: name, Text: fmt.Sprintf(format, args...)})
	}
}
