# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWS Certificate Manager, one typed function a call: paginated, errors translated.

`acm` is a client of `Connection.client("acm")`, which retries by itself.
"""

from __future__ import annotations

import typing as t

from .._core.errors import aws_call, aws_find
from .._core.paging import pages
from .._core.tags import Tags, to_capital_list
from .._core.types import Client, Json

# AWS lists only certificates with RSA keys of 2048 bits by default.
KEY_TYPES = [
    "RSA_1024",
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "EC_prime256v1",
    "EC_secp384r1",
    "EC_secp521r1",
]


@aws_call
def list_certificates(acm: Client, statuses: t.Sequence[str]) -> list[Json]:
    """What AWS lists of certificates: the ARN, the first domain and little more."""
    request = {"CertificateStatuses": list(statuses), "Includes": {"keyTypes": KEY_TYPES}}
    return pages(acm, "list_certificates", "CertificateSummaryList", **request)


@aws_find
def find_certificate(acm: Client, arn: str) -> Json:
    return dict(acm.describe_certificate(CertificateArn=arn)["Certificate"])


@aws_call
def request_certificate(acm: Client, domains: t.Sequence[str], tags: Tags, token: str) -> str:
    """Ask for a certificate, to be validated by DNS; within an hour the same token asks for the same certificate."""
    more = {"SubjectAlternativeNames": list(domains[1:])} if domains[1:] else {}
    answer = acm.request_certificate(
        DomainName=domains[0],
        ValidationMethod="DNS",
        IdempotencyToken=token,
        **more,
        **({"Tags": to_capital_list(tags)} if tags else {}),
    )
    return str(answer["CertificateArn"])


@aws_call
def list_tags(acm: Client, arn: str) -> list[Json]:
    return list(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"])


@aws_call
def change_tags(acm: Client, arn: str, put: Tags, removed: list[str]) -> None:
    if put:
        acm.add_tags_to_certificate(CertificateArn=arn, Tags=to_capital_list(put))
    if removed:
        acm.remove_tags_from_certificate(CertificateArn=arn, Tags=[{"Key": key} for key in removed])
