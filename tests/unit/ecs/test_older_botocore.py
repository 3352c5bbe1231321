# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an older botocore does not know is refused: it would not be sent, and nobody would hear of it."""

from __future__ import annotations

import copy
import typing as t
from types import SimpleNamespace

import botocore.loaders
import botocore.model
import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._ecs.arguments import SERVICE, TASK_DEFINITION
from ansible_collections.slipway.aws.plugins.module_utils._ecs.service.options import desired_of
from ansible_collections.slipway.aws.plugins.module_utils._ecs.service.read_flow import request_shapes
from ansible_collections.slipway.aws.plugins.module_utils._ecs.task_definition import flow as task_definition_flow

Json = dict[str, t.Any]


def older(request_name: str, member: str) -> t.Any:
    """A client whose model of ECS lacks the member."""
    # The loader hands the same model to all tests of this process.
    model = copy.deepcopy(botocore.loaders.Loader().load_service_model("ecs", "service-2"))
    model["shapes"][request_name]["members"].pop(member, None)
    return SimpleNamespace(meta=SimpleNamespace(service_model=botocore.model.ServiceModel(model, "ecs")))


def given(names: t.Iterable[str], **options: t.Any) -> Json:
    return {**dict.fromkeys(names), "purge_tags": True, **options}


def service(ecs: t.Any, **options: t.Any) -> t.Any:
    asked = given(SERVICE, force_new_deployment=False, task_definition="web", name="web", **options)
    return desired_of(asked, request_shapes(ecs), False)


def task_definition(ecs: t.Any, **options: t.Any) -> t.Any:
    return task_definition_flow.desired_of(ecs, given(TASK_DEFINITION, family="web", **options), False)


@pytest.mark.parametrize(
    ("desired", "request_name", "member", "option"),
    [
        (service, "CreateServiceRequest", "monitoring", {"monitoring": {"metricConfigurations": []}}),
        (task_definition, "RegisterTaskDefinitionRequest", "enableFaultInjection", {"enable_fault_injection": True}),
    ],
    ids=["service", "task definition"],
)
def test_an_option_is_refused_where_it_is_given(
    desired: t.Callable[..., t.Any], request_name: str, member: str, option: Json
) -> None:
    ecs = older(request_name, member)
    desired(ecs)
    with pytest.raises(SlipwayError, match="installed botocore") as failed:
        desired(ecs, **option)
    assert failed.value.code == "invalid_option"
    assert next(iter(option)) in failed.value.msg
