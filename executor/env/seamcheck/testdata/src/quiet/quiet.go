// Package quiet does what a room may do; nothing in it is reported.
package quiet

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

type clock struct{}

// Now has a forbidden function's name, and is a method.
func (clock) Now() time.Time { return time.Unix(0, 0) }

func fine(ctx context.Context, m map[string]int) string {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		_ = m[k]
	}
	for range slices.SortedFunc((maps.Values(m)), func(a, b int) int { return a - b }) {
	}
	_ = maps.Collect(maps.All(m))
	other, seen := map[string]int{}, map[string]bool{}
	for k, v := range m {
		if v > 0 {
			other[k] = v
		}
	}
	for k := range m {
		seen[k] = true
	}
	for i := range 3 {
		_ = i
	}
	for range strings.SplitSeq("a,b", ",") {
	}
	_, _ = json.Marshal(m, json.Deterministic(true))
	_, _ = json.Marshal(m, json.JoinOptions(json.Deterministic(true)))
	ctx = context.WithoutCancel(context.WithValue(ctx, "k", "v"))
	_ = clock{}.Now().Add(time.Second)
	return fmt.Sprint(ctx.Err(), filepath.Join("a", "b"), url.PathEscape("a b"))
}

// close shadows the builtin.
func close() { f := func(recover int) int { return recover }; _ = f(1) }
