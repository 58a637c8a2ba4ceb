Feature: Asking ASBA
  A plan can be asked for: over ASBA's pipe, over HTTP, or by running it; for all
  nodes of a call, or, as in production, for each job. Whoever is asked can be
  away, hang, die as it answers, or be somebody else. Nodes must not wait for that,
  and never be launched by half a plan. Here a stand-in is asked, which goes wrong in
  all of these ways; advisor.feature has the shipped one.

  Background: patience, but where it is the point
    Given the site's asba.timeout is 30s

  Rule: The plan of a call is asked for where the call says so

    Scenario Outline: A good plan, asked for <way>
      Given ASBA has the plan "gang.json"
      When Slurm resumes "aws-hpc-[001-004]", asking ASBA <way>
      Then the exit code is 0
      And it says nothing
      And ASBA was asked 1 time
      And the nodes are launched by the plan
      And only "aws-hpc-[001-004]" are running
      And every node is a c5n.18xlarge, spot, in us-east-1a

      Examples:
        | way            |
        | over its pipe  |
        | over HTTP      |
        | by its command |

    Scenario Outline: Nobody to be asked <way>
      Given the site's asba.timeout is 700ms
      And ASBA is not there
      When Slurm resumes "aws-hpc-[001-004]", asking ASBA <way>
      Then the exit code is 0
      And it says:
        """
        WARN: <said>, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And the nodes are launched standalone
      And only "aws-hpc-[001-004]" are running
      And every node is a c5n.18xlarge, on-demand, in us-east-1a

      Examples:
        | way            | said                                    |
        | over its pipe  | ASBA not reachable at asba.pipe         |
        | over HTTP      | ASBA not reachable at http://ASBA       |
        | by its command | ASBA not reachable: asba is not in PATH |

    Scenario Outline: An invalid plan, asked for <way>
      Given ASBA has the plan "invalid.json"
      When Slurm resumes "aws-hpc-[001-004]", asking ASBA <way>
      Then the exit code is 4
      And it says:
        """
        ERROR: Invalid execution plan: no instance types specified
        SUGGESTION: Run 'asba analyze' to generate valid plan
        """
      And EC2 is not called
      And nothing is running

      Examples:
        | way            |
        | over its pipe  |
        | over HTTP      |
        | by its command |

    Scenario Outline: A partial plan, asked for <way>
      Given ASBA has the plan "partial.json"
      When Slurm resumes "aws-hpc-[001-002]", asking ASBA <way>
      Then the exit code is 0
      And it says "INFO: Using ASBA instance types with default cost constraints"
      And the nodes are launched by the plan
      And every node is a c6i.xlarge, on-demand, in us-east-1a

      Examples:
        | way            |
        | over its pipe  |
        | over HTTP      |
        | by its command |

    Scenario Outline: Advice against bursting, asked for <way>
      Given ASBA has the plan "against.json"
      When Slurm resumes "aws-hpc-[001-004]", asking ASBA <way>
      Then the exit code is 0
      And it says "INFO: ASBA advises against bursting: queue is short"
      And EC2 is not called

      Examples:
        | way            |
        | over its pipe  |
        | over HTTP      |
        | by its command |

    Scenario: A call for one job names it
      Given ASBA has the plan "gang.json"
      And job 4711 wants "aws-hpc-[001-004]"
      When Slurm resumes "aws-hpc-[001-004]", asking ASBA over its pipe
      Then the exit code is 0
      And it says nothing
      And ASBA was asked for job 4711, for 4 nodes in partition aws
      And only "aws-hpc-[001-004]" are running

    Scenario: The plan that was asked for wins over the environment
      Given the plan in the variables of "asba.env"
      And ASBA has the plan "gang.json"
      When Slurm resumes "aws-hpc-[001-002]", asking ASBA over HTTP
      Then the exit code is 0
      And it says nothing
      And every node is a c5n.18xlarge, spot, in us-east-1a

    Scenario: A plan that cannot be had never makes way for the one in the environment
      Given the variable ASBA_INSTANCE_TYPES=m6i.xlarge
      And ASBA is not there
      When Slurm resumes "aws-cpu-001", asking ASBA over HTTP
      Then the exit code is 0
      And it says:
        """
        WARN: ASBA not reachable at http://ASBA, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And every node is a c6i.xlarge, spot, in us-east-1a

    Scenario: A plan that somebody writes into the pipe
      Given ASBA has the plan "gang.json"
      And somebody writes ASBA's plan into the pipe
      When Slurm resumes "aws-hpc-[001-004]", asking ASBA over its pipe
      Then the exit code is 0
      And it says nothing
      And the nodes are launched by the plan
      And every node is a c5n.18xlarge, spot, in us-east-1a

    Scenario: Half a plan that somebody writes into the pipe
      Given ASBA has the plan "gang.json"
      And ASBA cuts its answers short
      And somebody writes ASBA's plan into the pipe
      When Slurm resumes "aws-hpc-[001-004]", asking ASBA over its pipe
      Then the exit code is 0
      And it says "WARN: ASBA gave no whole plan at asba.pipe (the plan ends too early), falling back to standalone mode"
      And it says "INFO: Using static configuration from config.yaml"
      And every node is a c5n.18xlarge, on-demand, in us-east-1a

    Scenario Outline: Two plans for one call: <flags>
      When the operator runs "aws-slurm-burst-resume aws-cpu-001 <flags>"
      Then the exit code is 2
      And it says "ERROR: <said>"
      And EC2 is not called

      Examples:
        | flags                                       | said                                                                                   |
        | --asba-pipe=asba.pipe --auto-asba           | --asba-pipe and --auto-asba exclude each other: keep one                               |
        | --execution-plan=p.json --asba-url=http://x | --execution-plan and --asba-url exclude each other: keep one                           |
        | --asba-url=                                 | --asba-url is empty: name one, or leave the flag out                                   |
        | --asba-url=localhost:8080                   | --asba-url "localhost:8080" is not an advisor's address, such as http://localhost:8080 |
        | --auto-asba --asba-timeout=0s               | --asba-timeout 0s is no time to wait                                                   |

    Scenario: A dry run asks ASBA, and nobody else
      Given ASBA has the plan "gang.json"
      And the site asks ASBA over HTTP
      And job 4711 wants "aws-hpc-[001-004]"
      When the operator runs "aws-slurm-burst-resume aws-hpc-[001-004] --dry-run"
      Then the exit code is 0
      And it says nothing
      And ASBA was asked 1 time
      And "aws-hpc-[001-004]" are reported as planned
      And EC2 is not called

  Rule: An answer that is not whole, or does not come, costs no more than the wait for it

    Scenario Outline: ASBA <how>, asked <way>
      Given the site's asba.timeout is 700ms
      And ASBA has the plan "gang.json"
      And ASBA <how>
      When Slurm resumes "aws-hpc-[001-004]", asking ASBA <way>
      Then the exit code is 0
      And it took less than 10 seconds
      And it says:
        """
        WARN: <said>, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And the nodes are launched standalone
      And only "aws-hpc-[001-004]" are running
      And every node is a c5n.18xlarge, on-demand, in us-east-1a

      Examples:
        | how                      | way            | said                                            |
        | hangs                    | over its pipe  | ASBA did not answer within 700ms at asba.pipe   |
        | hangs                    | over HTTP      | ASBA did not answer within 700ms at http://ASBA |
        | hangs                    | by its command | ASBA did not answer within 700ms at asba        |
        | answers after a second   | over its pipe  | ASBA did not answer within 700ms at asba.pipe   |
        | answers after a second   | over HTTP      | ASBA did not answer within 700ms at http://ASBA |
        | answers after a second   | by its command | ASBA did not answer within 700ms at asba        |
        | answers a byte at a time | over its pipe  | ASBA did not answer within 700ms at asba.pipe   |
        | answers a byte at a time | over HTTP      | ASBA did not answer within 700ms at http://ASBA |
        | answers a byte at a time | by its command | ASBA did not answer within 700ms at asba        |

    Scenario Outline: ASBA <how>, asked <way>
      Given ASBA has the plan "gang.json"
      And ASBA <how>
      When Slurm resumes "aws-hpc-[001-004]", asking ASBA <way>
      Then the exit code is 0
      And it took less than 20 seconds
      And it says:
        """
        WARN: <said>, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And the nodes are launched standalone
      And only "aws-hpc-[001-004]" are running
      And every node is a c5n.18xlarge, on-demand, in us-east-1a

      Examples:
        | how                        | way            | said                                                                   |
        | cuts its answers short     | over its pipe  | ASBA's answer was cut short at asba.pipe                               |
        | cuts its answers short     | over HTTP      | ASBA's answer was cut short at http://ASBA                             |
        | cuts its answers short     | by its command | ASBA gave no whole plan at asba (the plan ends too early)              |
        | answers rubbish            | over its pipe  | ASBA's answer is not in the protocol's form at asba.pipe               |
        | answers rubbish            | over HTTP      | ASBA's answer is not in the protocol's form at http://ASBA             |
        | answers another question   | over its pipe  | ASBA's answer was to another question at asba.pipe                     |
        | answers with ten megabytes | over its pipe  | ASBA's answer has more than 1052672 bytes at asba.pipe                 |
        | answers with ten megabytes | over HTTP      | ASBA's answer has more than 1052672 bytes at http://ASBA               |
        | answers with ten megabytes | by its command | ASBA's answer has more than 1052672 bytes at asba                      |
        | fails                      | over its pipe  | ASBA has no plan at asba.pipe: out of memory                           |
        | fails                      | over HTTP      | ASBA answered HTTP 500 at http://ASBA: out of memory                   |
        | fails                      | by its command | ASBA has no plan: asba failed with exit status 1: ERROR: out of memory |

    Scenario: A redirect is not followed
      Given ASBA has the plan "gang.json"
      And ASBA redirects
      When Slurm resumes "aws-hpc-[001-004]", asking ASBA over HTTP
      Then the exit code is 0
      And it says:
        """
        WARN: ASBA answered HTTP 307 at http://ASBA, a redirect, which is not followed, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And ASBA was asked 1 time
      And every node is a c5n.18xlarge, on-demand, in us-east-1a

  Rule: In production each job's plan is asked for, with nothing but the configuration

    Scenario Outline: Two jobs with plans of their own, asked for <way>
      Given the programs are called with an empty environment
      And ASBA has the plan "gang.json" for job 4711
      And ASBA has the plan "partial.json" for job 4712
      And the site asks ASBA <way>
      And job 4711 wants "aws-hpc-[001-004]"
      And job 4712 wants "aws-cpu-[001-002]"
      When Slurm resumes "aws-hpc-[001-004],aws-cpu-[001-002]"
      Then the exit code is 0
      And it says "INFO: Using ASBA instance types with default cost constraints"
      And ASBA was asked 2 times
      And the nodes are launched by the plan
      And only "aws-hpc-[001-004],aws-cpu-[001-002]" are running
      And each of "aws-hpc-[001-004]" is a c5n.18xlarge, spot, in us-east-1a
      And each of "aws-cpu-[001-002]" is a c6i.xlarge, spot, in us-east-1a

      Examples:
        | way            |
        | over its pipe  |
        | over HTTP      |
        | by its command |

    Scenario Outline: One job's plan goes wrong, asked for <way>
      Given the programs are called with an empty environment
      And the site's asba.timeout is 3s
      And ASBA has the plan "gang.json"
      And ASBA has the plan "invalid.json" for job 4713
      And ASBA hangs when it is asked for job 4712
      And the site asks ASBA <way>
      And job 4711 wants "aws-hpc-[001-002]"
      And job 4712 wants "aws-hpc-[003-004]"
      And job 4713 wants "aws-hpc-[005-006]"
      When Slurm resumes "aws-hpc-[001-006]"
      Then the exit code is 3
      And it took less than 10 seconds
      And it says:
        """
        WARN: job 4712: ASBA did not answer within 3s at <at>, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        ERROR: Invalid execution plan: job 4713: no instance types specified
        SUGGESTION: Run 'asba analyze' to generate valid plan
        """
      And only "aws-hpc-[001-004]" are running
      And each of "aws-hpc-[001-002]" is a c5n.18xlarge, spot, in us-east-1a
      And each of "aws-hpc-[003-004]" is a c5n.18xlarge, on-demand, in us-east-1a

      Examples:
        | way            | at          |
        | over its pipe  | asba.pipe   |
        | over HTTP      | http://ASBA |
        | by its command | ./asba      |

    Scenario Outline: Nobody to be asked for jobs <way>
      Given the programs are called with an empty environment
      And ASBA is not there
      And the site asks ASBA <way>
      And each of "aws-cpu-[001-004]" is wanted by a job of its own
      When Slurm resumes "aws-cpu-[001-004]"
      Then the exit code is 0
      And it says:
        """
        WARN: jobs 4711, 4712, 4713 and 4714: <said>, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And only "aws-cpu-[001-004]" are running

      Examples:
        | way            | said                                           |
        | over its pipe  | ASBA not reachable at asba.pipe                |
        | over HTTP      | ASBA not reachable at http://ASBA              |
        | by its command | ASBA not reachable: there is no program ./asba |

    Scenario: Eight jobs of an advisor that hangs wait once
      Given the programs are called with an empty environment
      And ASBA hangs
      And the site asks ASBA over HTTP
      And the site's asba.timeout is 2s
      And each of "aws-cpu-[001-008]" is wanted by a job of its own
      When Slurm resumes "aws-cpu-[001-008]"
      Then the exit code is 0
      And it took less than 10 seconds
      And it says:
        """
        WARN: jobs 4711, 4712, 4713, 4714, 4715 and 3 more: ASBA did not answer within 2s at http://ASBA, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And only "aws-cpu-[001-008]" are running

    Scenario: The site's own word wins
      Given ASBA has the plan "partial.json"
      And the site asks ASBA over HTTP
      And the site's plans.dir is plans
      And the execution plan "gang.json" as the plan of job 4711
      And job 4711 wants "aws-hpc-[001-002]"
      When Slurm resumes "aws-hpc-[001-002]"
      Then the exit code is 0
      And it says nothing
      And ASBA was asked 0 times
      And every node is a c5n.18xlarge, spot, in us-east-1a

    Scenario: A site that insists on plans
      Given ASBA is not there
      And the site asks ASBA over its pipe
      And the site's plans.on_missing is hold
      And job 4711 wants "aws-cpu-[001-002]"
      When Slurm resumes "aws-cpu-[001-002]"
      Then the exit code is 4
      And it says "ERROR: job 4711: ASBA not reachable at asba.pipe, and plans.on_missing is hold"
      And EC2 is not called

    Scenario: A plan that somebody writes into the pipe is no job's
      Given ASBA has the plan "gang.json"
      And somebody writes ASBA's plan into the pipe
      And the site asks ASBA over its pipe
      And job 4711 wants "aws-hpc-[001-002]"
      When Slurm resumes "aws-hpc-[001-002]"
      Then the exit code is 0
      And it says:
        """
        WARN: job 4711: ASBA not reachable at asba.pipe, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And every node is a c5n.18xlarge, on-demand, in us-east-1a

  Rule: Who could not be sure of its words is not trusted with the site's rights

    Background:
      Given ASBA has a plan that says:
        """
        {"instance_specification": {"instance_types": ["c6i.xlarge"], "purchasing_option": "on-demand", "user_data": "#!/bin/sh"},
         "mpi_configuration": {"is_mpi_job": false}, "network_configuration": {"placement_group_type": "none"}, "cost_constraints": {"max_cost_per_hour": 5}}
        """
      And the site's policy.allow_user_data is true

    Scenario: A plan over plain HTTP from this machine
      When Slurm resumes "aws-cpu-001", asking ASBA over HTTP
      Then it says nothing
      And the launch asks for:
        | UserData | IyEvYmluL3No |

    Scenario: A plan over TLS, for who brings the token
      Given ASBA speaks TLS, and wants a token that the site has
      When Slurm resumes "aws-cpu-001", asking ASBA over HTTP
      Then it says nothing
      And the launch asks for:
        | UserData | IyEvYmluL3No |

    Scenario: Each job's plan over TLS, for who brings the token
      Given the programs are called with an empty environment
      And ASBA speaks TLS, and wants a token that the site has
      And the site asks ASBA over HTTP
      And job 4711 wants "aws-cpu-001"
      When Slurm resumes "aws-cpu-001"
      Then it says nothing
      And ASBA was asked 1 time
      And the launch asks for:
        | UserData | IyEvYmluL3No |

    Scenario: A token that others can read is not sent
      Given ASBA speaks TLS, and wants a token that the site has
      And "asba.token" may be written by anyone
      When Slurm resumes "aws-cpu-001", asking ASBA over HTTP
      Then the exit code is 0
      And it says:
        """
        WARN: ASBA at http://ASBA not asked: token file asba.token can be read by others (chmod 600 it), falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And ASBA was asked 0 times

    Scenario: A certificate that nobody trusts
      Given ASBA speaks TLS, and wants a token that the site has
      And the site's asba.ca_file is null
      When Slurm resumes "aws-cpu-001", asking ASBA over HTTP
      Then the exit code is 0
      And it says:
        """
        WARN: ASBA not reachable at http://ASBA, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And ASBA was asked 0 times

    Scenario: A token that is missing
      Given ASBA speaks TLS, and wants a token that the site has
      And the site's asba.token_file is null
      When Slurm resumes "aws-cpu-001", asking ASBA over HTTP
      Then the exit code is 0
      And it says:
        """
        WARN: ASBA answered HTTP 401 at http://ASBA: no token, or a wrong one, falling back to standalone mode
        INFO: Using static configuration from config.yaml
        """
      And ASBA was asked 0 times

    @needs-root
    Scenario: A pipe of somebody else's
      Given somebody writes ASBA's plan into the pipe
      And "asba.pipe" belongs to somebody else
      When Slurm resumes "aws-cpu-001", asking ASBA over its pipe
      Then the exit code is 0
      And it says "WARN: the plan is untrusted and cannot set user_data, using the configuration's"
      And the launch asks for:
        | UserData |  |

    Scenario: A pipe that anyone may write to
      Given somebody writes ASBA's plan into the pipe
      And "asba.pipe" may be written by anyone
      When Slurm resumes "aws-cpu-001", asking ASBA over its pipe
      Then the exit code is 4
      And it says:
        """
        ERROR: Invalid execution plan: the pipe is world-writable: anyone could have written the plan (chmod o-w it)
        SUGGESTION: Run 'asba analyze' to generate valid plan
        """
      And EC2 is not called
