# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles of a site in an account that answers as AWS does, whose reads lag, whose calls are throttled, or in which
everything takes a while."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.tests import emulators
from ansible_collections.slipway.aws.tests.proxies.rewriting import Rewriting
from ansible_collections.slipway.aws.tests.unit.roles.conftest import Cloud

Json = dict[str, t.Any]

ROLES = ("ecs_network", "ecr_registry", "service_discovery", "ecs_cluster", "ecs_load_balancer", "ecs_app")
CONTAINER = {"name": "web", "image": "nginx:1.27", "portMappings": [{"containerPort": 8080}]}
DEFINITION = {"family": "web", "cpu": 256, "memory": 512, "containerDefinitions": [CONTAINER]}
SITE: Json = {
    "slipway_project": "shop",
    "slipway_tags": {"team": "checkout"},
    "ecs_network_docker_host_cidrs": ["192.0.2.1/32"],
    "ecs_network_nat": "none",
    # The fifth that is created at once is throttled.
    "ecs_network_endpoints": ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssm", "s3"],
    "ecr_registry_repositories": [{"name": "shop/web"}],
    "service_discovery_services": ["database"],
    "ecs_load_balancer_target_groups": [{"name": "web", "port": 8080, "health_check_path": "/healthy"}],
    "ecs_app_services": [{"name": "web", "desired_count": 1, "task_definition": DEFINITION}],
}


SLOW = {
    "lag": {"LOCAL_CLOUD_LAG_SECONDS": "1"},
    "throttling and transitions": {"LOCAL_CLOUD_THROTTLING": "1", "LOCAL_CLOUD_TRANSITION_SECONDS": "2"},
    "everything": {
        "LOCAL_CLOUD_LAG_SECONDS": "1",
        "LOCAL_CLOUD_THROTTLING": "1",
        "LOCAL_CLOUD_TRANSITION_SECONDS": "2",
        "LOCAL_CLOUD_CAPACITY_SECONDS": "2",
    },
}


@pytest.mark.variants
@pytest.mark.parametrize("variables", SLOW.values(), ids=SLOW)
def test_a_site_converges_and_a_rerun_changes_nothing(variables: dict[str, str], tmp_path: Path) -> None:
    pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
    tasks = [{"ansible.builtin.include_role": {"name": f"slipway.aws.{role}"}} for role in ROLES]
    with emulators.running(emulators.MINISTACK, tmp_path, **variables) as address, Rewriting(address, 1) as proxy:
        cloud = Cloud(proxy.address, tmp_path)
        done = cloud.play(tasks, **SITE)
        assert done.code == 0, done.output
        again = cloud.play(tasks, **SITE)
        assert (again.code, again.changed) == (0, 0), again.output
