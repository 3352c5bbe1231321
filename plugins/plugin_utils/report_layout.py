# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draws a topology for a canvas of a given width. Pure.

Everything flows from top to bottom, and wraps: whatever a project has, no two boxes overlap and no text is cut off.
Tasks of a few services are drawn in their subnets; of many, in their cluster, each with the letter of its zone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ansible_collections.slipway.aws.plugins.plugin_utils.report_drawing import (
    SMALL,
    Drawing,
    Line,
    Mark,
    Place,
    grid,
    width_of,
)
from ansible_collections.slipway.aws.plugins.plugin_utils.report_topology import (
    PRIVATE,
    PUBLIC,
    STATES,
    Balancer,
    Card,
    Idle,
    Node,
    Placement,
    Rule,
    States,
    Subnet,
    Topology,
    Vpc,
    Workload,
    Zone,
    placements,
    zone_letter,
)

EDGE, PAD, GAP = 1.0, 16.0, 16.0
DOT, ICON = 14.0, 22.0
# So many circles stand for a task each; more are counted.
MOST_DOTS = 5
DISTANCE = 7.0
# So many services are drawn in a subnet; if there are more in any, all are drawn in their clusters.
MOST_WORKLOADS = 8
# So many names of a card are written; the others are counted.
MOST_ENTRIES = 4
# What a cell or a zone wants at least.
ZONE_WIDTH, RULE_WIDTH, CARD_WIDTH, NODE_WIDTH = 200.0, 200.0, 180.0, 170.0


def drawn(topology: Topology, width: float) -> Drawing:
    return Picture(topology, width).draw()


def sheets(topology: Topology, width: float) -> list[Drawing]:
    """For paper: clusters with many services have pictures of their own, so that each fits a page."""
    if not Picture(topology, width).grouped:
        return [drawn(topology, width)]
    found = [Picture(topology, width, is_sheet=True).draw()]
    for services in (placements(vpc) for vpc in topology.vpcs):
        for cluster in dict.fromkeys(one.cluster for one in services):
            own = Picture(topology, width)
            place = Place(EDGE, EDGE - GAP, width - 2 * EDGE, -1)
            own.drawing.height = own.clusters([one for one in services if one.cluster == cluster], place) + EDGE
            found.append(own.drawing)
    return found


class Picture:
    """From the outside to the inside. What draws a box returns its bottom."""

    def __init__(self, topology: Topology, width: float, *, is_sheet: bool = False) -> None:
        self.topology = topology
        self.is_sheet = is_sheet
        self.drawing = Drawing(width)
        subnets = [subnet for vpc in topology.vpcs for zone in vpc.zones for subnet in zone.subnets]
        self.grouped = any(len(subnet.workloads) > MOST_WORKLOADS for subnet in subnets)

    def draw(self) -> Drawing:
        drawing, topology = self.drawing, self.topology
        y, left, inner = EDGE, EDGE + PAD, drawing.width - 2 * (EDGE + PAD)
        faces = any(vpc.gateway or any(one.public for one in vpc.balancers) for vpc in topology.vpcs)
        if faces:
            y = self._pill("internet", "Internet", y, -1) + 2 * GAP
        region = drawing.open("region", EDGE, y, drawing.width - 2 * EDGE)
        # The line from the internet passes in the middle.
        free = inner / 2 - GAP if faces else inner
        y = drawing.text(region, left, y + 11, free, f"Region {topology.region}", "note strong")
        if topology.account:
            y = drawing.text(region, left, y, free, f"account {topology.account}", "note")
        for vpc in topology.vpcs:
            y = self._vpc(vpc, Place(left, y + GAP, inner, region))
        if topology.idle:
            y = self._idle(topology.idle, Place(left, y + GAP, inner, region))
        if topology.cards:
            y = grid(drawing, topology.cards, self._card, Place(left, y + GAP, inner, region), CARD_WIDTH)
        if not (topology.vpcs or topology.idle or topology.cards):
            y = drawing.text(region, left, y + GAP, inner, "Nothing of this project was found here.", "note")
        drawing.height = drawing.close(region, y + PAD) + EDGE
        return drawing

    def _pill_width(self, text: str) -> float:
        return min(width_of(text, "name") + ICON + 2 * 12, self.drawing.width - 4 * PAD)

    def _pill(self, icon: str, text: str, y: float, parent: int) -> float:
        """A round box around a text, in the middle of the picture."""
        drawing = self.drawing
        width = self._pill_width(text)
        left = (drawing.width - width) / 2
        box = drawing.open("pill", left, y, width, parent)
        drawing.marks.append(Mark(left + 12, y + 7, icon, box))
        return drawing.close(box, drawing.text(box, left + 12 + ICON, y + 6, width - ICON - 2 * 12, text, "name") + 6)

    def _vpc(self, vpc: Vpc, place: Place) -> float:
        drawing = self.drawing
        box = drawing.open("vpc", place.x, place.y, place.width, place.parent)
        left, inner, middle = place.x + PAD, place.width - 2 * PAD, drawing.width / 2
        internet, source = EDGE + 30, 0.0
        facing = [one for one in vpc.balancers if one.public]
        gateway = f"Internet gateway {vpc.gateway}"
        # The gateway is beside the title, if there is space.
        beside = inner / 2 - self._pill_width(gateway) / 2 - GAP
        free = (beside if beside > 160 else inner / 2 - GAP) if vpc.gateway else inner / 2 - GAP if facing else inner
        y = drawing.text(box, left, place.y + 12, free, f"VPC {vpc.name}", "title")
        for note in (vpc.id if vpc.name != vpc.id else "", vpc.cidr if vpc.owned else "not created by this project"):
            y = drawing.text(box, left, y, free, note, "note") if note else y
        is_first = vpc is self.topology.vpcs[0]
        if vpc.gateway:
            top = place.y + GAP if beside > 160 else y + SMALL
            source = self._pill("gateway", gateway, top, box)
            y = max(y, source)
            if is_first:
                drawing.lines.append(Line(((middle, internet), (middle, top))))
        elif is_first:
            source = internet
        # Those that face the internet first: their way in is straight.
        for number, balancer in enumerate([*facing, *(one for one in vpc.balancers if not one.public)]):
            y += 2 * GAP if number == 0 and balancer.public else GAP
            if balancer.public and source:
                drawing.lines.append(_way_in(source, y, left, middle, is_straight=number == 0))
            y = self._balancer(balancer, Place(left, y, inner, box))
        y = self._zones(vpc, Place(left, y + (2 * GAP if vpc.balancers else GAP), inner, box), y)
        if self.grouped and not self.is_sheet:
            y = self.clusters(placements(vpc), Place(left, y, inner, box))
        if vpc.endpoints:
            y = drawing.text(box, left, y + SMALL, inner, f"VPC endpoints: {', '.join(vpc.endpoints)}", "note")
        return drawing.close(box, y + PAD)

    # Load balancers

    def _balancer(self, balancer: Balancer, place: Place) -> float:
        drawing = self.drawing
        box = drawing.open("balancer", place.x, place.y, place.width, place.parent)
        left, inner = place.x + PAD, place.width - 2 * PAD
        drawing.marks.append(Mark(left, place.y + 14, "balancer", box))
        y = drawing.text(box, left + ICON, place.y + 12, inner - ICON, f"Load balancer {balancer.name}", "title")
        kind = "internet-facing" if balancer.public else "internal"
        y = drawing.text(box, left + ICON, y, inner - ICON, _joined(kind, balancer.address), "note")
        rules = _summarised(balancer.rules) if self.grouped else balancer.rules
        for listener in dict.fromkeys(rule.listener for rule in rules):
            some = [rule for rule in rules if rule.listener == listener]
            y = drawing.text(box, left, y + 10, inner, listener, "note strong") + 4
            least = max(RULE_WIDTH, min(max(map(_rule_width, some)), inner))
            y = grid(drawing, some, self._rule, Place(left, y, inner, box), least)
        return drawing.close(box, y + PAD - 2)

    def _rule(self, rule: Rule, place: Place) -> float:
        title = f"{rule.listener}, {rule.condition}: {rule.target}{spoken(rule.states)}"
        box = self._chip(place, rule.service, title)
        y = self.drawing.text(box, place.x + 12, place.y + 7, place.width - 24, rule.condition, "note")
        return self.drawing.close(box, self._named(box, rule.target, dots_of(rule.states), place.inside(12, y)) + 7)

    # Zones, side by side as far as they fit, with the same layers at the same height

    def _zones(self, vpc: Vpc, place: Place, balancer: float) -> float:
        columns = max(1, min(len(vpc.zones), int((place.width + GAP) // (ZONE_WIDTH + GAP))))
        each = (place.width - GAP * (columns - 1)) / columns
        y = bottom = place.y
        for start in range(0, len(vpc.zones), columns):
            row = vpc.zones[start : start + columns]
            heights = [max(own) for own in zip(*(self._heights(zone, each) for zone in row), strict=True)]
            for number, zone in enumerate(row):
                left = place.x + number * (each + GAP)
                if zone.targets and vpc.balancers and (start == 0 or columns == 1):
                    below = left + each / 2 if start == 0 else left
                    self.drawing.lines.append(_way_down(balancer, y, below, is_straight=start == 0))
                bottom = self._zone(zone, Place(left, y, each, place.parent), heights)
            y = bottom + GAP
        return bottom

    def _heights(self, zone: Zone, width: float) -> list[float]:
        """How high each layer of the zone is, by itself."""
        trial = Picture(self.topology, width)
        return [trial._subnets(subnets, Place(0, 0, width - 24, -1)) for subnets in _layers(zone)]

    def _zone(self, zone: Zone, place: Place, heights: Sequence[float]) -> float:
        drawing = self.drawing
        box = drawing.open("zone", place.x, place.y, place.width, place.parent)
        y = drawing.text(box, place.x + 12, place.y + 9, place.width - 24, zone.name, "note strong") + SMALL
        for subnets, height in zip(_layers(zone), heights, strict=True):
            if height:
                first = len(drawing.boxes)
                self._subnets(subnets, Place(place.x + 12, y, place.width - 24, box))
                if len(subnets) == 1:
                    drawing.boxes[first].height = height
                y += height + SMALL
        return drawing.close(box, y + 4)

    def _subnets(self, subnets: Sequence[Subnet], place: Place) -> float:
        y = place.y
        for number, subnet in enumerate(subnets):
            y = self._subnet(subnet, Place(place.x, y + (SMALL if number else 0), place.width, place.parent))
        return y

    def _subnet(self, subnet: Subnet, place: Place) -> float:
        drawing = self.drawing
        box = drawing.open(f"subnet {subnet.reach}".strip(), place.x, place.y, place.width, place.parent)
        drawing.boxes[box].title = " ".join(filter(None, [subnet.reach, "subnet", subnet.name, subnet.cidr, subnet.id]))
        left, inner = place.x + 12, place.width - 24
        y = drawing.text(box, left, place.y + 9, inner, subnet.name, "name")
        kind = f"{subnet.reach} subnet".strip().capitalize()
        y = drawing.text(box, left, y, inner, _joined(kind, subnet.cidr), "note")
        if subnet.reach == PRIVATE and subnet.egress:
            y = drawing.text(box, left, y, inner, f"out: {subnet.egress}", "note")
        if subnet.nodes:
            y = grid(drawing, subnet.nodes, self._node, Place(left, y + SMALL, inner, box), NODE_WIDTH)
        if self.grouped and subnet.workloads:
            y = grid(drawing, _of_clusters(subnet.workloads), self._workload, Place(left, y + SMALL, inner, box), inner)
        for cluster in () if self.grouped else dict.fromkeys(one.cluster for one in subnet.workloads):
            some = [one for one in subnet.workloads if one.cluster == cluster]
            y = drawing.text(box, left, y + 10, inner, f"Cluster {cluster}", "note strong") + 4
            widest = max(width_of(one.service, "name") + width_of_all(dots_of(one.states)) + 40 for one in some)
            y = grid(drawing, some, self._workload, Place(left, y, inner, box), min(widest, inner))
        return drawing.close(box, y + 12)

    def _node(self, node: Node, place: Place) -> float:
        drawing = self.drawing
        box = drawing.open("node", place.x, place.y, place.width, place.parent)
        drawing.marks.append(Mark(place.x + 10, place.y + 9, "gateway" if node.kind == "NAT gateway" else "host", box))
        left, inner = place.x + 10 + ICON, place.width - 20 - ICON
        y = drawing.text(box, left, place.y + 7, inner, node.kind, "name")
        for text in filter(None, [node.name, node.note]):
            y = drawing.text(box, left, y, inner, text, "note")
        return drawing.close(box, y + 7)

    # Services

    def _chip(self, place: Place, key: str, title: str) -> int:
        """The box of a service, which links to its row."""
        box = self.drawing.open("chip", place.x, place.y, place.width, place.parent)
        self.drawing.boxes[box].link, self.drawing.boxes[box].title = key, title
        return box

    def _workload(self, work: Workload, place: Place) -> float:
        box = self._chip(place, "" if self.grouped else work.key, f"{work.service}{spoken(work.states)}")
        return self.drawing.close(
            box, self._named(box, work.service, dots_of(work.states), place.inside(12, place.y + 6)) + 6
        )

    def clusters(self, services: Sequence[Placement], place: Place) -> float:
        """Each cluster, with its services."""
        drawing, y = self.drawing, place.y
        for cluster in dict.fromkeys(one.cluster for one in services):
            some = [one for one in services if one.cluster == cluster]
            box = drawing.open("cluster", place.x, y + GAP, place.width, place.parent)
            left, inner = place.x + PAD, place.width - 2 * PAD
            y = drawing.text(box, left, y + GAP + 12, inner, f"Cluster {cluster}", "title")
            y = drawing.text(box, left, y, inner, f"{len(some)} services, their tasks by zone", "note") + SMALL
            least = max(width_of(one.service, "name") + width_of_all(self._by_zone(one)) + 36 for one in some)
            y = grid(drawing, some, self._placement, Place(left, y, inner, box), min(least, inner))
            y = drawing.close(box, y + PAD)
        return y

    def _placement(self, one: Placement, place: Place) -> float:
        where = "; ".join(f"{zone}{spoken(states)}" for zone, states in one.zones)
        box = self._chip(place, one.key, f"{one.service}, {where}")
        y = self._named(box, one.service, self._by_zone(one), place.inside(12, place.y + 6))
        for route in one.routes:
            y = self.drawing.text(box, place.x + 12, y, place.width - 24, route, "note")
        return self.drawing.close(box, y + 7)

    def _by_zone(self, one: Placement) -> list[Dots]:
        region = self.topology.region
        return [dots for zone, states in one.zones for dots in dots_of(states, zone_letter(zone, region))]

    def _named(self, box: int, name: str, dots: Sequence[Dots], place: Place) -> float:
        """A name with the states at the right, or below it if they do not fit."""
        y = self.drawing.text(box, place.x, place.y, place.width, name, "name")
        width = width_of_all(dots)
        if not dots:
            return y
        if width_of(name, "name") + width + SMALL <= place.width:
            self._dots(box, dots, Place(place.x + place.width - width, place.y + 2, width, box))
            return y
        return self._dots(box, dots, Place(place.x, y + 2, place.width, box))

    def _dots(self, box: int, dots: Sequence[Dots], place: Place) -> float:
        """In as many lines as they need."""
        drawing, x, y = self.drawing, place.x, place.y
        for one in dots:
            if x > place.x and x + one.width > place.x + place.width + 0.01:
                x, y = place.x, y + 18
            if one.letter:
                drawing.text(box, x, y - 1, one.width, one.letter, "note")
            at = x + one.indent
            for number, state in enumerate(one.states):
                drawing.marks.append(Mark(at + number * (DOT + 3), y, state, box))
            if one.count:
                drawing.text(box, at + DOT + 3, y - 2, one.width, one.count, "name")
            x += one.width + DISTANCE
        return y + 16

    def _idle(self, services: Sequence[Idle], place: Place) -> float:
        box = self.drawing.open("idle", place.x, place.y, place.width, place.parent)
        left, inner = place.x + PAD, place.width - 2 * PAD
        y = self.drawing.text(box, left, place.y + 12, inner, "Services without tasks in a subnet", "title") + SMALL
        widest = max(max(width_of(one.service, "name"), width_of(_idle_note(one), "note")) for one in services) + 24
        y = grid(self.drawing, services, self._idle_chip, Place(left, y, inner, box), min(widest, inner))
        return self.drawing.close(box, y + PAD)

    def _idle_chip(self, one: Idle, place: Place) -> float:
        box = self._chip(place, one.key, f"{one.service}, {_idle_note(one)}")
        y = self.drawing.text(box, place.x + 12, place.y + 7, place.width - 24, one.service, "name")
        y = self.drawing.text(box, place.x + 12, y, place.width - 24, _idle_note(one), "note")
        return self.drawing.close(box, y + 7)

    def _card(self, card: Card, place: Place) -> float:
        drawing = self.drawing
        box = drawing.open("card", place.x, place.y, place.width, place.parent)
        left, inner = place.x + 12, place.width - 24
        drawing.marks.append(Mark(left, place.y + 11, card.icon, box))
        y = drawing.text(box, left + ICON, place.y + 10, inner - ICON, f"{card.title}  {len(card.entries)}", "name") + 2
        for entry in card.entries[:MOST_ENTRIES]:
            y = drawing.text(box, left, y, inner, entry, "note")
        if (more := len(card.entries) - MOST_ENTRIES) > 0:
            y = drawing.text(box, left, y, inner, f"and {more} more", "note")
        return drawing.close(box, y + 10)


def _joined(*facts: str) -> str:
    return "  ·  ".join(fact for fact in facts if fact)


def _way_in(start: float, top: float, left: float, middle: float, *, is_straight: bool) -> Line:
    """To a load balancer: straight to the first, and around it to the others."""
    if is_straight:
        return Line(((middle, start), (middle, top)))
    bend, gutter = start + GAP, left - PAD / 2
    return Line(((middle, bend), (gutter, bend), (gutter, top + GAP), (left, top + GAP)))


def _way_down(start: float, top: float, x: float, *, is_straight: bool) -> Line:
    """From a load balancer to a zone: straight, or around the zones above it."""
    if is_straight:
        return Line(((x, start), (x, top)))
    gutter = x - PAD / 2
    return Line(((x, start - GAP), (gutter, start - GAP), (gutter, top + GAP), (x, top + GAP)))


def _rule_width(rule: Rule) -> float:
    return (
        max(width_of(rule.condition, "note"), width_of(rule.target, "name") + width_of_all(dots_of(rule.states)) + 16)
        + 28
    )


def _summarised(rules: Sequence[Rule]) -> list[Rule]:
    """One for each listener: which rule forwards where is written at the services."""
    found = []
    for listener in dict.fromkeys(rule.listener for rule in rules):
        some = [rule for rule in rules if rule.listener == listener]
        targets = {rule.target: rule.states for rule in some}
        text = f"{len(targets)} target groups" if len(targets) > 1 else next(iter(targets))
        found.append(Rule(listener, f"{len(some)} rules", text, "", _sum(targets.values())))
    return found


def _layers(zone: Zone) -> list[list[Subnet]]:
    """Public subnets, private ones, and those of which it is unknown."""
    return [[one for one in zone.subnets if one.reach == reach] for reach in (PUBLIC, PRIVATE, "")]


def _of_clusters(workloads: Sequence[Workload]) -> list[Workload]:
    """All tasks of a cluster as one workload."""
    found = []
    for cluster in dict.fromkeys(one.cluster for one in workloads):
        some = [one for one in workloads if one.cluster == cluster]
        name = f"{len(some)} service{'' if len(some) == 1 else 's'} of {cluster}"
        found.append(Workload(cluster, name, _sum(one.states for one in some)))
    return found


def _sum(all_states: Iterable[States]) -> Counter[str]:
    found: Counter[str] = Counter()
    for states in all_states:
        found.update(states)
    return found


@dataclass(frozen=True)
class Dots:
    """Circles for tasks, one each or with their number, and before them the letter of their zone."""

    letter: str
    states: tuple[str, ...]
    count: str

    @property
    def indent(self) -> float:
        return width_of(self.letter, "note") + 3 if self.letter else 0.0

    @property
    def width(self) -> float:
        count = 3 + width_of(self.count, "name") if self.count else 0.0
        return self.indent + (DOT + 3) * len(self.states) - 3 + count


def dots_of(states: States, letter: str = "") -> list[Dots]:
    number = sum(states.values())
    if number > MOST_DOTS:
        counts = [(state, states[state]) for state in STATES if states.get(state)]
        return [Dots("" if n else letter, (state,), str(count)) for n, (state, count) in enumerate(counts)]
    marks = tuple(state for state in STATES for _one in range(states.get(state, 0)))
    return [Dots(letter, marks, "")] if marks else []


def width_of_all(dots: Sequence[Dots]) -> float:
    return sum(one.width + DISTANCE for one in dots) - DISTANCE if dots else 0.0


WORDS = {"ok": "healthy", "waiting": "starting or stopping", "bad": "unhealthy", "unknown": "unknown"}


def spoken(states: States) -> str:
    """The states in words, for titles."""
    found = [f"{states[state]} {WORDS[state]}" for state in STATES if states.get(state)]
    return f": {', '.join(found)}" if found else ""


def _idle_note(one: Idle) -> str:
    return f"cluster {one.cluster}, {one.note}"
