"""Writes the error codes into the guide on troubleshooting and into the modules' documentation: `make docs`."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / ".ansible/collections"))

from ansible_collections.slipway.aws.plugins.module_utils._core.error_codes import (  # noqa: E402
    CAUSES,
    CODES,
    TIMEOUT,
    Scope,
)

GUIDE = ROOT / "docs/docsite/rst/guide_troubleshooting.rst"
BEGIN, END = ".. codes: written by `make docs`\n", ".. codes: end\n"
MODULES = sorted((ROOT / "plugins/modules").glob("*.py"))
# The documentation of `code` in a module. Its author lists the codes; what they mean is written here.
DESCRIPTION = re.compile(r"(?<=\ncode:\n  description:).*?(?=\n  (?:type|returned|sample):)", re.DOTALL)
TASKS = sorted([*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("playbooks/**/*.yml")])
# The code of a task with slipway.aws.require.
REQUIRED = re.compile(r"^ +code: (\w+)$", re.MULTILINE)
# A code of more roles and playbooks lists none of them.
MANY = 12
INTRODUCTION = (
    "The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)"
    " says of each whether anything was changed, and what to do."
)
WIDTH = 118


def codes_in(text: str) -> list[str]:
    """The codes that a module's documentation of `code` lists, in order."""
    return sorted(set(re.findall(r"V\((\w+)\)", text)))


def documented(path: Path) -> list[str]:
    """The codes that a module documents."""
    found = DESCRIPTION.search(path.read_text())
    return codes_in(found[0]) if found else []


def description(codes: Sequence[str]) -> str:
    """What a module's documentation says of its `codes`, as the YAML of a list."""
    shared = [code for code in codes if CODES[code].scope == "aws"]
    # A module that makes no call may share one of them.
    own = [code for code in codes if code not in shared or len(shared) == 1]
    common = [f"V({code})" for code in shared if code not in own]
    items = [INTRODUCTION, *(f"V({code}). {_ansible(CODES[code].meaning)}" for code in own)]
    if common:
        items.append(f"{', '.join(common[:-1])} and {common[-1]}. These any module returns that calls AWS.")
    return "".join(f"\n{_item(item)}" for item in items)


def _item(text: str) -> str:
    """An item of a list, as a block where YAML would take the text for a key."""
    first = "      " if ": " in text else "    - "
    wrapped = textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent="      ", break_on_hyphens=False)
    return f"    - >-\n{wrapped}" if ": " in text else wrapped


def _ansible(text: str) -> str:
    """Code in Ansible's markup instead of reStructuredText's."""
    return re.sub(r"``(.+?)``", r"C(\1)", text)


def module(text: str) -> str:
    """A module's source with the documentation of its codes as it is now; one that lists none has its own words."""
    return DESCRIPTION.sub(lambda found: description(codes_in(found[0])) if codes_in(found[0]) else found[0], text)


def table(title: str, text: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A section with a table."""
    yield from (title, "-" * len(title), "", text, "", ".. list-table::", "   :header-rows: 1")
    # The longest code fits its column.
    rest = 75 // (len(columns) - 1)
    yield from (f"   :widths: 25{f' {rest}' * (len(columns) - 1)}", "")
    for row in (columns, *rows):
        yield from (
            f"   {'-' if number else '* -'} {cell}".replace("   - ", "     - ") for number, cell in enumerate(row)
        )
    yield ""


def code_rows(scope: Scope) -> list[list[str]]:
    """The codes of a scope; those that only some modules return, with their names."""
    sources: dict[str, list[str]] = {}
    if scope == "module":
        for path in MODULES:
            for code in documented(path):
                sources.setdefault(code, []).append(f"``{path.stem}``")
        for code, names in required().items():
            sources.setdefault(code, []).extend(names)
    return [
        [f"``{name}``", " ".join([code.meaning, *_from(sources.get(name, []))]), code.changed, code.remedy]
        for name, code in sorted(CODES.items())
        if code.scope == scope or (scope == "rollout" and name == TIMEOUT)
    ]


def _from(sources: Sequence[str]) -> list[str]:
    if len(sources) > MANY:
        return ["(most roles and playbooks)"]
    return [f"({', '.join(sources)})"] if sources else []


def required() -> dict[str, list[str]]:
    """The roles and playbooks that fail with a code, by the code."""
    found: dict[str, list[str]] = {}
    for path in TASKS:
        within = path.relative_to(ROOT)
        name = f"role ``{within.parts[1]}``" if within.parts[0] == "roles" else f"``{within}``"
        for code in REQUIRED.findall(path.read_text()):
            names = found.setdefault(code, [])
            # Users do not know the tasks that playbooks share.
            if name not in names and "playbooks/tasks" not in str(within):
                names.append(name)
    return found


def sections() -> str:
    """All tables, as reStructuredText."""
    columns = ["Code", "Meaning", "Changed", "What to do"]
    lines = (
        *table(
            "Any module that calls AWS",
            "*Changed*: whether the module changed anything. *see services*: the result says it for each service.",
            columns,
            code_rows("aws"),
        ),
        *table(
            "A failed rollout",
            "From ``ecs_service`` and ``ecs_release``. The next table has the values of ``failure.causes``.",
            columns,
            code_rows("rollout"),
        ),
        *table(
            "Why tasks fail",
            "The values of ``failure.causes``:",
            ["Cause", "Meaning", "What to do"],
            [[f"``{name}``", cause.meaning, cause.remedy] for name, cause in sorted(CAUSES.items())],
        ),
        *table(
            "Some modules, roles and playbooks",
            "From those in parentheses.",
            columns,
            code_rows("module"),
        ),
    )
    return "\n".join(lines)


def guide(text: str) -> str:
    """The guide with its tables as they are now."""
    before, rest = text.split(BEGIN)
    _old, after = rest.split(END)
    return f"{before}{BEGIN}\n{sections()}\n{END}{after}"


def main() -> None:
    for path in MODULES:
        path.write_text(module(path.read_text()))
    GUIDE.write_text(guide(GUIDE.read_text()))


if __name__ == "__main__":
    main()
