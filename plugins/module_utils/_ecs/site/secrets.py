# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables of the inventory in place of values that look like secrets. Pure."""

from __future__ import annotations

import re
import typing as t

from ..._core.masking import with_secrets_replaced
from ..._core.notes import Note

# What a place has beside the names of container and variable.
_MEMBERS = ("containerDefinitions", "environment", "command")


class Variables:
    """All of a site: no two different values have the same variable, however they are named."""

    def __init__(self) -> None:
        self._secrets: dict[str, t.Any] = {}

    def replaced(self, value: t.Any, owner: str, place: str) -> tuple[t.Any, list[Note]]:
        """A copy of what a service or schedule has with variables in place of secrets, and a note for each."""
        written, found = with_secrets_replaced(value, lambda where, secret: self.name(owner, where, secret))
        return written, [_note(f"{place}{where.replace('/', '.')}", variable) for where, variable in found]

    def name(self, service: str, where: str, secret: t.Any) -> str:
        """The variable for a secret at this place of a task definition."""
        parts = [one for one in where.split("/") if one and one not in _MEMBERS]
        name = base = re.sub(r"\W", "_", "_".join(["imported", service, *parts]), flags=re.ASCII)
        number = 2
        while self._secrets.setdefault(name, secret) != secret:
            name, number = f"{base}_{number}", number + 1
        return name


def _note(place: str, variable: str) -> Note:
    return Note(
        place,
        "Its value looks like a secret, and stands where everybody can read it who may describe it. It was not written"
        f" to a file; the inventory has the variable {variable} in its place.",
        "Move the value to AWS Secrets Manager and refer to it in secrets. Until then, define the variable with"
        " Ansible Vault.",
    )
