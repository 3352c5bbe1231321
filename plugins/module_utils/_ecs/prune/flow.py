# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The flow of project_prune: read everything once, plan, and delete what no kept release needs and nothing runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from ..._core.calls import CONNECTIONS
from ..._core.error_codes import HISTORY_UNREADABLE, INVALID_OPTION, RELEASE_IN_PROGRESS
from ..._core.errors import SlipwayError
from ..._core.history import FEWEST_KEPT, Entry, kept_numbers, surplus, words
from ..._core.history_api import History, read_history
from ..._core.paging import batches
from ..._core.plan import remove
from ..._core.types import Client, Connection, Json, Result
from ..cloud import Cloud
from ..history import api as history_api
from ..history.lock_flow import current_holder
from ..history.needs import needed_revisions
from ..task_definition import api as definition_api
from . import api
from .images import Image, ImagePlan, plan_images
from .model import Age, Kept, RevisionPlan, plan_revisions
from .read_flow import Snapshot, read_images, read_revisions, read_uses


def run(connection: Connection) -> Result:
    """The flow of project_prune."""
    params, cloud = connection.params, Cloud(connection.client)
    _check_options(params)
    history = read_history(cloud.ssm, params["project"])
    entries = _kept_entries(history, params["keep_releases"], params["project"])
    if not entries:
        reason = "no release is recorded, so it is unknown what is obsolete"
        return _result([], RevisionPlan([], [], []), [], [Kept("project", params["project"], reason)])
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        snapshot = Snapshot(cloud, pool, params["project"])
        runs, needs = read_uses(snapshot)
        revisions, others = read_revisions(snapshot, runs)
        age = Age(history.now, params["keep_days"])
        planned = plan_revisions(revisions, needed_revisions(entries), runs, age)
        needs.add_releases(entries)
        needs.add_revisions([*(one for one, _reason in planned.kept), *others])
        repositories, shared = read_images(snapshot)
    images = [plan_images(some, needs, age) for some in repositories]
    releases = sorted(history.names.keys() - kept_numbers(history.names, history.newest, params["keep_releases"]))
    result = _result(releases, planned, images, [*_kept(planned, images), *shared])
    if not connection.check_mode:
        _delete(cloud, surplus(history.names, history.newest, params["keep_releases"]), planned, images)
    return result


def _check_options(params: Json) -> None:
    for option, least in (("keep_releases", FEWEST_KEPT), ("keep_days", 0)):
        if params[option] < least:
            raise SlipwayError(INVALID_OPTION, f"{option}: expected {least} or more, got {params[option]}.")


def _kept_entries(history: History, keep: int, project: str) -> list[Entry]:
    """The releases that are kept. Fails if one is in progress, or if it is unknown what one needs."""
    if running := current_holder(history):
        text = f"Another release of the project {project} is in progress: {words(running.number, running.record)}."
        raise SlipwayError(RELEASE_IN_PROGRESS, f"{text} Nothing was deleted. Wait until it ends, then rerun.")
    kept = kept_numbers(history.names, history.newest, keep)
    entries = [entry for entry in history.entries if entry.number in kept]
    for entry in entries:
        if entry.number in history.problems or entry.record.services is None:
            problem = history.problems.get(entry.number, "its services cannot be read")
            text = (
                f"Release {entry.number} of the project {project}: {problem}. The revisions and images that it needs"
                " are unknown."
            )
            raise SlipwayError(HISTORY_UNREADABLE, f"{text} Nothing was deleted.", {"release": entry.number})
    return entries


def _kept(planned: RevisionPlan, images: Sequence[ImagePlan]) -> Iterator[Kept]:
    for revision, reason in planned.kept:
        yield Kept("task definition", revision.name, reason)
    for plan in images:
        for image, reason in plan.kept:
            yield Kept("image", image.name, reason)


def _result(
    releases: Sequence[int], planned: RevisionPlan, images: Sequence[ImagePlan], kept: Sequence[Kept]
) -> Result:
    deleted = [image for plan in images for image in plan.delete]
    names = {
        "releases": list(releases),
        "task_definitions": [one.name for one in planned.delete],
        "images": [one.name for one in deleted],
    }
    before = {name: some for name, some in names.items() if some}
    return {
        "changed": bool(before),
        "diff": remove(before).diff,
        "deleted": {
            "releases": list(releases),
            "task_definitions": names["task_definitions"],
            "images": [_image(one) for one in deleted],
            "bytes": sum(one.size for one in deleted),
        },
        "kept": [one._asdict() for one in kept],
    }


def _image(image: Image) -> Json:
    return {"repository": image.repository, "digest": image.digest, "tags": list(image.tags), "bytes": image.size}


def _delete(cloud: Cloud, parameters: Sequence[str], planned: RevisionPlan, images: Sequence[ImagePlan]) -> None:
    """Delete the records first, so that the history never lists a release whose revisions are deleted."""
    history_api.delete(cloud.ssm, parameters)
    _delete_revisions(cloud.ecs, planned)
    for plan in images:
        if plan.delete:
            api.delete_images(cloud.ecr, plan.delete[0].repository, [one.digest for one in plan.delete])


def _delete_revisions(ecs: Client, planned: RevisionPlan) -> None:
    """Deregister and delete a few at a time, so that a killed run leaves few that are only deregistered."""
    active = {one.arn for one in planned.deregister}
    for some in batches(planned.delete, definition_api.DELETE_BATCH):
        for one in some:
            if one.arn in active:
                definition_api.deregister_task_definition(ecs, one.arn)
        definition_api.delete_task_definitions(ecs, [one.arn for one in some])
