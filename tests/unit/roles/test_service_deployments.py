# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rollouts on the local cloud go through their states, and are listed as service deployments. Tasks are the emulator's
own, and start and fail when a test says so: no container runs."""

from __future__ import annotations

import inspect
import json
import sys
import typing as t
from collections.abc import Iterator
from pathlib import Path

import boto3
import botocore.session
import pytest

pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
from ministack.core.responses import request_scope
from ministack.services import ecs as emulator

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

Json = dict[str, t.Any]

FILES = Path(__file__).resolve().parents[3] / "roles/local_cloud/files"
ROLLED_BACK = "Service deployment rolled back because the circuit breaker threshold was exceeded."
BREAKER = {"enable": True, "rollback": True, "thresholdConfiguration": {"type": "COUNT", "value": 1}}


class Ecs:
    """The emulator with the patch, called without HTTP."""

    def __init__(self) -> None:
        self.now = 1000.0

    def call(self, operation: str, **members: t.Any) -> Json:
        status, _headers, body = emulator._finalize_ecs_response(emulator._dispatch_action(operation, members))
        return {"status": status, **json.loads(body)}

    def register(self) -> str:
        container = {"name": "web", "image": "web:1", "versionConsistency": "disabled"}
        answer = self.call("RegisterTaskDefinition", family="web", containerDefinitions=[container])
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def create(self, **members: t.Any) -> Json:
        answer = self.call("CreateService", serviceName="web", taskDefinition=self.register(), **members)
        assert answer["status"] == 200, answer
        return dict(answer["service"])

    def update(self, **members: t.Any) -> Json:
        return dict(self.call("UpdateService", service="web", **members)["service"])

    def service(self) -> Json:
        return dict(self.call("DescribeServices", services=["web"])["services"][0])

    def listed(self, **members: t.Any) -> list[Json]:
        return list(self.call("ListServiceDeployments", service="web", **members)["serviceDeployments"])

    def latest(self) -> Json:
        """The service deployment that AWS lists first, in full."""
        arn = self.listed()[0]["serviceDeploymentArn"]
        return dict(self.call("DescribeServiceDeployments", serviceDeploymentArns=[arn])["serviceDeployments"][0])

    def tasks(self) -> list[Json]:
        return [task for task in emulator._tasks.values() if task["lastStatus"] != "STOPPED"]

    def start_tasks(self) -> None:
        """Every new task starts, and remains."""
        for task in self.tasks():
            if task["lastStatus"] != "RUNNING":
                emulator._mark_task_running(task["taskArn"], task)
                emulator._record_service_task_healthy("default/web", task)
        emulator._complete_service_deployment("default", "default/web")

    def fail_task(self) -> None:
        """The newest task ends by itself."""
        task = self.tasks()[-1]
        emulator._mark_task_stopped(task["taskArn"], task, "Essential container exited", "EssentialContainerExited")

    def later(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def ecs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ecs]:
    kept, actions = dict(vars(emulator)), dict(emulator._ACTION_MAP)
    cloud = Ecs()
    with pytest.MonkeyPatch.context() as patch, request_scope("000000000000", "eu-central-1"):
        patch.syspath_prepend(str(FILES))
        import service_deployments  # type: ignore[import-not-found]

        patch.setattr(service_deployments.time, "time", lambda: cloud.now)
        service_deployments.service_deployments(emulator)
        # As with Docker, without containers: tasks wait until the test starts them.
        patch.setattr(emulator, "_get_docker", object)
        patch.setattr(emulator, "_run_task_worker", lambda *_args: None)
        patch.setattr(emulator, "_schedule_service_deployment_completion", lambda *_args, **_kwargs: None)
        yield cloud
        patch.setattr(emulator, "_get_docker", lambda: None)
        emulator.reset()
    vars(emulator).update(kept)
    emulator._ACTION_MAP.update(actions)
    for name in ("service_deployments", "emulator_patches"):
        sys.modules.pop(name, None)


def state(service: Json) -> str:
    return str(service["deployments"][0]["rolloutState"])


def test_the_first_deployment_is_in_progress_until_its_tasks_are_stable(ecs: Ecs) -> None:
    service = ecs.create(desiredCount=2)
    assert (state(service), service["runningCount"]) == ("IN_PROGRESS", 0)
    assert ecs.latest()["status"] == "PENDING"
    ecs.later(2)
    assert ecs.latest()["status"] == "IN_PROGRESS"
    assert "startedAt" in ecs.latest()
    ecs.start_tasks()
    done = ecs.latest()
    assert (state(ecs.service()), done["status"], done["finishedAt"]) == ("COMPLETED", "SUCCESSFUL", ecs.now)
    assert done["targetServiceRevision"]["runningTaskCount"] == 2
    assert ecs.service()["events"][0]["message"].endswith("has reached a steady state.")


def test_an_update_is_a_deployment_from_one_revision_to_another(ecs: Ecs) -> None:
    ecs.create(desiredCount=1)
    ecs.start_tasks()
    first = ecs.latest()
    ecs.later(60)
    service = ecs.update(taskDefinition=ecs.register())
    second = ecs.latest()
    assert service["currentServiceDeployment"] == second["serviceDeploymentArn"] != first["serviceDeploymentArn"]
    assert [one["arn"] for one in second["sourceServiceRevisions"]] == [first["targetServiceRevision"]["arn"]]
    assert [one["status"] for one in ecs.listed()] == ["PENDING", "SUCCESSFUL"]
    ecs.start_tasks()
    assert [one["status"] for one in ecs.listed()] == ["SUCCESSFUL", "SUCCESSFUL"]
    arns = [one["targetServiceRevisionArn"] for one in ecs.listed()]
    revisions = ecs.call("DescribeServiceRevisions", serviceRevisionArns=[*arns, "arn:unknown"])
    assert [one["taskDefinition"].rpartition(":")[2] for one in revisions["serviceRevisions"]] == ["2", "1"]
    assert revisions["failures"] == [{"arn": "arn:unknown", "reason": "MISSING"}]


def test_a_deployment_is_in_progress_until_the_tasks_that_it_replaces_have_stopped(
    ecs: Ecs, monkeypatch: pytest.MonkeyPatch
) -> None:
    ecs.create(desiredCount=1)
    ecs.start_tasks()
    ecs.update(taskDefinition=ecs.register())
    meanwhile, stop = [], emulator._stop_task

    def stop_slowly(data: Json) -> t.Any:
        meanwhile.append((ecs.latest()["status"], ecs.service()["runningCount"]))
        return stop(data)

    monkeypatch.setattr(emulator, "_stop_task", stop_slowly)
    ecs.start_tasks()
    assert meanwhile == [("IN_PROGRESS", 2)]
    assert (ecs.latest()["status"], ecs.service()["runningCount"]) == ("SUCCESSFUL", 1)


def test_the_circuit_breaker_rolls_back(ecs: Ecs) -> None:
    ecs.create(desiredCount=1, deploymentConfiguration={"deploymentCircuitBreaker": BREAKER})
    ecs.start_tasks()
    first = ecs.latest()
    ecs.update(taskDefinition=ecs.register())
    ecs.fail_task()
    back = ecs.latest()
    assert (back["status"], back["statusReason"]) == ("ROLLBACK_IN_PROGRESS", ROLLED_BACK)
    assert back["deploymentCircuitBreaker"] == {"status": "TRIGGERED", "failureCount": 1, "threshold": 1}
    assert back["rollback"]["serviceRevisionArn"] == first["targetServiceRevision"]["arn"]
    [failed] = [one for one in ecs.service()["deployments"] if one["rolloutState"] == "FAILED"]
    assert failed["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."
    ecs.start_tasks()
    assert [one["status"] for one in ecs.listed()] == ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]


@pytest.mark.parametrize(("rollback", "expected"), [(True, "ROLLBACK_FAILED"), (False, "STOPPED")])
def test_a_first_deployment_that_fails_has_nothing_to_roll_back_to(ecs: Ecs, rollback: bool, expected: str) -> None:
    breaker = {**BREAKER, "rollback": rollback}
    ecs.create(desiredCount=1, deploymentConfiguration={"deploymentCircuitBreaker": breaker})
    ecs.fail_task()
    assert (state(ecs.service()), ecs.latest()["status"]) == ("FAILED", expected)
    assert ecs.tasks() == []


def test_a_later_deployment_stops_an_earlier_one(ecs: Ecs) -> None:
    ecs.create(desiredCount=1)
    ecs.update(taskDefinition=ecs.register())
    statuses = [one["status"] for one in ecs.listed()]
    assert statuses == ["PENDING", "STOPPED"]
    assert [one["status"] for one in ecs.listed(status=["STOPPED"])] == ["STOPPED"]


@pytest.mark.parametrize(
    ("settings", "starts"),
    [
        ({"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}}, True),
        ({"platformVersion": "1.4.0"}, True),
        ({"forceNewDeployment": True}, True),
        ({"desiredCount": 2}, False),
        ({"enableExecuteCommand": True}, False),
    ],
)
def test_settings_start_a_deployment_as_documented(ecs: Ecs, settings: Json, starts: bool) -> None:
    ecs.create(desiredCount=1)
    ecs.start_tasks()
    ecs.update(**settings)
    ecs.update(**{name: value for name, value in settings.items() if name != "forceNewDeployment"})
    assert len(ecs.listed()) == 1 + starts


@pytest.mark.parametrize(
    ("source", "expected"), [("SERVICE", ["shop"]), ("TASK_DEFINITION", ["definition"]), ("NONE", [])]
)
def test_tasks_have_the_tags_that_their_service_propagates(ecs: Ecs, source: str, expected: list[str]) -> None:
    definition = ecs.register()
    ecs.call("TagResource", resourceArn=definition, tags=[{"key": "of", "value": "definition"}])
    tags = [{"key": "of", "value": "shop"}]
    ecs.call(
        "CreateService", serviceName="web", taskDefinition=definition, desiredCount=1, propagateTags=source, tags=tags
    )
    [task] = ecs.tasks()
    found = ecs.call("DescribeTasks", tasks=[task["taskArn"]], include=["TAGS"])["tasks"][0]
    assert [tag["value"] for tag in found.get("tags") or ()] == expected


def test_deployments_are_listed_in_pages_and_deleted_with_their_service(ecs: Ecs) -> None:
    ecs.create(desiredCount=0)
    for _number in range(2):
        ecs.update(forceNewDeployment=True)
    first = ecs.call("ListServiceDeployments", service="web", maxResults=2)
    rest = ecs.call("ListServiceDeployments", service="web", maxResults=2, nextToken=first["nextToken"])
    assert [len(page["serviceDeployments"]) for page in (first, rest)] == [2, 1]
    assert "nextToken" not in rest
    arn = ecs.latest()["serviceDeploymentArn"]
    ecs.call("DeleteService", service="web")
    assert ecs.call("ListServiceDeployments", service="web")["__type"] == "ServiceNotFoundException"
    assert ecs.call("ListServiceDeployments", service="web", cluster="other")["__type"] == "ClusterNotFoundException"
    described = ecs.call("DescribeServiceDeployments", serviceDeploymentArns=[arn])
    assert described["failures"] == [{"arn": arn, "reason": "MISSING"}]


def test_the_answers_have_the_members_that_the_api_knows(ecs: Ecs) -> None:
    ecs.create(desiredCount=1, deploymentConfiguration={"deploymentCircuitBreaker": BREAKER})
    ecs.start_tasks()
    ecs.update(taskDefinition=ecs.register())
    ecs.fail_task()
    model = botocore.session.get_session().get_service_model("ecs")
    full, listed = ecs.latest(), ecs.listed()[0]
    revision = ecs.call("DescribeServiceRevisions", serviceRevisionArns=[listed["targetServiceRevisionArn"]])
    for shape, members in (
        ("ServiceDeployment", full),
        ("ServiceDeploymentBrief", listed),
        ("ServiceRevision", revision["serviceRevisions"][0]),
    ):
        assert set(members) - set(model.shape_for(shape).members) == set(), shape


@pytest.mark.parametrize("emulator", ["ministack"], indirect=True)
def test_a_module_waits_for_a_service_deployment(aws: None, run: RunModule, calls: list[str]) -> None:
    client = boto3.client("ecs")
    client.create_cluster(clusterName="shop")
    client.register_task_definition(family="web", containerDefinitions=[{"name": "web", "image": "web", "memory": 64}])
    made = run("ecs_service", cluster="shop", name="web", task_definition="web", desired_count=1)
    assert made.get("changed"), made
    assert "DescribeServiceDeployments" in calls
    [listed] = client.list_service_deployments(cluster="shop", service="web")["serviceDeployments"]
    assert listed["status"] == "SUCCESSFUL"


# What the patch is for. A test that fails here means: remove that part of it.


def test_the_emulator_completes_a_first_deployment_at_once() -> None:
    assert emulator._make_deployment("web:1", 1)["rolloutState"] == "COMPLETED"


@pytest.mark.parametrize(
    "action", ["_list_service_deployments", "_describe_service_deployments", "_describe_service_revisions"]
)
def test_the_emulator_lists_no_service_deployments(action: str) -> None:
    assert ": []})" in inspect.getsource(getattr(emulator, action))


def test_the_emulator_starts_no_deployment_for_other_settings() -> None:
    source = inspect.getsource(emulator._update_service)
    [condition] = [line for line in source.splitlines() if "is_rolling and data.get" in line]
    assert "networkConfiguration" not in condition


def test_the_emulator_says_that_a_service_started_its_tasks() -> None:
    source = inspect.getsource(emulator._reconcile_service_tasks)
    assert '"startedBy": svc_name' in source
    assert "ropagateTags" not in source
