# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuses requests that AWS refuses, before the emulator sees them: it accepts almost everything.

A request is checked against botocore's model of its API, which says what AWS's servers check first, and against the
rules of request_rules.py, which the models lack.
"""

from __future__ import annotations

import functools
import json
import logging
import xml.sax.saxutils
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import request_rules_ec2
import request_rules_ecs_services
import request_rules_ecs_tasks
import request_rules_elb
import request_rules_elb_members
import request_rules_iam
import request_rules_stores
import request_rules_tags
from request_model import Violation, violations
from request_parser import Json, MalformedRequest, Request, operation_name, parse
from request_rules import RULES, State

# Importing these fills the table of rules.
SERVICES_WITH_RULES = (
    request_rules_ecs_tasks,
    request_rules_ecs_services,
    request_rules_elb,
    request_rules_elb_members,
    request_rules_ec2,
    request_rules_iam,
    request_rules_stores,
    request_rules_tags,
)
Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, list[str]]], Awaitable[Any]]

# What the emulator calls a service, and botocore's name of its model.
MODELS = {
    "acm": "acm",
    "application-autoscaling": "application-autoscaling",
    "autoscaling": "autoscaling",
    "ec2": "ec2",
    "ecr": "ecr",
    "ecs": "ecs",
    "elasticloadbalancing": "elbv2",
    "events": "events",
    "iam": "iam",
    "kms": "kms",
    "logs": "logs",
    "secretsmanager": "secretsmanager",
    "servicediscovery": "servicediscovery",
    "ssm": "ssm",
    "sts": "sts",
    "tagging": "resourcegroupstaggingapi",
}
# The error that a service returns for what its model does not allow.
MODEL_ERRORS = {
    "autoscaling": "ValidationError",
    "ecr": "InvalidParameterException",
    "ecs": "InvalidParameterException",
    "elbv2": "ValidationError",
    "iam": "ValidationError",
    "logs": "InvalidParameterException",
    "resourcegroupstaggingapi": "InvalidParameterException",
    "servicediscovery": "InvalidInput",
    "sts": "ValidationError",
}


# Where the emulator keeps what an account has: kinds of resources as rules name them, its module and its variable.
RESOURCES = {
    "addresses": ("ec2", "_addresses"),
    "auto_scaling_groups": ("autoscaling", "_asgs"),
    "bucket_policies": ("s3", "_bucket_policies"),
    "capacity_providers": ("ecs", "_capacity_providers"),
    "clusters": ("ecs", "_clusters"),
    "instances": ("ec2", "_instances"),
    "internet_gateways": ("ec2", "_internet_gateways"),
    "listener_rules": ("alb", "_rules"),
    "listeners": ("alb", "_listeners"),
    "load_balancers": ("alb", "_lbs"),
    "nat_gateways": ("ec2", "_nat_gateways"),
    "roles": ("iam", "_roles"),
    "route_tables": ("ec2", "_route_tables"),
    "security_groups": ("ec2", "_security_groups"),
    "services": ("ecs", "_services"),
    "subnets": ("ec2", "_subnets"),
    "target_groups": ("alb", "_tgs"),
    "task_definitions": ("ecs", "_task_defs"),
    "tasks": ("ecs", "_tasks"),
    "vpc_endpoints": ("ec2", "_vpc_endpoints"),
    "vpcs": ("ec2", "_vpcs"),
}


@dataclass(frozen=True)
class Refusal:
    """An error that AWS returns."""

    code: str
    message: str
    status: int = 400


def refusal(model: Any, request: Request, state: State) -> Refusal | None:
    """The error that AWS returns for a request, or None if it accepts it."""
    name = operation_name(model, request)
    if not name:
        return None
    operation = model.operation_model(name)
    try:
        parameters = parse(operation, request)
    except MalformedRequest as error:
        return Refusal("SerializationException", str(error))
    if operation.input_shape is not None:
        found = list(violations(operation.input_shape, parameters))
        if found:
            return of_model(model.service_name, found)
    return next(of_rules(model, name, parameters, state), None)


def of_model(service: str, found: list[Violation]) -> Refusal:
    """The error for what a model does not allow."""
    if any(one.kind == "type" for one in found):
        return Refusal("SerializationException", "")
    if service == "ec2":
        return of_ec2(found[0])
    if service == "ecr" and found[0].pattern:
        return Refusal(MODEL_ERRORS[service], ecr_sentence(found[0]))
    sentences = "; ".join(one.sentence for one in found)
    plural = "s" if len(found) > 1 else ""
    code = MODEL_ERRORS.get(service, "ValidationException")
    return Refusal(code, f"{len(found)} validation error{plural} detected: {sentences}")


def ecr_sentence(found: Violation) -> str:
    """ECR has words of its own for names that do not match."""
    return (
        f"Invalid parameter at '{found.path}' failed to satisfy constraint: "
        f"'must satisfy regular expression '{found.pattern}''"
    )


def of_ec2(found: Violation) -> Refusal:
    """EC2 names parameters as they are in the request."""
    name = found.path[0].upper() + found.path[1:]
    if found.kind == "missing":
        return Refusal("MissingParameter", f"The request must contain the parameter {name}")
    return Refusal("InvalidParameterValue", f"Value ({found.value}) for parameter {name} is invalid.")


def of_rules(model: Any, operation: str, parameters: Json, state: State) -> Iterator[Refusal]:
    """The errors for what the rules forbid."""
    for rule in RULES:
        if f"{model.service_name}:{operation}" in rule.operations:
            for message in rule.refusals(parameters, state):
                yield Refusal(rule.error, message, status_of(model, rule.error))


def status_of(model: Any, code: str) -> int:
    """The HTTP status of an error, which the model has for most."""
    shape = model.shape_for_error_code(code)
    return int((shape.metadata.get("error") or {}).get("httpStatusCode", 400)) if shape else 400


def answer(model: Any, found: Refusal) -> Answer:
    """An error in the protocol of a service."""
    if model.protocol not in {"query", "ec2"}:
        body = json.dumps({"__type": found.code, "message": found.message}).encode()
        return (
            found.status,
            {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": found.code},
            body,
        )
    error = f"<Code>{found.code}</Code><Message>{xml.sax.saxutils.escape(found.message)}</Message>"
    text = (
        f"<Response><Errors><Error>{error}</Error></Errors><RequestID>0</RequestID></Response>"
        if model.protocol == "ec2"
        else f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>0</RequestId></ErrorResponse>"
    )
    return found.status, {"Content-Type": "text/xml"}, text.encode()


def check_requests(app: ModuleType) -> None:
    """Put the checks in front of the emulator's handlers of requests."""
    state = State(Resources(app))
    # Application Auto Scaling is a patch.
    for service in [one for one in MODELS if one in app.SERVICE_HANDLERS]:
        name = MODELS[service]
        app.SERVICE_HANDLERS[service] = checked(app.SERVICE_HANDLERS[service], name, state)


@dataclass(frozen=True)
class Resources(Mapping[str, Any]):
    """What an account has. The emulator loads the module of a service when something asks for it."""

    app: ModuleType

    def __getitem__(self, kind: str) -> Any:
        module, name = RESOURCES[kind]
        return getattr(self.app._get_module(module), name)

    def __iter__(self) -> Iterator[str]:
        return iter(RESOURCES)

    def __len__(self) -> int:
        return len(RESOURCES)


@functools.cache
def load_model(name: str) -> Any:
    import botocore.session

    return botocore.session.get_session().get_service_model(name)


def checked(handler: Handler, name: str, state: State) -> Handler:
    """A handler that the refused requests do not reach."""

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]) -> Any:
        model = load_model(name)
        found = refusal(model, Request(method, path, headers, body, query), state)
        if found:
            logging.getLogger("slipway").info("refused: %s: %s", found.code, found.message)
            return answer(model, found)
        return await handler(method, path, headers, body, query)

    return handle
