# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Loads the plugins that tasks have in common, once a run.

Ansible forks a process for each task. What it has loaded by then, all of them have; the rest, each loads again.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import typing as t

from ansible.plugins import loader

FILTERS = "slipway.aws.filters"
FORKSERVER = "slipway.aws.forkserver"


def for_play(play: t.Any) -> None:
    """What the tasks of a play need; roles also use the filters of the collection."""
    _load(bool(play.roles))


@functools.cache
def _load(with_filters: bool) -> None:
    # A plugin that cannot be loaded fails in the task that needs it.
    with contextlib.suppress(Exception):
        loader.filter_loader.get("ansible.builtin.default")
    with contextlib.suppress(Exception):
        loader.test_loader.get("ansible.builtin.match")
    with contextlib.suppress(Exception):
        loader.connection_loader.get(FORKSERVER, class_only=True)
    if with_filters:
        # Ansible loads the files of a collection until one has the filter; none has this one.
        with contextlib.suppress(Exception):
            loader.filter_loader.get(FILTERS)
    # Forks share memory until either side writes to it, which the garbage collector does.
    gc.collect()
    gc.freeze()
