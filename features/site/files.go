package site

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"aws-slurm-burst/examples"
	"aws-slurm-burst/fixtures"
)

// Copy brings files of a folder into the site's, with its own cluster.
func (w *Site) Copy(from fs.FS, names ...string) error {
	for _, name := range names {
		data, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		if err := w.Write(name, bytes.Replace(data, []byte(exampleCluster), []byte("cluster: "+w.Cluster+"\n"), 1)); err != nil {
			return err
		}
	}
	return nil
}

// Write puts a file into the site's folder, never beyond it.
func (w *Site) Write(name string, data []byte) error {
	if !filepath.IsLocal(name) {
		return fmt.Errorf("%q would be outside the site's folder: name a file without .. and without a leading /", name)
	}
	file := filepath.Join(w.Dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o600)
}

// Plan puts an execution plan into the folder: one beside the scenario, else one
// of the fixtures, else one of the examples.
func (w *Site) Plan(name string) error {
	data, err := w.find(name, fixtures.Plan, readExample(""))
	if err != nil {
		return err
	}
	return w.Write(name, data)
}

// Variables reads a plan that is written as NAME=VALUE lines, found as Plan
// finds its own.
func (w *Site) Variables(name string) ([]string, error) {
	data, err := w.find(name, fixtures.Plan)
	if err != nil {
		return nil, err
	}
	return fixtures.ParseEnvironment(name, data)
}

// FaultRules reads a file of fault rules: one beside the scenario, else one of
// the examples.
func (w *Site) FaultRules(name string) ([]byte, error) {
	return w.find(name, readExample("faults"))
}

// find takes the first of the places that has a file. A file that is there and
// cannot be read is an error, never a reason to take another.
func (w *Site) find(name string, places ...func(string) ([]byte, error)) ([]byte, error) {
	if w.Beside != nil {
		data, err := w.Beside(name)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return data, err
		}
	}
	var errs []error
	for _, read := range places {
		data, err := read(name)
		if err == nil {
			return data, nil
		}
		errs = append(errs, err)
	}
	if w.Beside != nil {
		errs = append([]error{fmt.Errorf("%s is not beside the feature file", name)}, errs...)
	}
	return nil, errors.Join(errs...)
}

func readExample(folder string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		data, err := examples.Files.ReadFile(path.Join(folder, name))
		if err != nil {
			return nil, fmt.Errorf("examples: no %s", path.Join(folder, name))
		}
		return data, nil
	}
}
