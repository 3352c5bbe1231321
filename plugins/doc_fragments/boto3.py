# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What a module requires on the host on which it runs."""

    # The first botocore that knows service deployments.
    DOCUMENTATION = r"""
options: {}
requirements:
  - python >= 3.11
  - boto3 >= 1.35.52
  - botocore >= 1.35.52 (a newer version for newer members of the API)
notes:
  - A call is attempted up to ten times, with increasing pauses, when AWS throttles it or the network fails.
    E(AWS_MAX_ATTEMPTS) and E(AWS_RETRY_MODE), or C(max_attempts) and C(retry_mode) in the AWS configuration file,
    replace that number and botocore's C(adaptive) mode; C(retries) in C(aws_config) replaces both.
  - An attempt times out after 10 seconds without a connection, or after 30 seconds without data. A call fails at its
    third such attempt, which is within two minutes. C(connect_timeout) and C(read_timeout) in C(aws_config) replace
    these.
"""
