# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module for certificates does: look for the certificate, ask for it, wait for it."""

from __future__ import annotations

import hashlib
import json
import typing as t
import uuid

from .._core import tags as tagging
from .._core.creating import visible
from .._core.plan import compare
from .._core.types import Client, Connection, Json, Result
from .._core.waiting import poll
from . import api
from . import model as certificate

# AWS needs a few seconds to work out the records.
RECORDS_TIMEOUT = 60
VISIBLE_TIMEOUT = 15


def run(connection: Connection) -> Result:
    """A certificate for exactly these domains, with the caller's tags, is there or asked for; with `wait`, issued."""
    acm, params = connection.client("acm"), connection.params
    names = certificate.domains(params["domains"])
    tags = {str(key): str(value) for key, value in {**(params["tags"] or {}), **(params["match_tags"] or {})}.items()}
    current = find(acm, names, params["match_tags"] or tags)
    wanted = tagging.desired((current or {}).get("tags", {}), tags, params["purge_tags"]) or {}
    planned = compare(
        current and {"domains": sorted(current["domains"]), "tags": current["tags"]},
        {"domains": sorted(names), "tags": wanted},
    )
    result = {"changed": planned.changed, "diff": planned.diff}
    if connection.check_mode:
        return {**result, "certificate": {**(current or certificate.predicted(names, tags)), "tags": wanted}}
    arn = current["certificate_arn"] if current else _requested(acm, names, tags)
    if current:
        put, gone = tagging.changes(current["tags"], wanted)
        api.add_tags(acm, arn, _list(put))
        api.remove_tags(acm, arn, gone)
    return {**result, "certificate": certificate.from_aws(_settled(acm, arn, params), _list(wanted))}


def _requested(acm: Client, names: list[str], tags: t.Mapping[str, str]) -> str:
    """A run seconds after another, whose list does not show the certificate yet, gets the same one.

    So may a run after the certificate's deletion: it asks anew, by a token of its own.
    """
    text = json.dumps([sorted(names), sorted(tags.items())])
    token = hashlib.sha256(text.encode()).hexdigest()[:32]
    arn = api.request_certificate(acm, names, _list(tags), token)
    if visible(lambda: api.find_certificate(acm, arn), timeout=VISIBLE_TIMEOUT):
        return arn
    return api.request_certificate(acm, names, _list(tags), uuid.uuid4().hex)


def find(acm: Client, names: list[str], own: t.Mapping[str, t.Any]) -> Json | None:
    """The certificate for exactly these domains that has these tags. An issued one before one that is not yet."""
    found = []
    for summary in api.list_certificates(acm, certificate.USABLE):
        if summary["DomainName"].lower() != names[0]:
            continue
        arn = summary["CertificateArn"]
        answer = api.find_certificate(acm, arn)
        if answer:
            found.append(certificate.from_aws(answer, api.list_tags(acm, arn)))
    asked = {(str(key), str(value)) for key, value in own.items()}
    fitting = [one for one in found if set(one["domains"]) == set(names) and asked <= set(one["tags"].items())]
    return min(fitting, key=lambda one: one["status"] != certificate.ISSUED, default=None)


def _settled(acm: Client, arn: str, params: t.Mapping[str, t.Any]) -> Json:
    """The certificate when its records are known, or when it is issued."""
    answer = poll(
        lambda: api.find_certificate(acm, arn),
        certificate.has_records,
        timeout=RECORDS_TIMEOUT,
        waiting_for=f"the validation records of {arn}",
    )
    if params["wait"]:
        answer = poll(
            lambda: api.find_certificate(acm, arn),
            certificate.is_issued,
            timeout=params["wait_timeout"],
            waiting_for=f"AWS to issue {arn}, which it does when it finds the validation records",
            describe=lambda last: {"certificate": certificate.from_aws(last, []) if last else {}},
        )
    return answer or {}


def _list(tags: t.Mapping[str, str]) -> list[Json]:
    return tagging.to_capital_list(tags)
