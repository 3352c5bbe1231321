# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.slipway.aws.plugins.test import region as plugin
from ansible_collections.slipway.aws.plugins.test.region import region


@pytest.mark.parametrize("name", ["ap-northeast-2", "eu-central-1", "cn-north-1", "us-gov-west-1"])
def test_region_of_any_partition_is_one(name: str) -> None:
    assert region(name)


@pytest.mark.parametrize("name", ["", "seoul", "ap-northeast-2a", "eu-nowhere-1", "aws-global"])
def test_other_name_is_none(name: str) -> None:
    assert not region(name)


def test_without_botocore_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "get_session", None)
    with pytest.raises(AnsibleFilterError, match="botocore is not installed"):
        region("eu-central-1")
