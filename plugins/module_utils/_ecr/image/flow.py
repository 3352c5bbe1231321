# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ecr_image_tag does: read, compare, apply once, read again. Many tags are compared together."""

from __future__ import annotations

import typing as t

from ..._core.error_codes import NOT_FOUND
from ..._core.errors import SlipwayError
from ..._core.plan import UNKNOWN, Plan, compare, remove
from ..._core.types import Client, Connection, Json, Result
from ..api import Target, find_repository
from . import api, model

Params = t.Mapping[str, t.Any]


def run(connection: Connection) -> Result:
    return present(connection) if connection.params["state"] == "present" else absent(connection)


def present(connection: Connection) -> Result:
    """The tags name the source image."""
    ecr, params, check_mode = connection.client("ecr"), connection.params, connection.check_mode
    target, tags = Target(params["repository"], params["registry_id"]), _tags(params)
    if check_mode and params["source"] == UNKNOWN:
        return _tagged(compare(None, {"tags": dict.fromkeys(tags, UNKNOWN)}), UNKNOWN, tags)
    source = model.image_id(params["source"])
    found, details = _read_images(ecr, target, [source, *({"imageTag": tag} for tag in tags)])
    names = model.tag_map(details)
    digest = source.get("imageDigest") or names.get(params["source"])
    image = found.get(digest or "")
    if image is None or digest is None:
        raise SlipwayError(
            NOT_FOUND,
            f"source: expected an image of the repository {target.name}, got {params['source']}. Push it first.",
        )
    before = {tag: names[tag] for tag in tags if tag in names}
    planned = compare({"tags": before}, {"tags": dict.fromkeys(tags, digest)})
    moving = [tag for tag in before if before[tag] != digest]
    if moving:
        model.refuse_immutable(moving, find_repository(ecr, target) or {})
    if planned.changed and not check_mode:
        for tag in planned.after["tags"]:
            api.put_image(ecr, target, image, tag)
        names = model.tag_map(api.describe_images(ecr, target, [digest]))
    return _tagged(planned, digest, {*tags, *(tag for tag, named in names.items() if named == digest)})


def absent(connection: Connection) -> Result:
    """No image has the tags."""
    ecr, params = connection.client("ecr"), connection.params
    target, tags = Target(params["repository"], params["registry_id"]), _tags(params)
    details = images_with_tags(ecr, target, tags)
    there = {tag: digest for tag, digest in model.tag_map(details).items() if tag in tags}
    if not params["force"]:
        model.refuse_last(tags, details)
    if there and not connection.check_mode:
        api.delete_image_tags(ecr, target, sorted(there))
    diff = remove({"tags": there} if there else {}).diff
    return {"changed": bool(there), "diff": diff, "image": {}}


def _read_images(ecr: Client, target: Target, ids: t.Sequence[Json]) -> tuple[dict[str, Json], list[Json]]:
    """The images that exist of those named, by digest with their manifests, and their details.

    Two reads: the first finds what exists, the second reads all tags and fails for what does not exist.
    """
    unique = list({str(item): item for item in ids}.values())
    images = api.get_images(ecr, target, unique)
    found = {image["imageId"]["imageDigest"]: image for image in images}
    requested = [image["imageId"] for image in images if {"imageTag": image["imageId"].get("imageTag")} in unique]
    return found, model.with_tags(api.describe_images(ecr, target, sorted(found)), requested)


def images_with_tags(ecr: Client, target: Target, tags: t.Sequence[str]) -> list[Json]:
    """Details of the images that have one of the tags; none where there is no model."""
    try:
        return _read_images(ecr, target, [{"imageTag": tag} for tag in tags])[1]
    except SlipwayError as error:
        if error.code == NOT_FOUND:
            return []
        raise


def _tags(params: Params) -> list[str]:
    tags = list(dict.fromkeys(params["tags"]))
    model.check_tags(tags)
    return tags


def _tagged(planned: Plan, digest: str, tags: t.Iterable[str]) -> Result:
    image = {"image_digest": digest, "image_tags": sorted(tags)}
    return {"changed": planned.changed, "diff": planned.diff, "image": image}
