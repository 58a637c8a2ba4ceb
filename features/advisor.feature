Feature: The shipped advisor
  What arrival.feature asks of any advisor, held against the one that is shipped: its
  daemon, its server, its command, and its variables. It is started, stopped, held up
  and pestered as a process. What it cannot be brought to do stays with the stand-in
  there: a plan that is partial (its plans are whole, but for those in variables), an
  answer that is cut short, is another question's, has ten megabytes, drips or
  redirects. Variables are there before the call is: nothing about them can be late,
  and nobody else is asked for them.

  Background: an advisor that takes one type, which no node has without a plan
    Given ASBA is the shipped one, told "--allow-list=c6i.2xlarge"
    And the site's asba.timeout is 30s

  Rule: What it advises is launched

    Scenario Outline: Asked <way>
      When Slurm resumes "aws-hpc-[001-004]", asking ASBA <way>
      Then the exit code is 0
      And it says nothing
      And the nodes are launched by the plan
      And only "aws-hpc-[001-004]" are running
      And every node is a c6i.2xlarge, on-demand, in us-east-1a

      Examples:
        | way            |
        | over its pipe  |
        | over HTTP      |
        | by its command |

    Scenario: In PATH, without a word of it in the configuration
      Given ASBA is the shipped one
      And the variable ASBA_SHOULD_BURST=false
      When Slurm resumes "aws-hpc-[001-002]", asking ASBA by its command
      Then the exit code is 0
      And it says nothing
      And the nodes are launched by the plan
      And only "aws-hpc-[001-002]" are running

    Scenario: In variables, which have no room for all of a plan
      Given a job script "waves.sbatch" that says:
        """
        #!/bin/bash
        #SBATCH --nodes=2 --no-requeue
        ./waves
        """
      When the operator runs:
        """
        export ASBA_MAX_SPOT_PRICE=0.001 # of an earlier job
        eval $(asba analyze waves.sbatch --allow-list=c6i.2xlarge --export-env)
        aws-slurm-burst-resume aws-hpc-[001-002]
        """
      Then the exit code is 0
      And it says "INFO: Using ASBA instance types with default cost constraints"
      And only "aws-hpc-[001-002]" are running
      And every node is a c6i.2xlarge, on-demand, in us-east-1a

  Rule: In production the configuration alone connects the two

    Background:
      Given the programs are called with an empty environment

    Scenario Outline: Each job has a plan of its own, asked for <way>
      Given ASBA is the shipped one, told "--allow-list=c5n.18xlarge,c6i.xlarge,c6i.2xlarge"
      And slurmctld tells ASBA of job 4711: Partition=aws NumNodes=2-2 NumTasks=72 NtasksPerN:B:S:C=36:0:*:* CPUs/Task=1 MinMemoryNode=100G TimeLimit=04:00:00 Requeue=0
      And slurmctld keeps a script of job 4711 that says:
        """
        #!/bin/bash
        module load openmpi
        mpirun ./waves
        """
      And slurmctld tells ASBA of job 4712: Partition=aws NumNodes=1-1 NumTasks=1 CPUs/Task=2 MinMemoryNode=4G TimeLimit=00:30:00 Requeue=0
      And slurmctld tells ASBA of job 4713: Partition=aws NumNodes=1-1 NumTasks=1 CPUs/Task=4 MinMemoryNode=12G TimeLimit=00:30:00 Requeue=0
      And slurmctld tells ASBA of job 4714: Partition=aws NumNodes=1-1 NumTasks=1 CPUs/Task=4 MinMemoryNode=900G TimeLimit=00:30:00 Requeue=0
      And the site asks ASBA <way>
      And job 4711 wants "aws-hpc-[001-002]"
      And job 4712 wants "aws-cpu-001"
      And job 4713 wants "aws-cpu-002"
      And job 4714 wants "aws-cpu-003"
      When Slurm resumes "aws-hpc-[001-002],aws-cpu-[001-003]"
      Then the exit code is 0
      And it says "INFO: ASBA advises against bursting: job 4714: no instance type in us-east-1 will do; the nearest: c5n.18xlarge leaves jobs 182.4 GiB of memory, the job needs 900 GiB"
      And only "aws-hpc-[001-002],aws-cpu-[001-002]" are running
      And each of "aws-hpc-[001-002]" is a c5n.18xlarge, on-demand, in us-east-1a
      And each of "aws-cpu-001" is a c6i.xlarge, spot, in us-east-1a
      And each of "aws-cpu-002" is a c6i.2xlarge, spot, in us-east-1a

      Examples:
        | way            |
        | over its pipe  |
        | over HTTP      |
        | by its command |

    Scenario Outline: A job that its slurmctld does not know, asked for <way>
      Given slurmctld tells ASBA of job 4711: Partition=aws NumNodes=1-1
      And the site asks ASBA <way>
      And job 4712 wants "aws-hpc-[001-002]"
      When Slurm resumes "aws-hpc-[001-002]"
      Then the exit code is 0
      And it says nothing
      And only "aws-hpc-[001-002]" are running
      And every node is a c6i.2xlarge, on-demand, in us-east-1a

      Examples:
        | way            |
        | over its pipe  |
        | over HTTP      |

    Scenario: A job that its slurmctld does not know, which the command is not told more of
      Given slurmctld tells ASBA of job 4711: Partition=aws NumNodes=1-1
      And the site asks ASBA by its command
      And job 4712 wants "aws-hpc-[001-002]"
      When Slurm resumes "aws-hpc-[001-002]"
      Then the exit code is 0
      And it says:
        """
        WARN: job 4712: ASBA has no plan: ./asba failed with exit status 2: ERROR: Slurm has no job 4712 (it forgets one MinJobAge after its end), falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And only "aws-hpc-[001-002]" are running
      And every node is a c5n.18xlarge, on-demand, in us-east-1a

    Scenario: A prolog keeps the plan where the configuration looks for it, in place of variables
      Given slurmctld tells ASBA of job 4711: Partition=aws NumNodes=2-2 NumTasks=2 CPUs/Task=4 TimeLimit=01:00:00 Requeue=0
      And ASBA answers by its command
      And the site's plans.dir is plans
      And job 4711 wants "aws-hpc-[001-002]"
      When the author runs "mkdir plans; ./asba slurm-prolog --job-id=4711 --partition=aws/hpc --store=plans"
      Then the exit code is 0
      And it says nothing
      When Slurm resumes "aws-hpc-[001-002]"
      Then the exit code is 0
      And it says nothing
      And only "aws-hpc-[001-002]" are running
      And every node is a c6i.2xlarge, spot, in us-east-1a

  Rule: Where it is away the configuration counts

    Scenario Outline: It <went>, and is asked <way>
      Given the site's asba.timeout is 700ms
      And ASBA answers <way>
      And ASBA is <went>
      When Slurm resumes "aws-hpc-[001-004]", asking ASBA <way>
      Then the exit code is 0
      And it took less than 10 seconds
      And it says:
        """
        WARN: ASBA not reachable at <at>, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And the nodes are launched standalone
      And only "aws-hpc-[001-004]" are running
      And every node is a c5n.18xlarge, on-demand, in us-east-1a

      Examples:
        | went         | way           | at          |
        | told to stop | over its pipe | asba.pipe   |
        | told to stop | over HTTP     | http://ASBA |
        | killed       | over its pipe | asba.pipe   |
        | killed       | over HTTP     | http://ASBA |

    Scenario: It takes its pipe with it
      Given ASBA answers over its pipe
      And ASBA is told to stop
      Then "asba.pipe" is gone

    Scenario Outline: It is killed, started again, and asked <way>
      Given ASBA answers <way>
      And ASBA is killed
      And ASBA is started again
      When Slurm resumes "aws-hpc-[001-002]", asking ASBA <way>
      Then the exit code is 0
      And it says nothing
      And every node is a c6i.2xlarge, on-demand, in us-east-1a

      Examples:
        | way           |
        | over its pipe |
        | over HTTP     |

    Scenario: Told to stop, it answers what has been asked
      Given the site's asba.timeout is 10s
      And slurmctld leaves ASBA without an answer for 1 second
      And job 4711 wants "aws-hpc-[001-002]"
      When Slurm resumes "aws-hpc-[001-002]", asking ASBA over its pipe, and ASBA is told to stop as it is asked
      Then the exit code is 0
      And it says nothing
      And every node is a c6i.2xlarge, on-demand, in us-east-1a
      And "asba.pipe" is gone

    Scenario: A script that it cannot read leaves no variables
      When the operator runs:
        """
        eval "$(asba analyze none.sbatch --export-env)"
        aws-slurm-burst-resume aws-hpc-[001-002]
        """
      Then the exit code is 0
      And it says "ERROR: the script is not readable: open none.sbatch: no such file or directory"
      And only "aws-hpc-[001-002]" are running
      And every node is a c5n.18xlarge, on-demand, in us-east-1a

  Rule: What may not be launched is not

    Scenario Outline: Advice against bursting, asked for <way>
      Given ASBA is the shipped one, told "--allow-list=c6i.2xlarge --budget=0.01"
      When Slurm resumes "aws-hpc-[001-004]", asking ASBA <way>
      Then the exit code is 0
      And it says "INFO: ASBA advises against bursting: no instance type in us-east-1 will do; the nearest: c6i.2xlarge comes to 1.36 USD, over the budget of 0.0100"
      And EC2 is not called

      Examples:
        | way            |
        | over its pipe  |
        | over HTTP      |
        | by its command |

    Scenario: Advice against bursting, in variables
      Given a job script "waves.sbatch" that says:
        """
        #!/bin/bash
        #SBATCH --nodes=2 --time=1:00:00
        ./waves
        """
      When the operator runs:
        """
        eval "$(asba analyze waves.sbatch --budget=0.01 --export-env)"
        aws-slurm-burst-resume aws-hpc-[001-002]
        """
      Then the exit code is 0
      And it says "INFO: ASBA advises against bursting: no reason given"
      And EC2 is not called

    Scenario Outline: Types that are smaller than the nodes of a group that it was not told of, asked for <way>
      Given node group hpc's cpus are 36
      When Slurm resumes "aws-hpc-[001-004]", asking ASBA <way>
      Then the exit code is 4
      And it says:
        """
        WARN: c6i.2xlarge has 8 CPUs, nodes of hpc are declared with 36, dropped
        ERROR: Invalid execution plan: <at>: no possible instance type is left: c6i.2xlarge has 8 CPUs, nodes of hpc are declared with 36 (run 'asba recommend-instances' for types that fit)
        SUGGESTION: Run 'asba analyze' to generate valid plan
        """
      And EC2 is not called

      Examples:
        | way            | at               |
        | over its pipe  | asba.pipe:1:65   |
        | over HTTP      | http://ASBA:1:65 |
        | by its command | asba:4:23        |

    Scenario: A configuration that it does not have
      Given the site's asba.config_path is none.yaml
      When Slurm resumes "aws-hpc-[001-002]", asking ASBA by its command
      Then the exit code is 0
      And it says:
        """
        WARN: ASBA has no plan: asba failed with exit status 9: ERROR: configuration not readable: open none.yaml: no such file or directory, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And every node is a c5n.18xlarge, on-demand, in us-east-1a

  Rule: An answer that is late costs no more than the wait for it

    Scenario Outline: It stands still, and is asked <way>
      Given the site's asba.timeout is 700ms
      And ASBA answers <way>
      And ASBA stands still
      When Slurm resumes "aws-hpc-[001-002]", asking ASBA <way>
      Then the exit code is 0
      And it took less than 10 seconds
      And it says:
        """
        WARN: ASBA did not answer within 700ms at <at>, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And the nodes are launched standalone
      And every node is a c5n.18xlarge, on-demand, in us-east-1a
      # What it was asked meanwhile it may answer to nobody.
      Given ASBA goes on
      And the site's asba.timeout is 30s
      When Slurm resumes "aws-cpu-001", asking ASBA <way>
      Then the exit code is 0
      And it says nothing
      And the nodes are launched by the plan

      Examples:
        | way           | at          |
        | over its pipe | asba.pipe   |
        | over HTTP     | http://ASBA |

    Scenario Outline: It stands still for a second, and is asked <way>
      Given ASBA answers <way>
      And ASBA stands still for a second
      When Slurm resumes "aws-hpc-[001-002]", asking ASBA <way>
      Then the exit code is 0
      And it says nothing
      And the nodes are launched by the plan
      And every node is a c6i.2xlarge, on-demand, in us-east-1a

      Examples:
        | way           |
        | over its pipe |
        | over HTTP     |

    Scenario Outline: Its slurmctld does not answer it, asked <way>
      Given the site's asba.timeout is 700ms
      And slurmctld leaves ASBA without an answer for 3 seconds
      And the site asks ASBA <way>
      And job 4711 wants "aws-hpc-[001-002]"
      When Slurm resumes "aws-hpc-[001-002]"
      Then the exit code is 0
      And it took less than 10 seconds
      And it says:
        """
        WARN: job 4711: ASBA did not answer within 700ms at <at>, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And every node is a c5n.18xlarge, on-demand, in us-east-1a

      Examples:
        | way            | at          |
        | over its pipe  | asba.pipe   |
        | over HTTP      | http://ASBA |
        | by its command | ./asba      |

  Rule: Who else asks it, and how, costs nobody an answer

    Scenario Outline: Strangers <do> <way>
      Given strangers <do> <way>
      When Slurm resumes "aws-hpc-[001-002]", asking ASBA <way>
      Then the exit code is 0
      And it took less than 10 seconds
      And it says nothing
      And the nodes are launched by the plan
      And every node is a c6i.2xlarge, on-demand, in us-east-1a

      Examples:
        | do                             | way           |
        | die as they ask                | over its pipe |
        | die as they ask                | over HTTP     |
        | send rubbish                   | over its pipe |
        | send rubbish                   | over HTTP     |
        | never end their question       | over its pipe |
        | never end their question       | over HTTP     |
        | ask for more than anyone takes | over its pipe |
        | ask for more than anyone takes | over HTTP     |

    Scenario: Somebody else's plan in its pipe is not the answer
      Given ASBA answers over its pipe
      And somebody writes the plan "gang.json" into ASBA's pipe
      When Slurm resumes "aws-hpc-[001-002]", asking ASBA over its pipe
      Then the exit code is 0
      And it says nothing
      And every node is a c6i.2xlarge, on-demand, in us-east-1a

    Scenario: Over TLS, for who brings the token
      Given ASBA speaks TLS, and wants a token that the site has
      When Slurm resumes "aws-hpc-[001-002]", asking ASBA over HTTP
      Then the exit code is 0
      And it says nothing
      And every node is a c6i.2xlarge, on-demand, in us-east-1a

    Scenario: Over TLS, without the token
      Given ASBA speaks TLS, and wants a token that the site has
      And the site's asba.token_file is null
      When Slurm resumes "aws-hpc-[001-002]", asking ASBA over HTTP
      Then the exit code is 0
      And it says:
        """
        WARN: ASBA answered HTTP 401 at http://ASBA: a token is needed: Authorization: Bearer TOKEN, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And every node is a c5n.18xlarge, on-demand, in us-east-1a

    Scenario: A pipe that was opened to everybody
      Given ASBA answers over its pipe
      And "asba.pipe" may be written by anyone
      When Slurm resumes "aws-hpc-[001-002]", asking ASBA over its pipe
      Then the exit code is 4
      And it says:
        """
        ERROR: Invalid execution plan: the pipe is world-writable: anyone could have written the plan (chmod o-w it)
        SUGGESTION: Run 'asba analyze' to generate valid plan
        """
      And EC2 is not called
