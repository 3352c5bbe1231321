# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation of the cluster and task definition modules shows does what it says, and nothing again."""

from __future__ import annotations

import importlib
import re
import typing as t

import yaml

Json = dict[str, t.Any]
Run = t.Callable[..., Json]


def play(run: Run, *modules: str) -> dict[str, Json]:
    """Run the examples of modules one after the other, each twice; the results by the name of the example."""
    registered: dict[str, t.Any] = {}
    results: dict[str, Json] = {}
    for module in modules:
        code = importlib.import_module(f"ansible_collections.slipway.aws.plugins.modules.{module}")
        for task in yaml.safe_load(code.EXAMPLES):
            options = {
                name: value_of(value, registered) for name, value in (task[f"slipway.aws.{module}"] or {}).items()
            }
            results[task["name"]] = registered[task.get("register", "")] = run(module, **options)
            assert "failed" not in results[task["name"]], results[task["name"]]
            assert not run(module, **options)["changed"], task["name"]
    return results


def value_of(value: t.Any, registered: dict[str, t.Any]) -> t.Any:
    """A variable's value where the example has `{{ variable.member }}`."""
    expression = re.fullmatch(r"{{ ([\w.]+) }}", value) if isinstance(value, str) else None
    if not expression:
        return value
    found: t.Any = registered
    for name in expression[1].split("."):
        found = found[name]
    return found


def test_ecs_task_definition(run: Run) -> None:
    results = list(play(run, "ecs_task_definition").values())
    assert all(result["changed"] for result in results)
    revisions = [result["task_definition"]["revision"] for result in results if "task_definition" in result]
    assert revisions == [1, 2, 3]
    assert results[2]["task_definition"]["memory"] == "512"
    assert [len(result["deleted"]) for result in results[3:]] == [0, 3]


def test_ecs_cluster(run: Run) -> None:
    results = list(play(run, "ecs_cluster").values())
    assert all(result["changed"] for result in results)
    assert results[1]["cluster"]["capacity_providers"] == ["FARGATE", "FARGATE_SPOT"]


def test_ecs_capacity_provider(run: Run) -> None:
    run("ecs_cluster", name="shop")
    results = list(play(run, "ecs_capacity_provider").values())
    assert all(result["changed"] for result in results)
    assert results[1]["capacity_provider"]["auto_scaling_group_provider"]["managedScaling"]["targetCapacity"] == 90


def test_info_modules(run: Run) -> None:
    run("ecs_cluster", name="shop")
    containers = [{"name": "web", "image": "web:1", "memory": 64}]
    run("ecs_task_definition", family="web", container_definitions=containers)
    clusters = play(run, "ecs_cluster_info").values()
    assert [[cluster["name"] for cluster in result["clusters"]] for result in clusters] == [["shop"], ["shop"]]
    group = "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:1:autoScalingGroupName/shop"
    run("ecs_capacity_provider", name="shop-hosts", auto_scaling_group_provider={"autoScalingGroupArn": group})
    providers = next(iter(play(run, "ecs_capacity_provider_info").values()))
    assert [provider["name"] for provider in providers["capacity_providers"]] == ["shop-hosts"]
    definitions = list(play(run, "ecs_task_definition_info").values())
    assert [[found["revision"] for found in result["task_definitions"]] for result in definitions] == [[1], [1]]
    assert definitions[1]["revisions"] == {"active": [1], "inactive": []}
