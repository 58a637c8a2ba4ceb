package seamcheck

import (
	"go/ast"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"
	"golang.org/x/tools/go/packages"
)

func TestEachRuleFires(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), Analyzer, "room")
}

func TestWhatRoomsMayDo(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), Analyzer, "quiet")
}

// TestEveryEntryIsTried keeps the tables and the test data together: each
// forbidden name is in room.go.
func TestEveryEntryIsTried(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "src", "room", "room.go"))
	if err != nil {
		t.Fatal(err)
	}
	for name := range functions {
		short := name[strings.LastIndexByte(name, '/')+1:]
		if !regexp.MustCompile(`\b` + regexp.QuoteMeta(short) + `\b`).Match(data) {
			t.Errorf("%s is not tried", name)
		}
	}
	for name := range builtins {
		if !strings.Contains(string(data), name+"(") {
			t.Errorf("builtin %s is not tried", name)
		}
	}
	for path := range imports {
		// Only the standard library can be imported by the test data.
		path = strings.TrimSuffix(path, "/...")
		if !strings.Contains(path, ".") && !strings.HasPrefix(path, module) && !strings.Contains(string(data), `"`+path) {
			t.Errorf("import of %s is not tried", path)
		}
	}
}

func TestImportsOutsideTheStandardLibrary(t *testing.T) {
	for path, want := range map[string]bool{
		"golang.org/x/sys/unix":             true,
		"golang.org/x/sync/errgroup":        true,
		"github.com/gofrs/flock":            true,
		"aws-slurm-burst/executor/host":     true,
		"aws-slurm-burst/executor/env":      false,
		"aws-slurm-burst/executor/hostlist": false,
		"golang.org/x/text/cases":           false,
		"netx":                              false,
		"iter":                              false,
	} {
		got := false
		c := &check{Pass: &analysis.Pass{Report: func(analysis.Diagnostic) { got = true }}}
		c.imported(&ast.ImportSpec{Path: &ast.BasicLit{Value: `"` + path + `"`}})
		if got != want {
			t.Errorf("%s: refused %v", path, got)
		}
	}
}

func TestWhichPackagesAreRooms(t *testing.T) {
	for path, want := range map[string]bool{
		"aws-slurm-burst/executor":               true,
		"aws-slurm-burst/executor/launch":        true,
		"aws-slurm-burst/executor/env":           true,
		"aws-slurm-burst/executor/host":          false,
		"aws-slurm-burst/executor/awscloud":      false,
		"aws-slurm-burst/executor/env/seamcheck": false,
		"aws-slurm-burst/simulator":              false,
		"aws-slurm-burst/executorx":              false,
		"executor":                               false,
	} {
		if Applies(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}

// TestRoomsKeepToTheSeam runs the analyzer over the rooms themselves. Imports
// are read from the build cache's export data, which is fast; awscloud is not
// loaded, so that nothing waits for the EC2 client to compile.
func TestRoomsKeepToTheSeam(t *testing.T) {
	out, err := exec.Command("go", "list", module+"executor/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var rooms []string
	for _, path := range strings.Fields(string(out)) {
		if Applies(path) {
			rooms = append(rooms, path)
		}
	}
	pkgs, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles |
		packages.NeedImports | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedSyntax}, rooms...)
	if err != nil {
		t.Fatal(err)
	}
	if len(pkgs) < 3 || len(pkgs) != len(rooms) {
		t.Fatalf("loaded %d of %d rooms", len(pkgs), len(rooms))
	}
	for _, p := range pkgs {
		for _, e := range p.Errors {
			t.Errorf("%s: %v", p.PkgPath, e)
		}
		pass := &analysis.Pass{Analyzer: Analyzer, Fset: p.Fset, Files: p.Syntax, Pkg: p.Types, TypesInfo: p.TypesInfo,
			TypesSizes: types.SizesFor("gc", "amd64"),
			Report:     func(d analysis.Diagnostic) { t.Errorf("%v: %s", p.Fset.Position(d.Pos), d.Message) }}
		if _, err := Analyzer.Run(pass); err != nil {
			t.Error(err)
		}
	}
}
