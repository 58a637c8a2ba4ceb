package report

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Files are the reports that were asked for; an empty name is none.
type Files struct{ JUnit, Cucumber, HTML string }

type output struct {
	flag, file string
	write      func(io.Writer, ...Summary) error
}

func (f Files) outputs() []output {
	var wanted []output
	for _, o := range []output{
		{"JUnit", f.JUnit, WriteJUnit}, {"Cucumber", f.Cucumber, WriteCucumberJSON}, {"HTML", f.HTML, WriteHTML},
	} {
		if o.file != "" {
			wanted = append(wanted, o)
		}
	}
	return wanted
}

// Check fails where a report could not be written, or would take the place of a
// file that the run reads, so that nobody learns of it after the run. It leaves
// nothing behind.
func (f Files) Check(reads ...string) error {
	taken := map[string]string{}
	for _, o := range f.outputs() {
		full, err := place(o.file)
		if err != nil {
			return fmt.Errorf("%s report: %w", o.flag, err)
		}
		if other := taken[full]; other != "" {
			return fmt.Errorf("%s report: %s is the %s report: give each a file of its own", o.flag, o.file, other)
		}
		taken[full] = o.flag
		info, err := os.Stat(o.file)
		if err == nil && !info.Mode().IsRegular() {
			return fmt.Errorf("%s report: %s is no file", o.flag, o.file)
		}
		for _, open := range []*os.File{os.Stdout, os.Stderr} {
			if out, oerr := open.Stat(); err == nil && oerr == nil && os.SameFile(info, out) {
				return fmt.Errorf("%s report: it would take the place of what is written to %s: give it a file of its own", o.flag, open.Name())
			}
		}
		for _, name := range reads {
			if read, rerr := os.Stat(name); err == nil && rerr == nil && os.SameFile(info, read) {
				return fmt.Errorf("%s report: it would take the place of %s, which is read: give it a file of its own", o.flag, name)
			}
		}
		aside, err := create(full, o.file)
		if err != nil {
			return fmt.Errorf("%s report: %w", o.flag, err)
		}
		aside.Close()
		os.Remove(aside.Name())
	}
	return nil
}

// Write writes every report, of a green run or not. Those that cannot be
// written do not keep the others from it.
func (f Files) Write(runs ...Summary) error {
	var errs []error
	for _, o := range f.outputs() {
		if err := o.save(runs); err != nil {
			errs = append(errs, fmt.Errorf("%s report: %w", o.flag, err))
		}
	}
	return errors.Join(errs...)
}

// save writes aside and renames, so that nobody reads half a report.
func (o output) save(runs []Summary) error {
	file, err := place(o.file)
	if err != nil {
		return err
	}
	f, err := create(file, o.file)
	if err != nil {
		return err
	}
	err = errors.Join(o.write(f, runs...), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// place is where a file stands, behind its links: they stay what they are.
func place(file string) (string, error) {
	full, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	behind, err := filepath.EvalSymlinks(full)
	if errors.Is(err, fs.ErrNotExist) {
		return full, nil
	}
	return behind, err
}

// create makes a file beside the one that is meant. Its errors name that one, as
// the user did.
func create(file, said string) (*os.File, error) {
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if p := new(fs.PathError); errors.As(err, &p) {
		p.Path = said
	}
	return f, err
}
