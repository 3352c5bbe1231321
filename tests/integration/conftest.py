# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The account of the integration tests: a local cloud that runs already, whose tasks are real containers.

SLIPWAY_ENDPOINT says where it is. It may serve others at the same time: each test has a cluster of its own.
"""

from __future__ import annotations

import functools
import io
import json
import os
import time
import typing as t
import urllib.parse
import uuid

import boto3
import docker
import pytest

from ansible_collections.slipway.aws.tests.integration.processes import await_that

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

Json = dict[str, t.Any]

REGION = "ap-northeast-2"
# Stops at once on a signal, which `sleep` alone does not do as the first process of a container.
WORK = ["sh", "-c", "trap 'exit 0' TERM; sleep 600 & wait"]
# A web server in the Perl that every Debian has: /ready answers 200, anything else 404. Says which version it is.
SERVE = """
use IO::Socket::INET;
$SIG{TERM} = sub { exit };
my $server = IO::Socket::INET->new(LocalPort => 8080, Listen => 5, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
  my $status = <$client> =~ m{^GET /ready } ? '200 OK' : '404 Not Found';
  my $version = $ENV{VERSION} // '';
  my $length = length $version;
  print $client "HTTP/1.1 $status\\r\\nContent-Length: $length\\r\\nConnection: close\\r\\n\\r\\n$version";
  close $client;
}
"""
# Prints what that server answers on loopback.
REQUEST = """
use IO::Socket::INET;
my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1:8080', Timeout => 5) or die "no answer: $@";
print $server "GET /ready HTTP/1.1\\r\\n\\r\\n";
my ($head, $body) = split /\\r\\n\\r\\n/, join '', <$server>;
$head =~ m{^HTTP/1.1 200 } or die $head;
print $body;
"""
# As often as AWS allows, and as few as AWS allows.
QUICK = {
    "HealthCheckIntervalSeconds": 5,
    "HealthCheckTimeoutSeconds": 2,
    "HealthyThresholdCount": 2,
    "UnhealthyThresholdCount": 2,
}
# The ports of listeners: of production, and of tests.
LISTENERS = (80, 9000)
# The smallest task of Fargate.
ON_FARGATE = {"requires_compatibilities": ["FARGATE"], "cpu": 256, "memory": "512"}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


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


def enter_account(patch: pytest.MonkeyPatch, endpoint: str) -> None:
    for name in ("AWS_URL", "AWS_PROFILE"):
        patch.delenv(name, raising=False)
    patch.setenv("AWS_ENDPOINT_URL", endpoint)
    patch.setenv("AWS_ACCESS_KEY_ID", "local")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "the-local-cloud-takes-any-key")
    patch.setenv("AWS_DEFAULT_REGION", REGION)


@pytest.fixture
def aws(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    enter_account(monkeypatch, endpoint)


@pytest.fixture(scope="session")
def versions(endpoint: str, image: str) -> t.Iterator[dict[str, str]]:
    """Two versions of an image that serves, in the cloud's registry: `v1` and `v2`, each by its digest."""
    repository = f"it-{uuid.uuid4().hex[:8]}"
    with pytest.MonkeyPatch.context() as patch:
        enter_account(patch, endpoint)
        ecr = boto3.client("ecr")
    ecr.create_repository(repositoryName=repository)
    address = f"{image.partition('/')[0]}/{repository}"
    engine = docker.from_env()
    yield {version: push_version(engine, image, address, version) for version in ("v1", "v2")}
    ecr.delete_repository(repositoryName=repository, force=True)
    for made in engine.images.list(address):
        await_that(functools.partial(is_free, engine, made.id), lambda: "a container of the image still runs")
        engine.images.remove(made.id, force=True)


def is_free(engine: docker.DockerClient, image_id: str) -> bool:
    """Whether no container runs the image any more: the emulator stops those of a service after it has answered."""
    return not engine.containers.list(filters={"ancestor": image_id})


def push_version(engine: docker.DockerClient, base: str, address: str, version: str) -> str:
    """Build and push one version; its reference by digest."""
    lines = [f"FROM {base}", f"ENV VERSION={version}", f"CMD {json.dumps(['perl', '-e', SERVE])}"]
    built, _log = engine.images.build(
        fileobj=io.BytesIO("\n".join(lines).encode()), tag=f"{address}:{version}", rm=True
    )
    for line in engine.images.push(address, tag=version, stream=True, decode=True):
        assert "error" not in line, line
    built.reload()
    return next(str(name) for name in built.attrs["RepoDigests"] if name.startswith(address))


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
    """A cluster, a family, a log group and an execution role of one name, and a service `web` that runs revisions."""

    def __init__(self, run: RunModule, name: str, image: str, role: str) -> None:
        self.run = run
        self.name = name
        self.image = image
        self.role = role

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

    def register(self, *command: str, fargate: bool = False, **members: t.Any) -> str:
        """A new revision of the family; what a service calls it."""
        made = self.run(
            "ecs_task_definition",
            family=self.name,
            network_mode="awsvpc",
            execution_role_arn=self.role,
            container_definitions=[self.container(*command, **members)],
            **(ON_FARGATE if fargate else {}),
        )
        assert made.get("changed"), made
        return f"{self.name}:{made['task_definition']['revision']}"

    def service(self, check: bool = False, **options: t.Any) -> Json:
        return self.run("ecs_service", check, **{"cluster": self.name, "name": "web", "wait_timeout": 60, **options})


def delete_cluster(ecs: t.Any, name: str) -> bool:
    """Whether the cluster is deleted: not while a service is draining, or a task stopping."""
    try:
        ecs.delete_cluster(cluster=name)
    except (ecs.exceptions.ClusterContainsServicesException, ecs.exceptions.ClusterContainsTasksException):
        return False
    return True


@pytest.fixture
def shop(run: RunModule, ecs: t.Any, name: str, image: str) -> t.Iterator[Shop]:
    logs, iam = boto3.client("logs"), boto3.client("iam")
    logs.create_log_group(logGroupName=name)
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    assert run("ecs_cluster", name=name)["changed"]
    shop = Shop(run, name, image, role)
    yield shop
    # Without modules, so that nothing is left if one fails.
    for service in ecs.list_services(cluster=name)["serviceArns"]:
        ecs.delete_service(cluster=name, service=service, force=True)
    await_that(functools.partial(delete_cluster, ecs, name), lambda: "services of the cluster are still draining")
    for revision in ecs.list_task_definitions(familyPrefix=name)["taskDefinitionArns"]:
        ecs.deregister_task_definition(taskDefinition=revision)
    iam.delete_role(RoleName=name)
    logs.delete_log_group(logGroupName=name)


class Services:
    """Services of the shop that are released together. Each says over HTTP which version it is."""

    def __init__(self, shop: Shop, ecs: t.Any, versions: dict[str, str], network: Json) -> None:
        self.shop = shop
        self.ecs = ecs
        self.images = versions
        self.network = network
        self._engine = docker.from_env()

    def service(self, name: str, version: str, *command: str, **options: t.Any) -> Json:
        """A service as ecs_release accepts it, with a family of its own."""
        container = self.shop.container(*command, image=self.images[version])
        definition = {
            "family": f"{self.shop.name}-{name}",
            "network_mode": "awsvpc",
            "container_definitions": [container],
        }
        return {"name": name, "task_definition": definition, "network_configuration": self.network, **options}

    def release(self, *services: Json, **options: t.Any) -> Json:
        return self.shop.run("ecs_release", **self.options(*services, **options))

    def options(self, *services: Json, **options: t.Any) -> Json:
        """The options of ecs_release."""
        return {"cluster": self.shop.name, "services": list(services), "wait_timeout": 60, **options}

    def running(self, *names: str) -> dict[str, str]:
        """Which version each service runs: what its only task answers, and the image of its container."""
        return {name: self._version(name) for name in names}

    def _version(self, name: str) -> str:
        """Asked from inside the task: its network lets nobody else in."""
        (arn,) = self.ecs.list_tasks(cluster=self.shop.name, serviceName=name)["taskArns"]
        (task,) = self.ecs.describe_tasks(cluster=self.shop.name, tasks=[arn])["tasks"]
        (container,) = self._engine.containers.list(filters={"label": f"com.amazonaws.ecs.task-arn={arn}"})
        code, output = container.exec_run(["perl", "-e", REQUEST])
        version = output.decode()
        assert code == 0, version
        assert self.images[version].endswith(f"@{task['containers'][0]['imageDigest']}"), (version, task)
        return version

    def described(self, name: str) -> Json:
        """The service as AWS describes it; empty where there is none."""
        found = self.ecs.describe_services(cluster=self.shop.name, services=[name], include=["TAGS"])["services"]
        return next((service for service in found if service["status"] == "ACTIVE"), {})

    def with_checkpoint(self, *names: str) -> list[str]:
        """Those of the services that have a checkpoint of an unfinished release."""
        tags = {name: [tag["key"] for tag in self.described(name).get("tags", ())] for name in names}
        return [name for name, keys in tags.items() if any(key.startswith("slipway:checkpoint") for key in keys)]


@pytest.fixture
def services(shop: Shop, ecs: t.Any, versions: dict[str, str], network: Json) -> Services:
    return Services(shop, ecs, versions, network)


def fails(result: Json, code: str, *said: str) -> str:
    """Holds a failure against its code and what its message must say; the message, printed for whoever looks."""
    assert (result.get("failed"), result.get("code")) == (True, code), result
    message = str(result["msg"])
    print(message)
    for text in said:
        assert text in message
    return message


def default_subnets() -> list[Json]:
    """Those of the account's default network."""
    filters = [{"Name": "default-for-az", "Values": ["true"]}]
    return list(boto3.client("ec2").describe_subnets(Filters=filters)["Subnets"])


@pytest.fixture
def network(aws: None) -> Json:
    """A subnet of the account's default network."""
    return {"awsvpcConfiguration": {"subnets": [default_subnets()[0]["SubnetId"]]}}


@pytest.fixture
def listening(aws: None, name: str) -> t.Iterator[list[str]]:
    """The security groups of a load balancer in the default network: its targets' group, and one open to visitors."""
    ec2, vpc = boto3.client("ec2"), default_subnets()[0]["VpcId"]
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    (own,) = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    made = ec2.create_security_group(GroupName=name, Description="Open to visitors", VpcId=vpc)["GroupId"]
    for port in LISTENERS:
        anywhere = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=[anywhere])
    yield [own["GroupId"], made]
    ec2.delete_security_group(GroupId=made)


@pytest.fixture
def target_group(aws: None, name: str, listening: list[str]) -> t.Iterator[t.Callable[..., str]]:
    """`target_group("/ready")` creates one behind a load balancer, whose health check requests that path; its ARN."""
    elbv2 = boto3.client("elbv2")
    subnets = default_subnets()
    made: list[tuple[str, str]] = []

    def make(path: str, **settings: t.Any) -> str:
        vpc = subnets[0]["VpcId"]
        answer = elbv2.create_target_group(
            Name=name, Protocol="HTTP", Port=8080, VpcId=vpc, TargetType="ip", HealthCheckPath=path, **settings
        )
        group = str(answer["TargetGroups"][0]["TargetGroupArn"])
        # Services accept a target group only if a load balancer uses it.
        found = elbv2.create_load_balancer(
            Name=name, Subnets=[subnet["SubnetId"] for subnet in subnets[:2]], SecurityGroups=listening
        )
        balancer = str(found["LoadBalancers"][0]["LoadBalancerArn"])
        action = {"Type": "forward", "TargetGroupArn": group}
        elbv2.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[action])
        made.append((balancer, group))
        return group

    yield make
    for balancer, group in made:
        elbv2.delete_load_balancer(LoadBalancerArn=balancer)
        elbv2.delete_target_group(TargetGroupArn=group)
