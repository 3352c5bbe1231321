# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The recorded project, read whole or one kind of it again, and everything that is computed from it."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.slipway.aws.plugins.module_utils._project import api, details_flow, model, state
from ansible_collections.slipway.aws.plugins.module_utils._project.drift import model as drift_model
from ansible_collections.slipway.aws.plugins.module_utils._project.kinds.base_api import Account, Kind
from ansible_collections.slipway.aws.plugins.module_utils._project.status.model import status
from ansible_collections.slipway.aws.plugins.plugin_utils import drift as drift_lines
from ansible_collections.slipway.aws.plugins.plugin_utils import report, report_html
from ansible_collections.slipway.aws.plugins.plugin_utils.status import table
from ansible_collections.slipway.aws.tests.recorded.answers import ACCOUNT, PROJECT, REGION
from ansible_collections.slipway.aws.tests.recorded.readers import client

Json = dict[str, t.Any]
NOW = datetime.datetime(2026, 11, 29, 12, 0, tzinfo=datetime.UTC)


def read() -> Json:
    """As project_info returns it with details."""
    return details_flow.run(client, PROJECT)


def read_again(kind: Kind, usual: Json) -> Json:
    """The project, of which one kind is read again."""
    clients = {service: client(service) for service in (*api.SERVICES, *api.DETAILED_SERVICES)}
    answer = details_flow._read(kind, Account(clients, PROJECT, in_full=True), REGION)
    caller = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/ci"
    own = details_flow._detailed([answer.owned if one is kind else [] for one in api.KINDS], caller, REGION)
    others = [one for one in usual["resources"] if one["kind"] != kind.name]
    return {**usual, "resources": [*own, *others], "unknown": model.distinct(answer.unknown)}


def names(project: Json, kind: str) -> list[str]:
    return sorted(one["id"] for one in project["resources"] if one["kind"] == kind)


def records(project: Json) -> Json:
    """As if all roles had converged just now."""
    about = {"at": "2026-11-28T09:00:00Z", "by": "ci", "collection": "0.2.0", "proven": True}
    return {
        key: {"role": key.partition("/")[0], "group": "", "state": one, **about}
        for key, one in state.by_role(project["resources"]).items()
    }


def drift(project: Json, recorded: Json) -> Json:
    found = drift_model.drift(recorded, {}, drift_model.live(project))
    about = {"project": PROJECT, "account": ACCOUNT, "region": REGION, "read_at": "2026-11-29T12:00:00Z", "notes": []}
    return {**about, **found}


def shown(project: Json, recorded: Json, *, page: bool = True) -> list[str]:
    """All that people see of a project: its status, its drift and its report, as texts."""
    found = drift(project, recorded)
    lines = [line.text for line in table(status(PROJECT, project, NOW), 120)]
    lines += [line.text for line in drift_lines.listing(found)] + [drift_lines.junit(found)]
    whole = report.page(PROJECT, {**project, "drift": found}, NOW, "0.2.0")
    return [*lines, report_html.rendered(whole)] if page else [*lines, str(report.summary(whole))]
