# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands: without the values of secrets, which a shell fills in instead. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from ..._core.masking import mask_command
from .project import Project
from .values import Value

_NEEDS_NO_SHELL = "A command cannot get a secret by reference, so a shell fills it in from a variable."
_HAS_SHELL = "This needs sh in the image, and an entry point that runs its arguments. Compare the command."


def command_of(project: Project, service: str, key: str, secrets: dict[str, str]) -> list[str] | None:
    """The words of `command` or `entrypoint`; `secrets` of the container get what a shell in it needs."""
    words = project.services[service].get(key)
    if not words:
        return None
    shown = [project.hosts.replaced("", str(word)) for word in words]
    filled = [_filled(project, service, word, secrets) for word in _named_secrets(project, service, key, shown)]
    if filled == shown:
        return shown
    project.note(service, key, _NEEDS_NO_SHELL, _HAS_SHELL)
    return ["sh", "-c", "exec " + " ".join(_quoted(word) for word in filled)]


def health_command(project: Project, service: str, test: Sequence[str], secrets: dict[str, str]) -> list[str]:
    """The command of a health check, which is not rewritten to other host names: it asks its own container."""
    kind, *words = (str(word) for word in test)
    filled = [_filled(project, service, word, secrets) for word in words]
    if filled == words:
        return [kind, *words]
    project.note(service, "healthcheck", _NEEDS_NO_SHELL, "This needs sh in the image. Compare the command.")
    return ["CMD-SHELL", filled[0] if kind == "CMD-SHELL" else " ".join(_quoted(word) for word in filled)]


def _named_secrets(project: Project, service: str, key: str, words: Sequence[str]) -> Sequence[str]:
    """The words; passwords that only their options show as such become secrets."""
    for word, masked in zip(words, mask_command(words), strict=True):
        if word != masked:
            value = word.removeprefix(str(masked).partition("********")[0])
            if value and not any(value == known for known, _name in project.secrets.known()):
                project.secrets.add(service, f"{key}-secret", Value(value, value))
    return words


def _filled(project: Project, service: str, word: str, secrets: dict[str, str]) -> str:
    """The word with `${VARIABLE}` in place of secrets."""
    for value, name in project.secrets.known():
        if value in word and re.search(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])", word):
            by_secret = {secret: variable for variable, secret in secrets.items()}
            variable = by_secret.get(name) or re.sub(r"\W", "_", name).upper()
            secrets.setdefault(variable, name)
            word = word.replace(value, f"${{{variable}}}")
    return word


def _quoted(word: str) -> str:
    """A word for a shell, which replaces the variables in it and nothing else."""
    parts = re.split(r"(\$\{\w+\})", word)
    if len(parts) == 1:
        return shlex.quote(word)
    return "".join(f'"{part}"' if part.startswith("${") else shlex.quote(part) if part else "" for part in parts)
