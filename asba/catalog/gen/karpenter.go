package main

import (
	"archive/zip"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"

	"aws-slurm-burst/asba/catalog/table"
)

const (
	karpenterLicence = "Apache-2.0"
	karpenterFolder  = "/pkg/providers/pricing/zz_generated.pricing_"
)

// karpenterFiles are its lists of prices in USD, each of one day. The one of
// China is in yuan.
var karpenterFiles = []string{"aws.go", "aws_us_gov.go"}

// priceList is what types cost on demand in a region, and since when.
type priceList struct {
	date string
	usd  map[string]float64
}

var generatedAt = regexp.MustCompile(`generated at (\d{4}-\d\d-\d\d)T`)

// readKarpenter returns its price lists by region.
func readKarpenter(file string) (map[string]priceList, error) {
	z, err := zip.OpenReader(file)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	out := map[string]priceList{}
	for _, name := range karpenterFiles {
		_, src, err := entry(z, karpenterFolder+name)
		if err != nil {
			return nil, err
		}
		date := generatedAt.FindSubmatch(src)
		if date == nil {
			return nil, fmt.Errorf("%s does not say its date", name)
		}
		lists, err := parsePrices(src)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for region, usd := range lists {
			out[region] = priceList{string(date[1]), usd}
		}
	}
	return out, nil
}

// parsePrices reads the composite literal `"us-east-1": {"a1.large": 0.051, …}`
// of a Go file; the file is never compiled.
func parsePrices(src []byte) (map[string]map[string]float64, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "prices.go", src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]float64{}
	ast.Inspect(file, func(n ast.Node) bool {
		kv, ok := n.(*ast.KeyValueExpr)
		if !ok || !table.IsRegion(literal(kv.Key)) {
			return true
		}
		list, ok := kv.Value.(*ast.CompositeLit)
		if !ok {
			return true
		}
		usd := map[string]float64{}
		out[literal(kv.Key)] = usd
		for _, e := range list.Elts {
			p, ok := e.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			x, perr := strconv.ParseFloat(literal(p.Value), 64)
			if perr != nil || x <= 0 {
				err = fmt.Errorf("%s: %q is not a price", literal(p.Key), literal(p.Value))
				return false
			}
			usd[literal(p.Key)] = x
		}
		return false
	})
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("no prices of a region in it: the format has changed")
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
