# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the task definition modules do: read, plan, register at most once."""

from __future__ import annotations

import json
import typing as t
from collections import Counter
from dataclasses import dataclass

from ansible.module_utils.common.yaml import HAS_YAML, yaml_load

from ..._core import tags as tagging
from ..._core.error_codes import INVALID_OPTION, NOT_FOUND
from ..._core.errors import SlipwayError
from ..._core.masking import secrets_in
from ..._core.names import home_of
from ..._core.plan import UNKNOWN, Resource
from ..._core.shapes import check_options, option_names, to_members, to_options
from ..._core.types import Client, Connection, Json, Result
from .. import api as ecs_api
from ..arguments import TASK_DEFINITION_MEMBERS
from ..cluster import api as cluster_api
from ..limits import problems_of, refuse
from ..service import api as service_api
from ..task import api as task_api
from . import api
from .model import ACTIVE, Draft, Name, canonical, draft, from_document, merged, parse_name, tags_of
from .problems import definition_problems
from .registration import register

Params = t.Mapping[str, t.Any]
INACTIVE = "INACTIVE"
# What AWS writes beside what was registered; of a revision that does not exist yet these are unknown.
WRITTEN_BY_AWS = (
    "arn",
    "revision",
    "status",
    "requires_attributes",
    "compatibilities",
    "registered_at",
    "registered_by",
)


@dataclass(frozen=True)
class Wish:
    """What is asked for: a whole definition (`document`), or what differs from the current one (`options`), or both."""

    name: Name
    document: Json | None
    options: Json
    tags: tagging.Tags | None
    purge_tags: bool


def run(connection: Connection) -> Result:
    return present(connection) if connection.params["state"] == "present" else absent(connection)


def present(connection: Connection) -> Result:
    """The family's definition is as asked: at most one revision is registered."""
    ecs, params, check_mode = connection.client("ecs"), connection.params, connection.check_mode
    if params["keep_revisions"] is not None and params["keep_revisions"] < 1:
        raise SlipwayError(INVALID_OPTION, f"keep_revisions: expected 1 or more, got {params['keep_revisions']}.")
    wish = wish_of(ecs, params, check_mode)
    current = find(ecs, wish.name)
    result = apply(ecs, wish.name, current, plan(ecs, wish, current), check_mode)
    result["warnings"] = secret_warnings(wish)
    if params["keep_revisions"] is not None:
        _prune(ecs, result, params, check_mode)
    return result


def wish_of(ecs: Client, params: Params, check_mode: bool) -> Wish:
    """What the options of a task definition ask for, each checked."""
    request = _shape(ecs, "RegisterTaskDefinition").input_shape
    document, wrong = problems_of(lambda: _document(ecs, params, check_mode))
    options, wrong_too = problems_of(
        lambda: check_options(
            request, params, skip=("family", "tags"), members=TASK_DEFINITION_MEMBERS, allow_unknown=check_mode
        )
    )
    refuse(wrong + wrong_too)
    tags = params["tags"] if params["tags"] is not None else tags_of(document or {})
    return Wish(_name(params, document), document, options or {}, tags, params["purge_tags"])


def secret_warnings(wish: Wish) -> list[str]:
    """What is asked for and looks like a secret: it can be read wherever the task definition can be."""
    return [
        f"Task definition {wish.name.family}: {where.removeprefix('/container_definitions/')} looks like a secret."
        " Everybody who may describe the task definition can read it, so put it into `secrets`."
        for where, _name in secrets_in({**(wish.document or {}), **wish.options})
    ]


def absent(connection: Connection) -> Result:
    """No revision of the family, or not the one named, is active; with `delete` none is left."""
    ecs, params, check_mode = connection.client("ecs"), connection.params, connection.check_mode
    name = _name(params, _document(ecs, params, check_mode))
    active = _revisions(ecs, name, ACTIVE)
    left = _revisions(ecs, name, INACTIVE) if params["delete"] else []
    result: Result = {"deregistered": [], "deleted": []}
    _retire(ecs, result, active, left, params["delete"], check_mode)
    return _retired(result, {})


def find(ecs: Client, name: Name) -> Json | None:
    """A revision under the names of the result; of a bare family the newest active one."""
    answer = api.describe_task_definition(ecs, str(name))
    if answer and name.revision is None and answer.get("status") != ACTIVE:
        # AWS answers a family with its newest active revision; some emulators with the newest of all.
        newest = api.newest_task_definition(ecs, name.family, ACTIVE)
        answer = api.describe_task_definition(ecs, newest) if newest else None
    return _spell(answer) if answer else None


def plan(ecs: Client, wish: Wish, current: Json | None) -> Draft:
    """The revision that is asked for, beside the `current` one."""
    name, document = wish.name, wish.document
    if current is None and name.revision is not None:
        raise SlipwayError(NOT_FOUND, f"The task definition {name} does not exist.")
    names = option_names(_shape(ecs, "RegisterTaskDefinition").input_shape)
    settable = {option: value for option, value in (current or {}).items() if option in names and option != "tags"}
    whole = {option: value for option, value in document.items() if option != "tags"} if document else document
    wanted = {**merged(settable, whole, wish.options), "family": name.family}
    if not wanted.get("container_definitions"):
        raise SlipwayError(
            INVALID_OPTION, f"container_definitions is required for the first revision of family '{name.family}'."
        )
    has_tags = (current or {}).get("tags") or {}
    tags = tagging.desired(has_tags, wish.tags, wish.purge_tags)
    has = {**settable, "tags": has_tags, "status": current["status"]} if current else None
    drafted = draft(has, wanted, tags, home_of((current or {}).get("arn")))
    if drafted.is_new:  # what AWS has taken once is right
        refuse(definition_problems(wanted))
    return drafted


def apply(ecs: Client, name: Name, current: Json | None, planned: Draft, check_mode: bool) -> Result:
    """Register the revision, or write its tags, or neither; check mode predicts the same answer."""
    if (current is None or planned.is_new) and not check_mode:
        after, is_ours = _register(ecs, name, current, planned)
        if not is_ours:  # a run just before registered it, which the read did not show
            return {"changed": False, "diff": {"before": {}, "after": {}}, "task_definition": view(after)}
    elif current is None or planned.is_new:
        after = _predict(planned, _newest(ecs, name, current))
    else:
        if planned.plan.changed and not check_mode:
            put, gone = tagging.changes(current["tags"], planned.tags)
            ecs_api.tag_resource(ecs, current["arn"], tagging.to_list(put))
            ecs_api.untag_resource(ecs, current["arn"], gone)
        after = {**current, "tags": planned.tags}
    return {"changed": planned.plan.changed, "diff": planned.plan.diff, "task_definition": view(after)}


def view(revision: Resource) -> Json:
    """A revision as the modules return it: canonical, and its tags always there."""
    written = {name: revision[name] for name in revision if name not in ("tags", "status")}
    members = canonical({name: value for name, value in written.items() if name not in WRITTEN_BY_AWS})
    extra = {name: revision[name] for name in WRITTEN_BY_AWS if name in revision}
    return {**members, **extra, "tags": revision.get("tags") or {}}


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


def _shape(ecs: Client, operation: str) -> t.Any:
    return ecs.meta.service_model.operation_model(operation)


def _document(ecs: Client, params: Params, check_mode: bool) -> Json | None:
    """The definition given as a dict or a file, checked, under option names; None when there is none."""
    given = params["definition"]
    if params["definition_file"] is not None:
        given = _load(params["definition_file"])
    if given is None:
        return None
    request = _shape(ecs, "RegisterTaskDefinition").input_shape
    answer = _shape(ecs, "DescribeTaskDefinition").output_shape.members["taskDefinition"]
    options = from_document(given, request, answer)
    checked = check_options(request, options, skip=("tags",), allow_unknown=check_mode, strict=True)
    # AWS answers its own tags too, and takes them from nobody.
    own = {name: value for name, value in (tags_of(options) or {}).items() if not name.startswith(tagging.AWS)}
    return {**checked, **({"tags": tagging.checked(own)} if options.get("tags") is not None else {})}


def _load(path: str) -> t.Any:
    try:
        with open(path, encoding="utf-8-sig") as file:
            loaded = _parse(file.read(), path)
        json.dumps(loaded, ensure_ascii=False, default=str).encode()  # half of an emoji is no text
    except RecursionError as error:
        raise SlipwayError(INVALID_OPTION, f"definition_file: {path} is nested too deeply.") from error
    except (OSError, ValueError) as error:
        raise SlipwayError(INVALID_OPTION, f"definition_file: {path}: {error}") from error
    if not isinstance(loaded, dict):
        raise SlipwayError(INVALID_OPTION, f"definition_file: {path} holds no dictionary.")
    return loaded


def _parse(text: str, path: str) -> t.Any:
    """JSON first: YAML refuses some of it, such as tabs, an emoji in two escapes, or a key of over 1,024 characters."""
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except ValueError as error:
        not_json = error
    if not HAS_YAML:
        raise SlipwayError(INVALID_OPTION, "definition_file: the Python package PyYAML is required to read it.")
    try:
        return yaml_load(text)
    except Exception as error:  # PyYAML's errors have no base that can be named without importing it
        wrong = not_json if text.lstrip().startswith("{") else error
        raise SlipwayError(INVALID_OPTION, f"definition_file: {path} is neither JSON nor YAML: {wrong}") from error


def _unique(pairs: list[tuple[str, t.Any]]) -> Json:
    twice = [name for name, count in Counter(name for name, _value in pairs).items() if count > 1]
    if twice:
        raise SlipwayError(INVALID_OPTION, f"definition_file: expected each member once, got {', '.join(twice)} twice.")
    return dict(pairs)


def _name(params: Params, document: Json | None) -> Name:
    return parse_name(params["family"] or (document or {}).get("family") or "", params["revision"])


def _spell(answer: Json) -> Json:
    options = to_options(answer)
    arn = options.pop("task_definition_arn")
    return {**options, "arn": arn, "tags": tagging.from_list(answer.get("tags"))}


def _register(ecs: Client, name: Name, current: Json | None, planned: Draft) -> tuple[Json, bool]:
    """The revision, and whether it is this run's."""
    request = to_members(_shape(ecs, "RegisterTaskDefinition").input_shape, planned.request)
    tags = {name: text for name, text in planned.tags.items() if not name.startswith(tagging.RESERVED)}
    if tags:
        request["tags"] = tagging.to_list(tags)
    names = option_names(_shape(ecs, "RegisterTaskDefinition").input_shape)

    def equal(answer: Json) -> bool:
        there = _spell(answer)
        has = {member: value for member, value in there.items() if member in names}
        return not draft({**has, "status": there["status"]}, planned.request, tags, home_of(there["arn"])).plan.changed

    # Of a revision that was named, others have come after it.
    newest = None if name.revision else (current or {}).get("revision", 0)
    registered, is_ours = register(ecs, request, newest, equal)
    found = _spell(registered)
    return {**found, "tags": found["tags"] if not is_ours else tags}, is_ours


def _newest(ecs: Client, name: Name, current: Json | None) -> str | None:
    """ARN of the family's newest revision, active or not; the newest active one of a bare family is `current`."""
    active = api.newest_task_definition(ecs, name.family, ACTIVE) if name.revision else (current or {}).get("arn")
    arns = [active, api.newest_task_definition(ecs, name.family, INACTIVE)]
    return max((arn for arn in arns if arn), key=api.revision_of, default=None)


def _predict(planned: Draft, newest: str | None) -> Json:
    """The revision that would be registered: its number follows the newest one."""
    revision = api.revision_of(newest) + 1 if newest else 1
    arn = f"{newest.rpartition(':')[0]}:{revision}" if newest else UNKNOWN
    unknown = dict.fromkeys(WRITTEN_BY_AWS, UNKNOWN)
    return {
        **planned.plan.predicted,
        **unknown,
        "arn": arn,
        "revision": revision,
        "status": ACTIVE,
        "tags": planned.tags,
    }


def _revisions(ecs: Client, name: Name, status: str) -> list[str]:
    """ARNs of the named revision, or of all of the family, that are in a status."""
    arns = api.list_task_definitions(ecs, name.family, status)  # AWS does not describe every inactive revision
    return [arn for arn in arns if name.revision in (None, api.revision_of(arn))]


def _prune(ecs: Client, result: Result, params: Params, check_mode: bool) -> None:
    """Deregister what is older than the newest `keep_revisions` and runs nowhere."""
    own = result["task_definition"]
    active = [arn for arn in api.list_task_definitions(ecs, own["family"], ACTIVE) if arn != own["arn"]]
    newer = [arn for arn in active if api.revision_of(arn) > own["revision"]]
    surplus = active[max(params["keep_revisions"] - 1, len(newer)) :]
    if surplus:
        used = in_use(ecs, own["family"])
        surplus = [arn for arn in surplus if arn not in used]
    result.update({"deregistered": [], "deleted": []})
    _retire(ecs, result, surplus, [], params["delete"], check_mode)
    _retired(result, result["diff"])


def _retire(
    ecs: Client, result: Result, active: list[str], inactive: list[str], delete: bool, check_mode: bool
) -> None:
    """Deregister the `active` revisions and, when asked, delete them and the `inactive` ones."""
    result["deregistered"] = active
    result["deleted"] = [*active, *inactive] if delete else []
    if check_mode:
        return
    for arn in active:
        api.deregister_task_definition(ecs, arn)
    api.delete_task_definitions(ecs, result["deleted"])


def _retired(result: Result, diff: Json) -> Result:
    """Say in `changed` and `diff` what _retire did."""
    gone = list(dict.fromkeys([*result["deregistered"], *result["deleted"]]))
    before = {**diff.get("before", {}), **({"revisions": gone} if gone else {})}
    result["diff"] = {"before": before, "after": diff.get("after", {})}
    result["changed"] = bool(result.get("changed") or gone)
    return result
