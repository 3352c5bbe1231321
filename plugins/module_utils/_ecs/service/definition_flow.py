# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a service that is given in AWS's spelling, as a dictionary or as a file."""

from __future__ import annotations

import typing as t

from ..._core import tags as tagging
from ..._core.error_codes import INVALID_OPTION
from ..._core.errors import SlipwayError
from ..._core.secret_forms import refuse_secrets
from ..._core.shapes import did_you_mean, option_names, output_shape, snake
from ..._core.types import Client, Json
from ..rollout.deployments import primary
from ..task_definition.document_flow import load_document
from .members import AT_THE_DEPLOYMENT
from .model import Shapes

# What a service answers under another name than the one by which it is requested.
_RENAMED = {"cluster_arn": "cluster", "role_arn": "role"}
# ECS uses it by itself, and refuses it in a request.
_SERVICE_LINKED = ":role/aws-service-role/"


def with_definition(ecs: Client, params: Json, shapes: Shapes) -> Json:
    """The options, completed by those of the definition; `name` and `cluster` may come from it, too."""
    given = params["definition"]
    if params["definition_file"] is not None:
        given = load_document(params["definition_file"])
        refuse_secrets(given, "definition_file", params.get("plain_values"))
    if given is None:
        return params
    answer = output_shape(ecs, "DescribeServices").members["services"].member
    found = from_definition(given, set(option_names(shapes.create)), {snake(member) for member in answer.members})
    return {**params, **{name: value for name, value in found.items() if params.get(name) is None}}


def from_definition(document: t.Mapping[str, t.Any], known: t.Collection[str], answered: t.Collection[str]) -> Json:
    """Options from a request of CreateService, or from a service as DescribeServices or this collection returns it.

    Members that only AWS writes are left out.
    """
    members = {snake(name): value for name, value in _with_deployment(_service_of(document)).items()}
    options = {_RENAMED.get(name, name): value for name, value in members.items() if value is not None}
    unknown = sorted(options.keys() - {*known, *answered})
    if unknown:
        problems = [f"definition: unknown member '{name}'{did_you_mean(name, list(known))}." for name in unknown]
        raise SlipwayError(INVALID_OPTION, " ".join(problems), {"problems": problems})
    taken = {name: value for name, value in options.items() if name in known and name != "client_token"}
    if _SERVICE_LINKED in str(taken.get("role") or "") or not taken.get("role"):
        taken.pop("role", None)
    if "tags" in taken:
        tags = tagging.from_list(taken["tags"]) if isinstance(taken["tags"], list) else taken["tags"]
        own = {name: value for name, value in tags.items() if not name.startswith(tagging.AWS)}
        taken["tags"] = tagging.checked(own, "definition.tags")
    name = taken.pop("service_name", None)
    return {**taken, **({"name": name} if name else {})}


def _service_of(document: t.Mapping[str, t.Any]) -> Json:
    """The service inside of what AWS's command line prints."""
    listed = document.get("services")
    body = listed[0] if isinstance(listed, list) and len(listed) == 1 else document.get("service", document)
    if not isinstance(body, dict) or (isinstance(listed, list) and len(listed) != 1):
        raise SlipwayError(INVALID_OPTION, "definition: expected a dictionary with the members of one service.")
    return body


def _with_deployment(service: Json) -> Json:
    """With the members that AWS answers only with the deployments."""
    first = primary(service) or {}
    return {**service, **{name: first[name] for name in AT_THE_DEPLOYMENT if first.get(name) and not service.get(name)}}
