# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch of the emulator: which instances Systems Manager manages.

The emulator lists each instance with a shell. On AWS, the agent needs permissions for Session Manager in its instance
profile, and routes to ssm and ssmmessages:
https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-getting-started-instance-profile.html. An
agent without permissions hibernates, and tries again after up to an hour (agent/hibernation in
https://github.com/aws/amazon-ssm-agent): here, until the instance is restarted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from emulator_patches import wrap

Json = dict[str, Any]

ACTIONS = (
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)
ENDPOINTS = ("ssm", "ssmmessages")
AGENT_VERSION = "3.3.1142.0"
ALLOWED = "_agent_allowed"


class Agents:
    """The agents of instances."""

    def __init__(self, ec2: ModuleType, allows: Callable[[str, str], bool]) -> None:
        self.ec2 = ec2
        self.allows = allows
        """Whether a role, by its name, allows an action."""
        self.reaches: Callable[[str, str], bool] = lambda _instance, _service: True
        """Whether an instance reaches a service."""
        self.follow()

    def follow(self) -> None:
        """An agent looks for its permissions when its instance starts."""

        @wrap(self.ec2, "_vm_apply_container_ip")
        def started(original: Callable[..., None], instance: Json, *args: Any) -> None:
            original(instance, *args)
            instance[ALLOWED] = self.is_allowed(instance)

        @wrap(self.ec2, "_start_instances")
        def restarted(original: Callable[..., Any], params: Json) -> Any:
            answer = original(params)
            for identity in self.ec2._parse_member_list(params, "InstanceId"):
                if instance := self.ec2._instances.get(identity):
                    instance[ALLOWED] = self.is_allowed(instance)
            return answer

    def is_allowed(self, instance: Json) -> bool:
        profile = str((instance.get("IamInstanceProfile") or {}).get("Arn") or "").rpartition("/")[2]
        return bool(profile) and all(self.allows(profile, action) for action in ACTIONS)

    def is_online(self, identity: str) -> bool:
        instance = self.ec2._instances.get(identity) or {}
        runs = instance.get("State", {}).get("Name") == "running" and instance.get(ALLOWED)
        return bool(runs) and all(self.reaches(identity, endpoint) for endpoint in ENDPOINTS)

    def container(self, identity: str) -> str | None:
        """The container of an instance whose agent is connected."""
        if not self.is_online(identity):
            return None
        container = self.ec2._vm_get_container(self.ec2._instances[identity])
        return str(container.id) if container is not None else None

    def listed(self, filters: list[Json]) -> list[Json]:
        """What DescribeInstanceInformation returns."""
        chosen = [set(one["Values"]) for one in filters if one.get("Key") == "InstanceIds"]
        known = [one for one in sorted(self.ec2._instances) if all(one in ids for ids in chosen)]
        return [self.information(one) for one in known if self.is_online(one)]

    def information(self, identity: str) -> Json:
        return {
            "InstanceId": identity,
            "PingStatus": "Online",
            "LastPingDateTime": time.time(),
            "AgentVersion": AGENT_VERSION,
            "IsLatestVersion": True,
            "PlatformType": "Linux",
            "PlatformName": "Debian GNU/Linux",
            "PlatformVersion": "13",
            "ResourceType": "EC2Instance",
            "IPAddress": self.ec2._instances[identity].get("PrivateIpAddress", ""),
            "ComputerName": identity,
        }


def allows(iam: ModuleType, evaluator: ModuleType, account: Callable[[], str]) -> Callable[[str, str], bool]:
    """Whether the role of an instance profile allows an action, as its policies say now."""

    def decide(profile: str, action: str) -> bool:
        roles = (iam._instance_profiles.get(profile) or {}).get("Roles") or ()
        names = [one if isinstance(one, str) else one["RoleName"] for one in roles]
        policies = [one for name in names for one in evaluator._gather_role_policies(name, account())]
        principal = f"arn:aws:iam::{account()}:role/{next(iter(names), '')}"
        context = evaluator.EvalContext(principal, "AssumedRole", account(), action, "*", "")
        return str(evaluator.evaluate(context, policies).decision) == "Allow"

    return decide


def managed_instances(ssm: ModuleType, agents: Agents) -> None:
    """Answer DescribeInstanceInformation."""

    @wrap(ssm, "_describe_instance_information")
    def describe(_original: Callable[..., Any], data: Json) -> Any:
        return ssm.json_response({"InstanceInformationList": agents.listed(data.get("Filters") or [])})
