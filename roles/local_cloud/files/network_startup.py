# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a task on Fargate does not start: what its network interface cannot reach, in AWS's words. Pure.

Fargate's agent logs in to the registry, reads secrets, pulls images and opens log streams through the interface of the
task. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from network_rules import EGRESS, HTTPS, Network, Party, allows_outside, leads_outside, permissions, reaches

Json = dict[str, Any]

AUTH = "ResourceInitializationError: unable to pull secrets or registry auth: "
NO_ANSWER = (
    "service call has been retried 5 time(s): {what}RequestCanceled: request context canceled caused by:"
    " context deadline exceeded. Please check your task network configuration."
)
# https://github.com/aws/copilot-cli/issues/5927
REGISTRY_AUTH = (
    AUTH + "The task cannot pull registry auth from Amazon ECR: There is a connection issue between the task and Amazon"
    " ECR. Check your task network configuration. RequestError: send request failed caused by: Post"
    ' "https://api.ecr.{region}.amazonaws.com/": dial tcp {address}:443: i/o timeout'
)
# https://github.com/Releem/releem-agent/issues/195
SECRET = AUTH + "execution resource retrieval failed: unable to retrieve secret from asm: " + NO_ANSWER
# https://github.com/hashicorp/terraform-provider-aws/issues/33044
PARAMETERS = AUTH + "execution resource retrieval failed: unable to retrieve secrets from ssm: " + NO_ANSWER
# https://github.com/ActionIQ/terraform-aws-retool-ecs-fargate/issues/20
MANIFEST = (
    "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref {image}: failed to"
    ' do request: Head "https://{registry}/v2/{path}/manifests/{version}": dial tcp {address}:443: i/o timeout'
)
# Public records have its parts, and not the whole: AWS's beginning, and containerd's text, which is that of
# https://github.com/Roblox/nomad-driver-containerd/issues/184. The bucket is that of ECR's documentation.
LAYER = (
    "CannotPullContainerError: ref pull has been retried 5 time(s): failed to copy: httpReadSeeker: failed open: failed"
    ' to do request: Get "https://prod-{region}-starport-layer-bucket.s3.{region}.amazonaws.com/": dial tcp'
    " {address}:443: i/o timeout"
)
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/resource-initialization-error.html
LOGS = (
    "ResourceInitializationError: failed to validate logger args: The task cannot find the Amazon CloudWatch log group"
    " defined in the task definition. There is a connection issue between the task and Amazon CloudWatch. Check your"
    " network configuration. : signal: killed"
)
# Addresses for documentation (RFC 5737): the emulated services have none.
ADDRESS = "192.0.2.1"


def start_failure(network: Network, party: Party, definition: Json, region: str, registry: str) -> str:
    """The reason why a task stops before its containers start; empty if it can reach all that it needs."""
    return next(failures(network, party, definition, region, registry), "")


def failures(network: Network, party: Party, definition: Json, region: str, registry: str) -> Iterator[str]:
    containers = definition.get("containerDefinitions") or ()
    images = [str(container.get("image", "")) for container in containers]
    in_ecr = [image for image in images if is_ecr(image, registry)]
    place = {"region": region, "address": ADDRESS}
    if in_ecr and not reaches(network, party, "ecr.api"):
        yield REGISTRY_AUTH.format(**place)
    for name in (secret["valueFrom"] for container in containers for secret in container.get("secrets") or ()):
        if ":secretsmanager:" in name and not reaches(network, party, "secretsmanager"):
            yield SECRET.format(what=f"failed to fetch secret {':'.join(name.split(':')[:7])} from secrets manager: ")
        if ":secretsmanager:" not in name and not reaches(network, party, "ssm"):
            yield PARAMETERS.format(what="")
    for image in images:
        elsewhere = image not in in_ecr and not reaches_outside(network, party)
        if elsewhere or (image in in_ecr and not reaches(network, party, "ecr.dkr")):
            yield MANIFEST.format(image=image, **parts(image), **place)
    if in_ecr and not reaches(network, party, "s3"):
        yield LAYER.format(**place)
    drivers = {(container.get("logConfiguration") or {}).get("logDriver") for container in containers}
    if "awslogs" in drivers and not reaches(network, party, "logs"):
        yield LOGS


def is_ecr(image: str, registry: str) -> bool:
    """Whether an image is in ECR: for the emulated one, its address on this machine stands."""
    return image.startswith(f"{registry}/") or re.match(r"\d{12}\.dkr\.ecr\.", image) is not None


def reaches_outside(network: Network, party: Party) -> bool:
    egress = [one for one in permissions(network, party.groups, EGRESS) if one.covers(HTTPS)]
    return leads_outside(network, party) and any(allows_outside(one) for one in egress)


def parts(image: str) -> dict[str, str]:
    """Registry, path and version of an image, with Docker's defaults."""
    first, slash, rest = image.partition("/")
    if not slash or not re.search(r"[.:]|^localhost$", first):
        first, rest = "registry-1.docker.io", image if slash else f"library/{image}"
    path, at, digest = rest.partition("@")
    path, __, tag = path.partition(":")
    return {"registry": first, "path": path, "version": digest if at else tag or "latest"}
