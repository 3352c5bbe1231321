# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In no picture of any site do boxes overlap, or leave the box or the canvas that they are in; nothing is left out."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.slipway.aws.plugins.plugin_utils.report_drawing import Box, Drawing, width_of, wrapped
from ansible_collections.slipway.aws.plugins.plugin_utils.report_layout import drawn
from ansible_collections.slipway.aws.plugins.plugin_utils.report_topology import topology
from ansible_collections.slipway.aws.tests.report_sites import ACCOUNT, REGION, Site

WIDTHS = (360.0, 720.0, 1080.0)
LONG = "a-very-long-name-of-a-service-" * 8
SITES = {
    "two services": Site(),
    "fifty services": Site(services=50, zones=3, tasks=3, clusters=("shop", "office"), troubled=frozenset({"web"})),
    "no load balancer": Site(balanced=False),
    "no private subnets": Site(private=False),
    "an existing VPC": Site(owned_network=False),
    "two clusters": Site(services=6, clusters=("blue", "green")),
    "hosts": Site(hosts=5),
    "many tasks": Site(tasks=40),
    "one zone": Site(zones=1),
    "six zones": Site(zones=6, tasks=6),
    "long names": Site(names=(LONG, "x", LONG[::-1]), tasks=9),
    "no tasks": Site(tasks=0),
    "nothing": Site(services=0, clusters=(), balanced=False, owned_network=False, docker_host=False),
}


def overlap(one: Box, other: Box) -> bool:
    apart = (
        one.x + one.width <= other.x
        or other.x + other.width <= one.x
        or one.y + one.height <= other.y
        or other.y + other.height <= one.y
    )
    return not apart


def inside(one: Box, outer: Box) -> bool:
    return (
        outer.x <= one.x
        and outer.y <= one.y
        and one.x + one.width <= outer.x + outer.width + 0.01
        and one.y + one.height <= outer.y + outer.height + 0.01
    )


def problems(drawing: Drawing) -> list[str]:
    """What is wrong with a drawing."""
    canvas = Box("canvas", 0, 0, drawing.width, drawing.height)
    boxes = drawing.boxes
    found = [
        f"{one.kind} leaves its box"
        for one in boxes
        if not inside(one, boxes[one.parent] if one.parent >= 0 else canvas)
    ]
    families: dict[int, list[Box]] = {}
    for one in boxes:
        families.setdefault(one.parent, []).append(one)
    for siblings in families.values():
        found += [f"{a.kind} overlaps {b.kind}" for a, b in combinations(siblings, 2) if overlap(a, b)]
    for label in drawing.labels:
        size = Box("text", label.x, label.y - 12, width_of(label.text, label.kind), 14)
        if not inside(size, boxes[label.box]):
            found.append(f"{label.text!r} leaves its {boxes[label.box].kind}")
        children = families.get(label.box, [])
        found += [f"{label.text!r} is under a {one.kind}" for one in children if overlap(size, one)]
    for mark in drawing.marks:
        if not inside(Box("mark", mark.x, mark.y, 14, 14), boxes[mark.box]):
            found.append(f"{mark.symbol} leaves its {boxes[mark.box].kind}")
    return found


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("site", SITES.values(), ids=SITES)
def test_nothing_overlaps_or_leaves_its_box(site: Site, width: float) -> None:
    assert problems(drawn(topology(site.resources(), REGION, ACCOUNT), width)) == []


NAME = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=80)
ANY_SITE = st.builds(
    Site,
    names=st.lists(NAME, min_size=1, max_size=20, unique=True).map(tuple),
    zones=st.integers(1, 6),
    tasks=st.integers(0, 30),
    hosts=st.integers(0, 3),
    private=st.booleans(),
    owned_network=st.booleans(),
    balanced=st.booleans(),
)


@settings(max_examples=40)
@given(ANY_SITE, st.sampled_from(WIDTHS))
def test_nothing_overlaps_in_any_site(site: Site, width: float) -> None:
    assert problems(drawn(topology(site.resources(), REGION, ACCOUNT), width)) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("number", [2, 50])
def test_every_service_is_in_the_picture_and_links_to_its_row(number: int, width: float) -> None:
    site = Site(services=number)
    drawing = drawn(topology(site.resources(), REGION, ACCOUNT), width)
    assert {box.link for box in drawing.boxes if box.link} == {f"shop/{name}" for name in site.all_names()}


@pytest.mark.parametrize("number", [2, 50])
def test_every_task_is_a_mark(number: int) -> None:
    """Of the services; targets of the load balancer have marks of their own."""
    drawing = drawn(topology(Site(services=number, balanced=False).resources(), REGION, ACCOUNT), 1080)
    chips = [index for index, box in enumerate(drawing.boxes) if box.link]
    assert sum(mark.symbol == "ok" for mark in drawing.marks if mark.box in chips) == 2 * number


def test_fifty_services_stay_readable() -> None:
    drawing = drawn(topology(SITES["fifty services"].resources(), REGION, ACCOUNT), 1080)
    assert drawing.height < 2400


@given(NAME, st.floats(40, 400))
def test_wrapped_lines_fit_and_lose_nothing(text: str, width: float) -> None:
    lines = wrapped(text, width, "name")
    assert all(width_of(line, "name") <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
