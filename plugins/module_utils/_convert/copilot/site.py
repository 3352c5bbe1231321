# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory of a Copilot application. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from ..._core.types import Json
from ..placeholders import COMMENTS
from ..platforms import of_builds
from . import environment, service
from .project import Project

_COMMENTS = {
    **COMMENTS,
    "project": "The project: one environment of the application.",
    "load_balancer": (
        "The rules of the load balancer. The first target group gets all requests that match no other rule."
    ),
    "images": "Images to build from the working tree in copilot_directory.",
    "secrets": "Secrets by reference. No file contains a value.",
    "schedules": "Jobs. Each uses the settings of the service with the same name, which runs no tasks.",
}
_INTERNAL = "Backend Service"


def site(
    project: Project,
    region: str,
    sources: str,
    manifests: Sequence[Mapping[str, t.Any]],
    environment_manifest: Mapping[str, t.Any] | None,
) -> Json:
    """What inventory_files writes."""
    if environment_manifest:
        environment.apply(environment_manifest, project)
    services = [element for manifest in manifests if (element := service.convert(manifest, project))]
    if not any(manifest.get("type") == "Load Balanced Web Service" for manifest in manifests) and project.target_groups:
        project.variables["ecs_load_balancer_scheme"] = "internal"
    _internal_note(manifests, project)
    variables = _variables(project, region, sources)
    variables["images"] |= of_builds(services, project.images, project.notes)
    templated = project.placeholders.templated([variables, services])
    variables, services = templated
    variables |= project.placeholders.files(templated, project.notes)
    return {
        "name": project.name,
        "variables": variables,
        "comments": _COMMENTS,
        "services": services,
        "notes": list(project.notes),
    }


def _variables(project: Project, region: str, sources: str) -> Json:
    balancer = {key: value for key, value in project.variables.items() if key.startswith("ecs_load_balancer_")}
    others = {key: value for key, value in project.variables.items() if key not in balancer}
    if project.domains:
        balancer["ecs_load_balancer_domains"] = project.domains
    if project.retention:
        others["ecs_cluster_log_groups"] = [{"name": f"/ecs/{project.name}", "retention": max(project.retention)}]
    if project.names:
        others["service_discovery_namespace"] = _namespace(project)
        others["service_discovery_services"] = project.names
    # The first one gets what matches no rule: it has none of its own.
    groups = sorted(project.target_groups, key=lambda group: bool(group.get("paths") or group.get("conditions")))
    if groups and groups[0].get("conditions"):
        project.notes.add(
            f"{groups[0]['name']}.http.allowed_source_ips",
            "The first target group also gets all requests that match no rule, from any address.",
            "Allow only these addresses in the security group of the load balancer, or put another target group first.",
        )
    root = {"__template__": sources} if "{{" in sources else sources
    found: Json = {
        "cloud": {"slipway_region": region} if region else {},
        "project": {"slipway_project": project.name, **others},
        "load_balancer": {**balancer, "ecs_load_balancer_target_groups": groups},
        "images": {
            **({"copilot_directory": root} if project.images else {}),
            "container_image_images": project.images,
        },
        "secrets": project.secrets.variables(),
        "schedules": {"ecs_app_schedules": project.schedules} if project.schedules else {},
    }
    return found


def _namespace(project: Project) -> str:
    """Copilot's own namespace, so that services find each other by the same names."""
    return ".".join(part for part in (project.environment, project.application, "local") if part)


def _internal_note(manifests: Sequence[Mapping[str, t.Any]], project: Project) -> None:
    kinds = {str(manifest.get("type")) for manifest in manifests if manifest.get("http")}
    if len(kinds) > 1:
        names = [str(one.get("name")) for one in manifests if one.get("type") == _INTERNAL and one.get("http")]
        project.notes.add(
            ", ".join(f"{name}.http" for name in names),
            "A project has one load balancer, and this one is reachable from the internet.",
            "Deploy these services as a separate project with ecs_load_balancer_scheme internal, or call them by"
            " name, without a load balancer.",
        )
