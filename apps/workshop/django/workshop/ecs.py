"""Which ECS task is this? The container agent answers over HTTP, at an address in the environment."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.request import ProxyHandler, build_opener
from zlib import crc32

ADDRESS_VARIABLE = "ECS_CONTAINER_METADATA_URI_V4"
TIMEOUT_SECONDS = 1
HUES = 12


class MetadataError(Exception):
    """This is ECS, but the metadata endpoint does not say which task."""


@dataclass(frozen=True)
class Task:
    """What the page shows of a task."""

    id: str
    family: str
    revision: str
    zone: str
    image: str

    @property
    def hue(self) -> int:
        """A number for the page's colour, so that two tasks are easy to distinguish."""
        return crc32(self.id.encode()) % HUES

    @property
    def short_image(self) -> str:
        """The image without its registry, the digest as short as people quote it."""
        name, __, digest = self.image.rpartition("/")[2].partition("@sha256:")
        return f"{name}@sha256:{digest[:12]}" if digest else name


def current_task() -> Task | None:
    """The task that this process runs in; None outside ECS."""
    address = os.environ.get(ADDRESS_VARIABLE)
    return _read_task(address) if address else None


@cache  # A task never changes. A failure is raised, so it is not kept, and the next visit asks again.
def _read_task(address: str) -> Task:
    try:
        task, container = _get(f"{address}/task"), _get(address)
        return Task(
            id=task["TaskARN"].rpartition("/")[2],
            family=task["Family"],
            revision=str(task["Revision"]),
            zone=task.get("AvailabilityZone", ""),
            image=container["Image"],
        )
    except (OSError, ValueError, KeyError) as error:
        raise MetadataError(f"{type(error).__name__}: {error}") from error


def _get(address: str) -> dict[str, Any]:
    # The endpoint is on this machine: no proxy of the environment is used.
    with build_opener(ProxyHandler({})).open(address, timeout=TIMEOUT_SECONDS) as answer:
        document = json.load(answer)
    if not isinstance(document, dict):
        raise ValueError("the answer is no JSON object")
    return document
