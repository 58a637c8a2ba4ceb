package recording

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/simulator/ec2/market"
)

var (
	a    = market.Pool{Type: "c6i.xlarge", AZ: "us-east-1a", Market: cloud.Spot}
	b    = market.Pool{Type: "c6i.xlarge", AZ: "us-east-1b", Market: cloud.Spot}
	none market.Pool
)

func read(t *testing.T, text string, of market.Pool) market.Recorded {
	t.Helper()
	var got market.Recorded
	if err := Read(iotest.OneByteReader(strings.NewReader(text)), "m", of, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestATableIsReadAsChanges(t *testing.T) {
	onDemand := a
	onDemand.Market = cloud.OnDemand
	want := market.Recorded{Capacity: map[market.Pool]*market.Series[int]{
		a:        {Period: time.Hour, Steps: []market.Step[int]{{At: 0, Of: 4}, {At: 10 * time.Minute, Of: 0}, {At: 20 * time.Minute, Of: plenty}}},
		b:        {Period: time.Hour, Steps: []market.Step[int]{{At: 0, Of: 7}}}, // what it had first, it had before
		onDemand: {Period: time.Hour, Steps: []market.Step[int]{{At: 0, Of: 1}}},
	}}
	for name, text := range map[string]string{
		"seconds": "time,type,zone,capacity,market\n# a comment\n100,c6i.xlarge,us-east-1a,4,\n100, c6i.xlarge, us-east-1a, 1, on-demand\n\n400,c6i.xlarge,us-east-1a,4,spot\n700,c6i.xlarge,us-east-1a,down,spot\n1000,c6i.xlarge,us-east-1b,7,\n1300,c6i.xlarge,us-east-1a,UP,\n3700,c6i.xlarge,us-east-1b,7,\n",
		"RFC 3339, other columns first, CRLF": "\ufeffZone,Time,Capacity,Type,Market\r\nus-east-1a,2026-01-01T00:00:00Z,4,c6i.xlarge,\r\nus-east-1a,2026-01-01T00:00:00Z,1,c6i.xlarge,on-demand\r\n" +
			"us-east-1a,2026-01-01T01:10:00+01:00,down,c6i.xlarge,\r\nus-east-1b,2026-01-01T00:15:00Z,7,c6i.xlarge,\r\nus-east-1a,2026-01-01T00:20:00Z,up,c6i.xlarge,\r\nus-east-1a,2026-01-01T01:00:00Z,up,c6i.xlarge,\r\n",
	} {
		if d := cmp.Diff(want, read(t, text, none)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestPricesAreReadAsTheAWSCommandPrintsThem(t *testing.T) {
	const text = `{
    "SpotPriceHistory": [
        {"AvailabilityZone": "us-east-1a", "InstanceType": "c6i.xlarge", "ProductDescription": "Linux/UNIX", "SpotPrice": "0.080000", "Timestamp": "2026-01-02T03:00:00+00:00"},
        {"AvailabilityZone": "us-east-1a", "InstanceType": "c6i.xlarge", "ProductDescription": "Windows", "SpotPrice": "0.240000", "Timestamp": "2026-01-02T02:00:00+00:00"},
        {"AvailabilityZone": "us-east-1b", "InstanceType": "c6i.xlarge", "ProductDescription": "Linux/UNIX", "SpotPrice": "0.060000", "Timestamp": "2026-01-01T23:00:00.000Z", "Later": {"more": [1]}},
        {"AvailabilityZone": "us-east-1a", "InstanceType": "c6i.xlarge", "ProductDescription": "Linux/UNIX", "SpotPrice": "0.070000", "Timestamp": "2026-01-01T22:00:00+00:00"}
    ],
    "NextToken": ""
}`
	want := market.Recorded{Price: map[market.Pool]*market.Series[float64]{
		a: {Period: 5 * time.Hour, Steps: []market.Step[float64]{{At: 0, Of: 0.07}, {At: 5 * time.Hour, Of: 0.08}}},
		b: {Period: 5 * time.Hour, Steps: []market.Step[float64]{{At: 0, Of: 0.06}}},
	}}
	if d := cmp.Diff(want, read(t, text, none)); d != "" {
		t.Error(d)
	}
}

func TestCountsATickAreThePoolsThatTheirFileIsOf(t *testing.T) {
	want := market.Recorded{Capacity: map[market.Pool]*market.Series[int]{
		b: {Period: 25 * time.Minute, Steps: []market.Step[int]{{At: 0, Of: 0}, {At: 10 * time.Minute, Of: 4}, {At: 20 * time.Minute, Of: 3}}},
	}}
	for _, text := range []string{`{"metadata": {"gap_seconds": 300}, "data": [0, 0, 4, 4, 3]}`, ` {"data": [0,0,4,4,3], "metadata": {"gap_seconds": 300.0, "by": "me"}}`} {
		if d := cmp.Diff(want, read(t, text, market.Pool{Type: b.Type, AZ: b.AZ})); d != "" {
			t.Errorf("%s: %s", text, d)
		}
	}
}

func TestWhatIsWrongIsToldWithItsLine(t *testing.T) {
	const head = "time,type,zone,capacity\n"
	for text, want := range map[string]string{
		"":                  "m: the file is empty (write the columns time,type,zone,capacity)",
		"# nothing\n":       "m: there is nothing but comments",
		head:                "m: there is nothing in the file",
		"time,type,zone\n":  "m:1: there is no column capacity",
		"time,typ,zone\n":   "m:1: \"typ\" is no column (did you mean type?)",
		"time,time\n":       "m:1: column time is there twice",
		head + "0,a,b\n":    "m:2: no line of the table: wrong number of fields",
		head + "0,a,\"b\n":  "m:2: no line of the table:",
		head + "x,a,b,1\n":  "m:2: \"x\" is no time",
		head + "0,,b,1\n":   "m:2: type and zone are not both there",
		head + "0,a,b,-1\n": "m:2: \"-1\" is no capacity (write how many",
		head + "0,a,b,1\n2026-01-01T00:00:00Z,a,b,1\n":    "m:3: \"2026-01-01T00:00:00Z\" is no time (write seconds, or",
		head + "9,a,b,1\n\n8,a,b,1\n":                     "m:4: \"8\" is before the line above it (sort",
		head + "0,a,b,1\n1e300,a,b,1\n":                   "m:3: \"1e300\" is no time",
		"time,type,zone,capacity,market\n0,a,b,1,sport\n": "m:2: \"sport\" is no market (write spot or on-demand)",
		"[1]":                          "m:1: it begins with a list",
		"{\"a\": 1}":                   "m:1: there is neither SpotPriceHistory nor data in it",
		"{\n\"SpotPriceHistory\": {}}": "m:2: a list is wanted",
		"{\"data\": [1, 2":             "m:1: the file ends in the middle (is it whole?)",
		"{\"SpotPriceHistory\": [\n{\"InstanceType\": \"a\"":                      "m:2: the file ends in the middle",
		"{\"SpotPriceHistory\": [\n{\"InstanceType\": 1}]}":                       "m:2: InstanceType cannot be a number",
		"{\"SpotPriceHistory\": [\n{\"Timestamp\": \"soon\"}]}":                   "m:2: Timestamp is no time such as 2026-01-31T12:00:00Z",
		"{\"metadata\": {\"gap_seconds\": []}}":                                   "m:1: gap_seconds cannot be a list",
		"{\"SpotPriceHistory\": [\n\n{\"InstanceType\": \"a\"}]}":                 "m:3: a price without its pool or time ends here",
		"{\"SpotPriceHistory\": [\n\n" + quoted("0.1x") + "]}":                    "m:3: \"0.1x\" is no price (it is in US dollars an hour)",
		"{\"SpotPriceHistory\": []}":                                              "m: there is nothing in the file",
		"{\"data\": [1], \"metadata\": {\"gap_seconds\": 300}}":                   "m: a series of counts does not say of which pool it is (write {file: FILE, type:",
		"{\"data\": [1,\n-2], \"metadata\": {\"gap_seconds\": 300}}":              "m:2: \"-2\" is no count",
		"{\"data\": [1,\n\"2\"], \"metadata\": {\"gap_seconds\": 300}}":           "m:2: \"2\" is no count",
		"{\"SpotPriceHistory\": [" + quoted("1") + "], \"SpotPriceHistory\": []}": "m:1: jsontext: duplicate object member",
		"{\"SpotPriceHistory\": [" + quoted("1") + "]}" + "\n{}":                  "m:2: there is more behind the end (give each",
	} {
		var got market.Recorded
		err := Read(strings.NewReader(text), "m", none, &got)
		if bad := new(Error); !errors.As(err, &bad) || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q:\ngot  %v\nwant %s", text, err, want)
		}
	}
}

// Money is a number above nothing, and below what any machine costs.
func TestAPriceIsANumberOfDollars(t *testing.T) {
	for _, price := range []string{"0", "-0.1", "NaN", "Inf", "1e6", ""} {
		var got market.Recorded
		err := Read(strings.NewReader(`{"SpotPriceHistory": [`+quoted(price)+"]}"), "m", none, &got)
		if err == nil || !strings.Contains(err.Error(), "is no price") {
			t.Errorf("%q is %v", price, err)
		}
	}
	for _, missing := range []string{"AvailabilityZone", "InstanceType", "Timestamp"} {
		var got market.Recorded
		err := Read(strings.NewReader(`{"SpotPriceHistory": [`+strings.Replace(quoted("1"), missing, "Else", 1)+"]}"), "m", none, &got)
		if err == nil || !strings.Contains(err.Error(), "a price without its pool or time ends here") {
			t.Errorf("without %s: %v", missing, err)
		}
	}
}

func TestCountsSayHowLongATickIsAndWhose(t *testing.T) {
	pool := market.Pool{Type: "a", AZ: "z"}
	for _, c := range []struct {
		of         market.Pool
		gap        string
		complained string
	}{
		{pool, `"gap_seconds": 300`, ""},
		{market.Pool{Type: "a"}, `"gap_seconds": 300`, "of which pool it is"},
		{market.Pool{AZ: "z"}, `"gap_seconds": 300`, "of which pool it is"},
		{pool, `"by": "me"`, "how long a tick is"},
		{pool, `"gap_seconds": 0`, "how long a tick is"},
		{pool, `"gap_seconds": -300`, "how long a tick is"},
		{pool, `"gap_seconds": 1e-12`, "how long a tick is"},
		{pool, `"gap_seconds": 1e12`, "how long a tick is"},
	} {
		var got market.Recorded
		err := Read(strings.NewReader(`{"data": [1, 2, 1], "metadata": {`+c.gap+`}}`), "m", c.of, &got)
		if (err == nil) != (c.complained == "") || err != nil && !strings.Contains(err.Error(), c.complained) {
			t.Errorf("%+v, %s: %v", c.of, c.gap, err)
		}
	}
}

func quoted(price string) string {
	return fmt.Sprintf(`{"AvailabilityZone": "z", "InstanceType": "a", "SpotPrice": %q, "Timestamp": "2026-01-01T00:00:00Z"}`, price)
}

func TestAPoolIsInOneFile(t *testing.T) {
	got := read(t, "time,type,zone,capacity\n0,c6i.xlarge,us-east-1a,1\n", none)
	const again = "time,type,zone,capacity\n0,c6i.xlarge,us-east-1a,2\n"
	if err := Read(strings.NewReader(again), "n", none, &got); err == nil || !strings.HasPrefix(err.Error(), "n: the capacity of c6i.xlarge in us-east-1a (spot) is in another file") {
		t.Error(err)
	}
	if err := Read(strings.NewReader("{\"SpotPriceHistory\": ["+quoted("1")+"]}"), "p", none, &got); err != nil || len(got.Capacity) != 1 || len(got.Price) != 1 {
		t.Errorf("%v, %+v", err, got)
	}
}

func TestAReaderThatFailsIsNoMistakeOfTheText(t *testing.T) {
	broken := errors.New("disk on fire")
	for _, text := range []string{"", "time,type,zone,capacity\n0,a,b,1\n", "{\"data\": [1"} {
		var got market.Recorded
		err := Read(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), "m", none, &got)
		if bad := new(Error); err == nil || errors.As(err, &bad) || !strings.Contains(err.Error(), "disk on fire") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A file is not kept: only changes are.
func TestALongTableOfFewChangesTakesLittleMemory(t *testing.T) {
	r, w := io.Pipe()
	go func() {
		fmt.Fprintln(w, "time,type,zone,capacity")
		for k := range 200_000 {
			fmt.Fprintf(w, "%d,c6i.xlarge,us-east-1a,%d\n", k, k/100_000)
		}
		w.Close()
	}()
	var got market.Recorded
	if err := Read(r, "m", none, &got); err != nil || len(got.Capacity[a].Steps) != 2 || got.Capacity[a].Period != 199_999*time.Second {
		t.Errorf("%v, %+v", err, got.Capacity[a])
	}
}

func FuzzRead(f *testing.F) {
	f.Add("time,type,zone,capacity\n0,a,b,1\n5,a,b,up\n")
	f.Add(`{"metadata": {"gap_seconds": 300}, "data": [0, 0, 4, 4, 3]}`)
	f.Add("{\"SpotPriceHistory\": [" + quoted("1") + "]}")
	f.Fuzz(func(t *testing.T, text string) {
		var got market.Recorded
		if err := Read(strings.NewReader(text), "m", a, &got); err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q: more than one line: %v", text, err)
			}
			return
		}
		for p, s := range got.Capacity {
			last := time.Duration(-1)
			for _, step := range s.Steps {
				if step.At <= last || step.At > s.Period || step.Of < 0 {
					t.Errorf("%q: %v has %+v", text, p, s)
				}
				last = step.At
			}
			if last < 0 {
				t.Errorf("%q: %v has no step", text, p)
			}
		}
	})
}
