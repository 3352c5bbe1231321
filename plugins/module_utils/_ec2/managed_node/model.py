# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the agent of an instance is connected to Systems Manager. Pure."""

from __future__ import annotations

from ..._core.types import Json, Result

ONLINE = "Online"


def is_online(nodes: list[Json]) -> bool:
    return any(node.get("PingStatus") == ONLINE for node in nodes)


def state(nodes: list[Json]) -> str:
    """What Systems Manager says about the agent: connected, lost, or that it never heard of it."""
    return str(nodes[0].get("PingStatus")) if nodes else "not registered"


def to_result(nodes: list[Json]) -> Result:
    """The agent; in check mode, one that a reboot would connect."""
    node = next((node for node in nodes if node.get("PingStatus") == ONLINE), {})
    return {
        "ping_status": ONLINE,
        "agent_version": str(node.get("AgentVersion") or ""),
        "platform": " ".join(str(node.get(name) or "") for name in ("PlatformName", "PlatformVersion")).strip(),
    }
