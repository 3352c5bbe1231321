"""Compares policy documents with the record of a run as their users: `tests/permissions.py <documents> <record>`.

The record is the authorization.jsonl of a local cloud that enforces policies. It has to show that no call was denied,
that each action of each document was called, and that it would be denied without the statement that allows it.
Actions that such a run does not call, `unseen` in permissions.yml with the reason, are listed and ignored.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
PERMISSIONS = ROOT / "roles/deployer/files/permissions.yml"
# They combine the others, and may be split into parts; nobody has the boundary as a policy.
SUMS = {"all", "plan", "boundary"}
Json = dict[str, Any]


def unseen() -> dict[tuple[str, str], str]:
    """Why an action is not called, by document and action."""
    permissions = yaml.safe_load(PERMISSIONS.read_text())
    found: dict[tuple[str, str], str] = {}
    for name, part in permissions["documents"].items():
        if "unseen" in part:
            found |= {(name, ""): part["unseen"]}
        for one in [*part["may"], *(one for reads in part["needs"] for one in permissions["reads"][reads])]:
            why = one.get("unseen", {})
            reasons = why if isinstance(why, dict) else dict.fromkeys(one["actions"], why)
            found |= {(name, action): reason for action, reason in reasons.items()}
    return found


def surplus(name: str, document: Json, record: list[Json], aside: set[tuple[str, str]]) -> list[str]:
    """What a document allows and no call needed."""
    statements = [one for one in document["Statement"] if one["Effect"] == "Allow"]
    allowed = {(one["Sid"], action) for one in statements for action in one["Action"] if (name, action) not in aside}
    needed = {(sid, line["action"]) for line in record for sid in line.get("needed", ())}
    print(f"{name:<16}{len(allowed):>4} actions, {len(allowed & needed):>4} needed")
    return [f"{name}: nothing needed {action} of {sid}" for sid, action in sorted(allowed - needed)]


def main() -> int:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    aside = unseen()
    for (name, action), why in aside.items():
        print(f"ignored: {action or 'everything'} of {name}, as {why}")
    lines = [json.loads(line) for line in Path(sys.argv[2]).read_text().splitlines()]
    problems: list[str] = []
    for path in sorted(Path(sys.argv[1]).glob("*.json")):
        record = [line for line in lines if line["caller"].endswith(f"/deployer-{path.stem}")]
        problems += [
            f"{path.stem}: {line['action']} on {line['refused']} was denied" for line in record if "refused" in line
        ]
        if path.stem.split("-")[0] not in SUMS and (path.stem, "") not in aside:
            problems += surplus(path.stem, json.loads(path.read_text()), record, set(aside))
    print(*problems, sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
