Feature: Reconcile
  A pass from cron heals what dead programs, lost answers and lost files left
  behind. It says what it would do where it is asked to.

  Rule: What is in order stays as it is

    Scenario: Nothing is running
      When the operator reconciles
      Then the exit code is 0
      And it says nothing
      And it did nothing

    Scenario: Everything is claimed
      Given "aws-cpu-[001-004]" are running
      And 60 minutes pass
      When the operator reconciles
      Then the exit code is 0
      And it did:
        | name | 4 |
      And every node is tagged with its name
      And only "aws-cpu-[001-004]" are running

    Scenario: A launch may still be under way
      Given the execution plan "gang.json"
      And Slurm resumes "aws-hpc-[001-008]" with "gang.json", and the program is killed as EC2 answers "RunInstances"
      When the operator reconciles
      Then the exit code is 0
      And it did:
        | name | 8 |
      When Slurm resumes "aws-hpc-[001-008]" with "gang.json"
      Then "aws-hpc-[001-008]" are reported as adopted

  Rule: What no node claims is ended

    Scenario: A suspend that died before it ended anything
      Given "aws-cpu-[001-004]" are running
      And Slurm suspends "aws-cpu-[001-004]", and the program is killed as EC2 answers "DescribeInstances"
      When the operator reconciles
      Then the exit code is 0
      And it did:
        | orphan | 4 |
      And nothing is running

    Scenario: A second instance of a node
      Given "aws-cpu-[001-002]" are running
      And somebody launches a second instance of "aws-cpu-002"
      And 20 minutes pass
      When the operator reconciles
      Then the exit code is 0
      And it says "INFO: ending i-...: a second instance of aws-cpu-002"
      And only "aws-cpu-[001-002]" are running

    Scenario: An instance whose tags name no node
      Given somebody launches an instance of the cluster that names no node
      And 20 minutes pass
      When the operator reconciles
      Then the exit code is 0
      And nothing is running

    Scenario: Nodes that no node group owns any more
      Given "aws-cpu-[001-002],test-001" are running
      And node group test's nodes are other-[001-008]
      And 20 minutes pass
      When the operator reconciles
      Then the exit code is 0
      And it says "INFO: ending i-...: no node group of config.yaml owns test-001"
      And only "aws-cpu-[001-002]" are running

    Scenario: Instances past their expiry
      Given the execution plan "expires.json"
      And Slurm resumes "aws-cpu-[001-002]" with "expires.json"
      And every node expires 60 minutes after its launch
      And 61 minutes pass
      When the operator reconciles
      Then the exit code is 0
      And it did:
        | expired  | 2 |
        | vanished | 1 |
      And nothing is running

    Scenario: Instances before their expiry
      Given the execution plan "expires.json"
      And Slurm resumes "aws-cpu-[001-002]" with "expires.json"
      And 59 minutes pass
      When the operator reconciles
      Then it did:
        | name | 2 |
      And only "aws-cpu-[001-002]" are running

  Rule: Unfinished launches are finished or undone

    Scenario: A gang whose program died after the launch
      Given the execution plan "gang.json"
      And Slurm resumes "aws-hpc-[001-008]" with "gang.json", and the program is killed as EC2 answers "RunInstances"
      And 10 minutes pass
      When the operator reconciles
      Then the exit code is 0
      And it says "INFO: recording 8 instances of an unfinished launch for aws-hpc-[001-008]"
      When Slurm suspends "aws-hpc-[001-008]"
      Then nothing is running

    Scenario: Half a gang whose program died
      Given the execution plan "gang.json"
      And Slurm resumes "aws-hpc-[001-004]" with "gang.json", and the program is killed as EC2 answers "RunInstances"
      And EC2 ends the instance of "aws-hpc-002"
      And 10 minutes pass
      When the operator reconciles
      Then the exit code is 0
      And it says "INFO: ending 3 of 4 instances of an unfinished launch for aws-hpc-[001-004]"
      And nothing is running

    Scenario: A launch that EC2 never made
      Given EC2 answers the next RunInstances with "InternalError"
      And Slurm resumes "aws-cpu-[001-002]", and the program is killed as EC2 answers "RunInstances"
      And 10 minutes pass
      When the operator reconciles
      Then the exit code is 0
      And it says "INFO: closing an unfinished launch for aws-cpu-[001-002]: EC2 shows nothing of it"

    Scenario: A placement group that nothing was launched into
      Given the execution plan "asba-execution-plan.json"
      And Slurm resumes "aws-hpc-[001-008]" with "asba-execution-plan.json", and the program is killed as EC2 answers "CreatePlacementGroup"
      And 10 minutes pass
      When the operator reconciles
      Then it did:
        | group | 1 |
      And no placement group is left

  Rule: It can be asked what it would do

    Scenario: Orphans and expired instances
      Given the execution plan "expires.json"
      And Slurm resumes "aws-cpu-[001-002]" with "expires.json"
      And "test-[001-003]" are running
      And Slurm suspends "test-[001-003]", and the program is killed as EC2 answers "DescribeInstances"
      And 61 minutes pass
      When the operator asks what reconcile would do
      Then the exit code is 0
      And it would do:
        | orphan   | 3 |
        | expired  | 2 |
        | vanished | 2 |
      And only "aws-cpu-[001-002],test-[001-003]" are running
      When the operator reconciles
      Then nothing is running

  Rule: A pass that fails is made good by the next

    Scenario: Killed as it ends the first orphan
      Given "aws-cpu-[001-004]" are running
      And Slurm suspends "aws-cpu-[001-004]", and the program is killed as EC2 answers "DescribeInstances"
      And the operator reconciles, and the program is killed as EC2 answers "TerminateInstances"
      When the operator reconciles
      Then the exit code is 0
      And it did:
        | orphan | 3 |
      And nothing is running

    Scenario: EC2 ends nothing
      Given "aws-cpu-001" is running
      And Slurm suspends "aws-cpu-001", and the program is killed as EC2 answers "DescribeInstances"
      And EC2 answers every TerminateInstances with "UnauthorizedOperation"
      When the operator reconciles
      Then the exit code is 1
      And it says:
        """
        ERROR: ending i-...: launched before aws-cpu-001 was last suspended: TerminateInstances: UnauthorizedOperation: A fault rule answers this call.
        """
      But EC2 is well again
      When the operator reconciles
      Then nothing is running
