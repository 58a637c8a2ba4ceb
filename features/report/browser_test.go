package report

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// browser opens pages in a headless Chromium. Where there is none the test is
// skipped, or fails with ASBA_REQUIRE_CHROMIUM=1.
func browser(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		const how = "no Chromium here to open the page in: install it (Debian: apt-get install chromium)"
		if os.Getenv("ASBA_REQUIRE_CHROMIUM") == "1" {
			t.Fatal(how)
		}
		t.Skip(how)
	}
	options := append([]chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(time.Minute)},
		chromedp.DefaultExecAllocatorOptions[:]...)
	options = append(options, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true),
		// Whatever the page asked for over the network would fail, and be seen.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	return ctx
}

// console fails the test, when what it returns is called, for every message that
// pages wrote to the console since.
func console(t *testing.T, ctx context.Context) (check func()) {
	t.Helper()
	const end = "the test is over"
	messages := chromedp.Console(ctx)
	return func() {
		t.Helper()
		do(t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf("void console.log(%q)", end)))
		for m, err := range messages {
			if err != nil {
				t.Fatal(err)
			}
			if m.Text == end {
				return
			}
			t.Errorf("the console says: %s", m)
		}
	}
}

// open writes a page and opens it, with a fragment, from its file.
func open(t *testing.T, ctx context.Context, page, fragment string, width int64) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "features.html")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate("file://"+file+fragment), chromedp.WaitVisible("main"))
}

func do(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

func get[T any](t *testing.T, ctx context.Context, action chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// shown counts the elements of a selector that a reader can see.
func shown(t *testing.T, ctx context.Context, selector string) int {
	t.Helper()
	return get(t, ctx, chromedp.Evaluate[int](fmt.Sprintf(`[...document.querySelectorAll(%q)].filter((e) => e.checkVisibility() && e.getClientRects().length > 0).length`, selector)))
}

// picture keeps a picture of the page where reports are wanted (ASBA_REPORTS).
func picture(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("ASBA_REPORTS")
	if dir == "" {
		return
	}
	png := get(t, ctx, chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestTheHTMLPageInABrowser(t *testing.T) {
	ctx := browser(t)
	said := console(t, ctx)
	runs := []Summary{sample(), wellOn("embedded")}
	all, failed, passed, out := 0, 0, 0, 0
	for _, s := range runs {
		failed, passed, out = failed+s.Failed, passed+s.Passed, out+s.LeftOut
	}
	all = failed + passed + out
	open(t, ctx, html(t, runs...), "", 1200)

	// What is shown is what was counted.
	if n := shown(t, ctx, "details.result"); n != all {
		t.Errorf("%d results are shown, want %d", n, all)
	}
	for status, want := range map[string]int{"passed": passed, "failed": failed, "left-out": out} {
		if n := shown(t, ctx, "details.result[data-status="+status+"]"); n != want {
			t.Errorf("%d results are %s, want %d", n, status, want)
		}
	}
	heading, totals := get(t, ctx, chromedp.Text("h1")), get(t, ctx, chromedp.Text(".totals tbody tr"))
	if want := fmt.Sprintf("asba %d of %d failed", failed, failed+passed); heading != want {
		t.Errorf("the heading is %q, want %q", heading, want)
	}
	if got := strings.Join(strings.Fields(totals), " "); !strings.HasPrefix(got, "localstack-host 1 3 1 1.5 s") {
		t.Errorf("the first backend's row is %q", got)
	}
	// A failure is told without a click.
	if n := shown(t, ctx, "details.result.failed .problem"); n != failed {
		t.Errorf("%d failures are told, want %d", n, failed)
	}
	if n := shown(t, ctx, "#failures li"); n != failed {
		t.Errorf("%d failures are listed, want %d", n, failed)
	}
	// The rest is one away.
	if n := shown(t, ctx, "details.result.passed .steps"); n != 0 {
		t.Errorf("%d scenarios that passed are open", n)
	}
	do(t, ctx, chromedp.Click("details.result.passed > summary", chromedp.NodeVisible))
	if shown(t, ctx, "details.result.passed .steps") != 1 || shown(t, ctx, "details.result.passed svg .mark.launched") != 1 || shown(t, ctx, "details.result.passed .calls .o-launched") != 1 {
		t.Error("the opened scenario shows no steps, timeline or calls")
	}
	picture(t, ctx, "html-light")

	// The filter hides what was not asked for, and nothing else.
	choose := func(name, value string) {
		t.Helper()
		do(t, ctx, chromedp.SetValue("select[name="+name+"]", value), chromedp.Evaluate[chromedp.Void](`document.getElementById("filter").dispatchEvent(new Event("input"))`))
	}
	choose("status", "failed")
	if f, p := shown(t, ctx, "details.result.failed"), shown(t, ctx, "details.result.passed"); f != failed || p != 0 {
		t.Errorf("failed only: %d failed and %d passed are shown", f, p)
	}
	choose("backend", "embedded")
	if n := shown(t, ctx, "details.result, article, #failures"); n != 0 || shown(t, ctx, "#none") != 1 {
		t.Errorf("what failed on embedded: %d are shown", n)
	}
	choose("status", "")
	do(t, ctx, chromedp.SendKeys("input[name=text]", "US-EAST-1B suspend"))
	count, address := get(t, ctx, chromedp.Text("#shown")), get(t, ctx, chromedp.Location())
	if n := shown(t, ctx, "details.result"); n != 1 || count != "1 of 10" {
		t.Errorf("text: %d are shown, and it says %q", n, count)
	}
	if !strings.HasSuffix(address, "#backend=embedded&text=US-EAST-1B+suspend") {
		t.Errorf("the address is %s: a link to it would show something else", address)
	}
	// A number in the table is a filter too, and a link to a failure leads there.
	do(t, ctx, chromedp.Click(`.totals a[data-status="left-out"][data-backend="localstack-host"]`))
	if n := shown(t, ctx, "details.result"); n != out {
		t.Errorf("left out: %d are shown, want %d", n, out)
	}
	said()
}

func TestALinkOpensTheHTMLPageAtItsScenario(t *testing.T) {
	ctx := browser(t)
	said := console(t, ctx)
	open(t, ctx, html(t, sample()), "#f1-10-1", 1200)
	if n := shown(t, ctx, "#f1-10-1 .steps"); n != 1 {
		t.Error("the scenario is not open")
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`location.hash = "#status=failed"`), chromedp.WaitNotVisible("#f1-10-1"))
	if n := shown(t, ctx, "details.result"); n != 3 {
		t.Errorf("%d shown, want 3", n)
	}
	said()
}

func TestTheHTMLPageFitsEveryWidthAndTheme(t *testing.T) {
	ctx := browser(t)
	said := console(t, ctx)
	long := hostile("averylongwordwithoutanyplacetobreakitaveryaverylongwordwithoutanyplacetobreakit")
	for name, runs := range map[string][]Summary{"sample": {sample(), wellOn("embedded")}, "long": {long}} {
		for _, width := range []int64{360, 1200} {
			for _, theme := range []string{"light", "dark"} {
				if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
					Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
				}); err != nil {
					t.Fatal(err)
				}
				open(t, ctx, html(t, runs...), "", width)
				do(t, ctx, chromedp.Click("#unfold"))
				ground := get(t, ctx, chromedp.Evaluate[string](`getComputedStyle(document.documentElement).backgroundColor`))
				if over := get(t, ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - innerWidth`)); over > 0 {
					t.Errorf("%s, %d px wide: the page is %d px wider: %s", name, width, over, get(t, ctx, chromedp.Evaluate[string](`
						[...document.querySelectorAll("body *")].filter((e) => !e.closest(".scroll") && e.getBoundingClientRect().right > innerWidth + 1)
							.map((e) => e.tagName + "." + (e.className.baseVal ?? e.className) + "#" + e.id).slice(0, 5).join(" ")`)))
				}
				if want := map[string]string{"light": "rgb(255, 255, 255)", "dark": "rgb(17, 22, 29)"}[theme]; ground != want {
					t.Errorf("%s: the ground is %s", theme, ground)
				}
				picture(t, ctx, fmt.Sprintf("html-%s-%d-%s", name, width, theme))
			}
		}
	}
	said()
}

func TestALargeHTMLPageOpensFast(t *testing.T) {
	ctx := browser(t)
	said := console(t, ctx)
	do(t, ctx, chromedp.Navigate("about:blank"))
	page := html(t, large("embedded"), large("localstack"), large("localstack-container"))
	began := time.Now()
	open(t, ctx, page, "", 1200)
	took := time.Since(began)
	t.Logf("%d kB open in %s", len(page)>>10, took.Round(time.Millisecond))
	if took > 10*time.Second {
		t.Errorf("it took %s to open", took)
	}
	// As a letter typed would; chromedp itself is slow on a page of this size.
	filtered := get(t, ctx, chromedp.Evaluate[float64](`(() => {
		const began = performance.now();
		document.querySelector("input[name=text]").value = "aws-hpc-150";
		document.getElementById("filter").dispatchEvent(new Event("input"));
		document.body.getBoundingClientRect();
		return performance.now() - began;
	})()`))
	t.Logf("filtered in %.0f ms", filtered)
	if filtered > 3000 {
		t.Errorf("a filter took %.0f ms", filtered)
	}
	if n := shown(t, ctx, "details.result"); n != 3 {
		t.Errorf("%d results, want 3", n)
	}
	said()
}

func TestTheHTMLPageWorksWithoutItsScript(t *testing.T) {
	ctx := browser(t)
	before, script, found := strings.Cut(html(t, sample()), "<script>")
	_, after, ended := strings.Cut(script, "</script>")
	if !found || !ended {
		t.Fatal("the page has no script")
	}
	open(t, ctx, before+after, "", 1200)
	if n := shown(t, ctx, "details.result"); n != 5 {
		t.Errorf("%d results, want 5", n)
	}
	if shown(t, ctx, "details.result.failed .problem") != 3 || shown(t, ctx, "#filter") != 0 {
		t.Error("failures are hidden, or a filter that does nothing is shown")
	}
}
