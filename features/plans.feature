Feature: Execution plans
  ASBA advises what to launch for a job in an execution plan. A job must not wait
  for ever because its plan cannot be had, and money must not be spent on a plan
  that makes no sense.

  Rule: Without a plan the site's configuration decides

    Scenario: No plan at all
      When Slurm resumes "aws-cpu-[001-004]"
      Then the exit code is 0
      And it says nothing
      And the nodes are launched standalone
      And only "aws-cpu-[001-004]" are running
      And every node is a c6i.xlarge, spot, in us-east-1a

    Scenario: A configuration that is named on the command line
      Given the folder of the seed's command lines
      When the operator runs "aws-slurm-burst-resume test-[001-002] --config test-config.yaml"
      Then the exit code is 0
      And only "test-[001-002]" are running
      And every node is a t3.medium, on-demand, in us-east-1a

    Scenario: A missing plan
      When Slurm resumes "aws-cpu-[001-004]" with "missing.json"
      Then the exit code is 0
      And it says:
        """
        WARN: Execution plan not found, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And the nodes are launched standalone
      And only "aws-cpu-[001-004]" are running

    Scenario: A plan in a folder that is none
      When Slurm resumes "aws-cpu-[001-004]" with "nowhere/plan.json"
      Then the exit code is 0
      And it says:
        """
        WARN: Execution plan not found, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And only "aws-cpu-[001-004]" are running

    Scenario: A folder in the plan's place
      Given an execution plan "plans/one.json" that says:
        """
        {}
        """
      When Slurm resumes "aws-cpu-001" with "plans"
      Then the exit code is 0
      And it says:
        """
        WARN: Execution plan not readable: not a regular file: plans, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And the nodes are launched standalone

    Scenario: A missing plan never makes way for the one in the environment
      Given the plan in the variables of "asba.env"
      When Slurm resumes "aws-cpu-001" with "missing.json"
      Then the exit code is 0
      And it says:
        """
        WARN: Execution plan not found, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And every node is a c6i.xlarge, spot, in us-east-1a

    Scenario: A missing plan at a site that insists on plans
      Given the site's plans.on_missing is hold
      When Slurm resumes "aws-cpu-[001-004]" with "missing.json"
      Then the exit code is 4
      And it says:
        """
        ERROR: Execution plan not found, and plans.on_missing is hold
        """
      And EC2 is not called

  Rule: A plan decides, from wherever it comes

    Scenario: A plan from a file
      Given the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-004]" with "gang.json"
      Then the exit code is 0
      And it says nothing
      And the nodes are launched by the plan
      And only "aws-hpc-[001-004]" are running
      And every node is a c5n.18xlarge, spot, in us-east-1a

    Scenario: A plan in the environment
      Given the folder of the seed's command lines
      And the plan in the variables of "asba.env"
      When Slurm resumes "aws-hpc-[001-008]"
      Then the exit code is 0
      And it says:
        """
        WARN: no instance type of the plan has EFA, doing without
        WARN: hpc7a.2xlarge is not an EC2 instance type (did you mean hpc7a.12xlarge?), dropped
        """
      And the nodes are launched by the plan
      And only "aws-hpc-[001-008]" are running
      And every node is a c6i.2xlarge, spot, in us-east-1a
      And the nodes share a placement group of their own
      And there is 1 launch
      And the launch asks for:
        | MinCount                                   | 8    |
        | MaxCount                                   | 8    |
        | InstanceMarketOptions.SpotOptions.MaxPrice | 0.85 |

    Scenario: A plan in a file wins over one in the environment
      Given the plan in the variables of "asba.env"
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-002]" with "gang.json"
      Then the exit code is 0
      And it says nothing
      And every node is a c5n.18xlarge, spot, in us-east-1a

    Scenario: Two types in a variable, and nothing else
      Given the variable ASBA_INSTANCE_TYPES=m6i.xlarge,c6i.xlarge
      When Slurm resumes "aws-cpu-[001-002]"
      Then the exit code is 0
      And the nodes are launched by the plan
      And every node is a m6i.xlarge, spot, in us-east-1a

    Scenario: A variable that advises against bursting
      Given the variable ASBA_SHOULD_BURST=false
      When Slurm resumes "aws-cpu-[001-002]"
      Then the exit code is 0
      And it says "INFO: ASBA advises against bursting: no reason given"
      And EC2 is not called

    Scenario: What a plan leaves out comes from the configuration
      Given the execution plan "partial.json"
      When Slurm resumes "aws-cpu-[001-004]" with "partial.json"
      Then the exit code is 0
      And it says:
        """
        INFO: Using ASBA instance types with default cost constraints
        """
      And the nodes are launched by the plan
      And only "aws-cpu-[001-004]" are running
      And every node is a c6i.xlarge, spot, in us-east-1a

    Scenario: A plan that advises against bursting
      Given the execution plan "against.json"
      When Slurm resumes "aws-cpu-[001-004]" with "against.json"
      Then the exit code is 0
      And it says:
        """
        INFO: ASBA advises against bursting: queue is short
        """
      And EC2 is not called
      And nothing is running

  Rule: A dry run makes no call

    Scenario Outline: A dry run with <plan>
      Given the execution plan "<plan>"
      When the operator runs "aws-slurm-burst-resume aws-hpc-[001-008] --execution-plan=<plan> --dry-run"
      Then the exit code is 0
      And it says nothing
      And "aws-hpc-[001-008]" are reported as planned
      And EC2 is not called
      And nothing is running

      Examples:
        | plan                     |
        | gang.json                |
        | asba-execution-plan.json |

    Scenario: A dry run in which EC2 is asked
      Given the execution plan "gang.json"
      When the operator runs "aws-slurm-burst-resume aws-hpc-[001-008] --execution-plan=gang.json --dry-run=server"
      Then the exit code is 0
      And it says nothing
      And "aws-hpc-[001-008]" are reported as planned
      And the launch asks for:
        | DryRun | true |
      And nothing is running

    Scenario: A dry run in which EC2 says no
      Given EC2 answers every launch with "UnauthorizedOperation"
      And the execution plan "gang.json"
      When the operator runs "aws-slurm-burst-resume aws-hpc-[001-008] --execution-plan=gang.json --dry-run=server"
      Then the exit code is 7
      And it says:
        """
        WARN: c5n.18xlarge spot us-east-1a: RunInstances c5n.18xlarge us-east-1a: UnauthorizedOperation: A fault rule answers this call.
        WARN: c5n.18xlarge spot us-east-1b: RunInstances c5n.18xlarge us-east-1b: UnauthorizedOperation: A fault rule answers this call.
        WARN: c5n.18xlarge on-demand us-east-1a: RunInstances c5n.18xlarge us-east-1a: UnauthorizedOperation: A fault rule answers this call.
        WARN: c5n.18xlarge on-demand us-east-1b: RunInstances c5n.18xlarge us-east-1b: UnauthorizedOperation: A fault rule answers this call.
        """
      And nothing is running
