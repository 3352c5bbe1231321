# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever a role of the site sets in AWS, project_info returns in the details of that role's resources."""

from __future__ import annotations

import json
import re
import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._project import details_flow
from ansible_collections.slipway.aws.tests.proxies.base import Answer, Proxy, Request

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.unit.roles.conftest import Cloud

Json = dict[str, t.Any]
PROJECT = "shop"
ROLES = ("ecs_network", "ecr_registry", "service_discovery", "ecs_cluster", "ecs_load_balancer", "ecs_app")
CONTAINER = {
    "name": "web",
    "image": "nginx:1.27",
    "portMappings": [{"containerPort": 8080}],
    "environment": [{"name": "GREETING", "value": "good evening"}],
    "secrets": [{"name": "KEY", "valueFrom": "session-key"}],
    "stopTimeout": 17,
}
DEFINITION = {"family": "web", "cpu": 256, "memory": 512, "containerDefinitions": [CONTAINER]}
SITE: Json = {
    "slipway_project": PROJECT,
    "slipway_tags": {"team": "checkout"},
    "ecs_network_docker_host_cidrs": ["192.0.2.1/32"],
    # The emulator has NAT gateways without addresses.
    "ecs_network_nat": "none",
    "ecs_network_endpoints": ["ecr.api", "ecr.dkr", "s3"],
    "ecr_registry_repositories": [{"name": "shop/web", "scan_on_push": True}],
    "service_discovery_services": ["database"],
    "ecs_load_balancer_access_logs_bucket": "shop-logs-0123",
    "ecs_load_balancer_access_logs_create": True,
    "ecs_load_balancer_idle_timeout": 123,
    "ecs_load_balancer_target_groups": [
        {"name": "web", "port": 8080, "health_check_path": "/healthy"},
        {"name": "api", "port": 8001, "paths": ["/api/*"], "priority": 37},
    ],
    "ecs_app_secrets": {"session-key": {"length": 32}},
    "ecs_app_services": [{"name": "web", "desired_count": 0, "task_definition": DEFINITION}],
}
# What a request says of itself, and names of members in lists of tags.
OF_REQUEST = {
    "Action",
    "Version",
    "clientToken",
    "ClientToken",
    "CreatorRequestId",
    "Value",
    "Overwrite",
    "tags",
    "Tags",
}
# What AWS does not return, the VPC of a namespace, and what is deleted again, the checkpoint of a release.
NOT_RETURNED = ("vpc", "slipway:checkpoint")


def leaves(value: t.Any) -> t.Iterator[str]:
    """The values and names of members in a document, also in documents that are text."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield str(name).lower()
            yield from leaves(member)
    elif isinstance(value, list):
        for member in value:
            yield from leaves(member)
    elif isinstance(value, str) and value[:1] in {"{", "["}:
        yield from leaves(json.loads(value))
    elif value not in (None, ""):
        yield str(value).lower()


def values_set(request: Request) -> set[str]:
    """What a call sets."""
    if request.service == "s3":
        texts = (
            re.findall(r">([^<>]+)<", request.body.decode()) if request.body[:1] == b"<" else [request.body.decode()]
        )
        return {leaf for text in texts for leaf in leaves(text)}
    given = {name: value for name, value in request.members.items() if name not in OF_REQUEST}
    # Tags of EC2 name the type of the resource that they are for.
    kinds = {value for name, value in given.items() if name.endswith(".ResourceType")}
    found = {leaf for name, value in given.items() for leaf in leaves(value)}
    return found - kinds if request.headers.get("x-amz-target") is None else found


@pytest.fixture(scope="module")
def site(cloud: Cloud) -> tuple[dict[str, list[Request]], Json]:
    """By role, the calls that changed something; and the project as it is read afterwards."""
    changes: dict[str, list[Request]] = {role: [] for role in ROLES}
    running = [""]

    def note(request: Request, answer: Answer) -> Answer:
        if answer.good and not request.is_read and request.method not in {"GET", "HEAD"}:
            changes[running[0]].append(request)
        return answer

    with Proxy(cloud.address, after=note) as proxy:
        for role in ROLES:
            running[0] = role
            tasks = [{"ansible.builtin.include_role": {"name": f"slipway.aws.{role}"}}]
            done = cloud._replace(address=proxy.address).play(tasks, **SITE)
            assert done.code == 0, done.output
    return changes, details_flow.run(lambda service, _region="": cloud.client(service), PROJECT)


@pytest.mark.variants
@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_sets_is_in_the_details(site: tuple[dict[str, list[Request]], Json], role: str) -> None:
    changes, found = site
    own = [one for one in found["resources"] if one["role"] == role]
    read = set(leaves([[one["details"], one["tags"]] for one in own]))
    assert changes[role]
    missing = [(request.operation, sorted(values_set(request) - read)) for request in changes[role]]
    kept = [(name, [one for one in values if not one.startswith(NOT_RETURNED)]) for name, values in missing]
    assert [(name, values) for name, values in kept if values] == []
