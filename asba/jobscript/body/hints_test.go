package body

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// read looks at a script without directives.
func read(script string) []Hint {
	first, _, _ := strings.Cut(script, "\n")
	return Hints(strings.TrimPrefix(first, "#!"), []byte(script), len(first)+1)
}

// told lists the hints of a body: kind, word, value, and "?" for weak ones.
func told(script string) string {
	var out []string
	for _, h := range read(script) {
		s := string(h.Kind) + " " + h.Word
		if h.Value > 0 {
			s += fmt.Sprint(" ", h.Value)
		}
		if h.Weak {
			s += "?"
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func TestCommandsGiveAwayWhatTheyStart(t *testing.T) {
	for body, want := range map[string]string{
		"srun ./a":                                      "mpi srun?",
		"srun --mpi=pmix ./a":                           "mpi srun",
		"srun --mpi=none ./a":                           "mpi srun?",
		"/opt/openmpi/bin/mpirun -np 4 ./a":             "mpi mpirun",
		"time mpiexec.hydra ./a":                        "mpi mpiexec.hydra",
		"cd x && prun ./a || exit 1":                    "mpi prun",
		"if ! orterun ./a; then exit 1; fi":             "mpi orterun",
		"for i in 1 2; do mpiexec ./a; done":            "mpi mpiexec",
		"out=$(mpirun ./a)":                             "mpi mpirun",
		"mpirun -np 4 \\\n  gmx_mpi mdrun":              "mpi mpirun, application GROMACS, mpi gmx_mpi",
		"module load mpich/4 CUDA/12":                   "mpi module mpich, gpu module cuda",
		"ml mvapich2":                                   "mpi module mvapich2",
		"module unload openmpi":                         "",
		"export OMP_NUM_THREADS=8":                      "threads OMP_NUM_THREADS 8",
		"MKL_NUM_THREADS=4 ./a":                         "threads MKL_NUM_THREADS 4",
		"setenv OMP_NUM_THREADS 2":                      "threads OMP_NUM_THREADS 2",
		"export OMP_NUM_THREADS=${N:-8}":                "threads OMP_NUM_THREADS",
		"nvidia-smi -L":                                 "gpu nvidia-smi",
		"nvidia-smi | head -1":                          "gpu nvidia-smi",
		"gmx mdrun -nt 16 -nb gpu":                      "application GROMACS, threads -nt 16, gpu -nb gpu",
		"pmemd.cuda -O":                                 "application Amber, gpu pmemd.cuda",
		"mpirun simpleFoam -parallel":                   "mpi mpirun, application OpenFOAM, mpi -parallel",
		"singularity exec --nv a.sif python a":          "gpu singularity --nv",
		"srun -n 4 apptainer run a.sif bwa mem -t 8 x":  "mpi srun?, application genomics, threads bwa, threads -t 8",
		"torchrun --nproc-per-node=8 train.py":          "gpu torchrun",
		"python -m torch.distributed.launch train.py":   "gpu python -m torch.distributed.launch",
		"timeout -k 5 60 mpirun ./a":                    "mpi mpirun",
		"env A=1 mpirun ./a":                            "mpi mpirun",
		"# mpirun ./a":                                  "",
		"./a # mpirun":                                  "",
		"echo mpirun":                                   "",
		"echo 'x\nmpirun ./a\n'":                        "",
		"cat <<END\nmpirun ./a\nEND\n./a":               "",
		"cat <<-'END'\n\tmpirun ./a\n\tEND\nmpirun ./a": "mpi mpirun",
		"cat <<<mpirun\nnvidia-smi":                     "gpu nvidia-smi",
		"n=$((1<<k))\nmpirun ./a":                       "mpi mpirun",
		"mpirun() { :; }":                               "mpi mpirun", // a limit that is documented
		"if [ -x nvidia-smi ]; then :; fi":              "",
		"./a >mpirun 2>&1":                              "",
		"case $x in mpirun) ;; esac":                    "",
	} {
		if got := told("#!/bin/bash\n" + body + "\n"); got != want {
			t.Errorf("%q: %s, want %s", body, got, want)
		}
	}
}

func TestPythonGivesAwayWhatItImports(t *testing.T) {
	for body, want := range map[string]string{
		"import torch.nn as nn":                             "gpu import torch",
		"from mpi4py import MPI":                            "mpi import mpi4py",
		"import os, jax":                                    "gpu import jax",
		"\"\"\"\nimport torch\n\"\"\"\nimport cupy":         "gpu import cupy",
		"x = '''a'''\nimport cupy":                          "gpu import cupy",
		"# '''\nimport cupy":                                "gpu import cupy",
		"os.environ[\"OMP_NUM_THREADS\"] = '4'":             "threads OMP_NUM_THREADS 4",
		"import numpy # torch":                              "",
		"print('import torch')":                             "",
		"from concurrent.futures import ThreadPoolExecutor": "threads import concurrent?",
	} {
		if got := told("#!/usr/bin/env python3\n" + body + "\n"); got != want {
			t.Errorf("%q: %s, want %s", body, got, want)
		}
	}
}

func TestOtherInterpretersGiveNothingAway(t *testing.T) {
	for interpreter, shell := range map[string]bool{
		"/bin/sh": true, "/bin/bash -l": true, "/usr/bin/env bash": true, "/usr/bin/env -S bash -l": true, "/usr/bin/env A=1 zsh": true,
		"/usr/bin/perl": false, "/usr/bin/env Rscript": false, "": false, "/bin/bashful": false,
	} {
		if got := told("#!" + interpreter + "\nmpirun ./a\n"); (got != "") != shell {
			t.Errorf("%s: %q", interpreter, got)
		}
	}
}

func TestEvidenceIsTheLineItIsOn(t *testing.T) {
	hints := read("#!/bin/bash\n\n\n  cd x; mpirun ./a  \n")
	i := slices.IndexFunc(hints, func(h Hint) bool { return h.Word == "mpirun" })
	if i < 0 || hints[i].Line != 4 || hints[i].Column != 9 || hints[i].Text != "cd x; mpirun ./a" {
		t.Errorf("%+v", hints)
	}
}
