Feature: Suspends
  Slurm powers nodes down when nobody needs them any more. Their instances end,
  and no others do.

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
      And the nodes share a placement group of their own
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

    Scenario: What runs can be ended from EC2's tags alone
      Given "aws-cpu-[001-004]" are running
      But the programs' state is lost
      When Slurm suspends "aws-cpu-[001-002]"
      Then the exit code is 0
      And it says nothing
      And only "aws-cpu-[003-004]" are running

    Scenario: Nodes of another launch stay
      Given "aws-cpu-[001-002]" are running
      And "aws-cpu-[003-004],test-001" are running
      When Slurm suspends "aws-cpu-[002-003]"
      Then the exit code is 0
      And it says nothing
      And only "aws-cpu-[001,004],test-001" are running
      And "aws-cpu-[001,004]" have the same instances as before

    Scenario: Some nodes have an instance and others never had one
      Given "aws-cpu-[001-002]" are running
      When Slurm suspends "aws-cpu-[001-004]"
      Then the exit code is 0
      And it says nothing
      And "aws-cpu-[001-002]" are reported as terminated
      And "aws-cpu-[003-004]" are reported as absent
      And nothing is running

    Scenario: Nodes that are suspended twice
      Given "aws-cpu-[001-004]" are running
      And Slurm suspends "aws-cpu-[001-004]"
      When Slurm suspends "aws-cpu-[001-004]"
      Then the exit code is 0
      And it says nothing
      And nothing is running

    Scenario: A node that somebody runs twice
      Given "aws-cpu-[001-002]" are running
      And somebody launches a second instance of "aws-cpu-001"
      When Slurm suspends "aws-cpu-001"
      Then the exit code is 0
      And only "aws-cpu-002" is running

    Scenario: A node that nobody knows
      Given "aws-cpu-001" is running
      When Slurm suspends "aws-cpu-001,gpu-001"
      Then the exit code is 2
      And it says "ERROR: node gpu-001 belongs to no node group of config.yaml, ending nothing"
      And EC2 is not called
      And only "aws-cpu-001" is running

  Rule: One instance that cannot be ended keeps no other from ending

    Scenario: EC2 has ended one of them by itself
      Given "aws-cpu-[001-004]" are running
      And EC2 ends the instance of "aws-cpu-002"
      When Slurm suspends "aws-cpu-[001-004]"
      Then the exit code is 0
      And it says nothing
      And nothing is running

    Scenario: EC2 loses one of them as it is asked to end them all
      Given "aws-cpu-[001-004]" are running
      And EC2 loses the instance of "aws-cpu-002" as it is asked to end those of "aws-cpu-[001-004]"
      When Slurm suspends "aws-cpu-[001-004]"
      Then the exit code is 0
      And it says nothing
      And "aws-cpu-[001-004]" are reported as terminated
      And nothing is running

    Scenario: One of them is protected
      Given "aws-cpu-[001-004]" are running
      And the instance of "aws-cpu-002" is protected when those of "aws-cpu-[001-004]" are to be ended
      When Slurm suspends "aws-cpu-[001-004]"
      Then the exit code is 3
      And it says:
        """
        ERROR: OperationNotPermitted: EC2 refused TerminateInstances: A fault rule answers this call. (correct what EC2 names, in the configuration, the plan or the launch template)
        ERROR: not ended: i-...: TerminateInstances: OperationNotPermitted: A fault rule answers this call.; the next suspend of these nodes and reconcile try again
        """
      And "aws-cpu-002" is reported as failed
      And only "aws-cpu-002" is running
      But EC2 is well again
      When Slurm suspends "aws-cpu-002"
      Then the exit code is 0
      And nothing is running

  Rule: A node that comes back is another instance

    Scenario: Suspended and resumed
      Given "aws-cpu-001" is running
      And Slurm suspends "aws-cpu-001"
      When Slurm resumes "aws-cpu-001"
      Then the exit code is 0
      And "aws-cpu-001" is reported as launched
      And only "aws-cpu-001" is running

    Scenario: Suspended and resumed with its gang
      Given the execution plan "gang.json"
      And Slurm resumes "aws-hpc-[001-004]" with "gang.json"
      And Slurm suspends "aws-hpc-[001-004]"
      When Slurm resumes "aws-hpc-[001-004]" with "gang.json"
      Then the exit code is 0
      And there is 1 launch
      And "aws-hpc-[001-004]" are reported as launched
      And only "aws-hpc-[001-004]" are running

  Rule: Nodes that did not come up in time are ended

    Scenario: Each on its instance
      Given "aws-cpu-[001-002]" are running
      When Slurm gives up waiting for "aws-cpu-[001-002]"
      Then the exit code is 0
      And it says of each of "aws-cpu-[001-002]" that it did not register in time, and on which instance
      And it suggests to wait longer for machines of node group "cpu"
      And nothing is running

    Scenario: Some never had an instance
      Given "aws-cpu-001" is running
      When Slurm gives up waiting for "aws-cpu-[001-002]"
      Then the exit code is 0
      And it says of each of "aws-cpu-001" that it did not register in time, and on which instance
      And it suggests to wait longer for machines of node group "cpu"
      And it says "WARN: aws-cpu-002 did not register in time: no instance"
      And nothing is running

    Scenario: A member of a gang, while the others work
      Given the execution plan "gang.json"
      And Slurm resumes "aws-hpc-[001-004]" with "gang.json"
      When Slurm gives up waiting for "aws-hpc-003"
      Then the exit code is 0
      And it says of each of "aws-hpc-003" that it did not register in time, and on which instance
      And it suggests to wait longer for machines of node group "hpc"
      And only "aws-hpc-[001-002,004]" are running
