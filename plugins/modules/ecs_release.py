#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_release
version_added: 0.1.0
short_description: Release many services of Amazon ECS as one, all or nothing
description:
  - Makes any number of services and task definitions be as described, and brings them to their goals side by side.
  - Everything is read and planned before anything is touched. A release that cannot be carried out changes nothing.
  - All services reach their goals, or those that were changed go back to what they ran before.
  - Where nothing differs, it costs a call for ten services and one for each task definition.
author: The Slipway authors (@slipway)
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    default: default
  services:
    description:
      - The services, each with a C(name) and the options of M(slipway.aws.ecs_service), but none of C(cluster),
        C(state), C(client_token), C(recreate), C(force), C(wait) and C(wait_timeout).
      - C(task_definition) is a family, C(family:revision) or an ARN, or a dictionary with the options of
        M(slipway.aws.ecs_task_definition), but none of C(state), C(keep_revisions) and C(delete). Services may share
        one. A service that runs a revision which is as described keeps it, even if the family has a newer one.
      - C(after) is a list of services of the release that have to reach their goals before this one is touched.
        The rest go side by side.
      - C(initial_count) is how many tasks a service starts with if the release makes it and it has no
        C(desired_count). It is for services that scale by themselves afterwards.
      - What a service or task definition leaves out is left alone, as in those modules.
    type: list
    elements: dict
  target_groups:
    description:
      - Settings of target groups that services of the release use, by the ARN of the target group.
      - Each is a dictionary with options of M(slipway.aws.elb_target_group), namely C(health_check_protocol),
        C(health_check_path), C(health_check_codes), C(health_check_interval), C(health_check_timeout),
        C(healthy_threshold), C(unhealthy_threshold) and C(deregistration_delay).
      - They change right before the services that use them, and go back with them if the release fails or is rolled back.
      - A service that changes in nothing else is watched until its targets have been checked with the new settings.
      - The target groups have to exist. Omitted settings stay as they are.
    type: dict
  on_failure:
    description:
      - What to do when a service does not reach its goal.
      - With V(rollback) every service that was changed is brought back to what it ran before. One that the release has
        made is deleted.
      - With V(keep) the others go on to their goals, but for those that come after the one that failed.
      - In both cases the task fails, and registered revisions of task definitions stay.
    type: str
    choices: [rollback, keep]
    default: rollback
  rollback:
    description:
      - Whether to take back a release that was killed or interrupted, in place of making one.
      - O(services) then name those to take back, by C(name) alone. Without it all of the cluster are looked at.
      - Services that no unfinished release has changed are left alone. The rest go back side by side.
      - A release that is complete, and only failed to remove its checkpoints, is not rolled back. Its checkpoints are
        removed, or kept if only the account shows that it is complete.
    type: bool
    default: false
  force:
    description:
      - Whether to release although another release is in progress on the same services. This one then takes over its
        checkpoints, so that a rollback restores what ran before both.
      - With O(rollback), whether to roll back also a release that is complete on all of its services.
    type: bool
    default: false
  wait_timeout:
    description: For how many seconds each service may take to reach its goal, and again to get back.
    type: int
    default: 600
  parallel:
    description:
      - How many calls to make at a time, V(1) to V(32).
      - When AWS throttles, calls slow down by themselves.
    type: int
    default: 8
  progress:
    description:
      - A file that gets each line of RV(progress) as it comes, for others to follow.
      - The lines are shown while the task runs, if it runs on the controller, unless C(no_log) is set.
    type: path
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
notes:
  - A value that looks like a secret (by the name of its variable, option or argument, or as a password in an address)
    is shown as V(********) in the result, in the diff and in messages, followed by (changed) where it changed. It can
    be read in AWS all the same, so put secrets into C(secrets); the module warns of others.
  - Ansible itself shows arguments with C(-vvv) when it refuses them before the module starts, the items of a loop, and
    all arguments in the system's log unless C(no_target_syslog) is set. These the module cannot mask.
  - While a release goes on, each changed service has a checkpoint in its tags, C(slipway:checkpoint.0) and so on, with what
    it ran before. C(slipway:checkpoint.run) says which release wrote it, who started it, and when it times out. They
    are removed when it has ended. If a run is killed, rerun the same command; it resumes. If that fails, it rolls back
    what the killed run had changed, too.
  - AWS allows 50 tags for a service, and a checkpoint takes about three. The module refuses a service that has too many
    of its own before it changes anything.
  - Another release of the same services is refused while one is in progress, as far as its checkpoints show. This is
    not a lock. Two that start at the same moment do not see each other. Neither deletes a service of the other.
  - A service is deleted on the way back only if this run's C(CreateService) answered it, or if it has the checkpoint of
    this release. One that another client created meanwhile is left alone.
  - What an image tag points to is no part of a service, so going back cannot bring back an image that was pushed under
    the same tag. Name images by digest.
  - >-
    Needs what M(slipway.aws.ecs_service) and M(slipway.aws.ecs_task_definition) need, also
    C(elasticloadbalancing:DescribeTargetGroups), C(elasticloadbalancing:DescribeTargetGroupAttributes),
    C(elasticloadbalancing:ModifyTargetGroup) and C(elasticloadbalancing:ModifyTargetGroupAttributes) for
    O(target_groups), C(ecs:DeregisterTaskDefinition), to take back revisions when AWS refuses one of them,
    C(ecs:DeleteService), to delete what it created when the release fails, and C(ecs:ListServices) for O(rollback) without
    O(services).
seealso:
  - module: slipway.aws.ecs_service
  - module: slipway.aws.ecs_task_definition
  - module: slipway.aws.ecs_service_info
"""

EXAMPLES = r"""
- name: The shop is released as one
  slipway.aws.ecs_release:
    cluster: shop
    services:
      - name: stock
        task_definition:
          family: stock
          network_mode: awsvpc
          container_definitions:
            - {name: stock, image: "localhost:5000/shop/stock:1.0", memory: 64}
        desired_count: 1
        launch_type: FARGATE
        network_configuration:
          awsvpcConfiguration: {subnets: [subnet-0123456789abcdef0], assignPublicIp: DISABLED}
      - name: web
        after: [stock]
        task_definition:
          family: web
          network_mode: awsvpc
          container_definitions:
            - {name: web, image: "localhost:5000/shop/web:1.0", memory: 64}
        desired_count: 1
        launch_type: FARGATE
        network_configuration:
          awsvpcConfiguration: {subnets: [subnet-0123456789abcdef0], assignPublicIp: DISABLED}

- name: Two services run the latest revisions of their families, whatever becomes of one of them
  slipway.aws.ecs_release:
    cluster: shop
    on_failure: keep
    services:
      - {name: stock, task_definition: stock}
      - {name: web, task_definition: web}

- name: A release that was interrupted is taken back
  slipway.aws.ecs_release:
    cluster: shop
    rollback: true
"""

RETURN = r"""
services:
  description: Each service by its name. With O(rollback) those that an unfinished release had changed.
  type: dict
  returned: always
  contains:
    state:
      description:
        - How it ended, or in check mode would end.
        - V(unchanged), V(created), V(updated), V(failed), V(not_started), V(rolled_back), V(rollback_failed), or
          V(in_progress) where the release was interrupted.
      type: str
    changed:
      description: Whether the service or its task definition was changed, also if that was taken back.
      type: bool
    before:
      description: Task definition, desired and running count before. Empty for a new service.
      type: dict
    after:
      description: The same now, or in check mode as they would be.
      type: dict
    diff:
      description:
        - Exactly the members that differ. Those of the task definition are under C(definition), those of target groups
          by their names under C(target_groups).
      type: dict
    deployment:
      description: The deployment that was watched, as its ARN where AWS has one, else its id. Empty where none was.
      type: str
    seconds:
      description: How long it took, the way back included.
      type: float
    service:
      description: The service as M(slipway.aws.ecs_service) returns it, but without events. Not where the task fails.
      type: dict
    task_definition:
      description: The revision as M(slipway.aws.ecs_task_definition) returns it. Not where the task fails.
      type: dict
    unfinished:
      description: There, and V(true), where an earlier release had left the service unfinished.
      type: bool
    checkpoint_left:
      description: V(true) if the service still has its checkpoint although its release is complete; otherwise omitted.
      type: bool
    code:
      description: What went wrong with the service, a code of M(slipway.aws.ecs_service).
      type: str
    msg:
      description: Why, in words.
      type: str
    failure:
      description: Why, as data, as M(slipway.aws.ecs_service) returns it.
      type: dict
progress:
  description: What happened when, and a table at the end. Lines for people.
  type: list
  elements: str
  returned: always
diff:
  description: The differences, one element a service that differs.
  type: list
  elements: dict
  returned: always
cluster:
  description: The cluster as it was given.
  type: str
  returned: always
failed_services:
  description: Names of the services that failed.
  type: list
  elements: str
  returned: when a service failed
code:
  description:
    - What went wrong, as a word that never changes. Where services failed, the code of the first.
    - V(rollback_failed), a service could not be brought back to what it ran before.
    - V(interrupted), the run was stopped from outside. ECS goes on with what was started.
    - V(release_in_progress), another release changes the services; nothing was touched. C(release) says which.
    - V(checkpoints_left), the release is complete, but its checkpoints could not be removed.
    - V(rolled_back), V(deployment_failed), V(deployment_stopped), V(superseded), V(tasks_failing),
      V(health_check_failing), V(timeout) and V(service_gone), a service did not reach its goal, as
      M(slipway.aws.ecs_service) says it.
    - V(immutable), AWS cannot change an option in place; nothing was touched.
    - V(invalid_option), an option cannot be right; nothing was touched.
    - V(access_denied), AWS does not allow the call that is named.
    - V(bad_answer), an answer cannot be read, or leaves out what was asked for.
    - V(aws_error), AWS answered with a fault of its own.
    - V(conflict), something else is being done to a service, or another client created it meanwhile.
    - V(limit_exceeded), a quota is used up, or a service has so many tags that none are left for its checkpoint; then
      nothing was touched.
    - V(no_connection), AWS cannot be reached.
    - V(no_credentials), there are no usable credentials.
    - V(not_found), the cluster or a task definition does not exist.
    - V(refused), AWS refuses the request for what it says.
    - V(throttled), AWS was asked too often, even after ten tries.
  type: str
  returned: failure
release:
  description: The release that is in progress, with C(id), C(started), C(until) and C(by), which is user and host.
  type: dict
  returned: when another release is in progress
problems:
  description: Everything that is wrong with the options, one sentence each.
  type: list
  elements: str
  returned: when options are wrong
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.release.flow import run_flow

ARGUMENTS = {
    "cluster": {"type": "str", "default": "default"},
    "services": {"type": "list", "elements": "dict"},
    "target_groups": {"type": "dict"},
    "on_failure": {"type": "str", "choices": ["rollback", "keep"], "default": "rollback"},
    "rollback": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 600},
    "parallel": {"type": "int", "default": 8},
    "progress": {"type": "path"},
}


def main() -> None:
    run(ARGUMENTS, run_flow)


if __name__ == "__main__":
    main()
