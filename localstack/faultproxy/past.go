package faultproxy

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/localstack/query"
	"aws-slurm-burst/simulator/faults"
)

// past remembers instances that were launched, and when they ended, until no
// describe looks back so far. It knows what went through this proxy: an instance
// that ended by itself is shown as the endpoint shows it.
type past struct {
	reach time.Duration // 0 where no rule looks back

	mu    sync.Mutex
	lives map[string]*life
}

// life is what is known of an instance.
type life struct {
	launched, ended env.Time    // zero: not lately
	item            *query.Node // what its launch said of it
}

func newPast(reach time.Duration) past { return past{reach: reach, lives: map[string]*life{}} }

// note keeps what an answer launched and ended, and forgets what is too old to
// matter.
func (p *past) note(now env.Time, a *query.Answer, launched, ended []string) {
	if p.reach == 0 || len(launched)+len(ended) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(launched) > 0 {
		items := map[string]*query.Node{}
		for _, i := range a.Read().Items("instancesSet") {
			items[i.Get("instanceId")] = i
		}
		for _, id := range launched {
			if p.lives[id] == nil { // a repeated token's answer is no second launch
				p.lives[id] = &life{launched: now, item: items[id]}
			}
		}
	}
	for _, id := range ended {
		l := p.lives[id]
		if l == nil {
			l = &life{}
			p.lives[id] = l
		}
		if l.ended.IsZero() {
			l.ended = now
		}
	}
	for id, l := range p.lives {
		if !l.ended.IsZero() && l.ended.Before(now.Add(-p.reach)) {
			delete(p.lives, id)
		}
	}
}

// describe answers a DescribeInstances with a world so much older than the
// call: launches since are not there, ends since have not begun. Tags are those
// of now. The endpoint is asked for instances in any state, since what is ended
// now was running then.
func (p *past) describe(next http.Handler, r *http.Request, c *Call, age time.Duration) *query.Answer {
	then := c.Time.Add(-age)
	form := maps.Clone(c.Params)
	var hidden []string
	for _, id := range query.Numbered(form, "InstanceId", "") {
		if l := p.of(id); l.launched > then {
			hidden = append(hidden, id)
		}
	}
	if hidden != nil {
		c.Applied = false
		return query.Refusal(http.StatusBadRequest, "InvalidInstanceID.NotFound", "The instance IDs '"+strings.Join(hidden, ", ")+"' do not exist")
	}
	wanted := query.TakeFilters(form, func(name string) bool { return name == "instance-state-name" })
	a := query.Ask(next, r, form)
	a.Edit(func(root *query.Node) {
		root.EachInstance(func(i *query.Node) *query.Node {
			l := p.of(i.Get("instanceId"))
			if l.launched > then {
				return nil
			}
			if l.ended > then {
				i = l.alive(i)
			}
			state := i.Get("instanceState>name")
			for _, f := range wanted {
				if !slices.ContainsFunc(f.Values, func(v string) bool { return faults.Match(v, state) }) {
					return nil
				}
			}
			return i
		})
	})
	return a
}

// of returns what is known of an instance.
func (p *past) of(id string) life {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.lives[id]; l != nil {
		return *l
	}
	return life{}
}

// alive is an ended instance as it was before: what its launch said of it, its
// addresses above all, with the tags that it has. Where the launch was not seen
// it is what is left of it.
func (l life) alive(now *query.Node) *query.Node {
	then := now
	if l.item != nil {
		then = l.item.Clone()
		if tags := now.At("tagSet"); tags != nil {
			then.Put(tags)
		}
	}
	then.Set("instanceState>code", "16")
	then.Set("instanceState>name", "running")
	then.Set("reason", "")
	then.Drop("stateReason")
	return then
}
