# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole project in one read: each resource with everything that AWS knows, relations, and what cannot be read."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import math
import threading
import time
import typing as t
from collections import Counter

import boto3
import botocore.client
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.plugins.module_utils._core import calls as client_calls
from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._project import api, details_flow
from ansible_collections.slipway.aws.plugins.module_utils._project.state import in_one_order
from ansible_collections.slipway.aws.tests.unit.project.accounts import (
    ATTACHED,
    LIFECYCLE,
    POLICY,
    make_in_full,
    make_services,
)
from ansible_collections.slipway.aws.tests.unit.project.test_project_info import (
    CONTAINER,
    MINISTACK,
    MOTO,
    lower,
    make_all,
)

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

Json = dict[str, t.Any]
Client = t.Callable[[str], t.Any]
KEYS = {"kind", "tag", "role", "id", "name", "arn", "tags", "holds", "details", "uses"}
ACCOUNTS = [("moto", MOTO, "123456789012"), ("ministack", MINISTACK, "000000000000")]
on_ministack = pytest.mark.parametrize("emulator", ["ministack"], indirect=True)
NO_SCALING = ("service", "application-autoscaling:DescribeScalableTargets", "unsupported")


@pytest.fixture
def patient(aws: None, emulator: str) -> None:
    """MiniStack looks for a service that it does not have for longer than modules wait, when it is first requested."""
    scaling = boto3.client("application-autoscaling", config=Config(read_timeout=300, retries={"max_attempts": 0}))
    with contextlib.closing(scaling), contextlib.suppress(ClientError):
        scaling.describe_scalable_targets(ServiceNamespace="ecs")


@pytest.fixture
def client(patient: None) -> t.Iterator[Client]:
    """Clients with the retries of modules, created once."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def create(service: str) -> t.Any:
            created = boto3.client(service, config=Config(**client_calls.settings({})))
            # The emulator would wait for their connections at its end.
            stack.callback(created.close)
            return client_calls.watch(created)

        yield create


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """Each call as it is requested: service, operation, and members."""
    made: list[tuple[str, str, str]] = []
    call = botocore.client.BaseClient._make_api_call

    def noted(client: t.Any, operation: str, request: Json) -> t.Any:
        made.append((client.meta.service_model.service_name, operation, json.dumps(request, sort_keys=True)))
        return call(client, operation, request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", noted)
    return made


def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto in this process is not thread-safe."""
    call, lock = botocore.client.BaseClient._make_api_call, threading.Lock()

    def locked(client: t.Any, operation: str, request: Json) -> t.Any:
        with lock:
            return call(client, operation, request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", locked)


def reasons(found: Json) -> list[tuple[str, str, str]]:
    return [(one["kind"], one["action"], one["code"]) for one in found["unknown"]]


def named(found: Json, kind: str, name: str) -> Json:
    [one] = [one for one in found["resources"] if (one["kind"], one["name"]) == (kind, name)]
    return dict(one)


@pytest.mark.parametrize(("emulator", "unsupported", "number"), ACCOUNTS, indirect=["emulator"])
def test_each_resource_is_returned_in_full(
    run: RunModule,
    patient: None,
    emulator: str,
    unsupported: set[str],
    number: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(api, "KINDS", tuple(kind for kind in api.KINDS if kind.name not in unsupported))
    if emulator == "moto":
        one_at_a_time(monkeypatch)
    make_all("ours")
    make_all("theirs")
    found = run("project_info", project="ours", details=True)
    resources = found["resources"]
    assert [one["kind"] for one in resources] == [kind.name for kind in api.KINDS if not kind.detailed]
    assert {frozenset(one) for one in resources} == {frozenset(KEYS)}
    assert len({one["arn"] for one in resources}) == len(resources)
    assert all(one["details"] and one["arn"].startswith("arn:aws:") for one in resources)
    short = [{key: one[key] for key in one if key not in {"arn", "details", "uses"}} for one in resources]
    assert short == run("project_info", project="ours")["resources"]
    assert (found["caller"]["account"], found["region"], found["records"]) == (number, "eu-central-1", {})
    # The local cloud has no Application Auto Scaling.
    assert reasons(found) == ([NO_SCALING] if emulator == "ministack" else [])
    assert run("project_info", project="nobody", details=True)["resources"] == []


@on_ministack
def test_what_only_further_calls_return_is_in_the_details(client: Client, requests: list[tuple[str, str, str]]) -> None:
    make_in_full("ours")
    requests.clear()
    found = details_flow.run(client, "ours")
    repeated = {call: number for call, number in Counter(requests).items() if number > 1}
    assert repeated == {}
    service, family = named(found, "service", "api"), named(found, "task definition", "ours-web")
    assert service["details"]["tasks"] == []
    assert [one["revision"] for one in family["details"]["revisions"]] == [1]
    assert family["details"]["revision"] == 2
    balancer, group = named(found, "load balancer", "ours"), named(found, "target group", "ours-api")
    [listener] = balancer["details"]["Listeners"]
    assert {one["Priority"] for one in listener["Rules"]} == {"default", "5"}
    assert balancer["details"]["Attributes"]["deletion_protection.enabled"] == "false"
    assert group["details"]["Attributes"]["deregistration_delay.timeout_seconds"] == "300"
    assert group["details"]["TargetHealth"] == []
    [schedule] = named(found, "schedule group", "ours")["details"]["schedules"]
    # As data, so that what looks like a secret is masked wherever it is shown or recorded.
    assert schedule["Target"]["Input"]["containerOverrides"][0]["name"] == "web"
    host = named(found, "IAM role", "ours-host")["details"]
    assert (host["Policies"], [one["PolicyArn"] for one in host["AttachedPolicies"]]) == (
        {"slipway": POLICY},
        [ATTACHED],
    )
    repository = named(found, "repository", "ours/web")["details"]
    assert (repository["policy"], repository["lifecyclePolicy"]) == (POLICY, LIFECYCLE)
    assert [one["imageTags"] for one in repository["images"]] == [["1.0"]]
    bucket = named(found, "bucket", "ours-logs")["details"]
    assert (bucket["Policy"], bucket["PublicAccessBlock"]) == (POLICY, None)
    assert named(found, "log group", "/ecs/ours")["details"]["retentionInDays"] == 30
    [vpc] = [one["details"] for one in found["resources"] if one["kind"] == "VPC"]
    assert (vpc["EnableDnsSupport"], vpc["EnableDnsHostnames"]) == (True, True)
    # Whoever opens it, the next run notices.
    assert vpc["DefaultSecurityGroup"]["IpPermissionsEgress"][0]["IpRanges"][0]["CidrIp"] == "0.0.0.0/0"
    template = named(found, "launch template", "ours-hosts")["details"]
    types = [one["LaunchTemplateData"]["InstanceType"] for one in template["LaunchTemplateVersions"]]
    assert types == ["t3.micro", "t3.small"]
    address = named(found, "discovery service", "api")
    expected = [named(found, "cluster", "ours"), address, family, group]
    assert service["uses"] == sorted(one["arn"] for one in expected)
    assert address["uses"] == [named(found, "namespace", "ours")["arn"]]


SCALED: Json = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/ours/web",
    "ScalableDimension": "ecs:service:DesiredCount",
}
TRACKING = {
    "TargetValue": 60.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
}


def test_a_service_has_its_scaling(run: RunModule, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that of others in the region."""
    monkeypatch.setattr(api, "KINDS", tuple(kind for kind in api.KINDS if kind.service == "ecs"))
    monkeypatch.setattr(api, "SERVICES", ("ec2", "ecs"))
    one_at_a_time(monkeypatch)
    scaling, ecs = boto3.client("application-autoscaling"), boto3.client("ecs")
    for project in ("ours", "theirs"):
        ecs.create_cluster(clusterName=project, tags=lower(project))
        ecs.register_task_definition(family=f"{project}-web", containerDefinitions=[CONTAINER], tags=lower(project))
        own = {**SCALED, "ResourceId": f"service/{project}/web"}
        ecs.create_service(
            cluster=project, serviceName="web", taskDefinition=f"{project}-web", desiredCount=2, tags=lower(project)
        )
        scaling.register_scalable_target(**own, MinCapacity=1, MaxCapacity=6)
        scaling.put_scaling_policy(
            **own,
            PolicyName="cpu",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=TRACKING,
        )
    [service] = [
        one for one in run("project_info", project="ours", details=True)["resources"] if one["kind"] == "service"
    ]
    details = service["details"]
    assert (details["scalableTarget"]["MinCapacity"], details["scalableTarget"]["MaxCapacity"]) == (1, 6)
    assert [(one["PolicyName"], one["ResourceId"]) for one in details["scalingPolicies"]] == [
        ("cpu", "service/ours/web")
    ]
    assert details["scheduledActions"] == []


@on_ministack
def test_no_value_of_a_secret_is_returned(client: Client, requests: list[tuple[str, str, str]]) -> None:
    make_in_full("ours")
    value = "correct-horse-battery"
    boto3.client("ssm").put_parameter(Name="/ours/key", Value=value, Type="SecureString", Overwrite=True)
    boto3.client("secretsmanager").put_secret_value(SecretId="ours-key", SecretString=value)
    requests.clear()
    assert value not in json.dumps(details_flow.run(client, "ours"))
    values = {"GetSecretValue", "GetParameter", "GetParameters", "GetAuthorizationToken", "GetObject"}
    assert {operation for _service, operation, _members in requests} & values == set()


def failing(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    """AWS's error by service and operation, which these calls fail with from now on."""
    errors: dict[tuple[str, str], str] = {}
    call = botocore.client.BaseClient._make_api_call

    def answer(client: t.Any, operation: str, request: Json) -> t.Any:
        code = errors.get((client.meta.service_model.service_name, operation))
        if code:
            raise ClientError({"Error": {"Code": code, "Message": "not for you"}}, operation)
        return call(client, operation, request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", answer)
    return errors


@on_ministack
def test_what_may_not_be_read_is_unknown_and_everything_else_is_returned(
    client: Client, requests: list[tuple[str, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_in_full("ours")
    requests.clear()
    complete = details_flow.run(client, "ours")
    # AWS answers most lists in any order.
    everything = {(one["kind"], one["arn"]): in_one_order(one["details"]) for one in complete["resources"]}
    operations = {(service, name) for service, name, _members in requests} - {("sts", "GetCallerIdentity")}
    assert len(operations) > 50
    errors = failing(monkeypatch)
    for some in one_of_each_service(operations):
        errors.clear()
        errors.update(dict.fromkeys(some, "AccessDenied"))
        found = details_flow.run(client, "ours")
        denied = [one for one in found["unknown"] if one["code"] == "access_denied"]
        assert {one["action"] for one in denied} == {f"{service_prefix(one)}:{iam_name(name)}" for one, name in some}
        assert all("not for you" in one["message"] and one["role"] and one["tag"] for one in denied)
        kinds = {one["kind"] for one in found["unknown"]}
        rest = {key: details for key, details in everything.items() if key[0] not in kinds}
        read = {(one["kind"], one["arn"]): in_one_order(one["details"]) for one in found["resources"]}
        assert {key: details for key, details in read.items() if key[0] not in kinds} == rest, some
        # A kind that is not known in full lacks members, and has no wrong ones.
        wrong = [
            key for key, details in read.items() if any(everything[key][name] != details[name] for name in details)
        ]
        assert [one for one in wrong if one[0] != "certificate"] == [], some


def one_of_each_service(operations: t.Iterable[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """All operations in a few groups: of a service one at a time, as others may depend on it; scaling by itself."""
    alone = "application-autoscaling"
    groups: dict[str, list[tuple[str, str]]] = {}
    for one in sorted(operations):
        groups.setdefault(one[0], []).append(one)
    rounds = itertools.zip_longest(*(some for service, some in groups.items() if service != alone))
    return [[one for one in some if one] for some in rounds] + [[one] for one in groups[alone]]


def service_prefix(service: str) -> str:
    return {"elbv2": "elasticloadbalancing"}.get(service, service)


def iam_name(operation: str) -> str:
    return {
        "ListBuckets": "ListAllMyBuckets",
        "GetBucketEncryption": "GetEncryptionConfiguration",
        "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
        "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    }.get(operation, operation)


@on_ministack
@pytest.mark.parametrize(("error", "code"), [("ThrottlingException", "throttled"), ("InternalError", "aws_error")])
def test_a_call_that_aws_fails_to_answer_is_unknown_too(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: str, code: str
) -> None:
    make_all("ours")
    failing(monkeypatch)["iam", "ListRoles"] = error
    found = details_flow.run(client, "ours")
    assert reasons(found) == [NO_SCALING, ("IAM role", "iam:ListRoles", code)]
    assert "IAM role" not in {one["kind"] for one in found["resources"]}


@on_ministack
@pytest.mark.parametrize("operation", [("sts", "GetCallerIdentity"), ("ecs", "ListClusters")])
def test_without_valid_credentials_the_read_fails(
    client: Client, monkeypatch: pytest.MonkeyPatch, operation: tuple[str, str]
) -> None:
    failing(monkeypatch)[operation] = "ExpiredTokenException"
    with pytest.raises(SlipwayError) as failure:
        details_flow.run(client, "ours")
    assert failure.value.code == "no_credentials"


DELETED = [
    ("ecs", "ListServices", "ClusterNotFoundException", "service"),
    ("iam", "GetRole", "NoSuchEntity", "IAM role"),
    ("elbv2", "DescribeTargetHealth", "TargetGroupNotFound", "target group"),
    ("s3", "GetBucketPolicy", "NoSuchBucket", "bucket"),
    ("ecr", "DescribeImages", "RepositoryNotFoundException", "repository"),
    ("ec2", "DescribeVpcAttribute", "InvalidVpcID.NotFound", "VPC"),
]


@on_ministack
@pytest.mark.parametrize(("service", "operation", "error", "kind"), DELETED)
def test_only_what_aws_says_is_deleted_is_left_out(
    client: Client, monkeypatch: pytest.MonkeyPatch, service: str, operation: str, error: str, kind: str
) -> None:
    make_all("ours")
    failing(monkeypatch)[service, operation] = error
    found = details_flow.run(client, "ours")
    assert {kind.name for kind in api.KINDS if not kind.detailed} - MINISTACK - {kind} == {
        one["kind"] for one in found["resources"]
    }
    assert [one for one in reasons(found) if one != NO_SCALING] == []


def test_details_are_not_for_a_list_of_obsolete_resources(run: RunModule) -> None:
    refused = run("project_info", project="ours", cluster="ours", keep={"service": []}, details=True)
    assert (refused["failed"], refused["code"]) == (True, "invalid_option")


def expected_calls(services: int) -> dict[str, int]:
    """Calls to ECS of a project of one cluster with so many services, each with a family of its own."""
    return {
        "ListClusters": 1,
        "DescribeClusters": 1,
        "DescribeCapacityProviders": 1,
        # The emulator returns them on one page.
        "ListServices": 1,
        "DescribeServices": math.ceil(services / 10),
        "DescribeServiceDeployments": math.ceil(services / 20),
        "ListTaskDefinitionFamilies": 1,
        "DescribeTaskDefinition": services,
        "ListTasks": 1,
    }


def calls_of(requests: t.Iterable[tuple[str, str, str]]) -> dict[str, int]:
    return dict(Counter(operation for service, operation, _members in requests if service == "ecs"))


@on_ministack
def test_calls_grow_with_the_services_alone(client: Client, requests: list[tuple[str, str, str]]) -> None:
    make_services("ours", 120)
    requests.clear()
    found = details_flow.run(client, "ours")
    assert Counter(one["kind"] for one in found["resources"])["service"] == 120
    assert calls_of(requests) == expected_calls(120)
    names = ("ListClusters", "ListServices", "ListTaskDefinitionFamilies")
    sizes = [json.loads(members)["maxResults"] for _service, name, members in requests if name in names]
    assert sizes == [100, 100, 100]
    others = [one for one in requests if one[0] != "ecs"]
    assert len(others) < 35


@pytest.mark.variants
@on_ministack
def test_a_thousand_services_are_read_in_fifteen_seconds(client: Client, requests: list[tuple[str, str, str]]) -> None:
    """Of this process's time: how long the machine takes depends on what else it does."""
    make_services("ours", 1000)
    requests.clear()
    started, used = time.monotonic(), time.process_time()
    found = details_flow.run(client, "ours")
    print(f"{time.monotonic() - started:.1f} s, of which {time.process_time() - used:.1f} s of CPU in this process")
    assert Counter(one["kind"] for one in found["resources"])["service"] == 1000
    assert calls_of(requests) == expected_calls(1000)
    assert len(requests) <= 1.5 * 1000
    assert time.process_time() - used < 15
