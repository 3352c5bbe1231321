# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs where: each service with what it runs, how it is, and what needs attention; unknown is never absent."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.plugins.module_utils._ecs.release.checkpoint import Checkpoint, Run, to_tags
from ansible_collections.slipway.aws.plugins.module_utils._project import releases_flow
from ansible_collections.slipway.aws.plugins.module_utils._project.status.model import status
from ansible_collections.slipway.aws.plugins.plugin_utils.status import table
from ansible_collections.slipway.aws.tests.unit.project import projects
from ansible_collections.slipway.aws.tests.unit.project.projects import (
    DIGEST,
    NOW,
    Json,
    balancer,
    behind,
    definition,
    deployment,
    listener,
    project,
    resource,
    rule,
    service,
    target_group,
    task,
)


def of(*resources: Json, unknown: t.Sequence[Json] = (), endpoint: str = "") -> Json:
    return status("ecs", project(*resources, unknown=unknown), NOW, endpoint)


def only(*resources: Json, **options: t.Any) -> Json:
    """The status of the one service."""
    [found] = of(*resources, **options)["services"]
    return t.cast(Json, found)


def released(**members: t.Any) -> Json:
    """The service `web`, whose last release in the history has these members."""
    usual = {"action": "release", "to": None, "outcome": "succeeded", "code": "", "id": "r", "by": "me@laptop"}
    times = {"started": "2026-11-29T08:58:00Z", "ended": "2026-11-29T09:00:30Z"}
    read = {**project(*service("web")), "releases": {"ecs/web": {"number": 12, **usual, **times, **members}}}
    return status("ecs", read, NOW)


def shown(found: Json) -> str:
    return "\n".join(line.text for line in table(found, 200))


def test_the_last_release_has_its_number_and_outcome() -> None:
    found = released()
    release = found["services"][0]["release"]
    assert (release["number"], release["outcome"], release["by"]) == (12, "succeeded", "me@laptop")
    assert "  12 succeeded" in shown(found)
    assert "13 succeeded, rollback to 11" in shown(released(number=13, action="rollback", to=11))


def test_a_release_that_failed_after_its_deployments_is_no_success() -> None:
    """Its checks failed, and so each service was rolled back by a deployment that succeeded."""
    found = released(outcome="rolled_back", code="verification_failed")
    [web] = found["services"]
    assert (web["state"], web["release"]["outcome"]) == ("stable", "rolled_back")
    assert web["problems"] == ["Release 12 failed and was rolled back: verification_failed."]
    assert "12 rolled back" in shown(found)


def test_what_was_deployed_since_is_not_that_release() -> None:
    release = released(ended="2026-11-29T08:50:00Z", outcome="failed")["services"][0]["release"]
    assert (release["number"], release["outcome"], release["id"]) == (None, "succeeded", None)


def test_without_the_history_the_rest_is_shown() -> None:
    class Denied:
        def get_paginator(self, _operation: str) -> t.NoReturn:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetParametersByPath")

    found = status("ecs", releases_flow.with_releases(Denied(), "ecs", project(*service("web"))), NOW)
    release = found["services"][0]["release"]
    assert (release["number"], release["outcome"]) == (None, "succeeded")
    assert "release: requires ssm:GetParametersByPath, " in shown(found)


def test_a_service_says_what_it_runs_since_when_and_how_it_is() -> None:
    repository = resource(
        "repository", "web", "ecr_registry", images=[{"imageDigest": DIGEST, "imageTags": ["v2", "git-0a1b2c3d4e5f"]}]
    )
    found = only(*service("web"), repository)
    assert (found["state"], found["problems"], found["cluster"]) == ("stable", [], "ecs")
    assert (found["task_definition"], found["newest_task_definition"]) == ("web:7", None)
    assert found["tasks"] == {"desired": 2, "running": 2, "pending": 0, "failed": 0}
    assert (found["health"]["state"], found["health"]["containers"]) == ("healthy", {"healthy": 2})
    assert (found["deployed_at"], found["deployed_seconds_ago"]) == ("2026-11-29T09:00:00Z", 3 * 3600)
    assert (found["release"]["outcome"], found["release"]["ended_at"]) == ("succeeded", "2026-11-29T09:00:00Z")
    [image] = found["images"]
    assert (image["container"], image["repository"], image["digest"]) == ("web", "web", DIGEST)
    assert (image["tags"], image["revision"]) == (["git-0a1b2c3d4e5f", "v2"], "0a1b2c3d4e5f")


def test_nothing_of_a_project_is_an_empty_status() -> None:
    found = of()
    assert (found["services"], found["resources"], found["unknown"]) == ([], [], [])
    assert found["summary"] == {"services": 0, "needing_attention": 0, "deploying": 0, "resources": 0, "unknown": 0}


def test_a_service_without_tasks_is_stopped_and_shows_the_image_of_its_task_definition() -> None:
    found = only(*service("web", desired=0))
    assert (found["state"], found["problems"], found["health"]["state"]) == ("stopped", [], "unchecked")
    assert [image["digest"] for image in found["images"]] == [DIGEST]


def test_a_service_with_fewer_tasks_than_desired_is_failing_and_ecs_says_why() -> None:
    events = [{"message": "(service web) was unable to place a task because no container instance met its needs."}]
    found = only(*service("web", desired=3, running=1, events=events))
    assert found["state"] == "failing"
    assert found["problems"][0] == "1 of 3 tasks are running."
    assert "was unable to place a task" in found["problems"][1]


def test_a_service_in_the_middle_of_a_rollout_is_deploying() -> None:
    new = deployment(definition("web", 8), rolloutState="IN_PROGRESS")
    old = deployment(definition("web", 7), status="ACTIVE")
    found = only(*service("web", running=1, taskDefinition=definition("web", 8), deployments=[new, old]))
    assert (found["state"], found["problems"], found["release"]["outcome"]) == ("deploying", [], "in_progress")
    assert (found["task_definition"], found["release"]["ended_at"]) == ("web:8", None)


def test_a_rollout_whose_tasks_fail_is_failing() -> None:
    new = deployment(definition("web", 7), rolloutState="IN_PROGRESS", failedTasks=3)
    found = only(*service("web", running=1, deployments=[new]))
    assert (found["state"], found["release"]["outcome"]) == ("failing", "in_progress")
    assert "3 tasks of the current deployment failed." in found["problems"]


REASON = "ECS deployment circuit breaker: tasks failed to start."
FAILED = deployment(
    definition("web", 8),
    status="INACTIVE",
    createdAt="2026-11-29T10:00:00Z",
    rolloutState="FAILED",
    rolloutStateReason=REASON,
)


@pytest.mark.parametrize(
    ("deployments", "followed", "outcome", "state"),
    [
        ([deployment(definition("web", 7)), FAILED], None, "rolled_back", "stable"),
        ([deployment(definition("web", 7), rolloutState="IN_PROGRESS"), FAILED], None, "rolling_back", "deploying"),
        ([{**FAILED, "status": "PRIMARY"}], None, "failed", "stable"),
        ([deployment(definition("web", 7))], "ROLLBACK_SUCCESSFUL", "rolled_back", "stable"),
        ([deployment(definition("web", 7))], "ROLLBACK_FAILED", "rollback_failed", "stable"),
        ([deployment(definition("web", 7))], "STOPPED", "stopped", "stable"),
    ],
)
def test_a_release_that_failed_needs_attention_also_where_the_tasks_are_healthy(
    deployments: list[Json], followed: str | None, outcome: str, state: str
) -> None:
    more = {"serviceDeployment": {"status": followed, "statusReason": REASON, "startedAt": projects.DEPLOYED}}
    found = only(*service("web", deployments=deployments, **(more if followed else {})))
    assert (found["release"]["outcome"], found["state"]) == (outcome, state)
    assert found["release"]["reason"] == REASON
    assert REASON in found["problems"][0]


def test_a_rollback_shows_in_the_events_after_ecs_has_forgotten_the_deployment() -> None:
    current = deployment(definition("web", 7), id="ecs-svc/1")
    events = [
        {"message": "(service web) has reached a steady state."},
        {"message": "(service web) rolling back to deployment ecs-svc/1."},
        {"message": "(service web) (deployment ecs-svc/2) deployment failed: tasks failed to start."},
    ]
    found = only(*service("web", deployments=[current], events=events))
    assert (found["release"]["outcome"], found["release"]["reason"]) == ("rolled_back", "tasks failed to start.")
    later = only(*service("web", deployments=[{**current, "id": "ecs-svc/3"}], events=events))
    assert (later["release"]["outcome"], later["problems"]) == ("succeeded", [])


def test_a_failure_before_the_current_deployment_is_history() -> None:
    current = deployment(definition("web", 9), createdAt="2026-11-29T11:00:00Z")
    found = only(*service("web", deployments=[current, FAILED]))
    assert (found["release"]["outcome"], found["problems"]) == ("succeeded", [])


def test_a_service_that_runs_an_older_revision_names_the_newest_one() -> None:
    old, family = service("web", revision=7)
    family["details"]["revisions"] = [dict(family["details"])]
    family["details"] |= {"taskDefinitionArn": definition("web", 9), "containerDefinitions": []}
    found = only(old, family)
    assert (found["task_definition"], found["newest_task_definition"]) == ("web:7", "web:9")
    assert [image["container"] for image in found["images"]] == ["web"]


def checkpoint(until: datetime.timedelta, state: t.Any = "") -> Json:
    at = f"{NOW + until:%Y-%m-%dT%H:%M:%SZ}"
    return to_tags(Checkpoint({}, definition("web", 7), Run("abc123", 2, projects.DEPLOYED, at, "me@laptop", state)))


@pytest.mark.parametrize(
    ("minutes", "state", "outcome", "attention"),
    [
        (10, "", "in_progress", False),
        (-10, "", "unfinished", True),
        (10, "interrupted", "interrupted", True),
        (10, "complete", "succeeded", False),
    ],
)
def test_the_checkpoint_of_a_release_says_how_it_ended(minutes: int, state: str, outcome: str, attention: bool) -> None:
    found = only(*service("web", tags=checkpoint(datetime.timedelta(minutes=minutes), state)))
    assert (found["release"]["outcome"], bool(found["problems"])) == (outcome, attention)
    assert (found["release"]["id"], found["release"]["by"]) == ("abc123", "me@laptop")


# Health


def test_health_follows_from_targets_where_there_is_a_load_balancer() -> None:
    found = only(*service("web", loadBalancers=behind("web")), target_group("web", "healthy", "unhealthy", "draining"))
    assert (found["health"]["state"], found["health"]["targets"]) == ("degraded", {"healthy": 1, "unhealthy": 1})
    assert found["problems"] == ["Health checks fail: it is unhealthy."]
    assert found["state"] == "failing"


def test_of_two_load_balancers_the_worse_one_counts_and_blue_and_green_are_one() -> None:
    two = service("web", loadBalancers=behind("public", "internal"))
    found = only(*two, target_group("public", "healthy", "healthy"), target_group("internal", "unhealthy"))
    assert found["health"]["state"] == "unhealthy"
    blue_green = [{**behind("blue")[0], "advancedConfiguration": {"alternateTargetGroupArn": projects.group("green")}}]
    found = only(
        *service("web", loadBalancers=blue_green),
        target_group("blue"),
        target_group("green", "healthy", "healthy"),
    )
    assert (found["health"]["state"], found["health"]["targets"]) == ("healthy", {"healthy": 2})


def test_tasks_that_no_load_balancer_knows_yet_are_starting() -> None:
    assert only(*service("web", loadBalancers=behind("web")), target_group("web"))["health"]["state"] == "starting"


@pytest.mark.parametrize(
    ("of_containers", "state"), [("HEALTHY", "healthy"), ("UNHEALTHY", "unhealthy"), ("UNKNOWN", "unchecked")]
)
def test_health_follows_from_containers_elsewhere(of_containers: str, state: str) -> None:
    tasks = [task(definition("web", 7), of_containers, web="web")]
    assert only(*service("web", desired=1, tasks=tasks))["health"]["state"] == state


# Unknown


def test_what_may_not_be_read_is_unknown_and_named() -> None:
    found = of(*service("web", tasks=None), unknown=[projects.unknown("service", "ecs:ListTasks")])
    [web] = found["services"]
    assert (web["health"]["state"], web["health"]["containers"]) == ("unknown", None)
    # The task definition has the digest, too.
    assert [image["digest"] for image in web["images"]] == [DIGEST]
    [missing] = found["unknown"]
    assert (missing["action"], missing["code"]) == ("ecs:ListTasks", "access_denied")


def test_neither_tasks_nor_task_definition_leave_the_images_unknown() -> None:
    web, _family = service("web", tasks=None)
    assert only(web, unknown=[projects.unknown("task definition", "ecs:DescribeTaskDefinition")])["images"] is None


def test_a_load_balancer_that_may_not_be_read_leaves_address_and_health_unknown() -> None:
    denied = [projects.unknown("load balancer", "elasticloadbalancing:DescribeLoadBalancers")]
    found = only(*service("web", loadBalancers=behind("web")), unknown=denied)
    assert (found["urls"], found["health"]["state"], found["health"]["targets"]) == (None, "unknown", None)


# Addresses


@pytest.mark.parametrize(
    ("listeners", "urls"),
    [
        ([listener("web")], ["http://ecs-web-1.eu-central-1.elb.amazonaws.com/"]),
        ([listener("web", port=8080)], ["http://ecs-web-1.eu-central-1.elb.amazonaws.com:8080/"]),
        ([listener("web", protocol="TCP", port=5432)], ["tcp://ecs-web-1.eu-central-1.elb.amazonaws.com:5432"]),
        ([listener("api", rule("web", ["shop.example.com"]))], ["http://shop.example.com/"]),
        ([listener("api", rule("web", paths=["/shop/*"]))], ["http://ecs-web-1.eu-central-1.elb.amazonaws.com/shop/"]),
        ([listener("api")], []),
        (
            [listener("web", protocol="HTTPS", port=443, Certificates=[{"CertificateArn": "arn:cert"}])],
            ["https://www.example.com/"],
        ),
        (
            [
                {**listener("api"), "DefaultActions": [{"Type": "redirect"}]},
                listener("web", protocol="HTTPS", port=443),
            ],
            ["https://ecs-web-1.eu-central-1.elb.amazonaws.com/"],
        ),
    ],
)
def test_a_service_has_the_addresses_of_what_forwards_to_it(listeners: list[Json], urls: list[str]) -> None:
    certificate = resource("certificate", "arn:cert", "ecs_load_balancer", DomainName="www.example.com")
    found = only(*service("web", loadBalancers=behind("web")), balancer(*listeners), certificate)
    assert found["urls"] == urls


def test_the_local_cloud_has_addresses_of_its_own() -> None:
    resources = [*service("web", loadBalancers=behind("web")), balancer(listener("web"))]
    assert only(*resources, endpoint="http://127.0.0.1:4566")["urls"] == ["http://ecs-web.alb.localhost:4566/"]


def test_weighted_target_groups_are_forwarded_to() -> None:
    weighted = {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": projects.group("web")}]}}
    found = only(
        *service("web", loadBalancers=behind("web")), balancer({**listener("web"), "DefaultActions": [weighted]})
    )
    assert len(found["urls"]) == 1


# Several


def test_services_that_need_attention_come_first() -> None:
    deploying = [deployment(definition("b", 7), rolloutState="IN_PROGRESS")]
    found = of(
        *service("a"),
        *service("b", deployments=deploying),
        *service("c", deployments=[deployment(definition("c", 7)), FAILED]),
        *service("d", running=0),
        *service("a", cluster="other"),
    )
    assert [(one["cluster"], one["name"]) for one in found["services"]] == [
        ("ecs", "d"),
        ("ecs", "c"),
        ("ecs", "b"),
        ("ecs", "a"),
        ("other", "a"),
    ]
    assert found["summary"] == {"services": 5, "needing_attention": 2, "deploying": 1, "resources": 10, "unknown": 0}


def test_a_daemon_has_as_many_tasks_as_its_deployment() -> None:
    daemon = [deployment(definition("web", 7), desiredCount=3)]
    found = only(*service("web", desired=0, running=3, schedulingStrategy="DAEMON", deployments=daemon))
    assert (found["tasks"]["desired"], found["state"]) == (3, "stable")


def test_a_service_that_is_being_deleted_says_so() -> None:
    assert only(*service("web", desired=0, status="DRAINING"))["state"] == "deleting"


def test_images_of_other_registries_have_the_tag_of_their_address() -> None:
    tasks = [task(definition("web", 7), proxy="public.ecr.aws/nginx/nginx:1.27")]
    web, _family = service("web", desired=1, tasks=tasks)
    [image] = only(web)["images"]
    assert (image["repository"], image["tags"], image["digest"]) == ("nginx/nginx", ["1.27"], DIGEST)


def test_two_digests_of_one_container_are_both_listed() -> None:
    arn, other = definition("web", 7), f"sha256:{'5' * 64}"
    tasks = [task(arn, web=f"r.example.com/web@{DIGEST}"), task(arn, web=f"r.example.com/web@{other}")]
    assert {image["digest"] for image in only(*service("web", tasks=tasks))["images"]} == {DIGEST, other}


def test_the_label_of_a_container_names_the_commit_and_a_date_is_none() -> None:
    web, family = service("web")
    repository = resource("repository", "web", images=[{"imageDigest": DIGEST, "imageTags": ["20261129"]}])
    assert only(web, family, repository)["images"][0]["revision"] is None
    family["details"]["containerDefinitions"][0]["dockerLabels"] = {"org.opencontainers.image.revision": "f00ba47"}
    assert only(web, family, repository)["images"][0]["revision"] == "f00ba47"


def test_every_other_resource_has_a_line_also_of_an_unknown_kind() -> None:
    found = of(
        *service("web"),
        target_group("web", "healthy"),
        resource("NAT gateway", "", "ecs_network", identity="nat-1", State="failed"),
        resource("submarine", "U1", "ecs_navy", Status="DIVING"),
    )
    lines = {one["kind"]: (one["state"], one["summary"], one["needs_attention"]) for one in found["resources"]}
    assert lines == {
        "target group": (None, "HTTP 80, 1 healthy", False),
        "NAT gateway": ("failed", "", True),
        "submarine": ("diving", "", False),
    }
