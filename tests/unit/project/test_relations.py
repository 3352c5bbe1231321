# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which resources refer to which others, from what AWS answers about them; and who creates what."""

from __future__ import annotations

import datetime
import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._core.names import Home
from ansible_collections.slipway.aws.plugins.module_utils._project import api, model
from ansible_collections.slipway.aws.plugins.module_utils._project.kinds.base_api import Found
from ansible_collections.slipway.aws.plugins.module_utils._project.relations import uses

Json = dict[str, t.Any]
HOME = "eu-central-1:123456789012"
FAMILY = f"arn:aws:ecs:{HOME}:task-definition/shop-web:7"
LOGS = f"arn:aws:logs:{HOME}:log-group:/ecs/shop"
SECRET = f"arn:aws:secretsmanager:{HOME}:secret:shop/key-AbCdEf"
PARAMETER = f"arn:aws:ssm:{HOME}:parameter/shop/key"
REPOSITORY = f"arn:aws:ecr:{HOME}:repository/shop/web"
ADDRESS = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web"
ROLE = "arn:aws:iam::123456789012:role/hosts-shop"
PROFILE = "arn:aws:iam::123456789012:instance-profile/hosts-shop"
PROVIDER = f"arn:aws:ecs:{HOME}:capacity-provider/hosts-shop"
VPC = f"arn:aws:ec2:{HOME}:vpc/vpc-0123456789abcdef0"
SUBNETS = [f"arn:aws:ec2:{HOME}:subnet/subnet-0000000{n}" for n in "12"]
BUCKET = "arn:aws:s3:::shop-logs"
EXISTING = [
    ("task definition", "shop-web", "shop-web", FAMILY, {}),
    ("log group", "/ecs/shop", "/ecs/shop", LOGS, {}),
    ("secret", SECRET, "shop/key", SECRET, {}),
    ("parameter", "/shop/key", "/shop/key", PARAMETER, {}),
    ("repository", "shop/web", "shop/web", REPOSITORY, {"repositoryUri": ADDRESS}),
    ("IAM role", "hosts-shop", "hosts-shop", ROLE, {}),
    ("instance profile", "hosts-shop", "hosts-shop", PROFILE, {}),
    ("capacity provider", "hosts-shop", "hosts-shop", PROVIDER, {}),
    ("VPC", "vpc-0123456789abcdef0", "shop", VPC, {}),
    ("subnet", "subnet-00000001", "a", SUBNETS[0], {}),
    ("subnet", "subnet-00000002", "b", SUBNETS[1], {}),
    ("bucket", "shop-logs", "shop-logs", BUCKET, {}),
]


def resource(kind: str, identity: str, name: str, arn: str, details: Json) -> Json:
    return {"kind": kind, "id": identity, "name": name, "arn": arn, "details": details}


def used_by(details: Json) -> list[str]:
    resources = [resource(*one) for one in EXISTING]
    return uses([resource("service", "arn:x", "x", "arn:x", details), *resources])[0]


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"vpcId": "vpc-0123456789abcdef0"}, [VPC]),
        # Any revision is the family's, and no other family begins with its name.
        ({"taskDefinition": FAMILY}, [FAMILY]),
        ({"deployments": [{"taskDefinition": FAMILY.replace(":7", ":6")}]}, [FAMILY]),
        ({"taskDefinition": FAMILY.replace("web:7", "web-old:7")}, []),
        ({"Resource": [f"{LOGS}:*", f"{LOGS}:log-stream:*"]}, [LOGS]),
        ({"options": {"awslogs-group": "/ecs/shop"}}, [LOGS]),
        ({"secrets": [{"name": "A", "valueFrom": f"{SECRET}:password::"}]}, [SECRET]),
        ({"secrets": [{"valueFrom": PARAMETER}, {"valueFrom": "/shop/key"}]}, [PARAMETER]),
        ({"image": f"{ADDRESS}:1.0"}, [REPOSITORY]),
        ({"image": f"{ADDRESS}@sha256:{'0' * 64}"}, [REPOSITORY]),
        ({"image": f"{ADDRESS}:1.0@sha256:{'0' * 64}"}, [REPOSITORY]),
        ({"image": f"{ADDRESS}-old:1.0"}, []),
        # One name, three resources: the member says which.
        ({"capacityProviders": ["hosts-shop", "FARGATE"]}, [PROVIDER]),
        ({"IamInstanceProfile": {"Arn": PROFILE}, "Roles": [{"Arn": ROLE}]}, [PROFILE, ROLE]),
        ({"description": "hosts-shop"}, []),
        ({"VPCZoneIdentifier": "subnet-00000001,subnet-00000002"}, SUBNETS),
        ({"Attributes": {"access_logs.s3.bucket": "shop-logs"}}, [BUCKET]),
        ({"Resource": f"{BUCKET}/AWSLogs/*"}, [BUCKET]),
        ({"Resource": "arn:aws:s3:::shop-logs-old/*"}, []),
        ({"image": "", "name": "", "arn": "arn:", "count": 3, "is": None}, []),
    ],
)
def test_what_details_refer_to_is_found(details: Json, expected: list[str]) -> None:
    assert used_by(details) == sorted(expected)


def test_nothing_uses_itself_and_the_order_stays() -> None:
    resources = [resource(*one) for one in EXISTING]
    resources[0]["details"] = {"taskDefinitionArn": FAMILY, "taskRoleArn": ROLE}
    assert uses(resources) == [[ROLE], *([] for _one in EXISTING[1:])]
    assert uses([]) == []


KINDS = {kind.name: kind for kind in api.KINDS}


@pytest.mark.parametrize(
    ("kind", "tags", "details", "role", "tag"),
    [
        ("VPC", {}, {}, "ecs_network", "network"),
        ("IAM role", {}, {}, "ecs_cluster", "cluster"),
        ("IAM role", {"slipway:role": "docker_instance"}, {}, "docker_instance", "docker_instance"),
        ("instance profile", {"slipway:role": "docker_instance"}, {}, "docker_instance", "docker_instance"),
        # A tag of this name that is not ours.
        ("IAM role", {"slipway:role": "admin"}, {}, "ecs_cluster", "cluster"),
        ("instance", {}, {}, "docker_instance", "docker_instance"),
        ("instance", {"aws:autoscaling:groupName": "hosts-shop"}, {}, "ecs_cluster", "cluster"),
        ("volume", {}, {"Attachments": [{"InstanceId": "i-host"}]}, "ecs_cluster", "cluster"),
        ("volume", {}, {"Attachments": [{"InstanceId": "i-docker"}]}, "docker_instance", "docker_instance"),
        ("volume", {}, {"Attachments": []}, "docker_instance", "docker_instance"),
    ],
)
def test_each_resource_has_the_role_that_creates_it(kind: str, tags: Json, details: Json, role: str, tag: str) -> None:
    hosts = {"i-host": "ecs_cluster", "i-docker": "docker_instance"}
    entry = model.entry(KINDS[kind], Found("x", "x", tags, details=details), hosts)
    assert (entry["role"], entry["tag"]) == (role, tag)


@pytest.mark.parametrize(
    ("tags", "is_owned"),
    [
        ({"slipway:project": "shop"}, True),
        ({"slipway:project": "shop", "slipway:region": "eu-central-1"}, True),
        ({"slipway:project": "shop", "slipway:region": "us-east-1"}, False),
        ({"slipway:project": "other"}, False),
        ({}, False),
        # Whoever deletes the site keeps the role with which it does.
        ({"slipway:project": "shop", "slipway:role": "deployer"}, False),
    ],
)
def test_a_site_owns_what_its_roles_create_in_its_region(tags: Json, is_owned: bool) -> None:
    assert model.is_owned(tags, "shop", "eu-central-1") == is_owned


def test_each_kind_has_a_role_with_a_tag_of_the_playbooks() -> None:
    assert {kind.role for kind in api.KINDS} == model.TAGS.keys()


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("ecs", "DescribeServices", "ecs:DescribeServices"),
        ("elbv2", "DescribeRules", "elasticloadbalancing:DescribeRules"),
        ("s3", "ListBuckets", "s3:ListAllMyBuckets"),
        ("s3", "GetBucketEncryption", "s3:GetEncryptionConfiguration"),
        ("s3", "", ""),
    ],
)
def test_the_missing_permission_is_named_as_iam_names_it(service: str, operation: str, action: str) -> None:
    assert model.action_of(service, operation) == action


def test_a_failure_of_many_resources_is_returned_once() -> None:
    error = SlipwayError("access_denied", "denied")
    entries = [model.unknown("service", "ecs_app", f"ecs:{name}", error) for name in ("A", "A", "B")]
    assert [one["action"] for one in model.distinct(entries)] == ["ecs:A", "ecs:B"]
    assert entries[0] == {
        "kind": "service",
        "tag": "service",
        "role": "ecs_app",
        "action": "ecs:A",
        "code": "access_denied",
        "message": "denied",
    }


def test_answers_are_returned_as_json() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=2))
    answer = {"at": datetime.datetime(2026, 11, 29, 18, 0, tzinfo=zone), "all": ({"n": 1, "is": None},)}
    assert model.plain(answer) == {"at": "2026-11-29T16:00:00Z", "all": [{"n": 1, "is": None}]}


@pytest.mark.parametrize(
    ("service", "prefix", "identity", "arn"),
    [
        ("ec2", "vpc/", "vpc-1", "arn:aws-cn:ec2:cn-north-1:1:vpc/vpc-1"),
        ("s3", "", "logs", "arn:aws-cn:s3:::logs"),
        ("ssm", "parameter", "/shop/key", "arn:aws-cn:ssm:cn-north-1:1:parameter/shop/key"),
    ],
)
def test_a_resource_without_an_arn_in_its_answer_gets_one(service: str, prefix: str, identity: str, arn: str) -> None:
    assert model.arn_of(service, prefix, identity, Home("aws-cn", "cn-north-1", "1")) == arn
