"""What a whole benchmark found, as benchmarks/results.json keeps it."""

from __future__ import annotations

import json
import platform
import shlex
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from importlib.resources import files
from os import sched_getaffinity
from pathlib import Path
from typing import Any

import yaml

from benchmarks.cloud import ROOT
from benchmarks.measure import Case, Run

PACKAGES = ("ansible-core", "boto3", "botocore", "ecs-deploy", "ministack")
COLLECTIONS = ("amazon.aws", "community.aws")


@dataclass(frozen=True)
class Result:
    """What a tool took in a case."""

    tool: str
    case: Case
    runs: list[Run]

    def median(self, figure: Callable[[Run], float]) -> float:
        return statistics.median(figure(run) for run in self.runs)

    @property
    def wall(self) -> float:
        return self.median(lambda run: run.wall_seconds)

    @property
    def cpu(self) -> float:
        return self.median(lambda run: run.cpu_seconds)

    @property
    def memory(self) -> float:
        return self.median(lambda run: run.peak_memory_mib)

    @property
    def calls(self) -> float:
        return self.median(lambda run: sum(run.calls.values()))

    @property
    def returned(self) -> float | None:
        """Seconds from the last deployment's completion to the tool's return."""
        known = [run.return_seconds for run in self.runs if run.return_seconds is not None]
        return statistics.median(known) if known else None


@dataclass(frozen=True)
class Benchmark:
    """All results, and where they come from."""

    about: dict[str, Any]
    results: list[Result]

    def cases(self) -> list[Case]:
        return list(dict.fromkeys(result.case for result in self.results))

    def tools(self) -> list[str]:
        return list(dict.fromkeys(result.tool for result in self.results))

    def of(self, case: Case, tool: str) -> Result:
        return next(result for result in self.results if (result.case, result.tool) == (case, tool))

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")


def load(path: Path) -> Benchmark:
    kept = json.loads(path.read_text())
    results = [
        Result(result["tool"], Case(**result["case"]), [Run(**run) for run in result["runs"]])
        for result in kept["results"]
    ]
    return Benchmark(kept["about"], results)


def about(module: str = "benchmarks.run") -> dict[str, Any]:
    """When, by what, on which machine, with which versions."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["python", "-m", module, *sys.argv[1:]]),
        "machine": {
            "processor": _line("/proc/cpuinfo", "model name"),
            "cores": len(sched_getaffinity(0)),
            "memory_gib": round(int(_line("/proc/meminfo", "MemTotal").split()[0]) / 2**20, 1),
            "system": platform.freedesktop_os_release()["PRETTY_NAME"],
            "kernel": platform.release(),
        },
        "versions": {"python": platform.python_version(), "slipway.aws": _own_version()} | _versions(),
    }


def _line(path: str, name: str) -> str:
    """The value of the first line of a file in /proc that begins with the name."""
    lines = (line.split(":", 1) for line in Path(path).read_text().splitlines() if ":" in line)
    return next((value.strip() for key, value in lines if key.strip() == name), platform.machine())


def _own_version() -> str:
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    described = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    commit = subprocess.run(described, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    return f"{version} ({commit})" if commit else str(version)


def _versions() -> dict[str, str]:
    """Of what is installed here."""
    installed = {distribution.name.lower() for distribution in metadata.distributions()}
    found = {name: metadata.version(name) for name in PACKAGES if name in installed}
    for collection in COLLECTIONS:
        manifest = files(f"ansible_collections.{collection}").joinpath("MANIFEST.json")
        found[collection] = json.loads(manifest.read_text())["collection_info"]["version"]
    return found
