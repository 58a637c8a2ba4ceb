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

    @not-localstack:has-no-placement-groups
    Scenario: The placement group was made, the answer lost
      Given the answer to the next CreatePlacementGroup is lost
      And the execution plan "asba-execution-plan.json"
      When Slurm resumes "aws-hpc-[001-008]" with "asba-execution-plan.json"
      Then the exit code is 0
      And it says nothing
      And the nodes share a placement group of their own, where EC2 has such groups
      And only "aws-hpc-[001-008]" are running

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

  Rule: A program that dies leaves nothing that the next one does not find

    Scenario: Killed as EC2 launches, and resumed again
      Given the execution plan "gang.json"
      And Slurm resumes "aws-hpc-[001-008]" with "gang.json", and the program is killed as EC2 answers "RunInstances"
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      Then the exit code is 0
      And there is no launch
      And "aws-hpc-[001-008]" are reported as adopted
      And "aws-hpc-[001-008]" have the same instances as before
      And only "aws-hpc-[001-008]" are running

    Scenario: Killed as EC2 launches, and suspended
      Given the execution plan "gang.json"
      And Slurm resumes "aws-hpc-[001-008]" with "gang.json", and the program is killed as EC2 answers "RunInstances"
      When Slurm suspends "aws-hpc-[001-008]"
      Then the exit code is 0
      And it says nothing
      And nothing is running

    @not-localstack:has-no-placement-groups
    Scenario: Killed as EC2 launches into a placement group, and resumed again
      Given the execution plan "asba-execution-plan.json"
      And Slurm resumes "aws-hpc-[001-008]" with "asba-execution-plan.json", and the program is killed as EC2 answers "RunInstances"
      When Slurm resumes "aws-hpc-[001-008]" with "asba-execution-plan.json"
      Then the exit code is 0
      And there is no launch
      And the nodes share a placement group of their own, where EC2 has such groups
      When Slurm suspends "aws-hpc-[001-008]"
      Then nothing is running
      And no placement group is left

    Scenario: Killed before EC2 launches, and resumed again
      Given the execution plan "gang.json"
      And Slurm resumes "aws-hpc-[001-008]" with "gang.json", and the program is killed as EC2 answers "DescribeInstances"
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      Then the exit code is 0
      And it says nothing
      And there is 1 launch
      And only "aws-hpc-[001-008]" are running

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

  Rule: What waiting cannot mend is said at once

    Scenario Outline: EC2 answers <code>
      Given EC2 answers every launch with "<code>"
      And the execution plan "best-effort.json"
      When Slurm resumes "aws-cpu-[001-002]" with "best-effort.json"
      Then the exit code is <exit>
      And it says:
        """
        ERROR: <line>
        """
      And "aws-cpu-[001-002]" are reported as failed
      And nothing is running

      Examples:
        | code                  | exit | line |
        | VcpuLimitExceeded     | 6    | No capacity for 2 nodes: VcpuLimitExceeded (2) |
        | UnauthorizedOperation | 7    | UnauthorizedOperation: the caller may not ec2:RunInstances: A fault rule answers this call. (allow ec2:RunInstances for these credentials, with ec2:CreateTags, and iam:PassRole for an instance profile) |
        | AuthFailure           | 7    | AuthFailure: no valid credentials for ec2:RunInstances: A fault rule answers this call. (check that the keys are those of the account, and still active) |
        | InvalidParameterValue | 9    | InvalidParameterValue: EC2 refused RunInstances: A fault rule answers this call. (correct what EC2 names, in the configuration, the plan or the launch template) |

    Scenario: EC2 cannot be reached
      Given EC2 cannot be reached
      When Slurm resumes "aws-cpu-[001-002]"
      Then the exit code is 1
      And it says:
        """
        ERROR: EC2 not reachable at http://127.0.0.1:1: no answer from http://127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused (is the endpoint up? Check aws.endpoint_url, name resolution and the network of this host)
        """
      And "aws-cpu-[001-002]" are reported as failed
