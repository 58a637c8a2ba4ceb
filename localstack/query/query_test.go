package query

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestADocumentIsReadAndWrittenUnchanged(t *testing.T) {
	const text = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<XResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><a>1 &lt; 2</a><list><item><id>i-1</id></item><item></item></list></XResponse>`
	root, err := parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(text, string(root.Bytes())); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(text, string(root.Clone().Bytes())); d != "" {
		t.Errorf("its copy: %s", d)
	}
	if root.Get("a") != "1 < 2" || root.Get("list>item>id") != "i-1" || root.Get("list>none>id") != "" || len(root.Items("list")) != 2 {
		t.Errorf("%s", root.Bytes())
	}
	var nobody *Node
	if nobody.Get("a") != "" || nobody.At("a") != nil || nobody.Items("a") != nil {
		t.Error("an element that is not there has something in it")
	}
}

func TestADocumentIsEdited(t *testing.T) {
	a := NewAnswer()
	a.Header().Set("Content-Length", "99")
	a.Write([]byte("<X>\n  <placement>\n    <groupName />\n  </placement>\n  <reason>r</reason>\n</X>"))
	a.Edit(func(root *Node) {
		root.Set("placement>groupName", "g&h")
		root.Set("placement>groupId", "pg-1")
		root.Drop("reason")
		root.Put(Elem("tagSet"))
		root.Put(Text("tagSet", "once"))
	})
	w := httptest.NewRecorder()
	a.Send(w)
	const want = "<X><placement><groupName>g&amp;h</groupName><groupId>pg-1</groupId></placement><tagSet>once</tagSet></X>"
	if got := w.Body.String(); !strings.HasSuffix(got, want) || w.Header().Get("Content-Length") != "" {
		t.Errorf("%v %s", w.Header(), got)
	}
}

func TestARefusalIsLeftAlone(t *testing.T) {
	a := Refusal(400, "InvalidParameterValue", "no <b>")
	before := string(a.Body())
	a.Edit(func(*Node) { t.Error("edited") })
	if a.Code() != "InvalidParameterValue" || a.OK() || a.Read() != nil || a.Instances() != nil || string(a.Body()) != before {
		t.Errorf("%s", a.Body())
	}
}

func TestInstancesAreNamedOnce(t *testing.T) {
	a := NewAnswer()
	a.Write([]byte("<instanceId>i-1</instanceId><x><instanceId>i-2</instanceId></x><instanceId>i-1</instanceId><instanceId>cut"))
	if d := cmp.Diff([]string{"i-1", "i-2"}, a.Instances()); d != "" {
		t.Error(d)
	}
}

func TestLaunchesOfWhichNothingIsLeftGo(t *testing.T) {
	item := func(id string) *Node { return Elem("item", Text("instanceId", id)) }
	root := Elem("X", Elem("reservationSet",
		Elem("item", Text("reservationId", "r-1"), Elem("instancesSet", item("i-1"), item("i-2"))),
		Elem("item", Text("reservationId", "r-2"), Elem("instancesSet", item("i-3")))))
	root.EachInstance(func(i *Node) *Node {
		if i.Get("instanceId") == "i-2" {
			return item("i-9")
		}
		return nil
	})
	if len(root.Items("reservationSet")) != 1 || root.Get("reservationSet>item>instancesSet>item>instanceId") != "i-9" {
		t.Errorf("%s", root.Bytes())
	}
}

func TestFiltersThatAreTakenLeaveNoGap(t *testing.T) {
	form := url.Values{"Action": {"D"}}
	AppendFilter(form, "a", "1", "2")
	AppendFilter(form, "b", "3")
	AppendFilter(form, "c", "4")
	taken := TakeFilters(form, func(name string) bool { return name == "a" })
	if d := cmp.Diff([]Filter{{"a", []string{"1", "2"}}}, taken); d != "" {
		t.Error(d)
	}
	want := url.Values{"Action": {"D"}, "Filter.1.Name": {"b"}, "Filter.1.Value.1": {"3"}, "Filter.2.Name": {"c"}, "Filter.2.Value.1": {"4"}}
	if d := cmp.Diff(want, form); d != "" {
		t.Error(d)
	}
	if TakeFilters(form, func(string) bool { return false }) != nil {
		t.Error("filters nobody wanted")
	}
}

func TestNumberedParametersComeInTheirOrder(t *testing.T) {
	form := url.Values{"Id.10": {"c"}, "Id.2": {"b"}, "Id.1": {"a"}, "Id.x": {"?"}, "Id.1.Name": {"n"}, "Idle.1": {"?"}}
	if d := cmp.Diff([]string{"a", "b", "c"}, Numbered(form, "Id", "")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"n"}, Numbered(form, "Id", "Name")); d != "" {
		t.Error(d)
	}
	if Numbered(form, "No", "") != nil {
		t.Error("a list that is not there")
	}
}

func TestASubnetIsAskedForOnce(t *testing.T) {
	asked := 0
	endpoint := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form, _, err := Read(r)
		if err != nil || form.Get("Action") != "DescribeSubnets" || r.Header.Get("Authorization") != "scope" {
			t.Errorf("%v, %v", form, err)
		}
		asked++
		if form.Get("SubnetId.1") != "subnet-1" {
			Refusal(400, "InvalidSubnetID.NotFound", "").Send(w)
			return
		}
		Document(Root("DescribeSubnets", Elem("subnetSet", Elem("item", Text("availabilityZone", "us-east-1a"))))).Send(w)
	})
	r := httptest.NewRequest("GET", "/?Action=RunInstances", nil)
	r.Header.Set("Authorization", "scope")
	var z Zones
	for _, subnet := range []string{"subnet-1", "subnet-1", ""} {
		if az := z.Of(endpoint, r, subnet); az != "us-east-1a" && subnet != "" || az != "" && subnet == "" {
			t.Errorf("%q is in %q", subnet, az)
		}
	}
	if z.Of(endpoint, r, "subnet-2") != "" || asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`<a xmlns="x"><b>1</b><c/></a>`))
	f.Add([]byte(strings.Repeat("<a>", 40)))
	f.Add([]byte("<a>&#65;<!-- c --></a> "))
	f.Fuzz(func(t *testing.T, data []byte) {
		root, err := parse(data)
		if err != nil {
			return
		}
		again, err := parse(root.Bytes())
		if err != nil {
			t.Fatalf("what was written cannot be read: %v: %s", err, root.Bytes())
		}
		if string(again.Bytes()) != string(root.Bytes()) {
			t.Fatalf("%s\n%s", root.Bytes(), again.Bytes())
		}
	})
}
