Feature: Trust
  A plan asks for machines. What acts with the site's rights (code at boot, roles,
  networks, templates) it sets only where the site trusts it with that.

  Rule: A plan of somebody else sets nothing that acts with the site's rights

    @needs-root
    Scenario: All of it at once
      Given an execution plan "theirs.json" that says:
        """
        {"should_burst": true,
         "instance_specification": {"instance_types": ["c6i.xlarge"], "purchasing_option": "on-demand",
           "user_data": "#!/bin/sh", "iam_instance_profile": "admin", "launch_template_name": "theirs",
           "security_group_ids": ["sg-00000001"], "subnet_ids": ["subnet-00000001"]},
         "network_configuration": {"placement_group_type": "none", "placement_group_name": "theirs", "availability_zones": ["us-east-1b"]},
         "cost_constraints": {}, "mpi_configuration": {}, 
         "execution_metadata": {"tags": {"Project": "x", "aws-slurm-burst:cluster": "other"}}}
        """
      And "theirs.json" belongs to somebody else
      When Slurm resumes "aws-cpu-[001-002]" with "theirs.json"
      Then the exit code is 0
      And it says:
        """
        WARN: the plan is untrusted and cannot set user_data, iam_instance_profile, launch_template_name, placement_group_name, security_group_ids, subnet_ids, tags, using the configuration's
        """
      And the launch asks for:
        | UserData                          |  |
        | IamInstanceProfile.Name           |  |
        | LaunchTemplate.LaunchTemplateName |  |
        | SecurityGroupId.1                 |  |
        | Placement.GroupName               |  |
      And every node is a c6i.xlarge, on-demand, in us-east-1b
      And every node carries the tags:
        | Project | x |

    Scenario: A plan that anyone could have written is refused
      Given the execution plan "gang.json"
      And "gang.json" may be written by anyone
      When Slurm resumes "aws-hpc-[001-004]" with "gang.json"
      Then the exit code is 4
      And it says:
        """
        ERROR: Invalid execution plan: the plan file is world-writable: anyone could have written it (chmod o-w it)
        SUGGESTION: Run 'asba analyze' to generate valid plan
        """
      And EC2 is not called

  Rule: A trusted plan sets what policy lets it

    Scenario: User data and roles are the site's unless it says otherwise
      Given an execution plan "plan.json" that says:
        """
        {"should_burst": true,
         "instance_specification": {"instance_types": ["c6i.xlarge"], "purchasing_option": "on-demand",
           "user_data": "#!/bin/sh", "iam_instance_profile": "admin"},
         "cost_constraints": {"max_cost_per_hour": 5}}
        """
      When Slurm resumes "aws-cpu-001" with "plan.json"
      Then the exit code is 0
      And it says "WARN: policy does not let a plan set user_data, iam_instance_profile, using the configuration's"
      And the launch asks for:
        | UserData                |  |
        | IamInstanceProfile.Name |  |

    Scenario: A site that lets plans set user data
      Given the site's policy.allow_user_data is true
      And an execution plan "plan.json" that says:
        """
        {"should_burst": true,
         "instance_specification": {"instance_types": ["c6i.xlarge"], "purchasing_option": "on-demand", "user_data": "#!/bin/sh"},
         "cost_constraints": {"max_cost_per_hour": 5}}
        """
      When Slurm resumes "aws-cpu-001" with "plan.json"
      Then the exit code is 0
      And the launch asks for:
        | UserData | IyEvYmluL3No |

    Scenario Outline: A site that keeps <key> to itself
      Given the site's policy.<policy> is false
      And an execution plan "plan.json" that says:
        """
        {"should_burst": true,
         "instance_specification": {"instance_types": ["c6i.xlarge"], "purchasing_option": "on-demand", "<key>": <value>},
         "cost_constraints": {"max_cost_per_hour": 5}}
        """
      When Slurm resumes "aws-cpu-001" with "plan.json"
      Then the exit code is 0
      And it says "WARN: policy does not let a plan set <key>, using the configuration's"
      And only "aws-cpu-001" is running

      Examples:
        | key                  | policy                | value               |
        | launch_template_name | allow_launch_template | "theirs"            |
        | security_group_ids   | allow_security_groups | ["sg-00000001"]     |
        | subnet_ids           | allow_subnets         | ["subnet-00000001"] |
