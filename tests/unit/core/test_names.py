# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A name and an ARN are the same where both name one resource, and only there."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.slipway.aws.plugins.module_utils._core.names import (
    AUTO_SCALING_GROUP,
    CAPACITY_PROVIDER,
    CLUSTER,
    INSTANCE_PROFILE,
    KEY,
    LOG_GROUP,
    NAMESPACE,
    PARAMETER,
    ROLE,
    Home,
    Kind,
    Names,
    arn_of,
    home_of,
    last,
    same,
)

HOME = Home("aws", "eu-central-1", "123456789012")
GROUP_ARN = "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:0-1:autoScalingGroupName/hosts"
KEY_ARN = "arn:aws:kms:eu-central-1:123456789012:key/0a1b"
ALIAS_ARN = "arn:aws:kms:eu-central-1:123456789012:alias/shop"
LOGS_ARN = "arn:aws:logs:eu-central-1:123456789012:log-group:/shop/web"
LINKED = "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"


def iam(resource: str, account: str = "123456789012") -> str:
    return f"arn:aws:iam::{account}:{resource}"


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (ROLE, "web", iam("role/web")),
        (ROLE, "shop/web", iam("role/shop/web")),
        (ROLE, "/shop/web", iam("role/shop/web")),
        (ROLE, "/shop/web", "shop/web"),
        (ROLE, "AWSServiceRoleForECS", iam(LINKED)),
        (INSTANCE_PROFILE, "hosts", iam("instance-profile/hosts")),
        (PARAMETER, "/shop/key", "arn:aws:ssm:eu-central-1:123456789012:parameter/shop/key"),
        (PARAMETER, "key", "arn:aws:ssm:eu-central-1:123456789012:parameter/key"),
        (CAPACITY_PROVIDER, "spot", "arn:aws:ecs:eu-central-1:123456789012:capacity-provider/spot"),
        (CLUSTER, "shop", "arn:aws:ecs:eu-central-1:123456789012:cluster/shop"),
        (AUTO_SCALING_GROUP, "hosts", GROUP_ARN),
        (KEY, "0a1b", KEY_ARN),
        (KEY, "alias/shop", ALIAS_ARN),
        (LOG_GROUP, "/shop/web", LOGS_ARN),
        (LOG_GROUP, "/shop/web", f"{LOGS_ARN}:*"),
        (LOG_GROUP, LOGS_ARN, f"{LOGS_ARN}:*"),
    ],
)
def test_these_are_the_same(kind: Kind, one: str, other: str) -> None:
    assert same(kind, one, other, HOME)
    assert same(kind, other, one, HOME)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (ROLE, "web", iam("role/shop/web")),
        (ROLE, "web", iam("role/web", "210987654321")),
        (ROLE, "web", iam("user/web")),
        (ROLE, "web", "arn:aws-cn:iam::123456789012:role/web"),
        (ROLE, iam("role/web"), iam("role/web", "210987654321")),
        (ROLE, "web", "shop/web"),
        (ROLE, "", iam("role/")),
        (ROLE, "AWSServiceRoleForECS", iam("role/AWSServiceRoleForECS")),
        (PARAMETER, "/shop/key", "arn:aws:ssm:us-east-1:123456789012:parameter/shop/key"),
        (PARAMETER, "key", "arn:aws:ssm:eu-central-1:123456789012:parameter/shop/key"),
        (PARAMETER, "key", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:key"),
        (PARAMETER, "key", "/key"),
        (AUTO_SCALING_GROUP, "hosts", GROUP_ARN.replace("/hosts", "/shop-hosts")),
        (AUTO_SCALING_GROUP, "hosts", GROUP_ARN.replace("eu-central-1", "us-east-1")),
        (AUTO_SCALING_GROUP, GROUP_ARN, GROUP_ARN.replace("0-1", "0-2")),
        (KEY, "alias/shop", KEY_ARN),
        (KEY, "alias/shop", "alias/web"),
        (LOG_GROUP, "/shop", f"{LOGS_ARN}:*"),
        (NAMESPACE, "shop", "arn:aws:servicediscovery:eu-central-1:123456789012:namespace/ns-1"),
    ],
)
def test_these_are_not(kind: Kind, one: str, other: str) -> None:
    assert not same(kind, one, other, HOME)
    assert not same(kind, other, one, HOME)


def test_what_is_no_text_is_nothing() -> None:
    assert not same(ROLE, None, iam("role/web"), HOME)
    assert home_of("web") is None
    assert last(None) == ""


NAME = st.text("ab-1", min_size=1, max_size=3)
PATHS = st.lists(NAME, min_size=1, max_size=3).map("/".join)
HOMES = st.builds(
    Home, st.sampled_from(["aws", "aws-cn"]), st.sampled_from(["eu-1", "us-1"]), st.sampled_from(["1" * 12, "2" * 12])
)
KINDS = st.sampled_from([ROLE, PARAMETER, CAPACITY_PROVIDER, CLUSTER, KEY, LOG_GROUP, INSTANCE_PROFILE])


@given(kind=KINDS, name=PATHS, home=HOMES)
def test_a_name_is_its_arn_at_home(kind: Kind, name: str, home: Home) -> None:
    assert same(kind, name, arn_of(kind, name, home), home)


@given(kind=KINDS, one=PATHS, other=PATHS, here=HOMES, there=HOMES)
def test_another_name_or_place_is_never_the_same(kind: Kind, one: str, other: str, here: Home, there: Home) -> None:
    assume(arn_of(kind, one, here) != arn_of(kind, other, there))
    assert not same(kind, one, arn_of(kind, other, there), here)
    assert not same(kind, arn_of(kind, one, here), arn_of(kind, other, there), here)


def test_lists_are_compared_by_what_their_elements_name() -> None:
    names = Names({"providers": CAPACITY_PROVIDER, "strategy.provider": CAPACITY_PROVIDER}, {"strategy": ("provider",)})
    spot, other = (f"arn:aws:ecs:eu-central-1:123456789012:capacity-provider/{name}" for name in ("spot", "other"))
    assert names.keep({"providers": ["own", "spot"]}, {"providers": [spot, other]}) == {"providers": ["own", spot]}
    current = {"strategy": [{"provider": other, "weight": 1}, {"provider": spot, "weight": 2}]}
    assert names.keep({"strategy": [{"provider": "spot", "weight": 3}]}, current) == {
        "strategy": [{"provider": spot, "weight": 3}]
    }


def test_a_name_that_was_looked_up_is_the_arns() -> None:
    arn = "arn:aws:servicediscovery:eu-central-1:123456789012:namespace/ns-1"
    names = Names({"namespace": NAMESPACE}, {}, HOME, {arn: "shop"})
    assert names.keep({"namespace": "shop"}, {"namespace": arn}) == {"namespace": arn}
    assert names.keep({"namespace": arn}, {"namespace": "shop"}) == {"namespace": "shop"}
    assert names.keep({"namespace": "web"}, {"namespace": arn}) == {"namespace": "web"}
    assert names.keep({"namespace": arn}, {}) == {"namespace": arn}
