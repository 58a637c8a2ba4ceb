Feature: Configuration and calls
  What cannot be meant changes nothing: mistakes are told all at once, each with
  its place and a way out.

  Rule: A mistake in the configuration is told with its place

    Scenario: An unknown key, a list that does not end and a type that is none
      Given a configuration that says:
        """
        cluster: prod
        aws: {region: us-east-1}
        slurm:
          scontrol: "off"
          resumetimeout: 300
          partitions:
            - partition_name: aws
              node_groups:
                - node_group_name: cpu
                  nodes: aws-cpu-[001-004
                  instance_types: [c6i]
        """
      When Slurm resumes "aws-cpu-001"
      Then the exit code is 9
      And it says:
        """
        ERROR: config.yaml:5:3: error[CFG002] /slurm/resumetimeout: unknown key "resumetimeout" (did you mean resume_timeout?)
        ERROR: config.yaml:10:18: error[CFG007] /slurm/partitions/0/node_groups/0/nodes: hostlist "aws-cpu-[001-004", byte 9: "[" without "]"; close the bracket
        ERROR: config.yaml:11:28: error[CFG005] /slurm/partitions/0/node_groups/0/instance_types/0: "c6i" is not an instance type (write family and size, such as c6i.xlarge)
        """
      And EC2 is not called

    Scenario Outline: <mistake>
      Given <setting>
      When Slurm <does> "aws-cpu-001"
      Then the exit code is 9
      And it says "ERROR: <line>"
      And EC2 is not called

      Examples:
        | mistake                   | setting                                            | does     | line |
        | A word that is none       | the site's plans.on_missing is wait                | resumes  | config.yaml:38:17: error[CFG006] /plans/on_missing: "wait" is not one of standalone, hold (write standalone or hold) |
        | A price below nothing     | node group cpu's max_spot_price is -1              | resumes  | config.yaml:27:31: error[CFG005] /slurm/partitions/0/node_groups/1/max_spot_price: "-1" is out of range (write an amount in USD from 0 to 1000000, such as 0.25; 0 is no cap) |
        | A launch without time     | a launch may take 0 seconds                        | suspends | config.yaml:36:21: error[CFG010] /slurm/boot_allowance: boot_allowance 1s leaves nothing of resume_timeout 1s for the launch (make it shorter than resume_timeout) |
        | A node with two owners    | node group test's nodes are aws-cpu-[001-002]      | suspends | config.yaml:34:22: error[CFG008] /slurm/partitions/1/node_groups/0/nodes: aws-cpu-001 belongs to node group aws/cpu already (a node belongs to one node group) |

    Scenario: A file that is not there
      When the operator runs "aws-slurm-burst-resume aws-cpu-001 --config=other.yaml"
      Then the exit code is 9
      And it says "ERROR: configuration not readable: open other.yaml: no such file or directory"

    Scenario: A node group without a type, and no plan
      Given node group cpu's instance_types are []
      When Slurm resumes "aws-cpu-001"
      Then the exit code is 9
      And it says "ERROR: no usable instance type for node group cpu; name instance_types in it, or give a plan"
      And there is no launch

    Scenario: Machines smaller than Slurm's node lines
      Given node group cpu's cpus is 8
      When Slurm resumes "aws-cpu-001"
      Then the exit code is 9
      And it says:
        """
        WARN: c6i.xlarge has 4 CPUs, nodes of cpu are declared with 8, dropped
        WARN: c5.xlarge has 4 CPUs, nodes of cpu are declared with 8, dropped
        WARN: m6i.xlarge has 4 CPUs, nodes of cpu are declared with 8, dropped
        ERROR: no usable instance type for node group cpu; name instance_types in it, or give a plan
        """
      And there is no launch

    Scenario: A zone that the site has no subnet in
      Given node group cpu's subnets are {azs: [us-east-1z]}
      When Slurm resumes "aws-cpu-001"
      Then the exit code is 9
      And it says "ERROR: no subnet matches zones [us-east-1z]; name subnet_ids in the node group, or correct the filter"
      And there is no launch

    Scenario: A job of more nodes than the site allows
      Given the site's policy.max_nodes is 3
      And job 4711 wants "aws-cpu-[001-004]"
      When Slurm resumes "aws-cpu-[001-004]"
      Then the exit code is 9
      And it says "ERROR: 4 nodes wanted, policy.max_nodes is 3"
      And there is no launch

  Rule: A call that cannot be meant changes nothing

    Scenario Outline: <call>
      When the operator runs "<call>"
      Then the exit code is 2
      And it says "ERROR: <line>"
      And EC2 is not called

      Examples:
        | call                                        | line |
        | aws-slurm-burst-resume                      | no hostlist given, such as 'aws-hpc-[001-008]' |
        | aws-slurm-burst-resume 'aws-cpu-[001'       | hostlist "aws-cpu-[001", byte 9: "[" without "]"; close the bracket |
        | aws-slurm-burst-resume gpu-001              | node gpu-001 belongs to no node group of config.yaml (see slurm.partitions[].node_groups[].nodes) |
        | aws-slurm-burst-resume aws-cpu-001,gpu-001  | node gpu-001 belongs to no node group of config.yaml (see slurm.partitions[].node_groups[].nodes) |
        | aws-slurm-burst-suspend gpu-001             | node gpu-001 belongs to no node group of config.yaml, ending nothing |
        | aws-slurm-burst-resume-fail gpu-001         | node gpu-001 belongs to no node group of config.yaml, ending nothing |
        | aws-slurm-burst-resume aws-cpu-001 --dryrun | unknown flag: --dryrun (see aws-slurm-burst-resume --help) |
        | aws-slurm-burst-resume aws-cpu-001 -o xml   | -o "xml" is not one of table, json, yaml, markdown |

    Scenario: A second argument is Slurm's own business
      When the operator runs "aws-slurm-burst-resume aws-cpu-001 whatever"
      Then the exit code is 0
      And it says nothing
      And only "aws-cpu-001" is running

    Scenario: A node that is named twice is launched once
      When Slurm resumes "aws-cpu-[001-002],aws-cpu-001"
      Then the exit code is 0
      And it says nothing
      And only "aws-cpu-[001-002]" are running

    Scenario: Nodes of several node groups in one call
      When Slurm resumes "aws-hpc-001,aws-cpu-[001-002],test-001"
      Then the exit code is 0
      And it says nothing
      And there are 3 launches
      And each of "aws-hpc-001" is a c5n.18xlarge, on-demand, in us-east-1a
      And each of "aws-cpu-[001-002]" is a c6i.xlarge, spot, in us-east-1a
      And each of "test-001" is a t3.medium, on-demand, in us-east-1a
