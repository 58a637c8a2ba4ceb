Feature: Programs that die
  A program can be killed at any instant: with slurmctld, by an operator, by the
  kernel. Nothing is left that the next call does not find.

  Rule: The next resume finds what the dead one launched

    Scenario Outline: Killed as EC2 answers <answer>, and resumed again
      Given the execution plan "gang.json"
      And Slurm resumes "aws-hpc-[001-008]" with "gang.json", and the program is killed as EC2 answers "<answer>"
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      Then the exit code is 0
      And there are <launches> launches
      And "aws-hpc-[001-008]" are reported as <state>
      And only "aws-hpc-[001-008]" are running

      Examples:
        | answer            | launches | state    |
        | DescribeSubnets   | 1        | launched |
        | DescribeImages    | 1        | launched |
        | DescribeInstances | 1        | launched |
        | RunInstances      | 0        | adopted  |

    Scenario: Killed before EC2 is asked, and the unfinished launch is repeated
      Given EC2 answers the next RunInstances with "InternalError"
      And the execution plan "gang.json"
      And Slurm resumes "aws-hpc-[001-008]" with "gang.json", and the program is killed as EC2 answers "RunInstances"
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      Then the exit code is 0
      And there is 1 launch
      And the launch is the one that the dead program asked for
      And only "aws-hpc-[001-008]" are running

    Scenario Outline: Killed as EC2 answers <answer>, with a placement group
      Given the execution plan "asba-execution-plan.json"
      And Slurm resumes "aws-hpc-[001-008]" with "asba-execution-plan.json", and the program is killed as EC2 answers "<answer>"
      When Slurm resumes "aws-hpc-[001-008]" with "asba-execution-plan.json"
      Then the exit code is 0
      And every node is a c5n.18xlarge, spot, in us-east-1a
      And only "aws-hpc-[001-008]" are running
      When 10 minutes pass
      And the operator reconciles
      And Slurm suspends "aws-hpc-[001-008]"
      Then nothing is running
      And no placement group is left

      Examples:
        | answer               |
        | CreatePlacementGroup |
        | RunInstances         |

    Scenario: Killed while it tries the next zone
      Given EC2 has no capacity in us-east-1a
      And the execution plan "gang.json"
      And Slurm resumes "aws-hpc-[001-008]" with "gang.json", and the program is killed as EC2 answers "RunInstances"
      But EC2 is well again
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      Then the exit code is 0
      And only "aws-hpc-[001-008]" are running

    Scenario: Killed, and its nodes are wanted with others
      Given Slurm resumes "aws-cpu-[001-002]", and the program is killed as EC2 answers "RunInstances"
      When Slurm resumes "aws-cpu-[001-004]"
      Then the exit code is 0
      And there is 1 launch
      And "aws-cpu-[001-002]" are reported as adopted
      And only "aws-cpu-[001-004]" are running

  Rule: The next suspend ends what the dead one launched

    Scenario Outline: A resume killed as EC2 answers <answer>, and suspended
      Given the execution plan "gang.json"
      And Slurm resumes "aws-hpc-[001-008]" with "gang.json", and the program is killed as EC2 answers "<answer>"
      When Slurm suspends "aws-hpc-[001-008]"
      Then the exit code is 0
      And it says nothing
      And nothing is running

      Examples:
        | answer            |
        | DescribeInstances |
        | RunInstances      |

    Scenario Outline: A suspend killed as EC2 answers <answer>, and suspended again
      Given "aws-cpu-[001-004]" are running
      And Slurm suspends "aws-cpu-[001-004]", and the program is killed as EC2 answers "<answer>"
      When Slurm suspends "aws-cpu-[001-004]"
      Then the exit code is 0
      And it says nothing
      And nothing is running

      Examples:
        | answer             |
        | DescribeInstances  |
        | TerminateInstances |

    Scenario: A suspend killed before it ended anything, and resumed
      Given "aws-cpu-[001-004]" are running
      And Slurm suspends "aws-cpu-[001-004]", and the program is killed as EC2 answers "DescribeInstances"
      When Slurm resumes "aws-cpu-[001-004]"
      Then the exit code is 0
      And "aws-cpu-[001-004]" have other instances than before
      And only "aws-cpu-[001-004]" are running

    Scenario: What came up too late, killed as it is ended
      Given "aws-cpu-[001-002]" are running
      And Slurm gives up waiting for "aws-cpu-[001-002]", and the program is killed as EC2 answers "TerminateInstances"
      When Slurm gives up waiting for "aws-cpu-[001-002]"
      Then the exit code is 0
      And it says of each of "aws-cpu-[001-002]" that it did not register in time, and on which instance
      And nothing is running

  Rule: A program that is told to stop ends in order

    Scenario: Told to stop after EC2 has launched
      Given the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json", and the program is told to stop as EC2 answers "RunInstances"
      Then the exit code is 0
      And only "aws-hpc-[001-008]" are running

    Scenario: Told to stop while it waits
      Given EC2 throttles every RunInstances
      When Slurm resumes "aws-cpu-[001-002]", and the program is told to stop as EC2 answers "RunInstances"
      Then the exit code is 130
      And it says "ERROR: EC2 throttled for ... s"
      And nothing is running
