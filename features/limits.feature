Feature: Price caps and budgets
  Nothing is launched above what the plan, the node group and the policy allow.
  A spot launch counts at its cap, or at the on-demand price where that is lower.

  Rule: No launch pays more for spot than its cap

    Scenario: Every launch of a ladder carries the cap
      Given EC2 has no spot capacity
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      Then the exit code is 0
      And it tells of each rung it left for "InsufficientInstanceCapacity"
      And no launch asks for more than 2.5 USD an instance-hour on the spot market
      And every node is a c5n.18xlarge, on-demand, in us-east-1a

    Scenario: The market is above the cap everywhere
      Given EC2 answers spot launches with "SpotMaxPriceTooLow"
      And the execution plan "spot-only.json"
      When Slurm resumes "aws-cpu-[001-004]" with "spot-only.json"
      Then the exit code is 5
      And it tells of each rung it left for "SpotMaxPriceTooLow"
      And it says "ERROR: No capacity for 4 nodes: SpotMaxPriceTooLow (2)"
      And no launch asks for more than 0.08 USD an instance-hour on the spot market
      And nothing is running

    Scenario: The node group's cap holds without a plan
      Given node group cpu's max_spot_price is 0.09
      When Slurm resumes "aws-cpu-[001-002]"
      Then the exit code is 0
      And no launch asks for more than 0.09 USD an instance-hour on the spot market

    Scenario: The node group's cap holds where the plan has none
      Given node group cpu's max_spot_price is 0.09
      And the execution plan "partial.json"
      When Slurm resumes "aws-cpu-[001-002]" with "partial.json"
      Then the exit code is 0
      And no launch asks for more than 0.09 USD an instance-hour on the spot market

    Scenario: The cap in a variable
      Given the variable ASBA_INSTANCE_TYPES=c6i.xlarge
      And the variable ASBA_PURCHASING_OPTION=spot
      And the variable ASBA_MAX_SPOT_PRICE=0.07
      When Slurm resumes "aws-cpu-[001-002]"
      Then the exit code is 0
      And no launch asks for more than 0.07 USD an instance-hour on the spot market

  Rule: What a job's nodes cost together stays within its budget

    Scenario Outline: <nodes> within 5 USD/h, whole
      Given the execution plan "within-5-usd.json"
      When Slurm resumes "<nodes>" with "within-5-usd.json"
      Then the exit code is 0
      And it says nothing
      And only "<nodes>" are running
      And every node is a <type>, on-demand, in us-east-1a
      And what runs costs at most 5.00 USD/h

      Examples:
        | nodes             | type         |
        | aws-hpc-001       | c5n.18xlarge |
        | aws-hpc-[001-002] | c5n.9xlarge  |

    Scenario Outline: <nodes> within 5 USD/h, too expensive
      Given the execution plan "within-5-usd.json"
      When Slurm resumes "<nodes>" with "within-5-usd.json"
      Then the exit code is 5
      And it says "ERROR: No launch within 5.00 USD/h for <count> nodes: cheapest is c5n.9xlarge on-demand us-east-1a at <cost> USD/h"
      And there is no launch
      And nothing is running

      Examples:
        | nodes             | count | cost  |
        | aws-hpc-[001-003] | 3     | 5.83  |
        | aws-hpc-[001-008] | 8     | 15.55 |

    Scenario: A total over the job's longest duration
      Given an execution plan "plan.json" that says:
        """
        {"should_burst": true,
         "instance_specification": {"instance_types": ["c5n.18xlarge", "c5n.9xlarge"], "purchasing_option": "on-demand"},
         "mpi_configuration": {"requires_gang_scheduling": true},
         "cost_constraints": {"max_total_cost": 40, "max_duration_hours": 10},
         "network_configuration": {"availability_zones": ["us-east-1a"]}}
        """
      When Slurm resumes "aws-hpc-[001-002]" with "plan.json"
      Then the exit code is 0
      And every node is a c5n.9xlarge, on-demand, in us-east-1a
      And what runs costs at most 4.00 USD/h

    Scenario Outline: The lowest limit holds: <whose>
      Given <limit>
      And the execution plan "within-5-usd.json"
      When Slurm resumes "aws-hpc-001" with "within-5-usd.json"
      Then the exit code is 0
      And every node is a c5n.9xlarge, on-demand, in us-east-1a
      And what runs costs at most 3.00 USD/h

      Examples:
        | whose            | limit                                    |
        | the policy's     | the site's policy.max_cost_per_hour is 3 |
        | the node group's | node group hpc's max_cost_per_hour is 3  |

    Scenario: On demand does not follow spot where only spot is affordable
      Given EC2 has no spot capacity
      And an execution plan "plan.json" that says:
        """
        {"should_burst": true,
         "instance_specification": {"instance_types": ["c6i.xlarge"], "purchasing_option": "spot", "max_spot_price": 0.08},
         "mpi_configuration": {"requires_gang_scheduling": true},
         "cost_constraints": {"max_cost_per_hour": 0.50, "allow_mixed_pricing": true},
         "network_configuration": {"availability_zones": ["us-east-1a"]}}
        """
      When Slurm resumes "aws-cpu-[001-004]" with "plan.json"
      Then the exit code is 5
      And it says "ERROR: No capacity for 4 nodes: InsufficientInstanceCapacity (1)"
      And there is 1 launch
      And nothing is running

    Scenario: Nodes that do not need each other come as far as the budget goes
      Given the site's policy.max_cost_per_hour is 1
      When Slurm resumes "aws-cpu-[001-008]"
      Then the exit code is 3
      And it says "WARN: 5 of 8 nodes launched"
      And 5 of "aws-cpu-[001-008]" are running
      And what runs costs at most 1.00 USD/h

    Scenario: What runs already counts
      Given the site's policy.max_cost_per_hour is 1
      And "aws-cpu-[001-004]" are running
      When Slurm resumes "aws-cpu-[001-008]"
      Then the exit code is 3
      And it says "WARN: 5 of 8 nodes launched"
      And "aws-cpu-[001-004]" have the same instances as before
      And 5 of "aws-cpu-[001-008]" are running

    Scenario: Jobs of one node each have a budget each
      Given the site's policy.max_cost_per_hour is 0.2
      And each of "aws-cpu-[001-004]" is wanted by a job of its own
      When Slurm resumes "aws-cpu-[001-004]"
      Then the exit code is 0
      And only "aws-cpu-[001-004]" are running
      And what runs costs at most 0.80 USD/h

    Scenario: One budget for a job over two node groups
      Given an execution plan "plan.json" that says:
        """
        {"should_burst": true,
         "instance_specification": {"instance_types": ["c6i.xlarge"], "purchasing_option": "on-demand"},
         "mpi_configuration": {"requires_gang_scheduling": false},
         "cost_constraints": {"max_cost_per_hour": 0.55},
         "network_configuration": {"availability_zones": ["us-east-1a"]}}
        """
      When Slurm resumes "aws-hpc-[001-003],aws-cpu-[001-003]" with "plan.json"
      Then the exit code is 3
      And it says "ERROR: No launch within 0.55 USD/h for 3 nodes more: no launch within 0.55 USD/h: 0.51 are spent, and c6i.xlarge on-demand us-east-1a costs 0.17"
      And only "aws-cpu-[001-003]" are running
      And what runs costs at most 0.55 USD/h

    Scenario: One budget for a job that comes in two calls
      Given the site's policy.max_cost_per_hour is 0.55
      And the execution plan "best-effort.json"
      And job 4711 wants "aws-cpu-[001-006]"
      And Slurm resumes "aws-cpu-[001-003]" with "best-effort.json"
      When Slurm resumes "aws-cpu-[004-006]" with "best-effort.json"
      Then the exit code is 5
      And it says "ERROR: No launch within 0.55 USD/h for 3 nodes more: no launch within 0.55 USD/h: 0.51 are spent, and c6i.xlarge on-demand us-east-1a costs 0.17"
      And only "aws-cpu-[001-003]" are running
