# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the readers of all kinds share: an account, what is found in it, and calls side by side."""

from __future__ import annotations

import concurrent.futures
import contextlib
import threading
import types
import typing as t

from ..._core import tags
from ..._core.error_codes import NOT_FOUND
from ..._core.errors import SlipwayError, aws_call, translate
from ..._core.paging import pages
from ..._core.types import Json

with contextlib.suppress(ImportError):  # AnsibleAWSModule reports it
    from botocore.exceptions import ClientError

P = t.ParamSpec("P")
R = t.TypeVar("R")
# What is deleted stays in the answers of EC2 for a while.
DELETED = {"terminated", "shutting-down", "deleted", "deleting", "INACTIVE", "DELETE_IN_PROGRESS"}
# Calls for single resources that are under way at a time.
WORKERS = 8
NOTHING: t.Mapping[str, t.Any] = types.MappingProxyType({})


class Found(t.NamedTuple):
    """One resource. `holds` is what is in it that cannot be recreated, `uses` the ARNs that it refers to.

    `details` is what AWS answered; `arn` is empty where the answer has none.
    """

    id: str
    name: str
    tags: tags.Tags
    holds: str = ""
    state: str = ""
    uses: frozenset[str] = frozenset()
    used_by: frozenset[str] = frozenset()
    arn: str = ""
    details: t.Mapping[str, t.Any] = NOTHING


class Answers:
    """What several readers need is requested once: the first of them does, the others wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[t.Hashable, concurrent.futures.Future[t.Any]] = {}

    def once(self, key: t.Hashable, read: t.Callable[[], R]) -> R:
        with self._lock:
            is_first = key not in self._answers
            answer = self._answers.setdefault(key, concurrent.futures.Future())
        if is_first:
            try:
                answer.set_result(read())
            except BaseException as error:
                answer.set_exception(error)
        return t.cast(R, answer.result())


class Account:
    """Where to read, and for whom: `clients` by the name of the service. `in_full`: with details."""

    def __init__(self, clients: t.Mapping[str, t.Any], project: str, in_full: bool = False) -> None:
        self.clients = clients
        self.project = project
        self.in_full = in_full
        self.answers = Answers()

    @property
    def mine(self) -> list[Json]:
        """A filter by the project's tag."""
        return [{"Name": f"tag:{tags.PROJECT}", "Values": [self.project]}]

    def service_of(self, operation: str, first: str) -> str:
        """The service that has an operation: `first`, if it does."""
        services = (first, *self.clients)
        having = (one for one in services if operation in self.clients[one].meta.service_model.operation_names)
        return next(having, first)


Read = t.Callable[[Account], t.Iterable[Found]]
# Members of a resource's details that only a call of its own returns.
Part = t.Callable[[Account, Found], Json]


class Kind(t.NamedTuple):
    """`role` creates it; `service` is asked; `arn` is what its ARN has in front of the id, where AWS answers none.

    `parts` are read with details only. So is a kind that is `detailed`.
    """

    name: str
    role: str
    service: str
    read: Read
    parts: tuple[Part, ...] = ()
    arn: str = ""
    detailed: bool = False


def shared(read: t.Callable[t.Concatenate[Account, P], R]) -> t.Callable[t.Concatenate[Account, P], R]:
    """For a function that several kinds call: it runs once for the same arguments."""
    call = aws_call(read)

    def wrapper(account: Account, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return account.answers.once((read, args), lambda: call(account, *args, **kwargs))

    return wrapper


def is_missing(error: Exception) -> bool:
    """Whether AWS says that what was requested does not exist."""
    failure = error if isinstance(error, SlipwayError) else translate(error)
    return failure.code == NOT_FOUND or "NoSuch" in failure.details.get("error_code", "")


def unless_missing(read: t.Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | None:
    """What a call returns; None where AWS says that there is nothing."""
    try:
        return read(*args, **kwargs)
    except (ClientError, SlipwayError) as error:
        if is_missing(error):
            return None
        raise


def side_by_side(ask: t.Callable[[t.Any], R], items: t.Iterable[t.Any]) -> list[R]:
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(ask, items))


def each(items: t.Sequence[t.Any], read: t.Callable[[t.Any], R]) -> t.Iterator[tuple[t.Any, R]]:
    """What is requested for one resource at a time; one that was deleted meanwhile is left out."""
    answers = side_by_side(lambda item: unless_missing(read, item), items)
    return ((item, answer) for item, answer in zip(items, answers, strict=True) if answer is not None)


def all_of(client: t.Any, operation: str, member: str, **request: t.Any) -> list[Json]:
    """Like `pages`, also for a call for which boto3 has no paginator."""
    if client.can_paginate(operation):
        return pages(client, operation, member, **request)
    found: list[Json] = []
    while True:
        answer = getattr(client, operation)(**request)
        found += answer[member]
        if not answer.get("nextToken"):
            return found
        request["nextToken"] = answer["nextToken"]
