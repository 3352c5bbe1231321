# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What a module promises about check mode, diff mode and idempotence."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Predicts the result and returns it under the keys of a real run, without changing anything.
  diff_mode:
    description: Shows exactly the members that differ, before and after.
  idempotent:
    description: A rerun with the same options changes nothing.
"""

    # A module that changes something.
    CHANGES = r"""
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
"""

    # A module that only reads.
    READS = r"""
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: Nothing is changed.
  idempotent:
    support: full
"""

    # A module that is an action plugin.
    ACTION = r"""
attributes:
  action:
    description: It runs on the controller.
    support: full
"""
