# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What forks of a large process need to be cheap: see playbook_server.py and module_server.py."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import sys
import threading
from collections.abc import Iterator


def share_memory() -> None:
    """Forks share memory until the garbage collector writes to it; it seldom runs in a process that soon ends."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000)


@contextlib.contextmanager
def ending_at_once() -> Iterator[None]:
    """Ends this process as Python does, except that it does not free each object, which copies the memory of all."""
    status = 0
    try:
        yield
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        status = end.code or 0
    threading._shutdown()  # type: ignore[attr-defined]  # not in typeshed
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status & 0xFF)
