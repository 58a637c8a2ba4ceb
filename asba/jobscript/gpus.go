package jobscript

import (
	"fmt"

	"aws-slurm-burst/asba/jobscript/value"
)

// gpus concludes nodes and tasks from GPUs, and judges how --gpus and its
// relatives go together, as slurmctld does: type by type. told and counted are
// what tasks returned.
func (rd *reader) gpus(r *Request, told, counted bool) {
	conflict := func(name, message, suggestion string) { rd.at(r, name, Conflict, message, suggestion) }
	perNode := "gpus-per-node"
	if _, ok := r.Option(perNode); !ok {
		perNode = "gres"
	}
	if !rd.alike(r, perNode) {
		return
	}
	if _, ok := r.Option("mem-per-gpu"); ok && r.Memory.PerGPU > 0 && value.Count(r.GPUs)+value.Count(r.GPUsPerNode)+value.Count(r.GPUsPerTask)+value.Count(r.GPUsPerSocket) == 0 {
		conflict("mem-per-gpu", "--mem-per-gpu without a GPU", "say how many with --gpus, --gpus-per-node or --gres")
	}
	for _, g := range r.GPUs {
		switch {
		case g.Count > 0 && g.Count < r.MinNodes:
			conflict("gpus", fmt.Sprintf("%d GPUs on %d nodes: every node needs one", g.Count, r.MinNodes), "")
			return
		case g.Count > 0:
			r.MaxNodes = min(r.MaxNodes, g.Count)
		}
	}
	// --gpus and --gpus-per-node say how many nodes there are.
	for _, g := range r.GPUs {
		each, ok := ofType(r.GPUsPerNode, g.Type)
		if !ok || each == 0 || g.Count == 0 {
			continue
		}
		n := g.Count / each
		most := r.MaxNodes
		if most == 0 {
			most = value.Max32
		}
		switch {
		case g.Count%each != 0:
			conflict("gpus", fmt.Sprintf("%d GPUs in all are no multiple of %d a node", g.Count, each), "")
			return
		case n < r.MinNodes || n > most:
			conflict("gpus", fmt.Sprintf("%d GPUs, %d a node, are %d nodes, not what --nodes says", g.Count, each, n), "leave out one of the three")
			return
		}
		if !counted {
			r.Tasks = min(n*max(r.TasksPerNode, 1), value.Max32)
		}
		r.MinNodes, r.MaxNodes = n, n
	}
	for _, g := range r.GPUsPerTask {
		if g.Count == 0 {
			continue
		}
		each, ok := ofType(r.GPUsPerNode, g.Type)
		switch {
		case ok && each > 0 && each < g.Count:
			conflict("gpus-per-task", fmt.Sprintf("%d GPUs a task do not fit a node with %d", g.Count, each), "")
			return
		case ok && each%g.Count != 0:
			conflict("gpus-per-task", fmt.Sprintf("%d GPUs a node are no multiple of %d a task", each, g.Count), "")
			return
		case ok && each > 0:
			n := each / g.Count
			if r.TasksPerNode > 0 && r.TasksPerNode != n {
				conflict("gpus-per-task", fmt.Sprintf("%d GPUs a node are %d tasks, not --ntasks-per-node=%d", each, n, r.TasksPerNode), "")
				return
			}
			r.TasksPerNode = n
		}
		all, ok := ofType(r.GPUs, g.Type)
		switch {
		case !ok || all == 0:
			if !counted {
				conflict("gpus-per-task", "--gpus-per-task without a number of tasks", "say it with --ntasks, or say --gpus")
				return
			}
		case all%g.Count != 0:
			conflict("gpus-per-task", fmt.Sprintf("%d GPUs in all are no multiple of %d a task", all, g.Count), "")
			return
		case counted && r.Tasks != all/g.Count:
			conflict("gpus-per-task", fmt.Sprintf("%d GPUs, %d a task, are %d tasks, not %d", all, g.Count, all/g.Count, r.Tasks), "leave out --gpus or --ntasks")
			return
		default:
			r.Tasks = all / g.Count
		}
		if r.CPUsPerGPU > 0 && r.CPUsPerTask == 0 {
			r.CPUsPerTask = min(r.CPUsPerGPU*g.Count, value.Max16)
		}
	}
	for _, g := range r.GPUsPerSocket {
		if g.Count == 0 {
			continue
		}
		if r.SocketsPerNode == 0 {
			conflict("gpus-per-socket", "--gpus-per-socket without --sockets-per-node", "say how many sockets a node has to have")
			return
		}
		if one, ok := ofType(r.GPUsPerTask, g.Type); ok && one > 0 {
			n := g.Count / one
			if g.Count%one != 0 || r.TasksPerSocket > 0 && r.TasksPerSocket != n {
				conflict("gpus-per-socket", fmt.Sprintf("%d GPUs a socket, %d a task, do not go into whole tasks, or not into --ntasks-per-socket", g.Count, one), "")
				return
			}
			r.TasksPerSocket = n
		}
		if each, ok := ofType(r.GPUsPerNode, g.Type); ok && each > 0 && (each%g.Count != 0 || each/g.Count != r.SocketsPerNode) {
			conflict("gpus-per-socket", fmt.Sprintf("%d GPUs a node are not %d on each of %d sockets", each, g.Count, r.SocketsPerNode), "")
			return
		}
	}
	if r.TasksPerGPU > 0 {
		rd.tasksOfGPUs(r, told, counted)
	}
}

// alike judges types: where one of the options says of which type its GPUs are,
// all have to.
func (rd *reader) alike(r *Request, perNode string) bool {
	var typed, untyped string // by which option
	for _, l := range []struct {
		name string
		list []GPU
	}{{"gpus", r.GPUs}, {perNode, r.GPUsPerNode}, {"gpus-per-task", r.GPUsPerTask}, {"gpus-per-socket", r.GPUsPerSocket}} {
		for _, g := range l.list {
			switch {
			case g.Count == 0:
			case g.Type == "":
				untyped = l.name
			default:
				typed = l.name
			}
		}
	}
	if typed == "" || untyped == "" {
		return true
	}
	rd.at(r, untyped, Conflict, "--"+untyped+" asks for GPUs without a type, and --"+typed+" for some with one", "name the type in both, or in none")
	return false
}

// tasksOfGPUs concludes the tasks from --ntasks-per-gpu, or the GPUs.
func (rd *reader) tasksOfGPUs(r *Request, told, counted bool) {
	k := r.TasksPerGPU
	switch {
	case value.Count(r.GPUs) > 0:
		r.Tasks = min(value.Count(r.GPUs)*k, value.Max32)
	case value.Count(r.GPUsPerNode) > 0:
		r.Tasks = min(value.Count(r.GPUsPerNode)*r.MinNodes*k, value.Max32)
	case told && r.Tasks%k != 0:
		rd.at(r, "ntasks-per-gpu", Conflict, fmt.Sprintf("%d tasks are no multiple of %d a GPU", r.Tasks, k), "")
	case told && r.Tasks/k < r.MinNodes:
		rd.at(r, "ntasks-per-gpu", Conflict, fmt.Sprintf("%d tasks, %d a GPU, on %d nodes: every node needs a GPU", r.Tasks, k, r.MinNodes), "")
	case told:
		r.GPUs = []GPU{{Count: min(r.Tasks/k, value.Max16)}}
	case counted:
		r.Tasks = min(r.MinNodes*k, value.Max32)
		r.GPUs = []GPU{{Count: min(r.MinNodes, value.Max16)}}
	default:
		rd.at(r, "ntasks-per-gpu", Conflict, "--ntasks-per-gpu without a number of GPUs, tasks or nodes", "say how many GPUs with --gpus or --gpus-per-node")
	}
}

func ofType(list []GPU, kind string) (int, bool) {
	for _, g := range list {
		if g.Type == kind {
			return g.Count, true
		}
	}
	return 0, false
}
