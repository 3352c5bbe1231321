# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays a case: the run that is disturbed, its rerun and one more, and asserts what a user would notice of each."""

from __future__ import annotations

import typing as t

from ansible_collections.slipway.aws.tests.races.account import Json, Run, start
from ansible_collections.slipway.aws.tests.races.disturber import CHANGING, FIRST, SECOND
from ansible_collections.slipway.aws.tests.races.endings import NEXT, NOTHING_CHANGED, codes_of
from ansible_collections.slipway.aws.tests.races.matrix import SIGNALLED
from ansible_collections.slipway.aws.tests.races.scene import BYSTANDER, FEW_ATTEMPTS, NAMES, NEW, Scene

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.races.disturber import Disturber
    from ansible_collections.slipway.aws.tests.races.matrix import Case

# The outcomes of releases that a later one has to complete.
OPEN = ("interrupted", "unfinished", "rollback_failed")


def play(case: Case, emulator: str, proxy: Disturber) -> str:
    """Returns how the disturbed run ended, and the release of the rerun, for the report."""
    scene = Scene(case, emulator, proxy)
    before, wanted = prepared(scene)
    untouched = scene.of_others()
    scene.broken, proxy.page_fails = True, case.page_fails
    # A run whose calls fail for good says so soon.
    lasting = case.fault in ("connection cut", "throttled") and not case.brief
    asked = wanted if scene.rolls_back else scene.options("v2")
    run = start(proxy.address, asked, name=FIRST, **(FEW_ATTEMPTS if lasting else {}))
    proxy.arm(case, lambda request: scene.disturb(run, request))
    with scene.approved():
        result = run.end()
        others = [other.end() for other in scene.others]
    proxy.disarm()
    assert not proxy.problems, proxy.problems
    assert proxy.struck.is_set() == (case.stage != "none"), f"{case.stage} was not reached: {result}"
    check_end(scene, run, result, before)
    check_order(scene)
    failed = [other for other in others if other.get("failed") and not case.page_fails]
    assert not failed, failed

    scene.broken = proxy.page_fails = False
    scene.resolve()
    last = wanted if case.action == "rollback" else scene.options("v2")
    with scene.approved():
        again, output = scene.run(last)
        assert not again.get("failed", not again), output
        assert "Waiting up to" not in str(again["progress"]), "the lock of an ended run is not free"
        third, output = scene.run(last)
    assert third.get("changed") is False, (third, output)
    check_what_stands(scene, version_of(case))
    check_history(scene, [result, *others, again])
    assert scene.of_others() == untouched
    return f"{'killed' if not result else result.get('code', 'succeeded')}; {summary(scene)}"


def version_of(case: Case) -> str:
    return "v1" if case.action == "rollback" else "v2"


def prepared(scene: Scene) -> tuple[dict[str, str], Json]:
    """Release version 1, and for a rollback version 2. Returns what runs then, and the options of the rerun."""
    scene.approving.set()
    versions = ["v1", *(["v2"] if scene.rolls_back else [])]
    with scene.approved():
        for version in versions:
            made, output = scene.run(scene.options(version, steps=False))
            assert (made.get("changed"), made.get("failed", False)) == (True, False), output
    scene.approving.clear()
    scene.spoil()
    # After the second run, the previous release is another one.
    number = "1" if scene.case.fault == "lock broken" else "previous"
    back = {"rollback_to": number, "services": [], "project": scene.name, "lock_timeout": 60, "wait_timeout": 20}
    wanted = {"cluster": scene.name, **back} if scene.rolls_back else scene.options("v2")
    return scene.project.images(), wanted


def check_end(scene: Scene, run: Run, result: Json, before: dict[str, str]) -> None:
    """The disturbed run has a code that fits, says what to do, and what it says is so."""
    case, message = scene.case, str(result.get("msg", ""))
    assert "Traceback" not in run.output, run.output
    code = result.get("code", "") if result else None
    assert code in codes_of(case), (codes_of(case), run.process.exitcode, result or run.output)
    if code:
        assert any(text in message for text in NEXT), message
    if any(text in message for text in NOTHING_CHANGED) and not scene.others:
        assert scene.project.images() == before, message
        assert scene.project.checkpoints() == [], message
    if "Rolled back: " in message and "Not rolled back" not in message and not scene.others:
        assert scene.project.images() == before, message
        assert scene.project.checkpoints() == [], message
    # A service that was stable may be deleted before the run ends, which then cannot know.
    if result and not code and not scene.others and case.fault != "service deleted":
        check_what_stands(scene, version_of(case))
    if case.fault in SIGNALLED and result:
        # A lock is free at once for runs on other machines too.
        newest = scene.history(later=False)[0]
        written = case.stage == "recording" and not case.late
        assert newest["outcome"] != "in_progress" or written, newest


def check_order(scene: Scene) -> None:
    """Never do two runs change the services of a project at the same time."""
    changes = {
        name: [call.at for call in scene.proxy.of(name) if call.operation in CHANGING] for name in (FIRST, SECOND)
    }
    if scene.case.fault in ("same release", "lock broken") and all(changes.values()):
        first, second = changes[FIRST], changes[SECOND]
        assert max(first) < min(second) or max(second) < min(first), changes


def check_what_stands(scene: Scene, version: str) -> None:
    """Each service runs this version, and nothing is left over."""
    images = scene.project.images()
    names = [*NAMES, *([NEW] if scene.case.creates and version != "v1" else [])]
    assert {name: images[name].rpartition(":")[2] for name in names} == dict.fromkeys(names, version), images
    assert scene.project.checkpoints() == []
    running = {task["taskArn"] for task in scene.tasks("RUNNING")} - {scene.task}
    assert not running, "tasks are left running"


def check_history(scene: Scene, results: list[Json]) -> None:
    """Each release has one record with its outcome. What one has left, a later one has completed."""
    history = scene.history()
    numbers = [one["number"] for one in history]
    assert numbers == [*range(len(history), 0, -1)], history
    told = [result["release_number"] for result in results if result.get("release_number") is not None]
    assert len(told) == len(set(told)), "two runs have the same number"
    # One that was killed, or could not say its number.
    silent = set(numbers) - set(told) - set(range(1, 3 if scene.rolls_back else 2))
    assert len(silent) <= (results[0] == {} or results[0].get("code") not in ("", None)), history
    assert history[0]["outcome"] == "succeeded", history
    for one in history:
        assert one["outcome"] != "in_progress", history
        assert one["outcome"] not in OPEN or one["resumed_by"], history
    if not scene.rolls_back:
        # One for each release, all runs of which are one. After a rollback, a rerun is another one.
        releases = sum(one["resumes"] is None for one in history[:-1])
        releases += sum(one["outcome"] == "rollback_failed" for one in history)
        migrations = scene.migrations("v2")
        assert 1 <= len(migrations) <= releases, (len(migrations), history)


def summary(scene: Scene) -> str:
    """The history, oldest first."""
    return ", ".join(f"{one['number']} {one['outcome']}" for one in reversed(scene.history()))


__all__ = ["BYSTANDER", "play"]
