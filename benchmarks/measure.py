"""One tool, one case: what it took, and whether it did what it should."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import cloud, fleet, proxy
from benchmarks.cloud import ROOT, Cloud
from benchmarks.tools import Tool, environment

COMPLETE_SECONDS = 60
# Before a command: its fork servers count too.
WITH_FORKS = (sys.executable, str(Path(__file__).with_name("with_forks.py")))


@dataclass(frozen=True)
class Case:
    """A fleet, how many of its services get a new image, and how long a deployment takes."""

    name: str
    services: int
    changed: int = 0
    revisions: int = 5
    rollout_seconds: float = 0.0


@dataclass(frozen=True)
class Run:
    """What one run took."""

    wall_seconds: float
    # The tool's own and that of all processes that it started.
    cpu_seconds: float
    # Of the largest process.
    peak_memory_mib: float
    # Until the emulator answered, added up over all calls; parallel calls count each.
    answer_seconds: float
    calls: dict[str, int]
    refused: int
    # From the last deployment's completion to the tool's return; negative where the tool did not wait for it.
    return_seconds: float | None


class Misdone(Exception):
    """A tool did not do what the case requires, so its figures say nothing."""


def measure(tool: Tool, case: Case, folder: Path) -> Run:
    """Runs the tool once, on a new account with a new fleet."""
    folder.mkdir(parents=True, exist_ok=True)
    ships = fleet.Fleet(case.services, case.revisions)
    with cloud.started(folder, case.rollout_seconds) as account, proxy.CountingProxy(account.port) as counter:
        ships.create(account)
        wanted = ships.wanted(case.changed)
        started, ended, usage = _run(tool.command(folder, wanted), environment(counter.address), folder / "output.log")
        deployed = case.services if tool.always_deploys else case.changed
        _check(account, counter.traffic, wanted, deployed)
        last = _last_completion(account, deployed)
    return Run(
        wall_seconds=ended - started,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_memory_mib=usage.ru_maxrss / 1024,
        answer_seconds=counter.traffic.seconds,
        calls=dict(sorted(counter.traffic.calls.items())),
        refused=counter.traffic.refused,
        return_seconds=None if last is None else ended - last,
    )


def _run(command: list[str], variables: dict[str, str], output: Path) -> tuple[float, float, resource.struct_rusage]:
    """When it started and ended, and what the kernel says that it used with its children."""
    with output.open("wb") as log:
        started = time.time()
        process = subprocess.Popen(
            [*WITH_FORKS, *command], cwd=ROOT, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        status, usage = os.wait4(process.pid, 0)[1:]
        ended = time.time()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Misdone(f"{command[0]} ended with {process.returncode}: see {output}")
    return started, ended, usage


def _check(account: Cloud, traffic: proxy.Traffic, wanted: list[fleet.Service], deployed: int) -> None:
    for operation in ("RegisterTaskDefinition", "UpdateService"):
        if traffic.calls[operation] != deployed:
            raise Misdone(f"{traffic.calls[operation]} calls of {operation}, where {deployed} were to be made")
    if fleet.running(account, [service.name for service in wanted]) != wanted:
        raise Misdone("the services do not run what they should")


def _last_completion(account: Cloud, deployed: int) -> float | None:
    """When the last deployment was complete, which may come after the tool's end."""
    end = time.monotonic() + COMPLETE_SECONDS
    while len(completed := account.completed()) < deployed:
        if time.monotonic() > end:
            raise Misdone(f"{len(completed)} of {deployed} deployments are complete")
        time.sleep(0.1)
    return max(completed.values(), default=None)
