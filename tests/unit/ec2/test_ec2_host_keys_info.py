# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.ec2.responses import general

from ansible_collections.slipway.aws.plugins.module_utils._ec2.host_keys import api
from ansible_collections.slipway.aws.plugins.module_utils._ec2.host_keys.model import host_keys

Json = dict[str, t.Any]
Run = t.Callable[..., Json]

KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
OTHER = "AAAAC3NzaC1lZDI1NTE5AAAAIP7wJZ0Qx1r7b9w4G2Yq5uXb3vYq1m0c8x7y6z5a4b3c"


def block(key: str) -> str:
    return (
        "-----BEGIN SSH HOST KEY KEYS-----\r\n"
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY= root@ip-10-0-0-11\r\n"
        f"ssh-ed25519 {key} root@ip-10-0-0-11\r\n"
        "-----END SSH HOST KEY KEYS-----\r\n"
    )


@pytest.fixture
def instance(aws: None) -> str:
    ec2 = boto3.client("ec2", "eu-central-1")
    return str(ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"])


def show(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """What the emulated console has."""
    monkeypatch.setattr(general, "SAMPLE_CONSOLE_OUTPUT", text)


@pytest.mark.parametrize("emulator", ["moto"], indirect=True)
def test_the_keys_of_the_console_are_returned(run: Run, instance: str, monkeypatch: pytest.MonkeyPatch) -> None:
    show(monkeypatch, f"[    0.0] Linux version 6.1\r\n{block(KEY)}[   20.1] Ready.\r\n")
    result = run("ec2_host_keys_info", instance_id=instance)
    assert result["host_keys"]["ssh-ed25519"] == KEY
    assert not result["changed"]
    assert run("ec2_host_keys_info", check=True, instance_id=instance) == result


@pytest.mark.parametrize("emulator", ["moto"], indirect=True)
def test_a_console_without_keys_is_a_timeout(run: Run, instance: str, monkeypatch: pytest.MonkeyPatch) -> None:
    show(monkeypatch, "[    0.0] Linux version 6.1\n")
    result = run("ec2_host_keys_info", instance_id=instance, wait_timeout=0)
    assert result["code"] == "timeout"
    assert f"SSH host keys in the console output of {instance}" in result["msg"]


@pytest.mark.parametrize("emulator", ["moto"], indirect=True)
def test_an_instance_that_does_not_exist_is_not_found(run: Run, aws: None) -> None:
    assert run("ec2_host_keys_info", instance_id="i-0123456789abcdef0")["code"] == "not_found"


def test_an_instance_without_the_latest_output_is_read_as_well() -> None:
    class Xen:
        """An instance of the old virtualization."""

        def get_console_output(self, **options: t.Any) -> Json:
            if options["Latest"]:
                raise ClientError(
                    {"Error": {"Code": "UnsupportedOperation", "Message": "not Nitro"}}, "GetConsoleOutput"
                )
            return {"Output": block(KEY)}

    assert host_keys(api.read_console(Xen(), "i-1")) == host_keys(block(KEY))


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("", None),
        (block(KEY)[:150], None),
        (f"ssh-ed25519 {OTHER} from a program\n", None),
        (block(OTHER) + block(KEY), KEY),
        (block(KEY) + block(OTHER)[:60], KEY),
        (block(KEY).replace("ssh-ed25519", "[   14.1] cloud-init[9]: ssh-ed25519"), KEY),
    ],
)
def test_only_the_last_complete_block_counts(output: str, expected: str | None) -> None:
    assert host_keys(output).get("ssh-ed25519") == expected
