# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers as AWS sends them: JSON or XML, in the protocol and under the names of botocore's model.

So botocore parses them for real. A member that the model lacks is sent, too.
"""

from __future__ import annotations

import base64
import datetime
import json
import typing as t
import urllib.parse
import xml.etree.ElementTree as ET

from ansible_collections.slipway.aws.tests.proxies import base

Json = dict[str, t.Any]
# What AWS answers where its model says text: policies, in the encoding of the service.
ENCODED = {"iam": urllib.parse.quote}
# Types of members that the model lacks.
NEW = {"dict": "structure", "list": "list"}


def answer(model: t.Any, members: Json) -> base.Answer:
    """The answer of an operation, `model`, with these members."""
    shape, protocol = model.output_shape, model.service_model.resolved_protocol
    if protocol == "json":
        version = model.service_model.metadata["jsonVersion"]
        body = json.dumps(_json(shape, members)).encode()
        return base.Answer(200, {"Content-Type": f"application/x-amz-json-{version}"}, body)
    if protocol == "rest-json":
        return base.Answer(200, {"Content-Type": "application/json"}, json.dumps(_json(shape, members)).encode())
    return base.Answer(200, {"Content-Type": "text/xml"}, _xml_body(model, shape, members))


def refusal(model: t.Any, code: str, message: str, status: int) -> base.Answer:
    protocol = model.service_model.resolved_protocol
    if protocol == "json":
        return base.json_error(code, message, status)
    if protocol == "rest-json":
        return base.rest_error(code, message, status)
    if protocol == "ec2":
        return base.ec2_error(code, message, status)
    if protocol == "query":
        return base.query_error(code, message, status)
    body = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>0</RequestId></Error>"
    return base.Answer(status, {"Content-Type": "application/xml"}, body.encode())


# JSON


def _json(shape: t.Any, value: t.Any) -> t.Any:
    if value is None or shape is None:
        return value
    if shape.type_name == "structure":
        members = shape.members
        return {_name(members.get(name), name): _json(members.get(name), member) for name, member in value.items()}
    if shape.type_name == "map":
        return {key: _json(shape.value, member) for key, member in value.items()}
    if shape.type_name == "list":
        return [_json(shape.member, element) for element in value]
    if shape.type_name == "timestamp":
        return _moment(value).timestamp()
    if shape.type_name == "string" and isinstance(value, dict):
        return json.dumps(value)
    return base64.b64encode(value.encode()).decode() if shape.type_name == "blob" else value


def _name(shape: t.Any, member: str) -> str:
    return str(shape.serialization.get("name", member)) if shape is not None else member


def _moment(value: t.Any) -> datetime.datetime:
    """YAML reads times without a zone as UTC."""
    moment = value if isinstance(value, datetime.datetime) else datetime.datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


# XML


def _xml_body(model: t.Any, shape: t.Any, members: Json) -> bytes:
    protocol = model.service_model.resolved_protocol
    if protocol == "rest-xml":
        payload = shape.serialization.get("payload")
        if payload and shape.members[payload].type_name in ("string", "blob"):
            return str(_text(model, shape.members[payload], members.get(payload, ""))).encode()
        inner, given = (shape.members[payload], members.get(payload, {})) if payload else (shape, members)
        return _serialized(model, inner, given, ET.Element(inner.name))
    root = ET.Element(f"{model.name}Response")
    wrapper = shape.serialization.get("resultWrapper") if protocol == "query" else None
    _serialized(model, shape, members, ET.SubElement(root, wrapper) if wrapper else root)
    if protocol == "ec2":
        ET.SubElement(root, "requestId").text = "0"
    else:
        ET.SubElement(ET.SubElement(root, "ResponseMetadata"), "RequestId").text = "0"
    return ET.tostring(root)


def _serialized(model: t.Any, shape: t.Any, members: Json, node: ET.Element) -> bytes:
    for name, value in members.items():
        _add(model, node, shape.members.get(name), name, value)
    return ET.tostring(node)


def _add(model: t.Any, parent: ET.Element, shape: t.Any, member: str, value: t.Any) -> None:
    """XML has no null."""
    if value is None:
        return
    kind = shape.type_name if shape is not None else NEW.get(type(value).__name__, "string")
    name = _name(shape, member)
    if kind == "list" and shape is not None and shape.serialization.get("flattened"):
        for element in value:
            _add(model, parent, shape.member, _name(shape.member, name), element)
        return
    node = ET.SubElement(parent, name)
    if kind == "list":
        for element in value:
            _add(model, node, shape.member if shape is not None else None, "member", element)
    elif kind == "structure":
        for inner, one in value.items():
            _add(model, node, shape.members.get(inner) if shape is not None else None, inner, one)
    elif kind == "map":
        for key, one in value.items():
            entry = ET.SubElement(node, "entry")
            ET.SubElement(entry, "key").text = str(key)
            _add(model, entry, shape.value, "value", one)
    else:
        node.text = _text(model, shape, value)


def _text(model: t.Any, shape: t.Any, value: t.Any) -> str:
    if isinstance(value, dict):
        return ENCODED.get(model.service_model.service_name, str)(json.dumps(value))
    if isinstance(value, bool):
        return str(value).lower()
    if shape is not None and shape.type_name == "timestamp":
        return _moment(value).astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return str(value)
