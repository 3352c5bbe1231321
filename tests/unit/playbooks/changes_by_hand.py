# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of a site that a person makes by hand, with AWS's own client: one for each member, over all kinds."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable

Json = dict[str, t.Any]


class Account(t.NamedTuple):
    """The account of the site, and what its project owns."""

    client: Callable[[str], t.Any]
    resources: list[Json]

    def one(self, kind: str, name: str = "") -> Json:
        """The first resource of a kind with this in its name."""
        return next(one for one in self.resources if one["kind"] == kind and name in one["name"])

    def identity(self, kind: str, name: str = "") -> str:
        return str(self.one(kind, name)["id"])


class Change(t.NamedTuple):
    """One change: `member` is how the drift names it, `kept` why the next run of site.yml keeps it."""

    kind: str
    name: str
    member: str
    apply: Callable[[Account, Json], t.Any]
    kept: str = ""
    drift: str = "changed"

    @property
    def target(self) -> tuple[str, str]:
        """The resource that is changed; a new one is created from the VPC, or with the tags of another."""
        if self.drift == "unrecorded":
            return ("VPC", "")
        return (self.kind, self.name)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.member}".replace("  ", " ")


UNSET = "no variable of this site sets it"
TAG = {"team": "by-hand"}
CAPITAL = [{"Key": "team", "Value": "by-hand"}]
LOWER = [{"key": "team", "value": "by-hand"}]


def ec2_tags(kind: str, name: str = "", kept: str = "") -> Change:
    def apply(aws: Account, one: Json) -> None:
        aws.client("ec2").create_tags(Resources=[one["id"]], Tags=CAPITAL)

    return Change(kind, name, "tags.team", apply, kept)


def elb_tags(kind: str, name: str) -> Change:
    return Change(
        kind, name, "tags.team", lambda aws, one: aws.client("elbv2").add_tags(ResourceArns=[one["id"]], Tags=CAPITAL)
    )


def ecs_tags(kind: str, name: str) -> Change:
    return Change(
        kind, name, "tags.team", lambda aws, one: aws.client("ecs").tag_resource(resourceArn=one["arn"], tags=LOWER)
    )


def service(name: str, member: str, kept: str = "", **options: t.Any) -> Change:
    def apply(aws: Account, one: Json) -> None:
        details = one["details"]
        aws.client("ecs").update_service(cluster=details["clusterArn"], service=details["serviceName"], **options)

    return Change("service", name, member, apply, kept)


def target_group(name: str, member: str, **options: t.Any) -> Change:
    def apply(aws: Account, one: Json) -> None:
        aws.client("elbv2").modify_target_group(TargetGroupArn=one["id"], **options)

    return Change("target group", name, member, apply)


def group_attribute(name: str, key: str, value: str, kept: str = "") -> Change:
    def apply(aws: Account, one: Json) -> None:
        attributes = [{"Key": key, "Value": value}]
        aws.client("elbv2").modify_target_group_attributes(TargetGroupArn=one["id"], Attributes=attributes)

    return Change("target group", name, f"Attributes[{key}]", apply, kept)


def balancer_attribute(key: str, value: str) -> Change:
    def apply(aws: Account, one: Json) -> None:
        attributes = [{"Key": key, "Value": value}]
        aws.client("elbv2").modify_load_balancer_attributes(LoadBalancerArn=one["id"], Attributes=attributes)

    return Change("load balancer", "", f"Attributes[{key}]", apply)


def permission(port: int, cidr: str) -> Json:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}


# Networks


def open_port(aws: Account, one: Json) -> None:
    aws.client("ec2").authorize_security_group_ingress(GroupId=one["id"], IpPermissions=[permission(22, "0.0.0.0/0")])


def close_first_port(aws: Account, one: Json) -> None:
    rule = one["details"]["IpPermissions"][0]
    aws.client("ec2").revoke_security_group_ingress(GroupId=one["id"], IpPermissions=[rule])


def widen_port(aws: Account, one: Json) -> None:
    """One more range in a rule that exists."""
    rule = one["details"]["IpPermissions"][0]
    more = {key: rule[key] for key in ("IpProtocol", "FromPort", "ToPort")} | {"IpRanges": [{"CidrIp": "192.0.2.0/24"}]}
    aws.client("ec2").authorize_security_group_ingress(GroupId=one["id"], IpPermissions=[more])


def close_egress(aws: Account, one: Json) -> None:
    rules = one["details"]["IpPermissionsEgress"]
    aws.client("ec2").revoke_security_group_egress(GroupId=one["id"], IpPermissions=rules)


def delete_default_route(aws: Account, one: Json) -> None:
    aws.client("ec2").delete_route(RouteTableId=one["id"], DestinationCidrBlock="0.0.0.0/0")


def redirect_default_route(aws: Account, one: Json) -> None:
    gateway = aws.identity("internet gateway")
    aws.client("ec2").replace_route(RouteTableId=one["id"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)


def add_route(aws: Account, one: Json) -> None:
    gateway = aws.identity("internet gateway")
    aws.client("ec2").create_route(RouteTableId=one["id"], DestinationCidrBlock="192.0.2.0/24", GatewayId=gateway)


def public_addresses(aws: Account, one: Json) -> None:
    public = one["details"].get("MapPublicIpOnLaunch")
    aws.client("ec2").modify_subnet_attribute(SubnetId=one["id"], MapPublicIpOnLaunch={"Value": not public})


def vpc_attribute(name: str) -> Change:
    def apply(aws: Account, one: Json) -> None:
        aws.client("ec2").modify_vpc_attribute(VpcId=one["id"], **{name: {"Value": False}})

    return Change("VPC", "", name, apply)


NETWORK = (
    ec2_tags("VPC"),
    vpc_attribute("EnableDnsHostnames"),
    vpc_attribute("EnableDnsSupport"),
    ec2_tags("subnet", "public1"),
    Change("subnet", "public2", "MapPublicIpOnLaunch", public_addresses),
    ec2_tags("internet gateway"),
    ec2_tags("NAT gateway"),
    ec2_tags("elastic IP", "", "the role sets the tags of an address only when it allocates it"),
    ec2_tags("route table", "rtb-public"),
    Change("route table", "rtb-public", "Routes[0.0.0.0/0]", delete_default_route),
    Change("route table", "private1", "Routes[192.0.2.0/24]", add_route),
    Change("route table", "private2", "Routes[0.0.0.0/0].GatewayId", redirect_default_route),
    ec2_tags("VPC endpoint"),
    ec2_tags("security group", "tasks"),
    Change("security group", "tasks", "IpPermissions", close_first_port),
    Change("security group", "load-balancer", "IpPermissions[tcp/22/22]", open_port),
    Change("security group", "ECS-sg", "IpPermissions[tcp/", widen_port),
    Change(
        "security group", "ECS-sg", "IpPermissionsEgress", close_egress, "no variable sets the outbound rules of a host"
    ),
)

# Balancers


def balancer_groups(aws: Account, one: Json) -> None:
    groups = [*one["details"]["SecurityGroups"], aws.identity("security group", "tasks")]
    aws.client("elbv2").set_security_groups(LoadBalancerArn=one["id"], SecurityGroups=groups)


def add_listener(aws: Account, one: Json) -> None:
    actions = [{"Type": "forward", "TargetGroupArn": aws.identity("target group", "api")}]
    elb = aws.client("elbv2")
    elb.create_listener(LoadBalancerArn=one["id"], Port=8081, Protocol="HTTP", DefaultActions=actions)


def change_default_action(aws: Account, one: Json) -> None:
    listener = one["details"]["Listeners"][0]["ListenerArn"]
    actions = [{"Type": "forward", "TargetGroupArn": aws.identity("target group", "api")}]
    aws.client("elbv2").modify_listener(ListenerArn=listener, DefaultActions=actions)


def rules(one: Json) -> list[Json]:
    return [rule for rule in one["details"]["Listeners"][0]["Rules"] if rule["Priority"] != "default"]


def change_rule(aws: Account, one: Json) -> None:
    conditions = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/by-hand/*"]}}]
    aws.client("elbv2").modify_rule(RuleArn=rules(one)[0]["RuleArn"], Conditions=conditions)


def add_rule(aws: Account, one: Json) -> None:
    aws.client("elbv2").create_rule(
        ListenerArn=one["details"]["Listeners"][0]["ListenerArn"],
        Priority=900,
        Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/extra/*"]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": aws.identity("target group", "api")}],
    )


def bucket_policy(aws: Account, one: Json) -> None:
    s3 = aws.client("s3")
    policy = json.loads(s3.get_bucket_policy(Bucket=one["id"])["Policy"])
    policy["Statement"][0]["Effect"] = "Deny"
    s3.put_bucket_policy(Bucket=one["id"], Policy=json.dumps(policy))


def bucket_access(aws: Account, one: Json) -> None:
    aws.client("s3").delete_public_access_block(Bucket=one["id"])


def bucket_tags(aws: Account, one: Json) -> None:
    own = [{"Key": key, "Value": value} for key, value in {**one["tags"], **TAG}.items()]
    aws.client("s3").put_bucket_tagging(Bucket=one["id"], Tagging={"TagSet": own})


BALANCER = (
    elb_tags("load balancer", ""),
    balancer_attribute("idle_timeout.timeout_seconds", "99"),
    balancer_attribute("routing.http.drop_invalid_header_fields.enabled", "false"),
    balancer_attribute("deletion_protection.enabled", "true"),
    Change("load balancer", "", "SecurityGroups", balancer_groups),
    Change("load balancer", "", "Listeners[8081]", add_listener),
    Change("load balancer", "", "Listeners[80].DefaultActions", change_default_action),
    Change("load balancer", "", "Listeners[80].Rules[20].Conditions", change_rule),
    Change("load balancer", "", "Listeners[80].Rules[900]", add_rule),
    elb_tags("target group", "web"),
    target_group("web", "HealthCheckPath", HealthCheckPath="/by-hand"),
    target_group("web", "HealthCheckIntervalSeconds", HealthCheckIntervalSeconds=77),
    target_group("web", "HealthCheckTimeoutSeconds", HealthCheckTimeoutSeconds=11),
    target_group("web", "HealthyThresholdCount", HealthyThresholdCount=9),
    target_group("web", "UnhealthyThresholdCount", UnhealthyThresholdCount=9),
    target_group("web", "Matcher.HttpCode", Matcher={"HttpCode": "200-499"}),
    group_attribute("web", "deregistration_delay.timeout_seconds", "99"),
    group_attribute("api", "stickiness.enabled", "true", UNSET),
    group_attribute("api", "slow_start.duration_seconds", "99", UNSET),
    Change("bucket", "", "Policy.Statement[AccessLogs].Effect", bucket_policy),
    Change("bucket", "", "PublicAccessBlock", bucket_access),
    Change("bucket", "", "tags.team", bucket_tags),
)

# Clusters, roles, logs, names


def role_policy(aws: Account, one: Json) -> None:
    name, document = next(iter(one["details"]["Policies"].items()))
    statements = [{"Sid": "ByHand", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}, *document["Statement"]]
    changed = json.dumps({**document, "Statement": statements})
    aws.client("iam").put_role_policy(RoleName=one["id"], PolicyName=name, PolicyDocument=changed)


def role_more_policy(aws: Account, one: Json) -> None:
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("iam").put_role_policy(RoleName=one["id"], PolicyName="by-hand", PolicyDocument=document)


def role_attachment(aws: Account, one: Json) -> None:
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    aws.client("iam").attach_role_policy(RoleName=one["id"], PolicyArn=arn)


def role_trust(aws: Account, one: Json) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("iam").update_assume_role_policy(RoleName=one["id"], PolicyDocument=document)


def role_tags(aws: Account, one: Json) -> None:
    aws.client("iam").tag_role(RoleName=one["id"], Tags=CAPITAL)


def cluster_insights(aws: Account, one: Json) -> None:
    settings = [{"name": "containerInsights", "value": "enabled"}]
    aws.client("ecs").update_cluster_settings(cluster=one["name"], settings=settings)


def cluster_providers(aws: Account, one: Json) -> None:
    aws.client("ecs").put_cluster_capacity_providers(
        cluster=one["name"],
        capacityProviders=["FARGATE"],
        defaultCapacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 7}],
    )


def discovery_tags(aws: Account, one: Json) -> None:
    aws.client("servicediscovery").tag_resource(ResourceARN=one["arn"], Tags=CAPITAL)


CLUSTER = (
    ecs_tags("cluster", ""),
    Change("cluster", "", "settings[containerInsights].value", cluster_insights),
    Change("cluster", "", "capacityProviders", cluster_providers),
    Change("cluster", "", "defaultCapacityProviderStrategy[FARGATE].weight", lambda aws, one: None),
    Change(
        *("log group", "", "retentionInDays"),
        lambda aws, one: aws.client("logs").put_retention_policy(logGroupName=one["id"], retentionInDays=1),
    ),
    Change(
        *("log group", "", "tags.team"),
        lambda aws, one: aws.client("logs").tag_resource(resourceArn=one["arn"].removesuffix(":*"), tags=TAG),
    ),
    Change("IAM role", "execution", "Policies", role_policy),
    Change("IAM role", "execution", "AttachedPolicies", role_attachment),
    Change("IAM role", "task", "AssumeRolePolicyDocument.Statement", role_trust),
    Change("IAM role", "task", "Policies.by-hand", role_more_policy, "the role keeps inline policies of others"),
    Change("IAM role", "task", "tags.team", role_tags),
    Change("namespace", "", "tags.team", discovery_tags),
    Change("discovery service", "api", "tags.team", discovery_tags),
)

# Repositories


def repository(member: str, call: str, kept: str = "", **options: t.Any) -> Change:
    def apply(aws: Account, one: Json) -> None:
        getattr(aws.client("ecr"), call)(repositoryName=one["id"], **options)

    return Change("repository", "", member, apply, kept)


EVERYBODY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]}
)
EXPIRE = {"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}}
LIFECYCLE = json.dumps({"rules": [{**EXPIRE, "action": {"type": "expire"}}]})


REGISTRY = (
    repository(
        "imageScanningConfiguration.scanOnPush",
        "put_image_scanning_configuration",
        imageScanningConfiguration={"scanOnPush": False},
    ),
    repository("imageTagMutability", "put_image_tag_mutability", imageTagMutability="MUTABLE"),
    repository("policy", "set_repository_policy", UNSET, policyText=EVERYBODY),
    repository("lifecyclePolicy", "put_lifecycle_policy", lifecyclePolicyText=LIFECYCLE),
    Change(
        *("repository", "", "tags.team"),
        lambda aws, one: aws.client("ecr").tag_resource(resourceArn=one["arn"], tags=CAPITAL),
    ),
)

# Services


def new_revision(aws: Account, one: Json) -> None:
    """A service that runs a revision that was registered by hand."""
    ecs, details = aws.client("ecs"), one["details"]
    read = ecs.describe_task_definition(taskDefinition=details["taskDefinition"])["taskDefinition"]
    accepted = ecs.meta.service_model.operation_model("RegisterTaskDefinition").input_shape.members
    # The emulator returns "" for what nobody set, which AWS takes for no mode.
    request = {name: value for name, value in read.items() if name in accepted and value != ""}
    request["containerDefinitions"][0]["environment"] = [{"name": "DEBUG", "value": "by-hand"}]
    tags = [{"key": key, "value": value} for key, value in one["tags"].items()]
    arn = ecs.register_task_definition(**request, tags=tags)["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster=details["clusterArn"], service=details["serviceName"], taskDefinition=arn)


def other_network(aws: Account, one: Json) -> None:
    configuration = one["details"]["networkConfiguration"]["awsvpcConfiguration"]
    changed = {**configuration, "securityGroups": [aws.identity("security group", "ECS-sg")]}
    aws.client("ecs").update_service(
        cluster=one["details"]["clusterArn"],
        service=one["name"],
        networkConfiguration={"awsvpcConfiguration": changed},
    )


def parameter_value(aws: Account, one: Json) -> None:
    aws.client("ssm").put_parameter(Name=one["id"], Value="by-hand", Overwrite=True)


def parameter_tags(aws: Account, one: Json) -> None:
    aws.client("ssm").add_tags_to_resource(ResourceType="Parameter", ResourceId=one["id"], Tags=CAPITAL)


def secret_tags(aws: Account, one: Json) -> None:
    aws.client("secretsmanager").tag_resource(SecretId=one["id"], Tags=CAPITAL)


def secret_description(aws: Account, one: Json) -> None:
    aws.client("secretsmanager").update_secret(SecretId=one["id"], Description="by-hand")


DEPLOYMENT = {"maximumPercent": 150, "minimumHealthyPercent": 0}
SERVICES = (
    ecs_tags("service", "web"),
    service("web", "desiredCount", desiredCount=1),
    service("web", "healthCheckGracePeriodSeconds", healthCheckGracePeriodSeconds=77),
    service("web", "enableExecuteCommand", enableExecuteCommand=True),
    service("web", "deploymentConfiguration.maximumPercent", deploymentConfiguration=DEPLOYMENT),
    service("web", "deploymentConfiguration.minimumHealthyPercent", deploymentConfiguration=DEPLOYMENT),
    service("api", "platformVersion", platformVersion="1.3.0"),
    Change("service", "web", "taskDefinition", new_revision, "a new revision with the desired containers replaces it"),
    Change("task definition", "web", "containerDefinitions[app].environment[DEBUG].value", lambda aws, one: None),
    Change("service", "api", "networkConfiguration.awsvpcConfiguration.securityGroups", other_network),
    ecs_tags("task definition", "api"),
    Change("parameter", "greeting", "Version", parameter_value, "each value of a parameter has a version of its own"),
    Change("parameter", "greeting", "tags.team", parameter_tags),
)


# Whole resources


def extra_group(aws: Account, one: Json) -> None:
    tags = [
        {"ResourceType": "security-group", "Tags": [{"Key": key, "Value": one["tags"][key]} for key in one["tags"]]}
    ]
    group: Json = {"VpcId": one["id"], "GroupName": "by-hand", "Description": "by hand"}
    aws.client("ec2").create_security_group(**group, TagSpecifications=tags)


def extra_repository(aws: Account, one: Json) -> None:
    tags = [{"Key": key, "Value": value} for key, value in one["tags"].items()]
    aws.client("ecr").create_repository(repositoryName="shop/by-hand", tags=tags)


def missing(kind: str, name: str, service: str, call: str, member: str) -> Change:
    def apply(aws: Account, one: Json) -> None:
        getattr(aws.client(service), call)(**{member: one["id"]})

    return Change(kind, name, "", apply, drift="missing")


WHOLE = (
    missing("parameter", "key", "ssm", "delete_parameter", "Name"),
    Change("security group", "by-hand", "", extra_group, "nothing asks for it", "unrecorded"),
    Change("repository", "by-hand", "", extra_repository, "nothing asks for it", "unrecorded"),
)

CHANGES = (*NETWORK, *REGISTRY, *CLUSTER, *BALANCER, *SERVICES, *WHOLE)
