// Package browsertest opens pages in a headless Chromium, for tests of what this
// project shows to people: as a reader has them, with a look at what the page
// writes to the console, and with pictures where reports are wanted.
//
// It knows no page of ours, and is imported by tests alone.
package browsertest

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

// within bounds a test in a browser; starting one takes a second or two.
const within = 2 * time.Minute

// Loopback is the host of servers that tests start.
const Loopback = "127.0.0.1"

// Open starts a Chromium that ends with the test, and returns the context of its
// tab. Pages reach the hosts that are named and no other: what a page asks for
// elsewhere fails, and is seen on its console. Where there is no Chromium the
// test is skipped, or fails with ASBA_REQUIRE_CHROMIUM=1.
func Open(t *testing.T, hosts ...string) context.Context {
	t.Helper()
	reach := "MAP * ~NOTFOUND"
	for _, h := range hosts {
		reach += ", EXCLUDE " + h
	}
	options := append([]chromedp.ExecAllocatorOption{chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(time.Minute)},
		chromedp.DefaultExecAllocatorOptions[:]...)
	options = append(options, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("host-resolver-rules", reach))
	ctx, cancel := context.WithTimeout(t.Context(), within)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	return ctx
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const how = "no Chromium here to open the page in: install it (Debian: apt-get install chromium)"
	if os.Getenv("ASBA_REQUIRE_CHROMIUM") == "1" {
		t.Fatal(how)
	}
	t.Skip(how)
	return ""
}

// Do does what a reader would. Elements are named by CSS: a search would find
// their names in the page's style first.
func Do(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// Get is what an action finds out.
func Get[T any](t *testing.T, ctx context.Context, action chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Eval is the value of an expression in the page.
func Eval[T any](t *testing.T, ctx context.Context, js string) T {
	t.Helper()
	return Get(t, ctx, chromedp.Evaluate[T](js))
}

// Shown counts the elements of a selector that a reader can see.
func Shown(t *testing.T, ctx context.Context, selector string) int {
	t.Helper()
	return Eval[int](t, ctx, fmt.Sprintf(`[...document.querySelectorAll(%q)].filter((e) => e.checkVisibility() && e.getClientRects().length > 0).length`, selector))
}

// Words is the text of an element as it is shown, with single blanks.
func Words(t *testing.T, ctx context.Context, selector string) string {
	t.Helper()
	return strings.Join(strings.Fields(Eval[string](t, ctx, fmt.Sprintf(`document.querySelector(%q).innerText`, selector))), " ")
}

// Fits fails where the page is wider than its window, and names what sticks out;
// what is in an element of class scroll may.
func Fits(t *testing.T, ctx context.Context, what string) {
	t.Helper()
	if over := Eval[int](t, ctx, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
		t.Errorf("%s: the page is %d px wider than its window: %s", what, over, Eval[string](t, ctx, `
			[...document.querySelectorAll("body *")].filter((e) => !e.closest(".scroll") && e.getBoundingClientRect().right > innerWidth + 1)
				.map((e) => e.tagName + "." + (e.className.baseVal ?? e.className) + "#" + e.id).slice(0, 5).join(" ")`))
	}
}

// Ground is the colour behind everything.
func Ground(t *testing.T, ctx context.Context) string {
	t.Helper()
	return Eval[string](t, ctx, `getComputedStyle(document.documentElement).backgroundColor`)
}

// Theme makes the reader one who prefers a theme, light or dark.
func Theme(t *testing.T, ctx context.Context, theme string) {
	t.Helper()
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
	}); err != nil {
		t.Fatal(err)
	}
}

// Picture keeps a picture of the page where reports are wanted (ASBA_REPORTS).
func Picture(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("ASBA_REPORTS")
	if dir == "" {
		return
	}
	png := Get(t, ctx, chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Console fails the test, when what it returns is called, for every message that
// the page wrote to the console since, and so for everything that its policy
// kept it from.
func Console(t *testing.T, ctx context.Context) (check func()) {
	t.Helper()
	const end = "the test is over"
	messages := chromedp.Console(ctx)
	return func() {
		t.Helper()
		Do(t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf("void console.log(%q)", end)))
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
