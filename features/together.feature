Feature: Calls at the same time
  slurmctld starts its programs side by side, and starts one again after it has
  been killed itself. Whoever comes first, a node has one instance at most.

  Rule: A node is launched by one call

    Scenario: Two calls for the same nodes
      When "aws-cpu-[001-004]" are resumed twice at the same time
      Then one call launched "aws-cpu-[001-004]" and the other adopted them

    Scenario: Two calls that share some nodes
      When "aws-cpu-[001-004]" and "aws-cpu-[003-006]" are resumed at the same time
      Then each of "aws-cpu-[001-006]" was launched by one call

    Scenario: Two calls for the same node, named in another order
      When "aws-cpu-[001-002]" and "aws-cpu-[002,001]" are resumed at the same time
      Then one call launched "aws-cpu-[001-002]" and the other adopted them

    Scenario: A call that waits for another as long as it may
      Given a launch may take 4 seconds
      And EC2 takes 9 seconds to answer the next RunInstances
      When "aws-cpu-[001-002]" are resumed twice at the same time
      Then one call ends with exit code 0 and the other with 8
      And one of the two calls says:
        """
        ERROR: node aws-cpu-001 is still locked by another call after ... s, leaving its nodes to it
        """
      And only "aws-cpu-[001-002]" are running

  Rule: A suspend is never overtaken by the launch it came to prevent

    Scenario: All nodes are suspended while they are launched
      Given the execution plan "gang.json"
      When Slurm suspends "aws-hpc-[001-008]" while it resumes "aws-hpc-[001-008]" with "gang.json"
      Then the exit code is 0
      And there is 1 launch
      And "aws-hpc-[001-008]" are reported as suspended
      And nothing is running

    Scenario: A member of a gang is suspended while all are launched
      Given the execution plan "gang.json"
      When Slurm suspends "aws-hpc-001" while it resumes "aws-hpc-[001-004]" with "gang.json"
      Then the exit code is 1
      And it says:
        """
        ERROR: not launched: 1 of its nodes were suspended before it was whole
        """
      And nothing is running

    Scenario: A node is suspended while others are launched that do not need it
      Given the execution plan "best-effort.json"
      When Slurm suspends "aws-cpu-001" while it resumes "aws-cpu-[001-004]" with "best-effort.json"
      Then the exit code is 0
      And "aws-cpu-001" is reported as suspended
      And only "aws-cpu-[002-004]" are running

    Scenario: Other nodes are suspended meanwhile
      Given "aws-cpu-[001-002]" are running
      And the execution plan "gang.json"
      When Slurm suspends "aws-cpu-[001-002]" while it resumes "aws-hpc-[001-004]" with "gang.json"
      Then the exit code is 0
      And only "aws-hpc-[001-004]" are running
