# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""MiniStack as the tests start it: with the one patch of the local cloud without which its answers leave out what AWS
always says."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "roles/local_cloud/files"))

if __name__ == "__main__":
    import seams  # type: ignore[import-not-found]  # a script's neighbour, not a package
    from ministack.services import alb, ecs

    seams.missing(alb, ecs)
    runpy.run_module("ministack", run_name="__main__", alter_sys=True)
