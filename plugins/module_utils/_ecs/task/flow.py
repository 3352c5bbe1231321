# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The flow of ecs_task_run: start tasks, wait until they have stopped, show and return their output."""

from __future__ import annotations

import hashlib

from ..._core.error_codes import INTERRUPTED, NOT_FOUND, TASK_FAILED, TIMEOUT
from ..._core.errors import SlipwayError
from ..._core.plan import UNKNOWN
from ..._core.types import Connection, Json, Result
from ..._core.waiting import interruptible, say
from ..cloud import Cloud
from ..limits import check_cluster, refuse
from ..service import api as service_api
from ..service.model import exists
from ..task_definition import api as definition_api
from .model import chosen_container, merged_overrides, override_problems, request, runs_as
from .options_flow import as_text, given_members
from .outcome import exit_code, explained, failure_of, headline, to_result
from .run_flow import StartedTasks, find, start


def run(connection: Connection) -> Result:
    """The flow of ecs_task_run."""
    cloud, params = Cloud(connection.client), connection.params
    check_cluster(params["cluster"])
    given = given_members(cloud.ecs, params, connection.check_mode)
    service = _service(cloud, params["cluster"], params["service"]) if params["service"] else {}
    definition = _definition(cloud, params["task_definition"] or service["taskDefinition"])
    container = chosen_container(definition, params["container"])
    environment = as_text(params["environment"])
    overrides = merged_overrides(given.pop("overrides", None), container, params["command"], environment)
    refuse(override_problems(overrides, definition))
    given["taskDefinition"] = definition["taskDefinitionArn"]
    if connection.check_mode:
        return {"changed": True, "task_arn": UNKNOWN, "exit_code": 0, "output": [], "tasks": []}
    found, call = _once(cloud, request(params["cluster"], service, given, overrides), params)
    started = StartedTasks(cloud, params["cluster"], definition, container, lambda line: say(f"| {line}"), found)
    with interruptible():
        try:
            if not found:
                start(started, call, params["client_token"] or "")
            if params["wait"]:
                started.wait(params["wait_timeout"])
        except KeyboardInterrupt:
            raise _stopped(started, SlipwayError(INTERRUPTED, "Interrupted."), is_new=not found) from None
        except SlipwayError as error:
            if not started.tasks:
                raise
            raise _stopped(started, error, is_new=not found) from error
    return _result(started, params, is_new=not found)


def _service(cloud: Cloud, cluster: str, name: str) -> Json:
    services = service_api.describe_services(cloud.ecs, cluster, [name], include=["TAGS"])
    found = [runs_as(service) for service in services if exists(service)]
    if not found:
        message = f"service: expected a service of cluster {cluster}, got '{name}', which does not exist."
        raise SlipwayError(NOT_FOUND, message)
    if not found[0].get("taskDefinition"):
        message = (
            f"service: expected a service with a task definition or primary task set, got '{name}' without. Deploy it."
        )
        raise SlipwayError(NOT_FOUND, message)
    return found[0]


def _definition(cloud: Cloud, name: str) -> Json:
    definition = definition_api.describe_task_definition(cloud.ecs, name)
    if definition is None:
        raise SlipwayError(NOT_FOUND, f"task_definition: expected an active revision, got none for '{name}'.")
    return definition


def _once(cloud: Cloud, call: Json, params: Json) -> tuple[list[Json], Json]:
    """The tasks of an earlier run with the same token, and the request, which marks new ones for later runs."""
    if not params["client_token"] or params["started_by"]:
        return [], call
    mark = hashlib.sha256(params["client_token"].encode()).hexdigest()[:32]
    call = {**call, "startedBy": f"{call['startedBy']}/{mark}"}
    return find(cloud, params["cluster"], call["startedBy"]), call


def _result(started: StartedTasks, params: Json, is_new: bool) -> Result:
    if params["wait"] and started.failed:
        raise _failure(started, params)
    results = [to_result(task, started.container, started.logs) for task in started.tasks]
    first = {name: results[0][name] for name in ("task_arn", "exit_code", "output")}
    return {"changed": is_new, **first, "tasks": results, "warnings": [_unread(gap) for gap in started.unread]}


def _unread(gap: str) -> str:
    return f"Could not be read: {gap}"


def _stopped(started: StartedTasks, error: SlipwayError, is_new: bool) -> SlipwayError:
    """The failure of a run that cannot wait any longer. It stops what it has started, and says what stands."""
    names = ", ".join(task["taskArn"] for task in started.tasks)
    if not names:
        text = "No task was started."
    elif is_new:
        text = " ".join(started.stop("Interrupted.") or [f"The tasks that this run started were stopped: {names}."])
    else:
        text = f"The tasks of an earlier run with this client_token were not changed: {names}."
    say(f"{error.msg} {text}")
    results = [to_result(task, started.container, started.logs) for task in started.tasks]
    first = {name: results[0][name] for name in ("task_arn", "exit_code", "output")} if results else {}
    return SlipwayError(error.code, f"{error.msg} {text}", {**error.details, **first, "tasks": results})


def _failure(started: StartedTasks, params: Json) -> SlipwayError:
    """The failure of tasks, as text and as data."""
    task, container = started.failed[0], started.container
    failure = failure_of(started.failed, started.definition, started.logs, started.unread)
    name = params["service"] or params["task_definition"]
    what = f"with the settings of service {name}" if params["service"] else f"of task definition {name}"
    text = explained(headline(what, exit_code(task, container), started.ended), failure)
    results = [to_result(one, container, started.logs) for one in started.tasks]
    first = next(one for one in results if one["task_arn"] == task["taskArn"])
    details = {name: first[name] for name in ("task_arn", "exit_code", "output")}
    return SlipwayError(
        TASK_FAILED if started.ended else TIMEOUT, text, {**details, "tasks": results, "failure": failure}
    )
