# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a project has beside what variables ask for is listed, and only what is provably its own and unused may go."""

from __future__ import annotations

import typing as t

import boto3
import botocore.client
import pytest
from ansible.module_utils.common import warnings
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.plugins.module_utils._project.kinds.base_api import Found
from ansible_collections.slipway.aws.plugins.module_utils._project.obsolete.api import KINDS, arns_in
from ansible_collections.slipway.aws.plugins.module_utils._project.obsolete.model import (
    GROUPED,
    Rules,
    obsolete,
    summary,
)

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

Json = dict[str, t.Any]
OURS = {"slipway:project": "ecs"}
GROUP_ARN = "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/ecs-old/1"
NAME_ARN = "arn:aws:servicediscovery:eu-central-1:1:service/srv-1"
BALANCER = "arn:aws:elasticloadbalancing:eu-central-1:1:loadbalancer/app/ecs/1"
VARIABLES = {kind.name: kind.variable for kind in KINDS}


def found(name: str, tags: Json | None = None, identity: str = "", **members: t.Any) -> Found:
    return Found(identity or f"arn:aws:x:{name}", name, OURS if tags is None else tags, **members)


def rules(group: str = "", **members: t.Any) -> Rules:
    keep = {kind.name: ["web"] for kind in KINDS}
    return Rules(OURS, group, members.pop("keep", keep), **members)


def names(entries: t.Iterable[Json]) -> list[str]:
    return [entry["name"] for entry in entries]


@pytest.mark.parametrize(
    ("tags", "group", "is_listed"),
    [
        (OURS, "", True),
        ({}, "", False),
        ({"slipway:project": "other"}, "", False),
        ({**OURS, "slipway:group": "api"}, "", False),
        ({**OURS, "slipway:group": "api"}, "api", True),
        (OURS, "api", False),
    ],
)
def test_only_what_carries_the_tags_of_those_who_run_it_is_listed(tags: Json, group: str, is_listed: bool) -> None:
    told = obsolete({"service": [found("old", tags), found("web", tags)]}, rules(group))
    assert names(told) == (["old"] if is_listed else [])


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_what_belongs_to_another_group_of_the_project_is_kept(kind: str) -> None:
    """Repositories, target groups and the like carry no group: they may be another inventory's."""
    tags = {**OURS, "slipway:group": "api"} if kind in GROUPED else OURS
    there = {"service": [], kind: [found("old", tags)]}
    assert obsolete(there, rules(group="web", full=["repository"])) == []


@pytest.mark.parametrize("tags", [OURS, {}, {"slipway:project": "other"}])
def test_what_a_service_uses_is_kept_while_the_service_is_kept(tags: Json) -> None:
    uses = frozenset({GROUP_ARN, NAME_ARN, "arn:aws:ecs:eu-central-1:1:task-definition/shared:7"})
    there = {
        "task definition": [found("shared", identity="shared"), found("share", identity="share")],
        "target group": [found("ecs-old", identity=GROUP_ARN)],
        "discovery service": [found("old", identity=NAME_ARN)],
    }
    # The one that asks for it is kept: it is in the variables, or none of ours.
    staying = found("web" if tags == OURS else "theirs", tags, uses=uses)
    assert names(obsolete({"service": [staying], **there}, rules())) == ["share"]
    # It goes itself, and with it what it used.
    going = found("old", uses=uses)
    assert names(obsolete({"service": [going], **there}, rules())) == ["old", "shared", "share", "ecs-old", "old"]
    # Nobody knows: the services could not be read.
    assert obsolete(there, rules()) == []


@pytest.mark.parametrize(
    ("kind", "members", "settings", "reason"),
    [
        ("target group", {}, {}, ""),
        ("target group", {"used_by": frozenset({BALANCER})}, {}, "a load balancer forwards to it"),
        ("target group", {"used_by": frozenset({BALANCER})}, {"released": [BALANCER]}, ""),
        ("repository", {"holds": "images"}, {}, "it contains images"),
        ("repository", {"holds": "images"}, {"full": ["repository"]}, ""),
        (
            "repository",
            {"tags": {**OURS, "slipway:shared": "true"}},
            {"full": ["repository"]},
            "other projects share it",
        ),
        ("log group", {"holds": "logs"}, {"full": ["repository"]}, "it contains logs"),
        ("log group", {}, {}, ""),
    ],
)
def test_what_is_in_use_or_holds_data_is_kept(kind: str, members: Json, settings: Json, reason: str) -> None:
    [entry] = obsolete({"service": [], kind: [found("old", **members)]}, rules(**settings))
    assert entry["kept_because"] == reason


def test_a_service_that_is_being_released_is_kept_with_all_that_it_uses() -> None:
    under_way = found("old", {**OURS, "slipway:checkpoint.0": "x"}, uses=frozenset({GROUP_ARN}))
    there = {"service": [under_way], "target group": [found("ecs-old", identity=GROUP_ARN)]}
    assert [(one["name"], one["kept_because"]) for one in obsolete(there, rules())] == [
        ("old", "its release has not ended")
    ]


def test_an_empty_list_of_services_deletes_nothing() -> None:
    keep = {kind.name: [] for kind in KINDS}
    told = obsolete({"service": [found("web")], "secret": [found("key")]}, rules(keep=keep))
    assert names(told) == ["web", "key"]
    assert all("destroy" in entry["kept_because"] for entry in told)
    assert "slipway_prune" not in summary(told, VARIABLES, "slipway_prune")


def test_one_message_names_all_and_what_deletes_them() -> None:
    there = {
        "service": [found("worker-old", state="2 running tasks")],
        "task definition": [found("worker-old")],
        "repository": [found("old", holds="images")],
    }
    assert summary(obsolete(there, rules()), VARIABLES, "slipway_prune") == (
        "No longer in ecs_app_services: service worker-old (2 running tasks), task definition worker-old."
        " No longer in ecr_registry_repositories: repository old (kept: it contains images)."
        " Delete with -e slipway_prune=true."
    )
    assert summary([], VARIABLES, "slipway_prune") == ""


def test_whatever_an_answer_refers_to_is_found() -> None:
    """Also the second target group of a blue/green deployment, and what only a deployment names."""
    answer = {
        "serviceName": "web",
        "loadBalancers": [{"targetGroupArn": "arn:a", "advancedConfiguration": {"alternateTargetGroupArn": "arn:b"}}],
        "deployments": [{"taskDefinition": "arn:c", "runningCount": 1}],
    }
    assert set(arns_in(answer)) == {"arn:a", "arn:b", "arn:c"}


# On emulators


@pytest.fixture(autouse=True)
def no_warnings_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules run in this process, where Ansible collects what they warn of."""
    monkeypatch.setattr(warnings, "_global_warnings", {})


def site() -> None:
    """What is requested (web), what is not any more (old), and what is someone else's (theirs)."""
    ecs, elb = boto3.client("ecs"), boto3.client("elbv2")
    vpc = boto3.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ecs.create_cluster(clusterName="ecs")
    ecs.create_cluster(clusterName="former", tags=[{"key": "slipway:project", "value": "ecs"}])
    ecs.create_cluster(clusterName="theirs", tags=[{"key": "slipway:project", "value": "other"}])
    for name, project in (("web", "ecs"), ("old", "ecs"), ("theirs", "other")):
        upper, lower = [{"Key": "slipway:project", "Value": project}], [{"key": "slipway:project", "value": project}]
        container = {"name": name, "image": name, "memory": 64}
        ecs.register_task_definition(family=name, containerDefinitions=[container], tags=lower)
        ecs.create_service(cluster="ecs", serviceName=name, taskDefinition=name, desiredCount=1, tags=lower)
        elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc, Tags=upper)
        boto3.client("ssm").put_parameter(Name=f"/ecs/{name}", Value="x", Type="String", Tags=upper)
        boto3.client("secretsmanager").create_secret(Name=f"ecs/{name}", SecretString="x", Tags=upper)
        boto3.client("ecr").create_repository(repositoryName=name, tags=upper)
        boto3.client("logs").create_log_group(logGroupName=f"/ecs/{name}", tags={"slipway:project": project})
    boto3.client("logs").create_log_group(logGroupName="/aws/lambda/f", tags={"slipway:project": "ecs"})


def options() -> Json:
    groups = boto3.client("elbv2").describe_target_groups(Names=["web"])["TargetGroups"]
    keep = {
        "service": ["web"],
        "task definition": ["web"],
        "parameter": ["/ecs/web"],
        "secret": ["ecs/web"],
        "target group": [groups[0]["TargetGroupArn"]],
        "log group": ["/ecs/web"],
        "repository": ["web"],
        "cluster": ["ecs"],
    }
    return {"project": "ecs", "cluster": "ecs", "keep": keep}


@pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
def test_each_kind_is_listed_and_nothing_of_others(run: RunModule, emulator: str) -> None:
    site()
    told = run("project_info", **options())
    assert (told["changed"], names(told["obsolete"])) == (
        False,
        ["old", "old", "/ecs/old", "ecs/old", "old", "/ecs/old", "old", "former"],
    )
    assert [entry["kind"] for entry in told["obsolete"]] == list(options()["keep"])
    assert [bool(entry["kept_because"]) for entry in told["obsolete"]] == [False] * 7 + [True]
    assert "No longer in ecs_app_services: service old (" in str(told["warnings"])


def test_who_deletes_them_is_not_warned(run: RunModule) -> None:
    site()
    told = str(run("project_info", **options(), prune=True)["warnings"])
    assert "No longer in ecs_cluster_name: cluster former (kept: delete it by hand" in told
    assert "old" not in told


def test_names_of_services_are_read_in_the_projects_namespace(run: RunModule) -> None:
    site()
    discovery = boto3.client("servicediscovery")
    vpc = boto3.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    tags = [{"Key": "slipway:project", "Value": "ecs"}]
    discovery.create_private_dns_namespace(Name="ecs.internal", Vpc=vpc)
    [space] = discovery.list_namespaces()["Namespaces"]
    # The last one as Service Connect makes it.
    for name, own in (("web", tags), ("old", tags), ("connect", [])):
        discovery.create_service(Name=name, NamespaceId=space["Id"], Tags=own)
    asked = {**options(), "keep": {"service": ["web", "old"], "discovery service": ["web"]}}
    told = run("project_info", **asked, namespace="ecs.internal")["obsolete"]
    assert [(one["kind"], one["name"]) for one in told] == [("discovery service", "old")]
    assert run("project_info", **asked, namespace="other.internal")["obsolete"] == []


def test_a_kind_that_may_not_be_read_is_said_and_fails_nothing(run: RunModule, monkeypatch: pytest.MonkeyPatch) -> None:
    site()
    call = botocore.client.BaseClient._make_api_call
    denied = {"ListServices", "DescribeParameters"}

    def refused(client: t.Any, operation: str, request: Json) -> t.Any:
        if operation in denied:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not for you"}}, operation)
        return call(client, operation, request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", refused)
    told = run("project_info", **options())
    assert not told.get("failed")
    # Of what services may use nothing is known either.
    assert [one["kind"] for one in told["obsolete"]] == ["secret", "log group", "repository", "cluster"]
    assert "Obsolete resources of the kind service could not be read: " in str(told["warnings"])
    assert "DescribeParameters" in str(told["warnings"])


def test_a_service_that_the_answer_leaves_out_may_use_anything(run: RunModule, monkeypatch: pytest.MonkeyPatch) -> None:
    site()
    call = botocore.client.BaseClient._make_api_call

    def silent(client: t.Any, operation: str, request: Json) -> t.Any:
        answer = call(client, operation, request)
        return {**answer, "services": answer["services"][:1]} if operation == "DescribeServices" else answer

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", silent)
    told = run("project_info", **options())
    assert not {one["kind"] for one in told["obsolete"]} & {"service", "task definition", "target group"}


def test_nothing_is_read_that_is_kept_anyway(run: RunModule, calls: list[str]) -> None:
    """A site of one project, as most runs are: no call for a single resource."""
    site()
    asked = options()
    asked["keep"] = {"service": ["web", "old", "theirs"], "task definition": ["web", "old", "theirs"]}
    calls.clear()
    told = run("project_info", **asked)
    assert told["obsolete"] == []
    assert sorted(calls) == ["DescribeServices", "ListServices", "ListTaskDefinitionFamilies"]


@pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
def test_families_of_others_cost_no_calls(run: RunModule, calls: list[str], emulator: str) -> None:
    """One list, and one call for each family that is named after the project or goes with an obsolete service."""
    site()
    ecs, own = boto3.client("ecs"), [{"key": "slipway:project", "value": "ecs"}]
    others = [(f"theirs-{number}", []) for number in range(20)]
    for family, tags in (*others, ("ecs-job", own), ("ecs-theirs", [])):
        container = {"name": "app", "image": "app", "memory": 64}
        ecs.register_task_definition(family=family, containerDefinitions=[container], tags=tags)
    calls.clear()
    keep = {"service": ["web"], "task definition": ["web"]}
    told = run("project_info", project="ecs", cluster="ecs", keep=keep)
    assert names(one for one in told["obsolete"] if one["kind"] == "task definition") == ["ecs-job", "old"]
    # ecs-job, ecs-theirs, and old, whose service is obsolete
    assert (calls.count("ListTaskDefinitionFamilies"), calls.count("DescribeTaskDefinition")) == (1, 3)


def test_a_cluster_that_does_not_exist_yet_has_nothing(run: RunModule) -> None:
    told = run("project_info", project="ecs", cluster="ecs", keep={"service": ["web"]})
    assert (told["obsolete"], told.get("warnings")) == ([], None)


@pytest.mark.parametrize("keep", [{"servise": ["web"]}, {"secret": []}])
def test_kinds_that_are_not_known_are_refused(run: RunModule, keep: Json) -> None:
    told = run("project_info", project="ecs", cluster="ecs", keep=keep)
    assert (told["failed"], told["code"]) == (True, "invalid_option")
