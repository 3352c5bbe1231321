# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the report as one HTML page, which requests nothing from anywhere."""

from __future__ import annotations

import base64
import datetime
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ansible_collections.slipway.aws.plugins.module_utils._project.status.project import moment_of
from ansible_collections.slipway.aws.plugins.plugin_utils.report import MARKS, Page, ago, counted, key_of, lasted, words

TEMPLATES = Path(__file__).resolve().parents[2] / "playbooks/templates/report"


def rendered(page: Page) -> str:
    """The page as HTML. Every value is escaped, and the policy allows our own style and script alone."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "moment": moment,
        "iso": iso,
        "moment_of": moment_of,
        "ago": ago,
        "lasted": lasted,
        "words": words,
        "money": money,
    }
    environment.globals |= {"marks": MARKS, "key_of": key_of, "counted": counted}
    style, script = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    allowed = {"style": digest_of(style), "script": digest_of(script)}
    return environment.get_template("report.html.j2").render(page=page, style=style, script=script, allowed=allowed)


def digest_of(text: str) -> str:
    """What a content security policy calls this text, and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def moment(at: datetime.datetime) -> str:
    """A time as people read it."""
    utc = at.astimezone(datetime.UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M}"


def iso(at: datetime.datetime) -> str:
    return at.astimezone(datetime.UTC).isoformat(timespec="seconds")


def money(amount: float | None) -> str:
    return "?" if amount is None else f"{amount:,.2f}"
