package site

import (
	"context"
	"fmt"
	"regexp"
	"sync"
	"time"
)

// End ends the instance of a node behind everybody's back, as EC2 does with
// spot instances.
func (w *Site) End(ctx context.Context, node string) error {
	live, err := w.Live(ctx)
	if err != nil {
		return err
	}
	if live[node] == "" {
		return fmt.Errorf("%s has no instance that could be ended", node)
	}
	w.changed()
	if w.claimed[node] == live[node] {
		delete(w.claimed, node)
	}
	return w.EC2.terminate(ctx, []string{live[node]})
}

// EndAt does so in the middle of a run: as a program asks for an action.
func (w *Site) EndAt(ctx context.Context, action, node string) error {
	live, err := w.Live(ctx)
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // of the step that says so
	end := sync.OnceFunc(func() {
		_ = w.EC2.terminate(ctx, []string{live[node]}) // else the scenario misses what it expects
	})
	w.BeforeCalls(func(called string) {
		if called == action {
			end()
		}
	})
	return nil
}

// Stray launches an instance of the cluster that no program of ours launched:
// of a node, or of none where node is empty.
func (w *Site) Stray(ctx context.Context, node string) error {
	tags := map[string]string{clusterTag: w.Cluster, bornTag: time.Now().UTC().Format(tagTime)}
	if node != "" {
		tags[nodesTag] = node
	}
	w.changed()
	_, err := w.EC2.launchOne(ctx, tags)
	return err
}

var (
	instanceID    = regexp.MustCompile(`<instanceId>(i-[0-9a-f]+)</instanceId>`)
	instanceState = regexp.MustCompile(`(?s)<instanceState>.*?</instanceState>`)
	stateReason   = regexp.MustCompile(`(?s)<stateReason>.*?</stateReason>|<stateReason/>`)
)

// DieOnLaunch ends the first instance of the next launch before its caller
// hears of it, who is told of that: EC2 gives up on a machine that does not come
// up, and says why.
func (w *Site) DieOnLaunch(ctx context.Context, code string) {
	ctx = context.WithoutCancel(ctx) // of the step that says so
	var once sync.Once
	w.EditAnswers(func(action string, body []byte) []byte {
		id := instanceID.FindSubmatch(body)
		if action != "RunInstances" || id == nil {
			return body
		}
		once.Do(func() {
			if w.EC2.terminate(ctx, []string{string(id[1])}) != nil {
				return // and the scenario will miss what it expects
			}
			body = stateReason.ReplaceAll(body, nil)
			at := instanceState.FindIndex(body)
			died := "<instanceState><code>48</code><name>terminated</name></instanceState><stateReason><code>" + code + "</code></stateReason>"
			body = append(append(body[:at[0]:at[0]], died...), body[at[1]:]...)
		})
		return body
	})
}
