# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Valid calls that AWS refuses: what they create exists already, or what they need is not ready yet.

What a create finds may come from its own first attempt, whose answer was lost, or from a run a few seconds ago, which
reads do not show yet.
"""

from __future__ import annotations

import re
import typing as t

from .error_codes import CONFLICT, TIMEOUT
from .errors import SlipwayError
from .types import Result
from .waiting import Clock, next_line, poll, say_waiting

R = t.TypeVar("R")

# Seconds in which a read shows what exists.
VISIBLE_SECONDS = 30.0
# Seconds for which a temporary refusal is retried, and between retries.
PASSING_SECONDS = 60.0
PAUSE = 3.0

# Temporary refusals, by operation, as AWS words them: their codes do not show it. Where a comment names
# Terraform, its AWS provider repeats the call after this text or code, in the file named (internal/service/...).
ROLE = r"(?i)unable to assume the (service linked )?role|role being passed|role is not valid"
PASSING: tuple[tuple[str, str], ...] = (
    # Reported for several clients, which repeat it: Cromwell, Hako, Atlassian's per-build containers.
    (r"RegisterTaskDefinition", r"Too many concurrent attempts to create a new revision"),
    # Terraform: ecs/cluster.go and ecs/service.go (create and update). Of the others it is reported: roles are read by
    # other services some seconds after IAM has them (IAM User Guide, "Changes that I make are not always immediately
    # visible").
    (r"CreateCluster|CreateService|UpdateService", ROLE),
    (r"RegisterTaskDefinition|RunTask|CreateCapacityProvider", ROLE),
    # Terraform: scheduler/retry.go.
    (r"CreateSchedule|UpdateSchedule", r"must allow AWS EventBridge Scheduler to assume the role"),
    # AWS's guide to the failures of RunTask: Fargate may have capacity later, and a host may be about to join. Dagster
    # repeats it.
    (r"RunTask", r"Capacity is unavailable at this time|RESOURCE:"),
    # Terraform: ecr/repository_policy.go. AWS answers so, too, where it refuses the policy for good. The second text is
    # what policies of other services are answered with.
    (r"SetRepositoryPolicy", r"(?i)invalid repository policy provided|invalid principal|principal not found"),
    # Terraform: ecs/service.go, create and update.
    (r"CreateService|UpdateService", r"(?i)does not have an associated load balancer"),
    # Terraform: ecs/cluster_capacity_providers.go, and its issue 11285. For the other calls that need an active
    # cluster, no report of it was found.
    (r"PutClusterCapacityProviders", r"Cluster was not ACTIVE"),
    (r"UpdateCluster|DeleteCluster|CreateService|UpdateService|RunTask", r"(?i)cluster (was|is) not active"),
    # Terraform: ecs/cluster_capacity_providers.go, ecs/cluster.go (delete), ecs/capacity_provider.go (update). The API
    # reference has it for CreateCapacityProvider, too.
    (r"PutClusterCapacityProviders|DeleteCluster|UpdateCapacityProvider", r"UpdateInProgressException"),
    (r"CreateCapacityProvider", r"UpdateInProgressException"),
    # Terraform: ec2/vpc_flow_log.go.
    (r"CreateFlowLogs", r"(?i)unable to assume given iam role"),
    # Terraform: autoscaling/group.go, create and update. That its role is not there yet, EC2 says, for which Terraform
    # repeats it, too: ec2/ec2_instance.go.
    (
        r"CreateAutoScalingGroup|UpdateAutoScalingGroup",
        r"(?i)invalid iam ?instance ?profile|instance profile .* has no associated iam roles",
    ),
    # Terraform: appautoscaling/target.go and appautoscaling/policy.go.
    (r"RegisterScalableTarget", r"(?i)unable to assume iam role|ECS service doesn't exist"),
    (r"PutScalingPolicy", r"FailedResourceAccessException"),
)


class Exists(SlipwayError):
    """A create that finds its name taken. `find` returns whether a read shows the resource, `diff` is the planned one.

    `begun`: this run has changed something before.
    """

    def __init__(self, error: SlipwayError, find: t.Callable[[], object], diff: Result, begun: bool) -> None:
        super().__init__(error.code, error.msg, error.details)
        self.find, self.diff, self.changed = find, diff, begun or error.lost


def creating(call: t.Callable[[], R], find: t.Callable[[], object], diff: Result, begun: bool = False) -> R:
    """Make a call that creates, below a function that `converge` repeats."""
    try:
        return call()
    except SlipwayError as error:
        if error.code != CONFLICT or isinstance(error, Exists):
            raise
        raise Exists(error, find, diff, begun) from error


def converge(plan_and_apply: t.Callable[[], Result], clock: Clock | None = None) -> Result:
    """Read, plan and apply; a second time where a create finds what the first read did not show."""
    try:
        return plan_and_apply()
    except Exists as exists:
        if not visible(exists.find, clock):
            raise
        result = plan_and_apply()
        if exists.changed and not result["changed"]:
            return {**result, "changed": True, "diff": exists.diff}
        return result


def visible(find: t.Callable[[], R], clock: Clock | None = None, timeout: float = VISIBLE_SECONDS) -> R | None:
    """What `find` finds, as soon as it does; None when it does not in time."""
    try:
        return poll(find, bool, timeout=timeout, waiting_for="what was created", clock=clock)
    except SlipwayError as error:
        if error.code != TIMEOUT:
            raise
        return None


def passes(error: SlipwayError) -> bool:
    """Whether the refusal is temporary."""
    operation = str(error.details.get("operation", ""))
    said = f"{error.details.get('error_code', '')}: {error.msg}"
    return any(re.fullmatch(calls, operation) and re.search(text, said) for calls, text in PASSING)


def persist(call: t.Callable[[], R], read: t.Callable[[], R | None] = lambda: None, clock: Clock | None = None) -> R:
    """Make a call, and retry it after a temporary refusal, for up to a minute.

    `read` runs before each retry: what it returns is used instead, as others may have done it meanwhile.
    """
    clock = clock or Clock()
    start = clock.now()
    due = start + next_line(0)
    while True:
        try:
            return call()
        except SlipwayError as error:
            if not passes(error) or clock.now() + PAUSE > start + PASSING_SECONDS:
                raise
            due = say_waiting(f"AWS, which still refuses this: {error.msg}", start, due, clock.now())
        clock.sleep(PAUSE)
        found = read()
        if found is not None:
            return found
