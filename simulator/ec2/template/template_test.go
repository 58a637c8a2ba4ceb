package template

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/simulator/ec2/api"
)

func list() *List {
	seq := 0
	return New(func(r *api.Resource, prefix, kind string, tags []cloud.Tag) {
		seq++
		*r = api.Resource{ID: fmt.Sprintf("%s-0000000%d", prefix, seq), Kind: kind, Tags: tags, Seq: uint64(seq)}
	})
}

func code(err error) string {
	if e := new(api.Error); errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestVersionsAreNumberedAndFoundByNumberAndByWord(t *testing.T) {
	l := list()
	made, err := l.Create(Request{Name: "burst", Data: Spec{Type: "c6i.large", ImageID: "ami-1"}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	second, err := l.CreateVersion(Request{Ref: Ref{Name: "burst", Version: "1"}, Data: Spec{Type: "c6i.xlarge"}}, 2)
	if err != nil || second.Number != 2 || second.Default || second.ID != made.ID || second.Data.ImageID != "ami-1" {
		t.Errorf("%+v, %v", second, err)
	}
	found, err := l.Find(Ref{ID: made.ID})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"": 1, "$Default": 1, "$Latest": 2, "1": 1, "2": 2} {
		if v, err := found.Version(name); err != nil || v.Number != want {
			t.Errorf("%q is version %d, %v", name, v.Number, err)
		}
	}
	for name, want := range map[string]string{"3": "InvalidLaunchTemplateId.VersionNotFound", "0": "InvalidLaunchTemplateId.VersionNotFound", "last": "InvalidParameterValue"} {
		if _, err := found.Version(name); code(err) != want {
			t.Errorf("%q: %v", name, err)
		}
	}
	all, err := l.DescribeVersions(Ref{Name: "burst"}, nil)
	if err != nil || len(all) != 2 || all[0].Number != 2 || !all[1].Default {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := l.Create(Request{Name: "burst"}, 3); code(err) != "InvalidLaunchTemplateName.AlreadyExistsException" {
		t.Errorf("%v", err)
	}
	if _, err := l.Delete(Ref{Name: "burst"}, false); err != nil {
		t.Error(err)
	}
	if _, err := l.Find(Ref{Name: "burst"}); code(err) != "InvalidLaunchTemplateName.NotFoundException" {
		t.Errorf("%v", err)
	}
}

// A request wins over its template field by field, its interfaces and its security
// groups as a whole, its tags key by key; a placement group and a market are one
// thing each.
func TestARequestIsPutOverItsTemplate(t *testing.T) {
	tag := func(kind string, pairs ...string) api.TagSpec {
		s := api.TagSpec{Kind: kind}
		for k := 0; k < len(pairs); k += 2 {
			s.Tags = append(s.Tags, cloud.Tag{Key: pairs[k], Value: pairs[k+1]})
		}
		return s
	}
	below := Spec{
		Type: "c6i.large", ImageID: "ami-1", SubnetID: "subnet-1", Group: "g", Market: cloud.Spot, MaxPrice: "1", KeyName: "k", UserData: "dQ==",
		SecurityGroups: []string{"sg-1"}, Interfaces: []Interface{{}, {Card: 1}}, Tags: []api.TagSpec{tag("instance", "a", "t", "b", "t"), tag("volume", "a", "t")},
	}
	got := Spec{
		Type: "m6i.large", GroupID: "pg-2", Market: cloud.OnDemand, SecurityGroupNames: []string{"web"}, Interfaces: []Interface{{Kind: "efa"}},
		Tags: []api.TagSpec{tag("instance", "b", "r", "c", "r")},
	}.Over(below)
	want := Spec{
		Type: "m6i.large", ImageID: "ami-1", SubnetID: "subnet-1", GroupID: "pg-2", Market: cloud.OnDemand, KeyName: "k", UserData: "dQ==",
		SecurityGroupNames: []string{"web"}, Interfaces: []Interface{{Kind: "efa"}},
		Tags: []api.TagSpec{tag("instance", "a", "t", "b", "r", "c", "r"), tag("volume", "a", "t")},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(below, Spec{}.Over(below)); d != "" {
		t.Errorf("nothing over a template is not the template: %s", d)
	}
}
