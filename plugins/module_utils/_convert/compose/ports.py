# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports of services: those that a file names, those that other services use, and those of well-known images. Pure."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Iterator, Mapping

from ..._core.types import Json

TCP, UDP = "tcp", "udp"
LOCAL = ("127.0.0.1", "::1", "localhost")
# Where an image listens, by the last part of its name. Compose files need not name it, as all ports are open there.
WELL_KNOWN: Mapping[str, int] = {
    "adminer": 8080,
    "caddy": 80,
    "cassandra": 9042,
    "clickhouse": 8123,
    "clickhouse-server": 8123,
    "consul": 8500,
    "couchdb": 5984,
    "dragonfly": 6379,
    "eclipse-mosquitto": 1883,
    "elasticsearch": 9200,
    "etcd": 2379,
    "grafana": 3000,
    "httpd": 80,
    "influxdb": 8086,
    "kafka": 9092,
    "keydb": 6379,
    "mailhog": 8025,
    "mailpit": 8025,
    "mariadb": 3306,
    "meilisearch": 7700,
    "memcached": 11211,
    "minio": 9000,
    "mongo": 27017,
    "mongodb": 27017,
    "mysql": 3306,
    "nats": 4222,
    "neo4j": 7687,
    "nginx": 80,
    "opensearch": 9200,
    "pgbouncer": 6432,
    "pgvector": 5432,
    "phpmyadmin": 80,
    "postgis": 5432,
    "postgres": 5432,
    "postgresql": 5432,
    "prometheus": 9090,
    "qdrant": 6333,
    "rabbitmq": 5672,
    "redis": 6379,
    "redis-stack-server": 6379,
    "timescaledb": 5432,
    "typesense": 8108,
    "valkey": 6379,
    "vault": 8200,
    "zookeeper": 2181,
}
# Ports whose protocol is no HTTP, as a load balancer for HTTP cannot forward them.
_OTHER_PROTOCOLS = frozenset(
    (
        # Remote shells, mail, names, time, directories, files
        *(21, 22, 23, 25, 53, 110, 123, 143, 389, 465, 587, 636, 993, 995, 1025, 1080, 1143, 2049, 2222, 3389),
        # Databases and caches
        *(1433, 1521, 3306, 5432, 6379, 6432, 7000, 7687, 9042, 9300, 11211, 19530, 26379, 27017, 27018, 33060),
        # Queues and clusters
        *(1883, 2181, 2375, 2376, 2379, 2380, 4222, 5060, 5222, 5269, 5671, 5672, 6222, 8883, 9092, 9093, 9094, 25565),
        # Debuggers
        *(5005, 5858, 9229, 9230),
    )
)
_TLS = frozenset((443, 8443, 9443))


class Port(t.NamedTuple):
    """A port of a container, and where Compose publishes it."""

    number: int
    protocol: str = TCP
    published: int | None = None
    # Published on this machine only.
    is_local: bool = False
    app_protocol: str = ""

    @property
    def is_http(self) -> bool:
        if self.app_protocol:
            return self.app_protocol.startswith("http")
        return self.protocol == TCP and self.number not in _OTHER_PROTOCOLS

    @property
    def is_tls(self) -> bool:
        return self.app_protocol == "https" or (not self.app_protocol and self.number in _TLS)


def declared(service: Json) -> list[Port]:
    """The ports that a service publishes and exposes, each once."""
    found: dict[tuple[int, str], Port] = {}
    for port in (*_published(service), *_exposed(service)):
        known = found.get((port.number, port.protocol))
        if known is None or (known.is_local and port.published and not port.is_local):
            found[port.number, port.protocol] = port
    return list(found.values())


def of_image(image: str) -> int | None:
    """The port of a well-known image."""
    name = re.split(r"[:@]", image.rpartition("/")[2])[0]
    # WordPress and others have variants that speak FastCGI.
    return 9000 if re.search(r":[^/]*fpm", image) else WELL_KNOWN.get(name)


def _published(service: Json) -> Iterator[Port]:
    for entry in service.get("ports") or ():
        for number, published in zip(_range(entry.get("target")), _published_range(entry), strict=False):
            yield Port(
                number,
                str(entry.get("protocol") or TCP),
                published,
                entry.get("host_ip") in LOCAL,
                str(entry.get("app_protocol") or ""),
            )


def _published_range(entry: Json) -> Iterable[int | None]:
    """Published ports beside the target's; none is a port that Docker chooses."""
    published = list(_range(entry.get("published")))
    count = len(list(_range(entry.get("target"))))
    return published[:count] if len(published) >= count else [0] * count


def _exposed(service: Json) -> Iterator[Port]:
    for text in service.get("expose") or ():
        numbers, _slash, protocol = str(text).partition("/")
        yield from (Port(number, protocol or TCP) for number in _range(numbers))


def _range(text: t.Any) -> Iterator[int]:
    first, _dash, last = str(text if text is not None else "").partition("-")
    if first.isdecimal():
        yield from range(int(first), int(last if last.isdecimal() else first) + 1)
