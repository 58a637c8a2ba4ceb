package quiet

import (
	"testing"
	"time"
)

// Test files are free.
func TestFree(t *testing.T) { go func() { _ = time.Now() }() }
