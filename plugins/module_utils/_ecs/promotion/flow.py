# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds the images that a stage gets from another one, and whether it can reach them."""

from __future__ import annotations

from ..._core.error_codes import ACCESS_DENIED, NOT_PROMOTABLE
from ..._core.errors import SlipwayError
from ..._core.types import Connection, Json, Result
from ..history import api as history_api
from . import model
from .registry import Image, located, unreachable


def run(connection: Connection) -> Result:
    """The flow of promotion_info."""
    params = connection.params
    source, services = params["source"], params["services"]
    if params["target"] is None:
        return _kept(source, services, connection.check_mode)
    target = params["target"]
    found = model.find(source, target, services, unstable=params["unstable"])
    problems = [*found.problems]
    if model.is_same(source, target):
        problems = [f"{model.label(source)}: expected another stage, got this one. Set another inventory."]
    elif not problems:
        problems = _registry_problems(connection, found.images, str(target["account"]))
    _refuse(problems)
    return {
        "changed": False,
        "images": found.images,
        "containers": found.containers,
        "promoted_from": model.origin(source, services),
    }


def _kept(source: Json, services: list[Json], check_mode: bool) -> Result:
    """The images that the stage itself runs."""
    found = model.find(source, source, services, unstable=True)
    if check_mode:
        return {"changed": False, "images": model.predicted(found, services), "containers": found.containers}
    _refuse(model.missing(found))
    return {"changed": False, "images": found.images, "containers": found.containers}


def _refuse(problems: list[str]) -> None:
    if problems:
        raise SlipwayError(NOT_PROMOTABLE, "\n".join(problems), {"problems": problems})


def _registry_problems(connection: Connection, images: dict[str, str], account: str) -> list[str]:
    """Images of ECR that the credentials cannot reach. Those of other registries are not checked."""
    places: dict[tuple[str, str, str], list[Image]] = {}
    for image in located(sorted(set(images.values())), connection.params["registry"] or ""):
        places.setdefault((image.account, image.region, image.repository), []).append(image)
    problems = []
    for (owner, region, repository), some in places.items():
        ids = [{"imageDigest": image.digest} for image in some]
        try:
            found = history_api.find_images(connection.client("ecr", region), repository, ids, owner)
        except SlipwayError as error:
            if error.code != ACCESS_DENIED:
                raise
            problems += [unreachable(image, account, f"no permission: {error.msg}") for image in some]
            continue
        digests = {one.get("imageDigest") for one in found or ()}
        reason = "no such repository" if found is None else "no such image in the repository"
        problems += [unreachable(image, account, reason) for image in some if image.digest not in digests]
    return problems
