# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why no command can run in a container, and when to try again."""

from __future__ import annotations

import typing as t

import boto3
import pytest
from botocore.stub import ANY, Stubber

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._core.waiting import Clock
from ansible_collections.slipway.aws.plugins.module_utils._ecs.execute_command import api, flow, model

Json = dict[str, t.Any]
ARN = "arn:aws:ecs:eu-central-1:123456789012:task/shop/0123456789abcdef"
ANSWER = {"session": {"sessionId": "ecs-execute-command-1", "streamUrl": "wss://a", "tokenValue": "token"}}
# As https://github.com/aws/aws-cli/issues/6456 shows it.
NOT_CONNECTED = ("TargetNotConnectedException", "The execute command failed due to an internal error. Try again later.")
pytestmark = pytest.mark.own_cloud("runs no module")


def task(container: Json | None = None, **members: t.Any) -> Json:
    containers = [{"name": "app", "lastStatus": "RUNNING", **(container or {})}, {"name": "proxy"}]
    return {
        "taskArn": ARN, "lastStatus": "RUNNING", "enableExecuteCommand": True, "containers": containers, **members
    }  # fmt: skip


def agent(status: str, reason: str = "") -> Json:
    return {"managedAgents": [{"name": "ExecuteCommandAgent", "lastStatus": status, "reason": reason}]}


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (None, f"expected a task of cluster shop, got {ARN}, which does not exist"),
        (task(lastStatus="STOPPED", stoppedReason="Scaling activity."), "one with status STOPPED (Scaling activity)"),
        (task(enableExecuteCommand=False), "expected a task that started with ECS Exec, got one without"),
        (
            task({"lastStatus": "STOPPED", "exitCode": 137, "reason": "OutOfMemoryError: killed"}),
            "one with status STOPPED with exit code 137 (OutOfMemoryError: killed)",
        ),
    ],
)
def test_reason_is_named(found: Json | None, message: str) -> None:
    with pytest.raises(SlipwayError) as error:
        model.check(found, "shop", ARN, "app")
    assert message in error.value.msg


def test_nothing_is_wrong_with_a_task_that_runs() -> None:
    model.check(task(agent("RUNNING")), "shop", ARN, "app")
    model.check_agent(task(agent("RUNNING")), "app")
    model.check_agent(task(), "app")


def test_agent_that_does_not_run_is_named_with_what_it_needs() -> None:
    with pytest.raises(SlipwayError, match=r"STOPPED \(no route\).*ssmmessages:CreateControlChannel"):
        model.check_agent(task(agent("STOPPED", "no route.")), "app")


def test_only_a_task_of_one_container_needs_no_name() -> None:
    assert model.container_of(task(containers=[{"name": "app"}]), None) == "app"
    with pytest.raises(SlipwayError, match="ecs_container: expected one of app, proxy, got none"):
        model.container_of(task(), None)
    with pytest.raises(SlipwayError, match="got web, which the task does not have"):
        model.container_of(task(), "web")


class Account:
    """Answers in AWS's form, in the order in which they are requested, and a clock that does not wait."""

    def __init__(self) -> None:
        self.ecs = boto3.client(
            "ecs", region_name="eu-central-1", aws_access_key_id="key", aws_secret_access_key="b2f0c1d4e7a9"
        )
        self.stub = Stubber(self.ecs)
        self.now = 0.0
        clock = Clock(lambda: self.now, self.sleep)
        self.opener = flow.Opener(self.ecs, "shop", ARN, "app", clock)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def refuse(self, error: tuple[str, str], described: Json | None, times: int = 1) -> None:
        for _time in range(times):
            self.stub.add_client_error("execute_command", *error)
            self.describe(described)

    def describe(self, described: Json | None) -> None:
        if described is None:
            self.stub.add_client_error("describe_tasks", "AccessDeniedException", "not authorized")
        else:
            self.stub.add_response("describe_tasks", {"tasks": [described], "failures": []})

    def accept(self) -> None:
        expected = {"cluster": "shop", "task": ARN, "container": "app", "command": ANY, "interactive": True}
        self.stub.add_response("execute_command", ANSWER, expected)

    def open(self) -> api.Session:
        with self.stub:
            return self.opener.open("sh", 30)


def test_agent_that_is_not_connected_yet_is_waited_for() -> None:
    account = Account()
    account.refuse(NOT_CONNECTED, task(), times=3)
    account.accept()
    assert account.open() == api.Session("ecs-execute-command-1", "wss://a", "token")
    assert account.now == 3 * flow.AGAIN_SECONDS


def test_agent_that_never_connects_is_an_error_after_the_time_out() -> None:
    account = Account()
    account.refuse(NOT_CONNECTED, task(), times=20)
    with pytest.raises(SlipwayError, match="TargetNotConnectedException"):
        account.open()
    assert 30 <= account.now < 40


def test_what_aws_says_counts_if_the_task_cannot_be_described() -> None:
    account = Account()
    account.refuse(("AccessDeniedException", "not authorized to perform: ecs:ExecuteCommand"), None)
    with pytest.raises(SlipwayError, match="ExecuteCommand") as error:
        account.open()
    assert error.value.code == "access_denied"


def test_stopped_container_is_found_while_a_command_runs() -> None:
    account = Account()
    account.describe(task({"lastStatus": "STOPPED", "exitCode": 1}))
    with account.stub, pytest.raises(SlipwayError, match="STOPPED with exit code 1"):
        account.opener.check()
    account.describe(None)
    with account.stub:
        account.opener.check()
