package ec2

import (
	"reflect"
	"slices"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/ec2/api"
)

// tokenMemory is how long EC2 knows a client token after the last instance
// launched with it is gone.
const tokenMemory = 24 * time.Hour

// tokenKey is a client token's scope: a request that names a zone, or a subnet
// in one, shares its tokens with that zone only.
type tokenKey struct{ token, az string }

// grant is a launch remembered by its token.
type grant struct {
	key         tokenKey
	request     RunRequest
	reservation string
	instances   []*Instance
	left        int // instances not terminated
	forget      env.Time
}

// replay answers a request whose token was used before.
func (m *Model) replay(r RunRequest, az string, now env.Time) (res Reservation, found bool, err error) {
	g := m.tokens[tokenKey{r.Token, az}]
	if g == nil {
		return Reservation{}, false, nil
	}
	if !reflect.DeepEqual(g.request, r) {
		return Reservation{}, true, api.Refuse("IdempotentParameterMismatch", "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).")
	}
	if g.left == 0 {
		return Reservation{}, true, api.Refuse("IdempotentInstanceTerminated", "The instances launched with this client token have been terminated.")
	}
	res.ID = g.reservation
	for _, i := range g.instances {
		res.Instances = append(res.Instances, i.at(now))
	}
	return res, true, nil
}

// remember keeps a launch for replay. What it keeps of the request must not
// change any more, so callers of RunInstances leave its slices alone.
func (m *Model) remember(r RunRequest, az string, res Reservation) {
	g := &grant{key: tokenKey{r.Token, az}, request: r, reservation: res.ID, left: len(res.Instances)}
	g.instances = slices.Clone(m.instances[len(m.instances)-g.left:])
	for _, i := range g.instances {
		i.grant = g
	}
	m.tokens[g.key] = g
}

// gone notes that an instance of a launch is terminated.
func (m *Model) gone(i *Instance) {
	g := i.grant
	if g == nil {
		return
	}
	if g.left--; g.left == 0 {
		g.forget = i.terminates.Add(tokenMemory)
		g.instances = nil
		m.spent = append(m.spent, g)
	}
}

// forgetTokens drops the launches whose token EC2 no longer knows.
func (m *Model) forgetTokens(now env.Time) {
	for len(m.spent) > 0 && now >= m.spent[0].forget {
		delete(m.tokens, m.spent[0].key)
		m.spent = m.spent[1:]
	}
}
