# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator of the unit tests, by request as hard as AWS: `SLIPWAY_CLOUD=rewriting,lagging,throttling pytest …`.

What is hard, is so for modules and roles. Calls that a test makes itself carry an application's name, by which the
emulator serves them at once, completely, in one order and never throttled: what a test sets up is there for a while
already.
"""

from __future__ import annotations

import contextlib
import os
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

from ansible_collections.slipway.aws.tests import emulators
from ansible_collections.slipway.aws.tests.proxies.rewriting import Rewriting

# Which kinds, separated by commas; and the seed of the order of lists in answers.
VARIABLE, SEED = "SLIPWAY_CLOUD", "SLIPWAY_SEED"
KINDS: dict[str, dict[str, str]] = {
    "rewriting": {},
    "lagging": {"LOCAL_CLOUD_LAG_SECONDS": "0.5"},
    "throttling": {"LOCAL_CLOUD_THROTTLING": "1"},
    "changing": {"LOCAL_CLOUD_TRANSITION_SECONDS": "1"},
}
# botocore adds it to the user agent; serve_ministack.py knows it.
APPLICATION, OF_TESTS = "AWS_SDK_UA_APP_ID", "slipway-tests"
_RUNNING: set[str] = set()


def kinds() -> list[str]:
    """What SLIPWAY_CLOUD requests."""
    requested = [kind.strip() for kind in os.environ.get(VARIABLE, "").split(",") if kind.strip()]
    if unknown := sorted(set(requested) - set(KINDS)):
        raise ValueError(f"{VARIABLE}: expected one or more of {', '.join(KINDS)}, got {', '.join(unknown)}.")
    return requested


@contextlib.contextmanager
def running(folder: Path, **variables: str) -> t.Iterator[str]:
    """The address of MiniStack, as hard as requested."""
    requested = kinds()
    hard = {name: value for kind in requested for name, value in KINDS[kind].items()}
    with contextlib.ExitStack() as stack:
        address = stack.enter_context(emulators.running(emulators.MINISTACK, folder, **{**hard, **variables}))
        seed = int(os.environ.get(SEED, "1"))
        proxy = Rewriting(address, seed, refuses=False, ordered=OF_TESTS) if "rewriting" in requested else None
        _RUNNING.add(address)
        try:
            yield stack.enter_context(proxy).address if proxy else address
        finally:
            _RUNNING.discard(address)
            if proxy:
                print(f"\nrewriting proxy: {sum(proxy.rewrites.values())}", dict(proxy.rewrites.most_common()))


def settle() -> None:
    """Let the time pass that is between two runs of a user: whatever changed is visible."""
    headers = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/ecs/aws4_request, Signature=0",
        "User-Agent": f"app/{OF_TESTS}",
        "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.LetTimePass",
    }
    for address in _RUNNING if "lagging" in kinds() else ():
        # The emulator knows no such call; that it is a test's is enough.
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(urllib.request.Request(address, b"{}", headers), timeout=10).close()


@contextlib.contextmanager
def as_a_module() -> t.Iterator[None]:
    """Clients that are created meanwhile are a module's, not the test's."""
    settle()
    kept = os.environ.pop(APPLICATION, None)
    try:
        yield
    finally:
        if kept is not None:
            os.environ[APPLICATION] = kept
