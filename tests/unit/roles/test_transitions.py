# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What takes AWS a while goes through its states on the local cloud. No container runs: tasks are records."""

from __future__ import annotations

import inspect
import json
import re
import sys
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.tests import emulators

pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
from ministack.core.responses import request_scope
from ministack.services import alb, ec2
from ministack.services import ecs as emulator

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

pytestmark = pytest.mark.own_cloud("is slow itself")
Json = dict[str, t.Any]

FILES = Path(__file__).resolve().parents[3] / "roles/local_cloud/files"
SECONDS = 1.0
ADDRESS = "10.0.0.7"


@pytest.fixture
def account() -> Iterator[None]:
    """The emulator's modules with the patch, called without HTTP."""
    kept = [(module, dict(vars(module)), dict(module._ACTION_MAP)) for module in (alb, ec2, emulator)]
    with pytest.MonkeyPatch.context() as patch, request_scope("000000000000", "eu-central-1"):
        patch.syspath_prepend(str(FILES))
        import transitions  # type: ignore[import-not-found]

        patch.setattr(emulator, "_get_docker", lambda: None)
        transitions.transitions(alb, ec2, emulator, SECONDS)
        yield
        for module in (alb, ec2, emulator):
            module.reset()
    for module, names, actions in kept:
        vars(module).update(names)
        module._ACTION_MAP.update(actions)
    for name in ("transitions", "emulator_patches"):
        sys.modules.pop(name, None)


def ecs(operation: str, **members: t.Any) -> Json:
    status, _headers, body = emulator._dispatch_action(operation, members)
    return {"status": status, **json.loads(body)}


def await_that(true: t.Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def form(module: t.Any, action: str, **parameters: str) -> str:
    """A call of EC2 or Elastic Load Balancing; two underscores in a parameter stand for a dot."""
    params = {name.replace("__", "."): [value] for name, value in parameters.items()}
    status, _headers, body = module._ACTION_MAP[action](params)
    assert status == 200, body
    return str(body.decode() if isinstance(body, bytes) else body)


@pytest.mark.parametrize(
    ("module", "kind", "parameters", "states"),
    [
        (alb, "LoadBalancer", {"Name": "web"}, (">provisioning<", ">active<")),
        (ec2, "NatGateway", {"SubnetId": "subnet-1"}, (">pending<", ">available<")),
        (ec2, "VpcEndpoint", {"ServiceName": "s3"}, (">pending<", ">available<")),
    ],
)
def test_a_new_resource_has_its_first_state_for_a_while(
    account: None, module: t.Any, kind: str, parameters: dict[str, str], states: tuple[str, str]
) -> None:
    first, final = states
    assert first in form(module, f"Create{kind}", **parameters)
    assert first in form(module, f"Describe{kind}s")
    await_that(lambda: final in form(module, f"Describe{kind}s"))
    assert first not in form(module, f"Describe{kind}s")


@pytest.fixture
def group(account: None) -> str:
    """A target group."""
    created = form(alb, "CreateTargetGroup", Name="web", Protocol="HTTP", Port="80", VpcId="vpc-1", TargetType="ip")
    return re.findall("<TargetGroupArn>(.*?)</TargetGroupArn>", created)[0]


def health(group: str) -> list[tuple[str, str]]:
    answer = form(alb, "DescribeTargetHealth", TargetGroupArn=group)
    return re.findall(r"<Id>(.*?)</Id>.*?<State>(.*?)</State>", answer)


def test_a_deregistered_target_drains_for_its_delay(group: str) -> None:
    target = {"TargetGroupArn": group, "Targets__member__1__Id": ADDRESS}
    form(alb, "RegisterTargets", **target)
    form(alb, "DeregisterTargets", **target)
    assert health(group) == [(ADDRESS, "draining")]
    assert "Target.DeregistrationInProgress" in form(alb, "DescribeTargetHealth", TargetGroupArn=group)
    assert alb._targets[group] == []
    form(alb, "RegisterTargets", **target)
    assert health(group) == [(ADDRESS, "healthy")]
    form(alb, "DeregisterTargets", **target)
    await_that(lambda: health(group) == [])
    none = {"Attributes__member__1__Key": "deregistration_delay.timeout_seconds", "Attributes__member__1__Value": "0"}
    form(alb, "ModifyTargetGroupAttributes", TargetGroupArn=group, **none)
    form(alb, "RegisterTargets", **target)
    form(alb, "DeregisterTargets", **target)
    assert health(group) == []


def serve(group: str) -> Json:
    """A service with a task behind the target group."""
    container = {"name": "web", "image": "web", "portMappings": [{"containerPort": 80}]}
    ecs("CreateCluster", clusterName="shop")
    ecs("RegisterTaskDefinition", family="web", networkMode="awsvpc", containerDefinitions=[container])
    balancer = {"targetGroupArn": group, "containerName": "web", "containerPort": 80}
    ecs("CreateService", cluster="shop", serviceName="web", taskDefinition="web:1", loadBalancers=[balancer])
    [task] = emulator._tasks.values()
    task["_container_ip"] = ADDRESS
    emulator._refresh_service_state("shop", "service:web")
    assert health(group) == [(ADDRESS, "healthy")]
    return dict(task)


def test_a_task_is_stopped_when_its_target_has_drained(group: str) -> None:
    arn = serve(group)["taskArn"]

    def state() -> tuple[str, str]:
        [task] = ecs("DescribeTasks", cluster="shop", tasks=[arn])["tasks"]
        return task["lastStatus"], task["desiredStatus"]

    ecs("UpdateService", cluster="shop", service="web", desiredCount=0)
    assert state() == ("DEACTIVATING", "STOPPED")
    assert health(group) == [(ADDRESS, "draining")]
    assert ecs("ListTasks", cluster="shop")["taskArns"] == []
    await_that(lambda: state() == ("STOPPED", "STOPPED"))
    assert health(group) == []


def test_a_deleted_service_is_draining_until_its_task_has_stopped(group: str) -> None:
    serve(group)

    def status() -> str:
        return str(ecs("DescribeServices", cluster="shop", services=["web"])["services"][0]["status"])

    assert ecs("DeleteService", cluster="shop", service="web", force=True)["service"]["status"] == "DRAINING"
    assert status() == "DRAINING"
    refused = ecs("CreateService", cluster="shop", serviceName="web", taskDefinition="web:1")
    assert refused["__type"] == "InvalidParameterException"
    assert refused["message"] == "Unable to Start a service that is still Draining."
    await_that(lambda: status() == "INACTIVE")
    assert ecs("CreateService", cluster="shop", serviceName="web", taskDefinition="web:1")["status"] == 200


def test_a_deleted_cluster_is_inactive_until_it_is_created_again(account: None) -> None:
    ecs("CreateCluster", clusterName="shop", tags=[{"key": "a", "value": "b"}])
    ecs("DeleteCluster", cluster="shop")
    answer = ecs("DescribeClusters", clusters=["shop", "other"])
    assert [(one["clusterName"], one["status"]) for one in answer["clusters"]] == [("shop", "INACTIVE")]
    assert [one["reason"] for one in answer["failures"]] == ["MISSING"]
    assert ecs("ListClusters")["clusterArns"] == []
    ecs("CreateCluster", clusterName="shop")
    assert [one["status"] for one in ecs("DescribeClusters", clusters=["shop"])["clusters"]] == ["ACTIVE"]


@pytest.mark.variants
def test_modules_delete_what_is_draining(
    aws: None, tmp_path: Path, run: RunModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deletion waits until the service is INACTIVE; what was deleted is created again."""
    container = {"name": "web", "image": "web", "memory": 64}
    with emulators.running(emulators.MINISTACK, tmp_path, LOCAL_CLOUD_TRANSITION_SECONDS="2") as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        for _time in range(2):
            assert run("ecs_cluster", name="shop").get("changed")
            assert run("ecs_task_definition", family="web", container_definitions=[container]).get("changed")
            options: Json = {"cluster": "shop", "name": "web", "task_definition": "web", "wait_timeout": 30}
            created = run("ecs_service", **options)
            assert created.get("changed"), created
            deleted = run("ecs_service", cluster="shop", name="web", state="absent", force=True, wait_timeout=30)
            assert deleted.get("changed"), deleted
            assert run("ecs_task_definition", family="web", state="absent").get("changed")
            assert run("ecs_cluster", name="shop", state="absent").get("changed")
            assert run("ecs_cluster", name="shop", state="absent").get("changed") is False


# What the patch is for. A test that fails here means: remove that part of it.


@pytest.mark.parametrize(
    ("module", "function", "state"),
    [
        (alb, "_create_lb", '"State": "active"'),
        (ec2, "_create_nat_gateway", '"State": "available"'),
        (ec2, "_create_vpc_endpoint", '"State": "available"'),
    ],
)
def test_the_emulator_has_everything_ready_at_once(module: t.Any, function: str, state: str) -> None:
    assert state in inspect.getsource(getattr(module, function))


def test_the_emulator_drains_nothing() -> None:
    assert "draining" not in inspect.getsource(alb).lower()
    assert 'svc["status"] = "INACTIVE"' in inspect.getsource(emulator._delete_service)
    assert "_clusters.pop(name" in inspect.getsource(emulator._delete_cluster)
