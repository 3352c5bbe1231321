# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page on verification: its table of witnesses is what the emulators answer, and the tests that it names exist."""

from __future__ import annotations

import re
import sys
import typing as t
from pathlib import Path

import boto3
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))

import witnesses  # noqa: E402  # docs/ is no package

PAGE = witnesses.PAGE.read_text()


@pytest.fixture
def found(start: t.Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> witnesses.Facts:
    pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    return witnesses.facts(start(*witnesses.MINISTACK))


def test_the_table_is_what_the_emulators_answer(found: witnesses.Facts) -> None:
    assert witnesses.written(PAGE, found) == PAGE, "run `make docs`"


def test_an_operation_is_implemented_if_the_emulator_knows_it(aws: None) -> None:
    ecs, ec2 = boto3.client("ecs"), boto3.client("ec2")
    assert witnesses.implements(ecs, "DeleteCluster")
    assert witnesses.implements(ecs, "ListClusters")
    assert not witnesses.implements(ecs, "ListServiceDeployments")
    assert not witnesses.implements(ec2, "CreateIpam")


def test_operations_are_found_in_tables_functions_and_policies() -> None:
    needed = witnesses.operations()
    assert needed[witnesses.Operation("application-autoscaling", "DescribeScheduledActions")] >= {"service", "status"}
    assert needed[witnesses.Operation("s3", "GetBucketEncryption")] >= {"status"}
    assert needed[witnesses.Operation("cloudtrail", "LookupEvents")] == {"`_project/drift`"}
    assert witnesses.Operation("kms", "TagResource") not in needed
    assert witnesses.Operation("autoscaling", "DescribeLoadBalancers") not in needed


def test_files_that_are_named_exist() -> None:
    named = set(re.findall(r"`((?:apps|benchmarks|docs|molecule|playbooks|plugins|roles|tests)/[\w./-]+)`", PAGE))
    # Some rows name a folder once, and files of it without.
    named |= {path for path in re.findall(r"`(test_\w+\.py)`", PAGE) if not [*ROOT.glob(f"tests/**/{path}")]}
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
