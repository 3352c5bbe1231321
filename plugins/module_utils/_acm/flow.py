# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module acm_certificate_request does. A certificate is found by its domains and tags, as it has no name."""

from __future__ import annotations

import hashlib
import json
import uuid

from .._core import resource, tags
from .._core.creating import visible
from .._core.plan import Plan
from .._core.types import Connection, Json, Result
from .._core.waiting import poll
from . import api, model

# AWS needs a few seconds to work out the records.
RECORDS_TIMEOUT = 60
VISIBLE_TIMEOUT = 15


class Certificate(resource.Resource):
    service = "acm"
    key = kind = "certificate"
    new = model.NEW

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.domains = model.domains(self.params["domains"])

    def find(self) -> Json | None:
        """The certificate for exactly these domains that has these tags. An issued one before one that is not yet."""
        own = self.params["match_tags"] or self.params["tags"] or {}
        first = [one for one in api.list_certificates(self.aws, model.USABLE) if model.is_for(one, self.domains[0])]
        answers = [answer for one in first if (answer := self._read(one["CertificateArn"]))]
        fitting = [one for one in answers if model.fits(self.from_api(one), self.domains, own)]
        return min(fitting, key=lambda answer: bool(answer["Status"] != model.ISSUED), default=None)

    def _read(self, arn: str) -> Json | None:
        answer = api.find_certificate(self.aws, arn)
        return answer and {**answer, "Tags": api.list_tags(self.aws, arn)}

    def from_api(self, answer: Json) -> Json:
        return model.from_api(answer)

    def desired(self, current: Json | None) -> Json:
        return {"domains": current["domains"] if current else self.domains, "tags": self.desired_tags(current)}

    def desired_tags(self, current: Json | None) -> tags.Tags | None:
        """Whatever is found has the tags by which it is found."""
        if current and self.params["tags"] is None:
            return None
        wanted = {**(self.params["tags"] or {}), **(self.params["match_tags"] or {})}
        return tags.desired((current or {}).get("tags", {}), wanted, self.params["purge_tags"])

    def create(self, planned: Plan) -> Json:
        """A run seconds after another, whose list does not show the certificate yet, gets the same one.

        So may a run after the certificate's deletion: it requests another one, with a token of its own.
        """
        wanted = planned.predicted["tags"]
        text = json.dumps([sorted(self.domains), sorted(wanted.items())])
        token = hashlib.sha256(text.encode()).hexdigest()[:32]
        arn = api.request_certificate(self.aws, self.domains, wanted, token)
        if not visible(lambda: api.find_certificate(self.aws, arn), timeout=VISIBLE_TIMEOUT):
            arn = api.request_certificate(self.aws, self.domains, wanted, uuid.uuid4().hex)
        return {"CertificateArn": arn}

    def update(self, current: Json, planned: Plan, answer: Json) -> None:
        put, removed = tags.changes(current["tags"], planned.predicted["tags"])
        api.change_tags(self.aws, current["certificate_arn"], put, removed)

    def is_busy(self, answer: Json | None) -> bool:
        return not model.has_records(answer) or (self.params["wait"] and not model.is_issued(answer))

    def wait_stable(self, created: Json | None) -> Json | None:
        """The certificate when its records are known, or when it is issued."""
        arn = (created or {})["CertificateArn"]
        poll(
            lambda: api.find_certificate(self.aws, arn),
            model.has_records,
            timeout=RECORDS_TIMEOUT,
            waiting_for=f"the validation records of {arn}",
        )
        if self.params["wait"]:
            poll(
                lambda: api.find_certificate(self.aws, arn),
                model.is_issued,
                timeout=self.params["wait_timeout"],
                waiting_for=f"AWS to issue {arn}, once it finds the validation records",
                describe=lambda last: {"certificate": model.from_api(last) if last else {}},
            )
        return self._read(arn)


def run(connection: Connection) -> Result:
    return resource.present(Certificate(connection))
