# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All checks: from the desired state and what was read of the account to a list of results. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..._core.types import Json
from . import balancers, capacity, hooks, images, network, quotas, roles, site, stores, targets
from .checklist import FAIL, STATES, Account, Checklist, Desired, Result

_OF_SERVICES = (roles.check, images.check, network.check, targets.check, stores.check, hooks.check)


def results(desired: Desired, account: Account) -> list[Result]:
    """The results of all checks. What is missing in the account for more of them is in `account.wanted`."""
    checklist = Checklist(desired, account, list(desired.problems))
    cluster = capacity.check_cluster(checklist) if desired.services else None
    for service in desired.services:
        for check in _OF_SERVICES:
            check(checklist, service)
        capacity.check(checklist, service, cluster)
    site.check(checklist)
    balancers.check(checklist)
    quotas.check(checklist)
    return checklist.results


def summary(found: Sequence[Result]) -> Json:
    """How many results there are of each state, and whether the run can start."""
    counts = Counter(one.state for one in found)
    return {
        "result": "failed" if counts[FAIL] else "passed",
        "counts": {state: counts[state] for state in reversed(STATES)},
        "checks": [one._asdict() for one in found],
    }
