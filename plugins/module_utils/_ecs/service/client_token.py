# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The idempotency token of CreateService."""

from __future__ import annotations

import hashlib
import json

from ..._core.tags import CHECKPOINT_RUN_TAG
from ..rollout.deployments import primary
from .members import Options

# AWS accepts 36 characters.
_LENGTH = 36


def client_token(request: Options, deleted: Options | None) -> str:
    """The same token for the same request, so that AWS creates one service however often it is sent.

    `deleted` is the last deleted service of this name, whose token AWS remembers too. The tag that names the run is
    ignored, because a rerun sends the same request.
    """
    tags = [tag for tag in request.get("tags") or () if tag.get("key") != CHECKPOINT_RUN_TAG]
    generation = (deleted or {}).get("createdAt") or (primary(deleted or {}) or {}).get("id", "")
    text = json.dumps([{**request, "tags": tags}, str(generation)], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]
