# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""However often a run is killed, reruns converge to the same result and do not affect another project.

The tests depend on each other, in this order.
"""

from __future__ import annotations

import os
import re
import typing as t

import pytest

from ansible_collections.slipway.aws.tests.interruptions.account import Json, account, tags_of
from ansible_collections.slipway.aws.tests.interruptions.conftest import Site

# Where the runs of a role are killed: after this call, or when the output matches this pattern.
SET_UP = {
    "network": ("CreateNatGateway",),
    "registry": ("CreateRepository",),
    "docker_instance": ("RunInstances",),
    # The first of these banners is that of check mode.
    "docker_host": ("TASK .*Find the installed packages(.*Install the packages){2}",),
    "image": ("TASK .*container_image : Start a container",),
    "cluster": ("PutRolePolicy",),
    "load_balancer": ("CreateTargetGroup",),
    "service": ("CreateService",),
}
TAKE_DOWN = {
    "service": ("DeleteService",),
    "load_balancer": ("DeleteLoadBalancer",),
    "cluster": ("DeleteCluster",),
    "docker_instance": ("TerminateInstances",),
    "registry": ("DeleteRepository",),
    "network": ("DeleteNatGateway",),
}
# Listeners and rules are not tagged; they are deleted with their load balancer. AWS tags tasks (propagateTags), the
# emulator does not.
UNTAGGED = {"Listeners", "Rules", "tasks"}
SITE = "site.yml"
DESTROY = "playbooks/destroy.yml"
# After each single change instead, which takes an hour.
EVERYWHERE = bool(os.environ.get("SLIPWAY_INTERRUPT_EVERYWHERE"))
MOST_CHANGES = 200
# Only the site with a Docker host has these kinds.
HOST_KINDS = {"instance", "volume", "key pair", "instance profile"}
# Not listed one by one by destroy: the host's, what is kept, and secrets, whose names Ansible masks.
UNLISTED = {*HOST_KINDS, "repository", "parameter"}


def interrupt(site: Site, playbook: str, places: dict[str, tuple[str, ...]], *options: str) -> None:
    """Kill runs in each role in turn.

    The first run of a role also has to complete the role before, whose run was killed; the caller completes the last.
    """
    unfinished: list[str] = []
    for role, killed_at in places.items():
        for place in killed_at:
            print(f"{role}: {place}")
            run = (playbook, "--tags", ",".join([*unfinished, role]), *options)
            if place.startswith("TASK"):
                site.kill_at(place, *run)
            elif EVERYWHERE:
                exhaust(site, *run)
            else:
                assert site.kill_after(place, *run), f"{role} did not call {place}"
            unfinished = [role]


def exhaust(site: Site, playbook: str, *options: str) -> None:
    """Kill run after run, each after its first change, until one changes nothing."""
    changes = 0
    while site.kill_after("", playbook, *options):
        changes += 1
        assert changes < MOST_CHANGES, "each run changes something, and none succeeds"


@pytest.fixture(scope="module")
def before(other: Site) -> dict[str, Json]:
    """The account with one site in it."""
    other.run(SITE, "--tags", "network,registry,cluster,load_balancer,service,verify")
    assert other.answer() == "other"
    return account()


def test_a_site_that_was_interrupted_equals_one_that_was_not(other: Site, killed: Site, before: t.Any) -> None:
    interrupt(killed, SITE, SET_UP)
    killed.run(SITE, "--tags", "service,verify")
    twin = [one for one in killed.inventory() if one[0] not in HOST_KINDS and "docker-instance" not in one[1]]
    assert twin == other.inventory()


def test_a_rerun_changes_nothing(killed: Site) -> None:
    output = killed.run(SITE).output
    assert set(re.findall(r"changed=(\d+)", output)) == {"0"}, output
    assert killed.answer() == "killed"


def test_everything_that_was_created_has_both_tags(before: t.Any) -> None:
    made = {name: one for name, one in account().items() if name not in before and not comes_along(one)}
    wanted = {"slipway:project": "killed", "weather": "killed"}
    without = {name for name, one in made.items() if not wanted.items() <= tags_of(one).items()}
    assert {name.partition(" ")[0] for name in without} <= UNTAGGED
    services = [one for name, one in made.items() if name.startswith("services")]
    assert [service["propagateTags"] for service in services] == ["SERVICE"]


def comes_along(resource: Json) -> bool:
    """Whether AWS creates and deletes it with a VPC: the default security group and the main route table."""
    mains = [one.get("Main") for one in resource.get("Associations", [])]
    return resource.get("GroupName") == "default" or any(mains)


def test_check_mode_lists_what_would_be_deleted_and_changes_nothing(killed: Site) -> None:
    there = account()
    # On the command line, values are text, not booleans.
    kept = ("ecr_registry_absent_with_images=false", "docker_instance_absent_with_key_pair=false")
    output = killed.run(DESTROY, "--check", *(word for one in kept for word in ("--extra-vars", one))).output
    assert f"{len(killed.owned()) - 2} to delete, 2 to keep" in " ".join(output.split())
    # Each deletion is listed under the same name.
    listed = set(re.findall(r"\(item=(.*)\)", output))
    assert {one["name"] for one in killed.owned() if one["kind"] not in UNLISTED} - listed == {"killed-docker-instance"}
    assert account() == there


def test_without_confirmation_nothing_is_deleted(killed: Site) -> None:
    there = account()
    for options in ((), ("--extra-vars", "destroy_confirm=other")):
        refused = killed.start(DESTROY, *options)
        assert refused.process.wait(60) == 2, refused.output
        assert "-e destroy_confirm=killed" in " ".join(refused.output.split())
    assert account() == there


def test_an_interrupted_destroy_leaves_nothing(other: Site, killed: Site, before: dict[str, Json]) -> None:
    confirmed = ("--extra-vars", "destroy_confirm=killed")
    interrupt(killed, DESTROY, TAKE_DOWN, *confirmed)
    killed.run(DESTROY, "--check")
    killed.run(DESTROY, *confirmed)
    assert killed.owned() == []
    # The other site is unchanged, and nothing without a tag is left either.
    assert account() == before
    assert other.answer() == "other"
