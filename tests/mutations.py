"""Mutates the pure functions of plugins/, one at a time, and reports which mutations no unit test notices.

For each mutation, in a copy of the checkout, the tests of the file's folder run until one fails; those that failed then
run once without mutations. The same seed makes the same mutations in the same files.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import queue
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from run import CACHE, COLLECTION, ROOT, environment, tracked_files
from unit.test_structure import UTILS, dotted, layer

# After so many seconds a mutation counts as noticed: most likely it made an endless loop.
PATIENCE = 900
# Operators, each with its replacement.
OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
# Pure files in name only: the core's edges to AWS, Ansible and the clock.
EDGES = {"_core.errors", "_core.module", "_core.waiting"}


@dataclass(frozen=True)
class Mutation:
    """Bytes of a file, and their replacement."""

    path: Path
    line: int
    start: int
    end: int
    instead: str

    def __str__(self) -> str:
        was = " ".join(self.path.read_bytes()[self.start : self.end].decode().split())
        return f"{self.path.relative_to(ROOT)}:{self.line}: {was}  ->  {self.instead}"

    def apply(self, text: bytes) -> bytes:
        return text[: self.start] + f"({self.instead})".encode() + text[self.end :]


def pure_files() -> list[Path]:
    utils = [path for path in UTILS if layer(dotted(path)) in {"pure", "core"} and dotted(path) not in EDGES]
    return [
        *utils,
        *(path for folder in ("filter", "plugin_utils") for path in sorted(ROOT.glob(f"plugins/{folder}/*"))),
    ]


def mutations(path: Path) -> Iterator[Mutation]:
    text = path.read_bytes()
    starts = [0, *(match.end() for match in re.finditer(b"\n", text))]
    for node, parent in expressions(ast.parse(text)):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        for instead in mistakes(node, parent):
            yield Mutation(path, node.lineno, start, end, instead)


def expressions(parent: ast.AST) -> Iterator[tuple[ast.expr, ast.AST]]:
    """Expressions that decide at run time, with their parents: no types, no part of a formatted text."""
    for name, value in ast.iter_fields(parent):
        if name in {"annotation", "returns", "decorator_list"}:
            continue
        for node in value if isinstance(value, list) else [value]:
            if isinstance(node, ast.JoinedStr) or not isinstance(node, ast.AST) or of_types(node):
                continue
            if isinstance(node, ast.expr):
                yield node, parent
            yield from expressions(node)


def of_types(node: ast.AST) -> bool:
    """Hints for mypy, and the argument `strict` of zip()."""
    called = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
    return called in {"TypeVar", "ParamSpec"} or (isinstance(node, ast.keyword) and node.arg == "strict")


def mistakes(node: ast.expr, parent: ast.AST) -> Iterator[str]:
    """The mutation of an expression."""
    wrong = copy.copy(node)
    if isinstance(wrong, ast.Compare) and len(wrong.ops) == 1:
        wrong.ops = [OPERATORS[type(wrong.ops[0])]()]  # type: ignore[list-item]
        yield ast.unparse(wrong)
    elif isinstance(wrong, ast.BoolOp | ast.BinOp) and type(wrong.op) in OPERATORS:
        wrong.op = OPERATORS[type(wrong.op)]()  # type: ignore[assignment]
        yield ast.unparse(wrong)
    elif isinstance(wrong, ast.UnaryOp) and isinstance(wrong.op, ast.Not):
        yield ast.unparse(wrong.operand)
    elif isinstance(wrong, ast.Constant) and isinstance(wrong.value, bool | int):
        yield repr(not wrong.value if isinstance(wrong.value, bool) else wrong.value + 1)
    elif isinstance(wrong, ast.Constant) and isinstance(wrong.value, str) and re.fullmatch(r"\w+", wrong.value):
        yield repr(f"{wrong.value}_")
    if node in (getattr(parent, "test", None), *getattr(parent, "ifs", ())):
        yield f"not ({ast.unparse(node)})"
    if isinstance(parent, ast.Return) and not (isinstance(node, ast.Constant) and node.value is None):
        yield "None"


def tests_of(path: Path) -> list[str]:
    """The test files of a file's folder and those that import it, nearest first: all of _ecs has tests/unit/ecs."""
    unit = ROOT / "tests/unit"
    service = path.relative_to(ROOT / "plugins").parts[1]
    folder = unit / (service.removeprefix("_") if "module_utils" in path.parts else "plugins")
    texts = {test: test.read_text() for test in sorted(unit.glob("**/test_*.py"))}
    imported = re.compile(rf"{path.parent.name}(\.| import .*\b){path.stem}\b")
    found = [test for test in texts if folder in test.parents or imported.search(texts[test])]
    # What runs whole modules is slow.
    found.sort(key=lambda test: (not imported.search(texts[test]), "run(" in texts[test], path.stem not in texts[test]))
    return [str(test.relative_to(ROOT)) for test in found]


def make_copy(number: int) -> Path:
    """A copy of the tracked files, importable as the collection."""
    root = CACHE / "mutations" / str(number)
    shutil.rmtree(root, ignore_errors=True)
    for name in tracked_files():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, root / name)
    link = root / ".ansible/collections" / COLLECTION
    link.parent.mkdir(parents=True)
    link.symlink_to("../../../..")
    return root


def failing(root: Path, tests: list[str]) -> str | None:
    """The first test file that fails, if one does."""
    command = (sys.executable, "-m", "pytest", "--quiet", "--exitfirst", "-p", "no:cacheprovider", *tests)
    # Python compares the age of compiled files in seconds, and two mutations can happen in one.
    variables = environment() | {"PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=root, env=variables, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return tests[0]
    if done.returncode == 0:
        return None
    named = re.search(r"^(?:FAILED|ERROR) (\S+?\.py)", done.stdout, re.MULTILINE)
    return named[1] if named else sys.exit(f"pytest did not run:\n{done.stdout}{done.stderr}")


def noticed(mutation: Mutation, copies: queue.Queue[Path]) -> str | None:
    """The test file that notices a mutation."""
    root = copies.get()
    file = root / mutation.path.relative_to(ROOT)
    right = file.read_bytes()
    try:
        file.write_bytes(mutation.apply(right))
        test = failing(root, tests_of(mutation.path))
    finally:
        file.write_bytes(right)
        copies.put(root)
    print(f"{'noticed ' if test else 'SURVIVED'}  {mutation}", flush=True)
    return test


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=20, help="how many mistakes (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="which ones (%(default)s)")
    arguments = parser.parse_args()
    possible = [mutation for path in pure_files() for mutation in mutations(path)]
    chosen = random.Random(arguments.seed).sample(possible, arguments.number)
    copies: queue.Queue[Path] = queue.Queue()
    jobs = os.cpu_count() or 1
    for number in range(jobs):
        copies.put(make_copy(number))
    print(f"{len(chosen)} of {len(possible)} possible mistakes, seed {arguments.seed}", flush=True)
    with ThreadPoolExecutor(jobs) as pool:
        by = [test for test in pool.map(lambda mutation: noticed(mutation, copies), chosen) if test]
    if by and (test := failing(copies.get(), sorted(set(by)))):
        sys.exit(f"{test} fails without a mistake, too.")
    print(f"{len(by)} noticed, {len(chosen) - len(by)} survived")
    return 0 if len(by) == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
