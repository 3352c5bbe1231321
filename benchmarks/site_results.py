"""What the benchmark of the whole site found, as benchmarks/site.json keeps it."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class SiteRun:
    """What one run of site.yml took."""

    wall_seconds: float
    # Ansible's own and that of all processes that it started; not that of containers and the Docker host.
    cpu_seconds: float
    tasks: int
    modules: int
    calls: int
    lines: int
    # From UpdateService until ECS says that the service is stable.
    rollout_seconds: float | None = None
    # From the start of the command until then.
    stable_seconds: float | None = None

    def __str__(self) -> str:
        rollout = "" if self.rollout_seconds is None else f", rollout {self.rollout_seconds:.1f} s"
        rollout += "" if self.stable_seconds is None else f", stable after {self.stable_seconds:.1f} s"
        return (
            f"{self.wall_seconds:.1f} s, CPU {self.cpu_seconds:.1f} s, {self.tasks} tasks, {self.modules} modules, "
            f"{self.calls} calls, {self.lines} lines{rollout}"
        )


@dataclass(frozen=True)
class SiteResult:
    """The runs of one version in one case."""

    version: str
    case: str
    runs: list[SiteRun]

    def median(self, figure: str) -> float | None:
        known = [value for run in self.runs if (value := getattr(run, figure)) is not None]
        return statistics.median(known) if known else None


@dataclass(frozen=True)
class SiteBenchmark:
    """All results, and where they come from."""

    about: dict[str, Any]
    results: list[SiteResult]

    def cases(self) -> list[str]:
        return list(dict.fromkeys(result.case for result in self.results))

    def versions(self) -> list[str]:
        return list(dict.fromkeys(result.version for result in self.results))

    def of(self, case: str, version: str) -> SiteResult:
        return next(one for one in self.results if (one.case, one.version) == (case, version))

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")


def load(path: Path) -> SiteBenchmark:
    kept = json.loads(path.read_text())
    found = [
        SiteResult(one["version"], one["case"], [SiteRun(**run) for run in one["runs"]]) for one in kept["results"]
    ]
    return SiteBenchmark(kept["about"], found)
