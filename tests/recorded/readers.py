# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs what reads answers of AWS in this process, on one set of clients, and says what is wrong with the outcome."""

from __future__ import annotations

import functools
import importlib
import itertools
import typing as t

import boto3
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from botocore.config import Config

from ansible_collections.slipway.aws.plugins.module_utils._core import calls
from ansible_collections.slipway.aws.plugins.module_utils._core.error_codes import NOT_FOUND
from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Connection
from ansible_collections.slipway.aws.plugins.module_utils._core.waiting import Clock
from ansible_collections.slipway.aws.tests.recorded.answers import REGION

Json = dict[str, t.Any]
MODULES = "ansible_collections.slipway.aws.plugins.modules"
# What a run calls that takes something for missing. A task definition is registered for any difference.
CREATING = ("Create", "Request", "Run", "PutImage")
# A change is refused here, so what would be deleted is not.
REFUSED = "access_denied"


class Outcome(t.NamedTuple):
    """What a module returns, or fails with, and which changes it would have made."""

    result: Json
    error: SlipwayError | None
    changes: tuple[str, ...]


class Reader(t.NamedTuple):
    """A module and its options. `names` lists what a result shows to exist; None where it shows nothing."""

    module: str
    options: Json
    names: t.Callable[[Json], list[str]] | None = None

    def __str__(self) -> str:
        return f"{self.module} {self.options['state']}" if "state" in self.options else self.module

    @property
    def deletes(self) -> bool:
        return self.options.get("state") == "absent"

    def problem(self, outcome: Outcome, usual: Outcome) -> str:
        """What is wrong with an outcome of a changed answer; `usual` is that of the recorded one."""
        if outcome.error:
            return f"fails with {NOT_FOUND}: {outcome.error.msg}" if outcome.error.code == NOT_FOUND else ""
        created = [one for one in outcome.changes if one.startswith(CREATING)]
        if created:
            return f"takes for missing what exists: {created}"
        if self.deletes and not outcome.result["changed"]:
            return "takes for deleted what exists"
        if self.names and self.names(outcome.result) != self.names(usual.result):
            return f"shows {self.names(outcome.result)} instead of {self.names(usual.result)}"
        return ""


@functools.cache
def client(service: str, region: str = "") -> t.Any:
    """One for all readers, as they cost more than reading. Addresses of S3 are paths."""
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "b2f0c1d4e7a9"}
    place = {"region_name": region or REGION, "endpoint_url": "http://127.0.0.1:9"}
    return calls.watch(boto3.client(service, config=Config(retries={"max_attempts": 0}), **place, **keys))


def params_of(module: str, options: Json) -> Json:
    """The options as Ansible hands them over: with defaults, and of their types."""
    spec = importlib.import_module(f"{MODULES}.{module}").ARGUMENT_SPEC
    checked = ArgumentSpecValidator(spec).validate(options)
    assert not checked.error_messages, checked.error_messages
    return dict(checked.validated_parameters)


def read(reader: Reader, changes: list[str], check: bool = False) -> Outcome:
    """Run a module's flow, in this process. `changes` is where the changes are noted."""
    module = importlib.import_module(f"{MODULES}.{reader.module}")
    flow = getattr(module, "flow", None) or module.info
    changes.clear()
    try:
        result = flow.run(Connection(client, params_of(reader.module, reader.options), check))
    except SlipwayError as error:
        return Outcome({}, error, tuple(changes))
    return Outcome(result, None, tuple(changes))


def clock() -> Clock:
    """A clock on which waiting takes no time."""
    ticks = itertools.count(0.0, 0.01)
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    return Clock(lambda: next(ticks) + passed[0], sleep)
