# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The flow of ecs_service_logs: find the log streams of services, read them, and follow them until interrupted."""

from __future__ import annotations

import collections
import datetime
import typing as t

from ..._core.error_codes import INVALID_OPTION, NOT_FOUND
from ..._core.errors import SlipwayError
from ..._core.names import last
from ..._core.types import Connection, Json, Result
from ..._core.waiting import Clock, interruptible, show
from ..cloud import Cloud
from ..limits import check_cluster
from ..service import api as service_api
from ..service.model import exists
from ..task_definition import api as definition_api
from . import api, model

# Seconds between two reads, and between two looks at which revisions the services run.
READ_EVERY = 1.0
REFRESH_EVERY = 10.0


def run(connection: Connection) -> Result:
    """The flow of ecs_service_logs."""
    cloud, params = Cloud(connection.client), connection.params
    _check(params)
    reader = Reader(cloud, params, _now() - params["since"] * 1000)
    kept: collections.deque[model.Line] = collections.deque(maxlen=params["lines"] or None)
    first = reader.read()
    kept += first
    _show(first)
    if params["follow"] and not connection.check_mode:
        _follow(reader, kept, float(params["follow_timeout"]))
    return {
        "changed": False,
        "lines": [line.to_result() for line in kept],
        "services": reader.services,
        "warnings": reader.problems,
    }


def _check(params: Json) -> None:
    check_cluster(params["cluster"])
    for name in ("since", "lines", "follow_timeout"):
        if params[name] < 0:
            raise SlipwayError(INVALID_OPTION, f"{name}: expected 0 or more, got {params[name]}.")


def _now() -> int:
    """In milliseconds since 1970."""
    return int(datetime.datetime.now(datetime.UTC).timestamp() * 1000)


def _show(lines: t.Iterable[model.Line]) -> None:
    show(
        f"{model.moment(line.at).astimezone():%H:%M:%S}  {line.service}/{line.container}  {line.message}"
        for line in lines
    )


def _follow(reader: Reader, kept: collections.deque[model.Line], timeout: float) -> None:
    """Read new lines until the time is over or the run is interrupted."""
    clock = Clock()
    end, refresh = clock.now() + timeout, clock.now() + REFRESH_EVERY
    try:
        with interruptible():
            while not timeout or clock.now() < end:
                clock.sleep(READ_EVERY)
                if clock.now() >= refresh:
                    refresh = clock.now() + REFRESH_EVERY
                    reader.find()
                new = reader.read()
                kept += new
                _show(new)
    except KeyboardInterrupt:
        # That is how a person ends it.
        return


class Reader:
    """The logs of services, each event once."""

    def __init__(self, cloud: Cloud, params: Json, since: int) -> None:
        self.cloud = cloud
        self.cluster, self.names = params["cluster"], params["services"]
        self.containers, self.pattern = params["containers"], params["filter"]
        self.since = since
        self.services: list[str] = []
        self.problems: list[str] = []
        self.found: list[model.Source] = []
        self.seen: dict[model.Place, model.Seen] = {}
        self.definitions: dict[str, Json] = {}
        self.find()

    def find(self) -> None:
        """Find the log streams of all revisions that the services run. Those of earlier ones are kept."""
        given = service_api.list_services(self.cloud.ecs, self.cluster) if self.names is None else list(self.names)
        found = [one for one in service_api.describe_services(self.cloud.ecs, self.cluster, given) if exists(one)]
        names = {str(one["serviceName"]) for one in found}
        self._check_missing([name for name in self.names or () if last(name) not in names])
        self.services = sorted({*self.services, *names})
        for service in found:
            for arn in _definitions(service):
                some, problems = model.sources(str(service["serviceName"]), self._definition(arn))
                self.found += [one for one in some if not self.containers or one.container in self.containers]
                self._warn(problems)
        self.found = list(dict.fromkeys(self.found))

    def _check_missing(self, missing: list[str]) -> None:
        """A service that is deleted while it is followed may be created again, and the others continue."""
        message = f"services: expected services that exist in cluster {self.cluster}, got {', '.join(missing)}."
        if missing and not self.found:
            raise SlipwayError(NOT_FOUND, message, {"missing": missing})
        self._warn([message] if missing else ())

    def read(self) -> list[model.Line]:
        """The lines that are new, in the order of their times."""
        places: dict[model.Place, list[model.Source]] = {}
        for source in model.merged(self.found):
            places.setdefault(source.place, []).append(source)
        lines = [line for place, some in places.items() for line in self._read(place, some)]
        return sorted(lines, key=lambda line: line.at)

    def _read(self, place: model.Place, sources: list[model.Source]) -> list[model.Line]:
        seen = self.seen.setdefault(place, model.Seen(self.since))
        logs, prefix = self.cloud.logs(place.region), model.common_prefix(sources)
        events = api.filter_log_events(logs, place.group, prefix, self.pattern, seen.start)
        if events is None:
            self._warn([f"The log group {place.group} does not exist. No task has written to it yet."])
        return seen.new(events or (), sources, _now())

    def _definition(self, arn: str) -> Json:
        """A task definition, which never changes."""
        if arn not in self.definitions:
            self.definitions[arn] = definition_api.describe_task_definition(self.cloud.ecs, arn) or {}
        return self.definitions[arn]

    def _warn(self, problems: t.Iterable[str]) -> None:
        self.problems += [problem for problem in problems if problem not in self.problems]


def _definitions(service: Json) -> list[str]:
    """The task definitions that tasks of a service run: during a rollout there are two."""
    rolled_out = [str(one.get("taskDefinition") or "") for one in service.get("deployments") or ()]
    return sorted({*rolled_out, str(service.get("taskDefinition") or "")} - {""})
