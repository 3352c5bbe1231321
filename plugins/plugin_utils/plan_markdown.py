# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a run as Markdown, such as for a comment on a pull request. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from ansible_collections.slipway.aws.plugins.plugin_utils import plan

# GitHub takes comments of 65536 characters.
LONGEST = 60000
# Of a difference: what follows is in the log.
LONGEST_DIFFERENCE = 12000
# The variables of the title.
TITLE = ("slipway_project", "slipway_region")
_CONTROL = re.compile(r"\x1b\[[0-9;]*m|[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd]")
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&@])")
_FENCE = re.compile(r"`{3,}")


def document(
    title: str,
    known: Sequence[plan.Entry],
    differences: Mapping[tuple[str, str], str],
    *,
    failures: Sequence[str],
    costs: Sequence[str],
) -> str:
    """The plan: a verdict, the changes role by role, and folded the differences and the costs.

    `differences` has those of existing resources, by host and task.
    """
    changes = [entry for entry in known if entry.kind not in (plan.KEEP, plan.OBSOLETE)]
    lines = [f"### {text(title)}: {verdict(changes, failures)}", "", text(plan.summary(known)), ""]
    lines += [f"- **Failed:** {text(one)}" for one in failures] + ([""] if failures else [])
    lines += list(_changes(entry for entry in known if entry.kind != plan.KEEP))
    whole = "\n".join(lines)
    sections = [_folded(f"Difference: {task}", shown) for (_host, task), shown in differences.items()]
    if costs:
        sections.append(_folded("Cost", "\n".join(costs)))
    for section in sections:
        if len(whole) + len(section) > LONGEST:
            whole += "\n\nThe rest is in the log of the run."
            break
        whole += f"\n{section}"
    return f"{whole[:LONGEST].rstrip()}\n"


def verdict(changes: Sequence[plan.Entry], failures: Sequence[str]) -> str:
    if failures:
        return "the plan failed"
    return f"{len(changes)} change{'' if len(changes) == 1 else 's'}" if changes else "no changes"


def _changes(known: Iterable[plan.Entry]) -> Iterable[str]:
    for (group, host), some in groupby(known, key=lambda entry: (entry.group, entry.host)):
        yield f"**{text(group)}**" if host == plan.HERE else f"**{text(group)}** on {text(host)}"
        yield ""
        yield from (f"- {plan.MARKS[entry.kind]} {text(entry.kind)}: {text(str(entry))}" for entry in some)
        yield ""


def _folded(title: str, content: str) -> str:
    cut = printable(content).strip("\n")
    if len(cut) > LONGEST_DIFFERENCE:
        cut = f"{cut[:LONGEST_DIFFERENCE]}\n… the rest is in the log of the run"
    # A fence that is longer than any in the content.
    fence = "`" * max([3, *(len(found) + 1 for found in _FENCE.findall(cut))])
    return f"<details><summary>{text(title)}</summary>\n\n{fence}diff\n{cut}\n{fence}\n\n</details>\n"


def printable(content: str) -> str:
    """Without colours and control characters."""
    return _CONTROL.sub("", content)


def text(content: str) -> str:
    """Text that Markdown shows as it is: no markup, no mentions, no line breaks."""
    return _MARKUP.sub(lambda match: f"&#{ord(match[1])};", " ".join(printable(content).split()))


def title_of(variables: Mapping[str, Any]) -> str:
    """The project and the region, if the variables have them."""
    project, region = (str(variables.get(name) or "") for name in TITLE)
    return f"{project} in {region}" if project and region else project or "Plan"
