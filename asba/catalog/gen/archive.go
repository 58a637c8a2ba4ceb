package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
)

// entries returns the files of an archive whose names have a part, and end so.
func entries(z *zip.ReadCloser, part, suffix string) []*zip.File {
	var out []*zip.File
	for _, f := range z.File {
		if strings.Contains(f.Name, part) && strings.HasSuffix(f.Name, suffix) {
			out = append(out, f)
		}
	}
	return out
}

// entry reads the one file of an archive whose name ends so.
func entry(z *zip.ReadCloser, suffix string) (*zip.File, []byte, error) {
	found := entries(z, "", suffix)
	if len(found) == 0 {
		return nil, nil, fmt.Errorf("no file *%s in it: the format has changed", suffix)
	}
	data, err := content(found[0])
	return found[0], data, err
}

func content(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func gunzip(packed []byte) ([]byte, error) {
	zr, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(zr)
}
