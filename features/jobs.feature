Feature: Jobs with plans of their own
  In production slurmctld names no plan: the site's folder has one for each job.
  One job's plan must not decide for another, and one that is no good must not
  stop the others.

  Background:
    Given the site's plans.dir is plans

  Rule: Each job's nodes are launched by its own plan

    Scenario: Each job has a plan of its own
      Given an execution plan "plans/4711.json" that says:
        """
        {"instance_specification": {"instance_types": ["c5n.18xlarge"], "purchasing_option": "on-demand"},
         "mpi_configuration": {"requires_gang_scheduling": true},
         "cost_constraints": {"max_cost_per_hour": 20},
         "network_configuration": {"placement_group_type": "none"}}
        """
      And an execution plan "plans/4712.json" that says:
        """
        {"instance_specification": {"instance_types": ["c5.xlarge"], "purchasing_option": "spot"},
         "mpi_configuration": {"requires_gang_scheduling": false},
         "cost_constraints": {"max_cost_per_hour": 20},
         "network_configuration": {"placement_group_type": "none"}}
        """
      And job 4711 wants "aws-hpc-[001-002]"
      And job 4712 wants "aws-cpu-001"
      And job 4713 wants "aws-cpu-002"
      When Slurm resumes "aws-hpc-[001-002],aws-cpu-[001-002]"
      Then the exit code is 0
      And it says:
        """
        INFO: No execution plan for job 4713 in plans, using static configuration from config.yaml
        """
      And the nodes are launched by the plan
      And there are 3 launches
      And only "aws-hpc-[001-002],aws-cpu-[001-002]" are running
      And each of "aws-hpc-[001-002]" is a c5n.18xlarge, on-demand, in us-east-1a
      And each of "aws-cpu-001" is a c5.xlarge, spot, in us-east-1a
      And each of "aws-cpu-002" is a c6i.xlarge, spot, in us-east-1a

    Scenario: A plan that is named comes before those of the jobs
      Given the execution plan "gang.json"
      And the execution plan "invalid.json" as the plan of job 4711
      And job 4711 wants "aws-hpc-[001-004]"
      When Slurm resumes "aws-hpc-[001-004]" with "gang.json"
      Then the exit code is 0
      And it says nothing
      And only "aws-hpc-[001-004]" are running
      And every node is a c5n.18xlarge, spot, in us-east-1a

  Rule: A plan that is no good stops its own job alone

    Background:
      Given an execution plan "plans/4711.json" that says:
        """
        {"instance_specification": {"instance_types": ["c5.xlarge"], "purchasing_option": "on-demand"},
         "mpi_configuration": {"requires_gang_scheduling": true},
         "cost_constraints": {"max_cost_per_hour": 20},
         "network_configuration": {"placement_group_type": "none"}}
        """
      And job 4711 wants "aws-hpc-[001-002]"
      And job 4712 wants "aws-hpc-[003-004]"

    Scenario: An invalid plan beside a good one
      Given the execution plan "invalid.json" as the plan of job 4712
      When Slurm resumes "aws-hpc-[001-004]"
      Then the exit code is 3
      And it says:
        """
        ERROR: Invalid execution plan: job 4712: no instance types specified
        SUGGESTION: Run 'asba analyze' to generate valid plan
        """
      And "aws-hpc-[003-004]" are reported as failed
      And there is 1 launch
      And only "aws-hpc-[001-002]" are running
      And every node is a c5.xlarge, on-demand, in us-east-1a

    Scenario: Advice against bursting beside a good plan
      Given the execution plan "against.json" as the plan of job 4712
      When Slurm resumes "aws-hpc-[001-004]"
      Then the exit code is 0
      And it says:
        """
        INFO: ASBA advises against bursting: job 4712: queue is short
        """
      And "aws-hpc-[003-004]" are reported as failed
      And only "aws-hpc-[001-002]" are running

    Scenario: No plan for one of two jobs at a site that insists on plans
      Given the site's plans.on_missing is hold
      When Slurm resumes "aws-hpc-[001-004]"
      Then the exit code is 3
      And it says:
        """
        ERROR: No execution plan for job 4712 in plans, and plans.on_missing is hold
        """
      And "aws-hpc-[003-004]" are reported as failed
      And only "aws-hpc-[001-002]" are running

    Scenario: An invalid plan alone
      Given the execution plan "invalid.json" as the plan of job 4712
      When Slurm resumes "aws-hpc-[003-004]"
      Then the exit code is 4
      And it says:
        """
        ERROR: Invalid execution plan: job 4712: no instance types specified
        SUGGESTION: Run 'asba analyze' to generate valid plan
        """
      And EC2 is not called
      And nothing is running
