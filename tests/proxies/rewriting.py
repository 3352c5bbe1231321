# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proxy that makes an emulator answer as AWS does: what was requested comes back completed, spelled otherwise, and in
another order, and some first attempts are refused.

What it knows of AWS is in public reports: terraform-provider-aws 9777, 39533, 41394 and 43905, amazon-ecs-deploy-task-
definition 224, copilot-cli 2887, and the API reference. It is written apart from the collection's own idea of AWS.
"""

from __future__ import annotations

import dataclasses
import json
import random
import typing as t
import uuid
import xml.etree.ElementTree as ET
from collections import Counter

from ansible_collections.slipway.aws.tests.proxies import base

Json = dict[str, t.Any]

# Lists that AWS answers in an order of its own.
UNORDERED = {
    *("Attributes", "Rules", "ScheduledActions", "ScalingPolicies", "Services", "TagList", "Tags", "Values"),
    *("AvailabilityZones", "TargetGroupARNs"),
    *("capacityProviders", "capacityProviderStrategy", "defaultCapacityProviderStrategy", "settings", "tags"),
    *("dependsOn", "environment", "mountPoints", "portMappings", "secrets", "systemControls", "ulimits"),
    *("requiresCompatibilities", "volumes"),
    *("loadBalancers", "placementConstraints", "securityGroups", "subnets"),
}
# Calls that AWS refuses at first, each with what it says then.
REFUSALS = {
    "RegisterTaskDefinition": (
        "ClientException",
        "Too many concurrent attempts to create a new revision of the specified family.",
    ),
    "PutClusterCapacityProviders": ("ClientException", "Cluster was not ACTIVE."),
    "SetRepositoryPolicy": (
        "InvalidParameterException",
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Principal not found'",
    ),
}
EMPTY_LISTS = ("environment", "mountPoints", "portMappings", "systemControls", "volumesFrom")
BREAKER: Json = {
    "enable": False,
    "rollback": False,
    "resetOnHealthyTask": True,
    "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50},
}
MANAGED_SCALING = {
    "status": "DISABLED",
    "targetCapacity": 100,
    "minimumScalingStepSize": 1,
    "maximumScalingStepSize": 10000,
    "instanceWarmupPeriod": 300,
}
# What the emulator forgets of a service and of a cluster, and where AWS answers it.
AT_THE_SERVICE = ("availabilityZoneRebalancing", "placementConstraints", "placementStrategy", "propagateTags")
AT_THE_DEPLOYMENT = ("serviceConnectConfiguration", "volumeConfigurations")


class Rewriting(base.Proxy):
    """`rewrites` counts what was rewritten or refused, by kind."""

    def __init__(self, target: str, seed: int, region: str, *, account: str = "000000000000", refuses: bool) -> None:
        super().__init__(target)
        self.refuses = refuses
        self.rewrites: Counter[str] = Counter()
        self.region, self.account = region, account
        self._random = random.Random(seed)
        self._refused: set[str] = set()
        self._kept: dict[str, Json] = {}

    def note(self, kind: str, count: int = 1) -> None:
        with self.lock:
            self.rewrites[kind] += count

    def before(self, request: base.Request) -> base.Answer | None:
        with self.lock:
            refused = self.refuses and request.operation in REFUSALS and request.operation not in self._refused
            self._refused.add(request.operation)
        if not refused:
            return None
        self.note(f"refused {request.operation}")
        return base.refusal(request, *REFUSALS[request.operation])

    def forward(self, request: base.Request) -> base.Answer:
        rewrite = {
            ("ecs", "RegisterTaskDefinition"): self._definition,
            ("ecs", "CreateCapacityProvider"): self._provider,
            ("ecr", "SetRepositoryPolicy"): self._policy,
            ("ecs", "CreateService"): self._names_of_service,
            ("ecs", "UpdateService"): self._names_of_service,
            ("ecs", "CreateCluster"): self._names_of_cluster,
            ("ecs", "UpdateCluster"): self._names_of_cluster,
        }.get((request.service, request.operation))
        if rewrite is None:
            return super().forward(request)
        members = rewrite(dict(request.members))
        body = json.dumps(members).encode()
        headers = {**request.headers, "content-length": str(len(body))}
        answer = super().forward(dataclasses.replace(request, body=body, headers=headers))
        if answer.good:
            self._keep(request.operation, members, answer.json())
        return answer

    def after(self, request: base.Request, answer: base.Answer) -> base.Answer:
        if not answer.good or not answer.body:
            return answer
        if request.headers.get("x-amz-target"):
            members = answer.json()
            if request.service == "ecs":
                self._complete_all(members)
            for group in members.get("logGroups", ()):
                group["arn"] = f"{group['arn'].removesuffix(':*')}:*"
            return answer.with_json(self._shuffled(members))
        if request.service in ("autoscaling", "elasticloadbalancing"):
            return dataclasses.replace(answer, body=self._xml(answer.body))
        return answer

    # Requests

    def _definition(self, members: Json) -> Json:
        for name in ("taskRoleArn", "executionRoleArn"):
            if members.get(name) and not members[name].startswith("arn:"):
                self.note("role")
                members[name] = f"arn:aws:iam::{self.account}:role/{members[name].lstrip('/')}"
        shared = members.get("networkMode") in ("awsvpc", "host") or "FARGATE" in members.get(
            "requiresCompatibilities", ()
        )
        members["containerDefinitions"] = [self._container(item, shared) for item in members["containerDefinitions"]]
        members["volumes"] = [self._volume(item) for item in members.get("volumes", ())]
        return members

    def _container(self, item: Json, shared: bool) -> Json:
        variables = {one["name"]: one for one in item.get("environment", ()) if "value" in one}
        self.note("variable dropped", len(item.get("environment", ())) - len(variables))
        container = {"cpu": 0, "essential": True, **{name: [] for name in EMPTY_LISTS}, **item}
        container["environment"] = list(variables.values())
        if "firelensConfiguration" in container and "user" not in container:
            self.note("log router")
            container["user"] = "0"
        if "healthCheck" in container:
            self.note("health check")
            container["healthCheck"] = {"interval": 30, "timeout": 5, "retries": 3, **container["healthCheck"]}
        container["portMappings"] = [
            {"protocol": "tcp", "hostPort": port.get("containerPort", 0) if shared else 0, **port}
            for port in container["portMappings"]
        ]
        container["mountPoints"] = [{"readOnly": False, **mount} for mount in container["mountPoints"]]
        return container

    def _volume(self, item: Json) -> Json:
        if "dockerVolumeConfiguration" in item:
            self.note("docker volume")
            filled = {"scope": "task", "autoprovision": False, "driver": "local", **item["dockerVolumeConfiguration"]}
            return {**item, "dockerVolumeConfiguration": filled}
        if "efsVolumeConfiguration" in item:
            return {**item, "efsVolumeConfiguration": {"rootDirectory": "/", **item["efsVolumeConfiguration"]}}
        return {"host": {}, **item}

    def _provider(self, members: Json) -> Json:
        group = members.get("autoScalingGroupProvider", {})
        name = group.get("autoScalingGroupArn", "")
        if name and not name.startswith("arn:"):
            self.note("group")
            place = f"arn:aws:autoscaling:{self.region}:{self.account}:autoScalingGroup"
            group["autoScalingGroupArn"] = f"{place}:{uuid.UUID(int=0)}:autoScalingGroupName/{name}"
        scaling = {**MANAGED_SCALING, **group.get("managedScaling", {})}
        defaults = {"managedTerminationProtection": "DISABLED", "managedDraining": "ENABLED"}
        return {**members, "autoScalingGroupProvider": {**defaults, **group, "managedScaling": scaling}}

    def _policy(self, members: Json) -> Json:
        """A principal that is an account is answered as its root, statements and their members in another order."""
        self.note("policy")
        policy = json.loads(members["policyText"])
        statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
        for statement in statements:
            principal = statement.get("Principal")
            if isinstance(principal, dict) and str(principal.get("AWS", "")).isdigit():
                principal["AWS"] = f"arn:aws:iam::{principal['AWS']}:root"
        return {**members, "policyText": json.dumps({**policy, "Statement": statements}, indent=2, sort_keys=True)}

    def _names_of_service(self, members: Json) -> Json:
        connect = members.get("serviceConnectConfiguration", {})
        if connect.get("namespace"):
            connect["namespace"] = self._namespace(connect["namespace"])
        return members

    def _names_of_cluster(self, members: Json) -> Json:
        defaults = members.get("serviceConnectDefaults", {})
        if defaults.get("namespace"):
            defaults["namespace"] = self._namespace(defaults["namespace"])
        return members

    def _namespace(self, name: str) -> str:
        """The ARN of a namespace, asked of the emulator as a client would."""
        if name.startswith("arn:"):
            return name
        scope = f"AWS4-HMAC-SHA256 Credential=key/20260101/{self.region}/servicediscovery/aws4_request"
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": "Route53AutoNaming_v20170314.ListNamespaces",
            "authorization": f"{scope}, SignedHeaders=host, Signature=0",
        }
        found = super().forward(base.Request("POST", "/", headers, b"{}")).json()["Namespaces"]
        self.note("namespace")
        return next(str(item["Arn"]) for item in found if item["Name"] == name)

    # Answers

    def _keep(self, operation: str, members: Json, answer: Json) -> None:
        if operation in ("CreateService", "UpdateService"):
            names, arn = (*AT_THE_SERVICE, *AT_THE_DEPLOYMENT), answer["service"]["serviceArn"]
            fresh = {"availabilityZoneRebalancing": self._zones(members)} if operation == "CreateService" else {}
        elif operation in ("CreateCluster", "UpdateCluster"):
            names, arn, fresh = ("serviceConnectDefaults",), answer["cluster"]["clusterArn"], {}
        else:
            return
        given = {name: members[name] for name in names if name in members}
        with self.lock:
            had = {} if operation.startswith("Create") else self._kept.get(arn, {})
            self._kept[arn] = {**had, **fresh, **given}

    @staticmethod
    def _zones(members: Json) -> str:
        return "DISABLED" if members.get("schedulingStrategy") == "DAEMON" else "ENABLED"

    def _complete_all(self, members: Json) -> None:
        for holder in ("service", "services", "cluster", "clusters"):
            found = members.get(holder) or []
            for item in found if isinstance(found, list) else [found]:
                if isinstance(item, dict):
                    self._complete(item)
        for task in members.get("tasks", ()):
            self._end(task)

    def _complete(self, item: Json) -> None:
        kept = self._kept.get(item.get("serviceArn") or item.get("clusterArn", ""), {})
        if "serviceArn" not in item:
            item.update(kept)
            return
        item.update({name: kept[name] for name in AT_THE_SERVICE if name in kept})
        for deployment in item.get("deployments", ())[:1]:
            deployment.update({name: kept[name] for name in AT_THE_DEPLOYMENT if name in kept})
        percents = (100, 0) if item.get("schedulingStrategy") == "DAEMON" else (200, 100)
        given = item.get("deploymentConfiguration") or {}
        self.note("deployment configuration")
        item["deploymentConfiguration"] = {
            "maximumPercent": percents[0],
            "minimumHealthyPercent": percents[1],
            "strategy": "ROLLING",
            "bakeTimeInMinutes": 0,
            **given,
            "deploymentCircuitBreaker": {**BREAKER, **given.get("deploymentCircuitBreaker", {})},
        }
        item["capacityProviderStrategy"] = [
            {"weight": 0, "base": 0, **one} for one in item.get("capacityProviderStrategy") or ()
        ]

    def _end(self, task: Json) -> None:
        """Nothing runs here: a task of its own has ended well by the time that it is described."""
        if task.get("startedBy") == "slipway.aws.ecs_task_run":
            task.update({"lastStatus": "STOPPED", "desiredStatus": "STOPPED", "stopCode": "EssentialContainerExited"})
            task["containers"] = [{**one, "exitCode": 0, "lastStatus": "STOPPED"} for one in task.get("containers", ())]

    def _shuffled(self, value: t.Any, name: str = "") -> t.Any:
        if isinstance(value, dict):
            return {key: self._shuffled(member, key) for key, member in value.items()}
        if not isinstance(value, list):
            return value
        return self._in_other_order([self._shuffled(element, name) for element in value], name)

    def _in_other_order(self, elements: list[t.Any], name: str) -> list[t.Any]:
        if name not in UNORDERED or len(elements) < 2:
            return elements
        with self.lock:
            order = self._random.sample(elements, len(elements))
        if order != elements:
            self.note("order")
        return order

    def _xml(self, body: bytes) -> bytes:
        root = ET.fromstring(body)
        for node in root.iter():
            if node.tag.endswith("}VPCZoneIdentifier") and node.text:
                node.text = ",".join(self._in_other_order(node.text.split(","), "subnets"))
            node[:] = self._in_other_order(list(node), node.tag.rpartition("}")[2])
        return ET.tostring(root)
