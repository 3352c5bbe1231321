# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deployments are stopped and continued on the local cloud's emulator, as it is patched; no container runs."""

from __future__ import annotations

import datetime
import time
import types
import typing as t

import boto3
import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.error_codes import ACCESS_DENIED
from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._ecs.release import stop_flow
from ansible_collections.slipway.aws.plugins.module_utils._ecs.service import api as service_api
from ansible_collections.slipway.aws.plugins.module_utils._ecs.service_deployment import model

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

Json = dict[str, t.Any]

pytestmark = pytest.mark.parametrize("emulator", ["ministack"], indirect=True)
PAUSE = {"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"]}


def revision(client: t.Any) -> str:
    container = {"name": "web", "image": "web", "memory": 64}
    answer = client.register_task_definition(family="web", containerDefinitions=[container])
    return str(answer["taskDefinition"]["taskDefinitionArn"])


@pytest.fixture
def paused(aws: None, run: RunModule) -> t.Any:
    """A service whose second deployment is paused."""
    client = boto3.client("ecs")
    client.create_cluster(clusterName="shop")
    common: Json = {"cluster": "shop", "taskDefinition": revision(client)}
    client.create_service(serviceName="web", desiredCount=0, **common)
    client.create_service(serviceName="quiet", desiredCount=0, **common)
    wait_for(client, "SUCCESSFUL")
    configuration = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0, "lifecycleHooks": [PAUSE]}
    client.update_service(
        cluster="shop", service="web", taskDefinition=revision(client), deploymentConfiguration=configuration
    )
    wait_for(client, "IN_PROGRESS", "POST_SCALE_UP")
    return client


def latest(client: t.Any) -> Json:
    [first, *_older] = client.list_service_deployments(cluster="shop", service="web")["serviceDeployments"]
    found = client.describe_service_deployments(serviceDeploymentArns=[first["serviceDeploymentArn"]])
    return dict(found["serviceDeployments"][0])


def wait_for(client: t.Any, status: str, stage: str = "") -> None:
    limit = datetime.datetime.now() + datetime.timedelta(seconds=30)
    while (found := latest(client)).get("status") != status or (stage and found.get("lifecycleStage") != stage):
        assert datetime.datetime.now() < limit, found
        time.sleep(0.2)


@pytest.mark.witness
def test_a_pause_is_shown_and_continued(paused: t.Any, run: RunModule) -> None:
    options: Json = {"cluster": "shop", "state": "continued"}
    predicted = run("ecs_service_deployment", **options, check=True)
    [shown] = predicted["deployments"]
    assert (predicted["changed"], shown["service"], shown["lifecycle_stage"]) == (True, "web", "POST_SCALE_UP")
    assert "paused at POST_SCALE_UP until" in shown["paused"]
    done = run("ecs_service_deployment", **options)
    assert (done["changed"], done["deployments"][0]["status"], predicted["diff"]) == (True, "SUCCESSFUL", done["diff"])
    again = run("ecs_service_deployment", **options)
    assert (again["changed"], again["deployments"]) == (False, [])


def test_a_read_that_still_shows_the_pause_is_no_end(
    paused: t.Any, run: RunModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, read = latest(paused), service_api.describe_service_deployments
    answers = iter([[before]] * 3)
    monkeypatch.setattr(service_api, "describe_service_deployments", lambda *args: next(answers, None) or read(*args))
    done = run("ecs_service_deployment", cluster="shop", state="continued")
    assert (done["deployments"][0]["status"], list(answers)) == ("SUCCESSFUL", [])


def test_a_pause_at_another_stage_is_one(emulator: str) -> None:
    hook = {"hookId": "1", "status": "AWAITING_ACTION"}
    first = {"status": "IN_PROGRESS", "lifecycleStage": "POST_SCALE_UP", "lifecycleHookDetails": [hook]}
    second = {**first, "lifecycleStage": "POST_TEST_TRAFFIC_SHIFT"}
    assert (model.pauses_again(second, first), model.pauses_again(first, first)) == (True, False)


@pytest.mark.witness
def test_a_paused_deployment_is_rolled_back(paused: t.Any, run: RunModule) -> None:
    before = paused.describe_services(cluster="shop", services=["quiet"])["services"][0]["taskDefinition"]
    done = run("ecs_service_deployment", cluster="shop", services=["web"], state="continued", rollback=True)
    assert (done["changed"], done["deployments"][0]["status"]) == (True, "ROLLBACK_SUCCESSFUL"), done
    assert paused.describe_services(cluster="shop", services=["web"])["services"][0]["taskDefinition"] == before


@pytest.mark.witness
def test_a_deployment_is_stopped_and_rolled_back(paused: t.Any, run: RunModule) -> None:
    options: Json = {"cluster": "shop", "services": ["web"], "state": "stopped"}
    predicted = run("ecs_service_deployment", **options, check=True)
    done = run("ecs_service_deployment", **options)
    assert (done["changed"], done["deployments"][0]["status"]) == (True, "ROLLBACK_SUCCESSFUL"), done
    assert predicted["diff"] == done["diff"]
    assert run("ecs_service_deployment", **options)["changed"] is False


def test_a_service_that_does_not_exist_is_named(paused: t.Any, run: RunModule) -> None:
    failed = run("ecs_service_deployment", cluster="shop", services=["web", "shop"], state="stopped")
    assert (failed["code"], failed["missing"]) == ("not_found", ["shop"])
    assert latest(paused)["status"] == "IN_PROGRESS"


def test_a_deployment_may_take_as_long_as_its_own_settings_say(ecs_model: t.Any, emulator: str) -> None:
    canary = {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 3}
    pause = {
        "targetType": "PAUSE",
        "lifecycleStages": ["POST_SCALE_UP"],
        "timeoutConfiguration": {"timeoutInMinutes": 4},
    }
    settings: Json = {
        "strategy": "CANARY",
        "bakeTimeInMinutes": 2,
        "canaryConfiguration": canary,
        "lifecycleHooks": [pause],
    }
    assert model.shifting_seconds({"deploymentConfiguration": settings}) == 9 * 60
    assert model.shifting_seconds({"deploymentConfiguration": {"strategy": "ROLLING"}}) == 0


def test_stage_and_weights_are_one_line(emulator: str) -> None:
    target = {"requestedProductionTrafficWeight": 10.0, "requestedTestTrafficWeight": 100.0}
    found = {"lifecycleStage": "PRODUCTION_TRAFFIC_SHIFT", "targetServiceRevision": target}
    assert model.stage_line(found) == "PRODUCTION_TRAFFIC_SHIFT, 100 % of test traffic, 10 % of production traffic"
    assert model.stage_line({}) == ""


@pytest.fixture
def release() -> t.Any:
    """A release that rolls back, as far as stopping a deployment needs it."""
    said: list[str] = []
    group = types.SimpleNamespace(say=lambda _name, text: said.append(text), said=said)
    return types.SimpleNamespace(ecs=boto3.client("ecs"), cluster="shop", timeout=60.0, group=group)


def running(client: t.Any) -> Json:
    return dict(client.describe_services(cluster="shop", services=["web"])["services"][0])


def test_a_failed_release_stops_the_deployment_that_shifts_traffic(paused: t.Any, release: t.Any) -> None:
    before = running(paused)
    found = stop_flow.stop_shifting(release, "web", before)
    assert latest(paused)["status"] == "ROLLBACK_SUCCESSFUL"
    assert (found["taskDefinition"] != before["taskDefinition"], len(release.group.said)) == (True, 1)
    # It has ended, so the service is as it is.
    assert stop_flow.stop_shifting(release, "web", found) is found


def test_without_the_permission_another_deployment_replaces_it(
    paused: t.Any, release: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_args: object) -> None:
        raise SlipwayError(ACCESS_DENIED, "not authorized to perform: ecs:StopServiceDeployment")

    monkeypatch.setattr(stop_flow.api, "stop_service_deployment", denied)
    before = running(paused)
    assert stop_flow.stop_shifting(release, "web", before) is before
    assert "ecs:StopServiceDeployment" in release.group.said[0]
    assert latest(paused)["status"] == "IN_PROGRESS"


def test_a_rolling_deployment_is_replaced(paused: t.Any, release: t.Any) -> None:
    rolling = {**running(paused), "deploymentConfiguration": {"strategy": "ROLLING"}}
    assert stop_flow.stop_shifting(release, "web", rolling) is rolling
    assert (latest(paused)["status"], release.group.said) == ("IN_PROGRESS", [])
