# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registries of images, over their HTTP API and without a password: https://distribution.github.io/distribution/spec/api/."""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlencode

from ansible.module_utils.urls import open_url

from ..._core.error_codes import REGISTRY_UNREADABLE
from ..._core.errors import SlipwayError

TIMEOUT = 30
# An index first: its digest stands for the image of each platform.
_MANIFESTS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# From a header's text to its parameters.
Challenge = t.Callable[[str], t.Mapping[str, str]]


def digest(url: str, tag: str, challenge: Challenge) -> str:
    """The digest that a tag of the repository at `url` names now."""
    try:
        return _digest(f"{url}/manifests/{tag}", challenge)
    except HTTPError as error:
        raise _failure(url, tag, f"status {error.code}") from error
    # ValueError: a token that is no JSON, or an address that is none.
    except (OSError, HTTPException, ValueError) as error:
        raise _failure(url, tag, str(getattr(error, "reason", None) or error)) from error


def _digest(url: str, challenge: Challenge) -> str:
    headers = {"Accept": _MANIFESTS}
    try:
        # Docker Hub counts a GET as a pull.
        answer = _open(url, "HEAD", headers)
    except HTTPError as error:
        asked = challenge(error.headers.get("WWW-Authenticate", "")) if error.code == 401 else {}
        if not asked.get("realm"):
            raise
        headers["Authorization"] = f"Bearer {_token(asked)}"
        answer = _open(url, "HEAD", headers)
    named = str(answer.headers.get("Docker-Content-Digest", ""))
    if _DIGEST.fullmatch(named):
        return named
    return f"sha256:{hashlib.sha256(_open(url, 'GET', headers).read()).hexdigest()}"


def _token(asked: t.Mapping[str, str]) -> str:
    query = urlencode({name: asked[name] for name in ("service", "scope") if name in asked})
    answer = json.loads(_open(f"{asked['realm']}?{query}", "GET", {}).read())
    return str(answer.get("token") or answer.get("access_token") or "")


def _open(url: str, method: str, headers: t.Mapping[str, str]) -> t.Any:
    return open_url(url, method=method, headers=dict(headers), timeout=TIMEOUT, http_agent="slipway.aws")


def _failure(url: str, tag: str, reason: str) -> SlipwayError:
    return SlipwayError(
        REGISTRY_UNREADABLE,
        f"{url}: expected the digest of the tag {tag}, got {reason}. Nothing was written. Check the name of the"
        " image, the network and the proxy. Registries that require a password are not supported.",
    )
