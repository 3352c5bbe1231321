# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ecr_repository offers every member of a repository that botocore knows."""

from __future__ import annotations

import botocore.session
import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import option_names
from ansible_collections.slipway.aws.plugins.modules.ecr_repository import ARGUMENT_SPEC

RENAMED = {
    "repository_name": "name",
    "lifecycle_policy_text": "lifecycle_policy",
    "policy_text": "policy",
    "force": "force_set_policy",
}


@pytest.mark.parametrize(
    "operation",
    [
        "CreateRepository",
        "PutImageScanningConfiguration",
        "PutImageTagMutability",
        "PutLifecyclePolicy",
        "SetRepositoryPolicy",
    ],
)
def test_no_member_is_missing(operation: str) -> None:
    shape = botocore.session.get_session().get_service_model("ecr").operation_model(operation).input_shape
    assert {RENAMED.get(name, name) for name in option_names(shape)} - set(ARGUMENT_SPEC) == set()
