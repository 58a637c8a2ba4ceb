# Launches a gang into a placement group, twice with one token, and ends it, as
# any boto3 program would. It prints ok, or ends with the first thing that is
# not as EC2 has it.
import sys

import boto3
from botocore.exceptions import ClientError

ec2 = boto3.client("ec2", region_name="us-east-1", endpoint_url=sys.argv[1])


def code(call, **params):
    try:
        call(**params)
    except ClientError as e:
        return e.response["Error"]["Code"]
    return None


tags = [{"ResourceType": "placement-group", "Tags": [{"Key": "cluster", "Value": "boto"}]}]
group = ec2.create_placement_group(GroupName="boto", Strategy="cluster", TagSpecifications=tags)
assert group["PlacementGroup"]["State"] == "available", group
assert code(ec2.create_placement_group, GroupName="boto") == "InvalidPlacementGroup.Duplicate"
found = ec2.describe_placement_groups(Filters=[{"Name": "tag:cluster", "Values": ["boto"]}])
assert [g["GroupName"] for g in found["PlacementGroups"]] == ["boto"], found

image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
gang = dict(ImageId=image, InstanceType="c5n.18xlarge", MinCount=2, MaxCount=4, ClientToken="boto-1",
            Placement={"GroupName": "boto"}, InstanceMarketOptions={"MarketType": "spot"})
first = ec2.run_instances(**gang)
ids = [i["InstanceId"] for i in first["Instances"]]
assert len(ids) == 4, ids
assert all(i["Placement"]["GroupName"] == "boto" and i["InstanceLifecycle"] == "spot" for i in first["Instances"])
assert [i["InstanceId"] for i in ec2.run_instances(**gang)["Instances"]] == ids
assert code(ec2.run_instances, **{**gang, "MaxCount": 5}) == "IdempotentParameterMismatch"
pages = ec2.get_paginator("describe_instances").paginate(Filters=[{"Name": "client-token", "Values": ["boto-1"]}])
assert [i["InstanceId"] for p in pages for r in p["Reservations"] for i in r["Instances"]] == ids
assert code(ec2.delete_placement_group, GroupName="boto") == "InvalidPlacementGroup.InUse"

ec2.terminate_instances(InstanceIds=ids)
ec2.delete_placement_group(GroupName="boto")
assert code(ec2.describe_placement_groups, GroupNames=["boto"]) == "InvalidPlacementGroup.Unknown"
print("ok")
