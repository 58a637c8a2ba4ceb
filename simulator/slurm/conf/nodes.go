package conf

import (
	"slices"
	"strconv"
	"strings"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/executor/hostlist"
)

// nodes are the lines about nodes, as they come.
type nodes struct {
	standard []pair // of NodeName=DEFAULT
	lines    []nodeLine
	sets     map[string]value // NodeSet: hostlists
	features map[string]value // NodeSet: of a feature
	downs    []value

	at       map[string]value    // which name is where
	featured map[string][]string // hostlists, by feature
}

// nodeLine is a NodeName line: a node, its names, and where it is.
type nodeLine struct {
	Node
	names []string
	at    value
}

func (n *nodes) line(r *reader, pairs []pair) {
	if strings.EqualFold(pairs[0].text, "DEFAULT") {
		for _, p := range pairs[1:] {
			switch strings.ToLower(p.key) {
			case "nodeaddr", "nodehostname", "port":
				r.add(idValue, p.value, "write it in the lines of the nodes", "%s cannot be the same for all nodes: slurmctld does not start", p.key)
			}
		}
		n.standard = append(n.standard, pairs[1:]...)
		return
	}
	node := Node{Names: pairs[0].text, CPUs: 1, Memory: 1, Weight: 1}
	boards, sockets, perBoard, cores, threads, cpus := 1, 1, 0, 1, 1, 0
	future := false
	for _, p := range append(slices.Clone(n.standard), pairs[1:]...) {
		switch strings.ToLower(p.key) {
		case "nodeaddr":
			node.Addr = p.text
		case "cpus", "procs":
			r.number(p.value, &cpus)
		case "boards":
			r.number(p.value, &boards)
		case "sockets":
			r.number(p.value, &sockets)
		case "socketsperboard":
			r.number(p.value, &perBoard)
		case "corespersocket":
			r.number(p.value, &cores)
		case "threadspercore":
			r.number(p.value, &threads)
		case "realmemory":
			mib := 0
			r.number(p.value, &mib)
			node.Memory = max(1, int64(mib))
		case "gres":
			others := false
			node.Gres = p.text
			if node.GPUs, others = gpus(p.text); others {
				r.pass("NodeName", p)
			}
		case "feature", "features":
			node.Feature = words(p.text)
		case "weight":
			r.number(p.value, &node.Weight)
		case "state":
			node.Cloud, node.Down, future = false, false, false
			switch strings.ToUpper(p.text) {
			case "CLOUD":
				node.Cloud = true
			case "DOWN", "DRAIN", "FAIL", "FAILING":
				node.Down = true
			case "FUTURE":
				future = true
			case "UNKNOWN", "IDLE":
			default:
				r.bad(p.value, "CLOUD, DOWN, DRAIN, FAIL, FUTURE or UNKNOWN")
			}
		case "nodehostname", "port", "corespeccount", "cpuspeclist", "memspeclimit", "reason", "tmpdisk", "bcastaddr",
			"cpubind", "procspercore", "topology", "restrictedcorespergpu", "parameters":
			r.pass("NodeName", p)
		default:
			r.unknown("NodeName", p, nodeKeys)
		}
	}
	if perBoard > 0 {
		sockets = boards * perBoard
	}
	if node.CPUs = cpus; cpus == 0 {
		// In 64 bits: each is a number of a hostile file.
		node.CPUs = int(min(1<<20, int64(min(sockets, 1<<10))*int64(min(cores, 1<<10))*int64(min(threads, 1<<10))))
	}
	// Where there are as many CPUs as cores, threads of a core are not told apart.
	node.Threads = 1
	if threads > 1 && node.CPUs%threads == 0 && (node.CPUs != sockets*cores || sockets*cores == 1) {
		node.Threads = threads
	}
	if node.CPUs < 1 || node.CPUs > 1<<20 {
		r.add(idValue, pairs[0].value, "write how many the nodes have", "%s with %d CPUs", finding.Quote(node.Names), node.CPUs)
		return
	}
	if future {
		r.ignored["NodeName State=FUTURE"] = true
		return
	}
	n.lines = append(n.lines, nodeLine{Node: node, at: pairs[0].value})
}

var nodeKeys = []string{
	"Boards", "CoresPerSocket", "CPUs", "Feature", "Features", "Gres", "NodeAddr", "NodeHostname", "Port", "RealMemory",
	"Reason", "Sockets", "SocketsPerBoard", "State", "ThreadsPerCore", "TmpDisk", "Weight",
}

// unknown notes a key that lines of a kind do not have.
func (r *reader) unknown(kind string, p pair, keys []string) {
	r.ignored[kind+" "+p.key] = true
	hint := "remove it, or look it up in slurm.conf(5)"
	if near := finding.Nearest(p.key, keys); near != "" {
		hint = "did you mean " + near + "?"
	}
	r.add(idUnknown, p.value, hint, "%s is no parameter of a %s line that is known here: ignored", p.key, kind)
}

// gpus counts the GPUs of a Gres such as gpu:tesla:2(S:0),gpu:1,license:3, and says
// whether there is something else.
func gpus(gres string) (total int, others bool) {
	depth := 0
	plain := strings.Map(func(c rune) rune {
		switch c {
		case '(':
			depth++
			return -1
		case ')':
			depth--
			return -1
		}
		if depth > 0 {
			return -1
		}
		return c
	}, gres)
	for _, g := range words(plain) {
		parts := strings.Split(g, ":")
		if !strings.EqualFold(parts[0], "gpu") {
			others = true
			continue
		}
		count := 1
		if n, err := strconv.Atoi(parts[len(parts)-1]); err == nil && n >= 0 && n <= 1024 {
			count = n
		}
		total = min(1<<20, total+count)
	}
	return total, others
}

// set reads a NodeSet: names for nodes, by hostlist or by feature.
func (n *nodes) set(r *reader, pairs []pair) {
	if n.sets == nil {
		n.sets, n.features = map[string]value{}, map[string]value{}
	}
	for _, p := range pairs[1:] {
		switch strings.ToLower(p.key) {
		case "nodes":
			n.sets[pairs[0].text] = p.value
		case "feature":
			n.features[pairs[0].text] = p.value
		default:
			r.unknown("NodeSet", p, []string{"Nodes", "Feature"})
		}
	}
}

// down reads a DownNodes line.
func (n *nodes) down(r *reader, pairs []pair) {
	n.downs = append(n.downs, pairs[0].value)
	for _, p := range pairs[1:] {
		if k := strings.ToLower(p.key); k != "state" && k != "reason" {
			r.unknown("DownNodes", p, []string{"State", "Reason"})
		}
	}
}

// expand is hostlist.Expand with its error as a finding.
func (r *reader) expand(list string, at value) []string {
	names, err := hostlist.Expand(list)
	if r.names += len(names) + 1; r.names > maxNames {
		r.add(idHostlist, at, "simulate a part of the cluster", "hostlists of more than %d nodes, counted as often as they are named", maxNames)
		return nil
	}
	if err != nil {
		r.add(idHostlist, at, "", "%v", err)
	}
	return names
}

// apply makes the settings' nodes. Those of a line of which a part is down
// become two.
func (n *nodes) apply(r *reader) {
	down := map[string]bool{}
	for _, v := range n.downs {
		if strings.EqualFold(v.text, "ALL") {
			for i := range n.lines {
				n.lines[i].Down = true
			}
			continue
		}
		for _, name := range r.expand(v.text, v) {
			down[name] = true
		}
	}
	n.at = map[string]value{}
	for i := range n.lines {
		l := &n.lines[i]
		l.names = r.expand(l.Names, l.at)
		if len(n.at)+len(l.names) > hostlist.MaxHosts {
			r.add(idHostlist, l.at, "simulate a part of the cluster", "more than %d nodes in all", hostlist.MaxHosts)
			return
		}
		var up, off []string
		for _, name := range l.names {
			if before, twice := n.at[name]; twice {
				r.add(idTwiceNode, l.at, "name each node in one line", "node %s is in line %d already", name, before.line)
				continue
			}
			n.at[name] = l.at
			if down[name] && !l.Down {
				off = append(off, name)
			} else {
				up = append(up, name)
			}
		}
		if each, _ := hostlist.Expand(l.Addr); len(off) > 0 && len(each) != 1 {
			l.Addr = "" // was of each of the line's nodes in turn
		}
		for _, part := range []struct {
			names []string
			down  bool
		}{{up, l.Down}, {off, true}} {
			if len(part.names) > 0 {
				node := l.Node
				node.Down = part.down
				if len(part.names) < len(l.names) {
					node.Names = hostlist.Fold(part.names)
				}
				r.settings.Nodes = append(r.settings.Nodes, node)
			}
		}
	}
	if len(n.lines) == 0 {
		r.add(idNothing, value{}, "add NodeName lines", "there are no nodes")
	}
}

// of returns the hostlists that a name in a partition's Nodes stands for.
func (n *nodes) of(name string) ([]string, bool) {
	if v, ok := n.sets[name]; ok {
		return words(v.text), true
	}
	v, ok := n.features[name]
	if !ok {
		return nil, false
	}
	if n.featured == nil {
		n.featured = map[string][]string{}
		for _, l := range n.lines {
			for _, f := range l.Feature {
				n.featured[f] = append(n.featured[f], words(l.Names)...)
			}
		}
	}
	return n.featured[v.text], true
}
