Feature: Trouble on the way to EC2
  Answers come late, twice or not at all. Whatever happens on the way, a node has
  one instance at most, and none is left that nobody knows.

  Rule: What is unknown is looked at before it is asked for again

    Scenario: The launch was made, its answer lost
      Given the faults of "answer-lost.yaml"
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      Then the exit code is 0
      And it says nothing
      And there is 1 launch
      And only "aws-hpc-[001-008]" are running

    Scenario: The placement group was made, the answer lost
      Given the answer to the next CreatePlacementGroup is lost
      And the execution plan "asba-execution-plan.json"
      When Slurm resumes "aws-hpc-[001-008]" with "asba-execution-plan.json"
      Then the exit code is 0
      And it says nothing
      And the nodes share a placement group of their own
      And only "aws-hpc-[001-008]" are running

    Scenario Outline: The answers to <times> <action> calls are lost
      Given the answers to the next <times> <action> calls are lost
      And the execution plan "asba-execution-plan.json"
      When Slurm resumes "aws-hpc-[001-002]" with "asba-execution-plan.json"
      Then the exit code is 0
      And it says nothing
      And there is 1 launch
      And the nodes share a placement group of their own
      And only "aws-hpc-[001-002]" are running

      Examples:
        | action               | times |
        | CreatePlacementGroup | 2     |
        | RunInstances         | 2     |

    Scenario: The launch was made, its answer lost, and the look for it fails
      Given the answer to the next RunInstances is lost
      And EC2 answers the next DescribeInstances with "InternalError"
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      Then the exit code is 0
      And there is 1 launch
      And only "aws-hpc-[001-008]" are running

    Scenario: The launch was made, its answer lost, and nodes need not be whole
      Given the answer to the next RunInstances is lost
      When Slurm resumes "aws-cpu-[001-004]"
      Then the exit code is 0
      And there is 1 launch
      And only "aws-cpu-[001-004]" are running

    Scenario: EC2 fails before it launches anything
      Given EC2 answers the next RunInstances with "InternalError"
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      Then the exit code is 0
      And it says nothing
      And there are 2 launches
      And each of them is the same request
      And only "aws-hpc-[001-008]" are running

    Scenario Outline: The answer to one <action> is lost
      Given the answer to the next <action> is lost
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-002]" with "gang.json"
      Then the exit code is 0
      And it says nothing
      And there is 1 launch
      And only "aws-hpc-[001-002]" are running

      Examples:
        | action            |
        | DescribeSubnets   |
        | DescribeImages    |
        | DescribeInstances |

    Scenario: The nodes were ended, the answer lost
      Given "aws-cpu-[001-004]" are running
      But the answer to the next TerminateInstances is lost
      When Slurm suspends "aws-cpu-[001-004]"
      Then the exit code is 0
      And it says nothing
      And nothing is running

    Scenario: The nodes were ended, the answers lost twice
      Given "aws-cpu-[001-004]" are running
      But the answers to the next 2 TerminateInstances calls are lost
      When Slurm suspends "aws-cpu-[001-004]"
      Then the exit code is 0
      And it says nothing
      And there are 3 TerminateInstances calls
      And nothing is running

  Rule: EC2's limits are met with patience

    Scenario: Throttled twice
      Given EC2 throttles the next 2 launches
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      Then the exit code is 0
      And it says nothing
      And there are 3 launches
      And each of them is the same request
      And only "aws-hpc-[001-008]" are running

    Scenario Outline: <code> at one <action>
      Given EC2 answers the next <action> with "<code>"
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-002]" with "gang.json"
      Then the exit code is 0
      And it says nothing
      And only "aws-hpc-[001-002]" are running
      When Slurm suspends "aws-hpc-[001-002]"
      Then the exit code is 0
      And it says nothing
      And nothing is running

      Examples:
        | action             | code                 |
        | DescribeSubnets    | RequestLimitExceeded |
        | DescribeImages     | Unavailable          |
        | DescribeInstances  | InternalError        |
        | RunInstances       | Unavailable          |
        | TerminateInstances | RequestLimitExceeded |
        | TerminateInstances | InternalError        |

    Scenario: Throttled at one call after the other
      Given EC2 throttles the next 1 DescribeSubnets calls
      And EC2 throttles the next 1 DescribeInstances calls
      And EC2 throttles the next 1 RunInstances calls
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-002]" with "gang.json"
      Then the exit code is 0
      And it says nothing
      And only "aws-hpc-[001-002]" are running

    Scenario Outline: Throttled by another name: <code>
      Given EC2 answers the next RunInstances with "<code>"
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-002]" with "gang.json"
      Then the exit code is 0
      And it says nothing
      And there are 2 launches
      And each of them is the same request

      Examples:
        | code                  |
        | Throttling            |
        | EC2ThrottledException |
        | SlowDown              |

    Scenario Outline: Throttled at <action> until no time is left
      Given a launch may take 4 seconds
      And EC2 throttles every <action>
      When Slurm resumes "aws-cpu-[001-002]"
      Then the exit code is 6
      And it says "ERROR: EC2 throttled for ... s"
      And "aws-cpu-[001-002]" are reported as failed
      And nothing is running

      Examples:
        | action            |
        | DescribeSubnets   |
        | DescribeInstances |
        | RunInstances      |

    Scenario: A shortage, then throttled until no time is left
      Given a launch may take 6 seconds
      And EC2 has no capacity in us-east-1a
      And EC2 throttles every RunInstances
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-002]" with "gang.json"
      Then the exit code is 5
      And it tells of the rungs it left
      And it says "ERROR: No capacity for 2 nodes: InsufficientInstanceCapacity (1), RequestLimitExceeded (1)"
      And nothing is running

  Rule: What EC2 shows may be old

    Scenario: A second resume before the first one's nodes are to be seen
      Given EC2 shows instances as they were 3 seconds ago
      And the execution plan "gang.json"
      And Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      Then the exit code is 0
      And it says nothing
      And there is no launch
      And "aws-hpc-[001-008]" are reported as adopted
      And "aws-hpc-[001-008]" have the same instances as before

    Scenario: A suspend before the nodes are to be seen
      Given EC2 shows instances as they were 3 seconds ago
      And "aws-cpu-[001-004]" are running
      When Slurm suspends "aws-cpu-[001-004]"
      Then the exit code is 0
      And it says nothing
      And nothing is running

    Scenario: A node that comes back while its last instance still seems to run
      Given EC2 shows instances as they were 3 seconds ago
      And "aws-cpu-001" is running
      And Slurm suspends "aws-cpu-001"
      When Slurm resumes "aws-cpu-001"
      Then the exit code is 0
      And "aws-cpu-001" is reported as launched
      And only "aws-cpu-001" is running

  Rule: What EC2 does not have is done without

    Scenario: No placement groups
      Given EC2 has no placement groups
      And the execution plan "asba-execution-plan.json"
      When Slurm resumes "aws-hpc-[001-008]" with "asba-execution-plan.json"
      Then the exit code is 0
      And it says:
        """
        WARN: placement group not possible (NotImplemented), launching without one
        """
      And only "aws-hpc-[001-008]" are running
