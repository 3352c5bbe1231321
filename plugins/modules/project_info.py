#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: project_info
version_added: 0.1.0
short_description: Lists everything that a project owns in a region
author:
  - The Slipway authors (@slipway)
description:
  - Reads all resources with the tag C(slipway:project) of a project from the APIs that the roles of this collection
    use.
  - It reads from each service, because AWS's Resource Groups Tagging API omits IAM, and lists deleted resources for
    hours.
  - Of IAM, which is global, it lists resources with this region in the tag C(slipway:region), or without that tag.
options:
  project:
    description:
      - The name of the project.
    type: str
    required: true
  details:
    version_added: 0.2.0
    description:
      - Whether to return each resource with everything that AWS answers about it (RV(resources[].details)) and its
        relations (RV(resources[].uses)). Not with O(keep).
      - The values of parameters and secrets are never read. Environment variables of task definitions are returned as
        AWS answers them; values that look like passwords are masked.
      - With details, the module returns what it can read. What it is denied, or what AWS fails to answer, is in
        RV(unknown). Without details it fails, because a list for deletion has to be complete. It also fails without
        valid credentials.
      - A resource that is deleted during the read is left out only where AWS answers that it does not exist.
    type: bool
    default: false
  keep:
    description:
      - Desired names, by kind. If set, the module reads these kinds alone, returns what else carries the tag in
        RV(obsolete), and warns of it.
      - The kinds are V(service) (required), V(task definition) (families), V(parameter), V(secret), V(target group)
        (ARNs), V(discovery service), V(log group), V(repository), V(load balancer) and V(cluster).
      - Nothing that a service refers to is obsolete while the service is kept, whoever created it.
      - Of task definitions, the module finds families whose name begins with the project's, and those of obsolete
        services. It does not read the others, as each family of the region would cost one call.
    type: dict
  cluster:
    description: With O(keep), the cluster whose services are read. Services of other clusters are never obsolete.
    type: str
  namespace:
    description: With O(keep), the namespace in AWS Cloud Map whose services are read.
    type: str
  group:
    description:
      - With O(keep), only services, task definitions, parameters and secrets with this value of the tag
        C(slipway:group) are obsolete. Empty for those without it. With a group, resources of other kinds are never
        obsolete, because they carry no group.
    type: str
    default: ""
  released:
    description: With O(keep), ARNs of load balancers that stop forwarding to obsolete target groups.
    type: list
    elements: str
    default: []
  delete_full:
    description: With O(keep), kinds that may be deleted with their contents, such as V(repository) with its images.
    type: list
    elements: str
    default: []
  prune:
    description: With O(keep), whether the caller deletes obsolete resources. The warning then lists only what is kept.
    type: bool
    default: false
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.reads
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
"""

EXAMPLES = r"""
- name: Read what the project owns
  slipway.aws.project_info:
    project: ecs
  register: owned

- name: Read the project in full
  slipway.aws.project_info:
    project: ecs
    details: true
  register: project

- name: Show the images of the services
  ansible.builtin.debug:
    msg: >-
      {{ project.resources | selectattr('kind', 'eq', 'task definition')
         | map(attribute='details.containerDefinitions') | flatten | map(attribute='image') }}

- name: Find obsolete resources of the project
  slipway.aws.project_info:
    project: ecs
    cluster: ecs
    keep:
      service: [web, worker]
      task definition: [web, worker]

- name: Show the names
  ansible.builtin.debug:
    msg: "{{ owned.resources | map(attribute='name') }}"
"""

RETURN = r"""
resources:
  description: The resources, in the order of their deletion.
  returned: success and without O(keep)
  type: list
  elements: dict
  contains:
    kind:
      description: What it is.
      type: str
      sample: security group
    tag:
      description: The tag of the playbooks that create and delete it.
      type: str
      sample: network
    id:
      description: The id, or the ARN or name where that is the id.
      type: str
      sample: sg-0123456789abcdef0
    name:
      description: The name.
      type: str
      sample: ecs-tasks
    holds:
      description: Contents that cannot be recreated. Empty if there are none.
      type: str
      sample: ""
    tags:
      description: The tags.
      type: dict
      sample: {"slipway:project": ecs}
    role:
      description: The role of this collection that creates it.
      type: str
      sample: ecs_network
    arn:
      description: The ARN.
      returned: with O(details)
      type: str
      sample: arn:aws:ec2:eu-central-1:123456789012:security-group/sg-0123456789abcdef0
    details:
      description:
        - What AWS answers about it, with AWS's names of members and times in UTC. What only further calls return is
          added as a member.
        - Of a V(service), C(scalableTarget), C(scalingPolicies), C(scheduledActions) and its C(tasks).
        - Of a V(task definition), which is a family, the newest revision; in C(revisions) older ones that services run.
        - Of a V(load balancer), C(Attributes) and C(Listeners), each with C(Rules) and all C(Certificates).
        - Of a V(target group), C(Attributes) and C(TargetHealth).
        - Of an V(IAM role), C(Policies), which are documents by name, and C(AttachedPolicies).
        - Of a V(repository), C(policy), C(lifecyclePolicy) and C(images).
        - Of a V(bucket), C(Policy), C(Encryption), C(PublicAccessBlock), C(OwnershipControls), C(Versioning) and
          C(Lifecycle).
        - Of a V(VPC), C(EnableDnsSupport) and C(EnableDnsHostnames). Of an V(instance), C(DisableApiTermination) and
          C(InstanceStatus). Of a V(launch template), C(LaunchTemplateVersions), the newest and the default one.
        - A member that could not be read is missing, and its kind is in RV(unknown).
      returned: with O(details)
      type: dict
    uses:
      description: The ARNs of other resources of the project to which RV(resources[].details) refer, sorted.
      returned: with O(details)
      type: list
      elements: str
      sample: ["arn:aws:ec2:eu-central-1:123456789012:vpc/vpc-0123456789abcdef0"]
unknown:
  description:
    - What could not be read. Resources of this kind may be missing, or lack members; they are not absent.
    - One entry for each kind, action and code.
  returned: success and with O(details)
  type: list
  elements: dict
  contains:
    kind:
      description: The kind of resource.
      type: str
      sample: service
    tag:
      description: The tag of the playbooks that create and delete it.
      type: str
      sample: service
    role:
      description: The role of this collection that creates it.
      type: str
      sample: ecs_app
    action:
      description: The IAM action of the call that failed. Empty where the failure does not say which call that was.
      type: str
      sample: ecs:DescribeServices
    code:
      description:
        - The error code, such as V(misplaced_secret), V(access_denied), V(throttled) or V(bad_answer).
        - With V(unsupported), the endpoint does not have this API at all, so nothing of it can exist there.
      type: str
      sample: access_denied
    message:
      description: The message.
      type: str
records:
  description:
    - What M(slipway.aws.project_record) recorded of roles that converged, by role. Empty if it could not be read; then
      RV(unknown) says why.
  returned: success and with O(details)
  type: dict
problems:
  description: By role, why its record cannot be used, such as one of another version or account.
  returned: success and with O(details)
  type: dict
caller:
  description: Who reads, with the members C(account) and C(arn).
  returned: success and with O(details)
  type: dict
  sample: {"account": "123456789012", "arn": "arn:aws:iam::123456789012:user/deployer"}
region:
  description: The region that was read.
  returned: success and with O(details)
  type: str
  sample: eu-central-1
obsolete:
  description: Resources that carry the tag and are not in O(keep), in the order of their deletion.
  returned: success and with O(keep)
  type: list
  elements: dict
  contains:
    kind:
      description: What it is.
      type: str
      sample: service
    id:
      description: The ARN, or the name where that is the id.
      type: str
      sample: worker-old
    name:
      description: The name.
      type: str
      sample: worker-old
    state:
      description: What it does.
      type: str
      sample: 2 running tasks
    scaled:
      description: Whether M(slipway.aws.ecs_service_scaling) has set scaling for it.
      type: bool
      sample: false
    kept_because:
      description: Why it is kept. Empty if it can be deleted.
      type: str
      sample: it contains images
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(invalid_option), V(no_connection), V(no_credentials),
      V(refused) and V(throttled). These any module returns that calls AWS.
  returned: failure
  type: str
  sample: access_denied
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._project import flow

ARGUMENT_SPEC = {
    "project": {"type": "str", "required": True},
    "details": {"type": "bool", "default": False},
    "keep": {"type": "dict"},
    "cluster": {"type": "str"},
    "namespace": {"type": "str"},
    "group": {"type": "str", "default": ""},
    "released": {"type": "list", "elements": "str", "default": []},
    "delete_full": {"type": "list", "elements": "str", "default": []},
    "prune": {"type": "bool", "default": False},
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run, required_by={"keep": ["cluster"]})


if __name__ == "__main__":
    main()
