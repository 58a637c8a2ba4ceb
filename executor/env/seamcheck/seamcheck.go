// Package seamcheck is an analyzer that keeps the executor's rooms on the seam:
// what they ask of time, chance, concurrency and the machine they ask of
// env.Env and of their ports, or else a simulation would neither be complete
// nor repeatable. Its own test runs it over the rooms, so that `go test` and
// `make lint` fail where one of them steps off.
//
// It looks at what a package names itself, not at what its imports do, and not
// at test files.
package seamcheck

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// Analyzer reports what a room may not use, and what it uses instead.
var Analyzer = &analysis.Analyzer{
	Name: "seamcheck",
	Doc:  "keep executor rooms on env.Env: no clock, goroutine, chance or machine of their own",
	Run:  run,
}

// module is the path that the rooms' import paths begin with.
const module = "aws-slurm-burst/"

// adapters are the rooms on the world's side of the seam, and this package.
var adapters = map[string]bool{"executor/host": true, "executor/awscloud": true, "executor/env/seamcheck": true}

// Applies reports whether a package is a room that has to keep to the seam.
func Applies(path string) bool {
	room, ok := strings.CutPrefix(path, module)
	return ok && (room == "executor" || strings.HasPrefix(room, "executor/")) && !adapters[room]
}

// Where the way out is the same for several things.
const (
	useSleep    = "use Env.Sleep"
	useDeadline = "use Env.WithDeadline: a virtual deadline has to be an event"
	useFan      = "use env.Map or Env.Fan"
	useRand     = "use Env.Rand"
	useLog      = "use Env.Log"
	usePort     = "declare a port and let executor/host implement it"
	useShare    = "let each call of Env.Fan own its result, or use Env.Lock between processes"
)

// imports are packages that a room may not import. A path that ends in "/..."
// stands for the package and all below it.
var imports = map[string]string{
	"sync/...":                      useShare,
	"runtime/...":                   usePort,
	"testing/...":                   "move it to a test file",
	"math/rand/...":                 useRand,
	"crypto/rand":                   useRand,
	"os/...":                        usePort,
	"net/...":                       usePort,
	"syscall":                       usePort,
	"golang.org/x/sys/...":          usePort,
	"io/ioutil":                     usePort,
	"plugin":                        usePort,
	"unsafe":                        "the simulator cannot see through it",
	"log/...":                       useLog,
	"encoding/json":                 "use github.com/go-json-experiment/json with json.Deterministic(true)",
	"golang.org/x/sync/...":         useFan,
	"github.com/gofrs/flock":        "use Env.Lock",
	"aws-slurm-burst/executor/host": "take it as a port",
}

// pure are packages below a forbidden one that only compute.
var pure = map[string]bool{"net/url": true, "net/netip": true}

// functions that a room may not name, in packages it may import.
var functions = map[string]string{
	"time.Now":       "use Env.Now",
	"time.Since":     "use Env.Now and Time.Sub",
	"time.Until":     "use Env.Now and Time.Sub",
	"time.Sleep":     useSleep,
	"time.After":     useSleep,
	"time.AfterFunc": useSleep,
	"time.Tick":      useSleep,
	"time.NewTimer":  useSleep,
	"time.NewTicker": useSleep,

	"context.WithCancel":        useDeadline,
	"context.WithCancelCause":   useDeadline,
	"context.WithDeadline":      useDeadline,
	"context.WithDeadlineCause": useDeadline,
	"context.WithTimeout":       useDeadline,
	"context.WithTimeoutCause":  useDeadline,
	"context.AfterFunc":         useDeadline + "; nothing may run beside the engine",

	"fmt.Print":   useLog,
	"fmt.Printf":  useLog,
	"fmt.Println": useLog,

	"path/filepath.Abs":          usePort,
	"path/filepath.EvalSymlinks": usePort,
	"path/filepath.Glob":         usePort,
	"path/filepath.Walk":         usePort,
	"path/filepath.WalkDir":      usePort,
}

// builtins that a room may not call.
var builtins = map[string]string{
	"recover": "a crash unwinds by a panic that only the engine may catch; return errors",
	"close":   useFan,
	"print":   useLog,
	"println": useLog,
}

const useSorted = "the order of a map differs from run to run: range over slices.Sorted(maps.Keys(m))"

// mapWalks give a map's entries in no order; fine only as an argument of one of
// unordered, which do not let the order through.
var (
	mapWalks  = map[string]bool{"maps.Keys": true, "maps.Values": true, "maps.All": true}
	unordered = map[string]bool{
		"slices.Sorted": true, "slices.SortedFunc": true, "slices.SortedStableFunc": true,
		"maps.Collect": true, "maps.Insert": true,
	}
)

const jsonPackage = "github.com/go-json-experiment/json"

func run(pass *analysis.Pass) (any, error) {
	if strings.HasSuffix(pass.Pkg.Path(), ".test") { // a test's generated main
		return nil, nil
	}
	c := &check{Pass: pass, sorted: map[ast.Expr]bool{}}
	for _, f := range pass.Files {
		if strings.HasSuffix(pass.Fset.File(f.FileStart).Name(), "_test.go") {
			continue
		}
		for _, spec := range f.Imports {
			c.imported(spec)
		}
		ast.Inspect(f, c.node)
	}
	return nil, nil
}

type check struct {
	*analysis.Pass
	// sorted are the walks of maps that are arguments of unordered functions;
	// a call is visited before its arguments.
	sorted map[ast.Expr]bool
}

func (c *check) refuse(at token.Pos, what, instead string) {
	c.Reportf(at, "%s is not for executor rooms: %s", what, instead)
}

func (c *check) imported(spec *ast.ImportSpec) {
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return // the compiler says so
	}
	if pure[path] {
		return
	}
	if instead, ok := imports[path]; ok {
		c.refuse(spec.Pos(), "package "+path, instead)
		return
	}
	for prefix := path; prefix != ""; {
		if instead, ok := imports[prefix+"/..."]; ok {
			c.refuse(spec.Pos(), "package "+path, instead)
			return
		}
		prefix = prefix[:max(0, strings.LastIndexByte(prefix, '/'))]
	}
}

func (c *check) node(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GoStmt:
		c.refuse(n.Pos(), "go", useFan)
	case *ast.SelectStmt:
		c.refuse(n.Pos(), "select", useSleep)
	case *ast.ChanType:
		c.refuse(n.Pos(), "a channel", useFan)
	case *ast.SendStmt:
		c.refuse(n.Arrow, "a send", useFan)
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			c.refuse(n.Pos(), "a receive", useFan+"; ctx.Err says whether a context is done")
		}
	case *ast.RangeStmt:
		c.ranged(n)
	case *ast.CallExpr:
		c.called(n)
	case *ast.Ident:
		c.named(n)
	}
	return true
}

func (c *check) ranged(n *ast.RangeStmt) {
	t := c.TypesInfo.TypeOf(n.X)
	if t == nil {
		return
	}
	switch core(t).(type) {
	case *types.Map:
		if !c.copies(n) {
			c.refuse(n.Pos(), "range over a map", useSorted)
		}
	case *types.Chan:
		c.refuse(n.Pos(), "range over a channel", useFan)
	}
}

// copies reports whether a loop over a map does nothing but put its entries,
// or those that pass a condition, into a map under the same key: for that the
// order does not matter.
func (c *check) copies(n *ast.RangeStmt) bool {
	body := n.Body
	if len(body.List) == 1 {
		if cond, ok := body.List[0].(*ast.IfStmt); ok && cond.Init == nil && cond.Else == nil {
			body = cond.Body
		}
	}
	if len(body.List) != 1 {
		return false
	}
	assign, ok := body.List[0].(*ast.AssignStmt)
	if !ok || assign.Tok != token.ASSIGN || len(assign.Lhs) != 1 {
		return false
	}
	to, ok := assign.Lhs[0].(*ast.IndexExpr)
	return ok && c.same(to.Index, n.Key) && (c.same(assign.Rhs[0], n.Value) || c.TypesInfo.Types[assign.Rhs[0]].Value != nil)
}

// same reports whether two expressions name one variable.
func (c *check) same(a, b ast.Expr) bool {
	x, ok := a.(*ast.Ident)
	if !ok {
		return false
	}
	y, ok := b.(*ast.Ident)
	return ok && c.TypesInfo.ObjectOf(x) != nil && c.TypesInfo.ObjectOf(x) == c.TypesInfo.ObjectOf(y)
}

// core returns the underlying type, of a type parameter the one that its whole
// type set shares.
func core(t types.Type) types.Type {
	p, ok := types.Unalias(t).(*types.TypeParam)
	if !ok {
		return t.Underlying()
	}
	in, ok := p.Constraint().Underlying().(*types.Interface)
	if !ok || in.NumEmbeddeds() == 0 {
		return t.Underlying()
	}
	switch e := in.EmbeddedType(0).(type) {
	case *types.Union:
		return e.Term(0).Type().Underlying()
	default:
		return e.Underlying()
	}
}

func (c *check) called(n *ast.CallExpr) {
	name := c.function(n.Fun)
	if unordered[name] {
		for _, a := range n.Args {
			c.sorted[ast.Unparen(a)] = true
		}
	}
	if mapWalks[name] && !c.sorted[n] {
		c.refuse(n.Pos(), name, useSorted)
	}
	switch name {
	case jsonPackage + ".Marshal", jsonPackage + ".MarshalWrite":
		if !c.deterministic(n.Args) {
			c.refuse(n.Pos(), "this call", "give it json.Deterministic(true), or the order of a map decides what is written")
		}
	}
}

// deterministic reports whether json.Deterministic(true) is among arguments,
// also within json.JoinOptions.
func (c *check) deterministic(args []ast.Expr) bool {
	for _, a := range args {
		call, ok := ast.Unparen(a).(*ast.CallExpr)
		if !ok {
			continue
		}
		switch c.function(call.Fun) {
		case jsonPackage + ".Deterministic":
			if v := c.TypesInfo.Types[call.Args[0]].Value; v != nil && v.Kind() == constant.Bool && constant.BoolVal(v) {
				return true
			}
		case jsonPackage + ".JoinOptions":
			if c.deterministic(call.Args) {
				return true
			}
		}
	}
	return false
}

// function returns the full name of the function that an expression names, ""
// where it is none of a package's own functions.
func (c *check) function(e ast.Expr) string {
	switch e := ast.Unparen(e).(type) {
	case *ast.IndexExpr: // maps.Keys[M]
		return c.function(e.X)
	case *ast.IndexListExpr:
		return c.function(e.X)
	case *ast.SelectorExpr:
		return c.full(e.Sel)
	case *ast.Ident:
		return c.full(e)
	}
	return ""
}

func (c *check) full(id *ast.Ident) string {
	f, ok := c.TypesInfo.Uses[id].(*types.Func)
	if !ok || f.Pkg() == nil || f.Signature().Recv() != nil {
		return ""
	}
	return f.Pkg().Path() + "." + f.Name()
}

// named catches a function also where it is a value: now := time.Now.
func (c *check) named(id *ast.Ident) {
	if b, ok := c.TypesInfo.Uses[id].(*types.Builtin); ok {
		if instead, bad := builtins[b.Name()]; bad {
			c.refuse(id.Pos(), b.Name(), instead)
		}
		return
	}
	name := c.full(id)
	if instead, bad := functions[name]; bad {
		c.refuse(id.Pos(), name, instead)
	}
}
