package slurm_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/executor/slurm"
	model "aws-slurm-burst/simulator/slurm"
)

// bed is the cluster on which 22.05.8 was observed: eight nodes that boot or
// idle, a job of four nodes, an array, an interactive and a --no-requeue job.
func bed() (*model.Model, *slurm.Controller, *testEnv) {
	e := newEnv()
	m := model.New(e)
	for i := range 8 {
		n := model.Node{Name: fmt.Sprintf("aws-hpc-%03d", i+1), Addr: "127.0.0.1", CPUs: 4, RealMemory: 100, Gres: "gpu:2",
			Partition: "hpc", Flags: []string{"CLOUD", "NOT_RESPONDING", "POWERING_UP"}}
		if i >= 6 {
			n.Flags = []string{"CLOUD", "POWERED_DOWN"}
		}
		m.SetNode(n)
	}
	job := model.Job{Name: "j", User: "ann", UID: 1000, Partition: "hpc", State: "CONFIGURING", Requeue: true, Batch: true, NumNodes: 1, NumCPUs: 1}
	add := func(f func(*model.Job)) { j := job; f(&j); m.SetJob(j) }
	add(func(j *model.Job) {
		j.ID, j.NumNodes, j.NumCPUs, j.Nodes = 1, 4, 4, []string{"aws-hpc-001", "aws-hpc-002", "aws-hpc-003", "aws-hpc-004"}
	})
	add(func(j *model.Job) { j.ID, j.ArrayID, j.Task, j.Nodes = 8, 2, "1", []string{"aws-hpc-005"} })
	add(func(j *model.Job) { j.ID, j.ArrayID, j.Task, j.Nodes = 9, 2, "2", []string{"aws-hpc-006"} })
	add(func(j *model.Job) { j.ID, j.ArrayID, j.Task, j.State = 2, 2, "3-5,9%2", "PENDING" })
	add(func(j *model.Job) { j.ID, j.Requeue, j.Nodes = 3, false, []string{"aws-hpc-007"} })
	add(func(j *model.Job) { j.ID, j.Batch, j.Nodes = 6, false, []string{"aws-hpc-008"} })
	add(func(j *model.Job) { j.ID, j.HetID, j.State, j.Nodes = 10, 10, "RUNNING", []string{"aws-hpc-007"} })
	add(func(j *model.Job) {
		j.ID, j.HetID, j.HetOffset, j.State, j.Nodes = 11, 10, 1, "RUNNING", []string{"aws-hpc-008"}
	})
	return m, slurm.New(m, e, ""), e
}

func addrs(m *model.Model, nodes ...string) string {
	var out []string
	for _, n := range nodes {
		out = append(out, m.Node(n).Addr)
	}
	return strings.Join(out, " ")
}

func state(m *model.Model, node string) string {
	n := m.Node(node)
	s := strings.Join(append([]string{n.State}, n.Flags...), "+")
	if n.Reason != "" {
		s += " " + n.Reason
	}
	return s
}

// Each step is a command line that was given to the real slurmctld, with what
// it answered and left behind.
func TestWhatScontrolWasSeenToDo(t *testing.T) {
	type step struct{ args, stderr, after string }
	const badNode = "slurm_update error: Invalid node name specified"
	tests := []struct {
		name  string
		look  func(m *model.Model) string
		steps []step
	}{
		{"addresses follow the names, in any order", func(m *model.Model) string { return addrs(m, "aws-hpc-001", "aws-hpc-002", "aws-hpc-003") }, []step{
			{"update NodeName=aws-hpc-003,aws-hpc-001,aws-hpc-002 NodeAddr=127.0.1.3,127.0.1.1,127.0.1.2", "", "127.0.1.1 127.0.1.2 127.0.1.3"},
			{"update NodeName=aws-hpc-001,nope,aws-hpc-002 NodeAddr=127.0.2.1,127.0.2.9,127.0.2.2", badNode, "127.0.2.1 127.0.1.2 127.0.1.3"},
			{"update NodeName=aws-hpc-001,aws-hpc-002 NodeAddr=127.0.3.1", badNode, "127.0.2.1 127.0.1.2 127.0.1.3"},
			{"update NodeName=aws-hpc-001,aws-hpc-002 NodeAddr=127.0.3.1,127.0.3.2,127.0.3.3", badNode, "127.0.2.1 127.0.1.2 127.0.1.3"},
			{"update NodeName=aws-hpc-[001-002] NodeAddr=10.0.0.[1-2]", "", "10.0.0.1 10.0.0.2 127.0.1.3"},
			{"update NodeName=aws-hpc-001,aws-hpc-001 NodeAddr=127.0.1.6,127.0.1.7", "", "127.0.1.7 10.0.0.2 127.0.1.3"},
		}},
		{"states are applied in sorted order up to an unknown name", func(m *model.Model) string {
			return m.Node("aws-hpc-001").Reason + "|" + m.Node("aws-hpc-002").Reason
		}, []step{
			{"update NodeName=aws-hpc-002,aaa,aws-hpc-001 State=POWER_DOWN_FORCE Reason=z", badNode, "|"},
			{"update NodeName=aws-hpc-001,nope,aws-hpc-002 State=POWER_DOWN_FORCE Reason=x", badNode, "x|x"},
		}},
		{"a gang's node is drained, then given back", func(m *model.Model) string { return state(m, "aws-hpc-003") }, []step{
			{"update NodeName=aws-hpc-003,aws-hpc-004 NodeAddr=127.0.1.3,127.0.1.4 State=POWER_DOWN_ASAP Reason=plan_X", "",
				"IDLE+CLOUD+DRAIN+POWER_DOWN+NOT_RESPONDING+POWERING_UP plan_X"},
			{"update NodeName=aws-hpc-[001-004] State=POWER_DOWN_FORCE Reason=(Code:X)", "", "IDLE+CLOUD+DRAIN+POWER_DOWN+NOT_RESPONDING (Code:X)"},
		}},
		{"POWER_DOWN leaves a boot alone, and powers down once more what is off", func(m *model.Model) string {
			return state(m, "aws-hpc-001") + "|" + state(m, "aws-hpc-007")
		}, []step{
			{"update NodeName=aws-hpc-001,aws-hpc-007 State=POWER_DOWN Reason=x", "",
				"IDLE+CLOUD+POWER_DOWN+NOT_RESPONDING+POWERING_UP x|IDLE+CLOUD+POWER_DOWN x"}}},
		{"ASAP without a reason", func(m *model.Model) string { return state(m, "aws-hpc-007") }, []step{
			{"update NodeName=aws-hpc-007 State=POWER_DOWN_ASAP", "", "IDLE+CLOUD+DRAIN+POWER_DOWN+POWERED_DOWN POWER_DOWN_ASAP"}}},
		{"giving nodes back requeues batch jobs and ends others", func(m *model.Model) string {
			return fmt.Sprint(m.Job(1).State, m.Job(1).Restarts, m.Job(1).Nodes, " ", m.Job(3).State, " ", m.Job(6).State)
		}, []step{{"update NodeName=aws-hpc-[001-008] State=POWER_DOWN_FORCE Reason=x", "", "PENDING1 [] NODE_FAIL NODE_FAIL"}}},
		{"RESUME takes down nodes, and makes others forget their reason", func(m *model.Model) string {
			return state(m, "aws-hpc-001") + "|" + state(m, "aws-hpc-002") + "|" + state(m, "aws-hpc-007")
		}, []step{
			{"update NodeName=aws-hpc-001,aws-hpc-007 State=DOWN Reason=d", "",
				"DOWN+CLOUD+NOT_RESPONDING+POWERING_UP d|IDLE+CLOUD+NOT_RESPONDING+POWERING_UP|DOWN+CLOUD+POWERED_DOWN d"},
			{"update NodeName=aws-hpc-002 State=POWER_DOWN_FORCE Reason=x", "",
				"DOWN+CLOUD+NOT_RESPONDING+POWERING_UP d|IDLE+CLOUD+POWER_DOWN+NOT_RESPONDING x|DOWN+CLOUD+POWERED_DOWN d"},
			{"update NodeName=aws-hpc-002,aws-hpc-001,aws-hpc-007 State=RESUME", "slurm_update error: Invalid node state specified",
				"IDLE+CLOUD+NOT_RESPONDING+POWERING_UP|IDLE+CLOUD+POWER_DOWN+NOT_RESPONDING|IDLE+CLOUD+POWERED_DOWN"},
		}},
		{"DOWN wants a reason", func(m *model.Model) string { return m.Node("aws-hpc-001").State }, []step{
			{"update NodeName=aws-hpc-001 State=DOWN", "You must specify a reason when DOWNING or DRAINING a node. Request denied", "IDLE"},
			{"update NodeName=aws-hpc-001 Foo=bar", "Update of this parameter is not supported: Foo=bar\nRequest aborted", "IDLE"},
		}},
		{"requeuehold takes one task, and an array whole", func(m *model.Model) string {
			return m.Job(8).State + " " + m.Job(8).Reason + " " + m.Job(9).State
		}, []step{
			{"requeuehold 2_1", "", "PENDING job_requeued_in_held_state CONFIGURING"},
			{"requeuehold 2_1", "2_1: Job is pending execution", "PENDING job_requeued_in_held_state CONFIGURING"},
			{"requeuehold 2_3", "2_3-5,9: Job is pending execution", "PENDING job_requeued_in_held_state CONFIGURING"},
			{"requeuehold 2_99", "2_99: Invalid job id specified", "PENDING job_requeued_in_held_state CONFIGURING"},
			{"release 2_1", "", "PENDING  CONFIGURING"},
			{"requeuehold 2", "2_3-5,9: Job is pending execution\n2_1: Job is pending execution", "PENDING  PENDING"},
		}},
		{"jobs that cannot be requeued", func(m *model.Model) string { return m.Job(3).State + " " + m.Job(6).State }, []step{
			{"requeuehold 3", "Requested operation is presently disabled for job 3", "CONFIGURING CONFIGURING"},
			{"requeue 6", "Only batch jobs are accepted or processed for job 6", "CONFIGURING CONFIGURING"},
			{"requeuehold 999", "Invalid job id specified for job 999", "CONFIGURING CONFIGURING"},
		}},
		{"a heterogeneous job is requeued whole, by its leader", func(m *model.Model) string { return m.Job(10).State + " " + m.Job(11).State }, []step{
			{"requeuehold 11", "Job not heterogeneous job leader for job 11", "RUNNING RUNNING"},
			{"update NodeName=aws-hpc-008 State=POWER_DOWN_FORCE Reason=x", "", "PENDING PENDING"},
		}},
		{"an ended job is not held or released", func(m *model.Model) string { return m.Job(3).State }, []step{
			{"update NodeName=aws-hpc-007 State=DOWN Reason=x", "", "NODE_FAIL"},
			{"hold 3", "Job has already finished for job 3\nslurm_suspend error: Job has already finished", "NODE_FAIL"},
			{"release 999", "Invalid job id specified for job 999\nslurm_suspend error: Invalid job id specified", "NODE_FAIL"},
			{"requeue 3", "Requested operation is presently disabled for job 3", "NODE_FAIL"},
		}},
		{"comments", func(m *model.Model) string { return m.Job(1).State }, []step{
			{"update JobId=1 AdminComment=x", "", "CONFIGURING"},
			{"update JobId=999 AdminComment=x", "Invalid job id specified for job 999", "CONFIGURING"},
		}},
		{"a job with nodes keeps its exclusions", func(m *model.Model) string { return fmt.Sprint(m.Job(1).ExcNodes) }, []step{
			{"update JobId=1 ExcNodeList=aws-hpc-001", "Job is no longer pending execution for job 1", "[]"},
			{"requeue 1", "", "[]"},
			{"update JobId=1 ExcNodeList=aws-hpc-[001-002],nosuch", "Invalid node name specified for job 1", "[]"},
			{"update JobId=1 ExcNodeList=aws-hpc-001", "", "[aws-hpc-001]"},
			{"update JobId=1 Partition=nosuch", "Invalid partition name specified for job 1", "[aws-hpc-001]"},
			{"requeue 1", "Job is pending execution for job 1", "[aws-hpc-001]"},
			{"update JobId=1 ExcNodeList=", "", "[]"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, _, _ := bed()
			for _, s := range tt.steps {
				_, err := m.Scontrol(t.Context(), strings.Fields(s.args)...)
				got := ""
				if err != nil {
					got = strings.TrimPrefix(err.Error(), "exit status 1: ")
				}
				if got != s.stderr && !sameLines(got, s.stderr) {
					t.Errorf("%s\n got %q\nwant %q", s.args, got, s.stderr)
				}
				if after := tt.look(m); after != s.after {
					t.Errorf("%s\n left %q\n want %q", s.args, after, s.after)
				}
			}
		})
	}
}

// sameLines compares without regard to the order of lines: Slurm lists the
// tasks of an array in no order worth keeping.
func sameLines(a, b string) bool {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for _, l := range y {
		if !strings.Contains(a, l) {
			return false
		}
	}
	return len(x) == len(y)
}

func TestACancelledJobIsRevivedByRequeuehold(t *testing.T) {
	m, c, _ := bed()
	j := m.Job(1)
	j.State = "CANCELLED"
	m.SetJob(j)
	if err := c.Hold(t.Context(), slurm.Record{ID: "1"}); !errors.Is(err, slurm.ErrEnded) || m.Job(1).State != "CANCELLED" {
		t.Errorf("Hold: %v, job %s", err, m.Job(1).State)
	}
	if _, err := m.Scontrol(t.Context(), "requeuehold", "1"); err != nil || m.Job(1).State != "PENDING" {
		t.Errorf("requeuehold: %v, job %s", err, m.Job(1).State)
	}
	j.State = "CANCELLED"
	m.SetJob(j)
	if _, err := m.Scontrol(t.Context(), "update", "JobId=1", "AdminComment=late"); err == nil || err.Error() != "exit status 1: Job has already finished for job 1" {
		t.Error(err)
	}
}

var key = regexp.MustCompile(`(?:^| )([A-Z][A-Za-z/:]*)=`)

// keys lists the keys of a line of scontrol, in order.
func keys(line string) []string {
	var out []string
	for _, m := range key.FindAllStringSubmatch(line, -1) {
		out = append(out, m[1])
	}
	return out
}

func realLine(t *testing.T, file, begin string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, begin) {
			return strings.TrimSuffix(line, "\n")
		}
	}
	t.Fatalf("no %q in %s", begin, file)
	return ""
}

func TestLinesHaveTheRealOnesKeysInOrder(t *testing.T) {
	m, _, _ := bed()
	j := m.Job(8)
	j.Comment = "u"
	m.SetJob(j)
	out, _ := m.Scontrol(t.Context(), "-o", "show", "job", "2_1")
	real := strings.Replace(realLine(t, "jobs.txt", "JobId=8 "), "ArrayTaskThrottle=2 ", "", 1)
	real = strings.Replace(real, "Comment=budget=5 JobId=99 Partition=x asba:abc ", "Comment=u ", 1)
	if d := cmp.Diff(keys(real), keys(string(out))); d != "" {
		t.Error(d)
	}
	m.Scontrol(t.Context(), "update", "NodeName=aws-hpc-003", "State=POWER_DOWN_ASAP", "Reason=plan X")
	out, _ = m.Scontrol(t.Context(), "-o", "show", "node", "aws-hpc-003")
	if d := cmp.Diff(keys(realLine(t, "nodes.txt", "NodeName=aws-hpc-003 ")), keys(string(out))); d != "" {
		t.Error(d)
	}
}

func TestPartitions(t *testing.T) {
	m, c, _ := bed()
	nodes, err := c.PartitionNodes(t.Context(), "hpc")
	if d := cmp.Diff(m.Nodes(), nodes); d != "" || err != nil {
		t.Error(d, err)
	}
	out, _ := m.Scontrol(t.Context(), "-o", "show", "partition", "hpc")
	if d := cmp.Diff(keys(realLine(t, "partitions.txt", "PartitionName=hpc ")), keys(string(out))); d != "" {
		t.Error(d)
	}
	if _, err := c.PartitionNodes(t.Context(), "nope"); !errors.Is(err, slurm.ErrRefused) {
		t.Error(err)
	}
	failed, err := c.Drain(t.Context(), []string{"aws-hpc-001"}, "expired")
	if got := state(m, "aws-hpc-001"); failed != nil || err != nil || got != "IDLE+CLOUD+DRAIN+NOT_RESPONDING+POWERING_UP expired" {
		t.Error(got, failed, err)
	}
}

// cluster is n idle nodes, and the addresses to push to them.
func cluster(n int) (*model.Model, *slurm.Controller, *testEnv, []slurm.Addr) {
	e := newEnv()
	m := model.New(e)
	var list []slurm.Addr
	for i := range n {
		name := fmt.Sprintf("big-%d", i)
		m.SetNode(model.Node{Name: name, Addr: name, CPUs: 1, Partition: "big", Flags: []string{"CLOUD", "POWERING_UP"}})
		list = append(list, slurm.Addr{Node: name, IP: fmt.Sprintf("10.0.%d.%d", i/250, i%250)})
	}
	return m, slurm.New(m, e, ""), e, list
}

func TestCallsForPushedAddresses(t *testing.T) {
	tests := []struct {
		name     string
		nodes    int
		breaks   func(m *model.Model)
		updates  int
		shows    int
		failures []string
	}{
		{"8 nodes", 8, func(*model.Model) {}, 1, 1, nil},
		{"500 nodes", 500, func(*model.Model) {}, 5, 1, nil},
		// 100, 50, 25, 13, 6, 3, 1: one call a half on the way down, one more for each sibling.
		{"one unknown of 100", 100, func(m *model.Model) { m.Refuse("big-0", "Invalid node name specified") }, 13, 1, []string{"big-0"}},
		{"an address that got lost once", 8, func(m *model.Model) { m.LoseAddresses("big-3", 1) }, 2, 2, nil},
		{"an address that is never kept", 8, func(m *model.Model) { m.LoseAddresses("big-3", 9) }, 2, 2, []string{"big-3"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, c, _, list := cluster(tt.nodes)
			tt.breaks(m)
			failed, err := c.PushAddresses(t.Context(), list, slurm.Push{})
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, f := range failed {
				names = append(names, f.Node)
				if !errors.Is(f.Err, slurm.ErrRefused) {
					t.Errorf("%v", f.Err)
				}
			}
			if d := cmp.Diff(tt.failures, names); d != "" {
				t.Error(d)
			}
			for _, a := range list {
				lost := len(names) > 0 && a.Node == names[0]
				if got := m.Node(a.Node).Addr; (got == a.IP) == lost {
					t.Errorf("%s has %s", a.Node, got)
				}
			}
			if d := cmp.Diff(map[string]int{"update node": tt.updates, "show node": tt.shows}, m.Counts()); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(m.Counts(), c.Counts()); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestSlurmctldThatDoesNotAnswer(t *testing.T) {
	push := func(c *slurm.Controller, ctx context.Context) error {
		_, err := c.PushAddresses(ctx, []slurm.Addr{{Node: "aws-hpc-001", IP: "10.0.0.1"}}, slurm.Push{})
		return err
	}
	show := func(c *slurm.Controller, ctx context.Context) error { _, err := c.Jobs(ctx); return err }
	nodes := func(c *slurm.Controller, ctx context.Context) error {
		_, err := c.Nodes(ctx, []string{"aws-hpc-001"})
		return err
	}
	exclude := func(c *slurm.Controller, ctx context.Context) error {
		return c.Exclude(ctx, slurm.Record{ID: "1"}, []string{"aws-hpc-001"})
	}
	tests := []struct {
		name   string
		outage model.Outage
		call   func(*slurm.Controller, context.Context) error
		takes  time.Duration
	}{
		{"dead, update node", model.Dead, push, 9 * time.Second},
		{"dead, update job", model.Dead, exclude, 9 * time.Second},
		{"dead, show node", model.Dead, nodes, 9 * time.Second},
		{"dead, show job takes 18 s but for our deadline", model.Dead, show, 10 * time.Second},
		{"hung, update node", model.Hung, push, 10 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, c, e := bed()
			m.SetOutage(tt.outage)
			start := e.now
			if err := tt.call(c, t.Context()); !errors.Is(err, slurm.ErrUnreachable) || errors.Is(err, slurm.ErrRefused) {
				t.Errorf("got %v", err)
			}
			if took := e.now.Sub(start); took != tt.takes || len(m.Calls()) != 1 {
				t.Errorf("%d calls took %s, want 1 and %s", len(m.Calls()), took, tt.takes)
			}
			m.SetOutage(model.Up)
			if tt.name == "dead, update job" {
				return // job 1 has its nodes
			}
			if err := tt.call(c, t.Context()); err != nil {
				t.Errorf("when it is back: %v", err)
			}
		})
	}
}

// The life of a gang that fails: its nodes are set aside, then given back, the
// job says why and stays held.
func TestAGangThatFails(t *testing.T) {
	m, c, _ := bed()
	ctx := t.Context()
	nodes := m.Job(1).Nodes
	failed, err := c.PushAddresses(ctx, []slurm.Addr{{Node: nodes[0], IP: "10.0.0.1"}}, slurm.Push{SingleUse: true, Reason: "plan abc"})
	if failed != nil || err != nil {
		t.Fatal(failed, err)
	}
	if got := state(m, nodes[0]); got != "IDLE+CLOUD+DRAIN+POWER_DOWN+NOT_RESPONDING+POWERING_UP plan abc" {
		t.Error(got)
	}
	records, err := c.Records(ctx, "1")
	if err != nil || len(records) != 1 || !records[0].Configuring() || !slurm.CanHold(records[0]) {
		t.Fatal(records, err)
	}
	r := records[0]
	if err := errors.Join(c.Comment(ctx, r, "no capacity"), c.Comment(ctx, r, "held"), c.Comment(ctx, r, "held"), c.Hold(ctx, r)); err != nil {
		t.Fatal(err)
	}
	if failed, err := c.GiveBack(ctx, nodes, "UnauthorizedOperation", "ec2:RunInstances"); failed != nil || err != nil {
		t.Fatal(failed, err)
	}
	if got := state(m, nodes[3]); got != "IDLE+CLOUD+POWER_DOWN+NOT_RESPONDING (Code:UnauthorizedOperation) ec2:RunInstances" {
		t.Error(got)
	}
	j := m.Job(1)
	if j.State != "PENDING" || j.Reason != "job_requeued_in_held_state" || j.AdminComment != "no capacity; held" || j.Restarts != 1 {
		t.Errorf("got %+v", j)
	}
	if err := errors.Join(c.Exclude(ctx, r, nodes), c.Requeue(ctx, r)); err != nil {
		t.Fatal(err)
	}
	if failed, err := c.ResetAddresses(ctx, append([]string{"aws-hpc-008"}, nodes...)); failed != nil || err != nil {
		t.Fatal(failed, err)
	}
	if got := addrs(m, nodes[0], "aws-hpc-008"); got != "aws-hpc-001 aws-hpc-008" {
		t.Error(got)
	}
	if d := cmp.Diff(nodes, m.Job(1).ExcNodes); d != "" {
		t.Error(d)
	}
	m.Scontrol(ctx, "update", "NodeName="+nodes[1], "State=DOWN", "Reason=ResumeTimeout reached")
	m.Scontrol(ctx, "update", "NodeName=aws-hpc-008", "State=DRAIN", "Reason=by hand")
	failed, err = c.Resume(ctx, []string{nodes[1], nodes[2], "aws-hpc-008", "nope"})
	if err != nil || len(failed) != 1 || failed[0].Node != "nope" || !errors.Is(failed[0].Err, slurm.ErrNoNode) {
		t.Error(failed, err)
	}
	if a, b, c := m.Node(nodes[1]), m.Node(nodes[2]), m.Node("aws-hpc-008"); a.State != "IDLE" || b.Reason != "" || !c.Has("DRAIN") {
		t.Errorf("resumed %+v, left alone %+v and %+v", a, b, c)
	}
}

func TestTheModelSaysWhatItDoesNotModel(t *testing.T) {
	m, _, _ := bed()
	for _, args := range []string{"ping", "update NodeName=aws-hpc-001 State=POWER_UP", "show config", "update JobId=1 Priority=1", ""} {
		if _, err := m.Scontrol(t.Context(), strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), "simulator/slurm: ") {
			t.Errorf("%q: %v", args, err)
		}
	}
	if n := len(m.Calls()); n != 5 || m.Calls()[0].Err == "" {
		t.Errorf("%d calls in the log", n)
	}
}

func TestScriptsAreThoseOfTheirJobs(t *testing.T) {
	m, ctl, _ := bed()
	job := m.Job(8)
	job.Script = "#!/bin/sh\n"
	m.SetJob(job)
	for ref, want := range map[string]string{"8": "#!/bin/sh\n", "2_1": "#!/bin/sh\n", "2": "#!/bin/sh\n", "9": "", "77": ""} {
		if text, err := ctl.Script(t.Context(), ref); string(text) != want || err != nil {
			t.Errorf("%s: %q, %v", ref, text, err)
		}
	}
}
