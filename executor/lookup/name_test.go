package lookup

import (
	"reflect"
	"testing"

	"aws-slurm-burst/executor/cloud"
)

func TestEachFieldOfAQueryNamesAnotherAnswer(t *testing.T) {
	l := &Lookup{Endpoint: "e"}
	names := map[string]string{}
	take := func(what, kind string, query any) {
		name := l.name(kind, query)
		if other, taken := names[name]; taken {
			t.Errorf("%s and %s share %s", what, other, name)
		}
		names[name] = what
	}
	fields := func(kind string, zero any) {
		take(kind, kind, zero)
		for i := range reflect.TypeOf(zero).NumField() {
			field := reflect.TypeOf(zero).Field(i)
			if field.Name == "Page" { // an answer has all pages
				continue
			}
			q := reflect.New(reflect.TypeOf(zero)).Elem()
			switch v := q.Field(i); v.Interface().(type) {
			case bool:
				v.SetBool(true)
			case string:
				v.SetString("x")
			case []string:
				v.Set(reflect.ValueOf([]string{"x"}))
			case []cloud.Tag:
				v.Set(reflect.ValueOf([]cloud.Tag{{Key: "x"}}))
			default:
				t.Errorf("%s.%s has a type that this test does not know", kind, field.Name)
			}
			take(kind+"."+field.Name, kind, q.Interface())
		}
	}
	fields("subnets", cloud.SubnetQuery{})
	fields("images", cloud.ImageQuery{})
	take("two zones in one", "subnets", cloud.SubnetQuery{AZs: []string{"x\n\"y\""}})
	take("two zones", "subnets", cloud.SubnetQuery{AZs: []string{"x", "y"}})
	l.Endpoint = "f"
	take("another endpoint", "subnets", cloud.SubnetQuery{})
}
