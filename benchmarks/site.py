"""Measures a run of the whole site beside the previous release, on the local cloud: `make benchmark-site`.

Each version has a checkout and a local cloud of its own. Case by case they run one after the other, so that the
machine's moods meet both.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import cloud, results, site_report
from benchmarks.cloud import ROOT
from benchmarks.measure import WITH_FORKS, Misdone
from benchmarks.site_results import SiteBenchmark, SiteResult, SiteRun
from tests.proxies.base import Answer, Proxy, Request

CACHE = ROOT / ".cache" / "benchmark-site"
PROGRAMS = Path(sys.executable).parent
# The commit of the previous release: what a newer one has to be faster than.
PREVIOUS = "1194e53"
FIRST_PORT = 4601
REPEATS = 3
SERVICE = "workshop"
STABLE_SECONDS = 300


class Watch(Proxy):
    """Counts calls, and notes when the service is updated and, asking past itself, when it is stable again."""

    def __init__(self, port: int) -> None:
        super().__init__(f"127.0.0.1:{port}")
        self._cloud = cloud.Cloud(port, Path(os.devnull))
        self.updated = self.stable = 0.0

    def after(self, request: Request, answer: Answer) -> Answer:
        if request.operation == "UpdateService" and answer.good and not self.updated:
            self.updated = time.time()
            threading.Thread(target=self._await_stable, args=(request.members["cluster"],), daemon=True).start()
        return answer

    def _await_stable(self, cluster: str) -> None:
        while time.time() < self.updated + STABLE_SECONDS:
            service = self._cloud.call("DescribeServices", cluster=cluster, services=[SERVICE])["services"][0]
            deployments = [one["rolloutState"] for one in service["deployments"]]
            if deployments == ["COMPLETED"] and service["runningCount"] == service["desiredCount"]:
                self.stable = time.time()
                return
            time.sleep(0.2)

    def reset(self) -> None:
        self.calls.clear()
        self.updated = self.stable = 0.0

    @property
    def rollout_seconds(self) -> float | None:
        return self.stable - self.updated if self.stable else None


@dataclass
class Version:
    """A version of the collection: its checkout and its local cloud."""

    name: str
    folder: Path
    port: int
    # Its address is that of the API in all runs.
    watch: Watch
    edits: int = 0

    def edit(self, file: str, pattern: str, replacement: str) -> None:
        """Changes a file of the checkout, to something new each time."""
        self.edits += 1
        path = self.folder / file
        text, found = re.subn(pattern, replacement.format(self.edits), path.read_text(), count=1)
        if not found:
            raise Misdone(f"{path} has no {pattern}")
        path.write_text(text)


def one_variable(version: Version) -> None:
    version.edit("inventory/workshop.yml", r"\.alb\.localhost.*", ".alb.localhost,host-{}.example")


def one_template(version: Version) -> None:
    version.edit("apps/workshop/django/workshop/templates/home.html", r"\Z", "<!-- {} -->\n")


@dataclass(frozen=True)
class Case:
    """What precedes a run, and whether the run has to release something."""

    name: str
    prepare: Callable[[Version], None]
    repeats: int
    changes: bool


# After the first run come two that change nothing and are not counted: the record of a version may need them.
FIRST = Case("first run", lambda _version: None, 1, changes=True)
SETTLE = Case("(not counted)", lambda _version: None, 2, changes=False)
CASES = (
    Case("no change", lambda _version: None, REPEATS, changes=False),
    Case("one environment variable", one_variable, REPEATS, changes=True),
    Case("one template", one_template, REPEATS, changes=True),
)


def play(version: Version, playbook: str, *arguments: str, **variables: str) -> tuple[float, resource.struct_rusage]:
    """Runs a playbook, and returns its seconds and what the kernel says that it used with its children."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_", "PYTHON"))}
    path = {"PATH": f"{PROGRAMS}{os.pathsep}{kept['PATH']}"}
    command = [*WITH_FORKS, "ansible-playbook", playbook, f"-elocal_cloud_port={version.port}", *arguments]
    with (version.folder / "output.log").open("wb") as log:
        begin = time.monotonic()
        process = subprocess.Popen(
            command, cwd=version.folder, env=kept | path | variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        status, usage = os.wait4(process.pid, 0)[1:]
        seconds = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Misdone(f"{version.name}: {playbook} ended with {process.returncode}: see {version.folder}/output.log")
    return seconds, usage


def measure(version: Version, case: Case) -> SiteRun:
    """One run of the site."""
    case.prepare(version)
    counted = version.folder / "tasks.json"
    version.watch.reset()
    begin = time.time()
    seconds, usage = play(
        version,
        "site.yml",
        f"-eslipway_endpoint_url={version.watch.address}",
        ANSIBLE_CALLBACK_PLUGINS=str(ROOT / "benchmarks/callbacks"),
        ANSIBLE_CALLBACKS_ENABLED="count_tasks",
        BENCHMARK_TASKS=str(counted),
    )
    tasks = json.loads(counted.read_text())
    if bool(tasks.get("changed")) != case.changes:
        raise Misdone(f"{version.name}, {case.name}: {tasks.get('changed', 0)} changes")
    return SiteRun(
        wall_seconds=seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        tasks=tasks["tasks"],
        modules=tasks.get("modules", 0),
        calls=sum(version.watch.calls.values()),
        lines=len((version.folder / "output.log").read_text().splitlines()),
        rollout_seconds=version.watch.rollout_seconds,
        stable_seconds=version.watch.stable - begin if version.watch.stable else None,
    )


@contextmanager
def prepared(name: str, commit: str, port: int) -> Iterator[Version]:
    """A checkout of a commit with a running local cloud, which is deleted at the end."""
    folder = CACHE / name
    subprocess.run(["rm", "-rf", str(folder)], check=True)
    link = folder / ".ansible/collections/ansible_collections/slipway/aws"
    link.parent.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x"], cwd=folder, input=archive, check=True)
    link.symlink_to("../../../..")
    with Watch(port) as watch:
        version = Version(name, folder, port, watch)
        try:
            play(version, "playbooks/local_cloud.yml")
            yield version
        finally:
            play(version, "playbooks/local_cloud.yml", "-elocal_cloud_state=absent")


def benchmark(versions: list[Version]) -> list[SiteResult]:
    found: list[SiteResult] = []
    for case in (FIRST, SETTLE, *CASES):
        runs: dict[str, list[SiteRun]] = {version.name: [] for version in versions}
        for _turn in range(case.repeats):
            for version in versions:
                run = measure(version, case)
                runs[version.name].append(run)
                print(f"{case.name:<26}{version.name:<14}{run}", flush=True)
        if case is not SETTLE:
            found += [SiteResult(name, case.name, some) for name, some in runs.items()]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--again", action="store_true", help="measure nothing, publish benchmarks/site.json again")
    if not parser.parse_args().again:
        versions = {"0.1": PREVIOUS, "this version": "HEAD"}
        with ExitStack() as stack:
            ready = [
                stack.enter_context(prepared(name, commit, FIRST_PORT + number))
                for number, (name, commit) in enumerate(versions.items())
            ]
            SiteBenchmark(results.about("benchmarks.site"), benchmark(ready)).save(ROOT / "benchmarks/site.json")
    site_report.publish(ROOT)


if __name__ == "__main__":
    main()
