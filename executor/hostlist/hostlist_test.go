package hostlist

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The answers were compared with `scontrol show hostnames` of Slurm 22.05.8,
// but for text after the last bracket, which came with 23.11, and for white
// space around brackets and a range up to the last number of 64 bits, of which
// it makes nothing.
func TestExpand(t *testing.T) {
	for expr, want := range map[string]string{
		"a":                     "a",
		"a[1-3]":                "a1 a2 a3",
		"[1-3]":                 "1 2 3",
		"a[01-03],b":            "a01 a02 a03 b",
		"b,a,b":                 "b a b",
		"a[2,1,1]":              "a2 a1 a1",
		"a[9-11]":               "a9 a10 a11",
		"a[098-102]":            "a098 a099 a100 a101 a102",
		"a[1-02]":               "a1 a2",
		"a[001-2]":              "a001 a002",
		"r[1-2]n[3-4]":          "r1n3 r1n4 r2n3 r2n4",
		"r[1-2]s[3-4]n[5-6]":    "r1s3n5 r1s3n6 r2s3n5 r2s3n6 r1s4n5 r1s4n6 r2s4n5 r2s4n6",
		"a[1][2]":               "a12",
		"a[1-2]-x":              "a1-x a2-x",
		"a[1-2]3":               "a13 a23",
		" a b\tc\nd\r\n":        "a b c d",
		",a,,b,":                "a b",
		"c5n-18xl-[1-2]":        "c5n-18xl-1 c5n-18xl-2",
		"a1-3":                  "a1-3",
		"node.site_1":           "node.site_1",
		"a99999999999999999999": "a99999999999999999999",
		"a[18446744073709551614-18446744073709551615]": "a18446744073709551614 a18446744073709551615",
	} {
		got, err := Expand(expr)
		if err != nil {
			t.Errorf("Expand(%q): %v", expr, err)
		} else if diff := cmp.Diff(strings.Fields(want), got); diff != "" {
			t.Errorf("Expand(%q):\n%s", expr, diff)
		}
	}
}

func TestExpandSaysWhereAndWhat(t *testing.T) {
	for expr, want := range map[string]string{
		"":                                `hostlist "", byte 1: no name in it; name at least one node`,
		" , ":                             `hostlist " , ", byte 1: no name in it; name at least one node`,
		"a[1-3":                           `hostlist "a[1-3", byte 2: "[" without "]"; close the bracket`,
		"a[":                              `hostlist "a[", byte 2: "[" without "]"; close the bracket`,
		"a[1-":                            `hostlist "a[1-", byte 2: "[" without "]"; close the bracket`,
		"a[1,":                            `hostlist "a[1,", byte 2: "[" without "]"; close the bracket`,
		"b,a]":                            `hostlist "b,a]", byte 4: "]" without "["; remove it or open the bracket`,
		"a[]":                             `hostlist "a[]", byte 3: a number is missing before ']'; write numbers and ranges such as [1,3-5]`,
		"a[1-]":                           `hostlist "a[1-]", byte 5: a number is missing before ']'; write numbers and ranges such as [1,3-5]`,
		"a[-1]":                           `hostlist "a[-1]", byte 3: a number is missing before '-'; write numbers and ranges such as [1,3-5]`,
		"a[[1]]":                          `hostlist "a[[1]]", byte 3: a number is missing before '['; write numbers and ranges such as [1,3-5]`,
		"a[1, 2]":                         `hostlist "a[1, 2]", byte 5: a number is missing before ' '; write numbers and ranges such as [1,3-5]`,
		"a[1-3-5]":                        `hostlist "a[1-3-5]", byte 6: '-' cannot stand in brackets; write numbers and ranges such as [1,3-5]`,
		"a[00x11]":                        `hostlist "a[00x11]", byte 5: 'x' cannot stand in brackets; write numbers and ranges such as [1,3-5]`,
		"a[3-1]":                          `hostlist "a[3-1]", byte 3: the range 3-1 runs backwards; write 1-3`,
		"b,a[0-65536]":                    `hostlist "b,a[0-65536]", byte 5: more than 65536 names; split the list`,
		"a[1-300]b[1-300]":                `hostlist "a[1-300]b[1-300]", byte 1: more than 65536 names; split the list`,
		"b,a[0-65535]":                    `hostlist "b,a[0-65535]", byte 3: more than 65536 names in all; split the list`,
		"a[1-18446744073709551616]":       `hostlist "a[1-18446744073709551616]", byte 3: a range ends at 18446744073709551615; write larger numbers without brackets`,
		"a[1,18446744073709551616]":       `hostlist "a[1,18446744073709551616]", byte 5: a number in brackets ends at 18446744073709551615; write larger ones without brackets`,
		"n;rm":                            `hostlist "n;rm", byte 2: ';' cannot stand in a node name; use letters, digits, '-', '_' and '.'`,
		"nœud1":                           `hostlist "nœud1", byte 2: 'œ' cannot stand in a node name; use letters, digits, '-', '_' and '.'`,
		"partition{p}":                    `hostlist "partition{p}", byte 10: '{' cannot stand in a node name; use letters, digits, '-', '_' and '.'`,
		"--config":                        `hostlist "--config", byte 1: a name cannot begin with '-'; begin it with a letter or a digit`,
		"a,../b":                          `hostlist "a,../b", byte 3: a name cannot begin with '.'; begin it with a letter or a digit`,
		strings.Repeat("a", 256):          fmt.Sprintf("hostlist %q, byte 1: a name of more than 255 bytes; shorten it", strings.Repeat("a", 40)+"..."),
		strings.Repeat("a,", 1<<19) + "b": fmt.Sprintf("hostlist %q, byte 1: longer than 1048576 bytes; split it", strings.Repeat("a,", 20)+"..."),
	} {
		got, err := Expand(expr)
		var e *Error
		if !errors.As(err, &e) || got != nil {
			t.Errorf("Expand(%.40q) = %d names, %v; want an *Error", expr, len(got), err)
		} else if e.Error() != want {
			t.Errorf("Expand(%.40q):\ngot  %s\nwant %s", expr, e, want)
		}
	}
}

func TestExpandTakesTheLargestList(t *testing.T) {
	for _, expr := range []string{"a[0-65535]", "a[0-255]b[0-255]", "a[0-32767],b[0-32767]"} {
		if got, err := Expand(expr); err != nil || len(got) != MaxHosts {
			t.Errorf("Expand(%q) = %d names, %v", expr, len(got), err)
		}
	}
}

// Every answer is that of `scontrol show hostlistsorted` of Slurm 22.05.8 on
// the same names without duplicates, in this order: where one prefix has numbers
// with and without leading zeros, Slurm's text depends on the order of the
// names, ours does not.
func TestFoldWritesAsSlurmDoes(t *testing.T) {
	for names, want := range map[string]string{
		"":                                    "",
		"a":                                   "a",
		"a1":                                  "a1",
		"a3 a1 a2 a1":                         "a[1-3]",
		"aws-hpc-002 aws-hpc-001 aws-gpu-001": "aws-gpu-001,aws-hpc-[001-002]",
		"a1 a3 a5 a6 a7":                      "a[1,3,5-7]",
		"a98 a99 a100 a101":                   "a[98-101]",
		"a098 a099 a100":                      "a[098-100]",
		"a10 a08 a100 a9 a99":                 "a[9,08,10,99-100]",
		"a01 a1 a2 a02":                       "a[1-2,01-02]",
		"a1 a01 a001":                         "a[1,01,001]",
		"a0 a00 a000":                         "a[0,00,000]",
		"a9 a010 a11":                         "a[9,11,010]",
		"a8 a9 a08 a09 a10":                   "a[8-9,08-10]",
		"a100 a099 a99 a1000":                 "a[99,099-100,1000]",
		"c5n-18xl-1 c5n-18xl-2":               "c5n-18xl-[1-2]",
		"n1b n2b":                             "n1b,n2b",
		"n1b2 n1b3 n2b1":                      "n1b[2-3],n2b1",
		"01 1 02":                             "[1,01-02]",
		"b a1 a":                              "a,a1,b",
		"a b a1 A1 a_1 a.1":                   "A1,a,a1,a.1,a_1,b",
		"n10-1 n9-1 n9-2":                     "n9-[1-2],n10-1",
		"n02-1 n2-1 n1-1":                     "n02-1,n1-1,n2-1",
		"a18446744073709551614 a18446744073709551615": "a[18446744073709551614-18446744073709551615]",
	} {
		if got := Fold(strings.Fields(names)); got != want {
			t.Errorf("Fold(%s) = %s, want %s", names, got, want)
		}
	}
}

func TestNumbersBeyond64BitsAreText(t *testing.T) {
	names := []string{"a18446744073709551617", "a18446744073709551616", "a1"}
	if got, want := Fold(names), "a1,a18446744073709551616,a18446744073709551617"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSortAndUnique(t *testing.T) {
	names := []string{"n10", "n9", "n09", "m", "n9", "n100"}
	Sort(names)
	if diff := cmp.Diff([]string{"m", "n9", "n9", "n09", "n10", "n100"}, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"m", "n9", "n09", "n10", "n100"}, Unique(names)); diff != "" {
		t.Error(diff)
	}
}

// drawName makes names that nearly collide: same prefixes, odd widths.
var drawName = rapid.StringMatching(`[an]{1,2}[-_.a1]{0,2}0{0,2}[0-9]{0,3}`)

func TestFoldThenExpandIsTheSameSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(drawName, 1, 60).Draw(t, "names")
		checkRoundTrip(t, names)
	})
}

func TestCompareIsATotalOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawName.Draw(t, "a"), drawName.Draw(t, "b"), drawName.Draw(t, "c")
		if Compare(a, b) != -Compare(b, a) {
			t.Fatalf("%s and %s: not antisymmetric", a, b)
		}
		if (Compare(a, b) == 0) != (a == b) {
			t.Fatalf("%s and %s compare equal", a, b)
		}
		if Compare(a, b) < 0 && Compare(b, c) < 0 && Compare(a, c) >= 0 {
			t.Fatalf("%s < %s < %s: not transitive", a, b, c)
		}
	})
}

// checkRoundTrip wants Fold's text to expand to the names, sorted, each once.
func checkRoundTrip(t interface{ Fatalf(string, ...any) }, names []string) {
	want := slices.Clone(names)
	Sort(want)
	want = Unique(want)
	folded := Fold(names)
	got, err := Expand(folded)
	if err != nil {
		t.Fatalf("Fold(%q) = %q does not expand: %v", names, folded, err)
	}
	Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("Fold(%q) = %q:\n%s", names, folded, diff)
	}
}

// in reports whether a Finder finds one of its nodes in a list.
func in(f Finder, list string) bool {
	found := false
	f.Find(list, func(int) { found = true })
	return found
}

func TestAFinderSaysWhichNodesItFinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names, nodes := rapid.SliceOfN(drawName, 1, 20).Draw(t, "names"), rapid.SliceOfN(drawName, 1, 20).Draw(t, "nodes")
		found := make([]bool, len(nodes))
		NewFinder(nodes).Find(Fold(names), func(n int) { found[n] = true })
		for i, n := range nodes {
			if found[i] != slices.Contains(names, n) {
				t.Fatalf("%s in %s: %v", n, Fold(names), found[i])
			}
		}
	})
}

func TestAFinderMissesNoNode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(drawName, 1, 20).Draw(t, "names")
		list := Fold(names)
		for _, n := range append(names, rapid.SliceOfN(drawName, 0, 20).Draw(t, "others")...) {
			f, want := NewFinder([]string{"z", n}), slices.Contains(names, n)
			if want && !f.MayBeIn(list) || in(f, list) != want {
				t.Fatalf("%s in %s: may be %v, is %v", n, list, f.MayBeIn(list), in(f, list))
			}
		}
	})
	for _, list := range []string{"a[1-2]-x", "r[1-2]n[3-4]", "a b", "a[1-3] b", "x7[1-3]", "a[1", "a[x]", "a]"} {
		if f := NewFinder([]string{"n1"}); !f.MayBeIn(list) || in(f, list) {
			t.Errorf("%s is nothing that Fold writes: may be %v, is %v", list, f.MayBeIn(list), in(f, list))
		}
	}
}

func TestAFinderPassesOverListsOfOthers(t *testing.T) {
	f := NewFinder([]string{"aws-hpc-007", "login"})
	for list, want := range map[string]bool{
		"":                           false,
		"aws-hpc-006,aws-hpc-008":    false,
		"aws-hpc-[001-006,008-100]":  false,
		"aws-gpu-[001-100],login2":   false,
		"aws-hpc-[001-006,007]":      true,
		"a[1-2],aws-hpc-[001-008],b": true,
		"a1,login":                   true,
		"aws-hpc-[06-08]":            false,
		"aws-hpc-[7-8]":              false,
	} {
		if got := f.MayBeIn(list); got != want || in(f, list) != want {
			t.Errorf("in %q: %v", list, got)
		}
	}
}

func FuzzExpand(f *testing.F) {
	for _, s := range []string{
		"aws-hpc-[001-008]", "a[098-102],b", "r[1-2]n[3-4]", "c5n-18xl-[1,3-5]", "a[1-2]-x", "a[00x11]", "a[1",
		"a[18446744073709551614-18446744073709551615]", "a[18446744073709551616]", "a b\nc", "a[0-65535]", "1,01,001", "n02-1,n1-1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		names, err := Expand(expr)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("the error is not one line: %q", err)
			}
			return
		}
		if len(names) == 0 || len(names) > MaxHosts {
			t.Fatalf("%d names", len(names))
		}
		if !NewFinder(names[len(names)-1:]).MayBeIn(expr) {
			t.Fatalf("%s is not found in %q", names[len(names)-1], expr)
		}
		if len(names) <= 4096 { // a diff of more is slow
			checkRoundTrip(t, names)
		}
	})
}

func BenchmarkFold5000(b *testing.B) {
	names, err := Expand("aws-hpc-[0001-5000]")
	if err != nil {
		b.Fatal(err)
	}
	for i := range names { // a shuffle that is the same each time
		j := i * 7919 % len(names)
		names[i], names[j] = names[j], names[i]
	}
	for b.Loop() {
		Fold(names)
	}
}

func BenchmarkExpand5000(b *testing.B) {
	for b.Loop() {
		if _, err := Expand("aws-hpc-[0001-5000]"); err != nil {
			b.Fatal(err)
		}
	}
}
