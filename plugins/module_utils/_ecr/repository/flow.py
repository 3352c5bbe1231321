# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module ecr_repository does."""

from __future__ import annotations

import typing as t

from ..._core import resource, tags
from ..._core.creating import persist
from ..._core.error_codes import NOT_EMPTY
from ..._core.errors import SlipwayError
from ..._core.plan import Plan
from ..._core.shapes import input_shape
from ..._core.types import Client, Connection, Json, Result
from ..api import Target, find_repository
from . import api, model, policies


class Repository(resource.DeletableResource):
    service = "ecr"
    key = "repository"
    kind = "repository"
    sets = model.SETS

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.shape = input_shape(self.aws, "CreateRepository")
        self.target = Target(self.params["name"], self.params["registry_id"])
        self.options: Json = {}

    def validate(self) -> None:
        model.check_name(self.shape, self.params["name"])
        if self.params["state"] == "present":
            self.options = model.checked(self.shape, self.params, allow_unknown=self.check_mode)

    def find(self) -> Json | None:
        answer = find_repository(self.aws, self.target)
        return answer and complete(self.aws, self.target, answer, model.POLICIES.keys() & self.options)

    def from_api(self, answer: Json) -> Json:
        return model.from_api(answer)

    def desired(self, current: Json | None) -> Json:
        alias = model.alias_in(self.options)
        key = api.key_arn(self.connection.client("kms"), alias) if alias and current else None
        return model.desired(current, self.options, self.desired_tags(current), key)

    def predict(self, predicted: Json) -> Json:
        return model.predict(predicted)

    def create(self, planned: Plan) -> None:
        wanted, members = planned.predicted, planned.members
        api.create_repository(self.aws, model.create_request(self.shape, wanted, members))
        self._put_policies(wanted, members)

    def update(self, current: Json, planned: Plan, answer: Json) -> None:
        wanted, members = planned.predicted, planned.members
        if members & {model.MUTABILITY, model.FILTERS}:
            api.put_image_tag_mutability(self.aws, self.target, wanted[model.MUTABILITY], wanted[model.FILTERS])
        if model.SCANNING in members:
            api.put_image_scanning_configuration(self.aws, self.target, wanted[model.SCANNING])
        if "tags" in members:
            put, removed = tags.changes(current["tags"], wanted["tags"])
            api.change_tags(self.aws, current["repository_arn"], put, removed)
        self._put_policies(wanted, members)

    def _put_policies(self, wanted: Json, members: t.Collection[str]) -> None:
        ecr, target = self.aws, self.target
        if "lifecycle_policy" in members:
            if wanted["lifecycle_policy"]:
                api.put_lifecycle_policy(ecr, target, policies.text(wanted["lifecycle_policy"]))
            else:
                api.delete_lifecycle_policy(ecr, target)
        if "policy" in members:
            if wanted["policy"]:
                text, force = policies.text(wanted["policy"]), self.params["force_set_policy"]
                # Its principals may be roles that were created just before.
                persist(lambda: api.set_repository_policy(ecr, target, text, force))
            else:
                api.delete_repository_policy(ecr, target)

    def refuse_deletion(self, current: Json) -> None:
        if not self.params["force"] and api.has_images(self.aws, self.target):
            raise SlipwayError(
                NOT_EMPTY,
                f"The repository {self.target.name} contains images. To delete it together with them, set force=true.",
                {"repository": current},
            )

    def delete(self, current: Json) -> bool:
        return api.delete_repository(self.aws, self.target, self.params["force"])


def complete(ecr: Client, target: Target, answer: Json, documents: t.Collection[str], tags: bool = True) -> Json:
    """A repository's answer with its tags and the texts of the policies in `documents`, which AWS answers apart."""
    readers = {"lifecycle_policy": api.get_lifecycle_policy, "policy": api.get_repository_policy}
    texts = {name: readers[name](ecr, target) for name in documents}
    return {**answer, "tags": api.list_tags(ecr, answer["repositoryArn"]) if tags else [], **texts}


def run(connection: Connection) -> Result:
    return resource.run(Repository(connection))
