package swf

import (
	"strings"
	"testing"
	"time"
)

func TestNumbersAreReadInEveryForm(t *testing.T) {
	const s = time.Second
	for text, want := range map[string]time.Duration{
		"0": 0, "7": 7 * s, "007": 7 * s, "-1": -s, "-12": -12 * s, "+3": 3 * s, "-0": 0,
		"3.75": 3750 * time.Millisecond, "-3.75": -3750 * time.Millisecond, "-0.5": -s / 2, "+0.5": s / 2, ".5": s / 2, "5.": 5 * s, "1.0000000019": s + 1,
		"1e3": 1000 * s, "1E+3": 1000 * s, "1.5e3": 1500 * s, "1.2345e2": 123450 * time.Millisecond, "12e-1": 1200 * time.Millisecond,
		"123.5e-2": 1235 * time.Millisecond, "-1.5e1": -15 * s, "1e0": s, "1e-9": 1, "1e-18": 0, "1.9e+01": 19 * s, "-1.5": -1500 * time.Millisecond,
		"0.000000001e9": s, "1e09": 1e9 * s,
	} {
		// Alone, and with others on both sides.
		for before, line := range []string{text, "-1 " + text + "\t9"} {
			var f [fields]number
			n, bad := split([]byte(line), &f)
			if bad >= 0 || n != 1+2*before {
				t.Errorf("%q: %d numbers, %d is none", line, n, bad)
				continue
			}
			if got := f[before]; got.duration() != want || got.negative() != (want < 0) {
				t.Errorf("%q is %+v, %v; want %v", line, got, got.duration(), want)
			}
		}
	}
	for _, text := range []string{"x", "-", "+", ".", "-.", "1x", "1:", "1.:", "1e:", "-1x", "1e", "1e+", "1e-", "1ex", "1e19", "1e018x", "e3", "1.5.2", "1-", "--1", "1234567890123456789", "1e18e1", "100000000000000001e1", "12e17", "1e1000"} {
		var f [fields]number
		if n, bad := split([]byte("7 "+text+" 8"), &f); bad != 1 || n != 3 || f[0].whole != 7 || f[2].whole != 8 {
			t.Errorf("%q is taken: %+v, %d is none, of %d", text, f[1], bad, n)
		}
	}
}

func TestTheFirstOfWrongNumbersIsTold(t *testing.T) {
	var f [fields]number
	for line, want := range map[string][2]int{
		"1 x y":                              {3, 1},
		"":                                   {0, -1},
		" \t ":                               {0, -1},
		";1 2":                               {0, -1},
		"1 ;2":                               {2, 1},
		strings.Repeat("1 ", fields):         {fields, -1},
		strings.Repeat("1 ", fields) + "x y": {fields + 2, -1}, // beyond the format's own, nobody looks
		"123456789012345678 -1 -10 -1":       {4, -1},
	} {
		if n, bad := split([]byte(line), &f); n != want[0] || bad != want[1] {
			t.Errorf("%q: %d columns, %d is none; want %v", line, n, bad, want)
		}
	}
	if split([]byte("123456789012345678 -10 -1"), &f); f[0].whole != 123456789012345678 || f[1].whole != -10 || f[2].whole != -1 {
		t.Errorf("%+v", f[:3])
	}
}

func TestNamesInTheHeaderAreOneWord(t *testing.T) {
	long := strings.Repeat("a", 64)
	for value, want := range map[string]string{
		"3 batch": "batch", "3 b_a-t.c+h": "b_a-t.c+h", "3 az09AZ (for large jobs)": "az09AZ", "3 " + long: long,
		"3": "", "batch": "", "3 " + long + "a": "", "3 a/b": "", "3 a:b": "", "3 a@b": "", "3 a[b": "", "3 a`b": "", "3 a{b": "", "3 é": "",
	} {
		var names map[int64]string
		if name(&names, value); names[3] != want || (want == "") != (names == nil) {
			t.Errorf("%q names %v", value, names)
		}
	}
	names := map[int64]string{1: "one"}
	if name(&names, "2 two"); names[1] != "one" || names[2] != "two" {
		t.Error(names)
	}
}

func TestTheHeadersNumbersAreTakenWhereTheyCanBe(t *testing.T) {
	var h Header
	for i, line := range []string{" a comment before any key", "MaxJobs: 12 jobs", "MaxNodes: 34", "MaxProcs: 56", "MaxRuntime: 9999999999999999", "UnixStartTime: 0", "", "Note: a", " goes: on ", "", "and on"} {
		h.add([]byte(line), i+1)
	}
	if h.MaxJobs != 12 || h.maxJobsLine != 2 || h.MaxNodes != 34 || h.MaxProcs != 56 || h.MaxRuntime != 0 || !h.Start.IsZero() || h.Get("note") != "a\ngoes: on\nand on" || len(h.Fields) != 6 {
		t.Errorf("%+v", h)
	}
	h.add([]byte("MaxRuntime: 60"), 12)
	h.add([]byte("Note: "+strings.Repeat("x", maxHeader)), 13)
	h.add([]byte("Note: late"), 14)
	if h.MaxRuntime != time.Minute || len(h.Fields) != 7 {
		t.Errorf("%d fields: a header is kept to its limit", len(h.Fields))
	}
}
