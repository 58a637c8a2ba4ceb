package slurmjob

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/advise"
)

func records(t testing.TB) []Record {
	t.Helper()
	data, err := os.ReadFile("testdata/jobs.txt")
	if err != nil {
		t.Fatal(err)
	}
	return Parse(string(data))
}

// What sbatch was given for each is in the comment.
func TestRecordsAsScontrolPrintsThem(t *testing.T) {
	base := Record{Job: advise.Job{Partition: "hpc", User: "ann", Tasks: 1, CPUsPerTask: 1, Requeue: true}, State: "PENDING"}
	with := func(id, name string, f func(*Record)) Record {
		r := base
		r.ID, r.Name = id, name
		f(&r)
		return r
	}
	want := []Record{
		with("1", "plain", func(*Record) {}),
		with("2", "mpi", func(r *Record) { // -N 8 --ntasks-per-node=36 --mem=100G -t 4:00:00
			r.MinNodes, r.MaxNodes, r.Tasks, r.TasksPerNode, r.MemoryPerNodeMiB, r.TimeLimit, r.MinCPUs = 8, 8, 288, 36, 100<<10, 4*time.Hour, 36
		}),
		with("3", "tasks", func(r *Record) { // -n 288 -c 2 --mem-per-cpu=2G -t 1-12 --no-requeue
			r.Tasks, r.CPUsPerTask, r.MemoryPerCPUMiB, r.TimeLimit, r.Requeue, r.MinCPUs = 288, 2, 2<<10, 36*time.Hour, false, 2
		}),
		with("4", "range", func(r *Record) { r.MinNodes, r.MaxNodes, r.Tasks = 2, 4, 2 }), // -N 2-4 --exclusive -t UNLIMITED
		with("5", "gpus", func(r *Record) { // -N 2 --gpus-per-node=a100:4 --mem-per-gpu=32G, and a comment that looks like GPUs
			r.MinNodes, r.MaxNodes, r.Tasks, r.MemoryPerGPUMiB = 2, 2, 2, 32<<10
			r.GPUs = []advise.GPU{{Model: "a100", Count: 4, Per: advise.PerNode}}
		}),
		with("6", "gres", func(r *Record) { // -N 1 --gres=gpu:2 --hint=nomultithread -n 4
			r.MinNodes, r.MaxNodes, r.Tasks, r.OneThread = 1, 1, 4, true
			r.GPUs = []advise.GPU{{Count: 2}}
		}),
		with("7", "jobgpus", func(r *Record) { // --gpus=16 -n 16 --cpus-per-gpu=4
			r.Tasks, r.CPUsPerTask = 16, 4
			r.GPUs = []advise.GPU{{Count: 16, Per: advise.PerJob}}
		}),
		with("8", "taskgpus", func(r *Record) { // --gpus-per-task=a100:1 -n 8
			r.Tasks = 8
			r.GPUs = []advise.GPU{{Model: "a100", Count: 1, Per: advise.PerTask}}
		}),
		with("9", "array", func(r *Record) { // --array=1-10%3 -n 4 --mem=0
			r.ArrayID, r.Task, r.ArrayTasks, r.Tasks = "9", "1-10%3", 10, 4
		}),
		with("10", "tpn", func(r *Record) { r.Tasks, r.TasksPerNode, r.OneThread, r.MinCPUs = 100, 20, true, 20 }),     // -n 100 --ntasks-per-node=20 --threads-per-core=1
		with("12", "odd", func(r *Record) { r.Doubtful, r.User, r.Tasks = true, "", 2 }),                               // -J 'odd UserId=ann(1000) name' -n 2
		with("13", "j.sh", func(r *Record) { r.HetID, r.HetOffset, r.Tasks, r.MemoryPerNodeMiB = "13", "0", 2, 1024 }), // -n 2 --mem=1G : -n 8 -N 2
		with("14", "j.sh", func(r *Record) {
			r.HetID, r.HetOffset, r.MinNodes, r.MaxNodes, r.Tasks, r.MemoryPerNodeMiB = "13", "1", 2, 2, 8, 1024
		}),
		with("15", "shape", func(r *Record) { // -N 2 --sockets-per-node=2 --cores-per-socket=4 --threads-per-core=2 --mincpus=8
			r.MinNodes, r.MaxNodes, r.Tasks, r.MinCPUs, r.MinCores, r.ThreadsPerCore = 2, 2, 32, 8, 8, 2
		}),
		// -n 4 --constraint=c6i&efa --licenses=ansys:2,matlab --nodelist=node[001-002] --exclude=node009 --begin=now+1hour --tmp=10G --contiguous
		with("16", "wishes", func(r *Record) {
			r.Tasks, r.Constraint, r.Nodes = 4, "c6i&efa", "node[001-002]"
			r.Unjudged = []string{"--begin=2026-11-25T15:45:06", "--contiguous", "--exclude=node009", "--licenses=ansys:2,matlab", "--nodelist=node[001-002]", "--tmp=10G"}
		}),
		with("17", "socketgpus", func(r *Record) { // --sockets-per-node=2 --gpus-per-socket=a100:2
			r.MinCores, r.GPUs = 2, []advise.GPU{{Model: "a100", Count: 4, Per: advise.PerNode}}
		}),
	}
	if d := cmp.Diff(want, records(t)); d != "" {
		t.Error(d)
	}
}

func TestAJobThatHasItsNodesHasThatMany(t *testing.T) {
	text := strings.ReplaceAll(strings.ReplaceAll(testRecord(t, "3"), "JobState=PENDING", "JobState=CONFIGURING"), "NumNodes=8 ", "NumNodes=16 ")
	if r := Parse(text)[0]; r.MinNodes != 16 || r.MaxNodes != 16 {
		t.Errorf("%+v", r)
	}
}

func TestAJobThatHasBegunWaitsForNoTime(t *testing.T) {
	text := strings.ReplaceAll(strings.ReplaceAll(testRecord(t, "16"), "JobState=PENDING", "JobState=CONFIGURING"), " NodeList= ", " NodeList=node[003-004] ")
	if r := Parse(text)[0]; r.Nodes != "node[003-004]" || strings.HasPrefix(r.Unjudged[0], "--begin") {
		t.Errorf("%+v", r)
	}
}

func testRecord(t *testing.T, id string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/jobs.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "JobId="+id+" ") {
			return line
		}
	}
	t.Fatalf("no job %s", id)
	return ""
}

func TestFind(t *testing.T) {
	all := records(t)
	task := all[8]
	task.ID, task.Task, task.ArrayTasks = "21", "3", 1
	all = append(all, task)
	for id, want := range map[string]struct {
		id     string
		others int
	}{"2": {"2", 0}, "9_3": {"21", 0}, "21": {"21", 0}, "9": {"9", 1}, "13": {"13", 1}, "13+1": {"14", 0}, "14": {"14", 0}} {
		if r, others, err := Find(all, id); r.ID != want.id || others != want.others || err != nil {
			t.Errorf("%s: job %s and %d others, %v", id, r.ID, others, err)
		}
	}
	if _, _, err := Find(all, "99"); !errors.Is(err, ErrNoJob) {
		t.Error(err)
	}
}

func TestWordsOfSlurm(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"UNLIMITED": 0, "Partition_Limit": 0, "": 0, "30:00": 30 * time.Minute, "04:00:00": 4 * time.Hour, "1-12:00:00": 36 * time.Hour, "-5:00": 0, "999999999-00:00:00": 0,
	} {
		if got := span(text); got != want {
			t.Errorf("%s is %v", text, got)
		}
	}
	for text, want := range map[string]int{"0": 0, "100G": 100 << 10, "1.50T": 1536 << 10, "180000M": 180000, "4": 4, "512K": 0, "nan": 0, "-1G": 0, "9999999999P": 0} {
		if got := mebibytes(text); got != want {
			t.Errorf("%s is %d MiB", text, got)
		}
	}
	for text, want := range map[string]int{"7": 1, "1-10%3": 10, "3-5,9%2": 4, "0-15:4": 4, "5-3": 1} {
		if got := tasks(text); got != want {
			t.Errorf("%s is %d tasks", text, got)
		}
	}
	for text, want := range map[string]advise.GPU{
		"gres:gpu": {Count: 1}, "gres:gpu:2": {Count: 2}, "gres:gpu:a100": {Model: "a100", Count: 1}, "gres:gpu:a100:4": {Model: "a100", Count: 4},
		"gres/gpu=2": {Count: 2}, "gres/gpu:h100=8": {Model: "h100", Count: 8}, "gres:nic:1": {}, "gres:gpuish:2": {}, "gres:gpu:0": {}, "": {},
	} {
		if got, ok := gpu(text); ok != (want.Count > 0) || ok && got != want {
			t.Errorf("%s is %+v, %v", text, got, ok)
		}
	}
}

// FuzzParse: names, paths and comments are the users'.
func FuzzParse(f *testing.F) {
	data, err := os.ReadFile("testdata/jobs.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, r := range Parse(text) {
			if r.ID == "" || r.MinNodes < 0 || r.Tasks < 0 || r.CPUsPerTask < 0 || r.MemoryPerNodeMiB < 0 || r.MemoryPerCPUMiB < 0 || r.TimeLimit < 0 || r.ArrayTasks < 0 {
				t.Fatalf("%+v", r)
			}
			for _, g := range r.GPUs {
				if g.Count <= 0 {
					t.Fatalf("%+v", r)
				}
			}
		}
	})
}
