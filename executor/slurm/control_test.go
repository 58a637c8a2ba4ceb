package slurm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// script is a Runner that answers from a list and keeps what it was asked.
type script struct {
	env   *testEnv
	asked []string
	steps []step
}

type step struct {
	out, stderr string
	takes       time.Duration
}

func (s *script) Scontrol(ctx context.Context, args ...string) ([]byte, error) {
	s.asked = append(s.asked, strings.Join(args, " "))
	if len(s.steps) == 0 {
		return nil, errors.New("exit status 1: asked more than the test expects")
	}
	st := s.steps[0]
	s.steps = s.steps[1:]
	if err := s.env.Sleep(ctx, st.takes); err != nil {
		return nil, fmt.Errorf("signal: killed: %w", err)
	}
	if st.stderr != "" {
		return []byte(st.out), errors.New("exit status 1: " + st.stderr)
	}
	return []byte(st.out), nil
}

func scripted(placeholder string, steps ...step) (*Controller, *script) {
	e := newEnv()
	s := &script{env: e, steps: steps}
	return New(s, e, placeholder), s
}

func record(state string, more ...string) string {
	return "JobId=8 ArrayJobId=2 ArrayTaskId=1 JobName=j UserId=ann(1000) JobState=" + state +
		" Requeue=1 BatchFlag=1 ExcNodeList=n9 NodeList=n1 Command=/c WorkDir=/w " + strings.Join(more, " ") + " Power= \n"
}

func asked(t *testing.T, s *script, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, s.asked); d != "" {
		t.Error(d)
	}
	if len(s.steps) > 0 {
		t.Errorf("%d answers left", len(s.steps))
	}
}

func TestAddressesGoInSlurmsOrderAndAreReadBack(t *testing.T) {
	c, s := scripted("", step{}, step{out: "NodeName=n2 NodeAddr=10.0.0.2 State=IDLE\nNodeName=n10 NodeAddr=10.0.0.10 State=IDLE\n"})
	failed, err := c.PushAddresses(t.Context(), []Addr{{"n10", "10.0.0.10"}, {"n2", "10.0.0.2"}}, Push{SingleUse: true, Reason: "plan \"X\""})
	if err != nil || failed != nil {
		t.Fatal(failed, err)
	}
	asked(t, s,
		"update NodeName=n2,n10 NodeAddr=10.0.0.2,10.0.0.10 State=POWER_DOWN_ASAP Reason=plan X",
		"-o show node n[2,10]")
}

func TestAddressesThatCannotBePushed(t *testing.T) {
	c, s := scripted("", step{}, step{out: "NodeName=n4 NodeAddr=10.0.0.4 State=IDLE\n"})
	failed, err := c.PushAddresses(t.Context(), []Addr{{"n1", ""}, {"n2", "10.0.0.1,10.0.0.2"}, {"n3", "10.0.0.[1-2]"}, {"n4", "10.0.0.4"}}, Push{})
	if err != nil {
		t.Fatal(err)
	}
	asked(t, s, "update NodeName=n4 NodeAddr=10.0.0.4", "-o show node n4")
	for i, want := range []string{"n1", "n2", "n3"} {
		if failed[i].Node != want || !errors.Is(failed[i].Err, ErrRefused) {
			t.Errorf("got %+v", failed[i])
		}
	}
}

func TestReasonsOfNodesGivenBack(t *testing.T) {
	tests := []struct{ name, code, text, want string }{
		{"code and text", "InsufficientInstanceCapacity", "no c6i.large", "(Code:InsufficientInstanceCapacity) no c6i.large"},
		{"quotes, breaks, controls", "X", "a\"b'c`d\\e\nf\tg\x00h", "(Code:X) abcde f g h"},
		{"no code", "", "by hand", "by hand"},
		{"nothing is still a reason", "", "\n", "(Code:Unknown)"},
		{"too long, in the middle of a letter", "X", strings.Repeat("ü", 200), "(Code:X) " + strings.Repeat("ü", 121) + "..."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, s := scripted("", step{})
			if failed, err := c.GiveBack(t.Context(), []string{"n1"}, tt.code, tt.text); failed != nil || err != nil {
				t.Fatal(failed, err)
			}
			if len(tt.want) > maxReason {
				t.Fatalf("%d bytes", len(tt.want))
			}
			asked(t, s, "update NodeName=n1 State=POWER_DOWN_FORCE Reason="+tt.want)
		})
	}
}

func TestPlaceholders(t *testing.T) {
	for placeholder, want := range map[string]string{
		"":            "n1,n2",
		"127.0.0.1":   "127.0.0.1,127.0.0.1",
		"off-%n.test": "off-n1.test,off-n2.test",
	} {
		c, s := scripted(placeholder, step{out: "NodeName=n1 NodeAddr=127.9.9.1 State=IDLE+CLOUD\nNodeName=n2 NodeAddr=127.9.9.2 State=IDLE+CLOUD\n"}, step{})
		if failed, err := c.ResetAddresses(t.Context(), []string{"n2", "n1", "n2"}); failed != nil || err != nil {
			t.Fatal(failed, err)
		}
		asked(t, s, "-o show node n[1-2]", "update NodeName=n1,n2 NodeAddr="+want)
	}
}

// An update would wipe the reason that says why a node was given back.
func TestANodeThatHasThePlaceholderIsLeftAlone(t *testing.T) {
	c, s := scripted("127.0.0.1", step{out: "NodeName=n1 NodeAddr=127.0.0.1 State=IDLE+CLOUD\nNodeName=n2 NodeAddr=127.9.9.2 State=IDLE+CLOUD\n"}, step{})
	if failed, err := c.ResetAddresses(t.Context(), []string{"n1", "n2"}); failed != nil || err != nil {
		t.Fatal(failed, err)
	}
	asked(t, s, "-o show node n[1-2]", "update NodeName=n2 NodeAddr=127.0.0.1")
}

func TestHold(t *testing.T) {
	show := "-o show job 8"
	tests := []struct {
		name  string
		steps []step
		asked []string
		want  error
	}{
		{"names the task, never the array", []step{{out: record("CONFIGURING")}, {}}, []string{show, "requeuehold 2_1"}, nil},
		{"requeued meanwhile", []step{{out: record("CONFIGURING")}, {stderr: "2_1: Job is pending execution"}, {}},
			[]string{show, "requeuehold 2_1", "hold 2_1"}, nil},
		{"cancelled meanwhile", []step{{out: record("CANCELLED")}}, []string{show}, ErrEnded},
		{"forgotten", []step{{stderr: "slurm_load_jobs error: Invalid job id specified"}}, []string{show}, ErrNoJob},
		{"interactive", []step{{out: strings.Replace(record("CONFIGURING"), "BatchFlag=1", "BatchFlag=0", 1)}}, []string{show}, ErrNotHoldable},
		{"refused", []step{{out: record("CONFIGURING")}, {stderr: "Access/permission denied for job 2_1"}}, []string{show, "requeuehold 2_1"}, ErrRefused},
		{"slurmctld died", []step{{out: record("CONFIGURING")}, {stderr: "Unexpected message received for job 2_1"}}, []string{show, "requeuehold 2_1"}, ErrUnreachable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, s := scripted("", tt.steps...)
			err := c.Hold(t.Context(), Record{ID: "8", ArrayID: "2", Task: "1"})
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			asked(t, s, tt.asked...)
		})
	}
}

func TestCommentIsAppended(t *testing.T) {
	const update = "update JobId=2_1 AdminComment="
	tests := []struct {
		name, old, text string
		update          string
		want            error
	}{
		{"the first", "", "no capacity", update + "no capacity", nil},
		{"after another's", "AdminComment=asba:1 ", "no capacity", update + "asba:1; no capacity", nil},
		{"said already", "AdminComment=asba:1; no capacity ", "no capacity", "", nil},
		{"what cannot be read is not overwritten", "Comment=AdminComment=x AdminComment=y ", "no capacity", "", ErrAmbiguous},
		{"nothing to say", "", " ", "", nil},
		{"too long for one", "", strings.Repeat("x", 2000), update + strings.Repeat("x", 1021) + "...", nil},
		{"too long altogether", "AdminComment=" + strings.Repeat("y", maxComments) + " ", "no capacity", "", ErrRefused},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			steps, want := []step{{out: record("CONFIGURING", tt.old)}}, []string{"-o show job 8"}
			if tt.update != "" {
				steps, want = append(steps, step{}), append(want, tt.update)
			}
			if strings.TrimSpace(tt.text) == "" {
				steps, want = nil, nil
			}
			c, s := scripted("", steps...)
			err := c.Comment(t.Context(), Record{ID: "8"}, tt.text)
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			asked(t, s, want...)
		})
	}
}

func TestExcludeKeepsWhatTheUserExcluded(t *testing.T) {
	c, s := scripted("", step{})
	if err := c.Exclude(t.Context(), parseJobs(record("PENDING"))[0], []string{"n10", "n8"}); err != nil {
		t.Fatal(err)
	}
	asked(t, s, "update JobId=2_1 ExcNodeList=n[8-10]")
}

func TestNodesOfPartitions(t *testing.T) {
	lines := strings.SplitAfter(string(read(t, "partitions.txt")), "\n")
	c, s := scripted("", step{out: lines[0]}, step{out: lines[1]})
	nodes, err := c.PartitionNodes(t.Context(), "hpc,none")
	if err != nil || len(nodes) != 12 || nodes[0] != "aws-hpc-001" || nodes[11] != "onprem4" {
		t.Errorf("got %v, %v", nodes, err)
	}
	asked(t, s, "-o show partition hpc", "-o show partition none")

	c, _ = scripted("", step{out: "Partition nope not found\n", stderr: " "})
	if nodes, err := c.PartitionNodes(t.Context(), "nope"); nodes != nil || !errors.Is(err, ErrRefused) || err.Error() != "refused: scontrol show partition nope: exit status 1: (does slurm.conf have it?)" {
		t.Errorf("got %v, %v", nodes, err)
	}
}

func TestDrain(t *testing.T) {
	c, s := scripted("", step{})
	if failed, err := c.Drain(t.Context(), []string{"n1"}, "expired at 12:00"); failed != nil || err != nil {
		t.Fatal(failed, err)
	}
	asked(t, s, "update NodeName=n1 State=DRAIN Reason=expired at 12:00")
}

func TestErrorsSayWhatHappenedAndWhatToDo(t *testing.T) {
	tests := []struct {
		name string
		step step
		kind error
		want string
	}{
		{"dead slurmctld", step{stderr: "slurm_update error: Unable to contact slurm controller (connect failure)", takes: 9 * time.Second}, ErrUnreachable,
			"slurmctld not reachable: scontrol update node n[1-2]: exit status 1: slurm_update error: Unable to contact slurm controller (connect failure) (is slurmctld running?)"},
		{"no answer", step{takes: 18 * time.Second}, ErrUnreachable,
			"slurmctld not reachable: scontrol update node n[1-2]: signal: killed: context deadline exceeded (no answer within 10s)"},
		{"munge", step{stderr: "slurm_update error: Protocol authentication error"}, ErrUnreachable,
			"slurmctld not reachable: scontrol update node n[1-2]: exit status 1: slurm_update error: Protocol authentication error (is munged running?)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, s := scripted("", tt.step)
			start := s.env.now
			_, err := c.GiveBack(t.Context(), []string{"n1", "n2"}, "X", "y")
			if !errors.Is(err, tt.kind) || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %v", err, tt.want)
			}
			if took := s.env.now.Sub(start); took > callTimeout {
				t.Errorf("took %s", took)
			}
		})
	}
	c, _ := scripted("", step{stderr: "slurm_update error: Invalid node name specified\n"})
	failed, err := c.GiveBack(t.Context(), []string{"n1"}, "X", "y")
	const want = "refused: scontrol update node n1: exit status 1: slurm_update error: Invalid node name specified"
	if err != nil || len(failed) != 1 || failed[0].Err.Error() != want || !errors.Is(failed[0].Err, ErrNoNode) || !errors.Is(failed[0].Err, ErrRefused) {
		t.Errorf("got %v, %v", failed, err)
	}
}

func TestTasksOfOtherJobsAreNotTaken(t *testing.T) {
	// A line break in the name of job 8 made up a record of job 3.
	c, _ := scripted("", step{out: "JobId=8 JobName=x\nJobId=3 JobName=y UserId=root(0) Command=/c WorkDir=/w\n"})
	records, err := c.Records(t.Context(), "8")
	if err != nil || len(records) != 1 || records[0].ID != "8" {
		t.Errorf("got %+v, %v", records, err)
	}
}

func TestOffDoesNothing(t *testing.T) {
	for name, c := range map[string]*Controller{"nil": nil, "no runner": New(nil, newEnv(), "")} {
		t.Run(name, func(t *testing.T) {
			if !c.Off() || c.Fork() != c || c.Counts() != nil {
				t.Error("not off")
			}
			ctx, r, nodes := t.Context(), Record{ID: "1"}, []string{"n1"}
			_, e1 := c.PushAddresses(ctx, []Addr{{"n1", "10.0.0.1"}}, Push{})
			_, e2 := c.GiveBack(ctx, nodes, "X", "y")
			_, e3 := c.ResetAddresses(ctx, nodes)
			_, e4 := c.Resume(ctx, nodes)
			_, e5 := c.Records(ctx, "1")
			_, e6 := c.Jobs(ctx)
			_, e7 := c.Nodes(ctx, nodes)
			_, e8 := c.Drain(ctx, nodes, "x")
			_, e9 := c.PartitionNodes(ctx, "p")
			if err := errors.Join(e1, e2, e3, e4, e5, e6, e7, e8, e9, c.Hold(ctx, r), c.Requeue(ctx, r), c.Exclude(ctx, r, nodes), c.Comment(ctx, r, "x")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCountsOfForksAreJoined(t *testing.T) {
	c, _ := scripted("", step{}, step{}, step{})
	f := c.Fork()
	c.GiveBack(t.Context(), []string{"n1"}, "X", "")
	f.GiveBack(t.Context(), []string{"n2"}, "X", "")
	f.Nodes(t.Context(), []string{"n2"})
	c.Join(f)
	if d := cmp.Diff(map[string]int{"update node": 2, "show node": 1}, c.Counts()); d != "" {
		t.Error(d)
	}
}

func TestTheStoredScriptOfAJob(t *testing.T) {
	long := "#!" + strings.Repeat("x", maxScript)
	for _, c := range []struct {
		name string
		step step
		want string
		err  error
	}{
		{"a script", step{out: "#!/bin/sh\nsrun hostname\n"}, "#!/bin/sh\nsrun hostname\n", nil},
		{"none, of which scontrol exits with 0", step{out: ""}, "", nil},
		{"words instead", step{out: "job script retrieval failed\n"}, "", nil},
		{"too long", step{out: long}, "", ErrRefused},
		{"no such job", step{stderr: "Invalid job id specified"}, "", ErrNoJob},
		{"slurmctld hangs", step{takes: time.Minute}, "", ErrUnreachable},
	} {
		ctl, s := scripted("", c.step)
		text, err := ctl.Script(t.Context(), "12_3")
		if string(text) != c.want || !errors.Is(err, c.err) || c.err == nil && err != nil {
			t.Errorf("%s: %q, %v", c.name, text, err)
		}
		asked(t, s, "write batch_script 12_3 -")
	}
	if text, err := New(nil, newEnv(), "").Script(t.Context(), "1"); text != nil || err != nil {
		t.Errorf("without Slurm: %q, %v", text, err)
	}
}
