# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every resource is read, compared, predicted, changed once and waited for in the same way."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core import creating, resource, waiting
from ansible_collections.slipway.aws.plugins.module_utils._core.error_codes import CONFLICT, INVALID_OPTION
from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._core.plan import UNKNOWN, Plan
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Connection, Json

DELETING: Json = {"name": "shop", "size": 1, "tags": {}, "status": "DELETING"}


class Cloud:
    """One shop, or none. `calls` are those that change it, `reads` the answers that come before the real one."""

    def __init__(self, shop: Json | None = None, *reads: Json | None) -> None:
        self.shop, self.reads, self.calls = shop, list(reads), list[str]()

    def read(self) -> Json | None:
        return self.reads.pop(0) if self.reads else self.shop

    def write(self, call: str, shop: Json | None) -> None:
        self.calls.append(call)
        self.shop = shop


class Shop(resource.DeletableResource):
    service = "shops"
    key = kind = "shop"
    new: t.ClassVar[Json] = {"id": UNKNOWN, "size": 1, "tags": {}}

    def validate(self) -> None:
        if self.params["size"] == 0:
            raise SlipwayError(INVALID_OPTION, "size: expected 1 or more, got 0.")

    def find(self) -> Json | None:
        return t.cast("Json | None", self.aws.read())

    def from_api(self, answer: Json) -> Json:
        return {member: answer[member] for member in ("name", "size", "tags")} | {"id": answer.get("id", "s-1")}

    def desired(self, current: Json | None) -> Json:
        return {"name": self.params["name"], "size": self.params["size"], "tags": self.desired_tags(current)}

    def create(self, planned: Plan) -> None:
        if self.aws.shop:
            raise SlipwayError(CONFLICT, "There is a shop.")
        self.aws.write("create", {"size": 1, "tags": {}, **planned.predicted})

    def update(self, current: Json, planned: Plan, answer: Json) -> None:
        self.aws.write("update", {**answer, **planned.after})

    def delete(self, current: Json) -> bool:
        found = self.aws.shop is not None
        self.aws.write("delete", None)
        return found

    def is_deleting(self, answer: Json) -> bool:
        return answer.get("status") == "DELETING"

    def is_busy(self, answer: Json | None) -> bool:
        return (answer or {}).get("status") == "BUSY"

    def wait_stable(self, created: Json | None) -> Json | None:
        return self.wait_until(lambda answer: not self.is_busy(answer), "to be stable")

    def progress(self, answer: Json | None) -> Json:
        return {"status": (answer or {}).get("status", "")}


def run(cloud: Cloud, check: bool = False, **options: t.Any) -> Json:
    given = {"state": "present", "name": "shop", "size": None, "tags": None, "purge_tags": True}
    params = {**given, "wait": True, "wait_timeout": 5, **options}
    return resource.run(Shop(Connection(lambda _service, _region="": cloud, params, check)))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "FIRST_PAUSE", 0.001)


def test_twelve_steps() -> None:
    cloud = Cloud()
    created: Json = {"size": 2, "tags": {"team": "shop"}}
    for options in (created, {"size": 3, "tags": {"team": "other"}}, {"state": "absent"}):
        before = cloud.shop
        predicted = run(cloud, check=True, **options)
        assert cloud.shop == before
        real = run(cloud, **options)
        assert (predicted["changed"], real["changed"], predicted["diff"]) == (True, True, real["diff"])
        assert {**real["shop"], "id": ""} == {**predicted["shop"], "id": ""}
        for check in (True, False):
            again = run(cloud, check=check, **options)
            assert (again["changed"], again["diff"]) == (False, {"before": {}, "after": {}})
    assert cloud.calls == ["create", "update", "delete"]


def test_what_is_not_known_of_a_new_one_is_unknown() -> None:
    assert run(Cloud(), check=True)["shop"] == {"name": "shop", "id": UNKNOWN, "size": 1, "tags": {}}


def test_invalid_options_fail_before_anything_is_read() -> None:
    cloud = Cloud(None, None)
    with pytest.raises(SlipwayError, match="size: expected"):
        run(cloud, size=0)
    assert cloud.reads == [None]


def test_one_that_is_being_deleted_is_created_after_its_deletion() -> None:
    cloud = Cloud(None, DELETING, DELETING)
    assert run(cloud, size=2)["diff"]["before"] == {}
    assert (cloud.calls, cloud.shop) == (["create"], {"name": "shop", "size": 2, "tags": {}})
    cloud = Cloud(None, DELETING, DELETING)
    assert run(cloud, check=True)["changed"]
    assert cloud.reads == [DELETING]


def test_one_that_a_read_did_not_show_is_updated() -> None:
    cloud = Cloud({"name": "shop", "size": 1, "tags": {}}, None)
    result = run(cloud, size=2)
    assert (result["diff"], cloud.calls) == ({"before": {"size": 1}, "after": {"size": 2}}, ["update"])


def test_a_result_is_not_older_than_the_change() -> None:
    """Reads may show for a while what was true before it.

    https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
    """
    old: Json = {"name": "shop", "size": 1, "tags": {}}
    cloud = Cloud(old, old, old, old, old)
    result = run(cloud, size=2)
    assert (result["shop"]["size"], cloud.calls) == (2, ["update"])


def test_a_change_that_no_read_shows_is_not_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(creating.visible, "__defaults__", (None, 0.05))
    monkeypatch.setattr(Cloud, "write", lambda cloud, call, _shop: cloud.calls.append(call))
    cloud = Cloud({"name": "shop", "size": 1, "tags": {}})
    assert run(cloud, size=2)["shop"]["size"] == 1


def test_an_earlier_change_is_waited_for() -> None:
    busy: Json = {"name": "shop", "size": 1, "tags": {}, "status": "BUSY"}
    cloud = Cloud({**busy, "status": "", "id": "s-2"}, busy, busy)
    result = run(cloud)
    assert (result["changed"], result["shop"]["id"]) == (False, "s-2")


def test_a_time_out_says_what_was_waited_for() -> None:
    with pytest.raises(SlipwayError, match="waiting for shop shop to be deleted") as raised:
        run(Cloud(DELETING), state="absent", wait_timeout=0)
    assert raised.value.details == {"status": "DELETING"}
    assert not run(Cloud(DELETING), state="absent", wait=False)["changed"]


def test_one_that_somebody_else_deletes_meanwhile_is_unchanged() -> None:
    cloud = Cloud(None, {"name": "shop", "size": 1, "tags": {}})
    assert run(cloud, state="absent") == {"changed": False, "diff": {"before": {}, "after": {}}, "shop": {}}
