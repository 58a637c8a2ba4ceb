package table

import (
	"errors"
	"fmt"
	"strings"
)

// Bounds of what a type can be: far above the largest there is, and what keeps a
// hostile answer from growing without end.
const (
	maxName  = 64
	maxWords = 64
	maxArchs = 4
	maxCount = 1 << 30
)

// Check says what no type can be like: bounds of numbers and words far above the
// largest there is.
func (t Type) Check() error {
	switch {
	case !IsTypeName(t.Name):
		return fmt.Errorf("%.70q is no name of an instance type", t.Name)
	case t.VCPUs < 1 || t.MemoryMiB < 1:
		return fmt.Errorf("%s has no vCPUs, or no memory", t.Name)
	case max(t.VCPUs, t.Cores, t.MemoryMiB, t.GPUs, t.GPUMemoryMiB, t.EFA, t.NetworkCards) > maxCount:
		return fmt.Errorf("%s has a number that is out of all reason", t.Name)
	case len(t.Archs) > maxArchs || !plain(strings.Join(t.Archs, ",")) || !plain(t.GPUModel) || !plain(t.Network):
		return fmt.Errorf("%s has words that are no words of EC2's", t.Name)
	}
	return nil
}

// plain reports whether words are short and can stand in a table.
func plain(words string) bool {
	return len(words) <= maxWords && !strings.ContainsFunc(words, func(r rune) bool { return r < ' ' || r > '~' })
}

// IsTypeName reports whether a name could be an instance type's: family, dot,
// size, in small letters, digits and hyphens.
func IsTypeName(name string) bool {
	family, size, ok := strings.Cut(name, ".")
	if !ok || family == "" || size == "" || len(name) > maxName {
		return false
	}
	return !strings.ContainsFunc(family+size, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
}

// CheckTypes reads every line of a table of types.
func (t *Table) CheckTypes() error {
	if len(t.Rows) == 0 {
		return errors.New("the table holds no types")
	}
	for _, row := range t.Rows {
		if _, err := parseType(row); err != nil {
			return fmt.Errorf("%s: %w", NameOf(row), err)
		}
	}
	return nil
}

// CheckOffers reads every line of a region's table.
func (t *Table) CheckOffers() error {
	for _, row := range t.Rows {
		if _, err := parseOffer(row); err != nil {
			return fmt.Errorf("%s: %w", NameOf(row), err)
		}
		if marks := marksOf(row); len(marks) != len(t.Zoned) || strings.Trim(marks, string([]byte{offeredMark, absentMark})) != "" {
			return fmt.Errorf("%s: %.20q says nothing of %d zones", NameOf(row), marks, len(t.Zoned))
		}
	}
	return nil
}
