package site

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Configure gives the site a configuration of the user's: its node groups,
// prices, policy and plans as they are, and everything that reaches beyond the
// site replaced. The cluster is the site's, there is no Slurm, the credentials
// are those of the examples (no call ever carries the user's), no advisor is asked,
// and journal and log are in the site's own folder. Relative paths start at folder.
func (w *Site) Configure(data []byte, folder string) error {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return err
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return fmt.Errorf("the configuration is no mapping of keys")
	}
	// An alias may repeat what is replaced below, or be in its place.
	if err := (&aliases{left: maxValues}).writeOut(&doc); err != nil {
		return err
	}
	root := doc.Content[0]
	set(root, "cluster", w.Cluster)
	region := "us-east-1"
	if aws := child(root, "aws"); aws != nil {
		if r := child(aws, "region"); r != nil && r.Kind == yaml.ScalarNode && r.Value != "" {
			region = r.Value
		}
		aws.Kind, aws.Tag, aws.Value, aws.Content = yaml.MappingNode, "!!map", "", nil
		set(aws, "region", region)
		set(aws, "credentials_file", "aws-credentials")
	} else {
		root.Content = append(root.Content, plain("aws"), mapping("region", region, "credentials_file", "aws-credentials"))
	}
	slurm := child(root, "slurm")
	if slurm != nil && slurm.Kind == yaml.MappingNode {
		set(slurm, "scontrol", "off")
		for _, key := range []string{"config_path", "bin_path"} {
			remove(slurm, key)
		}
	}
	for _, key := range []string{"journal", "logging", "asba"} {
		remove(root, key)
	}
	absolute(root, folder)
	out, err := yaml.Marshal(&doc)
	if err != nil {
		return err
	}
	return w.Write("config.yaml", out)
}

// maxValues bounds a configuration with its aliases written out, as it does where
// the programs read one.
const maxValues = 100_000

// aliases writes them out, so many values in all.
type aliases struct {
	left   int
	inside []*yaml.Node // what is being repeated
}

// writeOut gives each alias below a node a copy of what it repeats.
func (a *aliases) writeOut(n *yaml.Node) error {
	if a.left--; a.left < 0 {
		return fmt.Errorf("the configuration has more than %d values: remove aliases that repeat aliases", maxValues)
	}
	if n.Kind == yaml.AliasNode {
		if slices.Contains(a.inside, n.Alias) {
			return fmt.Errorf("line %d: the alias *%s is within itself: repeat the keys", n.Line, n.Value)
		}
		a.inside = append(a.inside, n.Alias)
		defer func() { a.inside = a.inside[:len(a.inside)-1] }()
		*n = *n.Alias
	}
	n.Anchor, n.Content = "", slices.Clone(n.Content)
	for i, c := range n.Content {
		own := *c
		n.Content[i] = &own
		if err := a.writeOut(&own); err != nil {
			return err
		}
	}
	return nil
}

// absolute makes the paths of user data files independent of where the
// configuration stands, wherever in it they are.
func absolute(n *yaml.Node, folder string) {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if v := n.Content[i+1]; n.Content[i].Value == "user_data_file" && v.Kind == yaml.ScalarNode && v.Value != "" && !filepath.IsAbs(v.Value) {
			v.Value = filepath.Join(folder, v.Value)
		}
	}
	for _, c := range n.Content {
		absolute(c, folder)
	}
}

func child(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func set(n *yaml.Node, key, value string) {
	remove(n, key)
	n.Content = append(n.Content, plain(key), quoted(value))
}

func remove(n *yaml.Node, key string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content = append(n.Content[:i:i], n.Content[i+2:]...)
			return
		}
	}
}

func plain(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

// quoted keeps words such as off from being read as something else.
func quoted(s string) *yaml.Node {
	n := plain(s)
	n.Style = yaml.DoubleQuotedStyle
	return n
}

func mapping(pairs ...string) *yaml.Node {
	m := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for i := 0; i+1 < len(pairs); i += 2 {
		set(m, pairs[i], pairs[i+1])
	}
	return m
}

// Set gives a setting of the site's configuration another value, in YAML; path
// is its keys, joined by dots.
func (w *Site) Set(path, value string) error {
	return w.edit(func(root *yaml.Node) error { return setPath(root, path, value) })
}

// SetGroup does so for a node group, wherever it is.
func (w *Site) SetGroup(name, path, value string) error {
	return w.edit(func(root *yaml.Node) error {
		g := findGroup(root, name)
		if g == nil {
			return fmt.Errorf("config.yaml has no node group %s", name)
		}
		return setPath(g, path, value)
	})
}

// Variant writes the configuration to another file, with one setting changed there.
func (w *Site) Variant(file, path, value string) error {
	return w.editTo(file, func(root *yaml.Node) error { return setPath(root, path, value) })
}

func (w *Site) edit(f func(root *yaml.Node) error) error { return w.editTo("config.yaml", f) }

// editTo edits the site's configuration and writes what came of it to a file.
func (w *Site) editTo(file string, f func(root *yaml.Node) error) error {
	data, err := os.ReadFile(filepath.Join(w.Dir, "config.yaml"))
	if err != nil {
		return err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return err
	}
	if err := f(doc.Content[0]); err != nil {
		return err
	}
	if data, err = yaml.Marshal(&doc); err != nil {
		return err
	}
	return w.Write(file, data)
}

func setPath(n *yaml.Node, path, value string) error {
	var v yaml.Node
	if err := yaml.Unmarshal([]byte(value), &v); err != nil {
		return err
	}
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		next := child(n, key)
		if next == nil {
			next = mapping()
			n.Content = append(n.Content, plain(key), next)
		}
		n = next
	}
	last := keys[len(keys)-1]
	remove(n, last)
	n.Content = append(n.Content, plain(last), v.Content[0])
	return nil
}

func findGroup(n *yaml.Node, name string) *yaml.Node {
	if v := child(n, "node_group_name"); n.Kind == yaml.MappingNode && v != nil && v.Value == name {
		return n
	}
	for _, c := range n.Content {
		if g := findGroup(c, name); g != nil {
			return g
		}
	}
	return nil
}
