# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a call makes of answers that are none, of lost ones and of stalled connections. Behind a proxy, as on the way to
AWS."""

from __future__ import annotations

import contextlib
import time
import typing as t
from pathlib import Path

import boto3
import botocore.loaders
import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core import errors, waiting
from ansible_collections.slipway.aws.tests.proxies.base import (
    Answer,
    LostError,
    Proxy,
    Request,
    json_answer,
    json_error,
    refusal,
)

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

Json = dict[str, t.Any]
pytestmark = pytest.mark.parametrize("emulator", ["ministack"], indirect=True)

HTML = Answer(200, {"Content-Type": "text/html"}, b"<html><body><h1>Sign in to the network</h1></body></html>")
HALF = Answer(200, {"Content-Type": "application/x-amz-json-1.1"}, b'{"clusters": [{"clusterName": "sh')
UNREADABLE = {
    "a page": HTML,
    "half of it": HALF,
    "nothing": Answer(200, {}, b""),
    "no members": json_answer(200, {}),
    "a list": Answer(200, {"Content-Type": "application/x-amz-json-1.1"}, b"[]"),
    "a text for a list": json_answer(200, dict.fromkeys(("clusters", "repositories", "capacityProviders"), "none")),
}
# Modules that read first, each with one name, and the operation that reads it.
READERS: dict[str, tuple[str, Json, str]] = {
    "ecs_cluster": ("ecs_cluster", {"name": "shop"}, "DescribeClusters"),
    "ecs_cluster_info": ("ecs_cluster_info", {"names": ["shop"]}, "DescribeClusters"),
    "ecs_capacity_provider_info": ("ecs_capacity_provider_info", {"names": ["shop"]}, "DescribeCapacityProviders"),
    "ecs_service_info": ("ecs_service_info", {"cluster": "shop", "names": ["web"]}, "DescribeServices"),
    "ecs_task_definition_info": ("ecs_task_definition_info", {"family": "shop"}, "DescribeTaskDefinition"),
    "ecr_repository": ("ecr_repository", {"name": "shop"}, "DescribeRepositories"),
    "ecr_repository_info": ("ecr_repository_info", {"names": ["shop"]}, "DescribeRepositories"),
    "ec2_host_keys_info": ("ec2_host_keys_info", {"instance_id": "i-1"}, "GetConsoleOutput"),
    "ecr_authorization_info": ("ecr_authorization_info", {}, "GetAuthorizationToken"),
    "elb_target_group": (
        "elb_target_group",
        {"name": "shop", "state": "absent"},
        "DescribeTargetGroups",
    ),
    "elb_listener_rules": ("elb_listener_rules", {"listener_arn": "arn:aws:x:l/1", "rules": []}, "DescribeRules"),
    "auto_scaling_group": ("auto_scaling_group", {"name": "shop", "state": "absent"}, "DescribeAutoScalingGroups"),
    "acm_certificate_request": (
        "acm_certificate_request",
        {"domains": ["shop.example.com"], "match_tags": {"a": "b"}},
        "ListCertificates",
    ),
    "service_discovery_namespace": (
        "service_discovery_namespace",
        {"name": "shop.internal", "state": "absent"},
        "ListNamespaces",
    ),
    "ecs_secrets": (
        "ecs_secrets",
        {"path": "/shop", "match_tags": {"a": "b"}, "secrets": [{"name": "key", "type": "SecureString"}]},
        "DescribeParameters",
    ),
    "project_info": ("project_info", {"project": "shop"}, ""),
}


@pytest.fixture
def behind(aws: None, ministack: str, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Callable[..., Proxy]]:
    """`behind(before, after)` puts a proxy before the account."""
    with contextlib.ExitStack() as stack:

        def start(before: t.Any = None, after: t.Any = None) -> Proxy:
            proxy = stack.enter_context(Proxy(ministack, before, after))
            monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
            return proxy

        yield start


Behind = t.Callable[..., Proxy]


@pytest.mark.parametrize("answer", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("reader", READERS)
def test_an_unreadable_answer_is_neither_believed_nor_a_traceback(
    run: RunModule, behind: Behind, reader: str, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # botocore itself repeats calls of S3 for that reason.
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    # Ten attempts at each of a project's reads would tell no more than two.
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    module, options, operation = READERS[reader]
    proxy = behind(lambda _request: answer)
    result = run(module, **options)
    assert (result.get("failed"), result.get("code")) == (True, "bad_answer"), result
    assert operation in result["msg"]
    assert "Traceback" not in str(result)
    assert not [call for call in proxy.calls if call.startswith(("Create", "Put", "Request", "Register", "Delete"))]


def test_an_answer_that_cannot_be_read_is_requested_again(run: RunModule, behind: Behind) -> None:
    answers = iter([HTML])
    proxy = behind(lambda _request: next(answers, None))
    assert run("ecs_cluster_info", names=["shop"])["clusters"] == []
    assert proxy.calls["DescribeClusters"] == 2


def test_silence_is_not_absence(run: RunModule, behind: Behind) -> None:
    proxy = behind(lambda _request: json_answer(200, {"clusters": [], "failures": []}))
    result = run("ecs_cluster", name="shop")
    assert result["code"] == "bad_answer"
    assert "shop" in result["msg"]
    assert not proxy.calls["CreateCluster"]


def test_a_secret_in_an_unreadable_answer_is_not_shown(run: RunModule, behind: Behind) -> None:
    broken = Answer(200, {"Content-Type": "application/x-amz-json-1.1"}, b'{"Parameters": [{"Value": "hunter2"')
    boto3.client("ssm").put_parameter(Name="/shop/key", Type="SecureString", Value="hunter2")
    behind(lambda request: broken if request.operation == "GetParameters" else None)
    secrets = {"secrets": [{"name": "key", "type": "SecureString"}], "values": {"key": "other"}}
    result = run("ecs_secrets", path="/shop", match_tags={"a": "b"}, **secrets)
    assert result["code"] == "bad_answer"
    assert "hunter2" not in str(result)


# Retries


@pytest.mark.parametrize(("variable", "attempts"), [("", 10), ("3", 3)])
def test_the_number_of_attempts_is_the_documented_one_or_the_users(
    run: RunModule, behind: Behind, variable: str, attempts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    if variable:
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", variable)
    monkeypatch.setenv("AWS_RETRY_MODE", "standard")
    proxy = behind(lambda _request: json_error("ThrottlingException", "Rate exceeded"))
    assert run("ecs_cluster_info", names=["shop"])["code"] == "throttled"
    assert proxy.calls["DescribeClusters"] == attempts


def test_the_configuration_file_counts(
    run: RunModule, behind: Behind, tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    file = tmp_path / "config"
    file.write_text("[default]\nmax_attempts = 2\nretry_mode = standard\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    proxy = behind(lambda _request: json_error("ThrottlingException", "Rate exceeded"))
    assert run("ecs_cluster_info", names=["shop"])["code"] == "throttled"
    assert proxy.calls["DescribeClusters"] == 2


def test_the_option_wins(run: RunModule, behind: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")
    proxy = behind(lambda _request: json_error("ThrottlingException", "Rate exceeded"))
    retries = {"retries": {"mode": "standard", "total_max_attempts": 2}}
    assert run("ecs_cluster_info", names=["shop"], aws_config=retries)["code"] == "throttled"
    assert proxy.calls["DescribeClusters"] == 2


def test_a_stalled_connection_ends_after_three_attempts(run: RunModule, behind: Behind) -> None:
    proxy = behind(lambda _request: time.sleep(1))
    result = run("ecs_cluster_info", names=["shop"], aws_config={"read_timeout": 0.2})
    assert result["code"] == "no_connection", result
    assert proxy.calls["DescribeClusters"] == 3


# Clients


def test_a_module_reads_the_data_on_endpoints_once(run: RunModule, aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many services it calls."""
    read, load = [], botocore.loaders.JSONFileLoader.load_file

    def noted(loader: t.Any, path: str) -> t.Any:
        read.append(Path(path).name)
        return load(loader, path)

    monkeypatch.setattr(botocore.loaders.JSONFileLoader, "load_file", noted)
    assert run("project_info", project="shop")["resources"] == []
    assert read.count("endpoints") == 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"profile": "nobody"}, "profile (nobody) could not be found"), ({"region": ""}, "requires a region")],
    ids=["profile", "region"],
)
def test_a_connection_that_cannot_be_is_an_invalid_option(
    run: RunModule, options: Json, reason: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    result = run("ecs_cluster_info", names=["shop"], **options)
    assert (result.get("failed"), result.get("code")) == (True, "invalid_option"), result
    assert reason in result["msg"]


# Deletions


@pytest.mark.parametrize("loses", [True, False])
def test_what_is_already_deleted_counts_as_deleted(run: RunModule, behind: Behind, loses: bool) -> None:
    """By this call, whose answer was lost; or before it, which a stale read did not know."""
    assert run("ecr_repository", name="shop")["changed"]
    lost = iter([True])

    def before(request: Request) -> Answer | None:
        if not loses and request.operation == "DeleteRepository":
            return refusal(request, "RepositoryNotFoundException", "The repository with name 'shop' does not exist")
        return None

    def after(request: Request, answer: Answer) -> Answer:
        if loses and request.operation == "DeleteRepository" and next(lost, False):
            raise LostError
        return answer

    behind(before, after)
    result = run("ecr_repository", name="shop", state="absent")
    assert result.get("changed") is loses, result


def test_a_throttled_call_says_what_it_waits_for(
    run: RunModule, behind: Behind, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """EC2 throttles with status 503, which is no lost answer."""
    attempts = iter(range(1, 9))
    monkeypatch.setattr(waiting, "LINES", (0.01, 60.0))
    monkeypatch.setenv(waiting.WAITING_FILE, str(tmp_path / "waiting"))

    def throttle(request: Request) -> Answer | None:
        slow = request.operation == "DescribeClusters" and next(attempts) <= 2
        return refusal(request, "RequestLimitExceeded", "Request limit exceeded.", 503) if slow else None

    behind(throttle)
    assert run("ecs_cluster_info", names=["shop"])["clusters"] == []
    assert "Waiting for AWS, which throttles DescribeClusters: " in (tmp_path / "waiting").read_text()
    assert not errors.answer_was_lost()
