package report

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aws-slurm-burst/features/browsertest"
)

// open writes a page and opens it, with a fragment, from its file.
func open(t *testing.T, ctx context.Context, page, fragment string, width int64) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "features.html")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	browsertest.Do(t, ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate("file://"+file+fragment), chromedp.WaitVisible("main"))
}

func TestTheHTMLPageInABrowser(t *testing.T) {
	ctx := browsertest.Open(t)
	said := browsertest.Console(t, ctx)
	runs := []Summary{sample(), wellOn("embedded")}
	all, failed, passed, out := 0, 0, 0, 0
	for _, s := range runs {
		failed, passed, out = failed+s.Failed, passed+s.Passed, out+s.LeftOut
	}
	all = failed + passed + out
	open(t, ctx, html(t, runs...), "", 1200)

	// What is shown is what was counted.
	if n := browsertest.Shown(t, ctx, "details.result"); n != all {
		t.Errorf("%d results are shown, want %d", n, all)
	}
	for status, want := range map[string]int{"passed": passed, "failed": failed, "left-out": out} {
		if n := browsertest.Shown(t, ctx, "details.result[data-status="+status+"]"); n != want {
			t.Errorf("%d results are %s, want %d", n, status, want)
		}
	}
	heading, totals := browsertest.Get(t, ctx, chromedp.Text("h1")), browsertest.Get(t, ctx, chromedp.Text(".totals tbody tr"))
	if want := fmt.Sprintf("asba %d of %d failed", failed, failed+passed); heading != want {
		t.Errorf("the heading is %q, want %q", heading, want)
	}
	if got := strings.Join(strings.Fields(totals), " "); !strings.HasPrefix(got, "localstack-host 1 3 1 1.5 s") {
		t.Errorf("the first backend's row is %q", got)
	}
	// A failure is told without a click.
	if n := browsertest.Shown(t, ctx, "details.result.failed .problem"); n != failed {
		t.Errorf("%d failures are told, want %d", n, failed)
	}
	if n := browsertest.Shown(t, ctx, "#failures li"); n != failed {
		t.Errorf("%d failures are listed, want %d", n, failed)
	}
	// The rest is one away.
	if n := browsertest.Shown(t, ctx, "details.result.passed .steps"); n != 0 {
		t.Errorf("%d scenarios that passed are open", n)
	}
	browsertest.Do(t, ctx, chromedp.Click("details.result.passed > summary", chromedp.NodeVisible))
	if browsertest.Shown(t, ctx, "details.result.passed .steps") != 1 || browsertest.Shown(t, ctx, "details.result.passed svg .mark.launched") != 1 || browsertest.Shown(t, ctx, "details.result.passed .calls .o-launched") != 1 {
		t.Error("the opened scenario shows no steps, timeline or calls")
	}
	browsertest.Picture(t, ctx, "html-light")

	// The filter hides what was not asked for, and nothing else.
	choose := func(name, value string) {
		t.Helper()
		browsertest.Do(t, ctx, chromedp.SetValue("select[name="+name+"]", value), chromedp.Evaluate[chromedp.Void](`document.getElementById("filter").dispatchEvent(new Event("input"))`))
	}
	choose("status", "failed")
	if f, p := browsertest.Shown(t, ctx, "details.result.failed"), browsertest.Shown(t, ctx, "details.result.passed"); f != failed || p != 0 {
		t.Errorf("failed only: %d failed and %d passed are shown", f, p)
	}
	choose("backend", "embedded")
	if n := browsertest.Shown(t, ctx, "details.result, article, #failures"); n != 0 || browsertest.Shown(t, ctx, "#none") != 1 {
		t.Errorf("what failed on embedded: %d are shown", n)
	}
	choose("status", "")
	browsertest.Do(t, ctx, chromedp.SendKeys("input[name=text]", "US-EAST-1B suspend"))
	count, address := browsertest.Get(t, ctx, chromedp.Text("#shown")), browsertest.Get(t, ctx, chromedp.Location())
	if n := browsertest.Shown(t, ctx, "details.result"); n != 1 || count != "1 of 10" {
		t.Errorf("text: %d are shown, and it says %q", n, count)
	}
	if !strings.HasSuffix(address, "#backend=embedded&text=US-EAST-1B+suspend") {
		t.Errorf("the address is %s: a link to it would show something else", address)
	}
	// A number in the table is a filter too, and a link to a failure leads there.
	browsertest.Do(t, ctx, chromedp.Click(`.totals a[data-status="left-out"][data-backend="localstack-host"]`))
	if n := browsertest.Shown(t, ctx, "details.result"); n != out {
		t.Errorf("left out: %d are shown, want %d", n, out)
	}
	said()
}

func TestALinkOpensTheHTMLPageAtItsScenario(t *testing.T) {
	ctx := browsertest.Open(t)
	said := browsertest.Console(t, ctx)
	open(t, ctx, html(t, sample()), "#f1-10-1", 1200)
	if n := browsertest.Shown(t, ctx, "#f1-10-1 .steps"); n != 1 {
		t.Error("the scenario is not open")
	}
	browsertest.Do(t, ctx, chromedp.Evaluate[chromedp.Void](`location.hash = "#status=failed"`), chromedp.WaitNotVisible("#f1-10-1"))
	if n := browsertest.Shown(t, ctx, "details.result"); n != 3 {
		t.Errorf("%d shown, want 3", n)
	}
	said()
}

func TestTheHTMLPageFitsEveryWidthAndTheme(t *testing.T) {
	ctx := browsertest.Open(t)
	said := browsertest.Console(t, ctx)
	long := hostile("averylongwordwithoutanyplacetobreakitaveryaverylongwordwithoutanyplacetobreakit")
	for name, runs := range map[string][]Summary{"sample": {sample(), wellOn("embedded")}, "long": {long}} {
		for _, width := range []int64{360, 1200} {
			for _, theme := range []string{"light", "dark"} {
				browsertest.Theme(t, ctx, theme)
				open(t, ctx, html(t, runs...), "", width)
				browsertest.Do(t, ctx, chromedp.Click("#unfold"))
				browsertest.Fits(t, ctx, fmt.Sprintf("%s, %d px wide", name, width))
				ground := browsertest.Ground(t, ctx)
				if want := map[string]string{"light": "rgb(255, 255, 255)", "dark": "rgb(17, 22, 29)"}[theme]; ground != want {
					t.Errorf("%s: the ground is %s", theme, ground)
				}
				browsertest.Picture(t, ctx, fmt.Sprintf("html-%s-%d-%s", name, width, theme))
			}
		}
	}
	said()
}

func TestALargeHTMLPageOpensFast(t *testing.T) {
	ctx := browsertest.Open(t)
	said := browsertest.Console(t, ctx)
	browsertest.Do(t, ctx, chromedp.Navigate("about:blank"))
	page := html(t, large("embedded"), large("localstack"), large("localstack-container"))
	began := time.Now()
	open(t, ctx, page, "", 1200)
	took := time.Since(began)
	t.Logf("%d kB open in %s", len(page)>>10, took.Round(time.Millisecond))
	if took > 10*time.Second {
		t.Errorf("it took %s to open", took)
	}
	// As a letter typed would; chromedp itself is slow on a page of this size.
	filtered := browsertest.Eval[float64](t, ctx, `(() => {
		const began = performance.now();
		document.querySelector("input[name=text]").value = "aws-hpc-150";
		document.getElementById("filter").dispatchEvent(new Event("input"));
		document.body.getBoundingClientRect();
		return performance.now() - began;
	})()`)
	t.Logf("filtered in %.0f ms", filtered)
	if filtered > 3000 {
		t.Errorf("a filter took %.0f ms", filtered)
	}
	if n := browsertest.Shown(t, ctx, "details.result"); n != 3 {
		t.Errorf("%d results, want 3", n)
	}
	said()
}

func TestTheHTMLPageWorksWithoutItsScript(t *testing.T) {
	ctx := browsertest.Open(t)
	before, script, found := strings.Cut(html(t, sample()), "<script>")
	_, after, ended := strings.Cut(script, "</script>")
	if !found || !ended {
		t.Fatal("the page has no script")
	}
	open(t, ctx, before+after, "", 1200)
	if n := browsertest.Shown(t, ctx, "details.result"); n != 5 {
		t.Errorf("%d results, want 5", n)
	}
	if browsertest.Shown(t, ctx, "details.result.failed .problem") != 3 || browsertest.Shown(t, ctx, "#filter") != 0 {
		t.Error("failures are hidden, or a filter that does nothing is shown")
	}
}
