# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Service deployments, which the emulator lacks, derived from the deployments of its services.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html
"""

from __future__ import annotations

import threading
import typing as t

Json = dict[str, t.Any]

STATUS = {"IN_PROGRESS": "IN_PROGRESS", "COMPLETED": "SUCCESSFUL", "FAILED": "STOPPED"}


class ServiceDeployments:
    """Keeps every deployment that it was shown, as AWS does for 90 days."""

    def __init__(self) -> None:
        self._known: dict[str, Json] = {}
        self._lock = threading.Lock()

    def show(self, service: Json) -> None:
        """Take in a service as DescribeServices answers it."""
        listed = {self._arn(service, item["id"]): item for item in service.get("deployments", ())}
        with self._lock:
            for arn, item in listed.items():
                self._known[arn] = self._deployment(arn, service, item)
            for arn, known in self._known.items():
                replaced = known["serviceArn"] == service["serviceArn"] and arn not in listed
                if replaced and known["status"] == "IN_PROGRESS":
                    known["status"] = "STOPPED"

    def of(self, service_arn: str) -> list[Json]:
        """As ListServiceDeployments answers."""
        members = ("serviceDeploymentArn", "serviceArn", "clusterArn", "createdAt", "status")
        with self._lock:
            own = [known for known in self._known.values() if known["serviceArn"] == service_arn]
        return [{name: known[name] for name in members} for known in own]

    def described(self, arns: t.Iterable[str]) -> list[Json]:
        """As DescribeServiceDeployments answers."""
        with self._lock:
            return [dict(self._known[arn]) for arn in arns if arn in self._known]

    @staticmethod
    def _arn(service: Json, deployment: str) -> str:
        return f"{service['serviceArn'].replace(':service/', ':service-deployment/')}/{deployment.rpartition('/')[2]}"

    @staticmethod
    def _deployment(arn: str, service: Json, item: Json) -> Json:
        state = item.get("rolloutState", "COMPLETED")
        breaker = {"deploymentCircuitBreaker": {"status": "TRIGGERED"}} if state == "FAILED" else {}
        return {
            "serviceDeploymentArn": arn,
            "serviceArn": service["serviceArn"],
            "clusterArn": service["clusterArn"],
            "createdAt": item["createdAt"],
            "status": STATUS[state],
            "targetServiceRevision": {"arn": arn.replace(":service-deployment/", ":service-revision/")},
            **breaker,
        }
