"""Writes the README's table of costs from docs/prices.yml and the variables of inventory/aws: `make docs`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader

from ansible_collections.slipway.aws.plugins.plugin_utils import cost, role_defaults

ROOT = Path(__file__).resolve().parents[1]
START, END = "<!-- cost: written by `make docs` -->\n", "<!-- cost: end -->\n"
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


def block() -> str:
    chosen, table = settings(), cost.prices()
    regions = list(table["regions"])
    rows = [["US dollars a month", *(f"{table['regions'][region]['name']}" for region in regions)]]
    rows.append(["---", *("--:" for _region in regions)])
    for name, what in [*ROWS.items(), (None, "total")]:
        rows.append([what, *(f"{part(chosen, region, name):.2f}" for region in regions)])
    for nat in ("per_zone", "none"):
        other = settings(ecs_network_nat=nat)
        what = f"instead of the NAT gateway, with `ecs_network_nat: {nat}`"
        rows.append([what, *(f"{part(other, region, cost.INTERNET):.2f}" for region in regions)])
    text = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    note = (
        f"An estimate for {table['hours_a_month']} hours, from the list prices as noted on {table['as_of']} in "
        "[docs/prices.yml](docs/prices.yml),\n"
        "which says how reliable each is. Without data transfer, requests, storage of logs and images, and taxes.\n"
    )
    return f"{START}\n{text}\n{note}\n{END}"


def written(readme: str) -> str:
    """The README with the table as it is now."""
    before, _start, rest = readme.partition(START)
    return before + block() + rest.partition(END)[2]


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(written(path.read_text()))
