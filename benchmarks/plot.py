"""The README's plot: seconds and calls of a no-op by the number of services, both on logarithmic scales."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

from benchmarks.measure import Case
from benchmarks.report import short, usual_no_ops
from benchmarks.results import Benchmark, Result

WIDTH, HEIGHT = 940, 340
COLOURS = ("#0b6e4f", "#c8553d", "#5b6c8f", "#8a6d3b")
STYLE = """
text { font: 12px sans-serif; fill: #24292f }
.title { font-weight: bold }
.grid { stroke: #d8dee4 }
.line { fill: none; stroke-width: 2.5 }
"""
# Between two labels, from one baseline to the next.
LABEL_GAP = 15


@dataclass(frozen=True)
class Panel:
    """A box of the plot, with what goes up in it."""

    title: str
    figure: Callable[[Result], float]
    left: float
    top: float = 50
    width: float = 290
    height: float = 240

    def x(self, value: float, values: list[int]) -> float:
        return self.left + self.width * _position(value, min(values), max(values))

    def y(self, value: float, bounds: tuple[float, float]) -> float:
        return self.top + self.height * (1 - _position(value, *bounds))


PANELS = (Panel("seconds", lambda result: result.wall, 50), Panel("calls", lambda result: result.calls, 510))


def svg(benchmark: Benchmark) -> str:
    """The plot as a document of its own."""
    cases = usual_no_ops(benchmark)
    body = [line for panel in PANELS for line in _panel(panel, benchmark, cases)]
    title = "A no-op release, by number of services"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">',
            f"<style>{STYLE}</style>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
            f'<text x="{WIDTH / 2:.0f}" y="20" text-anchor="middle" class="title">{title}</text>',
            *body,
            "</svg>\n",
        ]
    )


def _position(value: float, low: float, high: float) -> float:
    """From 0 to 1 on a logarithmic scale."""
    return math.log(value / low) / math.log(high / low) if high > low else 0.5


def _panel(panel: Panel, benchmark: Benchmark, cases: list[Case]) -> Iterator[str]:
    sizes = [case.services for case in cases]
    lines = {tool: [panel.figure(benchmark.of(case, tool)) for case in cases] for tool in benchmark.tools()}
    values = [value for line in lines.values() for value in line]
    bounds = (10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values) * 1.0001)))
    yield f'<text x="{panel.left:.0f}" y="{panel.top - 10:.0f}" class="title">{panel.title}</text>'
    yield from _grid(panel, bounds, sizes)
    for colour, line in zip(COLOURS, lines.values(), strict=False):
        points = [(panel.x(size, sizes), panel.y(value, bounds)) for size, value in zip(sizes, line, strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline class="line" stroke="{colour}" points="{path}"/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in points)
    yield from _labels(panel, lines, bounds)


def _grid(panel: Panel, bounds: tuple[float, float], sizes: list[int]) -> Iterator[str]:
    left, right, bottom = panel.left, panel.left + panel.width, panel.top + panel.height
    for power in range(round(math.log10(bounds[0])), round(math.log10(bounds[1])) + 1):
        y = panel.y(10**power, bounds)
        yield f'<line class="grid" x1="{left:.0f}" x2="{right:.0f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{left - 6:.0f}" y="{y + 4:.1f}" text-anchor="end">{10**power:g}</text>'
    for size in sizes:
        x = panel.x(size, sizes)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{panel.top:.0f}" y2="{bottom:.0f}"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 18:.0f}" text-anchor="middle">{size}</text>'
    yield f'<text x="{(left + right) / 2:.0f}" y="{bottom + 36:.0f}" text-anchor="middle">services</text>'


def _labels(panel: Panel, lines: dict[str, list[float]], bounds: tuple[float, float]) -> Iterator[str]:
    """At each line's end its tool and last figure, none over another."""
    x = panel.left + panel.width + 8
    ends = sorted(
        (panel.y(line[-1], bounds), colour, f"{tool}: {short(line[-1])}")
        for colour, (tool, line) in zip(COLOURS, lines.items(), strict=False)
    )
    y = -math.inf
    for end, colour, label in ends:
        y = max(end, y + LABEL_GAP)
        yield f'<text x="{x:.0f}" y="{y + 4:.1f}" style="fill:{colour}">{escape(label)}</text>'
