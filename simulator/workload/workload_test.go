package workload

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var errEnd = errors.New("cut short")

// of yields jobs, and an error at the end where fails is set.
func of(fails bool, jobs ...Job) Source {
	return func(yield func(Job, error) bool) {
		for _, j := range jobs {
			if !yield(j, nil) {
				return
			}
		}
		if fails {
			yield(Job{}, errEnd)
		}
	}
}

func collect(s Source) (jobs []Job, err error) {
	for j, err := range s {
		if err != nil {
			return jobs, err
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

func at(id int64, seconds int) Job { return Job{ID: id, Submit: time.Duration(seconds) * time.Second} }

func brief(jobs []Job) string {
	s := ""
	for _, j := range jobs {
		s += fmt.Sprintf("%d@%v ", j.ID, j.Submit.Seconds())
	}
	return s
}

func TestOrderKeepsJobsOfOneInstantAsTheyCame(t *testing.T) {
	jobs, err := collect(Order(of(true, at(1, 5), at(2, 3), at(3, 5), at(4, 3), at(5, 9)), 10, nil))
	if got := brief(jobs); got != "2@3 4@3 1@5 3@5 5@9 " || !errors.Is(err, errEnd) {
		t.Error(got, err)
	}
}

func TestOrderHoldsAWindowOfJobsAndNoMore(t *testing.T) {
	tooFar := func(j Job) error { return fmt.Errorf("%d is too far", j.ID) }
	for window, want := range map[int]string{1: "1@20 3 is too far", 2: "3@10 1@20 2@20 4@20 "} {
		jobs, err := collect(Order(of(false, at(1, 20), at(2, 20), at(3, 10), at(4, 20)), window, tooFar))
		got := brief(jobs)
		if err != nil {
			got = brief(jobs[:1]) + err.Error()
		}
		if got != want {
			t.Errorf("window %d: %s, want %s", window, got, want)
		}
	}
	// A job of the instant of one that has gone on is in its place.
	if jobs, err := collect(Order(of(false, at(1, 20), at(2, 20), at(3, 20)), 0, tooFar)); brief(jobs) != "1@20 2@20 3@20 " || err != nil {
		t.Error(brief(jobs), err)
	}
}

func TestPlacesOfJobsAreUsedAgain(t *testing.T) {
	var w waiting
	for i := range 1000 {
		j := at(int64(i), i)
		w.push(&j)
		if len(w.queue) > 10 {
			w.pop()
		}
	}
	if len(w.jobs) != 11 || len(w.free) != 1 {
		t.Errorf("%d places for a window of ten, %d free", len(w.jobs), len(w.free))
	}
}

func TestOrderEndsWhereAJobIsTooFarFromItsPlace(t *testing.T) {
	fail := func(j Job) error { return fmt.Errorf("job %d", j.ID) }
	jobs, err := collect(Order(of(false, at(1, 5), at(2, 6), at(3, 7), at(4, 1)), 2, fail))
	if got := brief(jobs); got != "1@5 2@6 3@7 " || err == nil || err.Error() != "job 4" {
		t.Error(got, err)
	}
}

func TestOrderSortsAsSortingDoes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		var jobs []Job
		for i := range r.IntN(300) {
			jobs = append(jobs, at(int64(i+1), r.IntN(100)))
		}
		got, err := collect(Order(of(false, jobs...), len(jobs), nil))
		slices.SortStableFunc(jobs, func(a, b Job) int { return int(a.Submit - b.Submit) })
		if brief(got) != brief(jobs) || err != nil {
			t.Fatalf("%s, want %s", brief(got), brief(jobs))
		}
	}
}

func TestIDsAreRemembered(t *testing.T) {
	var s IDs
	seen := map[int64]bool{}
	r := rand.New(rand.NewPCG(1, 3))
	for range 10_000 {
		id := r.Int64N(3000) - 100
		if s.Has(id) != seen[id] || s.Add(id) == seen[id] {
			t.Fatal(id)
		}
		seen[id] = true
	}
	var first IDs
	if !first.Add(1) || !first.Add(64) || first.Add(1) || !first.Has(1) {
		t.Error("the first jobs are forgotten")
	}
}

func TestCutCountsFromItsBeginning(t *testing.T) {
	later := at(4, 25)
	later.After, later.Think, later.Begin = 1, time.Minute, 40*time.Second
	kept := at(5, 28)
	kept.After = 3
	jobs, err := collect(Cut(of(true, at(1, 5), at(2, 19), at(3, 20), later, kept, at(6, 30)), 20*time.Second, 30*time.Second))
	if err != nil { // what is beyond the cut is not read
		t.Fatal(err)
	}
	want := []Job{at(3, 0), at(4, 5), at(5, 8)}
	want[1].Begin, want[2].After = 20*time.Second, 3
	if d := cmp.Diff(want, jobs); d != "" {
		t.Error(d)
	}
	if jobs, err := collect(Cut(of(true, at(1, 5)), 0, 0)); len(jobs) != 1 || !errors.Is(err, errEnd) {
		t.Error(jobs, err)
	}
}

func TestLoadMovesSubmissionsTogether(t *testing.T) {
	held := at(2, 30)
	held.Begin, held.Run, held.Think = 45*time.Second, time.Minute, time.Second
	jobs, err := collect(Load(of(true, at(1, 10), held), 2))
	if brief(jobs) != "1@5 2@15 " || jobs[0].Begin != 0 || jobs[1].Begin != 30*time.Second || jobs[1].Run != time.Minute || !errors.Is(err, errEnd) {
		t.Errorf("%+v %v", jobs, err)
	}
}

func TestLoadRefusesAFactorThatIsNone(t *testing.T) {
	for _, factor := range []float64{0, -1, math.Inf(1), math.NaN()} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a load of %v is taken", factor)
				}
			}()
			Load(of(false), factor)
		}()
	}
}

func TestAMissingLimitIsMade(t *testing.T) {
	run := Job{ID: 1, Run: 100100 * time.Millisecond}
	said := Job{ID: 2, Run: time.Minute, Limit: time.Second}
	none := Job{ID: 3}
	for _, c := range []struct {
		factor  float64
		missing time.Duration
		want    [3]time.Duration
	}{
		{2, 0, [3]time.Duration{201 * time.Second, time.Second, time.Second}},
		{2, time.Hour, [3]time.Duration{time.Hour, time.Second, time.Hour}},
	} {
		jobs, err := collect(Limits(of(false, run, said, none), c.factor, c.missing))
		if err != nil {
			t.Fatal(err)
		}
		for i, j := range jobs {
			if j.Limit != c.want[i] {
				t.Errorf("factor %v, missing %v: job %d has %v", c.factor, c.missing, j.ID, j.Limit)
			}
		}
	}
}

func TestShakingMovesEachJobALittleAndKeepsOrder(t *testing.T) {
	const most = 30 * time.Second
	var jobs []Job
	r := rand.New(rand.NewPCG(1, 4))
	now := 0
	for i := range 2000 {
		now += r.IntN(20)
		j := at(int64(i+1), now)
		if i > 0 && r.IntN(4) == 0 {
			j.After = int64(1 + r.IntN(i))
		}
		jobs = append(jobs, j)
	}
	shaken, err := collect(Shake(of(true, jobs...), most, rand.New(rand.NewPCG(7, 7))))
	if !errors.Is(err, errEnd) || len(shaken) != len(jobs) {
		t.Fatalf("%d jobs, %v", len(shaken), err)
	}
	place, last, moved := map[int64]int{}, time.Duration(0), 0
	for i, j := range shaken {
		by := j.Submit - jobs[j.ID-1].Submit
		if by < -most || by > most && j.After == 0 || j.Submit < last {
			t.Fatalf("%+v by %v after %v", j, by, last)
		}
		if j.After != 0 {
			if before, ok := place[j.After]; !ok || before >= i {
				t.Fatalf("%+v is before the job that it waits for", j)
			}
		}
		if by != 0 {
			moved++
		}
		place[j.ID], last = i, j.Submit
	}
	if moved < 1900 {
		t.Errorf("%d jobs moved", moved)
	}
	again, _ := collect(Shake(of(false, jobs...), most, rand.New(rand.NewPCG(7, 7))))
	if brief(again) != brief(shaken) {
		t.Error("the same chances move jobs otherwise")
	}
}

// A job is moved by its own draw, and further only by the one that it waits for.
func TestShakingMovesAJobAlikeWhateverOthersWaitFor(t *testing.T) {
	const most = 50 * time.Second
	var free, bound []Job
	r := rand.New(rand.NewPCG(2, 9))
	for i := range 500 {
		j := at(int64(i+1), 10*i)
		if i%3 == 0 {
			j.Begin = j.Submit + time.Duration(r.IntN(100))*time.Second
		}
		free = append(free, j)
		if i > 0 && i%2 == 0 {
			j.After = int64(i + 1 - 1 - r.IntN(min(i, 6)))
		}
		bound = append(bound, j)
	}
	shake := func(jobs []Job) map[int64]Job {
		out := map[int64]Job{}
		all, err := collect(Shake(of(false, jobs...), most, rand.New(rand.NewPCG(7, 7))))
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range all {
			out[j.ID] = j
		}
		return out
	}
	alone, waiting := shake(free), shake(bound)
	later := 0
	for _, j := range bound {
		got, want := waiting[j.ID], alone[j.ID].Submit
		if j.After != 0 && waiting[j.After].Submit > want {
			want, later = waiting[j.After].Submit, later+1
		}
		if got.Submit != want {
			t.Errorf("job %d, after %d, comes at %v, want %v", j.ID, j.After, got.Submit, want)
		}
		begin := time.Duration(0)
		if j.Begin > 0 {
			begin = max(got.Submit, got.Submit+j.Begin-j.Submit)
		}
		if got.Begin != begin {
			t.Errorf("job %d may begin at %v, want %v", j.ID, got.Begin, begin)
		}
	}
	if later < 20 {
		t.Errorf("%d jobs were moved by the one that they wait for: nothing is shown", later)
	}
	if same, err := collect(Shake(of(false, free...), 0, nil)); err != nil || brief(same) != brief(free) {
		t.Errorf("a shake of nothing moves jobs: %v", err)
	}
}

// Whoever stops early is not handed more: a Source that yields again panics.
func TestTransformsStopWhenTold(t *testing.T) {
	jobs := []Job{at(1, 1), at(2, 2), at(3, 300), at(4, 600)}
	for name, s := range map[string]Source{
		"order": Order(of(true, jobs...), 1, nil), "cut": Cut(of(true, jobs...), 0, 0), "load": Load(of(true, jobs...), 2),
		"limits": Limits(of(true, jobs...), 1, 0), "shake": Shake(of(true, jobs...), time.Second, rand.New(rand.NewPCG(1, 1))),
	} {
		for stop := range 5 {
			n := 0
			for range s {
				if n++; n > stop {
					break
				}
			}
			if n == 0 {
				t.Errorf("%s yields nothing", name)
			}
		}
	}
}
