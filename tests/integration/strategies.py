# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service whose traffic is shifted to its new version, and the requests of its visitors."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
import typing as t
import urllib.parse
import uuid
from pathlib import Path

import boto3

from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_app_strategies
from ansible_collections.slipway.aws.tests.integration.conftest import LISTENERS, QUICK, Json, Shop, default_subnets
from ansible_collections.slipway.aws.tests.integration.processes import ROOT, Run, await_that

# On a busy machine, containers take their time.
PATIENCE = 900
PORTS = dict(zip(("production", "test"), LISTENERS, strict=True))
# Requests of so many visitors are under way at the same time, and each waits so long before its next one.
VISITORS = 3
PAUSE = 0.1
# Says its version on every page. $READY is the status of the health check's page, $PAGE that of all others.
SERVE = """
use IO::Socket::INET;
$SIG{TERM} = sub { exit };
my $server = IO::Socket::INET->new(LocalPort => 8080, Listen => 50, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
  my $status = <$client> =~ m{^GET /ready } ? $ENV{READY} : $ENV{PAGE};
  while (<$client>) { last if /^\\r?\\n$/ }
  my $length = length $ENV{VERSION};
  print $client "HTTP/1.1 $status\\r\\nContent-Length: $length\\r\\nConnection: close\\r\\n\\r\\n$ENV{VERSION}";
  close $client;
}
"""
OK, ERROR = "200 OK", "500 Internal Server Error"


class Answer(t.NamedTuple):
    """What a visitor got, and when the request began."""

    seconds: float
    listener: str
    version: str
    status: int | str


class Balanced:
    """A service `web` of a cluster, behind a load balancer with a production and a test listener."""

    def __init__(self, name: str, balancer: str, endpoint: str) -> None:
        self.name = name
        self.balancer = balancer
        self.address = urllib.parse.urlsplit(endpoint).netloc
        self.ecs, self.elbv2 = boto3.client("ecs"), boto3.client("elbv2")
        self.rules: dict[str, str] = {}

    def arguments(self) -> list[str]:
        """What playbooks need to know of it."""
        return ["-e", f"slipway_project={self.name}", "-e", f"local_cloud_port={self.address.rpartition(':')[2]}"]

    def request(self, listener: str, path: str = "/") -> tuple[str, int | str]:
        """The version that answered, and the status; or no version, and what went wrong."""
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request("GET", path, headers={"Host": f"{self.balancer}.alb.localhost:{PORTS[listener]}"})
            answer = connection.getresponse()
            return answer.read().decode(errors="replace")[:40], answer.status
        except (OSError, http.client.HTTPException) as error:
            return "", repr(error)
        finally:
            connection.close()

    def weights(self, listener: str = "production") -> dict[str, int]:
        """The weight of each target group."""
        (found,) = self.elbv2.describe_rules(RuleArns=[self.rules[listener]])["Rules"]
        groups = found["Actions"][0]["ForwardConfig"]["TargetGroups"]
        return {group["TargetGroupArn"]: group["Weight"] for group in groups}

    def deployment(self) -> Json:
        """The latest service deployment."""
        listed = self.ecs.list_service_deployments(cluster=self.name, service="web")["serviceDeployments"]
        arn = listed[0]["serviceDeploymentArn"]
        return dict(self.ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"][0])

    def revision(self) -> str:
        (service,) = self.ecs.describe_services(cluster=self.name, services=["web"])["services"]
        return str(service["taskDefinition"])

    def wait_paused(self, run: Run) -> None:
        """Wait until the deployment of a release is paused."""

        def is_paused() -> bool:
            hooks = self.deployment().get("lifecycleHookDetails") or []
            return run.process.poll() is not None or any(hook["status"] == "AWAITING_ACTION" for hook in hooks)

        await_that(is_paused, run.describe, PATIENCE)
        assert run.process.poll() is None, run.output


class Site(Balanced):
    """A service that `ecs_release` releases, and what it requires."""

    def __init__(self, shop: Shop, network: Json, listening: list[str], endpoint: str) -> None:
        super().__init__(shop.name, shop.name, endpoint)
        self.shop, self.network, self._listening = shop, network, listening
        self.groups: list[str] = []
        # Of a deployer's project, whose roles and tags a policy names.
        self.roles = {"execution": shop.role, "load-balancing": shop.role}
        self.tags: Json = {}
        self.log_group = shop.name
        self._balancer = ""

    def create(self) -> None:
        vpc = default_subnets()[0]["VpcId"]
        attributes = [{"Key": "deregistration_delay.timeout_seconds", "Value": "5"}]
        for suffix in ("", "-2"):
            made = self.elbv2.create_target_group(
                Name=self.name + suffix,
                Protocol="HTTP",
                Port=8080,
                VpcId=vpc,
                TargetType="ip",
                HealthCheckPath="/ready",
                **QUICK,
            )
            self.groups.append(str(made["TargetGroups"][0]["TargetGroupArn"]))
            self.elbv2.modify_target_group_attributes(TargetGroupArn=self.groups[-1], Attributes=attributes)
        subnets = [subnet["SubnetId"] for subnet in default_subnets()[:2]]
        (balancer,) = self.elbv2.create_load_balancer(Name=self.name, Subnets=subnets, SecurityGroups=self._listening)[
            "LoadBalancers"
        ]
        self._balancer = str(balancer["LoadBalancerArn"])
        weights = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in zip(self.groups, (100, 0), strict=True)]
        for name, port in PORTS.items():
            listener = self.elbv2.create_listener(
                LoadBalancerArn=self._balancer,
                Protocol="HTTP",
                Port=port,
                DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}],
            )["Listeners"][0]
            (rule,) = self.elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
            self.rules[name] = str(rule["RuleArn"])

    def delete(self) -> None:
        for service in self.ecs.list_services(cluster=self.name)["serviceArns"]:
            self.ecs.delete_service(cluster=self.name, service=service, force=True)
        if self._balancer:
            self.elbv2.delete_load_balancer(LoadBalancerArn=self._balancer)
        for arn in self.groups:
            self.elbv2.delete_target_group(TargetGroupArn=arn)

    def options(
        self,
        version: str,
        strategy: str,
        traffic: Json | None = None,
        ready: str = OK,
        page: str = OK,
        **release: t.Any,
    ) -> Json:
        """The options of ecs_release for the service in this version; strategy and traffic are those of the role."""
        environment = {"VERSION": version, "READY": ready, "PAGE": page}
        container = self.shop.container(
            "perl",
            "-e",
            SERVE,
            environment=[{"name": name, "value": value} for name, value in environment.items()],
            portMappings=[{"containerPort": 8080}],
        )
        container["logConfiguration"]["options"]["awslogs-group"] = self.log_group
        definition = {
            "family": self.name,
            "network_mode": "awsvpc",
            "execution_role_arn": self.roles["execution"],
            "container_definitions": [container],
            "tags": self.tags,
        }
        balancer = {"targetGroupArn": "web", "containerName": "web", "containerPort": 8080}
        shift = {"arn": self.groups[0], "alternate_arn": self.groups[1], "production_rule": self.rules["production"]}
        shift["test_rule"] = self.rules["test"]
        given = {"name": "web", "strategy": strategy, "traffic": traffic or {}, "load_balancers": [balancer]}
        balancers = ecs_app_strategies.balancers(given, {"web": shift}, self.roles["load-balancing"])
        service = {
            "name": "web",
            "desired_count": 1,
            "task_definition": definition,
            "network_configuration": self.network,
            "deployment_configuration": {"strategy": "ROLLING", **ecs_app_strategies.configuration(given)},
            "load_balancers": [{**one, "targetGroupArn": self._own(one)} for one in balancers],
            "tags": self.tags,
            # As the role does; tasks that a release runs then get the tags, too.
            "propagate_tags": "SERVICE",
        }
        return {"cluster": self.name, "services": [service], "wait_timeout": PATIENCE, **release}

    def _own(self, balancer: Json) -> str:
        """A rolling service is registered where the requests are, as the role does."""
        if "advancedConfiguration" in balancer:
            return str(balancer["targetGroupArn"])
        weights = self.weights()
        return max(weights, key=lambda arn: weights[arn])

    def release(self, *args: t.Any, **options: t.Any) -> Json:
        return self.shop.run("ecs_release", **self.options(*args, **options))

    def steer(self, state: str, **options: t.Any) -> Json:
        """What the playbooks stop and continue do."""
        return self.shop.run(
            "ecs_service_deployment", cluster=self.name, state=state, **{"wait_timeout": PATIENCE, **options}
        )


class Project(Balanced):
    """The same as a site of the playbooks, with all that their roles create."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        name = f"it-{uuid.uuid4().hex[:8]}"
        super().__init__(name, f"{name}-workshop", endpoint)
        self.folder = folder

    def variables(self, version: str, strategy: str, traffic: Json) -> Json:
        """What the playbooks get."""
        port = int(self.address.rpartition(":")[2])
        environment = {"VERSION": version, "READY": OK, "PAGE": OK}
        container = {
            "name": "web",
            "image": f"localhost:{port}/base/debian:trixie",
            "command": ["perl", "-e", SERVE],
            "environment": [{"name": name, "value": value} for name, value in environment.items()],
            "portMappings": [{"containerPort": 8080}],
        }
        definition = {"family": self.name, "cpu": 256, "memory": 512, "containerDefinitions": [container]}
        service = {"name": "web", "desired_count": 1, "load_balancers": [{"targetGroupArn": "web"}]}
        quick = {"health_check_interval": 5, "health_check_timeout": 2, "healthy_threshold": 2}
        return {
            "slipway_project": self.name,
            "slipway_directory": str(self.folder),
            "local_cloud_port": port,
            "container_image_images": [],
            "ecs_app_secrets": {},
            "ecs_app_services": [{**service, "strategy": strategy, "traffic": traffic, "task_definition": definition}],
            "ecs_app_wait_timeout": PATIENCE,
            "ecs_load_balancer_target_groups": [
                {"name": "web", "health_check_path": "/ready", "deregistration_delay": 5, **quick}
            ],
            "ecs_load_balancer_test_port": PORTS["test"],
            "ecs_network_load_balancer_test_cidrs": ["127.0.0.0/8"],
        }

    def start(self, playbook: str, variables: Json, *arguments: str) -> Run:
        path = self.folder / f"{uuid.uuid4().hex}.json"
        path.write_text(json.dumps(variables))
        shown = {"ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default"}
        return Run(self.folder, f"playbooks/{playbook}.yml", f"--extra-vars=@{path}", *arguments, **shown)

    def site(self, *given: t.Any) -> Run:
        """The whole site, without the tags of what it does not have: images and a host to build them."""
        return self.start("site", self.variables(*given), "--tags=network,cluster,load_balancer,service")

    def changes(self, *given: t.Any) -> int:
        """How many tasks of a run changed something."""
        run = self.site(*given)
        assert run.process.wait(PATIENCE) == 0, run.output
        # Listeners forward to both target groups, whichever serves.
        assert "No longer in" not in run.output, run.output
        return sum(map(int, re.findall(r"\bchanged=(\d+)", run.output)))

    def find_rules(self) -> None:
        (balancer,) = self.elbv2.describe_load_balancers(Names=[self.balancer])["LoadBalancers"]
        listeners = self.elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        arns = {listener["Port"]: listener["ListenerArn"] for listener in listeners}
        for name, port in PORTS.items():
            (rule,) = self.elbv2.describe_rules(ListenerArn=arns[port])["Rules"]
            self.rules[name] = str(rule["RuleArn"])


class Terminal:
    """A playbook at a terminal, with somebody who types."""

    def __init__(self, folder: Path, playbook: str, *arguments: str) -> None:
        self._master, slave = os.openpty()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        self.process = subprocess.Popen(
            [Path(sys.executable).with_name("ansible-playbook"), f"playbooks/{playbook}.yml", *arguments],
            cwd=ROOT,
            env={**kept, "ANSIBLE_HOME": str(folder), "ANSIBLE_NOCOLOR": "1", "TERM": "dumb"},
            preexec_fn=lambda: os.login_tty(slave),
            pass_fds=[slave],
        )
        os.close(slave)
        self._written: list[bytes] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        return b"".join(self._written).decode(errors="replace")

    def _read(self) -> None:
        """Until the last process has closed the terminal, which Linux reports as an error."""
        try:
            while written := os.read(self._master, 4096):
                self._written.append(written)
        except OSError:
            return

    def await_text(self, text: str) -> None:
        await_that(lambda: text in self.output or self.process.poll() is not None, lambda: self.output, PATIENCE)
        assert text in self.output, self.output

    def type(self, line: str) -> None:
        os.write(self._master, f"{line}\r".encode())

    def end(self) -> int:
        code = self.process.wait(PATIENCE)
        self._reader.join(10)
        return code

    def close(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        os.close(self._master)


class Traffic:
    """Visitors of both listeners, what they got, and the share that the new version was to get."""

    def __init__(self, site: Balanced) -> None:
        self._site = site
        self._over = threading.Event()
        listeners = ["production"] * VISITORS + ["test"]
        self._threads = [threading.Thread(target=self._visit, args=(listener,)) for listener in listeners]
        self._threads.append(threading.Thread(target=self._watch))
        self._start = time.monotonic()
        self.answers: list[Answer] = []
        # Seconds, status, lifecycle stage and weight of the new version, as often as it was asked.
        self.stages: list[tuple[float, str, str, float | None]] = []

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        print(self.summary())

    @property
    def now(self) -> float:
        return time.monotonic() - self._start

    def _visit(self, listener: str) -> None:
        while not self._over.wait(PAUSE):
            begun = self.now
            version, status = self._site.request(listener)
            self.answers.append(Answer(round(begun, 2), listener, version, status))

    def _watch(self) -> None:
        """The group that serves nothing at first is that of the new version."""
        (new,) = (arn for arn, weight in self._site.weights().items() if not weight)
        while not self._over.wait(0.5):
            latest, weights = self._site.deployment(), self._site.weights()
            share = 100 * weights[new] / (sum(weights.values()) or 1)
            self.stages.append((round(self.now, 2), latest["status"], latest.get("lifecycleStage", ""), share))

    def of(self, version: str, listener: str = "production") -> list[Answer]:
        return [one for one in list(self.answers) if (one.version, one.listener) == (version, listener)]

    def failed(self, *versions: str) -> list[Answer]:
        """Answers on the production listener other than 200, but for these versions."""
        return [
            one
            for one in self.answers
            if one.listener == "production" and one.status != 200 and one.version not in versions
        ]

    def while_shared(self, weight: float) -> list[Answer]:
        """Answers on the production listener while the new version had this weight, and no other."""
        seen = [seconds for seconds, _status, _stage, share in self.stages if share == weight]
        return self._between(seen[0], seen[-1]) if seen else []

    def while_possibly_shared(self, weight: float) -> list[Answer]:
        """The same, with what came after the last read of another weight before it, and before the first one after."""
        seen = [number for number, stage in enumerate(self.stages) if stage[3] == weight]
        return self._between(self.stages[seen[0] - 1][0], self.stages[seen[-1] + 1][0]) if seen else []

    def _between(self, first: float, last: float) -> list[Answer]:
        return [one for one in self.answers if first <= one.seconds <= last and one.listener == "production"]

    def summary(self) -> str:
        counted: dict[tuple[str, str, int | str], int] = {}
        for one in self.answers:
            counted[one[1:]] = counted.get(one[1:], 0) + 1
        changes = [
            one
            for before, one in zip([(0.0, "", "", None), *self.stages], self.stages, strict=False)
            if one[1:] != before[1:]
        ]
        return "\n".join(map(str, [*sorted(counted.items(), key=str), *changes]))

    def save(self, path: Path) -> None:
        """In the form that docs/traffic_plot.py draws."""
        path.write_text(json.dumps({"rows": self.answers, "stages": self.stages}))
