# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the ECR modules do: read, plan, apply once, look again."""

from __future__ import annotations

import base64
import typing as t
import urllib.parse

from .._core import tags as tagging
from .._core.creating import converge, creating, persist, visible
from .._core.errors import NOT_FOUND, SlipwayError
from .._core.module import Connection
from .._core.plan import UNKNOWN, Plan, compare, remove
from .._core.types import Client, Json, Result
from . import api, policies, repository
from . import image as images
from .api import Target

Params = t.Mapping[str, t.Any]


def repository_present(connection: Connection) -> Result:
    """The repository exists and is as asked; what was not asked for is left alone."""
    return converge(lambda: _repository_present(connection))


def _repository_present(connection: Connection) -> Result:
    ecr, params, check_mode = connection.client("ecr"), connection.params, connection.check_mode
    shape = _request_shape(ecr, "CreateRepository")
    options = repository.asked(shape, params, allow_unknown=check_mode)
    target = Target(params["name"], params["registry_id"])
    documents = [name for name in repository.POLICIES if name in options]
    current = read_repository(ecr, target, documents)
    alias = repository.alias_in(options)
    if alias and current:
        options[repository.ENCRYPTION]["kmsKey"] = api.key_arn(connection.client("kms"), alias)
    planned = repository.plan(current, options, params["tags"], params["purge_tags"])
    after: Json | None = planned.predicted
    if planned.changed and not check_mode:
        _apply(ecr, shape, target, current, planned, params["force_set_policy"])
        after = visible(lambda: read_repository(ecr, target, documents))
    return {"changed": planned.changed, "diff": planned.diff, "repository": after or {}}


def repository_absent(connection: Connection) -> Result:
    """The repository does not exist; with `force` its images go with it."""
    ecr, params = connection.client("ecr"), connection.params
    target = Target(params["name"], params["registry_id"])
    repository.check_name(_request_shape(ecr, "CreateRepository"), target.name)
    current = read_repository(ecr, target)
    if current is None:
        return {"changed": False, "diff": compare(None, {}).diff, "repository": {}}
    if not params["force"] and api.has_images(ecr, target):
        raise SlipwayError(
            repository.NOT_EMPTY,
            f"The repository {target.name} has images. With force=true it is deleted together with them.",
            {"repository": current},
        )
    if not connection.check_mode and not api.delete_repository(ecr, target, params["force"]):
        return {"changed": False, "diff": compare(None, {}).diff, "repository": {}}
    return {"changed": True, "diff": remove(current).diff, "repository": {}}


def repository_info(connection: Connection) -> Result:
    """Repositories, with as much of each as was asked for."""
    ecr, params = connection.client("ecr"), connection.params
    wanted = set(params["include"]) | ({"images"} if params["image_tags"] else set())
    return {
        "changed": False,
        "repositories": [_describe(ecr, answer, wanted, params) for answer in _repositories(ecr, params)],
    }


def authorization_info(connection: Connection) -> Result:
    """A user name and a password for the registry, out of AWS's token."""
    answer = api.get_authorization(connection.client("ecr"))
    username, _colon, password = base64.b64decode(answer["authorizationToken"]).decode().partition(":")
    return {
        "changed": False,
        "username": username,
        "password": password,
        "registry": urllib.parse.urlsplit(answer["proxyEndpoint"]).netloc,
        "expires_at": answer["expiresAt"].isoformat(),
    }


def image_tags_present(connection: Connection) -> Result:
    """The tags name the source image."""
    ecr, params, check_mode = connection.client("ecr"), connection.params, connection.check_mode
    target, tags = Target(params["repository"], params["registry_id"]), _tags(params)
    if check_mode and params["source"] == UNKNOWN:
        return _tagged(compare(None, {"tags": dict.fromkeys(tags, UNKNOWN)}), UNKNOWN, tags)
    source = images.image_id(params["source"])
    found, details = _read_images(ecr, target, [source, *({"imageTag": tag} for tag in tags)])
    names = images.tag_map(details)
    digest = source.get("imageDigest") or names.get(params["source"])
    image = found.get(digest or "")
    if image is None or digest is None:
        raise SlipwayError(NOT_FOUND, f"The repository {target.name} has no image {params['source']}.")
    before = {tag: names[tag] for tag in tags if tag in names}
    planned = compare({"tags": before}, {"tags": dict.fromkeys(tags, digest)})
    moving = [tag for tag in before if before[tag] != digest]
    if moving:
        images.refuse_immutable(moving, api.find_repository(ecr, target) or {})
    if planned.changed and not check_mode:
        for tag in planned.after["tags"]:
            api.put_image(ecr, target, image, tag)
        names = images.tag_map(api.describe_images(ecr, target, [digest]))
    return _tagged(planned, digest, {*tags, *(tag for tag, named in names.items() if named == digest)})


def image_tags_absent(connection: Connection) -> Result:
    """No image has the tags."""
    ecr, params = connection.client("ecr"), connection.params
    target, tags = Target(params["repository"], params["registry_id"]), _tags(params)
    details = _images_with_tags(ecr, target, tags)
    there = {tag: digest for tag, digest in images.tag_map(details).items() if tag in tags}
    if not params["force"]:
        images.refuse_last(tags, details)
    if there and not connection.check_mode:
        api.delete_image_tags(ecr, target, sorted(there))
    diff = remove({"tags": there} if there else {}).diff
    return {"changed": bool(there), "diff": diff, "image": {}}


def read_repository(ecr: Client, target: Target, documents: t.Collection[str] = ()) -> Json | None:
    """A repository with its tags and the policies named, or None."""
    answer = api.find_repository(ecr, target)
    return _complete(ecr, target, answer, documents) if answer else None


def _complete(ecr: Client, target: Target, answer: Json, documents: t.Collection[str], tags: bool = True) -> Json:
    readers = {"lifecycle_policy": api.get_lifecycle_policy, "policy": api.get_repository_policy}
    texts = {name: readers[name](ecr, target) for name in documents}
    return repository.from_aws(answer, api.list_tags(ecr, answer["repositoryArn"]) if tags else [], texts)


def _apply(ecr: Client, shape: t.Any, target: Target, current: Json | None, planned: Plan, force: bool) -> None:
    wanted, members = planned.predicted, planned.members
    if current is None:
        request = repository.create_request(shape, wanted, members)
        creating(
            lambda: api.create_repository(ecr, request), lambda: api.find_repository(ecr, target), diff=planned.diff
        )
    else:
        _update(ecr, target, current, wanted, members)
    if "lifecycle_policy" in members:
        if wanted["lifecycle_policy"]:
            api.put_lifecycle_policy(ecr, target, policies.text(wanted["lifecycle_policy"]))
        else:
            api.delete_lifecycle_policy(ecr, target)
    if "policy" in members:
        if wanted["policy"]:
            # Its principals may be roles that were created just before.
            persist(lambda: api.set_repository_policy(ecr, target, policies.text(wanted["policy"]), force))
        else:
            api.delete_repository_policy(ecr, target)


def _update(ecr: Client, target: Target, current: Json, wanted: Json, members: t.Collection[str]) -> None:
    if repository.MUTABILITY in members or repository.FILTERS in members:
        api.put_image_tag_mutability(ecr, target, wanted[repository.MUTABILITY], wanted[repository.FILTERS])
    if repository.SCANNING in members:
        api.put_image_scanning_configuration(ecr, target, wanted[repository.SCANNING])
    if "tags" in members:
        put, gone = tagging.changes(current["tags"], wanted["tags"])
        api.tag_resource(ecr, current["repository_arn"], tagging.to_list(put, "Key", "Value"))
        api.untag_resource(ecr, current["repository_arn"], gone)


def _repositories(ecr: Client, params: Params) -> list[Json]:
    if params["names"] is None:
        return sorted(api.list_repositories(ecr, params["registry_id"]), key=lambda answer: answer["repositoryName"])
    # One call each: AWS refuses a call that names several when one of them is missing.
    found = (api.find_repository(ecr, Target(name, params["registry_id"])) for name in params["names"])
    return [answer for answer in found if answer]


def _describe(ecr: Client, answer: Json, wanted: t.Collection[str], params: Params) -> Json:
    target = Target(answer["repositoryName"], params["registry_id"])
    documents = [name for name in repository.POLICIES if name in wanted]
    described = _complete(ecr, target, answer, documents, "tags" in wanted)
    if "tags" not in wanted:
        del described["tags"]
    if "images" in wanted:
        described["images"] = [images.view(detail) for detail in _details(ecr, target, params["image_tags"])]
    return described


def _details(ecr: Client, target: Target, tags: t.Sequence[str] | None) -> list[Json]:
    return images.newest_first(_images_with_tags(ecr, target, tags) if tags else api.list_images(ecr, target))


def _read_images(ecr: Client, target: Target, ids: t.Sequence[Json]) -> tuple[dict[str, Json], list[Json]]:
    """The images that exist of those named, by digest with their manifests, and their details.

    Two reads: the first tells what exists, the second, which cannot be asked for what does not, all tags.
    """
    unique = list({str(item): item for item in ids}.values())
    found = {image["imageId"]["imageDigest"]: image for image in api.get_images(ecr, target, unique)}
    return found, api.describe_images(ecr, target, sorted(found))


def _images_with_tags(ecr: Client, target: Target, tags: t.Sequence[str]) -> list[Json]:
    """Details of the images that have one of the tags; none where there is no repository."""
    try:
        return _read_images(ecr, target, [{"imageTag": tag} for tag in tags])[1]
    except SlipwayError as error:
        if error.code == NOT_FOUND:
            return []
        raise


def _tags(params: Params) -> list[str]:
    tags = list(dict.fromkeys(params["tags"]))
    images.check_tags(tags)
    return tags


def _tagged(planned: Plan, digest: str, tags: t.Iterable[str]) -> Result:
    image = {"image_digest": digest, "image_tags": sorted(tags)}
    return {"changed": planned.changed, "diff": planned.diff, "image": image}


def _request_shape(ecr: Client, operation: str) -> t.Any:
    return ecr.meta.service_model.operation_model(operation).input_shape
