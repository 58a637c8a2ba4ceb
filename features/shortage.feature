Feature: Shortages
  EC2 does not always have what a plan asks for. The plan's other types, zones
  and markets are tried in order; what is not to be had is said and given back.

  Rule: The next rung is tried

    Scenario: The first zone is short of everything
      Given the faults of "first-zone-short.yaml"
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      Then the exit code is 0
      And it says:
        """
        WARN: c5n.18xlarge spot us-east-1a: InsufficientInstanceCapacity, trying c5n.18xlarge spot us-east-1b
        """
      And there are 2 launches
      And each of them is a request of its own
      And only "aws-hpc-[001-008]" are running
      And every node is a c5n.18xlarge, spot, in us-east-1b

    Scenario: The second zone gets a placement group of its own
      Given the faults of "first-zone-short.yaml"
      And the execution plan "asba-execution-plan.json"
      When Slurm resumes "aws-hpc-[001-008]" with "asba-execution-plan.json"
      Then the exit code is 0
      And it tells of each rung it left for "InsufficientInstanceCapacity"
      And each of them names a placement group of its own
      And the nodes share a placement group of their own
      And every node is a c5n.18xlarge, spot, in us-east-1b

    Scenario: Spot is gone, on-demand is there
      Given EC2 has no spot capacity
      And the execution plan "spot-first.json"
      When Slurm resumes "aws-cpu-[001-004]" with "spot-first.json"
      Then the exit code is 0
      And it says:
        """
        WARN: c6i.xlarge spot us-east-1a: InsufficientInstanceCapacity, trying c6i.xlarge on-demand us-east-1a
        """
      And only "aws-cpu-[001-004]" are running
      And every node is a c6i.xlarge, on-demand, in us-east-1a

    Scenario: The first zone has all but one, the second has all
      Given EC2 has capacity for 7 instances in us-east-1a
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      Then the exit code is 0
      And it tells of each rung it left for "InsufficientInstanceCapacity"
      And only "aws-hpc-[001-008]" are running
      And every node is a c5n.18xlarge, spot, in us-east-1b

    Scenario: The first type is gone, the second is there
      Given EC2 has no capacity for c5n.18xlarge instances
      When Slurm resumes "aws-hpc-[001-004]"
      Then the exit code is 0
      And it tells of the rungs it left
      And only "aws-hpc-[001-004]" are running
      And every node is a c6in.32xlarge, on-demand, in us-east-1a

    Scenario: The first type has all but one, the second has that one
      Given EC2 has capacity for 3 c5n.18xlarge instances
      When Slurm resumes "aws-hpc-[001-004]"
      Then the exit code is 0
      And it tells of the rungs it left
      And only "aws-hpc-[001-004]" are running
      And each of "aws-hpc-[001-003]" is a c5n.18xlarge, on-demand, in us-east-1a
      And each of "aws-hpc-004" is a c6in.32xlarge, on-demand, in us-east-1a

  Rule: A gang that cannot be had whole leaves nothing behind

    Scenario: No zone has anything
      Given EC2 has no capacity
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      Then the exit code is 5
      And it tells of each rung it left for "InsufficientInstanceCapacity"
      And it says:
        """
        ERROR: No capacity for 8 nodes: InsufficientInstanceCapacity (4)
        """
      And "aws-hpc-[001-008]" are reported as failed
      And there are 4 launches
      And nothing is running

    Scenario: No zone has anything, and each was given a placement group
      Given EC2 has no capacity
      And the execution plan "asba-execution-plan.json"
      When Slurm resumes "aws-hpc-[001-008]" with "asba-execution-plan.json"
      Then the exit code is 5
      And it tells of each rung it left for "InsufficientInstanceCapacity"
      And it says:
        """
        ERROR: No capacity for 8 nodes: InsufficientInstanceCapacity (10)
        """
      And nothing is running
      And no placement group is left

    Scenario Outline: There is room for <room> of eight in every zone
      Given EC2 has capacity for <room> instances
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      Then the exit code is 5
      And it tells of each rung it left for "InsufficientInstanceCapacity"
      And it says "ERROR: No capacity for 8 nodes: InsufficientInstanceCapacity (4)"
      And nothing is running

      Examples:
        | room |
        | 1    |
        | 7    |

    Scenario: A shortage that passes
      Given EC2 has no capacity
      And the execution plan "gang.json"
      And Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      And it tells of each rung it left for "InsufficientInstanceCapacity"
      And it says:
        """
        ERROR: No capacity for 8 nodes: InsufficientInstanceCapacity (4)
        """
      But EC2 is well again
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      Then the exit code is 0
      And it says nothing
      And only "aws-hpc-[001-008]" are running

  Rule: Nodes that do not need each other are launched as far as they can be had

    Scenario: Room for all of four
      Given EC2 has capacity for 4 instances
      And the execution plan "best-effort.json"
      When Slurm resumes "aws-cpu-[001-004]" with "best-effort.json"
      Then the exit code is 0
      And it says nothing
      And only "aws-cpu-[001-004]" are running

    Scenario: Room for none of four
      Given EC2 has capacity for 0 instances
      And the execution plan "best-effort.json"
      When Slurm resumes "aws-cpu-[001-004]" with "best-effort.json"
      Then the exit code is 5
      And it says "ERROR: No capacity for 4 nodes: InsufficientInstanceCapacity (2)"
      And nothing is running

    Scenario Outline: Room for <room> of <wanted>
      Given EC2 has capacity for <room> instances
      And the execution plan "best-effort.json"
      When Slurm resumes "<nodes>" with "best-effort.json"
      Then the exit code is 3
      And it says "WARN: <room> of <wanted> nodes launched"
      And <room> of "<nodes>" are running

      Examples:
        | wanted | room | nodes             |
        | 2      | 1    | aws-cpu-[001-002] |
        | 4      | 1    | aws-cpu-[001-004] |
        | 4      | 2    | aws-cpu-[001-004] |
        | 4      | 3    | aws-cpu-[001-004] |
        | 20     | 13   | aws-cpu-[001-020] |

    Scenario: What one zone lacks comes from the next
      Given EC2 has capacity for 3 instances in us-east-1a
      When Slurm resumes "aws-cpu-[001-004]"
      Then the exit code is 0
      And it tells of the rungs it left
      And only "aws-cpu-[001-004]" are running

    Scenario: A node group that cannot be had leaves the others alone
      Given EC2 has no capacity for t3.* instances
      When Slurm resumes "aws-cpu-[001-002],test-[001-002]"
      Then the exit code is 3
      And it tells of the rungs it left
      And it says "ERROR: No capacity for 2 nodes: InsufficientInstanceCapacity (10)"
      And "test-[001-002]" are reported as failed
      And only "aws-cpu-[001-002]" are running

    Scenario: A request that is too large for EC2 is halved
      Given EC2 answers the next RunInstances with "ResourceCountExceeded"
      And the execution plan "best-effort.json"
      When Slurm resumes "aws-cpu-[001-004]" with "best-effort.json"
      Then the exit code is 3
      And it says "WARN: 2 of 4 nodes launched"
