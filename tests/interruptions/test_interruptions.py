# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""However often a run is killed, the plain command, repeated, comes to the same end; and the project beside it notices
nothing. The tests build on each other, in this order."""

from __future__ import annotations

import os
import re
import typing as t

import pytest

from ansible_collections.slipway.aws.tests.interruptions.account import Json, account, tags_of
from ansible_collections.slipway.aws.tests.interruptions.conftest import Site

# Where a role's runs are killed: when this call has done its work, or when the output matches this.
SET_UP = {
    "network": ("CreateNatGateway",),
    "registry": ("CreateRepository",),
    "docker_instance": ("RunInstances",),
    # The first of these banners is check mode's.
    "docker_host": ("TASK .*Installed packages are known(.*Packages are installed){2}",),
    "image": ("TASK .*container_image : Container of it runs",),
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
# Nothing tags the listener and the rules of a load balancer, which go with it. AWS tags tasks as their service asks,
# and the emulator does not.
UNTAGGED = {"Listeners", "Rules", "tasks"}
SITE = "site.yml"
DESTROY = "playbooks/destroy.yml"
# Instead, after each single change: an hour.
EVERYWHERE = bool(os.environ.get("SLIPWAY_INTERRUPT_EVERYWHERE"))
MOST_CHANGES = 200
# What the site with a Docker host has and the other has not.
HOST_KINDS = {"instance", "volume", "key pair", "instance profile"}
# What the teardown does not name one by one: the host's own, what stays, and secrets, whose names Ansible hides.
UNTOLD = {*HOST_KINDS, "repository", "parameter"}


def interrupt(site: Site, playbook: str, places: dict[str, tuple[str, ...]], *options: str) -> None:
    """Kill runs in each role in turn. The first of a role's runs also has to complete the role before, where the one
    before it was killed; what the last role lacks is left to the caller."""
    unfinished: list[str] = []
    for role, killed_at in places.items():
        for place in killed_at:
            print(f"{role}: {place}")
            run = (playbook, "--tags", ",".join([*unfinished, role]), *options)
            if place.startswith("TASK"):
                site.strike_at(place, *run)
            elif EVERYWHERE:
                exhaust(site, *run)
            else:
                assert site.strike(place, *run), f"{role} made no call {place}"
            unfinished = [role]


def exhaust(site: Site, playbook: str, *options: str) -> None:
    """Kill run after run, each after its first change, until one has nothing to change any more."""
    changes = 0
    while site.strike("", playbook, *options):
        changes += 1
        assert changes < MOST_CHANGES, "each run changes something, and none comes to an end"


@pytest.fixture(scope="module")
def before(calm: Site) -> dict[str, Json]:
    """The account with one site in it."""
    calm.run(SITE, "--tags", "network,registry,cluster,load_balancer,service,verify")
    assert calm.answer() == "calm"
    return account()


def test_a_site_that_was_interrupted_is_as_one_that_was_not(calm: Site, stormy: Site, before: t.Any) -> None:
    interrupt(stormy, SITE, SET_UP)
    stormy.run(SITE, "--tags", "service,verify")
    twin = [one for one in stormy.inventory() if one[0] not in HOST_KINDS and "docker-instance" not in one[1]]
    assert twin == calm.inventory()


def test_it_changes_nothing_when_it_runs_once_more(stormy: Site) -> None:
    output = stormy.run(SITE).output
    assert set(re.findall(r"changed=(\d+)", output)) == {"0"}, output
    assert stormy.answer() == "stormy"


def test_everything_that_was_made_carries_both_tags(before: t.Any) -> None:
    made = {name: one for name, one in account().items() if name not in before and not comes_along(one)}
    wanted = {"slipway:project": "stormy", "weather": "stormy"}
    without = {name for name, one in made.items() if not wanted.items() <= tags_of(one).items()}
    assert {name.partition(" ")[0] for name in without} <= UNTAGGED
    services = [one for name, one in made.items() if name.startswith("services")]
    assert [service["propagateTags"] for service in services] == ["SERVICE"]


def comes_along(resource: Json) -> bool:
    """AWS makes a security group and a route table with each VPC, which nobody uses here, and removes them with it."""
    mains = [one.get("Main") for one in resource.get("Associations", [])]
    return resource.get("GroupName") == "default" or any(mains)


def test_check_mode_lists_what_would_go_and_touches_nothing(stormy: Site) -> None:
    there = account()
    # On the command line, as the list itself says it: text, not booleans.
    kept = ("ecr_registry_absent_with_images=false", "docker_instance_absent_with_key_pair=false")
    output = stormy.run(DESTROY, "--check", *(word for one in kept for word in ("--extra-vars", one))).output
    assert f"{len(stormy.owned()) - 2} to remove, 2 to stay" in " ".join(output.split())
    # Each removal is told under the same name.
    told = set(re.findall(r"\(item=(.*)\)", output))
    assert {one["name"] for one in stormy.owned() if one["kind"] not in UNTOLD} - told == {"stormy-docker-instance"}
    assert account() == there


def test_without_the_right_answer_nothing_is_removed(stormy: Site) -> None:
    there = account()
    for options in ((), ("--extra-vars", "destroy_confirm=calm")):
        refused = stormy.start(DESTROY, *options)
        assert refused.process.wait(60) == 2, refused.output
        assert "-e destroy_confirm=stormy" in " ".join(refused.output.split())
    assert account() == there


def test_a_teardown_that_was_interrupted_leaves_nothing(calm: Site, stormy: Site, before: dict[str, Json]) -> None:
    confirmed = ("--extra-vars", "destroy_confirm=stormy")
    interrupt(stormy, DESTROY, TAKE_DOWN, *confirmed)
    stormy.run(DESTROY, "--check")
    stormy.run(DESTROY, *confirmed)
    assert stormy.owned() == []
    # Nothing of the other has changed, and nothing without a tag is left either.
    assert account() == before
    assert calm.answer() == "calm"
