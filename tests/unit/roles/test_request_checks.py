# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that AWS would refuse are refused by the emulator, with AWS's error codes."""

from __future__ import annotations

import typing as t

import boto3
import botocore.client
import botocore.exceptions
import pytest

CONTAINER = {"name": "web", "image": "web", "essential": True}
FARGATE = {
    "family": "web",
    "requiresCompatibilities": ["FARGATE"],
    "networkMode": "awsvpc",
    "cpu": "256",
    "memory": "512",
    "containerDefinitions": [CONTAINER],
}


@pytest.fixture(params=["ministack"])
def emulator(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def client(service: str) -> t.Any:
    """A client that sends what its own checks would stop, as other clients do."""
    return boto3.client(service, config=botocore.client.Config(parameter_validation=False, retries={"max_attempts": 1}))


def refused(service: str, operation: str, parameters: dict[str, t.Any]) -> tuple[str, str]:
    """Code and message of the error; empty if the request is accepted."""
    try:
        getattr(client(service), operation)(**parameters)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    return "", ""


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code", "message"),
    [
        (
            "ecs",
            "create_service",
            {"serviceName": "web", "launchType": "LAMBDA"},
            "InvalidParameterException",
            "1 validation error detected: Value 'LAMBDA' at 'launchType' failed to satisfy constraint: "
            "Member must satisfy enum value set: [EC2, FARGATE, EXTERNAL, MANAGED_INSTANCES]",
        ),
        (
            "iam",
            "create_role",
            {"RoleName": "a role", "AssumeRolePolicyDocument": "{}"},
            "ValidationError",
            "1 validation error detected: Value 'a role' at 'roleName' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [\w+=,.@-]+",
        ),
        (
            "elbv2",
            "create_target_group",
            {"Name": "web", "Port": 65536, "Protocol": "http"},
            "ValidationError",
            "2 validation errors detected: Value 'http' at 'protocol' failed to satisfy constraint: "
            "Member must satisfy enum value set: [HTTP, HTTPS, TCP, TLS, UDP, TCP_UDP, GENEVE, QUIC, TCP_QUIC]; "
            "Value '65536' at 'port' failed to satisfy constraint: Member must have value less than or equal to 65535",
        ),
        (
            "ec2",
            "create_subnet",
            {"CidrBlock": "10.0.0.0/24"},
            "MissingParameter",
            "The request must contain the parameter VpcId",
        ),
        ("ecs", "register_task_definition", FARGATE, "", ""),
        (
            "ecs",
            "register_task_definition",
            FARGATE | {"memory": "4096"},
            "ClientException",
            "No Fargate configuration exists for given values: 256 CPU, 4096 memory. "
            "See the Amazon ECS documentation for the valid values.",
        ),
    ],
)
def test_request_is_refused(service: str, operation: str, parameters: t.Any, code: str, message: str) -> None:
    assert refused(service, operation, parameters) == (code, message)
