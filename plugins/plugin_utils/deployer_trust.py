# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may assume a deployer's role: principals of IAM, and jobs of pipelines by their tokens. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json

PRINCIPAL = re.compile(r"arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:.+")
PROVIDER = re.compile(r"[a-z0-9.-]+\.[a-z]{2,}(/[A-Za-z0-9._/-]+)?")
GITHUB = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
# Of GitHub: one repository, and a branch, an environment, or pull requests.
GITHUB_SUBJECT = re.compile(r"repo:[\w.-]+/[\w.-]+:(ref:refs/heads/[\w./-]+|environment:[\w.-]+|pull_request)")
# Of GitLab: one project, and a branch.
GITLAB_SUBJECT = re.compile(r"project_path:[\w.-]+(/[\w.-]+)+:ref_type:branch:ref:([\w./-]+|\*)")
# Documents that change nothing.
READING = {"plan", "promote", "status"}


def document(holder: Json, account: str, partition: str) -> Json:
    """The trust policy of a role."""
    principals: list[str] = list(holder.get("principals") or ())
    statements: list[Json] = [_statement({"AWS": principals}, "sts:AssumeRole")] if principals else []
    for identity in holder.get("web_identities") or ():
        provider, subjects = str(identity["provider"]), list(identity["subjects"])
        exact = [one for one in subjects if "*" not in one]
        wide = [one for one in subjects if "*" in one]
        principal = {"Federated": f"arn:{partition}:iam::{account}:oidc-provider/{provider}"}
        for operator, some in (("StringEquals", exact), ("StringLike", wide)):
            condition: dict[str, Json] = {"StringEquals": {f"{provider}:aud": _audience(identity)}}
            condition.setdefault(operator, {})[f"{provider}:sub"] = some
            if some:
                found = _statement(principal, "sts:AssumeRoleWithWebIdentity")
                statements.append({**found, "Condition": condition})
    return {"Version": "2012-10-17", "Statement": statements}


def _statement(principal: Mapping[str, Any], action: str) -> Json:
    return {"Effect": "Allow", "Principal": principal, "Action": action}


def _audience(identity: Json) -> str:
    return str(identity.get("audience") or AUDIENCE)


def problems(holder: Json, where: str, documents: Sequence[str]) -> Iterator[str]:
    """What is wrong with those who may assume a role that has these documents."""
    principals, identities = holder.get("principals") or (), holder.get("web_identities") or ()
    if not principals and not identities:
        yield f"{where}: expected principals or web_identities, got neither. Set who can assume the role."
    for principal in principals:
        if not PRINCIPAL.fullmatch(principal):
            yield (
                f"{where}.principals: expected ARNs of IAM, such as arn:aws:iam::123456789012:user/anna, or with :root"
                f" at the end for a whole account, got {principal}. Set who can assume it; everyone (*) is refused."
            )
    for index, identity in enumerate(identities):
        yield from _identity_problems(identity, f"{where}.web_identities[{index}]", set(documents) <= READING)


def _identity_problems(identity: Json, where: str, reads: bool) -> Iterator[str]:
    provider, subjects = str(identity["provider"]), identity.get("subjects") or ()
    if not PROVIDER.fullmatch(provider):
        yield (
            f"{where}.provider: expected the host of an issuer without https://, such as {GITHUB}, got {provider}."
            " Correct it."
        )
    if not subjects:
        yield f"{where}.subjects: expected at least one, got none. Set the repository and the branch."
    if not _audience(identity).strip("*"):
        yield (
            f"{where}.audience: expected one audience, got {_audience(identity)}. Use the same audience as in the"
            " pipeline."
        )
    form, example = (
        (GITHUB_SUBJECT, "repo:acme/shop:ref:refs/heads/main, repo:acme/shop:environment:production")
        if provider == GITHUB
        else (GITLAB_SUBJECT, "project_path:acme/shop:ref_type:branch:ref:main")
    )
    for subject in subjects:
        is_known = form.fullmatch(subject) if provider == GITHUB or subject.startswith("project_path:") else subject
        if not is_known or ("*" in subject and not GITLAB_SUBJECT.fullmatch(subject)):
            yield (
                f"{where}.subjects: expected one repository with a branch or an environment, such as {example}, got"
                f" {subject}. List each exactly; wildcards are refused."
            )
        elif "*" in subject and not reads:
            yield (
                f"{where}.subjects: expected a branch for a role that changes something, got {subject}. Set the"
                " branch, or give the role only the documents plan and status."
            )
