# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts of AWS and Docker that name a well-known cause.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
"""

from __future__ import annotations

import re
import typing as t

from ..._core.error_codes import (
    COMMAND_MISSING,
    CONTAINER_HEALTH_CHECK,
    IMAGE_MISSING,
    LOAD_BALANCER_HEALTH_CHECK,
    LOG_GROUP_MISSING,
    LOGS_UNREACHABLE,
    NO_ADDRESSES,
    NO_CAPACITY,
    OUT_OF_MEMORY,
    PORT_IN_USE,
    REGISTRY_DENIED,
    REGISTRY_LIMIT,
    REGISTRY_UNREACHABLE,
    ROLE_REFUSED,
    ROOT_READ_ONLY,
    SECRET_DENIED,
    SECRET_KEY_MISSING,
    SECRET_MISSING,
    SECRETS_UNREACHABLE,
    SPOT_INTERRUPTED,
    USER_MISSING,
    VOLUME_FAILED,
    WRONG_PLATFORM,
)


class Symptom(t.NamedTuple):
    """A text of AWS or Docker, and the cause that it indicates."""

    cause: str
    pattern: re.Pattern[str]


def _symptom(cause: str, pattern: str) -> Symptom:
    return Symptom(cause, re.compile(pattern, re.IGNORECASE | re.DOTALL))


_PULL = r"CannotPull|pull image|pulling image|failed to resolve ref|registry auth"
_NO_CONNECTION = (
    r"(i/o timeout|connection issue|context deadline exceeded|request ?canceled|no such host|no route to host"
    r"|connection refused|network is unreachable|dial tcp)"
)
# The first match counts, so the specific ones come first.
SYMPTOMS = (
    _symptom(
        SECRETS_UNREACHABLE,
        rf"(retrieve secrets? from (asm|ssm)|(Secrets|Systems) Manager|secretsmanager\.|ssm\.).*{_NO_CONNECTION}",
    ),
    _symptom(
        LOGS_UNREACHABLE,
        rf"(logger args|Cloudwatch log).*({_NO_CONNECTION}|signal: killed)",
    ),
    _symptom(
        SECRET_DENIED,
        r"(secret|ssm|parameter).*(AccessDenied|not authorized)",
    ),
    _symptom(
        SECRET_MISSING,
        r"can't find the specified secret|unable to retrieve secret|invalid ssm parameters|ParameterNotFound"
        r"|secret.*(ResourceNotFound|marked for deletion)",
    ),
    _symptom(
        SECRET_KEY_MISSING,
        r"did not contain json key|unable to retrieve json key",
    ),
    _symptom(
        REGISTRY_LIMIT,
        r"toomanyrequests|pull rate limit",
    ),
    _symptom(
        WRONG_PLATFORM,
        r"no matching manifest|does not contain descriptor matching platform|exec format error",
    ),
    _symptom(
        REGISTRY_UNREACHABLE,
        rf"({_PULL}|ResourceInitializationError).*{_NO_CONNECTION}",
    ),
    _symptom(
        IMAGE_MISSING,
        rf"({_PULL}).*(not found|manifest unknown|NotFound|does not exist)|No such image|ImageNotFound",
    ),
    _symptom(
        REGISTRY_DENIED,
        rf"({_PULL}).*(denied|403|401|Forbidden|Unauthorized|not authorized|no basic auth)",
    ),
    _symptom(
        LOG_GROUP_MISSING,
        r"log group does not exist|failed to create Cloudwatch log stream",
    ),
    _symptom(
        VOLUME_FAILED,
        r"EFS utils|failed to mount|mount\.nfs|EBS volume.*(fail|unable)",
    ),
    _symptom(
        ROLE_REFUSED,
        r"unable to assume the role|not authorized to perform: sts:AssumeRole",
    ),
    _symptom(
        OUT_OF_MEMORY,
        r"OutOfMemory|out of memory|memory usage",
    ),
    _symptom(
        ROOT_READ_ONLY,
        r"read-only file system|\bEROFS\b",
    ),
    _symptom(
        USER_MISSING,
        r"unable to find (user|group) .*no matching entries",
    ),
    _symptom(
        COMMAND_MISSING,
        r"executable file not found|exec: .*no such file or directory|CannotStartContainer.*(no such file|not found)",
    ),
    _symptom(
        LOAD_BALANCER_HEALTH_CHECK,
        r"failed ELB health checks",
    ),
    _symptom(
        CONTAINER_HEALTH_CHECK,
        r"failed container health checks",
    ),
    _symptom(
        NO_ADDRESSES,
        r"InsufficientFreeAddresses|enough free (private )?(ip )?addresses",
    ),
    _symptom(
        NO_CAPACITY,
        r"unable to place a task|RESOURCE:|Capacity is unavailable|insufficient capacity|No Container Instances",
    ),
    _symptom(
        SPOT_INTERRUPTED,
        r"Spot(Interruption| Task was interrupted)|spot interruption",
    ),
    _symptom(
        PORT_IN_USE,
        r"port is already allocated|address already in use",
    ),
)


def recognise(text: str) -> Symptom | None:
    return next((symptom for symptom in SYMPTOMS if symptom.pattern.search(text)), None)
