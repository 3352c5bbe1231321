# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The account of the integration tests: a local cloud that runs already, whose tasks are real containers.

SLIPWAY_ENDPOINT says where it is. It may serve others at the same time: each test has a cluster of its own.
"""

from __future__ import annotations

import os
import time
import typing as t
import urllib.parse
import uuid

import boto3
import pytest

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

Json = dict[str, t.Any]

REGION = "ap-northeast-2"
# Ends at once when it is told to, which `sleep` alone does not do as a container's first process.
WORK = ["sh", "-c", "trap 'exit 0' TERM; sleep 600 & wait"]
# A web server in the Perl that every Debian has: /ready answers 200, anything else 404.
SERVE = """
use IO::Socket::INET;
$SIG{TERM} = sub { exit };
my $server = IO::Socket::INET->new(LocalPort => 8080, Listen => 5, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
  my $status = <$client> =~ m{^GET /ready } ? '200 OK' : '404 Not Found';
  print $client "HTTP/1.1 $status\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n";
  close $client;
}
"""


@pytest.fixture(scope="session")
def endpoint() -> str:
    address = os.environ.get("SLIPWAY_ENDPOINT", "")
    if not address:
        pytest.skip("SLIPWAY_ENDPOINT is not set: it is the address of a local cloud, such as http://127.0.0.1:4566")
    return address


@pytest.fixture(scope="session")
def image(endpoint: str) -> str:
    """Debian, from the cloud's own registry."""
    return f"localhost:{urllib.parse.urlsplit(endpoint).port}/base/debian:trixie"


@pytest.fixture
def aws(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b2f0c1d4e7a9")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


@pytest.fixture
def name() -> str:
    """A name that nobody else has."""
    return f"it-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def seconds() -> t.Callable[[], float]:
    """How long the test has run."""
    start = time.monotonic()
    return lambda: time.monotonic() - start


class Shop:
    """A cluster, a family and a log group of one name, and a service `web` that runs revisions of it."""

    def __init__(self, run: RunModule, name: str, image: str) -> None:
        self.run = run
        self.name = name
        self.image = image

    def container(self, *command: str, **members: t.Any) -> Json:
        """A container whose output is in the log group."""
        options = {"awslogs-group": self.name, "awslogs-region": REGION, "awslogs-stream-prefix": "web"}
        return {
            "name": "web",
            "image": self.image,
            "command": list(command),
            "memory": 64,
            "logConfiguration": {"logDriver": "awslogs", "options": options},
            **members,
        }

    def register(self, *command: str, **members: t.Any) -> str:
        """A new revision of the family; what a service calls it."""
        made = self.run(
            "ecs_task_definition",
            family=self.name,
            network_mode="awsvpc",
            container_definitions=[self.container(*command, **members)],
        )
        assert made.get("changed"), made
        return f"{self.name}:{made['task_definition']['revision']}"

    def service(self, check: bool = False, **options: t.Any) -> Json:
        return self.run("ecs_service", check, **{"cluster": self.name, "name": "web", "wait_timeout": 60, **options})


@pytest.fixture
def shop(run: RunModule, ecs: t.Any, name: str, image: str) -> t.Iterator[Shop]:
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName=name)
    assert run("ecs_cluster", name=name)["changed"]
    shop = Shop(run, name, image)
    yield shop
    # By hand, so that nothing stays behind a module that fails.
    for service in ecs.list_services(cluster=name)["serviceArns"]:
        ecs.delete_service(cluster=name, service=service, force=True)
    ecs.delete_cluster(cluster=name)
    for revision in ecs.list_task_definitions(familyPrefix=name)["taskDefinitionArns"]:
        ecs.deregister_task_definition(taskDefinition=revision)
    logs.delete_log_group(logGroupName=name)


@pytest.fixture
def network(aws: None) -> Json:
    """A subnet of the account's default network."""
    subnets = boto3.client("ec2").describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
    return {"awsvpcConfiguration": {"subnets": [subnets[0]["SubnetId"]]}}


@pytest.fixture
def target_group(aws: None, name: str) -> t.Iterator[t.Callable[..., str]]:
    """`target_group("/ready")` makes one whose health check asks for that path; its ARN."""
    elbv2 = boto3.client("elbv2")
    vpc = boto3.client("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    made: list[str] = []

    def make(path: str) -> str:
        answer = elbv2.create_target_group(
            Name=name, Protocol="HTTP", Port=8080, VpcId=vpc, TargetType="ip", HealthCheckPath=path
        )
        made.append(answer["TargetGroups"][0]["TargetGroupArn"])
        return made[-1]

    yield make
    for arn in made:
        elbv2.delete_target_group(TargetGroupArn=arn)
