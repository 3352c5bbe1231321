"""Writes README.md of each role from its argument specs: `make docs`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import yaml

ROOT = Path(__file__).resolve().parent.parent
# Ansible's markup for option names, values and the like, which Markdown shows as code, or as what it says.
CODE = re.compile(r"\b[COVEP]\(((?:[^()\\]|\\.)*)\)")
PLAIN = (
    (re.compile(r"\b[BI]\(([^()]*)\)"), r"*\1*"),
    (re.compile(r"\bL\(([^(),]*),\s*([^()]*)\)"), r"[\1](\2)"),
    (re.compile(r"\b[UM]\(([^()]*)\)"), r"\1"),
)


def markdown(text: str) -> str:
    """Ansible's markup as Markdown."""
    text = CODE.sub(lambda match: "`" + re.sub(r"\\(.)", r"\1", match[1]) + "`", " ".join(text.split()))
    for pattern, replacement in PLAIN:
        text = pattern.sub(replacement, text)
    return text


def sentences(description: str | list[str] | None) -> list[str]:
    """A description is one paragraph or a list of them."""
    return [description] if isinstance(description, str) else list(description or [])


def rows(options: dict[str, Any], prefix: str = "") -> Iterator[dict[str, str]]:
    """Options in their order, each followed by its own sub-options."""
    for name, option in options.items():
        kind = option.get("type", "str")
        if "elements" in option:
            kind += f" of {option['elements']}"
        yield {"name": f"`{prefix}{name}`", "type": kind, "default": _default(option), "meaning": _meaning(option)}
        yield from rows(option.get("options", {}), f"{prefix}{name}{'[]' if option.get('type') == 'list' else ''}.")


def _default(option: dict[str, Any]) -> str:
    if option.get("required"):
        return "required"
    default = option.get("default")
    if default is None:
        return ""
    return _cell(f"`{default if isinstance(default, str) and default else json.dumps(default)}`")


def _meaning(option: dict[str, Any]) -> str:
    meaning = " ".join(markdown(sentence) for sentence in sentences(option.get("description")))
    if "choices" in option:
        meaning += " One of " + ", ".join(f"`{choice}`" for choice in option["choices"]) + "."
    return _cell(meaning)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def new_and_known(entry: dict[str, Any], main: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """An entry point's options that main does not have, or not so, and the names of the others."""
    options, known = entry.get("options", {}), {} if entry is main else main.get("options", {})
    new = {name: option for name, option in options.items() if known.get(name) != option}
    return new, [name for name in options if name not in new]


def readme(role: Path) -> str:
    """The text of README.md of a role."""
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]
    # What is made is Markdown, not HTML: nothing is to be escaped.
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False)  # noqa: S701
    environment.filters |= {"markdown": markdown, "sentences": sentences, "rows": rows, "new_and_known": new_and_known}
    template = environment.from_string((ROOT / "docs/role_readme.md.j2").read_text())
    text = template.render(role=role.name, entry_points=specs)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def main() -> None:
    for role in sorted((ROOT / "roles").iterdir()):
        (role / "README.md").write_text(readme(role))


if __name__ == "__main__":
    main()
