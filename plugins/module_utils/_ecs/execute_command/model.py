# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a command runs, and what a task needs for it. Pure."""

from __future__ import annotations

from ..._core.error_codes import CONTAINER_STOPPED, EXEC_AGENT_STOPPED, EXEC_NOT_ENABLED, INVALID_OPTION, NOT_FOUND
from ..._core.errors import SlipwayError
from ..._core.names import last
from ..._core.types import Json

AGENT = "ExecuteCommandAgent"
RUNNING = "RUNNING"
PENDING = "PENDING"
# The agent of a container that has just started is not connected yet:
# https://github.com/aws/containers-roadmap/issues/187 recommends to try again after a few seconds.
NOT_CONNECTED = {"TargetNotConnected", "TargetNotConnectedException"}
# What Session Manager calls the two kinds of forwarding, and their parameters:
# https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-sessions-start.html
TO_CONTAINER, TO_HOST = "AWS-StartPortForwardingSession", "AWS-StartPortForwardingSessionToRemoteHost"
REREAD = "Read the inventory again: a rollout may have replaced the task."


def container_of(task: Json, named: str | None) -> str:
    """The container that is named, or the only one of the task."""
    names = [str(one["name"]) for one in task.get("containers") or ()]
    wanted = named or (names[0] if len(names) == 1 else None)
    if wanted in names:
        return str(wanted)
    got = f"{named}, which the task does not have" if named else "none"
    raise SlipwayError(
        INVALID_OPTION, f"ecs_container: expected one of {', '.join(names)}, got {got}. Set the variable for the host."
    )


def encryption_context(session: str, task: Json, container: str, challenge: str) -> dict[str, str]:
    """What a data key belongs to, as the agent names it: agent/session/crypto/blockcipher.go in amazon-ssm-agent."""
    context = {"aws:ssm:SessionId": session, "aws:ssm:TargetId": target(task, container)}
    return {**context, "aws:ssm:RandomChallenge": challenge} if challenge else context


def target(task: Json, container: str) -> str:
    """What Session Manager calls a container, see awscli/customizations/ecs/executecommand.py in aws-cli."""
    runtime = _container(task, container)["runtimeId"]
    return f"ecs:{last(task['clusterArn'])}_{last(task['taskArn'])}_{runtime}"


def forwarding(port: int, host: str | None) -> tuple[str, dict[str, str]]:
    """The document of a session that forwards a port of the container, or of a host that it reaches, and its values."""
    parameters = {"portNumber": str(port)}
    return (TO_HOST, {"host": host, **parameters}) if host else (TO_CONTAINER, parameters)


def check(task: Json | None, cluster: str, arn: str, container: str | None) -> None:
    """Fail if no command can run in the container, with the reason."""
    if task is None:
        raise SlipwayError(
            NOT_FOUND,
            f"ecs_task_arn: expected a task of cluster {last(cluster)}, got {arn}, which does not exist. {REREAD}",
        )
    name = last(arn)
    if task["lastStatus"] != RUNNING:
        reason = _reason(task.get("stoppedReason"))
        raise SlipwayError(
            CONTAINER_STOPPED,
            f"Task {name}: expected a running task, got one with status {task['lastStatus']}{reason}. {REREAD}",
        )
    if container:
        container_of(task, container)
        _check_container(name, _container(task, container))
    if not task.get("enableExecuteCommand"):
        raise SlipwayError(
            EXEC_NOT_ENABLED,
            f"Task {name}: expected a task that started with ECS Exec, got one without. Set enable_execute_command"
            " of the service or of the task, then start a new task; ECS does not change running tasks.",
        )


def may_connect_later(error: SlipwayError, task: Json | None, container: str) -> bool:
    """Whether a session that could not start may start later."""
    status = _agent(task or {}, container).get("lastStatus")
    return status == PENDING or error.details.get("error_code") in NOT_CONNECTED


def check_agent(task: Json, container: str) -> None:
    """Fail if ECS says that the container's agent does not run."""
    agent = _agent(task, container)
    if agent.get("lastStatus", RUNNING) != RUNNING:
        raise SlipwayError(
            EXEC_AGENT_STOPPED,
            f"Container {container}: expected a running {AGENT}, got one with status {agent['lastStatus']}"
            f"{_reason(agent.get('reason'))}. The task role must allow ssmmessages:CreateControlChannel,"
            " CreateDataChannel, OpenControlChannel and OpenDataChannel, the network must reach ssmmessages, and"
            " the container's root file system must be writable.",
        )


def _agent(task: Json, container: str) -> Json:
    agents = _container(task, container).get("managedAgents") or ()
    return next((one for one in agents if one.get("name") == AGENT), {})


def _check_container(task: str, container: Json) -> None:
    status = container.get("lastStatus") or RUNNING
    if status != RUNNING:
        code = container.get("exitCode")
        exited = f" with exit code {code}" if code is not None else ""
        raise SlipwayError(
            CONTAINER_STOPPED,
            f"Container {container['name']} of task {task}: expected a running container, got one with status {status}"
            f"{exited}{_reason(container.get('reason'))}. Read its log. {REREAD}",
        )


def _container(task: Json, name: str) -> Json:
    return next((one for one in task.get("containers") or () if one["name"] == name), {"name": name})


def _reason(text: object) -> str:
    return f" ({str(text).rstrip('.')})" if text else ""
