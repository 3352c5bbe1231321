# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: verification
short_description: Validates the checks of a site, and reports which failed
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Takes checks as the role P(slipway.aws.ecs_verify#role) has them in C(ecs_verify_checks), and what has been found so
    far.
  - Compares the digest of each container of each running task with that of the image that was released for it. A
    service that does not exist, or has fewer running tasks than it should, is a problem too.
positional: _input
options:
  _input:
    description: The checks.
    type: list
    elements: dict
    required: true
  names:
    description: The names of the services that are verified, and beside whose tasks a command can run.
    type: list
    elements: str
    default: []
  url:
    description: The address of the load balancer, which stands before the path of a page.
    type: str
    default: ""
  address:
    description: The host and port that requests go to in place of those in O(url).
    type: str
    default: ""
  results:
    description: The results of a loop over checks, each with its check as C(item).
    type: list
    elements: dict
    default: []
  found:
    description: The services with their tasks, as M(slipway.aws.ecs_service_info) returns them.
    type: list
    elements: dict
    default: []
  images:
    description: The images by name, each a reference with a digest, or C(repository:tag), whose digest is looked up.
    type: dict
    default: {}
  repositories:
    description: The repositories with their images, as M(slipway.aws.ecr_repository_info) returns them.
    type: list
    elements: dict
    default: []
  services:
    description:
      - The services as the role P(slipway.aws.ecs_app#role) has them, which say which container has which image.
      - For a service that is none of them, an image counts as released where its repository has it in O(images).
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Check that every task runs what was released
  ansible.builtin.assert:
    that: verified.digest_problems | length == 0
    fail_msg: "{{ verified.digest_problems | join(' ') }}"
  vars:
    verified: "{{ [] | slipway.aws.verification(names=['web'], found=found.services, images=images) }}"
"""

RETURN = r"""
_value:
  description:
    - C(problems), what is wrong with the checks, a sentence each.
    - C(http), C(tcp) and C(command), the checks of each type, complete with defaults; pages also with C(url), where the
      request goes, and C(host), its header.
    - C(failures), a sentence for each of O(results) that failed.
    - C(missing_images), a sentence for each of O(images) that has no digest.
    - C(digest_problems), a sentence for each service that does not run what was released.
    - C(digests), all digests that run.
  type: dict
"""

from collections.abc import Callable, Sequence
from typing import Any

from ansible_collections.slipway.aws.plugins.plugin_utils import container_image, ecs_verify

Json = dict[str, Any]


def verification(checks: Sequence[Json], names: Sequence[str] = (), **known: Any) -> Json:
    images, repositories = known.get("images") or {}, known.get("repositories") or ()
    found, services = known.get("found") or (), known.get("services") or ()
    references = container_image.references(images, repositories, {}, {})
    return {
        "problems": ecs_verify.check_problems(checks, names),
        "http": ecs_verify.pages(checks, known.get("url") or "", known.get("address") or ""),
        "tcp": ecs_verify.others(checks, "tcp"),
        "command": ecs_verify.others(checks, "command"),
        "failures": ecs_verify.failures(known.get("results") or ()),
        "missing_images": container_image.image_problems(images, repositories, services=services or None),
        "digest_problems": ecs_verify.digest_problems(found, names, references, services),
        "digests": ecs_verify.digests(found),
    }


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Json]]:
        return {"verification": verification}
