# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The account of the unit tests: moto in this process, or MiniStack, which is what the local cloud runs."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import threading
import tomllib
import typing as t
import urllib.request
from collections import Counter
from pathlib import Path

import botocore.loaders
import botocore.session
import pytest
from hypothesis import HealthCheck, settings
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber
from moto.ecs.models import EC2ContainerServiceBackend
from moto.ecs.responses import EC2ContainerServiceResponse

from ansible_collections.slipway.aws.tests import emulators, hard_cloud, plays

PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
REGION = "eu-central-1"
# Fixtures that all accounts come from.
ACCOUNTS = {"aws", "start"}
# Folders whose tests run whole playbooks.
PLAYS = {"playbooks", "roles"}
# Marks of tests that no daily run has.
ON_REQUEST = {"slow", "variants"}

# A machine that is busy takes its time: that is no failure of what is tested.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

# Each session of boto3 reads its models again; this one copy serves all tests of a process.
READ_MODEL = functools.cache(botocore.loaders.JSONFileLoader().load_file)
botocore.loaders.JSONFileLoader.load_file = lambda _loader, path: READ_MODEL(path)


def pytest_configure(config: pytest.Config) -> None:
    """ansible-test does not read pyproject.toml, and refuses marks that are not registered."""
    if config.pluginmanager.has_plugin("ansible_forked"):
        options = tomllib.loads(PYPROJECT.read_text())["tool"]["pytest"]["ini_options"]
        for mark in options["markers"]:
            config.addinivalue_line("markers", mark)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Whole plays first, so that no process is left with a long file at the end.

    ansible-test forks for each test: each would start its own emulator, and none would be ended.
    """
    items.sort(key=lambda item: item.path.parent.name not in PLAYS)
    if hard_cloud.kinds():
        kept = [item for item in items if is_hard(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept
    if config.pluginmanager.has_plugin("ansible_forked"):
        kept = [item for item in items if needs_no_account(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


def needs_no_account(item: pytest.Item) -> bool:
    """Whether ansible-test runs a test."""
    marks = {mark.name for mark in item.iter_markers()}
    return not (marks & ON_REQUEST or ACCOUNTS & set(getattr(item, "fixturenames", ())))


def pytest_collection_finish() -> None:
    """The garbage collector would look through all tests again and again."""
    gc.collect()
    gc.freeze()


def is_hard(item: pytest.Item) -> bool:
    """Whether a test runs on the cloud that SLIPWAY_CLOUD makes hard."""
    chosen = getattr(getattr(item, "callspec", None), "params", {})
    if item.get_closest_marker("own_cloud") or "moto" in (chosen.get("emulator"), chosen.get("cloud")):
        return False
    return "clouds" in getattr(item, "fixturenames", ()) or chosen.get("emulator") == "ministack"


def pytest_terminal_summary(terminalreporter: t.Any) -> None:
    """How much the proxies that misbehave have done, over all processes."""
    done: Counter[str] = Counter()
    for report in (report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, ())):
        for name, figures in report.user_properties:
            done.update({"runs": 1, **figures} if name == "proxy" else {})
    if done:
        told = ", ".join(f"{number} {what}" for what, number in done.items())
        terminalreporter.write_line(f"Behind an AWS that misbehaves: {told}.")


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[t.Callable[..., str]]:
    """Starts emulators: `start("-m", "ministack")` is the address of one, in a Python of its own."""
    with contextlib.ExitStack() as stack:
        yield lambda *arguments: stack.enter_context(emulators.running(arguments, tmp_path_factory.mktemp("emulator")))


@pytest.fixture(scope="session", autouse=True)
def playbooks() -> t.Iterator[None]:
    """Forks of one process run playbooks, until the tests of this process end."""
    yield
    plays.SERVER.end()


@pytest.fixture(scope="session", autouse=True)
def callers() -> t.Iterator[None]:
    """Where the cloud is as hard as AWS, it tells the calls of tests from those of modules."""
    with pytest.MonkeyPatch.context() as patch:
        if hard_cloud.kinds():
            patch.setenv(hard_cloud.APPLICATION, hard_cloud.OF_TESTS)
        yield


class Clouds:
    """MiniStacks that the files of tests use one after the other: each file gets an empty one."""

    def __init__(self, stack: contextlib.ExitStack, folder: Path) -> None:
        self.stack = stack
        self.folder = folder
        # By its variables, the file that uses it, and its address.
        self.used: list[tuple[dict[str, str], str, str]] = []

    def start(self, **variables: str) -> str:
        file = os.environ.get("PYTEST_CURRENT_TEST", "").partition("::")[0]
        free = [one for one in self.used if one[0] == variables and one[1] != file]
        if free and variables.keys() <= {"MINISTACK_REGION"} and not hard_cloud.kinds():
            self.used.remove(free[0])
            address = free[0][2]
            empty(address)
        else:
            address = self.start_another(**variables)
        self.used.append((variables, file, address))
        return address

    def start_another(self, **variables: str) -> str:
        return self.stack.enter_context(hard_cloud.running(self.folder, **variables))


def empty(ministack: str) -> None:
    request = urllib.request.Request(f"{ministack}/_ministack/reset", method="POST")
    urllib.request.urlopen(request, timeout=10).close()


@pytest.fixture(scope="session")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Clouds]:
    pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
    with contextlib.ExitStack() as stack:
        yield Clouds(stack, tmp_path_factory.mktemp("emulators"))


@pytest.fixture(scope="session")
def start_cloud(clouds: Clouds) -> t.Callable[..., str]:
    """The address of an emulator, as hard as SLIPWAY_CLOUD says, for one file: `start_cloud(NAME="value")`."""
    return clouds.start


@pytest.fixture(scope="session")
def ministack(clouds: Clouds) -> str:
    """The address of an emulator of our own."""
    return clouds.start_another()


@pytest.fixture
def emulator(request: pytest.FixtureRequest) -> str:
    """Which emulator answers: moto, or by parametrize(…, indirect=True) also ministack."""
    return str(getattr(request, "param", "moto"))


def answer_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto in this process changes what another thread reads at the same time."""
    answer, lock = BotocoreStubber.process_request, threading.RLock()

    def locked(self: t.Any, request: t.Any) -> t.Any:
        with lock:
            return answer(self, request)

    monkeypatch.setattr(BotocoreStubber, "process_request", locked)


def name_missing_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto leaves out what does not exist; AWS names it among the failures."""
    describe = EC2ContainerServiceResponse.describe_tasks

    def with_failures(self: t.Any) -> t.Any:
        answer = describe(self)
        found = {task.task_arn.rpartition("/")[2] for task in answer.result["tasks"]}
        silent = [name for name in self._get_param("tasks", []) if name.rpartition("/")[2] not in found]
        answer.result["failures"] = [{"arn": name, "reason": "MISSING"} for name in silent]
        return answer

    monkeypatch.setattr(EC2ContainerServiceResponse, "describe_tasks", with_failures)


def describe_all_capacity_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto fails without names, where AWS describes all."""
    describe = EC2ContainerServiceBackend.describe_capacity_providers

    def all_or_named(self: t.Any, names: list[str] | None) -> t.Any:
        return describe(self, [*self.capacity_providers] if names is None else names)

    monkeypatch.setattr(EC2ContainerServiceBackend, "describe_capacity_providers", all_or_named)


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
        answer_one_at_a_time(monkeypatch)
        name_missing_tasks(monkeypatch)
        describe_all_capacity_providers(monkeypatch)
        # More than a thousand images, for each test that uses EC2.
        monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        with mock_aws():
            yield
        return
    address = request.getfixturevalue("ministack")
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    empty(address)
    yield


@pytest.fixture(scope="session")
def ecs_model() -> t.Any:
    """botocore's model of ECS."""
    return botocore.session.get_session().get_service_model("ecs")
