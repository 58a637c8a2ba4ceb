package plansource

import (
	"context"
	"fmt"
	"path"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/asba/finding"
)

// folder holds files by name, and remembers what was looked for.
type folder struct {
	files map[string]file
	asked []string
}

func (d *folder) ReadPlan(ctx context.Context, p string, limit int64) ([]byte, FileInfo, error) {
	d.asked = append(d.asked, p)
	f, ok := d.files[path.Base(p)]
	if !ok {
		return nil, FileInfo{}, fmt.Errorf("open %s: %w", p, ErrNotFound)
	}
	f.path = p
	return f.ReadPlan(ctx, p, limit)
}

func TestTheMostSpecificFileIsTheJobs(t *testing.T) {
	array := Job{ID: "5", ArrayID: "2", Task: "3"}
	for _, c := range []struct {
		name string
		job  Job
		want []string // in order
	}{
		{"a job", Job{ID: "12"}, []string{"plans/12.json"}},
		{"a task", array, []string{"plans/2_3.json", "plans/5.json", "plans/2.json"}},
		{"the task that has the array's id", Job{ID: "2", ArrayID: "2", Task: "3"}, []string{"plans/2_3.json", "plans/2.json"}},
		{"a component", Job{ID: "5", HetID: "4"}, []string{"plans/5.json", "plans/4.json"}},
		{"the leader", Job{ID: "4", HetID: "4"}, []string{"plans/4.json"}},
		{"tasks that have not begun", Job{ID: "2", ArrayID: "2", Task: "3-5%2"}, []string{"plans/2.json"}},
		{"a record that would lead elsewhere", Job{ID: "7", ArrayID: "../2", Task: "/etc", HetID: ".."}, []string{"plans/7.json"}},
		{"nothing to go by", Job{ID: "x"}, nil},
	} {
		d := &folder{}
		a := FromFolder(t.Context(), d, "plans", c.job)
		if diff := cmp.Diff(c.want, d.asked); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, diff)
		}
		if a.Outcome != Missing || a.Cause != "" || a.Source != "plans" || a.Plan != nil {
			t.Errorf("%s: %+v", c.name, a)
		}
	}
	for _, want := range []string{"2.json", "5.json", "2_3.json"} {
		d := &folder{files: map[string]file{}}
		for _, name := range []string{"2.json", "5.json", "2_3.json"} {
			d.files[name] = file{text: good}
			if name == want {
				break
			}
		}
		if a := FromFolder(t.Context(), d, "plans", array); a.Outcome != Found || a.Source != "plans/"+want {
			t.Errorf("%s: %+v", want, a)
		}
	}
}

// A file that is there and cannot be used hides no less specific one.
func TestAJobsOwnFileIsNeverPassedOver(t *testing.T) {
	for name, c := range map[string]struct {
		own     file
		outcome Outcome
		cause   string
	}{
		"invalid":    {file{text: "{]"}, Invalid, ""},
		"anyone's":   {file{text: good, info: FileInfo{WorldWritable: true}}, Invalid, ""},
		"unreadable": {file{err: ErrUnreadable}, Missing, "Execution plan not readable: cannot be read"},
		"a folder":   {file{err: ErrNotRegular}, Missing, "Execution plan not readable: not a regular file"},
	} {
		d := &folder{files: map[string]file{"2_3.json": c.own, "2.json": {text: good}}}
		a := FromFolder(t.Context(), d, "plans", Job{ID: "5", ArrayID: "2", Task: "3"})
		if a.Outcome != c.outcome || a.Cause != c.cause || a.Source != "plans/2_3.json" || a.Plan != nil {
			t.Errorf("%s: %+v", name, a)
		}
		if (a.Outcome == Invalid) != (finding.Count(a.Findings, finding.Error) > 0) {
			t.Errorf("%s: findings %v", name, a.Findings)
		}
	}
}

func TestAJobsUserIsTrustedForTheJobAlone(t *testing.T) {
	for _, c := range []struct {
		info FileInfo
		user int
		want bool
	}{
		{FileInfo{OwnedByRootOrSelf: true, UID: 0}, -1, true},
		{FileInfo{UID: 1000}, 1000, true},
		{FileInfo{UID: 1000}, 1001, false},
		{FileInfo{UID: 1000}, -1, false},
		{FileInfo{UID: -1}, -1, false}, // neither is known
	} {
		d := &folder{files: map[string]file{"5.json": {text: good, info: c.info}}}
		if a := FromFolder(t.Context(), d, "plans", Job{ID: "5", UID: c.user}); a.Trusted != c.want {
			t.Errorf("a file of %d, a job of %d: trusted %v", c.info.UID, c.user, a.Trusted)
		}
	}
}

func TestAFolderThatIsNotThereIsNotEmpty(t *testing.T) {
	for err, none := range map[error]bool{ErrNotFound: true, ErrNotRegular: false, ErrUnreadable: false, nil: false} {
		if got := NoFolder(t.Context(), answering{err}, "plans"); got != none {
			t.Errorf("where reading says %v: %v", err, got)
		}
	}
}

// answering answers every question with one error.
type answering struct{ err error }

func (a answering) ReadPlan(context.Context, string, int64) ([]byte, FileInfo, error) {
	if a.err == nil {
		return []byte("{}"), FileInfo{}, nil
	}
	return nil, FileInfo{}, fmt.Errorf("open plans: %w", a.err)
}
