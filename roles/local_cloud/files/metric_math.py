# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudWatch's metric math, as far as scaling by a queue needs it: arithmetic, comparisons, FILL and IF.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Json = dict[str, Any]
# A metric: namespace, name, and dimensions in the order of their names.
Metric = tuple[str, str, tuple[tuple[str, str], ...]]
# One period of all metrics that have data.
Sample = Mapping[Metric, float]

ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def metric(namespace: str, name: str, dimensions: Iterable[Json]) -> Metric:
    return namespace, name, tuple(sorted((one["Name"], one["Value"]) for one in dimensions))


def value(queries: Iterable[Json], sample: Sample) -> float | None:
    """What the queries return in one period; None without data."""
    values: dict[str, float | None] = {}
    returned = None
    for query in sorted(queries, key=lambda one: "Expression" in one):
        if "Expression" in query:
            values[query["Id"]] = evaluate(query["Expression"], values)
        else:
            one = query["MetricStat"]["Metric"]
            found = metric(one["Namespace"], one["MetricName"], one.get("Dimensions") or ())
            values[query["Id"]] = sample.get(found)
        if query.get("ReturnData", True):
            returned = values[query["Id"]]
    return returned


def evaluate(expression: str, values: Mapping[str, float | None]) -> float | None:
    """An expression over the values of one period."""
    return _evaluate(ast.parse(expression, mode="eval").body, values)


def _evaluate(node: ast.expr, values: Mapping[str, float | None]) -> float | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _function(node.func.id, [_evaluate(argument, values) for argument in node.args])
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        left, right = _evaluate(node.left, values), _evaluate(node.right, values)
        # What is divided by zero has no data.
        if left is None or right is None or (isinstance(node.op, ast.Div) and right == 0):
            return None
        return ARITHMETIC[type(node.op)](left, right)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARISONS:
        left, right = _evaluate(node.left, values), _evaluate(node.comparators[0], values)
        return None if left is None or right is None else float(COMPARISONS[type(node.ops[0])](left, right))
    raise ValueError(f"The local cloud cannot evaluate {ast.unparse(node)}.")


def _function(name: str, arguments: list[float | None]) -> float | None:
    if name == "FILL" and len(arguments) == 2:
        return arguments[1] if arguments[0] is None else arguments[0]
    if name == "IF" and len(arguments) == 3:
        condition, so, otherwise = arguments
        return None if condition is None else so if condition else otherwise
    raise ValueError(f"The local cloud does not know {name} with {len(arguments)} arguments.")
