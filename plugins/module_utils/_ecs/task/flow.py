# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The flow of ecs_task_run: start a task, wait until it has stopped, read its output."""

from __future__ import annotations

import typing as t

from ..._core.creating import persist
from ..._core.error_codes import NOT_FOUND, TASK_FAILED, TIMEOUT
from ..._core.errors import SlipwayError
from ..._core.plan import UNKNOWN
from ..._core.types import Connection, Json, Result
from ..._core.waiting import poll
from ..cloud import Cloud
from ..limits import check_cluster
from ..rollout.diagnose import Evidence, diagnose, log_places
from ..rollout.render import render
from ..rollout.tasks import task_id
from ..service import api as service_api
from ..service.model import exists
from ..task_definition import api as definition_api
from . import api
from .model import chosen_container, exit_code, headline, is_over, request, runs_as

# CloudWatch returns lines shortly after the task has stopped.
LOG_SECONDS = 10.0
LOG_LINES = 100


def run(connection: Connection) -> Result:
    """The flow of ecs_task_run."""
    cloud, params = Cloud(connection.client), connection.params
    check_cluster(params["cluster"])
    service = _service(cloud, params["cluster"], params["service"])
    definition = definition_api.describe_task_definition(cloud.ecs, service["taskDefinition"]) or {}
    container = chosen_container(definition, params["container"])
    if connection.check_mode:
        return {"changed": True, "task_arn": UNKNOWN, "exit_code": 0, "output": []}
    call = request(params["cluster"], service, container, params["command"])
    started = persist(lambda: api.run_task(cloud.ecs, call))
    task, ended = _wait_stopped(cloud, params["cluster"], started, params["wait_timeout"])
    output = _output(cloud, task, definition, container)
    code = exit_code(task, container)
    if not ended or code != 0:
        raise _failure(params["service"], task, output, container, ended)
    return {"changed": True, "task_arn": task["taskArn"], "exit_code": code, "output": output}


def _service(cloud: Cloud, cluster: str, name: str) -> Json:
    services = service_api.describe_services(cloud.ecs, cluster, [name], include=["TAGS"])
    found = [runs_as(service) for service in services if exists(service)]
    if not found:
        message = f"service: expected a service of cluster {cluster}, got '{name}', which does not exist."
        raise SlipwayError(NOT_FOUND, message)
    if not found[0].get("taskDefinition"):
        message = f"service: expected one with a task definition or primary task set, got '{name}' without. Deploy it."
        raise SlipwayError(NOT_FOUND, message)
    return found[0]


def _wait_stopped(cloud: Cloud, cluster: str, task: Json, timeout: float) -> tuple[Json, bool]:
    """The stopped task, and whether it stopped by itself rather than because it timed out."""
    last = [task]

    def read() -> Json:
        last[:] = api.describe_tasks(cloud.ecs, cluster, [task["taskArn"]]) or last
        return last[0]

    try:
        return poll(
            read,
            is_over,
            timeout=timeout,
            waiting_for=lambda seen: f"task {task_id(task)} to stop ({seen.get('lastStatus', 'unknown')})",
        ), True
    except SlipwayError as error:
        api.stop_task(cloud.ecs, cluster, task["taskArn"], "Timed out.")
        if error.code != TIMEOUT:
            raise
        return last[0], False


def _output(cloud: Cloud, task: Json, definition: Json, container: str) -> list[str]:
    """The last lines of the container's output; none if it logs elsewhere or printed nothing."""
    places = [place for place in log_places(task, definition) if place.container == container]
    if not places or exit_code(task, container) is None:
        return []
    logs, place = cloud.logs(places[0].region), places[0]

    def lines() -> list[str]:
        return service_api.last_log_lines(logs, place.group, place.stream, LOG_LINES) or []

    try:
        return poll(lines, bool, timeout=LOG_SECONDS, waiting_for="the output")
    except SlipwayError as error:
        if error.code != TIMEOUT:
            raise
        return []


def _failure(service: str, task: Json, output: t.Sequence[str], container: str, ended: bool) -> SlipwayError:
    """The failure of a task, as text and as data."""
    failure = diagnose(Evidence(service={}, tasks=[task], logs={(task_id(task), container): output}))
    code = exit_code(task, container)
    text = render(headline(service, code, ended), failure)
    details = {"task_arn": task["taskArn"], "exit_code": code, "output": list(output), "failure": failure}
    return SlipwayError(TASK_FAILED if ended else TIMEOUT, text, details)
