// Package files writes what a run leaves on disk: jobs as Batsim writes them, as
// SWF, and all events as JSON lines. Each file is written aside as the run goes
// and takes its place at the end, or never: nobody reads half of one.
//
// It computes no figure: simulator/report does.
package files

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/report"
)

// Names are the files that are wanted; "" is none.
type Names struct{ JobsCSV, SWF, Events string }

// Options say what the files are about.
type Options struct {
	// Begin is the instant from which times are counted.
	Begin env.Time
	// Workload names the workload in jobs.csv and in the SWF's header, Procs and
	// Nodes are the cluster's, 0 where they are not known.
	Workload     string
	Procs, Nodes int
	// Reads are files that must not be replaced: what the run reads, and where its
	// figures go.
	Reads []string
}

// form is a format that events and ended jobs are written in. Writes go to a
// buffer whose error stays: it is asked for at the end.
type form interface {
	head(w *bufio.Writer)
	event(w *bufio.Writer, e record.Event)
	job(w *bufio.Writer, j *report.Job)
	tail(w *bufio.Writer)
}

// Set is the files of one run.
type Set struct {
	files []*file
	err   error
}

type file struct {
	form
	name, place string // as it was given, and where that is
	aside       *aside
	w           *bufio.Writer
}

// Open begins the files, so that one that cannot be written is told before the
// run. Its errors name the file. Where it fails it leaves nothing.
func Open(n Names, o Options) (*Set, error) {
	s := &Set{}
	taken := map[string]bool{}
	for _, f := range []*file{
		{name: n.JobsCSV, form: newJobs(o)},
		{name: n.SWF, form: newSchedule(o)},
		{name: n.Events, form: newEvents(o)},
	} {
		if f.name == "" {
			continue
		}
		if err := f.open(taken, o.Reads); err != nil {
			s.Abort()
			return nil, err
		}
		s.files = append(s.files, f)
		f.head(f.w)
	}
	return s, nil
}

func (f *file) open(taken map[string]bool, reads []string) error {
	info, err := os.Stat(f.name)
	if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no file: name one", f.name)
	}
	if f.place, err = place(f.name); err != nil {
		return err
	}
	if taken[f.place] {
		return fmt.Errorf("%s is to be two files: give each a name of its own", f.name)
	}
	taken[f.place] = true
	for _, name := range reads {
		if read, err := os.Stat(name); info != nil && err == nil && os.SameFile(info, read) {
			return fmt.Errorf("%s is in use by this run: give what is written a file of its own", f.name)
		}
	}
	if f.aside, err = newAside(f.place); err != nil {
		if p := new(fs.PathError); errors.As(err, &p) {
			p.Op, p.Path = "create", f.name
		}
		return err
	}
	f.w = bufio.NewWriterSize(f.aside, 1<<16)
	return nil
}

// place is where a file is or will be: a link, such as /dev/stdout, stays one, and
// what it leads to is replaced.
func place(name string) (string, error) {
	full, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	if to, err := filepath.EvalSymlinks(full); err == nil {
		return to, nil
	}
	if _, err := os.Lstat(full); err == nil {
		return "", fmt.Errorf("%s is a link to nothing: name a file", name)
	}
	return full, nil
}

// Event takes an event. It is a record.Sink.
func (s *Set) Event(e record.Event) {
	for _, f := range s.files {
		f.event(f.w, e)
	}
}

// Job takes a job that has ended, after the event that says so, and reports the
// first error of writing: a disk that is full is no reason to go on for hours.
func (s *Set) Job(j report.Job) error {
	for _, f := range s.files {
		f.job(f.w, &j)
	}
	return s.Err()
}

// Err is the first error of writing.
func (s *Set) Err() error {
	for _, f := range s.files {
		if s.err == nil && f.w != nil {
			if _, err := f.w.Write(nil); err != nil { // a buffer keeps its error
				s.err = f.named(err)
			}
		}
	}
	return s.err
}

// named makes an error one of the file that was meant.
func (f *file) named(err error) error {
	if p := new(fs.PathError); errors.As(err, &p) {
		err = p.Err
	} else if l := new(os.LinkError); errors.As(err, &l) {
		err = l.Err
	}
	return fmt.Errorf("%s could not be written: %w", f.name, err)
}

// Commit puts the files into their places: all of them, or none where one could
// not be written whole.
func (s *Set) Commit() error {
	defer s.Abort()
	for _, f := range s.files {
		f.tail(f.w)
		if err := errors.Join(f.w.Flush(), f.aside.whole()); err != nil {
			return f.named(err)
		}
	}
	for len(s.files) > 0 {
		if err := os.Rename(s.files[0].aside.path, s.files[0].place); err != nil {
			return s.files[0].named(err)
		}
		s.files = s.files[1:]
	}
	return nil
}

// Abort leaves no file. It does nothing after Commit.
func (s *Set) Abort() {
	for _, f := range s.files {
		f.aside.abort()
	}
	s.files = nil
}
