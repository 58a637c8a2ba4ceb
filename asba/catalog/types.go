package catalog

import (
	"slices"

	"aws-slurm-burst/asba/catalog/table"
)

// Type looks an instance type up by its exact name.
func (c *Catalog) Type(name string) (Type, bool) {
	row, ok := c.typeTable().Row(name)
	if !ok {
		return Type{}, false
	}
	return table.TypeOf(row), true
}

// Names returns the name of every type, sorted.
func (c *Catalog) Names() []string {
	rows := c.typeTable().Rows
	out := make([]string, len(rows))
	for i, row := range rows {
		out[i] = table.NameOf(row)
	}
	return out
}

// InFamily returns the types of a family, smallest first; none where there is
// no such family.
func (c *Catalog) InFamily(name string) []Type {
	var out []Type
	t := c.typeTable()
	for i := t.At(name + "."); i < len(t.Rows) && table.Family(table.NameOf(t.Rows[i])) == name; i++ {
		out = append(out, table.TypeOf(t.Rows[i]))
	}
	slices.SortStableFunc(out, bySize)
	return out
}

// HasFamily reports whether any type of this family is known.
func (c *Catalog) HasFamily(name string) bool {
	t := c.typeTable()
	i := t.At(name + ".")
	return i < len(t.Rows) && table.Family(table.NameOf(t.Rows[i])) == name
}

func (c *Catalog) families() []string {
	var out []string
	for _, row := range c.typeTable().Rows {
		// Names of one family share a prefix, so they stand together.
		if f := table.Family(table.NameOf(row)); len(out) == 0 || out[len(out)-1] != f {
			out = append(out, f)
		}
	}
	return out
}
