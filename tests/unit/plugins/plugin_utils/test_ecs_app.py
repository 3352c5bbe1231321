# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules are given, from short services and from what exists in the account."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_app import SERVICE_DEFAULTS, plan

Json = dict[str, Any]

DIGEST = "sha256:" + "0" * 64
VARIABLES: Json = {
    "ecs_app_architecture": "X86_64",
    "ecs_app_container_defaults": {},
    "ecs_app_group": "",
    "ecs_app_image_architecture": "X86_64",
    "ecs_app_images": {"web": "shop/web:1.0"},
    "ecs_app_keep": [],
    "ecs_app_project": "shop",
    "ecs_app_region": "eu-central-1",
    "ecs_app_schedules": [],
    "ecs_app_secrets": {},
    "ecs_app_secret_values": [],
    "ecs_app_services": [],
    "ecs_app_settings": {},
    "ecs_app_verify": [],
    "ecs_app_verify_address": "",
    "ecs_app_tags": {},
}
ACCOUNT: Json = {
    "network": {"private_subnet_ids": ["subnet-1"], "security_group_ids": {"tasks": "sg-1"}},
    "registry": {"repositories": {"shop/web": {"uri": "localhost:4566/shop/web"}}},
    "cluster": {
        "name": "shop",
        "architecture": "X86_64",
        "capacity_providers": ["FARGATE", "FARGATE_SPOT"],
        "default_strategy": [],
        "execution_role_arn": "arn:execution",
        "task_role_arn": "arn:task",
        "log_groups": ["/ecs/shop"],
    },
    "load_balancer": {
        "name": "shop",
        "target_groups": {"web": {"arn": "arn:aws:web", "target_type": "ip"}},
        "target_group_settings": {"web": {"health_check_path": "/"}, "other": {}},
    },
    "discovery": {"namespace": "shop.internal", "services": {"database": "arn:aws:database"}},
    "repositories": [
        {
            "repository_name": "shop/web",
            "repository_uri": "registry.example/shop/web",
            "images": [{"image_digest": DIGEST, "image_tags": ["1.0", "src-abc"]}],
        }
    ],
    "images": {},
    "secrets": {},
}


def service(name: str = "web", definition: Json | None = None, **members: Any) -> Json:
    task = {
        "family": name,
        "cpu": 256,
        "memory": 512,
        "containerDefinitions": [{"name": "web", "image": "web", "portMappings": [{"containerPort": 8000}]}],
    }
    return {"name": name, "task_definition": {**task, **(definition or {})}, **members}


def planned(*services: Json, account: Json | None = None, others: Json | None = None, **variables: Any) -> Json:
    own = {f"ecs_app_{name}": value for name, value in variables.items()}
    return plan({**VARIABLES, **own, "ecs_app_services": list(services)}, others or {}, {**ACCOUNT, **(account or {})})


def test_a_short_service_is_completed() -> None:
    balancers = [{"targetGroupArn": "web"}]
    found = planned(service(desired_count=2, load_balancers=balancers), tags={"tier": "1"}, group="api")
    tags = {"tier": "1", "slipway:group": "api", "slipway:project": "shop"}
    log = {"awslogs-group": "/ecs/shop", "awslogs-region": "eu-central-1", "awslogs-stream-prefix": "web"}
    container = {
        "name": "web",
        "image": f"localhost:4566/shop/web@{DIGEST}",
        "portMappings": [{"containerPort": 8000}],
        "logConfiguration": {"logDriver": "awslogs", "options": log},
    }
    addresses = {"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}
    assert found["problems"] == []
    assert found["services"] == [
        {
            **SERVICE_DEFAULTS,
            "name": "web",
            "desired_count": 2,
            "launch_type": "FARGATE",
            "network_configuration": {"awsvpcConfiguration": addresses},
            "load_balancers": [{"targetGroupArn": "arn:aws:web", "containerName": "web", "containerPort": 8000}],
            "task_definition": {
                "definition": {
                    "family": "web",
                    "cpu": 256,
                    "memory": 512,
                    "networkMode": "awsvpc",
                    "requiresCompatibilities": ["FARGATE"],
                    "executionRoleArn": "arn:execution",
                    "taskRoleArn": "arn:task",
                    "containerDefinitions": [container],
                },
                "tags": tags,
            },
            "tags": tags,
        }
    ]
    assert found["images"] == {"web": f"localhost:4566/shop/web@{DIGEST}"}
    assert found["target_groups"] == {"arn:aws:web": {"health_check_path": "/"}}


def released(*services: Json, **options: Any) -> list[Json]:
    found: list[Json] = planned(*services, **options)["services"]
    return found


def test_what_a_service_says_itself_is_kept() -> None:
    container = {"name": "web", "image": "nginx:1.27", "logConfiguration": {"logDriver": "none"}}
    definition = {"taskRoleArn": "arn:own", "containerDefinitions": [container]}
    (found,) = released(service(definition=definition, options={"propagate_tags": "NONE"}, after=["db"]))
    assert (found["propagate_tags"], found["after"]) == ("NONE", ["db"])
    assert found["task_definition"]["definition"]["taskRoleArn"] == "arn:own"
    assert found["task_definition"]["definition"]["containerDefinitions"] == [container]


SECURE = {"readonlyRootFilesystem": True, "user": "1000", "privileged": None}


@pytest.mark.parametrize(
    ("container", "more", "expected"),
    [
        ({}, {}, {"readonlyRootFilesystem": True, "user": "1000"}),
        ({"user": "0"}, {}, {"readonlyRootFilesystem": True, "user": "0"}),
        ({"readonlyRootFilesystem": False}, {}, {"readonlyRootFilesystem": False, "user": "1000"}),
        ({}, {"options": {"enable_execute_command": True}}, {"user": "1000"}),
        ({}, {"options": {"enable_execute_command": "false"}}, {"readonlyRootFilesystem": True, "user": "1000"}),
        ({"firelensConfiguration": {"type": "fluentbit"}}, {}, {}),
    ],
)
def test_containers_are_secured_unless_they_say_otherwise(container: Json, more: Json, expected: Json) -> None:
    given = {"name": "web", "image": "nginx:1.27", "logConfiguration": {"logDriver": "none"}, **container}
    (found,) = released(service(definition={"containerDefinitions": [given]}, **more), container_defaults=SECURE)
    (got,) = found["task_definition"]["definition"]["containerDefinitions"]
    assert {name: got[name] for name in SECURE if name in got} == expected


def test_windows_has_no_such_defaults() -> None:
    windows = {"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}
    (found,) = released(service(definition=windows), container_defaults=SECURE)
    assert not SECURE.keys() & found["task_definition"]["definition"]["containerDefinitions"][0].keys()


@pytest.mark.parametrize("image", ["nginx:1.27", "public.example/nginx", f"web@{DIGEST}"])
def test_an_image_that_is_named_by_its_address_is_kept(image: str) -> None:
    (found,) = released(service(definition={"containerDefinitions": [{"name": "web", "image": image}]}))
    assert found["task_definition"]["definition"]["containerDefinitions"][0]["image"] == image


def test_a_service_in_the_spelling_of_aws_is_as_good_as_options() -> None:
    """The role's defaults do not override it, and its own variables do."""
    definition = {
        "serviceName": "old",
        "propagateTags": "NONE",
        "desiredCount": 7,
        "serviceRegistries": [{"registryArn": "database"}],
        "tags": [{"key": "team", "value": "web"}, {"key": "aws:cloudformation:stack-name", "value": "old"}],
        "deployments": [],
    }
    (found,) = released(service(options={"definition": definition}))
    assert (found["propagate_tags"], found["desired_count"], found["name"]) == ("NONE", 7, "web")
    assert found["service_registries"] == [{"registryArn": "arn:aws:database"}]
    assert found["deployment_configuration"] == SERVICE_DEFAULTS["deployment_configuration"]
    assert found["definition"] == definition
    assert found["tags"] == {"team": "web", "slipway:project": "shop"}
    scaling = {"min_capacity": 2, "max_capacity": 4}
    (scaled,) = released(service(options={"definition": definition}, scaling=scaling))
    assert ("desired_count" in scaled, "desiredCount" in scaled["definition"]) == (False, False)
    (own,) = released(service(options={"definition": definition, "propagate_tags": "SERVICE"}, desired_count=1))
    assert (own["propagate_tags"], own["desired_count"]) == ("SERVICE", 1)


def test_a_definition_in_a_file_is_refused_with_what_to_do() -> None:
    found = planned(service(options={"definition_file": "web.json"}))["problems"]
    assert any("options.definition_file: expected definition, got a file" in problem for problem in found)


def test_names_become_arns_and_arns_are_kept() -> None:
    balancers = [{"targetGroupArn": name} for name in ("web", "arn:aws:x", "unknown")]
    options = {"service_registries": [{"registryArn": "database"}]}
    (found,) = released(service(load_balancers=balancers, options=options))
    assert [item["targetGroupArn"] for item in found["load_balancers"]] == ["arn:aws:web", "arn:aws:x", "unknown"]
    assert found["service_registries"] == [{"registryArn": "arn:aws:database"}]


def test_a_service_that_scales_has_only_an_initial_count() -> None:
    scaling = {"min_capacity": 2, "max_capacity": 4}
    found = released(
        service("a", desired_count=3, scaling=scaling), service("b", scaling=scaling), service("c", desired_count=3)
    )
    counts = [(one.get("initial_count"), one.get("desired_count")) for one in found]
    assert counts == [(3, None), (2, None), (None, 3)]


def test_a_queue_without_counted_tasks_is_a_problem() -> None:
    scaling = {"min_capacity": 0, "max_capacity": 4, "queue": {"name": "orders", "messages_per_task": 10}}
    off = {"cluster": {**ACCOUNT["cluster"], "container_insights": "disabled"}}
    assert "Container Insights on the cluster shop" in " ".join(
        planned(service(scaling=scaling), account=off)["problems"]
    )
    found = planned(service(scaling=scaling))
    assert (found["problems"], found["scaling"]) == ([], [{"name": "web", **scaling}])
    assert found["services"][0]["initial_count"] == 0


def test_scaling_by_requests_counts_them_at_the_first_target_group() -> None:
    scaling = {"min_capacity": 1, "max_capacity": 4, "requests_per_target": 9}
    found = planned(service(scaling=scaling, load_balancers=[{"targetGroupArn": "web"}]), service("db"))
    assert found["scaling"] == [{"name": "web", **scaling, "target_group_arn": "arn:aws:web"}]


@pytest.mark.parametrize(
    ("variables", "members", "text"),
    [
        (
            {"images": {"web": "shop/web:9.9"}},
            {},
            "ecs_app_images.web: expected an image 'shop/web:9.9' in the",
        ),
        (
            {"images": {"web": "shop/wbe:1.0"}},
            {},
            "ecs_app_images.web: expected a repository 'shop/wbe' in the",
        ),
        ({}, {"load_balancers": [{"targetGroupArn": "wbe"}]}, "expected one of the target groups (web), got 'wbe'."),
        ({}, {"options": {"service_registries": [{"registryArn": "db"}]}}, "Cloud Map services (database), got 'db'."),
        ({}, {"options": {"launch_type": "EC2"}}, "ecs_app_services[0] (web).options.launch_type: expected FARGATE"),
    ],
)
def test_what_the_account_lacks_is_refused(variables: Json, members: Json, text: str) -> None:
    (problem,) = planned(service(**members), **variables)["problems"]
    assert text in problem


def test_images_of_this_run_need_not_be_in_the_registry() -> None:
    pushed = {"shop/new:1.0": "registry.example/shop/new@unknown"}
    found = planned(service(), images={"web": "shop/new:1.0"}, account={"images": pushed})
    assert (found["problems"], found["images"]) == ([], {"web": "registry.example/shop/new@unknown"})


def test_before_anything_is_read_the_variables_alone_are_validated() -> None:
    wrong = service(load_balancers=[{"targetGroupArn": "wbe"}], options={"launch_type": "EC2"})
    variables = {**VARIABLES, "ecs_app_services": [wrong], "ecs_app_settings": {"a b": 1}}
    found = plan(variables, {"target_groups": ["web"]}, {})
    assert set(found) == {"problems", "schedule_group", "schedules", "secrets", "tags"}
    assert [problem.partition(":")[0] for problem in found["problems"]] == [
        "ecs_app_settings",
        "ecs_app_services[0] (web).load_balancers[0].targetGroupArn",
    ]
    assert len(plan(variables, {}, {})["problems"]) == 1


def test_variables_are_not_written_to() -> None:
    given = service(
        definition={"containerDefinitions": [{"name": "a", "image": "web"}]}, options={"launch_type": "EC2"}
    )
    before = copy.deepcopy(given)
    planned(given, settings={"level": "info"}, account={"secrets": {"level": {"value_from": "/l", "version": "1"}}})
    assert given == before


def test_kept_names_cover_other_roles_where_these_have_names() -> None:
    others = {"discovery_services": ["database"], "repositories": []}
    found = planned(service(), others=others, keep=["nightly"], secrets={"key": None, "db": {"type": "SecretsManager"}})
    assert found["kept"] == {
        "service": ["web", "nightly"],
        "schedule": ["nightly"],
        "task definition": ["web", "nightly"],
        "parameter": ["/shop/key", "nightly"],
        "secret": ["shop/db", "nightly"],
        "target group": ["arn:aws:web", "nightly"],
        "discovery service": ["database", "nightly"],
        "log group": ["/ecs/shop", "nightly"],
        "load balancer": ["shop", "nightly"],
        "cluster": ["shop", "nightly"],
    }
    assert "discovery service" not in planned(service(), others=others, account={"discovery": {}})["kept"]


BALANCED: Json = {"load_balancer": {**ACCOUNT["load_balancer"], "url": "http://shop.example"}}


def test_tasks_and_checks_are_part_of_the_release() -> None:
    migrate = {"name": "migrate", "command": ["migrate"]}
    checks = [
        {"name": "page", "type": "http", "path": "/health", "content": "ok"},
        {"name": "port", "type": "tcp", "host": "database", "port": 5432},
    ]
    web = service(pre_deploy_tasks=[migrate], post_deploy_tasks=[])
    found = planned(web, account=BALANCED, verify=checks, verify_address="127.0.0.1:4566")
    assert found["problems"] == []
    assert found["services"][0]["pre_deploy_tasks"] == [migrate]
    assert "post_deploy_tasks" not in found["services"][0]
    assert found["verify"] == [
        {
            "name": "page",
            "url": "http://127.0.0.1:4566/health",
            "status": 200,
            "content": "ok",
            "headers": {"Host": "shop.example"},
        },
        {"name": "port", "type": "tcp", "host": "database", "port": 5432},
    ]


def test_wrong_tasks_and_checks_are_reported_with_their_place() -> None:
    web = service(post_deploy_tasks=[{"name": "smoke", "container": "app"}])
    checks = [{"name": "page", "type": "http", "path": "health"}, {"name": "page", "type": "http", "content": "("}]
    assert [
        one for one in planned(web, verify=checks, others={"check_mode": True})["problems"] if "balancer" in one
    ] == []
    assert planned(web, verify=checks)["problems"] == [
        "ecs_app_verify[0] (page).path: expected a path that begins with a slash, got 'health'.",
        "ecs_app_verify[1] (page).content: expected a regular expression, got '('.",
        "ecs_app_verify: expected each name once, got 'page' more than once.",
        "ecs_app_verify: expected a load balancer for checks of type http, got none.",
        "ecs_app_services[0] (web).post_deploy_tasks[0] (smoke).container: expected one of web, got 'app'.",
    ]


NIGHT: Json = {"name": "night", "service": "web", "schedule": "cron(0 22 * * ? *)", "command": ["clean", "up"]}


def test_schedules_are_those_of_the_group_of_services() -> None:
    found = planned(service(), schedules=[NIGHT])
    assert (found["problems"], found["schedules"], found["schedule_group"]) == ([], [NIGHT], "shop")
    assert found["kept"]["schedule"] == ["night"]
    assert planned(service(), schedules=[NIGHT], group="web")["schedule_group"] == "shop.web"


@pytest.mark.parametrize(
    ("schedules", "expected"),
    [
        (
            [{**NIGHT, "service": "wbe"}],
            "ecs_app_schedules[0] (night).service: expected one of the services of ecs_app_services (web), got 'wbe'.",
        ),
        (
            [{**NIGHT, "container": "nginx"}],
            "ecs_app_schedules[0] (night).container: expected one of web, got 'nginx'.",
        ),
        ([{**NIGHT, "schedule": "0 22 * * *"}], "ecs_app_schedules[0] (night).schedule: expected at(2026-12-24T18"),
        ([{**NIGHT, "timezone": "Seoul"}], "ecs_app_schedules[0] (night).timezone: expected the name of a time zone"),
        ([NIGHT, NIGHT], "ecs_app_schedules: expected each name once, got 'night' more than once."),
    ],
)
def test_schedules_that_cannot_run_are_reported_before_anything_is_read(schedules: list[Json], expected: str) -> None:
    variables = {**VARIABLES, "ecs_app_services": [service()], "ecs_app_schedules": schedules}
    [problem] = plan(variables, {}, {})["problems"]
    assert problem.startswith(expected)
