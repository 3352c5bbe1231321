# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No module shows a value that looks like a secret, and all show that it changed."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.masking import MASK

Json = dict[str, t.Any]
Run = t.Callable[..., Json]
FIRST, SECOND = "hunter2-first", "hunter2-second"


# The address has a password in it, which modules refuse otherwise.
PLAIN = {"plain_values": ["web.environment.DATABASE_URL"]}


def definition(password: str) -> Json:
    container = {
        "name": "web",
        "image": "app:1",
        "memory": 64,
        "environment": [
            {"name": "DB_PASSWORD", "value": password},
            {"name": "DATABASE_URL", "value": f"postgres://shop:{password}@db/shop"},
            {"name": "LEVEL", "value": "info"},
        ],
        "command": ["serve", f"--api-key={password}"],
    }
    return {"family": "web", "container_definitions": [container]}


def variables(side: Json) -> dict[str, str]:
    (container,) = side["container_definitions"]
    return {one["name"]: one["value"] for one in container["environment"]}


@pytest.mark.parametrize("check", [True, False])
def test_a_task_definition_shows_that_a_secret_changed_and_neither_value(run: Run, check: bool) -> None:
    made = run("ecs_task_definition", **definition(FIRST), **PLAIN)
    changed = run("ecs_task_definition", check, **definition(SECOND), **PLAIN)
    found = run("ecs_task_definition_info", family="web")
    assert "hunter2" not in json.dumps([made, changed, found])  # with the arguments that Ansible shows with -vvv
    assert (made["changed"], changed["changed"]) == (True, True)
    assert variables(changed["diff"]["before"]) == {
        "DB_PASSWORD": MASK,
        "DATABASE_URL": f"postgres://shop:{MASK}@db/shop",
    }
    assert variables(changed["diff"]["after"]) == {
        "DB_PASSWORD": f"{MASK} (changed)",
        "DATABASE_URL": f"postgres://shop:{MASK}@db/shop (changed)",
    }
    assert variables(found["task_definitions"][0])["LEVEL"] == "info"


def test_what_is_registered_is_the_value_and_not_the_mask(run: Run, ecs: t.Any) -> None:
    run("ecs_task_definition", **definition(FIRST), **PLAIN)
    answer = ecs.describe_task_definition(taskDefinition="web")["taskDefinition"]
    assert FIRST in json.dumps(answer, default=str)
    assert not run("ecs_task_definition", **definition(FIRST), **PLAIN)["changed"]


def test_secrets_are_warned_of_by_name(run: Run) -> None:
    warnings = "\n".join(str(one) for one in run("ecs_task_definition", **definition(FIRST), **PLAIN)["warnings"])
    for name in ("DB_PASSWORD", "DATABASE_URL", "--api-key"):
        assert name in warnings
    assert "`secrets`" in warnings
    assert "LEVEL" not in warnings


def test_a_release_shows_and_warns_alike(run: Run, ecs: t.Any) -> None:
    ecs.create_cluster(clusterName="shop")
    services = [{"name": "web", "task_definition": definition(FIRST)}]
    planned = run("ecs_release", True, cluster="shop", services=services, **PLAIN)
    assert planned["changed"], planned
    assert "hunter2" not in json.dumps(planned)
    assert "DB_PASSWORD" in str(planned["warnings"])


def test_a_refusal_shows_no_secret(run: Run) -> None:
    wrong = {**definition(FIRST), **PLAIN}
    wrong["container_definitions"][0]["environment"] += [{"name": "TOKEN", "value": {"a": FIRST}}, {"name": "A"}]
    result = run("ecs_task_definition", **wrong)
    assert result["code"] == "invalid_option"
    assert "hunter2" not in result["msg"]
    assert "environment[3] (TOKEN).value: expected text, got a dictionary." in result["msg"]
    assert "environment[4] (A).value: expected text, got nothing." in result["msg"]


def test_a_command_of_a_single_task_is_masked(run: Run) -> None:
    result = run("ecs_task_run", cluster="shop", service="web", command=["psql", f"--password={FIRST}"])
    assert "hunter2" not in json.dumps(result)


# Secrets where none belong


def refused(run: Run, ecs: t.Any, module: str, **options: t.Any) -> str:
    """What a module says that refuses a secret: without its value, and before anything is registered."""
    result = run(module, **options)
    assert (result.get("failed"), result.get("code")) == (True, "misplaced_secret"), result
    assert "hunter2" not in json.dumps(result)
    assert ecs.list_task_definitions()["taskDefinitionArns"] == []
    return str(result["msg"])


def test_a_password_in_an_address_is_refused_unless_it_is_allowed(run: Run, ecs: t.Any, tmp_path: t.Any) -> None:
    address = "container_definitions[0] (web).environment[1] (DATABASE_URL).value"
    said = refused(run, ecs, "ecs_task_definition", **definition(FIRST))
    assert said.startswith(f"{address}: expected no secret, got an address with a password, which is not shown.")
    assert "or add 'web.environment.DATABASE_URL' to plain_values" in said
    file = tmp_path / "web.json"
    camel = {"family": "web", "containerDefinitions": definition(FIRST)["container_definitions"]}
    file.write_text(json.dumps(camel))
    said = refused(run, ecs, "ecs_task_definition", definition_file=str(file))
    assert said.startswith("definition_file.containerDefinitions[0] (web).environment[1] (DATABASE_URL).value: ")
    release = {"cluster": "shop", "services": [{"name": "web", "task_definition": {"definition_file": str(file)}}]}
    assert "(DATABASE_URL)" in refused(run, ecs, "ecs_release", **release)
    planned = run("ecs_release", True, **release, **PLAIN)
    assert planned.get("code") != "misplaced_secret"


def test_a_secret_is_refused_by_whatever_module_it_is_given(run: Run, ecs: t.Any) -> None:
    token = "gh" + "p_" + "a1B2" * 9
    for module, options in {
        "ecs_cluster": {"name": "shop", "tags": {"owner": token}},
        "ecs_task_run": {"cluster": "shop", "service": "web", "environment": {"A": token}},
        "ecs_service": {"name": "web", "cluster": "shop", "tags": {"owner": token}},
        "ecr_repository": {"name": "shop", "tags": {"owner": token}},
    }.items():
        said = refused(run, ecs, module, **options)
        assert "got a GitHub token" in said
        assert token not in said
    assert ecs.list_clusters()["clusterArns"] == []
