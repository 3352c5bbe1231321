"""Measures slipway.aws beside other ways to release to ECS, and writes what it found: `make benchmark`."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

from benchmarks import plot, report, results
from benchmarks.cloud import ROOT
from benchmarks.measure import Case, Run, measure
from benchmarks.tools import SLIPWAY, TOOLS, Tool

CACHE = ROOT / ".cache" / "benchmark"
# From here on other tools take so long that one run must do.
LARGE = 5
REPEATS = 3


def cases(revisions: int) -> list[Case]:
    """What a team does all day: nothing has changed, one service has, all have."""
    few, many = 1, 4 * revisions
    return [
        *(Case(f"no-op, {_count(size)}", size, revisions=revisions) for size in (1, 10, 50, 200)),
        *(Case(f"no-op, 5 services of {_count(history, 'revision')}", 5, revisions=history) for history in (few, many)),
        Case("1 of 50 services changed", 50, 1, revisions),
        Case("50 of 50 services changed", 50, 50, revisions),
        Case("1 deployment of 5 s", 1, 1, revisions, rollout_seconds=5),
        Case("5 deployments of 5 s", 5, 5, revisions, rollout_seconds=5),
    ]


def quick_cases() -> list[Case]:
    """Every kind of case, as small as it can be."""
    return [
        Case("no-op, 2 services", 2, revisions=2),
        Case("1 of 2 services changed", 2, 1, 2),
        Case("1 deployment of 1 s", 1, 1, 2, rollout_seconds=1),
    ]


def _count(number: int, thing: str = "service") -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def repeats(case: Case, tool: Tool) -> int:
    return REPEATS if tool is SLIPWAY or case.services < LARGE else 1


def runs(case: Case, tool: Tool, number: int) -> list[Run]:
    """The same again. Deployments end at another fraction of a second each time, as tools ask at whole seconds."""
    found = []
    for turn in range(number):
        late = turn / number if case.rollout_seconds else 0
        found.append(measure(tool, replace(case, rollout_seconds=case.rollout_seconds + late), CACHE / tool.name))
    return found


def benchmark(chosen: list[Case], tools: list[Tool], once: bool) -> results.Benchmark:
    """Case by case, one tool after the other, so that the machine's moods meet all of them."""
    about = results.about()
    found = []
    for case in chosen:
        for tool in tools:
            result = results.Result(tool.name, case, runs(case, tool, 1 if once else repeats(case, tool)))
            print(f"{case.name:<36}{tool.name:<16}{result.wall:>7.1f} s{result.calls:>7.0f} calls", flush=True)
            found.append(result)
    return results.Benchmark(about, found)


def publish(found: results.Benchmark, root: Path) -> None:
    """The file that all figures come from, and what is made of it."""
    found.save(root / "benchmarks/results.json")
    (root / report.PLOT).write_text(plot.svg(found))
    guide = root / report.GUIDE
    guide.write_text(report.replaced(guide.read_text(), report.section(found)))


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small cases, once each; nothing is published")
    parser.add_argument("--revisions", type=int, default=5, help="revisions of each family (default: %(default)s)")
    parser.add_argument(
        "--tool", action="append", choices=[tool.name for tool in TOOLS], help="only this one; nothing is published"
    )
    parser.add_argument("--again", action="store_true", help="measure nothing, publish benchmarks/results.json again")
    return parser.parse_args()


def main() -> None:
    chosen = options()
    if chosen.again:
        publish(results.load(ROOT / "benchmarks/results.json"), ROOT)
        return
    begin = time.monotonic()
    tools = [tool for tool in TOOLS if tool.name in (chosen.tool or [tool.name])]
    found = benchmark(quick_cases() if chosen.quick else cases(chosen.revisions), tools, once=chosen.quick)
    print("", report.text(found), f"{time.monotonic() - begin:.0f} s in all", sep="\n")
    if chosen.quick or chosen.tool:
        found.save(CACHE / "results.json")
        print(f"Not published: {CACHE / 'results.json'}")
    else:
        publish(found, ROOT)
        print(f"Published: benchmarks/results.json, {report.PLOT}, {report.GUIDE}")


if __name__ == "__main__":
    main()
