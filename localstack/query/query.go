// Package query is EC2's query protocol as seen from between a client and an
// endpoint: it reads the form of a call, asks the endpoint with another one, and
// reads, edits and writes answers. It knows the protocol's shapes, not what the
// actions mean, and it signs nothing: an endpoint that looks at signatures
// refuses what is asked through it.
package query

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Version is the API version of the calls that a middleware makes itself.
const Version = "2016-11-15"

// maxBody bounds a request.
const maxBody = 1 << 20

// Read returns the parameters of query and body, and the body itself. What is
// no form has only those of the query.
func Read(r *http.Request) (url.Values, []byte, error) {
	form, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		form = url.Values{} // the endpoint's business
	}
	if r.Body == nil {
		return form, nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, nil, fmt.Errorf("the request ends early: %w", err)
	}
	if len(body) > maxBody {
		return nil, nil, errors.New("the request is larger than 1 MiB")
	}
	if r.Method == http.MethodPost {
		if posted, err := url.ParseQuery(string(body)); err == nil {
			maps.Copy(form, posted)
		}
	}
	return form, body, nil
}

// Pass hands a request on with the body that was read from it.
func Pass(next http.Handler, w http.ResponseWriter, r *http.Request, body []byte) {
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	next.ServeHTTP(w, r)
}

// Ask makes a call of its own, for whoever made the call r. It carries that
// call's headers, since LocalStack tells services apart by the scope in
// Authorization; the signature is wrong for it.
func Ask(next http.Handler, r *http.Request, form url.Values) *Answer {
	out := r.Clone(r.Context())
	out.Method = http.MethodPost
	out.URL.RawQuery = ""
	out.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	out.Header.Del("Content-Length")
	a := NewAnswer()
	if form.Get("Version") == "" {
		form.Set("Version", Version)
	}
	a.from(next, out, []byte(form.Encode()))
	return a
}

// Hand hands a call on as it came and holds its answer back.
func Hand(next http.Handler, r *http.Request, body []byte) *Answer {
	a := NewAnswer()
	a.from(next, r, body)
	return a
}

// Numbered returns the parameters below name with a number: Name.1, Name.2, and
// so on, in the order of the numbers. With a rest it is Name.1.rest.
func Numbered(form url.Values, name, rest string) []string {
	type entry struct {
		n     int
		value string
	}
	var found []entry
	for key, v := range form {
		number, ok := strings.CutPrefix(key, name+".")
		if rest != "" && ok {
			number, ok = strings.CutSuffix(number, "."+rest)
		}
		if n, err := strconv.Atoi(number); ok && err == nil {
			found = append(found, entry{n, v[0]})
		}
	}
	slices.SortFunc(found, func(a, b entry) int { return cmp.Compare(a.n, b.n) })
	var out []string
	for _, f := range found {
		out = append(out, f.value)
	}
	return out
}

// Filter is a filter of a describe call.
type Filter struct {
	Name   string
	Values []string
}

// TakeFilters returns the filters of a describe call for which take holds, and
// takes them out of it. The others are numbered anew: an endpoint may stop at a
// gap.
func TakeFilters(form url.Values, take func(name string) bool) []Filter {
	var taken, left []Filter
	for n := 1; form.Has(fmt.Sprintf("Filter.%d.Name", n)); n++ {
		key := fmt.Sprintf("Filter.%d", n)
		f := Filter{form.Get(key + ".Name"), Numbered(form, key+".Value", "")}
		if take(f.Name) {
			taken = append(taken, f)
		} else {
			left = append(left, f)
		}
	}
	if taken == nil {
		return nil
	}
	for key := range form {
		if strings.HasPrefix(key, "Filter.") {
			delete(form, key)
		}
	}
	for _, f := range left {
		AppendFilter(form, f.Name, f.Values...)
	}
	return taken
}

// AppendFilter adds a filter to a describe call.
func AppendFilter(form url.Values, name string, values ...string) {
	n := 1
	for form.Has(fmt.Sprintf("Filter.%d.Name", n)) {
		n++
	}
	key := fmt.Sprintf("Filter.%d", n)
	form.Set(key+".Name", name)
	for i, v := range values {
		form.Set(fmt.Sprintf("%s.Value.%d", key, i+1), v)
	}
}

// Number is a parameter's number, 0 where there is none. What is no number is
// the endpoint's business.
func Number(form url.Values, name string) int {
	n, err := strconv.Atoi(form.Get(name))
	if err != nil {
		return 0
	}
	return n
}
