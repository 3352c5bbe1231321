"""Tests with the oldest and the newest supported Ansible: `make test-all`. requirements.txt has the versions."""

from __future__ import annotations

import os
from pathlib import Path

import nox
from python_discovery import get_interpreter

nox.options.envdir = ".cache/nox"
nox.options.reuse_venv = "yes"
# A Python that is not installed is not downloaded: its session is skipped with a warning, in CI too.
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False


def python(*versions: str) -> str:
    """The first version that is installed, also one that pyenv has but does not activate in this directory."""
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    path = os.pathsep.join([os.environ["PATH"], *map(str, pyenv.glob("versions/*/bin"))])
    found = get_interpreter(versions, env={**os.environ, "PATH": path})
    return (found and found.system_executable) or versions[0]


@nox.session(python=python("3.11"), venv_backend="venv")
def oldest(session: nox.Session) -> None:
    """The Ansible of Python 3.11."""
    tests(session)


@nox.session(python=python("3.13", "3.12"), venv_backend="venv")
def newest(session: nox.Session) -> None:
    """The Ansible of newer Pythons."""
    tests(session)


def tests(session: nox.Session) -> None:
    """The daily tests, or the kinds named after `--`."""
    session.install("-r", "requirements.txt", "-r", "requirements-test.txt")
    session.run("python", "tests/run.py", *session.posargs)
