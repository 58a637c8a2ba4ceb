Feature: Jobs that refer to their plans
  A job can say which plan is its own, by the plan's bytes. It says so where only the
  site can write, and a plan that has other bytes is another plan. What slurmctld says
  of a job is here all that it does; the launch is asked of EC2 as a dry run. `make e2e`
  has the whole of it.

  Background:
    Given the site's plans.dir is plans
    And the site's plans.references is true
    And the site's plans.timeout is 300ms
    And job 4711 wants "aws-hpc-[001-004]"

  Rule: The plan that a job refers to is its own

    Scenario: A plan that is there, beside one by the job's id
      Given job 4711 refers to the plan "gang.json"
      And the execution plan "invalid.json" as the plan of job 4711
      When the operator asks what a resume of "aws-hpc-[001-004]" would do
      Then the exit code is 0
      And it says nothing
      And the nodes are launched by the plan
      And "aws-hpc-[001-004]" are reported as planned
      And nothing is running

    Scenario: A job that refers to none has the plan with its id
      Given job 4711 refers to no plan
      And the execution plan "gang.json" as the plan of job 4711
      When the operator asks what a resume of "aws-hpc-[001-004]" would do
      Then the exit code is 0
      And it says nothing
      And the nodes are launched by the plan
      And nothing is running

    Scenario: A job that went past the plugin
      Given job 4711 has no AdminComment
      And the execution plan "gang.json" as the plan of job 4711
      When the operator asks what a resume of "aws-hpc-[001-004]" would do
      Then the exit code is 0
      And it says:
        """
        WARN: no AdminComment: job 4711, which can refer to no plan (see that slurmctld's job_submit plugin gives every job one, or take plans.references out of config.yaml)
        """
      And the nodes are launched by the plan
      And nothing is running

    Scenario: On a site that does not say so
      Given job 4711 refers to the plan "gang.json"
      And the site's plans.references is false
      When the operator asks what a resume of "aws-hpc-[001-004]" would do
      Then the exit code is 0
      And it says:
        """
        INFO: No execution plan for job 4711 in plans, using static configuration from config.yaml
        """
      And the nodes are launched standalone
      And nothing is running

  Rule: A job that names its plan is launched by no other

    Background:
      Given job 4711 refers to the plan "gang.json"
      And the execution plan "partial.json" as the plan of job 4711

    Scenario: The plan is not there
      Given the plan "gang.json" that is referred to is not there
      When the operator asks what a resume of "aws-hpc-[001-004]" would do
      Then the exit code is 0
      And it says:
        """
        WARN: job 4711: Execution plan not found at plans/DIGEST.json, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And the nodes are launched standalone
      And nothing is running

    Scenario: The plan is not there, and the site holds such jobs
      Given the plan "gang.json" that is referred to is not there
      And the site's plans.on_missing is hold
      When the operator asks what a resume of "aws-hpc-[001-004]" would do
      Then the exit code is 4
      And it says:
        """
        ERROR: job 4711: Execution plan not found at plans/DIGEST.json, and plans.on_missing is hold
        """
      And EC2 is not called

    Scenario Outline: The file <what>
      Given the plan "gang.json" that is referred to <what>
      When the operator asks what a resume of "aws-hpc-[001-004]" would do
      Then the exit code is 4
      And it says:
        """
        ERROR: Invalid execution plan: job 4711: the file is not the plan that the job refers to: its SHA-256 is ANOTHER (write plans aside and rename them, and change none: submit the job again with a new one)
        SUGGESTION: Run 'asba analyze' to generate valid plan
        """
      And EC2 is not called

      Examples:
        | what              |
        | was changed since |
        | is cut in half    |

  Rule: What a user writes is no reference

    Scenario: A user forges one
      Given job 4711 refers to no plan, and its user forges a reference to "gang.json"
      When the operator asks what a resume of "aws-hpc-[001-004]" would do
      Then the exit code is 0
      And it says:
        """
        WARN: job 4711: Execution plan not known: slurmctld's record of the job does not tell for certain what it refers to, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And the nodes are launched standalone
      And nothing is running

    @needs-root
    Scenario: A plan of somebody else's, that would take the site's rights
      Given an execution plan "dear.json" that says:
        """
        {"instance_specification": {"instance_types": ["c5n.18xlarge"], "purchasing_option": "on-demand", "security_group_ids": ["sg-0123456789abcdef0"]},
         "mpi_configuration": {"requires_gang_scheduling": true},
         "cost_constraints": {"max_cost_per_hour": 20},
         "network_configuration": {"placement_group_type": "none"}}
        """
      And job 4711 refers to the plan "dear.json"
      And the plan "dear.json" that is referred to belongs to somebody else
      When the operator asks what a resume of "aws-hpc-[001-004]" would do
      Then the exit code is 0
      And it says:
        """
        WARN: job 4711: the plan is untrusted and cannot set security_group_ids, using the configuration's
        """
      And nothing is running
