# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proxy that makes an emulator answer as AWS does: what was requested comes back completed, spelled otherwise, and in
another order, and some first attempts are refused. What AWS does is in `answers.py` of the local cloud."""

from __future__ import annotations

import dataclasses
import functools
import json
import typing as t
import xml.etree.ElementTree as ET
from collections import Counter

from ansible_collections.slipway.aws.roles.local_cloud.files import answers
from ansible_collections.slipway.aws.tests.proxies import base

Json = dict[str, t.Any]

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
# What the emulator forgets of a service and of a cluster, and where AWS answers it.
AT_THE_SERVICE = ("availabilityZoneRebalancing", "placementConstraints", "placementStrategy", "propagateTags")
AT_THE_DEPLOYMENT = ("serviceConnectConfiguration", "volumeConfigurations")


class NoNamespaceError(Exception):
    """A service names a namespace that there is not."""


class Rewriting(base.Proxy):
    """`rewrites` counts what was rewritten or refused, by kind.

    Clients with the application's name `ordered` get lists in one order: tests compare what they read with it.
    """

    def __init__(
        self, target: str, seed: int, *, account: str = "000000000000", refuses: bool = True, ordered: str = ""
    ) -> None:
        super().__init__(target)
        self.refuses, self._account, self._ordered = refuses, account, ordered
        self.rewrites: Counter[str] = Counter()
        self._order = answers.Order(seed, self.note)
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
        if request.service not in ("ecr", "ecs") or not request.headers.get("x-amz-target"):
            return super().forward(request)
        namespace = functools.partial(self._namespace, request)
        place = answers.Place(request.region, self._account, namespace, self.note)
        try:
            members = answers.request(request.operation, request.members, place)
        except NoNamespaceError:
            return base.refusal(request, "NamespaceNotFoundException", "The specified namespace wasn't found.")
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
            return answer.with_json(members if self._is_ordered(request) else self._order.shuffled(members))
        if request.service in ("autoscaling", "elasticloadbalancing") and not self._is_ordered(request):
            return dataclasses.replace(answer, body=self._xml(answer.body))
        return answer

    def _is_ordered(self, request: base.Request) -> bool:
        return bool(self._ordered) and f"app/{self._ordered}" in request.headers.get("user-agent", "")

    def _namespace(self, request: base.Request, name: str) -> str:
        """The ARN of a namespace. AWS creates one that a cluster names for the first time.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ClusterServiceConnectDefaultsRequest.html
        """
        if (arn := self._namespaces(request.region).get(name)) is None and "Cluster" in request.operation:
            self._cloud_map(request.region, "CreateHttpNamespace", {"Name": name})
            arn = self._namespaces(request.region)[name]
        if arn is None:
            raise NoNamespaceError(name)
        return arn

    def _namespaces(self, region: str) -> dict[str, str]:
        found = self._cloud_map(region, "ListNamespaces", {})["Namespaces"]
        return {str(item["Name"]): str(item["Arn"]) for item in found}

    def _cloud_map(self, region: str, operation: str, members: Json) -> Json:
        """A call to the emulator, as a client would make it."""
        scope = f"AWS4-HMAC-SHA256 Credential=key/20260101/{region}/servicediscovery/aws4_request"
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"Route53AutoNaming_v20170314.{operation}",
            "authorization": f"{scope}, SignedHeaders=host, Signature=0",
        }
        return super().forward(base.Request("POST", "/", headers, json.dumps(members).encode())).json()

    # What the emulator forgets

    def _keep(self, operation: str, members: Json, answer: Json) -> None:
        names: tuple[str, ...]
        if operation in ("CreateService", "UpdateService"):
            names, arn = (*AT_THE_SERVICE, *AT_THE_DEPLOYMENT), answer["service"]["serviceArn"]
            zones = answers.zone_rebalancing(members)
            fresh = {"availabilityZoneRebalancing": zones} if operation == "CreateService" else {}
        elif operation in ("CreateCluster", "UpdateCluster"):
            names, arn, fresh = ("serviceConnectDefaults",), answer["cluster"]["clusterArn"], {}
        else:
            return
        given = {name: members[name] for name in names if name in members}
        with self.lock:
            had = {} if operation.startswith("Create") else self._kept.get(arn, {})
            self._kept[arn] = {**had, **fresh, **given}

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
        answers.service(item, self.note)

    def _end(self, task: Json) -> None:
        """Nothing runs here: a task of its own has ended well by the time that it is described."""
        if str(task.get("startedBy")).startswith("slipway/"):
            task.update({"lastStatus": "STOPPED", "desiredStatus": "STOPPED", "stopCode": "EssentialContainerExited"})
            task["containers"] = [{**one, "exitCode": 0, "lastStatus": "STOPPED"} for one in task.get("containers", ())]

    def _xml(self, body: bytes) -> bytes:
        root = ET.fromstring(body)
        for node in root.iter():
            if node.tag.endswith("}VPCZoneIdentifier") and node.text:
                node.text = ",".join(self._order.in_other_order(node.text.split(","), "subnets"))
            node[:] = self._order.in_other_order(list(node), node.tag.rpartition("}")[2])
        return ET.tostring(root)
