# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which causes of a failed rollout the network explains. No calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..._core.error_codes import (
    HEALTH_CHECK_TIMEOUT,
    LOGS_UNREACHABLE,
    REGISTRY_UNREACHABLE,
    SECRETS_UNREACHABLE,
)
from ..._core.types import Json
from ..network import diagnose
from ..network.model import Network, Placement, runs_on_fargate

_AT_START = frozenset({REGISTRY_UNREACHABLE, SECRETS_UNREACHABLE, LOGS_UNREACHABLE})


def may_explain(causes: Iterable[str]) -> bool:
    """Whether the network may be the reason for one of the causes."""
    return bool({*_AT_START, HEALTH_CHECK_TIMEOUT} & set(causes))


def refine(causes: Mapping[str, str], texts: Iterable[str], service: Json, network: Network) -> dict[str, str]:
    """The causes, with what is wrong in the network instead of the connection that fails, where it was found."""
    placement = Placement.from_api(service, network)
    refined = dict(causes)
    if placement is None:
        return refined
    if _AT_START & refined.keys() and runs_on_fargate(service):
        found = diagnose.of_start(network, placement, diagnose.services_in(texts))
        refined = _instead(refined, _AT_START, found)
    if HEALTH_CHECK_TIMEOUT in refined:
        refined = _instead(refined, {HEALTH_CHECK_TIMEOUT}, diagnose.of_targets(network, placement, service))
    return refined


def _instead(causes: dict[str, str], general: Iterable[str], found: list[diagnose.Finding]) -> dict[str, str]:
    if not found:
        return causes
    return diagnose.as_causes(found) | {cause: text for cause, text in causes.items() if cause not in general}
