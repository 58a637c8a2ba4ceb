package swf

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/simulator/workload"
	"aws-slurm-burst/simulator/workload/trace"
)

// read collects a log.
func read(t *testing.T, text string, o Options) ([]workload.Job, *Reader, error) {
	t.Helper()
	o.Name = "t.swf"
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

// row makes a line: job, submit, wait, run, got, asked, limit, status.
func row(id, submit, wait, run, got, asked, limit, status any) string {
	return fmt.Sprintf("%v %v %v %v %v -1 -1 %v %v -1 %v 1 1 -1 -1 -1 -1 -1\n", id, submit, wait, run, got, asked, limit, status)
}

var lenient = Options{Options: trace.Options{Lenient: true}}

func TestAJobIsReadWholeAndItsOutcomesAreKeptApart(t *testing.T) {
	jobs, r, err := read(t, `; Version: 2.2
; Partition: 3 gpu (the new one)
; Queue: 2 long
;
 7 100.5 20 30.25 8 12.125 555 16 3600 2000 1 11 12 13 2 3 -1 -1
 8 101 -1 0 8 -1 -1 -1 -1 -1 -1 -1 -1 -1 4 -1 7 60
`, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []workload.Job{{
		ID: 7, Submit: 100500 * time.Millisecond, Run: 30250 * time.Millisecond, Limit: time.Hour, Procs: 16, MemoryPerProc: 2,
		User: "11", Account: "12", Name: "13", Partition: "gpu", QOS: "long",
		Recorded: workload.Recorded{Wait: 20 * time.Second, Procs: 8, Status: workload.Completed},
	}, {
		ID: 8, Submit: 101 * time.Second, Procs: 8, Partition: "4", After: 7, Think: time.Minute,
		Recorded: workload.Recorded{Wait: -1, Procs: 8, Status: workload.Unknown},
	}}
	if d := cmp.Diff(want, jobs); d != "" {
		t.Error(d)
	}
	if n := r.Repairs().Count(trace.Allocated); n != 1 {
		t.Errorf("%d jobs sized by what they got", n)
	}
}

func TestAllocatedProcessorsAreTakenWhereAskedFor(t *testing.T) {
	jobs, _, err := read(t, row(1, 0, -1, 5, 8, 16, -1, 1)+row(2, 0, -1, 5, -1, 4, -1, 1), Options{Allocated: true})
	if err != nil || len(jobs) != 2 || jobs[0].Procs != 8 || jobs[1].Procs != 4 {
		t.Errorf("%+v %v", jobs, err)
	}
}

func TestHeaderKeysMayRepeatGoOnAndBeNonsense(t *testing.T) {
	r := NewReader(strings.NewReader(`; Computer: IBM SP2
;  Information: http://a
;               http://b
; maxprocs:   100 (all of them)
; MaxJobs: many
; UnixStartTime: 843480031
; MaxRuntime: 64800
; Queue: 1 batch
; Queue: 2 d`+"\x01"+`bug
; Partition: none
; Partition: 99999999999999999999 x
; Note: one
; Note: two

`+row(1, 0, 0, 1, 1, 1, 1, 1)), Options{})
	h, err := r.Header()
	if err != nil {
		t.Fatal(err)
	}
	if h.Get("information") != "http://a\nhttp://b" || h.MaxProcs != 100 || h.MaxJobs != 0 || h.MaxRuntime != 18*time.Hour ||
		h.Start.Format(time.RFC3339) != "1996-09-23T12:00:31Z" || len(h.Queues) != 1 || h.Queues[1] != "batch" || h.Partitions != nil {
		t.Errorf("%+v", h)
	}
	if n := len(h.Fields); n != 12 {
		t.Errorf("%d fields: %q", n, h.Fields)
	}
	for j, err := range r.Jobs() {
		if err != nil || j.ID != 1 {
			t.Errorf("%+v, %v", j, err)
		}
	}
}

// What is wrong with a log is one line with its place; a lenient reader goes on,
// and counts.
func TestWhatIsWrongIsSaidWithItsLineOrMended(t *testing.T) {
	good := row(1, 0, 0, 10, 1, 1, 20, 1)
	for name, c := range map[string]struct {
		log  string
		says string
		kind trace.Kind
		left []int64 // the jobs that a lenient reader has
	}{
		"too few columns":  {good + "2 5 1 1\n" + row(3, 9, 0, 1, 1, 1, 1, 1), "t.swf:2: 4 columns where", trace.BadLine, []int64{1, 3}},
		"no number":        {good + row(2, 5, 0, "x", 1, 1, 1, 1), "t.swf:2: column 4 (run time) is not a number", trace.BadLine, []int64{1}},
		"two signs":        {good + row(2, "--5", 0, 1, 1, 1, 1, 1), "t.swf:2: column 2 (submit time)", trace.BadLine, []int64{1}},
		"nan":              {good + row(2, "nan", 0, 1, 1, 1, 1, 1), "t.swf:2: column 2 (submit time)", trace.BadLine, []int64{1}},
		"too long a time":  {good + row(2, "1e15", 0, 1, 1, 1, 1, 1), "t.swf:2: column 2 (submit time) is 1000000000000000, more than", trace.BadLine, []int64{1}},
		"too many digits":  {good + row(2, "12345678901234567890123", 0, 1, 1, 1, 1, 1), "t.swf:2: column 2 (submit time)", trace.BadLine, []int64{1}},
		"too many procs":   {good + row(2, 5, 0, 1, 1, 3e9, 1, 1), "t.swf:2: column 8 (requested processors)", trace.BadLine, []int64{1}},
		"no job number":    {good + row(-1, 5, 0, 1, 1, 1, 1, 1), "t.swf:2: the job's number is -1", trace.BadLine, []int64{1}},
		"unsorted":         {row(1, 9, 0, 1, 1, 1, 1, 1) + row(2, 5, 0, 1, 1, 1, 1, 1), "t.swf:2: job 2 was submitted at 5s, before the job above it (9s)", trace.Unsorted, []int64{2, 1}},
		"a number twice":   {good + row(2, 5, 0, 1, 1, 1, 1, 1) + row(1, 6, 0, 1, 1, 1, 1, 1), "t.swf:3: a second job 1", trace.Duplicate, []int64{1, 2}},
		"cut in a line":    {good + "2 5 1", "t.swf:2: the log is cut short", trace.CutShort, []int64{1}},
		"cut in a number":  {good + strings.TrimSuffix(row(2, 5, 0, 1, 1, 1, 1, 1), "1\n"), "t.swf:2: the log is cut short", trace.CutShort, []int64{1}},
		"cut in its pack":  {pack(t, good+strings.Repeat(row(2, 5, 0, 1, 1, 1, 1, 2), 5), 10), "t.swf:6: the packed trace is damaged", trace.CutShort, []int64{1}},
		"a wrong checksum": {pack(t, good, 8) + "\x00\x00\x00\x00\x00\x00\x00\x00", "t.swf:1: the packed trace is damaged", trace.CutShort, []int64{1}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := read(t, c.log, Options{})
			if err == nil || !strings.HasPrefix(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("strict: %v, want %s", err, c.says)
			}
			jobs, r, err := read(t, c.log, lenient)
			if err != nil {
				t.Fatalf("lenient: %v", err)
			}
			var left []int64
			for _, j := range jobs {
				left = append(left, j.ID)
			}
			if d := cmp.Diff(c.left, left); d != "" {
				t.Error(d)
			}
			if r.Repairs().Count(c.kind) != 1 {
				t.Errorf("repairs %v", r.Repairs().List())
			}
		})
	}
}

// pack compresses a text, without its last bytes.
func pack(t *testing.T, text string, without int) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()[:b.Len()-without]
}

func TestWhatRealLogsHaveIsNotedAndNoError(t *testing.T) {
	log := "; MaxProcs: 64\n; MaxJobs: 99\n" +
		row(1, 10, -1, 5, 4, -1, -1, 1) + // asked for nothing known
		row(2, -1, -1, 5, 4, 4, 60, 1) + // submitted some time
		row(3, 11, -1, 5, -1, -1, 60, 5) + // of no size
		row(4, 12, -1, -1, 4, 4, 60, 5) + // never ran
		row(5, 13, -1, 0, 4, 4, 60, 1) + // ran for less than half a second
		row(6, 14, -1, 90, 4, 4, 60, 1) + // longer than it asked for
		row(6, 14, -1, 45, 4, 4, 60, 2) + // its first part
		row(7, 15, -1, 1, 128, 128, 60, 1) + // more than there is
		"8 16 -1 1 1 0.5 -1 1 60 -1 1 1 1 -1 -1 -1 -1 -1 21 columns here\n" +
		"9 17 -1 1 1 -1 -1 1 60 -1 1 1 1 -1 -1 -1 77 5\n" +
		"; a comment between\n\n \t \n" +
		"\t10\t17.0\t-1\t+1\t1\t-1\t-1\t1\t6e1\t-1\t1\t1\t1\t-1\t0\t-1\t9\t-1\r\n"
	jobs, r, err := read(t, log, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, j := range jobs {
		got = append(got, fmt.Sprintf("%d@%s run %s of %s on %d after %d", j.ID, j.Submit, j.Run, j.Limit, j.Procs, j.After))
	}
	want := []string{
		"1@10s run 5s of 0s on 4 after 0",
		"2@10s run 5s of 1m0s on 4 after 0",
		"5@13s run 0s of 1m0s on 4 after 0",
		"6@14s run 1m30s of 1m0s on 4 after 0",
		"7@15s run 1s of 1m0s on 128 after 0",
		"8@16s run 1s of 1m0s on 1 after 0",
		"9@17s run 1s of 1m0s on 1 after 0",
		"10@17s run 1s of 1m0s on 1 after 9",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if jobs[7].Partition != "0" {
		t.Errorf("queue 0 became partition %q", jobs[7].Partition)
	}
	for _, k := range []trace.Kind{trace.Allocated, trace.NoSubmit, trace.NoSize, trace.NoRun, trace.Overrun, trace.Partial, trace.TooWide, trace.ExtraColumns, trace.UnknownAfter, trace.WrongCount, trace.NoLimit} {
		if n := r.Repairs().Count(k); n != 1 {
			t.Errorf("%s: %d", k, n)
		}
	}
	if r.Repairs().LeftOut() != 3 {
		t.Errorf("%d left out", r.Repairs().LeftOut())
	}
}

func TestAJobWaitsForNoneThatWasLeftOut(t *testing.T) {
	jobs, r, err := read(t, row(1, 0, -1, -1, 4, 4, 60, 5)+"2 1 -1 1 1 -1 -1 1 60 -1 1 1 1 -1 -1 -1 1 5\n3 1 -1 1 1 -1 -1 1 60 -1 1 1 1 -1 -1 -1 3 5\n4 1 -1 1 1 -1 -1 1 60 -1 1 1 1 -1 -1 -1 2 5\n", Options{})
	if err != nil || len(jobs) != 3 || jobs[0].After != 0 || jobs[1].After != 0 || jobs[2].After != 2 || r.Repairs().Count(trace.UnknownAfter) != 2 {
		t.Errorf("%+v %v %v", jobs, r.Repairs().List(), err)
	}
}

func TestALogWithoutJobsIsAnError(t *testing.T) {
	for name, c := range map[string]struct{ log, says string }{
		"empty":        {"", "t.swf: no job in it"},
		"header alone": {"; Version: 2.2\n", "t.swf: no job in it"},
		"none ran":     {row(1, 0, -1, -1, 4, 4, 60, 5), "t.swf: none of its 1 jobs can be run; no_run: 1 (line 1)"},
		"no text":      {strings.Repeat("\x00", 3<<20), "t.swf:1: the line has more than"},
		"packed":       {pack(t, "; x\n", 0), "t.swf: no job in it"},
		"half a pack":  {"\x1f\x8b\x08", "t.swf: the packed trace is damaged"},
	} {
		if _, _, err := read(t, c.log, Options{}); err == nil || !strings.HasPrefix(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := read(t, c.log, lenient); err == nil {
			t.Errorf("%s: a lenient reader has no error", name)
		}
	}
}

func TestABrokenStreamIsAnErrorHoweverLenient(t *testing.T) {
	broken := errors.New("the disk is gone")
	r := NewReader(io.MultiReader(strings.NewReader(row(1, 0, 0, 1, 1, 1, 1, 1)), iotest.ErrReader(broken)), lenient)
	var last error
	for _, err := range r.Jobs() {
		last = err
	}
	if last == nil || !strings.Contains(last.Error(), "the disk is gone") {
		t.Error(last)
	}
}

func TestLenientOrderHasAWindow(t *testing.T) {
	var log strings.Builder
	for i := range 100 {
		log.WriteString(row(i+2, 1000+i, 0, 1, 1, 1, 1, 1))
	}
	log.WriteString(row(1, 5, 0, 1, 1, 1, 1, 1))
	o := lenient
	o.Window = 100
	if jobs, _, err := read(t, log.String(), o); err != nil || jobs[0].ID != 1 || len(jobs) != 101 {
		t.Errorf("%d jobs, %v", len(jobs), err)
	}
	o.Window = 99
	jobs, _, err := read(t, log.String(), o)
	if err == nil || !strings.HasPrefix(err.Error(), "t.swf:101: job 1 was submitted before more than 99 jobs above it") || len(jobs) != 100 {
		t.Errorf("%d jobs, %v", len(jobs), err)
	}
}

// A log of any size is read in little memory: this one has no end.
func TestALogIsStreamed(t *testing.T) {
	r := NewReader(&endless{}, Options{})
	n := 0
	for j, err := range r.Jobs() {
		if n++; err != nil || j.ID != int64(n) {
			t.Fatalf("%+v %v", j, err)
		}
		if n == 10_000 {
			break
		}
	}
}

// endless is a log without an end, which nobody may read far ahead.
type endless struct {
	jobs, read int
	rest       []byte
}

func (e *endless) Read(p []byte) (int, error) {
	for len(e.rest) < len(p) {
		e.jobs++
		e.rest = append(e.rest, row(e.jobs, e.jobs, 0, 1, 1, 1, 1, 1)...)
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	if e.read += n; e.read > 1<<20 {
		return 0, errors.New("read far ahead")
	}
	return n, nil
}

// archived opens a log of the Parallel Workloads Archive.
func archived(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("../../../../shared/data/" + name)
	if err != nil {
		if os.Getenv("ASBA_REQUIRE_TRACES") != "" {
			t.Fatal(err)
		}
		t.Skipf("no logs of the archive here: %v", err)
	}
	return data
}

func TestRealLogsAreReadWhole(t *testing.T) {
	for name, want := range map[string]string{
		"KTH-SP2-1996-2.swf.gz":            "28489 jobs, 100 procs; overrun: 475 wrong_count: 1",
		"LLNL-Thunder-2007-1.1-cln.swf.gz": "118791 jobs, 4008 procs; no_size: 2248 allocated: 4 no_limit: 80200 overrun: 1101 wrong_count: 1",
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader(bytes.NewReader(archived(t, name)), Options{})
			n, last := 0, time.Duration(0)
			for j, err := range r.Jobs() {
				if err != nil {
					t.Fatal(err)
				}
				if n++; j.Submit < last || j.Procs < 1 {
					t.Fatalf("%+v", j)
				}
				last = j.Submit
			}
			h, _ := r.Header()
			got := fmt.Sprintf("%d jobs, %d procs;", n, h.MaxProcs)
			for _, rep := range r.Repairs().List() {
				got += fmt.Sprintf(" %s: %d", rep.Kind, rep.Count)
			}
			if got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	packed := archived(b, "KTH-SP2-1996-2.swf.gz")
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		b.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		b.Fatal(err)
	}
	run := func(data []byte, o Options) func(*testing.B) {
		return func(b *testing.B) {
			b.SetBytes(int64(len(plain)))
			b.ReportAllocs()
			jobs := 0
			for b.Loop() {
				for _, err := range NewReader(bytes.NewReader(data), o).Jobs() {
					if err != nil {
						b.Fatal(err)
					}
					jobs++
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(jobs), "ns/job")
		}
	}
	// What it costs to find the lines alone.
	b.Run("floor", func(b *testing.B) {
		b.SetBytes(int64(len(plain)))
		for b.Loop() {
			for lines := bufio.NewScanner(bytes.NewReader(plain)); lines.Scan(); {
			}
		}
	})
	b.Run("unpacked", func(b *testing.B) { // and to unpack
		b.SetBytes(int64(len(plain)))
		for b.Loop() {
			z, err := gzip.NewReader(bytes.NewReader(packed))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, z); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("packed", run(packed, Options{}))
	b.Run("plain", run(plain, Options{}))
	b.Run("lenient", run(plain, lenient))
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("; MaxJobs: 2\n"+row(1, 5, 0, 1, 1, 1, 1, 1)+row(2, 4.5, -1, "1e3", -1, 3, -1, 5)), uint8(3))
	f.Add([]byte("; Queue: 1 a\n;  b\n\n1 2 3\r\n"+row(1, -1, 0, 1, 1, 1, 1, 2)), uint8(0))
	f.Add([]byte("\x1f\x8b\x08"), uint8(1))
	r := rand.New(rand.NewPCG(1, 1))
	for range 10 {
		var b strings.Builder
		for i := range 5 {
			b.WriteString(row(i, r.IntN(9)-1, r.Float64(), r.IntN(99)-1, r.IntN(4)-1, r.IntN(4)-1, r.IntN(9)-1, r.IntN(6)))
		}
		f.Add([]byte(b.String()), uint8(r.IntN(8)))
	}
	f.Fuzz(func(t *testing.T, log []byte, window uint8) {
		for _, o := range []Options{{}, {Options: trace.Options{Lenient: true, Window: int(window)}}} {
			r := NewReader(bytes.NewReader(log), o)
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
				if j.ID < 1 || j.Procs < 1 || j.Submit < last || j.Run < 0 || j.Limit < 0 || j.Think < 0 || j.Recorded.Wait < -1 {
					t.Errorf("%+v after %s", j, last)
				}
				last = j.Submit
			}
			for _, rep := range r.Repairs().List() {
				if !o.Lenient && rep.Kind.Mended() {
					t.Errorf("mended, though strict: %s", rep)
				}
			}
		}
	})
}
