# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ProxyCommand of ssh: connects it to port 22 of an EC2 instance through Session Manager.

The role docker_instance writes its call into ssh_config. ssh runs it without Ansible, so that it finds the other files
of the collection by their path, and credentials where the AWS command line finds them.
"""

from __future__ import annotations

import importlib
import ipaddress
import json
import os
import sys
import time
import typing as t
import urllib.parse
from pathlib import Path

# https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-getting-started-enable-ssh-connections.html
DOCUMENT = "AWS-StartSSHSession"
SSH_PORT = "22"
CONNECT_SECONDS = 30.0
AGAIN_SECONDS = 1.0
# How Session Manager says that the agent of the instance is not connected now: it may just start.
NOT_CONNECTED = "TargetNotConnected"
READ = 32 * 1024
# ssh looks for nothing else than an end of the stream.
FAILED = 1
# The local cloud takes any keys. Ansible has some in variables, which do not reach ssh.
LOCAL_KEYS = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
# Under this name, the modules of the collection are imported from their folder.
PACKAGE = "slipway_session"
INSTALL = "Install websocket-client and boto3 for the Python that runs Ansible."


class Failure(Exception):
    """Why ssh gets no connection."""


class Settings(t.NamedTuple):
    """Which instance, and where the API is. Credentials are never among them."""

    instance_id: str
    region: str
    endpoint_url: str = ""
    profile: str = ""


def read_settings(path: str) -> Settings:
    try:
        given = json.loads(Path(path).expanduser().read_text(encoding="utf-8"))
        return Settings(*(str(given.get(name) or "") for name in Settings._fields))
    except (OSError, ValueError, AttributeError) as error:
        raise Failure(
            f"{path}: expected the settings of a session, got none ({error}). Run site.yml with --tags docker_instance."
        ) from None


def is_local(endpoint_url: str) -> bool:
    """Whether the API is on this machine."""
    host = urllib.parse.urlsplit(endpoint_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def keys(settings: Settings, environment: t.Mapping[str, str]) -> dict[str, str]:
    """The keys that a client is given; none where boto3 finds them."""
    is_given = settings.profile or "AWS_ACCESS_KEY_ID" in environment
    return dict(LOCAL_KEYS) if is_local(settings.endpoint_url) and not is_given else {}


def connect_later(error: t.Any) -> bool:
    """Whether a session that could not start may start later."""
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", "")).startswith(NOT_CONNECTED)


def start(settings: Settings, clients: t.Callable[[str], t.Any], seconds: float = CONNECT_SECONDS) -> t.Any:
    """Start a session; an agent that is not connected yet is tried again for a while."""
    from botocore.exceptions import BotoCoreError, ClientError

    until = time.monotonic() + seconds
    while True:
        try:
            return clients("ssm").start_session(
                Target=settings.instance_id, DocumentName=DOCUMENT, Parameters={"portNumber": [SSH_PORT]}
            )
        except (ClientError, BotoCoreError) as error:
            if not connect_later(error) or time.monotonic() > until:
                raise Failure(
                    f"expected a session of Session Manager with {settings.instance_id}, got: {error}. {_remedy(error)}"
                ) from None
        time.sleep(AGAIN_SECONDS)


def _remedy(error: Exception) -> str:
    if connect_later(error):
        return "Run site.yml with --tags docker_instance: the message says why the instance is not connected."
    if "credentials" in str(error).lower() or "token" in str(error).lower():
        return "ssh does not read Ansible's variables: set AWS_PROFILE or AWS_ACCESS_KEY_ID in the environment."
    return f"Allow ssm:StartSession for the instance and for the document {DOCUMENT}."


def data_key(settings: Settings, session: str, clients: t.Callable[[str], t.Any]) -> t.Any:
    """How the session gets its key, where the preferences of Session Manager ask for encryption."""

    def get(key: str, challenge: str) -> tuple[bytes, bytes]:
        context = {"aws:ssm:SessionId": session, "aws:ssm:TargetId": settings.instance_id}
        if challenge:
            context["aws:ssm:RandomChallenge"] = challenge
        answer = clients("kms").generate_data_key(KeyId=key, NumberOfBytes=64, EncryptionContext=context)
        return answer["Plaintext"], answer["CiphertextBlob"]

    return get


def client_factory(settings: Settings) -> t.Callable[[str], t.Any]:
    """Makes clients of AWS's services. The endpoint is that of Systems Manager, or of a cloud with one for all."""
    import boto3.session
    from botocore.exceptions import BotoCoreError

    def client(service: str) -> t.Any:
        own = service == "ssm" or is_local(settings.endpoint_url)
        try:
            session = boto3.session.Session(profile_name=settings.profile or None, region_name=settings.region or None)
            endpoint = (settings.endpoint_url or None) if own else None
            return session.client(service, endpoint_url=endpoint, **keys(settings, os.environ))
        except (BotoCoreError, ValueError) as error:
            raise Failure(f"expected credentials for {settings.region}, got none: {error}. {_remedy(error)}") from None

    return client


def collection() -> tuple[t.Any, t.Any]:
    """The modules session_client and session_stream of this folder."""
    import types

    package = types.ModuleType(PACKAGE)
    package.__path__ = [str(Path(__file__).resolve().parent)]
    sys.modules[PACKAGE] = package
    client = importlib.import_module(f"{PACKAGE}.session_client")
    if not client.HAS_WEBSOCKET:
        raise Failure(f"expected websocket-client, got none. {INSTALL}")
    return client, importlib.import_module(f"{PACKAGE}.session_stream")


def connect(settings: Settings, source: int, target: int) -> None:
    """Copy bytes between two descriptors and the SSH server of the instance, until one of them ends."""
    session_client, session_stream = collection()
    try:
        clients = client_factory(settings)
    except ImportError as error:
        raise Failure(f"expected boto3, got none: {error}. {INSTALL}") from None
    begun = start(settings, clients)
    access = session_client.Access(
        begun["StreamUrl"], begun["TokenValue"], lambda: None, data_key(settings, begun["SessionId"], clients)
    )
    try:
        stream = session_stream.Stream(access, target, CONNECT_SECONDS)
        try:
            stream.copy(source)
        finally:
            stream.close()
    except session_client.SessionError as error:
        raise Failure(
            f"the session with {settings.instance_id}: {error}. Check that its SSH server is running."
        ) from None


def main(arguments: list[str]) -> int:
    try:
        connect(read_settings(arguments[0] if arguments else ""), sys.stdin.fileno(), sys.stdout.fileno())
    except Failure as error:
        sys.stderr.write(f"slipway: {error}\n")
        return FAILED
    except KeyboardInterrupt:
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
