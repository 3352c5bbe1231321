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

# After which change, counted from the start of each run, a role's runs are killed one after the other.
SET_UP = {
    "network": (1, 6, 12),
    "registry": (1,),
    "docker_instance": (2, 2),
    "cluster": (2, 3),
    "load_balancer": (1, 1),
    "service": (1, 1),
}
TAKE_DOWN = {
    "service": (1,),
    "load_balancer": (1,),
    "cluster": (1,),
    "docker_instance": (1,),
    "registry": (1,),
    "network": (1, 4),
}
# What works on the Docker host changes nothing in AWS that could be counted: killed when such a task is at work.
ON_HOST = {
    "docker_host": "docker_host : Packages are installed (apt)]",
    "image": "container_image : Container of it runs]",
}
SITE = "site.yml"
DESTROY = "playbooks/destroy.yml"
# Each change of each role is a point to kill at: hours of patience, not seconds.
ALL = bool(os.environ.get("SLIPWAY_INTERRUPT_EVERYWHERE"))
MOST_RUNS = 200
# What the site with a Docker host has and the other has not.
HOST_KINDS = {"instance", "volume", "key pair", "instance profile"}


def points(chosen: tuple[int, ...]) -> t.Iterable[int]:
    return (1 for _ in range(MOST_RUNS)) if ALL else chosen


def interrupt(site: Site, playbook: str, chosen: dict[str, tuple[int, ...]], *options: str) -> None:
    for role, after in chosen.items():
        for point in points(after):
            changes = site.strike(point, playbook, "--tags", role, *options)
            print(f"{role}: killed after {changes}" if len(changes) >= point else f"{role}: nothing more to change")
            if len(changes) < point:
                break
        else:
            assert not ALL, f"{role} comes to no end"


@pytest.fixture(scope="module")
def before(calm: Site) -> dict[str, Json]:
    """The account with one site in it."""
    calm.run(SITE, "--tags", "network,registry,cluster,load_balancer,service,verify")
    assert calm.answer() == "calm"
    return account()


def test_a_site_that_was_interrupted_is_as_one_that_was_not(calm: Site, stormy: Site, before: t.Any) -> None:
    for role, points_of_role in SET_UP.items():
        interrupt(stormy, SITE, {role: points_of_role})
        stormy.run(SITE, "--tags", role)
        if role == "docker_instance":
            for tag, task in ON_HOST.items():
                stormy.strike_at(task, SITE, "--tags", tag)
                stormy.run(SITE, "--tags", tag)
    twin = [one for one in stormy.inventory() if one[0] not in HOST_KINDS and "docker-instance" not in one[1]]
    assert twin == calm.inventory()


def test_it_changes_nothing_when_it_runs_once_more(stormy: Site) -> None:
    output = stormy.run(SITE).output
    assert set(re.findall(r"changed=(\d+)", output)) == {"0"}, output
    assert stormy.answer() == "stormy"


def test_everything_that_was_made_carries_both_tags(before: t.Any) -> None:
    made = {name: tags_of(one) for name, one in account().items() if name not in before}
    wanted = {"slipway:project": "stormy", "weather": "stormy"}
    assert {name: tags for name, tags in made.items() if not wanted.items() <= tags.items()} == {}


def test_check_mode_lists_what_would_go_and_touches_nothing(stormy: Site) -> None:
    there = account()
    output = stormy.run(DESTROY, "--check").output
    assert f"{len(stormy.owned())} to remove, 0 to" in " ".join(output.split())
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
