Feature: Many nodes
  A large job is no other than a small one: as few calls, whole or gone.

  Scenario: A gang of two hundred
    Given the execution plan "gang.json"
    When Slurm resumes "aws-hpc-[001-200]" with "gang.json"
    Then the exit code is 0
    And it says nothing
    And there is 1 launch
    And there is 1 DescribeInstances call
    And only "aws-hpc-[001-200]" are running
    When Slurm suspends "aws-hpc-[001-200]"
    Then the exit code is 0
    And there is 1 TerminateInstances call
    And nothing is running

  Scenario: A gang of two hundred, where there is room for one less
    Given EC2 has capacity for 199 instances
    And the execution plan "gang.json"
    When Slurm resumes "aws-hpc-[001-200]" with "gang.json"
    Then the exit code is 5
    And it tells of each rung it left for "InsufficientInstanceCapacity"
    And it says "ERROR: No capacity for 200 nodes: InsufficientInstanceCapacity (4)"
    And nothing is running

  Scenario: Fifty jobs of one node each
    Given each of "aws-cpu-[001-050]" is wanted by a job of its own
    When Slurm resumes "aws-cpu-[001-050]"
    Then the exit code is 0
    And it says nothing
    And there is 1 launch
    And only "aws-cpu-[001-050]" are running
