# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Present and absent of a resource: read it, compare it, then predict the change or apply it once and wait for it.

What is special about a resource is a subclass in its flow. What AWS never updates, such as a task definition, and what
one module plans many of, such as listener rules, has a flow of its own.
"""

from __future__ import annotations

import abc
import typing as t

from . import tags as tagging
from .creating import converge, creating, visible
from .plan import Plan, Sets, compare, remove
from .types import Client, Connection, Json, Result
from .waiting import poll


class Resource(abc.ABC):
    """A resource as its flow needs it. An answer is AWS's description of it, None if it does not exist."""

    # The AWS service, as boto3 calls it.
    service: t.ClassVar[str]
    # The member of the result, and what messages call the resource in front of its name.
    key: t.ClassVar[str]
    kind: t.ClassVar[str]
    # Lists that are sets.
    sets: t.ClassVar[Sets] = {}
    # The members of a new resource that no option sets; what nobody can know yet is unknown.
    new: t.ClassVar[Json] = {}

    def __init__(self, connection: Connection) -> None:
        self.connection, self.params, self.check_mode = connection, connection.params, connection.check_mode
        self.aws: Client = connection.client(self.service)

    def validate(self) -> None:
        """Fail with invalid options, before anything is read."""
        return

    @abc.abstractmethod
    def find(self) -> Json | None:
        """Its answer."""

    @abc.abstractmethod
    def from_api(self, answer: Json) -> Json:
        """The resource under the names of the result."""

    @abc.abstractmethod
    def desired(self, current: Json | None) -> Json:
        """The desired state, as `from_api` returns the current one. Members that are missing or None are kept."""

    def refuse(self, current: Json | None, planned: Plan) -> None:
        """Fail where AWS cannot make the change."""
        return

    def predict(self, predicted: Json) -> Json:
        """A new resource as it would be."""
        return {**self.new, **predicted}

    @abc.abstractmethod
    def create(self, planned: Plan) -> Json | None:
        """Create it. Returns its answer, where it has to be known to find the resource."""

    @abc.abstractmethod
    def update(self, current: Json, planned: Plan, answer: Json) -> None: ...

    def refuse_deletion(self, current: Json) -> None:
        """Fail where it must not be deleted."""
        return

    def is_deleting(self, answer: Json) -> bool:
        """True from its deletion on, also while AWS still shows what it has deleted."""
        return False

    def is_deleted(self, answer: Json | None) -> bool:
        return answer is None

    def is_busy(self, answer: Json | None) -> bool:
        """Whether AWS still carries out an earlier change."""
        return False

    def wait_stable(self, created: Json | None) -> Json | None:
        """The answer after a change; None where reads do not show it in time."""
        return visible(self.find)

    def wait_changed(self, answer: Json | None) -> Json | None:
        """The answer after an update, of which the first reads may not know yet."""
        after = self.wait_stable(answer)
        if after and self.params.get("wait", True) and not self._is_desired(after):
            visible(lambda: (found := self.find()) and self._is_desired(found))
            after = self.wait_stable(answer)
        return after

    def _is_desired(self, answer: Json) -> bool:
        current = self.from_api(answer)
        return not compare(current, self.desired(current), self.sets).changed

    def created(self, result: Result, answer: Json) -> Result:
        """The result after a create."""
        return {**result, self.key: self.from_api(answer)}

    def deleted(self, current: Json) -> Json:
        """What the result shows after a deletion."""
        return {}

    def progress(self, answer: Json | None) -> Json:
        """Details of a failure where waiting has timed out."""
        return {}

    def desired_tags(self, current: Json | None) -> tagging.Tags | None:
        return tagging.desired((current or {}).get("tags") or {}, self.params["tags"], self.params["purge_tags"])

    def existing(self) -> Json | None:
        """Its answer, unless it is deleted or about to be."""
        answer = self.find()
        return None if answer is None or self.is_deleting(answer) else answer

    def wait_until(self, done: t.Callable[[Json | None], bool], what: str) -> Json | None:
        return poll(
            self.find,
            done,
            timeout=self.params["wait_timeout"],
            waiting_for=f"{self.kind} {self.params['name']} {what}",
            describe=self.progress,
        )

    def wait_deleted(self) -> None:
        self.wait_until(self.is_deleted, "to be deleted")

    def wait_if_deleting(self) -> Json | None:
        """Its answer; where it is about to be deleted None, after that, as its name is free then."""
        answer = self.find()
        if answer is None or not self.is_deleting(answer):
            return answer
        if not self.check_mode and not self.is_deleted(answer):
            self.wait_deleted()
        return None


class DeletableResource(Resource):
    """A resource that its module also deletes."""

    @abc.abstractmethod
    def delete(self, current: Json) -> bool:
        """Whether this call deleted it."""


def run(resource: DeletableResource) -> Result:
    """The flow of a module with the option `state`."""
    resource.validate()
    return present(resource) if resource.params["state"] == "present" else absent(resource)


def present(resource: Resource) -> Result:
    """The resource exists and is as desired."""
    return converge(lambda: _present(resource))


def _present(resource: Resource) -> Result:
    answer = resource.wait_if_deleting()
    current = None if answer is None else resource.from_api(answer)
    planned = compare(current, resource.desired(current), resource.sets)
    resource.refuse(current, planned)
    result: Result = {"changed": planned.changed, "diff": planned.diff}
    predicted = planned.predicted if current else resource.predict(planned.predicted)
    if resource.check_mode:
        return {**result, resource.key: predicted}
    if current is None or answer is None:
        created = creating(lambda: resource.create(planned), resource.existing, planned.diff)
        answer = resource.wait_stable(created)
        return resource.created(result, answer) if answer else {**result, resource.key: predicted}
    if planned.changed:
        resource.update(current, planned, answer)
        answer = resource.wait_changed(answer)
    elif resource.is_busy(answer):
        answer = resource.wait_stable(answer)
    return {**result, resource.key: resource.from_api(answer) if answer else predicted}


def absent(resource: DeletableResource) -> Result:
    """The resource does not exist."""
    answer = resource.find()
    current = None if answer is None or resource.is_deleting(answer) else resource.from_api(answer)
    if current:
        resource.refuse_deletion(current)
    changed = current is not None and (resource.check_mode or resource.delete(current))
    if resource.params.get("wait") and not resource.check_mode and (current or not resource.is_deleted(answer)):
        resource.wait_deleted()
    return {
        "changed": changed,
        "diff": remove(current if current and changed else {}).diff,
        resource.key: resource.deleted(current) if current and changed else {},
    }
