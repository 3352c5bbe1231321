# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deregisters and deletes revisions: those that are named, or those that are too many, run nowhere, and that no release
of the history needs."""

from __future__ import annotations

from ..._core.error_codes import ACCESS_DENIED
from ..._core.errors import SlipwayError
from ..._core.history import Entry
from ..._core.history_api import read_history
from ..._core.names import last
from ..._core.tags import PROJECT
from ..._core.types import Client, Connection, Json, Result
from ..cluster import api as cluster_api
from ..history.needs import needed_revisions
from ..service import api as service_api
from ..task import api as task_api
from . import api
from .model import ACTIVE, Name


def revisions(ecs: Client, name: Name, status: str) -> list[str]:
    """ARNs of the named revision, or of all of the family, that are in a status."""
    arns = api.list_task_definitions(ecs, name.family, status)  # AWS does not describe every inactive revision
    return [arn for arn in arns if name.revision in (None, api.revision_of(arn))]


def prune(connection: Connection, result: Result) -> None:
    """Deregister what is older than the newest `keep_revisions`, runs nowhere and is in no release of the history."""
    ecs, params = connection.client("ecs"), connection.params
    own = result["task_definition"]
    active = [arn for arn in api.list_task_definitions(ecs, own["family"], ACTIVE) if arn != own["arn"]]
    newer = [arn for arn in active if api.revision_of(arn) > own["revision"]]
    surplus = active[max(params["keep_revisions"] - 1, len(newer)) :]
    if surplus:
        used = in_use(ecs, own["family"])
        surplus = _without_needed(connection, result, [arn for arn in surplus if arn not in used])
    result.update({"deregistered": [], "deleted": []})
    retire(ecs, result, surplus, [], params["delete"], connection.check_mode)
    with_retired(result, result["diff"])


def _without_needed(connection: Connection, result: Result, surplus: list[str]) -> list[str]:
    """Those that no release of the project's history needs. None if that is unknown."""
    project = result["task_definition"]["tags"].get(PROJECT)
    if not project or not surplus:
        return surplus
    entries: list[Entry] = []
    problem = ""
    try:
        entries = read_history(connection.client("ssm"), project).entries
    except SlipwayError as error:
        if error.code != ACCESS_DENIED:
            raise
        problem = error.msg
    if unread := [f"release {entry.number}" for entry in entries if entry.record.services is None]:
        problem = f"The record of {', '.join(unread)} cannot be read."
    if problem:
        text = (
            "keep_revisions: no revision is deregistered, because the revisions that the history of the project"
            f" {project} needs"
        )
        result["warnings"] = [*(result.get("warnings") or ()), f"{text} is unknown. {problem}"]
        return []
    needed = needed_revisions(entries)
    return [arn for arn in surplus if last(arn) not in needed]


def retire(ecs: Client, result: Result, active: list[str], inactive: list[str], delete: bool, check_mode: bool) -> None:
    """Deregister the `active` revisions and, when asked, delete them and the `inactive` ones."""
    result["deregistered"] = active
    result["deleted"] = [*active, *inactive] if delete else []
    if check_mode:
        return
    for arn in active:
        api.deregister_task_definition(ecs, arn)
    api.delete_task_definitions(ecs, result["deleted"])


def with_retired(result: Result, diff: Json) -> Result:
    """Say in `changed` and `diff` what retire did."""
    retired = list(dict.fromkeys([*result["deregistered"], *result["deleted"]]))
    before = {**diff.get("before", {}), **({"revisions": retired} if retired else {})}
    result["diff"] = {"before": before, "after": diff.get("after", {})}
    result["changed"] = bool(result.get("changed") or retired)
    return result


def in_use(ecs: Client, family: str) -> set[str]:
    """ARNs of the revisions that a service (in any of its deployments) or a task in the region runs."""
    used: set[str] = set()
    for cluster in cluster_api.list_clusters(ecs):
        for service in service_api.describe_services(ecs, cluster, service_api.list_services(ecs, cluster)):
            runs = [service, *service.get("deployments", ()), *service.get("taskSets", ())]
            used |= {run["taskDefinition"] for run in runs if run.get("taskDefinition")}
        tasks = task_api.describe_tasks(ecs, cluster, task_api.list_tasks(ecs, cluster, family=family))
        used |= {task["taskDefinitionArn"] for task in tasks}
    return used
