# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How services find each other: their names in Compose, where they are used, and their names on ECS. Pure."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator, Mapping

from ..._core.types import Json

# A variable whose whole value may be the name of a host.
_HOST_VARIABLE = re.compile(
    r"(?:^|_)(?:HOST|HOSTNAME|HOSTS|SERVER|SERVERS|ADDR|ADDRESS|ENDPOINT|ENDPOINTS|NODES|BROKERS?|UPSTREAM|SERVICE)(?:_NAME)?$"
    r"|HOST$",
    re.IGNORECASE,
)


class Hosts(t.NamedTuple):
    """`services` has the service of each name that Compose resolves; `names` what each service is called on ECS."""

    services: Mapping[str, str]
    names: Mapping[str, str]

    def used(self, variable: str, text: str) -> Iterator[tuple[str, int | None]]:
        """The services whose names stand in a value as hosts, each with the port beside it."""
        for found in self._found(variable, text):
            port = re.match(r":(\d{1,5})(?!\d)", text[found.end() :])
            yield self.services[found["host"]], int(port[1]) if port else None

    def replaced(self, variable: str, text: str, own: str = "") -> str:
        """The value with what services are called on ECS. A value that is the `own` name alone is left."""
        done, position = [], 0
        for found in self._found(variable, text):
            if own and found[0] == text and self.services[found["host"]] == own:
                continue
            done += [text[position : found.start("host")], self.names[self.services[found["host"]]]]
            position = found.end("host")
        return "".join([*done, text[position:]])

    def _found(self, variable: str, text: str) -> Iterator[re.Match[str]]:
        if not self.services:
            return
        hosts = "|".join(re.escape(host) for host in sorted(self.services, key=len, reverse=True))
        # After :// and a user, or with a port; as a whole value or in a list only where the variable is for hosts.
        is_start = r"(?:(?<=://)|(?<=@)|(?<=^)|(?<=[\s,;=\"'(\[{]))"
        for found in re.finditer(rf"{is_start}(?P<host>{hosts})(?![\w.-])", text):
            before, after = text[: found.start()], text[found.end() :]
            is_user = before.endswith("://") and re.match(r"[^\s/@]*@", after)
            in_address = before.endswith("://") or (before.endswith("@") and "://" in before)
            is_alone = bool(re.match(r"(?:$|[\s,;])", after)) and bool(_HOST_VARIABLE.search(variable))
            if not is_user and (in_address or re.match(r":\d{1,5}(?!\d)", after) or is_alone):
                yield found


def hosts_of(services: Mapping[str, Json], names: Mapping[str, str]) -> Hosts:
    """All names of services: their own, their containers', their aliases, and those that links give them."""
    found: dict[str, str] = {}
    for name, service in services.items():
        for alias in _aliases(service):
            found.setdefault(alias, name)
        for link in service.get("links") or ():
            target, _colon, alias = str(link).partition(":")
            if alias and target in services:
                found.setdefault(alias, target)
    return Hosts({**found, **{name: name for name in services}}, names)


def _aliases(service: Json) -> Iterator[str]:
    for member in ("container_name", "hostname"):
        if service.get(member):
            yield str(service[member])
    for network in (service.get("networks") or {}).values():
        yield from (str(alias) for alias in (network or {}).get("aliases") or ())


def cloud_map_name(service: str) -> str:
    """The name of a service in Cloud Map: lower case, without dots."""
    return re.sub(r"[^a-z0-9_-]", "-", service.lower())[:63].strip("-")
