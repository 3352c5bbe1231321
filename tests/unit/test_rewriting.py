# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules behind a proxy that answers as AWS does: a second run changes nothing, however AWS spells the answer, and
any change is seen. `pytest -s` prints how much was rewritten."""

from __future__ import annotations

import json
import typing as t
import urllib.request
from collections import Counter

import boto3
import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core import creating
from ansible_collections.slipway.aws.tests import emulators
from ansible_collections.slipway.aws.tests.proxies.rewriting import Rewriting

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

Json = dict[str, t.Any]
REGION = "eu-central-1"
ACCOUNT = "000000000000"
SEEDS = (1, pytest.param(2, marks=pytest.mark.variants))
# What check mode cannot know, or what differs because time has passed.
WRITTEN = {"arn", "registered_at", "registered_by", "requires_attributes", "compatibilities"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[str]:
    """An emulator that starts no containers."""
    pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
    folder = tmp_path_factory.mktemp("emulator")
    with emulators.running(emulators.MINISTACK, folder) as address:
        yield address


@pytest.fixture(scope="module")
def figures() -> t.Iterator[Counter[str]]:
    """What all tests of this file had rewritten, printed at their end."""
    counted: Counter[str] = Counter()
    yield counted
    print(f"\nrewriting proxy: {sum(counted.values())}", dict(counted.most_common()))


@pytest.fixture(params=SEEDS, ids=lambda seed: f"seed{seed}")
def proxy(
    request: pytest.FixtureRequest, cloud: str, monkeypatch: pytest.MonkeyPatch, figures: Counter[str]
) -> t.Iterator[Rewriting]:
    reset = urllib.request.Request(f"{cloud}/_ministack/reset", method="POST")
    urllib.request.urlopen(reset, timeout=10).close()
    with Rewriting(cloud, request.param, account=ACCOUNT, refuses=False) as proxy:
        for name in ("AWS_URL", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b2f0c1d4e7a9")
        monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
        yield proxy
        figures.update({"calls": proxy.calls.total(), **proxy.rewrites})


@pytest.fixture
def refusing(proxy: Rewriting, monkeypatch: pytest.MonkeyPatch) -> Rewriting:
    """The proxy, which refuses first attempts as AWS does."""
    monkeypatch.setattr(creating, "PAUSE", 0.01)
    proxy.refuses = True
    return proxy


@pytest.fixture
def aws(proxy: Rewriting) -> None:
    """The account of the fixtures for modules."""


def settle(run: RunModule, proxy: Rewriting, module: str, **options: t.Any) -> tuple[Json, Json]:
    """Predict a change, make it, and ask for it again both ways; the prediction and the result."""

    def changes() -> Counter[str]:
        reads = ("Describe", "Get", "List")
        return Counter({name: count for name, count in proxy.calls.items() if not name.startswith(reads)})

    before = changes()
    predicted = run(module, check=True, **options)
    assert changes() == before
    real = run(module, **options)
    assert (predicted.get("changed"), real.get("changed")) == (True, True), (predicted, real, real.get("msg"))
    assert agrees(predicted["diff"], real["diff"]), (predicted["diff"], real["diff"])
    before = changes()
    for check in (True, False):
        again = run(module, check=check, **options)
        assert again.get("changed") is False, again
        assert not any(again["diff"].values() if isinstance(again["diff"], dict) else again["diff"]), again
    assert changes() == before
    return predicted, real


def agrees(predicted: t.Any, real: t.Any) -> bool:
    """Whether a prediction was right, as far as it could know."""
    if isinstance(predicted, dict) and isinstance(real, dict):
        return predicted.keys() == real.keys() and all(agrees(predicted[name], real[name]) for name in real)
    if isinstance(predicted, list) and isinstance(real, list):
        return len(predicted) == len(real) and all(agrees(*pair) for pair in zip(predicted, real, strict=True))
    return predicted == real or "unknown" in str(predicted)


def known(resource: Json) -> Json:
    return {name: value for name, value in resource.items() if name not in WRITTEN}


def container(**members: t.Any) -> Json:
    return {
        "name": "web",
        "image": "web:1",
        "memory": 64,
        "portMappings": [{"containerPort": 8080, "name": "http"}, {"containerPort": 8443}],
        "environment": [{"name": name, "value": name.lower()} for name in "ABCD"],
        "secrets": [
            {"name": "KEY", "valueFrom": "/shop/key"},
            {"name": "TOKEN", "valueFrom": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/shop/token"},
        ],
        "healthCheck": {"command": ["CMD", "true"]},
        "mountPoints": [{"sourceVolume": "data", "containerPath": path} for path in ("/a", "/b", "/c")],
        **members,
    }


def routed(**members: t.Any) -> Json:
    """A container whose output goes through the log router."""
    return container(logConfiguration={"logDriver": "awsfirelens"}, **members)


ROUTER = {"name": "log", "image": "fluent", "memory": 32, "firelensConfiguration": {"type": "fluentbit"}}
FARGATE: Json = {
    "family": "web",
    "requires_compatibilities": ["FARGATE", "EC2"],
    "network_mode": "awsvpc",
    "cpu": "0.25 vCPU",
    "memory": "512",
    "task_role_arn": "shop/task",
    "execution_role_arn": "execution",
    "volumes": [{"name": "data"}],
    "container_definitions": [ROUTER, routed()],
    "tags": {"team": "shop", "stage": "test", "slipway:project": "shop"},
}
ON_HOSTS: Json = {
    "family": "hosts",
    "execution_role_arn": "execution",
    "volumes": [
        {"name": "data", "dockerVolumeConfiguration": {}},
        {"name": "files", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}},
    ],
    "container_definitions": [container(user="1000")],
}


@pytest.mark.parametrize(
    ("first", "changes"),
    [
        (
            FARGATE,
            [
                {"task_role_arn": "task"},
                {"execution_role_arn": f"arn:aws:iam::{ACCOUNT}:role/other"},
                {"container_definitions": [{**ROUTER, "user": "1000"}, routed()]},
                {"container_definitions": [ROUTER, routed(environment=[{"name": "A", "value": "2"}])]},
                {"container_definitions": [ROUTER, routed(secrets=[{"name": "KEY", "valueFrom": "/shop/other"}])]},
            ],
        ),
        (
            ON_HOSTS,
            [
                {
                    "volumes": [
                        {"name": "data", "dockerVolumeConfiguration": {"driver": "other"}},
                        ON_HOSTS["volumes"][1],
                    ]
                },
                {"volumes": [{"name": "data"}, ON_HOSTS["volumes"][1]]},
                {"volumes": ON_HOSTS["volumes"]},
                {"container_definitions": [container(user="1000", healthCheck={"command": ["CMD", "false"]})]},
            ],
        ),
    ],
    ids=["Fargate", "hosts"],
)
def test_task_definitions(run: RunModule, proxy: Rewriting, first: Json, changes: list[Json]) -> None:
    wanted = first
    for number, change in enumerate([{}, *changes], 1):
        wanted = {**wanted, **change}
        predicted, real = settle(run, proxy, "ecs_task_definition", **wanted)
        assert real["task_definition"]["revision"] == number
        if number > 1:
            assert known(predicted["task_definition"]) == known(real["task_definition"])
    kinds = {"Fargate": ("role", "log router", "health check"), "hosts": ("docker volume", "health check")}
    assert all(proxy.rewrites[kind] for kind in kinds["Fargate" if first is FARGATE else "hosts"])
    assert proxy.rewrites["order"]


POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "Pull", "Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": ["ecr:BatchGetImage"]}
    ],
}
FIRST_ATTEMPTS = [
    ("RegisterTaskDefinition", "ecs_task_definition", FARGATE, {}),
    ("SetRepositoryPolicy", "ecr_repository", {"name": "shop/web"}, {"policy": POLICY}),
    ("PutClusterCapacityProviders", "ecs_cluster", {"name": "shop"}, {"capacity_providers": ["FARGATE"]}),
]


@pytest.mark.parametrize(
    ("operation", "module", "options", "change"), FIRST_ATTEMPTS, ids=[call for call, *_others in FIRST_ATTEMPTS]
)
def test_a_first_attempt_that_aws_refuses_is_repeated(
    run: RunModule, refusing: Rewriting, operation: str, module: str, options: Json, change: Json
) -> None:
    if change:
        settle(run, refusing, module, **options)
    settle(run, refusing, module, **options, **change)
    assert (refusing.rewrites[f"refused {operation}"], refusing.calls[operation]) == (1, 2)


def test_the_definition_that_aws_answers_is_the_one_that_was_registered(run: RunModule, proxy: Rewriting) -> None:
    run("ecs_task_definition", **FARGATE)
    answer = boto3.client("ecs").describe_task_definition(taskDefinition="web", include=["TAGS"])
    printed = json.loads(json.dumps(answer, default=str))
    again = run("ecs_task_definition", definition=printed)
    assert again["changed"] is False, again
    assert proxy.rewrites["role"] == 2


@pytest.fixture
def namespaces(aws: None) -> dict[str, str]:
    """ARNs of namespaces by name."""
    discovery = boto3.client("servicediscovery")
    for name in ("shop", "other"):
        discovery.create_http_namespace(Name=name)
    return {item["Name"]: item["Arn"] for item in discovery.list_namespaces()["Namespaces"]}


def test_clusters(run: RunModule, proxy: Rewriting, namespaces: dict[str, str]) -> None:
    execute = {"logging": "OVERRIDE", "logConfiguration": {"cloudWatchLogGroupName": "/shop"}}
    wanted: Json = {
        "name": "shop",
        "capacity_providers": ["FARGATE_SPOT", "FARGATE"],
        "default_capacity_provider_strategy": [
            {"capacityProvider": "FARGATE_SPOT", "weight": 1},
            {"capacityProvider": "FARGATE", "base": 1},
        ],
        "settings": [{"name": "containerInsights", "value": "enabled"}],
        "configuration": {"executeCommandConfiguration": execute},
        "service_connect_defaults": {"namespace": "shop"},
        "tags": {"team": "shop", "stage": "test"},
    }
    changes: list[Json] = [
        {},
        {"service_connect_defaults": {"namespace": namespaces["other"]}},
        {"capacity_providers": ["FARGATE"], "default_capacity_provider_strategy": []},
        {"settings": [{"name": "containerInsights", "value": "disabled"}]},
    ]
    for change in changes:
        wanted = {**wanted, **change}
        settle(run, proxy, "ecs_cluster", **wanted)
    for same in ("other", namespaces["other"]):
        assert run("ecs_cluster", **{**wanted, "service_connect_defaults": {"namespace": same}})["changed"] is False
    assert proxy.rewrites["namespace"]


def test_capacity_providers(run: RunModule, proxy: Rewriting) -> None:
    group = {"autoScalingGroupArn": "hosts", "managedScaling": {"targetCapacity": 90}}
    settle(run, proxy, "ecs_capacity_provider", name="hosts", auto_scaling_group_provider=group)
    changed = {"managedDraining": "DISABLED"}
    settle(run, proxy, "ecs_capacity_provider", name="hosts", auto_scaling_group_provider=changed)
    refused = run(
        "ecs_capacity_provider", name="hosts", auto_scaling_group_provider={**group, "autoScalingGroupArn": "other"}
    )
    assert refused["code"] == "immutable"
    assert proxy.rewrites["group"] == 1


def policy(*actions: str) -> Json:
    statement = {"Sid": "Pull", "Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": list(actions)}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_repositories(run: RunModule, proxy: Rewriting) -> None:
    wanted = {"name": "shop/web", "policy": policy("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")}
    settle(run, proxy, "ecr_repository", **wanted, tags={"team": "shop", "stage": "test"})
    settle(run, proxy, "ecr_repository", **{**wanted, "policy": policy("ecr:BatchGetImage")})
    settle(run, proxy, "ecr_repository", name="shop/web", image_tag_mutability="IMMUTABLE")
    assert proxy.rewrites["policy"]


class Front(t.NamedTuple):
    """A load balancer's listener, and what it needs."""

    vpc: str
    subnets: list[str]
    security_groups: list[str]
    listener: str


@pytest.fixture
def front(aws: None) -> Front:
    ec2, elb = boto3.client("ec2"), boto3.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate("ab")
    ]
    balancer = elb.create_load_balancer(Name="shop", Subnets=subnets, Scheme="internal")["LoadBalancers"][0][
        "LoadBalancerArn"
    ]
    action = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    made = elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[action])
    groups = [
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"] for name in ("web", "shop")
    ]
    return Front(vpc, subnets, groups, made["Listeners"][0]["ListenerArn"])


def target_group(run: RunModule, proxy: Rewriting, front: Front, name: str) -> str:
    wanted = {"vpc_id": front.vpc, "protocol": "HTTP", "port": 8080, "target_type": "ip", "tags": {"a": "b", "c": "d"}}
    _predicted, made = settle(run, proxy, "elb_target_group", name=name, **wanted, deregistration_delay=30)
    return str(made["target_group"]["target_group_arn"])


def test_target_groups_and_rules(run: RunModule, proxy: Rewriting, front: Front) -> None:
    web, api = (target_group(run, proxy, front, name) for name in ("web", "api"))
    settle(run, proxy, "elb_target_group", name="web", health_check_path="/readyz", tags={"a": "b"})
    rules: list[Json] = [
        {"priority": 10, "paths": ["/api", "/api/*", "/v2"], "target_group_arn": api},
        {"priority": 20, "hosts": ["b.example.com", "A.example.com"], "target_group_arn": web},
    ]
    settle(run, proxy, "elb_listener_rules", listener_arn=front.listener, rules=rules)
    for change in ({"paths": ["/api"]}, {"target_group_arn": web}):
        rules = [{**rules[0], **change}, rules[1]]
        settle(run, proxy, "elb_listener_rules", listener_arn=front.listener, rules=rules)
    settle(run, proxy, "elb_listener_rules", listener_arn=front.listener, rules=[])


@pytest.fixture
def service(run: RunModule, proxy: Rewriting, front: Front, namespaces: dict[str, str]) -> Json:
    """Options for a service, with what it needs. Nothing runs, as nothing can here."""
    assert run("ecs_cluster", name="shop", capacity_providers=["FARGATE", "FARGATE_SPOT"])["changed"]
    assert run("ecs_task_definition", **FARGATE)["changed"]
    connect = {"enabled": True, "namespace": "shop", "services": [{"portName": "http"}]}
    group = target_group(run, proxy, front, "web")
    rules = [{"priority": 1, "paths": ["/*"], "target_group_arn": group}]
    assert run("elb_listener_rules", listener_arn=front.listener, rules=rules)["changed"]
    return {
        "cluster": "shop",
        "name": "web",
        "task_definition": "web",
        "desired_count": 0,
        "capacity_provider_strategy": [
            {"capacityProvider": "FARGATE_SPOT", "weight": 2},
            {"capacityProvider": "FARGATE", "base": 1},
        ],
        "deployment_configuration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        "network_configuration": {
            "awsvpcConfiguration": {"subnets": front.subnets, "securityGroups": front.security_groups}
        },
        "load_balancers": [
            {"targetGroupArn": group, "containerName": "web", "containerPort": port} for port in (8080, 8443)
        ],
        "service_connect_configuration": connect,
        "tags": {"team": "shop", "stage": "test"},
    }


def test_services(run: RunModule, proxy: Rewriting, service: Json, namespaces: dict[str, str]) -> None:
    connect = service["service_connect_configuration"]
    changes: list[Json] = [
        {},
        {"deployment_configuration": {"maximumPercent": 150}},
        {"service_connect_configuration": {**connect, "namespace": namespaces["other"]}},
        {"enable_execute_command": True, "propagate_tags": "SERVICE"},
        {"tags": {"team": "web"}},
    ]
    wanted = service
    for change in changes:
        wanted = {**wanted, **change}
        _predicted, real = settle(run, proxy, "ecs_service", **wanted)
    assert real["service"]["availability_zone_rebalancing"] == "ENABLED"
    for same in ("other", namespaces["other"]):
        again = run("ecs_service", **{**wanted, "service_connect_configuration": {**connect, "namespace": same}})
        assert again["changed"] is False, again
    assert proxy.rewrites["namespace"]


def test_zone_rebalancing_is_predicted(run: RunModule, proxy: Rewriting, service: Json) -> None:
    del service["desired_count"]
    daemon = {"scheduling_strategy": "DAEMON", "launch_type": "EC2", "deployment_configuration": None}
    options = {**service, **daemon, "capacity_provider_strategy": None, "wait": False}
    predicted, real = settle(run, proxy, "ecs_service", **options)
    zones = {result["service"]["availability_zone_rebalancing"] for result in (predicted, real)}
    assert zones == {"DISABLED"}


def test_releases(run: RunModule, refusing: Rewriting, service: Json) -> None:
    shared = {name: value for name, value in service.items() if name not in ("cluster", "name", "load_balancers")}

    def items(**members: t.Any) -> list[Json]:
        definition = {**FARGATE, "container_definitions": [ROUTER, routed(**members)]}
        return [
            {**shared, "name": name, "task_definition": {**definition, "family": f"shop-{name}"}}
            for name in ("api", "jobs")
        ]

    for members in ({}, {"image": "web:2"}):
        settle(run, refusing, "ecs_release", cluster="shop", services=items(**members))
    assert refusing.rewrites["refused RegisterTaskDefinition"] == 1


def test_clusters_and_services_can_be_named_by_arn(run: RunModule, proxy: Rewriting, service: Json) -> None:
    cluster = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/shop"
    named = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/shop/web"
    settle(run, proxy, "ecs_service", **{**service, "cluster": cluster})
    assert run("ecs_service", **service)["changed"] is False
    item = {
        **{name: value for name, value in service.items() if name != "cluster"},
        "task_definition": {"family": "web"},
    }
    assert run("ecs_release", cluster=cluster, services=[item])["changed"] is False
    for name in ("web", named):
        found = run("ecs_service_info", cluster=cluster, names=[name])
        assert [one["service_name"] for one in found["services"]] == ["web"], found
    result = run("ecs_task_run", cluster=cluster, service=named, container="web")
    assert result.get("exit_code") == 0, result
    assert run("ecs_service", cluster=cluster, name="web", state="absent", wait=False)["changed"]


def test_task_runs(run: RunModule, proxy: Rewriting, service: Json) -> None:
    assert run("ecs_service", **{**service, "propagate_tags": "SERVICE"})["changed"]
    result = run("ecs_task_run", cluster="shop", service="web", container="web", command=["true"])
    assert (result.get("changed"), result.get("exit_code")) == (True, 0), result
    assert proxy.calls["RunTask"] == 1


def test_secrets(run: RunModule, proxy: Rewriting) -> None:
    wanted: Json = {
        "path": "/shop/",
        "secrets": [{"name": "key"}, {"name": "database", "type": "SecretsManager"}],
        "match_tags": {"slipway:project": "shop"},
    }
    for password in ("seldom-0123", "seldom-4567"):
        values = json.dumps({"database": {"user": "shop", "password": password}})
        settle(run, proxy, "ecs_secrets", **wanted, values=values, tags={"team": "shop", "stage": "test"})


def test_namespaces(run: RunModule, proxy: Rewriting, front: Front) -> None:
    wanted = {"name": "shop.internal", "vpc_id": front.vpc, "tags": {"team": "shop", "stage": "test"}}
    for services in (["database", "cache", "queue"], ["cache", "queue"]):
        settle(run, proxy, "service_discovery_namespace", **wanted, services=services)


def test_auto_scaling_groups(run: RunModule, proxy: Rewriting, front: Front) -> None:
    boto3.client("ec2").create_launch_template(LaunchTemplateName="hosts", LaunchTemplateData={"ImageId": "ami-1"})
    settings: Json = {
        "MinSize": 0,
        "MaxSize": 0,
        "LaunchTemplate": {"LaunchTemplateName": "hosts", "Version": "1"},
        "VPCZoneIdentifier": ", ".join(front.subnets),
    }
    for change in ({}, {"MaxSize": 1}):
        settings = {**settings, **change}
        settle(run, proxy, "auto_scaling_group", name="hosts", settings=settings, tags={"a": "b", "c": "d"})


def test_a_variable_without_a_value_is_dropped_as_on_aws(aws: None, proxy: Rewriting) -> None:
    environment = [{"name": "A"}, {"name": "B", "value": "1"}, {"name": "B", "value": "2"}]
    made = boto3.client("ecs").register_task_definition(
        family="web", containerDefinitions=[{"name": "web", "image": "web", "memory": 64, "environment": environment}]
    )
    assert made["taskDefinition"]["containerDefinitions"][0]["environment"] == [{"name": "B", "value": "2"}]
    assert proxy.rewrites["variable dropped"] == 2
