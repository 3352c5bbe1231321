# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""End a release on its services: remove its checkpoints, or write into them how it ended."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace

from ..._core import tags as tagging
from ..._core.error_codes import LOCK_LOST, NO_CONNECTION
from ..._core.errors import SlipwayError
from .. import api as ecs_api
from .checkpoint import State, checkpoint_keys, to_tags
from .rollouts import NotMonitored, RunningRelease
from .state import ServiceRelease


def clear_checkpoints(release: RunningRelease, services: Sequence[ServiceRelease], *, complete: bool) -> None:
    """Remove the checkpoints of services. Errors are added to those of the release.

    If there are several, one of them first gets the state "complete" and is removed last. If the run is interrupted in
    between, nobody takes the others for a release that has to be rolled back.
    """
    checked = [service for service in services if service.checkpoint and _arn(service)]
    if not checked:
        return
    try:
        release.group.guard()
    except SlipwayError as error:
        raise NotMonitored(error) from error
    first, *others = checked
    written = bool(others) and complete and write_state(release, [first], "complete")
    left = _clear(release, others)
    # The one with the state stays as long as others do.
    left += [(first, left[0][1])] if written and left else _clear(release, [first])
    if complete and left and not written:
        write_state(release, [service for service, _error in left], "complete")
    release.other_errors += [(service.name, error) for service, error in left]
    for service, _error in left:
        service.checkpoint_left = True


@contextlib.contextmanager
def interruption_written(release: RunningRelease) -> Iterator[None]:
    """Within it, a run that is stopped writes into its checkpoints that it is no longer in progress."""
    stopped: KeyboardInterrupt | NotMonitored | None = None
    try:
        yield
    except (KeyboardInterrupt, NotMonitored) as error:
        stopped = error
        raise
    finally:
        cause = stopped.cause.code if isinstance(stopped, NotMonitored) else ""
        # Without a connection each try would take minutes. Without the lock, the services are another run's.
        if stopped and release.touched and cause not in (NO_CONNECTION, LOCK_LOST) and _has_lock(release):
            left = [service for service in release.services if service.checkpoint and not service.clearing]
            write_state(release, left, "interrupted")


def _has_lock(release: RunningRelease) -> bool:
    try:
        release.group.guard()
    except SlipwayError:
        return False
    return True


def write_state(release: RunningRelease, services: Sequence[ServiceRelease], state: State) -> bool:
    """Write how the release ended into the first checkpoint that accepts it. Returns whether one did."""
    for service in services:
        if service.run is None or not _arn(service):
            continue
        try:
            ecs_api.tag_resource(release.ecs, _arn(service), tagging.to_list(replace(service.run, state=state).tag()))
        except SlipwayError:
            continue
        return True
    return False


def _clear(release: RunningRelease, services: Sequence[ServiceRelease]) -> list[tuple[ServiceRelease, SlipwayError]]:
    """Remove checkpoints side by side. Returns those that could not be removed, with the reasons."""

    def clear(service: ServiceRelease) -> Future[None]:
        service.clearing = True
        return release.pool.submit(ecs_api.untag_resource, release.ecs, _arn(service), _keys(service))

    left = []
    for service, future in [(service, clear(service)) for service in services]:
        try:
            future.result()
        except SlipwayError as error:
            left.append((service, error))
    return left


def _arn(service: ServiceRelease) -> str:
    """ARN of the service with the checkpoint; empty if it was deleted or never created."""
    if service.rollback and service.is_new:
        return ""
    # If a service could not be created, `found` may be a deleted one of the same name.
    known = service.answer or (service.found if service.current is not None else None) or {}
    return str(known.get("serviceArn", ""))


def _keys(service: ServiceRelease) -> list[str]:
    written = to_tags(service.checkpoint) if service.checkpoint else {}
    return sorted(checkpoint_keys({**written, **((service.current or {}).get("tags") or {})}))
