// Package share is what users and accounts have of a cluster: what they use now,
// against their limits, and what they used, against their shares, as Slurm's Fair
// Tree ranks it.
//
// It has two levels, accounts and the users in them, and knows no job: its owner
// says when CPUs are taken, held and given back.
package share

import (
	"cmp"
	"math"
	"slices"
	"time"

	"aws-slurm-burst/executor/env"
)

// Limits are what a user of an account, or an account, may have at once; 0 is no
// limit.
type Limits struct {
	Jobs int32 // running jobs (MaxJobs, GrpJobs)
	CPUs int32 // CPUs in use (MaxTRESPerUser=cpu=, GrpTRES=cpu=)
}

// Limit is one that a start would exceed.
type Limit uint8

const (
	Within Limit = iota
	UserJobs
	UserCPUs
	AccountJobs
	AccountCPUs
)

// Tree is accounts and their users. The zero Tree has neither, and takes any.
type Tree struct {
	// HalfLife is PriorityDecayHalfLife: use that long ago counts half; 0 is for
	// ever.
	HalfLife time.Duration
	// Default are the limits of a user until SetUser.
	Default Limits

	accounts []account
	users    []user
	numbers  map[name]int32
}

type name struct{ user, account string }

// holder is what users and accounts have in common.
type holder struct {
	shares float64
	limits Limits
	jobs   int32
	cpus   int32
	usage  float64 // CPU seconds, decayed
	level  float64 // share of its siblings' shares over its part of their use
}

type account struct {
	holder
	name string
}

type user struct {
	holder
	account int32
	at      env.Time // until when usage is decayed
	factor  float64
}

// Account returns the number of an account: with one share and without limits
// until SetAccount.
func (t *Tree) Account(name string) int32 {
	if i := slices.IndexFunc(t.accounts, func(a account) bool { return a.name == name }); i >= 0 {
		return int32(i)
	}
	t.accounts = append(t.accounts, account{holder{shares: 1}, name})
	return int32(len(t.accounts) - 1)
}

// SetAccount gives an account its shares, of those of all accounts, and limits.
func (t *Tree) SetAccount(i int32, shares float64, l Limits) {
	t.accounts[i].shares, t.accounts[i].limits = shares, l
}

// User returns the number of a user in an account: with one share and the
// Default limits until SetUser.
func (t *Tree) User(of, in string) int32 {
	key := name{of, in}
	if i, ok := t.numbers[key]; ok {
		return i
	}
	if t.numbers == nil {
		t.numbers = map[name]int32{}
	}
	i := int32(len(t.users))
	t.users = append(t.users, user{holder: holder{shares: 1, limits: t.Default}, account: t.Account(in), factor: 1})
	t.numbers[key] = i
	return i
}

// SetUser gives a user its shares, of those of all users of the account, and
// limits.
func (t *Tree) SetUser(i int32, shares float64, l Limits) {
	t.users[i].shares, t.users[i].limits = shares, l
}

// Exceeds says which limit a job of a user would exceed with so many CPUs.
func (t *Tree) Exceeds(i, cpus int32) Limit {
	if len(t.users) == 0 {
		return Within
	}
	u := &t.users[i]
	a := &t.accounts[u.account]
	switch {
	case u.limits.Jobs > 0 && u.jobs >= u.limits.Jobs:
		return UserJobs
	case u.limits.CPUs > 0 && u.cpus+cpus > u.limits.CPUs:
		return UserCPUs
	case a.limits.Jobs > 0 && a.jobs >= a.limits.Jobs:
		return AccountJobs
	case a.limits.CPUs > 0 && a.cpus+cpus > a.limits.CPUs:
		return AccountCPUs
	}
	return Within
}

// Start and End count a job's CPUs among those in use, or no longer.
func (t *Tree) Start(i, cpus int32) { t.count(i, 1, cpus) }
func (t *Tree) End(i, cpus int32)   { t.count(i, -1, -cpus) }

func (t *Tree) count(i, jobs, cpus int32) {
	if len(t.users) == 0 {
		return
	}
	u := &t.users[i]
	for _, h := range []*holder{&u.holder, &t.accounts[u.account].holder} {
		h.jobs += jobs
		h.cpus += cpus
	}
}

// Charge adds to a user's use so many CPUs held from one instant to another. Use
// decays all the time; Slurm lets it do so once a PriorityCalcPeriod, which comes
// to the same within one.
func (t *Tree) Charge(i, cpus int32, from, to env.Time) {
	if len(t.users) == 0 {
		return
	}
	u := &t.users[i]
	t.decay(u, to)
	held := to.Sub(from).Seconds()
	if half := t.HalfLife.Seconds(); half > 0 {
		held = half / math.Ln2 * (1 - math.Exp2(-held/half))
	}
	u.usage += float64(cpus) * held
}

func (t *Tree) decay(u *user, now env.Time) {
	if t.HalfLife > 0 && now > u.at {
		u.usage *= math.Exp2(-now.Sub(u.at).Seconds() / t.HalfLife.Seconds())
	}
	u.at = now
}

// Factor is a user's place as of the last Rank: 1 for the first, 1/n for the
// last of n.
func (t *Tree) Factor(i int32) float64 {
	if len(t.users) == 0 {
		return 1
	}
	return t.users[i].factor
}

// Rank orders all users: first by their accounts' shares over what these used,
// then by their own likewise. Users of equal accounts compete as if the accounts
// were one, and equal users have equal factors.
func (t *Tree) Rank(now env.Time) {
	var all, users holder
	for i := range t.accounts {
		t.accounts[i].usage = 0
		all.shares += t.accounts[i].shares
	}
	siblings := make([]holder, len(t.accounts))
	for i := range t.users {
		u := &t.users[i]
		t.decay(u, now)
		t.accounts[u.account].usage += u.usage
		siblings[u.account].shares += u.shares
		users.usage += u.usage
	}
	for i := range t.accounts {
		t.accounts[i].rate(all.shares, users.usage)
	}
	order := make([]int32, len(t.users))
	for i := range t.users {
		order[i] = int32(i)
		a := t.users[i].account
		t.users[i].rate(siblings[a].shares, t.accounts[a].usage)
	}
	compare := func(x, y int32) int {
		u, v := &t.users[x], &t.users[y]
		return cmp.Or(cmp.Compare(t.accounts[v.account].level, t.accounts[u.account].level), cmp.Compare(v.level, u.level))
	}
	slices.SortStableFunc(order, compare)
	for i, k := range order {
		if i > 0 && compare(order[i-1], k) == 0 {
			t.users[k].factor = t.users[order[i-1]].factor
			continue
		}
		t.users[k].factor = float64(len(order)-i) / float64(len(order))
	}
}

// rate works out a level: infinite for who used nothing.
func (h *holder) rate(shares, usage float64) {
	if h.usage == 0 || usage == 0 {
		h.level = math.Inf(1)
		return
	}
	h.level = h.shares / shares / (h.usage / usage)
}
