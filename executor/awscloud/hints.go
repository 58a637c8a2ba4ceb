package awscloud

import (
	"strings"

	"aws-slurm-burst/executor/cloud"
)

// hint says what the reader of an error can do, "" where the executor's own
// reaction is all there is to do (capacity, consistency, tokens).
func (c *Cloud) hint(e *cloud.Error) string {
	switch e.Class {
	case cloud.Permission:
		return permissionHint(e)
	case cloud.Credentials:
		return credentialsHint(e.Code)
	case cloud.Ambiguous:
		switch {
		case e.Code != "" || e.Status >= 500:
			return "EC2 itself failed: see the AWS Health Dashboard for this region"
		case e.Status != 0:
			return "something other than EC2 may answer at " + c.endpoint + ": check aws.endpoint_url and proxies"
		}
		return "is the endpoint up? Check aws.endpoint_url, name resolution and the network of this host"
	case cloud.Throttle:
		return "other tools of this account and region share EC2's request limits; see Service Quotas"
	case cloud.Quota, cloud.SpotQuota:
		return "ask for a higher vCPU limit for this family and market in Service Quotas"
	case cloud.GroupQuota:
		return "delete placement groups that nothing uses, or ask for a higher limit in Service Quotas"
	case cloud.Unsupported:
		return c.endpoint + " does not offer " + e.Op
	case cloud.Config:
		return "correct what EC2 names, in the configuration, the plan or the launch template"
	}
	return ""
}

func permissionHint(e *cloud.Error) string {
	switch e.Code {
	case "OptInRequired", "PendingVerification", "Blocked":
		return "the account or region is not enabled for this: sign in to the AWS console or ask AWS Support"
	case "AuthFailure.ServiceLinkedRoleCreationNotPermitted":
		return "allow iam:CreateServiceLinkedRole once, or create the role for spot.amazonaws.com"
	}
	h := "allow ec2:" + e.Op + " for these credentials"
	if e.Op == "RunInstances" {
		// What a launch needs besides its own action.
		h += ", with ec2:CreateTags, and iam:PassRole for an instance profile"
	}
	return h
}

func credentialsHint(code string) string {
	switch {
	case code == "NoCredentials":
		return "set aws.profile with aws.config_file or aws.credentials_file, or give this host an instance role; " +
			"a local endpoint takes any AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
	case strings.HasPrefix(code, "Expired"):
		return "renew the credentials"
	case code == "RequestExpired" || code == "SignatureDoesNotMatch":
		return "check the clock of this host, then the secret key"
	}
	return "check that the keys are those of the account, and still active"
}
