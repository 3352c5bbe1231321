# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules run in this process, with their options parsed for real. What answers them is the fixture `aws`, of which the
unit tests and the integration tests have one each."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import signal
import typing as t

import boto3
import botocore.client
import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args

from ansible_collections.slipway.aws.tests import prepared_botocore
from ansible_collections.slipway.aws.tests.hard_cloud import as_a_module

Json = dict[str, t.Any]

# A shell that starts tests in the background ignores Ctrl-C for all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


class RunModule(t.Protocol):
    def __call__(self, module: str, /, check: bool = False, **options: t.Any) -> Json: ...


@pytest.fixture(scope="session", autouse=True)
def botocore_prepared_once() -> t.Iterator[None]:
    """Every client has a session of its own, which would prepare the same again."""
    with pytest.MonkeyPatch.context() as patch:
        prepared_botocore.prepare(patch)
        yield


@pytest.fixture
def ecs(aws: None) -> t.Any:
    return boto3.client("ecs")


@pytest.fixture
def calls(aws: None, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the API calls that are made, as they are made."""
    made: list[str] = []
    call = botocore.client.BaseClient._make_api_call

    def counted(client: t.Any, operation: str, request: Json) -> t.Any:
        made.append(operation)
        return call(client, operation, request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", counted)
    return made


@pytest.fixture
def run(aws: None) -> RunModule:
    """`run("ecs_cluster", name="x")` is the module's result; a failed one has `failed`."""

    def run_module(module: str, /, check: bool = False, **options: t.Any) -> Json:
        main = importlib.import_module(f"ansible_collections.slipway.aws.plugins.modules.{module}").main
        arguments = {**options, "_ansible_check_mode": check, "_ansible_diff": True}
        output = io.StringIO()
        basic._ANSIBLE_ARGS = None
        with patch_module_args(arguments), contextlib.redirect_stdout(output), as_a_module(), pytest.raises(SystemExit):
            main()
        return t.cast("Json", json.loads(output.getvalue().strip().splitlines()[-1]))

    return run_module
