Feature: Validating plans
  Whoever writes plans learns what is wrong with one before a job waits for it, and
  in a pipeline as well as at a terminal. Nothing is asked of EC2.

  Rule: Each finding has its place, and the exit code counts them

    Scenario: A good plan
      Given the execution plan "gang.json"
      When the author runs "aws-slurm-burst validate-plan -q gang.json"
      Then the exit code is 0
      And it prints nothing
      And it says nothing
      And EC2 is not called

    Scenario: A plan without instance types
      Given the folder of the seed's command lines
      When the author runs "aws-slurm-burst validate-plan -q invalid.json"
      Then the exit code is 4
      And it prints:
        """
        invalid.json:4:23: error[PLAN020] /instance_specification/instance_types: no instance types specified (list at least one in instance_specification/instance_types)
        """

    Scenario: The seed's partial plan, which has a comment
      Given the folder of the seed's command lines
      When the author runs "aws-slurm-burst validate-plan -q partial.json"
      Then the exit code is 0
      And it prints:
        """
        partial.json:6:3: warning[PLAN010]: JSON has no comments: they are ignored here, but other programs refuse them (remove lines and line ends that begin with //)
        """

    Scenario Outline: A warning, with --fail-on <level>
      Given the folder of the seed's command lines
      When the author runs "aws-slurm-burst validate-plan -q -o github partial.json --fail-on <level>"
      Then the exit code is <code>
      And it prints:
        """
        ::warning file=partial.json,line=6,col=3,title=PLAN010::JSON has no comments: they are ignored here, but other programs refuse them (remove lines and line ends that begin with //)
        """

      Examples:
        | level   | code |
        | warning | 4    |
        | error   | 0    |
        | never   | 0    |

    Scenario: Nobody wants to hear of comments
      Given the folder of the seed's command lines
      When the author runs "aws-slurm-burst validate-plan -q partial.json --fail-on warning --suppress PLAN010"
      Then the exit code is 0
      And it prints nothing

    Scenario: A plan that is not there, and one that is
      Given the execution plan "invalid.json"
      When the author runs "aws-slurm-burst validate-plan -q missing.json invalid.json"
      Then the exit code is 2
      And it says:
        """
        ERROR: missing.json: no such file
        """
      And it prints:
        """
        invalid.json:1:69: error[PLAN020] /instance_specification/instance_types: no instance types specified (list at least one in instance_specification/instance_types)
        """

  Rule: A plan is judged for the site that it is for

    Scenario: Types that are smaller than the nodes in Slurm
      Given node group cpu's cpus is 8
      And an execution plan "plan.json" that says:
        """
        {"instance_specification": {"instance_types": ["c6i.xlarge", "c6i.2xlarge"]}}
        """
      When the author runs "aws-slurm-burst validate-plan -q plan.json --config config.yaml --partition aws/cpu"
      Then the exit code is 4
      And it prints:
        """
        plan.json:1:48: error[PLAN037] /instance_specification/instance_types/0: c6i.xlarge has 4 CPUs, nodes of cpu are declared with 8 (c6i.2xlarge is large enough)
        """

  Rule: What is validated is what is launched

    Scenario: A plan in variables becomes one in a file
      Given the variable ASBA_INSTANCE_TYPES=c5.xlarge
      When the author runs "aws-slurm-burst convert-plan --environment --output plan.json"
      Then the exit code is 0
      And it prints nothing
      When Slurm resumes "aws-cpu-001" with "plan.json"
      Then the exit code is 0
      And it says "INFO: Using ASBA instance types with default cost constraints"
      And every node is a c5.xlarge, spot, in us-east-1a

    Scenario: A mistake is mended, and the plan launched
      Given an execution plan "plan.json" that says:
        """
        {"instance_specification": {"instance_types": ["c5.xlarge"], "purchasing_option": "Spot"}} // by hand
        """
      When the author runs "aws-slurm-burst validate-plan -q plan.json --fix"
      Then the exit code is 0
      And it prints nothing
      When Slurm resumes "aws-cpu-001" with "plan.json"
      Then the exit code is 0
      And it says "INFO: Using ASBA instance types with default cost constraints"
      And every node is a c5.xlarge, spot, in us-east-1a
