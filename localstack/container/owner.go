package container

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

const (
	// ourLabel marks the containers of this package; `make clean` goes by it too.
	ourLabel   = "aws-slurm-burst.container"
	ourValue   = "localstack"
	ownerLabel = "aws-slurm-burst.owner"
	// unseenFor is how old a container gets whose owner cannot be seen from here:
	// longer than any run takes.
	unseenFor = 6 * time.Hour
)

// owner is the process that a container is for. A process id alone comes again;
// with its start time it does not, until the machine starts again.
type owner struct {
	boot    string // the kernel's id of this boot
	space   string // in which process ids are counted
	pid     int
	started string // clock ticks since boot
}

// self is this process. What a system without /proc cannot say stays empty.
func self() (owner, error) {
	o := owner{pid: os.Getpid(), boot: "-", space: "-", started: "-"}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if errors.Is(err, os.ErrNotExist) {
		return o, nil
	}
	if err != nil {
		return o, err
	}
	o.boot = strings.TrimSpace(string(boot))
	if o.space, err = os.Readlink("/proc/self/ns/pid"); err != nil {
		return o, err
	}
	_, o.started, err = process(o.pid)
	return o, err
}

// process reads a process's state and start time.
func process(pid int) (state, started string, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", "", err
	}
	// The name, in parentheses, may have blanks and parentheses of its own.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // from the third of proc(5) on
	if len(fields) < 20 {
		return "", "", fmt.Errorf("/proc/%d/stat has %d fields after the name", pid, len(fields))
	}
	return fields[0], fields[19], nil
}

func (o owner) String() string {
	return strings.Join([]string{o.boot, o.space, strconv.Itoa(o.pid), o.started}, " ")
}

func (o owner) labels() map[string]string {
	return map[string]string{ourLabel: ourValue, ownerLabel: o.String()}
}

// parseOwner reads what String wrote.
func parseOwner(s string) (owner, bool) {
	f := strings.Fields(s)
	if len(f) != 4 {
		return owner{}, false
	}
	pid, err := strconv.Atoi(f[2])
	return owner{boot: f[0], space: f[1], pid: pid, started: f[3]}, err == nil && pid > 0
}

// gone reports whether o lives no more, as seen from me, of a container that is
// so old. Where it cannot be seen, age decides.
func (o owner) gone(me owner, age time.Duration) bool {
	switch {
	case o.boot != me.boot:
		// An engine of this machine has seen no other boot, but in a virtual
		// machine of its own it may serve several systems.
		return o.boot != "-" && me.boot != "-" || age > unseenFor
	case o.space != me.space:
		return age > unseenFor
	case o.started == "-":
		return errors.Is(syscall.Kill(o.pid, 0), syscall.ESRCH)
	}
	state, started, err := process(o.pid)
	return errors.Is(err, os.ErrNotExist) || err == nil && (started != o.started || state == "Z")
}

// sweep removes the containers of owners that are gone. It fails with an
// *EngineError where the engine does not do so in time, or with ctx's error.
func sweep(ctx context.Context, api client.APIClient) error {
	const what, do = "looking for left containers", "`make clean`, or see the engine's log"
	me, err := self()
	if err != nil {
		return &EngineError{Host: api.DaemonHost(), Why: what + ": " + err.Error(), Do: do}
	}
	looking, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	all, err := api.ContainerList(looking, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", ourLabel+"="+ourValue)})
	if err != nil {
		return unanswered(ctx, api, what, lookWithin, err, do)
	}
	removing, cancel := context.WithTimeout(ctx, removeWithin)
	defer cancel()
	for _, c := range all.Items {
		o, ok := parseOwner(c.Labels[ownerLabel])
		if ok && !o.gone(me, time.Since(time.Unix(c.Created, 0))) {
			continue
		}
		_, err := api.ContainerRemove(removing, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		// Another process may be sweeping too: then it is gone, or going.
		if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) {
			return unanswered(ctx, api, "removing the left container "+c.ID[:min(12, len(c.ID))], removeWithin, err, do)
		}
	}
	return nil
}
