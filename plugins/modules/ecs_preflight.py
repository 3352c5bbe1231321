#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_preflight
version_added: 0.2.0
short_description: Checks what services of Amazon ECS refer to, before they are released
author:
  - The Slipway authors (@slipway)
description:
  - Reads what services and their task definitions name, and checks that it exists, fits together, and is within the
    limits and quotas of AWS. It changes nothing.
  - IAM roles exist, trust Amazon ECS and may pull the images, write the logs and read the secrets that the task
    definition names, as C(iam:SimulatePrincipalPolicy) finds.
  - Images exist in Amazon ECR for the platform of the task. Images of other registries are unknown.
  - Functions of AWS Lambda that deployments call exist, and their role may invoke them.
  - Subnets, security groups, target groups and load balancers are in one VPC. Target groups have the target type of the
    network mode, a load balancer, and security groups that let traffic in.
  - On Fargate, a route or a VPC endpoint leads from the subnets to the registry, the logs and the secrets.
  - The cluster has the capacity providers. Log groups, secrets, parameters, environment files, EFS file systems with
    mount targets, alarms, namespaces, certificates and hosted zones exist. No value of a secret is read, so that
    members of its JSON are unknown, unless the run sets the value.
  - Prints the checks, as it is an action plugin, too. The playbook C(slipway.aws.preflight) runs it, and C(site.yml)
    runs it before it creates anything.
options:
  project:
    description: The name of the project, whose existing resources count as its own in quotas.
    type: str
  cluster:
    description: The name or ARN of the cluster.
    type: str
    default: default
  services:
    description:
      - The services, as O(slipway.aws.ecs_release#module:services) takes them.
      - C(<account>) and C(<partition>) stand for those of the caller.
    type: list
    elements: dict
  creates:
    description:
      - By kind, the names or ARNs of what the run creates or updates itself. It may be missing, and is not checked.
      - Kinds are C(IAM role), C(alarm), C(bucket), C(capacity provider), C(certificate), C(cluster),
        C(discovery service), C(image), C(log group), C(namespace), C(parameter), C(secret), C(security group),
        C(subnet) and C(target group).
    type: dict
  network:
    description:
      - How names in services become ids. C(vpc_filters) finds the VPC, C(subnets) has filters of Amazon EC2 by name,
        and C(security_groups) lists names.
      - C(nat) and C(endpoints) say which routes a network has that the run creates. If C(nat) is V(none), the endpoints
        are the only ones.
    type: dict
  certificates:
    description: Certificates of listeners, each with C(arn), the C(domains) that it is for, and C(place) for messages.
    type: list
    elements: dict
  domains:
    description: Domains to validate, each with C(name), C(hosted_zone_id) or none, and C(place) for messages.
    type: list
    elements: dict
  load_balancers:
    description:
      - Load balancers of others, each with C(name), which is a name or an ARN, or C(tags), which exactly one of the
        account has, the ARNs of C(listeners) that are used, and C(place) and C(listeners_place) for messages.
    type: list
    elements: dict
  target_groups:
    description: Target groups of others, each with C(name), which is a name or an ARN, and C(place) for messages.
    type: list
    elements: dict
  secret_members:
    description:
      - By ARN as task definitions name it, the names of the members of the JSON that a secret has.
      - Whether other secrets have a member is unknown, as only their values say it.
    type: dict
  buckets:
    description: Buckets for access logs, each with C(name), and C(place) for messages.
    type: list
    elements: dict
  rules:
    description: How many rules the project's own load balancer has after the run.
    type: int
  new:
    description: How many C(VPC), C(elastic IP) and C(load balancer) the project has after the run.
    type: dict
  root_user:
    description:
      - What to do about a container that names no C(user) and whose image in Amazon ECR runs as root. V(warn) warns,
        V(refuse) is a failed check. Images of several platforms are not read.
    type: str
    choices: [allow, warn, refuse]
    default: allow
  problems:
    description: Problems that are known already. Each is a failed check.
    type: list
    elements: str
  site:
    description:
      - Whether to take all of the options above from the variables of this collection's roles, as C(site.yml) has them.
    type: bool
    default: false
  site_tags:
    description: With O(site), the tags of C(site.yml) that the run has. The default is all.
    type: list
    elements: str
  fail:
    description: Whether to fail with C(checks_failed) if a check fails.
    type: bool
    default: false
  format:
    description: What is printed. V(problems) prints no checks that passed, V(none) prints nothing.
    type: str
    choices: [list, problems, json, none]
    default: list
  junit:
    description: File on the machine that runs Ansible for a JUnit report, with a test for each check.
    type: path
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.reads
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
  - slipway.aws.plain_values
"""

EXAMPLES = r"""
- name: Check services before their release
  slipway.aws.ecs_preflight:
    cluster: shop
    services:
      - name: web
        desired_count: 2
        launch_type: FARGATE
        task_definition:
          definition_file: web.json
        network_configuration:
          awsvpcConfiguration:
            subnets: [subnet-0123456789abcdef0, subnet-0fedcba9876543210]
            securityGroups: [sg-0123456789abcdef0]
    fail: true

- name: Check a site whose variables are in the inventory
  slipway.aws.ecs_preflight:
    site: true
  register: checked

- name: Show what is missing
  ansible.builtin.debug:
    msg: "{{ checked.preflight.checks | selectattr('state', 'eq', 'FAIL') | map(attribute='text') }}"
"""

RETURN = r"""
preflight:
  description: The checks. With O(format=json), they are printed.
  returned: unless O(site) is true and the records prove that nothing has changed
  type: dict
  contains:
    result:
      description: V(failed) if a check failed, otherwise V(passed).
      type: str
      sample: failed
    counts:
      description: How many checks have each state.
      type: dict
      sample: {OK: 12, WARN: 0, UNKNOWN: 1, FAIL: 1}
    account:
      description: The AWS account.
      type: str
      sample: "123456789012"
    region:
      description: The region.
      type: str
      sample: eu-central-1
    checks:
      description: The checks, in the order of the services.
      type: list
      elements: dict
      contains:
        check:
          description: What was checked.
          type: str
          sample: role
        place:
          description: What refers to it.
          type: str
          sample: services[0] web, task_definition.executionRoleArn
        state:
          description:
            - V(OK), V(FAIL), V(WARN), or V(UNKNOWN) if it could not be read.
          type: str
          sample: FAIL
        text:
          description: What was expected, what was found, and what to do.
          type: str
          sample: >-
            services[0] web, task_definition.executionRoleArn: expected an IAM role that exists, got web. Create the
            role, or correct the name.
        permission:
          description: The IAM action that is missing, of an unknown one. Otherwise empty.
          type: str
          sample: ""
exit_code:
  description: V(1) if a check failed, otherwise V(0). The playbook exits with it.
  returned: success
  type: int
  sample: 1
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(checks_failed). Something that variables or services refer to does not exist or does not fit, or exceeds a
      limit.
    - V(access_denied), V(aws_error), V(bad_answer), V(invalid_option), V(misplaced_secret), V(no_connection),
      V(no_credentials), V(refused) and V(throttled). These any module returns that calls AWS.
  returned: failure
  type: str
  sample: checks_failed
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.preflight import flow

ARGUMENT_SPEC = {
    "project": {"type": "str"},
    "cluster": {"type": "str", "default": "default"},
    "services": {"type": "list", "elements": "dict"},
    "creates": {"type": "dict"},
    "network": {"type": "dict"},
    "certificates": {"type": "list", "elements": "dict"},
    "domains": {"type": "list", "elements": "dict"},
    "load_balancers": {"type": "list", "elements": "dict"},
    "target_groups": {"type": "list", "elements": "dict"},
    "secret_members": {"type": "dict", "no_log": False},
    "buckets": {"type": "list", "elements": "dict"},
    "rules": {"type": "int"},
    "new": {"type": "dict"},
    "root_user": {"type": "str", "choices": ["allow", "warn", "refuse"], "default": "allow"},
    "problems": {"type": "list", "elements": "str"},
    "site": {"type": "bool", "default": False},
    "plain_values": {"type": "list", "elements": "str"},
    "site_tags": {"type": "list", "elements": "str"},
    "fail": {"type": "bool", "default": False},
    "format": {"type": "str", "choices": ["list", "problems", "json", "none"], "default": "list"},
    "junit": {"type": "path"},
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()
