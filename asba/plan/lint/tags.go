package lint

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/plan/rule"
)

// Keys that instance metadata can serve, which we turn on: letters, digits, and
// + - = . , _ : @ ("Work with instance tags in instance metadata", EC2 User
// Guide).
var tagKey = regexp.MustCompile(`^[A-Za-z0-9+\-=.,_:@]+$`)

// EC2 takes 50 tags a resource, keys of 128 and values of 256 characters. Ten
// tags are kept for those that name a launch.
const (
	maxTags     = 50 - 10
	maxTagKey   = 128
	maxTagValue = 256
)

// ownTags begins the tags by which an executor finds its instances again.
const ownTags = "aws-slurm-burst:"

func (l *linter) tags() {
	tags := l.plan.Tags
	if n := len(tags.Value); n > maxTags {
		l.Add(rule.Tag, tags.At, fmt.Sprintf("%d tags are more than the %d that a plan may add", n, maxTags), "EC2 takes 50 for an instance; some name the launch")
	}
	for _, t := range tags.Value {
		key := finding.Quote(t.Key)
		switch {
		case t.Key == "":
			l.Add(rule.Tag, t.At, "a tag's key is empty", "")
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			l.Add(rule.Tag, t.At, "EC2 keeps tags that begin with aws: for itself: "+key, "choose another key", remove(t.At)...)
		case strings.HasPrefix(strings.ToLower(t.Key), ownTags):
			l.Add(rule.OwnTag, t.At, "tags that begin with "+ownTags+" say whose an instance is: "+key, "choose another key", remove(t.At)...)
		case utf8.RuneCountInString(t.Key) > maxTagKey:
			l.Add(rule.Tag, t.At, fmt.Sprintf("a tag's key is longer than %d characters: %s", maxTagKey, key), "")
		case !tagKey.MatchString(t.Key), t.Key == ".", t.Key == "..", t.Key == "_index":
			l.Add(rule.Tag, t.At, "instance metadata cannot serve the tag "+key, "use letters, digits and + - = . , _ : @ alone")
		case utf8.RuneCountInString(t.Value) > maxTagValue:
			l.Add(rule.Tag, t.At, fmt.Sprintf("the value of tag %s is longer than %d characters", key, maxTagValue), "")
		}
	}
}

// staleAfter is how long a plan's prices and shortages can be trusted to hold.
const staleAfter = 30 * 24 * time.Hour

func (l *linter) age() {
	made := l.plan.Made
	if !made.Given || l.Now.IsZero() {
		return
	}
	age := l.Now.Sub(made.Value)
	if age < -24*time.Hour { // less is between zones and clocks
		l.Add(rule.Stale, made.At, fmt.Sprintf("the plan is of a day to come: by the clock here it is made in %d days", -age/(24*time.Hour)), "see whose clock is wrong: the plan would never count as old")
	}
	if age > staleAfter {
		l.Add(rule.Stale, made.At, fmt.Sprintf("the plan was made %d days ago: prices and capacity have moved on", age/(24*time.Hour)), "run 'asba analyze' again")
	}
}
