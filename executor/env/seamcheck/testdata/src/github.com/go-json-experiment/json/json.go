// Package json has the signatures that the test data needs.
package json

import "io"

type Options interface{ option() }

func Marshal(v any, opts ...Options) ([]byte, error)         { return nil, nil }
func MarshalWrite(w io.Writer, v any, opts ...Options) error { return nil }
func Deterministic(v bool) Options                           { return nil }
func JoinOptions(o ...Options) Options                       { return nil }
