"""Both ends of what Slipway supports, each tested: `make test-all`. requirements.txt says which Ansible each gets."""

from __future__ import annotations

import os
from pathlib import Path

import nox
from python_discovery import get_interpreter

nox.options.envdir = ".cache/nox"
nox.options.reuse_venv = "yes"
# A Python that is not there is neither fetched nor a failure, in CI either: its session is skipped, and says so.
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False


def python(*versions: str) -> str:
    """The first of them that is there. pyenv shows only those that are chosen in a folder; all that it has will do."""
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
    """All kinds of tests, or those that are named behind `--`."""
    session.install("-r", "requirements.txt", "-r", "requirements-test.txt")
    session.run("python", "tests/run.py", *session.posargs)
