# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a connection into a container asks Amazon ECS: one typed function for each call."""

from __future__ import annotations

import typing as t

from ..._core.errors import aws_call
from ..._core.types import Client

# One half for each direction.
DATA_KEY_BYTES = 64


class Place(t.NamedTuple):
    """A container of a task, in a cluster."""

    cluster: str
    task: str
    container: str


class Session(t.NamedTuple):
    """Where a client finds a session, and the token that proves that it may."""

    id: str
    url: str
    token: str


@aws_call
def execute_command(ecs: Client, place: Place, command: str) -> Session:
    """Start a session with a terminal; the API has no others."""
    answer = ecs.execute_command(
        cluster=place.cluster, task=place.task, container=place.container, command=command, interactive=True
    )
    session = answer["session"]
    return Session(session["sessionId"], session["streamUrl"], session["tokenValue"])


@aws_call
def start_session(ssm: Client, target: str, document: str, parameters: dict[str, str]) -> Session:
    """Start a session of Session Manager with a container that has the agent of ECS Exec."""
    answer = ssm.start_session(
        Target=target, DocumentName=document, Parameters={name: [value] for name, value in parameters.items()}
    )
    return Session(answer["SessionId"], answer["StreamUrl"], answer["TokenValue"])


@aws_call
def generate_data_key(kms: Client, key: str, context: dict[str, str]) -> tuple[bytes, bytes]:
    """A new data key, as it is and encrypted."""
    answer = kms.generate_data_key(KeyId=key, NumberOfBytes=DATA_KEY_BYTES, EncryptionContext=context)
    return answer["Plaintext"], answer["CiphertextBlob"]


@aws_call
def assume_role(sts: Client, arn: str) -> dict[str, str]:
    """The credentials of a role, as arguments of a client."""
    given = sts.assume_role(RoleArn=arn, RoleSessionName="slipway-ecs-exec")["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
