# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases that are killed, interrupted or concurrent: nothing of others is lost, and a rerun converges."""

from __future__ import annotations

import os
import signal
import typing as t

import pytest

from ansible_collections.slipway.aws.benchmarks import cloud
from ansible_collections.slipway.aws.tests.races.account import BROKEN, Json, Project, Run, Strikes, start
from ansible_collections.slipway.aws.tests.races.cases import Case, draw
from ansible_collections.slipway.aws.tests.races.service_deployments import ServiceDeployments

# The cases are those of the seeds from the first on; 200 of them are what the slow tests run.
NUMBER = int(os.environ.get("SLIPWAY_RACES", "200"))
FIRST = int(os.environ.get("SLIPWAY_RACES_SEED", "0"))
# Deployments take long enough to be disturbed.
ROLLOUT_SECONDS = 1.0
SIGNALS = {"kill": signal.SIGKILL, "interrupt": signal.SIGINT, "terminate": signal.SIGTERM}
BYSTANDER = "bystander"


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[str]:
    """An account whose tasks are no containers, and whose deployments take a while."""
    with cloud.started(tmp_path_factory.mktemp("emulator"), ROLLOUT_SECONDS) as account:
        yield f"http://127.0.0.1:{account.port}"


@pytest.fixture
def proxy(emulator: str) -> t.Iterator[Strikes]:
    with Strikes(emulator) as proxy:
        yield proxy


class Stage:
    """One case being played."""

    def __init__(self, case: Case, emulator: str, proxy: Strikes) -> None:
        self.case = case
        self.proxy = proxy
        self.project = Project(emulator, f"race-{case.seed}")
        self.project.ecs.create_cluster(clusterName=self.project.cluster)
        self.project.create_by_hand(BYSTANDER)
        self.others: list[Run] = []
        if case.service_deployments:
            proxy.deployments = ServiceDeployments()

    def wanted(self, names: t.Sequence[str], version: str, fails: bool = False) -> Json:
        """A release of these services, the last of which may be the one that fails."""
        named = [*names, *([BROKEN] if fails else [])]
        services = [
            self.project.service(name, version, named[place - 1 : place] if self.case.ordered and place else ())
            for place, name in enumerate(named)
        ]
        return self.project.options(services)

    def run(self, options: Json) -> tuple[Json, str]:
        release = start(self.proxy.address, options)
        result = release.end()
        return result, release.output

    def disturb(self, release: Run) -> None:
        """What the case wants to happen."""
        event = self.case.event
        if event in SIGNALS:
            release.signal(SIGNALS[event])
        elif event == "other creator":
            for name in self.case.new:
                self.project.create_by_hand(name)
        else:
            same = event == "same release"
            asked = self.wanted(self.case.names, "v2" if same else "v3", same and self.case.fails)
            self.others.append(start(self.proxy.address, asked))


@pytest.mark.parametrize("case", [draw(seed) for seed in range(FIRST, FIRST + NUMBER)], ids=str)
def test_whatever_happens_to_a_release(case: Case, emulator: str, proxy: Strikes) -> None:
    stage = Stage(case, emulator, proxy)
    before = [*case.existing, *([BROKEN] if case.fails else [])]
    made, output = stage.run(stage.project.options([stage.project.service(name, "v1") for name in before]))
    assert made.get("changed"), output
    bystander = stage.project.described()[BYSTANDER]

    wanted = stage.wanted(case.names, "v2", case.fails)
    release = start(proxy.address, wanted)
    proxy.arm(case, lambda: stage.disturb(release))
    result = release.end()
    proxy.disarm()
    outputs = [release.output, *((other.end() and other.output) or other.output for other in stage.others)]
    print(f"struck at {proxy.struck or 'no call'}: {result.get('msg', 'no failure')}")
    print(*(f"other: {other.end().get('msg', 'no failure')}" for other in stage.others), sep="\n")
    assert not [text for text in outputs if "Traceback" in text], outputs
    if case.event == "interrupt" and proxy.struck:
        assert result.get("code", "interrupted") == "interrupted" or not result.get("failed"), result

    holds_theirs(stage)
    last = stage.wanted(case.names, "v3" if case.event == "other release" else "v2", case.fails)
    again, output = stage.run(last)
    holds_the_right_end(stage, again, output, last)
    holds_theirs(stage)
    assert unchanged(stage.project.described()[BYSTANDER]) == unchanged(bystander)


def holds_theirs(stage: Stage) -> None:
    missing = stage.project.by_hand - stage.project.described().keys()
    assert not missing, f"services of another client are deleted: {missing}"


def holds_the_right_end(stage: Stage, again: Json, output: str, wanted: Json) -> None:
    """The rerun has succeeded and a further one changes nothing; or it failed as it must, and all is as before."""
    case, project = stage.case, stage.project
    assert "Traceback" not in output
    assert project.checkpoints() == [], again
    images = project.images()
    if not case.fails or case.event == "other release":
        assert not again.get("failed"), again
        version = "v3" if case.event == "other release" else "v2"
        assert {name: images[name] for name in case.names} == {
            name: f"registry.example/{name}:{version}" for name in case.names
        }
        third, output = stage.run(wanted)
        assert third.get("changed") is False, (third, output)
    else:
        assert again.get("failed"), again
        assert {name: images[name] for name in case.existing} == {
            name: f"registry.example/{name}:v1" for name in case.existing
        }
        assert images[BROKEN] == f"registry.example/{BROKEN}:v1"
        left = {name for name in case.new if name in images} - project.by_hand
        assert not left, f"created by a failed release and left: {left}"
    if case.event in SIGNALS:
        for name in case.names:
            found = project.revisions(name)
            assert len(found) == len(set(found)), f"equal revisions were registered: {found}"


def unchanged(service: Json) -> Json:
    return {name: service[name] for name in ("serviceArn", "createdAt", "taskDefinition", "desiredCount", "tags")}
