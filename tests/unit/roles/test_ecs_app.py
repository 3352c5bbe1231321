# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Services with scaling, secrets and settings, from nothing through changes to nothing. On moto, as MiniStack has no
Application Auto Scaling; without Docker no task runs there, but secrets are kept."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest

Json = dict[str, t.Any]

REGION = "eu-central-1"
ROLE = "slipway.aws.ecs_app"
PASSWORD = "seldom-seen-0123"
# moto, whose services run at once, and which lists a deployment for each change, as AWS does.
SERVER = """
import collections, os
os.environ["MOTO_ECS_SERVICE_RUNNING"] = "2"
from moto.core.responses import ActionResult
from moto.ecs.models import EC2ContainerServiceBackend as Backend
from moto.ecs.responses import EC2ContainerServiceResponse as Ecs
from moto.server import main

changes = collections.Counter()
create, update = Ecs.create_service, Backend.update_service

def created(self):
    changes[self._get_param("serviceName")] += 1
    return create(self)

def updated(self, properties):
    changes[properties["service"]] += 1
    return update(self, {**properties, "force_new_deployment": True})

def listed(self):
    name = self._get_param("service")
    found = [{"serviceDeploymentArn": f"{name}/{one}", "createdAt": one} for one in range(1, changes[name] + 1)]
    return ActionResult({"serviceDeployments": found})

def described(self):
    arns = self._get_param("serviceDeploymentArns")
    return ActionResult({"serviceDeployments": [{"serviceDeploymentArn": arn, "status": "SUCCESSFUL"} for arn in arns]})

Ecs.create_service, Backend.update_service = created, updated
Ecs.list_service_deployments, Ecs.describe_service_deployments = listed, described
main(["-H", "127.0.0.1", "-p", os.environ["GATEWAY_PORT"]])
"""

SCALING: Json = {
    "min_capacity": 1,
    "max_capacity": 6,
    "cpu_utilization": 60,
    "schedules": [{"name": "night", "schedule": "cron(0 22 * * ? *)", "timezone": "Asia/Seoul", "max_capacity": 3}],
}
SECRETS: Json = {
    "ecs_app_secrets": {"session-key": {"length": 32}, "database": {"type": "SecretsManager"}},
    "ecs_app_secret_values": {"database": {"username": "app", "password": PASSWORD}},
    "ecs_app_settings": {"log-level": "info"},
}


def service(count: int = 2, name: str = "web", **members: t.Any) -> Json:
    secrets = {"KEY": "session-key", "DB_PASSWORD": "database:password::", "LEVEL": "log-level"}
    container = {
        "name": "web",
        "image": "nginx:1",
        "portMappings": [{"containerPort": 8080}],
        "secrets": [{"name": name, "valueFrom": source} for name, source in secrets.items()],
    }
    definition = {"family": name, "cpu": 256, "memory": 512, "containerDefinitions": [container]}
    # moto does not keep the circuit breaker.
    options = {"deployment_configuration": {}}
    return {"name": name, "desired_count": count, "task_definition": definition, "options": options, **members}


def role(entry: str = "main") -> list[Json]:
    return [{"name": entry, "ansible.builtin.import_role": {"name": ROLE, "tasks_from": entry}}]


def dependencies(cloud: t.Any) -> Json:
    """The results of earlier roles."""
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="ecs-tasks", Description="x", VpcId=vpc)["GroupId"]
    cluster = cloud.client("ecs").create_cluster(clusterName="ecs")["cluster"]
    arn = "arn:aws:iam::123456789012:role/{}".format
    return {
        "ecs_network_result": {"private_subnet_ids": [subnet], "security_group_ids": {"tasks": group}},
        "ecr_registry_result": {"repositories": {}},
        "ecs_load_balancer_result": {"target_groups": {}},
        "ecs_cluster_result": {
            "name": "ecs",
            "arn": cluster["clusterArn"],
            "execution_role_arn": arn("execution"),
            "task_role_arn": arn("task"),
            "schedule_role_arn": arn("schedules"),
            "log_groups": ["/ecs/ecs"],
        },
    }


class Site(t.NamedTuple):
    """One account, and the services in it."""

    cloud: t.Any
    variables: Json

    def play(self, *options: str, entry: str = "main", **variables: t.Any) -> t.Any:
        return self.cloud.play(role(entry), *options, **{**self.variables, **SECRETS, **variables})

    def web(self) -> Json:
        found = self.cloud.client("ecs").describe_services(cluster="ecs", services=["web"], include=["TAGS"])
        return next((one for one in found["services"] if one["status"] == "ACTIVE"), {})

    def container(self) -> Json:
        definition = self.cloud.client("ecs").describe_task_definition(taskDefinition=self.web()["taskDefinition"])
        return t.cast("Json", definition["taskDefinition"]["containerDefinitions"][0])

    def bounds(self) -> dict[str, tuple[int, int]]:
        scaling = self.cloud.client("application-autoscaling")
        targets = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
        return {target["ResourceId"]: (target["MinCapacity"], target["MaxCapacity"]) for target in targets}

    def kept(self) -> tuple[list[str], list[str]]:
        """Settings and secrets, without the history of releases."""
        parameters = self.cloud.client("ssm").describe_parameters()["Parameters"]
        secrets = self.cloud.client("secretsmanager").list_secrets()["SecretList"]
        names = sorted(one["Name"] for one in parameters if not one["Name"].startswith("/slipway/"))
        return names, [one["Name"] for one in secrets]


@pytest.fixture(scope="module")
def moto(cloud: t.Any, start: t.Callable[..., str]) -> Site:
    account = cloud._replace(address=start("-c", SERVER))
    return Site(account, dependencies(account))


@pytest.fixture(scope="module")
def ministack(cloud: t.Any) -> Site:
    return Site(cloud, dependencies(cloud))


@pytest.mark.own_cloud("runs on moto")
@pytest.mark.variants
def test_a_service_scales_from_creation_to_deletion(moto: Site) -> None:
    stock = service(name="stock", scaling={"min_capacity": 2, "max_capacity": 4})
    scaled = {"ecs_app_services": [service(scaling=SCALING), stock]}
    predicted = moto.play("--check", "--diff", **scaled)
    assert (predicted.code, moto.web(), moto.kept()) == (0, {}, ([], [])), predicted.output
    made = moto.play("--diff", "-vvv", **scaled)
    assert (made.code, made.changed) == (0, predicted.changed), made.output
    assert PASSWORD not in predicted.output + made.output
    assert (moto.web()["desiredCount"], moto.bounds()) == (2, {"service/ecs/web": (1, 6), "service/ecs/stock": (2, 4)})
    arn = moto.cloud.client("secretsmanager").describe_secret(SecretId="ecs/database")["ARN"]
    assert {one["name"]: one["valueFrom"] for one in moto.container()["secrets"]} == {
        "KEY": "/ecs/session-key",
        "DB_PASSWORD": f"{arn}:password::",
        "LEVEL": "/ecs/log-level",
    }

    # AWS has scaled out: a run keeps that.
    moto.cloud.client("ecs").update_service(cluster="ecs", service="web", desiredCount=5)
    again = moto.play(**scaled)
    assert (again.code, again.changed, moto.web()["desiredCount"]) == (0, 0, 5), again.output

    # A new value of a setting reaches the tasks. Scaling is deleted where it is no longer declared.
    label, definition = moto.container()["dockerLabels"], moto.web()["taskDefinition"]
    lost = moto.play(ecs_app_services=[service(count=5), stock], ecs_app_settings={"log-level": "debug"})
    assert (lost.code, lost.changed, moto.bounds()) == (0, 3, {"service/ecs/stock": (2, 4)}), lost.output
    assert moto.web()["taskDefinition"] != definition
    assert moto.container()["dockerLabels"] != label

    gone = moto.play(entry="absent", **scaled)
    assert (gone.code, moto.web(), moto.bounds(), moto.kept()) == (0, {}, {}, ([], [])), gone.output


@pytest.mark.own_cloud("runs on moto")
@pytest.mark.variants
def test_a_worker_follows_its_queue(moto: Site) -> None:
    """A queue that is missing is refused before anything is created; the alarm is deleted with the service."""
    cloudwatch, queue = moto.cloud.client("cloudwatch"), {"name": "orders", "messages_per_task": 10}
    moto.cloud.client("ecs").update_cluster(cluster="ecs", settings=[{"name": "containerInsights", "value": "enabled"}])
    worker = service(name="worker", scaling={"min_capacity": 0, "max_capacity": 4, "queue": queue})
    worker.pop("desired_count")
    refused = moto.play(ecs_app_services=[worker])
    assert (refused.code != 0, moto.kept()) == (True, ([], [])), refused.output
    assert "queue.name: expected an existing queue, got 'orders'" in refused.output

    moto.cloud.client("sqs").create_queue(QueueName="orders")
    made = moto.play(ecs_app_services=[worker])
    assert (made.code, moto.bounds()) == (0, {"service/ecs/worker": (0, 4)}), made.output
    (found,) = moto.cloud.client("ecs").describe_services(cluster="ecs", services=["worker"])["services"]
    assert found["desiredCount"] == 0
    (alarm,) = cloudwatch.describe_alarms(AlarmNamePrefix="StepScaling-")["MetricAlarms"]
    assert alarm["AlarmName"] == "StepScaling-service/ecs/worker-QueueStartFromZero"
    assert (alarm["ActionsEnabled"], [":scalingPolicy:" in one for one in alarm["AlarmActions"]]) == (True, [True])

    # A new version keeps the number of tasks.
    moto.cloud.client("ecs").update_service(cluster="ecs", service="worker", desiredCount=3)
    changed = moto.play(ecs_app_services=[worker], ecs_app_settings={"log-level": "debug"})
    (found,) = moto.cloud.client("ecs").describe_services(cluster="ecs", services=["worker"])["services"]
    assert (changed.code, found["desiredCount"]) == (0, 3), changed.output

    gone = moto.play(entry="absent", ecs_app_services=[worker])
    assert (gone.code, moto.bounds(), cloudwatch.describe_alarms()["MetricAlarms"]) == (0, {}, []), gone.output


NIGHT: Json = {"name": "night", "service": "web", "schedule": "cron(0 22 * * ? *)", "command": ["clean", "up"]}


@pytest.mark.own_cloud("runs on moto")
@pytest.mark.variants
def test_a_schedule_runs_what_its_service_runs_from_creation_to_deletion(moto: Site) -> None:
    scheduler = moto.cloud.client("scheduler")

    def names() -> list[str]:
        return sorted(one["Name"] for one in scheduler.list_schedules(GroupName="ecs")["Schedules"])

    def revision() -> str:
        target = scheduler.get_schedule(GroupName="ecs", Name="night")["Target"]
        return str(target["EcsParameters"]["TaskDefinitionArn"])

    hourly = {**NIGHT, "name": "hourly", "schedule": "rate(1 hour)"}
    scheduled: Json = {"ecs_app_services": [service()], "ecs_app_schedules": [NIGHT, hourly]}
    predicted = moto.play("--check", **scheduled)
    assert (predicted.code, names()) == (0, []), predicted.output
    made = moto.play(**scheduled)
    assert (made.code, made.changed, names()) == (0, predicted.changed, ["hourly", "night"]), made.output
    assert revision() == moto.web()["taskDefinition"]

    # A release moves it; one that was deleted by hand is created again.
    scheduler.delete_schedule(GroupName="ecs", Name="hourly")
    released = {**scheduled, "ecs_app_settings": {"log-level": "debug"}}
    before = revision()
    predicted = moto.play("--check", **released)
    assert "Create or update the schedules" in predicted.output
    done = moto.play(**released)
    assert (done.code, names()) == (0, ["hourly", "night"]), done.output
    assert before != revision() == moto.web()["taskDefinition"]
    again = moto.play(**released)
    assert (again.code, again.changed) == (0, 0), again.output

    # What is in no variable any more is listed, and deleted on request.
    fewer = {**released, "ecs_app_schedules": [NIGHT]}
    listed = moto.play(**fewer)
    assert (listed.changed, names()) == (0, ["hourly", "night"]), listed.output
    assert "No longer in ecs_app_schedules: schedule hourly (enabled)." in " ".join(listed.output.split())
    assert moto.play(**fewer, ecs_app_prune=True).changed == 1
    assert names() == ["night"]
    gone = moto.play(entry="absent", **fewer)
    groups = [one["Name"] for one in scheduler.list_schedule_groups()["ScheduleGroups"]]
    assert (gone.code, groups, moto.web()) == (0, ["default"], {}), gone.output


def strangers(cloud: t.Any) -> None:
    """In the same account and cluster: by hand, of another project, of another group of this project."""
    ecs = cloud.client("ecs")
    tags: dict[str, dict[str, str]] = {
        "hand": {},
        "theirs": {"slipway:project": "other"},
        "api": {"slipway:project": "ecs", "slipway:group": "api"},
    }
    for name, own in tags.items():
        listed = [{"key": key, "value": value} for key, value in own.items()]
        container = {"name": name, "image": name, "memory": 64}
        ecs.register_task_definition(family=name, containerDefinitions=[container], tags=listed)
        ecs.create_service(cluster="ecs", serviceName=name, taskDefinition=name, desiredCount=1, tags=listed)
    ecs.create_cluster(clusterName="stage")
    ours = [{"key": "slipway:project", "value": "ecs"}]
    ecs.create_service(cluster="stage", serviceName="worker", taskDefinition="hand", desiredCount=1, tags=ours)


def running(cloud: t.Any, cluster: str = "ecs") -> list[str]:
    arns = cloud.client("ecs").list_services(cluster=cluster)["serviceArns"]
    found = cloud.client("ecs").describe_services(cluster=cluster, services=arns)["services"]
    return sorted(one["serviceName"] for one in found if one["status"] == "ACTIVE")


@pytest.mark.own_cloud("runs on moto")
@pytest.mark.variants
def test_a_renamed_service_is_listed_and_deleted_only_if_pruned(cloud: t.Any, start: t.Callable[..., str]) -> None:
    account = cloud._replace(address=start("-c", SERVER))
    site = Site(account, dependencies(account))
    strangers(account)
    others = ["api", "hand", "theirs"]
    scaling = {"min_capacity": 1, "max_capacity": 4}
    before = [service(), service(name="worker", scaling=scaling)]
    after = [service(), service(name="jobs", scaling=scaling)]
    secrets = {"ecs_app_secrets": {**SECRETS["ecs_app_secrets"], "old-key": None}}
    made = site.play(ecs_app_services=before, **secrets)
    assert (made.code, running(account)) == (0, sorted([*others, "web", "worker"])), made.output
    assert "No longer in" not in made.output

    # It is listed in check mode and at every run, and nothing is deleted.
    for options in (["--check"], []):
        listed = site.play(*options, ecs_app_services=after)
        said = " ".join(listed.output.split())
        assert listed.code == 0, listed.output
        assert "No longer in ecs_app_services: service worker (2 running tasks), task definition worker." in said
        assert "No longer in ecs_app_secrets and ecs_app_settings: parameter /ecs/old-key." in said
        assert "Delete with -e slipway_prune=true." in said
    assert running(account) == sorted([*others, "jobs", "web", "worker"])
    assert site.play(ecs_app_services=after).changed == 0

    predicted = site.play("--check", ecs_app_services=after, slipway_prune=True)
    assert "worker" in running(account)
    pruned = site.play(ecs_app_services=after, slipway_prune=True)
    assert (pruned.code, pruned.changed) == (0, predicted.changed), predicted.output + pruned.output
    assert pruned.changed == 4
    assert running(account) == sorted([*others, "jobs", "web"])
    assert running(account, "stage") == ["worker"]
    assert set(site.bounds()) == {"service/ecs/jobs"}
    left = account.client("ecs").list_task_definitions(status="ACTIVE")["taskDefinitionArns"]
    assert {arn.split("/")[-1].split(":")[0] for arn in left} == {*others, "jobs", "web"}
    assert "/ecs/old-key" not in site.kept()[0]

    again = site.play(ecs_app_services=after, slipway_prune=True)
    assert (again.code, again.changed, "No longer in" in again.output) == (0, 0, False), again.output

    # An empty list deletes nothing.
    empty = site.play(ecs_app_services=[], slipway_prune=True)
    assert (empty.code, running(account)) == (0, sorted([*others, "jobs", "web"])), empty.output


@pytest.mark.variants
def test_the_local_cloud_keeps_secrets_but_does_not_scale(ministack: Site) -> None:
    far = ministack.cloud.client("secretsmanager").create_secret(Name="shared/far", SecretString="x")["ARN"]
    secrets = {
        **SECRETS["ecs_app_secrets"],
        "far": {"from": far},
        "near": {"type": "SecretsManager", "from": "shared/far"},
    }
    web = service(count=0)
    web["task_definition"]["containerDefinitions"][0]["secrets"].append({"name": "FAR", "valueFrom": "near"})
    site = {"ecs_app_services": [web], "ecs_app_secrets": secrets}
    refused = ministack.play(**{**site, "ecs_app_services": [{**web, "scaling": {**SCALING, "min_capacity": 0}}]})
    assert refused.code != 0
    assert "does not support Application Auto Scaling" in refused.output
    assert (ministack.web(), ministack.kept()) == ({}, ([], ["shared/far"]))

    made = ministack.play("-vvv", **site)
    assert made.code == 0, made.output
    assert PASSWORD not in made.output
    assert {one["name"]: one["valueFrom"] for one in ministack.container()["secrets"]}["FAR"] == far
    assert ministack.play(**site).changed == 0
    assert ministack.play(entry="absent", **site).code == 0
    assert ministack.kept() == ([], ["shared/far"])


@pytest.mark.variants
def test_the_execution_role_reads_exactly_the_secrets(cloud: t.Any) -> None:
    entry = [{"name": "cluster", "ansible.builtin.import_role": {"name": "slipway.aws.ecs_cluster"}}]
    made = cloud.play(entry, slipway_project="shop", **SECRETS)
    assert made.code == 0, made.output
    policy = cloud.client("iam").get_role_policy(RoleName="shop-execution", PolicyName="slipway")["PolicyDocument"]
    statements = (policy if isinstance(policy, dict) else json.loads(policy))["Statement"]
    account = "000000000000"
    assert {one["Sid"]: one["Resource"] for one in statements if one["Sid"] in ("Parameters", "Secrets", "Keys")} == {
        "Parameters": [f"arn:aws:ssm:*:{account}:parameter/shop/{name}" for name in ("log-level", "session-key")],
        "Secrets": [f"arn:aws:secretsmanager:*:{account}:secret:shop/database-??????"],
    }


def plain(output: str) -> str:
    """Without line breaks, and without YAML's second apostrophe."""
    return " ".join(output.split()).replace("''", "'")


def test_invalid_services_and_secrets_are_refused(cloud: t.Any) -> None:
    """The rules have tests of their own."""
    wrong = copy.deepcopy(service())
    wrong["task_definition"]["memory"] = 100
    refused = cloud.play(role(), ecs_app_services=[wrong], **SECRETS)
    assert refused.code != 0
    assert "ecs_app_services[0] (web).task_definition.memory: expected one of Fargate's sizes" in plain(refused.output)
    secrets = {**SECRETS, "ecs_app_secrets": {"database": {"type": "Vault"}}}
    refused = cloud.play(role(), ecs_app_services=[service()], **secrets)
    assert refused.code != 0
    assert "ecs_app_secrets.database.type: expected SecureString or SecretsManager" in " ".join(refused.output.split())


def test_a_missing_image_is_reported_in_one_plain_sentence_before_anything_is_created(ministack: Site) -> None:
    ministack.cloud.client("ecr").create_repository(repositoryName="shop")
    asked = service()
    asked["task_definition"]["containerDefinitions"][0]["image"] = "shop"
    before = ministack.kept()
    run = ministack.play(ecs_app_services=[asked], ecs_app_images={"shop": "shop:9.9"})
    assert run.code == 2
    assert (
        "ecs_app_images.shop: expected an image 'shop:9.9' in the registry, got none. Build and push it with"
        in plain(run.output)
    )
    assert "Finalization" not in run.output
    assert "plugin" not in run.output
    assert ministack.kept() == before


@pytest.mark.own_cloud("runs on moto")
@pytest.mark.variants
def test_a_run_that_pushed_the_image_releases_its_digest(moto: Site) -> None:
    """The registry is not asked: it has neither the repository nor the tag."""
    reference = f"registry.example/shop@sha256:{'a' * 64}"
    earlier = [
        {"ansible.builtin.add_host": {"name": "localhost", "groups": "docker_hosts"}},
        {"ansible.builtin.set_fact": {"container_image_result": {"references": {"shop:1.0": reference}}}},
    ]
    declared = service()
    declared["task_definition"]["containerDefinitions"][0]["image"] = "shop"
    variables = {
        **moto.variables,
        **SECRETS,
        "container_image_images": [{"name": "shop", "path": "/src", "tags": ["1.0"]}, {"name": "unused", "path": "/x"}],
        "ecs_app_services": [declared],
    }
    released = moto.cloud.play([*earlier, *role()], **variables)
    assert released.code == 0, released.output
    assert moto.container()["image"] == reference
    refused = moto.cloud.play(role(), **variables)
    assert refused.code == 2
    assert "ecs_app_images.shop: expected a repository 'shop' in the registry, got none." in plain(refused.output)
    deleted = moto.play(entry="absent", ecs_app_services=[declared])
    assert deleted.code == 0, deleted.output
