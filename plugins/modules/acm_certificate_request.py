#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: acm_certificate_request
version_added: 0.1.0
short_description: Requests public certificates from AWS Certificate Manager
author:
  - The Slipway authors (@slipway)
description:
  - Requests a public certificate for exactly these domains, validated by DNS, unless it exists, and returns the
    validation records. It can wait until the certificate is issued.
  - A certificate cannot be changed. For other domains another one is requested, and the former one is kept.
  - M(community.aws.acm_certificate) imports and deletes certificates, and requests none.
options:
  domains:
    description:
      - The domain names of the certificate, including wildcards such as V(*.example.com). The first one names the
        certificate, the order of the others does not matter.
    type: list
    elements: str
    required: true
  match_tags:
    description:
      - Tags that identify the caller's certificate. Only a certificate with all of them is used, and a new one gets
        them.
      - Defaults to O(tags).
    type: dict
  tags:
    description:
      - The tags of the certificate, beside O(match_tags). If omitted, they are kept.
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description:
      - Whether to remove tags that are neither in O(tags) nor in O(match_tags).
    type: bool
    default: true
  wait:
    description:
      - Whether to wait until the certificate is issued, for which its validation records have to exist.
    type: bool
    default: false
  wait_timeout:
    description:
      - Time-out for O(wait), in seconds. AWS mostly finds the records within minutes.
    type: int
    default: 900
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
seealso:
  - module: community.aws.acm_certificate
  - module: community.aws.acm_certificate_info
  - module: amazon.aws.route53
"""

EXAMPLES = r"""
- name: Request a certificate for the shop
  slipway.aws.acm_certificate_request:
    domains: [shop.example.com]
    match_tags:
      Name: shop
  register: request

- name: Create the validation records
  amazon.aws.route53:
    state: present
    zone: example.com
    record: "{{ item.name }}"
    type: "{{ item.type }}"
    value: "{{ item.value }}"
    overwrite: true
  loop: "{{ request.certificate.validation_records }}"

- name: Wait until the certificate is issued
  slipway.aws.acm_certificate_request:
    domains: [shop.example.com]
    match_tags:
      Name: shop
    wait: true
"""

RETURN = r"""
certificate:
  description:
    - The certificate; in check mode the predicted one, with V(unknown) where AWS decides.
  returned: success
  type: dict
  contains:
    certificate_arn:
      description: The ARN of the certificate.
      type: str
      sample: arn:aws:acm:ap-northeast-2:123456789012:certificate/12345678-1234-1234-1234-123456789012
    domains:
      description: The domain names.
      type: list
      elements: str
      sample: [shop.example.com]
    status:
      description: V(PENDING_VALIDATION) or V(ISSUED).
      type: str
      sample: ISSUED
    validation_records:
      description: The DNS records that validate the certificate, now and at each renewal. Empty in check mode.
      type: list
      elements: dict
      contains:
        name:
          description: The name of the record.
          type: str
          sample: _a79865eb4cd1a6ab990a45779b4e0b96.shop.example.com
        type:
          description: The type of the record.
          type: str
          sample: CNAME
        value:
          description: The value of the record.
          type: str
          sample: _424c7224e9b0146f9a8808af955727d0.acm-validations.aws
    failure_reason:
      description: Why AWS did not issue it.
      type: str
      sample: ""
    tags:
      description: The tags.
      type: dict
      sample: {Name: shop}
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(not_issued). AWS did not issue the certificate.
    - V(access_denied), V(aws_error), V(bad_answer), V(invalid_option), V(limit_exceeded), V(misplaced_secret),
      V(no_connection), V(no_credentials), V(refused), V(throttled) and V(timeout). These any module returns that
      calls AWS.
  returned: failure
  type: str
  sample: timeout
"""

from ansible_collections.slipway.aws.plugins.module_utils._acm import flow
from ansible_collections.slipway.aws.plugins.module_utils._core.module import TAG_OPTIONS, run

ARGUMENT_SPEC = {
    "domains": {"type": "list", "elements": "str", "required": True},
    "match_tags": {"type": "dict"},
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 900},
    **TAG_OPTIONS,
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()
