# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Load balancers, rules and instances that an import reads, one typed function a call: paginated, errors translated."""

from __future__ import annotations

from ..._core.answers import described
from ..._core.errors import aws_call
from ..._core.paging import batches, pages
from ..._core.types import Client, Items, Json

INSTANCES_BATCH = 100


@aws_call
def target_group_attributes(elbv2: Client, arn: str) -> list[Json]:
    return list(elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"])


@aws_call
def list_rules(elbv2: Client, listener: str) -> list[Json]:
    return pages(elbv2, "describe_rules", "Rules", ListenerArn=listener)


@aws_call
def rules_with_target(events: Client, arn: str) -> list[str]:
    """The rules of EventBridge that start tasks in a cluster, by name."""
    return sorted(pages(events, "list_rule_names_by_target", "RuleNames", TargetArn=arn))


@aws_call
def instance_attributes(ecs: Client, cluster: str) -> list[dict[str, str]]:
    """The attributes of the container instances of a cluster, such as ecs.vpc-id."""
    arns = pages(ecs, "list_container_instances", "containerInstanceArns", cluster=cluster)
    found: list[Json] = []
    for some in batches(arns, INSTANCES_BATCH):
        answer = ecs.describe_container_instances(cluster=cluster, containerInstances=some)
        found += described("DescribeContainerInstances", answer, "containerInstances", "containerInstanceArn", some)
    return [{one["name"]: str(one.get("value") or "") for one in item.get("attributes") or ()} for item in found]


@aws_call
def subnet_vpcs(ec2: Client, subnets: Items) -> dict[str, str]:
    """The VPC of each subnet that exists."""
    if not subnets:
        return {}
    found = pages(ec2, "describe_subnets", "Subnets", Filters=[{"Name": "subnet-id", "Values": list(subnets)}])
    return {str(one["SubnetId"]): str(one["VpcId"]) for one in found if one["SubnetId"] in subnets}
