# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands: without the values of secrets, which a shell fills in instead. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from ..._core.masking import mask_command
from ..._core.secret_forms import MASK
from .project import Project
from .values import Value

_NEEDS_SHELL = "A command cannot contain a secret by reference, so a shell inserts it from an environment variable."
_PASSWORD_OPTION = re.compile(r"-{1,2}(?:\w+-)?(?:require|master)?pass(?:word|wd)?", re.IGNORECASE)
_PASSWORD_IN_TEXT = re.compile(r"(?:^|\s)-{1,2}(?:\w+-)?(?:require|master)?pass(?:word|wd)?[= ](?P<value>[^\s\"'$]+)")
# Options alone: the entry points of these images put their program before them.
_PROGRAMS: Mapping[str, str] = {
    "mariadb": "mariadbd",
    "mongo": "mongod",
    "mysql": "mysqld",
    "postgres": "postgres",
    "redis": "redis-server",
    "valkey": "valkey-server",
}


def find_secrets(project: Project, service: str) -> None:
    """Adds the passwords that stand in commands to the secrets of the project."""
    given = project.services[service]
    for words in (given.get("command"), given.get("entrypoint"), (given.get("healthcheck") or {}).get("test")):
        for value in _passwords([str(word) for word in words or ()]):
            project.secrets.add(service, "password", Value(value, value))


def commands_of(project: Project, service: str, secrets: dict[str, str]) -> dict[str, list[str] | None]:
    """`entryPoint` and `command` of a container; its `secrets` get what a shell in them needs."""
    entry_point, command = (_words(project, service, key) for key in ("entrypoint", "command"))
    words = [*entry_point, *command]
    filled = _filled(project, service, words, secrets)
    if filled == words:
        return {"entryPoint": entry_point or None, "command": command or None}
    if entry_point:
        project.note(service, "entrypoint", _NEEDS_SHELL, "This requires sh in the image. Check the entry point.")
        return {"entryPoint": _in_shell(filled), "command": None}
    advice = "This requires sh in the image, and an entry point that runs its arguments. Check the command."
    if filled[0].startswith("-"):
        image = re.split(r"[:@]", str(project.services[service].get("image") or "").rpartition("/")[2])[0]
        filled = [_PROGRAMS.get(image) or "PROGRAM", *filled]
        advice += "" if image in _PROGRAMS else " Replace PROGRAM with the program of the image."
    project.note(service, "command", _NEEDS_SHELL, advice)
    return {"entryPoint": None, "command": _in_shell(filled)}


def _words(project: Project, service: str, key: str) -> list[str]:
    return [project.hosts.replaced("", str(word)) for word in project.services[service].get(key) or ()]


def _in_shell(words: Sequence[str]) -> list[str]:
    """A command as one for a shell. Of one that is for a shell itself, the shell's options are kept."""
    if _is_shell(words):
        return list(words)
    return ["sh", "-c", "exec " + " ".join(_quoted(word) for word in words)]


def _is_shell(words: Sequence[str]) -> bool:
    return len(words) == 3 and words[0] in ("sh", "bash", "/bin/sh", "/bin/bash") and words[1] == "-c"


def health_command(project: Project, service: str, test: Sequence[str], secrets: dict[str, str]) -> list[str]:
    """The command of a health check, which asks its own container, so that names of hosts stay."""
    kind, *words = (str(word) for word in test)
    filled = _filled(project, service, words, secrets)
    if filled == words:
        return [kind, *words]
    project.note(service, "healthcheck", _NEEDS_SHELL, "This requires sh in the image. Check the command.")
    return ["CMD-SHELL", filled[0] if kind == "CMD-SHELL" else " ".join(_quoted(word) for word in filled)]


def _passwords(words: Sequence[str]) -> Iterator[str]:
    """Passwords after an option such as --requirepass, or in one text for a shell."""
    for number, word in enumerate(words):
        if number and _PASSWORD_OPTION.fullmatch(words[number - 1]) and not word.startswith(("-", "$")):
            yield word
        yield from (found["value"] for found in _PASSWORD_IN_TEXT.finditer(word))
    for word, masked in zip(words, mask_command(words), strict=True):
        start, mask, end = str(masked).partition(MASK)
        value = word.removeprefix(start).removesuffix(end)
        if mask and word.startswith(start) and "$" not in value and value:
            yield value


def _filled(project: Project, service: str, words: Sequence[str], secrets: dict[str, str]) -> list[str]:
    """The words with `${VARIABLE}` in place of secrets. Weak ones may be any word: only an option shows them."""
    values = project.secrets.known(project.public)
    values |= {value: project.secrets.add(service, "password", Value(value, value)) for value in _passwords(words)}
    filled = list(words)
    for value in sorted(values, key=len, reverse=True):
        pattern = re.compile(rf"(?<![\w${{]){re.escape(value)}(?!\w)")
        for number, word in enumerate(filled):
            if pattern.search(word):
                variable = f"${{{_variable(values[value], secrets)}}}"
                is_script = len(words) == 1 or (number == 2 and _is_shell(words))
                filled[number] = _in_script(word, pattern, variable) if is_script else pattern.sub(variable, word)
    return filled


def _in_script(text: str, pattern: re.Pattern[str], variable: str) -> str:
    """A text for a shell with the variable in place of a value. No shell replaces variables in single quotes."""

    def replaced(found: re.Match[str]) -> str:
        return f"'\"{variable}\"'" if _is_quoted(text[: found.start()]) else variable

    written = f'"{variable}"'
    return pattern.sub(replaced, text).replace(f"''{written}", written).replace(f"{written}''", written)


def _is_quoted(before: str) -> bool:
    """Whether what follows is in single quotes."""
    quote = ""
    for letter in re.sub(r"\\.", "", before):
        if letter in ("'", '"') and quote in ("", letter):
            quote = "" if quote else letter
    return quote == "'"


def _variable(name: str, secrets: dict[str, str]) -> str:
    """The variable of a container that has a secret, a new one if there is none."""
    known = next((variable for variable, secret in secrets.items() if secret == name), None)
    variable = known or re.sub(r"\W", "_", name).upper()
    secrets[variable] = name
    return variable


def _quoted(word: str) -> str:
    """A word for a shell, which replaces the variables in it and nothing else."""
    parts = re.split(r"(\$\{\w+\})", word)
    if len(parts) == 1:
        return shlex.quote(word)
    return "".join(f'"{part}"' if part.startswith("${") else shlex.quote(part) if part else "" for part in parts)
