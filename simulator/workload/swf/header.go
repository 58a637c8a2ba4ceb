package swf

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// Header is what a log says of itself.
type Header struct {
	// Fields are all of it in the log's order, known or not.
	Fields []Field

	// MaxJobs is how many jobs the log says it has, MaxNodes and MaxProcs what
	// the machine had; 0 where it does not say.
	MaxJobs, MaxNodes, MaxProcs int64
	// Start is the instant from which the log's times count; the zero time where
	// it does not say.
	Start time.Time
	// MaxRuntime is the most that a job could ask for, 0 where there was no limit.
	MaxRuntime time.Duration
	// Queues and Partitions have names for the numbers of fields 15 and 16.
	Queues, Partitions map[int64]string

	kept        int // bytes
	maxJobsLine int
}

// Field is one key of a header, such as Computer, and its value: further lines
// of a value are joined with a line end.
type Field struct{ Key, Value string }

// maxHeader bounds what is kept of a header, in bytes: those of the archive have
// a few thousand.
const maxHeader = 1 << 20

// keys are the header's, in lower case (version 2.2, with those of older ones).
var keys = map[string]bool{
	"version": true, "computer": true, "installation": true, "acknowledge": true, "information": true, "conversion": true,
	"maxjobs": true, "maxrecords": true, "preemption": true, "unixstarttime": true, "timezone": true, "timezonestring": true,
	"starttime": true, "endtime": true, "maxnodes": true, "maxprocs": true, "maxruntime": true, "maxmemory": true,
	"allowoveruse": true, "maxqueues": true, "queues": true, "queue": true, "maxpartitions": true, "partitions": true,
	"partition": true, "note": true,
}

// add reads a line of the header, without its semicolon.
func (h *Header) add(line []byte, number int) {
	if h.kept += len(line); h.kept > maxHeader {
		return
	}
	text := strings.ToValidUTF8(string(bytes.TrimSpace(line)), "?")
	key, value, found := strings.Cut(text, ":")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	if !found || !keys[strings.ToLower(key)] {
		// A key's value goes on; or it is a comment before any key.
		if n := len(h.Fields); n > 0 && text != "" {
			h.Fields[n-1].Value += "\n" + text
		}
		return
	}
	h.Fields = append(h.Fields, Field{key, value})
	switch strings.ToLower(key) {
	case "maxjobs":
		h.MaxJobs, _ = leading(value)
		h.maxJobsLine = number
	case "maxnodes":
		h.MaxNodes, _ = leading(value)
	case "maxprocs":
		h.MaxProcs, _ = leading(value)
	case "maxruntime":
		if s, _ := leading(value); s <= maxSeconds {
			h.MaxRuntime = time.Duration(s) * time.Second
		}
	case "unixstarttime":
		if s, _ := leading(value); s > 0 {
			h.Start = time.Unix(s, 0).UTC()
		}
	case "queue":
		name(&h.Queues, value)
	case "partition":
		name(&h.Partitions, value)
	}
}

// Get is the first value of a key, "" where there is none.
func (h Header) Get(key string) string {
	for _, f := range h.Fields {
		if strings.EqualFold(f.Key, key) {
			return f.Value
		}
	}
	return ""
}

// name enters "3 batch (for large jobs)", where that is a name and not garbage.
func name(names *map[int64]string, value string) {
	n, rest := leading(value)
	words := strings.Fields(rest)
	if rest == value || len(words) == 0 || len(words[0]) > 64 {
		return
	}
	for _, c := range words[0] {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && !strings.ContainsRune("_-.+", c) {
			return
		}
	}
	if *names == nil {
		*names = map[int64]string{}
	}
	(*names)[n] = words[0]
}

// leading is the number that a text begins with, 0 where it begins with none,
// and what follows it.
func leading(s string) (n int64, rest string) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	n, err := strconv.ParseInt(s[:i], 10, 64)
	if err != nil {
		return 0, s
	}
	return n, s[i:]
}
