# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a service, and what it refers to by name."""

from __future__ import annotations

from ..._core.creating import visible
from ..._core.error_codes import NOT_FOUND
from ..._core.errors import SlipwayError
from ..._core.plan import UNKNOWN
from ..._core.types import Client, Json
from ..cloud import Cloud
from ..task_definition import api as definition_api
from . import api
from .members import Options
from .model import DesiredService, Shapes, from_api
from .namespace_flow import spelled_as

# A revision that was registered right before may not be visible yet; a name that does not exist never is.
VISIBLE_SECONDS = 5.0


def request_shapes(ecs: Client) -> Shapes:
    model = ecs.meta.service_model
    return Shapes(
        model.operation_model("CreateService").input_shape,
        model.operation_model("UpdateService").input_shape,
    )


def read_service(cloud: Cloud, cluster: str, name: str, check_mode: bool) -> Options | None:
    """The service, even a deleted one, or None. In check mode the cluster may be missing, too."""
    try:
        found = api.describe_services(cloud.ecs, cluster, [name], include=["TAGS"])
    except SlipwayError as error:
        if error.code == NOT_FOUND and check_mode:
            return None
        raise
    return found[0] if found else None


def options_of(cloud: Cloud, service: Options | None, desired: DesiredService) -> Options | None:
    """The options of a service, with all members that `desired` has to be compared with."""
    if service is None:
        return None
    monitoring = None
    revisions = service.get("currentServiceRevisions")
    if desired.options.get("monitoring") is not None and revisions:
        # Only the revision of the service contains it.
        revision = api.describe_service_revision(cloud.ecs, revisions[0]["arn"])
        monitoring = (revision or {}).get("monitoring")
    current = from_api(service, monitoring)
    namespace = (desired.options.get("service_connect_configuration") or {}).get("namespace", "")
    connect = current["service_connect_configuration"]
    namespace = spelled_as(lambda: cloud.discovery, namespace, connect.get("namespace", ""))
    return {**current, "service_connect_configuration": {**connect, **({"namespace": namespace} if namespace else {})}}


def resolve_task_definition(cloud: Cloud, name: str, running: str, check_mode: bool) -> str:
    """The ARN of a task definition, given its ARN, family:revision or family (its latest active revision).

    Reads nothing if `running`, the ARN of the service's current one, matches. In check mode it may not exist yet.
    """
    if name.startswith("arn:") or (check_mode and name == UNKNOWN):
        return name
    if ":" in name and running.endswith(f"/{name}"):
        return running

    def find() -> Json | None:
        return definition_api.describe_task_definition(cloud.ecs, name)

    found = find() if check_mode else visible(find, timeout=VISIBLE_SECONDS)
    if found:
        return str(found["taskDefinitionArn"])
    if check_mode:
        return UNKNOWN
    message = f"task_definition: expected an active revision, got none for '{name}'. Register it, or correct the name."
    raise SlipwayError(NOT_FOUND, message, {"task_definition": name})
