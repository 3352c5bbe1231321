# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blue/green, canary and linear deployments with real containers under load: a bad version serves at most its share.

SLIPWAY_TRAFFIC is a folder for what was measured, which docs/traffic_plot.py draws.
"""

from __future__ import annotations

import os
import threading
import typing as t
from pathlib import Path

import boto3
import pytest

from ansible_collections.slipway.aws.tests.integration.conftest import Json, Shop, fails
from ansible_collections.slipway.aws.tests.integration.processes import Playbook, Run, await_that
from ansible_collections.slipway.aws.tests.integration.strategies import (
    ERROR,
    PATIENCE,
    Project,
    Site,
    Terminal,
    Traffic,
)

pytestmark = pytest.mark.slow
UNAVAILABLE = "503 Service Unavailable"
# On the local cloud of the tests, a minute of a deployment lasts six seconds.
CANARY = {"percent": 10, "minutes": 10, "bake_minutes": 1}
LOOK = {"pause": ["POST_TEST_TRAFFIC_SHIFT"], "pause_minutes": 100, "bake_minutes": 0}
SHARE = 10


@pytest.fixture
def site(shop: Shop, network: Json, listening: list[str], endpoint: str) -> t.Iterator[Site]:
    site = Site(shop, network, listening, endpoint)
    try:
        site.create()
        yield site
    finally:
        site.delete()


@pytest.fixture
def alarm(site: Site) -> t.Iterator[str]:
    """The name of an alarm on errors of the service. Tests set its state: the local cloud measures no requests."""
    cloudwatch = boto3.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=site.name,
        Namespace="AWS/ApplicationELB",
        MetricName="HTTPCode_Target_5XX_Count",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=3,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName=site.name, StateValue="OK", StateReason="no errors")
    yield site.name
    cloudwatch.delete_alarms(AlarmNames=[site.name])


@pytest.fixture
def terminal(tmp_path: Path) -> t.Iterator[t.Callable[..., Terminal]]:
    """`terminal("continue", "-e", …)` runs a playbook at a terminal."""
    started: list[Terminal] = []

    def run(playbook: str, *arguments: str) -> Terminal:
        started.append(Terminal(tmp_path, playbook, *arguments))
        return started[-1]

    yield run
    for one in started:
        one.close()


@pytest.fixture
def start(site: Site, tmp_path: Path) -> t.Iterator[t.Callable[..., Playbook]]:
    """`start("v2", "canary", …)` releases in a process of its own, of which nothing outlives the test."""
    started: list[Playbook] = []

    def run(*args: t.Any, **options: t.Any) -> Playbook:
        started.append(Playbook(tmp_path, "ecs_release", **site.options(*args, **options)))
        return started[-1]

    yield run
    for playbook in started:
        playbook.kill()


def save(traffic: Traffic, name: str) -> None:
    if folder := os.environ.get("SLIPWAY_TRAFFIC"):
        traffic.save(Path(folder, f"{name}.json"))


def end(run: Run) -> int:
    return run.process.wait(PATIENCE)


@pytest.mark.parametrize("strategy", ["blue_green", "canary"])
def test_a_version_that_fails_its_health_checks_serves_no_request(site: Site, strategy: str) -> None:
    assert site.release("v1", strategy, {"bake_minutes": 0}).get("changed")
    before = site.revision()
    with Traffic(site) as traffic:
        failed = site.release("v2", strategy, {"bake_minutes": 0}, ready=UNAVAILABLE)
    save(traffic, f"unhealthy_{strategy}")
    fails(failed, "health_check_failing", "expected 200, got 503", "Rolled back: web.")
    assert (len(traffic.of("v2")), traffic.failed()) == (0, [])
    assert len(traffic.of("v1")) > 100
    # Not by another deployment, which would go through all stages again.
    assert site.deployment()["status"] == "ROLLBACK_SUCCESSFUL"
    assert (site.revision(), site.request("production")) == (before, ("v1", 200))


def test_a_canary_with_errors_serves_at_most_its_share(site: Site, alarm: str) -> None:
    canary = {**CANARY, "alarms": [alarm]}
    assert site.release("v1", "canary", canary).get("changed")
    before = site.revision()
    with Traffic(site) as traffic:
        watching = threading.Thread(target=ring, args=(traffic, alarm))
        watching.start()
        failed = site.release("v2", "canary", canary, page=ERROR)
        watching.join()
        after = traffic.now
        await_that(lambda: traffic.now > after + 5, lambda: "the clock stands")
    save(traffic, "canary_errors")
    fails(
        failed,
        "rolled_back",
        "rolled back because of one or more active alarms.",
        f"The service runs {site.name}:1 again.",
    )
    assert traffic.failed("v2") == []
    shared, bad = traffic.while_possibly_shared(SHARE), traffic.of("v2")
    print(f"{len(bad)} of {len(traffic.of('v1')) + len(bad)} requests failed, of {len(shared)} with the weight {SHARE}")
    # One more where the number of requests is no multiple of ten.
    assert 20 <= len(bad) <= SHARE / 100 * len(shared) + 1
    assert (site.revision(), site.request("production")) == (before, ("v1", 200))


def ring(traffic: Traffic, alarm: str) -> None:
    """Set off the alarm once visitors have got errors for a while."""
    reached = lambda: len(traffic.of("v2")) >= 20  # noqa: E731
    await_that(reached, traffic.summary, PATIENCE)
    state = {"StateValue": "ALARM", "StateReason": "errors of the service"}
    boto3.client("cloudwatch").set_alarm_state(AlarmName=alarm, **state)


def test_a_person_stops_a_blue_green_deployment_whose_test_traffic_fails(
    site: Site, start: t.Callable[..., Playbook]
) -> None:
    assert site.release("v1", "blue_green", {"bake_minutes": 0}).get("changed")
    before = site.revision()
    with Traffic(site) as traffic:
        run = start("v2", "blue_green", LOOK, page=ERROR)
        site.wait_paused(run)
        await_that(lambda: bool(traffic.of("v2", "test")), traffic.summary)
        assert site.request("test") == ("v2", 500)
        (stopped,) = site.steer("stopped")["deployments"]
        assert stopped["status"] == "ROLLBACK_SUCCESSFUL", stopped
        assert end(run) != 0
    save(traffic, "blue_green_stopped")
    assert "The service runs" in run.output, run.output
    assert (len(traffic.of("v2")), traffic.failed()) == (0, [])
    assert (site.revision(), site.request("production"), site.request("test")) == (before, ("v1", 200), ("v1", 200))


def test_linear_shifts_step_by_step_and_no_request_fails(site: Site) -> None:
    linear = {"percent": 25, "minutes": 1, "bake_minutes": 1}
    assert site.release("v1", "linear", linear).get("changed")
    with Traffic(site) as traffic:
        released = site.release("v2", "linear", linear)
    save(traffic, "linear")
    assert released.get("changed"), released
    assert traffic.failed() == []
    for weight in (25, 50, 75):
        shared = traffic.while_shared(weight)
        share = 100 * sum(one.version == "v2" for one in shared) / max(1, len(shared))
        print(f"{share:.1f} % of {len(shared)} requests while the weight was {weight}")
        assert abs(share - weight) < 5
    assert site.request("production") == ("v2", 200)


def test_a_person_stops_a_canary_and_continues_the_next(site: Site, start: t.Callable[..., Playbook]) -> None:
    canary = {**CANARY, "minutes": 100}
    assert site.release("v1", "canary", canary).get("changed")
    before = site.revision()
    with Traffic(site) as traffic:
        run = start("v2", "canary", canary)
        await_that(lambda: len(traffic.of("v2")) >= 5, run.describe, PATIENCE)
        (stopped,) = site.steer("stopped")["deployments"]
        assert (stopped["status"], end(run) != 0) == ("ROLLBACK_SUCCESSFUL", True), stopped
        assert (site.revision(), sorted(site.weights().values())[0]) == (before, 0)

        run = start("v3", "blue_green", LOOK)
        shown = "paused at POST_TEST_TRAFFIC_SHIFT until"
        await_that(lambda: any(shown in line for line in run.lines), run.describe, PATIENCE)
        assert (site.request("test"), site.request("production")) == (("v3", 200), ("v1", 200))
        (continued,) = site.steer("continued")["deployments"]
        assert (continued["status"], end(run)) == ("SUCCESSFUL", 0), run.output
    assert traffic.failed() == []
    assert (site.request("test"), site.request("production")) == (("v3", 200), ("v3", 200))


def test_a_pause_is_asked_about_at_a_terminal(
    site: Site, start: t.Callable[..., Playbook], terminal: t.Callable[..., Terminal]
) -> None:
    assert site.release("v1", "blue_green", {"bake_minutes": 0}).get("changed")
    run = start("v2", "blue_green", LOOK)
    site.wait_paused(run)
    silent = terminal("continue", *site.arguments(), "-e", "continue_timeout=3")
    assert silent.end() != 0
    assert "got none within 3 s" in silent.output, silent.output
    site.wait_paused(run)
    answered = terminal("continue", *site.arguments(), "-e", "continue_timeout=600")
    answered.await_text("Type continue or rollback, then press Enter, within 600 s:")
    assert "web is paused at POST_TEST_TRAFFIC_SHIFT until" in answered.output
    answered.type("rollback")
    assert answered.end() == 0, answered.output
    assert (end(run) != 0, site.request("production"), site.request("test")) == (True, ("v1", 200), ("v1", 200))
    assert site.deployment()["status"] == "ROLLBACK_SUCCESSFUL"


def test_a_release_whose_check_fails_is_rolled_back_without_approval(
    site: Site, start: t.Callable[..., Playbook]
) -> None:
    assert site.release("v1", "blue_green", {"bake_minutes": 0}).get("changed")
    # The settings alone start no deployment, and are what a rollback restores.
    assert site.release("v1", "blue_green", LOOK).get("changed")
    before = site.revision()
    headers = {"Host": f"{site.name}.alb.localhost:80"}
    page = {"name": "page", "url": f"http://{site.address}/", "headers": headers, "content": "v3"}
    with Traffic(site) as traffic:
        run = start("v2", "blue_green", LOOK, verify=[page], verify_timeout=3)
        site.wait_paused(run)
        (continued,) = site.steer("continued")["deployments"]
        assert (continued["status"], end(run) != 0) == ("SUCCESSFUL", True), run.output
    assert any("continues after its pause at POST_TEST_TRAFFIC_SHIFT" in line for line in run.lines), run.output
    assert "Rolled back: web." in run.output, run.output
    assert traffic.failed() == []
    assert (site.revision(), site.request("production")) == (before, ("v1", 200))


@pytest.fixture
def project(aws: None, endpoint: str, tmp_path: Path) -> t.Iterator[Project]:
    """A project of the playbooks. Nothing of it outlives the test."""
    project = Project(tmp_path, endpoint)
    yield project
    run = project.start("destroy", project.variables("v1", "rolling", {}), "-e", f"destroy_confirm={project.name}")
    assert run.process.wait(PATIENCE) == 0, run.output


def test_a_site_changes_its_strategy_back_and_forth_and_is_destroyed(project: Project) -> None:
    now = {"bake_minutes": 0}
    assert project.changes("v1", "canary", {**now, "minutes": 0}) > 10
    project.find_rules()
    first = project.weights()
    with Traffic(project) as traffic:
        for version, strategy, settings in (
            ("v2", "canary", {**now, "minutes": 1}),
            ("v3", "rolling", {}),
            ("v4", "blue_green", now),
        ):
            assert project.changes(version, strategy, settings) > 0
            assert project.request("production") == (version, 200)
            # What ECS has shifted is left to it.
            assert project.changes(version, strategy, settings) == 0
    assert traffic.failed() == []
    # The canary has changed places, and so has blue/green.
    assert project.weights() == first

    run = project.site("v5", "blue_green", LOOK)
    project.wait_paused(run)
    variables = project.variables("v5", "blue_green", LOOK)
    destroyed = project.start("destroy", variables, "-e", f"destroy_confirm={project.name}")
    assert destroyed.process.wait(PATIENCE) == 0, destroyed.output
    assert run.process.wait(PATIENCE) != 0
    assert "deleted" in run.output, run.output
