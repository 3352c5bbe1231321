# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which permissions the roles of a task need: exactly what its definition names. Pure."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator, Mapping

from ..._core.names import Home, is_arn
from ..._core.types import Json
from .checklist import Service

# https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?"
)
PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
WRITE = ("logs:CreateLogStream", "logs:PutLogEvents")
# What a session in a container sends and receives.
SESSION = tuple(
    f"ssmmessages:{action}"
    for action in ("CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel")
)
EXECUTION, TASK = "execution_role_arn", "task_role_arn"


class Image(t.NamedTuple):
    """An image in a private registry of Amazon ECR."""

    account: str
    region: str
    repository: str
    tag: str
    digest: str

    @property
    def identity(self) -> dict[str, str]:
        return {"imageDigest": self.digest} if self.digest else {"imageTag": self.tag or "latest"}


def image_of(text: t.Any) -> Image | None:
    """The image, or None if it is in another registry."""
    match = ECR.fullmatch(str(text or ""))
    return Image(**{name: value or "" for name, value in match.groupdict().items()}) if match else None


class Need(t.NamedTuple):
    """A permission that a role needs, and what for."""

    role: str
    actions: tuple[str, ...]
    resource: str
    purpose: str
    # What valueFrom has in place of a path or an ARN: a name, or the secret itself by mistake.
    bare: str = ""


class Secret(t.NamedTuple):
    """What a secret of a container refers to."""

    store: str
    # The name of a parameter, or the ARN of a secret without what follows it.
    name: str
    region: str
    arn: str
    json_key: str = ""
    stage: str = ""
    version: str = ""


def secret_of(value: str, home: Home) -> Secret:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html"""
    if not is_arn(value):
        arn = f"arn:{home.partition}:ssm:{home.region}:{home.account}:parameter/{value.lstrip('/')}"
        return Secret("parameter", value, home.region, arn)
    parts = value.split(":")
    if parts[2] == "secretsmanager":
        more = [*parts[7:10], "", "", ""]
        arn = ":".join(parts[:7])
        return Secret("secret", arn, parts[3], arn, *more[:3])
    path = value.split(":parameter", 1)[-1]
    name = path if path.count("/") > 1 else path.lstrip("/")
    return Secret("parameter", name, parts[3], value)


def is_bare(value: str) -> bool:
    """Whether what is given for a secret may be the secret itself, as far as its form says."""
    return not is_arn(value) and "/" not in value


def secrets_of(service: Service) -> Iterator[tuple[str, str]]:
    """All that containers read from the two stores, each with its place."""
    for place, container in service.containers:
        for one in container.get("secrets") or ():
            yield f"{place}, secrets {one.get('name')}", str(one.get("valueFrom") or "")
        for one in (container.get("logConfiguration") or {}).get("secretOptions") or ():
            yield f"{place}, secretOptions {one.get('name')}", str(one.get("valueFrom") or "")
        credentials = (container.get("repositoryCredentials") or {}).get("credentialsParameter")
        if credentials:
            yield f"{place}, repositoryCredentials", str(credentials)


def logs_of(service: Service) -> Iterator[tuple[str, Json]]:
    """The options of each container that logs to CloudWatch Logs, with its place."""
    for place, container in service.containers:
        configuration = container.get("logConfiguration") or {}
        if configuration.get("logDriver") == "awslogs":
            yield f"{place}, logConfiguration", dict(configuration.get("options") or {})


def needs(service: Service, home: Home) -> Iterator[Need]:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html"""
    yield from _image_needs(service, home)
    for _place, value in secrets_of(service):
        secret = secret_of(value, home)
        if secret.store == "secret":
            yield Need(EXECUTION, ("secretsmanager:GetSecretValue",), secret.arn, f"secret {value}")
        elif value:
            bare = value if is_bare(value) else ""
            yield Need(EXECUTION, ("ssm:GetParameters",), secret.arn, f"parameter {secret.name}", bare)
    for _place, container in service.containers:
        for one in container.get("environmentFiles") or ():
            yield Need(EXECUTION, ("s3:GetObject",), str(one.get("value")), f"environment file {one.get('value')}")
    yield from _log_needs(service, home)
    yield from _task_needs(service, home)


def _image_needs(service: Service, home: Home) -> Iterator[Need]:
    images = [image_of(container.get("image")) for _place, container in service.containers]
    repositories = {(one.account, one.region, one.repository) for one in images if one}
    if repositories:
        yield Need(EXECUTION, ("ecr:GetAuthorizationToken",), "*", "the registry")
    for account, region, name in sorted(repositories):
        arn = f"arn:{home.partition}:ecr:{region}:{account}:repository/{name}"
        yield Need(EXECUTION, PULL, arn, f"repository {name}")


def _log_needs(service: Service, home: Home) -> Iterator[Need]:
    for _place, options in logs_of(service):
        group, region = str(options.get("awslogs-group")), str(options.get("awslogs-region") or home.region)
        arn = f"arn:{home.partition}:logs:{region}:{home.account}:log-group:{group}"
        yield Need(EXECUTION, WRITE, f"{arn}:log-stream:*", f"log group {group}")
        if creates_group(options):
            yield Need(EXECUTION, ("logs:CreateLogGroup",), arn, f"log group {group}")


def creates_group(options: Mapping[str, t.Any]) -> bool:
    return str(options.get("awslogs-create-group", "")).lower() == "true"


def _task_needs(service: Service, home: Home) -> Iterator[Need]:
    if service.options.get("enable_execute_command") is True:
        yield Need(TASK, SESSION, "*", "enable_execute_command")
    for volume in service.definition.get("volumes") or ():
        efs = volume.get("efsVolumeConfiguration") or {}
        if (efs.get("authorizationConfig") or {}).get("iam") == "ENABLED":
            system = efs.get("fileSystemId")
            arn = f"arn:{home.partition}:elasticfilesystem:{home.region}:{home.account}:file-system/{system}"
            yield Need(TASK, ("elasticfilesystem:ClientMount",), arn, f"volume {volume.get('name')}")
