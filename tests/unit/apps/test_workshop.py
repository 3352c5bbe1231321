# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The workshop's application has tests in Django's own form; they run in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

APPLICATION = Path(__file__).resolve().parents[3] / "apps/workshop/django"


def manage(*arguments: str) -> None:
    result = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=APPLICATION,
        env=os.environ | {"DEBUG": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_application() -> None:
    manage("test")


def test_migrations_are_what_the_models_say() -> None:
    manage("makemigrations", "--check", "--dry-run")
