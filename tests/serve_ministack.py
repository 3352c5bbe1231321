# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts MiniStack for tests, with the patches of the local cloud that complete and filter its answers as AWS."""

from __future__ import annotations

import functools
import gzip
import os
import re
import runpy
import sys
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType
from typing import Any

import botocore

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "roles/local_cloud/files"))

# botocore sends it where AWS_SDK_UA_APP_ID has it: see hard_cloud.py.
TESTS = "app/slipway-tests"
Handler = Callable[..., Awaitable[Any]]
# Whether a test made the request that is served.
OF_TEST: ContextVar[bool] = ContextVar("OF_TEST", default=False)


def seconds(name: str) -> float:
    """A setting of the local cloud."""
    return float(os.environ.get(f"LOCAL_CLOUD_{name}", "0"))


def by_caller(hard: Handler, direct: Handler, visibility: Any) -> Handler:
    """A handler that serves tests directly. What they change was changed a while ago, as was all before."""
    reads = ("Describe", "Get", "List")

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]) -> Any:
        if TESTS not in headers.get("user-agent", ""):
            return await hard(method, path, headers, body, query)
        marked = OF_TEST.set(True)
        try:
            answer = await direct(method, path, headers, body, query)
        finally:
            OF_TEST.reset(marked)
        if visibility and not eventual_consistency.operation_of(headers, body).startswith(reads):
            visibility.reset()
        return answer

    return handle


def complete_at_once(module: ModuleType, action: str, direct: Callable[..., Any]) -> None:
    """What a test creates was created a while ago."""

    @emulator_patches.wrap(module, action)  # type: ignore[untyped-decorator]
    def create(original: Callable[..., Any], *args: Any) -> Any:
        return (direct if OF_TEST.get() else original)(*args)


@functools.cache
def names_of_services() -> frozenset[str]:
    """By which requests name services, from the beginning of each model: MiniStack would read 400 models in full."""
    names: set[str] = set()
    for path in Path(botocore.__file__).parent.glob("data/*/*/service-2.json.gz"):
        with gzip.open(path, "rt") as model:
            names |= {path.parts[-3], *re.findall(r'"(?:endpointPrefix|signingName)" *: *"([^"]+)"', model.read(2000))}
    return frozenset(names)


if __name__ == "__main__":
    # Neighbours of a script, no packages.
    import application_autoscaling  # type: ignore[import-not-found]
    import capacity  # type: ignore[import-not-found]
    import client_tokens  # type: ignore[import-not-found]
    import emulator_patches  # type: ignore[import-not-found]
    import eventual_consistency  # type: ignore[import-not-found]
    import expiring_credentials  # type: ignore[import-not-found]
    import flow_logs  # type: ignore[import-not-found]
    import image_tags  # type: ignore[import-not-found]
    import load_balancer_members  # type: ignore[import-not-found]
    import request_checks  # type: ignore[import-not-found]
    import service_deployments  # type: ignore[import-not-found]
    import throttling  # type: ignore[import-not-found]
    import traffic_shift  # type: ignore[import-not-found]
    import traffic_stages  # type: ignore[import-not-found]
    import transitions  # type: ignore[import-not-found]
    import weighted_forward  # type: ignore[import-not-found]
    from ministack import app
    from ministack.core import router
    from ministack.services import alb, autoscaling, cloudwatch, ec2, ecr, ecs, servicediscovery, sqs, ssm

    # Without it, Application Auto Scaling is an API that an endpoint lacks.
    if minute := seconds("MINUTE_SECONDS"):
        application_autoscaling.application_autoscaling(app, router, minute, ecs, cloudwatch, sqs)
    router._is_aws_service_name = lambda name: name in names_of_services()
    plain = dict(app.SERVICE_HANDLERS)
    request_checks.check_requests(app)
    direct = dict(app.SERVICE_HANDLERS)
    app.SERVICE_HANDLERS.update(plain)
    # In front of it, requests are checked as they come in.
    visibility = eventual_consistency.eventual_consistency(app, ecs, seconds("LAG_SECONDS"))
    request_checks.check_requests(app)
    throttling.throttling(app, seconds("THROTTLING"))
    expiring_credentials.expiring_credentials(app, seconds("SESSION_SECONDS"))
    for service in ("ec2", "ecs", "elasticloadbalancing", "iam"):
        app.SERVICE_HANDLERS[service] = by_caller(app.SERVICE_HANDLERS[service], direct[service], visibility)
    emulator_patches.key_pairs(ec2)
    emulator_patches.launches(ec2, ssm)
    emulator_patches.addresses(ec2)
    emulator_patches.secure_strings(ssm)
    emulator_patches.hosts(autoscaling, ecs)
    emulator_patches.families(ecs)
    emulator_patches.load_balancers(alb)
    emulator_patches.places_of_load_balancers(alb, ec2)
    emulator_patches.missing(alb, ecs)
    weighted_forward.weighted_forward(alb)
    load_balancer_members.load_balancer_members(alb)
    service_deployments.service_deployments(ecs)
    # Nobody watches the stages, so they pass quickly.
    traffic_stages.STAGE_SECONDS = traffic_shift.TICK_SECONDS = 0.05
    traffic_shift.traffic_shift(ecs, alb, cloudwatch)
    capacity.capacity(ecs, seconds("CAPACITY_SECONDS"))
    client_tokens.client_tokens(ecs)
    flow_logs.flow_logs(ec2)
    image_tags.image_tags(ecr)
    creates = [(alb, "_create_lb"), (ec2, "_create_nat_gateway"), (ec2, "_create_vpc_endpoint")]
    created_at_once = [(module, action, getattr(module, action)) for module, action in creates]
    transitions.transitions(alb, ec2, ecs, seconds("TRANSITION_SECONDS"))
    for module, action, complete in created_at_once:
        complete_at_once(module, action, complete)
    for action in ("_list_namespaces", "_list_services"):
        emulator_patches.filtered(servicediscovery, action)
    created: dict[tuple[str, str], tuple[str, Any]] = {}

    @emulator_patches.wrap(servicediscovery, "_create_service")  # type: ignore[untyped-decorator]
    def create(original: Any, data: dict[str, Any]) -> Any:
        """Names are unique; the same request gets the same answer."""
        place = (data.get("NamespaceId", ""), data.get("Name", ""))
        taken = any((one["NamespaceId"], one["Name"]) == place for one in servicediscovery._services.values())
        if not taken:
            created[place] = data.get("CreatorRequestId", ""), original(data)
        token, answer = created[place]
        if token == data.get("CreatorRequestId", ""):
            return answer
        return servicediscovery.error_response_json("ServiceAlreadyExists", "Service already exists.", 400)

    tokens: dict[str, str] = {}

    @emulator_patches.wrap(ecs, "_create_service")  # type: ignore[untyped-decorator]
    def create_service(original: Any, data: dict[str, Any]) -> Any:
        """A request with the token of an existing service returns that service."""
        place = f"{ecs._resolve_cluster_name(data.get('cluster', 'default'))}/{data.get('serviceName')}"
        found = ecs._services.get(place)
        if found and found["status"] == "ACTIVE" and tokens.get(place) == data.get("clientToken", ""):
            return ecs.json_response({"service": ecs._sanitize(found)})
        answer = original(data)
        if answer[0] == 200:
            tokens[place] = data.get("clientToken", "")
        return answer

    runpy.run_module("ministack", run_name="__main__", alter_sys=True)
