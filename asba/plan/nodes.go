package plan

import "aws-slurm-burst/asba/catalog"

// Nodes returns how many nodes the plan is for, as far as it says: its
// instance_count, else as many as its processes need, else 0. Processes go by
// processes_per_node, else by the vCPUs of the largest type the catalogue
// knows: the fewest nodes that can hold them.
func (p *Plan) Nodes(c *catalog.Catalog) int {
	if p.InstanceCount.Given {
		return p.InstanceCount.Value
	}
	each := p.ProcessesPerNode.Value
	if each <= 0 {
		for _, name := range p.InstanceTypes.Value {
			if t, ok := c.Type(name); ok {
				each = max(each, t.VCPUs)
			}
		}
	}
	if each <= 0 || p.ProcessCount.Value <= 0 {
		return 0
	}
	return 1 + (p.ProcessCount.Value-1)/each // no sum that could overflow
}
