# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads everything that a project owns in full. What cannot be read is named, and everything else is returned."""

from __future__ import annotations

import concurrent.futures
import functools
import itertools
import typing as t

from .._core.error_codes import NO_CREDENTIALS
from .._core.errors import SlipwayError, bad_answer
from .._core.names import home_of
from .._core.types import Clients, Json, Result
from . import api, model, relations
from .kinds.base_api import Account, Found, Kind, is_missing, side_by_side


def entries(kinds: t.Sequence[Kind], found: t.Sequence[t.Sequence[Found]]) -> t.Iterator[tuple[Kind, Found, Json]]:
    """Resources by kind, in the order in which they are deleted, each as it is returned."""
    hosts = {
        one.id: model.role_of(kind, one, {})
        for kind, some in zip(kinds, found, strict=True)
        for one in some
        if kind.name == "instance"
    }
    for kind, some in zip(kinds, found, strict=True):
        for one in model.ordered(some):
            yield kind, one, model.entry(kind, one, hosts)


class Answer(t.NamedTuple):
    """What was read of one kind, and what could not be."""

    owned: list[Found]
    unknown: list[Json]


def run(client: Clients, project: str) -> Result:
    """All resources of the project with their details."""
    clients = {service: client(service) for service in (*api.SERVICES, *api.DETAILED_SERVICES)}
    account = Account(clients, project, in_full=True)
    region = clients["ec2"].meta.region_name
    # Whoever is not known to AWS may read nothing: there is no point in a list of all that is unknown.
    caller = api.caller(clients["sts"])
    with concurrent.futures.ThreadPoolExecutor(len(api.KINDS)) as pool:
        answers = list(pool.map(lambda kind: _read(kind, account, region), api.KINDS))
    resources = _detailed([answer.owned for answer in answers], caller["arn"], region)
    failures = itertools.chain.from_iterable(answer.unknown for answer in answers)
    return {
        "changed": False,
        "resources": resources,
        "unknown": model.distinct(failures),
        "records": {},
        "caller": caller,
        "region": region,
    }


def _detailed(found: t.Sequence[list[Found]], caller: str, region: str) -> list[Json]:
    """Entries with ARNs, details and relations."""
    home = home_of(caller)
    if home is None:
        raise bad_answer("GetCallerIdentity", "an ARN", repr(caller))
    home = home._replace(region=region)
    resources = [
        {**entry, "arn": one.arn or model.arn_of(kind.service, kind.arn, one.id, home), "details": one.details}
        for kind, one, entry in entries(api.KINDS, found)
    ]
    return [{**one, "uses": used} for one, used in zip(resources, relations.uses(resources), strict=True)]


def _read(kind: Kind, account: Account, region: str) -> Answer:
    try:
        found = [one for one in api.read(kind, account) if model.is_owned(one.tags, account.project, region)]
    except SlipwayError as error:
        return Answer([], [_unknown(kind, account, error)])
    answers = side_by_side(functools.partial(_with_parts, kind, account), found)
    return Answer(
        [one for one, _failures in answers if one is not None],
        [_unknown(kind, account, failure) for _one, failures in answers for failure in failures],
    )


def _with_parts(kind: Kind, account: Account, found: Found) -> tuple[Found | None, list[SlipwayError]]:
    """The resource with all of its details, and what could not be read. Without a resource where it was deleted."""
    details, failures = dict(found.details), []
    for part in kind.parts:
        try:
            details.update(api.read_part(part, account, found))
        except SlipwayError as error:
            if is_missing(error):
                return None, []
            failures.append(error)
    return found._replace(details=model.plain(details)), failures


def _unknown(kind: Kind, account: Account, error: SlipwayError) -> Json:
    if error.code == NO_CREDENTIALS:
        raise error
    operation = str(error.details.get("operation", ""))
    action = model.action_of(account.service_of(operation, kind.service), operation)
    return model.unknown(kind.name, kind.role, action, error)
