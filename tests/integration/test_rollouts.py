# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people read at the end of a rollout: each test checks only the message, and the code for programs."""

from __future__ import annotations

import json
import typing as t

import boto3
import pytest

from ansible_collections.slipway.aws.tests.integration.conftest import QUICK, SERVE, WORK, Json, Shop, fails
from ansible_collections.slipway.aws.tests.integration.processes import await_that

Seconds = t.Callable[[], float]
# A rollout of these tests is over by then, in any case.
LIMIT = 60
BREAKER = {"enable": True, "rollback": True, "thresholdConfiguration": {"type": "COUNT", "value": 2}}


@pytest.fixture
def good(shop: Shop, network: Json) -> Shop:
    """The service runs its first revision."""
    made = shop.service(task_definition=shop.register(*WORK), network_configuration=network)
    assert made.get("changed"), made
    return shop


def test_a_good_rollout_ends_when_the_new_task_runs(good: Shop, ecs: t.Any, seconds: Seconds) -> None:
    revision = good.register(*WORK, environment=[{"name": "GREETING", "value": "hello"}])
    result = good.service(task_definition=revision)
    assert result["changed"], result
    (service,) = ecs.describe_services(cluster=good.name, services=["web"])["services"]
    assert (service["runningCount"], len(service["deployments"])) == (1, 1)
    (task,) = ecs.list_tasks(cluster=good.name, serviceName="web")["taskArns"]
    (running,) = ecs.describe_tasks(cluster=good.name, tasks=[task])["tasks"]
    assert running["taskDefinitionArn"].endswith(revision)
    assert not good.service(task_definition=revision)["changed"]
    assert seconds() < LIMIT


def test_a_first_rollout_is_in_progress_until_its_task_is_stable(
    shop: Shop, network: Json, ecs: t.Any, seconds: Seconds
) -> None:
    settings: Json = {"task_definition": shop.register(*WORK), "network_configuration": network}
    assert shop.service(wait=False, **settings)["changed"]
    (service,) = ecs.describe_services(cluster=shop.name, services=["web"])["services"]
    assert service["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert not shop.service(**settings)["changed"]
    (listed,) = ecs.list_service_deployments(cluster=shop.name, service="web")["serviceDeployments"]
    assert listed["status"] == "SUCCESSFUL"
    assert seconds() < LIMIT


def test_an_image_that_does_not_exist(shop: Shop, network: Json, seconds: Seconds) -> None:
    missing = shop.image.replace("base/debian:trixie", "shop/web:v7")
    revision = shop.register(image=missing)
    fails(
        shop.service(task_definition=revision, network_configuration=network),
        "tasks_failing",
        "CannotPullContainerError",
        "shop/web",
        "not found",
        "What to do: The image does not exist. Push it, or correct its name, tag or digest",
    )
    assert seconds() < LIMIT


def test_a_container_that_exits(shop: Shop, network: Json, seconds: Seconds) -> None:
    # Docker reads the two outputs side by side: the pauses give the lines their order, and the log time to arrive.
    lines = "for line in $(seq 30); do echo line $line; done; sleep 0.3"
    script = f"{lines}; echo cannot reach the database >&2; sleep 0.5; exit 3"
    revision = shop.register("sh", "-c", script)
    message = fails(
        shop.service(task_definition=revision, network_configuration=network),
        "tasks_failing",
        "Essential container",
        "Container web: exit code 3",
        "    | cannot reach the database",
        "    | line 12",
        "What to do: The program exited by itself. Read its log",
    )
    assert "    | line 11\n" not in message, "the last 20 lines are shown"
    assert seconds() < LIMIT


def test_a_health_check_that_fails(good: Shop, seconds: Seconds) -> None:
    check = {"command": ["CMD-SHELL", "exit 1"], "interval": 5, "timeout": 2, "retries": 1}
    fails(
        good.service(task_definition=good.register(*WORK, healthCheck=check)),
        "health_check_failing",
        "failed container health checks",
        "Container web: ",
        "health check failed",
        "What to do: The task definition's health check fails. Run its command in the image",
    )
    assert seconds() < LIMIT


def test_a_health_check_that_passes_is_waited_for(good: Shop, ecs: t.Any, seconds: Seconds) -> None:
    check = {"command": ["CMD-SHELL", "exit 0"], "interval": 5, "timeout": 2, "retries": 1}
    assert good.service(task_definition=good.register(*WORK, healthCheck=check))["changed"]
    (task,) = ecs.list_tasks(cluster=good.name, serviceName="web")["taskArns"]
    assert ecs.describe_tasks(cluster=good.name, tasks=[task])["tasks"][0]["healthStatus"] == "HEALTHY"
    assert seconds() < LIMIT


def test_a_deployment_that_the_breaker_ends(good: Shop, seconds: Seconds) -> None:
    breaker = {**BREAKER, "rollback": False}
    fails(
        good.service(
            task_definition=good.register("sh", "-c", "exit 4"),
            deployment_configuration={"deploymentCircuitBreaker": breaker},
        ),
        "deployment_failed",
        "The deployment failed and was not rolled back. ECS deployment circuit breaker: tasks failed to start.",
        "Container web: exit code 4",
    )
    assert seconds() < LIMIT


def test_a_secret_that_is_missing(shop: Shop, network: Json, seconds: Seconds) -> None:
    secret = "arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:shop/database-AbCdEf"
    revision = shop.register(*WORK, secrets=[{"name": "PASSWORD", "valueFrom": secret}])
    fails(
        shop.service(task_definition=revision, network_configuration=network),
        "tasks_failing",
        "ResourceInitializationError",
        "secret:shop/database-AbCdEf",
        "What to do: The secret or parameter does not exist. Create it in this region and account",
    )
    assert seconds() < LIMIT


def test_the_value_of_a_secret_is_never_printed(shop: Shop, network: Json, name: str, seconds: Seconds) -> None:
    value = "vdqxw7-p0zk"
    manager = boto3.client("secretsmanager")
    secret = manager.create_secret(Name=name, SecretString=value)["ARN"]
    script = 'test "$PASSWORD" = vdqxw7"-p0zk" && exit 7; exit 8'
    revision = shop.register("sh", "-c", script, secrets=[{"name": "PASSWORD", "valueFrom": secret}])
    result = shop.service(task_definition=revision, network_configuration=network)
    manager.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    fails(result, "tasks_failing", "Container web: exit code 7")
    assert value not in json.dumps(result)
    assert seconds() < LIMIT


def test_a_rollback_by_the_breaker_is_a_failure(good: Shop, ecs: t.Any, seconds: Seconds) -> None:
    revision = good.register("sh", "-c", "echo no such table: orders; exit 1")
    fails(
        good.service(task_definition=revision, deployment_configuration={"deploymentCircuitBreaker": BREAKER}),
        "rolled_back",
        "ECS rolled the service back to the previous deployment.",
        "circuit breaker",
        f"The service runs {good.name}:1 again.",
        "Container web: exit code 1",
        "    | no such table: orders",
    )
    (service,) = ecs.describe_services(cluster=good.name, services=["web"])["services"]
    assert service["taskDefinition"].endswith(f"{good.name}:1")
    listed = ecs.list_service_deployments(cluster=good.name, service="web")["serviceDeployments"]
    assert [one["status"] for one in listed] == ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]
    assert seconds() < LIMIT


def balanced(shop: Shop, network: Json, group: str, *command: str) -> Json:
    """The service behind a load balancer; it may wait as long as a person would."""
    revision = shop.register(*command, portMappings=[{"containerPort": 8080}])
    balancer = {"targetGroupArn": group, "containerName": "web", "containerPort": 8080}
    return shop.service(
        task_definition=revision, network_configuration=network, load_balancers=[balancer], wait_timeout=600
    )


def test_a_health_check_path_that_the_program_does_not_know(
    shop: Shop, network: Json, target_group: t.Callable[..., str], seconds: Seconds
) -> None:
    fails(
        balanced(shop, network, target_group("/health", **QUICK), "perl", "-e", SERVE),
        "health_check_failing",
        f"Target group {shop.name}: health check HTTP GET /health on the target's port: expected 200, got 404",
        "is unhealthy: Health checks failed with these codes: [404]",
        "What to do: The program does not know the health check's path",
    )
    assert seconds() < LIMIT


def test_a_program_that_listens_on_loopback(
    shop: Shop, network: Json, target_group: t.Callable[..., str], seconds: Seconds
) -> None:
    loopback = SERVE.replace("LocalPort", "LocalAddr => '127.0.0.1', LocalPort")
    started = "$| = 1; print qq(Listening at http://127.0.0.1:8080\\n);"
    fails(
        balanced(
            shop,
            network,
            target_group("/ready", **QUICK),
            "perl",
            "-e",
            loopback.replace("while", f"{started} while", 1),
        ),
        "health_check_failing",
        "expected 200, got no connection",
        "    | Listening at http://127.0.0.1:8080",
        "What to do: The log of container web shows that it listens on 127.0.0.1:8080,",
    )
    assert seconds() < LIMIT


@pytest.mark.slow
def test_a_program_that_listens_on_another_port(
    shop: Shop, network: Json, target_group: t.Callable[..., str], seconds: Seconds
) -> None:
    other = SERVE.replace("8080", "9000").replace(
        "while", "$| = 1; print qq(Server listening on port 9000\\n); while", 1
    )
    fails(
        balanced(shop, network, target_group("/ready", **QUICK), "perl", "-e", other),
        "health_check_failing",
        "expected 200, got no connection",
        "What to do: The log of container web shows that it listens on port 9000,",
    )
    assert seconds() < LIMIT


def test_a_program_that_starts_slowly_is_waited_for(
    shop: Shop, network: Json, target_group: t.Callable[..., str], seconds: Seconds
) -> None:
    # Longer than a target takes to become unhealthy.
    revision = shop.register("perl", "-e", f"sleep 12; {SERVE}", portMappings=[{"containerPort": 8080}])
    balancer = {"targetGroupArn": target_group("/ready", **QUICK), "containerName": "web", "containerPort": 8080}
    result = shop.service(
        task_definition=revision,
        network_configuration=network,
        load_balancers=[balancer],
        health_check_grace_period_seconds=30,
    )
    assert result.get("changed"), result
    assert not result.get("failed"), result
    assert seconds() < LIMIT


def test_a_container_that_uses_up_its_memory(shop: Shop, network: Json, seconds: Seconds) -> None:
    # The service has its container's 64 MiB.
    revision = shop.register("perl", "-e", "my $x; $x .= 'a' x 1048576 for 1 .. 200; sleep 60")
    fails(
        shop.service(task_definition=revision, network_configuration=network),
        "tasks_failing",
        "Container web: exit code 137",
        "OutOfMemoryError: Container killed due to memory usage",
        "What to do: Container web used all of its 64 MiB. Raise memory in the task definition",
    )
    assert seconds() < LIMIT


def test_a_target_that_answers(
    shop: Shop, network: Json, target_group: t.Callable[[str], str], seconds: Seconds
) -> None:
    revision = shop.register("perl", "-e", SERVE, portMappings=[{"containerPort": 8080}])
    balancer = {"targetGroupArn": target_group("/ready"), "containerName": "web", "containerPort": 8080}
    result = shop.service(task_definition=revision, network_configuration=network, load_balancers=[balancer])
    assert result.get("changed"), result
    assert seconds() < LIMIT


@pytest.mark.slow
def test_the_old_task_stops_when_its_target_has_drained(
    shop: Shop, network: Json, ecs: t.Any, target_group: t.Callable[..., str], seconds: Seconds
) -> None:
    group, elbv2 = target_group("/ready", **QUICK), boto3.client("elbv2")
    result = balanced(shop, network, group, "perl", "-e", SERVE)
    assert result.get("changed"), result
    (old,) = ecs.list_tasks(cluster=shop.name, serviceName="web")["taskArns"]
    ecs.update_service(cluster=shop.name, service="web", forceNewDeployment=True)
    seen: set[tuple[str, bool]] = set()

    def is_stopped() -> bool:
        (task,) = ecs.describe_tasks(cluster=shop.name, tasks=[old])["tasks"]
        targets = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        drains = "draining" in {target["TargetHealth"]["State"] for target in targets}
        seen.add((str(task["lastStatus"]), drains))
        return bool(task["lastStatus"] == "STOPPED")

    await_that(is_stopped, lambda: seen)
    assert ("DEACTIVATING", True) in seen
    assert seconds() < LIMIT


def test_a_program_that_is_killed(shop: Shop, network: Json, seconds: Seconds) -> None:
    revision = shop.register("sh", "-c", "exit 137")
    fails(
        shop.service(task_definition=revision, network_configuration=network),
        "tasks_failing",
        "Container web: exit code 137 (killed, often because it ran out of memory)",
    )
    assert seconds() < LIMIT


def test_an_info_check_returns_the_same_without_waiting(shop: Shop, network: Json, seconds: Seconds) -> None:
    revision = shop.register("sh", "-c", "echo no such table: orders; exit 1")
    shop.service(task_definition=revision, network_configuration=network)
    (service,) = shop.run("ecs_service_info", cluster=shop.name, rollouts=True)["services"]
    # Whether the next attempt is just starting or has already failed, the reasons are known.
    assert service["rollout"]["state"] in ("in_progress", "failed")
    container = service["rollout"]["failure"]["tasks"][0]["containers"][0]
    assert (container["exit_code"], container["log"]) == (1, ["no such table: orders"])
    assert seconds() < LIMIT
