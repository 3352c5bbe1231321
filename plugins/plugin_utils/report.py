# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the report says of a project: everything that its page shows. Pure."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._core.error_codes import UNSUPPORTED
from ansible_collections.slipway.aws.plugins.module_utils._project.status import health, release
from ansible_collections.slipway.aws.plugins.module_utils._project.status import service as states
from ansible_collections.slipway.aws.plugins.module_utils._project.status.model import status
from ansible_collections.slipway.aws.plugins.module_utils._project.status.project import moment_of
from ansible_collections.slipway.aws.plugins.plugin_utils import cost, live_cost
from ansible_collections.slipway.aws.plugins.plugin_utils.drift import shown
from ansible_collections.slipway.aws.plugins.plugin_utils.report_drawing import Drawing
from ansible_collections.slipway.aws.plugins.plugin_utils.report_layout import drawn, sheets
from ansible_collections.slipway.aws.plugins.plugin_utils.report_topology import (
    BAD,
    OK,
    UNKNOWN,
    WAITING,
    Topology,
    topology,
)

Json = Mapping[str, Any]

# The mark of what neither works nor fails, such as a stopped service, and the text where there is no value.
NONE, EMPTY = "none", "None"
# Of the page itself, of a tablet, of a phone, and of paper.
WIDTHS = {"wide": 1080.0, "middle": 720.0, "narrow": 360.0}
PAPER = 900.0
# Newest first; older ones are in ECS and CloudTrail.
MOST_RELEASES, MOST_EVENTS = 20, 30
# What ECS says again and again of a service where nothing happens.
STEADY = "has reached a steady state"

# How states of services, of their health and of releases are marked.
MARKS = {
    states.STABLE: OK,
    states.DEPLOYING: WAITING,
    states.FAILING: BAD,
    states.STOPPED: NONE,
    states.DELETING: WAITING,
    health.HEALTHY: OK,
    health.DEGRADED: BAD,
    health.UNHEALTHY: BAD,
    health.STARTING: WAITING,
    health.UNCHECKED: NONE,
    health.UNKNOWN: UNKNOWN,
    release.SUCCEEDED: OK,
    release.IN_PROGRESS: WAITING,
    release.ROLLING_BACK: WAITING,
    release.ROLLED_BACK: BAD,
    release.ROLLBACK_FAILED: BAD,
    release.FAILED: BAD,
    release.INTERRUPTED: BAD,
    release.UNFINISHED: BAD,
}


@dataclass(frozen=True)
class Fact:
    """A figure at the top of the page, with a link to the section that explains it."""

    label: str
    value: str
    note: str
    section: str
    mark: str = ""


@dataclass(frozen=True)
class Event:
    at: datetime.datetime
    service: str
    key: str
    text: str
    number: int
    """How many events in a row say the same."""


@dataclass(frozen=True)
class Release:
    at: datetime.datetime
    service: str
    key: str
    definition: str
    outcome: str
    reason: str
    seconds: int | None


@dataclass(frozen=True)
class Difference:
    """A resource that differs from its record, with each member as text: its name, the record, and now."""

    kind: str
    name: str
    how: str
    members: tuple[tuple[str, str, str], ...]
    remedy: str


@dataclass(frozen=True)
class Drift:
    """`unchanged` is the number of resources that equal their record; `unknown` says what could not be compared."""

    differences: tuple[Difference, ...]
    unchanged: int
    unknown: tuple[str, ...]
    since: tuple[datetime.datetime, ...]


@dataclass(frozen=True)
class Page:
    """All that the template shows. `drift` is None if no role has a record."""

    project: str
    region: str
    account: str
    caller: str
    at: datetime.datetime
    version: str
    verdict: str
    mark: str
    facts: tuple[Fact, ...]
    description: str
    pictures: Sequence[tuple[str, Drawing]]
    """Each with the medium that it is for."""
    services: Sequence[Json]
    releases: Sequence[Release]
    events: Sequence[Event]
    costs: live_cost.Costs
    drift: Drift | None
    unknown: Sequence[Json]
    resources: Sequence[Json]
    local: bool

    @property
    def attention(self) -> list[Json]:
        return [one for one in self.services if one["problems"]]


def page(project: str, read: Json, now: datetime.datetime, version: str, endpoint: str = "") -> Page:
    """`read` is what the module project_report reads: the result of project_info with details, and the drift."""
    # An API that does not exist at this endpoint, as on the local cloud, hides nothing.
    unread = [one for one in read["unknown"] if one["code"] != UNSUPPORTED]
    found = status(project, {**read, "unknown": unread}, now, endpoint)
    region, account = str(found["region"] or ""), str(found["account"] or "")
    where = topology(read["resources"], region, account)
    kinds = [str(one["kind"]) for one in unread]
    costs = live_cost.costs(read["resources"], region, kinds, cost.prices())
    releases = _releases(found["services"])
    drift = drift_of(read.get("drift"))
    verdict, mark = _verdict(found)
    return Page(
        project=project,
        region=region,
        account=account,
        caller=str((read.get("caller") or {}).get("arn") or ""),
        at=now,
        version=version,
        verdict=verdict,
        mark=mark,
        facts=tuple(_facts(found, releases, costs, drift)),
        description=described(where),
        pictures=[
            *((medium, drawn(where, width)) for medium, width in WIDTHS.items()),
            *(("paper", sheet) for sheet in sheets(where, PAPER)),
        ],
        services=found["services"],
        releases=releases[:MOST_RELEASES],
        events=_events(read["resources"])[:MOST_EVENTS],
        costs=costs,
        drift=drift,
        unknown=found["unknown"],
        resources=found["resources"],
        local=bool(endpoint),
    )


def summary(of: Page) -> dict[str, Any]:
    """What the module returns."""
    return {
        "verdict": of.verdict,
        "attention": [str(one["name"]) for one in of.attention],
        "unknown": sorted({str(one["action"]) for one in of.unknown}),
        "month": round(of.costs.total, 2),
    }


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _verdict(found: Json) -> tuple[str, str]:
    """The sentence at the top, and its mark."""
    services = found["services"]
    failing = [one for one in services if one["problems"]]
    if failing:
        verb = "needs" if len(failing) == 1 else "need"
        return f"{len(failing)} of {counted(len(services), 'service')} {verb} attention", BAD
    if found["unknown"]:
        return "Parts of the project could not be read", UNKNOWN
    deploying = sum(one["state"] == states.DEPLOYING for one in services)
    if deploying:
        return (
            f"{deploying} of {counted(len(services), 'service')} {'is' if deploying == 1 else 'are'} deploying",
            WAITING,
        )
    if not services:
        return "No services" if found["summary"]["resources"] else "No resources", NONE
    if len(services) == 1:
        return f"The service is {services[0]['state']}", MARKS[services[0]["state"]]
    stopped = sum(one["state"] == states.STOPPED for one in services)
    if stopped == len(services):
        return f"All {stopped} services are stopped", NONE
    if stopped:
        return f"{len(services) - stopped} of {len(services)} services run, {stopped} stopped", OK
    return f"All {len(services)} services are stable", OK


def _facts(found: Json, releases: Sequence[Release], costs: live_cost.Costs, drift: Drift | None) -> Iterator[Fact]:
    services = found["services"]
    counts = Counter(one["state"] for one in services)
    listed = ", ".join(f"{number} {state}" for state, number in counts.most_common())
    yield Fact("Services", str(len(services)), listed or "none", "services")
    running, desired = (sum(one["tasks"][name] for one in services) for name in ("running", "desired"))
    yield Fact("Tasks", f"{running} of {desired}", "running of desired", "services", "" if running >= desired else BAD)
    if releases:
        last = releases[0]
        yield Fact(
            "Last release", ago(found_age(found, last.at)), words(last.outcome), "activity", MARKS.get(last.outcome, "")
        )
    else:
        yield Fact("Last release", EMPTY, "none found", "activity")
    yield Fact("Cost", f"${costs.total:,.0f}", "a month, estimated", "cost")
    yield _drift_fact(drift)


def found_age(found: Json, at: datetime.datetime) -> int:
    now = moment_of(found["read_at"]) or at
    return max(0, int((now - at).total_seconds()))


UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"))


def lasted(seconds: int) -> str:
    """A duration in its largest unit."""
    for size, unit in UNITS:
        if seconds >= size:
            return counted(seconds // size, unit)
    return counted(seconds, "second")


def ago(seconds: int) -> str:
    return f"{lasted(seconds)} ago"


def words(code: str) -> str:
    return code.replace("_", " ")


def key_of(service: Json) -> str:
    return f"{service['cluster']}/{service['name']}"


def _releases(services: Sequence[Json]) -> list[Release]:
    """The last release of each service, newest first."""
    found = []
    for one in services:
        last = one["release"]
        started = moment_of(last["started_at"]) or moment_of(one["deployed_at"])
        ended = moment_of(last["ended_at"])
        if at := ended or started:
            seconds = int((ended - started).total_seconds()) if ended and started else None
            definition = str(one["task_definition"] or "")
            found.append(Release(at, one["name"], key_of(one), definition, last["outcome"], last["reason"], seconds))
    return sorted(found, key=lambda one: (-one.at.timestamp(), one.service))


def _events(resources: Sequence[Json]) -> list[Event]:
    """What ECS says of the services, newest first; of those in a steady state once."""
    found: list[Event] = []
    for one in resources:
        if one["kind"] == "service":
            found += _events_of(one["details"])
    return sorted(found, key=lambda one: (-one.at.timestamp(), one.service))


def _events_of(service: Json) -> Iterator[Event]:
    cluster = str(service.get("clusterArn") or "").rpartition("/")[2]
    name = str(service.get("serviceName"))
    previous: Event | None = None
    for event in service.get("events") or ():
        at = moment_of(event.get("createdAt"))
        text = str(event.get("message") or "").removeprefix(f"(service {name})").strip()
        if at is None:
            continue
        if previous and previous.text == text:
            previous = Event(previous.at, name, previous.key, text, previous.number + 1)
            continue
        if previous:
            yield previous
        previous = Event(at, name, f"{cluster}/{name}", text, 1)
    if previous:
        yield previous


# Values of these are not shown: they may be secrets, and the report is made to be passed on.
HIDDEN = ("environment", "UserData", "userData")


def drift_of(found: Json | None) -> Drift | None:
    if found is None:
        return None
    moments = (moment_of(one["at"]) for one in found["records"].values())
    return Drift(
        tuple(_difference(one) for one in found["resources"]),
        len(found["unchanged"]),
        tuple(str(one["message"]) for one in found["unknown"]),
        tuple(sorted(moment for moment in moments if moment)),
    )


def _difference(one: Json) -> Difference:
    members = []
    for member in one["members"]:
        name = str(member["member"])
        hidden = any(word in name for word in HIDDEN)
        values = ("not shown", "not shown") if hidden else (shown(member["recorded"]), shown(member["actual"]))
        members.append((name, *values))
    return Difference(str(one["kind"]), str(one["name"]), str(one["drift"]), tuple(members), str(one["remedy"]))


def _drift_fact(drift: Drift | None) -> Fact:
    if drift is None:
        return Fact("Drift", "Unknown", "no record", "drift", UNKNOWN)
    if drift.differences:
        return Fact("Drift", counted(len(drift.differences), "resource"), "differ from the last run", "drift", BAD)
    if drift.unknown:
        return Fact("Drift", "Unknown", "not everything could be compared", "drift", UNKNOWN)
    return Fact("Drift", EMPTY, "as the last run left it", "drift", OK)


def described(where: Topology) -> str:
    """The picture in words."""
    text = [f"Region {where.region}."]
    for vpc in where.vpcs:
        text.append(f"VPC {vpc.name} in {counted(len(vpc.zones), 'zone')}.")
        for balancer in vpc.balancers:
            targets = list(dict.fromkeys(rule.target for rule in balancer.rules))
            reach = "internet-facing" if balancer.public else "internal"
            text.append(f"The {reach} load balancer {balancer.name} forwards to {', '.join(targets) or 'nothing'}.")
        for zone in vpc.zones:
            for subnet in zone.subnets:
                inside = [*(f"{one.kind} {one.name}" for one in subnet.nodes)]
                inside += [f"{counted(sum(one.states.values()), 'task')} of {one.service}" for one in subnet.workloads]
                kind = f"{subnet.reach} subnet".strip()
                text.append(f"Zone {zone.name}, {kind} {subnet.name}: {', '.join(inside) or 'empty'}.")
    text += [f"{one.service} in no subnet: {one.note}." for one in where.idle]
    text += [f"{card.title}: {len(card.entries)}." for card in where.cards]
    return " ".join(text)
