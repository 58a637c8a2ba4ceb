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
      And the nodes share a placement group of their own, where EC2 has such groups
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

    Scenario: Two calls for the same nodes at the same time
      When "aws-cpu-[001-004]" are resumed twice at the same time
      Then one call launched "aws-cpu-[001-004]" and the other adopted them

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

    @not-localstack:has-no-placement-groups
    Scenario: Members that are missing join the placement group of the live ones
      Given the execution plan "asba-execution-plan.json"
      And Slurm resumes "aws-hpc-[001-008]" with "asba-execution-plan.json"
      And Slurm suspends "aws-hpc-[005-008]"
      When Slurm resumes "aws-hpc-[001-008]" with "asba-execution-plan.json"
      Then the exit code is 0
      And it says nothing
      And "aws-hpc-[001-004]" have the same instances as before
      And the nodes share a placement group of their own, where EC2 has such groups
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

  Rule: A suspend ends what it names, and nothing else

    Scenario: Four of eight nodes
      Given the execution plan "gang.json"
      And Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      When Slurm suspends "aws-hpc-[003-006]"
      Then the exit code is 0
      And it says nothing
      And only "aws-hpc-[001-002,007-008]" are running
      And "aws-hpc-[001-002,007-008]" have the same instances as before

    Scenario: All nodes, and their placement group
      Given the execution plan "asba-execution-plan.json"
      And Slurm resumes "aws-hpc-[001-008]" with "asba-execution-plan.json"
      And the nodes share a placement group of their own, where EC2 has such groups
      When Slurm suspends "aws-hpc-[001-008]"
      Then the exit code is 0
      And it says nothing
      And nothing is running
      And no placement group is left

    Scenario: Nodes that have no instance
      When Slurm suspends "aws-hpc-[001-008]"
      Then the exit code is 0
      And it says nothing
      And "aws-hpc-[001-008]" are reported as absent

    Scenario: Nodes that did not come up in time
      Given "aws-cpu-[001-002]" are running
      When Slurm gives up waiting for "aws-cpu-[001-002]"
      Then the exit code is 0
      And it says of each of "aws-cpu-[001-002]" that it did not register in time, and on which instance
      And nothing is running

    Scenario: A node that comes back is another instance
      Given "aws-cpu-001" is running
      And Slurm suspends "aws-cpu-001"
      When Slurm resumes "aws-cpu-001"
      Then the exit code is 0
      And "aws-cpu-001" is reported as launched
      And only "aws-cpu-001" is running

    Scenario: Nodes that are suspended while they are launched
      Given the execution plan "gang.json"
      When Slurm suspends "aws-hpc-[001-008]" while it resumes them with "gang.json"
      Then the exit code is 0
      And there is 1 launch
      And "aws-hpc-[001-008]" are reported as suspended
      And nothing is running

    Scenario: What runs can be ended from EC2's tags alone
      Given "aws-cpu-[001-004]" are running
      But the programs' state is lost
      When Slurm suspends "aws-cpu-[001-002]"
      Then the exit code is 0
      And it says nothing
      And only "aws-cpu-[003-004]" are running
