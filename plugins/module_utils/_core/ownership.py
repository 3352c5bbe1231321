# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose an existing resource is: the project's, another project's, or nobody's yet. Pure.

A resource without the tag slipway:project is not adopted. Check mode compares it without its tags, which the playbook
adopt sets; a run refuses it before anything is changed. That of another project is refused in both.
"""

from __future__ import annotations

import typing as t

from .error_codes import CONFLICT, NOT_ADOPTED
from .errors import SlipwayError
from .tags import PROJECT


def is_adopted(current: t.Mapping[str, t.Any], desired: t.Mapping[str, t.Any] | None, what: str) -> bool:
    """Whether a resource with the tags `current` is the project's that `desired` names, if any; `what` is for people.

    Fails if it is another project's.
    """
    project, owner = (desired or {}).get(PROJECT), current.get(PROJECT)
    if project and owner and str(owner) != str(project):
        raise SlipwayError(
            CONFLICT,
            f"{what}: expected a resource of the project {project}, got one of the project {owner}. Choose another"
            f" name, or, if the other project no longer uses it, remove its tag {PROJECT}.",
            {"project": owner},
        )
    return not project or owner is not None


def text_of(whats: t.Iterable[str]) -> str:
    """The warning in check mode, and the message of a run."""
    listed = ", ".join(whats)
    return (
        f"Not adopted: {listed}. Expected the tag {PROJECT}, got none. Run the playbook slipway.aws.adopt, which"
        " lists the resources and tags them after a confirmation."
    )


def refuse(whats: t.Sequence[str]) -> None:
    """Fail if any of these is not adopted."""
    if whats:
        raise SlipwayError(NOT_ADOPTED, text_of(whats), {"not_adopted": list(whats)})
