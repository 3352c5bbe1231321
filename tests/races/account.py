# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An account without containers in which releases are disturbed, and the processes that release there."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import multiprocessing
import multiprocessing.forkserver
import os
import sys
import tempfile
import threading
import types
import typing as t
from pathlib import Path

import boto3
import pytest

from ansible_collections.slipway.aws.tests.proxies import base
from ansible_collections.slipway.aws.tests.races import module_process
from ansible_collections.slipway.aws.tests.races.service_deployments import ServiceDeployments

if t.TYPE_CHECKING:
    import signal

    from ansible_collections.slipway.aws.tests.races.cases import Case

Json = dict[str, t.Any]

REGION = "eu-central-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "b2f0c1d4e7a9",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}
# The second version of this service cannot start.
BROKEN = "broken"
SIGNATURE = f"AWS4-HMAC-SHA256 Credential=key/20260101/{REGION}/ecs/aws4_request, SignedHeaders=host, Signature=0"
# The longest that a release of a few services may take here.
LIMIT = 120.0
STARTING = threading.Lock()
# Where runs write their results; deleted when the tests end.
OUTPUT = tempfile.TemporaryDirectory(prefix="slipway-races-")
PRELOADED = "ansible_collections.slipway.aws.tests.races.preloaded"


class Strikes(base.Proxy):
    """Does something once, when the call with this number passes: before AWS has it, or when AWS has done it.

    Deployments that must fail are reported as failed; where asked, services have service deployments.
    """

    def __init__(self, target: str) -> None:
        super().__init__(target, self._serve_early, self._serve_late)
        self.struck = ""
        self.broken: set[str] = set()
        self.deployments: ServiceDeployments | None = None
        self._act: t.Callable[[], None] | None = None
        self._case: Case | None = None
        self._count = 0
        self._counting = threading.Lock()

    def arm(self, case: Case, act: t.Callable[[], None]) -> None:
        """From now on, count calls, and `act` at the one that the case names."""
        with self._counting:
            self._case, self._act, self._count, self.struck = case, act, 0, ""

    def disarm(self) -> None:
        with self._counting:
            self._act = None

    def _strike(self, request: base.Request, late: bool) -> None:
        with self._counting:
            case, act = self._case, self._act
            if case is None or act is None or (case.changes_only and request.is_read):
                return
            self._count += not late
            if self._count < case.at or late != case.late:
                return
            self._act, self.struck = None, request.operation
        act()

    def _serve_early(self, request: base.Request) -> base.Answer | None:
        self._strike(request, late=False)
        if not self.deployments or "ServiceDeployments" not in request.operation:
            return None
        if request.operation == "DescribeServiceDeployments":
            found = self.deployments.described(request.members["serviceDeploymentArns"])
            return base.json_answer(200, {"serviceDeployments": found, "failures": []})
        service = self._service(request.members["cluster"], request.members["service"])
        if not service:
            return base.json_error("ServiceNotFoundException", "Service not found.")
        return base.json_answer(200, {"serviceDeployments": self.deployments.of(service["serviceArn"])})

    def _service(self, cluster: str, name: str) -> Json:
        body = json.dumps({"cluster": cluster, "services": [name]}).encode()
        target = "AmazonEC2ContainerServiceV20141113.DescribeServices"
        headers = {"x-amz-target": target, "content-type": "application/x-amz-json-1.1"}
        request = base.Request("POST", "/", {**headers, "authorization": SIGNATURE}, body)
        answer = self._serve_late(request, self.forward(request)).json()
        return next(iter(answer.get("services", ())), {})

    def _serve_late(self, request: base.Request, answer: base.Answer) -> base.Answer:
        self._strike(request, late=True)
        if answer.good and request.operation == "RegisterTaskDefinition" and is_broken(request.members):
            self.broken.add(answer.json()["taskDefinition"]["taskDefinitionArn"])
        if answer.good and request.operation in ("DescribeServices", "UpdateService", "CreateService"):
            members = failing(answer.json(), self.broken)
            for service in services_of(members) if self.deployments else ():
                t.cast(ServiceDeployments, self.deployments).show(service)
            return answer.with_json(members)
        return answer


def services_of(members: Json) -> list[Json]:
    found = members.get("services") or [members.get("service") or {}]
    return [service for service in found if service.get("serviceArn")]


def failing(members: Json, broken: t.Collection[str]) -> Json:
    """The answer with the deployments of these revisions failed."""
    for service in services_of(members):
        for deployment in service.get("deployments", ()):
            if deployment.get("taskDefinition") in broken:
                deployment.update(rolloutState="FAILED", rolloutStateReason="ECS deployment circuit breaker triggered.")
    return members


def is_broken(definition: Json) -> bool:
    """True for the version of the broken family that cannot start. Two releases may register it at the same time."""
    images = [container["image"] for container in definition["containerDefinitions"]]
    return str(definition["family"]).endswith(BROKEN) and all(image.endswith(":v2") for image in images)


@dataclasses.dataclass
class Run:
    """A module in a process of its own."""

    process: t.Any
    file: Path

    @property
    def output(self) -> str:
        return self.file.read_text() if self.file.exists() else ""

    def end(self) -> Json:
        """Its result; empty where it was killed before it could say anything."""
        self.process.join(LIMIT)
        assert self.process.exitcode is not None, f"still runs after {LIMIT:g} s: {self.output}"
        lines = [line for line in self.output.splitlines() if line.startswith("{")]
        return dict(json.loads(lines[-1])) if lines else {}

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, number)


@functools.cache
def server() -> t.Any:
    """What forks processes that have imported everything, which takes longer than most releases."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([PRELOADED])
    # Python before 3.13 does not give it the path of this process.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        multiprocessing.forkserver.ensure_running()
    return context


@contextlib.contextmanager
def without_main() -> t.Iterator[None]:
    """Within it, no process that starts imports the program of this one, which is that of pytest."""
    with STARTING, pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
        yield


def start(endpoint: str, options: Json, module: str = "ecs_release", name: str = "key", **variables: str) -> Run:
    """Start a module. Its name is its access key, which tells its calls from those of others."""
    environment = {**CREDENTIALS, "AWS_ACCESS_KEY_ID": name, "AWS_ENDPOINT_URL": endpoint, **variables}
    handle, path = tempfile.mkstemp(suffix=".json", dir=OUTPUT.name)
    os.close(handle)
    with without_main():
        process = server().Process(target=module_process.run, args=(module, options, environment, path))
        process.start()
    return Run(process, Path(path))


@dataclasses.dataclass(frozen=True)
class Project:
    """A cluster with services, asked past the proxy."""

    endpoint: str
    cluster: str
    # Services that another client has created.
    by_hand: set[str] = dataclasses.field(default_factory=set)

    @property
    def ecs(self) -> t.Any:
        return boto3.client(
            "ecs",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    def service(self, name: str, version: str, after: t.Sequence[str] = ()) -> Json:
        """One service as ecs_release takes it."""
        container = {
            "name": "web",
            "image": f"registry.example/{name}:{version}",
            "memory": 64,
        }
        family = f"{self.cluster}-{name}"
        return {
            "name": name,
            "desired_count": 1,
            "task_definition": {"family": family, "container_definitions": [container]},
            "after": list(after),
        }

    def options(self, services: t.Sequence[Json]) -> Json:
        return {"cluster": self.cluster, "services": list(services), "wait_timeout": 60}

    def create_by_hand(self, name: str) -> None:
        """What another client does: a service of this name, which is none of ours."""
        ecs = self.ecs
        container = {"name": "other", "image": "registry.example/other:1", "memory": 64}
        family = f"{self.cluster}-by-hand"
        revision = ecs.register_task_definition(family=family, containerDefinitions=[container])
        with contextlib.suppress(ecs.exceptions.ClientException):  # ours was first
            ecs.create_service(
                cluster=self.cluster,
                serviceName=name,
                taskDefinition=revision["taskDefinition"]["taskDefinitionArn"],
                desiredCount=1,
                tags=[{"key": "owner", "value": "another client"}],
            )
            self.by_hand.add(name)

    def described(self) -> dict[str, Json]:
        """The services that are active, by name."""
        ecs = self.ecs
        arns = ecs.list_services(cluster=self.cluster)["serviceArns"]
        if not arns:
            return {}
        found = ecs.describe_services(cluster=self.cluster, services=arns, include=["TAGS"])["services"]
        return {service["serviceName"]: service for service in found if service["status"] == "ACTIVE"}

    def images(self) -> dict[str, str]:
        """What each service runs: the image of its task definition."""
        return {name: self.image(service["taskDefinition"]) for name, service in self.described().items()}

    def image(self, arn: str) -> str:
        definition = self.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        return str(definition["containerDefinitions"][0]["image"])

    def checkpoints(self) -> list[str]:
        """The services on which a release has left its checkpoint."""
        return [
            name
            for name, service in self.described().items()
            if any(tag["key"].startswith("slipway:") for tag in service.get("tags", ()))
        ]

    def revisions(self, name: str) -> list[str]:
        """The images of a family's active revisions, oldest first."""
        arns = self.ecs.list_task_definitions(familyPrefix=f"{self.cluster}-{name}")["taskDefinitionArns"]
        return [self.image(arn) for arn in arns]
