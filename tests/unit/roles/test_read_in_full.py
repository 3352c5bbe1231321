# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever a role of the site sets in AWS, project_info returns in the details of that role's resources. On moto, a
rerun of these roles changes nothing, and deletion leaves nothing."""

from __future__ import annotations

import json
import re
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._project import details_flow
from ansible_collections.slipway.aws.tests.proxies.base import Answer, Proxy, Request

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.unit.roles.conftest import Cloud

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "docs"))

import witnesses  # docs/ is no package

Json = dict[str, t.Any]
# Signatures name some services otherwise.
SERVICES = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch"}
# Whoever has a key may call the one, and the module ignores that it may not call the other.
NOT_NEEDED = {("sts", "GetCallerIdentity"), ("iam", "ListAccountAliases")}
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
    "ecs_network_flow_logs": "reject",
    "ecr_registry_repositories": [{"name": "shop/web", "scan_on_push": True}],
    "service_discovery_services": ["database"],
    "ecs_load_balancer_access_logs_bucket": "shop-logs-0123",
    "ecs_load_balancer_access_logs_create": True,
    "ecs_load_balancer_absent_with_logs": True,
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


class Site(t.NamedTuple):
    cloud: Cloud
    changes: dict[str, list[Request]]
    """By role, the calls that changed something."""
    calls: dict[str, set[tuple[str, str]]]
    """By role, the services and names of all calls. Requests to S3 and Route 53 have no name."""
    found: Json
    """The project as it is read afterwards."""

    def play(self, entry: str, roles: t.Sequence[str]) -> t.Any:
        tasks = [
            {"ansible.builtin.include_role": {"name": f"slipway.aws.{role}", "tasks_from": entry}} for role in roles
        ]
        return self.cloud.play(tasks, **SITE)

    def read(self) -> Json:
        return details_flow.run(lambda service, _region="": self.cloud.client(service), PROJECT)


@pytest.fixture(scope="module")
def site(cloud: Cloud) -> Site:
    changes: dict[str, list[Request]] = {role: [] for role in ROLES}
    calls: dict[str, set[tuple[str, str]]] = {role: set() for role in ROLES}
    running = [""]

    def note(request: Request, answer: Answer) -> Answer:
        if " " not in request.operation:
            calls[running[0]].add((SERVICES.get(request.service, request.service), request.operation))
        if answer.good and not request.is_read and request.method not in {"GET", "HEAD"}:
            changes[running[0]].append(request)
        return answer

    with Proxy(cloud.address, after=note) as proxy:
        through_proxy = Site(cloud._replace(address=proxy.address), changes, calls, {})
        for role in ROLES:
            running[0] = role
            done = through_proxy.play("main", [role])
            assert done.code == 0, done.output
    converged = through_proxy._replace(cloud=cloud)
    return converged._replace(found=converged.read())


on_moto = pytest.mark.parametrize("cloud", ["moto"], indirect=True)


@pytest.mark.variants
@pytest.mark.parametrize("cloud", ["ministack"], indirect=True)
@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_sets_is_in_the_details(site: Site, role: str) -> None:
    own = [one for one in site.found["resources"] if one["role"] == role]
    read = set(leaves([[one["details"], one["tags"]] for one in own]))
    # The history of releases is no resource of a site.
    made = [one for one in site.changes[role] if not str(one.members.get("Name", "")).startswith("/slipway/")]
    assert made
    missing = [(request.operation, sorted(values_set(request) - read)) for request in made]
    kept = [(name, [one for one in values if not one.startswith(NOT_RETURNED)]) for name, values in missing]
    assert [(name, values) for name, values in kept if values] == []


@pytest.mark.variants
@on_moto
def test_the_deployers_policies_allow_every_call(site: Site) -> None:
    allowed = {tuple(one) for one in witnesses.allowed()}
    assert set().union(*site.calls.values()) - allowed - NOT_NEEDED == set()


@pytest.mark.variants
@on_moto
def test_endpoints_are_reached_through_their_security_group(site: Site) -> None:
    """MiniStack does not return it."""
    endpoints = [one["details"] for one in site.found["resources"] if one["kind"] == "VPC endpoint"]
    groups = [[group["GroupName"] for group in one["Groups"]] for one in endpoints if one["SubnetIds"]]
    assert groups == [[f"{PROJECT}-endpoints"]] * 2


@pytest.mark.witness(*ROLES)
@pytest.mark.variants
@on_moto
def test_a_rerun_changes_nothing_and_deletion_leaves_nothing(site: Site) -> None:
    again = site.play("main", ROLES)
    assert (again.code, again.changed) == (0, 0), again.output
    deleted = site.play("absent", ROLES[::-1])
    assert deleted.code == 0, deleted.output
    assert [(one["kind"], one["name"]) for one in site.read()["resources"]] == []
    once_more = site.play("absent", ROLES[::-1])
    assert (once_more.code, once_more.changed) == (0, 0), once_more.output
