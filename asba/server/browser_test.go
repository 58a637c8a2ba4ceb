package server

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"aws-slurm-burst/asba/finding"
)

// browser opens pages in a headless Chromium, which reaches this machine alone.
// Where there is none the test is skipped, or fails with ASBA_REQUIRE_CHROMIUM=1.
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
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	return ctx
}

// do does what a reader would. Elements are named by CSS: a search would find
// their names in the page's style first.
func do(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

func get[T any](t *testing.T, ctx context.Context, js string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// shown counts the elements of a selector that a reader can see.
func shown(t *testing.T, ctx context.Context, selector string) int {
	t.Helper()
	return get[int](t, ctx, fmt.Sprintf(`[...document.querySelectorAll(%q)].filter((e) => e.checkVisibility() && e.getClientRects().length > 0).length`, selector))
}

// wordsOf is the text of an element as it is shown.
func wordsOf(t *testing.T, ctx context.Context, selector string) string {
	t.Helper()
	return strings.Join(strings.Fields(get[string](t, ctx, fmt.Sprintf(`document.querySelector(%q).innerText`, selector))), " ")
}

// picture keeps a picture of the page where reports are wanted (ASBA_REPORTS).
func picture(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("ASBA_REPORTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// loud fails the test, when what it returns is called, for every message that
// the page wrote to the console since, and so for everything that its policy
// kept it from.
func loud(t *testing.T, ctx context.Context) (check func()) {
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

const script = "#!/bin/bash\n#SBATCH --nodes=4\n#SBATCH --tiem=1\nsrun ./a\n"

// many answers with more types than the page shows at once, and with texts that
// try to be more than text.
func many(ctx context.Context, q Question) (Analysis, error) {
	const evil = `<img src=x onerror="document.title='owned'">averylongwordwithoutanyplacetobreakitaveryverylongwordwithoutanyplacetobreakit`
	a, err := good(ctx, q)
	x := a.Explanation
	x.Reasons = append(x.Reasons, evil)
	for i := range 40 {
		x.Types = append(x.Types, Type{Name: fmt.Sprintf("c5.%dxlarge", i), Market: "on-demand", Nodes: 4, VCPUs: i, Cores: i, MemoryMiB: 1536, HourlyCost: 1.5, Cost: 3, Reason: evil})
	}
	x.Findings = []finding.Finding{{ID: "JOB001", Level: finding.Error, Line: 3, Message: evil, Suggestion: "write --time"}, {ID: "JOB002", Level: finding.Warning, Message: "no memory"}}
	return a, err
}

func TestThePageAsksAndShowsByKeyboardAlone(t *testing.T) {
	var asked Question
	address, _ := served(t, analyst(func(ctx context.Context, q Question) (Analysis, error) { asked = q; return many(ctx, q) }), Options{Local: true})
	ctx := browser(t)
	quiet := loud(t, ctx)
	do(t, ctx, chromedp.EmulateViewport(1200, 900), chromedp.Navigate("http://"+address+"/"), chromedp.WaitVisible(chromedp.CSS("#script")))
	if shown(t, ctx, "#result, #problem, #secret, noscript") != 0 {
		t.Error("there is something before anybody asked")
	}
	text, _ := json.Marshal(script)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.getElementById("script").value = `+string(text)+`; document.getElementById("script").focus()`),
		chromedp.KeyEvent("\t"), chromedp.KeyEvent("\t"), chromedp.KeyEvent("12"), chromedp.KeyEvent("\t"), chromedp.KeyEvent("hpc"), // job, nodes, partition
		chromedp.KeyEvent("\r"), chromedp.WaitVisible(chromedp.CSS("#result")))
	if asked.JobScript != script || asked.NodeCount != 12 || asked.Partition != "hpc" || asked.JobID != "" || !asked.Explain {
		t.Errorf("it asked %+v", asked)
	}
	if got := get[string](t, ctx, `document.activeElement.id`); got != "result" {
		t.Errorf("the focus is on %q", got)
	}
	if got := wordsOf(t, ctx, "#result h2"); got != "us-east-1 burst to 4 nodes" {
		t.Errorf("the headline is %q", got)
	}
	if got := wordsOf(t, ctx, "#facts"); !strings.HasPrefix(got, "confidence 0.75") || !strings.Contains(got, "serve the job 42") || !strings.Contains(got, "left out 3") {
		t.Errorf("the facts are %q", got)
	}
	if got := wordsOf(t, ctx, "#types tbody tr"); got != "1 c7i.24xlarge 4 spot 96 (48) 192 GiB 17.14 34.27 <5% yes cheapest" {
		t.Errorf("the first type is %q", got)
	}
	if got := wordsOf(t, ctx, "#types tbody tr:nth-child(2)"); !strings.Contains(got, "8 H100 32 unknown unknown") {
		t.Errorf("a type of unknown price is %q", got)
	}
	if got := wordsOf(t, ctx, "#plan pre"); got != `{ "should_burst": true, "instance_specification": { "instance_types": [ "c7i.24xlarge" ] } }` {
		t.Errorf("the plan is %q", got)
	}
	// The rest of the types is one key away.
	if n := shown(t, ctx, "#types tbody tr"); n != 12 {
		t.Errorf("%d types are shown at first", n)
	}
	do(t, ctx, chromedp.Focus(chromedp.CSS("#more")), chromedp.KeyEvent("\r"))
	if n := shown(t, ctx, "#types tbody tr"); n != 42 || shown(t, ctx, "#more") != 0 {
		t.Errorf("%d types are shown then", n)
	}
	// A finding leads to its line.
	if shown(t, ctx, "#findings li.error") != 1 || shown(t, ctx, "#findings li.warning") != 1 {
		t.Errorf("the findings are %q", wordsOf(t, ctx, "#findings"))
	}
	do(t, ctx, chromedp.Focus(chromedp.CSS("#findings button")), chromedp.KeyEvent("\r"))
	if got := get[string](t, ctx, `(() => { const s = document.getElementById("script"); return s.value.slice(s.selectionStart, s.selectionEnd) + (document.activeElement === s); })()`); got != "#SBATCH --tiem=1true" {
		t.Errorf("the line is %q", got)
	}
	if got := get[string](t, ctx, `document.title`); strings.Contains(got, "owned") || shown(t, ctx, "img") != 0 {
		t.Error("a text of the answer became more than text")
	}
	picture(t, ctx, "serve-light")
	quiet()
}

func TestThePageTellsWhyThereIsNoAnswer(t *testing.T) {
	address, stop := served(t, analyst(good), Options{Local: true})
	ctx := browser(t)
	do(t, ctx, chromedp.Navigate("http://"+address+"/"), chromedp.WaitVisible(chromedp.CSS("#script")),
		chromedp.Evaluate[chromedp.Void](`document.getElementById("script").value = ""`), chromedp.Click(chromedp.CSS("#go")), chromedp.WaitVisible(chromedp.CSS("#problem")))
	if got := wordsOf(t, ctx, "#problem"); got != "neither job_script, job_id nor node_count is given" || shown(t, ctx, "#result") != 0 {
		t.Errorf("the problem is %q", got)
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.getElementById("nodes").value = "2"; document.getElementById("nodes").focus()`), chromedp.KeyEvent("\r"), chromedp.WaitVisible(chromedp.CSS("#result")))
	if shown(t, ctx, "#problem") != 0 {
		t.Error("the problem stays")
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	do(t, ctx, chromedp.Click(chromedp.CSS("#go")), chromedp.WaitVisible(chromedp.CSS("#problem")))
	if got := wordsOf(t, ctx, "#problem"); !strings.HasPrefix(got, "The server did not answer") || get[bool](t, ctx, `document.getElementById("go").disabled`) {
		t.Errorf("the problem is %q", got)
	}
}

func TestThePageAsksForTheToken(t *testing.T) {
	address, _ := served(t, analyst(good), Options{Local: true, Token: "0123456789abcdef"})
	ctx := browser(t)
	do(t, ctx, chromedp.Navigate("http://"+address+"/"), chromedp.WaitVisible(chromedp.CSS("#script")), chromedp.Click(chromedp.CSS("#go")), chromedp.WaitVisible(chromedp.CSS("#token")),
		chromedp.KeyEvent("0123456789abcdef"), chromedp.KeyEvent("\r"), chromedp.WaitVisible(chromedp.CSS("#result")))
	if shown(t, ctx, "#problem") != 0 {
		t.Errorf("the problem is %q", wordsOf(t, ctx, "#problem"))
	}
}

func TestThePageFitsEveryWidthAndTheme(t *testing.T) {
	address, _ := served(t, analyst(many), Options{Local: true})
	ctx := browser(t)
	quiet := loud(t, ctx)
	for _, width := range []int64{360, 1200} {
		for _, theme := range []string{"light", "dark"} {
			if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
			}); err != nil {
				t.Fatal(err)
			}
			do(t, ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate("http://"+address+"/"), chromedp.WaitVisible(chromedp.CSS("#script")), chromedp.Click(chromedp.CSS("#go")), chromedp.WaitVisible(chromedp.CSS("#result")))
			if over := get[int](t, ctx, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				t.Errorf("%d px wide: the page is %d px wider: %s", width, over, get[string](t, ctx, `
					[...document.querySelectorAll("body *")].filter((e) => !e.closest(".scroll") && e.getBoundingClientRect().right > innerWidth + 1)
						.map((e) => e.tagName + "." + e.className + "#" + e.id).slice(0, 5).join(" ")`))
			}
			ground := get[string](t, ctx, `getComputedStyle(document.documentElement).backgroundColor`)
			if want := map[string]string{"light": "rgb(255, 255, 255)", "dark": "rgb(17, 22, 29)"}[theme]; ground != want {
				t.Errorf("%s: the ground is %s", theme, ground)
			}
			picture(t, ctx, fmt.Sprintf("serve-%d-%s", width, theme))
		}
	}
	quiet()
}
