Feature: The seed's command lines
  Every command line of the project's first description works to the letter, in
  examples/seed, as its README has it.

  Background:
    Given the folder of the seed's command lines

  Scenario Outline: <line>
    When the operator runs "<line>"
    Then the exit code is 0
    And it says nothing
    And only "<nodes>" are running
    And every node is a <type>, <market>, in us-east-1a

    Examples:
      | line                                                                | nodes             | type       | market    |
      | aws-slurm-burst-resume aws-cpu-[001-004]                            | aws-cpu-[001-004] | c6i.xlarge | spot      |
      | aws-slurm-burst-resume test-[001-002] --config=test-config.yaml     | test-[001-002]    | t3.medium  | on-demand |

  Scenario Outline: <line>
    When the operator runs "<line>"
    Then the exit code is 0
    And the nodes share a placement group of their own
    And only "<nodes>" are running
    And every node is a c5n.18xlarge, spot, in us-east-1a

    Examples:
      | line                                                                                       | nodes              |
      | aws-slurm-burst-resume aws-hpc-[001-016] --execution-plan=plan.json                        | aws-hpc-[001-016]  |
      | aws-slurm-burst-resume test-[001-002] --execution-plan=examples/asba-execution-plan.json   | test-[001-002]     |

  Scenario: The plan is missing
    When the operator runs "aws-slurm-burst-resume aws-cpu-[001-004] --execution-plan=missing.json"
    Then the exit code is 0
    And it says:
      """
      WARN: Execution plan not found, falling back to standalone mode
      INFO: Using static configuration from config.yaml
      """
    And only "aws-cpu-[001-004]" are running

  Scenario: The plan is invalid
    When the operator runs "aws-slurm-burst-resume aws-cpu-[001-004] --execution-plan=invalid.json"
    Then the exit code is 4
    And it says:
      """
      ERROR: Invalid execution plan: no instance types specified
      SUGGESTION: Run 'asba analyze' to generate valid plan
      """
    And nothing is running

  Scenario: The plan is partial, and has a comment
    When the operator runs "aws-slurm-burst-resume aws-cpu-[001-004] --execution-plan=partial.json"
    Then the exit code is 0
    And it says:
      """
      WARN: partial.json:6:3: JSON has no comments: they are ignored here, but other programs refuse them (remove lines and line ends that begin with //)
      INFO: Using ASBA instance types with default cost constraints
      """
    And only "aws-cpu-[001-004]" are running

  Scenario: The plan is tried without launching
    When the operator runs "aws-slurm-burst-resume test-[001-002] --execution-plan=test-plan.json --dry-run"
    Then the exit code is 0
    And it says nothing
    And "test-[001-002]" are reported as planned
    And EC2 is not called

  Scenario: The plan is in the environment
    When the operator runs:
      """
      export ASBA_SHOULD_BURST=true ASBA_INSTANCE_TYPES="hpc7a.2xlarge,c6i.2xlarge" \
        ASBA_PURCHASING_OPTION=spot ASBA_MAX_SPOT_PRICE=0.85 ASBA_REQUIRES_EFA=true \
        ASBA_PLACEMENT_GROUP=cluster ASBA_MPI_PROCESSES=128 ASBA_GANG_SCHEDULING=true
      aws-slurm-burst-resume aws-hpc-[001-008]
      """
    Then the exit code is 0
    And it says:
      """
      WARN: no instance type of the plan has EFA, doing without
      WARN: hpc7a.2xlarge is not an EC2 instance type (did you mean hpc7a.12xlarge?), dropped
      """
    And the nodes share a placement group of their own
    And only "aws-hpc-[001-008]" are running
    And every node is a c6i.2xlarge, spot, in us-east-1a
