# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may assume a deployer's role, and who is refused."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils.deployer_trust import document, problems

Json = dict[str, Any]
GITHUB, GITLAB = "token.actions.githubusercontent.com", "gitlab.com"
MAIN = "repo:acme/shop:ref:refs/heads/main"
ANY_BRANCH = "project_path:acme/shop:ref_type:branch:ref:*"


def identity(*subjects: str, provider: str = GITHUB, **members: Any) -> Json:
    return {"provider": provider, "subjects": list(subjects), **members}


def said(*identities: Json, documents: tuple[str, ...] = ("service",), **members: Any) -> list[str]:
    return [*problems({"web_identities": list(identities), **members}, "deployer_roles[0] (x)", documents)]


def test_a_role_trusts_exactly_one_audience_and_these_subjects() -> None:
    trust = document({"web_identities": [identity(MAIN)]}, "123456789012", "aws")
    (statement,) = trust["Statement"]
    assert statement["Principal"] == {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{GITHUB}"}
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Condition"] == {"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com", f"{GITHUB}:sub": [MAIN]}}


def test_branches_of_merge_requests_are_compared_apart_from_exact_subjects() -> None:
    exact = "project_path:acme/shop:ref_type:branch:ref:main"
    found = document(
        {"web_identities": [identity(exact, ANY_BRANCH, provider=GITLAB, audience="https://gitlab.com")]}, "1", "aws"
    )
    conditions = [one["Condition"] for one in found["Statement"]]
    assert conditions == [
        {"StringEquals": {"gitlab.com:aud": "https://gitlab.com", "gitlab.com:sub": [exact]}},
        {"StringEquals": {"gitlab.com:aud": "https://gitlab.com"}, "StringLike": {"gitlab.com:sub": [ANY_BRANCH]}},
    ]


def test_principals_of_iam_are_trusted_as_before() -> None:
    root = "arn:aws:iam::123456789012:root"
    (statement,) = document({"principals": [root]}, "123456789012", "aws")["Statement"]
    assert statement == {"Effect": "Allow", "Principal": {"AWS": [root]}, "Action": "sts:AssumeRole"}


@pytest.mark.parametrize(
    "subject",
    [
        "*",
        "repo:*",
        "repo:acme/*:ref:refs/heads/main",
        "repo:acme/shop:*",
        "repo:acme/shop:ref:refs/heads/*",
        "repo:acme/shop:environment:*",
        "repo:acme/shop",
        "acme/shop",
        "project_path:acme/shop:ref_type:branch:ref:main",
    ],
)
def test_github_has_no_wildcards(subject: str) -> None:
    (problem,) = said(identity(subject), documents=("plan",))
    assert "expected one repository with a branch or an environment" in problem
    assert f"got {subject}." in problem


@pytest.mark.parametrize(
    "subject",
    ["project_path:acme/*:ref_type:branch:ref:main", "project_path:*", "*", "project_path:a/b:ref_type:*:ref:*"],
)
def test_gitlab_has_none_for_the_project(subject: str) -> None:
    (problem,) = said(identity(subject, provider=GITLAB), documents=("plan",))
    assert "wildcards are refused" in problem


def test_any_branch_may_read_and_nothing_else() -> None:
    assert said(identity(ANY_BRANCH, provider=GITLAB), documents=("plan", "status")) == []
    (problem,) = said(identity(ANY_BRANCH, provider=GITLAB), documents=("plan", "service"))
    assert "expected a branch for a role that changes something" in problem


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (identity(MAIN, provider="https://gitlab.com"), "without https://"),
        (identity(), "expected at least one, got none"),
        (identity(MAIN, audience="*"), "expected one audience, got *"),
    ],
)
def test_incomplete_identities_are_refused(given: Json, expected: str) -> None:
    assert [text for text in said(given) if expected in text]


def test_somebody_has_to_be_trusted() -> None:
    assert "expected principals or web_identities, got neither" in said()[0]
    assert "everyone (*) is refused" in said(principals=["*"])[0]


def test_an_issuer_of_ones_own_has_subjects_of_its_own() -> None:
    assert said(identity("system:serviceaccount:ci:deployer", provider="oidc.example.com/id/1")) == []
