# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules run in this process, with their options parsed for real, against an emulator of AWS: moto in this process,
or MiniStack, which is what the local cloud runs."""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import json
import os
import socket
import subprocess
import sys
import time
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import botocore.client
import botocore.loaders
import botocore.session
import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args
from moto import mock_aws

REGION = "eu-central-1"
Json = dict[str, t.Any]


class RunModule(t.Protocol):
    def __call__(self, module: str, /, check: bool = False, **options: t.Any) -> Json: ...


@pytest.fixture(scope="session", autouse=True)
def models_read_once() -> t.Iterator[None]:
    """Every client has a session of its own, and each would read botocore's models anew."""
    read = functools.cache(botocore.loaders.JSONFileLoader.load_file)
    loader = botocore.loaders.JSONFileLoader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.loaders.JSONFileLoader, "load_file", lambda _self, path: read(loader, path))
        yield


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[str]:
    """The address of an emulator of our own."""
    pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        # Servers of other protocols, which would listen everywhere.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
    folder: Path = tmp_path_factory.mktemp("ministack")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"], cwd=folder, env=environment, stdout=log, stderr=log
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_it_answers(process, address, folder / "log")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_until_it_answers(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(f"{address}/v2/", timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"MiniStack does not answer:\n{log.read_text()}")


@pytest.fixture
def emulator(request: pytest.FixtureRequest) -> str:
    """Which emulator answers: moto, or by parametrize(…, indirect=True) also ministack."""
    return str(getattr(request, "param", "moto"))


@pytest.fixture
def aws(emulator: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    """An empty account, on either emulator."""
    for name in ("AWS_ENDPOINT_URL", "AWS_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    # No word: Ansible hides the secret wherever it turns up in a result, and "test" is a part of "latest".
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b2f0c1d4e7a9")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    if emulator == "moto":
        with mock_aws():
            yield
        return
    address = request.getfixturevalue("ministack")
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    reset = urllib.request.Request(f"{address}/_ministack/reset", method="POST")
    urllib.request.urlopen(reset, timeout=10).close()
    yield


@pytest.fixture
def ecs(aws: None) -> t.Any:
    return boto3.client("ecs", region_name=REGION)


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
        with patch_module_args(arguments), contextlib.redirect_stdout(output), pytest.raises(SystemExit):
            main()
        return t.cast("Json", json.loads(output.getvalue().strip().splitlines()[-1]))

    return run_module


@pytest.fixture(scope="session")
def ecs_model() -> t.Any:
    """botocore's model of ECS."""
    return botocore.session.get_session().get_service_model("ecs")
