# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests of releases share: rollouts with a given end, and services to release."""

from __future__ import annotations

import typing as t
from collections import Counter

import botocore.client
import pytest
from botocore.exceptions import ClientError

Json = dict[str, t.Any]
Run = t.Callable[..., Json]

READS = {"DescribeServices", "DescribeTaskDefinition", "ListTaskDefinitions"}
# Asked before the first change, for a verdict may need them.
TASKS = {"ListTasks", "DescribeTasks"}


class Rollouts:
    """Answers what moto does not know: each change of a service starts a deployment, which ends at once, as `ends`
    says. Also lets operations fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.number: Counter[str] = Counter()
        self.ends: dict[str, str] = {}
        self.refused: dict[tuple[str, str], Exception | type[BaseException]] = {}
        call = botocore.client.BaseClient._make_api_call

        def patched(client: t.Any, operation: str, request: Json) -> Json:
            # Without it moto keeps the old deployment.
            forced = {"forceNewDeployment": True} if operation == "UpdateService" else {}
            return self._answer(operation, request) or t.cast("Json", call(client, operation, {**request, **forced}))

        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", patched)

    def refuse(self, operation: str, name: str, error: str = "ClientException") -> None:
        """Let AWS refuse an operation on a service or family."""
        self.refused[operation, name] = ClientError({"Error": {"Code": error, "Message": "no"}}, operation)

    def _answer(self, operation: str, request: Json) -> Json | None:
        name = str(request.get("service") or request.get("serviceName") or request.get("family"))
        if (operation, name) in self.refused:
            raise self.refused.pop((operation, name))
        if operation in ("CreateService", "UpdateService"):
            self.number[name] += 1
        if operation == "ListServiceDeployments":
            arns = [f"{name}/{number}" for number in range(1, self.number[name] + 1)]
            return {"serviceDeployments": [{"serviceDeploymentArn": arn, "createdAt": arn} for arn in arns]}
        if operation == "DescribeServiceDeployments":
            arns = request["serviceDeploymentArns"]
            statuses = {arn: self.ends.get(arn, "SUCCESSFUL") for arn in arns}
            return {"serviceDeployments": [{"serviceDeploymentArn": arn, "status": statuses[arn]} for arn in arns]}
        return None


def container(name: str = "web", **members: t.Any) -> Json:
    return {"name": name, "image": "app:1", "memory": 64, "environment": [{"name": "A", "value": "1"}], **members}


def item(name: str, *, family: str = "", definition: Json | None = None, **options: t.Any) -> Json:
    """A service of the release that runs a task definition of its own."""
    family = family or name
    definition = {"family": family, "container_definitions": [container()], **(definition or {})}
    return {"name": name, "task_definition": definition, "desired_count": 1, **options}


def described(ecs: t.Any, *names: str) -> list[Json]:
    return t.cast("list[Json]", ecs.describe_services(cluster="shop", services=names, include=["TAGS"])["services"])


def running(ecs: t.Any, *names: str) -> str:
    """What services run, and that nothing is noted on them."""
    services = described(ecs, *names)
    assert [service.get("tags") or [] for service in services] == [[]] * len(services)
    return " ".join(service["taskDefinition"].rpartition("/")[2] for service in services)


def states(result: Json) -> Json:
    return {name: service["state"] for name, service in result["services"].items()}


def newer(*items: Json) -> list[Json]:
    """The same services with another image."""
    return [{**one, "task_definition": _with_image(one["task_definition"], "app:2")} for one in items]


def _with_image(definition: Json, image: str) -> Json:
    containers = [{**one, "image": image} for one in definition["container_definitions"]]
    return {**definition, "container_definitions": containers}
