# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Misconfigured networks on a local cloud that enforces them: tasks fail as on AWS, and the message names the cause."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import typing as t
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import docker
import pytest

from ansible_collections.slipway.aws.tests.integration.conftest import REGION, SERVE, Json, Shop, fails
from ansible_collections.slipway.aws.tests.integration.networks import ANYWHERE, PORT, Vpc
from ansible_collections.slipway.aws.tests.integration.processes import await_that

LAUNCHER = Path(__file__).resolve().parents[2] / "roles/local_cloud/files/local_cloud.py"
LOOPBACK = SERVE.replace("LocalPort", "LocalAddr => '127.0.0.1', LocalPort")


@dataclass
class Case:
    """A fault, and what the message says of it: AWS's reason, and ours. Braces name members of the VPC."""

    name: str
    fault: Callable[[Vpc], None]
    code: str
    cause: str
    said: tuple[str, ...]
    subnets: str = "private"
    program: str = SERVE
    check: Json = field(default_factory=dict)


def right(_vpc: Vpc) -> None:
    """Nothing is wrong with the network."""


def open_another_port(vpc: Vpc) -> None:
    vpc.revoke(vpc.tasks, PORT, group=vpc.balancers)
    vpc.allow(vpc.tasks, 9090, group=vpc.balancers)


def delete_nat(vpc: Vpc) -> None:
    vpc.ec2.delete_nat_gateway(NatGatewayId=vpc.nat)


def move_nat(vpc: Vpc) -> None:
    vpc.nat = vpc.nat_gateway(vpc.private[0])
    target = {"DestinationCidrBlock": ANYWHERE, "NatGatewayId": vpc.nat}
    vpc.ec2.replace_route(RouteTableId=vpc.private_table, **target)


def close_endpoints(vpc: Vpc) -> None:
    vpc.use_endpoints()
    vpc.revoke(vpc.endpoints, 443, group=vpc.tasks)


AUTH = "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth"
TIMED_OUT = "Request timed out"
CASES = [
    Case(
        "no way out of a private subnet",
        Vpc.isolate,
        "tasks_failing",
        "no_route",
        (AUTH, "route table {private_table} has no default route, and the VPC has no endpoint for ecr.api."),
    ),
    Case(
        "public subnet without a public address",
        right,
        "tasks_failing",
        "no_public_address",
        (AUTH, "leads to internet gateway {gateway}, but the tasks have no public address"),
        subnets="public",
    ),
    Case(
        "group of tasks closed to the load balancer",
        lambda vpc: vpc.revoke(vpc.tasks, PORT, group=vpc.balancers),
        "health_check_failing",
        "ingress_closed",
        (
            TIMED_OUT,
            "The tasks' security groups {tasks} allow no inbound traffic on port 8080 from load balancer {name}",
        ),
    ),
    Case(
        "group of tasks open on another port",
        open_another_port,
        "health_check_failing",
        "ingress_closed",
        (TIMED_OUT, "allow no inbound traffic on port 8080 from load balancer {name} ({balancers}), only on 9090."),
    ),
    Case(
        "closed egress of tasks",
        lambda vpc: vpc.close_egress(vpc.tasks),
        "tasks_failing",
        "egress_closed",
        (AUTH, "The tasks' security groups {tasks} allow no outbound traffic on port 443."),
    ),
    Case(
        "closed egress of the load balancer",
        lambda vpc: vpc.close_egress(vpc.balancers),
        "health_check_failing",
        "balancer_egress_closed",
        (TIMED_OUT, "The security groups of load balancer {name}, {balancers}, allow no outbound traffic on port 8080"),
    ),
    Case(
        "endpoints whose group lets nothing in",
        close_endpoints,
        "tasks_failing",
        "endpoint_closed",
        (AUTH, "(ecr.api), {endpoints}, allow no inbound traffic on port 443 from the tasks' {tasks}."),
    ),
    Case(
        "missing endpoint of the registry",
        lambda vpc: vpc.use_endpoints(without="ecr.dkr"),
        "tasks_failing",
        "endpoint_missing",
        (
            "CannotPullContainerError: pull image manifest",
            "ecr.api, logs, s3, secretsmanager, ssm, but not for ecr.dkr.",
        ),
    ),
    Case(
        "missing endpoint of image layers",
        lambda vpc: vpc.use_endpoints(without="s3"),
        "tasks_failing",
        "endpoint_missing",
        ("CannotPullContainerError: ref pull", "ecr.api, ecr.dkr, logs, secretsmanager, ssm, but not for s3."),
    ),
    Case(
        "missing endpoint of logs",
        lambda vpc: vpc.use_endpoints(without="logs"),
        "tasks_failing",
        "endpoint_missing",
        ("ResourceInitializationError: failed to validate logger args", "but not for logs."),
    ),
    Case(
        "deleted NAT gateway",
        delete_nat,
        "tasks_failing",
        "route_broken",
        (AUTH, "route table {private_table} sends 0.0.0.0/0 to {nat}, which no longer exists."),
    ),
    Case(
        "NAT gateway in a private subnet",
        move_nat,
        "tasks_failing",
        "route_broken",
        (AUTH, "sends 0.0.0.0/0 to NAT gateway {nat} in subnet {private[0]}, which itself routes to a NAT gateway."),
    ),
    Case(
        "port of the health check closed",
        right,
        "health_check_failing",
        "ingress_closed",
        (
            TIMED_OUT,
            "allow no inbound traffic on health check port 8081 from load balancer {name} ({balancers}), only on 8080.",
        ),
        check={"HealthCheckPort": "8081"},
    ),
    Case(
        "program on loopback",
        right,
        "health_check_failing",
        "health_check_refused",
        ("Health checks failed", "Make the program listen on 0.0.0.0"),
        program=LOOPBACK,
    ),
]
DAILY = {
    "no way out of a private subnet",
    "public subnet without a public address",
    "missing endpoint of the registry",
}


def marked(case: Case) -> t.Any:
    return pytest.param(case, id=case.name, marks=[] if case.name in DAILY else pytest.mark.slow)


@pytest.fixture(scope="module")
def endpoint(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[str]:
    """A local cloud of its own, whose network is enforced, with the base image of the one that runs already."""
    folder = tmp_path_factory.mktemp("cloud")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "directory": str(folder),
        "port": port,
        "region": REGION,
        "instance_image": "none",
        "base_image": f"local-cloud-{urllib.parse.urlsplit(endpoint).port}/debian:trixie",
        "network": True,
    }
    file = folder / "settings.json"
    file.write_text(json.dumps(settings))

    def launch(verb: str) -> Json:
        command = [sys.executable, "-B", str(LAUNCHER), verb, str(file)]
        return dict(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))

    try:
        assert launch("start")["network"] == "", "the network cannot be enforced on this machine"
        yield f"http://127.0.0.1:{port}"
    finally:
        launch("stop")


@pytest.fixture(scope="module")
def image(endpoint: str) -> str:
    return f"localhost:{urllib.parse.urlsplit(endpoint).port}/base/debian:trixie"


@pytest.fixture
def vpc(aws: None, name: str, endpoint: str) -> t.Iterator[Vpc]:
    vpc = Vpc(name)
    yield vpc
    vpc.delete()


def release(shop: Shop, vpc: Vpc, case: Case) -> Json:
    """The shop's service behind the load balancer, on Fargate."""
    subnets = getattr(vpc, case.subnets)
    vpc.balance(vpc.public, **case.check)
    case.fault(vpc)
    revision = shop.register(
        "perl", "-e", case.program, fargate=True, portMappings=[{"containerPort": PORT}], memory=512
    )
    balancer = {"targetGroupArn": vpc.target_group, "containerName": "web", "containerPort": PORT}
    return shop.service(
        task_definition=revision,
        network_configuration=vpc.tasks_in(subnets),
        load_balancers=[balancer],
        launch_type="FARGATE",
        wait_timeout=600,
    )


@pytest.mark.parametrize("case", [marked(case) for case in CASES])
def test_misconfigured_network_fails_and_is_named(shop: Shop, vpc: Vpc, case: Case) -> None:
    result = release(shop, vpc, case)
    fails(result, case.code, *(text.format_map(vars(vpc)) for text in case.said))
    assert case.cause in result["failure"]["causes"]
    assert result["failure"]["unread"] == []


def page(endpoint: str, vpc: Vpc) -> int | str:
    """What the load balancer answers to a client outside."""
    request = urllib.request.Request(f"{endpoint}/ready", headers={"Host": f"{vpc.name}.alb.localhost"})
    try:
        with urllib.request.urlopen(request, timeout=2) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError as error:
        return type(error).__name__


@pytest.mark.slow
def test_load_balancer_answers_while_its_network_lets_clients_in(shop: Shop, vpc: Vpc, endpoint: str) -> None:
    """The right network works, and two faults of its load balancer are named that no rollout notices."""
    result = release(shop, vpc, Case("right", right, "", "", ()))
    assert (result.get("changed"), result.get("failed", False)) == (True, False), result
    assert (page(endpoint, vpc), found(shop)) == (200, {})
    vpc.revoke(vpc.balancers, 80, cidr=ANYWHERE)
    assert page(endpoint, vpc) == "TimeoutError"
    closed = f"The security groups of load balancer {vpc.name}, {vpc.balancers}, allow no inbound traffic on port 80"
    assert found(shop)["listener_closed"].startswith(closed)
    vpc.allow(vpc.balancers, 80, cidr=ANYWHERE)
    await_that(lambda: page(endpoint, vpc) == 200, lambda: "the new rule does not apply")
    vpc.ec2.delete_route(RouteTableId=vpc.public_table, DestinationCidrBlock=ANYWHERE)
    assert page(endpoint, vpc) == "TimeoutError"
    assert ", ".join(vpc.public) in found(shop)["balancer_not_public"]


def found(shop: Shop) -> dict[str, str]:
    """What ecs_service_info finds in the network of the service, by its code."""
    (service,) = shop.run("ecs_service_info", cluster=shop.name, network=True)["services"]
    assert service["network"]["unread"] == []
    return dict(zip(service["network"]["causes"], service["network"]["advice"], strict=True))


# Requests the registry as Docker does, and prints the first line of its answer, if there is one in time.
REQUEST = """
use IO::Socket::INET;
$SIG{ALRM} = sub { print "no answer\\n"; exit };
alarm 2;
my $client = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1]) or die "no connection";
print $client "GET /v2/ HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n";
print scalar <$client>;
"""


class Instance:
    """A container that EC2 has launched, with a server on the port of tasks."""

    def __init__(self, vpc: Vpc, image: str, subnet: str) -> None:
        # The emulator's way to name the image of its containers.
        found = vpc.ec2.register_image(Name=f"{vpc.name}-{subnet}", ImageLocation=image, VirtualizationType="hvm")
        interface = {"DeviceIndex": 0, "SubnetId": subnet, "Groups": [vpc.tasks], "AssociatePublicIpAddress": True}
        made = vpc.ec2.run_instances(ImageId=found["ImageId"], MinCount=1, MaxCount=1, NetworkInterfaces=[interface])[
            "Instances"
        ][0]
        self.id, self.address = made["InstanceId"], made["PrivateIpAddress"]
        engine = docker.from_env()
        (self.container,) = engine.containers.list(filters={"label": f"instance_id={self.id}"})
        self.host = engine.networks.get("bridge").attrs["IPAM"]["Config"][0].get("Gateway", "172.17.0.1")
        self.serve()

    def serve(self) -> None:
        self.container.exec_run(["perl", "-e", SERVE], detach=True)

    def answers(self) -> bool:
        """Whether this machine can connect to it."""
        try:
            socket.create_connection((self.address, PORT), timeout=0.5).close()
        except TimeoutError:
            return False
        return True

    def registry(self, endpoint: str) -> str:
        """What the registry answers to it."""
        port = str(urllib.parse.urlsplit(endpoint).port)
        return str(self.container.exec_run(["perl", "-e", REQUEST, self.host, port]).output.decode()).strip()


@pytest.mark.slow
def test_instance_follows_its_security_group_and_routes(vpc: Vpc, endpoint: str, image: str) -> None:
    instance = Instance(vpc, image, vpc.public[0])
    assert not instance.answers()
    vpc.allow(vpc.tasks, PORT, cidr=f"{instance.host}/32")
    await_that(instance.answers, lambda: "the new rule does not apply")
    assert instance.registry(endpoint).startswith("HTTP/1.1 ")
    vpc.ec2.delete_route(RouteTableId=vpc.public_table, DestinationCidrBlock=ANYWHERE)
    await_that(lambda: not instance.answers(), lambda: "a deleted route still leads to the instance")
    vpc.ec2.reboot_instances(InstanceIds=[instance.id])
    instance.serve()
    assert not instance.answers(), "a reboot opens the instance"
    assert instance.registry(endpoint) == "no answer"
    vpc.ec2.terminate_instances(InstanceIds=[instance.id])


@pytest.fixture
def registry(vpc: Vpc, name: str) -> t.Iterator[str]:
    """The ARN of the name `web` in a private DNS namespace of the VPC, which is the test's own name."""
    discovery = boto3.client("servicediscovery")
    discovery.create_private_dns_namespace(Name=name, Vpc=vpc.id)
    (namespace,) = [one["Id"] for one in discovery.list_namespaces()["Namespaces"] if one["Name"] == name]
    records = {"DnsRecords": [{"Type": "A", "TTL": 10}]}
    made = discovery.create_service(Name="web", NamespaceId=namespace, DnsConfig=records)["Service"]
    yield str(made["Arn"])
    discovery.delete_service(Id=made["Id"])
    discovery.delete_namespace(Id=namespace)


@pytest.mark.slow
def test_tasks_find_a_service_by_name_and_reach_it_if_its_group_lets_them(shop: Shop, vpc: Vpc, registry: str) -> None:
    web = shop.service(
        task_definition=shop.register("perl", "-e", SERVE),
        network_configuration=vpc.tasks_in(vpc.private),
        service_registries=[{"registryArn": registry}],
    )
    assert web.get("changed"), web

    client = shop.register("perl", "-e", REQUEST, f"web.{shop.name}", str(PORT))

    def requested(group: str) -> str:
        network = {"awsvpcConfiguration": {"subnets": vpc.private, "securityGroups": [group]}}
        result = shop.run("ecs_task_run", cluster=shop.name, task_definition=client, network_configuration=network)
        assert result.get("exit_code") == 0, result
        return " ".join(result["output"])

    assert requested(vpc.balancers).startswith("HTTP/1.1 ")
    assert requested(vpc.tasks) == "no answer"
