package container

import (
	"fmt"
	"strings"
)

// EngineError: no Docker engine that can be used.
type EngineError struct {
	Host string // its address, where one is known
	Why  string
	Do   string
}

func (e *EngineError) Error() string {
	at := ""
	if e.Host != "" {
		at = " at " + e.Host
	}
	return fmt.Sprintf("localstack: Docker engine%s: %s: %s", at, oneLine(e.Why), e.Do)
}

// Missing is true.
func (e *EngineError) Missing() bool { return true }

// ImageError: the engine has no image to start.
type ImageError struct{ Image, Why string }

func (e *ImageError) Error() string {
	return fmt.Sprintf("localstack: image %s: %s: run `make localstack-image`", e.Image, e.Why)
}

// Missing is true.
func (e *ImageError) Missing() bool { return true }

// StartError: the engine could not make or start a container.
type StartError struct {
	Image string
	Err   error
}

func (e *StartError) Error() string {
	return fmt.Sprintf("localstack: container of %s cannot be started: %s: see the engine's log", e.Image, oneLine(e.Err.Error()))
}

func (e *StartError) Unwrap() error { return e.Err }

// oneLine folds an engine's words, which may have line ends.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
