Feature: Gangs
  The nodes of an MPI job are of no use one by one: they come together, close to
  each other, and go when Slurm says so.

  Rule: A gang is launched whole, by one call

    Scenario: The eight nodes of the example plan
      Given the execution plan "asba-execution-plan.json"
      When Slurm resumes "aws-hpc-[001-008]" with "asba-execution-plan.json"
      Then the exit code is 0
      And there is 1 launch
      And the launch asks for:
        | MinCount                                   | 8             |
        | MaxCount                                   | 8             |
        | InstanceType                               | c5n.18xlarge  |
        | InstanceMarketOptions.MarketType           | spot          |
        | InstanceMarketOptions.SpotOptions.MaxPrice | 2.5           |
        | NetworkInterface.1.InterfaceType           | efa           |
        | NetworkInterface.1.DeviceIndex             | 0             |
      And the nodes share a placement group of their own
      And "aws-hpc-[001-008]" are reported as launched
      And only "aws-hpc-[001-008]" are running
      And every node is a c5n.18xlarge, spot, in us-east-1a
      And every node carries the tags:
        | aws-slurm-burst:nodes      | aws-hpc-[001-008] |
        | aws-slurm-burst:created-by | aws-slurm-burst   |
        | Application                | GROMACS           |
        | CostCenter                 | Research-001      |

    Scenario: Slurm's resume file makes a gang of a job's nodes
      Given job 4711 wants "aws-cpu-[001-004]"
      When Slurm resumes "aws-cpu-[001-004]"
      Then the exit code is 0
      And there is 1 launch
      And the launch asks for:
        | MinCount | 4 |
        | MaxCount | 4 |
      And only "aws-cpu-[001-004]" are running
      And every node carries the tags:
        | aws-slurm-burst:job | 4711 |

    Scenario Outline: A gang of <size>, where EC2 has room for <room>
      Given EC2 has capacity for <room> instances
      And the execution plan "one-zone.json"
      When Slurm resumes "<nodes>" with "one-zone.json"
      Then the exit code is 0
      And it says nothing
      And there is 1 launch
      And only "<nodes>" are running

      Examples:
        | size | room | nodes             |
        | 2    | 2    | aws-hpc-[001-002] |
        | 5    | 5    | aws-hpc-[001-005] |
        | 16   | 20   | aws-hpc-[001-016] |

    Scenario Outline: A gang of <size>, where EC2 has room for <room> only
      Given EC2 has capacity for <room> instances
      And the execution plan "one-zone.json"
      When Slurm resumes "<nodes>" with "one-zone.json"
      Then the exit code is 5
      And it says "ERROR: No capacity for <size> nodes: InsufficientInstanceCapacity (1)"
      And "<nodes>" are reported as failed
      And nothing is running

      Examples:
        | size | room | nodes             |
        | 2    | 0    | aws-hpc-[001-002] |
        | 2    | 1    | aws-hpc-[001-002] |
        | 5    | 4    | aws-hpc-[001-005] |
        | 16   | 1    | aws-hpc-[001-016] |
        | 16   | 15   | aws-hpc-[001-016] |

    Scenario: Two jobs in one call are two gangs
      Given job 4711 wants "aws-cpu-[001-003]"
      And job 4712 wants "aws-cpu-[004-005]"
      When Slurm resumes "aws-cpu-[001-005]"
      Then the exit code is 0
      And there are 2 launches
      And each of them is a request of its own
      And only "aws-cpu-[001-005]" are running

    Scenario: Two jobs that share a node are one gang
      Given job 4711 wants "aws-cpu-[001-003]"
      And job 4712 wants "aws-cpu-[003-004]"
      When Slurm resumes "aws-cpu-[001-004]"
      Then the exit code is 0
      And there is 1 launch
      And the launch asks for:
        | MinCount | 4 |
        | MaxCount | 4 |
      And only "aws-cpu-[001-004]" are running

    Scenario: A gang over two node groups
      Given job 4711 wants "aws-hpc-[001-002],aws-cpu-[001-002]"
      When Slurm resumes "aws-hpc-[001-002],aws-cpu-[001-002]"
      Then the exit code is 0
      And each of "aws-hpc-[001-002]" is a c5n.18xlarge, on-demand, in us-east-1a
      And each of "aws-cpu-[001-002]" is a c6i.xlarge, spot, in us-east-1a

    Scenario: A gang over two node groups, one of which cannot be had
      Given job 4711 wants "aws-hpc-[001-002],aws-cpu-[001-002]"
      And EC2 has no capacity for c*n.* instances
      When Slurm resumes "aws-hpc-[001-002],aws-cpu-[001-002]"
      Then the exit code is 5
      And it tells of the rungs it left
      And it says:
        """
        ERROR: No capacity for 2 nodes: job 4711 is nothing without its nodes of node group hpc (InsufficientInstanceCapacity)
        ERROR: No capacity for 2 nodes: InsufficientInstanceCapacity (10)
        """
      And nothing is running

  Rule: A member that dies is a gang that is not whole

    Scenario: One dies before it runs, and the next zone has all
      Given the execution plan "spot-only.json"
      And an instance of the next launch dies of "Client.InternalError" before it runs
      When Slurm resumes "aws-cpu-[001-004]" with "spot-only.json"
      Then the exit code is 0
      And it says:
        """
        WARN: i-... died: Client.InternalError
        WARN: c6i.xlarge spot us-east-1a: Client.InternalError, trying c6i.xlarge spot us-east-1b
        """
      And only "aws-cpu-[001-004]" are running
      And every node is a c6i.xlarge, spot, in us-east-1b

    Scenario: One dies before it runs, of nodes that do not need each other
      Given the execution plan "best-effort.json"
      And an instance of the next launch dies of "Client.InternalError" before it runs
      When Slurm resumes "aws-cpu-[001-004]" with "best-effort.json"
      Then the exit code is 3
      And it says:
        """
        WARN: i-... died: Client.InternalError
        WARN: 3 of 4 nodes launched
        """
      And 3 of "aws-cpu-[001-004]" are running

    Scenario: One has died when the job is resumed again
      Given the execution plan "gang.json"
      And Slurm resumes "aws-hpc-[001-004]" with "gang.json"
      And EC2 ends the instance of "aws-hpc-003"
      When Slurm resumes "aws-hpc-[001-004]" with "gang.json"
      Then the exit code is 0
      And "aws-hpc-[001-002,004]" have the same instances as before
      And "aws-hpc-003" is reported as launched
      And only "aws-hpc-[001-004]" are running
      And every node is a c5n.18xlarge, spot, in us-east-1a

  Rule: A node is launched once

    Scenario: A second resume adopts what is there
      Given the execution plan "gang.json"
      And Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      Then the exit code is 0
      And it says nothing
      And there is no launch
      And "aws-hpc-[001-008]" are reported as adopted
      And "aws-hpc-[001-008]" have the same instances as before

    Scenario: What runs is known from EC2 alone
      Given "aws-cpu-[001-004]" are running
      But the programs' state is lost
      When Slurm resumes "aws-cpu-[001-004]"
      Then the exit code is 0
      And there is no launch
      And "aws-cpu-[001-004]" are reported as adopted
      And "aws-cpu-[001-004]" have the same instances as before

    Scenario: Only the nodes that are missing are launched
      Given "aws-cpu-[001-002]" are running
      When Slurm resumes "aws-cpu-[001-004]"
      Then the exit code is 0
      And there is 1 launch
      And "aws-cpu-[001-002]" have the same instances as before
      And only "aws-cpu-[001-004]" are running

    Scenario: Members that are missing join the zone of the live ones
      Given the faults of "first-zone-short.yaml"
      And the execution plan "gang.json"
      And Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      And it tells of each rung it left for "InsufficientInstanceCapacity"
      And Slurm suspends "aws-hpc-[005-008]"
      But EC2 is well again
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      Then the exit code is 0
      And it says nothing
      And "aws-hpc-[001-004]" have the same instances as before
      And "aws-hpc-[005-008]" are reported as launched
      And only "aws-hpc-[001-008]" are running
      And every node is a c5n.18xlarge, spot, in us-east-1b

    Scenario: Members that are missing join the placement group of the live ones
      Given the execution plan "asba-execution-plan.json"
      And Slurm resumes "aws-hpc-[001-008]" with "asba-execution-plan.json"
      And Slurm suspends "aws-hpc-[005-008]"
      When Slurm resumes "aws-hpc-[001-008]" with "asba-execution-plan.json"
      Then the exit code is 0
      And it says nothing
      And "aws-hpc-[001-004]" have the same instances as before
      And the nodes share a placement group of their own
      And only "aws-hpc-[001-008]" are running

    Scenario: Members that cannot join take the gang with them
      Given the execution plan "gang.json"
      And Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      And Slurm suspends "aws-hpc-[005-008]"
      But EC2 has no capacity
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      Then the exit code is 5
      And it tells of each rung it left for "InsufficientInstanceCapacity"
      And it says:
        """
        ERROR: No capacity for 8 nodes: InsufficientInstanceCapacity (2)
        """
      And there are 2 launches
      And "aws-hpc-[001-008]" are reported as failed
      And nothing is running
