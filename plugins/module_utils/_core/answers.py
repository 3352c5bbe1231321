# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an answer is one: readable, of the operation that was called, with all that was requested and is always sent.

Silence is not absence. botocore takes a page of HTML with status 200 for an answer without members.
"""

from __future__ import annotations

import json
import re
import typing as t

from .always import ALWAYS
from .error_codes import AWS_ERROR
from .errors import SlipwayError, bad_answer
from .names import last
from .types import Items, Json

# The only types that are checked: a program that goes through a text instead of a list reads letters as names.
CONTAINERS: dict[str, tuple[type, str]] = {
    "list": (list, "a list"),
    "map": (dict, "an object"),
    "structure": (dict, "an object"),
}
# The reason of a failure that says that there is none.
MISSING = "MISSING"
ROOT = re.compile(rb"\s*(?:<\?xml[^>]*\?>\s*)?<(?:\w+:)?(\w+)")


class Model(t.Protocol):
    """Of botocore: an operation."""

    name: str
    output_shape: t.Any
    service_model: t.Any
    has_streaming_output: bool


def check_readable(model: Model, response: t.Mapping[str, t.Any]) -> None:
    """`response` is an answer before botocore parses it. Refusals are left to botocore."""
    shape = model.output_shape
    if response["status_code"] >= 300 or not shape or not shape.members or model.has_streaming_output:
        return
    protocol = model.service_model.protocol
    if protocol == "json":
        _check_json(model, response)
    elif protocol in ("query", "ec2"):
        root = ROOT.match(response["body"])
        if not root or root[1].decode() != f"{model.name}Response":
            raise bad_answer(model.name, f"XML of {model.name}Response", _size_and_type(response))


def _check_json(model: Model, response: t.Mapping[str, t.Any]) -> None:
    try:
        answer = json.loads(response["body"])
    except ValueError:
        raise bad_answer(model.name, "JSON", _size_and_type(response)) from None
    if problem := wrong_type(model.output_shape, answer, "the answer"):
        raise bad_answer(model.name, *problem)


def wrong_type(shape: t.Any, value: t.Any, place: str) -> tuple[str, str] | None:
    """What was expected and what was found, where a list or an object should be and is not."""
    if value is None or shape.type_name not in CONTAINERS:
        return None
    kind, name = CONTAINERS[shape.type_name]
    if not isinstance(value, kind):
        return f"{name} as {place}", type(value).__name__
    return _wrong_inside(shape, value, place)


def _wrong_inside(shape: t.Any, value: t.Any, place: str) -> tuple[str, str] | None:
    members: t.Iterable[tuple[t.Any, t.Any, str]]
    if shape.type_name == "structure":
        members = ((shape.members[key], value[key], f"'{key}'") for key in value if key in shape.members)
    elif shape.type_name == "map":
        members = ((shape.value, item, place) for item in value.values())
    else:
        members = ((shape.member, item, f"an element of {place}") for item in value)
    return next((found for member, item, where in members if (found := wrong_type(member, item, where))), None)


def check_members(model: Model, answer: Json) -> None:
    """`answer` is parsed: it has the members that AWS always sends."""
    always = ALWAYS.get(model.service_model.service_name)
    if always and model.output_shape and (missing := _missing_member(model.output_shape, answer, always)):
        raise bad_answer(model.name, "all that AWS documents", f"an answer without {missing}")


def _missing_member(shape: t.Any, value: t.Any, always: t.Mapping[str, tuple[str, ...]]) -> str:
    """The first member that a structure lacks, such as 'clusterArn' of Cluster."""
    if shape.type_name == "list":
        found = (_missing_member(shape.member, element, always) for element in value or ())
    elif shape.type_name == "structure" and isinstance(value, dict):
        lacking = next((name for name in always.get(shape.name, ()) if value.get(name) is None), "")
        if lacking:
            return f"'{lacking}' of {shape.name}"
        inner = ((shape.members[name], member) for name, member in value.items() if name in shape.members)
        found = (_missing_member(member_shape, member, always) for member_shape, member in inner)
    else:
        return ""
    return next((missing for missing in found if missing), "")


def require_members(operation: str, answers: t.Iterable[Json], *members: str) -> None:
    """For members that AWS always sends and some emulators leave out: what is not known must not count as empty."""
    lacking = next((name for one in answers for name in members if one.get(name) is None), "")
    if lacking:
        raise bad_answer(operation, f"'{lacking}'", "an answer without it")


def check_complete(
    operation: str, requested: t.Iterable[str], found: t.Iterable[str], missing: t.Iterable[str] = ()
) -> None:
    """Each name that was requested has been found, or AWS has named it as missing.

    Names may be ARNs: the last part of each counts.
    """
    known = {last(name) for name in (*found, *missing)}
    silent = [name for name in requested if last(name) not in known]
    if silent:
        raise bad_answer(operation, f"{', '.join(silent)}, or that it does not exist", "neither")


def raise_failures(operation: str, answer: Json, ignore: t.Collection[str] = ()) -> None:
    """AWS reports failures of batch calls inside a successful answer."""
    failures = [failure for failure in answer.get("failures") or () if failure.get("reason") not in ignore]
    if failures:
        message = "; ".join(f"{f.get('arn', '')} {f.get('reason', '')} {f.get('detail', '')}".strip() for f in failures)
        details = {"operation": operation, "failures": failures}
        raise SlipwayError(AWS_ERROR, f"AWS answered {operation} with failures: {message}", details)


def described(operation: str, answer: Json, member: str, identity: str, requested: Items) -> list[Json]:
    """What exists of the resources requested; ECS names the others in its failures."""
    raise_failures(operation, answer, ignore=(MISSING,))
    found = list(answer[member])
    missing = [str(failure["arn"]) for failure in answer.get("failures") or ()]
    check_complete(operation, requested, [str(one[identity]) for one in found], missing)
    return found


def _size_and_type(response: t.Mapping[str, t.Any]) -> str:
    """Not its text, in which may be a secret."""
    kind = response["headers"].get("content-type", "no content type")
    return f"{len(response['body'])} bytes of {kind}"
