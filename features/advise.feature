Feature: Advice
  What the advisor says for a job is what is launched: nobody has to mend its plans.

  Background:
    Given a job script "waves.sbatch" that says:
      """
      #!/bin/bash
      #SBATCH --nodes=2 --ntasks-per-node=36
      #SBATCH --mem=100G --time=4:00:00 --no-requeue
      module load openmpi
      mpirun ./waves
      """

  Rule: A plan is launched as it is

    Scenario: MPI over two nodes
      When the author runs "asba analyze waves.sbatch --output plan.json"
      Then the exit code is 0
      And it prints nothing
      And it says nothing
      And EC2 is not called
      When the author runs "aws-slurm-burst validate-plan -q plan.json --fail-on warning --nodes 2"
      Then the exit code is 0
      And it prints nothing
      When Slurm resumes "aws-hpc-[001-002]" with "plan.json"
      Then the exit code is 0
      And it says nothing
      And only "aws-hpc-[001-002]" are running
      And the nodes share a placement group of their own
      And the launch asks for 1 EFA interfaces, the first of them the instance's own

    Scenario: On spot, because it was asked for
      When the author runs "asba analyze waves.sbatch --usage-class spot --allow-list c5n.* --output plan.json"
      Then the exit code is 0
      When Slurm resumes "aws-hpc-[001-002]" with "plan.json"
      Then the exit code is 0
      And it says nothing
      And only "aws-hpc-[001-002]" are running
      And no launch asks for more than 3.888 USD an instance-hour on the spot market

    Scenario: In the variables of a shell
      When the operator runs:
        """
        export ASBA_INSTANCE_TYPES=t3.nano ASBA_MAX_SPOT_PRICE=0.001
        eval "$(asba analyze waves.sbatch --export-env)"
        aws-slurm-burst-resume aws-hpc-[001-002]
        """
      Then the exit code is 0
      And it says:
        """
        INFO: Using ASBA instance types with default cost constraints
        """
      And only "aws-hpc-[001-002]" are running
      And the nodes share a placement group of their own

  Rule: Advice against bursting gives the nodes back

    Scenario: More than the job may cost
      When the author runs "asba analyze waves.sbatch --allow-list c5n.18xlarge --budget 5 --output plan.json"
      Then the exit code is 0
      When Slurm resumes "aws-hpc-[001-002]" with "plan.json"
      Then the exit code is 0
      And it says "INFO: ASBA advises against bursting: no instance type in us-east-1 will do; the nearest: c5n.18xlarge comes to 31.10 USD, over the budget of 5.00"
      And nothing is running
      And there is no launch

  Rule: What sbatch would refuse has no plan

    Scenario: An option that there is not
      Given a job script "odd.sbatch" that says:
        """
        #!/bin/bash
        #SBATCH --nodes=two
        ./waves
        """
      When the author runs "asba analyze odd.sbatch"
      Then the exit code is 2
      And it prints nothing
      And it says:
        """
        ERROR: odd.sbatch:2:9: error[JOB009]: --nodes: "two" is not a number of nodes, nor a range such as 2-4
        """
      And EC2 is not called
