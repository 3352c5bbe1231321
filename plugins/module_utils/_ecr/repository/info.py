# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ecr_repository_info does: read repositories and what is selected of each."""

from __future__ import annotations

import typing as t

from ..._core.types import Client, Connection, Json, Result
from ..api import Target, find_repository
from ..image import api as image_api
from ..image import model as images
from ..image.flow import images_with_tags
from . import api, model
from .flow import complete

Params = t.Mapping[str, t.Any]


def run(connection: Connection) -> Result:
    """Repositories, with what is selected of each."""
    ecr, params = connection.client("ecr"), connection.params
    wanted = set(params["include"]) | ({"images"} if params["image_tags"] else set())
    return {
        "changed": False,
        "repositories": [_describe(ecr, answer, wanted, params) for answer in _repositories(ecr, params)],
    }


def _repositories(ecr: Client, params: Params) -> list[Json]:
    if params["names"] is None:
        return sorted(api.list_repositories(ecr, params["registry_id"]), key=lambda answer: answer["repositoryName"])
    # One call each: AWS refuses a call that names several when one of them is missing.
    found = (find_repository(ecr, Target(name, params["registry_id"])) for name in params["names"])
    return [answer for answer in found if answer]


def _describe(ecr: Client, answer: Json, wanted: t.Collection[str], params: Params) -> Json:
    target = Target(answer["repositoryName"], params["registry_id"])
    documents = [name for name in model.POLICIES if name in wanted]
    described = model.from_api(complete(ecr, target, answer, documents, "tags" in wanted))
    if "tags" not in wanted:
        del described["tags"]
    if "images" in wanted:
        described["images"] = [images.to_result(detail) for detail in _details(ecr, target, params["image_tags"])]
    return described


def _details(ecr: Client, target: Target, tags: t.Sequence[str] | None) -> list[Json]:
    return images.newest_first(images_with_tags(ecr, target, tags) if tags else image_api.list_images(ecr, target))
