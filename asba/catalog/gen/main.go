// Command gen writes the instance-type table of asba/catalog from local copies of its
// two public sources: the wheel of moto (from a Python package index) and the
// module zip of github.com/aws/karpenter-provider-aws (from a Go module proxy;
// `go mod download -json` names the file). Both say their own version, so the
// table can name what it was made from. The same inputs give the same bytes.
//
//	go run ./asba/catalog/gen -types moto-5.2.5-py3-none-any.whl -prices v1.15.1.zip -out asba/catalog/catalog.tsv.gz
package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"aws-slurm-burst/asba/catalog"
)

func main() {
	types := flag.String("types", "", "the moto wheel")
	prices := flag.String("prices", "", "the karpenter-provider-aws module zip")
	out := flag.String("out", "catalog.tsv.gz", "the table to write")
	flag.Parse()
	if err := run(*types, *prices, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(typesPath, pricesPath, out string) error {
	if typesPath == "" || pricesPath == "" {
		return errors.New("-types and -prices must name local files")
	}
	types, err := readTypes(typesPath)
	if err != nil {
		return fmt.Errorf("%s: %w", typesPath, err)
	}
	prices, err := readPrices(pricesPath)
	if err != nil {
		return fmt.Errorf("%s: %w", pricesPath, err)
	}
	table, err := encode(types, prices)
	if err != nil {
		return err
	}
	// A table that the program could not read must not replace one it can.
	c, err := catalog.Read(bytes.NewReader(table))
	if err != nil {
		return fmt.Errorf("the new table cannot be read: %w", err)
	}
	if err := os.WriteFile(out+".new", table, 0o644); err != nil {
		return err
	}
	if err := os.Rename(out+".new", out); err != nil {
		return err
	}
	fmt.Printf("%s: %d types, %d bytes\n", out, len(c.Names()), len(table))
	return nil
}

func encode(types typeData, prices priceData) ([]byte, error) {
	var text strings.Builder
	for _, s := range []catalog.Source{types.source, prices.source} {
		fmt.Fprintln(&text, strings.Join([]string{catalog.SourcePrefix, s.Name, s.Version, s.Date, s.Licence, s.Holds}, "\t"))
	}
	fmt.Fprintln(&text, catalog.Columns)
	for _, t := range types.rows {
		fmt.Fprintf(&text, "%s\t%s\n", t.line(), prices.usd[t.InstanceType])
	}
	var b bytes.Buffer
	zw, err := gzip.NewWriterLevel(&b, gzip.BestCompression) // no name, no time
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(zw, text.String()); err != nil {
		return nil, err
	}
	if err := zw.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// entry returns the one file of an archive whose name ends so.
func entry(z *zip.ReadCloser, suffix string) (*zip.File, []byte, error) {
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, suffix) {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, nil, err
		}
		defer r.Close()
		data, err := io.ReadAll(r)
		return f, data, err
	}
	return nil, nil, fmt.Errorf("no file *%s in it", suffix)
}
