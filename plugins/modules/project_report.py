#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: project_report
version_added: 0.2.0
short_description: Writes a report of a project as one HTML file
author:
  - The Slipway authors (@slipway)
description:
  - Writes one HTML file on the controller that shows a picture of the live topology, the version, health and last
    release of each service, recent events, drift, and what the resources cost a month.
  - The file needs nothing else. It requests no font, script or image, works without JavaScript, is readable in light
    and dark mode, and prints on A4. Its mode is C(0600).
  - It reads everything once, as M(slipway.aws.project_drift) does, changes no resource, and can run during a release.
  - What could not be read is in the report, with the missing permission. It is never taken for absent.
  - The report shows no environment variables and no values of secrets. It does show names, addresses, the account
    number, and what Amazon ECS says in events.
  - Costs are an estimate by C(docs/prices.yml) for the resources that exist. The report says what they do not include.
  - The playbook C(slipway.aws.report) runs it.
options:
  project:
    description:
      - The name of the project.
    type: str
    required: true
  dest:
    description:
      - The file to write. Its folder is created if it does not exist.
      - In check mode nothing is written.
    type: path
    required: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: Only a file with the time of the report is written.
  idempotent:
    support: none
    details: Each report has the time at which it was written.
extends_documentation_fragment:
  - slipway.aws.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
seealso:
  - module: slipway.aws.project_drift
"""

EXAMPLES = r"""
- name: Write the report
  slipway.aws.project_report:
    project: ecs
    dest: report.html
"""

RETURN = r"""
path:
  description: The absolute path of the file.
  returned: success
  type: str
  sample: /srv/site/.slipway/report.html
verdict:
  description: The sentence at the top of the report.
  returned: success
  type: str
  sample: All 2 services are stable
attention:
  description: Names of services that need attention.
  returned: success
  type: list
  elements: str
  sample: []
unknown:
  description: Permissions whose calls failed, so that something is missing from the report.
  returned: success
  type: list
  elements: str
  sample: [elasticloadbalancing:DescribeTargetGroups]
month:
  description: The estimated cost a month in US dollars.
  returned: success
  type: float
  sample: 116.54
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(invalid_option), V(misplaced_secret), V(no_connection),
      V(no_credentials), V(refused) and V(throttled). These any module returns that calls AWS.
  returned: failure
  type: str
  sample: access_denied
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._project.report import flow

ARGUMENT_SPEC = {
    "project": {"type": "str", "required": True},
    "dest": {"type": "path", "required": True},
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()
