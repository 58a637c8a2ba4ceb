//go:build unix && !linux

package files

import (
	"errors"
	"os"
)

// unnamed has no files without a name here.
func unnamed(string) *os.File { return nil }

func name(*os.File, string) error { return errors.ErrUnsupported }
