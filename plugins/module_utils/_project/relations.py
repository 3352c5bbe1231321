# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of a project's resources refer to which others, found in their details. Pure."""

from __future__ import annotations

import re
import typing as t

from .._core.types import Json

# Ids of EC2 and of Cloud Map, which no other resource has.
_ID = re.compile(r"[a-z]+-[0-9a-z]{8,}")
# Where an answer has the name of a resource of this kind; names alone are the same for several kinds.
_NAMED = {
    "access_logs.s3.bucket": "bucket",
    "awslogs-group": "log group",
    "capacityProvider": "capacity provider",
    "capacityProviderName": "capacity provider",
    "capacityProviders": "capacity provider",
    "InstanceProfileName": "instance profile",
    "KeyName": "key pair",
    "LaunchTemplateName": "launch template",
    "aws:autoscaling:groupName": "Auto Scaling group",
    "valueFrom": "parameter",
}
# A revision of a family, a version or key of a secret, a stream of a log group.
_PARTS = re.compile(r"[:/]")


def uses(resources: t.Sequence[Json]) -> list[list[str]]:
    """For each resource the ARNs of the others to which its details refer, sorted."""
    known = _known(resources)
    return [sorted(set(_referred(one["details"], "", known)) - {one["arn"]}) for one in resources]


class _Known(t.NamedTuple):
    """ARNs of the project's resources: by what identifies them anywhere, by kind and name, by the address of images."""

    texts: dict[str, str]
    names: dict[tuple[str, str], str]
    images: dict[str, str]


def _known(resources: t.Sequence[Json]) -> _Known:
    texts = {one["arn"]: one["arn"] for one in resources}
    texts |= {one["id"]: one["arn"] for one in resources if _ID.fullmatch(one["id"])}
    families = [one for one in resources if one["kind"] == "task definition"]
    texts |= {one["arn"].rpartition(":")[0]: one["arn"] for one in families}
    names = {(one["kind"], one["name"]): one["arn"] for one in resources}
    repositories = [one for one in resources if one["kind"] == "repository"]
    images = {one["details"]["repositoryUri"]: one["arn"] for one in repositories if "repositoryUri" in one["details"]}
    return _Known(texts, names, images)


def _referred(value: t.Any, member: str, known: _Known) -> t.Iterator[str]:
    if isinstance(value, str):
        # Some members hold a list of ids as one text.
        for text in value.split(","):
            if found := _resource(text, member, known):
                yield found
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _referred(one, str(name), known)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _referred(one, member, known)


def _resource(text: str, member: str, known: _Known) -> str | None:
    """The ARN of the resource that a text identifies."""
    if text in known.texts:
        return known.texts[text]
    if member in _NAMED:
        named = known.names.get((_NAMED[member], text))
        if named:
            return named
    if member == "image":
        return known.images.get(text.partition("@")[0]) or known.images.get(text.partition("@")[0].rpartition(":")[0])
    if not text.startswith("arn:"):
        return None
    # What stands behind the end of an ARN says which part of the resource is meant.
    ends = [end.start() for end in _PARTS.finditer(text)][5:]
    return next((known.texts[text[:end]] for end in reversed(ends) if text[:end] in known.texts), None)
