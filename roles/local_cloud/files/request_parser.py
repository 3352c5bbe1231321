# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the parameters of a request to AWS, by the model of its operation: the reverse of botocore's serializers."""

from __future__ import annotations

import base64
import binascii
import json
import re
import urllib.parse
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
# Of the shapes of botocore, which has no types.
Shape = Any

NUMBERS = {"integer": int, "long": int, "float": float, "double": float}


class MalformedRequest(Exception):
    """A request from which no parameters can be read."""


@dataclass(frozen=True)
class Request:
    """A request as it comes in; names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query: dict[str, list[str]]

    @property
    def form(self) -> dict[str, str]:
        """The parameters of the query protocols, from the body or the address."""
        is_form = self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        body = urllib.parse.parse_qs(self.body.decode(errors="replace"), keep_blank_values=True) if is_form else {}
        return {name: values[0] for name, values in (body | self.query).items()}


def operation_name(model: Any, request: Request) -> str:
    """The operation that a request calls, or "" if the model has none such."""
    name = request.headers.get("x-amz-target", "").rpartition(".")[2]
    if model.protocol in {"query", "ec2"}:
        form = request.form
        # Two APIs share the name of Elastic Load Balancing; they differ in their version.
        name = form.get("Action", "") if form.get("Version", model.api_version) == model.api_version else ""
    return name if name in model.operation_names else ""


def parse(operation: Any, request: Request) -> Json:
    """The parameters of a request, by the names of the model."""
    shape = operation.input_shape
    if shape is None:
        return {}
    if request.headers.get("x-amz-target"):
        return dict(from_json(shape, json_object(request.body)))
    if operation.service_model.protocol in {"query", "ec2"}:
        form = Form(operation.service_model.protocol == "ec2")
        return dict(form.parse(shape, tree(request.form)) or {})
    raise MalformedRequest(f"no parser for the protocol {operation.service_model.protocol}")


def json_object(body: bytes) -> Json:
    try:
        members = json.loads(body or b"{}")
    except ValueError as error:
        raise MalformedRequest("the body is no JSON") from error
    if not isinstance(members, dict):
        raise MalformedRequest("the body is no JSON object")
    return members


def from_json(shape: Shape, value: Any) -> Any:
    """A value of the JSON protocol. What does not fit the shape is kept as it is, for the check of types."""
    if shape.type_name == "structure" and isinstance(value, dict) and not shape.is_document_type:
        members = {shape.members[name].serialization.get("name", name): name for name in shape.members}
        return {
            members[key]: from_json(shape.members[members[key]], member)
            for key, member in value.items()
            if key in members and member is not None
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [from_json(shape.member, item) for item in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: from_json(shape.value, item) for key, item in value.items()}
    return from_text(shape, value) if shape.type_name == "blob" else value


def from_text(shape: Shape, value: Any) -> Any:
    """A scalar from text. What does not fit the shape is kept as it is, for the check of types."""
    if not isinstance(value, str):
        return value
    try:
        if shape.type_name == "blob":
            return base64.b64decode(value)
        if shape.type_name in NUMBERS:
            return NUMBERS[shape.type_name](value)
    except (ValueError, binascii.Error):
        return value
    if shape.type_name == "boolean":
        return {"true": True, "false": False}.get(value.lower(), value)
    return value


def tree(form: dict[str, str]) -> Json:
    """``Tags.member.1.Key=a`` as nested objects; the text of a name that has members too is kept under ""."""
    root: Json = {}
    for name, value in form.items():
        node = root
        for part in name.split("."):
            node = node.setdefault(part, {})
        node[""] = value
    return root


@dataclass(frozen=True)
class Form:
    """The query protocol, and its variant for EC2."""

    ec2: bool

    def name(self, shape: Shape, default: str) -> str:
        """How a member is called in a request."""
        names = shape.serialization
        if not self.ec2:
            return str(names.get("name", default))
        if "queryName" in names:
            return str(names["queryName"])
        name = str(names.get("name", default))
        return name[0].upper() + name[1:]

    def parse(self, shape: Shape, node: Json) -> Any:
        """A value, or None where the request has none."""
        if shape.type_name == "structure":
            return self.structure(shape, node)
        if shape.type_name == "list":
            return self.items(shape, node)
        if shape.type_name == "map":
            return self.map(shape, node)
        return from_text(shape, node[""]) if "" in node else None

    def structure(self, shape: Shape, node: Json) -> Json:
        members: Json = {}
        for name, member in shape.members.items():
            value = self.parse(member, self.member(member, name, node))
            if value is not None and value != {}:
                members[name] = value
        return members

    def member(self, shape: Shape, name: str, node: Json) -> Json:
        """Where a member's parameters are; a flattened list has the name of its items."""
        key = self.name(shape, name)
        if shape.type_name == "list" and not self.ec2 and shape.serialization.get("flattened"):
            key = str(shape.member.serialization.get("name", key))
        return dict(node.get(key, {}))

    def items(self, shape: Shape, node: Json) -> list[Any] | None:
        flat = self.ec2 or shape.serialization.get("flattened")
        items = node if flat else node.get(self.name(shape.member, "member"), {})
        numbered = sorted((int(key), item) for key, item in items.items() if re.fullmatch(r"\d+", key))
        if not numbered:
            return [] if node.get("") == "" else None
        return [self.parse(shape.member, item) for _number, item in numbered]

    def map(self, shape: Shape, node: Json) -> Json | None:
        entries = node if shape.serialization.get("flattened") else node.get("entry", {})
        key, value = self.name(shape.key, "key"), self.name(shape.value, "value")
        pairs = [entry for number, entry in entries.items() if re.fullmatch(r"\d+", number)]
        return {pair[key][""]: self.parse(shape.value, pair.get(value, {})) for pair in pairs if key in pair} or None
