# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A port is declared once, in the port mappings of a container, and all else follows."""

from __future__ import annotations

import re
import textwrap
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.slipway.aws.plugins.plugin_utils import container_image, ecs_app_ports
from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_app_ports import completed

Json = dict[str, t.Any]
ROOT = Path(__file__).resolve().parents[4]
GUIDE = ROOT / "docs/docsite/rst/guide_own_application.rst"


def container(name: str, *ports: t.Any, **members: t.Any) -> Json:
    mappings = [port if isinstance(port, dict) else {"containerPort": port} for port in ports]
    return {"name": name, "image": name, "portMappings": mappings, **members}


def service(*containers: Json, balancers: t.Sequence[Json] = (), mode: str | None = None, **options: t.Any) -> Json:
    definition: Json = {"family": "shop", "containerDefinitions": list(containers)}
    definition |= {"networkMode": mode} if mode else {}
    return {"name": "shop", "load_balancers": list(balancers), "task_definition": definition, "options": options}


def behind(group: str = "shop", **members: t.Any) -> list[Json]:
    return [{"targetGroupArn": group, **members}]


def service_ports(services: list[Json], groups: t.Sequence[Json] = (), images: dict[str, str] | None = None) -> Json:
    """What the roles derive: for security groups, target groups and smoke tests."""
    return {
        "tasks": ecs_app_ports.from_load_balancer(services, groups),
        "peers": ecs_app_ports.from_peers(services),
        "target_groups": ecs_app_ports.target_groups(services, groups),
        "images": ecs_app_ports.of_images(services, images or {}),
    }


def test_an_application_on_port_8000_is_reached_there() -> None:
    found = service_ports([service(container("shop", 8000), balancers=behind())], [{"name": "shop"}])
    assert (found["tasks"], found["peers"]) == ([8000], [])
    assert found["target_groups"] == [{"name": "shop", "port": 8000}]
    # AWS wants a port also where no service says one. Nobody is reached there.
    unused = service_ports([], [{"name": "shop"}])
    assert (unused["tasks"], unused["target_groups"]) == ([], [{"name": "shop", "port": 80}])


@pytest.mark.parametrize(
    ("containers", "given", "expected"),
    [
        ([container("shop", 8000)], {}, ("shop", 8000)),
        ([container("shop", "8000"), container("log")], {}, ("shop", 8000)),
        ([container("shop", 8000), container("nginx", 8080)], {"containerName": "nginx"}, ("nginx", 8080)),
        ([container("shop", 8000, 9000)], {"containerPort": 9000}, ("shop", 9000)),
        # There is a choice, or nothing to choose from: what is missing is left out, and preflight reports it.
        ([container("shop", 8000), container("nginx", 8080)], {}, (None, None)),
        ([container("shop", 8000, 9000)], {}, ("shop", None)),
        ([container("shop")], {}, (None, None)),
        ([container("shop", {"containerPort": 53, "protocol": "udp"})], {}, (None, None)),
        ([container("shop", 8000)], {"containerName": "other"}, ("other", None)),
    ],
)
def test_container_and_port_of_a_load_balancer_follow_where_there_is_no_choice(
    containers: list[Json], given: Json, expected: tuple[t.Any, t.Any]
) -> None:
    [item] = completed(service(*containers, balancers=behind(**given)))["load_balancers"]
    assert (item.get("containerName"), item.get("containerPort")) == expected


@pytest.mark.parametrize(
    ("services", "groups", "ports"),
    [
        # What services register counts, else the group's own port.
        ([], [{"name": "web", "port": 8080}], [8080]),
        ([service(container("a", 8000), balancers=behind("a"))], [{"name": "a", "port": 80}], [8000]),
        (
            [
                service(container("a", 9000), balancers=behind("a")),
                service(container("b", 8000), balancers=behind("b")),
            ],
            [{"name": "a"}, {"name": "b"}, {"name": "c", "port": 7000}],
            [7000, 8000, 9000],
        ),
        # A health check on a port of its own; traffic-port is none.
        (
            [service(container("a", 8000), balancers=behind("a"))],
            [{"name": "a", "health_check_port": "9000"}],
            [8000, 9000],
        ),
        (
            [service(container("a", 8000), balancers=behind("a"))],
            [{"name": "a", "health_check_port": "traffic-port"}],
            [8000],
        ),
        # On a bridge the port of the host counts; a free one is in the range of hosts.
        ([service(container("a", 8000), balancers=behind("a"), mode="bridge")], [{"name": "a"}], []),
        (
            [service(container("a", {"containerPort": 8000, "hostPort": 80}), balancers=behind("a"), mode="bridge")],
            [{"name": "a"}],
            [80],
        ),
        ([service(container("worker"))], [], []),
        # Others say what is wrong with these.
        ([{"name": "odd"}, service("odd", balancers=behind("a"))], [{"name": "a", "port": "x"}], []),  # type: ignore[arg-type]
    ],
)
def test_the_load_balancer_may_reach_what_it_sends_to(
    services: list[Json], groups: list[Json], ports: list[t.Any]
) -> None:
    assert service_ports(services, groups)["tasks"] == ports


def connected(**members: t.Any) -> Json:
    return {"enabled": True, "services": [{"portName": "http", **members}]}


@pytest.mark.parametrize(
    ("containers", "options", "ports"),
    [
        ([container("db", 5432)], {"service_registries": [{"registryArn": "database"}]}, [5432]),
        ([container("db", 5432, 9187)], {"service_registries": [{"registryArn": "d", "containerPort": 5432}]}, [5432]),
        (
            [container("ftp", {"containerPortRange": "8000-8010"})],
            {"service_registries": [{"registryArn": "f"}]},
            ["8000-8010"],
        ),
        (
            [container("api", {"containerPort": 8000, "name": "http"})],
            {"service_connect_configuration": connected()},
            [8000],
        ),
        (
            [container("api", {"containerPort": 8000, "name": "http"})],
            {"service_connect_configuration": connected(ingressPortOverride=15000)},
            [15000],
        ),
        (
            [container("api", {"containerPort": 8000, "name": "http"})],
            {"service_connect_configuration": {**connected(), "enabled": False}},
            [],
        ),
        ([container("api", 8000)], {}, []),
    ],
)
def test_containers_reach_each_other_where_a_name_leads(
    containers: list[Json], options: Json, ports: list[t.Any]
) -> None:
    assert service_ports([service(*containers, **options)])["peers"] == ports


def test_a_smoke_test_asks_where_the_containers_listen() -> None:
    services = [service(container("web", 8000), container("tool", 1, 2), container("public/image", 80))]
    images = {"web": "shop/web:1.0", "tool": "tool:1.0"}
    assert service_ports(services, images=images)["images"] == {"shop/web": 8000}


def guide() -> str:
    """The whole inventory of "Your own application"."""
    text = GUIDE.read_text().partition("   :caption: inventory/shop.yml\n")[2]
    return textwrap.dedent(re.split(r"\n(?=\S)", text)[0])


def ports_of(site: Json) -> Json:
    services, groups = site["ecs_app_services"], site.get("ecs_load_balancer_target_groups", [])
    return service_ports(services, groups, container_image.tagged(site["container_image_images"]))


def test_the_guides_application_names_its_port_once() -> None:
    assert len(re.findall(r"\b8000\b", guide())) == 1
    site = yaml.safe_load(guide())
    found = ports_of(site)
    assert (found["tasks"], found["images"]) == ([8000], {"shop": 8000})
    assert [group["port"] for group in found["target_groups"]] == [8000]
    [balancer] = completed(site["ecs_app_services"][0])["load_balancers"]
    assert (balancer["containerName"], balancer["containerPort"]) == ("shop", 8000)


def test_the_workshops_ports_follow() -> None:
    workshop = yaml.safe_load((ROOT / "inventory/workshop.yml").read_text())
    found = ports_of(workshop)
    assert (found["tasks"], found["peers"]) == ([8080], [])
    assert found["images"] == {"workshop-nginx": 8080, "workshop-django": 8000}


def test_the_database_is_reached_by_its_name_alone() -> None:
    """Its second service is on the target group of the workshop's inventory."""
    site = yaml.safe_load((ROOT / "inventory/database.yml").read_text())
    site["container_image_images"] = [{"name": image["name"]} for image in site["container_image_images"]]
    found = ports_of(site)
    assert (found["tasks"], found["peers"]) == ([8080], [5432])
    assert found["images"] == {"nginx": 8080, "django": 8000, "postgres": 5432}
