# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deployments on the local cloud shift traffic in stages, pause, and are rolled back. Tasks are the emulator's own, and
start and fail when a test says so: no container runs."""

from __future__ import annotations

import inspect
import json
import re
import sys
import typing as t
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest

pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
from ministack.core.responses import request_scope
from ministack.services import alb, cloudwatch
from ministack.services import ecs as emulator

Json = dict[str, t.Any]

FILES = Path(__file__).resolve().parents[3] / "roles/local_cloud/files"
PATCHES = ("emulator_patches", "service_deployments", "traffic_shift", "traffic_stages", "weighted_forward")
ALARMED = "Service deployment rolled back because of one or more active alarms."


class Cloud:
    """The emulator with the patches, called without HTTP: a service behind a load balancer, and a clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.addresses = 0
        self.arns: dict[str, str] = {}

    def call(self, operation: str, **members: t.Any) -> Json:
        status, _headers, body = emulator._finalize_ecs_response(emulator._dispatch_action(operation, members))
        return {"status": status, **json.loads(body)}

    def elb(self, action: str, **members: str) -> str:
        status, _headers, body = alb._ACTION_MAP[action]({name: [value] for name, value in members.items()})
        assert status == 200, body
        return str(body if isinstance(body, str) else body.decode())

    def arn(self, tag: str, text: str) -> str:
        return re.findall(f"<{tag}>(.*?)</{tag}>", text)[0]

    def balance(self) -> None:
        """A load balancer with a production and a test listener, and two target groups."""
        balancer = self.arn("LoadBalancerArn", self.elb("CreateLoadBalancer", Name="shop"))
        for name in ("blue", "green"):
            self.arns[name] = self.arn("TargetGroupArn", self.elb("CreateTargetGroup", Name=name, TargetType="ip"))
        for name, port in (("production", "80"), ("test", "9000")):
            groups = "DefaultActions.member.1.ForwardConfig.TargetGroups.member"
            forward = {
                "DefaultActions.member.1.Type": "forward",
                f"{groups}.1.TargetGroupArn": self.arns["blue"],
                f"{groups}.1.Weight": "100",
                f"{groups}.2.TargetGroupArn": self.arns["green"],
                f"{groups}.2.Weight": "0",
            }
            made = self.elb("CreateListener", LoadBalancerArn=balancer, Port=port, **forward)
            rules = self.elb("DescribeRules", ListenerArn=self.arn("ListenerArn", made))
            self.arns[name] = self.arn("RuleArn", rules)

    def weights(self, name: str = "production") -> list[int]:
        rules = self.elb("DescribeRules", **{"RuleArns.member.1": self.arns[name]})
        found = dict(re.findall("<TargetGroupArn>([^<]*)</TargetGroupArn><Weight>([0-9]*)</Weight>", rules))
        return [int(found.get(self.arns[group], 0)) for group in ("blue", "green")]

    def targets(self, name: str) -> int:
        return len(alb._targets.get(self.arns[name]) or ())

    def register(self) -> str:
        container = {"name": "web", "image": "web:1", "versionConsistency": "disabled"}
        answer = self.call("RegisterTaskDefinition", family="web", containerDefinitions=[container])
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def balancer(self, **advanced: str) -> Json:
        given = {
            "alternateTargetGroupArn": self.arns["green"],
            "productionListenerRule": self.arns["production"],
            "testListenerRule": self.arns["test"],
            "roleArn": "arn:aws:iam::000000000000:role/ecs",
        }
        main = {"targetGroupArn": self.arns["blue"], "containerName": "web", "containerPort": 80}
        return {**main, "advancedConfiguration": {**given, **advanced}}

    def create(self, strategy: str, **configuration: t.Any) -> None:
        """A service that runs, as its first deployment has gone through its stages."""
        self.configuration = {"strategy": strategy, "bakeTimeInMinutes": 5, **configuration}
        answer = self.call(
            "CreateService",
            serviceName="web",
            desiredCount=2,
            taskDefinition=self.register(),
            loadBalancers=[self.balancer()],
            deploymentConfiguration=self.configuration,
        )
        assert answer["status"] == 200, answer
        for hook in iter(self.waiting, ""):
            self.go_on(hook)
        self.proceed()
        assert self.latest()["status"] == "SUCCESSFUL", self.latest()

    def release(self, **members: t.Any) -> None:
        self.later(60)
        answer = self.call("UpdateService", service="web", taskDefinition=self.register(), **members)
        assert answer["status"] == 200, answer

    def later(self, seconds: float) -> None:
        self.now += seconds

    def service(self) -> Json:
        return dict(self.call("DescribeServices", services=["web"])["services"][0])

    def statuses(self) -> list[str]:
        self.latest()
        return [one["status"] for one in self.call("ListServiceDeployments", service="web")["serviceDeployments"]]

    def latest(self) -> Json:
        """The latest service deployment, in full."""
        arn = self.call("ListServiceDeployments", service="web")["serviceDeployments"][0]["serviceDeploymentArn"]
        return dict(self.call("DescribeServiceDeployments", serviceDeploymentArns=[arn])["serviceDeployments"][0])

    def proceed(self, until: str = "") -> None:
        """Tasks start, and time passes in small steps until a stage is reached, or nothing moves any more."""
        for _number in range(40):
            if until and self.latest().get("lifecycleStage") == until:
                return
            self.start_tasks()
            self.later(0.6)
            self.latest()
        assert not until, self.latest()

    def start_tasks(self) -> None:
        for task in [one for one in emulator._tasks.values() if one["lastStatus"] not in ("RUNNING", "STOPPED")]:
            self.addresses += 1
            task["_container_ip"] = f"10.0.0.{self.addresses}"
            emulator._mark_task_running(task["taskArn"], task)
            emulator._record_service_task_healthy("default/web", task)
        emulator._refresh_service_state("default", "service:web")
        emulator._complete_service_deployment("default", "default/web")

    def waiting(self) -> str:
        """ID of the hook that waits for an action."""
        self.proceed()
        hooks = self.latest().get("lifecycleHookDetails") or ()
        return next((hook["hookId"] for hook in hooks if hook["status"] == "AWAITING_ACTION"), "")

    def go_on(self, hook: str, **more: str) -> Json:
        arn = self.latest()["serviceDeploymentArn"]
        return self.call("ContinueServiceDeployment", serviceDeploymentArn=arn, hookId=hook, **more)

    def stop(self, **more: str) -> Json:
        return self.call("StopServiceDeployment", serviceDeploymentArn=self.latest()["serviceDeploymentArn"], **more)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    kept = {module: (dict(vars(module)), dict(module._ACTION_MAP)) for module in (emulator, alb)}
    made = Cloud()
    with pytest.MonkeyPatch.context() as patch, request_scope("000000000000", "eu-central-1"):
        patch.syspath_prepend(str(FILES))
        import service_deployments  # type: ignore[import-not-found]
        import traffic_shift  # type: ignore[import-not-found]
        import weighted_forward  # type: ignore[import-not-found]

        patch.setattr(service_deployments.time, "time", lambda: made.now)
        weighted_forward.weighted_forward(alb)
        service_deployments.service_deployments(emulator)
        traffic_shift.traffic_shift(emulator, alb, cloudwatch)
        # As with Docker, without containers: tasks wait until the test starts them.
        patch.setattr(emulator, "_get_docker", object)
        patch.setattr(emulator, "_run_task_worker", lambda *_args: None)
        patch.setattr(emulator, "_schedule_service_deployment_completion", lambda *_args, **_kwargs: None)
        patch.setattr(emulator, "spawn_background", lambda *_args, **_kwargs: None)
        made.balance()
        yield made
        patch.setattr(emulator, "_get_docker", lambda: None)
        for module in (emulator, alb, cloudwatch):
            module.reset()
    for module, (names, actions) in kept.items():
        vars(module).update(names)
        module._ACTION_MAP.clear()
        module._ACTION_MAP.update(actions)
    for name in PATCHES:
        sys.modules.pop(name, None)


def shares(deployment: Json) -> tuple[float, float]:
    """Production traffic of the old and of the new revision."""
    weight = "requestedProductionTrafficWeight"
    return deployment["sourceServiceRevisions"][0][weight], deployment["targetServiceRevision"][weight]


def test_blue_and_green_change_places_at_each_release(cloud: Cloud) -> None:
    cloud.create("BLUE_GREEN")
    assert (cloud.weights(), cloud.weights("test"), cloud.targets("blue")) == ([100, 0], [100, 0], 2)
    cloud.release()
    stages = {}
    for stage in ("PRE_SCALE_UP", "SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT"):
        cloud.proceed(stage)
        stages[stage] = (cloud.targets("green"), cloud.weights(), cloud.weights("test"))
    assert list(stages.values()) == [
        (0, [100, 0], [100, 0]),
        (0, [100, 0], [100, 0]),
        (2, [100, 0], [100, 0]),
        (2, [100, 0], [100, 0]),
        (2, [100, 0], [0, 100]),
    ]
    cloud.proceed("BAKE_TIME")
    assert (cloud.weights(), cloud.targets("blue"), shares(cloud.latest())) == ([0, 100], 2, (0.0, 100.0))
    cloud.later(5 * 60)
    cloud.proceed()
    done = cloud.latest()
    assert (done["status"], done["lifecycleStage"], cloud.targets("blue")) == ("SUCCESSFUL", "CLEAN_UP", 0)
    revisions = cloud.call("DescribeServiceRevisions", serviceRevisionArns=[done["targetServiceRevision"]["arn"]])
    [resolved] = revisions["serviceRevisions"][0]["resolvedConfiguration"]["loadBalancers"]
    assert resolved["targetGroupArn"] == cloud.arns["green"]
    assert cloud.service()["loadBalancers"] == [cloud.balancer()]
    cloud.release()
    cloud.proceed("BAKE_TIME")
    assert (cloud.weights(), cloud.targets("blue"), cloud.targets("green")) == ([100, 0], 2, 2)


def test_a_canary_gets_its_share_and_then_the_rest(cloud: Cloud) -> None:
    cloud.create("CANARY", canaryConfiguration={"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 2})
    cloud.release()
    cloud.proceed("PRODUCTION_TRAFFIC_SHIFT")
    cloud.proceed()
    assert (cloud.weights(), shares(cloud.latest())) == ([90, 10], (90.0, 10.0))
    cloud.later(2 * 60)
    cloud.proceed("BAKE_TIME")
    assert cloud.weights() == [0, 100]


def test_linear_deployments_shift_step_by_step(cloud: Cloud) -> None:
    cloud.create("LINEAR", linearConfiguration={"stepPercent": 30.0, "stepBakeTimeInMinutes": 1})
    cloud.release()
    seen = []
    for _step in range(5):
        cloud.proceed()
        seen.append(cloud.weights()[1])
        cloud.later(60)
    assert seen == [30, 60, 90, 100, 100]


def test_a_pause_waits_until_it_is_continued(cloud: Cloud) -> None:
    hook = {"targetType": "PAUSE", "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"]}
    cloud.create("BLUE_GREEN", lifecycleHooks=[hook])
    cloud.release()
    waiting = cloud.waiting()
    paused = cloud.latest()
    assert (paused["lifecycleStage"], paused["status"]) == ("POST_TEST_TRAFFIC_SHIFT", "IN_PROGRESS")
    assert paused["lifecycleHookDetails"][0]["timeoutAction"] == "ROLLBACK"
    assert cloud.go_on("unknown")["__type"] == "InvalidParameterException"
    assert cloud.go_on(waiting)["status"] == 200
    assert cloud.go_on(waiting)["__type"] == "InvalidParameterException"
    cloud.proceed("BAKE_TIME")
    assert cloud.latest()["lifecycleHookDetails"][0]["status"] == "SUCCEEDED"


@pytest.mark.parametrize("action", ["ROLLBACK", "CONTINUE"])
def test_a_pause_that_nobody_ends_times_out(cloud: Cloud, action: str) -> None:
    timeout = {"timeoutInMinutes": 30, "action": action}
    hook = {"targetType": "PAUSE", "lifecycleStages": ["PRE_PRODUCTION_TRAFFIC_SHIFT"], "timeoutConfiguration": timeout}
    cloud.create("BLUE_GREEN", lifecycleHooks=[hook])
    cloud.release()
    assert cloud.waiting()
    cloud.later(30 * 60)
    cloud.proceed()
    assert cloud.latest()["lifecycleHookDetails"][0]["status"] == "TIMED_OUT"
    assert cloud.weights() == ([100, 0] if action == "ROLLBACK" else [0, 100])
    assert cloud.statuses()[0] == ("ROLLBACK_SUCCESSFUL" if action == "ROLLBACK" else "IN_PROGRESS")
    said = cloud.latest().get("statusReason", "")
    assert ("PRE_PRODUCTION_TRAFFIC_SHIFT pause hook timed out." in said) == (action == "ROLLBACK")


def test_a_rollback_at_a_pause_shifts_nothing(cloud: Cloud) -> None:
    cloud.create("BLUE_GREEN", lifecycleHooks=[{"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"]}])
    cloud.release()
    cloud.go_on(cloud.waiting(), action="ROLLBACK")
    cloud.proceed()
    assert (cloud.statuses(), cloud.weights(), cloud.targets("green")) == (
        ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"],
        [100, 0],
        0,
    )


@pytest.mark.parametrize("stage", ["SCALE_UP", "BAKE_TIME"])
def test_a_stopped_deployment_is_rolled_back(cloud: Cloud, stage: str) -> None:
    cloud.create("BLUE_GREEN")
    revision = cloud.service()["taskDefinition"]
    cloud.release()
    cloud.proceed(stage)
    assert cloud.stop()["status"] == 200
    assert cloud.latest()["status"] == "ROLLBACK_REQUESTED"
    cloud.later(1.1)
    assert cloud.latest()["status"] == "ROLLBACK_IN_PROGRESS"
    cloud.proceed()
    assert (cloud.statuses()[0], cloud.weights(), cloud.service()["taskDefinition"]) == (
        "ROLLBACK_SUCCESSFUL",
        [100, 0],
        revision,
    )
    assert (cloud.targets("blue"), cloud.targets("green")) == (2, 0)
    assert cloud.stop()["__type"] == "ConflictException"


def test_a_rolling_deployment_is_stopped_with_and_without_a_rollback(cloud: Cloud) -> None:
    cloud.create("BLUE_GREEN")
    for kind, ended in (("ABORT", "STOPPED"), ("ROLLBACK", "ROLLBACK_SUCCESSFUL")):
        cloud.release(deploymentConfiguration={"strategy": "ROLLING"})
        assert cloud.stop(stopType=kind)["status"] == 200
        cloud.proceed()
        assert (cloud.statuses()[0], cloud.targets("blue")) == (ended, 2)
    unknown = cloud.call("StopServiceDeployment", serviceDeploymentArn="arn:aws:ecs:unknown")
    assert unknown["__type"] == "ServiceDeploymentNotFoundException"


def test_a_release_during_another_keeps_the_tasks_that_serve(cloud: Cloud) -> None:
    cloud.create("BLUE_GREEN")
    cloud.release()
    cloud.proceed("SCALE_UP")
    cloud.start_tasks()
    cloud.release()
    for stage in ("RECONCILE_SERVICE", "SCALE_UP", "POST_TEST_TRAFFIC_SHIFT"):
        cloud.proceed(stage)
        assert (cloud.weights(), cloud.targets("blue")) == ([100, 0], 2), stage
    assert cloud.statuses()[1] == "STOPPED"
    cloud.proceed("BAKE_TIME")
    assert (cloud.weights(), cloud.targets("green")) == ([0, 100], 2)


def test_an_alarm_rolls_a_canary_back(cloud: Cloud) -> None:
    alarms = {"alarmNames": ["errors"], "enable": True, "rollback": True}
    cloudwatch._alarms["errors"] = {"AlarmName": "errors", "StateValue": "OK"}
    cloud.create("CANARY", alarms=alarms)
    cloud.release()
    cloud.proceed("PRODUCTION_TRAFFIC_SHIFT")
    cloud.proceed()
    assert cloud.weights() == [95, 5]
    cloudwatch._alarms["errors"]["StateValue"] = "ALARM"
    back = cloud.latest()
    assert (back["status"], back["statusReason"], cloud.weights()) == ("ROLLBACK_IN_PROGRESS", ALARMED, [100, 0])
    assert back["alarms"] == {"status": "TRIGGERED", "alarmNames": ["errors"], "triggeredAlarmNames": ["errors"]}
    assert back["deploymentCircuitBreaker"]["status"] == "DISABLED"
    cloud.proceed()
    assert cloud.statuses()[0] == "ROLLBACK_SUCCESSFUL"
    # While the alarm is still active, a release can mend what it is about.
    cloud.release()
    cloud.proceed("PRODUCTION_TRAFFIC_SHIFT")
    cloud.proceed()
    assert cloud.weights() == [95, 5]


def test_the_circuit_breaker_takes_the_traffic_back(cloud: Cloud) -> None:
    breaker = {"enable": True, "rollback": True, "thresholdConfiguration": {"type": "COUNT", "value": 1}}
    cloud.create("BLUE_GREEN", deploymentCircuitBreaker=breaker)
    cloud.release()
    cloud.proceed("BAKE_TIME")
    task = [one for one in emulator._tasks.values() if one["lastStatus"] == "RUNNING"][-1]
    emulator._mark_task_stopped(task["taskArn"], task, "Essential container exited", "EssentialContainerExited")
    cloud.proceed()
    assert (cloud.weights(), cloud.statuses()[0]) == ([100, 0], "ROLLBACK_SUCCESSFUL")


@pytest.mark.parametrize(
    ("actions", "reason"),
    [
        ({"blue": 100}, "is not associated with either productionListenerRule or testListenerRule."),
        ({"blue": 50, "green": 50}, "should have exactly one target group serving traffic but found 2"),
    ],
)
def test_listeners_that_ecs_cannot_shift_roll_back(cloud: Cloud, actions: dict[str, int], reason: str) -> None:
    cloud.create("BLUE_GREEN")
    sys.modules["weighted_forward"].set_weights(
        alb, cloud.arns["production"], {cloud.arns[name]: weight for name, weight in actions.items()}
    )
    if len(actions) == 1:
        sys.modules["weighted_forward"].set_weights(alb, cloud.arns["test"], {cloud.arns["blue"]: 1})
    cloud.release()
    cloud.proceed()
    assert cloud.statuses()[0] == "ROLLBACK_SUCCESSFUL"
    assert reason in cloud.latest()["statusReason"]


def test_the_answers_have_the_members_that_the_api_knows(cloud: Cloud) -> None:
    cloud.create("BLUE_GREEN", lifecycleHooks=[{"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"]}])
    cloud.release()
    assert cloud.waiting()
    model = botocore.session.get_session().get_service_model("ecs")
    full = cloud.latest()
    revision = cloud.call("DescribeServiceRevisions", serviceRevisionArns=[full["targetServiceRevision"]["arn"]])
    for shape, members in (
        ("ServiceDeployment", full),
        ("DeploymentLifecycleHookDetail", full["lifecycleHookDetails"][0]),
        ("ServiceRevisionSummary", full["targetServiceRevision"]),
        ("ServiceRevision", revision["serviceRevisions"][0]),
    ):
        assert set(members) - set(model.shape_for(shape).members) == set(), shape


@pytest.mark.parametrize("weights", [{"blue": 90, "green": 10}, {"blue": 1, "green": 0}, {"blue": 1, "green": 1}])
def test_requests_are_shared_by_weight(cloud: Cloud, weights: dict[str, int]) -> None:
    turns = sys.modules["weighted_forward"].Turns()
    total = sum(weights.values())
    served = Counter(turns.next(weights) for _request in range(total * 3))
    assert served == Counter({name: weight * 3 for name, weight in weights.items() if weight})


# What the patches are for. A test that fails here means: remove that part of them.


def test_the_emulator_forwards_to_one_target_group_only() -> None:
    assert "ForwardConfig" not in inspect.getsource(alb)


def test_the_emulator_knows_no_strategy_and_stops_and_continues_nothing() -> None:
    source = inspect.getsource(emulator)
    assert not {"BLUE_GREEN", "StopServiceDeployment", "ContinueServiceDeployment"} & set(re.findall(r"\w+", source))
