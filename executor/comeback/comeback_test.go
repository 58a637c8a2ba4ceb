package comeback_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-slurm-burst/executor/comeback"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/journal"
	"aws-slurm-burst/executor/program"
	"aws-slurm-burst/executor/slurm"
	"aws-slurm-burst/simulator"
	slurmmodel "aws-slurm-burst/simulator/slurm"
)

// scontrol is a slurmctld that refuses the calls which have this among their words.
type scontrol struct {
	*slurmmodel.Model
	refuse string
}

func (s *scontrol) Scontrol(ctx context.Context, args ...string) ([]byte, error) {
	if s.refuse != "" && strings.Contains(strings.Join(args, " "), s.refuse) {
		return nil, errors.New("scontrol: Access/permission denied")
	}
	return s.Model.Scontrol(ctx, args...)
}

// within runs fn as a program's call, and returns what was said meanwhile.
func within(t *testing.T, d *simulator.Disk, fn func(ctx context.Context, c *program.Call, s *scontrol)) []string {
	t.Helper()
	engine := simulator.New(simulator.Options{Start: 1e18, MaxEvents: 1e6})
	p := engine.Spawn("test", func(ctx context.Context, e env.Env) {
		s := &scontrol{Model: slurmmodel.New(e)}
		fn(ctx, program.New(&program.Machine{Env: e, Slurm: slurm.New(s, e, ""), Store: d.For(e), Endpoint: "http://ec2"}, "test", nil, e.Now().Add(time.Hour)), s)
	})
	if err := engine.Run(); err != nil {
		t.Fatal(err)
	}
	return p.Lines()
}

// lost has a job lose its nodes for so many times in a row, of which the last is left
// to whoever asked, and returns its record.
func lost(ctx context.Context, t *testing.T, c *program.Call, s *scontrol, times int) slurm.Record {
	t.Helper()
	s.SetJob(slurmmodel.Job{ID: 7, State: "PENDING", Batch: true, Requeue: true, Restarts: times})
	for n := 1; n < times; n++ {
		if _, _, err := c.Journal.Failed("7", n, "X"); err != nil {
			t.Error(err)
		}
	}
	records, err := c.Slurm.Records(ctx, "7")
	if err != nil || len(records) != 1 {
		t.Fatalf("%v %v", records, err)
	}
	return records[0]
}

func TestAJobComesBackLaterAndLaterAndIsHeldInTheEnd(t *testing.T) {
	for times, want := range map[int]string{
		1: "", 2: "job 7 comes back in 4 min: it lost its nodes 2 times in a row before it could run",
		3:  "job 7 comes back in 8 min: it lost its nodes 3 times in a row before it could run",
		6:  "job 7 comes back in 60 min: it lost its nodes 6 times in a row before it could run",
		20: "job 7 comes back in 60 min: it lost its nodes 20 times in a row before it could run",
		21: "job 7 is held: it lost its nodes 21 times in a row before it could run, the last one for InsufficientInstanceCapacity ('scontrol release 7' lets it try again)",
	} {
		lines := within(t, simulator.NewDisk(), func(ctx context.Context, c *program.Call, s *scontrol) {
			job := lost(ctx, t, c, s, times)
			before := len(s.Calls())
			for range 2 { // as when two calls see the same failure
				if err := comeback.Later(ctx, c, job, times, "InsufficientInstanceCapacity"); err != nil {
					t.Error(err)
				}
			}
			after := s.Job(7)
			if held := strings.Contains(strings.ToLower(after.Reason), "held"); held != (times > 20) || (after.AdminComment != "") != (times > 20) {
				t.Errorf("%d times: %+v", times, after)
			}
			if n := len(s.Calls()) - before; times <= 20 && n != min(times-1, 1) {
				t.Errorf("%d times: %d calls for one failure: %v", times, n, s.Calls()[before:])
			}
		})
		if got := strings.Join(lines, "\n"); !strings.HasSuffix(got, want) || len(lines) != min(times-1, 1) {
			t.Errorf("%d times: %q, want %q", times, got, want)
		}
	}
}

func TestWhatSlurmctldRefusesIsTheCallersToSay(t *testing.T) {
	for refuse, times := range map[string]int{"StartTime=": 2, "hold": 21} {
		lines := within(t, simulator.NewDisk(), func(ctx context.Context, c *program.Call, s *scontrol) {
			job := lost(ctx, t, c, s, times)
			s.refuse = refuse
			if err := comeback.Later(ctx, c, job, times, "X"); err == nil || !strings.Contains(err.Error(), "permission denied") {
				t.Errorf("%s: %v", refuse, err)
			}
		})
		if len(lines) != 0 {
			t.Errorf("%s: said %q of a job that is where it was", refuse, lines)
		}
	}
}

func TestAJobIsHeldThoughItCannotBeToldWhy(t *testing.T) {
	lines := within(t, simulator.NewDisk(), func(ctx context.Context, c *program.Call, s *scontrol) {
		job := lost(ctx, t, c, s, 21)
		s.refuse = "AdminComment="
		if err := comeback.Later(ctx, c, job, 21, "X"); err != nil {
			t.Error(err)
		}
	})
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "WARN: job 7 is held: ") || !strings.HasPrefix(lines[1], "WARN: job 7: comment not written: ") {
		t.Errorf("%q", lines)
	}
}

// The failure is counted all the same: the delay does not wait for a disk.
func TestAFullDiskIsSaidAndTheJobIsDelayed(t *testing.T) {
	d := simulator.NewDisk()
	lines := within(t, d, func(ctx context.Context, c *program.Call, s *scontrol) {
		job := lost(ctx, t, c, s, 2)
		d.Full = true
		if err := comeback.Later(ctx, c, job, 2, "X"); err != nil {
			t.Error(err)
		}
	})
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "WARN: job 7: journal failures/7.json not written: ") || !strings.HasPrefix(lines[1], "INFO: job 7 comes back in 4 min") {
		t.Errorf("%q", lines)
	}
}

func TestAJobThatCannotBeRequeuedHasEnded(t *testing.T) {
	d := simulator.NewDisk()
	within(t, d, func(ctx context.Context, c *program.Call, s *scontrol) {
		job := lost(ctx, t, c, s, 2)
		job.Requeue = false
		if err := comeback.Later(ctx, c, job, 2, "X"); err != nil || s.Counts()["update job"] != 0 {
			t.Errorf("%v %v", err, s.Counts())
		}
		if f, _, _ := c.Journal.Failed("7", 1, "Y"); f.Code != "X" {
			t.Errorf("the failure of a job that has ended was written down: %+v", f)
		}
	})
}

// call is a resume call of some time ago, about nodes, with a resume file.
type call struct {
	ago   time.Duration
	nodes string
	file  string
}

func job(id int, nodes string) string { return fmt.Sprintf(`{"job_id":%d,"nodes":%q}`, id, nodes) }

func file(nodes string, jobs ...string) string {
	return fmt.Sprintf(`{"jobs":[%s],"all_nodes":%q}`, strings.Join(jobs, ","), nodes)
}

func TestWhoWaitsForANodeIsWhoItWasLastPoweredUpFor(t *testing.T) {
	launch := func(nonce, nodes, jobs string) journal.Launch {
		return journal.Launch{Call: nonce, Nodes: nodes, Job: jobs}
	}
	for _, c := range []struct {
		name     string
		calls    []call // their nonces are a, b, c ...
		launches []journal.Launch
		nodes    []string
		want     []string
	}{
		{"its job", []call{{time.Minute, "n[1-2]", file("n[1-2]", job(7, "n1"), job(8, "n2"))}}, nil, []string{"n1"}, []string{"7"}},
		{"each job once", []call{{time.Minute, "n[1-2]", file("n[1-2]", job(7, "n[1-2]"), job(8, "n2"))}}, nil, []string{"n1", "n2"}, []string{"7", "8"}},
		{"a job in two calls", []call{{2 * time.Minute, "n1", file("n1", job(7, "n1"))}, {time.Minute, "n2", file("n2", job(7, "n2"))}}, nil, []string{"n1", "n2"}, []string{"7"}},
		{"the last call", []call{{2 * time.Minute, "n1", file("n1", job(7, "n1"))}, {time.Minute, "n1", file("n1", job(8, "n1"))}}, nil, []string{"n1"}, []string{"8"}},
		{"each node's last call", []call{{2 * time.Minute, "n[1-2]", file("n[1-2]", job(7, "n1"), job(8, "n2"))}, {time.Minute, "n2", file("n2", job(9, "n2"))}}, nil, []string{"n1", "n2"}, []string{"9", "7"}},
		{"others' calls aside", []call{{2 * time.Minute, "n1", file("n1", job(7, "n1"))}, {time.Minute, "n2", file("n2", job(8, "n2"))}}, nil, []string{"n1"}, []string{"7"}},
		{"two hours ago", []call{{2 * time.Hour, "n1", file("n1", job(7, "n1"))}}, nil, []string{"n1"}, []string{"7"}},
		{"longer ago than any power-up takes", []call{{2*time.Hour + time.Second, "n1", file("n1", job(7, "n1"))}}, nil, []string{"n1"}, nil},
		{"a node that the call was not about", []call{{time.Minute, "n1", file("n[1-2]", job(7, "n[1-2]"), job(8, "n2"))}}, nil, []string{"n1", "n2"}, []string{"7"}},
		{"a call about no list", []call{{2 * time.Minute, "n1", file("n1", job(7, "n1"))}, {time.Minute, "n[1-", file("n1", job(8, "n1"))}}, nil, []string{"n1"}, []string{"7"}},
		{"a file that cannot be read", []call{{2 * time.Minute, "n1", file("n1", job(7, "n1"))}, {time.Minute, "n1", `{"jobs":`}}, nil, []string{"n1"}, nil},
		{"no file, by the launches of the call", []call{{2 * time.Minute, "n1", ""}, {time.Minute, "n[1-4]", ""}},
			[]journal.Launch{launch("a", "n1", "6"), launch("b", "n[1-2]", "7,8"), launch("b", "n3", "9"), launch("b", "n2", ""), launch("b", "n[1-", "5")},
			[]string{"n1", "n2"}, []string{"7", "8"}},
		{"a file, whatever the launches say", []call{{time.Minute, "n1", file("n1", job(7, "n1"))}}, []journal.Launch{launch("a", "n1", "6")}, []string{"n1"}, []string{"7"}},
		{"no node", []call{{time.Minute, "n1", file("n1", job(7, "n1"))}}, nil, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			within(t, simulator.NewDisk(), func(ctx context.Context, p *program.Call, _ *scontrol) {
				last := time.Duration(0)
				for i, k := range c.calls {
					if i > 0 {
						_ = p.Env.Sleep(ctx, last-k.ago)
					}
					last = k.ago
					if _, err := p.Journal.Begin(journal.Call{Nonce: string(rune('a' + i)), Nodes: k.nodes, ResumeFile: []byte(k.file)}); err != nil {
						t.Error(err)
					}
				}
				_ = p.Env.Sleep(ctx, last)
				if got := comeback.Waiting(p, c.nodes, c.launches); !slices.Equal(got, c.want) {
					t.Errorf("%q wait, want %q", got, c.want)
				}
			})
		})
	}
}
