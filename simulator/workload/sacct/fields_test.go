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

// one reads a job of these columns and values, after job 1 that is always there.
func one(t *testing.T, columns, values string) (job workload.Job, repairs string, err error) {
	t.Helper()
	first := map[string]string{"JobID": "1", "Submit": "1000", "ElapsedRaw": "5", "Elapsed": "5:00", "ReqCPUS": "1", "NCPUS": "1", "AllocCPUS": "1", "Start": "1000", "End": "1005"}
	var before []string
	for c := range strings.SplitSeq(columns, "|") {
		before = append(before, first[c])
	}
	jobs, r, err := read(columns+"\n"+strings.Join(before, "|")+"\n"+values+"\n", Options{})
	if len(jobs) > 1 {
		job = jobs[1]
	}
	for _, rep := range r.Repairs().List() {
		if line := rep.Lines[len(rep.Lines)-1]; line == 3 {
			repairs += rep.Kind.String() + " "
		}
	}
	return job, strings.TrimSpace(repairs), err
}

func TestWhatNeverRanIsNoJob(t *testing.T) {
	const full, bare = "JobID|Submit|Start|End|ElapsedRaw|ReqCPUS|State", "JobID|Submit|ElapsedRaw|ReqCPUS|State"
	for _, c := range []struct {
		columns, values string
		ran             time.Duration
		repairs         string
	}{
		{full, "2|1000|1010|1020|10|1|COMPLETED", 10 * time.Second, "no_limit"},
		{full, "2|1000|1010|1010|0|1|CANCELLED by 7", 0, "no_limit"}, // it began
		{full, "2|1000|Unknown|1020|10|1|COMPLETED", -1, "no_run"},
		{full, "2|1000|1010|Unknown|10|1|PENDING", -1, "no_run"}, // requeued, and waits
		{full, "2|1000|1010|Unknown|10|1|RUNNING", 10 * time.Second, "unfinished no_limit"},
		{full, "2|1000|1010|Unknown|10|1|SUSPENDED", 10 * time.Second, "unfinished no_limit"},
		{full, "2|1000|1010|Unknown|10|1|COMPLETING", 10 * time.Second, "unfinished no_limit"},
		{bare, "2|1000|0|1|CANCELLED", -1, "no_run"},
		{bare, "2|1000|0|1|COMPLETED", 0, "no_limit"},
		{bare, "2|1000|3|1|CANCELLED", 3 * time.Second, "no_limit"},
		{bare, "2|1000|3|1|PENDING", -1, "no_run"},
		{"JobID|Submit|Start|End|ReqCPUS", "2|1000|1010|1030|1", 20 * time.Second, "no_limit"},
		{"JobID|Submit|Start|End|ReqCPUS", "2|1000|1010|1005|1", 0, "no_limit"}, // clocks that were set
		{"JobID|Submit|Start|End|ReqCPUS", "2|1000|1010|Unknown|1", -1, "no_run"},
		{"JobID|Submit|End|ReqCPUS", "2|1000|1010|1", -1, "no_run"},
	} {
		j, repairs, err := one(t, c.columns, c.values)
		if c.columns == "JobID|Submit|End|ReqCPUS" && err != nil && strings.HasPrefix(err.Error(), "t.txt: none of its 2 jobs") {
			err = nil // nor has the first
		}
		if err != nil || sortedWords(repairs) != sortedWords(c.repairs) || (j.ID != 0) != (c.ran >= 0) || j.ID != 0 && j.Run != c.ran {
			t.Errorf("%s: %+v, %q, %v; want a run of %v and %q", c.values, j, repairs, err, c.ran, c.repairs)
		}
	}
}

func sortedWords(s string) string {
	m := map[string]int{}
	for w := range strings.FieldsSeq(s) {
		m[w]++
	}
	return fmt.Sprint(m)
}

func TestAJobsSizeIsWhatItAskedForElseWhatItWasGiven(t *testing.T) {
	for _, c := range []struct {
		columns, values string
		procs, nodes    int32
		gpus            int32
		memory          int64
		repairs         string
	}{
		{"ReqCPUS|AllocCPUS|ReqTRES|ReqNodes", "4|8||", 4, 0, 0, 0, ""},
		{"ReqCPUS|AllocCPUS|ReqTRES|ReqNodes", "4|8|cpu=16,node=2,mem=10G|1", 16, 2, 0, 5120, ""},
		{"ReqCPUS|AllocCPUS|ReqTRES|ReqNodes", "4|8|mem=1.5G|3", 4, 3, 0, 512, ""},
		{"ReqCPUS|AllocCPUS|ReqTRES|NNodes", "0|8||2", 8, 2, 0, 0, "allocated"},
		{"ReqCPUS|AllocCPUS|NCPUS|NNodes", "|0|6|2", 6, 2, 0, 0, "allocated"},
		{"ReqCPUS|AllocCPUS|NCPUS", "0|0|0", 0, 0, 0, 0, "no_size"},
		{"ReqCPUS|ReqTRES", "4|gres/gpu=3,node=2", 4, 2, 2, 0, ""},
		{"ReqCPUS|ReqTRES", "4|gres/gpu:a100=2,gres/gpu:v100=3", 4, 0, 5, 0, ""},
		{"ReqCPUS|ReqTRES", "4|gres/gpu:a100=2,gres/gpu=4,gres/gpu:v100=2", 4, 0, 4, 0, ""},
		{"ReqCPUS|ReqMem|NNodes", "4|3000|2", 4, 2, 0, 1500, ""},
		{"ReqCPUS|ReqMem|NNodes", "4|?|2", 0, 0, 0, 0, "error"},
		{"ReqCPUS|ReqMem|ReqTRES", "4|9G|mem=1G", 4, 0, 0, 1024, ""}, // the later column says more
		{"ReqCPUS", "2147483647", 1<<31 - 1, 0, 0, 0, ""},
		{"ReqCPUS", "2147483648", 0, 0, 0, 0, "error"},
		{"ReqCPUS|ReqNodes", "1|2147483647", 1, 1<<31 - 1, 0, 0, ""},
		{"ReqCPUS|ReqNodes", "1|2147483648", 0, 0, 0, 0, "error"},
		{"ReqCPUS|ReqTRES", "1|gres/gpu=2147483648", 0, 0, 0, 0, "error"},
	} {
		j, repairs, err := one(t, "JobID|Submit|ElapsedRaw|Timelimit|"+c.columns, "2|1000|1|1:00:00|"+c.values)
		if c.repairs == "error" {
			if err == nil {
				t.Errorf("%s: taken as %+v", c.values, j)
			}
			continue
		}
		if err != nil || repairs != c.repairs || j.Procs != c.procs || j.Nodes != c.nodes || j.GPUsPerNode != c.gpus || j.MemoryPerNode != c.memory {
			t.Errorf("%s: %+v, %q, %v", c.values, j, repairs, err)
		}
	}
}

func TestALimitIsThatOfTheJobItself(t *testing.T) {
	for values, want := range map[string]string{
		"10||60":              "10m0s overrun=false",
		"1||60":               "1m0s overrun=false",
		"1||61":               "1m0s overrun=true",
		"UNLIMITED|2:00:00|1": "2h0m0s overrun=false",
		"|Partition_Limit|1":  "0s overrun=false",
		"|1-00:00:01|1":       "24h0m1s overrun=false",
		"|soon|1":             "error",
		"52704000||1":         "878400h0m0s overrun=false",
		"52704001||1":         "error",
		"||3162240000":        "0s overrun=false",
		"||3162240001":        "error",
	} {
		j, repairs, err := one(t, "JobID|Submit|ReqCPUS|TimelimitRaw|Timelimit|ElapsedRaw", "2|1000|1|"+values)
		got := fmt.Sprintf("%v overrun=%v", j.Limit, strings.Contains(repairs, "overrun"))
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: %s, %v; want %s", values, got, err, want)
		}
	}
	if _, _, err := one(t, "JobID|Submit|ReqCPUS|Elapsed", "2|1000|1|5s"); err == nil || !strings.Contains(err.Error(), `Elapsed is "5s", not a time`) {
		t.Error(err)
	}
}

func TestNumbersOfJobsAreTold(t *testing.T) {
	for values, want := range map[string]string{
		"2|2":            "2 0 0",
		"2|":             "2 0 0", // JobIDRaw alone
		"7|90_3":         "7 90 3",
		"7|_3":           "7 0 3",
		"7|90_[1-5]":     "no_run",
		"7|x_3":          "error",
		"7|90_x":         "error",
		"7|5_4000000000": "error",
		"7|5_2147483647": "7 5 2147483647",
		"0|0":            "error",
		"7_1|7":          "error",
		"_1|7":           "error",
	} {
		j, repairs, err := one(t, "JobIDRaw|JobID|Submit|ElapsedRaw|ReqCPUS|TimelimitRaw", values+"|1000|1|1|9")
		got := fmt.Sprintf("%d %d %d", j.ID, j.Array, j.Task)
		switch {
		case err != nil && strings.HasPrefix(err.Error(), "t.txt:3:"):
			got = "error"
		case err != nil:
			t.Errorf("%s: %v", values, err)
		case repairs != "":
			got = repairs
		}
		if got != want {
			t.Errorf("%s: %s, %v; want %s", values, got, err, want)
		}
	}
}

func TestTheSbatchLineIsReadUpToTheScript(t *testing.T) {
	for line, want := range map[string]workload.Job{
		"sbatch --exclusive a.sh":                           {Exclusive: true},
		"sbatch a.sh --exclusive":                           {},
		"sbatch -n 4 --exclusive a.sh":                      {Exclusive: true}, // 4 is -n's
		"sbatch -n4 --exclusive a.sh":                       {Exclusive: true},
		"sbatch --ntasks 4 --no-requeue a.sh":               {NoRequeue: true},
		"sbatch --ntasks=4 --no-requeue a.sh":               {NoRequeue: true},
		"sbatch -H --exclusive=user a.sh":                   {Exclusive: true},
		"sbatch --hold a.sh --no-requeue":                   {},
		"sbatch -d afterok:1 a.sh":                          {After: 1, AfterOK: true},
		"sbatch --dependency=afterany:1 a.sh":               {After: 1},
		"sbatch --dependency afterok:1":                     {After: 1, AfterOK: true},
		"sbatch --dependency=after:1 a.sh":                  {},
		"sbatch --dependency=afterok:99 a.sh":               {}, // which is not in the account
		"sbatch --dependency=afterok:2 a.sh":                {}, // itself
		"sbatch --dependency=afterok:1:5 a.sh":              {},
		"sbatch --dependency":                               {},
		"":                                                  {},
		"sbatch --job-name --exclusive -d afterok:1 run.sh": {After: 1, AfterOK: true}, // a name like an option
	} {
		j, _, err := one(t, "JobID|Submit|ElapsedRaw|ReqCPUS|SubmitLine", "2|1000|1|1|"+line)
		got := workload.Job{After: j.After, AfterOK: j.AfterOK, Exclusive: j.Exclusive, NoRequeue: j.NoRequeue}
		if d := cmp.Diff(want, got); d != "" || err != nil || j.ID != 2 {
			t.Errorf("%s: %v\n%s", line, err, d)
		}
	}
}

func TestTimesAndSizesAreReadAsSlurmPrintsThem(t *testing.T) {
	for text, want := range map[string]string{
		"00:30": "30s", "01:02:03": "1h2m3s", "2-03:04:05": "51h4m5s", "00:30.987": "30s", "1-00:00": "24h0m0s",
		"": "none", "30": "none", "1:2:3:4": "none", "x-1:00": "none", "1-": "none", "1:x": "none", "-1:00": "none", "1:1048576": "none",
	} {
		got := "none"
		if d, ok := clock(text); ok {
			got = d.String()
		}
		if got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]int64{
		"4000": 4000, "4000M": 4000, "2.5G": 2560, "1K": 1, "1025K": 2, "0": 0, "1T": 1 << 20, "2P": 1 << 31, "1023P": 1023 << 30,
		"": -1, "M": -1, "x": -1, "-1M": -1, "NaN": -1, "1024P": -1, "infG": -1,
	} {
		got, ok := mebibytes([]byte(text))
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q is %d MiB, want %d", text, got, want)
		}
	}
	for text, want := range map[string]int64{"": 0, "7": 7, "999999999999999999": 999999999999999999, "1000000000000000000": -1, "-1": -1, "1.0": -1, " 1": -1} {
		got, ok := integer([]byte(text))
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
	r := NewReader(bytes.NewReader(nil), Options{})
	for text, want := range map[string]int64{
		"": 0, "Unknown": 0, "none": 0, "INVALID": 0, "8589934591": 8589934591, "8589934592": -1,
		"1970-01-01T00:00:00": 0, "1969-12-31T23:59:59": -1, "2242-03-16T12:56:31": 8589934591, "2242-03-16T12:56:32": -1, "2026-07-01": -1,
	} {
		got, ok := r.instant([]byte(text))
		seconds := int64(got / time.Second)
		if !ok {
			seconds = -1
		}
		if seconds != want {
			t.Errorf("%q is %d, want %d", text, seconds, want)
		}
	}
	if !r.Start().IsZero() {
		t.Errorf("an account without a job begins at %v", r.Start())
	}
}

func TestLinesAreTakenApartAsSacctPutsThemTogether(t *testing.T) {
	const head = "JobID|Submit|Start|ElapsedRaw|NCPUS"
	for name, text := range map[string]string{
		"by -p":                  head + "|\n1|100|100|5|1|\n2|101|101|5|1|\n",
		"by -P, and blank lines": "\n" + head + "\n\n1|100|100|5|1\n \n2|101|101|5|1\n",
		"with steps":             head + "\n1|100|100|5|1\n1.batch|100|100|5|1\n1.0|100|100|5|1\n2|101|101|5|1\n",
		"the job's number last":  "Submit|Start|ElapsedRaw|NCPUS|JobID\n100|100|5|1|1\n101|101|5|1|2\n",
		"with JobIDRaw alone":    "JobIDRaw|Submit|Start|ElapsedRaw|NCPUS\n1|100|100|5|1\n1.batch|100|100|5|1\n2|101|101|5|1\n",
		"commands of many lines": head + "|SubmitLine\n1|100|100|5|1|sbatch --wrap a\nb | c\n\n| d\n2|101|101|5|1|sbatch x|y\n",
	} {
		jobs, r, err := read(text, Options{})
		if err != nil || len(jobs) != 2 || jobs[0].ID != 1 || jobs[1].ID != 2 || r.Repairs().LeftOut() != 0 {
			t.Errorf("%s: %+v, %v, %v", name, jobs, r.Repairs().List(), err)
		}
	}
	for text, says := range map[string]string{
		"\n1|100|100|5|1|2\n": "t.txt:3: 6 columns where the first line has 5",
		"\n1|100|100|5\n":     "t.txt:3: 4 columns where the first line has 5",
		"\n1|100|100|5":       "t.txt:3: the account is cut short",
		"\n1|100|100|5|1|2":   "t.txt:3: 6 columns where the first line has 5",
	} {
		if _, _, err := read("\n"+head+text, Options{}); err == nil || !strings.HasPrefix(err.Error(), says) {
			t.Errorf("%q: %v, want %s", text, err, says)
		}
	}
	jobs, _, err := read("JobID;Submit;ElapsedRaw;NCPUS\n1;100;5;1\n", Options{Delimiter: ';'})
	if err != nil || len(jobs) != 1 {
		t.Errorf("%+v, %v", jobs, err)
	}
}

func TestTheLaterRunOfAJobIsItsRunHoweverTheyArePrinted(t *testing.T) {
	const early, late = "1|100|110|100|7|1|NODE_FAIL\n", "1|300|320|420|100|1|COMPLETED\n"
	for _, text := range []string{early + late, late + early} {
		jobs, r, err := read("JobID|Submit|Start|End|ElapsedRaw|NCPUS|State\n"+text, Options{})
		if err != nil || len(jobs) != 1 || jobs[0].Run != 100*time.Second || jobs[0].Recorded.Wait != 10*time.Second || r.Start().Unix() != 100 || r.Repairs().Count(trace.Requeued) != 1 {
			t.Errorf("%+v, %v", jobs, err)
		}
	}
}

func TestWhatWasWaitedForIsKnownWhereTheBeginningIs(t *testing.T) {
	for values, want := range map[string]time.Duration{"1000|1030": 30 * time.Second, "1020|1030": 10 * time.Second, "1040|1030": 0, "1000|": -1} {
		columns := "JobID|Submit|ElapsedRaw|ReqCPUS|Eligible|Start"
		if strings.HasSuffix(values, "|") {
			columns, values = "JobID|Submit|ElapsedRaw|ReqCPUS|Eligible", strings.TrimSuffix(values, "|")
		}
		j, _, err := one(t, columns, "2|1000|1|1|"+values)
		if err != nil || j.Recorded.Wait != want {
			t.Errorf("%s: %+v, %v", values, j.Recorded, err)
		}
	}
	j, _, err := one(t, "JobID|Submit|ElapsedRaw|ReqCPUS|Constraints|AllocCPUS", "2|1000|1|1|None|many")
	if err != nil || j.Constraint != "" || j.Recorded.Procs != 0 {
		t.Errorf("%+v, %v", j, err)
	}
}
