Feature: Network, placement and tags
  The nodes of an MPI job have to be close to each other and talk over EFA. What
  is launched says whose it is, and until when.

  Rule: Every EFA interface of a type is asked for

    Scenario Outline: <type>
      Given an execution plan "plan.json" that says:
        """
        {"should_burst": true,
         "instance_specification": {"instance_types": ["<type>"], "purchasing_option": "on-demand"},
         "mpi_configuration": {"requires_gang_scheduling": true, "requires_efa": true},
         "cost_constraints": {"max_duration_hours": 1},
         "network_configuration": {"availability_zones": ["us-east-1a"], "placement_group_type": "none"}}
        """
      When Slurm resumes "aws-hpc-[001-002]" with "plan.json"
      Then the exit code is 0
      And the launch asks for <interfaces> EFA interfaces, the first of them the instance's own
      And only "aws-hpc-[001-002]" are running

      Examples:
        | type          | interfaces |
        | c5n.18xlarge  | 1          |
        | c6in.32xlarge | 2          |
        | p4d.24xlarge  | 4          |
        | p5.48xlarge   | 32         |

    Scenario: A type without EFA is dropped
      Given an execution plan "plan.json" that says:
        """
        {"should_burst": true,
         "instance_specification": {"instance_types": ["c6i.xlarge", "c5n.18xlarge"], "purchasing_option": "on-demand"},
         "mpi_configuration": {"requires_gang_scheduling": true, "requires_efa": true},
         "cost_constraints": {"max_duration_hours": 1},
         "network_configuration": {"availability_zones": ["us-east-1a"], "placement_group_type": "none"}}
        """
      When Slurm resumes "aws-hpc-[001-002]" with "plan.json"
      Then the exit code is 0
      And it says "WARN: c6i.xlarge has no EFA, dropped"
      And every node is a c5n.18xlarge, on-demand, in us-east-1a

  Rule: A placement group is made for each attempt, and used by nobody else

    Scenario Outline: <strategy>
      Given an execution plan "plan.json" that says:
        """
        {"should_burst": true,
         "instance_specification": {"instance_types": ["c6i.xlarge"], "purchasing_option": "on-demand"},
         "mpi_configuration": {"requires_gang_scheduling": true},
         "cost_constraints": {"max_duration_hours": 1},
         "network_configuration": {"availability_zones": ["us-east-1a"], "placement_group_type": "<strategy>"}}
        """
      When Slurm resumes "aws-cpu-[001-004]" with "plan.json"
      Then the exit code is 0
      And the nodes share a placement group of their own
      And the last CreatePlacementGroup asks for:
        | Strategy       | <strategy>   |
        | PartitionCount | <partitions> |

      Examples:
        | strategy  | partitions |
        | cluster   |            |
        | spread    |            |
        | partition | 7          |

    Scenario: A single node needs none
      Given the execution plan "asba-execution-plan.json"
      When Slurm resumes "aws-hpc-001" with "asba-execution-plan.json"
      Then the exit code is 0
      And it says nothing
      And there are 0 CreatePlacementGroup calls

    Scenario Outline: One that cannot be had, and is <wish>
      Given the site's plans.placement is <wish>
      And EC2 answers every CreatePlacementGroup with "UnauthorizedOperation"
      And the execution plan "asba-execution-plan.json"
      When Slurm resumes "aws-hpc-[001-002]" with "asba-execution-plan.json"
      Then the exit code is <exit>
      And it says "<line>"
      And <running>

      Examples:
        | wish      | exit | running                              | line |
        | preferred | 0    | only "aws-hpc-[001-002]" are running | WARN: placement group not possible (UnauthorizedOperation), launching without one |
        | required  | 7    | nothing is running                   | ERROR: UnauthorizedOperation: the caller may not ec2:CreatePlacementGroup: A fault rule answers this call. (allow ec2:CreatePlacementGroup for these credentials) |

    Scenario: A used-up quota of placement groups
      Given EC2 answers the next CreatePlacementGroup with "PlacementGroupLimitExceeded"
      And the site's plans.placement is required
      And the execution plan "asba-execution-plan.json"
      When Slurm resumes "aws-hpc-[001-002]" with "asba-execution-plan.json"
      Then the exit code is 0
      And it says "WARN: c5n.18xlarge spot us-east-1a: PlacementGroupLimitExceeded, trying c5n.18xlarge spot us-east-1b"
      And every node is a c5n.18xlarge, spot, in us-east-1b

  Rule: A plan says where

    Scenario: In its zones alone
      Given an execution plan "plan.json" that says:
        """
        {"should_burst": true,
         "instance_specification": {"instance_types": ["c6i.xlarge"], "purchasing_option": "on-demand"},
         "mpi_configuration": {"requires_gang_scheduling": true},
         "cost_constraints": {"max_duration_hours": 1},
         "network_configuration": {"availability_zones": ["us-east-1c", "us-east-1d"]}}
        """
      And EC2 has no capacity in us-east-1c
      When Slurm resumes "aws-cpu-[001-002]" with "plan.json"
      Then the exit code is 0
      And it tells of each rung it left for "InsufficientInstanceCapacity"
      And there are 2 launches
      And every node is in us-east-1d

    Scenario: In one zone, though they do not need each other
      Given an execution plan "plan.json" that says:
        """
        {"should_burst": true,
         "instance_specification": {"instance_types": ["c6i.xlarge"], "purchasing_option": "on-demand"},
         "mpi_configuration": {"requires_gang_scheduling": false},
         "cost_constraints": {"max_duration_hours": 1},
         "network_configuration": {"availability_zones": ["us-east-1a", "us-east-1b"], "single_az_required": true}}
        """
      And EC2 has capacity for 3 instances in us-east-1a
      When Slurm resumes "aws-cpu-[001-004]" with "plan.json"
      Then the exit code is 3
      And it tells of the rungs it left
      And it says "WARN: 3 of 4 nodes launched"
      And every node is in us-east-1a

  Rule: Instances say whose they are

    Scenario: The site's tags win over the plan's
      Given node group hpc's tags are [{key: CostCenter, value: site}]
      And the execution plan "asba-execution-plan.json"
      And job 4711 wants "aws-hpc-[001-002]"
      When Slurm resumes "aws-hpc-[001-002]" with "asba-execution-plan.json"
      Then the exit code is 0
      And the nodes share a placement group of their own
      And every node carries the tags:
        | aws-slurm-burst:job        | 4711              |
        | aws-slurm-burst:nodes      | aws-hpc-[001-002] |
        | aws-slurm-burst:created-by | aws-slurm-burst   |
        | CostCenter                 | site              |
        | Application                | GROMACS           |

    Scenario: Until when, by the plan's last hour
      Given the execution plan "asba-execution-plan.json"
      When Slurm resumes "aws-hpc-001" with "asba-execution-plan.json"
      Then the exit code is 0
      And every node expires 360 minutes after its launch

    Scenario: Until when, by the job's longest duration and an hour
      Given an execution plan "plan.json" that says:
        """
        {"should_burst": true, "instance_specification": {"instance_types": ["c6i.xlarge"]},
         "cost_constraints": {"max_duration_hours": 2.5}}
        """
      When Slurm resumes "aws-cpu-001" with "plan.json"
      Then the exit code is 0
      And every node expires 210 minutes after its launch
