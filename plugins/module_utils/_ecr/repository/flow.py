# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ecr_repository does: read, plan, apply once, look again."""

from __future__ import annotations

import typing as t

from ..._core import tags as tagging
from ..._core.creating import converge, creating, persist, visible
from ..._core.errors import SlipwayError
from ..._core.plan import Plan, compare, remove
from ..._core.types import Client, Connection, Json, Result
from ..api import Target, find_repository
from . import api, model, policies


def run(connection: Connection) -> Result:
    return present(connection) if connection.params["state"] == "present" else absent(connection)


def present(connection: Connection) -> Result:
    """The repository exists and is as asked; what was not asked for is left alone."""
    return converge(lambda: _present(connection))


def _present(connection: Connection) -> Result:
    ecr, params, check_mode = connection.client("ecr"), connection.params, connection.check_mode
    shape = _request_shape(ecr, "CreateRepository")
    options = model.asked(shape, params, allow_unknown=check_mode)
    target = Target(params["name"], params["registry_id"])
    documents = [name for name in model.POLICIES if name in options]
    current = read_repository(ecr, target, documents)
    alias = model.alias_in(options)
    if alias and current:
        options[model.ENCRYPTION]["kmsKey"] = api.key_arn(connection.client("kms"), alias)
    planned = model.plan(current, options, params["tags"], params["purge_tags"])
    after: Json | None = planned.predicted
    if planned.changed and not check_mode:
        _apply(ecr, shape, target, current, planned, params["force_set_policy"])
        after = visible(lambda: read_repository(ecr, target, documents))
    return {"changed": planned.changed, "diff": planned.diff, "repository": after or {}}


def absent(connection: Connection) -> Result:
    """The repository does not exist; with `force` its images go with it."""
    ecr, params = connection.client("ecr"), connection.params
    target = Target(params["name"], params["registry_id"])
    model.check_name(_request_shape(ecr, "CreateRepository"), target.name)
    current = read_repository(ecr, target)
    if current is None:
        return {"changed": False, "diff": compare(None, {}).diff, "repository": {}}
    if not params["force"] and api.has_images(ecr, target):
        raise SlipwayError(
            model.NOT_EMPTY,
            f"The repository {target.name} has images. With force=true it is deleted together with them.",
            {"repository": current},
        )
    if not connection.check_mode and not api.delete_repository(ecr, target, params["force"]):
        return {"changed": False, "diff": compare(None, {}).diff, "repository": {}}
    return {"changed": True, "diff": remove(current).diff, "repository": {}}


def read_repository(ecr: Client, target: Target, documents: t.Collection[str] = ()) -> Json | None:
    """A repository with its tags and the policies named, or None."""
    answer = find_repository(ecr, target)
    return complete(ecr, target, answer, documents) if answer else None


def complete(ecr: Client, target: Target, answer: Json, documents: t.Collection[str], tags: bool = True) -> Json:
    readers = {"lifecycle_policy": api.get_lifecycle_policy, "policy": api.get_repository_policy}
    texts = {name: readers[name](ecr, target) for name in documents}
    return model.from_aws(answer, api.list_tags(ecr, answer["repositoryArn"]) if tags else [], texts)


def _apply(ecr: Client, shape: t.Any, target: Target, current: Json | None, planned: Plan, force: bool) -> None:
    wanted, members = planned.predicted, planned.members
    if current is None:
        request = model.create_request(shape, wanted, members)
        creating(lambda: api.create_repository(ecr, request), lambda: find_repository(ecr, target), diff=planned.diff)
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
    if model.MUTABILITY in members or model.FILTERS in members:
        api.put_image_tag_mutability(ecr, target, wanted[model.MUTABILITY], wanted[model.FILTERS])
    if model.SCANNING in members:
        api.put_image_scanning_configuration(ecr, target, wanted[model.SCANNING])
    if "tags" in members:
        put, gone = tagging.changes(current["tags"], wanted["tags"])
        api.tag_resource(ecr, current["repository_arn"], tagging.to_list(put, "Key", "Value"))
        api.untag_resource(ecr, current["repository_arn"], gone)


def _request_shape(ecr: Client, operation: str) -> t.Any:
    return ecr.meta.service_model.operation_model(operation).input_shape
