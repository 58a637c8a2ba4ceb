// Command gen makes the tables of asba/catalog from its public sources, which
// sources.go pins: `make catalog` writes them, and with -check it proves that the
// committed ones are what the sources give, byte for byte. It fetches through
// the ordinary clients, go and pip, and keeps what they brought in a folder.
//
// The same sources give the same bytes. It reads the sources and never compiles
// or runs any of them, and none is a dependency of a program.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// requireEnv makes a check that cannot fetch its sources fail.
const requireEnv = "ASBA_REQUIRE_CATALOG"

// file is one table as it is embedded.
type file struct {
	name string
	data []byte
}

func main() {
	out := flag.String("out", "asba/catalog/data", "the folder of the tables")
	keep := flag.String("keep", ".build/catalog", "the folder for what is fetched")
	check := flag.Bool("check", false, "write nothing, and say whether the tables are what the sources give")
	flag.Parse()
	if err := run(os.Stdout, *out, *keep, *check); err != nil {
		fmt.Fprintln(os.Stderr, "catalog:", err)
		os.Exit(1)
	}
}

func run(say io.Writer, out, keep string, check bool) error {
	from, err := fetch(say, keep)
	if err != nil {
		if check && os.Getenv(requireEnv) == "" {
			fmt.Fprintf(say, "LEFT OUT: whether the catalogue's tables reproduce: %v\n", err)
			return nil
		}
		return err
	}
	begin := time.Now()
	files, err := tables(say, from)
	if err != nil {
		return err
	}
	total := 0
	for _, f := range files {
		total += len(f.data)
	}
	fmt.Fprintf(say, "%d tables, %d bytes, made in %.1f s\n", len(files), total, time.Since(begin).Seconds())
	if check {
		return compare(say, out, files)
	}
	return write(out, files)
}

// write replaces the tables in a folder, and removes those that are no more.
func write(folder string, files []file) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	stale, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(folder, f.name)
		if err := os.WriteFile(path+".new", f.data, 0o644); err != nil {
			return err
		}
		if err := os.Rename(path+".new", path); err != nil {
			return err
		}
		stale = slices.DeleteFunc(stale, func(s string) bool { return s == path })
	}
	for _, path := range stale {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

// listedAtOnce is how many wrong tables are listed; of the others the number is.
const listedAtOnce = 5

// compare says which tables in a folder are not those.
func compare(say io.Writer, folder string, files []file) error {
	have, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		return err
	}
	var wrong []string
	for _, f := range files {
		path := filepath.Join(folder, f.name)
		have = slices.DeleteFunc(have, func(s string) bool { return s == path })
		got, err := os.ReadFile(path)
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: %v", path, err))
		} else if !bytes.Equal(got, f.data) {
			wrong = append(wrong, path+": "+difference(got, f.data))
		}
	}
	for _, path := range have {
		wrong = append(wrong, path+": no source gives it")
	}
	if n := len(wrong); n > listedAtOnce {
		wrong = append(wrong[:listedAtOnce], fmt.Sprintf("and %d more", n-listedAtOnce))
	}
	if len(wrong) > 0 {
		return errors.New("the tables are not what the sources give ('make catalog' writes them anew):\n  " + strings.Join(wrong, "\n  "))
	}
	fmt.Fprintf(say, "%s reproduces byte for byte\n", folder)
	return nil
}

// difference says where two packed tables differ first.
func difference(got, want []byte) string {
	a, err := gunzip(got)
	if err != nil {
		return err.Error()
	}
	b, err := gunzip(want)
	if err != nil {
		return err.Error()
	}
	if bytes.Equal(a, b) { // another version of Go may pack otherwise
		return "the same text, packed otherwise"
	}
	have, want2 := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	i := 0
	for i < len(have) && i < len(want2) && have[i] == want2[i] {
		i++
	}
	line := func(lines []string) string {
		if i < len(lines) {
			return lines[i]
		}
		return ""
	}
	return fmt.Sprintf("line %d is %q, the sources give %q", i+1, line(have), line(want2))
}
