package main

import (
	"archive/zip"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"

	"aws-slurm-burst/asba/catalog"
)

// priceData holds the prices as text, without needless zeros.
type priceData struct {
	source catalog.Source
	usd    map[string]string
}

var generatedAt = regexp.MustCompile(`generated at (\d{4}-\d\d-\d\d)T`)

func readPrices(path string) (d priceData, err error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return d, err
	}
	defer z.Close()
	f, src, err := entry(z, "/pkg/providers/pricing/zz_generated.pricing_aws.go")
	if err != nil {
		return d, err
	}
	_, at, _ := strings.Cut(f.Name, "@") // module@version/path
	version, _, _ := strings.Cut(at, "/")
	date := generatedAt.FindSubmatch(src)
	if date == nil || version == "" {
		return d, fmt.Errorf("%s does not say its date and version", f.Name)
	}
	d.usd, err = parsePrices(src)
	d.source = catalog.Source{Name: "karpenter-provider-aws", Version: version, Date: string(date[1]), Licence: "Apache-2.0", Holds: "prices " + catalog.PriceRegion}
	return d, err
}

// parsePrices reads the composite literal `"us-east-1": {"a1.large": 0.051, …}`
// of a Go file; the file is never compiled.
func parsePrices(src []byte) (map[string]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "prices.go", src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		kv, ok := n.(*ast.KeyValueExpr)
		if !ok || literal(kv.Key) != catalog.PriceRegion {
			return true
		}
		prices, ok := kv.Value.(*ast.CompositeLit)
		if !ok {
			return false
		}
		for _, e := range prices.Elts {
			p, ok := e.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			usd, perr := strconv.ParseFloat(literal(p.Value), 64)
			if perr != nil || usd <= 0 {
				err = fmt.Errorf("%s: %q is not a price", literal(p.Key), literal(p.Value))
				return false
			}
			out[literal(p.Key)] = strconv.FormatFloat(usd, 'f', -1, 64)
		}
		return false
	})
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("no prices of %s in it: the format has changed", catalog.PriceRegion)
	}
	return out, err
}

// literal returns a string or number literal's text, "" for anything else.
func literal(e ast.Expr) string {
	b, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	if s, err := strconv.Unquote(b.Value); err == nil {
		return s
	}
	return b.Value
}
