# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Old releases, revisions and images are deleted; what a kept release needs or anything runs is not."""

from __future__ import annotations

import typing as t

import boto3
import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core import history
from ansible_collections.slipway.aws.plugins.module_utils._ecs.release import rollouts
from ansible_collections.slipway.aws.plugins.plugin_utils.prune import listing
from ansible_collections.slipway.aws.tests.unit.ecs.pruning import INDEX, MANIFEST, TAGS, Shop
from ansible_collections.slipway.aws.tests.unit.ecs.releases import Json, Run
from ansible_collections.slipway.aws.tests.unit.ecs.test_release_faults import Call, KilledError, error, hook

BOTH = pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
REGION = "eu-central-1"


class Pruned(Shop):
    """With the modules."""

    def __init__(self, run: Run, tag: str = "") -> None:
        super().__init__(lambda name: boto3.client(name, region_name=REGION), tag)
        self.run = run

    def release(self, image: str) -> Json:
        containers = [{"name": "web", "image": image, "memory": 64}]
        definition = {"family": "web", "container_definitions": containers, "tags": TAGS}
        service = {"name": "web", "task_definition": definition, "desired_count": 0, "tags": TAGS}
        return self.run("ecs_release", cluster="shop", services=[service], project="shop", wait_timeout=20)

    def prune(self, check: bool = False, **options: t.Any) -> Json:
        given = {"project": "shop", "keep_releases": 10, "keep_days": 0, "format": "none", **options}
        return self.run("project_prune", check, **given)

    def numbers(self) -> list[int]:
        found = self.run("project_history", project="shop", format="none")["history"]["releases"]
        return [one["number"] for one in found]

    def everything(self) -> Json:
        return {
            "active": self.revisions(),
            "inactive": self.revisions(status="INACTIVE"),
            "images": self.digests(),
            "releases": self.numbers(),
        }


@pytest.fixture
def emulator(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "ministack"))


@pytest.fixture
def shop(run: Run, aws: None, emulator: str) -> Pruned:
    # moto deletes an image that loses its tag.
    return Pruned(run, "v" if emulator == "moto" else "")


@pytest.fixture
def released(shop: Pruned) -> Pruned:
    """A project after 13 releases, of which 10 are going to be kept."""
    for _number in range(13):
        shop.record_next()
    return shop


def stop(monkeypatch: pytest.MonkeyPatch, operation: str, after: bool = False) -> None:
    """Let a run be killed before a call, or after it."""

    def answer(called: str, _request: Json, call: Call) -> Json:
        if called != operation:
            return call()
        if after:
            call()
        raise KilledError

    hook(monkeypatch, answer)


def reasons(result: Json) -> dict[str, str]:
    return {one["name"]: one["reason"] for one in result["kept"]}


@pytest.mark.witness("project_prune")
@BOTH
def test_only_what_no_kept_release_needs_is_deleted(released: Pruned) -> None:
    predicted = released.prune(check=True)
    assert (released.revisions(), len(released.digests())) == (set(range(1, 14)), 13)
    done = released.prune()
    for member in ("changed", "diff", "deleted", "kept"):
        assert predicted[member] == done[member]
    # The oldest kept release, 4, is the first after what release 3 left: to roll back to that, 3 is needed.
    assert done["deleted"]["releases"] == [1, 2, 3]
    assert done["deleted"]["task_definitions"] == ["web:1", "web:2"]
    assert {one["digest"] for one in done["deleted"]["images"]} == set(released.images[:2])
    assert released.revisions() == set(range(3, 14))
    assert released.revisions(status="INACTIVE") == set()
    assert released.digests() == set(released.images[2:])
    assert reasons(done)["web:3"] == "release 4 needs it"
    again = released.prune()
    assert (again["changed"], again["diff"]) == (False, {"before": {}, "after": {}})


def test_each_release_that_is_listed_can_be_rolled_back_to(shop: Pruned, monkeypatch: pytest.MonkeyPatch) -> None:
    for pause in ("FIRST_PAUSE", "LONGEST_PAUSE"):
        monkeypatch.setattr(rollouts, pause, 0.01)
    for _number in range(12):
        assert "failed" not in shop.release(f"{shop.address}@{shop.put_next()}")
    done = shop.prune()
    assert (done["deleted"]["releases"], done["deleted"]["task_definitions"]) == ([1, 2], ["web:1"])
    assert reasons(done)["web:12"] == "release 12 needs it"
    for number in shop.numbers():
        plan = shop.run("ecs_release", True, cluster="shop", services=[], project="shop", rollback_to=str(number))
        assert "failed" not in plan, plan


def make_schedule(definition: str) -> None:
    here = "arn:aws:ecs:eu-central-1:000000000000"
    boto3.client("scheduler").create_schedule(
        Name="night",
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": f"{here}:cluster/shop",
            "RoleArn": "arn:aws:iam::000000000000:role/schedules",
            "EcsParameters": {"TaskDefinitionArn": f"{here}:task-definition/{definition}"},
        },
    )


def test_what_runs_is_kept(released: Pruned) -> None:
    first, second = (f"{released.address}@{digest}" for digest in released.images[:2])
    released.ecs.create_service(cluster="shop", serviceName="old", taskDefinition="web:1", desiredCount=0)
    # A family of another project, whose image is in this one's repository.
    released.register("batch", second, {"slipway:project": "other"})
    found = reasons(released.prune())
    assert found["web:1"] == "service old of cluster shop runs it"
    assert released.revisions() == {1, *range(3, 14)}
    assert {first.partition("@")[2], second.partition("@")[2]} < released.digests()
    names = [name for name in found if second.partition("@")[2] in name]
    assert [found[name] for name in names] == ["task definition batch:1 names it"]


def test_what_a_schedule_runs_is_kept(released: Pruned) -> None:
    make_schedule("web:2")
    assert reasons(released.prune())["web:2"] == "schedule night of group default runs it"
    assert released.revisions() == set(range(2, 14))


def test_what_an_unfinished_release_may_restore_is_kept(released: Pruned, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the history says nothing about it: the service itself has a checkpoint."""
    released.ecs.create_service(cluster="shop", serviceName="api", taskDefinition="web:1", desiredCount=0)
    with monkeypatch.context() as patch:
        stop(patch, "UpdateService", after=True)
        with pytest.raises(KilledError):
            released.run("ecs_release", cluster="shop", services=[{"name": "api", "task_definition": "web:13"}])
    assert reasons(released.prune())["web:1"] == "service api of cluster shop runs it"


def test_young_revisions_and_images_are_kept(released: Pruned) -> None:
    done = released.prune(keep_days=1)
    assert (done["deleted"]["task_definitions"], done["deleted"]["images"]) == ([], [])
    assert reasons(done)["web:1"] == "registered less than 1 days ago"


def test_only_the_projects_own_is_deleted(released: Pruned) -> None:
    for family, tags in (("other", {"slipway:project": "other"}), ("nobodys", {})):
        for number in range(3):
            released.register(family, f"app:{number}", tags)
    # In a family of the project, a revision that is not.
    released.ecs.untag_resource(resourceArn=released.register("mixed", "app:1"), tagKeys=["slipway:project"])
    released.register("mixed", "app:2")
    for name, tags in (("other", {}), ("common", {**TAGS, "slipway:shared": "true"})):
        released.create_repository(name, tags)
        for number in range(3):
            released.put(number, repository=name)
    done = released.prune()
    assert [released.revisions(family) for family in ("other", "nobodys", "mixed")] == [{1, 2, 3}, {1, 2, 3}, {1, 2}]
    assert [len(released.digests(name)) for name in ("other", "common")] == [3, 3]
    assert reasons(done)["mixed:1"] == "without the project's tag"
    assert reasons(done)["common"] == "other projects share it"


def test_parts_of_a_kept_index_are_kept(shop: Pruned) -> None:
    """Nothing names the manifest of a platform, and AWS refuses to delete it before the index."""

    def index(name: str) -> tuple[str, str]:
        part = shop.put(name, tag="part")
        return shop.put([{"digest": part, "size": 1, "mediaType": MANIFEST}], tag=name, kind=INDEX), part

    (old, old_part), (kept, kept_part) = index("old"), index("kept")
    shop.release(f"{shop.address}:kept")
    for number in range(2):
        shop.put(number, tag="part")
    done = shop.prune()
    assert done["deleted"]["images"][0]["digest"] == old
    assert old_part not in shop.digests()
    assert {kept, kept_part} < shop.digests()
    assert reasons(done)[f"shop/web@{kept_part}"] == f"part of {kept}"


@pytest.mark.parametrize("operation", ["DeregisterTaskDefinition", "DeleteTaskDefinitions", "BatchDeleteImage"])
def test_a_rerun_completes_a_killed_run(released: Pruned, operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        stop(patch, operation)
        with pytest.raises(KilledError):
            released.prune()
    # The history lists nothing whose revisions may be deleted.
    assert released.numbers() == list(range(13, 3, -1))
    assert released.prune()["changed"]
    assert released.revisions() == set(range(3, 14))
    assert released.digests() == set(released.images[2:])
    assert not released.prune()["changed"]


def test_keep_revisions_spares_what_the_history_needs(released: Pruned) -> None:
    """The module that registers revisions deregisters old ones, too."""
    options: Json = {"family": "web", "memory": "128", "tags": TAGS, "keep_revisions": 1}
    newest = released.run("ecs_task_definition", **{**options, "keep_revisions": 20})["task_definition"]["revision"]
    done = released.run("ecs_task_definition", **{**options, "memory": "256"})
    # No release has run the revision before.
    assert [arn.rpartition(":")[2] for arn in done["deregistered"]] == [str(newest)]
    assert released.revisions() == {*range(1, 14), newest + 1}


def test_keep_revisions_deregisters_nothing_if_the_history_cannot_be_read(
    released: Pruned, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(operation: str, _request: Json, call: Call) -> Json:
        if operation == "GetParametersByPath":
            raise error(operation, "AccessDeniedException")
        return call()

    hook(monkeypatch, answer)
    done = released.run("ecs_task_definition", family="web", memory="128", tags=TAGS, keep_revisions=1)
    assert (done["deregistered"], released.revisions()) == ([], set(range(1, 15)))
    warned = "no revision is deregistered, because the revisions that the history of the project shop needs"
    assert warned in str(done["warnings"])


def test_nothing_is_deleted_without_a_history(shop: Pruned) -> None:
    for number in range(3):
        shop.register("web", f"{shop.address}@{shop.put(number)}")
    done = shop.prune()
    assert not done["changed"]
    assert reasons(done) == {"shop": "no release is recorded, so it is unknown what is obsolete"}


def test_nothing_is_deleted_if_a_record_cannot_be_read(released: Pruned) -> None:
    before = released.everything()
    released.ssm.put_parameter(Name="/slipway/shop/release/9", Value="slipway 9 x", Type="String", Overwrite=True)
    failed = released.prune()
    assert failed["code"] == "history_unreadable"
    assert "Release 9 of the project shop: its record has version 9" in failed["msg"]
    assert released.everything() == before


def test_nothing_is_deleted_while_a_release_is_in_progress(released: Pruned) -> None:
    before = released.everything()
    value, _parts = history.encoded(history.Record(id="x", run="x", by="someone", services={}))
    released.ssm.put_parameter(Name="/slipway/shop/release/14", Value=value, Type="String")
    failed = released.prune()
    assert failed["code"] == "release_in_progress"
    assert "release 14 of someone" in failed["msg"]
    assert {**released.everything(), "releases": before["releases"]} == before


@pytest.mark.parametrize(("option", "value"), [("keep_releases", 9), ("keep_days", -1)])
def test_invalid_numbers_are_refused(shop: Pruned, option: str, value: int) -> None:
    failed = shop.prune(**{option: value})
    assert (failed["code"], option in failed["msg"]) == ("invalid_option", True)


def test_the_list_says_what_happens_and_why() -> None:
    deleted = {
        "releases": [1],
        "task_definitions": ["web:1"],
        "images": [{"repository": "shop/web", "digest": "sha256:0d4a", "tags": ["1.0"]}],
        "bytes": 52_000_000,
    }
    result = {
        "deleted": deleted,
        "kept": [{"kind": "task definition", "name": "web:2", "reason": "release 2 needs it"}],
    }
    assert listing(result, check_mode=True) == [
        "would delete  release 1 of the history",
        "would delete  task definition web:1",
        "would delete  image shop/web@sha256:0d4a (1.0)",
        "kept          task definition web:2: release 2 needs it",
        "Would delete 1 release, 1 task definition, 1 image, at most 52 MB; kept 1.",
    ]
