# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ecs_task_run does: start a task, wait for its end, read what it printed."""

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
from . import api as task_api
from .model import chosen_container, exit_code, headline, is_over, request, runs_as

# CloudWatch shows lines a little later than the task has ended.
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
    asked = request(params["cluster"], service, container, params["command"])
    started = persist(lambda: task_api.run_task(cloud.ecs, asked))
    task, ended = _followed(cloud, params["cluster"], started, params["wait_timeout"])
    output = _output(cloud, task, definition, container)
    code = exit_code(task, container)
    if not ended or code != 0:
        raise _failure(params["service"], task, output, container, ended)
    return {"changed": True, "task_arn": task["taskArn"], "exit_code": code, "output": output}


def _service(cloud: Cloud, cluster: str, name: str) -> Json:
    services = service_api.describe_services(cloud.ecs, cluster, [name], include=["TAGS"])
    found = [runs_as(service) for service in services if exists(service)]
    if not found:
        raise SlipwayError(NOT_FOUND, f"There is no service {name} in cluster {cluster}.")
    if not found[0].get("taskDefinition"):
        raise SlipwayError(NOT_FOUND, f"The service {name} has no task definition and no primary task set yet.")
    return found[0]


def _followed(cloud: Cloud, cluster: str, task: Json, timeout: float) -> tuple[Json, bool]:
    """The task at its end; or, when the time is over, stopped by us, and False."""
    last = [task]

    def observe() -> Json:
        last[:] = api.describe_tasks(cloud.ecs, cluster, [task["taskArn"]]) or last
        return last[0]

    try:
        return poll(
            observe,
            is_over,
            timeout=timeout,
            waiting_for=lambda seen: f"task {task_id(task)} to end ({seen.get('lastStatus', 'unknown')})",
        ), True
    except SlipwayError as error:
        task_api.stop_task(cloud.ecs, cluster, task["taskArn"], "It did not end in time.")
        if error.code != TIMEOUT:
            raise
        return last[0], False


def _output(cloud: Cloud, task: Json, definition: Json, container: str) -> list[str]:
    """The last lines that the container printed; none where it logs elsewhere or printed nothing."""
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
    """The end of a task that failed, in words and as data."""
    failure = diagnose(Evidence(service={}, tasks=[task], logs={(task_id(task), container): output}))
    code = exit_code(task, container)
    text = render(headline(service, code, ended), failure)
    details = {"task_arn": task["taskArn"], "exit_code": code, "output": list(output), "failure": failure}
    return SlipwayError(TASK_FAILED if ended else TIMEOUT, text, details)
