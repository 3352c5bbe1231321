# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Misspelt variables, options and members are refused with the right suggestion; what is in use is not."""

from __future__ import annotations

import random
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from botocore.config import Config

from ansible_collections.slipway.aws.plugins.action.validate_variables import ROLES, read_specs, shape_of
from ansible_collections.slipway.aws.plugins.plugin_utils.variables import Specs, variable_problems

Json = dict[str, t.Any]

ROOT = Path(__file__).resolve().parents[4]
SPECS = Specs.of(read_specs(ROLES))
DEFINITION: Json = {
    "family": "shop",
    "cpu": "256",
    "memory": 512,
    "containerDefinitions": [{"name": "web", "image": "shop", "environment": [{"name": "LEVEL", "value": "info"}]}],
}
# Group names of Ansible, and what only looks like a variable.
PLAYS = {"docker_hosts"}
SCHEDULE: Json = {"name": "night", "service": "shop", "schedule": "rate(1 day)"}
SERVICE: Json = {"name": "shop", "desired_count": 2, "task_definition": DEFINITION}


def problems(**variables: t.Any) -> list[str]:
    return variable_problems(variables.keys(), variables.__getitem__, SPECS, shape_of)


def service(**members: t.Any) -> list[str]:
    return problems(ecs_app_services=[{**SERVICE, **members}])


def container(**members: t.Any) -> list[str]:
    return service(
        task_definition={**DEFINITION, "containerDefinitions": [{"name": "web", "image": "shop", **members}]}
    )


# Names


def misspelt(name: str, dice: random.Random) -> str:
    """One slip of a finger: a letter is lost, doubled, another one, or in the wrong place; or a plural is missed."""
    at = dice.randrange(1, len(name) - 1)
    slips = {
        name[:at] + name[at + 1 :],
        name[:at] + name[at] + name[at:],
        name[:at] + dice.choice("abcdefghijklmnopqrstuvwxyz") + name[at + 1 :],
        name[:at] + name[at + 1] + name[at] + name[at + 2 :],
        name.removesuffix("s") if name.endswith("s") else f"{name}s",
        name.replace("_", "", 1),
    }
    return dice.choice(sorted(slips - {name}))


def test_hundred_slips_are_refused_with_the_right_suggestion() -> None:
    dice = random.Random(13)
    known = sorted(SPECS.options)
    wrong: dict[str, str] = {}
    while len(wrong) < 100:
        name = dice.choice(known)
        slip = misspelt(name, dice)
        if slip not in known:
            wrong[slip] = name
    said = {slip: problems(**{slip: "anything"}) for slip in wrong}
    assert [slip for slip, found in said.items() if len(found) != 1] == []
    right = [slip for slip, name in wrong.items() if f"did you mean '{name}'?" in said[slip][0]]
    assert len(right) >= 95, sorted(set(wrong) - set(right))


def nested(options: Json, path: tuple[str, ...] = ()) -> t.Iterator[tuple[str, ...]]:
    for name, option in options.items():
        if path:
            yield (*path, name)
        yield from nested(option.get("options") or {}, (*path, name))


def test_slips_in_nested_options_are_refused_with_the_right_suggestion() -> None:
    dice = random.Random(13)
    places = list(nested(dict(SPECS.options)))
    assert len(places) > 40
    wrong = []
    for *parents, name in places:
        slip = misspelt(name, dice) if len(name) > 3 else f"{name}e"
        value: t.Any = {slip: "anything"}
        for depth in range(len(parents), 0, -1):
            value = [value] if option_at(parents[:depth])["type"] == "list" else value
            value = {parents[depth - 1]: value}
        if not any(f"'{slip}' (did you mean '{name}'?)" in problem for problem in problems(**value)):
            wrong.append((*parents, slip))
    assert len(wrong) <= len(places) // 20, wrong


def members_of(shape: t.Any, path: tuple[t.Any, ...] = ()) -> t.Iterator[tuple[t.Any, ...]]:
    """The places of all members of a shape; 0 is an element of a list."""
    if shape.type_name == "list":
        yield from members_of(shape.member, (*path, 0))
    for name, member in shape.members.items() if shape.type_name == "structure" else ():
        yield (*path, name)
        yield from members_of(member, (*path, name))


def test_hundred_slips_in_task_definitions_are_refused_with_the_right_suggestion() -> None:
    dice = random.Random(13)
    places = list(members_of(shape_of("ecs", "RegisterTaskDefinitionRequest")))
    wrong = []
    for *parents, name in dice.sample(places, 100):
        slip = misspelt(name, dice) if len(name) > 3 else f"{name}e"
        value: t.Any = {slip: "anything"}
        for parent in reversed(parents):
            value = [value] if parent == 0 else {parent: value}
        found = problems(ecs_app_services=[{**SERVICE, "task_definition": value}])
        assert any(f"unknown member '{slip}'" in problem for problem in found), (*parents, slip)
        if not any(f"'{slip}' (did you mean '{name}'?)" in problem for problem in found):
            wrong.append((*parents, slip))
    assert len(wrong) <= 5, wrong


def option_at(path: list[str]) -> Json:
    option: Json = {"options": SPECS.options}
    for name in path:
        option = option["options"][name]
    return option


@pytest.mark.parametrize(
    "name", ["__ecs_app_service", "my_ecs_app_services", "ansible_host", "ecs_app_result", "ports"]
)
def test_other_names_are_the_users_own(name: str) -> None:
    assert problems(**{name: 1}) == []


def test_a_name_with_a_roles_prefix_is_the_roles_own() -> None:
    (problem,) = problems(ecs_network_weather=1)
    assert problem.startswith("ecs_network_weather: unknown variable")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ecs_app_pre_deploy", " (did you mean 'pre_deploy_tasks' of 'ecs_app_services'?)"),
        ("ecs_app_strategy", " (did you mean 'strategy' of 'ecs_app_services'?)"),
        ("ecs_app_rollback", " (did you mean 'ecs_app_rollback_to'?)"),
        ("ecs_load_balancer_timeout", " (did you mean 'ecs_load_balancer_idle_timeout'?)"),
        ("ecs_app_sleep", ""),
    ],
)
def test_a_suggestion_resembles_more_than_the_roles_prefix(name: str, hint: str) -> None:
    assert problems(**{name: 1}) == [f"{name}: unknown variable{hint}."]


def test_every_variable_that_this_repository_uses_is_known() -> None:
    folders = ["inventory", "playbooks", "roles", "molecule", "tests/integration", "benchmarks"]
    texts = [
        path.read_text()
        for folder in folders
        for path in (ROOT / folder).rglob("*.yml")
        if "validate_variables" not in str(path)
    ]
    names = "|".join(["slipway", *read_specs(ROLES)])
    set_somewhere = {
        name for text in texts for name in re.findall(rf"^ *(?:- )?((?:{names})_\w+):", text, re.MULTILINE)
    }
    read_somewhere = {name for text in texts for name in re.findall(r"\bslipway_[a-z_]+\b", text)}
    # Keys of results, which the callback steps reads.
    used = (set_somewhere | read_somewhere) - {"slipway_exit_code", "slipway_skipped"}
    assert len(used) > 50
    assert [problem for problem in problems(**dict.fromkeys(used)) if problem.split(":")[0] not in PLAYS] == []


# Values


def test_what_the_inventories_configure_is_valid() -> None:
    values = {"{{ slipway_project }}": "x", '"{{ workshop_exec }}"': "true", '"{{ not workshop_exec }}"': "false"}
    for name in ("workshop.yml", "database.yml"):
        text = (ROOT / "inventory" / name).read_text()
        for template, value in values.items():
            text = text.replace(template, value)
        assert problems(**yaml.safe_load(text)) == []


PLACE = "ecs_app_services[0] (shop)"
CONTAINER = f"{PLACE}.task_definition.containerDefinitions[0] (web)"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (service(desired_cout=2), f"{PLACE}: unknown option 'desired_cout' (did you mean 'desired_count'?)."),
        (container(enviroment=[]), f"{CONTAINER}: unknown member 'enviroment' (did you mean 'environment'?)."),
        (
            container(environment=[{"name": "A", "value": "b", "vlaue": "c"}]),
            f"{CONTAINER}.environment[0] (A): unknown member 'vlaue'",
        ),
        (container(portMappings=[{"container_port": 80}]), "did you mean 'containerPort'?"),
        (service(desired_count="many"), f"{PLACE}.desired_count: expected a whole number, got 'many'."),
        (service(load_balancers=[{"target_group_arn": "x"}]), "did you mean 'targetGroupArn'?"),
        (
            service(health_check_grace_period_seconds=30),
            f"{PLACE}: unknown option 'health_check_grace_period_seconds' (it belongs under 'options').",
        ),
        (service(options={"enable_exec_command": True}), "did you mean 'enable_execute_command'?"),
        (service(options={"deployment_configuration": {"maximumPercnt": 1}}), "did you mean 'maximumPercent'?"),
        (service(scaling={"min_capacity": 1}), f"{PLACE}.scaling: required option 'max_capacity' is missing."),
        (problems(ecs_app_services=[{"name": "shop"}]), f"{PLACE}: required option 'task_definition' is missing."),
        (problems(ecs_app_services={"shop": SERVICE}), "ecs_app_services: expected a list, got a dictionary."),
        (problems(ecs_cluster_hosting="ec3"), "ecs_cluster_hosting: expected one of fargate, ec2, got 'ec3'"),
        (problems(ecs_app_wait_timeout="10m"), "ecs_app_wait_timeout: expected a whole number, got '10m'."),
        (
            problems(ecs_cluster_task_statements=[{"Efect": "Allow"}]),
            "unknown member 'Efect' (did you mean 'Effect'?).",
        ),
    ],
)
def test_what_is_wrong_with_a_value_is_said(found: list[str], said: str) -> None:
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (
            {"ecs_app_secrets": {"key": {"lenght": 20}}},
            "ecs_app_secrets.key: unknown member 'lenght' (did you mean 'length'?).",
        ),
        ({"slipway_aws_config": {"read_timout": 5}}, "did you mean 'read_timeout'?"),
        ({"slipway_aws_config": {"retries": {"max_attempt": 5}}}, "did you mean 'max_attempts'?"),
        (
            {
                "ecr_registry_repositories": [
                    {"name": "shop", "lifecycle_policy": {"rules": [{"selection": {"tagstatus": ""}}]}}
                ]
            },
            "ecr_registry_repositories[0] (shop).lifecycle_policy.rules[0].selection: unknown member 'tagstatus'"
            " (did you mean 'tagStatus'?).",
        ),
        (
            {"ecr_registry_repositories": [{"name": "shop", "policy": {"Statement": [{"Actions": "ecr:*"}]}}]},
            "policy.Statement[0]: unknown member 'Actions' (did you mean 'Action'?).",
        ),
        (
            {"ecr_registry_repositories": [{"name": "shop", "policy": {"Statement": {"Principle": "*"}}}]},
            "policy.Statement: unknown member 'Principle' (did you mean 'Principal'?).",
        ),
        (
            {"ecs_app_schedules": [{**SCHEDULE, "overrides": {"containerOverride": []}}]},
            "overrides: unknown member 'containerOverride' (did you mean 'containerOverrides'?).",
        ),
        (
            {"ecs_app_schedules": [{**SCHEDULE, "network_configuration": {"awsVpcConfiguration": {}}}]},
            "did you mean 'awsvpcConfiguration'?",
        ),
        ({"ecs_cluster_schedule_statements": [{"Resources": "*"}]}, "did you mean 'Resource'?"),
    ],
)
def test_members_that_no_argument_spec_describes_are_known(variables: Json, said: str) -> None:
    (found,) = problems(**variables)
    assert said in found


def test_what_is_valid_at_any_depth_is_accepted() -> None:
    lifecycle = {
        "rules": [
            {"rulePriority": 1, "selection": {"tagStatus": "any", "countNumber": 1}, "action": {"type": "expire"}}
        ]
    }
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Condition": {"Bool": {"x:y": "z"}}}],
    }
    repository = {"name": "shop", "lifecycle_policy": lifecycle, "policy": policy}
    secrets = {"a": None, "b": {"from": "shop/b"}, "c": {"type": "SecretsManager", "length": 9, "kms_key_id": "x"}}
    config = {"retries": {"mode": "standard", "total_max_attempts": 20}, "read_timeout": 60}
    assert problems(ecr_registry_repositories=[repository], ecs_app_secrets=secrets, slipway_aws_config=config) == []
    assert problems(slipway_aws_config=None, ecs_app_secrets="unknown") == []


def test_the_options_of_botocore_are_known() -> None:
    assert problems(slipway_aws_config=dict.fromkeys(Config.OPTION_DEFAULTS)) == []


def test_everything_is_said_at_once() -> None:
    found = problems(ecs_app_service=[], slipway_tag={}, ecs_app_services=[{**SERVICE, "afer": [], "desired_cout": 1}])
    assert len(found) == 4


@pytest.mark.parametrize(
    "members",
    [
        {"desired_count": "2"},
        {"desired_count": "unknown"},
        {"task_definition": {**DEFINITION, "cpu": "unknown"}},
        {"task_definition": {"taskDefinition": {**DEFINITION, "revision": 7, "status": "ACTIVE"}}},
        {"options": {"capacity_provider_strategy": [{"capacityProvider": "FARGATE_SPOT"}], "initial_count": 1}},
    ],
)
def test_what_the_roles_take_is_valid(members: Json) -> None:
    assert service(**members) == []


@pytest.mark.parametrize(
    ("variables", "problems"),
    [
        ({"slipway_tags": {"a": None}}, ["slipway_tags, 'a': expected text, true, false or a whole number, got null."]),
        ({"ecs_app_tags": {"aws:a": "b"}}, ["ecs_app_tags, 'aws:a': expected a key without the prefix aws:"]),
        ({"slipway_tags": {"a": True, "b": 1, "c": "unknown"}}, []),
        ({"ecs_network_vpc_tags": {"aws:a": "b"}}, []),
    ],
)
def test_tags_are_validated_with_the_other_variables(variables: dict[str, t.Any], problems: list[str]) -> None:
    options = {name: {"type": "dict"} for name in ("ecs_app_tags", "ecs_network_vpc_tags")}
    specs = Specs.of({"ecs_app": options, "ecs_network": {}})
    found = variable_problems(variables.keys(), variables.__getitem__, specs, lambda _service, _name: None)
    found = [one for one in found if "unknown variable" not in one]
    assert [one.startswith(start) for one, start in zip(found, problems, strict=True)] == [True] * len(problems)
