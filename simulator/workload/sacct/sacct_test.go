package sacct

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/simulator/workload"
	"aws-slurm-burst/simulator/workload/trace"
)

func read(text string, o Options) ([]workload.Job, *Reader, error) {
	o.Name = "t.txt"
	r := NewReader(strings.NewReader(text), o)
	var jobs []workload.Job
	for j, err := range r.Jobs() {
		if err != nil {
			return jobs, r, err
		}
		jobs = append(jobs, j)
	}
	return jobs, r, nil
}

var lenient = Options{Options: trace.Options{Lenient: true}}

// whole is what the package's own command prints, with what accounts have.
const whole = `JobIDRaw|JobID|User|Account|Partition|QOS|JobName|Submit|Eligible|Start|End|ElapsedRaw|TimelimitRaw|State|ReqNodes|ReqCPUS|AllocCPUS|ReqTRES|Constraints|SubmitLine
100|100|ada|waves|cpu|normal|a.sh|1760000100|1760000100|1760000160|1760003760|3600|120|COMPLETED|2|64|64|billing=64,cpu=64,mem=128000M,node=2||sbatch --exclusive a.sh --no-requeue
100.batch|100.batch|||||batch|1760000160|1760000160|1760000160|1760003760|3600||COMPLETED|1|32|32|||
101|101|bob|heat|gpu,cpu|high|train|1760000050|1760000050|1760000060|1760000070|10|Partition_Limit|CANCELLED by 1000|1|8|8|billing=8,cpu=8,gres/gpu:a100=3,gres/gpu=3,mem=2.5G,node=1|a100&nvlink|sbatch -C a100 run.sh
102|102|bob|heat|cpu|normal|next|1760000200|1760003760|1760003800|1760003900|100|UNLIMITED|FAILED|1|1|2|cpu=1,node=1||sbatch --dependency=afterok:100 next.sh
103|103|bob|heat|cpu|normal|late|1760000210|1760090000|1760090001|1760090002|1|1|TIMEOUT|1|1|1|cpu=1,node=1||sbatch --begin=tomorrow x.sh
104|90_3|ada|waves|cpu|normal|arr|1760000220|1760000220|1760000300|1760000400|100|60|COMPLETED|1|1|1|cpu=1,node=1||sbatch --array=1-5 b.sh
90|90_[4-5]|ada|waves|cpu|normal|arr|1760000220|1760000220|Unknown|Unknown|0|60|PENDING|1|1|0|cpu=1,node=1||sbatch --array=1-5 b.sh
105|105|ada|waves|cpu|normal|never|1760000230|1760000230|None|1760000231|0|60|CANCELLED by 1001|1|1|0|cpu=1,node=1||sbatch c.sh
106|106+0|ada|waves|cpu|normal|het|1760000240|1760000240|1760000300|1760000400|100|60|COMPLETED|1|1|1|cpu=1,node=1||sbatch het.sh
107|106+1|ada|waves|cpu|normal|het|1760000240|1760000240|1760000300|1760000400|100|60|COMPLETED|1|4|4|cpu=4,node=1||sbatch het.sh
108|108|ada|waves|cpu|normal|again|1760000250|1760000250|1760000300|1760000350|50|60|NODE_FAIL|1|1|1|cpu=1,node=1||sbatch again.sh
108|108|ada|waves|cpu|normal|again|1760000360|1760000480|1760000500|1760002000|1500|60|COMPLETED|1|1|1|cpu=1,node=1||sbatch again.sh
109|109|ada|waves|cpu|normal|now|1760000260|1760000260|1760000300|Unknown|700|60|RUNNING|1|1|1|cpu=1,node=1||sbatch --wrap "a | b
and a second line"
`

func TestAnAccountIsReadAsItIs(t *testing.T) {
	jobs, r, err := read(whole, Options{})
	if err != nil {
		t.Fatal(err)
	}
	const s, m, h = time.Second, time.Minute, time.Hour
	job := func(id int64, submit, run, limit time.Duration, wait time.Duration) workload.Job {
		return workload.Job{ID: id, Submit: submit, Run: run, Limit: limit, Procs: 1, Nodes: 1, User: "ada", Account: "waves", Partition: "cpu", QOS: "normal",
			Recorded: workload.Recorded{Wait: wait, Procs: 1, Status: workload.Completed}}
	}
	want := make([]workload.Job, 9)
	want[0] = workload.Job{ID: 101, Submit: 0, Run: 10 * s, Procs: 8, Nodes: 1, GPUsPerNode: 3, MemoryPerNode: 2560, User: "bob", Account: "heat",
		Partition: "gpu", QOS: "high", Name: "train", Constraint: "a100&nvlink", Recorded: workload.Recorded{Wait: 10 * s, Procs: 8, Status: workload.Cancelled}}
	want[1] = workload.Job{ID: 100, Submit: 50 * s, Run: h, Limit: 2 * h, Procs: 64, Nodes: 2, MemoryPerNode: 64000, User: "ada", Account: "waves",
		Partition: "cpu", QOS: "normal", Name: "a.sh", Exclusive: true, Recorded: workload.Recorded{Wait: 60 * s, Procs: 64, Status: workload.Completed}}
	want[2] = job(102, 150*s, 100*s, 0, 40*s)
	want[2].User, want[2].Account, want[2].Name, want[2].After, want[2].AfterOK = "bob", "heat", "next", 100, true
	want[2].Recorded.Procs, want[2].Recorded.Status = 2, workload.Failed
	want[3] = job(103, 160*s, s, m, s)
	want[3].User, want[3].Account, want[3].Name, want[3].Begin = "bob", "heat", "late", 89950*s
	want[3].Recorded.Status = workload.Failed
	want[4] = job(104, 170*s, 100*s, h, 80*s)
	want[4].Name, want[4].Array, want[4].Task = "arr", 90, 3
	want[5] = job(106, 190*s, 100*s, h, 60*s)
	want[6] = job(107, 190*s, 100*s, h, 60*s)
	want[5].Name, want[6].Name, want[6].Procs, want[6].Recorded.Procs = "het", "het", 4, 4
	want[7] = job(108, 200*s, 1500*s, h, 50*s)
	want[7].Name = "again"
	want[8] = job(109, 210*s, 700*s, h, 40*s)
	want[8].Name, want[8].Recorded.Status = "now", workload.Unknown
	if d := cmp.Diff(want, jobs); d != "" {
		t.Error(d)
	}
	if r.Start().Unix() != 1760000050 {
		t.Errorf("begins at %s", r.Start())
	}
	var got []string
	for _, rep := range r.Repairs().List() {
		got = append(got, fmt.Sprintf("%s %d", rep.Kind, rep.Count))
	}
	if d := cmp.Diff([]string{"no_run 2", "unfinished 1", "requeued 1", "het_part 2", "no_limit 2"}, got, cmp.Transformer("sorted", func(s []string) map[string]bool {
		m := map[string]bool{}
		for _, x := range s {
			m[x] = true
		}
		return m
	})); d != "" {
		t.Error(d)
	}
}

func TestDatesAndOtherColumnsAreRead(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Skip(err)
	}
	jobs, r, err := read(`JobID|Submit|Start|End|Elapsed|Timelimit|State|NCPUS|NNodes|ReqMem|
7|2026-07-01T12:00:00|2026-07-01T12:01:00|2026-07-03T14:01:00|2-02:00:00|3-00:00:00|COMPLETED|8|2|4000Mc|
8|2026-07-01T12:00:10|2026-07-01T12:01:00|2026-07-01T12:01:30|00:30.123|UNLIMITED|COMPLETED|8|2|16Gn|
9|2026-07-01T12:00:20|2026-07-01T12:01:00|2026-07-01T12:01:30||01:00|CANCELLED+|8|2|16G|
`, Options{Zone: zone})
	if err != nil {
		t.Fatal(err)
	}
	if r.Start().Format(time.RFC3339) != "2026-07-01T10:00:00Z" {
		t.Error(r.Start())
	}
	var got []string
	for _, j := range jobs {
		got = append(got, fmt.Sprintf("%d run %s of %s, %d on %d, memory %d %d, %d", j.ID, j.Run, j.Limit, j.Procs, j.Nodes, j.MemoryPerProc, j.MemoryPerNode, j.Recorded.Status))
	}
	want := []string{
		"7 run 50h0m0s of 72h0m0s, 8 on 2, memory 4000 0, 1",
		"8 run 30s of 0s, 8 on 2, memory 0 16384, 1",
		"9 run 30s of 1m0s, 8 on 2, memory 0 8192, 5",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestWhatIsWrongIsSaidWithItsLineOrMended(t *testing.T) {
	const head = "JobIDRaw|JobID|Submit|Start|ElapsedRaw|TimelimitRaw|ReqCPUS|ReqTRES|ReqMem\n1|1|100|100|5|5|1||\n"
	for name, c := range map[string]struct {
		line, says string
		kind       trace.Kind
	}{
		"columns":  {"2|2|100|100|5|5\n", "t.txt:3: 6 columns where the first line has 9; mend", trace.BadLine},
		"cut":      {"2|2|100|10", "t.txt:3: the account is cut short", trace.CutShort},
		"number":   {"x|2|100|100|5|5|1||\n", `t.txt:3: "x" is no job's number; mend`, trace.BadLine},
		"array":    {"|2_3|100|100|5|5|1||\n", `t.txt:3: job "2_3" has no number of its own; print JobIDRaw, too`, trace.BadLine},
		"task":     {"2|2_x|100|100|5|5|1||\n", `t.txt:3: "2_x" is no task of an array`, trace.BadLine},
		"submit":   {"2|2|soon|100|5|5|1||\n", `t.txt:3: submit is "soon", neither seconds nor a date such as 2026-10-01T12:00:00; print the account with SLURM_TIME_FORMAT=%s; mend`, trace.BadLine},
		"unknown":  {"2|2|Unknown|100|5|5|1||\n", `t.txt:3: it is not known when the job was submitted`, trace.BadLine},
		"elapsed":  {"2|2|100|100|5s|5|1||\n", `t.txt:3: ElapsedRaw is "5s"`, trace.BadLine},
		"limit":    {"2|2|100|100|5|never|1||\n", `t.txt:3: TimelimitRaw is "never"`, trace.BadLine},
		"tres":     {"2|2|100|100|5|5|1|cpu=x|\n", `t.txt:3: ReqTRES has "cpu=x"`, trace.BadLine},
		"memory":   {"2|2|100|100|5|5|1||muchc\n", `t.txt:3: ReqMem is "muchc"`, trace.BadLine},
		"too many": {"2|2|100|100|5|5|99999999999||\n", `t.txt:3: the job has more processors`, trace.BadLine},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := read(head+c.line, Options{}); err == nil || !strings.HasPrefix(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("strict: %v, want %s", err, c.says)
			}
			jobs, r, err := read(head+c.line, lenient)
			if err != nil || len(jobs) != 1 || r.Repairs().Count(c.kind) != 1 {
				t.Errorf("lenient: %d jobs, %v, %v", len(jobs), r.Repairs().List(), err)
			}
		})
	}
	for text, says := range map[string]string{
		"":                      "t.txt: no job in it",
		"1|1|100|100|5|5|1||\n": "t.txt:1: no column JobIDRaw or JobID among the names in the first line; print the account with sacct -P -o JobIDRaw,... and without -n",
		"JobID|Submit|NCPUS\n":  "t.txt:1: no column ElapsedRaw or Elapsed or End",
		head[:strings.Index(head, "\n")+1] + "1|1|100|Unknown|0|5|1||\n": "t.txt: none of its 1 jobs can be run; no_run: 1 (line 2)",
	} {
		for _, o := range []Options{{}, lenient} {
			if _, _, err := read(text, o); err == nil || !strings.HasPrefix(err.Error(), says) {
				t.Errorf("%q: %v", text, err)
			}
		}
	}
}

func TestRunsOfAJobThatStandApartAreLeftOut(t *testing.T) {
	jobs, r, err := read("JobID|Submit|Start|ElapsedRaw|NCPUS\n1|100|100|5|1\n2|101|101|5|1\n1|110|110|7|1\n", Options{})
	if err != nil || len(jobs) != 2 || r.Repairs().Count(trace.Requeued) != 1 {
		t.Errorf("%+v %v %v", jobs, r.Repairs().List(), err)
	}
}

func TestAccountsThatWereJoinedAreOne(t *testing.T) {
	const names = "JobID|Submit|Start|ElapsedRaw|NCPUS\r\n"
	jobs, r, err := read(names+"1|100|100|5|1\r\n"+names+"2|101|101|5|1\r\n", Options{})
	if err != nil || len(jobs) != 2 || r.Repairs().Count(trace.BadLine) != 0 {
		t.Errorf("%+v %v %v", jobs, r.Repairs().List(), err)
	}
}

func BenchmarkRead(b *testing.B) {
	head, rest, _ := strings.Cut(whole, "\n")
	line, _, _ := strings.Cut(rest, "\n")
	var text bytes.Buffer
	text.WriteString(head + "\n")
	const jobs = 10_000
	for i := range jobs {
		text.WriteString(strings.ReplaceAll(line, "100|100|", fmt.Sprintf("%d|%d|", i+1, i+1)) + "\n")
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range NewReader(bytes.NewReader(text.Bytes()), Options{}).Jobs() {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/jobs, "ns/job")
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(whole), uint8(2))
	f.Add([]byte("JobID|Submit|Elapsed|Timelimit|NCPUS|\n1|2026-07-01T12:00:00|1-02:03:04|1:2|3|\n2|5|00:00|UNLIMITED|1|\n"), uint8(1))
	f.Fuzz(func(t *testing.T, text []byte, window uint8) {
		for _, o := range []Options{{}, {Options: trace.Options{Lenient: true, Window: int(window)}}} {
			r := NewReader(bytes.NewReader(text), o)
			last, ended := time.Duration(0), false
			for j, err := range r.Jobs() {
				if ended {
					t.Fatal("something after an error")
				}
				if err != nil {
					if ended = true; strings.Contains(err.Error(), "\n") {
						t.Errorf("an error of two lines: %q", err)
					}
					continue
				}
				if j.ID < 1 || j.Procs < 1 || j.Nodes < 0 || j.Submit < last || j.Run < 0 || j.Limit < 0 || j.Begin < 0 || j.MemoryPerNode < 0 || j.GPUsPerNode < 0 {
					t.Errorf("%+v after %s", j, last)
				}
				last = j.Submit
			}
		}
	})
}
