# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""site.yml refuses what is wrong before it asks AWS for anything, whichever role it is for."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.tests import plays

ROOT = Path(__file__).resolve().parents[3]
DEFINITION = {"family": "web", "cpu": 256, "memory": 512, "containerDefinitions": [{"name": "web", "image": "webapp"}]}
SERVICE = {"name": "web", "task_definition": DEFINITION}
BALANCER = {"targetGroupArn": "workshop", "containerName": "web", "containerPort": 8080}
# The inventory's images take the port of their smoke test from the inventory's services.
NO_IMAGES: dict[str, t.Any] = {"container_image_images": []}
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"


REFUSED: list[tuple[dict[str, t.Any], str]] = [
    (
        {"slipway_region": "ap-northeast-22"},
        "slipway_region: expected a region that botocore knows, got ap-northeast-22",
    ),
    (
        {"container_image_images": [{"name": "shop"}]},
        "container_image_images[0] (shop): expected either path or git, got neither.",
    ),
    (
        {"ecr_registry_repositories": [{"name": "Shop"}]},
        "ecr_registry_repositories[0] (Shop).name: expected 2 to 256",
    ),
    ({"docker_instance_volume_size": 4}, "docker_instance_volume_size: expected at least 8 GiB"),
    (
        {"ecs_cluster_default_strategy": [{"capacityProvider": "SPOT", "weight": 1}]},
        "of FARGATE, FARGATE_SPOT, got SPOT.",
    ),
    ({"service_discovery_services": ["Data Base"]}, "hyphens and underscores, such as database, got Data Base"),
    ({"ecs_load_balancer_certificate_arn": CERTIFICATE}, "expected an ACM certificate in ap-northeast-2"),
    (
        {**NO_IMAGES, "ecs_app_services": [{**SERVICE, "task_definition": {**DEFINITION, "cpu": 300}}]},
        "sizes 256, 512, 1024, 2048, 4096, 8192, 16384 (1024 is one vCPU), got 300",
    ),
    ({**NO_IMAGES, "ecs_app_services": [{**SERVICE, "load_balancers": [BALANCER]}]}, "8080"),
    ({"ecs_verify_checks": [{"name": "page", "type": "smtp"}]}, "smtp"),
]


@pytest.mark.parametrize(
    ("wrong", "said"),
    # Each is a play of seconds.
    [REFUSED[0], *(pytest.param(*case, marks=pytest.mark.variants) for case in REFUSED[1:-1]), REFUSED[-1]],
)
def test_wrong_variable_is_refused_before_any_call(wrong: dict[str, t.Any], said: str) -> None:
    told = refused("site.yml", wrong)
    assert said in " ".join(told.split())


def refused(playbook: str, wrong: dict[str, t.Any], *options: str) -> str:
    """What a playbook prints that fails without asking AWS for anything."""
    # Nobody listens there: a run that asked would fail with that.
    given = {"slipway_endpoint_url": "http://127.0.0.1:9"} | wrong
    run = plays.run(playbook, *options, extra=given)
    printed = run.stdout + run.stderr
    assert run.returncode == 2
    assert "127.0.0.1:9" not in printed
    return printed


MISSPELT = {
    "ecs_app_service": [],
    "slipway_tag": {"team": "shop"},
    "ecs_load_balancer_target_group": [],
    "ecs_app_services": [
        {
            "name": "web",
            "desired_cout": 2,
            "task_definition": {**DEFINITION, "containerDefinitions": [{"name": "web", "enviroment": []}]},
        }
    ],
}
RIGHT = ("ecs_app_services", "slipway_tags", "ecs_load_balancer_target_groups", "desired_count", "environment")


@pytest.mark.parametrize(
    "options", [(), *(pytest.param(given, marks=pytest.mark.variants) for given in (("--tags", "image"), ("--check",)))]
)
def test_five_typos_are_reported_at_once_and_in_a_few_lines(options: tuple[str, ...]) -> None:
    told = refused("site.yml", MISSPELT, *options)
    assert [name for name in RIGHT if f"(did you mean '{name}'?)" not in told] == []
    assert "ecs_app_services[0] (web).task_definition.containerDefinitions[0] (web)" in told
    assert len(told.splitlines()) < 30
    assert told.count("(did you mean") == len(RIGHT)


@pytest.mark.parametrize("playbook", ["rollback", "destroy", pytest.param("deployer", marks=pytest.mark.variants)])
def test_other_playbooks_refuse_typos_too(playbook: str) -> None:
    told = refused(f"playbooks/{playbook}.yml", {"slipway_tag": {}, "destroy_confirm": "ecs"})
    assert "slipway_tag: unknown variable (did you mean 'slipway_tags'?)" in told


def test_a_role_by_itself_refuses_typos_first(tmp_path: Path) -> None:
    playbook = tmp_path / "one.yml"
    playbook.write_text("- {hosts: localhost, gather_facts: false, roles: [slipway.aws.ecs_app]}")
    told = refused(str(playbook), MISSPELT)
    assert [name for name in RIGHT if f"(did you mean '{name}'?)" not in told] == []
    assert len(told.splitlines()) < 40


@pytest.mark.parametrize("playbook", ["site", pytest.param("destroy", marks=pytest.mark.variants)])
def test_task_files_of_a_users_folder_do_not_replace_those_of_roles(playbook: str, tmp_path: Path) -> None:
    """Ansible looks for a file that an imported file imports in the current folder first."""
    (tmp_path / "tasks").mkdir()
    for path in ROOT.glob("roles/*/tasks/*.yml"):
        (tmp_path / "tasks" / path.name).write_text("- {name: A task of the user, ansible.builtin.debug: }")
    settings = {
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".ansible/collections"),
        "ANSIBLE_INVENTORY": str(ROOT / "inventory/local"),
    }
    run = plays.run(ROOT / f"playbooks/{playbook}.yml", "--list-tasks", folder=tmp_path, **settings)
    assert run.returncode == 0, run.stderr
    assert "Converge" in run.stdout or "Delete" in run.stdout
    assert "A task of the user" not in run.stdout
