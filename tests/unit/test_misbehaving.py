# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every module behind an AWS that misbehaves: it ends with what was requested, or with a stable code; a rerun without
faults completes it, a further one changes nothing, and nothing of others is touched.

SLIPWAY_SEEDS is the number of seeds for each module and kind of fault, 1 by default.
"""

from __future__ import annotations

import hashlib
import json
import os
import typing as t
import urllib.request

import boto3
import pytest
from botocore.retries.standard import ExponentialBackoff

from ansible_collections.slipway.aws.plugins.module_utils._core import creating
from ansible_collections.slipway.aws.tests.emulators import MOTO
from ansible_collections.slipway.aws.tests.proxies.base import Answer, Proxy, Request, refusal
from ansible_collections.slipway.aws.tests.proxies.misbehaving import KINDS, Misbehaving

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

pytestmark = pytest.mark.own_cloud("misbehaves itself")
Json = dict[str, t.Any]

SEEDS = range(int(os.environ.get("SLIPWAY_SEEDS", "1")))
OWN = {"slipway:project": "shop"}
ABSENT: Json = {"state": "absent"}
GROUP = (
    "arn:aws:autoscaling:eu-central-1:000000000000:autoScalingGroup:0b7b9cf2-6d1f-4c5b-9b1e-2f1c6a7d8e90:"
    "autoScalingGroupName/hosts"
)


class Case(t.NamedTuple):
    """A module's options for a resource of a name, and those for its end, which may be another module's."""

    module: str
    create: Json
    delete: Json
    deletes: str = ""
    # What it may fail with, too, in an account in which the calls are not possible.
    codes: tuple[str, ...] = ()

    @property
    def steps(self) -> tuple[tuple[str, Json], tuple[str, Json]]:
        return (self.module, self.create), (self.deletes or self.module, self.delete)


def container(image: str) -> Json:
    return {"container_definitions": [{"name": "web", "image": image, "memory": 64}]}


def vpc() -> str:
    return str(boto3.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


def cluster(name: str) -> Case:
    options: Json = {
        "name": name,
        "capacity_providers": ["FARGATE"],
        "default_capacity_provider_strategy": [{"capacityProvider": "FARGATE", "weight": 1}],
        "tags": OWN,
    }
    return Case("ecs_cluster", options, {"name": name, **ABSENT})


def capacity_provider(name: str) -> Case:
    group = {"autoScalingGroupArn": GROUP, "managedTerminationProtection": "DISABLED"}
    options = {"name": name, "auto_scaling_group_provider": group, "tags": OWN}
    return Case("ecs_capacity_provider", options, {"name": name, **ABSENT})


def task_definition(name: str) -> Case:
    return Case("ecs_task_definition", {"family": name, **container("app:1"), "tags": OWN}, {"family": name, **ABSENT})


def service(name: str) -> Case:
    ecs = boto3.client("ecs")
    ecs.create_cluster(clusterName="shared")
    definition = {"name": "web", "image": "app:1", "memory": 64}
    ecs.register_task_definition(family="shared", containerDefinitions=[definition])
    place = {"cluster": "shared", "name": name, "wait_timeout": 10}
    return Case(
        "ecs_service", {**place, "task_definition": "shared:1", "desired_count": 0, "tags": OWN}, {**place, **ABSENT}
    )


def repository(name: str) -> Case:
    policy = {"rules": [{"rulePriority": 1, "selection": LIFECYCLE, "action": {"type": "expire"}}]}
    options = {"name": name, "image_tag_mutability": "IMMUTABLE", "lifecycle_policy": policy, "tags": OWN}
    return Case("ecr_repository", options, {"name": name, **ABSENT})


LIFECYCLE = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 3}


def target_group(name: str) -> Case:
    options = {"name": name, "vpc_id": vpc(), "protocol": "HTTP", "port": 80, "target_type": "ip", "tags": OWN}
    return Case("elb_target_group", {**options, "deregistration_delay": 30}, {"name": name, **ABSENT})


def listener_rules(name: str) -> Case:
    """The listener and the target group are of the name; its rules come and go."""
    ec2, elb, network = boto3.client("ec2"), boto3.client("elbv2"), vpc()
    subnets = [
        ec2.create_subnet(VpcId=network, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"eu-central-1{zone}")["Subnet"]
        for n, zone in enumerate("ab")
    ]
    balancer = elb.create_load_balancer(
        Name=name, Subnets=[subnet["SubnetId"] for subnet in subnets], Scheme="internal"
    )["LoadBalancers"]
    group = elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=network, TargetType="ip")
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    listener = elb.create_listener(
        LoadBalancerArn=balancer[0]["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
    )["Listeners"][0]["ListenerArn"]
    rules = [{"priority": n, "target_group_arn": arn, "paths": [f"/{n}"]} for n in (1, 2)]
    return Case(
        "elb_listener_rules", {"listener_arn": listener, "rules": rules}, {"listener_arn": listener, "rules": []}
    )


def scaling_group(name: str) -> Case:
    ec2 = boto3.client("ec2")
    subnets = sorted(subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"])[:2]
    data = {"ImageId": "ami-12c6146b", "InstanceType": "t3.micro"}
    template = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)["LaunchTemplate"]
    settings = {
        "MinSize": 0,
        "MaxSize": 1,
        "LaunchTemplate": {"LaunchTemplateId": template["LaunchTemplateId"], "Version": "1"},
        "VPCZoneIdentifier": ",".join(subnets),
    }
    return Case("auto_scaling_group", {"name": name, "settings": settings, "tags": OWN}, {"name": name, **ABSENT})


def namespace(name: str) -> Case:
    name = f"{name}.internal"
    options = {"name": name, "vpc_id": vpc(), "services": ["cache", "database"], "tags": OWN}
    return Case("service_discovery_namespace", options, {"name": name, **ABSENT})


def secrets(name: str) -> Case:
    place = {"path": f"/{name}/", "match_tags": {"slipway:project": name}}
    some = [{"name": "key"}, {"name": "database", "type": "SecretsManager"}]
    return Case("ecs_secrets", {**place, "secrets": some}, {**place, **ABSENT, "recovery_window": 0})


def image_tag(name: str) -> Case:
    """Two images exist; a tag goes from the one to the other and back."""
    ecr = boto3.client("ecr")
    ecr.create_repository(repositoryName=name)
    media = "application/vnd.docker.distribution.manifest.v2+json"
    for tag in ("v1", "v2"):
        config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 2, "digest": name + tag}
        text = json.dumps({"schemaVersion": 2, "mediaType": media, "config": config, "layers": []})
        digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
        members = {"imageManifest": text, "imageManifestMediaType": media, "imageDigest": digest}
        ecr.put_image(repositoryName=name, imageTag=tag, **members)
    options = {"repository": name, "tags": ["live"]}
    return Case("ecr_image_tag", {**options, "source": "v1"}, {**options, "source": "v2"})


def release(name: str) -> Case:
    """A release of one service without tasks: no container runs here."""
    boto3.client("ecs").create_cluster(clusterName="shared")
    definition = {"family": name, **container("app:1")}
    item = {"name": name, "task_definition": definition, "desired_count": 0, "tags": OWN}
    options = {"cluster": "shared", "services": [item], "wait_timeout": 10}
    gone = {"cluster": "shared", "name": name, "wait_timeout": 10, **ABSENT}
    return Case("ecs_release", options, gone, "ecs_service", ("rollback_failed",))


CASES = (
    *(cluster, capacity_provider, task_definition, service, repository, target_group, listener_rules, scaling_group),
    *(namespace, secrets, image_tag, release),
)


def fargate_service(name: str) -> None:
    service(name)
    ec2 = boto3.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
    members = {"taskDefinition": "shared", "desiredCount": 0, "launchType": "FARGATE"}
    network = {"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [group]}}
    boto3.client("ecs").create_service(cluster="shared", serviceName=name, networkConfiguration=network, **members)


def scaling(name: str) -> Case:
    """For moto: the other emulator has no Application Auto Scaling."""
    fargate_service(name)
    wish = {"name": name, "min_capacity": 1, "max_capacity": 3, "cpu_utilization": 60}
    options: Json = {"cluster": "shared", "services": [wish]}
    return Case("ecs_service_scaling", options, {"cluster": "shared", "services": [{"name": name, **ABSENT}]})


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the pauses between attempts, and with their number as documented."""
    monkeypatch.setenv("AWS_RETRY_MODE", "standard")
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda _self, _context: 0)
    monkeypatch.setattr(creating, "PAUSE", 0.1)
    monkeypatch.setattr(creating, "VISIBLE_SECONDS", 3.0)


class AsAws(Misbehaving):
    """Says as AWS, not as moto, that scaling to be taken away does not exist."""

    def forward(self, request: Request) -> Answer:
        answer = super().forward(request)
        takes_away = request.operation.startswith(("Delete", "Deregister"))
        if takes_away and request.service == "application-autoscaling" and not answer.good:
            return refusal(request, "ObjectNotFoundException", "No scalable target registered")
        return answer


class Tokens(Misbehaving):
    """Keeps the tokens by which AWS knows that requests are one."""

    def __init__(self, *arguments: t.Any) -> None:
        super().__init__(*arguments)
        self.tokens: set[str] = set()

    def forward(self, request: Request) -> Answer:
        named = {"RunTask": "clientToken", "RequestCertificate": "IdempotencyToken"}
        if request.operation in named:
            self.tokens.add(request.members[named[request.operation]])
        return super().forward(request)


class Cloud(t.NamedTuple):
    """The account, and who keeps the figures."""

    address: str
    run: RunModule
    patch: pytest.MonkeyPatch
    record: t.Callable[[str, t.Any], None]

    def behind(self, proxy: Proxy, module: str, options: Json, times: int = 1) -> list[Json]:
        with proxy, self.patch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", proxy.address)
            return [self.run(module, **options) for _time in range(times)]


@pytest.fixture
def cloud(
    ministack: str, run: RunModule, monkeypatch: pytest.MonkeyPatch, record_property: t.Callable[[str, t.Any], None]
) -> Cloud:
    return Cloud(ministack, run, monkeypatch, record_property)


@pytest.fixture
def moto(cloud: Cloud, start: t.Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """An emulator of our own that has what the other has not."""
    address = start(*MOTO)
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    return cloud._replace(address=address)


BEHIND = pytest.mark.parametrize("emulator", ["ministack"], indirect=True)
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)
# Each module meets half of the kinds every day, each kind half of the modules; `make test-variants` has the others.
EVERY_CASE = pytest.mark.parametrize(
    ("make", "kind"),
    [
        pytest.param(
            make,
            kind,
            id=f"{make.__name__}-{kind}",
            marks=[pytest.mark.variants] if (number + which) % 2 else [],
        )
        for number, make in enumerate(CASES)
        for which, kind in enumerate(KINDS)
    ],
)
EVERY_SEED = pytest.mark.parametrize("seed", SEEDS)


@BEHIND
@EVERY_SEED
@EVERY_CASE
def test_a_module_behind_an_aws_that_misbehaves(
    cloud: Cloud, make: t.Callable[[str], Case], kind: str, seed: int
) -> None:
    comes_and_goes(cloud, make, kind, seed)


@BEHIND
@EVERY_SEED
def test_scaling_behind_an_aws_that_misbehaves(moto: Cloud, seed: int) -> None:
    for kind in KINDS:
        comes_and_goes(moto, lambda name, kind=kind: scaling(f"{name}-{kind}"), kind, seed)  # type: ignore[misc]


def comes_and_goes(cloud: Cloud, make: t.Callable[[str], Case], kind: str, seed: int) -> None:
    case, foreign, run = make("mine"), make("theirs"), cloud.run
    made = run(foreign.module, **foreign.create)
    assert made.get("changed"), made
    for (module, wanted), (opposite, other) in (case.steps, case.steps[::-1]):
        watched = Proxy(cloud.address)
        made = cloud.behind(watched, module, wanted)[0]
        assert made.get("changed"), made
        run(opposite, **other)
        faulty = AsAws(cloud.address, kind, seed, list(watched.calls.elements()))
        # Twice, as someone would who sees it fail; the second time, what the first has done may not be visible.
        for result in cloud.behind(faulty, module, wanted, times=2):
            check(result, kind, *(case.codes if kind in ALLOWED else ()))
        cloud.record("proxy", {"calls": sum(faulty.calls.values()), **faulty.faults})
        completed = run(module, **wanted)
        assert "failed" not in completed, completed
        again = run(module, **wanted)
        assert again.get("changed") is False, again
    theirs = run(foreign.module, check=True, **foreign.create)
    assert theirs.get("changed") is False, theirs


@BEHIND
@EVERY_SEED
@EVERY_KIND
def test_a_certificate_behind_an_aws_that_misbehaves(cloud: Cloud, kind: str, seed: int) -> None:
    """The emulator makes one of each request; AWS makes one of each token, within an hour."""
    options: Json = {"domains": ["www.example.com"], "match_tags": OWN}
    operations = ("ListCertificates", "DescribeCertificate", "RequestCertificate", "ListTagsForCertificate")
    faulty = Tokens(cloud.address, kind, seed, operations)
    for result in cloud.behind(faulty, "acm_certificate_request", options, times=2):
        check(result, kind)
    cloud.record("proxy", {"calls": sum(faulty.calls.values()), **faulty.faults})
    assert "failed" not in cloud.run("acm_certificate_request", **options)
    assert cloud.run("acm_certificate_request", **options)["changed"] is False
    assert len(faulty.tokens) <= 1


@BEHIND
@EVERY_SEED
@EVERY_KIND
def test_an_info_module_behind_an_aws_that_misbehaves(cloud: Cloud, kind: str, seed: int) -> None:
    """It says what there is, or why it cannot; never that there is nothing."""
    case = cluster("mine")
    cloud.run(case.module, **case.create)
    real = cloud.run("ecs_cluster_info", names=["mine"])["clusters"]
    assert [one["name"] for one in real] == ["mine"]
    faulty = Misbehaving(cloud.address, kind, seed, ["DescribeClusters"])
    for result in cloud.behind(faulty, "ecs_cluster_info", {"names": ["mine"]}, times=2):
        check(result, kind)
        assert result.get("failed") or result["clusters"] == real, result
    cloud.record("proxy", {"calls": sum(faulty.calls.values()), **faulty.faults})


@BEHIND
@EVERY_SEED
def test_a_task_behind_an_aws_that_misbehaves(moto: Cloud, seed: int) -> None:
    """Each run starts one task: a second attempt is the same request, by its token."""
    transition = {"model_name": "ecs::task", "transition": {"progression": "immediate"}}
    address = f"{moto.address}/moto-api/state-manager/set-transition"
    urllib.request.urlopen(address, json.dumps(transition).encode()).close()
    fargate_service("task")
    options: Json = {"cluster": "shared", "service": "task", "command": ["true"], "wait_timeout": 20}
    for kind in KINDS:
        faulty = Tokens(moto.address, kind, seed, ["DescribeServices", "RunTask", "DescribeTasks"])
        for result in moto.behind(faulty, "ecs_task_run", options, times=2):
            # moto's containers have no exit code.
            check(result, kind, "task_failed")
        assert len(faulty.tokens) <= 2
        moto.record("proxy", {"calls": sum(faulty.calls.values()), **faulty.faults})


# What a module may fail with, beside an account in which the calls are not possible.
ALLOWED = {"unreadable": {"bad_answer"}, "denied": {"access_denied"}, "expired": {"no_credentials"}}


def check(result: Json, kind: str, *more: str) -> None:
    """A result as documented, also where it is a failure."""
    assert "Traceback" not in str(result), result
    assert "exception" not in result, result
    if result.get("failed"):
        assert result["code"] in {*ALLOWED.get(kind, ()), *more}, result
