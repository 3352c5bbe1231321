# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the services of a Compose file find each other on ECS, and what users reach through the load balancer."""

from __future__ import annotations

import pytest

from .conftest import Convert

# Values of an environment variable of web, and what they are on ECS.
ADDRESSES: list[tuple[str, str, str]] = [
    ("URL", "http://db:5432/path?x=db", "http://db.shop.internal:5432/path?x=db"),
    ("BROKERS", "db:9092,second:9093", "db.shop.internal:9092,second.shop.internal:9093"),
    ("DB_HOST", "db", "db.shop.internal"),
    ("PAPERLESS_DBHOST", "db", "db.shop.internal"),
    ("LISTENERS", "INSIDE://db:9092", "INSIDE://db.shop.internal:9092"),
    ("DB_HOST", "database", "db.shop.internal"),
    ("DB_HOST", "shop-db", "db.shop.internal"),
    # A database or user can have the name of a service.
    ("DB_NAME", "db", "db"),
    ("DB_USER", "db", "db"),
    ("URL", "http://db@elsewhere.example/", "http://db@elsewhere.example/"),
    ("URL", "http://db.example:5432", "http://db.example:5432"),
    ("URL", "http://my-db:5432", "http://my-db:5432"),
    # Its own name is what it listens on.
    ("HOSTNAME", "web", "web"),
]  # fmt: skip


@pytest.mark.parametrize(("variable", "value", "expected"), ADDRESSES)
def test_names_of_services_are_those_in_cloud_map(convert: Convert, variable: str, value: str, expected: str) -> None:
    found = convert(f"""
        services:
          web: {{image: "app:1", environment: {{{variable}: "{value}"}}, links: ["db:database"]}}
          db: {{image: "postgres:17", container_name: shop-db}}
          second: {{image: "postgres:17"}}
    """)
    assert found.environment() == {variable: expected}


def test_ports_are_known_from_the_file_from_others_and_from_the_image(convert: Convert) -> None:
    found = convert("""
        services:
          web: {image: "app:1", environment: {API: "http://api:9000", CACHE_HOST: cache}, depends_on: [unknown]}
          api: {image: "api:1"}
          cache: {image: "valkey/valkey:8"}
          exposed: {image: "other:1", expose: ["7000-7001"]}
          unknown: {image: "other:2"}
    """)
    ports = {
        name: [one["containerPort"] for one in found.container(name).get("portMappings", [])]
        for name in ("web", "api", "cache", "exposed", "unknown")
    }
    assert ports == {"web": [], "api": [9000], "cache": [6379], "exposed": [7000, 7001], "unknown": []}
    assert found.variables["service_discovery_services"] == ["api", "cache", "exposed"]
    assert "add expose" in found.note("services.unknown.expose")


def test_published_ports_of_http_are_target_groups(convert: Convert) -> None:
    found = convert(
        """
        services:
          admin: {image: "app:1", ports: ["9000:9000"]}
          web:
            image: nginx:1
            ports: ["80:80", "443:443"]
            healthcheck: {test: "curl -f http://localhost/ready || exit 1"}
          tls: {image: "app:2", ports: ["8443:8443"]}
    """,
        domain="example.org",
    )
    assert found.variables["ecs_load_balancer_target_groups"] == [
        {"name": "web", "health_check_path": "/ready"},
        {"name": "admin", "hosts": ["admin.example.org"], "health_check_path": "/"},
        {
            "name": "tls",
            "protocol": "HTTPS",
            "health_check_protocol": "HTTPS",
            "hosts": ["tls.example.org"],
            "health_check_path": "/",
        },
    ]
    assert "terminates TLS" in found.note("services.web.ports[443/tcp]")
    assert "host name" in found.note("services.admin.ports[9000/tcp]")


def test_other_ports_are_not_behind_the_load_balancer(convert: Convert) -> None:
    found = convert("""
        services:
          db: {image: "postgres:17", ports: ["5432:5432"]}
          dns: {image: "dns:1", ports: ["53:53/udp"]}
          web: {image: "app:1", ports: ["127.0.0.1:3000:3000"]}
    """)
    assert "ecs_load_balancer_target_groups" not in found.variables
    assert "another protocol" in found.note("services.db.ports[5432/tcp]")
    assert "another protocol" in found.note("services.dns.ports[53/udp]")
    assert "-e publish=web" in found.note("services.web.ports[3000/tcp]")
    assert "--skip-tags load_balancer,verify" in found.note("services")
    assert found.container("dns")["portMappings"] == [{"containerPort": 53, "protocol": "udp"}]


def test_a_service_behind_a_local_proxy_can_be_published(convert: Convert) -> None:
    text = "services:\n  web: {image: 'app:1', ports: ['127.0.0.1:3000:3000']}\n"
    found = convert(text, publish=["web"])
    assert [one["name"] for one in found.variables["ecs_load_balancer_target_groups"]] == ["web"]
    assert found.service()["load_balancers"][0]["containerPort"] == 3000


@pytest.mark.parametrize(
    "members",
    [
        "labels: ['traefik.http.routers.x.rule=Host(`a.example`) || Host(`b.example`)']",
        "environment: {VIRTUAL_HOST: 'a.example,b.example'}",
    ],
)
def test_host_names_come_from_the_configuration_of_a_proxy(convert: Convert, members: str) -> None:
    found = convert(f"""
        services:
          first: {{image: "app:1", ports: ["80:80"]}}
          second: {{image: "app:1", ports: ["81:80"], {members}}}
    """)
    assert found.variables["ecs_load_balancer_target_groups"][1]["hosts"] == ["a.example", "b.example"]


def test_networks_that_separate_are_noted(convert: Convert) -> None:
    found = convert("""
        services: {web: {image: "app:1", networks: [front, back]}}
        networks: {front: {}, back: {internal: true}, other: {external: true}}
    """)
    assert "one security group" in found.note("networks.front")
    assert "private subnets" in found.note("networks.back")
