"""Writes the security controls of docs/controls.yml into the guide on them: `make docs`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
SOURCE, GUIDE = ROOT / "docs/controls.yml", ROOT / "docs/docsite/rst/guide_controls.rst"
BEGIN, END = ".. controls: written by `make docs`\n", ".. controls: end\n"
MET = {"default": "by default", "variable": "with", "no": "**no**", "account": "by the account"}
COLUMNS = ["Control", "What it asks for", "Met", "Remarks"]

Json = dict[str, Any]


def controls() -> dict[str, list[Json]]:
    """The controls of each service."""
    found: dict[str, list[Json]] = yaml.safe_load(SOURCE.read_text())
    return found


def names(control: Json) -> str:
    """What the standards call it."""
    return ", ".join(filter(None, [control["id"], f"CIS {control['cis']}" if "cis" in control else ""]))


def _row(control: Json) -> list[str]:
    met = MET[control["met"]] + (f" ``{control['with']}``" if "with" in control else "")
    return [names(control), control["title"], met, control.get("why", "")]


def _table(title: str, rows: list[Json]) -> Iterator[str]:
    yield from ("", title, "-" * len(title), "", ".. list-table::", "   :header-rows: 1", "   :widths: 12 30 24 34", "")
    for row in (COLUMNS, *map(_row, rows)):
        for number, cell in enumerate(row):
            yield f"   {' ' if number else '*'} - {cell}".rstrip()


def sections() -> str:
    """All tables, with how many controls are met, as reStructuredText."""
    found = controls()
    met = [one["met"] for rows in found.values() for one in rows]
    text = (
        f"Of {len(met)} controls, {met.count('default')} are met by default, {met.count('variable')} if a variable is"
        f" set, and {met.count('no')} are not met; {met.count('account')} are up to whoever runs the account."
    )
    return "\n".join([text, *(line for title, rows in found.items() for line in _table(title, rows)), ""])


def guide(text: str) -> str:
    """The guide with its tables as they are now."""
    before, rest = text.split(BEGIN)
    _old, after = rest.split(END)
    return f"{before}{BEGIN}\n{sections()}\n{END}{after}"


def main() -> None:
    GUIDE.write_text(guide(GUIDE.read_text()))


if __name__ == "__main__":
    main()
