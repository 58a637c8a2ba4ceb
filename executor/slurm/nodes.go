package slurm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"aws-slurm-burst/executor/hostlist"
)

// Addr is where a node is to be found.
type Addr struct {
	Node, IP string
}

// Push says how addresses are told.
type Push struct {
	// SingleUse drains the nodes in the same call, to be powered down when
	// their job ends: nobody else gets in.
	SingleUse bool
	// Reason goes with SingleUse, such as "plan X".
	Reason string
}

// PushAddresses tells slurmctld the nodes' addresses and reads them back, with
// one update a hundred nodes and one "show node" for all of them. It returns
// the nodes that slurmctld does not have right, or an error that is
// ErrUnreachable; then some addresses may be set, and all may be pushed again.
func (c *Controller) PushAddresses(ctx context.Context, addrs []Addr, p Push) ([]NodeError, error) {
	if c.Off() || len(addrs) == 0 {
		return nil, nil
	}
	want := map[string]string{}
	var names []string
	var failed []NodeError
	for _, a := range addrs {
		switch {
		case a.IP == "" || strings.Trim(a.IP, "0123456789abcdefABCDEF.:") != "":
			failed = append(failed, c.wrong(a.Node, "%q is not an IP address", a.IP))
		case want[a.Node] != "" && want[a.Node] != a.IP:
			failed = append(failed, c.wrong(a.Node, "two addresses, %s and %s", want[a.Node], a.IP))
		default:
			want[a.Node] = a.IP
			names = append(names, a.Node)
		}
	}
	set := func(nodes []string) []string {
		ips := make([]string, len(nodes))
		for i, n := range nodes {
			ips[i] = want[n]
		}
		args := []string{"NodeAddr=" + strings.Join(ips, ",")}
		if p.SingleUse {
			args = append(args, "State=POWER_DOWN_ASAP", "Reason="+reason("", p.Reason))
		}
		return args
	}
	refused, err := c.update(ctx, names, set)
	if err != nil {
		return nil, err
	}
	failed = append(failed, refused...)

	// Slurm 22.05.0-.7 gave addresses of an unsorted list to the wrong nodes,
	// and a slurmctld that dies may have kept some: what counts is what it says.
	off, err := c.check(ctx, without(names, refused), want)
	if err != nil || len(off) == 0 {
		return inNodeOrder(failed), err
	}
	var retried []string
	for _, n := range off {
		refused, err := c.update(ctx, []string{n.Node}, set)
		if err != nil {
			return nil, err
		}
		if failed = append(failed, refused...); len(refused) == 0 {
			retried = append(retried, n.Node)
		}
	}
	if off, err = c.check(ctx, retried, want); err != nil {
		return nil, err
	}
	return inNodeOrder(append(failed, off...)), nil
}

// check reads addresses back and returns the nodes whose is another.
func (c *Controller) check(ctx context.Context, names []string, want map[string]string) ([]NodeError, error) {
	if len(names) == 0 {
		return nil, nil
	}
	nodes, err := c.Nodes(ctx, names)
	if err != nil {
		return nil, err
	}
	got := map[string]string{}
	for _, n := range nodes {
		got[n.Name] = n.Addr
	}
	var off []NodeError
	for _, n := range names {
		if got[n] != want[n] {
			off = append(off, c.wrong(n, "NodeAddr reads %q after %s was set", got[n], want[n]))
		}
	}
	return off, nil
}

func (c *Controller) wrong(node, format string, args ...any) NodeError {
	return NodeError{node, &Error{Op: "update node", Nodes: []string{node}, Kind: ErrRefused, Err: fmt.Errorf(format, args...)}}
}

// GiveBack returns nodes to Slurm powered down, with a reason that scontrol
// shows (sinfo -R leaves out nodes that are idle): their jobs are requeued at once, SuspendProgram is called, and they
// are idle again after SuspendTimeout.
func (c *Controller) GiveBack(ctx context.Context, nodes []string, code, text string) ([]NodeError, error) {
	return c.update(ctx, nodes, same("State=POWER_DOWN_FORCE", "Reason="+reason(code, text)))
}

// ResetAddresses gives nodes the placeholder address that slurm.conf gives
// them, so that slurmctld talks to nobody in their name. Nodes that have it are
// left alone: any update of a node that is neither down nor drained wipes its
// reason, which says why it was given back. It does not read back: the next
// boot brings a new address anyway.
func (c *Controller) ResetAddresses(ctx context.Context, nodes []string) ([]NodeError, error) {
	if c.Off() || len(nodes) == 0 {
		return nil, nil
	}
	addr := func(n string) string {
		if c.placeholder == "" {
			return n
		}
		return strings.ReplaceAll(c.placeholder, "%n", n)
	}
	known, err := c.Nodes(ctx, nodes)
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for _, n := range known {
		there[n.Name] = n.Addr == addr(n.Name)
	}
	other := slices.DeleteFunc(slices.Clone(nodes), func(n string) bool { return there[n] })
	return c.update(ctx, other, func(nodes []string) []string {
		addrs := make([]string, len(nodes))
		for i, n := range nodes {
			addrs[i] = addr(n)
		}
		return []string{"NodeAddr=" + strings.Join(addrs, ",")}
	})
}

// PowerDown powers nodes down that have no instance. It clears what a boot
// that never came leaves behind: a node that was made available again by Resume
// alone stays "not responding", and is out of use after the next reconfigure or
// restart of slurmctld (seen on 22.05.8).
func (c *Controller) PowerDown(ctx context.Context, nodes []string, code, text string) ([]NodeError, error) {
	return c.update(ctx, nodes, same("State=POWER_DOWN", "Reason="+reason(code, text)))
}

// Resume makes nodes available again that Slurm took down at ResumeTimeout. It
// looks first: Slurm refuses it for a node that is not down, and forgets that
// node's reason all the same; of one that is only drained it would end what an
// operator, or the drain of a single-use node, means.
func (c *Controller) Resume(ctx context.Context, names []string) ([]NodeError, error) {
	if c.Off() || len(names) == 0 {
		return nil, nil
	}
	nodes, err := c.Nodes(ctx, names)
	if err != nil {
		return nil, err
	}
	var failed []NodeError
	var down, known []string
	for _, n := range nodes {
		known = append(known, n.Name)
		if n.State == "DOWN" {
			down = append(down, n.Name)
		}
	}
	for _, n := range inOrder(names) {
		if !slices.Contains(known, n) {
			failed = append(failed, NodeError{n, &Error{Op: "show node", Nodes: []string{n}, Kind: ErrNoNode}})
		}
	}
	refused, err := c.update(ctx, down, same("State=RESUME"))
	return inNodeOrder(append(failed, refused...)), err
}

func same(args ...string) func([]string) []string {
	return func([]string) []string { return args }
}

// update makes one call a hundred nodes, with what args says about them. Where
// a call is refused, it is made again for each half, down to single nodes: at
// an unknown name slurmctld stops, with the nodes before it changed and those
// after it not. It ends at once where slurmctld does not answer.
func (c *Controller) update(ctx context.Context, names []string, args func(nodes []string) []string) ([]NodeError, error) {
	if c.Off() {
		return nil, nil
	}
	var failed []NodeError
	for part := range slices.Chunk(inOrder(names), batch) {
		refused, err := c.updateOrHalve(ctx, part, args)
		if err != nil {
			return nil, err
		}
		failed = append(failed, refused...)
	}
	return failed, nil
}

func (c *Controller) updateOrHalve(ctx context.Context, nodes []string, args func([]string) []string) ([]NodeError, error) {
	line := append([]string{"update", "NodeName=" + strings.Join(nodes, ",")}, args(nodes)...)
	_, err := c.call(ctx, "update node", subject{nodes: nodes}, line...)
	switch {
	case err == nil:
		return nil, nil
	case errors.Is(err, ErrUnreachable):
		return nil, err
	case len(nodes) == 1:
		return []NodeError{{nodes[0], err}}, nil
	}
	var failed []NodeError
	for _, half := range [][]string{nodes[:len(nodes)/2], nodes[len(nodes)/2:]} {
		refused, err := c.updateOrHalve(ctx, half, args)
		if err != nil {
			return nil, err
		}
		failed = append(failed, refused...)
	}
	return failed, nil
}

// without returns names in order, less those that failed.
func without(names []string, failed []NodeError) []string {
	bad := map[string]bool{}
	for _, f := range failed {
		bad[f.Node] = true
	}
	return slices.DeleteFunc(inOrder(names), func(n string) bool { return bad[n] })
}

// inNodeOrder sorts failures as Slurm sorts nodes.
func inNodeOrder(failed []NodeError) []NodeError {
	slices.SortStableFunc(failed, func(a, b NodeError) int { return hostlist.Compare(a.Node, b.Node) })
	return failed
}
