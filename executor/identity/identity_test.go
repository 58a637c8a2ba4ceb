package identity

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
)

func nodes(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("aws-hpc-%03d", i+1)
	}
	return out
}

func TestTagsTellTheNodesOfALaunch(t *testing.T) {
	odd := []string{}
	for i := range 200 { // nothing folds: the list is far longer than a tag's value
		odd = append(odd, fmt.Sprintf("n%03dx", i*2))
	}
	for name, want := range map[string][]string{"folds": nodes(500), "one": {"login"}, "does not fold": odd} {
		tags := Tags(Facts{Cluster: "c", Token: "t", Nodes: want}, nil)
		for _, tag := range tags {
			if len(tag.Value) > maxValue {
				t.Errorf("%s: tag %s has %d characters", name, tag.Key, len(tag.Value))
			}
		}
		got, err := NodesOf(&cloud.Instance{ID: "i-1", Tags: tags})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: (-want +got)\n%s", name, d)
		}
	}
}

func TestForeignTagsCannotReplaceOurs(t *testing.T) {
	tags := Tags(Facts{Cluster: "prod", Token: "t", Nodes: nodes(1)}, []cloud.Tag{
		{Key: Cluster, Value: "other"}, {Key: Prefix + "anything", Value: "x"}, {Key: "Project", Value: "p"}, {Key: "Project", Value: "again"},
	})
	if got := cloud.TagValue(tags, Cluster); got != "prod" {
		t.Errorf("cluster is %q", got)
	}
	n := 0
	for _, tag := range tags {
		if tag.Key == "Project" {
			n++
		}
		if tag.Key == Prefix+"anything" || strings.ContainsAny(tag.Key, "/ ") {
			t.Errorf("tag %q", tag.Key)
		}
	}
	if n != 1 {
		t.Errorf("%d tags named Project", n)
	}
}

func TestTimesSurviveTheTags(t *testing.T) {
	at := env.At(time.Date(2026, 11, 23, 10, 0, 0, 123456789, time.UTC))
	i := cloud.Instance{LaunchTime: 5, Tags: Tags(Facts{At: at, Expires: at.Add(time.Hour), Nodes: nodes(1)}, nil)}
	if got := LaunchedAt(&i); got != at {
		t.Errorf("launched at %s, want %s", got, at)
	}
	if got := ExpiresAt(&i); got != at.Add(time.Hour) {
		t.Errorf("expires at %s", got)
	}
	if got := LaunchedAt(&cloud.Instance{LaunchTime: 5}); got != 5 {
		t.Errorf("without a tag EC2's launch time counts, got %d", got)
	}
	if !ExpiresAt(&cloud.Instance{}).IsZero() {
		t.Error("without a tag nothing expires")
	}
}

func TestEveryPartOfATokenCounts(t *testing.T) {
	base := func() string { return Token("c", "n", nodes(2), "r", "a", 1) }
	if base() != base() {
		t.Error("not the same twice")
	}
	if n := len(base()); n > 64 {
		t.Errorf("%d characters; EC2 takes 64", n)
	}
	seen := map[string]string{base(): "base"}
	for name, tok := range map[string]string{
		"cluster": Token("d", "n", nodes(2), "r", "a", 1),
		"nonce":   Token("c", "m", nodes(2), "r", "a", 1),
		"nodes":   Token("c", "n", nodes(3), "r", "a", 1),
		"rung":    Token("c", "n", nodes(2), "s", "a", 1),
		"zone":    Token("c", "n", nodes(2), "r", "b", 1),
		"attempt": Token("c", "n", nodes(2), "r", "a", 2),
		"seams":   Token("cn", "", nodes(2), "r", "a", 1),
	} {
		if other, dup := seen[tok]; dup {
			t.Errorf("%s gives the token of %s", name, other)
		}
		seen[tok] = name
	}
}
