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

    @not-localstack:has-no-placement-groups
    Scenario: The second zone gets a placement group of its own
      Given the faults of "first-zone-short.yaml"
      And the execution plan "asba-execution-plan.json"
      When Slurm resumes "aws-hpc-[001-008]" with "asba-execution-plan.json"
      Then the exit code is 0
      And it tells of each rung it left for "InsufficientInstanceCapacity"
      And the nodes share a placement group of their own, where EC2 has such groups
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

    Scenario Outline: <code> in the first zone leaves the second
      Given EC2 answers launches in us-east-1a with "<code>"
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-002]" with "gang.json"
      Then the exit code is 0
      And it tells of each rung it left for "<code>"
      And only "aws-hpc-[001-002]" are running

      Examples:
        | code                                 |
        | SpotMaxPriceTooLow                   |
        | InsufficientFreeAddressesInSubnet    |
        | Unsupported                          |

    Scenario: A used-up spot quota sends no one to the next zone's spot
      Given EC2 answers spot launches with "MaxSpotInstanceCountExceeded"
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-002]" with "gang.json"
      Then the exit code is 0
      And it says:
        """
        WARN: c5n.18xlarge spot us-east-1a: MaxSpotInstanceCountExceeded, trying c5n.18xlarge on-demand us-east-1a
        """
      And there are 2 launches
      And every node is a c5n.18xlarge, on-demand, in us-east-1a

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

    @not-localstack:has-no-placement-groups
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

    Scenario: There is room for seven of eight
      Given EC2 has capacity for 7 instances
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      Then the exit code is 5
      And it tells of each rung it left for "InsufficientInstanceCapacity"
      And it says:
        """
        ERROR: No capacity for 8 nodes: InsufficientInstanceCapacity (4)
        """
      And nothing is running

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

    @not-localstack:launches-MinCount-where-MaxCount-is-asked-for
    Scenario: Three of four
      Given EC2 has capacity for 3 instances
      And the execution plan "best-effort.json"
      When Slurm resumes "aws-cpu-[001-004]" with "best-effort.json"
      Then the exit code is 3
      And it says:
        """
        WARN: 3 of 4 nodes launched
        """
      And 3 of "aws-cpu-[001-004]" are running

  Rule: Nothing is launched above the plan's price

    Scenario: A gang that is too expensive
      Given the execution plan "within-5-usd.json"
      When Slurm resumes "aws-hpc-[001-008]" with "within-5-usd.json"
      Then the exit code is 5
      And it says:
        """
        ERROR: No launch within 5.00 USD/h for 8 nodes: cheapest is c5n.9xlarge on-demand us-east-1a at 15.55 USD/h
        """
      And there is no launch
      And nothing is running

    Scenario: A smaller gang of the same plan is not
      Given the execution plan "within-5-usd.json"
      When Slurm resumes "aws-hpc-[001-002]" with "within-5-usd.json"
      Then the exit code is 0
      And it says nothing
      And only "aws-hpc-[001-002]" are running
      And every node is a c5n.9xlarge, on-demand, in us-east-1a
