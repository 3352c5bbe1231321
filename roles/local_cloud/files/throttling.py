# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch of the emulator: EC2, ECS and Elastic Load Balancing throttle requests with AWS's token buckets.

A request takes a token; a bucket holds as many as AWS documents, and gets as many a second. Of other services, AWS does
not document the rates of all actions.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html
https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html
"""

from __future__ import annotations

import json
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from eventual_consistency import Answer, Handler, operation_of


@dataclass(frozen=True)
class Rate:
    """How many tokens a bucket holds, and how many it gets a second."""

    capacity: float
    refill: float


@dataclass(frozen=True)
class Category:
    """Actions that share a bucket."""

    name: str
    rate: Rate
    actions: frozenset[str]


def category(name: str, capacity: float, refill: float, actions: str) -> Category:
    return Category(name, Rate(capacity, refill), frozenset(actions.split()))


ECS = (
    category(
        *("cluster modify", 20, 1),
        "CreateCluster DeleteCluster PutClusterCapacityProviders UpdateCluster UpdateClusterSettings",
    ),
    category("cluster read", 50, 20, "DescribeClusters ListClusters"),
    category("task definition modify", 20, 1, "DeregisterTaskDefinition RegisterTaskDefinition"),
    category("task definition read", 50, 20, "DescribeTaskDefinition ListTaskDefinitions ListTaskDefinitionFamilies"),
    category("task definition deletion", 5, 1, "DeleteTaskDefinitions"),
    category("capacity provider modify", 10, 1, "CreateCapacityProvider DeleteCapacityProvider UpdateCapacityProvider"),
    category("capacity provider read", 50, 20, "DescribeCapacityProviders"),
    category("tag modify", 20, 10, "TagResource UntagResource"),
    category("tag read", 50, 20, "ListTagsForResource"),
    category("setting modify", 10, 1, "DeleteAccountSetting PutAccountSetting PutAccountSettingDefault"),
    category("setting read", 50, 20, "ListAccountSettings"),
    category(
        *("cluster resource modify", 100, 40),
        "DeleteAttributes DeregisterContainerInstance ExecuteCommand PutAttributes RunTask StartTask StopTask "
        "UpdateContainerAgent UpdateContainerInstancesState",
    ),
    category(
        *("cluster resource read", 100, 20),
        "DescribeContainerInstances DescribeTasks ListAttributes ListContainerInstances ListTasks",
    ),
    category("service modify", 50, 5, "CreateService DeleteService UpdateService"),
    category("service read", 100, 20, "DescribeServices ListServices"),
    category("service deployment", 50, 20, "DescribeServiceDeployments ListServiceDeployments"),
    category("service revision", 50, 20, "DescribeServiceRevisions"),
    category("task protection", 200, 80, "UpdateTaskProtection GetTaskProtection"),
    category("cluster service resource read", 10, 1, "ListServicesByNamespace"),
)
ELB = (
    category("resource-intensive", 10, 0.2, "CreateLoadBalancer SetSubnets"),
    category("registration", 20, 4, "RegisterTargets DeregisterTargets"),
)
ELB_READ, ELB_MUTATING, ELB_ALL = Rate(40, 10), Rate(20, 3), Rate(40, 10)
# EC2: each action has a bucket of its own. Those of the tables that Slipway or amazon.aws may call.
EC2_READ, EC2_MUTATING, EC2_UNFILTERED = Rate(100, 20), Rate(50, 5), Rate(50, 10)
UNFILTERED = frozenset(
    {
        *("DescribeInstances", "DescribeInstanceStatus", "DescribeNetworkInterfaces", "DescribeSecurityGroups"),
        *("DescribeSnapshots", "DescribeSpotInstanceRequests", "DescribeVolumes"),
    }
)
EC2 = {
    **dict.fromkeys(("CreateVpcEndpoint", "DeleteVpcEndpoints", "ModifyVpcEndpoint"), Rate(4, 0.3)),
    **dict.fromkeys(("CreateNatGateway", "DeleteNatGateway", "AssociateNatGatewayAddress"), Rate(10, 1)),
    **dict.fromkeys(("CreateTags", "DeleteTags"), Rate(100, 10)),
    **dict.fromkeys(("RunInstances", "StartInstances"), Rate(5, 2)),
    **dict.fromkeys(("DescribeSecurityGroupReferences", "DescribeStaleSecurityGroups"), Rate(20, 5)),
    **dict.fromkeys(
        (
            *("AssociateIamInstanceProfile", "CreateLaunchTemplateVersion", "CreateNetworkInterface", "CreateVolume"),
            *("DeleteNetworkInterface", "DeleteVolume", "ModifyInstanceMetadataOptions", "ModifyLaunchTemplate"),
            *("ModifyNetworkInterfaceAttribute", "TerminateInstances"),
        ),
        Rate(100, 5),
    ),
}
READS = ("Describe", "Get", "List", "Search")


def buckets_of(service: str, operation: str, parameters: set[str]) -> Iterator[tuple[str, Rate]]:
    """The buckets from which a request takes a token, by name."""
    if service == "ecs":
        yield from ((f"ecs {one.name}", one.rate) for one in ECS if operation in one.actions)
    elif service == "elasticloadbalancing":
        kind = ("read", ELB_READ) if operation.startswith(READS) else ("mutating", ELB_MUTATING)
        kind = next(((one.name, one.rate) for one in ELB if operation in one.actions), kind)
        yield from ((f"elb {name}", rate) for name, rate in (kind, ("account", ELB_ALL)))
    elif service == "ec2":
        usual = EC2_READ if operation.startswith(READS) else EC2_MUTATING
        filtered = any(name.startswith(("Filter.", "MaxResults", "NextToken")) for name in parameters)
        if operation in UNFILTERED and not filtered:
            yield f"ec2 unfiltered {operation}", EC2_UNFILTERED
        else:
            yield f"ec2 {operation}", EC2.get(operation, usual)


class Buckets:
    """The token buckets of accounts and regions. `share` is the share of AWS's rates that they have."""

    def __init__(self, share: float = 1.0, now: Callable[[], float] = time.monotonic) -> None:
        self._share, self._now = share, now
        self._tokens: dict[str, tuple[float, float]] = {}

    def take(self, scope: str, wanted: list[tuple[str, Rate]]) -> bool:
        """Take a token from each bucket; from none where one is empty."""
        now = self._now()
        left = {f"{scope} {name}": self._filled(f"{scope} {name}", rate, now) for name, rate in wanted}
        taken = all(tokens >= 1 for tokens in left.values())
        self._tokens.update({name: (tokens - taken, now) for name, tokens in left.items()})
        return taken

    def _filled(self, name: str, rate: Rate, now: float) -> float:
        capacity = max(1.0, rate.capacity * self._share)
        tokens, since = self._tokens.get(name, (capacity, now))
        return min(capacity, tokens + (now - since) * rate.refill * self._share)


def refusal(service: str) -> Answer:
    """The answer to a throttled request, in the words of its service."""
    if service == "ec2":
        error = "<Error><Code>RequestLimitExceeded</Code><Message>Request limit exceeded.</Message></Error>"
        text = f"<Response><Errors>{error}</Errors><RequestID>0</RequestID></Response>"
        return 503, {"Content-Type": "text/xml"}, text.encode()
    if service == "ecs":
        members = {"__type": "ThrottlingException", "message": "Rate exceeded"}
        return 400, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(members).encode()
    error = "<Type>Sender</Type><Code>ThrottlingException</Code><Message>Rate exceeded</Message>"
    text = f"<ErrorResponse><Error>{error}</Error><RequestId>0</RequestId></ErrorResponse>"
    return 400, {"Content-Type": "text/xml"}, text.encode()


def throttled(handler: Handler, service: str, buckets: Buckets, scope: Callable[[], str]) -> Handler:
    """A handler that refuses what comes too fast."""

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]) -> Any:
        parameters = set(urllib.parse.parse_qs(body.decode(errors="replace"))) if service == "ec2" else set()
        wanted = list(buckets_of(service, operation_of(headers, body), parameters))
        if not buckets.take(scope(), wanted):
            return refusal(service)
        return await handler(method, path, headers, body, query)

    return handle


def throttling(app: ModuleType, share: float) -> None:
    """Throttle requests at this share of AWS's rates; with 0, nothing is patched."""
    if share <= 0:
        return
    from ministack.core.responses import get_account_id, get_region

    buckets = Buckets(share)
    for service in ("ec2", "ecs", "elasticloadbalancing"):
        handler = app.SERVICE_HANDLERS[service]
        app.SERVICE_HANDLERS[service] = throttled(
            handler, service, buckets, lambda: f"{get_account_id()} {get_region()}"
        )
