# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run does or, in check mode, would do, from the results of its tasks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

Json = Mapping[str, Any]

# The host that is not named: this machine.
HERE = "localhost"
CREATE, UPDATE, DELETE, UNCLEAR, KEEP = "create", "update", "delete", "create or update", "keep"
# Carries the project's tag and is in no variable; kept unless slipway_prune is set.
OBSOLETE = "obsolete"
MARKS = {CREATE: "+", UPDATE: "~", DELETE: "-", UNCLEAR: "?", OBSOLETE: "!"}
# These read, wait or steer. What they report is never a resource that the run manages.
READERS = {
    "add_host",
    "assert",
    "debug",
    "fail",
    "include_role",
    "include_tasks",
    "include_vars",
    "import_role",
    "import_tasks",
    "meta",
    "package_facts",
    "pause",
    "reboot",
    "require",
    "set_fact",
    "setup",
    "stat",
    "uri",
    "validate_argument_spec",
    "wait_for",
    "wait_for_connection",
}
# Modules that return no diff, and where their prediction has the identity of an existing resource. AWS assigns it; a
# resource that does not exist yet has none.
IDENTITIES = {
    "amazon.aws.cloudwatchlogs_log_group": "arn",
    "amazon.aws.ec2_eip": "allocation_id",
    "amazon.aws.ec2_instance": "instance_ids",
    "amazon.aws.ec2_key": "key.id",
    "amazon.aws.ec2_vpc_endpoint": "result.vpc_endpoint_id",
    "amazon.aws.ec2_vpc_igw": "gateway_id",
    "amazon.aws.ec2_vpc_nat_gateway": "nat_gateway_id",
    "amazon.aws.ec2_vpc_net": "vpc.id",
    "amazon.aws.ec2_vpc_route_table": "route_table.id",
    "amazon.aws.ec2_vpc_subnet": "subnet.id",
    "amazon.aws.elb_application_lb": "load_balancer_arn",
    "amazon.aws.iam_role": "iam_role.arn",
}
# The states of services in the result of a release.
STATES = {"created": CREATE, "updated": UPDATE}
# Where a module cannot predict, a debug task of the same name does, with "Would" and a verb; others update.
VERBS = {"create": CREATE, "build": CREATE, "push": CREATE, "tag": CREATE, "delete": DELETE}


@dataclass(frozen=True)
class Entry:
    """One resource that a run creates, updates, deletes or keeps, as the run names it."""

    group: str
    host: str
    task: str
    item: str
    kind: str

    def __str__(self) -> str:
        return f"{self.task} ({self.item})" if self.item else self.task

    def identity(self) -> dict[str, str]:
        return {"group": self.group, "host": self.host, "task": self.task, "item": self.item}


def of_task(task: Any, host: str, name: str, item: str, result: Json) -> list[Entry]:
    """The entries of a result of one of Ansible's tasks, which has this name after templating."""
    # A task that never reports a change reads, or is a part of another one's work.
    if task.changed_when == [False]:
        return []
    return list(entries(Entry(role_of(task), host, name, item, KEEP), task.action, result))


def role_of(task: Any) -> str:
    """The role of one of Ansible's tasks, without this collection's name."""
    return str(task._role.get_name()).removeprefix("slipway.aws.") if task._role else "playbook"


def entries(named: Entry, module: str, result: Json) -> Iterator[Entry]:
    """The entries of a task's result; `named` has the names. A release has one for each of its services."""
    services = result.get("services")
    if module.endswith(".ecs_release") and isinstance(services, Mapping):
        for name, service in services.items():
            yield Entry(named.group, named.host, named.task, name, STATES.get(service["state"], KEEP))
    elif isinstance(result.get("obsolete"), Sequence):
        yield from _obsolete(named, result)
    elif result.get("changed") or manages(module):
        yield Entry(named.group, named.host, named.task, named.item, _kind(module, result))


def _obsolete(named: Entry, result: Json) -> Iterator[Entry]:
    """Resources that the run deletes have entries of their own, of the tasks that delete them."""
    prunes = (result.get("invocation") or {}).get("module_args", {}).get("prune")
    for one in result["obsolete"]:
        if one["kept_because"] or not prunes:
            more = "; ".join(text for text in (one["state"], one["kept_because"]) if text)
            item = f"{one['name']}, {more}" if more else one["name"]
            yield Entry(named.group, named.host, f"Obsolete: {one['kind']}", item, OBSOLETE)


def manages(module: str) -> bool:
    name = module.rpartition(".")[2]
    return name not in READERS and not name.endswith("_info")


def _kind(module: str, result: Json) -> str:
    if not result.get("changed"):
        return KEEP
    if module.endswith(".debug"):
        would, _space, rest = str(result.get("msg", "")).partition(" ")
        return VERBS.get(rest.partition(" ")[0], UPDATE) if would == "Would" else UNCLEAR
    if (result.get("invocation") or {}).get("module_args", {}).get("state") == "absent":
        return DELETE
    if result.get("diff"):
        return _kind_of_diff(result["diff"])
    if module in IDENTITIES:
        return UPDATE if _at(result, IDENTITIES[module]) else CREATE
    # With `creates`, a command runs where that file is missing.
    return CREATE if module.endswith(".command") else UNCLEAR


def of_existing(diff: Any) -> list[Any]:
    """The parts of a diff without those of new resources, which repeat what was desired."""
    return [part for part in _parts(diff) if part and ("before" not in part or _is_filled(part["before"]))]


def _parts(diff: Any) -> Sequence[Any]:
    return diff if isinstance(diff, Sequence) and not isinstance(diff, str) else [diff]


def _is_filled(value: Any) -> bool:
    if isinstance(value, Mapping):
        return value.get("state") != "absent" and any(map(_is_filled, value.values()))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return any(map(_is_filled, value))
    return value not in (None, "")


def _kind_of_diff(diff: Any) -> str:
    parts = _parts(diff)
    exists = {side: any(_exists(part.get(side)) for part in parts) for side in ("before", "after")}
    if not exists["before"]:
        return CREATE if exists["after"] else UNCLEAR
    return UPDATE if exists["after"] else DELETE


def _exists(side: Any) -> bool:
    return bool(side) and not (isinstance(side, Mapping) and side.get("state") == "absent")


def _at(result: Any, path: str) -> Any:
    for name in path.split("."):
        result = result.get(name) if isinstance(result, Mapping) else None
    # A module invents one.
    return None if str(result).endswith("-xxxxxxxx") else result


def listing(known: Iterable[Entry]) -> list[str]:
    """The list, role by role in the order of the run."""
    changes = [entry for entry in known if entry.kind != KEEP]
    lines = []
    for (group, host), some in groupby(changes, key=lambda entry: (entry.group, entry.host)):
        lines.append(group if host == HERE else f"{group}, on {host}")
        lines += [f"  {MARKS[entry.kind]} {entry}" for entry in some]
    return lines


def summary(known: Sequence[Entry]) -> str:
    counts = {kind: sum(entry.kind == kind for entry in known) for kind in (*MARKS, KEEP)}
    always = {CREATE, UPDATE, KEEP}
    found = [f"{count} to {kind}" for kind, count in counts.items() if kind in always or (count and kind != OBSOLETE)]
    found += [f"{counts[OBSOLETE]} {OBSOLETE} (deleted with -e slipway_prune=true)"] if counts[OBSOLETE] else []
    return ", ".join(found) + "."
