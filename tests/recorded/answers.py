# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The answers of one account of AWS with a project `shop`, as far as this collection reads it: `aws/<service>.yml`.

They are written by us in the forms that public recordings of the real AWS show: which members come, in what form, which
are missing, empty or null, in which order. An operation has a list of entries:

- `seen`: where the form was recorded;
- `for`: values that a request has to contain; the first entry that fits answers, one without `for` fits any request;
- `select`: a list of the answer and the member that identifies its elements: those that were requested are answered;
- `answer`: the members; or `error`: the code, message and status of a refusal;
- `new`: members that botocore's model lacks, or whose recorded values it lacks.
"""

from __future__ import annotations

import dataclasses
import functools
import typing as t
from pathlib import Path

import botocore.session
import yaml

Json = dict[str, t.Any]
FOLDER = Path(__file__).parent / "aws"
ACCOUNT, REGION, PROJECT = "111122223333", "eu-central-1", "shop"

KINDS: dict[str, tuple[type[t.Any], ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    # A policy, in whatever encoding the service sends it.
    "string": (str, dict),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
}


@dataclasses.dataclass(frozen=True, eq=False)
class Recorded:
    """One answer of an operation."""

    service: str
    operation: str
    number: int
    seen: str
    needs: frozenset[str]
    select: str
    answer: Json | None
    error: Json | None
    new: frozenset[str]

    def __str__(self) -> str:
        return f"{self.service}.{self.operation}[{self.number}]"


@functools.cache
def model(service: str) -> t.Any:
    return botocore.session.get_session().get_service_model(service)


@functools.cache
def recorded() -> tuple[Recorded, ...]:
    """All of them, in the order of the files."""
    files = {path.stem: yaml.load(path.read_text(), _Loader) for path in sorted(FOLDER.glob("*.yml"))}
    return tuple(
        Recorded(
            service,
            operation,
            number,
            entry["seen"],
            frozenset(entry.get("for", ())),
            entry.get("select", ""),
            entry.get("answer"),
            entry.get("error"),
            frozenset(entry.get("new", ())),
        )
        for service, operations in files.items()
        for operation, entries in operations.items()
        for number, entry in enumerate(entries)
    )


class _Loader(yaml.CSafeLoader):
    """Times keep their text: what the model calls text may look like one."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for letter, found in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def problems(one: Recorded) -> list[str]:
    """In what an answer is not of the form that botocore's model has."""
    shape = model(one.service).operation_model(one.operation).output_shape
    found = list(_problems(shape, one.answer or {}, ""))
    return [problem for path, problem in found if path not in one.new] + [
        f"{path} is listed as new, and the model has it" for path in one.new - {path for path, _problem in found}
    ]


def _problems(shape: t.Any, value: t.Any, path: str) -> t.Iterator[tuple[str, str]]:
    if value is None:
        return
    if not isinstance(value, KINDS.get(shape.type_name, (object,))) or (
        isinstance(value, bool) and shape.type_name != "boolean"
    ):
        yield path, f"{path}: expected {shape.type_name}, got {type(value).__name__}"
    elif shape.type_name == "structure":
        for name, member in value.items():
            inner = f"{path}.{name}".lstrip(".")
            if name in shape.members:
                yield from _problems(shape.members[name], member, inner)
            else:
                yield inner, f"{inner}: a member that the model lacks"
    elif shape.type_name in ("list", "map"):
        inner = shape.member if shape.type_name == "list" else shape.value
        for element in value if isinstance(value, list) else value.values():
            yield from _problems(inner, element, path)
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        yield path, f"{path}: {value} is none of {shape.enum}"
