package blackbox

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/asba/catalog/table"
	"aws-slurm-burst/localstack/localstacktest"
	"aws-slurm-burst/simulator/ec2"
)

// caches is the environment of a user without a configuration.
func (e *endpoint) caches() []string {
	return []string{"XDG_CACHE_HOME=" + filepath.Join(e.state, "cache"), "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test"}
}

func (e *endpoint) catalog(args ...string) result {
	e.t.Helper()
	return e.run("aws-slurm-burst", append([]string{"catalog"}, args...), e.caches()...)
}

// known is one type as `catalog show -o json` has it.
type known struct {
	catalog.Type
	Zones []catalog.Zone
	Price *struct {
		catalog.Price
		Age int `json:"age_days"`
	}
	SpotMarket *struct {
		catalog.Spot
		Age int `json:"age_days"`
	} `json:"spot_market"`
}

func (e *endpoint) known(args ...string) []known {
	e.t.Helper()
	r := e.catalog(append([]string{"show", "-o", "json"}, args...)...)
	var out []known
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil || r.code != 0 {
		e.t.Fatalf("exit %d, %v: %s%s", r.code, err, r.stdout, r.stderr)
	}
	return out
}

func TestCatalogShowTellsFactsWithTheirAge(t *testing.T) {
	e := newEndpoint(t, nil)
	got := e.known("c6i.2xlarge", "hpc7a.96xlarge", "--region", "us-east-2")
	price, _ := catalog.Default().Price("c6i.2xlarge", "us-east-2")
	if len(got) != 2 || got[0].VCPUs != 8 || got[0].Price.Price != price || got[0].Price.Age != catalog.Age(price.Date, time.Now()) ||
		got[0].SpotMarket.Ratio <= 0 || got[0].SpotMarket.Age < 365 || len(got[0].Zones) != 3 || got[1].SpotMarket != nil || got[1].Zones[0].ID != "use2-az2" {
		t.Errorf("%+v", got)
	}
	if family := e.known("--family", "c5n"); len(family) != 7 || family[0].Name != "c5n.large" {
		t.Errorf("%+v", family)
	}
	for _, format := range []string{"table", "markdown"} {
		r := e.catalog("show", "c6i.2xlarge", "--region", "us-east-2", "-o", format)
		for _, want := range []string{"c6i.2xlarge", "Up to 12.5 Gigabit", "on-demand " + catalog.Aged("price", price.Date, time.Now()), "usual spot price of "} {
			if !strings.Contains(r.stdout, want) {
				t.Errorf("%s has no %q:\n%s", format, want, r.stdout)
			}
		}
	}
	r := e.catalog("show")
	for _, want := range []string{"types", "offerings", "prices", "spot", "moto", "karpenter-provider-aws", "ec2-instances-info", "zones of us-east-1: use1-az1 ("} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("no %q:\n%s", want, r.stdout)
		}
	}
}

func TestCatalogSaysWhatItDoesNotKnow(t *testing.T) {
	e := newEndpoint(t, nil)
	for name, c := range map[string]struct {
		args  []string
		lines []string
	}{
		"types":        {[]string{"hpc7a.2xlarge", "c6i.large", "c5n.3xlarge"}, []string{`ERROR: "hpc7a.2xlarge" is not an EC2 instance type (did you mean hpc7a.12xlarge, hpc7a.24xlarge or hpc7a.48xlarge?)`, `ERROR: "c5n.3xlarge" is not an EC2 instance type (did you mean c5n.2xlarge, c5n.4xlarge or c5n.xlarge?)`}},
		"odd type":     {[]string{"\x1b[2J"}, []string{`ERROR: "\x1b[2J" is not an EC2 instance type`}},
		"a family":     {[]string{"--family", "hpc7q"}, []string{`ERROR: no family "hpc7q" among EC2's instance types (did you mean hpc7a?)`}},
		"a region":     {[]string{"--region", "us-eest-1"}, []string{`ERROR: nothing is known of region "us-eest-1" (did you mean us-east-1?)`}},
		"a format":     {[]string{"-o", "xml"}, []string{`ERROR: -o "xml" is not one of table, json, yaml, markdown`}},
		"a subcommand": {[]string{"--banana"}, []string{`ERROR: unknown flag: --banana (see aws-slurm-burst catalog show --help)`}},
	} {
		r := e.catalog(append([]string{"show"}, c.args...)...)
		if r.code != 2 || !slices.Equal(r.lines(), c.lines) {
			t.Errorf("%s: exit %d, %q", name, r.code, r.lines())
		}
	}
}

// refreshed is what `catalog refresh -o json` answers.
type refreshed struct {
	Region, Date, File string
	Types, Zones       int
	Spot               int `json:"spot_prices"`
	New, Changed       []string
}

func (e *endpoint) refresh(args ...string) refreshed {
	e.t.Helper()
	r := e.catalog(append([]string{"refresh", "-o", "json"}, args...)...)
	var out refreshed
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil || r.code != 0 {
		e.t.Fatalf("exit %d, %v: %s%s", r.code, err, r.stdout, r.stderr)
	}
	return out
}

func TestCatalogRefreshIsUsedByAllWhoAskLater(t *testing.T) {
	e := newEndpoint(t, nil)
	before := e.known("c6i.xlarge")[0]
	got := e.refresh()
	if today := time.Now().UTC().Format(time.DateOnly); got.Date != today || got.Zones != 6 || len(got.New)+len(got.Changed) != 0 || got.Types != len(catalog.Default().Names()) || got.Spot == 0 {
		t.Errorf("%+v", got)
	}
	after := e.known("c6i.xlarge")[0]
	// Our EC2 offers everything everywhere, calls its zones otherwise, and has
	// spot prices of its own.
	if after.Zones[0] != (catalog.Zone{ID: "use1-az1", Name: "us-east-1a", Region: "us-east-1"}) || after.SpotMarket.USD != after.Price.USD*ec2.DefaultSpotRatio || after.SpotMarket.Age != 0 {
		t.Errorf("%+v", after)
	}
	if *after.Price != *before.Price || after.SpotMarket.Interruption != before.SpotMarket.Interruption {
		t.Errorf("what EC2 does not tell has changed: %+v, was %+v", after, before)
	}
	if region := e.known("c6i.xlarge", "--region", "us-east-2")[0]; region.SpotMarket.Age == 0 {
		t.Error("another region is refreshed too")
	}
}

func TestABrokenRefreshIsSaidOnceAndDoneWithout(t *testing.T) {
	e := newEndpoint(t, nil)
	config := []string{"--config=" + exampleConfig}
	got := e.refresh(config...)
	if !strings.HasPrefix(got.File, e.state) || strings.Contains(got.File, filepath.Join(e.state, "cache", "aws-slurm-burst")) {
		t.Errorf("with a configuration it is kept in %s", got.File)
	}
	newer, err := table.Pack([]byte("#asba-catalog\t2\nwhat the next version writes\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"no table": []byte("hello"), "of a newer version": newer, "empty": {}} {
		if err := os.WriteFile(got.File, data, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, r := range []result{
			e.catalog(append([]string{"show", "c6i.xlarge"}, config...)...),
			e.run("aws-slurm-burst-resume", append([]string{"aws-cpu-[001-004]", "--dry-run", "-o", "json"}, config...)),
		} {
			warned := slices.DeleteFunc(r.lines(), func(l string) bool { return !strings.Contains(l, "refreshed catalogue") })
			if r.code != 0 || len(warned) != 1 || !strings.HasPrefix(warned[0], "WARN: refreshed catalogue "+got.File+" not usable, using the embedded one: ") {
				t.Errorf("%s: exit %d, %q", name, r.code, r.lines())
			}
		}
	}
	e.refresh(config...)
	if r := e.catalog(append([]string{"show", "c6i.xlarge"}, config...)...); len(r.lines()) > 0 {
		t.Errorf("refreshed again, and still: %q", r.lines())
	}
	if r := e.suspend("aws-cpu-001"); len(r.lines()) > 0 {
		t.Errorf("a suspend: %q", r.lines())
	}
}

func TestARefusedRefreshKeepsWhatThereWas(t *testing.T) {
	var refuse atomic.Bool
	e := newEndpoint(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if refuse.Load() {
				w.WriteHeader(http.StatusForbidden)
				w.Write([]byte(`<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You may not.</Message></Error></Errors></Response>`))
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	file := e.refresh().File
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	refuse.Store(true)
	r := e.catalog("refresh")
	if r.code != 7 || len(r.lines()) != 1 || !strings.HasPrefix(r.lines()[0], "ERROR: catalogue not refreshed: DescribeInstanceTypes: UnauthorizedOperation: You may not.") {
		t.Errorf("exit %d, %q", r.code, r.lines())
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("the cache has changed: %v", err)
	}
}

// A user without a configuration, a region or a home still has what is shipped.
func TestCatalogNeedsNothingToShowWhatIsShipped(t *testing.T) {
	e := newEndpoint(t, nil)
	e.url = ""
	r := e.run("aws-slurm-burst", []string{"catalog", "show", "c6i.xlarge"})
	if r.code != 0 || len(r.lines()) > 0 || !strings.Contains(r.stdout, "zones of us-east-1") {
		t.Errorf("exit %d, %q\n%s", r.code, r.lines(), r.stdout)
	}
	if r := e.run("aws-slurm-burst", []string{"catalog", "refresh"}); r.code != 9 || len(r.lines()) != 1 || !strings.HasPrefix(r.lines()[0], "ERROR: no folder for caches: set XDG_CACHE_HOME") {
		t.Errorf("exit %d, %q", r.code, r.lines())
	}
	if r := e.catalog("refresh"); r.code != 9 || len(r.lines()) != 1 || !strings.Contains(r.lines()[0], "no region is set") {
		t.Errorf("exit %d, %q", r.code, r.lines())
	}
	if r := e.catalog("show", "--config=none.yaml"); r.code != 9 || len(r.lines()) != 1 {
		t.Errorf("a configuration that is not there: exit %d, %q", r.code, r.lines())
	}
}

// LocalStack has EC2's facts of an earlier day, and tells them in EC2's own
// protocol: what reads our sources and what reads EC2 understand them alike.
func TestLocalStackSellsWhatTheCatalogueKnows(t *testing.T) {
	url := localstacktest.URL(t)
	e := &endpoint{t: t, url: url.String(), state: t.TempDir()}
	got := e.refresh()
	t.Logf("types that are no longer EC2's: %v; that have changed: %v", got.New, got.Changed)
	if got.Types < 1000 || got.Zones != 6 || 100*len(got.New) > 2*got.Types || 100*len(got.Changed) > got.Types {
		t.Errorf("%+v", got)
	}
	data, err := os.ReadFile(got.File)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := catalog.ReadRefreshed(data)
	if err != nil {
		t.Fatal(err)
	}
	ours, both := catalog.Default(), catalog.Default().With(func() *catalog.Refreshed { return theirs })
	offers, unknown := 0, 0
	for _, name := range ours.Names() {
		for _, z := range both.Offers(name, "us-east-1") {
			offers++
			if offered, _ := ours.Offered(name, z.ID); !offered {
				unknown++
			}
		}
	}
	t.Logf("%d offers, %d of which we do not know", offers, unknown)
	if offers < 4000 || 100*unknown > 2*offers {
		t.Errorf("of %d offers we do not know %d", offers, unknown)
	}
}
