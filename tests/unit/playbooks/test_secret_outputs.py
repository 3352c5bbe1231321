# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of secrets are in no output of a site, wherever its variables have them: printed lines, reports, records.

Every output is searched as a whole: with -vvv, Ansible prints what each module was given and has returned.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import typing as t
from pathlib import Path

import boto3
import pytest

from ansible_collections.slipway.aws.tests import plays
from ansible_collections.slipway.aws.tests.secret_values import SECRETS

Json = dict[str, t.Any]

pytestmark = pytest.mark.variants
REGION, PROJECT = "eu-central-1", "shop"
KEYS = {"slipway_access_key": "key", "slipway_secret_key": "keyhunter2"}
SERVER = {"MINISTACK_REGION": REGION, "CLOUDTRAIL_RECORDING": "1", "DOCKER_HOST": "unix:///nonexistent/docker.sock"}
# Without Docker there is no Docker host.
SKIPPED = "docker_instance,docker_host,image,verify"


def secrets(version: str) -> dict[str, str]:
    """The values, by where they stand. None is a part of another text."""
    places = ("environment", "address", "command", "entry", "label", "log", "schedule", "hook", "stored", "member")
    return {place: f"hunter2{place}{version}" for place in places}


def variables(version: str) -> Json:
    value = secrets(version)
    container = {
        "name": "app",
        "image": "public/app:1",
        "portMappings": [{"containerPort": 8000}],
        "environment": [
            {"name": "DB_PASSWORD", "value": value["environment"]},
            {"name": "DATABASE_URL", "value": f"postgres://shop:{value['address']}@db:5432/shop"},
        ],
        "secrets": [{"name": "KEY", "valueFrom": "key"}, {"name": "USER", "valueFrom": "database:user::"}],
        "entryPoint": ["serve", "--token", value["entry"]],
        "command": ["run", f"--api-key={value['command']}"],
        "dockerLabels": {"deploy.token": value["label"]},
        "logConfiguration": {
            "logDriver": "splunk",
            "options": {"splunk-token": value["log"], "splunk-url": "https://s"},
        },
    }
    definition = {"family": "shop-web", "cpu": 256, "memory": 512, "containerDefinitions": [container]}
    return {
        "slipway_project": PROJECT,
        "slipway_region": REGION,
        **KEYS,
        "slipway_plain_values": ["app.environment.DATABASE_URL"],
        "ansible_python_interpreter": sys.executable,
        "ecs_network_docker_host_cidrs": ["203.0.113.7/32"],
        "ecr_registry_repositories": [{"name": "shop/web"}],
        "ecs_load_balancer_target_groups": [{"name": "web", "port": 8000}],
        "ecs_app_secrets": {"key": {}, "database": {"type": "SecretsManager"}},
        "ecs_app_secret_values": {"key": value["stored"], "database": {"user": "shop", "password": value["member"]}},
        "ecs_app_services": [
            {
                "name": "web",
                "desired_count": 0,
                "load_balancers": [{"targetGroupArn": "web"}],
                "task_definition": definition,
            }
        ],
        "ecs_app_schedules": [
            {
                "name": "night",
                "service": "web",
                "schedule": "rate(1 day)",
                "environment": {"SMTP_PASSWORD": value["schedule"]},
                "command": ["clean", "--password", value["hook"]],
            }
        ],
    }


class Site(t.NamedTuple):
    """A site in an emulator of its own, and all that its playbooks have said or written so far."""

    address: str
    folder: Path
    outputs: dict[str, str]

    def client(self, name: str) -> t.Any:
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": KEYS["slipway_secret_key"]}
        return boto3.client(name, endpoint_url=self.address, region_name=REGION, **keys)

    def play(self, title: str, playbook: str, *options: str, given: Json, **environment: str) -> None:
        extra = {"slipway_endpoint_url": self.address, "slipway_directory": str(self.folder / "site"), **given}
        words = (playbook, "-i", "localhost,", "-c", "slipway.aws.forkserver", *options)
        done: subprocess.CompletedProcess[str] = plays.run(*words, extra=extra, **environment)
        assert done.returncode in (0, 2), done.stdout + done.stderr
        self.outputs[title] = done.stdout + done.stderr

    def site(self, title: str, version: str, *options: str) -> None:
        places = {"SLIPWAY_PLAN_MARKDOWN": f"{title}.md", "SLIPWAY_PLAN_REPORT": f"{title}.json"}
        files = {name: str(self.folder / file) for name, file in places.items()}
        more = {"ANSIBLE_CALLBACKS_ENABLED": "slipway.aws.plan,slipway.aws.steps", **files}
        words = ("site.yml", "--skip-tags", SKIPPED, "--diff", *options)
        self.play(title, *words, given=variables(version), **more)

    def look(self, name: str, *options: str, **given: t.Any) -> None:
        """A playbook that reads, without the variables of the site."""
        known = {key: value for key, value in variables("").items() if key.startswith(("slipway_", "ansible_"))}
        self.play(f"{name} {given}", f"playbooks/{name}.yml", *options, given={**known, **given})


@pytest.fixture(scope="module")
def site(start_cloud: t.Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(start_cloud(**SERVER), tmp_path_factory.mktemp("outputs"), {})
    site.site("first plan", "one", "--check", "-vvv")
    site.site("first run", "one", "-vvv")
    site.site("second plan", "two", "--check", "-vvv")
    site.site("second run", "two", "-vvv")
    _change_by_hand(site)
    for name, given in (
        ("drift", {"drift_format": "json"}),
        ("drift", {"drift_junit": str(site.folder / "drift.xml")}),
        ("status", {"status_format": "json"}),
        ("history", {"history_format": "json"}),
        ("history", {}),
        ("report", {"report_file": str(site.folder / "report.html")}),
    ):
        site.look(name, "-vvv", **given)
    given = {**variables("three"), "preflight_junit": str(site.folder / "preflight.xml"), "preflight_format": "json"}
    site.play("preflight", "playbooks/preflight.yml", "-vvv", given=given)
    return site


def _change_by_hand(site: Site) -> None:
    """Somebody deploys another password."""
    ecs = site.client("ecs")
    found = ecs.describe_task_definition(taskDefinition="shop-web")["taskDefinition"]
    found["containerDefinitions"][0]["environment"][0]["value"] = "hunter2environmentthree"
    request = ecs.meta.service_model.operation_model("RegisterTaskDefinition").input_shape.members
    ecs.register_task_definition(**{name: value for name, value in found.items() if name in request and value})
    ecs.update_service(cluster=PROJECT, service="web", taskDefinition="shop-web")


def leaks(text: str) -> set[str]:
    """The values that are in a text, also as parts of JSON, of an address or of base64."""
    values = [value for version in ("one", "two", "three") for value in secrets(version).values()]
    forms = {
        value: [value, base64.b64encode(value.encode()).decode()] for value in [*values, KEYS["slipway_secret_key"]]
    }
    return {value for value, words in forms.items() if any(word in text for word in words)}


def test_no_run_prints_a_value(site: Site) -> None:
    assert {title: leaks(text) for title, text in site.outputs.items() if leaks(text)} == {}


def test_no_file_has_a_value(site: Site) -> None:
    files = {path: path.read_text(errors="replace") for path in site.folder.rglob("*") if path.is_file()}
    names = {path.name for path in files}
    assert names >= {"first plan.md", "second plan.md", "second plan.json", "drift.xml", "preflight.xml", "report.html"}
    assert {path.name: leaks(text) for path, text in files.items() if leaks(text)} == {}


def test_no_record_has_a_value(site: Site) -> None:
    ssm = site.client("ssm")
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path="/slipway", Recursive=True, WithDecryption=True)
    records = {one["Name"]: one["Value"] for page in pages for one in page["Parameters"]}
    assert any("/release/" in name for name in records)
    assert any("/record/" in name for name in records)
    assert {name: leaks(text) for name, text in records.items() if leaks(text)} == {}


def test_what_changed_is_said_of_each_place(site: Site) -> None:
    """So that the search above does not pass because nothing was shown."""
    plan = (site.folder / "second plan.md").read_text()
    assert plan.count("******** (changed)") >= 4
    for said in ("DB_PASSWORD looks like a secret", "DATABASE_URL looks like a secret", "`secrets`"):
        assert said in " ".join(site.outputs["second plan"].split())
    assert "splunk-token" in site.outputs["second plan"]
    registered = json.dumps(site.client("ecs").describe_task_definition(taskDefinition="shop-web:2"), default=str)
    assert {one for one in leaks(registered) if one.endswith("two")} >= {secrets("two")["environment"]}


def test_a_token_is_refused_by_the_whole_site_without_its_value(site: Site) -> None:
    given = variables("four")
    given["ecs_app_services"][0]["task_definition"]["containerDefinitions"][0]["command"] = ["run", SECRETS["GitHub"]]
    site.play("refused", "site.yml", "--skip-tags", SKIPPED, "-vvv", "--diff", given=given)
    assert "command[1]: expected no secret, got a GitHub token" in site.outputs["refused"]
    assert SECRETS["GitHub"] not in site.outputs["refused"]
