// Package identity says how a launch is named, so that it happens once and can
// be found: the client token of the call, and the tags that every instance
// carries from that call on. EC2 alone can rebuild from them which instance
// serves which node; an instance can learn its own name at boot.
//
// It makes no calls and keeps no state.
package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/hostlist"
)

// Prefix begins every tag key of ours. Keys have neither '/' nor blanks, so
// that instance metadata can serve them.
const Prefix = "aws-slurm-burst:"

// The tags of an instance.
const (
	Cluster   = Prefix + "cluster"
	Launch    = Prefix + "launch"     // the client token of its launch
	Nodes     = Prefix + "nodes"      // the launch's nodes in launch order, folded; continued in nodes-2 ...
	MoreNodes = Nodes + "-2"          // where one tag does not hold them all
	Node      = Prefix + "node"       // this instance's node, only where the launch index does not tell
	Job       = Prefix + "job"        // Slurm's job id
	Plan      = Prefix + "plan"       // digest of the execution plan
	CreatedBy = Prefix + "created-by" // this program
	Launched  = Prefix + "launched-at"
	Expires   = Prefix + "expires-at"
)

// Creator is the value of CreatedBy.
const Creator = "aws-slurm-burst"

// maxValue is EC2's limit for a tag's value, in characters.
const maxValue = 256

// Facts are what a launch's tags say.
type Facts struct {
	Cluster, Token, Job, Plan string
	Nodes                     []string // in launch order
	At                        env.Time
	Expires                   env.Time // zero: never
}

// Tags builds the tags of a launch; more (a site's or a plan's own) follow
// ours and cannot replace them.
func Tags(f Facts, more []cloud.Tag) []cloud.Tag {
	tags := []cloud.Tag{
		{Key: Cluster, Value: f.Cluster},
		{Key: Launch, Value: f.Token},
		{Key: CreatedBy, Value: Creator},
		{Key: Launched, Value: f.At.Std().Format(timeFormat)},
	}
	for i, part := range split(hostlist.Fold(f.Nodes)) {
		tags = append(tags, cloud.Tag{Key: nodesKey(i), Value: part})
	}
	for _, t := range []cloud.Tag{{Key: Job, Value: short(f.Job)}, {Key: Plan, Value: short(f.Plan)}} {
		if t.Value != "" {
			tags = append(tags, t)
		}
	}
	if !f.Expires.IsZero() {
		tags = append(tags, cloud.Tag{Key: Expires, Value: f.Expires.Std().Format(timeFormat)})
	}
	for _, t := range more {
		if !strings.HasPrefix(t.Key, Prefix) && cloud.TagValue(tags, t.Key) == "" {
			tags = append(tags, t)
		}
	}
	return tags
}

// timeFormat is RFC 3339 in UTC with all nine decimals: fixed width, so that
// tags sort as times do.
const timeFormat = "2006-01-02T15:04:05.000000000Z"

func nodesKey(i int) string {
	if i == 0 {
		return Nodes
	}
	return Nodes + "-" + strconv.Itoa(i+1)
}

// split cuts a folded hostlist at commas outside brackets, or, where one item
// alone is longer than a tag's value, anywhere: the parts are joined again as
// they were cut.
func split(list string) []string {
	var parts []string
	for len(list) > maxValue {
		cut := strings.LastIndexByte(list[:maxValue], ',') + 1
		if cut == 0 {
			cut = maxValue
		}
		parts = append(parts, list[:cut])
		list = list[cut:]
	}
	return append(parts, list)
}

// short cuts a list of jobs that is too long for a tag: a launch for an array
// has hundreds. The journal has them all.
func short(s string) string {
	if len(s) <= maxValue {
		return s
	}
	const more = ",..."
	s = s[:maxValue-len(more)]
	if i := strings.LastIndexByte(s, ','); i > 0 {
		s = s[:i]
	}
	return s + more
}

// NodesOf returns the nodes of the launch an instance belongs to, in launch
// order; an error where the tags are not ours or not whole.
func NodesOf(i *cloud.Instance) ([]string, error) {
	var b strings.Builder
	for n := 0; ; n++ {
		part := i.TagValue(nodesKey(n))
		if part == "" {
			break
		}
		b.WriteString(part)
	}
	if b.Len() == 0 {
		return nil, fmt.Errorf("instance %s has no tag %s", i.ID, Nodes)
	}
	nodes, err := hostlist.Expand(b.String())
	if err != nil {
		return nil, fmt.Errorf("instance %s: tag %s: %w", i.ID, Nodes, err)
	}
	return nodes, nil
}

// LaunchedAt returns when we asked for an instance, by our own clock; EC2's
// launch time (to the second, by EC2's clock) where the tag is missing.
func LaunchedAt(i *cloud.Instance) env.Time {
	if t, ok := parseTime(i.TagValue(Launched)); ok {
		return t
	}
	return i.LaunchTime
}

// ExpiresAt returns when an instance may be ended at the latest, zero where it
// never expires.
func ExpiresAt(i *cloud.Instance) env.Time {
	t, _ := parseTime(i.TagValue(Expires))
	return t
}

// Token derives a client token, at most 64 ASCII characters, from everything
// that makes a launch a launch of its own. The nonce is new with every
// power-up: a requeued job comes back with the same id and nodes, and EC2
// remembers a token for a day after its instances are gone.
func Token(cluster, nonce string, nodes []string, rung, az string, attempt int) string {
	h := sha256.New()
	for _, part := range []string{cluster, nonce, hostlist.Fold(nodes), rung, az, strconv.Itoa(attempt)} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return "asb-" + hex.EncodeToString(h.Sum(nil))[:40]
}

// GroupName names the placement group of one attempt: every rung gets a group
// of its own, since a group remembers the rack that had no room.
func GroupName(cluster, token string) string {
	return "asb-" + cluster + "-" + strings.TrimPrefix(token, "asb-")[:16]
}

func parseTime(s string) (env.Time, bool) {
	if s == "" {
		return 0, false // most instances have no expiry: no error is made of it
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, false
	}
	return env.At(t), true
}
