"""The account that is measured on: MiniStack without containers, so that hundreds of services fit one machine.

Without Docker its tasks run at once, and a deployment is complete before UpdateService answers. Here a deployment can
take some seconds, as it does on AWS, and the moment of its completion is noted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from pathlib import Path
from types import ModuleType


def rollouts(ecs: ModuleType, seconds: float, completions: Path) -> None:
    """Deployments take their time; the file of completions gets a line for each that is through."""
    from ministack.core.responses import get_account_id, get_region, request_scope

    complete = ecs._complete_service_deployment

    def finish(account: str, region: str, cluster: str, key: str, deployment: str) -> None:
        with request_scope(account, region):
            complete(cluster, key, expected_deployment_id=deployment)
            now = time.time()
            primary = ecs._primary_deployment(ecs._services[key])
        if primary["id"] == deployment and primary["rolloutState"] == "COMPLETED":
            with completions.open("a") as file:
                file.write(json.dumps({"service": key.partition("/")[2], "at": now}) + "\n")

    def begin(cluster: str, key: str, expected_deployment_id: str | None = None) -> None:
        primary = ecs._primary_deployment(ecs._services[key])
        if not primary or primary["rolloutState"] != "IN_PROGRESS":
            return
        arguments = (get_account_id(), get_region(), cluster, key, expected_deployment_id or primary["id"])
        if seconds:
            timer = threading.Timer(seconds, finish, arguments)
            timer.daemon = True
            timer.start()
        else:
            finish(*arguments)

    setattr(ecs, "_complete_service_deployment", begin)  # noqa: B010  # a module that mypy does not know


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port")
    parser.add_argument("region")
    parser.add_argument("rollout_seconds", type=float)
    parser.add_argument("completions", type=Path)
    options = parser.parse_args()
    os.environ.update(
        GATEWAY_PORT=options.port,
        BIND_HOST="127.0.0.1",
        # Where calls without a signature go: those that prepare and check.
        MINISTACK_REGION=options.region,
        # An engine that never answers: no containers.
        DOCKER_HOST="unix:///nonexistent/docker.sock",
        # Servers of other protocols, which would listen everywhere.
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
    )
    from ministack import app
    from ministack.services import ecs

    rollouts(ecs, options.rollout_seconds, options.completions)
    sys.argv = sys.argv[:1]
    app.main()


if __name__ == "__main__":
    main()
