# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds images of earlier releases that no longer exist in the account's registry."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from ..._core.types import Client
from . import api
from .images import images_of, problems, with_registry


def image_problems(ecr: Client, images: Mapping[str, Sequence[Sequence[t.Any]]], registry: str | None) -> list[str]:
    """Which images of services cannot run any more, one sentence each. Those of other registries are not checked."""
    if not any(images.values()):
        return []
    repositories = with_registry(api.list_repositories(ecr), registry)
    known = [image for service, some in images.items() for image in images_of(service, some, repositories)]
    wanted = {image.repository: [one.id for one in known if one.repository == image.repository] for image in known}
    found = {repository: api.find_images(ecr, repository, ids) for repository, ids in wanted.items()}
    return problems(known, found)
