"""What the benchmark of the connection ecs_exec found, as benchmarks/exec.json keeps it, and its table in the guide."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import report

BEGIN = ".. exec benchmark: written by `make benchmark-exec`"
END = ".. exec benchmark: end"
RESULTS = "benchmarks/exec.json"
MB = 10**6


@dataclass(frozen=True)
class Case:
    """What is done with a file, and its size in bytes."""

    verb: str
    size: int

    @property
    def name(self) -> str:
        return f"{self.verb}, {self.size // MB} MB" if self.size >= MB else f"{self.verb}, {self.size} byte"


@dataclass(frozen=True)
class ExecResult:
    """The seconds of each run of a tool in a case."""

    tool: str
    case: Case
    seconds: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def throughput(self) -> float:
        """MB per second, of the whole command."""
        return self.case.size / MB / self.median


@dataclass(frozen=True)
class ExecBenchmark:
    """All results, and where they come from."""

    about: dict[str, Any]
    results: list[ExecResult]

    def cases(self) -> list[Case]:
        return list(dict.fromkeys(result.case for result in self.results))

    def tools(self) -> list[str]:
        return list(dict.fromkeys(result.tool for result in self.results))

    def of(self, case: Case, tool: str) -> ExecResult:
        return next(one for one in self.results if (one.case, one.tool) == (case, tool))

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")


def load(path: Path) -> ExecBenchmark:
    kept = json.loads(path.read_text())
    found = [ExecResult(one["tool"], Case(**one["case"]), one["seconds"]) for one in kept["results"]]
    return ExecBenchmark(kept["about"], found)


def rows(found: ExecBenchmark) -> Iterator[list[str]]:
    """For each case both tools' seconds and throughput, and how many times the other's seconds ours are."""
    ours, other = found.tools()
    for case in found.cases():
        pair = [found.of(case, tool) for tool in (ours, other)]
        ratio = report.short(pair[0].median / pair[1].median)
        yield [case.name, *map(_cell, pair), f"{ratio}{report.TIMES}"]


def section(found: ExecBenchmark) -> str:
    """The guide's section, as reStructuredText, with its markers."""
    head = ["seconds; MB/s", *found.tools(), "ratio of seconds"]
    lines = [", ".join(f'"{cell}"' for cell in cells) for cells in (head, *rows(found))]
    table = [".. csv-table::", f"   :header: {lines[0]}", "", *(f"   {line}" for line in lines[1:])]
    return "\n".join([BEGIN, "", *table, "", report.origin(found.about, "make benchmark-exec", RESULTS), "", END])


def publish(root: Path) -> None:
    found = load(root / RESULTS)
    guide = root / report.GUIDE
    guide.write_text(report.replaced(guide.read_text(), section(found), (BEGIN, END)))
    print(*(" | ".join(row) for row in rows(found)), sep="\n")


def _cell(result: ExecResult) -> str:
    """Starting takes all the time of a file of a byte."""
    seconds = f"{report.short(result.median) if result.median >= 1 else format(result.median, '.2f')} s"
    return f"{seconds}; {report.short(result.throughput)}" if result.case.size >= MB else seconds
