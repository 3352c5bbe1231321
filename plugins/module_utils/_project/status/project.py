# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the reader returned of a project, and where to find things in it. Pure."""

from __future__ import annotations

import datetime
import typing as t
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from ..._core.names import last
from ..._core.types import Json


@dataclass(frozen=True)
class Project:
    """`read` is the result of project_info with details, `now` its time, `endpoint` the address of the APIs."""

    read: Json
    now: datetime.datetime
    endpoint: str = ""

    @cached_property
    def by_kind(self) -> dict[str, list[Json]]:
        found: dict[str, list[Json]] = defaultdict(list)
        for one in self.read["resources"]:
            found[one["kind"]].append(one)
        return found

    @cached_property
    def by_id(self) -> dict[str, Json]:
        """Resources by their ID and by their ARN."""
        return {key: one for one in self.read["resources"] for key in (one["id"], one.get("arn")) if key}

    @property
    def unknown(self) -> list[Json]:
        return list(self.read.get("unknown") or ())

    def of(self, kind: str) -> list[Json]:
        return self.by_kind.get(kind, [])

    def is_unknown(self, kind: str) -> bool:
        """Whether some or all of a kind could not be read."""
        return any(one["kind"] == kind for one in self.unknown)

    def age(self, value: t.Any) -> int | None:
        """Seconds since a time."""
        moment = moment_of(value)
        return None if moment is None else max(0, int((self.now - moment).total_seconds()))

    def recorded_release(self, cluster: str, name: str) -> Json | None:
        """The last release of a service in the history; None without one."""
        found: Json | None = (self.read.get("releases") or {}).get(f"{cluster}/{name}")
        return found

    @cached_property
    def tags_of_images(self) -> dict[tuple[str, str], list[str]]:
        """Tags by repository and digest. A repository's name is what an image's address ends with."""
        return {
            (one["name"], image["imageDigest"]): sorted(image.get("imageTags") or ())
            for one in self.of("repository")
            for image in one["details"].get("images") or ()
        }

    @cached_property
    def revisions(self) -> dict[str, Json]:
        """Task definitions by their ARN: the newest one of each family, and older ones that services run."""
        families = (one["details"] for one in self.of("task definition"))
        read = (one for family in families for one in (family, *(family.get("revisions") or ())))
        return {one["taskDefinitionArn"]: one for one in read}

    @cached_property
    def newest(self) -> dict[str, str]:
        """The newest revision of each family, as `family:revision`."""
        arns = (last(one["details"].get("taskDefinitionArn")) for one in self.of("task definition"))
        return {arn.partition(":")[0]: arn for arn in arns}


def moment_of(value: t.Any) -> datetime.datetime | None:
    """A time as AWS's library returns it, or as text; None if there is none."""
    if isinstance(value, str) and value:
        try:
            value = datetime.datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime.datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=datetime.UTC)


def timestamp(value: t.Any) -> str | None:
    """A time as the status has it, in UTC."""
    moment = moment_of(value)
    return None if moment is None else f"{moment.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
