# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases with a migration of PostgreSQL, in real containers and under load: no request fails, whatever the end."""

from __future__ import annotations

import collections
import http.client
import json
import re
import shutil
import threading
import time
import typing as t
import urllib.parse
import uuid
from pathlib import Path

import boto3
import docker
import pytest

from ansible_collections.slipway.aws.tests.integration.conftest import (
    QUICK,
    Json,
    Services,
    Shop,
    default_subnets,
    enter_account,
    fails,
    is_free,
    push_version,
)
from ansible_collections.slipway.aws.tests.integration.processes import Playbook, Run, await_that

pytestmark = pytest.mark.slow
POSTGRES = Path(__file__).resolve().parents[2] / "apps/workshop/postgres"
NAMES = ("stock", "orders", "web")
LOAD_SECONDS = 60.0
# Of each of the three services, in each second.
RATE = 10
PASSWORD = "of-this-test-alone"
# On a busy machine, containers take their time.
PATIENCE = 600


class Load:
    """Requests of visitors, one after the other for each service, and what they got."""

    def __init__(self, endpoint: str, hosts: t.Mapping[str, str]) -> None:
        self._address = urllib.parse.urlsplit(endpoint).netloc
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._visit, args=(name, host)) for name, host in hosts.items()]
        self.start = time.monotonic()
        self.answers: collections.Counter[tuple[str, str]] = collections.Counter()
        self.failed: list[str] = []

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def until(self, seconds: float) -> None:
        """Continue until so many seconds have passed since the start."""
        time.sleep(max(0.0, self.start + seconds - time.monotonic()))

    def _visit(self, name: str, host: str) -> None:
        while not self._over.wait(1 / RATE):
            answer = self._request(host)
            if answer in ("v1", "v2"):
                self.answers[name, answer] += 1
            else:
                self.failed.append(f"{time.monotonic() - self.start:.1f} s, {name}: {answer}")

    def _request(self, host: str) -> str:
        connection = http.client.HTTPConnection(self._address, timeout=30)
        try:
            connection.request("GET", "/ready", headers={"Host": host})
            answer = connection.getresponse()
            body = answer.read().decode(errors="replace")
            return body if answer.status == 200 else f"status {answer.status}: {body[:100]}"
        except (OSError, http.client.HTTPException) as error:
            return repr(error)
        finally:
            connection.close()


@pytest.fixture(scope="module")
def versions(endpoint: str, image: str, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[dict[str, str]]:
    """Two versions of a server whose image has PostgreSQL and its client; `v1` and `v2`, each by its digest."""
    repository = f"it-{uuid.uuid4().hex[:8]}"
    with pytest.MonkeyPatch.context() as patch:
        enter_account(patch, endpoint)
        ecr = boto3.client("ecr")
    ecr.create_repository(repositoryName=repository)
    address = f"{image.partition('/')[0]}/{repository}"
    engine = docker.from_env(timeout=PATIENCE)
    base = f"{address}:base"
    context = shutil.copytree(POSTGRES, tmp_path_factory.mktemp("postgres") / "context")
    (context / "start-postgres").chmod(0o755)
    # This client has no BuildKit, which the option needs.
    dockerfile = (context / "Dockerfile").read_text().replace("COPY --chmod=0755 ", "COPY ")
    (context / "Dockerfile").write_text(dockerfile)
    engine.images.build(path=str(context), tag=base, buildargs={"BASE_IMAGE": image}, rm=True)
    yield {version: push_version(engine, base, address, version) for version in ("v1", "v2")}
    ecr.delete_repository(repositoryName=repository, force=True)
    for made in engine.images.list(address):
        await_that(lambda made=made: is_free(engine, made.id), lambda: "a container of the image still runs")  # type: ignore[misc]
        engine.images.remove(made.id, force=True)


class Site:
    """Three services behind a load balancer each, and PostgreSQL, which has one table."""

    def __init__(self, services: Services, listening: list[str], endpoint: str) -> None:
        self.services = services
        self._listening = listening
        self.name = services.shop.name
        self._elbv2 = boto3.client("elbv2")
        self._port = urllib.parse.urlsplit(endpoint).port
        self._groups: dict[str, str] = {}
        self._balancers: list[str] = []
        self.database = ""

    @property
    def hosts(self) -> dict[str, str]:
        return {name: f"{self.name}-{name}.alb.localhost:{self._port}" for name in NAMES}

    def create(self) -> None:
        for name in NAMES:
            self._balance(name)
        postgres = self.services.service("database", "v1", "start-postgres")
        (container,) = postgres["task_definition"]["container_definitions"]
        # The service is stable once PostgreSQL accepts connections.
        ready = {"command": ["CMD", "pg_isready", "--quiet", "--host=127.0.0.1"], "interval": 5, "startPeriod": 120}
        container.update(environment=[{"name": "PGPASSWORD", "value": PASSWORD}], memory=256, healthCheck=ready)
        created = self.services.release(postgres, *self.of("v1"), wait_timeout=PATIENCE)
        assert created.get("changed"), created
        (arn,) = self.services.ecs.list_tasks(cluster=self.name, serviceName="database")["taskArns"]
        (task,) = self.services.ecs.describe_tasks(cluster=self.name, tasks=[arn])["tasks"]
        details = {detail["name"]: detail["value"] for detail in task["attachments"][0]["details"]}
        self.database = details["privateIPv4Address"]
        assert self.query("CREATE TABLE orders (id int)") == ["CREATE TABLE"]

    def _balance(self, name: str) -> None:
        ec2 = boto3.client("ec2")
        vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
        subnets = [subnet["SubnetId"] for subnet in default_subnets()[:2]]
        common: Json = {"Name": f"{self.name}-{name}", "Protocol": "HTTP"}
        group = self._elbv2.create_target_group(
            **common, Port=8080, VpcId=vpc, TargetType="ip", HealthCheckPath="/ready", **QUICK
        )
        arn = group["TargetGroups"][0]["TargetGroupArn"]
        attributes = [{"Key": "deregistration_delay.timeout_seconds", "Value": "5"}]
        self._elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=attributes)
        (balancer,) = self._elbv2.create_load_balancer(
            Name=common["Name"], Subnets=subnets, SecurityGroups=self._listening
        )["LoadBalancers"]
        self._elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
        )
        self._groups[name] = arn
        self._balancers.append(balancer["LoadBalancerArn"])

    def of(self, version: str) -> list[Json]:
        """The three services in a version."""
        found = []
        for name in NAMES:
            balancer = {"targetGroupArn": self._groups[name], "containerName": "web", "containerPort": 8080}
            service = self.services.service(name, version, load_balancers=[balancer])
            service["task_definition"]["container_definitions"][0]["portMappings"] = [{"containerPort": 8080}]
            found.append(service)
        return found

    def migration(self, sql: str) -> Json:
        variables = {"PGPASSWORD": PASSWORD, "PGHOST": self.database}
        command = ["psql", "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--command={sql}"]
        return {"name": "migrate", "service": "web", "command": command, "environment": variables}

    def query(self, sql: str) -> list[str]:
        """What PostgreSQL answers to its own client, in a task of the service web."""
        task = self.migration(sql)
        command = [*task["command"], "--tuples-only", "--no-align"]
        result = self.services.shop.run(
            "ecs_task_run",
            cluster=self.name,
            service="web",
            command=command,
            environment=task["environment"],
            wait_timeout=PATIENCE,
        )
        assert result.get("exit_code") == 0, result
        return list(result["output"])

    def release(self, version: str, sql: str, content: str) -> Json:
        """A release with a migration, and with pages that have to have this content."""
        pages = [
            {"name": name, "url": f"http://127.0.0.1:{self._port}/ready", "headers": {"Host": host}, "content": content}
            for name, host in self.hosts.items()
        ]
        return self.services.release(
            *self.of(version),
            pre_deploy_tasks=[self.migration(sql)],
            verify=pages,
            verify_timeout=15,
            wait_timeout=PATIENCE,
        )

    def revisions(self) -> dict[str, str]:
        return {name: self.services.described(name)["taskDefinition"] for name in NAMES}

    def delete(self) -> None:
        for balancer in self._balancers:
            self._elbv2.delete_load_balancer(LoadBalancerArn=balancer)
        for name in (*NAMES, "database"):
            if self.services.described(name):
                self.services.ecs.delete_service(cluster=self.name, service=name, force=True)
        for arn in self._groups.values():
            self._elbv2.delete_target_group(TargetGroupArn=arn)


@pytest.fixture
def site(services: Services, shop: Shop, listening: list[str], endpoint: str) -> t.Iterator[Site]:
    site = Site(services, listening, endpoint)
    try:
        site.create()
        yield site
    finally:
        site.delete()


def states(result: Json) -> set[str]:
    return {service["state"] for service in result["services"].values()}


def test_no_request_fails_whatever_becomes_of_a_release_with_a_migration(site: Site, endpoint: str) -> None:
    before = site.revisions()
    with Load(endpoint, site.hosts) as load:
        # A migration that fails: nothing is touched.
        result = site.release("v2", "ALTER TABLE nothing ADD COLUMN currency text", "v2")
        fails(result, "task_failed", "Pre-deploy task migrate of service web: ", 'relation "nothing" does not exist')
        assert states(result) == {"not_started"}
        assert site.revisions() == before
        assert not site.services.with_checkpoint(*NAMES)

        # A page that is wrong: all services are rolled back.
        result = site.release("v2", "ALTER TABLE orders ADD COLUMN currency text", "v3")
        fails(result, "verification_failed", "expected content that matches 'v3'", "Rolled back: ")
        assert states(result) == {"rolled_back"}
        assert site.services.running(*NAMES) == dict.fromkeys(NAMES, "v1")
        assert site.revisions() == before

        # A good one.
        result = site.release("v2", "ALTER TABLE orders ADD COLUMN country text", "v2")
        assert states(result) == {"updated"}, result
        assert any("migrate  | ALTER TABLE" in line for line in result["progress"]), result["progress"]
        assert site.services.running(*NAMES) == dict.fromkeys(NAMES, "v2")
        load.until(LOAD_SECONDS)
    print(dict(load.answers), f"in {time.monotonic() - load.start:.0f} s", *load.failed, sep="\n")
    assert load.failed == []
    assert min(load.answers[name, version] for name in NAMES for version in ("v1", "v2")) > 0
    columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'orders'"
    assert site.query(columns) == ["3"]
    assert not site.services.with_checkpoint(*NAMES)


# Ends at once on a signal.
ENDLESS = ["sh", "-c", "trap 'exit 0' TERM; echo begun; sleep 600 & wait"]


def test_a_migration_survives_its_release_and_an_interrupted_task_is_stopped(site: Site, tmp_path: Path) -> None:
    before = site.revisions()
    migration = site.migration("INSERT INTO orders VALUES (1); SELECT pg_sleep(20)")
    options = site.services.options(*site.of("v2"), pre_deploy_tasks=[migration], wait_timeout=PATIENCE)
    release = Playbook(tmp_path, "ecs_release", **options)
    release.await_line("migrate  started: task ")
    release.kill()
    assert site.revisions() == before

    result = site.services.shop.run("ecs_release", **options)
    assert states(result) == {"updated"}, result
    assert any("migrate  finds the task of an earlier run: " in line for line in result["progress"]), result["progress"]
    assert site.query("SELECT count(*) FROM orders") == ["1"]
    assert not site.services.with_checkpoint(*NAMES)

    task = {"cluster": site.name, "service": "web", "command": ENDLESS, "wait_timeout": PATIENCE}
    play = {
        "name": "The play",
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [{"slipway.aws.ecs_task_run": task}],
    }
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    run = Run(tmp_path, str(tmp_path / "play.yml"))
    await_that(lambda: "  | begun" in run.output, run.describe)
    run.interrupt()
    stopped = re.search(r"Interrupted\. The tasks that this run started were stopped: (\S+)\.", run.output)
    assert stopped, run.output
    (found,) = site.services.ecs.describe_tasks(cluster=site.name, tasks=[stopped[1]])["tasks"]
    assert found["desiredStatus"] == "STOPPED"
