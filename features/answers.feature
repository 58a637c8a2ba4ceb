Feature: EC2's refusals
  Each code of EC2 stands for a class, and each class has one reaction: another
  rung, patience, or a word to whoever can mend it.

  Rule: What another rung may have is tried there

    Scenario Outline: <code> in the first zone leaves the second
      Given EC2 answers launches in us-east-1a with "<code>"
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-002]" with "gang.json"
      Then the exit code is 0
      And it tells of each rung it left for "<code>"
      And there are 2 launches
      And only "aws-hpc-[001-002]" are running
      And every node is a c5n.18xlarge, spot, in us-east-1b

      Examples: capacity
        | code                                |
        | InsufficientInstanceCapacity        |
        | Server.InsufficientInstanceCapacity |
        | InsufficientHostCapacity            |
        | UnfulfillableCapacity               |

      Examples: reservation, price, offering, addresses, volumes, size
        | code                                 |
        | ReservationCapacityExceeded          |
        | InsufficientReservedInstanceCapacity |
        | SpotMaxPriceTooLow                   |
        | Unsupported                          |
        | InsufficientFreeAddressesInSubnet    |
        | InsufficientVolumeCapacity           |
        | ResourceCountExceeded                |

    Scenario: A used-up spot quota sends no one to the next zone's spot
      Given EC2 answers spot launches with "MaxSpotInstanceCountExceeded"
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-002]" with "gang.json"
      Then the exit code is 0
      And it says:
        """
        WARN: c5n.18xlarge spot us-east-1a: MaxSpotInstanceCountExceeded, trying c5n.18xlarge on-demand us-east-1a
        """
      And there are 2 launches
      And every node is a c5n.18xlarge, on-demand, in us-east-1a

  Rule: What no rung has is given back

    Scenario Outline: Nothing but <code>
      Given EC2 answers every launch with "<code>"
      And the execution plan "best-effort.json"
      When Slurm resumes "aws-cpu-[001-002]" with "best-effort.json"
      Then the exit code is <exit>
      And it says "ERROR: No capacity for 2 nodes: <code> (<times>)"
      And "aws-cpu-[001-002]" are reported as failed
      And nothing is running

      Examples:
        | code                              | exit | times |
        | InsufficientInstanceCapacity      | 5    | 2     |
        | ReservationCapacityExceeded       | 5    | 1     |
        | Unsupported                       | 5    | 1     |
        | InsufficientFreeAddressesInSubnet | 5    | 2     |
        | VolumeLimitExceeded               | 5    | 1     |
        | VcpuLimitExceeded                 | 6    | 2     |
        | InstanceLimitExceeded             | 6    | 2     |
        | MaxSpotInstanceCountExceeded      | 6    | 2     |

    Scenario: A quota here and a shortage there is a shortage
      Given EC2 answers launches in us-east-1a with "VcpuLimitExceeded"
      And EC2 has no capacity in us-east-1b
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-002]" with "gang.json"
      Then the exit code is 5
      And it tells of the rungs it left
      And it says "ERROR: No capacity for 2 nodes: VcpuLimitExceeded (2), InsufficientInstanceCapacity (2)"

  Rule: What waiting cannot mend is said at once

    Scenario Outline: <code>
      Given EC2 answers every launch with "<code>"
      And the execution plan "gang.json"
      When Slurm resumes "aws-hpc-[001-002]" with "gang.json"
      Then the exit code is <exit>
      And it says "ERROR: <line>"
      And there are <launches> launches
      And "aws-hpc-[001-002]" are reported as failed
      And nothing is running

      Examples: the caller may not
        | code                  | exit | launches | line |
        | UnauthorizedOperation | 7    | 1        | UnauthorizedOperation: the caller may not ec2:RunInstances: A fault rule answers this call. (allow ec2:RunInstances for these credentials, with ec2:CreateTags, and iam:PassRole for an instance profile) |
        | OptInRequired         | 7    | 1        | OptInRequired: the caller may not ec2:RunInstances: A fault rule answers this call. (the account or region is not enabled for this: sign in to the AWS console or ask AWS Support) |
        | AuthFailure           | 7    | 2        | AuthFailure: no valid credentials for ec2:RunInstances: A fault rule answers this call. (check that the keys are those of the account, and still active) |
        | ExpiredToken          | 7    | 2        | ExpiredToken: no valid credentials for ec2:RunInstances: A fault rule answers this call. (renew the credentials) |

      Examples: what is asked for does not exist, or is wrong
        | code                     | exit | launches | line |
        | InvalidParameterValue    | 9    | 1        | InvalidParameterValue: EC2 refused RunInstances: A fault rule answers this call. (correct what EC2 names, in the configuration, the plan or the launch template) |
        | InvalidAMIID.NotFound    | 9    | 1        | InvalidAMIID.NotFound: EC2 refused RunInstances: A fault rule answers this call. (correct what EC2 names, in the configuration, the plan or the launch template) |
        | InvalidSubnetID.NotFound | 9    | 1        | InvalidSubnetID.NotFound: EC2 refused RunInstances: A fault rule answers this call. (correct what EC2 names, in the configuration, the plan or the launch template) |
        | InvalidGroup.NotFound    | 9    | 1        | InvalidGroup.NotFound: EC2 refused RunInstances: A fault rule answers this call. (correct what EC2 names, in the configuration, the plan or the launch template) |
        | UnsupportedProtocol      | 9    | 1        | RunInstances c5n.18xlarge us-east-1a: UnsupportedProtocol: A fault rule answers this call. (http://... does not offer RunInstances) |
        | ABrandNewCode            | 9    | 1        | ABrandNewCode: EC2 refused RunInstances: A fault rule answers this call. (correct what EC2 names, in the configuration, the plan or the launch template) |

    Scenario Outline: The caller may not <action>
      Given EC2 answers every <action> with "UnauthorizedOperation"
      When Slurm resumes "aws-cpu-[001-002]"
      Then the exit code is 7
      And it says "ERROR: UnauthorizedOperation: the caller may not ec2:<action>: A fault rule answers this call. (allow ec2:<action> for these credentials)"
      And nothing is running

      Examples:
        | action            |
        | DescribeSubnets   |
        | DescribeImages    |
        | DescribeInstances |

    Scenario: The caller may not end instances
      Given "aws-cpu-[001-002]" are running
      And EC2 answers every TerminateInstances with "UnauthorizedOperation"
      When Slurm suspends "aws-cpu-[001-002]"
      Then the exit code is 7
      And it says:
        """
        ERROR: UnauthorizedOperation: the caller may not ec2:TerminateInstances: A fault rule answers this call. (allow ec2:TerminateInstances for these credentials)
        ERROR: not ended: 2 instances, first i-...: TerminateInstances: UnauthorizedOperation: A fault rule answers this call.; the next suspend of these nodes and reconcile try again
        """
      And only "aws-cpu-[001-002]" are running
      But EC2 is well again
      When Slurm suspends "aws-cpu-[001-002]"
      Then the exit code is 0
      And nothing is running

    Scenario: EC2 cannot be reached
      Given EC2 cannot be reached
      When Slurm resumes "aws-cpu-[001-002]"
      Then the exit code is 1
      And it says:
        """
        ERROR: EC2 not reachable at http://127.0.0.1:1: no answer from http://127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused (is the endpoint up? Check aws.endpoint_url, name resolution and the network of this host)
        """
      And "aws-cpu-[001-002]" are reported as failed

    Scenario: EC2 launches nothing and does not say why
      Given EC2 answers every launch with "InternalError"
      And the execution plan "best-effort.json"
      When Slurm resumes "aws-cpu-[001-002]" with "best-effort.json"
      Then the exit code is 1
      And it says "ERROR: EC2 at http://... gave no usable answer: RunInstances c6i.xlarge us-east-1a: InternalError: A fault rule answers this call. (EC2 itself failed: see the AWS Health Dashboard for this region)"
      And there are 4 launches
      And each of them is the same request
      And nothing is running
