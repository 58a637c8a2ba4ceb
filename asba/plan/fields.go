package plan

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// field describes one key: where its value goes, and which dialect knows it.
// What it means, for people, is in meanings.
type field struct {
	name string
	in   string // DialectA, DialectB, or "" for both
	kind Kind   // KindAny of keys that nobody reads, and of objects
	// read puts the value into a plan and reports whether it says anything;
	// nil for a key that is known but decides nothing here.
	read func(*reader, *Plan, *node) bool
	// first is, of a second place for something that another key says too, the
	// path of that key. A second place's value goes aside, and settle compares
	// the two.
	first string
	// write writes what a plan says here, and the name before it; nil for a
	// key without a value of its own.
	write  func(*writer, *Plan)
	fields []field // of an object
}

// root holds every key of both dialects. A plan may mix them: what a key means
// never depends on the dialect.
var root = field{fields: []field{
	{name: "$schema"},
	boolean("should_burst", "", func(p *Plan) *Opt[bool] { return &p.ShouldBurst }),
	{name: "asba_version", in: DialectB},
	second("execution_metadata/analysis_timestamp", instant("generated_at", DialectB, func(p *Plan) *Opt[time.Time] { return &p.Made })),
	second("execution_metadata/decision_factors", list("recommendation_reasoning", DialectB, func(p *Plan) *List { return &p.Reasons })),
	{name: "confidence_level", in: DialectB},
	{name: "optimization_applied", in: DialectB},
	{name: InstanceSpecification, fields: []field{
		list("instance_types", "", func(p *Plan) *List { return &p.InstanceTypes }),
		count("instance_count", DialectB, func(p *Plan) *Opt[int] { return &p.InstanceCount }),
		text("purchasing_option", "", func(p *Plan) *Opt[string] { return &p.Purchasing }),
		money("max_spot_price", "", true, func(p *Plan) *Opt[float64] { return &p.MaxSpotPrice }),
		list("subnet_ids", "", func(p *Plan) *List { return &p.SubnetIDs }),
		text("launch_template_name", "", func(p *Plan) *Opt[string] { return &p.LaunchTemplateName }),
		text("launch_template_id", DialectA, func(p *Plan) *Opt[string] { return &p.LaunchTemplateID }),
		list("security_group_ids", DialectA, func(p *Plan) *List { return &p.SecurityGroupIDs }),
		text("iam_instance_profile", DialectA, func(p *Plan) *Opt[string] { return &p.IAMInstanceProfile }),
		text("user_data", DialectA, func(p *Plan) *Opt[string] { return &p.UserData }),
		{name: "spot_instance_config", in: DialectB, fields: []field{
			second("instance_specification/purchasing_option", enableSpot),
			{name: "spot_fleet_request"},
			second("instance_specification/max_spot_price", money("max_spot_price", DialectB, true, func(p *Plan) *Opt[float64] { return &p.MaxSpotPrice })),
			{name: "spot_interruption_tolerance"},
			second("cost_constraints/allow_mixed_pricing", boolean("fallback_to_on_demand", DialectB, func(p *Plan) *Opt[bool] { return &p.AllowMixed })),
		}},
		second("network_configuration/placement_group_type", text("placement_group", DialectB, func(p *Plan) *Opt[string] { return &p.Placement })),
		second("network_configuration/availability_zones", list("availability_zones", DialectB, func(p *Plan) *List { return &p.AZs })),
	}},
	{name: MPIConfiguration, fields: []field{
		boolean("is_mpi_job", "", func(p *Plan) *Opt[bool] { return &p.IsMPI }),
		count("process_count", "", func(p *Plan) *Opt[int] { return &p.ProcessCount }),
		count("processes_per_node", DialectB, func(p *Plan) *Opt[int] { return &p.ProcessesPerNode }),
		{name: "communication_pattern", in: DialectB},
		{name: "mpi_library", in: DialectB},
		{name: "mpi_implementation", in: DialectA},
		{name: "mpi_tuning_params", in: DialectB},
		boolean("requires_gang_scheduling", "", func(p *Plan) *Opt[bool] { return &p.Gang }),
		boolean("requires_efa", "", func(p *Plan) *Opt[bool] { return &p.RequiresEFA }),
		count("efa_generation", "", func(p *Plan) *Opt[int] { return &p.EFAGeneration }),
	}},
	{name: CostConstraints, fields: []field{
		money("max_total_cost", "", false, func(p *Plan) *Opt[float64] { return &p.MaxTotalCost }),
		hours("max_duration_hours", "", func(p *Plan) *Opt[time.Duration] { return &p.MaxDuration }),
		money("max_cost_per_hour", DialectA, false, func(p *Plan) *Opt[float64] { return &p.MaxCostPerHour }),
		boolean("prefer_spot", "", func(p *Plan) *Opt[bool] { return &p.PreferSpot }),
		boolean("allow_mixed_pricing", DialectA, func(p *Plan) *Opt[bool] { return &p.AllowMixed }),
		money("cost_alert_threshold", DialectA, false, func(p *Plan) *Opt[float64] { return &p.CostAlert }),
		hours("auto_terminate_hours", DialectA, func(p *Plan) *Opt[time.Duration] { return &p.AutoTerminate }),
		{name: "budget_account", in: DialectB},
		{name: "cost_tolerance", in: DialectB},
	}},
	{name: NetworkConfiguration, fields: []field{
		text("placement_group_type", "", func(p *Plan) *Opt[string] { return &p.Placement }),
		text("placement_group_name", DialectA, func(p *Plan) *Opt[string] { return &p.PlacementGroupName }),
		boolean("enhanced_networking", "", func(p *Plan) *Opt[bool] { return &p.EnhancedNetworking }),
		list("availability_zones", DialectA, func(p *Plan) *List { return &p.AZs }),
		boolean("single_az_required", DialectA, func(p *Plan) *Opt[bool] { return &p.SingleAZ }),
		{name: "network_latency_class"},
		{name: "bandwidth_requirement", in: DialectB},
		// A wish without a must: requires_efa decides.
		{name: "enable_efa", in: DialectB},
		{name: "enable_sr_iov", in: DialectB},
	}},
	{name: "execution_metadata", in: DialectA, fields: []field{
		text("job_id", DialectA, func(p *Plan) *Opt[string] { return &p.JobID }),
		text("user_id", DialectA, func(p *Plan) *Opt[string] { return &p.UserID }),
		text("project_id", DialectA, func(p *Plan) *Opt[string] { return &p.ProjectID }),
		{name: "priority"},
		instant("analysis_timestamp", "", func(p *Plan) *Opt[time.Time] { return &p.Made }),
		{name: "asba_version"},
		{name: "absa_version"}, // the advisor's older name
		list("decision_factors", DialectA, func(p *Plan) *List { return &p.Reasons }),
		{name: "expected_performance", fields: []field{
			duration("onpremise_wait_time", nil),
			duration("aws_provision_time", nil),
			duration("network_latency", nil),
			duration("storage_latency", nil),
		}},
		{name: "tags", kind: KindTags, read: (*reader).tags, write: writeTags},
	}},
	{name: "job_metadata", in: DialectB, fields: []field{
		{name: "job_name"},
		{name: "script_path"},
		{name: "script_hash"},
		second("execution_metadata/user_id", text("user", DialectB, func(p *Plan) *Opt[string] { return &p.UserID })),
		second("execution_metadata/project_id", text("account", DialectB, func(p *Plan) *Opt[string] { return &p.ProjectID })),
		{name: "detected_domain"},
		{name: "workload_type"},
	}},
	{name: "performance_target", in: DialectB, fields: []field{
		duration("expected_runtime", func(p *Plan) *Opt[time.Duration] { return &p.ExpectedRuntime }),
		{name: "scaling_efficiency"},
		{name: "network_utilization"},
		{name: "cpu_efficiency_target"},
		{name: "memory_efficiency_target"},
		{name: "performance_model"},
	}},
}}

func second(first string, f field) field {
	f.first = first
	return f
}

// enableSpot says no more than purchasing_option: spot, where it is true.
var enableSpot = field{name: "enable_spot", in: DialectB, kind: KindBoolean, read: func(r *reader, p *Plan, n *node) bool {
	on, ok := r.boolean(n)
	if ok && on {
		p.Purchasing = Opt[string]{Value: Spot, Given: true, At: n.at}
	}
	return ok && on
}}

// scalar makes a field of one value: read converts it, says tells a value from
// the zero that an unset field leaves, and token writes it.
func scalar[T any](name, in string, kind Kind, to func(*Plan) *Opt[T], read func(*reader, *node) (T, bool), says func(T) bool, token func(T) jsontext.Token) field {
	f := field{name: name, in: in, kind: kind, read: func(r *reader, p *Plan, n *node) bool {
		v, ok := read(r, n)
		given := ok && says(v)
		if to != nil && ok {
			*to(p) = Opt[T]{Value: v, Given: given, At: n.at}
		}
		return given
	}}
	if to != nil {
		f.write = func(w *writer, p *Plan) {
			if o := to(p); o.Given {
				w.put(jsontext.String(name), token(o.Value))
			}
		}
	}
	return f
}

func always[T any](T) bool           { return true }
func nonzero[T comparable](v T) bool { var zero T; return v != zero }

func boolean(name, in string, to func(*Plan) *Opt[bool]) field {
	return scalar(name, in, KindBoolean, to, (*reader).boolean, always, jsontext.Bool)
}

func text(name, in string, to func(*Plan) *Opt[string]) field {
	return scalar(name, in, KindText, to, (*reader).text, nonzero, jsontext.String)
}

func count(name, in string, to func(*Plan) *Opt[int]) field {
	return scalar(name, in, KindCount, to, (*reader).count, nonzero, func(n int) jsontext.Token { return jsontext.Int(int64(n)) })
}

// money is an amount of USD; zeroSays where 0 is an answer.
func money(name, in string, zeroSays bool, to func(*Plan) *Opt[float64]) field {
	says := nonzero[float64]
	if zeroSays {
		says = always
	}
	return scalar(name, in, KindUSD, to, (*reader).usd, says, jsontext.Float)
}

func hours(name, in string, to func(*Plan) *Opt[time.Duration]) field {
	return scalar(name, in, KindHours, to, (*reader).hours, nonzero, func(d time.Duration) jsontext.Token { return jsontext.Float(d.Hours()) })
}

func instant(name, in string, to func(*Plan) *Opt[time.Time]) field {
	return scalar(name, in, KindTime, to, (*reader).instant, func(t time.Time) bool { return !t.IsZero() }, func(t time.Time) jsontext.Token { return jsontext.String(t.Format(time.RFC3339Nano)) })
}

// duration belongs to the parts that only one dialect has, so it needs no
// dialect of its own.
func duration(name string, to func(*Plan) *Opt[time.Duration]) field {
	return scalar(name, "", KindDuration, to, (*reader).duration, nonzero, func(d time.Duration) jsontext.Token { return jsontext.String(d.String()) })
}

func list(name, in string, to func(*Plan) *List) field {
	return field{name: name, in: in, kind: KindList, read: func(r *reader, p *Plan, n *node) bool {
		l, ok := r.list(n)
		if ok {
			*to(p) = l
		}
		return l.Given
	}, write: func(w *writer, p *Plan) {
		l := to(p)
		if !l.Given {
			return
		}
		w.put(jsontext.String(name), jsontext.BeginArray)
		for _, v := range l.Value {
			w.put(jsontext.String(v))
		}
		w.put(jsontext.EndArray)
	}}
}
