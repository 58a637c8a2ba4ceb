package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/protocol"
)

// described is openapi.yaml as far as it is compared.
type described struct {
	doc      map[string]any
	compiler *jsonschema.Compiler
}

func description(t *testing.T) described {
	t.Helper()
	var raw any
	if err := yaml.Unmarshal([]byte(openAPIText), &raw); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(raw) // so that numbers and maps are JSON's
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	return described{doc.(map[string]any), c}
}

// at follows keys, and references to components on the way.
func (d described) at(node any, keys ...string) any {
	for i := -1; i < len(keys); i++ {
		if i >= 0 {
			m, _ := node.(map[string]any)
			node = m[keys[i]]
		}
		if m, ok := node.(map[string]any); ok {
			if ref, ok := m["$ref"].(string); ok {
				node = d.at(d.doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
			}
		}
	}
	return node
}

func (d described) operation(path, method string) map[string]any {
	m, _ := d.at(d.doc, "paths", path, strings.ToLower(method)).(map[string]any)
	return m
}

// properties are the keys of a schema, and which of them have to be there.
func (d described) properties(name string) (all, required []string) {
	m := d.at(d.doc, "components", "schemas", name).(map[string]any)
	props, _ := m["properties"].(map[string]any)
	all = slices.Sorted(maps.Keys(props))
	for _, r := range asList(m["required"]) {
		required = append(required, r.(string))
	}
	slices.Sort(required)
	return all, required
}

func asList(v any) []any { l, _ := v.([]any); return l }

func (d described) valid(t *testing.T, schema any, pointer string, body []byte) error {
	t.Helper()
	if s, ok := schema.(map[string]any); ok && s["$ref"] != nil {
		pointer = strings.TrimPrefix(s["$ref"].(string), "#")
	}
	compiled, err := d.compiler.Compile("openapi.json#" + pointer)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return compiled.Validate(v)
}

// TestTheDescriptionIsTrue has every status of every operation answered once,
// and compares both ways: what is answered is described, and what is described
// is answered.
func TestTheDescriptionIsTrue(t *testing.T) {
	d := description(t)
	routes := map[string]string{}
	for _, r := range New(analyst(good), Options{}).all() {
		routes[strings.TrimSuffix(r.path, "{$}")] = r.method
	}
	for path, operations := range d.at(d.doc, "paths").(map[string]any) {
		for method := range operations.(map[string]any) {
			if routes[path] != strings.ToUpper(method) {
				t.Errorf("%s %s is described, and not answered", method, path)
			}
		}
	}

	seen := map[string]map[string]bool{} // statuses by path
	answered := func(s *Server, path, method, body string, headers ...string) {
		t.Helper()
		op := d.operation(path, routes[path])
		if op == nil {
			t.Errorf("%s is answered, and not described", path)
			return
		}
		r := call(t, s, method, path, body, headers...)
		got, status := text(t, r), fmt.Sprint(r.StatusCode)
		if seen[path] == nil {
			seen[path] = map[string]bool{}
		}
		seen[path][status] = true
		response := d.at(op, "responses", status)
		if response == nil {
			t.Errorf("%s %s: %s is answered, and not described", method, path, status)
			return
		}
		kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
		content := d.at(response, "content")
		if d.at(content, kind) == nil {
			t.Errorf("%s %s: %s is answered as %s, which is not described", method, path, status, kind)
			return
		}
		if headers, ok := d.at(response, "headers").(map[string]any); ok {
			for h := range headers {
				if r.Header.Get(h) == "" {
					t.Errorf("%s %s: %s has no %s", method, path, status, h)
				}
			}
		}
		if kind != "application/json" {
			return
		}
		schema := content.(map[string]any)[kind].(map[string]any)["schema"]
		if err := d.valid(t, schema, "", []byte(got)); err != nil {
			t.Errorf("%s %s: %s: %v\n%s", method, path, status, err, got)
		}
	}

	fails := func(err error) *Server {
		return New(analyst(func(context.Context, Question) (Analysis, error) { return Analysis{}, err }), Options{})
	}
	fine, local, secret := New(analyst(good), Options{}), New(analyst(good), Options{Local: true}), New(analyst(good), Options{Token: "word"})
	full := New(analyst(good), Options{Busy: 1, Queue: 1, Wait: time.Nanosecond})
	full.turns.running <- struct{}{}
	slow := New(analyst(func(ctx context.Context, _ Question) (Analysis, error) { <-ctx.Done(); return Analysis{}, ctx.Err() }), Options{Within: time.Nanosecond})
	const nodes = `{"node_count":1}`
	for path, method := range routes {
		answered(fine, path, method, nodes)
		answered(fine, path, http.MethodDelete, nodes)
		answered(local, path, method, nodes, "Host", "evil.example")
		if d.operation(path, method)["security"] == nil { // else it is open
			answered(secret, path, method, nodes)
		} else if r := call(t, secret, method, path, nodes); r.StatusCode != 200 {
			t.Errorf("%s is described as open, and answers %d", path, r.StatusCode)
		}
		if method != http.MethodPost {
			continue
		}
		answered(fine, path, method, `{}`)
		answered(fine, path, method, nodes, "Origin", "https://evil.example")
		answered(fine, path, method, strings.Repeat(" ", protocol.MaxRequest+1))
		answered(fails(ErrQuestion), path, method, nodes)
		answered(fails(errors.New("x")), path, method, nodes)
		answered(full, path, method, nodes)
		answered(slow, path, method, nodes)
	}
	for path, method := range routes {
		responses, _ := d.at(d.operation(path, method), "responses").(map[string]any)
		for status := range responses {
			if !seen[path][status] {
				t.Errorf("%s: %s is described, and was not answered", path, status)
			}
		}
	}
}

// fields are the keys that a type is written with, and those that always are.
func fields(t reflect.Type) (all, always []string) {
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		all = append(all, name)
		if !strings.Contains(options, "omit") {
			always = append(always, name)
		}
	}
	slices.Sort(all)
	slices.Sort(always)
	return all, always
}

func TestTheDescriptionHasEveryField(t *testing.T) {
	d := description(t)
	for name, v := range map[string]any{"Explanation": shownExplanation{}, "Type": shownType{}, "Finding": finding.Finding{}} {
		all, required := d.properties(name)
		wantAll, wantRequired := fields(reflect.TypeOf(v))
		if !slices.Equal(all, wantAll) || !slices.Equal(required, wantRequired) {
			t.Errorf("%s is described with %v (of which %v), and written with %v (%v)", name, all, required, wantAll, wantRequired)
		}
	}
	// An answer's are the protocol's own, and always all of them.
	data, err := protocol.Answer{Plan: []byte(`{}`)}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var answer map[string]any
	if err := json.Unmarshal(data, &answer); err != nil {
		t.Fatal(err)
	}
	if all, required := d.properties("Answer"); !slices.Equal(all, slices.Sorted(maps.Keys(answer))) || !slices.Equal(all, required) {
		t.Errorf("Answer is described with %v (of which %v), and written as %s", all, required, data)
	}
}

// TestTheDescriptionTakesWhatTheServerTakes tries one question for each rule,
// on both.
func TestTheDescriptionTakesWhatTheServerTakes(t *testing.T) {
	d := description(t)
	s := New(analyst(good), Options{})
	all, _ := d.properties("Question")
	used := map[string]bool{}
	for _, body := range []string{
		`{"job_script":"#!/bin/sh\n"}`, `{"job_id":12}`, `{"job_id":"12_3"}`, `{"job_id":"12+1","partition":"hpc"}`, `{"node_count":65536}`,
		`{}`, `{"partition":"hpc"}`, `{"node_count":65537}`, `{"node_count":-1}`, `{"job_id":"x"}`, `{"job_id":"012"}`, `{"job_id":true}`, `{"node_count":"4"}`, `{"nodes":4}`, `[]`,
		`{"node_count":1,"partition":"` + strings.Repeat("p", 257) + `"}`, `{"job_script":1}`,
	} {
		status := call(t, s, "POST", "/analyze", body).StatusCode
		err := d.valid(t, nil, "/components/schemas/Question", []byte(body))
		if (status == 200) != (err == nil) {
			t.Errorf("%.60s: the server says %d, the description %v", body, status, err)
		}
		var m map[string]any
		if status == 200 && json.Unmarshal([]byte(body), &m) == nil {
			for k := range m {
				used[k] = true
			}
		}
	}
	if got := slices.Sorted(maps.Keys(used)); !slices.Equal(got, all) {
		t.Errorf("questions with %v were tried, %v are described", got, all)
	}
}
