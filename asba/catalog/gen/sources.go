package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"aws-slurm-burst/asba/catalog/table"
)

// The sources, pinned: a version, and the sum of what it holds. To renew one,
// change both here, run `make catalog`, and read what `git diff --stat` says.
var (
	// moto is a Python wheel: types, zones, offerings. Its data is the answer of
	// EC2 to its maintainers' account.
	moto = pin{Name: "moto", Version: "5.2.5", Sum: "eef62cdcf3bfe73e0863743511ba042dfaba04ba3d5ecdcb896a196c693ad528"}
	// karpenter is a Go module: prices of us-east-1 and of the two regions of
	// GovCloud, each with its day.
	karpenter = pin{Name: "github.com/aws/karpenter-provider-aws", Version: "v1.15.1", Sum: "h1:6eH///KgWKDwD2R6wHRnKGN8Vu8OHueaXjNdx64TnuY="}
	// dump is a Go module with all that ec2instances.info knows: prices of every
	// region, ratio and interruption of spot. It says no day; its version does.
	dump = pin{Name: "github.com/cristim/ec2-instances-info", Version: "v0.0.0-20250528091325-32acf84f42eb", Sum: "h1:exJ9FsMTbotSG5xgDHmFJE84gV3MZ4JRpR8nhbgJz/k="}
)

// pin is one version of one package.
type pin struct{ Name, Version, Sum string }

// source begins the Source of a kind of fact.
func (p pin) source(date, licence, holds string) table.Source {
	return table.Source{Name: filepath.Base(p.Name), Version: p.Version, Date: date, Licence: licence, Holds: holds}
}

// packages are the files that were fetched.
type packages struct{ moto, karpenter, dump string }

// fetch brings the sources, as far as they are not there, and says how long it
// took.
func fetch(say io.Writer, keep string) (from packages, err error) {
	begin := time.Now()
	if from.moto, err = wheel(moto, keep); err != nil {
		return from, err
	}
	if from.karpenter, err = module(karpenter); err != nil {
		return from, err
	}
	if from.dump, err = module(dump); err != nil {
		return from, err
	}
	fmt.Fprintf(say, "sources at hand after %.1f s\n", time.Since(begin).Seconds())
	return from, nil
}

// wheel fetches a Python wheel with pip, once.
func wheel(p pin, keep string) (string, error) {
	path := filepath.Join(keep, fmt.Sprintf("%s-%s-py3-none-any.whl", p.Name, p.Version))
	if sum, err := sumOf(path); err == nil && sum == p.Sum {
		return path, nil
	}
	if err := os.MkdirAll(keep, 0o755); err != nil {
		return "", err
	}
	python, err := pip(keep)
	if err != nil {
		return "", fmt.Errorf("%s %s could not be fetched with pip: %w", p.Name, p.Version, err)
	}
	cmd := exec.Command(python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--dest", keep, p.Name+"=="+p.Version)
	if err := output(cmd, nil); err != nil {
		return "", fmt.Errorf("%s %s could not be fetched with pip: %w", p.Name, p.Version, err)
	}
	sum, err := sumOf(path)
	if err != nil {
		return "", err
	}
	if sum != p.Sum {
		return "", fmt.Errorf("%s has the sum %s, pinned is %s", path, sum, p.Sum)
	}
	return path, nil
}

// pip is a Python that has pip: the system's, else one in an environment of our
// own, since Debian's comes without.
func pip(keep string) (python string, err error) {
	if err := output(exec.Command("python3", "-m", "pip", "--version"), nil); err == nil {
		return "python3", nil
	}
	venv := filepath.Join(keep, "venv")
	if err := output(exec.Command("python3", "-m", "venv", venv), nil); err != nil {
		return "", err
	}
	return filepath.Join(venv, "bin", "python3"), nil
}

// sumOf is the SHA-256 of a file.
func sumOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// module fetches the zip of a Go module into Go's own cache.
func module(p pin) (string, error) {
	cmd := exec.Command("go", "mod", "download", "-json", p.Name+"@"+p.Version)
	cmd.Dir = os.TempDir() // no module of ours is to learn of it
	// A module may ask for a newer Go than this one. Nothing of it is built.
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN=local", "GOWORK=off", "GOFLAGS=")
	var out strings.Builder
	err := output(cmd, &out)
	var got struct{ Zip, Sum, Error string }
	if e := json.Unmarshal([]byte(out.String()), &got); e != nil && err == nil {
		err = e
	}
	switch {
	case got.Zip != "" && got.Sum == p.Sum:
		return got.Zip, nil
	case got.Zip != "":
		return "", fmt.Errorf("%s %s has the sum %s, pinned is %s", p.Name, p.Version, got.Sum, p.Sum)
	case got.Error != "":
		err = errors.New(oneLine(got.Error))
	}
	return "", fmt.Errorf("%s %s could not be fetched with go: %w", p.Name, p.Version, err)
}

// output runs a command; its error is the last line that it said.
func output(cmd *exec.Cmd, stdout io.Writer) error {
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = stdout, &said
	err := cmd.Run()
	if lines := strings.Split(strings.TrimSpace(said.String()), "\n"); err != nil && lines[len(lines)-1] != "" {
		return errors.New(oneLine(lines[len(lines)-1]))
	}
	return err
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
