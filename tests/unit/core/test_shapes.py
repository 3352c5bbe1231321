# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import (
    check_options,
    option_names,
    plain,
    snake,
    to_members,
    to_options,
)


@pytest.fixture
def register(ecs_model: t.Any) -> t.Any:
    return ecs_model.operation_model("RegisterTaskDefinition").input_shape


@pytest.mark.parametrize(
    ("member", "option"),
    [
        ("family", "family"),
        ("networkMode", "network_mode"),
        ("enableECSManagedTags", "enable_ecs_managed_tags"),
        ("executionRoleArn", "execution_role_arn"),
    ],
)
def test_names(member: str, option: str) -> None:
    assert snake(member) == option


def test_every_member_has_an_option(register: t.Any) -> None:
    assert set(option_names(register).values()) == set(register.members)


def test_names_there_and_back(register: t.Any) -> None:
    members = {"family": "web", "networkMode": "host"}
    assert to_members(register, {**to_options(members), "state": "present", "cpu": None}) == members


def test_values_get_the_type_that_aws_wants(register: t.Any) -> None:
    container = {"name": "web", "memory": "64", "cpu": 1.0, "essential": "yes", "user": 1000, "hostname": None}
    options = {
        "cpu": 256,
        "network_mode": "AWSVPC",
        "requires_compatibilities": ["fargate"],
        "container_definitions": [container],
        "state": "present",
        "memory": None,
    }
    assert check_options(register, options) == {
        "cpu": "256",
        "network_mode": "awsvpc",
        "requires_compatibilities": ["FARGATE"],
        "container_definitions": [{"name": "web", "memory": 64, "cpu": 1, "essential": True, "user": "1000"}],
    }


def test_true_as_text_is_written_as_json_does(register: t.Any) -> None:
    checked = check_options(register, {"container_definitions": [{"dockerLabels": {"a": True}}]})
    assert checked["container_definitions"][0]["dockerLabels"] == {"a": "true"}


@pytest.mark.parametrize(
    ("container", "problem"),
    [
        ({"port_mappings": []}, "[0]: unknown member 'port_mappings' (did you mean 'portMappings'?)."),
        ({"images": "x"}, "[0]: unknown member 'images' (did you mean 'image'?)."),
        ({"memory": "64 MB"}, "[0].memory: expected a whole number, got text ('64 MB')."),
        ({"memory": 1.5}, "[0].memory: expected a whole number, got float (1.5)."),
        ({"memory": True}, "[0].memory: expected a whole number, got a boolean (True)."),
        ({"essential": "perhaps"}, "[0].essential: expected true or false, got text ('perhaps')."),
        ({"command": "ls"}, "[0].command: expected a list, got text ('ls')."),
        ({"healthCheck": []}, "[0].healthCheck: expected a dictionary, got a list."),
        ({"healthCheck": {}}, "[0].healthCheck: expected the member 'command', got none."),
        ({"dockerLabels": "a"}, "[0].dockerLabels: expected a dictionary, got text ('a')."),
        (
            {"environment": [{"name": "V", "value": 1.10}]},
            "[0].environment[0] (V).value: expected text (put it in quotes), got float.",
        ),
        # What would vanish without a word.
        (
            {"name": "web", "environment": [{"name": "V", "value": None}]},
            "[0] (web).environment[0] (V).value: expected text, got null. Set a value, or omit the whole entry.",
        ),
        (
            {"environment": [{"name": "V"}]},
            "[0].environment[0] (V).value: expected text, got nothing. Set a value, or omit the whole entry.",
        ),
        (
            {"command": ["serve", None, "--x"]},
            "[0].command[1]: expected a value, got null. Set a value, or omit it.",
        ),
        (
            {"dockerLabels": {"a": None}},
            "[0].dockerLabels.a: expected a value, got null. Set a value, or omit it.",
        ),
        # No message shows what may be a secret.
        ({"environment": {"PASSWORD": "h2"}}, "[0].environment: expected a list, got a dictionary."),
        ({"environment": "PASSWORD=h2"}, "[0].environment: expected a list, got text."),
        ({"command": "serve --password=h2"}, "[0].command: expected a list, got text."),
        (
            {"logConfiguration": {"logDriver": "splunk", "options": {"splunk-token": 1.5}}},
            "[0].logConfiguration.options.splunk-token: expected text (put it in quotes), got float.",
        ),
        ({"cpu": "inf"}, "[0].cpu: expected a whole number, got text ('inf')."),
        (
            {"portMappings": [{"protocol": "tpc"}]},
            "[0].portMappings[0].protocol: expected one of tcp, udp, got 'tpc' (did you mean 'tcp'?).",
        ),
        (
            {"repositoryCredentials": {"x": 1, "credentialsParameter": "a"}},
            "[0].repositoryCredentials: unknown member 'x' (known: credentialsParameter).",
        ),
    ],
)
def test_what_is_wrong_is_reported_with_path_expectation_and_nearest_name(
    register: t.Any, container: dict[str, t.Any], problem: str
) -> None:
    with pytest.raises(SlipwayError) as raised:
        check_options(register, {"container_definitions": [container]})
    assert raised.value.code == "invalid_option"
    assert raised.value.details["problems"] == [f"container_definitions{problem}"]


def test_everything_that_is_wrong_is_reported_at_once(register: t.Any) -> None:
    with pytest.raises(SlipwayError) as raised:
        check_options(register, {"volumes": {}, "pid_mode": "hots"})
    assert len(raised.value.details["problems"]) == 2


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (
            {"capacity_provider_strategy": [{"capacityProvider": "FARGATE", "weight": 1001}]},
            "capacity_provider_strategy[0].weight: expected 0 to 1000, got 1001.",
        ),
        (
            {"monitoring": {"metricConfigurations": [{"metricNames": [], "resolutionSeconds": 20}]}},
            "monitoring.metricConfigurations[0].metricNames: expected at least 1 elements, got 0.",
        ),
        (
            {"tags": [{"key": "k" * 129, "value": "v"}]},
            "tags[0].key: expected at most 128 characters, got 129.",
        ),
        (
            {"tags": [{"key": "a\nb", "value": "v"}]},
            "tags[0].key: expected text that matches ([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*), got 'a\\nb'.",
        ),
    ],
)
def test_limits_of_botocores_model_hold(ecs_model: t.Any, options: dict[str, t.Any], problem: str) -> None:
    with pytest.raises(SlipwayError) as raised:
        check_options(ecs_model.operation_model("CreateService").input_shape, options)
    assert raised.value.details["problems"] == [problem]


def test_texts_within_the_limits_of_botocores_model_pass(ecs_model: t.Any) -> None:
    options = {"tags": [{"key": "Größe", "value": "a-b c:/=+@_.\u3000日本"}, {"key": "a", "value": ""}]}
    assert check_options(ecs_model.operation_model("CreateService").input_shape, options) == options


def test_a_name_that_the_request_does_not_know_is_wrong_when_strict(register: t.Any) -> None:
    with pytest.raises(SlipwayError, match=r"unknown member 'networkmode' \(did you mean 'network_mode'\?\)"):
        check_options(register, {"networkmode": "host"}, strict=True)


def test_an_option_that_came_after_the_installed_botocore_is_refused_not_dropped(register: t.Any) -> None:
    options = {"family": "web", "wait": True, "new_option": {"a": 1}, "other_option": None}
    with pytest.raises(SlipwayError) as failed:
        check_options(register, options, members=["family", "new_option", "other_option"])
    assert failed.value.code == "invalid_option"
    (problem,) = failed.value.details["problems"]
    assert problem.startswith("new_option: the installed botocore does not know")


def test_an_empty_text_at_the_top_passes(register: t.Any) -> None:
    assert check_options(register, {"network_mode": ""}) == {"network_mode": ""}


def test_unknown_stands_for_any_type_in_check_mode_only(register: t.Any) -> None:
    options = {"container_definitions": [{"memory": "unknown"}]}
    assert check_options(register, options, allow_unknown=True) == options
    with pytest.raises(SlipwayError):
        check_options(register, options)


def test_times_become_text() -> None:
    moment = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    assert plain({"a": [moment]}) == {"a": ["2026-01-02T00:00:00+00:00"]}


def test_the_mask_of_a_result_is_no_value(ecs_model: t.Any) -> None:
    """Who hands a result on as a definition would otherwise replace the secret by asterisks."""
    shape = ecs_model.operation_model("RegisterTaskDefinition").input_shape
    container = {"name": "web", "image": "web", "environment": [{"name": "DB_PASSWORD", "value": "********"}]}
    with pytest.raises(SlipwayError, match=r"environment\[0\] \(DB_PASSWORD\)\.value: expected a value, got the mask"):
        check_options(shape, {"container_definitions": [container]})


@pytest.mark.parametrize(
    "members",
    [{"secrets": "hunter2"}, {"secrets": ["hunter2"]}, {"environment": "hunter2"}, {"environment": ["A: hunter2"]}],
)
def test_what_stands_in_place_of_variables_and_secrets_is_not_shown(register: t.Any, members: t.Any) -> None:
    with pytest.raises(SlipwayError) as caught:
        check_options(register, {"family": "web", "container_definitions": [{"name": "web", **members}]})
    assert str(next(iter(members))) in caught.value.msg
    assert "hunter2" not in f"{caught.value.msg} {caught.value.details}"
