# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Accounts of the tests of `project_info`: a site in which each resource has what only a call of its own returns, and
sites with many services."""

from __future__ import annotations

import concurrent.futures
import json
import typing as t

import boto3

from ansible_collections.slipway.aws.tests.unit.project.test_project_info import (
    CONTAINER,
    lower,
    make_all,
    specified,
    upper,
)

Json = dict[str, t.Any]
STATEMENT = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
POLICY: Json = {"Version": "2012-10-17", "Statement": [STATEMENT]}
LIFECYCLE: Json = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 5},
            "action": {"type": "expire"},
        }
    ]
}
ATTACHED = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
PATHS = [{"Field": "path-pattern", "Values": ["/admin"]}]
FIXED = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}


def make_in_full(project: str) -> None:
    """One of each kind, with everything that belongs to it."""
    make_all(project)
    make_balanced_service(project)
    make_permissions(project)
    make_settings(project)


def make_balanced_service(project: str) -> None:
    ecs, elb, discovery = (boto3.client(service) for service in ("ecs", "elbv2", "servicediscovery"))
    [theirs] = elb.describe_target_groups(Names=[project])["TargetGroups"]
    # That group is behind a load balancer of others, and AWS allows one.
    [group] = elb.create_target_group(
        Name=f"{project}-api", Protocol="HTTP", Port=80, VpcId=theirs["VpcId"], Tags=upper(project)
    )["TargetGroups"]
    [balancer] = elb.describe_load_balancers(Names=[project])["LoadBalancers"]
    forward = {"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}
    listener = elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=[forward]
    )["Listeners"][0]["ListenerArn"]
    elb.create_rule(ListenerArn=listener, Priority=5, Conditions=PATHS, Actions=[FIXED])
    namespace = next(one for one in discovery.list_namespaces()["Namespaces"] if one["Name"] == project)
    name = discovery.create_service(
        Name="api",
        NamespaceId=namespace["Id"],
        DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 10}]},
        Tags=upper(project),
    )["Service"]
    ecs.create_service(
        cluster=project,
        serviceName="api",
        taskDefinition=f"{project}-web:1",
        desiredCount=0,
        loadBalancers=[{"targetGroupArn": group["TargetGroupArn"], "containerName": "web", "containerPort": 80}],
        serviceRegistries=[{"registryArn": name["Arn"]}],
        tags=lower(project),
    )
    # The services stay with the first revision.
    ecs.register_task_definition(family=f"{project}-web", containerDefinitions=[CONTAINER], tags=lower(project))


def make_permissions(project: str) -> None:
    iam = boto3.client("iam")
    iam.put_role_policy(RoleName=f"{project}-host", PolicyName="slipway", PolicyDocument=json.dumps(POLICY))
    iam.attach_role_policy(RoleName=f"{project}-host", PolicyArn=ATTACHED)
    iam.add_role_to_instance_profile(InstanceProfileName=f"{project}-host", RoleName=f"{project}-host")


def make_settings(project: str) -> None:
    ecr, ec2, logs, s3 = (boto3.client(service) for service in ("ecr", "ec2", "logs", "s3"))
    name = f"{project}/web"
    ecr.set_repository_policy(repositoryName=name, policyText=json.dumps(POLICY))
    ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=json.dumps(LIFECYCLE))
    ecr.put_image(repositoryName=name, imageTag="1.0", imageManifest=json.dumps({"schemaVersion": 2, "layers": []}))
    data = {"InstanceType": "t3.small"}
    ec2.create_launch_template_version(LaunchTemplateName=f"{project}-hosts", LaunchTemplateData=data)
    logs.put_retention_policy(logGroupName=f"/ecs/{project}", retentionInDays=30)
    s3.put_bucket_policy(Bucket=f"{project}-logs", Policy=json.dumps(POLICY))
    vpc = ec2.describe_vpcs(Filters=[{"Name": "tag:slipway:project", "Values": [project]}])["Vpcs"][0]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    ec2.create_volume(AvailabilityZone="eu-central-1a", Size=8, TagSpecifications=specified("volume", project))


def make_services(project: str, number: int) -> None:
    """A cluster with so many services, each with a family of its own."""
    ecs = boto3.client("ecs")
    ecs.create_cluster(clusterName=project, tags=lower(project))

    def make(name: str) -> None:
        container = {**CONTAINER, "environment": [{"name": f"SETTING_{n}", "value": "x" * 20} for n in range(10)]}
        ecs.register_task_definition(family=name, containerDefinitions=[container], tags=lower(project))
        ecs.create_service(cluster=project, serviceName=name, taskDefinition=name, desiredCount=0, tags=lower(project))

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(make, (f"{project}-{n}" for n in range(number))))
