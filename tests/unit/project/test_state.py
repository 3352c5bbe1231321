# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of a resource is its whole answer without volatile members."""

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._project.state import (
    VOLATILE,
    by_role,
    converged_state,
    differences,
    digest,
)

Json = dict[str, t.Any]

DEPLOYMENT = {
    "id": "ecs-svc/1",
    "status": "PRIMARY",
    "desiredCount": 2,
    "runningCount": 2,
    "pendingCount": 0,
    "failedTasks": 0,
    "rolloutState": "COMPLETED",
    "taskDefinition": "arn:web:1",
    "volumeConfigurations": [{"name": "data"}],
}
SERVICE = {
    "serviceName": "web",
    "desiredCount": 2,
    "runningCount": 2,
    "pendingCount": 0,
    "events": [{"message": "started 2 tasks"}],
    "deployments": [DEPLOYMENT],
    "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1", "subnet-2"]}},
    "tags": [{"key": "slipway:project", "value": "ecs"}, {"key": "team", "value": "shop"}],
    "tasks": [{"taskArn": "arn:task/1"}],
}


def resource(kind: str = "service", role: str = "ecs_app", name: str = "web", **members: t.Any) -> Json:
    details = copy.deepcopy(SERVICE) if kind == "service" else {}
    given = {"tags": {"slipway:project": "ecs"}, "details": details, "id": name, "arn": "", "holds": "", "uses": []}
    return {"kind": kind, "role": role, "name": name, "tag": "x", **given, **members}


def test_counts_and_events_do_not_count() -> None:
    later = resource()
    later["details"]["events"].append({"message": "has reached a steady state"})
    later["details"]["tasks"] = [{"taskArn": "arn:task/2"}]
    later["details"]["deployments"][0]["id"] = "ecs-svc/2"
    assert converged_state(later) == converged_state(resource())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("desiredCount",), 3),
        (("networkConfiguration", "awsvpcConfiguration", "subnets"), ["subnet-1", "subnet-3"]),
        (("enableExecuteCommand",), True),
        (("aMemberThatAwsAddsTomorrow",), "x"),
        (("deployments", 0, "volumeConfigurations"), []),
        (("tags", 1, "value"), "store"),
    ],
)
def test_any_other_member_counts(path: tuple[str | int, ...], value: object) -> None:
    changed = resource()
    place: t.Any = changed["details"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert converged_state(changed) != converged_state(resource())


def test_the_order_of_tags_does_not_count() -> None:
    other = resource()
    other["details"]["tags"].reverse()
    assert converged_state(other) == converged_state(resource())


def test_the_order_counts_where_it_has_a_meaning() -> None:
    def of(members: Json) -> Json:
        return converged_state(resource(details={**SERVICE, **members}))

    assert of({"subnets": ["a", "b"]}) == of({"subnets": ["b", "a"]})
    assert of({"placementStrategy": ["a", "b"]}) != of({"placementStrategy": ["b", "a"]})


@pytest.mark.parametrize(
    "unstable",
    [
        {"runningCount": 1},
        {"pendingCount": 1},
        {"deployments": [DEPLOYMENT, {**DEPLOYMENT, "status": "ACTIVE"}]},
        {"deployments": [{**DEPLOYMENT, "rolloutState": "IN_PROGRESS"}]},
        {"deployments": []},
    ],
)
def test_a_service_during_a_rollout_is_not_stable(unstable: Json) -> None:
    assert converged_state(resource())["stable"]
    assert not converged_state(resource(details={**SERVICE, **unstable}))["stable"]


def test_a_service_with_an_unfinished_release_is_not_stable() -> None:
    tags = {"slipway:project": "ecs", "slipway:checkpoint.0": "x"}
    assert not converged_state(resource(tags=tags))["stable"]


def test_a_new_load_balancer_is_recorded_as_it_will_be() -> None:
    """AWS takes minutes to provision it, and the run that created it may have ended by then."""

    def of(code: str) -> Json:
        return converged_state(resource("load balancer", "ecs_load_balancer", details={"State": {"Code": code}}))

    assert of("provisioning") == of("active") != of("failed")


@pytest.mark.parametrize("decided", [{"scalableTarget": {"MinCapacity": 1}}, {"schedulingStrategy": "DAEMON"}])
def test_what_others_scale_may_have_any_count(decided: Json) -> None:
    two, three = ({**SERVICE, **decided, "desiredCount": n, "runningCount": n} for n in (2, 3))
    assert converged_state(resource(details=two)) == converged_state(resource(details=three))


def test_a_schedule_may_change_the_limits_that_it_has() -> None:
    def at(least: int, most: int, *actions: Json) -> Json:
        found = [{"ScheduledActionName": str(one), "ScalableTargetAction": one} for one in actions]
        target = {"MinCapacity": least, "MaxCapacity": most}
        return converged_state(resource(details={**SERVICE, "scalableTarget": target, "scheduledActions": found}))

    night = {"MinCapacity": 0}
    assert at(1, 4, night) == at(0, 4, night)
    assert at(1, 4, night) != at(1, 5, night)
    assert at(1, 4) != at(0, 4)


def test_an_alarm_may_be_in_any_state() -> None:
    def of(**members: t.Any) -> Json:
        alarm = {"AlarmName": "StepScaling-service/shop/web-QueueStartFromZero", "Threshold": 1.0, **members}
        return converged_state(resource(details={**SERVICE, "scalingAlarms": [alarm]}))

    assert of(StateValue="OK", StateReason="a") == of(StateValue="ALARM", StateReason="b")
    assert of() != of(Threshold=2.0)


def test_state_is_of_the_role_that_creates_it() -> None:
    images = [{"imageDigest": "sha256:1", "imageTags": ["1.0"], "lastRecordedPullTime": "today"}]
    found = by_role(
        [
            resource(),
            resource(name="api", tags={"slipway:group": "shop"}),
            resource("repository", "ecr_registry", "web", details={"repositoryName": "web", "images": images}),
            resource("IAM role", "docker_instance", "ecs-docker"),
            resource("IAM role", "ecs_cluster", "ecs-task"),
        ]
    )
    assert {role: list(state) for role, state in found.items()} == {
        "ecs_app": ["service web"],
        "ecs_app/shop": ["service api"],
        "ecr_registry": ["repository web"],
        "container_image": ["images web"],
        "docker_instance": ["IAM role ecs-docker"],
        "ecs_cluster": ["IAM role ecs-task"],
    }
    assert found["container_image"]["images web"]["images"] == [{"imageDigest": "sha256:1", "imageTags": ["1.0"]}]
    assert "images" not in found["ecr_registry"]["repository web"]


def test_hosts_of_an_auto_scaling_group_come_and_go() -> None:
    host = resource("instance", "docker_instance", "i-1", tags={"aws:autoscaling:groupName": "hosts"})
    disk = resource("volume", "docker_instance", "vol-1", details={"Attachments": [{"InstanceId": "i-1"}]})
    own = resource("instance", "docker_instance", "i-2")
    assert by_role([host, disk, own]).keys() == {"docker_instance"}
    assert list(by_role([host, disk, own])["docker_instance"]) == ["instance i-2"]


def test_differences_name_what_changed_what_is_missing_and_what_is_new() -> None:
    recorded = {"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 1}}
    assert differences(recorded, {"a": {"x": 1}, "b": {"x": 2}, "d": {}}) == ["b", "c", "d"]


def test_a_digest_follows_from_the_content_alone() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})


def test_each_volatile_member_has_a_reason_and_is_listed_once() -> None:
    assert all(entry.reason for entry in VOLATILE)
    assert len({(entry.kind, entry.path) for entry in VOLATILE}) == len(VOLATILE)
