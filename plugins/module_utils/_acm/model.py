# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a requested certificate is, and when it is the one that is meant."""

from __future__ import annotations

import re
import typing as t

from .._core import tags as tagging
from .._core.error_codes import INVALID_OPTION, NOT_ISSUED
from .._core.errors import SlipwayError
from .._core.plan import UNKNOWN
from .._core.types import Json

# What a new certificate has that was not requested.
NEW: Json = {"certificate_arn": UNKNOWN, "status": UNKNOWN, "validation_records": [], "failure_reason": ""}
ISSUED = "ISSUED"
# What is neither yet, nor anything else, will never be.
USABLE = ("PENDING_VALIDATION", ISSUED)
DOMAIN = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def domains(given: t.Sequence[str]) -> list[str]:
    """The names in lower case and once each, checked. The first one names the certificate."""
    names = list(dict.fromkeys(name.lower() for name in given))
    wrong = [name for name in names if not DOMAIN.fullmatch(name)]
    if wrong or not names:
        got = ", ".join(wrong) or "none"
        raise SlipwayError(
            INVALID_OPTION, f"domains: expected names such as www.example.com or *.example.com, got {got}."
        )
    return names


def is_for(summary: Json, domain: str) -> bool:
    return bool(summary["DomainName"].lower() == domain)


def fits(certificate: Json, names: t.Sequence[str], own: t.Mapping[str, t.Any]) -> bool:
    """Whether it is for exactly these domains and has these tags."""
    return set(certificate["domains"]) == set(names) and tagging.carries(certificate["tags"], own)


def from_api(answer: Json) -> Json:
    """A certificate from AWS's answers: itself, and its `Tags` where they were read."""
    names = [name.lower() for name in answer.get("SubjectAlternativeNames") or ()]
    return {
        "certificate_arn": answer["CertificateArn"],
        "domains": list(dict.fromkeys([answer["DomainName"].lower(), *names])),
        "status": answer["Status"],
        "validation_records": records(answer),
        "failure_reason": answer.get("FailureReason", ""),
        "tags": tagging.from_list(answer.get("Tags")),
    }


def records(answer: Json) -> list[Json]:
    """The DNS records that prove whose the domains are, once each: a name and its wildcard share one."""
    found = [option.get("ResourceRecord") for option in answer.get("DomainValidationOptions") or ()]
    unique = {record["Name"]: record for record in found if record}
    return [
        {"name": record["Name"].rstrip("."), "type": record["Type"], "value": record["Value"].rstrip(".")}
        for record in unique.values()
    ]


def has_records(answer: Json | None) -> bool:
    """True when each domain's record is known; AWS works them out some seconds after the request."""
    options = (answer or {}).get("DomainValidationOptions") or ()
    return bool(options) and all(option.get("ResourceRecord") for option in options)


def is_issued(answer: Json | None) -> bool:
    """False while AWS looks for the records; SlipwayError when it has given up."""
    status = (answer or {}).get("Status", "")
    if answer and status not in USABLE:
        reason = answer.get("FailureReason") or "AWS gives no reason"
        raise SlipwayError(
            NOT_ISSUED,
            f"AWS does not issue the certificate for {answer['DomainName']}: {status}, {reason}.",
            {"certificate": from_api(answer)},
        )
    return bool(status == ISSUED)
