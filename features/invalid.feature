Feature: Invalid plans
  Money must not be spent on a plan that makes no sense. What is wrong with it is
  said with its place, and nothing is launched unless the site would rather.

  Rule: An invalid plan launches nothing

    Scenario: A plan without instance types
      Given the execution plan "invalid.json"
      When Slurm resumes "aws-cpu-[001-004]" with "invalid.json"
      Then the exit code is 4
      And it says:
        """
        ERROR: Invalid execution plan: no instance types specified
        SUGGESTION: Run 'asba analyze' to generate valid plan
        """
      And EC2 is not called
      And nothing is running

    Scenario: An invalid plan at a site that would rather launch
      Given the site's plans.on_invalid is standalone
      And the execution plan "invalid.json"
      When Slurm resumes "aws-cpu-[001-004]" with "invalid.json"
      Then the exit code is 0
      And it says:
        """
        ERROR: Invalid execution plan: no instance types specified
        SUGGESTION: Run 'asba analyze' to generate valid plan
        INFO: Using static configuration from config.yaml
        """
      And only "aws-cpu-[001-004]" are running

    Scenario Outline: A plan with a mistake: <mistake>
      Given an execution plan "plan.json" that says:
        """
        {"should_burst": true, "instance_specification": {<specification>}}
        """
      When Slurm resumes "aws-cpu-001" with "plan.json"
      Then the exit code is 4
      And it says:
        """
        ERROR: Invalid execution plan: <line>
        SUGGESTION: Run 'asba analyze' to generate valid plan
        """
      And EC2 is not called

      Examples:
        | mistake           | specification                                                  | line |
        | unknown market    | "instance_types": ["c6i.xlarge"], "purchasing_option": "spott" | plan.json:1:106: "spott" is not a purchasing option (did you mean spot?) |
        | negative price    | "instance_types": ["c6i.xlarge"], "max_spot_price": -1         | plan.json:1:103: max_spot_price is -1, less than nothing (it must be a number of USD) |
        | a number for text | "instance_types": [7]                                          | plan.json:1:70: each item must be a string that is not empty |

    Scenario: All that is wrong is said at once
      Given an execution plan "plan.json" that says:
        """
        {"should_burst": true,
         "instance_specification": {"instance_types": ["c6i.16xlarge", "c7g.16xlarge"], "purchasing_option": "on-demand"},
         "mpi_configuration": {"requires_gang_scheduling": true, "process_count": 128},
         "cost_constraints": {"max_total_cost": 10, "max_cost_per_hour": 4, "max_duration_hours": 3},
         "execution_metadata": {"tags": {"aws:project": "hpc"}}}
        """
      When Slurm resumes "aws-hpc-[001-002]" with "plan.json"
      Then the exit code is 4
      And it says:
        """
        ERROR: Invalid execution plan: plan.json:2:64: c7g.16xlarge is arm64, but c6i.16xlarge is x86_64: a gang runs one program on machines that are alike (write types of one architecture)
        ERROR: Invalid execution plan: plan.json:4:41: max_total_cost is 10.00 USD, but max_cost_per_hour for max_duration_hours comes to 12.00 (the lower of the two would bind: write at most 3.33 as max_cost_per_hour)
        ERROR: Invalid execution plan: plan.json:5:34: EC2 keeps tags that begin with aws: for itself: "aws:project" (choose another key)
        SUGGESTION: Run 'asba analyze' to generate valid plan
        """
      And EC2 is not called

    Scenario: A type that is smaller than the nodes' line in Slurm
      Given node group cpu's cpus is 8
      And an execution plan "plan.json" that says:
        """
        {"should_burst": true, "instance_specification": {"instance_types": ["c6i.xlarge", "c6i.2xlarge"], "purchasing_option": "on-demand"},
         "mpi_configuration": {"is_mpi_job": false}, "cost_constraints": {"max_cost_per_hour": 1}, "network_configuration": {"availability_zones": ["us-east-1a"]}}
        """
      When Slurm resumes "aws-cpu-001" with "plan.json"
      Then the exit code is 0
      And it says "WARN: c6i.xlarge has 4 CPUs, nodes of cpu are declared with 8, dropped"
      And every node is a c6i.2xlarge, on-demand, in us-east-1a

    Scenario: No type that is as large as the nodes' line in Slurm
      Given node group cpu's gres is "gpu:4"
      And an execution plan "plan.json" that says:
        """
        {"should_burst": true, "instance_specification": {"instance_types": ["g5.xlarge"], "purchasing_option": "on-demand"}}
        """
      When Slurm resumes "aws-cpu-001" with "plan.json"
      Then the exit code is 4
      And it says:
        """
        WARN: g5.xlarge has 1 GPU, nodes of cpu are declared with gpu:4, dropped
        ERROR: Invalid execution plan: plan.json:1:69: no possible instance type is left: g5.xlarge has 1 GPU, nodes of cpu are declared with gpu:4 (run 'asba recommend-instances' for types that fit)
        SUGGESTION: Run 'asba analyze' to generate valid plan
        """
      And EC2 is not called

    Scenario: A plan of types that nobody sells
      Given an execution plan "plan.json" that says:
        """
        {"should_burst": true, "instance_specification": {"instance_types": ["c6i.huge"]}}
        """
      When Slurm resumes "aws-cpu-001" with "plan.json"
      Then the exit code is 4
      And it says:
        """
        WARN: c6i.huge is not an EC2 instance type (did you mean c6i.large?), dropped
        ERROR: Invalid execution plan: plan.json:1:69: no possible instance type is left: c6i.huge is not an EC2 instance type (did you mean c6i.large?) (run 'asba recommend-instances' for types that fit)
        SUGGESTION: Run 'asba analyze' to generate valid plan
        """
      And EC2 is not called

    Scenario Outline: <what>
      Given an execution plan "plan.json" that says:
        """
        <text>
        """
      When Slurm resumes "aws-cpu-001" with "plan.json"
      Then the exit code is 4
      And it says:
        """
        ERROR: Invalid execution plan: <line>
        SUGGESTION: Run 'asba analyze' to generate valid plan
        """
      And EC2 is not called

      Examples:
        | what                    | text               | line |
        | A plan that breaks off  | {"should_burst": t | plan.json:1:19: the plan ends too early (it was cut short: write it again) |
        | A plan that is no JSON  | should_burst       | plan.json:1:1: not valid JSON: invalid character 's' at start of value |
        | A plan that is a list   | []                 | plan.json:1:1: the plan must be an object, not an array |

    Scenario: A variable with a mistake
      Given the variable ASBA_INSTANCE_TYPES=c6i.xlarge
      And the variable ASBA_MAX_SPOT_PRICE=cheap
      When Slurm resumes "aws-cpu-001"
      Then the exit code is 4
      And it says:
        """
        ERROR: Invalid execution plan: ASBA_MAX_SPOT_PRICE must be a number of USD, not "cheap"
        SUGGESTION: Run 'asba analyze' to generate valid plan
        """
      And EC2 is not called

    Scenario Outline: Variables of somebody who means no good: <variable>
      Given the variable ASBA_INSTANCE_TYPES=c6i.xlarge
      And the variable <variable>
      When Slurm resumes "aws-cpu-001"
      Then the exit code is 4
      And it says:
        """
        ERROR: Invalid execution plan: <line>
        SUGGESTION: Run 'asba analyze' to generate valid plan
        """
      And "broken" is gone
      And EC2 is not called

      Examples:
        | variable                              | line |
        | ASBA_SHOULD_BURST=true; touch broken  | ASBA_SHOULD_BURST must be true or false, not "true; touch broken" |
        | ASBA_PLACEMENT_GROUP=../../etc/passwd | "../../etc/passwd" is not a placement group type (write cluster, partition, spread or none) |
        | ASBA_MPI_PROCESSES=1e300              | ASBA_MPI_PROCESSES is 1e300, more than any plan can mean (it must be a whole number, at most 1000000) |
        | ASBA_MAX_SPOT_PRICE=-1                | ASBA_MAX_SPOT_PRICE is -1, less than nothing (it must be a number of USD) |

    Scenario: A type that is a command
      Given the variable ASBA_INSTANCE_TYPES=$(touch broken),c6i.xlarge
      When Slurm resumes "aws-cpu-001"
      Then the exit code is 0
      And it says "WARN: "$(touch broken)" is not an instance type's name, dropped"
      And "broken" is gone
      And every node is a c6i.xlarge, spot, in us-east-1a

    Scenario: A wish that no type can meet
      Given an execution plan "plan.json" that says:
        """
        {"should_burst": true, "instance_specification": {"instance_types": ["c6i.xlarge"]}, "mpi_configuration": {"requires_efa": true}}
        """
      When Slurm resumes "aws-cpu-001" with "plan.json"
      Then the exit code is 4
      And it says:
        """
        WARN: c6i.xlarge has no EFA, dropped
        ERROR: Invalid execution plan: plan.json:1:69: no possible instance type is left: c6i.xlarge has no EFA (run 'asba recommend-instances' for types that fit)
        SUGGESTION: Run 'asba analyze' to generate valid plan
        """
      And EC2 is not called

    Scenario: A wish that no type can meet, at a site that lets it go
      Given the site's plans.on_impossible is relax
      And an execution plan "plan.json" that says:
        """
        {"should_burst": true, "instance_specification": {"instance_types": ["c6i.xlarge"]}, "mpi_configuration": {"requires_efa": true},
         "cost_constraints": {"max_cost_per_hour": 1}, "network_configuration": {"availability_zones": ["us-east-1a"]}}
        """
      When Slurm resumes "aws-cpu-001" with "plan.json"
      Then the exit code is 0
      And it says "WARN: no instance type of the plan has EFA, doing without"
      And only "aws-cpu-001" is running
