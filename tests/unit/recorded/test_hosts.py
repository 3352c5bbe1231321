# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The recorded tasks become hosts, whatever member an answer lacks or has in addition."""

from __future__ import annotations

import typing as t

from ansible_collections.slipway.aws.plugins.module_utils._core.error_codes import BAD_ANSWER
from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._ecs.hosts import flow, model
from ansible_collections.slipway.aws.tests.recorded import mutations
from ansible_collections.slipway.aws.tests.recorded.answers import REGION
from ansible_collections.slipway.aws.tests.recorded.answers import model as model_of
from ansible_collections.slipway.aws.tests.recorded.readers import client

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.recorded.replay import Replay

Json = dict[str, t.Any]
# Without these members, AWS says that there is nothing.
ABSENT = {"tasks[].containers"}


def hosts(per_task: bool = False, containers: t.Sequence[str] = ()) -> Json:
    found = flow.Reader({REGION: flow.Clients(client("ecs"), client("ecr"))}, ["shop"], []).read()
    assert found.warnings == []
    return model.hosts(found.tasks, found.images, per_task, containers)


def test_each_container_that_runs_is_a_host(aws: Replay) -> None:
    found = hosts()
    host = found["web-2e04f4f9-web"]
    expected = {
        "ansible_host": "10.0.1.232",
        "ecs_account_id": "111122223333",
        "ecs_cluster": "shop",
        "ecs_container": "web",
        "ecs_launch_type": "fargate",
        "ecs_region": REGION,
        "ecs_service": "web",
        "ecs_subnet_id": "subnet-0b829c7f54fd00883",
        "ecs_task_id": "2e04f4f94d1149b3b4a0515e4a71d933",
        "ecs_zone": "eu-central-1a",
    }
    assert {name: host.get(name) for name in expected} == expected
    # One that has stopped is none.
    assert not [name for name in found if "0e04f4f9" in name]


def test_only_the_chosen_containers_are_hosts(aws: Replay) -> None:
    assert hosts(containers=["proxy"]) == {}
    assert hosts(containers=["web"]) == hosts()
    assert hosts(per_task=True, containers=["web"]) == hosts(per_task=True)


def test_each_task_that_runs_is_a_host(aws: Replay) -> None:
    host = hosts(per_task=True)["web-2e04f4f9"]
    assert host["ecs_containers"] == ["web"]
    assert "ecs_container" not in host


def test_a_member_less_or_more_hides_no_host(aws: Replay) -> None:
    usual = hosts()
    wrong, tried = [], 0
    for one in [one for one in aws.answered if one.answer is not None]:
        operation = model_of(one.service).operation_model(one.operation)
        is_json = operation.service_model.protocol == "json"
        # The first element of a list is changed: that one runs.
        answer = {name: value[::-1] if isinstance(value, list) else value for name, value in (one.answer or {}).items()}
        for change in mutations.mutated(operation.output_shape, answer, is_json):
            aws.instead, tried = {one: change.answer}, tried + 1
            try:
                found = hosts()
            except SlipwayError as error:
                wrong += [f"{change.path}: {error.msg}"] if error.code != BAD_ANSWER else []
            else:
                # Without its service, a task is named after its family.
                wrong += [change.path] if len(found) < len(usual) and change.path not in ABSENT else []
    assert tried > 100
    assert wrong == []
