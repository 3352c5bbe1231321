"""Writes the guide's table of costs and the README's figure, from docs/prices.yml and inventory/aws: `make docs`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader

from ansible_collections.slipway.aws.plugins.plugin_utils import cost, role_defaults

ROOT = Path(__file__).resolve().parents[1]
README, GUIDE = ROOT / "README.md", ROOT / "docs/docsite/rst/guide_costs.rst"
# What is written stands between these, in each of them.
MARKS = {
    README: ("<!-- cost: written by `make docs` -->", "<!-- cost: end -->"),
    GUIDE: (".. cost: written by `make docs`\n", ".. cost: end\n"),
}
ROWS = {
    cost.INTERNET: "NAT gateway, with its public address",
    cost.LOAD_BALANCER: "load balancer, with its two",
    cost.REST: "Docker host with its disk and address, and the tasks",
}


def settings(**changes: str) -> dict[str, Any]:
    """The variables that decide, as a run with inventory/aws has them."""
    files = [ROOT / "inventory/aws/group_vars/all" / name for name in ("workshop.yml", "cloud.yml")]
    given: dict[str, Any] = {}
    for path in files:
        given |= DataLoader().load_from_file(str(path), trusted_as_template=True)
    return role_defaults.resolved({**given, **changes}, cost.VARIABLES)


def part(chosen: dict[str, Any], region: str, name: str | None) -> float:
    lines = cost.lines(chosen, cost.Prices(cost.prices(), region))
    return cost.total([line for line in lines if name in (None, line.part)])


def table() -> str:
    """The guide's, as reStructuredText."""
    chosen, prices = settings(), cost.prices()
    regions = list(prices["regions"])
    rows = [["US dollars a month", *(prices["regions"][region]["name"] for region in regions)]]
    for name, what in [*ROWS.items(), (None, "total")]:
        rows.append([what, *(f"{part(chosen, region, name):.2f}" for region in regions)])
    for nat in ("per_zone", "none"):
        other = settings(ecs_network_nat=nat)
        what = f"instead of the NAT gateway, with ``ecs_network_nat: {nat}``"
        rows.append([what, *(f"{part(other, region, cost.INTERNET):.2f}" for region in regions)])
    text = "".join(f"   {'*' if not place else ' '} - {cell}\n" for row in rows for place, cell in enumerate(row))
    note = (
        f"An estimate for {prices['hours_a_month']} hours, from the list prices of {prices['as_of']} in "
        "``docs/prices.yml``,\nwhich says how reliable each is. Data transfer, requests, metrics, storage of logs and "
        "images, and taxes are not included.\n"
    )
    return f"\n.. list-table::\n   :header-rows: 1\n   :widths: 50 25 25\n\n{text}\n{note}\n"


def figure() -> str:
    """The README's: together, in the region of inventory/aws."""
    region = DataLoader().load_from_file(str(ROOT / "inventory/aws/group_vars/all/cloud.yml"))["slipway_region"]
    return f"{part(settings(), region, None):.0f} US dollars a month in {cost.prices()['regions'][region]['name']}"


def written(path: Path) -> str:
    """A page with what is written in it as it is now."""
    start, end = MARKS[path]
    before, _start, rest = path.read_text().partition(start)
    return before + start + (figure() if path == README else table()) + end + rest.partition(end)[2]


if __name__ == "__main__":
    for page in MARKS:
        page.write_text(written(page))
