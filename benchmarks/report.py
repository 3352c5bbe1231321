"""What a benchmark found, for people: a table on the screen, a section of the guide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.measure import Case
from benchmarks.results import Benchmark, Result

BEGIN = ".. benchmark: written by `make benchmark`"
END = ".. benchmark: end"
GUIDE = "docs/docsite/rst/guide_benchmarks.rst"
PLOT = "docs/images/benchmark.svg"

NOTES = """\
``community.aws`` is ``ecs_taskdefinition`` and ``ecs_service``, each in a loop, with this project's
``ansible.cfg``; ``ecs-deploy`` is a loop of ``ecs deploy`` in a shell. Nothing is tuned. The account is MiniStack
without containers, new for each run, behind a proxy that counts calls. A family has {revisions} revisions and a
deployment is complete at once, unless a row says otherwise. A call takes {answer:.0f} ms here and more on AWS, where
calls weigh more.

``ecs-deploy`` has no no-op: it registers and deploys each time. ``community.aws`` reads all active revisions of a
family each time, and waits for no deployment. ``slipway.aws`` waits until every service is stable. Where AWS reports
only that a deployment is complete, as here, a task has to stay up for 3 s."""
TIMES = "\N{MULTIPLICATION SIGN}"


def text(benchmark: Benchmark) -> str:
    """All figures on a screen, with how many times the first tool's they are."""
    lines = [f"{'':<18}{'seconds':>16}{'CPU seconds':>16}{'MiB':>16}{'calls':>16}{'return':>10}{'runs':>6}"]
    for case in benchmark.cases():
        row = _row(benchmark, case)
        columns = [_ratios(row, figure) for figure in ("wall", "cpu", "memory", "calls")]
        lines.append(case.name)
        for result, *cells in zip(row, *columns, strict=True):
            returned = "" if result.returned is None else f"{result.returned:.1f}"
            figures = "".join(f"{cell:>16}" for cell in cells)
            lines.append(f"  {result.tool:<16}{figures}{returned:>10}{len(result.runs):>6}")
    return "\n".join(lines)


def section(benchmark: Benchmark) -> str:
    """The guide's section, as reStructuredText, with its markers."""
    parts = [
        BEGIN,
        _table(["seconds; calls", *benchmark.tools()], _costs(benchmark)),
        _table(["other results", *benchmark.tools()], _other_results(benchmark)),
        NOTES.format(revisions=benchmark.cases()[0].revisions, answer=_milliseconds_a_call(benchmark)),
        origin(benchmark.about, "make benchmark", "benchmarks/results.json"),
        END,
    ]
    return "\n\n".join(parts)


def replaced(page: str, section: str, markers: tuple[str, str] = (BEGIN, END)) -> str:
    """The page with that section instead of the one between its markers."""
    before, begin, rest = page.partition(markers[0])
    end, after = rest.partition(markers[1])[1:]
    if not begin or not end:
        raise ValueError(f"the page has no place for figures: {markers[0]} … {markers[1]}")
    return before + section + after


def short(value: float) -> str:
    """As many digits as such a measurement is good for; what is counted stays as it is."""
    if isinstance(value, int):
        return str(value)
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def _ratios(row: list[Result], figure: str, unit: str = "") -> list[str]:
    """A figure of each tool; after the first with how many times the first's it is."""
    base, *others = (getattr(result, figure) for result in row)
    return [f"{short(base)}{unit}", *(f"{short(other)}{unit} ({short(other / base)}{TIMES})" for other in others)]


def _row(benchmark: Benchmark, case: Case) -> list[Result]:
    return [benchmark.of(case, tool) for tool in benchmark.tools()]


def _table(head: list[str], rows: Iterator[list[str]]) -> str:
    def line(cells: list[str]) -> str:
        return ", ".join(f'"{cell}"' for cell in cells)

    return "\n".join([".. csv-table::", f"   :header: {line(head)}", "", *(f"   {line(row)}" for row in rows)])


def _costs(benchmark: Benchmark) -> Iterator[list[str]]:
    for case in benchmark.cases():
        row = _row(benchmark, case)
        pairs = zip(_ratios(row, "wall", " s"), _ratios(row, "calls"), strict=True)
        yield [case.name, *map("; ".join, pairs)]


def _other_results(benchmark: Benchmark) -> Iterator[list[str]]:
    """What the first table leaves out."""
    cases = benchmark.cases()
    for case in cases:
        if case.rollout_seconds:
            yield [f"return after completion: {case.name}", *map(_returned, _row(benchmark, case))]
    many, most = usual_no_ops(benchmark)[-2:]
    costs = zip(
        *([1000 * one.wall / case.services for one in _row(benchmark, case)] for case in (many, most)), strict=True
    )
    name = f"a service of a no-op, of {many.services} → of {most.services}"
    yield [name, *(f"{short(before)} → {short(after)} ms" for before, after in costs)]
    row = _row(benchmark, many)
    yield [f"CPU time: {many.name}", *_ratios(row, "cpu", " s")]
    yield [f"largest process: {many.name}", *_ratios(row, "memory", " MiB")]


def usual_no_ops(benchmark: Benchmark) -> list[Case]:
    """The cases that differ in nothing but the number of services."""
    idle = [case for case in benchmark.cases() if not case.changed]
    return sorted((case for case in idle if case.revisions == idle[0].revisions), key=lambda case: case.services)


def _returned(result: Result) -> str:
    if result.returned is None or result.returned < 0:
        return "does not wait"
    return f"{result.returned:.1f} s"


def _milliseconds_a_call(benchmark: Benchmark) -> float:
    runs = [run for result in benchmark.results for run in result.runs]
    return 1000 * sum(run.answer_seconds for run in runs) / sum(sum(run.calls.values()) for run in runs)


def origin(about: dict[str, Any], command: str, file: str) -> str:
    """When and where, with which versions."""
    machine, versions = about["machine"], about["versions"]
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"Medians where a case ran more than once. Measured by ``{command}`` on {about['date'][:10]} "
        f"with {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, "
        f"Linux {machine['kernel']}; {named}. "
        f"All figures, run by run: ``{file}``."
    )
