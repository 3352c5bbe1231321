# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Known ways to take over resources of others or to gain permissions, tried on each policy document.

The local cloud's evaluator of policies judges each request, as AWS would, by its action, resource and context.
"""

from __future__ import annotations

import functools
import itertools
import re
import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils.deployer import policy_documents
from ansible_collections.slipway.aws.tests.escalations import arn, iam
from ansible_collections.slipway.aws.tests.policies import (
    DOCUMENTS,
    PERMISSIONS,
    ROOT,
    VALUES,
    VARIANTS,
    Policy,
    Request,
    reference,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Json = dict[str, t.Any]
Context = dict[str, t.Any]
ACCOUNT, REGION, PROJECT = VALUES["account"], VALUES["region"], VALUES["project"]
BOUNDARY = VALUES["boundary"]
UNBOUNDED = policy_documents(PERMISSIONS, {**VALUES, "boundary": ""}, VARIANTS)
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
OWNER = "slipway:project"


def tagged(**of: str) -> Context:
    """The tag of the request or of the resource that says which project it belongs to."""
    return {f"aws:{kind}Tag/{OWNER}": project for kind, project in of.items()}


@functools.cache
def policy(name: str, bounded: bool) -> Policy:
    return Policy((DOCUMENTS if bounded else UNBOUNDED)[name])


def allowed(name: str, request: Request, *, bounded: bool = True) -> bool:
    return policy(name, bounded).allows(request)


# Privileges, after https://rhinosecuritylabs.com/aws/aws-privilege-escalation-methods-mitigation/ and its successors.
# An attack succeeds where all of its requests are allowed.

OWN_ROLES = [iam(f"role/{name}") for name in (f"{PROJECT}-task", f"{PROJECT}-execution", f"hosts-{PROJECT}")]
OWN_ROLES.append(iam(f"role/{PROJECT}-docker-instance"))
OTHER_ROLES = [iam("role/administrator"), iam(f"role/{PROJECT}-administrator")]
SERVICES = [f"{name}.amazonaws.com" for name in ("ec2", "ecs-tasks", "ecs", "lambda", "cloudformation", "glue", "ssm")]
# A role without boundary, or with one that somebody has chosen himself.
UNLIMITED: list[Context] = [{}, {"iam:PermissionsBoundary": ADMINISTRATOR}]


def attacks_on_identities() -> Iterator[list[Request]]:
    policy, user, group = iam("policy/own"), iam("user/administrator"), iam("group/administrators")
    for resource, actions in (
        (policy, "CreatePolicyVersion SetDefaultPolicyVersion"),
        (user, "CreateAccessKey CreateLoginProfile UpdateLoginProfile PutUserPolicy AttachUserPolicy CreateUser"),
        (user, "DeleteUserPermissionsBoundary PutUserPermissionsBoundary ResyncMFADevice DeactivateMFADevice"),
        (group, "AddUserToGroup PutGroupPolicy AttachGroupPolicy"),
    ):
        for action in actions.split():
            yield [Request(f"iam:{action}", resource, {"iam:PolicyARN": ADMINISTRATOR})]
    for resource in (user, iam("user/deployer")):
        yield [Request("iam:AttachUserPolicy", resource, {"iam:PolicyARN": ADMINISTRATOR})]


def attacks_on_roles() -> Iterator[list[Request]]:
    for role, limits in itertools.product(OWN_ROLES + OTHER_ROLES, UNLIMITED):
        owner = tagged(Resource=PROJECT) if role in OWN_ROLES else {}
        context = owner | limits
        yield [Request("iam:PutRolePolicy", role, context)]
        yield [Request("iam:AttachRolePolicy", role, context | {"iam:PolicyARN": ADMINISTRATOR})]
        yield [Request("iam:UpdateAssumeRolePolicy", role, context)]
        yield [Request("iam:DeleteRolePermissionsBoundary", role, context)]
        yield [Request("iam:PutRolePermissionsBoundary", role, context)]
        new = Request("iam:CreateRole", role, tagged(Request=PROJECT) | limits)
        yield [new, Request("iam:PutRolePolicy", role, context)]
    for role in OTHER_ROLES:
        yield [Request("sts:AssumeRole", role)]
        for service in SERVICES:
            yield [Request("iam:PassRole", role, {"iam:PassedToService": service})]
    for service in SERVICES:
        yield [Request("iam:CreateServiceLinkedRole", OTHER_ROLES[0], {"iam:AWSServiceName": service})]


def attacks_on_computers() -> Iterator[list[Request]]:
    """Whoever runs commands on a computer has the permissions of its role."""
    other = tagged(Resource="other")
    instance, task = arn("ec2", "instance/i-0123456789abcdef0"), arn("ecs", "task/other/0123456789abcdef")
    yield [Request("ssm:SendCommand", instance, other)]
    yield [Request("ssm:StartSession", instance, other)]
    yield [Request("ec2-instance-connect:SendSSHPublicKey", instance, other)]
    yield [Request("ec2:ModifyInstanceAttribute", instance, other), Request("ec2:StopInstances", instance, other)]
    yield [Request("ec2:AssociateIamInstanceProfile", instance, other)]
    yield [Request("ec2:ReplaceIamInstanceProfileAssociation", instance, other)]
    yield [Request("ecs:ExecuteCommand", task, other)]
    yield [Request("ecs:UpdateService", arn("ecs", f"service/{PROJECT}/other"), other)]
    definition = arn("ecs", "task-definition/other:1")
    yield [Request("ecs:RunTask", definition, other | {"ecs:cluster": arn("ecs", f"cluster/{PROJECT}")})]
    yield [Request("lambda:UpdateFunctionCode", arn("lambda", "function:other"), other)]
    yield [Request("ssm:GetParameters", arn("ssm", "parameter/other/password"), other)]
    yield [Request("secretsmanager:GetSecretValue", arn("secretsmanager", "secret:other/password"), other)]


def escalations(name: str, *, bounded: bool) -> list[list[Request]]:
    attacks = [*attacks_on_identities(), *attacks_on_roles(), *attacks_on_computers()]
    return [attack for attack in attacks if all(allowed(name, request, bounded=bounded) for request in attack)]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_with_a_boundary_nobody_gains_permissions(name: str) -> None:
    assert escalations(name, bounded=True) == []


def guide() -> str:
    return " ".join((ROOT / "docs/docsite/rst/guide_permissions.rst").read_text().split())


def test_the_guide_names_the_documents_that_need_a_boundary() -> None:
    documents = [name for name in PERMISSIONS["documents"] if escalations(name, bounded=False)]
    named = re.search(r"Anyone with this variant who can run ([^.]*?) can then escalate", guide())
    assert named
    assert re.findall(r"``(\w+)``", named[1]) == documents


@pytest.mark.parametrize("role", OWN_ROLES)
def test_with_a_boundary_the_sites_own_roles_can_be_managed(role: str) -> None:
    name = "hosts" if "/hosts-" in role else "docker_instance" if "docker" in role else "cluster"
    made = tagged(Request=PROJECT) | {"iam:PermissionsBoundary": BOUNDARY}
    assert allowed(name, Request("iam:CreateRole", role, made))
    owned = tagged(Resource=PROJECT) | {"iam:PermissionsBoundary": BOUNDARY}
    assert allowed(name, Request("iam:PutRolePermissionsBoundary", role, owned))
    if name != "docker_instance":
        assert allowed(name, Request("iam:PutRolePolicy", role, owned))


# Ownership: the tag slipway:project says whose a resource is.

# No condition key identifies the owner: Cloud Map's TagResource has no resource, S3's only its name.
BLIND = {"servicediscovery:TagResource", "s3:PutBucketTagging"}


def tagging(name: str) -> Iterator[tuple[str, str]]:
    """Each action of a document that sets or removes tags, with a resource of each ARN that it is about."""
    for statement in DOCUMENTS[name]["Statement"]:
        for action in statement["Action"]:
            service, operation = action.split(":")
            if reference()[service]["privileges"][operation]["access_level"] == "Tagging":
                yield from ((action, resource.replace("*", "x")) for resource in statement["Resource"])


def taken(names: Iterable[str], context: Context) -> set[tuple[str, str, str]]:
    """What a request of this context is allowed to tag or untag."""
    found = ((name, *one) for name in names for one in tagging(name))
    return {one for one in found if allowed(one[0], Request(one[1], one[2], context))}


CREATED = {"ec2", "ecs", "elasticloadbalancing"}
KEYS = {"aws:TagKeys": [OWNER]}


def test_resources_of_other_projects_cannot_be_tagged() -> None:
    context = tagged(Request=PROJECT, Resource="other") | KEYS
    assert {action for _name, action, _resource in taken(DOCUMENTS, context)} <= BLIND


def test_resources_of_nobody_are_tagged_while_they_are_created() -> None:
    context = tagged(Request=PROJECT) | KEYS
    # Taking over what belongs to nobody is what `adopt` is for; the guide says who is to have it.
    found = taken(PERMISSIONS["documents"].keys() - {"adopt"}, context)
    assert "``adopt``" in guide().partition("What AWS cannot limit")[2]
    assert {action for _name, action, _resource in found if action.split(":")[0] in CREATED} == set()
    # For the other services no key separates creation from later: the names have to be the site's own.
    site = [PROJECT, *VALUES["repositories"], *VALUES["shared_repositories"]]
    nameless = {action for _name, action, resource in found if not any(name in resource for name in site)}
    assert nameless == set(re.findall(r"``([\w-]+:(?:Tag|AddTags)\w*)``", guide()))


def test_an_adoption_tags_what_is_nobodys_for_its_own_project_alone() -> None:
    kinds = {"ecs:TagResource", "elasticloadbalancing:AddTags", "scheduler:TagResource"}
    kinds |= {"application-autoscaling:TagResource"}
    assert {action for _name, action, _resource in taken(["adopt"], tagged(Request=PROJECT) | KEYS)} == kinds
    for context in (tagged(Request="other"), tagged(Request="other", Resource=PROJECT), {}):
        assert taken(["adopt"], context | KEYS) == set()
    clusters = Request("ecs:TagResource", arn("ecs", f"cluster/{PROJECT}"), tagged(Request=PROJECT))
    assert not allowed("adopt", clusters)


@pytest.mark.parametrize("action", ["CreateService", "RegisterTaskDefinition"])
def test_what_is_created_gets_its_tags(action: str) -> None:
    kind = f"service/{PROJECT}/web" if action == "CreateService" else "task-definition/web:*"
    context = tagged(Request=PROJECT) | {"ecs:CreateAction": action}
    assert allowed("service", Request("ecs:TagResource", arn("ecs", kind), context))


def test_nobody_gives_ownership_away() -> None:
    other = taken(DOCUMENTS, tagged(Request="other", Resource=PROJECT) | KEYS)
    assert {action for _name, action, _resource in other} <= {"s3:PutBucketTagging"}


def test_nobody_removes_the_owner() -> None:
    removing = {
        one for one in taken(DOCUMENTS, tagged(Resource=PROJECT) | KEYS) if re.search("Untag|Remove|Delete", one[1])
    }
    assert removing == set()
    assert allowed(
        "service",
        Request(
            "ecs:UntagResource",
            arn("ecs", f"service/{PROJECT}/web"),
            {
                **tagged(Resource=PROJECT),
                "aws:TagKeys": ["slipway:checkpoint"],
            },
        ),
    )


# Everything else that an account may have beside this site.

ZONE = "arn:aws:route53:::hostedzone/Z0123456789"
RECORDS = "route53:ChangeResourceRecordSets"


def record(name: str, kind: str) -> Context:
    return {
        f"{RECORDS}NormalizedRecordNames": [name],
        f"{RECORDS}RecordTypes": [kind],
        f"{RECORDS}Actions": ["UPSERT"],
    }


OTHER = tagged(Resource="other")
SCALABLE = arn("application-autoscaling", "scalable-target/0ec5x")
SCHEDULES = f"arn:aws:iam::{ACCOUNT}:role/{PROJECT}-schedules"
OF_OTHERS = {
    "a record": Request(RECORDS, ZONE, record("www.example.com", "A")),
    "a validation record": Request(RECORDS, ZONE, record("_x.other.example.com", "CNAME")),
    "a mail record": Request(RECORDS, ZONE, record(f"_x.www.{PROJECT}.example.com", "TXT")),
    "a namespace": Request("servicediscovery:DeleteNamespace", arn("servicediscovery", "namespace/ns-1"), OTHER),
    "a name": Request("servicediscovery:DeleteService", arn("servicediscovery", "service/srv-1"), OTHER),
    "a new name": Request("servicediscovery:CreateService", arn("servicediscovery", "namespace/ns-1"), OTHER),
    "a certificate": Request("acm:DeleteCertificate", arn("acm", "certificate/1"), OTHER),
    "a bucket": Request("s3:DeleteObject", f"arn:aws:s3:::{PROJECT}-backups/data"),
    "a bucket's policy": Request("s3:PutBucketPolicy", f"arn:aws:s3:::{PROJECT}-backups"),
    "an image": Request("ecr:PutImage", arn("ecr", "repository/other"), OTHER),
    "a repository": Request("ecr:DeleteRepository", arn("ecr", "repository/base/django"), OTHER),
    "an alarm": Request("cloudwatch:PutMetricAlarm", arn("cloudwatch", "alarm:pager")),
    "an alarm of another cluster": Request(
        "cloudwatch:DeleteAlarms", arn("cloudwatch", "alarm:StepScaling-service/other/web-QueueStartFromZero")
    ),
    "a queue": Request("sqs:ReceiveMessage", arn("sqs", "orders"), OTHER),
    "a schedule": Request("scheduler:UpdateSchedule", arn("scheduler", f"schedule/{PROJECT}-eu/night")),
    "a schedule group": Request("scheduler:DeleteScheduleGroup", arn("scheduler", f"schedule-group/{PROJECT}"), OTHER),
    "a schedule's role": Request("iam:PassRole", SCHEDULES, {"iam:PassedToService": "lambda.amazonaws.com"}),
    "a new repository": Request("ecr:CreateRepository", arn("ecr", "repository/other"), tagged(Request=PROJECT)),
    **{
        f"scaling: {action}": Request(f"application-autoscaling:{action}", SCALABLE, {
            **OTHER, "application-autoscaling:service-namespace": "ecs",
            "application-autoscaling:scalable-dimension": "ecs:service:DesiredCount",
        })
        for action in ("RegisterScalableTarget", "PutScalingPolicy", "DeregisterScalableTarget", "DeleteScalingPolicy")
    },
}  # fmt: skip


@pytest.mark.parametrize("what", OF_OTHERS)
def test_what_belongs_to_others_is_left_alone(what: str) -> None:
    assert [name for name in DOCUMENTS if allowed(name, OF_OTHERS[what])] == []


OWN_GROUP = arn("scheduler", f"schedule-group/{PROJECT}")
OWN_ALARM = arn("cloudwatch", f"alarm:StepScaling-service/{VALUES['cluster']}/worker-QueueStartFromZero")
OF_THE_SITE = [
    ("load_balancer", Request(RECORDS, ZONE, record(f"_x.www.{PROJECT}.example.com", "CNAME"))),
    ("discovery", Request(RECORDS, ZONE, record(f"database.{PROJECT}.internal", "A"))),
    ("registry", Request("ecr:CreateRepository", arn("ecr", "repository/webapp"), tagged(Request=PROJECT))),
    ("load_balancer", Request("s3:PutBucketPolicy", f"arn:aws:s3:::{PROJECT}-access-logs")),
    ("service", Request("application-autoscaling:PutScalingPolicy", SCALABLE, tagged(Resource=PROJECT))),
    ("service", Request("cloudwatch:PutMetricAlarm", OWN_ALARM)),
    ("service", Request("cloudwatch:TagResource", OWN_ALARM, tagged(Request=PROJECT))),
    ("service", Request("sqs:GetQueueUrl", arn("sqs", "orders"))),
    ("service", Request("scheduler:CreateSchedule", arn("scheduler", f"schedule/{PROJECT}/night"))),
    ("service", Request("scheduler:DeleteSchedule", arn("scheduler", f"schedule/{PROJECT}.api/night"))),
    ("service", Request("iam:PassRole", SCHEDULES, {"iam:PassedToService": "scheduler.amazonaws.com"})),
    ("destroy", Request("scheduler:DeleteScheduleGroup", OWN_GROUP, tagged(Resource=PROJECT))),
    ("destroy", Request("cloudwatch:DescribeAlarms", OWN_ALARM)),
    ("destroy", Request("cloudwatch:DeleteAlarms", OWN_ALARM)),
]


@pytest.mark.parametrize(("name", "request_"), OF_THE_SITE)
def test_what_belongs_to_the_site_can_be_changed(name: str, request_: Request) -> None:
    assert allowed(name, request_)


def test_an_empty_list_allows_nothing() -> None:
    documents = policy_documents(PERMISSIONS, {**VALUES, "instance_policies": []}, VARIANTS)
    actions = {action for one in documents["docker_instance"]["Statement"] for action in one["Action"]}
    assert "iam:AttachRolePolicy" not in actions
