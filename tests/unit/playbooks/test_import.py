# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody else has made becomes an inventory: the first plan is empty, before and after the adoption, and one
changed variable is exactly one change."""

from __future__ import annotations

import re
import sys
import time
import typing as t
from pathlib import Path

import boto3
import pytest

from ansible_collections.slipway.aws.tests import plays
from ansible_collections.slipway.aws.tests.unit.playbooks import running_scaling
from ansible_collections.slipway.aws.tests.unit.playbooks import running_services as running

Json = dict[str, t.Any]

ROOT = Path(__file__).resolve().parents[3]
KEYS = {"access_key": "key", "secret_key": "b2f0c1d4e7a9"}
# Services whose scaling the inventory has; that of `plain` is left to others.
SCALED = ("api", "tagged", "spot")
# Of a service, what changes with each deployment.
VOLATILE = (
    "currentServiceDeployment",
    "currentServiceRevisions",
    "deployments",
    "events",
    "pendingCount",
    "runningCount",
)


class Run(t.NamedTuple):
    """How a playbook ended, and what it printed."""

    code: int
    output: str

    @property
    def changed(self) -> int:
        return sum(int(number) for number in re.findall(r"changed=(\d+)", self.output))


class Account(t.NamedTuple):
    """A cluster that somebody else has made, and the inventory that is written for it."""

    address: str
    folder: Path
    place: running.Place
    names: list[str]

    def client(self, name: str) -> t.Any:
        keys = {"aws_access_key_id": KEYS["access_key"], "aws_secret_access_key": KEYS["secret_key"]}
        return boto3.client(name, endpoint_url=self.address, region_name=running.REGION, **keys)

    @property
    def inventory(self) -> Path:
        return self.folder / "inventory"

    def play(self, playbook: str, *options: str, **variables: t.Any) -> Run:
        given = {
            "slipway_region": running.REGION,
            "slipway_endpoint_url": self.address,
            **{f"slipway_{name}": text for name, text in KEYS.items()},
            "ansible_python_interpreter": sys.executable,
            **variables,
        }
        hosts = [str(self.inventory)] if self.inventory.exists() else ["localhost,", "-c", "slipway.aws.forkserver"]
        # A playbook of the collection by its name, as users start it in a folder of their own.
        by_name = playbook.startswith("slipway.aws.")
        settings = {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")} if by_name else {}
        folder = self.folder if by_name else ROOT
        done = plays.run(playbook, "-i", *hosts, *options, folder=folder, extra=given, COLUMNS="400", **settings)
        return Run(done.returncode, done.stdout + done.stderr)

    def site(self, *options: str) -> Run:
        """All of it but the last role, as no task runs without Docker; and what services refer to does not exist."""
        return self.play("site.yml", "--skip-tags", "verify", *options, slipway_preflight=False)

    def change(self, service: str, old: str, new: str) -> None:
        """One line in the file of a service."""
        path = self.inventory / f"group_vars/all/service_{service}.yml"
        assert path.read_text().count(old) == 1
        path.write_text(path.read_text().replace(old, new))

    def services(self) -> dict[str, Json]:
        """The services as AWS describes them, without what changes by itself."""
        ecs, found = self.client("ecs"), {}
        for name in self.names:
            [one] = ecs.describe_services(cluster="prod", services=[name], include=["TAGS"])["services"]
            found[name] = {member: value for member, value in one.items() if member not in VOLATILE}
        return found

    def schedule(self) -> Json:
        found = self.client("scheduler").get_schedule(GroupName="jobs", Name="cleanup")
        return {name: value for name, value in found.items() if name != "ResponseMetadata"}

    def balancing(self) -> t.Any:
        """Target groups, rules and their tags."""
        elb = self.client("elbv2")
        groups = elb.describe_target_groups()["TargetGroups"]
        rules = elb.describe_rules(ListenerArn=self.place.listener)["Rules"]
        arns = [one["TargetGroupArn"] for one in groups] + [one["RuleArn"] for one in rules]
        tags = [elb.describe_tags(ResourceArns=[arn])["TagDescriptions"] for arn in arns]
        return groups, rules, tags

    def scaling(self) -> dict[str, t.Any]:
        return running_scaling.scaling_of(self.client)

    def bounds(self) -> dict[str, tuple[int, int]]:
        """Of each service that scales."""
        targets = self.scaling()["targets"]
        return {one["ResourceId"].split("/")[-1]: (one["MinCapacity"], one["MaxCapacity"]) for one in targets}

    def state(self) -> t.Any:
        return self.services(), self.schedule(), self.balancing(), self.scaling()

    def wait_until_deployed(self) -> None:
        """Until ECS has deployed each service, and shifted what traffic it shifts."""
        end = time.monotonic() + 60
        while not self.is_deployed():
            assert time.monotonic() < end
            time.sleep(0.1)

    def is_deployed(self) -> bool:
        ecs = self.client("ecs")
        answers = [ecs.describe_services(cluster="prod", services=[name])["services"][0] for name in self.names]
        return all(one["rolloutState"] == "COMPLETED" for answer in answers for one in answer["deployments"])

    def tags_of(self, family: str) -> dict[str, str]:
        answer = self.client("ecs").describe_task_definition(taskDefinition=family, include=["TAGS"])
        return {one["key"]: one["value"] for one in answer.get("tags") or ()}


def account(start_cloud: t.Callable[..., str], folder: Path, names: t.Collection[str]) -> Account:
    # Minutes of Application Auto Scaling are longer than any test.
    address = start_cloud(MINISTACK_REGION=running.REGION, LOCAL_CLOUD_MINUTE_SECONDS="3600")
    first = Account(address, folder, running.Place("", [], "", {}, "", "", {}, ""), [])
    place = running.create_place(first.client)
    live = Account(address, folder, place, running.create_services(first.client, place, names))
    running_scaling.create_scaling(live.client, place, live.names)
    live.wait_until_deployed()
    return live


@pytest.mark.variants
@pytest.mark.parametrize("names", [running.DAILY, ()], ids=["nine services", "thirty services"])
def test_the_first_plan_is_empty_and_one_variable_is_one_change(
    start_cloud: t.Callable[..., str], tmp_path: Path, names: t.Collection[str]
) -> None:
    live = account(start_cloud, tmp_path, names)
    assert len(live.names) == (len(names) or 30)
    before = live.state()

    done = live.play("slipway.aws.import", cluster="prod", inventory="inventory")
    assert done.code == 0, done.output
    assert f"{len(live.names)} services of the cluster prod are in" in done.output
    notes = (live.inventory / "NOTES.md").read_text()
    assert "target_groups.prod-blue" in notes
    assert "the policy by steps is of the type StepScaling" in notes
    assert live.state() == before

    planned = live.site("--check")
    assert (planned.code, planned.changed) == (0, 0), planned.output
    assert "Not adopted: service api, " in planned.output
    if not names:
        refuses_before_the_adoption(live, before)
    done = live.play("slipway.aws.adopt", adopt_confirm="prod")
    assert (done.code, done.changed) == (0, 1), done.output
    assert re.search(r"service tagged +cost=12, team=payments +slipway:project=prod", done.output)
    only_tags_were_added(live, before[0])
    if not names:
        assert live.play("slipway.aws.adopt").changed == 0
        planned = live.site("--check")
        assert (planned.code, planned.changed, "ot adopted" in planned.output) == (0, 0, False), planned.output

    adopted = live.services()
    live.change("secrets", "value: info", "value: debug")
    done = live.site()
    assert (done.code, done.changed) == (0, 1), done.output
    after = live.services()
    assert {name for name, one in after.items() if one != adopted[name]} == {"secrets"}
    assert {name for name, value in after["secrets"].items() if value != adopted["secrets"][name]} == {"taskDefinition"}
    assert definition_change(live, "secrets") == [
        ({"name": "LEVEL", "value": "info"}, {"name": "LEVEL", "value": "debug"})
    ]
    assert (live.schedule(), live.scaling()) == (before[1], before[3])
    if not names:
        scaling_is_one_change(live)
    again = live.site("--check")
    assert (again.code, again.changed) == (0, 0), again.output


def scaling_is_one_change(live: Account) -> None:
    services, scaling = live.services(), live.scaling()
    live.change("api", "max_capacity: 8", "max_capacity: 9")
    done = live.site()
    assert (done.code, done.changed) == (0, 1), done.output
    assert live.bounds() == {"api": (3, 9), "tagged": (1, 4), "spot": (0, 6), "plain": (1, 3)}
    del scaling["targets"]
    assert {name: value for name, value in live.scaling().items() if name in scaling} == scaling
    assert live.services() == services


def refuses_before_the_adoption(live: Account, before: tuple[t.Any, ...]) -> None:
    refused = live.site()
    assert (refused.code, "Not adopted: target group prod-api." in refused.output) == (2, True), refused.output
    unconfirmed = live.play("slipway.aws.adopt", adopt_confirm="other")
    assert (unconfirmed.code, "Nothing was tagged" in " ".join(unconfirmed.output.split())) == (2, True)
    assert live.state() == before


def only_tags_were_added(live: Account, before: dict[str, Json]) -> None:
    for name, one in live.services().items():
        own = {"key": "slipway:project", "value": "prod"}
        tags = before[name].get("tags") or []
        scaled = [{"key": "slipway:scaling", "value": "true"}] if name in SCALED else []
        assert sorted(one["tags"], key=str) == sorted([*tags, own, *scaled], key=str)
        assert {**one, "tags": tags} == {**before[name], "tags": tags}
    client = live.client("application-autoscaling")
    targets = {one["ResourceId"].split("/")[-1]: one["ScalableTargetARN"] for one in live.scaling()["targets"]}
    tags_of = {name: client.list_tags_for_resource(ResourceARN=arn)["Tags"] for name, arn in targets.items()}
    assert tags_of == {name: {"slipway:project": "prod"} if name in SCALED else {} for name in (*SCALED, "plain")}
    assert live.tags_of("tagged") == {"team": "payments", "slipway:project": "prod"}


def definition_change(live: Account, family: str) -> list[tuple[Json, Json]]:
    """The variables in which the newest two revisions differ, which are otherwise equal."""
    ecs = live.client("ecs")
    old, new = (
        ecs.describe_task_definition(taskDefinition=f"{family}:{number}")["taskDefinition"]["containerDefinitions"][0]
        for number in (1, 2)
    )
    pairs = zip(old.pop("environment"), new.pop("environment"), strict=True)
    assert old == new
    return [(one, other) for one, other in pairs if one != other]
