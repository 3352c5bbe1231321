# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logs of several services: all lines, each once, in the order of time."""

from __future__ import annotations

import dataclasses
import itertools
import os
import threading
import time
import typing as t
from pathlib import Path

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.slipway.aws.plugins.module_utils._core.waiting import WAITING_FILE
from ansible_collections.slipway.aws.plugins.module_utils._ecs.cloud import Cloud
from ansible_collections.slipway.aws.plugins.module_utils._ecs.logs import flow, model
from ansible_collections.slipway.aws.tests.proxies.base import Answer, Proxy, Request, json_error

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

Json = dict[str, t.Any]
BOTH = pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
REGION = "eu-central-1"


def logged(group: str, prefix: str = "ecs") -> Json:
    options = {"awslogs-group": group, "awslogs-region": REGION, "awslogs-stream-prefix": prefix}
    return {"logConfiguration": {"logDriver": "awslogs", "options": options}}


class Shop:
    """A cluster with two services, and what their containers write."""

    def __init__(self) -> None:
        self.ecs, self.logs = boto3.client("ecs"), boto3.client("logs")
        self.ecs.create_cluster(clusterName="shop")
        self.streams: set[str] = set()
        for name, group in (("web", "/shop"), ("worker", "/worker")):
            self.logs.create_log_group(logGroupName=group)
            self.register(name, group)
            self.ecs.create_service(cluster="shop", serviceName=name, taskDefinition=name, desiredCount=0)

    def register(self, name: str, group: str) -> None:
        containers = [{"name": one, "image": "app:1", "memory": 64, **logged(group, name)} for one in ("app", "proxy")]
        self.ecs.register_task_definition(family=name, containerDefinitions=containers)

    def write(self, group: str, stream: str, *texts: str, age: float = 0) -> None:
        place = {"logGroupName": group, "logStreamName": stream}
        if stream not in self.streams:
            self.logs.create_log_stream(**place)
            self.streams.add(stream)
        at = int((time.time() - age) * 1000)
        events = [{"timestamp": at + number, "message": text} for number, text in enumerate(texts)]
        self.logs.put_log_events(**place, logEvents=events)


@pytest.fixture
def shop(aws: None) -> Shop:
    return Shop()


def messages(result: Json) -> list[str]:
    assert "failed" not in result, result
    return [line["message"] for line in result["lines"]]


@BOTH
@pytest.mark.witness("ecs_service_logs")
def test_lines_of_all_services_are_in_the_order_of_time(shop: Shop, run: RunModule) -> None:
    shop.write("/shop", "web/app/1", "second", age=20)
    shop.write("/worker", "worker/app/2", "first", age=30)
    shop.write("/shop", "web/proxy/1", "third\n  of two lines", age=10)
    shop.write("/shop", "other/app/1", "of nobody", age=10)
    shop.write("/shop", "web/app/1", "too old", age=5000)
    result = run("ecs_service_logs", cluster="shop")
    assert messages(result) == ["first", "second", "third", "  of two lines"]
    line = result["lines"][1]
    assert (line["service"], line["container"], line["task_id"]) == ("web", "app", "1")
    assert messages(run("ecs_service_logs", cluster="shop", services=["web"], containers=["app"])) == ["second"]
    assert messages(run("ecs_service_logs", cluster="shop", lines=1)) == ["  of two lines"]


@BOTH
def test_only_lines_that_match_the_filter(shop: Shop, run: RunModule) -> None:
    shop.write("/shop", "web/app/1", "GET / 200", "ERROR: disk full", age=10)
    assert messages(run("ecs_service_logs", cluster="shop", filter="ERROR")) == ["ERROR: disk full"]


@BOTH
def test_what_is_written_later_is_followed_and_each_line_is_shown_once(
    shop: Shop, run: RunModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "READ_EVERY", 0.1)
    monkeypatch.setattr(flow, "REFRESH_EVERY", 0.3)
    shop.write("/shop", "web/app/1", "before", age=10)

    def later() -> None:
        for number in range(10):
            # Out of order, as the agents of two hosts deliver.
            shop.write("/shop", f"web/app/{number % 2}", f"line {number}", age=number % 3)
            time.sleep(0.1)
        # A new version logs elsewhere.
        shop.logs.create_log_group(logGroupName="/new")
        shop.register("web", "/new")
        shop.ecs.update_service(cluster="shop", service="web", taskDefinition="web")
        shop.write("/new", "web/app/3", "from the new version")

    writer = threading.Thread(target=later)
    writer.start()
    result = run("ecs_service_logs", cluster="shop", services=["web"], follow=True, follow_timeout=4)
    writer.join()
    assert sorted(messages(result)) == sorted(["before", *(f"line {n}" for n in range(10)), "from the new version"])


def test_all_lines_are_shown_whatever_number_is_returned(
    shop: Shop, run: RunModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WAITING_FILE, str(tmp_path / "lines"))
    shop.write("/shop", "web/app/1", "first", "second", age=10)
    assert messages(run("ecs_service_logs", cluster="shop", lines=1)) == ["second"]
    lines = (tmp_path / "lines").read_text().splitlines()
    assert [line.split()[1:] for line in lines] == [["web/app", "first"], ["web/app", "second"]]


def test_a_service_that_does_not_exist_is_refused(shop: Shop, run: RunModule) -> None:
    result = run("ecs_service_logs", cluster="shop", services=["web", "wbe"])
    assert (result["code"], result["missing"]) == ("not_found", ["wbe"])


def test_a_negative_number_is_refused(shop: Shop, run: RunModule) -> None:
    assert "since: expected 0 or more, got -1" in run("ecs_service_logs", cluster="shop", since=-1)["msg"]


def test_check_mode_does_not_follow(shop: Shop, run: RunModule) -> None:
    shop.write("/shop", "web/app/1", "a line", age=10)
    assert messages(run("ecs_service_logs", check=True, cluster="shop", follow=True)) == ["a line"]


def test_a_container_whose_log_cannot_be_read_is_named() -> None:
    definition = {"containerDefinitions": [{"name": "web"}, {"name": "log", **logged("/shop", "")}]}
    found, problems = model.sources("shop", definition)
    assert found == []
    assert problems[0].startswith("shop/web: expected the log driver awslogs, got the default of its host.")
    assert problems[1].startswith("shop/log: expected awslogs-stream-prefix, got none.")


def test_services_that_write_to_the_same_streams_are_shown_together() -> None:
    place = model.Place(REGION, "/shop")
    found = [model.Source(name, "app", place, "ecs/app/") for name in ("web", "worker", "web")]
    assert model.merged(found) == [model.Source("web,worker", "app", place, "ecs/app/")]


def event(number: int, at: float, stream: str = "web/app/1") -> Json:
    return {"eventId": str(number), "timestamp": int(at * 1000), "message": f"{number}\n", "logStreamName": stream}


def shown(lines: t.Iterable[model.Line]) -> list[int]:
    return [int(line.message) for line in lines]


PLACE = model.Place(REGION, "/shop")
APP, API = (model.Source("web", name, PLACE, f"web/{name}/") for name in ("app", "api"))
ARRIVALS = st.lists(st.tuples(st.integers(0, 200), st.integers(0, model.LATE // 1000)), max_size=40)


@given(ARRIVALS, st.integers(0, 20))
def test_events_that_arrive_late_are_read_once(arrivals: list[tuple[int, int]], found_after: int) -> None:
    """Each event has a time, and arrives up to 30 seconds later than one of that time may.

    Half of the streams have a source only after a while, as those of a new version.
    """
    written = [(event(n, at, f"web/{'api' if n % 2 else 'app'}/1"), at + late) for n, (at, late) in enumerate(arrivals)]
    seen, read = model.Seen(0), []
    for now in itertools.chain(range(0, 231, 7), [231]):
        sources = [APP, API] if now >= found_after else [APP]
        there = [one for one, arrives in written if arrives <= now and one["timestamp"] >= seen.start]
        read += shown(seen.new(there, sources, now * 1000))
    assert sorted(read) == list(range(len(written)))


def test_what_a_new_container_wrote_before_it_was_found_is_shown() -> None:
    seen = model.Seen(0)
    events = [event(1, 10), event(2, 11, "web/api/7")]
    assert shown(seen.new(events, [APP], 12_000)) == [1]
    assert shown(seen.new([*events, event(3, 15, "web/api/7")], [APP, API], 20_000)) == [2, 3]


def test_a_host_whose_clock_is_ahead_hides_nothing() -> None:
    seen = model.Seen(0)
    assert shown(seen.new([event(1, 5000)], [APP], 100_000)) == [1]
    assert seen.start == 70_000
    assert shown(seen.new([event(2, 90), event(1, 5000)], [APP], 101_000)) == [2]


def test_a_clock_that_is_set_back_repeats_nothing() -> None:
    seen = model.Seen(0)
    seen.new([event(1, 100)], [APP], 100_000)
    seen.new([], [APP], 50_000)
    assert seen.start == 70_000


def test_streams_of_another_prefix_that_begins_alike_belong_to_no_source() -> None:
    events = [event(1, 10, "web/app/proxy/7"), event(2, 11), event(3, 12, "web/apparel/7"), event(4, 13, "7")]
    assert shown(model.Seen(0).new(events, [APP], 20_000)) == [2]


def test_only_line_feeds_separate_lines() -> None:
    text = "page 1\x0cpage 2\u2028end\r\n\n  indented\n"
    found = model.lines({**event(1, 10), "message": text}, APP)
    assert [line.message for line in found] == ["page 1\x0cpage 2\u2028end", "", "  indented"]


@pytest.mark.parametrize("emulator", ["ministack"], indirect=True)
def test_a_service_that_is_deleted_while_it_is_followed_ends_nothing(shop: Shop) -> None:
    params = {"cluster": "shop", "services": ["web", "worker"], "containers": None, "filter": ""}
    reader = flow.Reader(Cloud(lambda service, region="": boto3.client(service)), params, 0)
    shop.ecs.delete_service(cluster="shop", service="web", force=True)
    reader.find()
    shop.write("/worker", "worker/app/2", "still here", age=10)
    shop.write("/shop", "web/app/2", "the last words", age=9)
    assert [line.message for line in reader.read()] == ["still here", "the last words"]
    assert reader.services == ["web", "worker"]


@pytest.mark.parametrize("emulator", ["ministack"], indirect=True)
def test_credentials_that_expire_while_logs_are_followed(
    shop: Shop, run: RunModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "READ_EVERY", 0.05)
    shop.write("/shop", "web/app/1", "a line", age=10)

    def before(request: Request) -> Answer | None:
        ended = proxy.calls["FilterLogEvents"] > 6
        return (
            json_error("ExpiredTokenException", "The security token included in the request is expired")
            if ended
            else None
        )

    with Proxy(os.environ["AWS_ENDPOINT_URL"], before) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        result = run("ecs_service_logs", cluster="shop", follow=True, follow_timeout=60)
    assert (result["code"], result["operation"]) == ("no_credentials", "FilterLogEvents")
    assert proxy.calls["FilterLogEvents"] == 7, "not tried again"


@pytest.mark.parametrize("emulator", ["ministack"], indirect=True)
def test_an_unreadable_answer_does_not_end_it(shop: Shop, run: RunModule, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.write("/shop", "web/app/1", "a line", age=10)

    def after(request: Request, answer: Answer) -> Answer:
        first = request.operation == "FilterLogEvents" and proxy.calls["FilterLogEvents"] == 1
        return dataclasses.replace(answer, body=b"<html>Sign in to the network</html>") if first else answer

    with Proxy(os.environ["AWS_ENDPOINT_URL"], after=after) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        assert messages(run("ecs_service_logs", cluster="shop", services=["web"])) == ["a line"]
