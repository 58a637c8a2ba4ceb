package server

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/features/browsertest"
)

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
	ctx := browsertest.Open(t, browsertest.Loopback)
	quiet := browsertest.Console(t, ctx)
	browsertest.Do(t, ctx, chromedp.EmulateViewport(1200, 900), chromedp.Navigate("http://"+address+"/"), chromedp.WaitVisible(chromedp.CSS("#script")))
	if browsertest.Shown(t, ctx, "#result, #problem, #secret, noscript") != 0 {
		t.Error("there is something before anybody asked")
	}
	text, _ := json.Marshal(script)
	browsertest.Do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.getElementById("script").value = `+string(text)+`; document.getElementById("script").focus()`),
		chromedp.KeyEvent("\t"), chromedp.KeyEvent("\t"), chromedp.KeyEvent("12"), chromedp.KeyEvent("\t"), chromedp.KeyEvent("hpc"), // job, nodes, partition
		chromedp.KeyEvent("\r"), chromedp.WaitVisible(chromedp.CSS("#result")))
	if asked.JobScript != script || asked.NodeCount != 12 || asked.Partition != "hpc" || asked.JobID != "" || !asked.Explain {
		t.Errorf("it asked %+v", asked)
	}
	if got := browsertest.Eval[string](t, ctx, `document.activeElement.id`); got != "result" {
		t.Errorf("the focus is on %q", got)
	}
	if got := browsertest.Words(t, ctx, "#result h2"); got != "us-east-1 burst to 4 nodes" {
		t.Errorf("the headline is %q", got)
	}
	if got := browsertest.Words(t, ctx, "#facts"); !strings.HasPrefix(got, "confidence 0.75") || !strings.Contains(got, "serve the job 42") || !strings.Contains(got, "left out 3") {
		t.Errorf("the facts are %q", got)
	}
	if got := browsertest.Words(t, ctx, "#types tbody tr"); got != "1 c7i.24xlarge 4 spot 96 (48) 192 GiB 17.14 34.27 <5% yes cheapest" {
		t.Errorf("the first type is %q", got)
	}
	if got := browsertest.Words(t, ctx, "#types tbody tr:nth-child(2)"); !strings.Contains(got, "8 H100 32 unknown unknown") {
		t.Errorf("a type of unknown price is %q", got)
	}
	if got := browsertest.Words(t, ctx, "#plan pre"); got != `{ "should_burst": true, "instance_specification": { "instance_types": [ "c7i.24xlarge" ] } }` {
		t.Errorf("the plan is %q", got)
	}
	// The rest of the types is one key away.
	if n := browsertest.Shown(t, ctx, "#types tbody tr"); n != 12 {
		t.Errorf("%d types are shown at first", n)
	}
	browsertest.Do(t, ctx, chromedp.Focus(chromedp.CSS("#more")), chromedp.KeyEvent("\r"))
	if n := browsertest.Shown(t, ctx, "#types tbody tr"); n != 42 || browsertest.Shown(t, ctx, "#more") != 0 {
		t.Errorf("%d types are shown then", n)
	}
	// A finding leads to its line.
	if browsertest.Shown(t, ctx, "#findings li.error") != 1 || browsertest.Shown(t, ctx, "#findings li.warning") != 1 {
		t.Errorf("the findings are %q", browsertest.Words(t, ctx, "#findings"))
	}
	browsertest.Do(t, ctx, chromedp.Focus(chromedp.CSS("#findings button")), chromedp.KeyEvent("\r"))
	if got := browsertest.Eval[string](t, ctx, `(() => { const s = document.getElementById("script"); return s.value.slice(s.selectionStart, s.selectionEnd) + (document.activeElement === s); })()`); got != "#SBATCH --tiem=1true" {
		t.Errorf("the line is %q", got)
	}
	if got := browsertest.Eval[string](t, ctx, `document.title`); strings.Contains(got, "owned") || browsertest.Shown(t, ctx, "img") != 0 {
		t.Error("a text of the answer became more than text")
	}
	browsertest.Picture(t, ctx, "serve-light")
	quiet()
}

func TestThePageTellsWhyThereIsNoAnswer(t *testing.T) {
	address, stop := served(t, analyst(good), Options{Local: true})
	ctx := browsertest.Open(t, browsertest.Loopback)
	browsertest.Do(t, ctx, chromedp.Navigate("http://"+address+"/"), chromedp.WaitVisible(chromedp.CSS("#script")),
		chromedp.Evaluate[chromedp.Void](`document.getElementById("script").value = ""`), chromedp.Click(chromedp.CSS("#go")), chromedp.WaitVisible(chromedp.CSS("#problem")))
	if got := browsertest.Words(t, ctx, "#problem"); got != "neither job_script, job_id nor node_count is given" || browsertest.Shown(t, ctx, "#result") != 0 {
		t.Errorf("the problem is %q", got)
	}
	browsertest.Do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.getElementById("nodes").value = "2"; document.getElementById("nodes").focus()`), chromedp.KeyEvent("\r"), chromedp.WaitVisible(chromedp.CSS("#result")))
	if browsertest.Shown(t, ctx, "#problem") != 0 {
		t.Error("the problem stays")
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	browsertest.Do(t, ctx, chromedp.Click(chromedp.CSS("#go")), chromedp.WaitVisible(chromedp.CSS("#problem")))
	if got := browsertest.Words(t, ctx, "#problem"); !strings.HasPrefix(got, "The server did not answer") || browsertest.Eval[bool](t, ctx, `document.getElementById("go").disabled`) {
		t.Errorf("the problem is %q", got)
	}
}

func TestThePageAsksForTheToken(t *testing.T) {
	address, _ := served(t, analyst(good), Options{Local: true, Token: "0123456789abcdef"})
	ctx := browsertest.Open(t, browsertest.Loopback)
	browsertest.Do(t, ctx, chromedp.Navigate("http://"+address+"/"), chromedp.WaitVisible(chromedp.CSS("#script")), chromedp.Click(chromedp.CSS("#go")), chromedp.WaitVisible(chromedp.CSS("#token")),
		chromedp.KeyEvent("0123456789abcdef"), chromedp.KeyEvent("\r"), chromedp.WaitVisible(chromedp.CSS("#result")))
	if browsertest.Shown(t, ctx, "#problem") != 0 {
		t.Errorf("the problem is %q", browsertest.Words(t, ctx, "#problem"))
	}
}

func TestThePageFitsEveryWidthAndTheme(t *testing.T) {
	address, _ := served(t, analyst(many), Options{Local: true})
	ctx := browsertest.Open(t, browsertest.Loopback)
	quiet := browsertest.Console(t, ctx)
	for _, width := range []int64{360, 1200} {
		for _, theme := range []string{"light", "dark"} {
			browsertest.Theme(t, ctx, theme)
			browsertest.Do(t, ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate("http://"+address+"/"), chromedp.WaitVisible(chromedp.CSS("#script")), chromedp.Click(chromedp.CSS("#go")), chromedp.WaitVisible(chromedp.CSS("#result")))
			browsertest.Fits(t, ctx, fmt.Sprintf("%d px wide", width))
			ground := browsertest.Ground(t, ctx)
			if want := map[string]string{"light": "rgb(255, 255, 255)", "dark": "rgb(17, 22, 29)"}[theme]; ground != want {
				t.Errorf("%s: the ground is %s", theme, ground)
			}
			browsertest.Picture(t, ctx, fmt.Sprintf("serve-%d-%s", width, theme))
		}
	}
	quiet()
}
