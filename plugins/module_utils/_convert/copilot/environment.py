# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The manifest of a Copilot environment: network, certificates and metrics. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..._core.types import Json
from .manifest import of_environment
from .project import Project


def apply(manifest: Mapping[str, t.Any], project: Project) -> None:
    """Sets the variables of the project; what has no variable is a note."""
    given = project.interpolated(of_environment(manifest, project.environment))
    name = str(given.pop("name", project.environment))
    given.pop("type", None)
    network = dict(given.pop("network", None) or {})
    vpc = dict(network.pop("vpc", None) or {})
    _vpc(vpc, project)
    project.leftovers(vpc, f"{name}.network.vpc")
    project.leftovers(network, f"{name}.network")
    observability = dict(given.pop("observability", None) or {})
    if observability.pop("container_insights", False):
        project.variables["ecs_cluster_container_insights"] = "enabled"
    project.leftovers(observability, f"{name}.observability")
    _http(dict(given.pop("http", None) or {}), project, f"{name}.http")
    project.leftovers(given, name)


def _vpc(vpc: Json, project: Project) -> None:
    identifier, subnets = vpc.pop("id", None), dict(vpc.pop("subnets", None) or {})
    if identifier:
        project.variables["ecs_network_vpc_id"] = project.value(identifier, "the VPC")
    cidr = vpc.pop("cidr", None)
    if cidr:
        project.variables["ecs_network_cidr"] = cidr
    zones: list[str] = []
    for kind in ("public", "private"):
        for subnet in subnets.get(kind) or ():
            if "id" in subnet:
                project.variables.setdefault(f"ecs_network_{kind}_subnet_ids", []).append(subnet["id"])
            if "cidr" in subnet:
                project.variables.setdefault(f"ecs_network_{kind}_cidrs", []).append(subnet["cidr"])
            if subnet.get("az") and subnet["az"] not in zones:
                zones.append(subnet["az"])
    if zones:
        project.variables["ecs_network_zones"] = zones


def _http(http: Json, project: Project, place: str) -> None:
    for kind in ("public", "private"):
        given = dict(http.pop(kind, None) or {})
        certificates = given.pop("certificates", None) or []
        if certificates:
            project.variables["ecs_load_balancer_certificate_arn"] = certificates[0]
        if len(certificates) > 1:
            project.notes.add(
                f"{place}.{kind}.certificates",
                "A listener has one certificate.",
                "Use a certificate that covers all domains.",
            )
        policy = given.pop("ssl_policy", None)
        if policy:
            project.variables["ecs_load_balancer_ssl_policy"] = policy
        logs = given.pop("access_logs", None)
        if logs:
            _access_logs(logs, project)
        project.leftovers(given, f"{place}.{kind}")
    project.leftovers(http, place)


def _access_logs(logs: t.Any, project: Project) -> None:
    given = logs if isinstance(logs, Mapping) else {}
    bucket = given.get("bucket_name")
    project.variables["ecs_load_balancer_access_logs_bucket"] = bucket or f"{project.name}-access-logs"
    if not bucket:
        project.variables["ecs_load_balancer_access_logs_create"] = True
    if given.get("prefix"):
        project.variables["ecs_load_balancer_access_logs_prefix"] = given["prefix"]
