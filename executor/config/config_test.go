package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/finding/read"
	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/executor/cloud"
)

// upstream is the whole shape of the first versions, every key of it.
const upstream = `
aws:
  region: us-east-1
  profile: burst
  retry_max_attempts: 3
  retry_mode: adaptive
  authentication_method: cross_account
  assume_role: {role_arn: "arn:aws:iam::123456789012:role/a", session_name: s, duration_seconds: 3600, external_id: x, policy: "{}"}
  sso: {profile_name: sso, start_url: "https://example.org", account_id: 012345678901, role_name: r}
  web_identity: {role_arn: "arn:aws:iam::123456789012:role/w", token_file: token, session_name: s}
  cross_account: {source_profile: burst, target_role_arn: "arn:aws:iam::123456789012:role/c", external_id: x, session_name: s}
  access_keys: {access_key_id: AKIA, secret_access_key: hush}
  token_refresh: {enabled: true, refresh_interval_minutes: 15, pre_expire_buffer_minutes: 5}
slurm:
  bin_path: /opt/slurm/bin
  config_path: /etc/slurm/slurm.conf
  private_data: cloud
  resume_program: /usr/sbin/resume
  suspend_program: /usr/sbin/suspend
  resume_rate: 100
  suspend_rate: 100
  resume_timeout: 300
  suspend_time: 350
  tree_width: 60000
  partitions:
    - partition_name: aws
      partition_options: {Default: "yes", MaxTime: INFINITE}
      node_groups:
        - node_group_name: cpu
          max_nodes: 20
          region: us-east-1
          slurm_specifications: {CPUs: 4, RealMemory: "7000", Gres: "gpu:1", Weight: 1}
          purchasing_option: spot
          on_demand_options: {AllocationStrategy: lowest-price}
          spot_options: {AllocationStrategy: lowest-price}
          launch_template_specification: {launch_template_name: lt, version: 3}
          launch_template_overrides:
            - {instance_type: c6i.xlarge, spot_price: "0.10", subnet_id: subnet-b, weighted_capacity: 1}
            - {instance_type: c6i.xlarge, spot_price: 0.10, subnet_id: subnet-a}
            - {instance_type: c5.xlarge}
          security_group_ids: [sg-1]
          iam_instance_profile: node
          tags: [{key: Project, value: hpc}]
asba: {enabled: true, command: asba, config_path: asba.yaml, timeout_seconds: 10}
asbb: {enabled: false, command: asbb, reconciliation_dir: /var/spool/asbb, timeout: 30}
mpi: {efa_default: preferred, hpc_instances_threshold: 8, placement_group_threshold: 4, force_cluster_placement_group: true, enable_enhanced_networking: true}
logging: {level: debug, format: text, file: burst.log, max_size_mb: 10, max_age_days: 7, compress: true}
ecosystem: {auto_detect: true, shared_config_path: x, data_exchange_dir: y, enable_cross_project: false}
`

// ours is what we add.
const ours = `
cluster: lab-1
aws: {region: us-east-1, config_file: aws/config, credentials_file: /etc/creds, endpoint_url: "http://127.0.0.1:4566"}
nodes: {reuse: true}
slurm:
  scontrol: off
  resume_timeout: 10m
  suspend_timeout: 30
  boot_allowance: 120
  node_addr: 127.0.0.1
  partitions:
    - partition_name: aws
      node_groups:
        - node_group_name: hpc
          nodes: aws-hpc-[001-004],head1
          instance_types: [hpc7a.12xlarge, c6i.32xlarge]
          image: {name: "al2023-*", owner: amazon, arch: x86_64, tags: {os: al2023}}
          subnets: {default_for_az: true, azs: [us-east-1b, us-east-1a], vpc: vpc-1, tags: [{key: tier, value: compute}]}
          security_group_ids: [sg-1, sg-2]
          key_name: admin
          user_data_file: boot.sh
          placement: {strategy: cluster, required: false}
          gang: false
          cpus: 96
          memory_mb: 190000
          gres: gpu:4
          max_cost_per_hour: 50
          max_spot_price: 1.5
          allow_mixed: true
        - node_group_name: cpu
          purchasing_option: mixed
          subnet_ids: [subnet-1]
plans: {dir: plans, references: true, timeout: 5, on_missing: hold, on_invalid: standalone, on_impossible: relax, on_advice_against: requeue, placement: preferred}
policy: {allow_user_data: true, allow_iam_profile: true, allow_launch_template: false, allow_security_groups: false, allow_subnets: false,
         allow_image: false, allow_group_name: false, allow_unknown_price: true, max_cost_per_hour: 100, max_nodes: 64}
asba: {url: "http://localhost:8080", timeout: 5s}
journal: {dir: /var/spool/burst}
capacity: {ttl_seconds: 300}
logging:
`

func mustParse(t testing.TB, text string) *Config {
	t.Helper()
	c, err := Parse([]byte(text), "/etc/burst/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func ignoreDerived() cmp.Option {
	return cmp.Options{cmpopts.IgnoreUnexported(Config{}), cmpopts.IgnoreFields(Config{}, "Notes")}
}

func TestReadsEveryUpstreamKey(t *testing.T) {
	c := mustParse(t, upstream)
	want := &Config{
		File: "/etc/burst/config.yaml", Cluster: "default",
		AWS: AWS{Region: "us-east-1", Profile: "burst", Role: &Role{ARN: "arn:aws:iam::123456789012:role/c", SessionName: "s", ExternalID: "x"}},
		Slurm: Slurm{
			Scontrol: "/opt/slurm/bin/scontrol", BinPath: "/opt/slurm/bin", Conf: "/etc/slurm/slurm.conf",
			ResumeTimeout: 5 * time.Minute, BootAllowance: time.Minute,
		},
		Groups: []*NodeGroup{{
			Partition: "aws", Name: "cpu", MaxNodes: 20, Purchasing: Spot, Template: "lt", TemplateVersion: "3",
			Types:          []Type{{Name: "c6i.xlarge", SpotPrice: 0.1, SubnetIDs: []string{"subnet-b", "subnet-a"}}, {Name: "c5.xlarge"}},
			Subnets:        Subnets{IDs: []string{"subnet-b", "subnet-a"}},
			SecurityGroups: []string{"sg-1"}, InstanceProfile: "node", Tags: []cloud.Tag{{Key: "Project", Value: "hpc"}},
			PlacementRequired: true, Gang: true,
			CPUs: 4, MemoryMB: 7000, Gres: "gpu:1", Specifications: []Setting{{"Weight", "1"}},
		}},
		Plans:   Plans{OnMissing: "standalone", OnInvalid: "refuse", OnImpossible: "drop", OnAdviceAgainst: "exclude", PlacementRequired: true, Timeout: 2 * time.Second},
		Policy:  Policy{Policy: plan.Policy{AllowLaunchTemplate: true, AllowSecurityGroups: true, AllowSubnets: true, AllowGroupName: true}, AllowImage: true},
		ASBA:    ASBA{Enabled: true, Command: "asba", ConfigPath: "/etc/burst/asba.yaml", Timeout: 10 * time.Second},
		MPI:     MPI{EFA: "preferred", ForceCluster: true, PlacementThreshold: 4},
		Logging: Logging{Level: "debug", Format: "text", File: "/etc/burst/burst.log"},
	}
	if diff := cmp.Diff(want, c, ignoreDerived()); diff != "" {
		t.Error(diff)
	}
	for _, n := range c.Notes {
		if n.Level != finding.Info || n.ID != idNotUsed {
			t.Errorf("unexpected: %s", n)
		}
	}
	if len(c.Notes) != 30 {
		t.Errorf("%d keys are told as not acted on, want 30", len(c.Notes))
	}
	if got, want := c.Notes[0].String(), "/etc/burst/config.yaml:5:3: info[CFG012] /aws/retry_max_attempts: retry_max_attempts is accepted and not acted on: calls are repeated until the launch deadline"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestReadsOurKeys(t *testing.T) {
	c := mustParse(t, ours)
	want := &Config{
		File: "/etc/burst/config.yaml", Cluster: "lab-1", ReuseNodes: true,
		AWS:   AWS{Region: "us-east-1", ConfigFile: "/etc/burst/aws/config", CredentialsFile: "/etc/creds", EndpointURL: "http://127.0.0.1:4566"},
		Slurm: Slurm{Scontrol: "off", ResumeTimeout: 10 * time.Minute, SuspendTimeout: 30 * time.Second, BootAllowance: 2 * time.Minute, NodeAddr: "127.0.0.1"},
		Groups: []*NodeGroup{
			{
				Partition: "aws", Name: "hpc", Nodes: []string{"aws-hpc-001", "aws-hpc-002", "aws-hpc-003", "aws-hpc-004", "head1"},
				Purchasing: OnDemand, AllowMixed: true, MaxSpotPrice: 1.5, MaxCostPerHour: 50,
				Types: []Type{{Name: "hpc7a.12xlarge"}, {Name: "c6i.32xlarge"}},
				Image: Image{Name: "al2023-*", Owner: "amazon", Arch: "x86_64", Tags: []cloud.Tag{{Key: "os", Value: "al2023"}}},
				Subnets: Subnets{
					DefaultForAZ: true, AZs: []string{"us-east-1b", "us-east-1a"}, VPC: "vpc-1", Tags: []cloud.Tag{{Key: "tier", Value: "compute"}},
				},
				SecurityGroups: []string{"sg-1", "sg-2"}, KeyName: "admin", UserDataFile: "/etc/burst/boot.sh",
				Placement: "cluster", CPUs: 96, MemoryMB: 190000, Gres: "gpu:4",
			},
			{
				Partition: "aws", Name: "cpu", Purchasing: Mixed, AllowMixed: true, Subnets: Subnets{IDs: []string{"subnet-1"}},
				PlacementRequired: true, Gang: true,
			},
		},
		Plans:    Plans{Dir: "/etc/burst/plans", References: true, Timeout: 5 * time.Second, OnMissing: "hold", OnInvalid: "standalone", OnImpossible: "relax", OnAdviceAgainst: "requeue"},
		Policy:   Policy{Policy: plan.Policy{AllowUserData: true, AllowIAMProfile: true}, AllowUnknownPrice: true, MaxCostPerHour: 100, MaxNodes: 64},
		ASBA:     ASBA{Enabled: true, URL: "http://localhost:8080", Timeout: 5 * time.Second},
		MPI:      MPI{EFA: "optional", PlacementThreshold: 2},
		Journal:  Journal{Dir: "/var/spool/burst"},
		Capacity: Capacity{TTL: 5 * time.Minute},
		Logging:  Logging{Level: "info", Format: "json"},
	}
	if diff := cmp.Diff(want, c, ignoreDerived()); diff != "" {
		t.Error(diff)
	}
	if len(c.Notes) > 0 {
		t.Errorf("notes: %v", c.Notes)
	}
	if c.Base() != "config.yaml" {
		t.Errorf("Base() = %s", c.Base())
	}
}

// group wraps the keys of one node group in a file; they begin in line 4,
// column 29.
func group(keys string) string {
	return "aws: {region: us-east-1}\nslurm:\n  partitions: [{partition_name: p, node_groups: [\n    {node_group_name: g,     " + keys + "}]}]\n"
}

func TestMistakesAreToldInOneLine(t *testing.T) {
	const known = "known here: cluster, aws, slurm, nodes, plans, policy, asba, asbb, mpi, journal, capacity, logging, ecosystem"
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "c.yaml: error[CFG001]: the file is empty (give it at least slurm.partitions with a node group)"},
		{"only a comment", "# nothing\n", "c.yaml: error[CFG001]: the file is empty (give it at least slurm.partitions with a node group)"},
		{"null", "~", "c.yaml: error[CFG001]: the file is empty (give it at least slurm.partitions with a node group)"},
		{"too large", strings.Repeat("#", 1<<20+1), "c.yaml: error[CFG001]: the file is larger than 1048576 bytes (is it the right file?)"},
		{"not UTF-8", "cluster: \xff", "c.yaml: error[CFG001]: the file is not UTF-8 text (save it as UTF-8)"},
		{"a tab", "aws:\n\tregion: x\n", "c.yaml:2:1: error[CFG001]: not YAML: found character that cannot start any token"},
		{"unknown anchor", "cluster: *x\n", "c.yaml:1:10: error[CFG001]: not YAML: unknown anchor 'x' referenced"},
		{"nested too deep", strings.Repeat("[", 20000), "c.yaml:1:10001: error[CFG001]: not YAML: exceeded max depth of 10000"},
		{"two documents", "cluster: a\n---\ncluster: b\n", "c.yaml:2:1: error[CFG001]: a second YAML document begins here (keep one)"},
		{"no mapping", "- a", "c.yaml:1:1: error[CFG004]: wants keys with values, has a list"},
		{"a key that is a list", "? [a]\n: b\n", "c.yaml:1:3: error[CFG004]: a key must be text"},
		{"unknown section", "something: 1", `c.yaml:1:1: error[CFG002] /something: unknown key "something" (` + known + `)`},
		{"misspelt key", "aws: {regoin: us-east-1}", `c.yaml:1:7: error[CFG002] /aws/regoin: unknown key "regoin" (did you mean region?)`},
		{"misspelt key in a group", group("instance_type: [c6i.large]"), `c.yaml:4:30: error[CFG002] /slurm/partitions/0/node_groups/0/instance_type: unknown key "instance_type" (did you mean instance_types?)`},
		{"merge key", "<<: {cluster: a}", `c.yaml:1:1: error[CFG002] /<<: unknown key "<<" (merge keys are not read; repeat the keys)`},
		{"key of two lines", `{"a\nb": 1}`, `c.yaml:1:2: error[CFG002]: unknown key "a\nb" (` + known + `)`},
		{"key twice", "cluster: a\ncluster: b\n", `c.yaml:2:1: error[CFG003] /cluster: "cluster" is given twice, first in line 1 (remove one of the two)`},
		{"yes for true", "nodes: {reuse: yes}", `c.yaml:1:16: error[CFG004] /nodes/reuse: wants true or false, has the text "yes"`},
		{"list for text", "cluster: [a]", "c.yaml:1:10: error[CFG004] /cluster: wants text, has a list"},
		{"boolean for text", "cluster: true", "c.yaml:1:10: error[CFG004] /cluster: wants text, has true"},
		{"own tag", "cluster: !x a", `c.yaml:1:10: error[CFG004] /cluster: wants text, has a value tagged "!x"`},
		{"text for list", group("instance_types: c6i.large"), `c.yaml:4:46: error[CFG004] /slurm/partitions/0/node_groups/0/instance_types: wants a list, has the text "c6i.large"`},
		{"text for number", group("max_nodes: many"), `c.yaml:4:41: error[CFG004] /slurm/partitions/0/node_groups/0/max_nodes: wants a whole number, has the text "many"`},
		{"negative number", group("max_nodes: -1"), `c.yaml:4:41: error[CFG005] /slurm/partitions/0/node_groups/0/max_nodes: "-1" is not a whole number in range (write a whole number from 0 to 65536)`},
		{"broken number", group("max_nodes: 1.5"), `c.yaml:4:41: error[CFG005] /slurm/partitions/0/node_groups/0/max_nodes: "1.5" is not a whole number in range (write a whole number from 0 to 65536)`},
		{"octal number", group("max_nodes: 010"), `c.yaml:4:41: error[CFG005] /slurm/partitions/0/node_groups/0/max_nodes: "010" is not a whole number in range (write a whole number from 0 to 65536)`},
		{"negative price", group("max_spot_price: -0.1"), `c.yaml:4:46: error[CFG005] /slurm/partitions/0/node_groups/0/max_spot_price: "-0.1" is out of range (write an amount in USD from 0 to 1000000, such as 0.25; 0 is no cap)`},
		{"price not a number", "policy: {max_cost_per_hour: .nan}", `c.yaml:1:29: error[CFG005] /policy/max_cost_per_hour: ".nan" is out of range (write an amount in USD from 0 to 1000000, such as 0.25; 0 is no cap)`},
		{"price in words", "policy: {max_cost_per_hour: cheap}", `c.yaml:1:29: error[CFG004] /policy/max_cost_per_hour: wants an amount in USD, has the text "cheap"`},
		{"bad duration", "asba: {timeout: soon}", `c.yaml:1:17: error[CFG005] /asba/timeout: "soon" is not a duration in range (write whole seconds, or a duration such as 90s or 5m, from 1ms to 1h0m0s)`},
		{"negative duration", "slurm: {resume_timeout: -5}", `c.yaml:1:25: error[CFG005] /slurm/resume_timeout: "-5" is not a duration in range (write whole seconds, or a duration such as 90s or 5m, from 1s to 18h12m13s)`},
		{"huge duration", "slurm: {resume_timeout: 99999999999999999999}", `c.yaml:1:25: error[CFG005] /slurm/resume_timeout: "99999999999999999999" is not a duration in range (write whole seconds, or a duration such as 90s or 5m, from 1s to 18h12m13s)`},
		{"no time to launch", "slurm: {resume_timeout: 60, boot_allowance: 60}", "c.yaml:1:45: error[CFG010] /slurm/boot_allowance: boot_allowance 1m0s leaves nothing of resume_timeout 1m0s for the launch (make it shorter than resume_timeout)"},
		{"unknown word", "plans: {on_missing: wait}", `c.yaml:1:21: error[CFG006] /plans/on_missing: "wait" is not one of standalone, hold (write standalone or hold)`},
		{"misspelt word", group("purchasing_option: on_demand"), `c.yaml:4:49: error[CFG006] /slurm/partitions/0/node_groups/0/purchasing_option: "on_demand" is not one of on-demand, spot, mixed (did you mean on-demand?)`},
		{"cluster name", "cluster: my cluster", `c.yaml:1:10: error[CFG005] /cluster: "my cluster" is not a cluster name (use 1 to 64 letters, digits, '-', '_' and '.')`},
		{"zone id", group("subnets: {azs: [use1-az1]}"), `c.yaml:4:46: error[CFG005] /slurm/partitions/0/node_groups/0/subnets/azs/0: "use1-az1" is not an availability zone (write a name such as us-east-1a, not an id such as use1-az1)`},
		{"zone elsewhere", group("subnets: {azs: [us-west-2a]}"), "c.yaml:4:39: error[CFG010] /slurm/partitions/0/node_groups/0/subnets: zone us-west-2a is not in region us-east-1 (name zones of that region)"},
		{"group elsewhere", group("region: us-west-2"), "c.yaml:4:38: error[CFG010] /slurm/partitions/0/node_groups/0/region: region us-west-2 differs from aws.region us-east-1 (use one configuration for each region)"},
		{"zone for region", "aws: {region: us-east-1a}", `c.yaml:1:15: error[CFG005] /aws/region: "us-east-1a" is not a region (write one such as us-east-1)`},
		{"endpoint without scheme", "aws: {endpoint_url: localhost:4566}", `c.yaml:1:21: error[CFG005] /aws/endpoint_url: "localhost:4566" is not an HTTP address (write http:// or https://, a host and, where needed, a port; no user, password or query)`},
		{"advisor with a password", "asba: {url: 'http://ada:tango@asba:8080'}", `c.yaml:1:13: error[CFG005] /asba/url: "http://...@asba:8080" is not an HTTP address (write http:// or https://, a host and, where needed, a port; no user, password or query)`},
		{"advisor with a password, and no scheme", "asba: {url: 'ada:tango@asba:8080'}", `c.yaml:1:13: error[CFG005] /asba/url: "...@asba:8080" is not an HTTP address (write http:// or https://, a host and, where needed, a port; no user, password or query)`},
		{"advisor with a token", "asba: {url: 'http://asba?token=tango'}", `c.yaml:1:13: error[CFG005] /asba/url: "http://asba?..." is not an HTTP address (write http:// or https://, a host and, where needed, a port; no user, password or query)`},
		{"advisor in place of its section", "asba: http://ada:tango@asba", `c.yaml:1:7: error[CFG004] /asba: wants keys with values, has the text "http://...@asba"`},
		{"hostlist", group("nodes: 'aws-[1-'"), `c.yaml:4:37: error[CFG007] /slurm/partitions/0/node_groups/0/nodes: hostlist "aws-[1-", byte 5: "[" without "]"; close the bracket`},
		{"subnet id", group("subnet_ids: [vpc-1]"), `c.yaml:4:43: error[CFG005] /slurm/partitions/0/node_groups/0/subnet_ids/0: "vpc-1" is not a subnet's id (write its id, subnet-...)`},
		{"instance type", group("instance_types: [big]"), `c.yaml:4:47: error[CFG005] /slurm/partitions/0/node_groups/0/instance_types/0: "big" is not an instance type (write family and size, such as c6i.xlarge)`},
		{"type twice", group("instance_types: [c5.large, c5.large]"), "c.yaml:4:46: error[CFG003] /slurm/partitions/0/node_groups/0/instance_types: c5.large is named twice (name it once)"},
		{"override twice", group("launch_template_overrides: [{instance_type: c5.large}, {instance_type: c5.large}]"), "c.yaml:4:85: error[CFG003] /slurm/partitions/0/node_groups/0/launch_template_overrides/1: c5.large is named twice (name it once, or once a subnet)"},
		{"override without type", group("launch_template_overrides: [{spot_price: 1}]"), "c.yaml:4:58: error[CFG009] /slurm/partitions/0/node_groups/0/launch_template_overrides/0: instance_type is missing (add instance_type)"},
		{"two prices", group("launch_template_overrides: [{instance_type: c5.large, subnet_id: subnet-1}, {instance_type: c5.large, subnet_id: subnet-2, spot_price: 1}]"), "c.yaml:4:165: error[CFG010] /slurm/partitions/0/node_groups/0/launch_template_overrides/1/spot_price: c5.large has another spot_price before (give a type one price)"},
		{"subnets twice", group("subnets: {default_for_az: true}, subnet_ids: [subnet-1]"), "c.yaml:4:75: error[CFG010] /slurm/partitions/0/node_groups/0/subnet_ids: subnets and subnet_ids exclude each other (keep one)"},
		{"image by id and name", group("image: {id: ami-1, name: x}"), "c.yaml:4:55: error[CFG010] /slurm/partitions/0/node_groups/0/image/name: id and name exclude each other (an id needs no filter; keep one)"},
		{"image by nothing", group("image: {owner: self}"), "c.yaml:4:37: error[CFG009] /slurm/partitions/0/node_groups/0/image: id is missing (or name, or tags)"},
		{"template by nothing", group("launch_template_specification: {version: 1}"), "c.yaml:4:61: error[CFG009] /slurm/partitions/0/node_groups/0/launch_template_specification: launch_template_name is missing (or launch_template_id)"},
		{"reserved tag", group("tags: {aws-slurm-burst:cluster: x}"), `c.yaml:4:37: error[CFG005] /slurm/partitions/0/node_groups/0/tags/aws-slurm-burst:cluster: the tag "aws-slurm-burst:cluster" begins with a reserved prefix (rename it)`},
		{"tag twice", group("tags: [{key: a, value: b}, {key: a, value: c}]"), `c.yaml:4:57: error[CFG003] /slurm/partitions/0/node_groups/0/tags/1: the tag "a" is given twice (remove one of the two)`},
		{"line break in a word of slurm.conf", group(`slurm_specifications: {Feature: "a\nNodeName=x"}`), `c.yaml:4:62: error[CFG005] /slurm/partitions/0/node_groups/0/slurm_specifications/Feature: "a\nNodeName=x" has a line break or a control character (write it on one line)`},
		{"size twice", group("slurm_specifications: {CPUs: 8}, cpus: 4"), "c.yaml:4:53: error[CFG010] /slurm/partitions/0/node_groups/0/slurm_specifications/CPUs: CPUs is 8 here and 4 in the node group's own key (keep one)"},
		{"size in words", group("slurm_specifications: {RealMemory: 16G}"), `c.yaml:4:53: error[CFG005] /slurm/partitions/0/node_groups/0/slurm_specifications/RealMemory: "16G" is not a whole number in range (write a whole number from 1 to 67108864)`},
		{"two ways to ask", "asba: {command: asba, url: 'http://x'}", "c.yaml:1:28: error[CFG010] /asba/url: command and url exclude each other (keep one way to ask)"},
		{"two ways to authenticate", "aws: {assume_role: {}, sso: {}}", "c.yaml:1:29: error[CFG010] /aws/sso: assume_role and sso exclude each other (name one of them as authentication_method)"},
		{"references to no folder", "plans: {references: true}", "c.yaml:1:21: error[CFG009] /plans/references: plans.dir is missing (add dir, the folder of the plans that jobs refer to)"},
		{"role without ARN", "aws: {assume_role: {session_name: s}}", "c.yaml:1:20: error[CFG009] /aws/assume_role: role_arn is missing (authentication_method assume_role needs it)"},
		{"two profiles", "aws: {profile: a, sso: {profile_name: b}}", `c.yaml:1:24: error[CFG010] /aws/sso: it names profile "b", aws.profile names "a" (keep one)`},
		{"partition without name", "slurm: {partitions: [{node_groups: []}]}", "c.yaml:1:22: error[CFG009] /slurm/partitions/0: partition_name is missing (add partition_name)"},
		{"group without name", "slurm: {partitions: [{partition_name: p, node_groups: [{node_group_name: }]}]}", "c.yaml:1:56: error[CFG009] /slurm/partitions/0/node_groups/0: node_group_name is missing (add node_group_name)"},
		{"group twice", "slurm: {partitions: [{partition_name: p, node_groups: [{node_group_name: g}, {node_group_name: g}]}]}", "c.yaml:1:96: error[CFG008] /slurm/partitions/0/node_groups/1/node_group_name: node group p/g is there twice (rename one)"},
		{"groups of one stem", "slurm: {partitions: [{partition_name: a, node_groups: [{node_group_name: b-c}]}, {partition_name: a-b, node_groups: [{node_group_name: c}]}]}", "c.yaml:1:118: error[CFG008] /slurm/partitions/1/node_groups/0: node group a-b/c names its nodes a-b-c-[...], as a/b-c does (give one of them nodes: HOSTLIST)"},
		{"node of two groups", "slurm: {partitions: [{partition_name: p, node_groups: [{node_group_name: g, nodes: 'n[1-4]'}, {node_group_name: h, nodes: 'n[3-9]'}]}]}", "c.yaml:1:123: error[CFG008] /slurm/partitions/0/node_groups/1/nodes: n3 belongs to node group p/g already (a node belongs to one node group)"},
		{"node of a group by name", "slurm: {partitions: [{partition_name: p, node_groups: [{node_group_name: g, nodes: 'p-h-7'}, {node_group_name: h}]}]}", "c.yaml:1:84: error[CFG008] /slurm/partitions/0/node_groups/0/nodes: p-h-7 belongs to node group p/h already (a node belongs to one node group)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, err := Parse([]byte(c.text), "c.yaml")
			var bad *Invalid
			if !errors.As(err, &bad) || cfg != nil {
				t.Fatalf("Parse = %v, %v; want an *Invalid", cfg, err)
			}
			if err.Error() != c.want {
				t.Errorf("\ngot  %s\nwant %s", err, c.want)
			}
		})
	}
}

func TestAllMistakesAreToldAtOnce(t *testing.T) {
	_, err := Parse([]byte("cluster: a b\naws: {regoin: x}\nnodes: {reuse: 1}\n"), "c.yaml")
	want := `c.yaml:1:10: error[CFG005] /cluster: "a b" is not a cluster name (use 1 to 64 letters, digits, '-', '_' and '.')
c.yaml:2:7: error[CFG002] /aws/regoin: unknown key "regoin" (did you mean region?)
c.yaml:3:16: error[CFG004] /nodes/reuse: wants true or false, has the number "1"`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestManyNotesDoNotHideAnError(t *testing.T) {
	text := "slurm:\n  partitions:\n"
	for i := range 150 {
		text += fmt.Sprintf("    - {partition_name: p%d, partition_options: {}}\n", i)
	}
	_, err := Parse([]byte(text+"cluster: a b\n"), "c.yaml")
	if err == nil || strings.Count(err.Error(), "\n") != 0 {
		t.Errorf("want one error, have %v", err)
	}
}

func TestErrorsAreBounded(t *testing.T) {
	_, err := Parse([]byte("aws:\n"+strings.Repeat("  ? [x]\n  : y\n", 5000)), "c.yaml")
	var bad *Invalid
	if !errors.As(err, &bad) || len(bad.Findings) != read.MaxFindings {
		t.Errorf("want %d findings, have %v", read.MaxFindings, err)
	}
}

func TestAliasesAreReadButNotBombs(t *testing.T) {
	c := mustParse(t, group("instance_types: &t [c5.large]")+"journal: {dir: &d /x}\nplans: {dir: *d}\n")
	if c.Plans.Dir != "/x" {
		t.Errorf("plans.dir = %q", c.Plans.Dir)
	}
	// 300 partitions of 300 groups of 300 subnets: 27 million values.
	many := func(name string) string { return strings.TrimSuffix(strings.Repeat("*"+name+", ", 299), ", ") }
	bomb := "slurm:\n  partitions:\n  - &p {partition_name: p, node_groups: [&g {node_group_name: g, subnet_ids: [&s subnet-1, " + many("s") + "]}, " + many("g") + "]}\n" +
		strings.Repeat("  - *p\n", 299)
	start := time.Now()
	_, err := Parse([]byte(bomb), "c.yaml")
	if err == nil || !strings.Contains(err.Error(), "error[CFG011]") {
		t.Errorf("got %.300v", err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %s", d)
	}
	// An alias within itself ends where the keys end.
	if _, err := Parse([]byte("slurm: &x {partitions: [*x]}"), "c.yaml"); err == nil {
		t.Error("want an error")
	}
}

func TestWarningsLeaveTheFileValid(t *testing.T) {
	for text, want := range map[string]string{
		"aws: {region: us-east-1}": "c.yaml:1:1: warning[CFG013]: there is no node group, so no node can be launched (add slurm.partitions with a node group)",
		strings.Replace(group(""), "aws: {region: us-east-1}", "nodes: {}", 1): "c.yaml:1:1: warning[CFG013]: no region: slurmctld passes no AWS_REGION on (add aws.region)",
		group("image: {name: x}"): "c.yaml:4:37: warning[CFG013] /slurm/partitions/0/node_groups/0/image: an image chosen without its owner can be a stranger's (add owner: self, amazon or an account id)",
		strings.Replace(group(""), "slurm:\n", "slurm:\n  boot_allowance: 60\n", 1): "c.yaml:3:19: warning[CFG013] /slurm/boot_allowance: boot_allowance has no effect without resume_timeout (repeat slurm.conf's ResumeTimeout as resume_timeout)",
	} {
		c, err := Parse([]byte(text), "c.yaml")
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if len(c.Notes) != 1 || c.Notes[0].String() != want {
			t.Errorf("got  %v\nwant %s", c.Notes, want)
		}
	}
}

func TestGroupOf(t *testing.T) {
	c := mustParse(t, strings.ReplaceAll(ours, "node_group_name: cpu", "node_group_name: cpu2"))
	for node, want := range map[string]string{
		"aws-hpc-001":  "aws/hpc",
		"head1":        "aws/hpc",
		"aws-cpu2-0":   "aws/cpu2",
		"aws-cpu2-017": "aws/cpu2",
		"aws-hpc-005":  "", // not among its nodes
		"aws-cpu2-":    "",
		"aws-cpu2":     "",
		"aws-cpu2-x":   "",
		"7":            "",
		"":             "",
	} {
		g, ok := c.GroupOf(node)
		if ok != (want != "") || ok && g.String() != want {
			t.Errorf("GroupOf(%q) = %v, %v; want %q", node, g, ok, want)
		}
	}
}

func TestLaunchDeadlineLeavesTimeToBoot(t *testing.T) {
	for slurm, want := range map[string]time.Duration{
		"":                                       240 * time.Second,
		"resume_timeout: 600":                    540 * time.Second,
		"resume_timeout: 60":                     30 * time.Second,
		"resume_timeout: 1":                      500 * time.Millisecond,
		"resume_timeout: 1h":                     59 * time.Minute,
		"resume_timeout: 600, boot_allowance: 0": 600 * time.Second,
		"boot_allowance: 100, resume_timeout: 600": 500 * time.Second,
	} {
		if got := mustParse(t, "slurm: {"+slurm+"}").LaunchDeadline(); got != want {
			t.Errorf("%s: %s, want %s", slurm, got, want)
		}
	}
}

func TestScontrolIsFound(t *testing.T) {
	for slurm, want := range map[string]string{
		"":                                      "/usr/bin/scontrol",
		"bin_path: /opt/bin":                    "/opt/bin/scontrol",
		"scontrol: off":                         "off",
		"scontrol: 'off'":                       "off",
		"scontrol: tools/scontrol":              "/etc/burst/tools/scontrol",
		"bin_path: /opt, scontrol: /x/scontrol": "/x/scontrol",
	} {
		if got := mustParse(t, "slurm: {"+slurm+"}").Slurm.Scontrol; got != want {
			t.Errorf("%s: %s, want %s", slurm, got, want)
		}
	}
}

func TestASBAIsOnWhereAWayIsNamed(t *testing.T) {
	for asba, want := range map[string]ASBA{
		"":                               {Timeout: 30 * time.Second},
		"enabled: true":                  {Enabled: true, Command: "asba", Timeout: 30 * time.Second},
		"enabled: false, command: asba":  {Command: "asba", Timeout: 30 * time.Second},
		"command: bin/asba":              {Enabled: true, Command: "/etc/burst/bin/asba", Timeout: 30 * time.Second},
		"token_file: token, ca_file: ca": {TokenFile: "/etc/burst/token", CAFile: "/etc/burst/ca", Timeout: 30 * time.Second},
		"pipe: asba.pipe, timeout: 0.5s": {Enabled: true, Pipe: "/etc/burst/asba.pipe", Timeout: 500 * time.Millisecond},
	} {
		if diff := cmp.Diff(want, mustParse(t, "asba: {"+asba+"}").ASBA); diff != "" {
			t.Errorf("%s:\n%s", asba, diff)
		}
	}
}

// A path stays one where the file is in the current folder, and is not looked up.
func TestACommandBesideTheFileIsAPath(t *testing.T) {
	c, err := Parse([]byte("asba: {command: ./asba}"), "config.yaml")
	if err != nil || c.ASBA.Command != "./asba" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	c := mustParse(t, "aws: {access_keys: {access_key_id: AKIA, secret_access_key: hush, session_token: hush}}")
	if c.AWS.Keys == nil || string(c.AWS.Keys.Secret) != "hush" || string(c.AWS.Keys.SessionToken) != "hush" {
		t.Fatalf("keys: %#v", c.AWS.Keys)
	}
	if s := fmt.Sprintf("%v %+v %#v %s", *c.AWS.Keys, *c.AWS.Keys, *c.AWS.Keys, c.AWS.Keys.Secret); strings.Contains(s, "hush") {
		t.Error(s)
	}
	for _, wrong := range []string{"[hush]", `"hush\n"`} {
		_, err := Parse([]byte("aws: {access_keys: {access_key_id: AKIA, secret_access_key: "+wrong+"}}"), "c.yaml")
		if err == nil || strings.Contains(err.Error(), "hush") {
			t.Error(err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(upstream))
	f.Add([]byte(ours))
	f.Add([]byte(group("instance_types: [c6i.xlarge], tags: {a: b}")))
	f.Add([]byte("slurm: &x {partitions: [*x]}"))
	f.Add([]byte("a: &x [*x, *x]\nb: !!int x\nc: ~\n? [d]\n: e\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data, "c.yaml")
		if err == nil {
			for _, g := range c.Groups {
				for _, n := range g.Nodes {
					if got, ok := c.GroupOf(n); !ok || got != g {
						t.Fatalf("GroupOf(%q) = %v, want %v", n, got, g)
					}
				}
			}
			return
		}
		var bad *Invalid
		if !errors.As(err, &bad) || len(bad.Findings) == 0 {
			t.Fatalf("%T: %v", err, err)
		}
		for _, f := range bad.Findings {
			if f.Level != finding.Error || f.Message == "" || strings.ContainsAny(f.String(), "\n\r") {
				t.Fatalf("not one clear line: %q", f)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	text := "slurm:\n  partitions:\n    - partition_name: aws\n      node_groups:\n"
	for _, g := range []string{"cpu", "gpu", "hpc"} {
		text += fmt.Sprintf("        - {node_group_name: %s, nodes: 'aws-%s-[001-512]', instance_types: [c6i.xlarge, c5.xlarge], subnet_ids: [subnet-1]}\n", g, g)
	}
	for b.Loop() {
		if _, err := Parse([]byte(text), "c.yaml"); err != nil {
			b.Fatal(err)
		}
	}
}
