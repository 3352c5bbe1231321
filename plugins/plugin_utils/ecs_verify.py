# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of a site: which are valid, which failed and how, and which tasks do not run what was released. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import named
from ansible_collections.slipway.aws.plugins.module_utils._ecs.release import verification
from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_app_ports import containers

Json = dict[str, Any]
# What each type requires and may have, apart from a name.
MEMBERS = {
    "http": ({"type"}, {"path", "status", "content"}),
    "tcp": ({"type", "host", "port"}, {"from"}),
    "command": ({"type", "command"}, {"from", "service", "container", "content"}),
}
# The first one is the default.
PLACES = {"tcp": ("here", "docker_host"), "command": ("task", "here", "docker_host")}
PAGE: Json = {"path": "/", "status": 200, "content": ""}
# As much of an answer as a message shows, and as many tasks as it names; the others are counted.
SHOWN, NAMED = 2000, 3


# Checks


def place_of(check: Json) -> str:
    places = PLACES.get(str(check.get("type")), ("",))
    return str(check.get("from") or places[0])


def pages(checks: Sequence[Json], url: str, address: str) -> list[Json]:
    """The checks of pages, each with the URL of its request. `address` is asked in place of the host in `url`."""
    host = urlsplit(url).netloc
    target = url.replace(host, address, 1) if address else url
    found = ({**PAGE, **_given(check)} for check in checks if check.get("type") == "http")
    return [{**check, "url": target + check["path"], "shown_url": url + check["path"], "host": host} for check in found]


def others(checks: Sequence[Json], kind: str) -> list[Json]:
    found = [check for check in checks if check.get("type") == kind]
    return [{"content": "", **_given(check), "from": place_of(check)} for check in found]


def _given(check: Json) -> Json:
    return {name: value for name, value in check.items() if value is not None}


def check_problems(checks: Sequence[Json], services: Sequence[str]) -> list[str]:
    """What is wrong with the checks, a sentence each."""
    counted = Counter(str(check.get("name")) for check in checks)
    found = [
        f"ecs_verify_checks: expected each name once, got {name} {count} times."
        for name, count in counted.items()
        if count > 1
    ]
    for index, check in enumerate(checks):
        found += [f"ecs_verify_checks[{index}]{named(check)}{problem}" for problem in problems_of(check, services)]
    return found


def problems_of(check: Json, services: Sequence[str]) -> Iterator[str]:
    """What is wrong with one check, each after the place of the check."""
    kind = check.get("type")
    if kind not in MEMBERS:
        yield f".type: expected {', '.join(MEMBERS)}, got {'none' if kind is None else repr(kind)}."
        return
    given = set(_given(check)) - {"name"}
    required, allowed = MEMBERS[kind]
    for name in sorted(required - given):
        yield f".{name}: expected a value, as type {kind} requires it, got none."
    for name in sorted(given - required - allowed):
        yield f".{name}: expected none, as type {kind} has no {name}, got {check[name]!r}. Remove it."
    yield from _values(_given(check))
    yield from _places(_given(check), services)


def _values(check: Json) -> Iterator[str]:
    """What is wrong with given values."""
    if "path" in check and not str(check["path"]).startswith("/"):
        yield f".path: expected a path that begins with a slash, got {check['path']!r}."
    yield from (f".{problem}" for problem in verification.value_problems(check))
    if check.get("command") == []:
        yield ".command: expected a client and its arguments, got an empty list."


def _places(check: Json, services: Sequence[str]) -> Iterator[str]:
    places = PLACES.get(check["type"], ())
    place = place_of(check)
    if places and place not in places:
        yield f".from: expected one of {', '.join(places)}, got {place!r}."
    if place == "task" and check["type"] == "command" and check.get("service") not in services:
        got = repr(check["service"]) if check.get("service") else "none"
        yield f".service: expected one of the services ({', '.join(services) or 'none'}), got {got}."


# Failures


def failures(results: Sequence[Json]) -> list[str]:
    """A sentence for each check that failed, from the results of a loop over checks."""
    return [f"{result['item']['name']}: {_failure(result)}" for result in results if result.get("failed")]


def _failure(result: Json) -> str:
    check = result["item"]
    if check["type"] == "http":
        return _failed_page(result, check)
    if check["type"] == "tcp":
        return verification.port_problem(check["host"], check["port"], str(result.get("msg", "")))
    return _failed_command(result, check)


def _failed_page(result: Json, check: Json) -> str:
    expected = (int(check["status"]), str(check.get("content", "")))
    return verification.page_problem(
        check["shown_url"], expected, int(result.get("status", -1)), str(result.get("msg", ""))
    )


def _failed_command(result: Json, check: Json) -> str:
    command = " ".join(str(word) for word in check["command"])
    printed = "\n".join(result["output"]) if "output" in result else str(result.get("stdout", ""))
    if int(result.get("exit_code", result.get("rc", -1)) or 0) == 0:
        return f"'{command}': expected output that matches {check.get('content')!r}, got {printed[:SHOWN]!r}."
    reasons = [str(result.get(name) or "") for name in ("msg", "stderr", "stdout")]
    return f"'{command}' failed: {' '.join(filter(None, reasons))[:SHOWN]}"


# Digests


def digests(found: Sequence[Json]) -> list[str]:
    """All digests that run, sorted."""
    running = (_running_digest(one) for service in found for task in _running(service) for one in task["containers"])
    return sorted({digest for digest in running if digest})


def digest_problems(
    found: Sequence[Json], names: Sequence[str], images: Mapping[str, str], services: Sequence[Json] = ()
) -> list[str]:
    """A sentence for each service that does not run what was released, or not as often as it should.

    `services` say which container has which image. For a service that is none of them, an image counts as released
    where its repository has it in `images`.
    """
    running = {str(service["service_name"]): service for service in found}
    declared = {str(service["name"]): service for service in services}
    problems: list[str] = []
    for name in names:
        if name in running:
            problems += _of_service(name, running[name], _expected(declared.get(name), images))
        else:
            problems.append(f"{name}: expected a service, got none.")
    return problems


def _expected(service: Json | None, images: Mapping[str, str]) -> Callable[[Json], set[str]]:
    """The digests that a container of a task may have; none where nothing is known of its image."""
    if service is not None:
        named_images = {str(one.get("name")): str(one.get("image")) for one in containers(service)}
        released = {name: _digest(images.get(image, image)) for name, image in named_images.items()}
        return lambda container: {digest for digest in (released.get(container["name"]),) if digest}
    return lambda container: {
        _digest(reference)
        for reference in images.values()
        if _repository(reference) == _repository(str(container.get("image")))
    }


def _of_service(name: str, service: Json, expected: Callable[[Json], set[str]]) -> Iterator[str]:
    tasks = _running(service)
    desired = int(service.get("desired_count") or 0)
    if len(tasks) < desired:
        yield f"{name}: expected {desired} running tasks, got {len(tasks)}."
    wrong: dict[tuple[str, str, str], list[str]] = {}
    for task in tasks:
        for container in task["containers"]:
            released, got = expected(container), _running_digest(container)
            if released and got not in released:
                key = (str(container["name"]), " or ".join(sorted(released)), got or "none")
                wrong.setdefault(key, []).append(str(task["task_arn"]).rpartition("/")[2])
    for (container_name, digest, got), ids in wrong.items():
        more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
        those = f"{len(ids)} of {len(tasks)} running tasks ({', '.join(ids[:NAMED])}{more})"
        yield f"{name}, container {container_name}: expected {digest}, got {got} in {those}."


def _running(service: Json) -> list[Json]:
    return [task for task in service.get("tasks") or () if task.get("last_status") == "RUNNING"]


def _running_digest(container: Json) -> str:
    """The digest that runs. ECS needs a moment to report it, and runs a reference with a digest as it is."""
    return str(container.get("image_digest") or "") or _digest(str(container.get("image") or ""))


def _digest(reference: str) -> str:
    return reference.rpartition("@")[2] if "@" in reference else ""


def _repository(reference: str) -> str:
    """The repository's name, whatever the registry is called from where one looks."""
    path = reference.partition("@")[0].partition("/")[2]
    return path.rpartition(":")[0] or path
