# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stop the deployment of a service that shifts traffic, so that the old tasks get all requests again.

An update would start another deployment, which goes through all stages again and shares the traffic a second time.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stop-service-deployment.html
"""

from __future__ import annotations

from ..._core.error_codes import ACCESS_DENIED, CONFLICT, NOT_FOUND
from ..._core.errors import SlipwayError
from ..._core.types import Json
from ..._core.waiting import poll
from ..service import api as service_api
from ..service.members import Options
from ..service_deployment import api, model
from .rollouts import RunningRelease


def stop_shifting(release: RunningRelease, name: str, service: Options) -> Options:
    """Roll back the deployment in progress if it shifts traffic. Returns the service, read again if it was stopped."""
    if (service.get("deploymentConfiguration") or {}).get("strategy", "ROLLING") == "ROLLING":
        return service
    listed = service_api.list_service_deployments(release.ecs, release.cluster, name)
    running = next((one for one in listed if model.is_running(one)), None)
    if running is None:
        return service
    arn = str(running["serviceDeploymentArn"])
    if running.get("status") in model.STOPPABLE and not _stop(release, name, arn):
        return service

    def read() -> list[Json]:
        return service_api.describe_service_deployments(release.ecs, [arn])

    poll(
        read,
        lambda found: not any(map(model.is_running, found)),
        timeout=release.timeout,
        waiting_for=f"ECS to roll back the deployment of service {name}",
        describe=lambda found: {"deployments": [model.to_result(one) for one in found]},
    )
    found = service_api.describe_services(release.ecs, release.cluster, [name], include=["TAGS"])
    return found[0] if found else service


def _stop(release: RunningRelease, name: str, arn: str) -> bool:
    """Whether the deployment was stopped, or has ended meanwhile. Without the permission, an update has to do."""
    try:
        api.stop_service_deployment(release.ecs, arn, model.ROLL_BACK)
    except SlipwayError as error:
        if error.code in (CONFLICT, NOT_FOUND):
            return True
        if error.code != ACCESS_DENIED:
            raise
        release.group.say(name, f"its deployment is replaced instead of stopped: {error.msg}")
        return False
    release.group.say(name, "stopping its deployment, so that the old tasks receive all requests again")
    return True
