"""The table of the site's benchmark, in README and guide."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks import report, site_results
from benchmarks.site_results import SiteBenchmark

README = "README.md"
BEGIN = "<!-- site benchmark: written by `make benchmark-site` -->"
END = "<!-- site benchmark: end -->"
GUIDE_BEGIN = ".. site benchmark: written by `make benchmark-site`"
GUIDE_END = ".. site benchmark: end"
FIGURES = {
    "seconds": "wall_seconds",
    "CPU seconds": "cpu_seconds",
    "tasks": "tasks",
    "modules": "modules",
    "API calls": "calls",
    "lines of output": "lines",
}


def rows(found: SiteBenchmark) -> Iterator[list[str]]:
    """For each case the figures of the previous version → this version, and how many times faster this one is."""
    before, now = found.versions()
    for case in found.cases():
        old, new = found.of(case, before), found.of(case, now)
        cells = [f"{_short(old.median(name))} → {_short(new.median(name))}" for name in FIGURES.values()]
        faster = (old.median("wall_seconds") or 0) / (new.median("wall_seconds") or 1)
        rollout, stable = new.median("rollout_seconds"), new.median("stable_seconds")
        parts = [f"rollout {_short(rollout)} s"] if rollout is not None else []
        parts += [f"stable after {_short(old.median('stable_seconds'))} → {_short(stable)} s"] if stable else []
        yield [f"{case} ({', '.join(parts)})" if parts else case, *cells, f"{report.short(faster)}{report.TIMES}"]


def readme_section(found: SiteBenchmark) -> str:
    """A table in Markdown, with its markers."""
    head = [f"{' → '.join(found.versions())}", *FIGURES, "faster"]
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows(found))]
    return "\n".join([BEGIN, "", *lines, "", END])


def guide_section(found: SiteBenchmark) -> str:
    """The same in reStructuredText, with where it was measured."""
    head = [f"{' → '.join(found.versions())}", *FIGURES, "faster"]
    lines = [", ".join(f'"{cell}"' for cell in cells) for cells in rows(found)]
    table = [".. csv-table::", "   :header: " + ", ".join(f'"{cell}"' for cell in head), ""]
    origin = report.origin(found.about, "make benchmark-site", "benchmarks/site.json")
    return "\n".join([GUIDE_BEGIN, "", *table, *(f"   {line}" for line in lines), "", origin, "", GUIDE_END])


def publish(root: Path) -> None:
    found = site_results.load(root / "benchmarks/site.json")
    for file, markers, section in (
        (README, (BEGIN, END), readme_section(found)),
        (report.GUIDE, (GUIDE_BEGIN, GUIDE_END), guide_section(found)),
    ):
        path = root / file
        path.write_text(report.replaced(path.read_text(), section, markers))
    print(*(" | ".join(row) for row in rows(found)), sep="\n")


def _short(value: float | None) -> str:
    return "-" if value is None else report.short(round(value, 1) if value < 10 else round(value))
