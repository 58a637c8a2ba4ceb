package slurm

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// shown answers "show node" and "show job".
type shown struct{ nodes, jobs string }

func (s shown) Scontrol(_ context.Context, args ...string) ([]byte, error) {
	if s.jobs == "" {
		return nil, errors.New("exit status 1: slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
	}
	if args[2] == "node" {
		return []byte(s.nodes), nil
	}
	return []byte(s.jobs), nil
}

func TestAJobThatLostItsNodesIsToldByTheSecondOfItsRequeue(t *testing.T) {
	node := func(name, reason string) string {
		return "NodeName=" + name + " NodeAddr=1.2.3.4 State=DOWN+CLOUD+POWERED_DOWN+NOT_RESPONDING Partitions=aws " + reason + "\n"
	}
	job := func(id, state, restarts, submitted string) string {
		return "JobId=" + id + " JobName=j UserId=ann(1000) JobState=" + state + " Reason=None Requeue=1 Restarts=" + restarts + " BatchFlag=1 SubmitTime=" + submitted + " NodeList= Command=/c WorkDir=/w\n"
	}
	const down = "Reason=ResumeTimeout reached [root@2026-11-25T19:54:25]"
	s := shown{
		nodes: node("n1", down) + node("n2", "Reason=odd@place [slurm@2026-11-25T20:00:00] Comment=x") + node("n3", ""),
		jobs: job("1", "PENDING", "1", "2026-11-25T19:54:25") + job("2", "PENDING", "3", "2026-11-25T20:00:01") +
			job("3", "PENDING", "0", "2026-11-25T19:54:25") + // submitted in that second
			job("4", "CONFIGURING", "1", "2026-11-25T19:54:25") + job("5", "PENDING", "1", "2026-11-25T19:54:28") + job("6", "PENDING", "1", "Unknown"),
	}
	ids := func(s shown, nodes ...string) (string, error) {
		jobs, err := New(s, newEnv(), "").RequeuedWith(context.Background(), nodes)
		var ids []string
		for _, j := range jobs {
			ids = append(ids, j.ID)
		}
		return strings.Join(ids, " "), err
	}
	if got, err := ids(s, "n1", "n2", "n3"); got != "1 2" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	if got, err := ids(shown{nodes: node("n1", ""), jobs: s.jobs}, "n1"); got != "" || err != nil {
		t.Errorf("nodes that are not down: %q %v", got, err)
	}
	if _, err := ids(shown{}, "n1"); !errors.Is(err, ErrUnreachable) {
		t.Errorf("nobody answers: %v", err)
	}
}
