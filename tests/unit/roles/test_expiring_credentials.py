# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Temporary credentials and passwords of the registry expire on the local cloud after local_cloud_session_seconds."""

from __future__ import annotations

import inspect
import time
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.tests import emulators

pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
from ministack import app as emulator
from ministack.services import ecr

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

pytestmark = pytest.mark.own_cloud("lets credentials expire itself")
Json = dict[str, t.Any]
SECONDS = 2.0
DENIED = "Your authorization token has expired. Reauthenticate and try again."


def await_end(client: t.Any) -> None:
    """Until the credentials of a client have expired."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            client.list_clusters()
        except ClientError:
            return
        time.sleep(0.1)
    raise AssertionError("the credentials never expired")


def pull(address: str, token: str) -> tuple[int, str]:
    """Ask the registry whether it accepts a password."""
    request = urllib.request.Request(f"{address}/v2/", headers={"Authorization": f"Basic {token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("emulator", ["ministack"], indirect=True)
def test_what_has_expired_is_refused_with_the_error_of_its_api(
    aws: None, run: RunModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with emulators.running(emulators.MINISTACK, tmp_path, LOCAL_CLOUD_SESSION_SECONDS=str(SECONDS)) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        role = boto3.client("iam").create_role(RoleName="deployer", AssumeRolePolicyDocument='{"Statement": []}')
        names: Json = {"RoleArn": role["Role"]["Arn"], "RoleSessionName": "release"}
        token = boto3.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
        assert pull(address, token)[0] == 200
        keys = boto3.client("sts").assume_role(**names)["Credentials"]
        assert (keys["Expiration"].timestamp() - time.time()) <= SECONDS
        session = {
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys["SessionToken"],
        }
        clients = {name: boto3.client(name, **session) for name in ("ecs", "ec2", "elbv2")}
        await_end(clients["ecs"])
        codes = {}
        for (name, client), call in zip(
            clients.items(), ("list_clusters", "describe_vpcs", "describe_load_balancers"), strict=True
        ):
            with pytest.raises(ClientError) as caught:
                getattr(client, call)()
            codes[name] = caught.value.response["Error"]["Code"]
        assert codes == {"ecs": "ExpiredTokenException", "ec2": "RequestExpired", "elbv2": "ExpiredToken"}
        options = dict(zip(("access_key", "secret_key", "session_token"), session.values(), strict=True))
        result = run("ecs_cluster", name="shop", **options)
        assert (result["code"], "expired" in result["msg"]) == ("no_credentials", True), result
        status, said = pull(address, token)
        assert (status, DENIED in said) == (403, True)
        assert boto3.client("ecs").list_clusters()["clusterArns"] == []


# What the patch is for. A test that fails here means: remove that part of it.


def test_the_emulator_checks_no_credentials_unless_it_enforces_policies() -> None:
    assert "if AUTH" in inspect.getsource(emulator._dispatch_service_request)


def test_the_registry_of_the_emulator_has_one_password() -> None:
    assert "ministack-auth-token" in inspect.getsource(ecr._get_authorization_token)
