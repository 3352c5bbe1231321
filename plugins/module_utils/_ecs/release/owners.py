# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose the services of a release are: see _core/ownership.py. No calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..._core import ownership
from ..._core.errors import SlipwayError
from .gather import raise_all
from .state import ServiceRelease


def check_owners(services: Sequence[ServiceRelease], check_mode: bool) -> None:
    """Fail with services of other projects, and with those that are not adopted, which check mode compares."""
    errors: list[tuple[str, SlipwayError]] = []
    unowned: list[ServiceRelease] = []
    for service in services:
        try:
            if service.current is not None and not _is_adopted(service):
                unowned.append(service)
        except SlipwayError as error:
            errors.append((f"services, {service.name}", error))
    raise_all(errors)
    if not unowned:
        return
    whats = [f"service {service.name}" for service in unowned]
    if not check_mode:
        ownership.refuse(whats)
    unowned[0].warnings.append(ownership.text_of(whats))
    # Services may share a task definition.
    families = {_family(service) for service in unowned} - {""}
    for service in services:
        if service in unowned:
            options = {name: value for name, value in service.desired.options.items() if name != "tags"}
            service.desired = replace(service.desired, options=options)
        if service.desired_definition and _family(service) in families:
            service.desired_definition = replace(service.desired_definition, tags=None)


def _is_adopted(service: ServiceRelease) -> bool:
    current = (service.current or {}).get("tags") or {}
    return ownership.is_adopted(current, service.desired.options.get("tags"), f"service {service.name}")


def _family(service: ServiceRelease) -> str:
    return service.desired_definition.name.family if service.desired_definition else ""
